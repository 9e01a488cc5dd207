"""What is known of every neighbourhood, on one scale: what small-area models borrow strength from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.indicators import Indicators

__all__ = ["Covariates", "standardised"]


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """A matrix of areas by covariates, each with mean 0 and standard deviation 1 over the areas.

    Attributes
    ----------
    names, labels
        Of the covariates: as the file names them, and for readers.
    sources
        Ids of the sources that they come from.
    values
        (n_areas, n_covariates) float64 without gaps.
    filled
        By name, how many areas had no value and got the mean of the others.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    values: NDArray[np.float64]
    filled: dict[str, int]


def standardised(indicators: Indicators, most_missing: float = 0.2) -> Covariates:
    """Put indicators on one scale, and fill their gaps with the mean.

    Parameters
    ----------
    indicators
        As published, on the areas to be estimated.
    most_missing
        The share of areas without a value from which on an indicator is refused.

    Raises
    ------
    DataError
        If an indicator is missing for more areas, or the same everywhere.

    Examples
    --------
    >>> from commonweal.indicators import Indicator, Indicators
    >>> about = (Indicator("rent", "Social renting", "share", "more", "census"),)
    >>> values = np.array([[0.1], [0.3], [np.nan], [0.2], [0.1], [0.1]])
    >>> found = standardised(Indicators("own", list("ABCDEF"), values, about))
    >>> found.values[:, 0].round(2), found.filled
    (array([-0.82,  1.92,  0.  ,  0.55, -0.82, -0.82]), {'rent': 1})
    """
    values = indicators.values
    gaps = np.isnan(values)
    names = tuple(m.name for m in indicators.meta)
    for name, share in zip(names, gaps.mean(axis=0), strict=True):
        if share > most_missing:
            raise DataError(
                f"covariate '{name}': {share:.0%} of the areas have no value; expected at most {most_missing:.0%}"
            )
    mean = np.nanmean(values, axis=0)
    full = np.where(gaps, mean, values)
    spread = full.std(axis=0)
    for name, sd, level in zip(names, spread, np.abs(mean), strict=True):
        if sd <= 1e-12 * max(level, 1e-300):
            raise DataError(
                f"covariate '{name}' is the same in every area; expected one that differs"
            )
    return Covariates(
        names,
        tuple(m.label for m in indicators.meta),
        tuple(dict.fromkeys(s for m in indicators.meta for s in m.source.split(", ") if s)),
        (full - mean) / spread,
        {name: int(n) for name, n in zip(names, gaps.sum(axis=0), strict=True) if n},
    )
