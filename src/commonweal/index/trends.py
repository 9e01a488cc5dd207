"""Years side by side: growth, scores on a fixed base, and what a change is made of.

Panels have the years first: (n_years, n_units) for one indicator or score, (n_years, n_units,
n_indicators) for a table. A score that is normalised year by year moves when others do; only on a
fixed base does a change mean that the place itself has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from commonweal.errors import DataError
from commonweal.index.normalise import normalise, normaliser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.normalise import Normaliser
    from commonweal.index.rank import Floats

__all__ = [
    "Change",
    "Span",
    "annual_growth",
    "on_fixed_base",
    "percentage_change",
    "span",
    "split_change",
]

D = TypeVar("D")
M = TypeVar("M")

_FIXED = ("scaled", "goalposts", "none")
"""Normalisers that take nothing from the data: every year is on the same base already."""


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
    x, t = _panel(values, years)
    here = ~np.isnan(x)
    n = here.sum(axis=0)
    when = np.where(here, t[:, None], 0.0)
    value = np.where(here, x, 0.0)
    out = np.full(x.shape[1], np.nan)
    some = n >= 2
    mean_t, mean_x = when[:, some].sum(axis=0) / n[some], value[:, some].sum(axis=0) / n[some]
    apart = np.where(here[:, some], t[:, None] - mean_t, 0.0)
    slope = (apart * value[:, some]).sum(axis=0) / (apart**2).sum(axis=0)
    start = np.abs(mean_x + slope * (span(x, t).first[some] - mean_t))
    out[some] = 100 * slope / np.where(start > 0, start, np.nan)
    return out


def on_fixed_base(
    panel: ArrayLike,
    how: str | Normaliser = "min_max",
    *,
    base: int | None = None,
    directions: ArrayLike = 1,
    names: Sequence[str] | None = None,
    **settings: Any,
) -> Floats:
    """Normalise every year of a panel against the same reference.

    Parameters
    ----------
    panel
        (n_years, n_units, n_indicators) values in their own units, NaN = missing.
    how
        A normaliser that takes a `reference`, or one that takes nothing from the data.
    base
        Position of the base year; all years together if not given.
    directions, names, **settings
        As in `commonweal.index.normalise.normalise`.

    Returns
    -------
    ndarray
        (n_years, n_units, n_indicators) normalised values; with a base year they may leave the
        range that it spans.

    Raises
    ------
    DataError
        If the normaliser goes by the order of the units in one year, such as a rank.

    Examples
    --------
    >>> on_fixed_base([[[0.0], [10.0]], [[5.0], [20.0]]], base=0)[1, :, 0]
    array([ 50., 200.])
    """
    x = np.asarray(panel, dtype=np.float64)
    if x.ndim != 3:
        raise DataError(f"panel of shape {x.shape}; expected (n_years, n_units, n_indicators)")
    if base is not None and not -len(x) <= base < len(x):
        raise DataError(f"base year {base} found; expected a position from 0 to {len(x) - 1}")
    if how not in _FIXED:
        if "reference" not in signature(normaliser(how)).parameters:
            raise DataError(f"{how} compares the units of one year; it has no fixed base")
        settings["reference"] = x.reshape(-1, x.shape[2]) if base is None else x[base]
    return np.stack(
        [normalise(year, how, directions=directions, names=names, **settings) for year in x]
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A change of scores, split; the two parts add up to the whole.

    Attributes
    ----------
    total
        (n_units,) new score by the new method less old score by the old one.
    data
        (n_units,) what new data did.
    method
        (n_units,) what the new method did.
    """

    total: Floats
    data: Floats
    method: Floats


def split_change(build: Callable[[D, M], Floats], data: tuple[D, D], method: tuple[M, M]) -> Change:
    """Say how much of a change comes from new data and how much from a new method.

    Parameters
    ----------
    build
        Makes (n_units,) scores, or ranks, from data and a method.
    data, method
        The old and the new.

    Returns
    -------
    Change
        Each part is the mean of its effect before and after the other (Shapley's value), so that
        it does not matter which is said to have come first.

    Examples
    --------
    >>> change = split_change(lambda x, w: x * w, (np.array([1.0]), np.array([3.0])), (1.0, 2.0))
    >>> change.total, change.data, change.method
    (array([5.]), array([3.]), array([2.]))
    """
    old, fresh = build(data[0], method[0]), build(data[1], method[1])
    new_data, new_method = build(data[1], method[0]), build(data[0], method[1])
    by_data = ((new_data - old) + (fresh - new_method)) / 2
    by_method = ((new_method - old) + (fresh - new_data)) / 2
    return Change(fresh - old, by_data, by_method)


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
