"""Uncertainty: an ensemble built and checked, and what the choices inside an index do to its ranks."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index.aggregate import needs_equal_weights
from commonweal.index.assumptions import CutOff, Parameter, SamplingError, SmallCounts
from commonweal.index.distributions import Noise
from commonweal.index.methods import Count, Whole, name_of, strict
from commonweal.index.monte_carlo import Ensemble, entered
from commonweal.index.rank_transforms import BY_RANK, normal_score
from commonweal.index.runs import draw_numbers, draw_sets, label_of, lay_out
from commonweal.index.score import score_tree
from commonweal.index.tables import column, columns, directions_of, keys, table
from commonweal.index.targets import find_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.assumptions import Assumption
    from commonweal.index.framework import Node
    from commonweal.index.monte_carlo import Ints
    from commonweal.index.runs import Entry, Part, Way
    from commonweal.index.tables import Floats, Matrix
    from commonweal.index.targets import AssumptionTarget
    from commonweal.indicators import Counts


__all__ = [
    "RankCounter",
    "Spread",
    "UnitData",
    "build_ensemble",
    "ensemble_of",
    "random_runs",
    "spread_of_ranks",
]


_MOST_ROW_BYTES = 4_000_000_000


@dataclass(frozen=True, slots=True)
class UnitData:
    """What is known of the units of an index beside their need, each as in `build_ensemble`; and the seed of errors."""

    standard_errors: Mapping[str, Floats] = field(default_factory=dict)
    counts: Mapping[str, Counts] = field(default_factory=dict)
    points: Floats | None = None
    signs: Mapping[str, float] = field(default_factory=dict)
    codes: Sequence[str] | None = None
    seed: int = 1
    groups: Mapping[str, NDArray[np.intp]] = field(default_factory=dict)


# Wide: arrays by name, each of which may be left out; they become a UnitData here.
@strict
def build_ensemble(
    index: str,
    tree: Node,
    need: Mapping[str, ArrayLike] | Matrix,
    assumptions: Sequence[Assumption],
    *,
    standard_errors: Mapping[str, ArrayLike] | None = None,
    counts: Mapping[str, Counts] | None = None,
    points: Floats | None = None,
    signs: Mapping[str, float] | None = None,
    codes: Sequence[str] | None = None,
    n_sets: Count = 1024,
    seed: Whole = 1,
) -> Ensemble:
    """Prepare an index and its assumptions, checking all of it.

    Parameters
    ----------
    index, tree
        The index. Its own bounds and targets are those of need, as in
        `commonweal.index.score_tree`; those of assumptions are in the indicators' own units.
    need
        (n_units,) need of each indicator, higher = more, NaN = missing: by name, or as a frame with
        a column each.
    assumptions
        What varies; each must have something to act on.
    standard_errors
        By indicator, (n_units,), NaN where there is none, for `SamplingError`.
    counts
        By indicator, for `SmallCounts`.
    points
        (n_units, 2) metres, for errors that are correlated in space.
    signs
        By indicator, -1 where a higher value is less need; 1 where none is given.
    codes
        (n_units,) codes, for a distance to a reference unit; those of the frame, if not given.
    n_sets, seed
        How many sets of weights and of errors runs choose from, and the seed of both.

    Raises
    ------
    DataError
        If an assumption has nothing to act on, two have one name or act on the same, values cannot
        be combined as an assumption may say, what is given is not one number a unit, or no unit has
        a score.
    UnknownNameError
        If an indicator of the tree is not there, or an assumption or something given by name means
        a node or an indicator that is not.
    """
    need, codes = _needed(index, tree, need, codes)
    n_units = len(next(iter(need.values())))
    errors = _errors(standard_errors or {}, need, n_units)
    for name, of in (counts or {}).items():
        column(of.events, f"counts of '{name}'", n_units)
    for given, what in ((counts, "with counts"), (signs, "with a sign")):
        keys(given or {}, need, "indicator", f" ({what})")
    directions_of(signs or {}, list(need))
    found = find_targets(assumptions, {index: tree}, standard_errors or (), counts or ())
    weights = {p: np.array(list(n.weights.values())) for p, n in tree.walk(index) if n.children}
    for one in found:
        a = one.assumption
        if isinstance(a, CutOff) or (isinstance(a, Parameter) and a.part == "cut"):
            raise DataError(
                f"assumption '{a.called}': an index by itself has no cut-off; a designation has"
            )
    units = UnitData(errors, counts or {}, points, signs or {}, codes, seed)
    sets = draw_sets(found, weights, n_sets, seed)
    made = ensemble_of(index, tree, need, found, sets, units, n_sets)
    if not made.present.any():
        raise DataError(f"index {index}: no unit has a score; there is nothing to vary")
    return made


def _needed(
    index: str,
    tree: Node,
    given: Mapping[str, ArrayLike] | Matrix,
    codes: Sequence[str] | None,
) -> tuple[dict[str, Floats], Sequence[str] | None]:
    """Take in need by indicator: all that is given by name, of a frame what the tree reads."""
    nodes = [node for _, node in tree.walk(index)]
    read = [n for node in nodes for n in (node.indicator, *node.base) if n is not None]
    if isinstance(given, Mapping):
        keys(read, given)
        return columns(given, "need"), codes
    taken = table(given, list(dict.fromkeys(read)), codes)
    return dict(zip(taken.names, taken.values.T, strict=True)), taken.units


def _errors(
    given: Mapping[str, ArrayLike], names: Mapping[str, Floats], n_units: int
) -> dict[str, Floats]:
    keys(given, names, "indicator", " (with a standard error)")
    taken = columns(given, "standard errors", n_units)
    for name, errors in taken.items():
        if (errors < 0).any():
            at = int((errors < 0).argmax())
            raise DataError(
                f"standard errors of '{name}', row {at + 1}: {errors[at]:g} found; "
                "expected 0 or more"
            )
    return taken


def ensemble_of(
    index: str,
    tree: Node,
    need: Mapping[str, Floats],
    found: tuple[AssumptionTarget, ...],
    sets: Mapping[tuple[int, str], Floats],
    units: UnitData,
    n_sets: int = 1024,
) -> Ensemble:
    """Prepare one index of several that vary together, or one of its nodes with its path.

    Parameters
    ----------
    found
        Where the assumptions act (`commonweal.index.targets.find_targets`); some may act elsewhere.
    sets
        Their weights (`commonweal.index.runs.draw_sets`).
    units
        What else is known of the units.
    index, tree, need, n_sets
        As in `build_ensemble`.
    """
    codes = units.codes
    parts = lay_out(index, tree, found, units.signs)
    stated, transformed = score_tree(index, tree, need.__getitem__, codes=codes)
    for part in parts:
        _refuse_unequal(part)
    n_units = len(stated[index])
    n_rows = sum(len(e.ways.of) for part in parts for e in part.entries if not e.moves)
    if n_rows * n_units * 8 > _MOST_ROW_BYTES:
        raise DataError(
            f"index {index}: {n_rows:,} ways of {n_units:,} units would take "
            f"{n_rows * n_units * 8 / 1e9:.1f} GB; expected fewer alternatives, or fewer 'steps'"
        )
    rows = np.empty((n_rows, n_units))
    bases = {
        e.path: np.stack([need[name] for name in e.base])
        for p in parts
        for e in p.entries
        if e.base
    }
    for part in parts:
        for entry in part.entries:
            if entry.moves and part.least_power >= 1:
                continue  # worked out in each run, and any value will do
            base = bases.get(entry.path)
            for k, way in enumerate(entry.ways.of):
                row = transformed[entry.path]
                if k > 0:
                    row = entered(stated[entry.path], way, entry, part.ties, base, codes)
                if not entry.moves:
                    rows[entry.first + k] = row
                if k in entry.ways.table and not entry.joined:
                    _refuse_low(part, entry, way, row)
    logs = None
    for part in parts:
        if part.least_power <= 0 and logs is None:
            with np.errstate(invalid="ignore", divide="ignore"):
                logs = np.log(rows)
    noise = dict(_noises(index, tree, parts, found, units, need))
    return Ensemble(index, found, parts, stated, rows, logs, bases, codes, noise, sets, n_sets)


def _noises(
    index: str,
    tree: Node,
    parts: Sequence[Part],
    found: tuple[AssumptionTarget, ...],
    units: UnitData,
    need: Mapping[str, Floats],
) -> Iterator[tuple[str, tuple[int, Noise]]]:
    """Give the errors of each leaf that has any, and the assumption that they are drawn by."""
    names = {path: node.indicator or "" for path, node in tree.walk(index)}
    by_value = {
        e.path for p in parts for e in p.entries if any(_takes_values(w) for w in e.ways.of)
    }
    for k, one in enumerate(found):
        a = one.assumption
        if isinstance(a, SamplingError | SmallCounts):
            if isinstance(a, SamplingError) and a.range_m and units.points is None:
                raise DataError(f"assumption '{a.called}': a range needs the units' points")
            acts = [path for path in one.paths if path in names]
            shared = a.shared_by if isinstance(a, SamplingError) else ""
            if acts and shared not in ("", *units.groups):
                raise DataError(f"assumption '{a.called}': shared_by needs the units' larger areas")
            for path in acts:
                own, by_rank = need[names[path]], path not in by_value
                yield path, (k, _noise(a, names[path], units, own, by_rank=by_rank))


def _takes_values(way: Way) -> bool:
    """Whether more than the ranks of a child counts in a way of entering its parent."""
    return way.treatment != "none" or name_of(way.transform) not in BY_RANK


def _noise(
    a: SamplingError | SmallCounts, name: str, units: UnitData, need: Floats, *, by_rank: bool
) -> Noise:
    sign, seed = units.signs.get(name, 1.0), units.seed
    if isinstance(a, SmallCounts):
        return Noise(name, seed, counts=units.counts[name], sign=sign)
    base = None
    if a.noise:
        own = np.asarray(normal_score(need)) if by_rank else need
        base = own - a.noise * (own - np.nanmean(own))
        errors = np.full(len(own), np.nanstd(own) * np.sqrt(a.noise * (1 - a.noise)))
    else:
        errors = np.nan_to_num(units.standard_errors[name])
    points, groups = units.points if a.range_m else None, units.groups.get(a.shared_by)
    return Noise(name, seed, errors, a.range_m, points, sign=sign, base=base, groups=groups)


def _refuse_unequal(part: Part) -> None:
    """Refuse a form that takes no weights where they are not alike."""
    for how in part.forms.of:
        why = needs_equal_weights(how)
        if why and (part.weighed_by >= 0 or np.ptp(part.weights) > 0):
            raise DataError(
                f"{part.path.replace('/', '.')}: {why}; expected children of one weight that does not vary"
            )


def _refuse_low(part: Part, entry: Entry, way: Way, row: Floats) -> None:
    """Refuse values that the means of a part may not take, before the first run."""
    power = part.least_power
    least = np.fmin.reduce(row, initial=np.inf)
    if power < 1 and (least < 0 or (least == 0 and power <= 0)):
        mean = {0.0: "geometric", -1.0: "harmonic"}.get(power, f"power {power:g}")
        raise DataError(
            f"{part.path.replace('/', '.')}: a {mean} mean needs values above 0; "
            f"{entry.path.replace('/', '.')} as {label_of(way.transform)} has {least:g}"
        )


BLOCK = 128
"""Runs computed at once: 128 runs of 33,755 areas are 35 MB of scores."""

QUANTILES = (0.05, 0.5, 0.95)

_ONE_AT_A_TIME = Lock()
"""The kernels use all cores; run from several threads of one worker they would fight over them, and
some of numba's threading layers do not survive it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What uncertainty does to ranks; NaN for units without a score.

    Attributes
    ----------
    n_runs
        Number of runs.
    mean
        (n_units,) mean rank.
    quantiles
        (n_units, 3) rank at 5%, 50% and 95% of the runs (`RankCounter` says how exactly).
    worst
        (n_units,) share of runs in which the unit is among the worst.
    tenths
        (n_units, 10) share of runs in which its rank lies in each tenth of the units, the worst
        first: its rank acceptability.
    """

    n_runs: int
    mean: Floats
    quantiles: Floats
    worst: Floats
    tenths: Floats


@strict
def spread_of_ranks(
    ensemble: Ensemble,
    n_runs: Count = 10_000,
    *,
    worst: Count,
    seed: Whole = 1,
    client: Any = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Spread:
    """Run an ensemble at random and sum up the ranks as they come.

    Parameters
    ----------
    ensemble
        What to run.
    n_runs
        How often.
    worst
        How many units count as the worst.
    seed
        Seed of the runs.
    client
        A Dask client, for those who outgrow one machine: the same results to the bit.
    progress
        Called as ``progress("drawing", done, n_runs)``.

    Returns
    -------
    Spread
        Memory does not grow with the number of runs.

    Raises
    ------
    DataError
        If `worst` is more than there are units with a score.
    """
    present = ensemble.present
    n = int(present.sum())
    refuse_too_many(worst, n)
    counter = RankCounter(n, n_runs)
    total, inside = np.zeros(n, np.int64), np.zeros(n, np.int64)
    done = 0
    with closing(_rank_blocks(ensemble, n_runs, seed, client)) as blocks:
        for block in blocks:
            ranks = block if present.all() else np.ascontiguousarray(block[:, present])
            counter.add(ranks)
            total += ranks.sum(axis=0, dtype=np.int64)
            inside += (ranks <= worst).sum(axis=0)
            done += len(ranks)
            if progress:
                progress("drawing", done, n_runs)
    ends = np.arange(1, 11) * n // 10
    tenths = np.diff(counter.shares(ends), axis=1, prepend=0.0)
    parts = (total / n_runs, counter.quantiles(QUANTILES), inside / n_runs, tenths)
    return Spread(n_runs, *(_everywhere(part, present) for part in parts))


def refuse_too_many(worst: int, n: int) -> None:
    """Refuse a line below the last of `n` units that have a score."""
    if worst > n:
        raise DataError(f"worst: {worst} found; expected a whole number from 1 to {n:,}, the units")


def _everywhere(found: Floats, present: NDArray[np.bool_]) -> Floats:
    """Give what was found of the units that have a score to all, NaN to the others."""
    out = np.full((len(present), *found.shape[1:]), np.nan)
    out[present] = found
    return out


@strict
def random_runs(ensemble: Ensemble, n_runs: Count, seed: Whole) -> Floats:
    """(n_runs, n_assumptions) the numbers of `spread_of_ranks`, to read its settings back."""
    return draw_numbers(ensemble.found, n_runs, seed, ensemble.n_sets)


def _rank_blocks(ensemble: Ensemble, n_runs: int, seed: int, client: Any) -> Generator[Ints]:
    u = random_runs(ensemble, n_runs, seed)
    return in_order(client, _ranks, ensemble, [u[i : i + BLOCK] for i in range(0, n_runs, BLOCK)])


def in_order(
    client: Any, work: Callable[[Any, Any], Any], shared: Any, parts: Iterable[Any]
) -> Generator[Any]:
    """Give ``work(shared, part)`` of each part in order: worked out here, or by the workers of a Dask client.

    With a client `work` must be a function of a module, and no more waits for the reader than two parts a worker.
    """
    if client is None:
        yield from (work(shared, part) for part in parts)
        return
    kept = client.scatter(shared, broadcast=True)
    ahead = 2 * max(len(client.nthreads()), 1)  # one part a worker at work, one in waiting
    waiting: deque[Any] = deque()
    try:
        for part in parts:
            waiting.append(client.submit(_alone, kept, work, part, pure=False))
            if len(waiting) == ahead:
                yield waiting[0].result()
                waiting.popleft().release()
        while waiting:
            yield waiting[0].result()
            waiting.popleft().release()
    finally:  # after an error or an interrupt too: the cluster drops what nobody waits for
        for future in (*waiting, kept):
            future.release()


def _alone(shared: Any, work: Callable[[Any, Any], Any], part: Any) -> Any:
    """Work on one part, while no other thread of this process does: not every threading layer of numba bears two."""
    with _ONE_AT_A_TIME:
        return work(shared, part)


def _ranks(ensemble: Ensemble, u: Floats) -> Ints:
    return ensemble.ranks(u)


class RankCounter:
    """Counts the ranks that each area takes, so that quantiles need no copy of every draw.

    Parameters
    ----------
    n_areas
        Number of areas that are ranked.
    n_draws
        Number of draws to come; decides how wide the counts are.
    """

    def __init__(self, n_areas: int, n_draws: int) -> None:
        from commonweal.index.kernels import rank_bins

        self._bins = rank_bins(n_areas)
        width = np.uint16 if n_draws < 2**16 else np.uint32
        self._counts = np.zeros((n_areas, int(self._bins[-1]) + 1), width)

    def add(self, ranks: NDArray[np.int32]) -> None:
        """Count (n_draws, n_areas) ranks."""
        from commonweal.index.kernels import count_ranks

        count_ranks(ranks, self._bins, self._counts)

    def quantiles(self, at: Sequence[float]) -> Floats:
        """Give rank quantiles.

        Parameters
        ----------
        at
            Probabilities between 0 and 1.

        Returns
        -------
        ndarray
            (n_areas, len(at)) ranks: the smallest rank that at least that share of the draws does
            not exceed. Exact below rank 512; above it within 0.4%, and outwards, so that a range holds
            what it says: below one half of the draws never too high, above it never too low. The median
            is within 0.2%.
        """
        from commonweal.index.kernels import bin_ends, bins_reached

        n_draws = self._counts[:1].sum()
        wanted = np.maximum(np.ceil(np.asarray(at) * n_draws - 1e-9), 1).astype(np.int64)
        reached = np.empty((len(self._counts), len(wanted)), np.int64)
        bins_reached(self._counts, wanted, reached)
        first, last = bin_ends(reached)
        last = np.minimum(last, len(self._counts))  # the last bin may reach beyond the last place
        side = np.sign(np.asarray(at) - 0.5)
        return np.where(side < 0, first, np.where(side > 0, last, (first + last) / 2))

    def shares(self, up_to: Sequence[int] | NDArray[np.integer[Any]]) -> Floats:
        """Give the share of draws in which each area takes a rank of at most so much.

        Parameters
        ----------
        up_to
            Ranks.

        Returns
        -------
        ndarray
            (n_areas, len(up_to)) between 0 and 1. Exact below rank 512; above it, up to the end of
            the bin that the rank is in, at most 0.4% beyond it.
        """
        n_draws = self._counts[0].sum()
        bins = self._bins[np.clip(up_to, 0, len(self._counts))]
        last = np.r_[0, bins.astype(np.intp) + 1]
        # Ranks rise with their bins: each share is the one before it and what lies between.
        parts = [
            self._counts[:, a:b].sum(axis=1, dtype=np.int64) for a, b in itertools.pairwise(last)
        ]
        return np.cumsum(parts, axis=0).T / n_draws
