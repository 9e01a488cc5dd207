"""Make estimates of small areas add up to reliable ones of the larger areas that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from commonweal.errors import DataError, UnknownNameError
from commonweal.small_areas.checks import Array, numbers, positive, quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

How = Literal["difference", "ratio", "optimal", "logit"]
METHODS = ("difference", "ratio", "optimal", "logit")
LOGIT = 50.0  # log-odds: the largest shift


@dataclass(frozen=True, slots=True, eq=False)
class Benchmarked:
    """Estimates that agree with the larger areas: one number an area.

    Attributes
    ----------
    estimate
        After benchmarking.
    adjustment
        What was added to each.
    mse, lower, upper
        ``mse`` before, plus the square of the adjustment; the interval from it. See `benchmark`.
    groups, totals, before
        Of the larger areas: their labels, the totals met, and what the estimates gave before.
    how
        Method.
    """

    estimate: Array
    adjustment: Array
    mse: Array
    lower: Array
    upper: Array
    groups: tuple[Any, ...]
    totals: Array
    before: Array
    how: How


def benchmark(
    estimate: ArrayLike,
    mse: ArrayLike,
    weight: ArrayLike,
    group: ArrayLike,
    totals: Mapping[Any, float],
    *,
    how: How = "difference",
    level: float = 0.95,
) -> Benchmarked:
    """Move estimates so that their weighted mean in each larger area is the total given for it.

    Parameters
    ----------
    estimate, mse
        Of each small area.
    weight
        Its share in the larger area, such as its population; above 0, any scale.
    group
        Label of the larger area that each is in.
    totals
        Larger area to its mean (or share), in the unit of `estimate`; one for each label in `group`.
    how
        ``difference`` adds the same to all; ``ratio`` multiplies all by the same; ``optimal`` adds most
        where ``weight x mse`` is large, which moves estimates least in units of their mean squared error
        (Wang, Fuller and Qu 2008; Datta et al. 2011); ``logit`` adds the same to all log-odds, so that
        shares stay within 0 and 1.
    level
        Share of the intervals that should cover.

    Returns
    -------
    Benchmarked
        Estimates that agree; their weighted means equal `totals` to rounding.

    Raises
    ------
    DataError
        For values that are missing or infinite, a group without a total, a ratio over a mean of 0,
        shares or totals that are not between 0 and 1 with ``logit``.

    Notes
    -----
    The error of a best linear unbiased predictor is uncorrelated with whatever contrasts of the data an
    adjustment is made of. So the mean squared error grows by the expected square of the adjustment, and the
    square of the one made stands for it: exact in expectation for ``difference`` and ``optimal`` with known
    variances and totals made of the same data, an approximation otherwise. An error of the totals
    themselves is not added.

    Examples
    --------
    >>> made = benchmark([0.4, 0.6], [0.01, 0.03], [100, 100], ["a", "a"], {"a": 0.52}, how="optimal")
    >>> made.estimate.round(3)
    array([0.41, 0.63])
    """
    before = numbers("estimate", estimate)
    error = positive("mse", mse, len(before))
    share = positive("weight", weight, len(before))
    labels = np.asarray(group)
    if labels.shape != before.shape:
        raise DataError(
            f"group has shape {labels.shape}; expected {len(before):,} labels, one for each area"
        )
    if how not in METHODS:
        raise UnknownNameError("benchmarking", how, METHODS)
    groups, place = np.unique(labels, return_inverse=True)
    named = groups.tolist()
    if lacking := [g for g in named if g not in totals]:
        raise DataError(
            f"no total for '{lacking[0]}' ({len(lacking):,} such); expected one for each group"
        )
    wanted = numbers("totals", [totals[g] for g in named])
    z = quantile(level)
    w = share / _sums(place, share)[place]
    found = _sums(place, w * before)
    gap = (wanted - found)[place]
    if how == "difference":
        moved = gap
    elif how == "optimal":
        moved = gap * w * error / _sums(place, w**2 * error)[place]
    elif how == "ratio":
        if len(wrong := np.flatnonzero(found == 0)):
            raise DataError(
                f"estimates of '{named[wrong[0]]}' have mean 0; expected a mean that can be scaled"
            )
        moved = before * (wanted / found)[place] - before
    else:
        moved = _logit_shift(before, w, place, wanted, named) - before
    after = before + moved
    mse_after = error + moved**2
    half = z * np.sqrt(mse_after)
    return Benchmarked(
        after, moved, mse_after, after - half, after + half, tuple(named), wanted, found, how
    )


def _sums(place: np.ndarray[Any, Any], values: Array) -> Array:
    """Add values up by group."""
    return np.bincount(place, values).astype(np.float64, copy=False)


def _logit_shift(
    before: Array, w: Array, place: np.ndarray[Any, Any], wanted: Array, named: list[Any]
) -> Array:
    """Add to all log-odds of a group what makes its mean right."""
    if len(wrong := np.flatnonzero((before <= 0) | (before >= 1))):
        raise DataError(
            f"estimate is {before[wrong[0]]:g} in row {wrong[0]}; 'logit' expects shares between 0 and 1"
        )
    after = np.empty_like(before)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(len(wanted) + 1))
    for g, total in enumerate(wanted):
        if not 0 < total < 1:
            raise DataError(
                f"the total of '{named[g]}' is {total:g}; 'logit' expects shares between 0 and 1"
            )
        rows = order[ends[g] : ends[g + 1]]
        odds, part = logit(before[rows]), w[rows]
        shift = brentq(_excess, -LOGIT, LOGIT, (odds, part, total), xtol=1e-14)
        after[rows] = expit(odds + shift)
    return after


def _excess(shift: float, odds: Array, part: Array, total: float) -> float:
    """Give by how much the mean is too large after a shift of the log-odds."""
    return float(part @ expit(odds + shift) - total)
