"""How sure is it: how often each area qualifies when the choices behind it vary."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from commonweal.designation.designation import Designation, Tested, evaluate, group_numbers
from commonweal.errors import StudyError
from commonweal.index.uncertainty import (
    BLOCK,
    RankCounter,
    Settings,
    VaryErrors,
    VaryForm,
    VaryWeights,
    draw_scores,
    draw_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import polars as pl

    from commonweal.designation.rule import Condition
    from commonweal.index import Scores
    from commonweal.indicators import Indicators

__all__ = ["Certainty", "CertaintySpec", "Vary", "VaryCut", "certainty"]

Floats: TypeAlias = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95)


class VaryCut(BaseModel):
    """Draw the cut-offs: every 'worst' share or number times one uniform number.

    Attributes
    ----------
    cut
        The range as factors: ``[0.9, 1.1]`` moves a cut-off of 10 % between 9 % and 11 %.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    cut: tuple[float, float]

    @model_validator(mode="after")
    def _ordered(self) -> VaryCut:
        low, high = self.cut
        if not 0 < low <= high < 10:
            raise ValueError(
                f"found {list(self.cut)}; expected two factors, low then high, such as [0.9, 1.1]"
            )
        return self


Vary: TypeAlias = VaryWeights | VaryForm | VaryErrors | VaryCut


class CertaintySpec(BaseModel):
    """What varies, how often and from which seed.

    Attributes
    ----------
    draws
        Number of draws; 0 leaves certainty out.
    seed
        The seed that everything random follows from.
    vary
        What varies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    draws: int = Field(default=2000, ge=0, le=10_000_000)
    seed: int = Field(default=1, ge=0)
    vary: tuple[Vary, ...] = ()


@dataclass(frozen=True, slots=True)
class Certainty:
    """What the draws did.

    Attributes
    ----------
    codes
        (n_areas,) area codes.
    n_draws, seed
        How many draws, from which seed.
    selected
        (n_areas,) share of draws in which the area qualifies.
    passes
        By condition, (n_areas,) share of draws in which it holds.
    ranks
        By index that varies, or domain that a condition is on: (n_areas, 3) rank at 5 %, 50 % and
        95 % of the draws; NaN where the area has no score.
    settings
        What each draw used.
    cut_factor
        (n_draws,) what each cut-off was multiplied by.
    """

    codes: list[str]
    n_draws: int
    seed: int
    selected: Floats
    passes: tuple[tuple[str, Floats], ...]
    ranks: Mapping[str, Floats]
    settings: Settings
    cut_factor: Floats

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
        """Give the settings of every draw: its weights, forms and cut-off factor."""
        import polars as pl

        columns: dict[str, object] = {"draw": np.arange(1, self.n_draws + 1)}
        for path, weights in self.settings.weights.items():
            for k, column in enumerate(weights.T):
                columns[f"{path.replace('/', '.')}.weight_{k + 1}"] = column
        for path, forms in self.settings.forms.items():
            columns[f"{path.replace('/', '.')}.form"] = forms.tolist()
        if (self.cut_factor != 1).any():
            columns["cut_factor"] = self.cut_factor
        return pl.DataFrame(columns)


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
        with the number of draws.

    Raises
    ------
    StudyError
        If no draws are asked for or nothing varies.
    UnknownNameError
        If what should vary is a node that is not there.
    """
    n = spec.draws
    if n == 0:
        raise StudyError("certainty.draws: found 0; expected at least 1")
    trees = {name: s.tree for name, s in scores.items()}
    with_errors = sorted({e for i in indicators.values() for e in _with_errors(i)})
    inner = [v for v in spec.vary if not isinstance(v, VaryCut)]
    settings = draw_settings(inner, trees, with_errors, n, spec.seed)
    cuts = [v for v in spec.vary if isinstance(v, VaryCut)]
    if len(cuts) > 1:
        raise StudyError("certainty.vary: 'cut' is there more than once; expected it once")
    factor = np.ones(n)
    if cuts:
        factor = np.random.default_rng([spec.seed, 0xC07]).uniform(*cuts[0].cut, n)
    # A condition can be on a domain, whose ranks vary with what is drawn in or below it.
    paths = dict.fromkeys([*scores, *(c.path for c in designation.rule.conditions())])
    parts = {path: scores[path.split("/", 1)[0]].part(path) for path in paths}
    varied = {path: s for path, s in parts.items() if _varies(s, settings)}
    if not varied and not cuts:
        raise StudyError(
            "certainty.vary: nothing varies; expected weights, form, standard_errors or cut"
        )

    streams = {
        path: _Stream(s, indicators[path.split("/", 1)[0]], settings) for path, s in varied.items()
    }
    n_areas = len(designation.areas)
    total = np.zeros(n_areas, dtype=np.int64)
    by_condition = [np.zeros(n_areas, dtype=np.int64) for _ in designation.tested]
    for start in range(0, n, BLOCK):
        block = slice(start, min(start + BLOCK, n))
        for stream in streams.values():
            stream.advance()
        passes = [
            _passes(t, designation, streams.get(t.condition.path), factor[block])
            for t in designation.tested
        ]
        for count, outcome in zip(by_condition, passes, strict=True):
            count += outcome.sum(axis=0)
        # A cap is decided by the score as stated: which of the qualifying come first is not drawn.
        total += evaluate(designation.rule, iter(passes), scores, designation.areas).sum(axis=0)
        if progress:
            progress("drawing", block.stop, n)
    labels = designation.rule.labels()
    return Certainty(
        designation.areas.codes,
        n,
        spec.seed,
        total / n,
        tuple((label, count / n) for label, count in zip(labels, by_condition, strict=True)),
        {path.replace("/", "."): stream.quantiles() for path, stream in streams.items()},
        settings,
        factor,
    )


def _with_errors(indicators: Indicators) -> Iterator[str]:
    if indicators.standard_errors is not None:
        for m, errors in zip(indicators.meta, indicators.standard_errors.T, strict=True):
            if not np.isnan(errors).all():
                yield m.name


def _varies(scores: Scores, settings: Settings) -> bool:
    leaves = {n.indicator for _, n in scores.tree.walk(scores.index)}
    return bool(settings.touches(scores.index) or leaves & set(settings.noisy))


class _Stream:
    """One index through the draws: the present block's scores and ranks on the study's areas."""

    def __init__(self, scores: Scores, indicators: Indicators, settings: Settings) -> None:
        self.scores = scores
        self._blocks = draw_scores(scores.built or scores, indicators, settings)
        self._present = ~np.isnan(scores.score)
        self._counter = RankCounter(int(self._present.sum()), settings.n_draws)
        self._shares = None if scores.move is None else scores.move.shares()[0]
        self.built: Floats = np.empty((0, 0))
        self.need: Floats = np.empty((0, 0))
        self.ranks: NDArray[np.int32] = np.empty((0, 0), np.int32)

    def advance(self) -> None:
        """Compute the next block."""
        from commonweal.designation.kernels import carry_rows
        from commonweal.index.kernels import rank_rows

        _, self.built = next(self._blocks)
        need = self.built
        if self._shares is not None:
            need = np.empty((len(self.built), len(self._present)))
            s = self._shares
            carry_rows(self.built, s.indptr, s.indices, s.data, need)
        self.need = need
        present = _columns(need, self._present)
        ranks = np.empty(present.shape, np.int32)
        rank_rows(present, ranks)
        self._counter.add(ranks)
        self.ranks = ranks
        if present is not need:
            self.ranks = np.full(need.shape, np.iinfo(np.int32).max, np.int32)
            self.ranks[:, self._present] = ranks

    def quantiles(self) -> Floats:
        """(n_areas, 3) rank quantiles over all draws."""
        out = np.full((len(self._present), len(QUANTILES)), np.nan)
        out[self._present] = self._counter.quantiles(QUANTILES)
        return out


def _last_of(block: Floats, k: int) -> Floats:
    """Give the k-th highest value of each row."""
    at = block.shape[1] - k
    return np.partition(block, at, axis=1)[:, at]


def _columns(block: Floats, which: NDArray[np.bool_]) -> Floats:
    """Take columns of a block of draws; the block itself where that is all of them."""
    return block if which.all() else np.ascontiguousarray(block[:, which])


def _passes(
    stated: Tested, designation: Designation, stream: _Stream | None, factor: Floats
) -> NDArray[np.bool_]:
    """(n_draws_in_block, n_areas) whether one condition holds; no stream where it does not vary."""
    condition = stated.condition
    if stream is None:
        if condition.worst is None or (factor == 1).all():
            return np.tile(stated.passes, (len(factor), 1))
        limit = np.floor(stated.width * factor[:, None] + 1e-9)
        return np.nan_to_num(stated.rank, nan=np.inf) <= np.nan_to_num(limit, nan=-1)
    if condition.score_above is not None:
        return np.nan_to_num(stream.need, nan=-np.inf) > condition.score_above
    assert condition.worst is not None
    if condition.among or condition.within:
        return _by_pool(condition, stream, designation, factor)
    n_present = int((~np.isnan(stream.scores.score)).sum())
    limit = np.floor(condition.worst.width(n_present) * factor + 1e-9)
    held: NDArray[np.bool_] = stream.ranks <= limit[:, None].astype(np.int32)
    return held


def _by_pool(
    condition: Condition, stream: _Stream, designation: Designation, factor: Floats
) -> NDArray[np.bool_]:
    """Whether needs are among the worst of a pool of their own: the areas built on, or a group."""
    assert condition.worst is not None
    held = np.zeros(stream.need.shape, dtype=bool)
    if condition.among:
        pools: list[tuple[Any, Floats]] = [(slice(None), stream.built)]
    else:
        assert condition.within is not None
        groups = group_numbers(designation.areas, condition.within)
        members = [np.flatnonzero(groups == g) for g in np.unique(groups[groups >= 0])]
        pools = [(at, stream.need[:, at]) for at in members]
    for at, pool in pools:
        present = _columns(pool, ~np.isnan(pool[0]))  # the same ones in every draw
        n = present.shape[1]
        limit = np.floor(condition.worst.width(n) * factor + 1e-9).astype(np.intp)
        cut = np.full(len(factor), np.inf)  # a cut-off of no places lets nobody in
        for k in np.unique(np.minimum(limit, n)):
            if k > 0:
                draws = np.flatnonzero(np.minimum(limit, n) == k)
                halves = [present[half] for half in np.array_split(draws, 2)]
                with ThreadPoolExecutor(2) as two:  # numpy lets go of its lock
                    cut[draws] = np.concatenate(list(two.map(_last_of, halves, (k, k))))
        held[:, at] = stream.need[:, at] >= cut[:, None]  # a missing need is not
    return held
