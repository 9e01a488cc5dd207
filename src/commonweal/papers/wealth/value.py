"""What trust is worth, as a share of income or wealth, and as a flow or a stock: small functions on arrays.

Hamilton, Helliwell and Woolcock (2016) value trust by the income that would lift life satisfaction as
much. With ``life satisfaction = a + b ln(income) + g trust``, ``r = g / b`` says how much trust weighs
against the logarithm of income. Trust is the share of people, 0 to 1, who say that most can be trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


Form = Literal["linear", "compensating", "equivalent"]
FORMS: tuple[Form, ...] = get_args(Form)


def value_of_trust(r: ArrayLike, trust: ArrayLike, form: Form = "linear") -> NDArray[np.float64]:
    """Give the value of trust, against none, as a share of income or wealth.

    Parameters
    ----------
    r
        Weight of trust against the logarithm of income, ``g / b``.
    trust
        Share of people who say that most can be trusted, 0 to 1.
    form
        ``linear``: ``r T``, the first-order value. ``compensating``: ``exp(r T) - 1``, by how much
        income would have to rise to make up for the loss of all trust. ``equivalent``:
        ``1 - exp(-r T)``, how much of their income people would give up to keep it.

    Returns
    -------
    ndarray
        As `r` and `trust` broadcast together; NaN where trust is NaN.

    Raises
    ------
    DataError
        If trust is outside 0 to 1.
    UnknownNameError
        If there is no such form.

    Examples
    --------
    >>> [round(value_of_trust(1.041, 0.3, form).item(), 4) for form in FORMS]
    [0.3123, 0.3666, 0.2682]
    """
    return value_of_change(r, 0.0, trust, form)


def value_of_change(
    r: ArrayLike, before: ArrayLike, after: ArrayLike, form: Form = "linear"
) -> NDArray[np.float64]:
    """Give the value of a change in trust as a share of income or wealth; negative where trust falls.

    `before` and `after` are shares of people who trust, 0 to 1: ``T = after - before`` of `value_of_trust`.
    """
    change = _trust(after) - _trust(before)
    weighed = np.asarray(r, dtype=np.float64) * change
    if form == "linear":
        return weighed
    if form == "compensating":
        return np.expm1(weighed)
    if form == "equivalent":
        return -np.expm1(-weighed)
    raise UnknownNameError("form", str(form), FORMS)


def annuity(rate: float, years: float) -> float:
    """Give what one a year, paid at each year's end, is worth today: ``(1 - (1 + d)^-n) / d``.

    Parameters
    ----------
    rate
        Discount rate a year, such as 0.015; 0 for none.
    years
        For how many years.

    Raises
    ------
    DataError
        If the rate is negative or not a number, or the years are not above 0.

    Examples
    --------
    >>> round(annuity(0.015, 25), 3), round(annuity(0.04, 25), 3), annuity(0, 25)
    (20.72, 15.622, 25.0)
    """
    if not (np.isfinite(rate) and rate >= 0):
        raise DataError(f"discount rate: found {rate}; expected 0 or above, such as 0.015")
    if not (np.isfinite(years) and years > 0):
        raise DataError(f"years: found {years}; expected a number above 0, such as 25")
    return float(years if rate == 0 else -np.expm1(-years * np.log1p(rate)) / rate)


def stock_from_income(
    value: ArrayLike, income: ArrayLike, rate: float, years: float
) -> NDArray[np.float64]:
    """Turn a share of income into a stock: ``v Y A(d, n)``."""
    y = np.asarray(income, dtype=np.float64)
    if np.any(y < 0):
        raise DataError(f"income: found {np.nanmin(y):,.6g}; expected 0 or above")
    return np.asarray(value, dtype=np.float64) * y * annuity(rate, years)


def share_of_all(value: ArrayLike) -> NDArray[np.float64]:
    """Give the share of trust in all wealth with trust counted in: ``v / (1 + v)``."""
    v = np.asarray(value, dtype=np.float64)
    return v / (1 + v)


def group_share(value: ArrayLike, wealth: ArrayLike, people: ArrayLike) -> float:
    """Give the share of trust in the wealth of a group of countries, with trust counted in.

    ``sum v_i W_i P_i / sum (1 + v_i) W_i P_i``.

    Parameters
    ----------
    value
        (n,) value of trust as a share of wealth.
    wealth
        (n,) measured wealth per head.
    people
        (n,) population.

    Returns
    -------
    float
        A share of 0 to 1.

    Raises
    ------
    DataError
        If there is no country, a number is missing, or people are negative.

    Examples
    --------
    >>> round(group_share([0.1, 0.4], [100, 300], [1, 1]), 4)
    0.2453
    """
    v, w, p = (np.asarray(x, dtype=np.float64) for x in (value, wealth, people))
    if v.size == 0:
        raise DataError("group of countries: found none; expected at least one")
    if not (np.isfinite(v).all() and np.isfinite(w).all() and np.isfinite(p).all()):
        raise DataError("group of countries: a value, wealth or population is missing")
    if (p < 0).any():
        raise DataError(f"people: found {p.min():,.6g}; expected 0 or above")
    held = w * p
    return float((v * held).sum() / ((1 + v) * held).sum())


def _trust(trust: ArrayLike) -> NDArray[np.float64]:
    t = np.asarray(trust, dtype=np.float64)
    outside = (t < 0) | (t > 1)
    if outside.any():
        hint = "; a percentage is divided by 100" if t[outside].max() > 1 else ""
        raise DataError(f"trust: found {t[outside].flat[0]:g}; expected a share of 0 to 1{hint}")
    return t
