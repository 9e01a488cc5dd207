"""Normalised children to one parent score, as a node of a tree does it.

The forms themselves are functions of `commonweal.index.means` and `commonweal.index.outrank`. What
a tree adds: how much of the weight an area must have, scores that tie when they are equal on paper,
need (an uneven profile counts as more of it), and what each child puts in.
"""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index import means
from commonweal.index.benefit import around, benefit_of_the_doubt
from commonweal.index.methods import (
    Function,
    MethodSpec,
    Share,
    function_of,
    name_of,
    settings_of,
    strict,
)
from commonweal.index.outrank import copeland
from commonweal.index.tables import column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.tables import Floats, Matrix, WeightsLike

__all__ = [
    "AGGREGATORS",
    "aggregate",
    "aggregator",
    "contributions",
]


@strict
def ordered(
    x: Matrix,
    weights: WeightsLike = None,
    orness: Share | None = None,
    places: ArrayLike | None = None,
) -> Floats:
    """Weigh an area's places in order, its greatest child first, not its children.

    By `orness` of 0 (the least child) to 1 (the greatest), `means.order_weights`, or by `places`, the weights of the
    places. `weights` are not used, and so refused if they are not all alike.
    """
    if (orness is None) == (places is None):
        raise DataError("expected exactly one of 'orness' and 'places'")
    taken, w = means.children(x, weights)
    _alike(w, "ordered")
    if orness is not None:
        places = means.order_weights(len(taken.names), orness)
    return means.ordered(taken, places)


@strict
def best_for_each(
    x: Matrix,
    weights: WeightsLike = None,
    lower: float | Sequence[float] = 0.0,
    upper: float | Sequence[float] = 1.0,
    spread: Share | None = None,
    reference: Floats | None = None,
) -> Floats:
    """Score each area under the weights that give it the most: `benefit.benefit_of_the_doubt`.

    >>> best_for_each(np.array([[2.0, 4.0], [4.0, 2.0], [2.0, 2.0]])).round(3)
    array([1.   , 1.   , 0.667])
    """
    taken, w = means.children(x, weights)
    if spread is None:
        _alike(w, "benefit_of_the_doubt")
        return benefit_of_the_doubt(taken, lower, upper, reference=reference).score
    if np.ndim(lower) or np.ndim(upper) or (lower, upper) != (0.0, 1.0):
        raise DataError("'spread' and bounds found; expected one of them")
    return benefit_of_the_doubt(taken, *around(w, spread), reference=reference).score


def _alike(weights: Floats, how: str) -> None:
    if len(np.unique(weights)) > 1:
        raise DataError(f"{needs_equal_weights(how)}; expected children of one weight")


AGGREGATORS: MappingProxyType[str, Function] = MappingProxyType(
    {
        "sum": means.weighted_sum,
        "arithmetic": means.arithmetic,
        "geometric": means.geometric,
        "harmonic": means.harmonic,
        "generalised": means.generalised,
        "median": means.median,
        "mazziotta_pareto": means.mazziotta_pareto,
        "mean_min": means.mean_min,
        "ordered": ordered,
        "copeland": copeland,
        "benefit_of_the_doubt": best_for_each,
    }
)
"""The aggregators that a study can name; each takes (n_areas, n_children) and (n_children,)."""

ADDITIVE = frozenset({"sum", "arithmetic", "geometric"})
"""Those of which each child puts in a part of its own."""

RELATIVE = frozenset({"copeland", "benefit_of_the_doubt"})
"""Those in which an area's score follows from what the other areas have."""

_OF_NEED = {"mazziotta_pareto": {"uneven": "higher"}, "mean_min": {"uneven": "higher"}}


def needs_equal_weights(how: MethodSpec) -> str:
    """Say why the children of a node that is aggregated so have no weights of their own; or ''."""
    name, settings = name_of(how), settings_of(how)
    if callable(how):
        return ""
    if name == "ordered":
        return "'ordered' weighs places, not children"
    if name == "benefit_of_the_doubt" and settings.get("spread") is None:
        return "'benefit_of_the_doubt' finds weights for each area"
    return ""


def aggregator(how: MethodSpec) -> Function:
    """Give the function of (n_areas, n_children) values and weights that a node names.

    Values are need: an uneven profile raises a Mazziotta-Pareto or a mean-min score, unless
    `uneven` says otherwise.

    Examples
    --------
    >>> aggregator("mean_min")(np.array([[10.0, 30.0]]), None)
    array([25.])
    """
    more: dict[str, Any] = _OF_NEED.get(name_of(how), {}) if not callable(how) else {}
    return function_of(how, AGGREGATORS, "aggregator", **more)


@strict
def aggregate(
    x: Matrix,
    weights: WeightsLike,
    how: MethodSpec,
    available: Share = 1.0,
    stated: Floats | None = None,
    reference: Floats | None = None,
) -> Floats:
    """Combine transformed children into one score.

    Parameters
    ----------
    x
        (n_areas, n_children) transformed need, higher = more, NaN = missing.
    weights
        (n_children,) positive weights, in order or by name. A ``sum`` uses them as they stand (the IoD's add up to
        .999 and are not rescaled); the means divide by their total.
    how
        One of `AGGREGATORS`, with settings (``{"generalised": {"p": 0.5}}``) or without; or a
        function of (n_areas, n_children) values and weights.
    available
        Share of the weight that must be present for an area to get a score, 0..1. What is missing
        below that share is carried by the area's other children in proportion to their weights.
    stated
        (n_children,) the weights that `available` is a share of, where `weights` are a draw around
        them: which areas have a score is then the same in every draw.
    reference
        (n, n_children) the areas that a form which compares areas holds each against, such as
        those of a base year; those of `x` if not given. Other forms do without.

    Returns
    -------
    ndarray
        (n_areas,) scores; NaN where less than `available` of the weight is present.

    Raises
    ------
    DataError
        If a form cannot take the values, such as a geometric mean 0 or less.

    Examples
    --------
    >>> aggregate(np.array([[10.0, 30.0], [20.0, np.nan]]), np.array([1.0, 3.0]), "sum")
    array([100.,  nan])
    >>> aggregate(np.array([[10.0, 30.0], [20.0, np.nan]]), np.array([1.0, 3.0]), "sum", 0.25)
    array([100.,  80.])
    """
    taken, w = means.children(x, weights)
    of = w if stated is None else stated
    function, more = aggregator(how), {}
    if reference is not None and "reference" in signature(function).parameters:
        more["reference"] = means.require(reference, available, of)
    if np.isnan(taken.values).any():
        taken = replace(taken, values=means.require(taken, available, of))
    made = function(taken.values if callable(how) else taken, w, **more)
    if callable(how):
        made = column(made, f"what {name_of(how)} gives", len(taken.values))
    return _settled(made)


def _settled(score: Floats) -> Floats:
    """Round to 12 significant digits, so that scores equal on paper tie: 55 and 54.99999999999999."""
    with np.errstate(divide="ignore"):
        digits = 11 - np.floor(np.log10(np.abs(score)))
    # Powers of ten beyond 1e22 are inexact, and zero has no digits: both stay as they are.
    scale = 10.0 ** np.where(np.abs(digits) <= 22, digits, 0.0)
    rounded: Floats = np.round(score * scale) / scale
    return np.where(np.abs(digits) <= 22, rounded, score)


def contributions(x: Matrix, weights: WeightsLike, how: MethodSpec) -> Floats:
    """Split a score into what each child puts in.

    Parameters
    ----------
    x, weights, how
        As in `aggregate`.

    Returns
    -------
    ndarray
        (n_areas, n_children). For a sum and an arithmetic mean the rows add up to the score; for a
        geometric mean they add up to its logarithm. NaN where the child is missing: its weight is
        carried by the others, in proportion to theirs. All NaN for any form that is not in
        `ADDITIVE`: what one child puts in depends on the rest there, and any split would
        be made up.

    Examples
    --------
    >>> contributions(np.array([[10.0, 30.0]]), np.array([1.0, 3.0]), "arithmetic")
    array([[ 2.5, 22.5]])
    """
    taken, w = means.children(x, weights)
    form = name_of(how)
    aggregator(how)
    if form not in ADDITIVE or callable(how):
        return np.full(taken.values.shape, np.nan)
    missing = np.isnan(taken.values)
    each = w if form == "sum" else w / w.sum()
    values = np.log(taken.values) if form == "geometric" else taken.values
    if not missing.any():
        return values * each
    with np.errstate(divide="ignore"):
        carried = w.sum() / means.weighted_sum((~missing).astype(np.float64), w)
    return values * each * carried[:, None]
