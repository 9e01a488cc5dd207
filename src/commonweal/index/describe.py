"""What the indicators look like before anything is done to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import Share, Within, strict
from commonweal.index.tables import Matrix, result_frame, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.tables import Floats

__all__ = [
    "Flags",
    "Summary",
    "describe",
    "flags",
    "iqr_outliers",
    "skew_kurtosis",
]


def skew_kurtosis(x: ArrayLike) -> tuple[Floats, Floats]:
    """Skewness G1 and excess kurtosis G2 of each column, as Excel, SAS and COINr define them.

    With m_r the r-th central moment (divisor n): ``G1 = m3 / m2^1.5 sqrt(n (n - 1)) / (n - 2)`` and
    ``G2 = ((n + 1) (m4 / m2^2 - 3) + 6) (n - 1) / ((n - 2) (n - 3))``. A normal variable has 0, 0.

    Parameters
    ----------
    x
        (n_units,) or (n_units, n_indicators) values, NaN = missing (left out).

    Returns
    -------
    skew, kurtosis
        () or (n_indicators,) float64; NaN for constants, and for fewer than 3 (skew) or 4
        (kurtosis) values.

    Notes
    -----
    Source: Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, The
    Statistician 47, 183-189: their type 2.

    Examples
    --------
    >>> skew, kurtosis = skew_kurtosis([1.0, 2.0, 3.0, 4.0, 100.0])
    >>> round(float(skew), 4), round(float(kurtosis), 4)
    (2.2324, 4.9869)
    """
    values = np.asarray(x, dtype=np.float64)
    missing = np.isnan(values)
    n = (len(values) - missing.sum(axis=0)).astype(np.float64)
    # The deviation of a constant is not always 0 in floats: its values are compared instead.
    if missing.any():
        low = np.where(missing, np.inf, values).min(axis=0)
        high = np.where(missing, -np.inf, values).max(axis=0)
        centred = np.where(missing, 0.0, values)
        centred = np.where(missing, 0.0, values - centred.sum(axis=0) / np.maximum(n, 1))
    else:
        low, high = values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf)
        centred = values - values.sum(axis=0) / np.maximum(n, 1)
    squared = centred * centred
    m2 = np.where(low < high, squared.sum(axis=0), np.nan)
    m3 = (squared * centred).sum(axis=0)
    m4 = (squared * squared).sum(axis=0)
    return from_sums(n, m2, m3, m4)


def from_sums(n: Floats, m2: Floats, m3: Floats, m4: Floats) -> tuple[Floats, Floats]:
    """Skew and kurtosis from the sums of the 2nd to 4th powers of deviations from the mean."""
    with np.errstate(invalid="ignore", divide="ignore"):
        skew = np.sqrt(n) * m3 / m2**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
        ratio = n * m4 / (m2 * m2)
        kurtosis = ((n + 1) * (ratio - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))
    return np.where(n > 2, skew, np.nan), np.where(n > 3, kurtosis, np.nan)


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of each indicator; every field is (n_indicators,), NaN where it has no values.

    Attributes
    ----------
    names
        The indicators.
    min, q25, median, q75, max, mean
        In the indicator's unit; quartiles interpolate linearly (R's type 7).
    sd
        Standard deviation, divisor n - 1.
    skew, kurtosis
        As in `skew_kurtosis`.
    n, n_nonzero, n_unique, n_same
        Values present; of these not 0; distinct ones; the most frequent one's count.
    available
        Share of the units that have a value, 0..1.
    nonzero, unique, same
        `n_nonzero`, `n_unique` and `n_same` as shares of `n`, 0..1.
    """

    names: tuple[str, ...]
    min: Floats
    q25: Floats
    median: Floats
    q75: Floats
    max: Floats
    mean: Floats
    sd: Floats
    skew: Floats
    kurtosis: Floats
    n: NDArray[np.int64]
    n_nonzero: NDArray[np.int64]
    n_unique: NDArray[np.int64]
    n_same: NDArray[np.int64]
    available: Floats
    nonzero: Floats
    unique: Floats
    same: Floats

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame: ``indicator`` and a column a statistic, missing as null."""
        return result_frame(self)


def describe(x: Matrix, names: Sequence[str] | None = None) -> Summary:
    """Summarise each indicator.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing; any `commonweal.index.tables.table`.
    names
        (n_indicators,) names.

    Returns
    -------
    Summary
        An indicator with no values has n = 0 and NaN statistics; it is no error to look at it.

    Raises
    ------
    DataError
        If `x` is no table of numbers, has infinite values, or does not fit its names.

    Notes
    -----
    COINr's ``get_stats`` gives the same (unrounded, with nsignif = NULL), but no quartiles.

    Examples
    --------
    >>> summary = describe([[1.0], [0.0], [0.0], [np.nan]], ["halls"])
    >>> summary.available, summary.n_same
    (array([0.75]), array([2]))
    """
    taken = table(x, names)
    values = taken.values
    n_units, n_indicators = values.shape
    # min, q25, median, q75, max, mean, sd; n, n_nonzero, n_unique, n_same
    stats = np.full((7, n_indicators), np.nan)
    counts = np.zeros((4, n_indicators), dtype=np.int64)
    for j, column in enumerate(values.T):
        ordered = np.sort(column[~np.isnan(column)])
        if not len(ordered):
            continue
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        runs = np.diff(np.r_[starts, len(ordered)])
        stats[:5, j] = np.quantile(ordered, [0, 0.25, 0.5, 0.75, 1])
        stats[5, j] = ordered.mean()
        stats[6, j] = ordered.std(ddof=1) if len(ordered) > 1 else np.nan
        counts[:, j] = len(ordered), np.count_nonzero(ordered), len(starts), runs.max()
    low, q25, median, q75, high, mean, sd = stats
    skew, kurtosis = skew_kurtosis(values)
    n, n_nonzero, n_unique, n_same = counts
    nonzero, unique, same = np.where(n > 0, counts[1:] / np.maximum(n, 1), np.nan)
    return Summary(
        names=tuple(taken.names),
        min=low,
        q25=q25,
        median=median,
        q75=q75,
        max=high,
        mean=mean,
        sd=sd,
        skew=skew,
        kurtosis=kurtosis,
        n=n,
        n_nonzero=n_nonzero,
        n_unique=n_unique,
        n_same=n_same,
        available=n / max(n_units, 1),
        nonzero=nonzero,
        unique=unique,
        same=same,
    )


@dataclass(frozen=True, slots=True)
class Flags:
    """What to look at again; every field is (n_indicators,), bool where it is no name.

    Attributes
    ----------
    names
        The indicators.
    available, nonzero, unique
        The share is below its threshold.
    outliers
        The absolute skew *and* the kurtosis are above theirs.
    """

    names: tuple[str, ...]
    available: NDArray[np.bool_]
    nonzero: NDArray[np.bool_]
    unique: NDArray[np.bool_]
    outliers: NDArray[np.bool_]

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame: ``indicator`` and a column a flag."""
        return result_frame(self)


Threshold = Annotated[float, Within(0, finite=False)]
"""A number from which on something is too much: 0 or more; infinite = nothing is."""


@strict
def flags(
    summary: Summary,
    available: Share = 0.65,
    nonzero: Share = 0.5,
    unique: Share = 0.5,
    skew: Threshold = 2.0,
    kurtosis: float = 3.5,
) -> Flags:
    """Flag indicators by rules of thumb.

    Parameters
    ----------
    summary
        From `describe`.
    available, nonzero, unique
        Smallest shares, 0..1, that raise no flag.
    skew, kurtosis
        Thresholds of the outlier flag.

    Returns
    -------
    Flags
        An undefined statistic raises no flag of its own.

    Raises
    ------
    DataError
        If a threshold is out of its range, or values are given in place of their summary.

    Notes
    -----
    The defaults are those of the European Commission's Competence Centre on Composite Indicators
    (JRC) for availability, skew and kurtosis, and COINr's for the rest.

    Examples
    --------
    >>> flags(describe([[1.0], [2.0], [3.0], [4.0], [100.0]])).outliers
    array([ True])
    """
    if not isinstance(summary, Summary):
        raise DataError(
            f"summary: {type(summary).__name__} found; expected what `describe` gives of the values"
        )
    return Flags(
        summary.names,
        summary.available < available,
        summary.nonzero < nonzero,
        summary.unique < unique,
        (np.abs(summary.skew) > skew) & (summary.kurtosis > kurtosis),
    )


@strict
def iqr_outliers(x: Matrix, whisker: Threshold = 1.5) -> NDArray[np.int8]:
    """Mark the values beyond the whiskers of a box plot.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    whisker
        Length of the whiskers in interquartile ranges, 0 or more.

    Returns
    -------
    ndarray
        (n_units, n_indicators) int8: 1 above the upper whisker, -1 below the lower, 0 between them
        or missing.

    Raises
    ------
    DataError
        If `whisker` is negative, or `x` is no table of numbers.

    Notes
    -----
    Source: Tukey (1977), Exploratory Data Analysis.

    Examples
    --------
    >>> iqr_outliers([[1.0], [2.0], [3.0], [4.0], [100.0]]).T
    array([[0, 0, 0, 0, 1]], dtype=int8)
    """
    taken = table(x)
    summary, values = describe(taken.values), taken.values
    reach = whisker * (summary.q75 - summary.q25)
    high, low = values > summary.q75 + reach, values < summary.q25 - reach
    return high.astype(np.int8) - low.astype(np.int8)
