"""The inner loop of poststratification, compiled: the share in each area under each draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.files.extras import in_parts, njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.integer]


def area_shares(
    starts: Whole,
    x: Floats,
    beta: Floats,
    codes: Whole,
    effects: Floats,
    count: Floats,
    out: Floats,
) -> None:
    """Fill `out` (areas, draws); cells of area a are starts[a] to starts[a + 1], codes point into effects."""
    known = (starts, x, beta, codes, effects, count, out)
    in_parts(len(out), lambda first, last: _area_shares(first, last, *known))


@njit(cache=True, nogil=True)
def _area_shares(first, last, starts, x, beta, codes, effects, count, out):  # type: ignore[no-untyped-def]
    """Fill some of the areas."""
    draws = beta.shape[1]
    for a in range(first, last):
        total = 0.0
        share = np.zeros(draws)
        eta = np.empty(draws)
        for cell in range(starts[a], starts[a + 1]):
            if count[cell] == 0:
                continue
            for k in range(draws):
                eta[k] = 0.0
            for j in range(beta.shape[0]):
                for k in range(draws):
                    eta[k] += x[cell, j] * beta[j, k]
            for f in range(codes.shape[1]):
                for k in range(draws):
                    eta[k] += effects[codes[cell, f], k]
            for k in range(draws):
                share[k] += count[cell] / (1 + np.exp(-eta[k]))
            total += count[cell]
        for k in range(draws):
            out[a, k] = share[k] / total
