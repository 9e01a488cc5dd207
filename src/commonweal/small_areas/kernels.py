"""The inner loop of poststratification, compiled: the share in each area under each draw."""

from __future__ import annotations

import numpy as np
from numba import prange

from commonweal.files.extras import njit


@njit(cache=True, nogil=True, parallel=True)
def area_shares(starts, x, beta, codes, effects, count, out):  # type: ignore[no-untyped-def]
    """Fill `out` (areas, draws); cells of area a are starts[a] to starts[a + 1], codes point into effects."""
    draws = beta.shape[1]
    for a in prange(len(starts) - 1):
        total = 0.0
        share = np.zeros(draws)
        eta = np.empty(draws)
        for cell in range(starts[a], starts[a + 1]):
            if count[cell] == 0:
                continue
            eta[:] = 0.0
            for j in range(beta.shape[0]):
                for k in range(draws):
                    eta[k] += x[cell, j] * beta[j, k]
            for f in range(codes.shape[1]):
                for k in range(draws):
                    eta[k] += effects[codes[cell, f], k]
            for k in range(draws):
                share[k] += count[cell] / (1 + np.exp(-eta[k]))
            total += count[cell]
        out[a] = share / total
