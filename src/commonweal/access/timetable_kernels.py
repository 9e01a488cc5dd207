"""The inner loop of departures within reach, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["count_runs"]


@njit(cache=True)
def count_runs(  # type: ignore[no-untyped-def]
    starts, place, first, run, in_band, n_runs, once, counts
):
    """Add up departures within reach of each origin, by band.

    Pairs starts[o] to starts[o + 1] are the places within reach of origin o, the nearest first;
    departures first[p] to first[p + 1] are those of place p, the earliest first. Departure d is
    of run[d], below n_runs, and in band b if in_band[d, b]. Where once, a run counts at the first of
    the places that it leaves from. Adds to counts, (n_origins, n_bands).
    """
    seen = np.full(n_runs, -1, np.int64)
    for o in range(len(starts) - 1):
        for pair in range(starts[o], starts[o + 1]):
            p = place[pair]
            for d in range(first[p], first[p + 1]):
                if once:
                    if seen[run[d]] == o:
                        continue
                    seen[run[d]] = o
                for b in range(in_band.shape[1]):
                    counts[o, b] += in_band[d, b]
