"""Fay-Herriot for shares, on the arcsine scale: sampling variances are known there, and shares stay within 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.small_areas.checks import Array, between, positive
from commonweal.small_areas.fay_herriot import FayHerriot, Method, Predicted, fay_herriot, predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Estimated shares, 0 to 1: one number an area.

    Attributes
    ----------
    areas
        Their codes.
    estimate, mse
        Share, and its mean squared error.
    lower, upper
        Ends of the interval, those of the arcsine scale turned back: not symmetric about the estimate.
    model
        The model on the arcsine scale.
    """

    areas: tuple[Any, ...]
    estimate: Array
    mse: Array
    lower: Array
    upper: Array
    model: FayHerriot


def fay_herriot_shares(
    share: ArrayLike,
    effective: ArrayLike,
    x: ArrayLike | None = None,
    *,
    areas: Sequence[Any] | None = None,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "reml",
    level: float = 0.95,
) -> Shares:
    """Combine direct shares with covariates of the areas.

    Parameters
    ----------
    share
        Share of each area from the survey, 0 to 1; 0 and 1 themselves may occur.
    effective
        Effective sample size of each, respondents over design effect; above 0.
    x, areas, names, intercept, method, level
        As in `fay_herriot`.

    Returns
    -------
    Shares
        Estimates, mean squared errors, intervals.

    Notes
    -----
    The model is that of ``arcsin sqrt(share)``, with sampling variance 1 / (4 effective). With t the estimate
    there and v its g1, the share is ``E sin^2(t + N(0, v)) = (1 - exp(-2 v) cos 2t) / 2``: the
    back-transformation with its bias taken out (Sugasawa and Kubokawa 2017; Hadam, Wuerz and Kreutzmann 2020).
    The mean squared error is the variance of ``sin^2(t + N(0, m))``, m the mean squared error there.

    Examples
    --------
    >>> fit = fay_herriot_shares([0.2, 0.5, 0.9, 0.4, 0.0], [20, 40, 10, 25, 5], [1, 2, 4, 2, 1])
    >>> fit.estimate.round(2)
    array([0.17, 0.43, 0.93, 0.43, 0.17])
    """
    p = between("share", share, 0, 1)
    n = positive("effective", effective, len(p))
    fit = fay_herriot(
        np.arcsin(np.sqrt(p)), 1 / (4 * n), x, areas=areas, names=names, intercept=intercept, method=method, level=level
    )  # fmt: skip
    return _back(fit, fit, fit.g1)


def predict_shares(
    fit: Shares, x: ArrayLike | None = None, *, areas: Sequence[Any] | None = None
) -> Shares:
    """Estimate the share in areas that have no sample, from their covariates alone; as `predict`.

    Examples
    --------
    >>> fit = fay_herriot_shares([0.2, 0.5, 0.9, 0.4, 0.0], [20, 40, 10, 25, 5], [1, 2, 4, 2, 1])
    >>> predict_shares(fit, [3]).estimate.round(2)
    array([0.72])
    """
    there = predict(fit.model, x, areas=areas)
    return _back(there, fit.model, np.full(len(there.estimate), fit.model.model_variance))


def _back(there: FayHerriot | Predicted, model: FayHerriot, v: Array) -> Shares:
    """Turn arcsine-scale estimates into shares."""
    t = np.clip(there.estimate, 0, np.pi / 2)
    estimate = (1 - np.exp(-2 * v) * np.cos(2 * t)) / 2
    fall = np.exp(-2 * there.mse)
    mse = ((1 + fall**4 * np.cos(4 * t)) / 2 - (fall * np.cos(2 * t)) ** 2) / 4
    lower, upper = (np.sin(np.clip(end, 0, np.pi / 2)) ** 2 for end in (there.lower, there.upper))
    return Shares(there.areas, estimate, mse, lower, upper, model)
