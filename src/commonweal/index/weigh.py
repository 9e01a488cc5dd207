"""Where weights come from: given, drawn from the data, or made to meet a target.

Each function gives (n_children,) weights that add up to 1, for one node of the tree, where its
name does not say otherwise. `None` is a value too: aggregators take it to mean that every child
counts alike. Weights fitted to a target are in `commonweal.index.importance`; benefit of
the doubt, where each unit has its own, in `commonweal.index.benefit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import Count, Whole, strict
from commonweal.index.multivariate import components
from commonweal.index.rank_transforms import normal_score
from commonweal.index.tables import Matrix, by_name, labelled, listed, table, weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.tables import Floats

__all__ = [
    "entropy",
    "equal",
    "factor",
    "given",
    "noisy",
    "principal_component",
]

_LEAST_UNIQUENESS = 0.005
"""Below it a factor model has a Heywood case: one indicator is the factor (R's factanal)."""


@strict
def equal(n_children: Count) -> Floats:
    """Give every child the same weight.

    Raises
    ------
    DataError
        If there is no child.

    Examples
    --------
    >>> equal(4)
    array([0.25, 0.25, 0.25, 0.25])
    """
    return np.full(n_children, 1 / n_children)


def given(weights: ArrayLike | Mapping[str, float], names: Sequence[str] | None = None) -> Floats:
    """Check weights and rescale them to add up to 1.

    Parameters
    ----------
    weights
        (n_children,) numbers of at least 0, in the order of `names` or by name.
    names
        (n_children,) names.

    Raises
    ------
    DataError
        If a weight is missing, negative or infinite, or all are 0.
    UnknownNameError
        If a weight is given for no child.

    Examples
    --------
    >>> given({"crime": 1, "income": 3}, ["income", "crime"])
    array([0.75, 0.25])
    """
    if names is None:
        names = [f"child {i + 1}" for i in range(len(listed(weights, "weights")))]
    w = weights_of(weights, names)
    return w / w.sum()


@strict
def principal_component(
    x: Matrix,
    by: Literal["loading", "square"] = "square",
    *,
    names: Sequence[str] | None = None,
) -> Floats:
    """Weights from the first principal component.

    Parameters
    ----------
    x
        (n_units, n_children) values; units that lack any are left out.
    by
        ``square``: each child's share of the component's variance; ``loading``: the loadings
        rescaled.
    names
        (n_children,) names, for messages.

    Raises
    ------
    DataError
        If a child does not vary; with ``loading``, if the children disagree in sign: a negative
        weight would turn one of them round. (COINr uses the loadings as they come, negative ones
        too.)

    Notes
    -----
    Source: Nicoletti, Scarpetta and Boylaud (2000), OECD Economics Working Paper 226.

    Examples
    --------
    >>> principal_component([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]).round(4)
    array([0.5, 0.5])
    """
    taken = components(x, names)
    loadings = taken.loadings[:, 0]
    if by == "square":
        return loadings**2 / (loadings**2).sum()
    if (loadings < 0).any():
        raise DataError(
            f"{_contrary(taken.names, loadings)} the other children on the first component; turn or "
            "drop them, or weight by squares"
        )
    return given(loadings)


@strict
def factor(
    x: Matrix,
    by: Literal["loading", "coefficient"] = "loading",
    *,
    names: Sequence[str] | None = None,
) -> Floats:
    """Maximum-likelihood factor weights, as the Indices of Deprivation have them.

    One common factor is fitted to the children's normal scores.

    Parameters
    ----------
    x
        (n_units, n_children) values, at least three children; units that lack any are left out.
    by
        ``loading``: the loadings on the factor, rescaled to add up to 1; ``coefficient``: the
        coefficients that estimate each unit's factor score, ``loading / uniqueness``, rescaled.
        The latter give far more to the child that is nearest to the factor.
    names
        (n_children,) names, for messages.

    Raises
    ------
    DataError
        If there are fewer than three children, the model cannot be fitted (one child is the
        factor), or the children disagree in sign.

    Notes
    -----
    Sources: Joreskog (1967), Psychometrika 32, 443-482; McLennan et al. (2019), Technical
    Report, appendix E. The IoD 2019's health domain (.271, .300, .256, .172) follows from loadings: with
    them its 32,844 published ranks are rebuilt to one place on average, with coefficients (.203,
    .601, .147, .049) they are off by 1,256.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> common = rng.normal(size=(2000, 1))
    >>> x = common + rng.normal(size=(2000, 3)) * [0.5, 1.0, 1.0]
    >>> factor(x).round(2), factor(x, "coefficient").round(1)
    (array([0.38, 0.31, 0.31]), array([0.6, 0.2, 0.2]))
    """
    from scipy.optimize import minimize

    given_values, called = labelled(x, names)
    values = _complete(given_values, called)
    n_children = len(called)
    if n_children < 3:
        raise DataError(f"factor weights of {n_children} children; expected at least 3")
    scores = np.column_stack([normal_score(column) for column in values.T])
    correlations = np.corrcoef(scores, rowvar=False)
    if np.linalg.matrix_rank(correlations) < n_children:
        raise DataError(
            f"{', '.join(called)}: one repeats what the others say, so there is no factor to fit; "
            "leave it out"
        )

    def spectrum(uniqueness: Floats) -> tuple[Floats, Floats]:
        root = 1 / np.sqrt(uniqueness)
        return np.linalg.eigh(correlations * root * root[:, None])

    def misfit(uniqueness: Floats) -> tuple[float, Floats]:
        found, vectors = spectrum(uniqueness)
        rest = found[:-1]
        loading = np.sqrt(uniqueness) * vectors[:, -1] * np.sqrt(max(found[-1] - 1, 0.0))
        slope = (loading**2 + uniqueness - 1) / uniqueness**2
        return float((rest - np.log(rest) - 1).sum()), slope

    start = 0.5 / np.diag(np.linalg.inv(correlations))
    fit = minimize(
        misfit,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(_LEAST_UNIQUENESS, 1.0)] * n_children,
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000},
    )
    uniqueness = np.asarray(fit.x)
    if (uniqueness <= _LEAST_UNIQUENESS * (1 + 1e-6)).any():
        its = called[int(uniqueness.argmin())]
        raise DataError(f"{its} is the factor itself (its uniqueness goes to 0); leave it out")
    vectors = spectrum(uniqueness)[1]
    # Up to scale: a loading is the vector times the root of the uniqueness, a coefficient over it.
    root = np.sqrt(uniqueness)
    weights = vectors[:, -1] * root if by == "loading" else vectors[:, -1] / root
    weights *= -1.0 if weights.sum() < 0 else 1.0
    if (weights < 0).any():
        raise DataError(
            f"{_contrary(called, weights)} the other children on the factor; turn or drop them"
        )
    return given(weights)


def entropy(x: Matrix, *, names: Sequence[str] | None = None) -> Floats:
    """Weight children by how unevenly they are spread over the units (Shannon's entropy).

    ``p_ik = x_ik / sum_i x_ik``, ``e_k = - sum_i p_ik ln p_ik / ln n_k``, weight ``1 - e_k``.

    Parameters
    ----------
    x
        (n_units, n_children) values of at least 0, NaN = missing. Their zero matters: scales with
        different zeros are not to be compared.
    names
        (n_children,) names, for messages.

    Raises
    ------
    DataError
        If a value is negative, a child has fewer than two values or nothing but zeros, or all
        children are spread evenly.

    Notes
    -----
    Source: Zeleny (1982), Multiple Criteria Decision Making; Hwang and Yoon (1981).

    Examples
    --------
    >>> entropy([[1.0, 1.0], [1.0, 3.0], [1.0, 8.0]]).round(4)
    array([0., 1.])
    """
    from scipy.special import xlogy

    taken = table(x, names, what="child")
    values, called = taken.values, taken.names
    if (wrong := values < 0).any():
        found = values[wrong][0]
        raise DataError(
            f"entropy of {found:g} ({taken.place(wrong)}); expected values of at least 0"
        )
    total, n = np.nansum(values, axis=0), np.count_nonzero(~np.isnan(values), axis=0)
    if (total == 0).any() or (n < 2).any():
        its = called[int(((total == 0) | (n < 2)).argmax())]
        raise DataError(f"entropy of {its}: expected two values or more, not all of them 0")
    share = values / total
    evenness = -np.nansum(xlogy(share, share), axis=0) / np.log(n)
    spread = np.maximum(1 - evenness, 0.0)
    if spread.sum() <= 1e-12:
        raise DataError("entropy weights of children that are all spread evenly")
    return spread / spread.sum()


@strict
def noisy(
    weights: ArrayLike,
    spread: ArrayLike,
    n_draws: Whole,
    seed: int | np.random.Generator,
) -> Floats:
    """Draw weights evenly from around given ones.

    Parameters
    ----------
    weights
        (n_children,) weights.
    spread
        Share by which each may differ either way, such as 0.25; one number or (n_children,).
    n_draws
        Number of draws.
    seed
        Of the random numbers, or their generator.

    Returns
    -------
    ndarray
        (n_draws, n_children) ``w + (2u - 1) spread w``, u even in 0..1; not rescaled, as in COINr's
        ``get_noisy_weights``.

    Examples
    --------
    >>> noisy([1.0, 2.0], [0.0, 0.25], 2, seed=1)[:, 0]
    array([1., 1.])
    """
    names = [f"child {i + 1}" for i in range(len(listed(weights, "weights")))]
    w, share = weights_of(weights, names), by_name(spread, names, "spread", per="child")
    if not ((share >= 0) & (share <= 1)).all():
        raise DataError(f"spread {share.tolist()} found; expected 0 to 1")
    u = np.random.default_rng(seed).random((n_draws, len(w)))
    return w + (2 * u - 1) * share * w


def _contrary(names: Sequence[str], loadings: Floats) -> str:
    told = [f"'{n}' ({x:.3f})" for n, x in zip(names, loadings, strict=True) if x < 0]
    return f"{', '.join(told)} pull{'s' * (len(told) == 1)} against"


def _complete(values: Floats, names: Sequence[str]) -> Floats:
    whole = values[~np.isnan(values).any(axis=1)]
    for name, column in zip(names, whole.T, strict=True):
        if len(column) < 2 or column.min() == column.max():
            raise DataError(f"{name} does not vary over the {len(column):,} units without gaps")
    return whole
