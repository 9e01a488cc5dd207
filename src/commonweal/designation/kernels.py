"""The inner loop of certainty, compiled: carry the scores of draws to other areas."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["carry_rows"]


@njit(cache=True, parallel=True)
def carry_rows(scores, starts, origins, shares, out):  # type: ignore[no-untyped-def]
    """Fill (n_draws, n_destination) out with means of (n_draws, n_origin) scores.

    The move is in compressed rows: origins[starts[i] : starts[i + 1]] and their shares belong to
    destination i. A missing score is left out of its mean; a destination without any is NaN.
    """
    for d in prange(scores.shape[0]):
        for i in range(out.shape[1]):
            if starts[i + 1] - starts[i] == 1:
                out[d, i] = scores[d, origins[starts[i]]]
                continue
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
