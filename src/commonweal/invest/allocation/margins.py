"""How far areas are from the other side: of where awards run out, and of a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.invest.allocation.kernels import CHOSEN, NO_MONEY

if TYPE_CHECKING:
    from commonweal.invest.allocation.choosing import Limits

__all__ = ["cap_margins", "margins"]

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


def margins(need: Floats, eligible: Bools, state: NDArray[np.int16], limits: Limits) -> Floats:
    """(n_areas,) distance to the other side of where awards run out; NaN where nobody is there."""
    selected, beyond = state == CHOSEN, state == NO_MONEY
    margin = np.full(len(need), np.nan)
    kept_in = np.zeros(len(need), dtype=bool)
    for row in limits.owed:
        for group in np.unique(row[selected & (row >= 0)]):
            held = selected & (row == group)
            if int(held.sum()) == limits.least[group]:
                kept_in |= held
                rivals = beyond & (row == group)
                margin[held] = need[held] - need[rivals].max() if rivals.any() else np.nan
    free = selected & ~kept_in
    if selected.any():
        last = need[free].min() if free.any() else need[selected].min()
        others = eligible & ~selected
        margin[others] = need[others] - last
    if beyond.any():
        margin[free] = need[free] - need[beyond].max()
    return margin


def cap_margins(need: Floats, eligible: Bools, selected: Bools, limits: Limits) -> Floats:
    """(n_areas,) distance to the other side within the group of the cap that is tightest on an area."""
    margin = np.full(len(need), np.nan)
    for row in limits.capped:
        for group in np.unique(row[eligible & (row >= 0)]):
            here = eligible & (row == group)
            inside, outside = here & selected, here & ~selected
            if int(inside.sum()) < limits.most[group] or not outside.any():
                continue
            gaps = np.where(selected, need - need[outside].max(), need - need[inside].min())
            closer = here & (np.isnan(margin) | (np.abs(gaps) < np.abs(margin)))
            margin[closer] = gaps[closer]
    return margin
