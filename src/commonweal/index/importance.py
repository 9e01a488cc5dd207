"""How much each child matters in the result, and weights that make it matter as much as it should.

A weight is not what a child counts for: children that agree with many others count for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.index.means import arithmetic
from commonweal.index.rank import Floats, rank
from commonweal.index.weigh import equal, given

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

__all__ = ["Fitted", "importance", "to_importance"]


def importance(
    x: ArrayLike, score: ArrayLike, correlation: Literal["pearson", "spearman"] = "pearson"
) -> Floats:
    """Correlate each child with the score: how much it matters in the result.

    Parameters
    ----------
    x
        (n_units, n_children) values, NaN = missing.
    score
        (n_units,) the score that they make.
    correlation
        ``pearson``, or ``spearman`` of ranks. Only units with child and score count.

    Examples
    --------
    >>> importance([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], [1.0, 2.0, 3.0])
    array([ 1., -1.])
    """
    values, s = np.asarray(x, dtype=np.float64), np.asarray(score, dtype=np.float64)
    found = np.empty(values.shape[1])
    for k, column in enumerate(values.T):
        here = ~(np.isnan(column) | np.isnan(s))
        a, b = column[here], s[here]
        if correlation == "spearman":
            a, b = rank(a, "average"), rank(b, "average")
        if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
            raise DataError(f"child {k} or the score does not vary: no correlation")
        found[k] = np.corrcoef(a, b)[0, 1]
    return found


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights fitted to a target.

    Attributes
    ----------
    weights
        (n_children,) at least 0, adding up to 1.
    importance
        (n_children,) correlations of the children with the score under these weights.
    misfit
        Sum of squared differences between the shares of importance reached and wanted.
    """

    weights: Floats
    importance: Floats
    misfit: float


def to_importance(
    x: ArrayLike,
    target: ArrayLike | None = None,
    build: Callable[[Floats], Floats] | None = None,
    correlation: Literal["pearson", "spearman"] = "pearson",
) -> Fitted:
    """Find weights under which each child matters as much as it should.

    Parameters
    ----------
    x
        (n_units, n_children) values.
    target
        (n_children,) importance wanted, up to scale; equal if not given.
    build
        Makes the (n_units,) score from (n_children,) weights; their arithmetic mean if not given.
        It may stand for a whole tree above the children.
    correlation
        As in `importance`.

    Notes
    -----
    The objective is COINr's ``balance``: squared differences of shares of importance. Source:
    Becker, Saisana, Paruolo and Vandecasteele (2017), Ecological Indicators 80, 12-22.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b, c = rng.normal(size=(3, 200))
    >>> fitted = to_importance(np.column_stack([a, a + b, c]))
    >>> bool(np.ptp(fitted.importance) < 1e-4)
    True
    """
    from scipy.optimize import minimize

    values = np.asarray(x, dtype=np.float64)
    n_children = values.shape[1]
    wanted = equal(n_children) if target is None else given(target)
    score = build or (lambda w: arithmetic(values, w))

    def misfit(w: Floats) -> float:
        found = importance(values, score(w / w.sum()), correlation)
        return float(((found / found.sum() - wanted) ** 2).sum())

    def scaled_up(w: Floats) -> float:
        return 1e4 * misfit(w)  # the solvers stop by absolute size

    limits = [(1e-9, 1.0)] * n_children
    smooth = minimize(scaled_up, wanted, method="SLSQP", bounds=limits, tol=1e-14)
    start = min(wanted, np.asarray(smooth.x), key=misfit)
    fine = minimize(scaled_up, start, method="Nelder-Mead", bounds=limits, tol=1e-12)
    best = min(start, np.asarray(fine.x), key=misfit)
    best = best / best.sum()
    return Fitted(best, importance(values, score(best), correlation), misfit(best))
