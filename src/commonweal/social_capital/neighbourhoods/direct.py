"""What the survey alone says of each neighbourhood, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

__all__ = ["Answers", "Direct", "direct_estimates"]

_CLUSTERED = 20
"""Areas with two clusters or more that it takes to tell what clusters do to the variance."""
_EDGE = 0.02
"""Nearest to 0 and 1 that a share is taken to be when its variance is worked out."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The answers of respondents who live in a known area, one row each.

    Attributes
    ----------
    value
        0 or 1, or a number.
    weight
        Of the survey, above 0.
    area
        Row of the respondent's area.
    cluster
        Number of the respondent's primary sampling unit; each their own where there is none.
    share
        Whether the values are 0 and 1.
    """

    value: Floats
    weight: Floats
    area: Ints
    cluster: Ints
    share: bool


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """Direct estimates of the areas with respondents, one number each.

    Attributes
    ----------
    rows
        Which areas.
    value
        Weighted means.
    variance
        Their sampling variances, smoothed: see `direct_estimates`.
    respondents, effective
        How many answered, and Kish's effective number ``(sum w)^2 / sum w^2``.
    design_effect
        What sampling in clusters within areas multiplies the variance by; 1 where it cannot be told.
    """

    rows: Ints
    value: Floats
    variance: Floats
    respondents: Ints
    effective: Floats
    design_effect: float


def direct_estimates(answers: Answers, x: Floats) -> Direct:
    """Estimate each area that has respondents from these alone.

    Parameters
    ----------
    answers
        Of the respondents.
    x
        (n_areas, n_covariates) standardised covariates of all areas.

    Returns
    -------
    Direct
        The value is ``sum w y / sum w``. A dozen answers cannot tell their own variance (if all say yes it
        would be 0), so it is smoothed: ``S^2 k / n_eff``, where S^2 is ``p (1 - p)`` at the share p that a
        regression on the covariates expects there (of numbers: the pooled variance within areas), and k is
        the pooled design effect of clusters within areas.

    Raises
    ------
    DataError
        If fewer areas have respondents than the regression has coefficients, and 5 more.

    Examples
    --------
    >>> answers = Answers(np.array([1.0, 0, 1, 1]), np.ones(4), np.array([0, 0, 2, 2]), np.arange(4), True)
    >>> direct_estimates(answers, np.empty((3, 0)))
    Traceback (most recent call last):
    ...
    commonweal.errors.DataError: 2 areas have respondents; expected 6 or more for 1 coefficients: ask in \
more areas, or use fewer covariates
    """
    rows, place = np.unique(answers.area, return_inverse=True)
    needed = x.shape[1] + 1 + 5
    if len(rows) < needed:
        raise DataError(
            f"{len(rows)} areas have respondents; expected {needed} or more for {x.shape[1] + 1} coefficients: "
            "ask in more areas, or use fewer covariates"
        )
    w, y = answers.weight, answers.value
    total: Floats = np.bincount(place, w).astype(np.float64)
    value = np.bincount(place, w * y) / total
    respondents = np.bincount(place)
    effective = total**2 / np.bincount(place, w**2)
    if answers.share:
        design = np.column_stack([np.ones(len(rows)), x[rows]])
        root = np.sqrt(effective)
        coefficients = np.linalg.lstsq(design * root[:, None], value * root, rcond=None)[0]
        expected = np.clip(design @ coefficients, _EDGE, 1 - _EDGE)
        spread = expected * (1 - expected)
    else:
        residual = w * (y - value[place]) ** 2
        inside = np.bincount(place, residual) / total * respondents
        spread = np.full(len(rows), inside.sum() / max((respondents - 1).sum(), 1))
        if not spread.any():
            raise DataError("everybody in an area answers alike; expected answers that differ")
    variance = spread / effective
    k = _design_effect(answers, place, value, total, variance)
    return Direct(rows, value, variance * k, respondents, effective, k)


def _design_effect(
    answers: Answers, place: Ints, value: Floats, total: Floats, variance: Floats
) -> float:
    """Give the pooled variance between clusters within areas over that of independent answers, at least 1."""
    _, cluster = np.unique(np.column_stack([place, answers.cluster]), axis=0, return_inverse=True)
    cluster = cluster.ravel()
    scores = np.bincount(cluster, answers.weight * (answers.value - value[place]))
    of = np.zeros(len(scores), dtype=np.int64)
    of[cluster] = place
    many = np.bincount(of, minlength=len(total))
    several = many >= 2
    if several.sum() < _CLUSTERED or len(scores) == len(place):
        return 1.0
    factor = many[several] / (many[several] - 1)
    linear = factor * np.bincount(of, scores**2, len(total))[several] / total[several] ** 2
    return max(1.0, float(linear.sum() / variance[several].sum()))
