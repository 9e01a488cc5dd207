"""How much each child matters, weights that make it matter as it should, and ways to weigh by name."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.correlate import correlate
from commonweal.index.means import arithmetic
from commonweal.index.methods import strict
from commonweal.index.tables import Matrix, column, labelled
from commonweal.index.weigh import entropy, equal, factor, given, principal_component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.tables import Floats


__all__ = [
    "WEIGHINGS",
    "Fitted",
    "importance",
    "to_importance",
]


By: TypeAlias = Literal["pearson", "spearman"]


@strict
def importance(
    x: Matrix,
    score: ArrayLike,
    correlation: By = "pearson",
    names: Sequence[str] | None = None,
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
    names
        (n_children,) names, for messages.

    Returns
    -------
    ndarray
        (n_children,) correlations, -1..1.

    Raises
    ------
    DataError
        If a child or the score does not vary, or they are not of the same units.

    Examples
    --------
    >>> importance([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], [1.0, 2.0, 3.0])
    array([ 1., -1.])
    """
    values, called = labelled(x, names)
    made = column(score, "score", len(values))[:, None]
    found: Floats = correlate(values, made, correlation).r[:, 0]
    if np.isnan(found).any():
        its = called[int(np.isnan(found).argmax())]
        raise DataError(f"{its} or the score does not vary: no correlation")
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


@strict
def to_importance(
    x: Matrix,
    target: ArrayLike | Mapping[str, float] | None = None,
    build: Callable[[Floats], Floats] | None = None,
    correlation: By = "pearson",
    names: Sequence[str] | None = None,
) -> Fitted:
    """Find weights under which each child matters as much as it should.

    Parameters
    ----------
    x
        (n_units, n_children) values, NaN = missing.
    target
        (n_children,) importance wanted, in order or by name, up to scale; equal if not given.
    build
        Makes the (n_units,) score from (n_children,) weights; their arithmetic mean if not given.
        It may stand for a whole tree above the children.
    correlation
        As in `importance`.
    names
        (n_children,) names, for messages.

    Raises
    ------
    DataError
        If a child does not vary, or the target is not one number of at least 0 a child.

    Notes
    -----
    The objective is COINr's ``balance``: squared differences of shares of importance. Source:
    Becker, Saisana, Paruolo and Vandecasteele (2017), Ecological Indicators 80, 12-22. Pearson
    correlations with a mean of complete columns follow from their covariances, so nothing but the
    first look takes longer for more units.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b, c = rng.normal(size=(3, 200))
    >>> fitted = to_importance(np.column_stack([a, a + b, c]))
    >>> bool(np.ptp(fitted.importance) < 1e-4)
    True
    """
    from scipy.optimize import minimize

    values, called = labelled(x, names)
    n_children = len(called)
    wanted = equal(n_children) if target is None else given(target, called)
    score = build or (lambda w: arithmetic(values, w))

    def reached(w: Floats) -> Floats:
        return importance(values, score(w), correlation, called)

    reached(wanted)  # says what does not vary
    simple = build is None and correlation == "pearson" and not np.isnan(values).any()
    quickly = _of_a_mean(values) if simple else reached

    def misfit(w: Floats) -> float:
        found = quickly(w / w.sum())
        return float(((found / found.sum() - wanted) ** 2).sum())

    def scaled_up(w: Floats) -> float:
        return 1e4 * misfit(w)  # the solvers stop by absolute size

    limits = [(1e-9, 1.0)] * n_children
    smooth = minimize(scaled_up, wanted, method="SLSQP", bounds=limits, tol=1e-14)
    start = min(wanted, np.asarray(smooth.x), key=misfit)
    fine = minimize(scaled_up, start, method="Nelder-Mead", bounds=limits, tol=1e-12)
    best = min(start, np.asarray(fine.x), key=misfit)
    best = best / best.sum()
    return Fitted(best, reached(best), misfit(best))


def _of_a_mean(values: Floats) -> Callable[[Floats], Floats]:
    """Give Pearson correlations with an arithmetic mean of complete columns, from covariances."""
    covariances = np.atleast_2d(np.cov(values, rowvar=False))
    deviations = np.sqrt(np.diag(covariances))
    return lambda w: covariances @ w / (deviations * np.sqrt(w @ covariances @ w))


def _alike(x: Floats, *, names: Sequence[str] | None = None) -> Floats:  # noqa: ARG001
    return equal(x.shape[1])


def _none(x: Floats, *, names: Sequence[str] | None = None) -> Floats:  # noqa: ARG001
    return np.ones(x.shape[1])


@strict
def _to_importance(
    x: Floats,
    target: Sequence[float] | None = None,
    correlation: Literal["pearson", "spearman"] = "pearson",
    *,
    build: Any = None,
    names: Sequence[str] | None = None,
) -> Floats:
    return to_importance(x, target, build, correlation, names).weights


WEIGHINGS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {
        "equal": _alike,
        "none": _none,
        "pca": principal_component,
        "factor": factor,
        "entropy": entropy,
        "importance": _to_importance,
    }
)
"""Ways to weigh a node's children by their transformed values, by the name that a study has. Each
takes the (n_units, n_children) values, settings, and the children's ``names`` for messages."""
