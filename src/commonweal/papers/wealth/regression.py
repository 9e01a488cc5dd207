"""The weight of trust from averages of countries: an ordinary regression, and why to distrust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.papers.wealth.coefficients import Weight, weight_of
from commonweal.papers.wealth.data import CONTROLS
from commonweal.papers.wealth.intervals import ratio_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["Fit", "fit_countries"]


@dataclass(frozen=True, slots=True)
class Fit:
    """A regression of life satisfaction on log income and trust, across countries.

    Attributes
    ----------
    weight
        Coefficients b and g with their covariance.
    countries
        How many.
    r_squared
        Share of variance explained.
    controls
        What was held constant, of `CONTROLS`.
    """

    weight: Weight
    countries: int
    r_squared: float
    controls: tuple[str, ...]

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of b and g."""
        b, g = np.sqrt(np.diag(self.weight.covariance)).tolist()
        return b, g

    @property
    def ratio_error(self) -> float:
        """Standard error of r, by the delta method."""
        return ratio_error(self.weight)


def fit_countries(table: pl.DataFrame, controls: Sequence[str] = ()) -> Fit:
    """Fit ``life = a + b log_income + g trust + controls`` by least squares.

    Parameters
    ----------
    table
        A row a country, as `life_of_countries` gives it; rows with a missing number are left out.
    controls
        What else to hold constant, of `CONTROLS`.

    Returns
    -------
    Fit
        With heteroskedasticity-robust errors (HC1).

    Raises
    ------
    UnknownNameError
        If a control is not there.
    DataError
        If there are too few countries, columns depend on each other, or b is not above 0.
    """
    from statsmodels.regression.linear_model import OLS

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
    fit = OLS(rows["life"].to_numpy(), x).fit(cov_type="HC1", use_t=False)
    covariance = fit.cov_params()
    held = f", {', '.join(controls)} held constant" if controls else ""
    weight = weight_of(
        "regression across countries",
        title=f"Regression across {len(rows)} countries{held}",
        b=float(fit.params[1]),
        g=float(fit.params[2]),
        var_b=float(covariance[1, 1]),
        var_g=float(covariance[2, 2]),
        cov_bg=float(covariance[1, 2]),
        source="Own regression on World Happiness Report means and trust surveys since 2005",
        vintage="2005 to 2020",
        verified=True,
        caution="Countries differ in much besides trust; this is an association of averages, not an effect.",
    )
    return Fit(weight, len(rows), float(fit.rsquared), tuple(controls))
