"""The inner loops of certainty, compiled: carry scores to other areas, and find cut-offs."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["carry_rows", "cut_rows"]


@njit(cache=True, parallel=True)
def carry_rows(scores, starts, origins, shares, out):  # type: ignore[no-untyped-def]
    """Fill (n_draws, n_destination) out with means of (n_draws, n_origin) scores.

    The move is in compressed rows: origins[starts[i] : starts[i + 1]] and their shares belong to
    destination i. A missing score is left out of its mean; a destination without any is NaN.
    """
    for d in prange(scores.shape[0]):
        for i in range(out.shape[1]):
            total, present, n = 0.0, 0.0, 0
            for e in range(starts[i], starts[i + 1]):
                value = scores[d, origins[e]]
                if not np.isnan(value):
                    total += shares[e] * value
                    present += shares[e]
                    n += 1
            if n == 0:
                out[d, i] = np.nan
            else:
                whole = n == starts[i + 1] - starts[i]
                out[d, i] = total if whole else total / present


@njit(cache=True, parallel=True)
def cut_rows(pool, counts, cuts):  # type: ignore[no-untyped-def]
    """Fill (n_draws,) cuts with the score of the last of the worst `counts` of each row of a pool.

    The pool has nothing missing. A count of 0 lets nobody in: its cut is infinite.
    """
    for d in prange(pool.shape[0]):
        k = min(counts[d], pool.shape[1])
        if k <= 0:
            cuts[d] = np.inf
        else:
            at = pool.shape[1] - k
            cuts[d] = np.partition(pool[d].copy(), at)[at]
