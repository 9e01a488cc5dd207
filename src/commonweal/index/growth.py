"""How a series has moved: what years there are of it, growth, the line through it.

Series have the years first: (n_years, n_units).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from commonweal.index.types import Floats

__all__ = ["Line", "Span", "annual_growth", "line", "percentage_change", "span"]


@dataclass(frozen=True, slots=True)
class Span:
    """What there is of a series: first and latest year with a value, share of years with one.

    Attributes
    ----------
    first, latest
        (n_units,) years; NaN where there is no value.
    available
        (n_units,) 0..1.
    """

    first: Floats
    latest: Floats
    available: Floats


def span(values: ArrayLike, years: ArrayLike) -> Span:
    """Say which years a series covers.

    Parameters
    ----------
    values
        (n_years, n_units), NaN = missing.
    years
        (n_years,) in ascending order.

    Examples
    --------
    >>> span([[np.nan], [2.0], [4.0]], [2018, 2019, 2020]).first
    array([2019.])
    """
    x, t = _panel(values, years)
    here = ~np.isnan(x)
    when = np.where(here, t[:, None], np.nan)
    return Span(
        np.fmin.reduce(when, axis=0), np.fmax.reduce(when, axis=0), here.mean(axis=0, dtype=float)
    )


def annual_growth(values: ArrayLike, years: ArrayLike) -> Floats:
    """Compound annual growth rate: ``(latest / first)^(1 / years between) - 1``.

    Parameters
    ----------
    values, years
        As in `span`.

    Returns
    -------
    ndarray
        (n_units,) growth a year as a fraction; NaN with fewer than two values, or where the first
        or latest is not above 0: growth by a factor has no meaning then.

    Examples
    --------
    >>> annual_growth([[100.0], [np.nan], [121.0]], [2018, 2019, 2020]).round(4)
    array([0.1])
    """
    x, t = _panel(values, years)
    n_units = x.shape[1]
    here = ~np.isnan(x)
    first, latest = here.argmax(axis=0), len(t) - 1 - here[::-1].argmax(axis=0)
    start, end = x[first, np.arange(n_units)], x[latest, np.arange(n_units)]
    usable = (here.sum(axis=0) >= 2) & (start > 0) & (end > 0)
    growth = np.full(n_units, np.nan)
    ratio = end[usable] / start[usable]
    growth[usable] = ratio ** (1 / (t[latest] - t[first])[usable]) - 1
    return growth


def percentage_change(values: ArrayLike, years: ArrayLike) -> Floats:
    """Percentage change a year of a straight line through all values, of its own first value.

    Parameters
    ----------
    values, years
        As in `span`.

    Returns
    -------
    ndarray
        (n_units,) per cent a year; NaN with fewer than two values, or where the line starts at 0.
        As in COINr's ``prc_change``; where the line starts below 0 its size is divided by, so that
        a rise is above 0 (COINr's is below).

    Examples
    --------
    >>> percentage_change([[100.0], [110.0], [120.0]], [2018, 2019, 2020])
    array([10.])
    """
    found = line(values, years)
    start = np.abs(found.first)
    return 100 * found.slope / np.where(start > 0, start, np.nan)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through a series, by least squares.

    Attributes
    ----------
    slope
        (n_units,) change a year; NaN with fewer than two values.
    first
        (n_units,) where the line is in the first year with a value.
    spread
        (n_units,) standard deviation of the values around it, ``sqrt(sum e^2 / (n - 2))``: how
        volatile the series is once its trend is taken out. NaN with fewer than three values, which
        leave nothing to tell it by.
    """

    slope: Floats
    first: Floats
    spread: Floats


def line(values: ArrayLike, years: ArrayLike) -> Line:
    """Draw a straight line through the values that there are.

    Parameters
    ----------
    values, years
        As in `span`.

    Examples
    --------
    >>> found = line([[1.0], [4.0], [5.0]], [2018, 2019, 2020])
    >>> found.slope, found.spread.round(4)
    (array([2.]), array([0.8165]))
    """
    x, t = _panel(values, years)
    here = ~np.isnan(x)
    n = here.sum(axis=0)
    some = n >= 2
    slope, first, spread = (np.full(x.shape[1], np.nan) for _ in range(3))
    value = np.where(here, x, 0.0)[:, some]
    mean_t = np.where(here, t[:, None], 0.0)[:, some].sum(axis=0) / n[some]
    mean_x = value.sum(axis=0) / n[some]
    apart = np.where(here[:, some], t[:, None] - mean_t, 0.0)
    slope[some] = (apart * value).sum(axis=0) / (apart**2).sum(axis=0)
    first[some] = mean_x + slope[some] * (span(x, t).first[some] - mean_t)
    left = np.where(here[:, some], value - mean_x - slope[some] * apart, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        around = np.sqrt((left**2).sum(axis=0) / (n[some] - 2))
    spread[some] = np.where(n[some] > 2, around, np.nan)
    return Line(slope, first, spread)


def _panel(values: ArrayLike, years: ArrayLike) -> tuple[Floats, Floats]:
    x, t = np.asarray(values, dtype=np.float64), np.asarray(years, dtype=np.float64)
    if x.ndim != 2 or len(x) == 0 or t.shape != (len(x),):
        raise DataError(
            f"values of shape {x.shape} and years of shape {t.shape}; "
            "expected (n_years, n_units) and (n_years,)"
        )
    if not (np.diff(t) > 0).all():
        raise DataError(f"years {t.tolist()}; expected each once, in ascending order")
    return x, t
