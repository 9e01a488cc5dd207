"""Draws: what the choices inside an index do to its ranks.

An ensemble is run at random, one block of runs after another, and only counts are kept: memory does
not grow with the number of runs.
"""

from __future__ import annotations

import itertools
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import Count, Whole, strict
from commonweal.index.runs import draw_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray

    from commonweal.index.model import Ensemble, Ints
    from commonweal.index.types import Floats

__all__ = ["BLOCK", "RankCounter", "Spread", "random_runs", "spread_of_ranks"]

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
        (n_units, 3) rank at 5 %, 50 % and 95 % of the runs (`RankCounter` says how exactly).
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
    blocks = [u[i : i + BLOCK] for i in range(0, n_runs, BLOCK)]
    if client is None:
        yield from (ensemble.ranks(block) for block in blocks)
        return
    shared = client.scatter(ensemble, broadcast=True)
    ahead = 2 * max(len(client.nthreads()), 1)  # one block a worker at work, one in waiting
    waiting: deque[Any] = deque()
    try:
        for block in blocks:
            waiting.append(client.submit(_ranks, shared, block, pure=False))
            if len(waiting) == ahead:
                yield waiting[0].result()
                waiting.popleft().release()
        while waiting:
            yield waiting[0].result()
            waiting.popleft().release()
    finally:  # after an error or an interrupt too: the cluster drops what nobody waits for
        for future in (*waiting, shared):
            future.release()


def _ranks(ensemble: Ensemble, u: Floats) -> Ints:
    with _ONE_AT_A_TIME:
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
            not exceed. Exact below rank 512; above it within 0.2 % of the rank.
        """
        from commonweal.index.kernels import bin_middle, bins_reached

        n_draws = self._counts[:1].sum()
        wanted = np.maximum(np.ceil(np.asarray(at) * n_draws - 1e-9), 1).astype(np.int64)
        reached = np.empty((len(self._counts), len(wanted)), np.int64)
        bins_reached(self._counts, wanted, reached)
        # The last bin may reach beyond the last place.
        return np.minimum(bin_middle(reached), len(self._counts))

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
            the bin that the rank is in, at most 0.4 % beyond it.
        """
        n_draws = self._counts[0].sum()
        bins = self._bins[np.clip(up_to, 0, len(self._counts))]
        last = np.r_[0, bins.astype(np.intp) + 1]
        # Ranks rise with their bins: each share is the one before it and what lies between.
        parts = [
            self._counts[:, a:b].sum(axis=1, dtype=np.int64) for a, b in itertools.pairwise(last)
        ]
        return np.cumsum(parts, axis=0).T / n_draws
