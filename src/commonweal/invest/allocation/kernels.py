"""Going down a list of areas under caps and minimums, compiled: one draw a row."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["CAPPED", "CHOSEN", "NO_MONEY", "OUT", "go_down"]

OUT, CHOSEN, NO_MONEY, CAPPED = 0, 1, 2, 3
"""What became of an area; a cap's number is added to the last, counted from 0."""


@njit(cache=True, parallel=True)
def go_down(order, n_ok, capped, most, owed, least, awards, state):  # type: ignore[no-untyped-def]
    """Fill (n_draws, n_areas) state.

    order (n_draws, n_areas) areas, the first first, of which the first n_ok[d] may be chosen;
    capped (n_caps, n_areas) which group of each cap an area is in, -1 for none, and most (n_groups,)
    its cap; owed (n_least, n_areas) and least (n_owed,) likewise for minimums. First the minimums are
    served, then whatever awards are left, each time down the list.
    """
    n_areas = order.shape[1]
    for d in prange(order.shape[0]):
        held = np.zeros(most.shape[0], np.int64)
        due = least.copy()
        taken = 0
        for turn in range(2):
            if turn == 0 and least.shape[0] == 0:
                continue
            for k in range(n_ok[d]):
                a = order[d, k]
                if state[d, a] == CHOSEN:
                    continue
                if turn == 0:
                    waits = False
                    for r in range(owed.shape[0]):
                        g = owed[r, a]
                        if g >= 0 and due[g] > 0:
                            waits = True
                    if not waits:
                        continue
                full = -1
                for c in range(capped.shape[0]):
                    g = capped[c, a]
                    if g >= 0 and held[g] >= most[g]:
                        full = c
                        break
                if full >= 0:
                    state[d, a] = CAPPED + full
                    continue
                if taken >= awards:
                    state[d, a] = NO_MONEY
                    continue
                state[d, a] = CHOSEN
                taken += 1
                for c in range(capped.shape[0]):
                    if capped[c, a] >= 0:
                        held[capped[c, a]] += 1
                for r in range(owed.shape[0]):
                    if owed[r, a] >= 0:
                        due[owed[r, a]] -= 1
        for k in range(n_areas):
            if k >= n_ok[d]:
                state[d, order[d, k]] = OUT
