"""How sure is it: how often each area qualifies when the choices behind it vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from commonweal.designation.runs import Varied, in_blocks, vary
from commonweal.errors import StudyError
from commonweal.index.assumptions import KINDS, Assumption
from commonweal.index.runs import draw_numbers
from commonweal.index.uncertainty import QUANTILES, RankCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from commonweal.designation.designation import Designation
    from commonweal.index import Scores
    from commonweal.indicators import Indicators

__all__ = ["Certainty", "CertaintySpec", "certainty"]

Floats: TypeAlias = NDArray[np.float64]


class CertaintySpec(BaseModel):
    """What varies, how often and from which seed.

    Attributes
    ----------
    draws
        Number of draws; 0 leaves certainty out.
    seed
        The seed that everything random follows from.
    vary
        What varies: `commonweal.index.assumptions`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    draws: int = Field(default=2000, ge=0, le=10_000_000)
    seed: int = Field(default=1, ge=0)
    vary: tuple[Assumption, ...] = ()


@dataclass(frozen=True, slots=True)
class Certainty:
    """What the draws did.

    Attributes
    ----------
    codes
        (n_areas,) area codes.
    seed
        The seed that the draws follow from.
    selected
        (n_areas,) share of draws in which the area qualifies.
    passes
        By condition, (n_areas,) share of draws in which it holds.
    ranks
        By index that varies, or domain that a condition is on: (n_areas, 3) rank at 5 %, 50 % and
        95 % of the draws; NaN where the area has no score.
    varied
        What varies.
    numbers
        (n_draws, n_assumptions) the numbers that drove each draw.
    """

    codes: list[str]
    seed: int
    selected: Floats
    passes: tuple[tuple[str, Floats], ...]
    ranks: Mapping[str, Floats]
    varied: Varied
    numbers: Floats

    @property
    def n_draws(self) -> int:
        """How many draws."""
        return len(self.numbers)

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame, one row an area; missing is null."""
        import polars as pl

        columns: dict[str, object] = {"code": self.codes, "probability": self.selected}
        for label, share in self.passes:
            columns[f"{label}.probability"] = share
        for index, quantiles in self.ranks.items():
            for name, column in zip(("low", "median", "high"), quantiles.T, strict=True):
                columns[f"{index}.rank_{name}"] = column
        return pl.DataFrame(columns).fill_nan(None)

    def draws_frame(self) -> pl.DataFrame:
        """Give what each draw used: `commonweal.index.runs.settings_frame`."""
        return self.varied.settings(self.numbers).rename({"run": "draw"})


def certainty(
    designation: Designation,
    spec: CertaintySpec,
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    progress: Callable[[str, int, int], None] | None = None,
) -> Certainty:
    """Draw, recompute, and count how often each area qualifies.

    Parameters
    ----------
    designation
        The designation at its stated settings.
    spec
        What varies.
    scores
        Indices by name, as they were designated on.
    indicators
        By index name, what each was computed from.
    progress
        Called as ``progress("drawing", done, n_draws)``.

    Returns
    -------
    Certainty
        The same to the byte for the same seed on any number of threads; memory does not grow
        with the number of draws but for the numbers that drive them.

    Raises
    ------
    StudyError
        If no draws are asked for or nothing varies.
    DataError, UnknownNameError
        If an assumption cannot act where it says.
    """
    n = spec.draws
    if n == 0:
        raise StudyError("certainty.draws: found 0; expected at least 1")
    varied = vary(designation, spec.vary, scores, indicators, n, spec.seed)
    if varied.still:
        raise StudyError(f"certainty.vary: nothing varies; expected {', '.join(KINDS)}")
    u = draw_numbers(varied.found, n, spec.seed, n)
    counters = {p: RankCounter(int(s.present.sum()), n) for p, s in varied.streams.items()}
    n_areas = len(designation.areas)
    total = np.zeros(n_areas, dtype=np.int64)
    by_condition = [np.zeros(n_areas, dtype=np.int64) for _ in designation.tested]
    for drawn, passes, selected in in_blocks(varied, u, progress):
        for path, counter in counters.items():
            present, ranks = varied.streams[path].present, drawn[path].ranks
            counter.add(ranks if present.all() else np.ascontiguousarray(ranks[:, present]))
        for count, outcome in zip(by_condition, passes, strict=True):
            count += outcome.sum(axis=0)
        total += selected.sum(axis=0)
    ranks_at = {}
    for path, counter in counters.items():
        found = np.full((n_areas, len(QUANTILES)), np.nan)
        found[varied.streams[path].present] = counter.quantiles(QUANTILES)
        ranks_at[path.replace("/", ".")] = found
    labels = designation.rule.labels()
    return Certainty(
        designation.areas.codes,
        spec.seed,
        total / n,
        tuple((label, count / n) for label, count in zip(labels, by_condition, strict=True)),
        ranks_at,
        varied,
        u,
    )
