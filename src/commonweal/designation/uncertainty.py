"""How often each area qualifies when the choices behind it vary, and which of them matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, field_validator

from commonweal.designation.runs import in_blocks, vary
from commonweal.designation.vintage import next_release
from commonweal.errors import StudyError
from commonweal.files.frames import Tabular
from commonweal.index.assumptions import KINDS, Assumption
from commonweal.index.methods import StrictModel
from commonweal.index.rank import rank
from commonweal.index.runs import Settings, draw_numbers
from commonweal.index.sensitivity import Sobol, sobol_each
from commonweal.index.uncertainty import QUANTILES, RankCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from commonweal.designation.designation import Designation
    from commonweal.designation.runs import Drawn, Varied
    from commonweal.designation.vintage import VintageModel
    from commonweal.index import Scores
    from commonweal.index.monte_carlo import Ints
    from commonweal.indicators import Indicators


Floats: TypeAlias = NDArray[np.float64]


class CertaintySpec(StrictModel):
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


@dataclass(frozen=True, slots=True, repr=False)
class Certainty(Tabular):
    """What the draws did.

    Attributes
    ----------
    codes
        (n_areas,) area codes.
    seed
        The seed that the draws follow from.
    selected
        (n_areas,) share of draws in which the area qualifies: sensitivity to weights and whatever else varies.
    passes
        By condition, (n_areas,) share of draws in which it holds.
    next_release
        (n_areas,) chance of qualifying when the indices that have a vintage model are released anew and all others
        stay as they are; None where no index has one.
    overall
        (n_areas,) both together: over the conditions, the product of the chance that it holds in the next release
        where its index has a model, and of the share of draws where not. The share of draws where none has one.
    ranks
        By index that varies, or domain that a condition is on: (n_areas, 3) rank at 5%, 50% and
        95% of the draws; NaN where the area has no score.
    settings
        What varies.
    numbers
        (n_draws, n_assumptions) the numbers that drove each draw.

    Examples
    --------
    >>> import commonweal as cw
    >>> found = cw.run("demo", draws=20, sensitivity=False, geometry=False).certainty["left_behind"]
    >>> found.to_frame().columns[:3]
    ['code', 'share_of_draws', 'community_needs.share_of_draws']
    """

    codes: list[str]
    seed: int
    selected: Floats
    passes: tuple[tuple[str, Floats], ...]
    next_release: Floats | None
    overall: Floats
    ranks: Mapping[str, Floats]
    settings: Settings
    numbers: Floats

    @property
    def n_draws(self) -> int:
        """How many draws."""
        return len(self.numbers)

    def _about(self) -> str:
        return f"Certainty: {self.n_draws:,} recalculations of {len(self.codes):,} areas (seed {self.seed})"

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame, one row an area; missing is null."""
        import polars as pl

        columns: dict[str, object] = {"code": self.codes, "share_of_draws": self.selected}
        for label, share in self.passes:
            columns[f"{label}.share_of_draws"] = share
        if self.next_release is not None:
            columns["next_release"] = self.next_release
        columns["certainty"] = self.overall
        for index, quantiles in self.ranks.items():
            for name, column in zip(("low", "median", "high"), quantiles.T, strict=True):
                columns[f"{index}.rank_{name}"] = column
        return pl.DataFrame(columns).fill_nan(None)

    def draws_frame(self) -> pl.DataFrame:
        """Give what each draw used."""
        return self.settings.to_frame(self.numbers).rename({"run": "draw"})


def certainty(
    designation: Designation,
    spec: CertaintySpec,
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    progress: Callable[[str, int, int], None] | None = None,
    client: Any = None,
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
    client
        A Dask client, for those who outgrow one machine: the same results to the bit.

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
    varied = _varied("certainty", designation, spec, scores, indicators, n)
    u = draw_numbers(varied.found, n, spec.seed, n)
    counters = {p: RankCounter(int(s.present.sum()), n) for p, s in varied.streams.items()}
    n_areas = len(designation.areas)
    total = np.zeros(n_areas, dtype=np.int64)
    by_condition = [np.zeros(n_areas, dtype=np.int64) for _ in designation.tested]
    for ranks, passes, selected in in_blocks(varied, u, _counted, progress, client):
        for path, counter in counters.items():
            counter.add(ranks[path])
        for count, held in zip(by_condition, passes, strict=True):
            count += held
        total += selected
    ranks_at = {}
    for path, counter in counters.items():
        found = np.full((n_areas, len(QUANTILES)), np.nan)
        found[varied.streams[path].present] = counter.quantiles(QUANTILES)
        ranks_at[path.replace("/", ".")] = found
    labels = designation.rule.labels()
    shares = tuple((label, count / n) for label, count in zip(labels, by_condition, strict=True))
    renewed, overall = with_next_release(designation, scores, shares)
    return Certainty(
        designation.areas.codes,
        spec.seed,
        total / n,
        shares,
        renewed,
        total / n if overall is None else overall,
        ranks_at,
        varied.settings,
        u,
    )


def with_next_release(
    designation: Designation,
    scores: Mapping[str, Scores],
    passes: tuple[tuple[str, Floats], ...],
    models: Mapping[str, VintageModel] | None = None,
) -> tuple[Floats | None, Floats | None]:
    """Give `Certainty.next_release` and `Certainty.overall`; None and None where no index has a model."""
    try:
        chances = next_release(designation, scores, models)
    except StudyError:  # a rule that no vintage model takes
        if models is not None:
            raise
        return None, None
    if not chances:
        return None, None
    renewed, overall = np.ones(len(designation.areas)), np.ones(len(designation.areas))
    for (label, share), tested in zip(passes, designation.tested, strict=True):
        renewed *= chances.get(label, tested.passes)
        overall *= chances.get(label, share)
    return renewed, overall


def _counted(varied: Varied, u: Floats) -> tuple[dict[str, Ints], list[Any], Any]:
    """Of some draws: ranks of the areas that have a score by what varies, and how often each area passes."""
    drawn, passes, selected = varied.run(u)
    ranks = {}
    for path, stream in varied.streams.items():
        here = stream.present
        ranks[path] = drawn[path].ranks if here.all() else drawn[path].ranks[:, here].copy("C")
    return ranks, [held.sum(axis=0) for held in passes], selected.sum(axis=0)


N_SETS = 1024
"""Sets of weights and of errors that runs choose from."""


class SensitivitySpec(StrictModel):
    """What varies, and how large a design looks into it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    # base sample, a power of 2: everything is worked out sample x (entries + 2) times, or sample x (2 entries + 2)
    # times with `pairs`
    sample: int = Field(default=1024, ge=2, le=2**20)
    seed: int = Field(default=1, ge=0)  # the seed that everything random follows from
    # bootstrap resamples for the intervals; 0 for none
    intervals: int = Field(default=200, ge=0, le=10_000)
    pairs: bool = False  # whether to say what each two do together
    # what varies: `commonweal.index.assumptions`. In a study, what `certainty` varies if not given.
    vary: tuple[Assumption, ...] = ()

    @field_validator("sample")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            near = 2 ** round(np.log2(value))
            raise ValueError(f"found {value}; expected a power of 2, such as {near}")
        return value


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What each assumption does, by itself and with the others."""

    codes: list[str]  # (n_areas,) area codes
    seed: int  # the seed of the design
    designation: str
    settings: Settings
    # under ``''``, the sensitivity of how many areas change sides; by index that varies (or domain that a condition is
    # on), of the mean shift of its ranks from the stated ones
    whole: Mapping[str, Sobol]
    # by the same, the sensitivity of each area's rank; NaN without a score
    ranks: Mapping[str, Sobol]
    # the sensitivity of whether each area is selected; NaN if it is always or never
    selected: Sobol

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the assumptions."""
        return self.selected.inputs

    @property
    def moves(self) -> Floats:
        """(n_inputs, n_areas) how often an assumption drawn anew, alone, moves an area over the line."""
        return self.selected.moved

    @property
    def mover(self) -> NDArray[np.intp]:
        """(n_areas,) the assumption that most often does, by number; -1 where none ever does."""
        moves = self.moves
        return np.where(moves.max(axis=0) > 0, moves.argmax(axis=0), -1)

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame of the whole: one row a result and assumption, then one a pair."""
        import polars as pl

        rows = []
        for path, found in self.whole.items():
            of = path.replace("/", ".") or self.designation
            measure = "mean rank shift" if path else "areas that change sides"
            for i, name in enumerate(found.inputs):
                own = (_ends(found.first_interval, i), _ends(found.total_interval, i))
                numbers = (found.first[i, 0], *own[0], found.total[i, 0], *own[1])
                rows.append((of, measure, name, None, *map(float, numbers), float("nan")))
            for i, j in np.argwhere(~np.isnan(_pairs(found))):
                both = (found.inputs[i], found.inputs[j])
                rows.append((of, measure, *both, *[float("nan")] * 6, float(_pairs(found)[i, j])))
        numbers_of = (
            "first",
            "first_low",
            "first_high",
            "total",
            "total_low",
            "total_high",
            "second",
        )
        schema: dict[str, Any] = dict.fromkeys(("of", "measure", "assumption", "with"), pl.String)
        schema |= dict.fromkeys(numbers_of, pl.Float64)
        return pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None)

    def areas_frame(self) -> pl.DataFrame:
        """Give a Polars frame with one row an area; missing is null."""
        import polars as pl

        mover = self.mover
        rows = np.arange(len(mover))
        columns: dict[str, object] = {
            "code": self.codes,
            "mover": pl.Series(
                [self.inputs[k] if k >= 0 else None for k in mover], dtype=pl.String
            ),
            "moves": np.where(mover >= 0, self.moves[mover, rows], 0.0),
        }
        for name, moves, total in zip(self.inputs, self.moves, self.selected.total, strict=True):
            columns[f"{name}.moves"] = moves
            columns[f"{name}.total"] = total
        for path, found in self.ranks.items():
            for name, total in zip(self.inputs, found.total, strict=True):
                columns[f"{path.replace('/', '.')}.rank.{name}.total"] = total
        return pl.DataFrame(columns).fill_nan(None)


def _varied(
    key: str,
    designation: Designation,
    spec: CertaintySpec | SensitivitySpec,
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    n_sets: int,
) -> Varied:
    """Prepare a designation for runs, under a key of the study, and refuse if nothing varies."""
    varied = vary(designation, spec.vary, scores, indicators, n_sets, spec.seed)
    if varied.still:
        raise StudyError(f"{key}.vary: nothing varies; expected {', '.join(KINDS)}")
    return varied


def _ends(interval: Floats | None, i: int) -> tuple[float, float]:
    return (np.nan, np.nan) if interval is None else (interval[i, 0, 0], interval[i, 0, 1])


def _pairs(found: Sobol) -> Floats:
    n = len(found.inputs)
    return np.full((n, n), np.nan) if found.second is None else found.second[:, :, 0]


def _shift(drawn: Drawn, present: NDArray[np.bool_], stated: NDArray[np.int32]) -> Floats:
    """(n_runs,) mean shift of the ranks that there are from the stated ones."""
    ranks = drawn.settings_ranks
    here = ranks if present.all() else ranks[:, present]
    return drawn.of_runs(np.abs(here - stated).mean(axis=1))


def sensitivity(
    designation: Designation,
    spec: SensitivitySpec,
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    progress: Callable[[str, int, int], None] | None = None,
) -> Sensitivity:
    """Vary everything by a Sobol design, and say what each assumption does.

    The same to the byte for the same seed on any number of threads; memory does not grow with the sample.
    """
    varied = _varied("sensitivity", designation, spec, scores, indicators, N_SETS)
    streams = varied.streams
    stated = {p: rank(s.scores.score)[s.present].astype(np.int32) for p, s in streams.items()}

    def results(u: Floats) -> list[Any]:
        drawn, _, selected = varied.run(u)
        moved = [_shift(drawn[p], streams[p].present, stated[p]) for p in streams]
        changed = (selected != designation.selected).sum(axis=1)
        return [*moved, changed.astype(np.float64), *(drawn[p].ranks for p in streams), selected]

    n = len(streams)
    found = sobol_each(
        results,
        [a.called for a in varied.assumptions],
        spec.sample,
        seed=spec.seed,
        n_bootstrap=[*[spec.intervals] * (n + 1), *[0] * (n + 1)],
        second_order=spec.pairs,
        progress=progress,
    )
    return Sensitivity(
        designation.areas.codes,
        spec.seed,
        designation.name,
        varied.settings,
        {"": found[n], **dict(zip(streams, found[:n], strict=True))},
        dict(zip(streams, found[n + 1 : -1], strict=True)),
        found[-1],
    )
