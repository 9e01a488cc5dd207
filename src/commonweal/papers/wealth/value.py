"""What trust is worth, from its weight against income; the weight from countries, and the interval of the value.

Hamilton, Helliwell and Woolcock (2016) value trust by the income that would lift life satisfaction as
much. With ``life satisfaction = a + b ln(income) + g trust``, ``r = g / b`` says how much trust weighs
against the logarithm of income. Trust is the share of people, 0 to 1, who say that most can be trusted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.papers.wealth.coefficients import Weight, weight_of
from commonweal.papers.wealth.data import CONTROLS
from commonweal.survey.regression import least_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
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


Kind = Literal["delta", "simulated", "assumed"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper ends, element by element.

    Attributes
    ----------
    low, high
        The ends; infinite where the draws have no bound.
    kind
        ``delta``, ``simulated`` or ``assumed``. An assumed range has no level of confidence.
    level
        Level of confidence, such as 0.95; None if assumed.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    kind: Kind
    level: float | None


def ratio_variance(b: float, g: float, var_b: float, var_g: float, cov_bg: float) -> float:
    """Give the variance of ``g / b`` by the delta method.

    ``Var(g)/b^2 + g^2 Var(b)/b^4 - 2 g Cov(g, b)/b^3``.
    """
    if not b > 0:
        raise DataError(f"b: found {b:g}; expected above 0")
    # With a singular covariance matrix the sum can come out a rounding error below zero.
    return max(0.0, var_g / b**2 + g**2 * var_b / b**4 - 2 * g * cov_bg / b**3)


def ratio_error(weight: Weight) -> float:
    """Give the standard error of r by the delta method."""
    _needs_covariance(weight)
    assert weight.b is not None
    assert weight.g is not None
    var_b, cov, _, var_g = weight.covariance.ravel().tolist()
    return math.sqrt(ratio_variance(weight.b, weight.g, var_b, var_g, cov))


def slope(value: NDArray[np.float64], form: Form) -> NDArray[np.float64]:
    """Give by how much a value changes with ``r T``: 1, ``exp(r T)`` or ``exp(-r T)``."""
    if form == "linear":
        return np.ones_like(value)
    return 1 + value if form == "compensating" else 1 - value


def delta_interval(
    weight: Weight,
    before: ArrayLike,
    after: ArrayLike,
    form: Form = "linear",
    level: float = 0.95,
    trust_se: ArrayLike = 0.0,
) -> Interval:
    """Give the interval of the value of a change in trust, by the delta method.

    Parameters
    ----------
    weight
        Coefficients with their covariance.
    before, after
        (n,) shares of people who trust.
    form
        As for `value_of_trust`.
    level
        Level of confidence, above 0 and below 1.
    trust_se
        (n,) standard error of the change in trust.

    Returns
    -------
    Interval
        ``v +- z sqrt((dv/dr)^2 Var(r) + (dv/dT)^2 Var(T))``: symmetric, as the method is.

    Raises
    ------
    DataError
        If there is no covariance, or the level is none.
    """
    z = NormalDist().inv_cdf(0.5 + _level(level) / 2)
    t = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    value = value_of_change(weight.ratio, before, after, form)
    spread = np.hypot(
        t * ratio_error(weight), weight.ratio * np.asarray(trust_se, dtype=np.float64)
    )
    half = z * slope(value, form) * spread
    return Interval(value - half, value + half, "delta", level)


def draw_ratio(weight: Weight, draws: int, seed: int) -> NDArray[np.float64]:
    """Draw ``g / b`` from the normal distribution of both coefficients.

    It is infinite where b comes out at 0 or below: income is then worth nothing, so no income makes up for trust.
    """
    _needs_covariance(weight)
    if draws < 1:
        raise DataError(f"draws: found {draws}; expected 1 or more")
    normal = np.random.default_rng(seed).standard_normal((draws, 2))
    # The symmetric root serves singular covariances, which Cholesky's does not.
    sizes, axes = np.linalg.eigh(weight.covariance)
    root = axes * np.sqrt(np.clip(sizes, 0, None))
    b, g = np.array([weight.b, weight.g], dtype=np.float64)[:, None] + root @ normal.T
    return np.where(b > 0, g / np.where(b > 0, b, 1.0), np.inf)


# Wide: as delta_interval, with the draws and their seed.
def simulated_interval(
    weight: Weight,
    before: ArrayLike,
    after: ArrayLike,
    form: Form = "linear",
    level: float = 0.95,
    draws: int = 20_000,
    seed: int = 1,
    trust_se: ArrayLike = 0.0,
) -> Interval:
    """Give the interval of the value of a change in trust from draws.

    Parameters
    ----------
    weight, before, after, form, level, trust_se
        As for `delta_interval`. Trust after the change is drawn too, and kept between 0 and 1.
    draws, seed
        As for `draw_ratio`.

    Returns
    -------
    Interval
        Quantiles of the draws. The ratio of two normal variables is skewed, with a long tail upwards: in the
        linear form both ends lie above those of the delta method, the more the less sure b is.

    Raises
    ------
    DataError
        As for `delta_interval`.
    """
    ends = [0.5 - _level(level) / 2, 0.5 + level / 2]
    r = draw_ratio(weight, draws, seed)
    start, end, se = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (before, after, trust_se))
    )
    noise = np.random.default_rng([seed, 1]).standard_normal((start.size, draws))
    low, high = np.empty((2, *start.shape))
    for k, (t0, t1, s) in enumerate(zip(start.flat, end.flat, se.flat, strict=True)):
        drawn = np.clip(t1 + s * noise[k], 0, 1) if s > 0 else np.full(draws, t1)
        with np.errstate(invalid="ignore", over="ignore"):  # infinite times zero, see below
            value = np.where(drawn == t0, 0.0, value_of_change(r, t0, drawn, form))
        missing = np.isnan(value).any()
        low.flat[k], high.flat[k] = (
            (np.nan, np.nan) if missing else np.quantile(value, ends, method="inverted_cdf")
        )
    shape = np.broadcast_shapes(np.shape(before), np.shape(after), np.shape(trust_se))
    return Interval(low.reshape(shape), high.reshape(shape), "simulated", level)


def range_interval(
    weight: Weight, before: ArrayLike, after: ArrayLike, form: Form = "linear"
) -> Interval:
    """Give the value of a change in trust at both ends of a range that is assumed."""
    if weight.low is None or weight.high is None:
        raise DataError(f"{weight.title}: found no range of r; expected 'low' and 'high'")
    ends = [value_of_change(r, before, after, form) for r in (weight.low, weight.high)]
    return Interval(np.minimum(*ends), np.maximum(*ends), "assumed", None)


def _level(level: float) -> float:
    if not 0 < level < 1:
        raise DataError(f"level: found {level:g}; expected above 0 and below 1, such as 0.95")
    return level


def _needs_covariance(weight: Weight) -> None:
    if not weight.has_covariance:
        raise DataError(
            f"{weight.title}: found no variances; expected 'var_b', 'var_g' and 'cov_bg' for an interval"
        )


@dataclass(frozen=True, slots=True)
class CountryFit:
    """A regression of life satisfaction on log income and trust, across countries."""

    weight: Weight  # coefficients b and g with their covariance
    countries: int
    r_squared: float
    controls: tuple[str, ...]  # what was held constant, of `CONTROLS`

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of b and g."""
        b, g = np.sqrt(np.diag(self.weight.covariance)).tolist()
        return b, g

    @property
    def ratio_error(self) -> float:
        """Standard error of r, by the delta method."""
        return ratio_error(self.weight)


def fit_countries(table: pl.DataFrame, controls: Sequence[str] = ()) -> CountryFit:
    """Fit ``life = a + b log_income + g trust + controls`` by least squares, with robust errors (HC1)."""
    for name in controls:
        if name not in CONTROLS:
            raise UnknownNameError("control", name, CONTROLS)
    columns = ["log_income", "trust", *controls]
    rows = table.drop_nulls(["life", *columns])
    if len(rows) < len(columns) + 10:
        raise DataError(
            f"regression across countries: found {len(rows)} with every number; expected at least {len(columns) + 10}"
        )
    x = np.column_stack([np.ones(len(rows)), rows.select(columns).to_numpy()])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise DataError(f"regression across countries: {', '.join(columns)} depend on each other")
    life = rows["life"].to_numpy()
    estimates, covariance = least_squares(life, x, np.ones(len(rows)))
    r2 = 1 - float(np.sum((life - x @ estimates) ** 2) / np.sum((life - life.mean()) ** 2))
    held = f", {', '.join(controls)} held constant" if controls else ""
    weight = weight_of(
        "regression across countries",
        title=f"Regression across {len(rows)} countries{held}",
        b=float(estimates[1]),
        g=float(estimates[2]),
        var_b=float(covariance[1, 1]),
        var_g=float(covariance[2, 2]),
        cov_bg=float(covariance[1, 2]),
        source="Own regression on World Happiness Report means and trust surveys since 2005",
        vintage="2005 to 2020",
        verified=True,
        caution="Countries differ in much besides trust; this is an association of averages, not an effect.",
    )
    return CountryFit(weight, len(rows), r2, tuple(controls))
