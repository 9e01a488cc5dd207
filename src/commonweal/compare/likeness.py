"""How alike two orders of the same areas are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.index import decile, rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["spearman", "worst_tenth"]


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Correlate the ranks of two lists of values.

    Parameters
    ----------
    x, y
        (n_areas,) values of the same areas, NaN = missing.

    Returns
    -------
    float
        From -1 (the reverse order) to 1 (the same), over the areas that have both, tied ones at
        their middle rank; NaN where either is the same in all of them, or there are fewer than two.

    Examples
    --------
    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    1.0
    """
    both = ~np.isnan(x) & ~np.isnan(y)
    a, b = (rank(v[both], "average") for v in (x, y))
    if len(a) < 2 or (a == a[0]).all() or (b == b[0]).all():
        return float("nan")
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))


def worst_tenth(need: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n_areas,) whether an area is in the tenth with most need of those that have a value.

    Examples
    --------
    >>> worst_tenth(np.arange(20.0)).nonzero()[0]
    array([18, 19])
    """
    tenth: NDArray[np.bool_] = decile(rank(need)) == 1
    return tenth
