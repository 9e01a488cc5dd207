"""The regressions of places that don't matter, and their diagnostics: influence, collinearity, neighbours."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.files.extras import needs
from commonweal.papers.discontent.data import authorities
from commonweal.survey.regression import CONSTANT, Fit, Term, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.access import Points
    from commonweal.papers.discontent.data import Authorities
    from commonweal.sources import Store


@dataclass(frozen=True)
class Influence:
    """What each row does to a model.

    Attributes
    ----------
    leverage
        (n,) from 0 to 1: how far a row's predictors are from the others'; they add up to the number of
        coefficients.
    studentised
        (n,) residuals over their standard errors, which a large leverage makes small.
    cook
        (n,) Cook's distance: how far all fitted values move when the row is left out.
    change
        (n, k) what leaving the row out adds to each coefficient.
    """

    leverage: NDArray[np.float64]
    studentised: NDArray[np.float64]
    cook: NDArray[np.float64]
    change: NDArray[np.float64]

    def most(self, many: int = 10) -> NDArray[np.intp]:
        """Give the rows of the largest Cook's distance, the largest first."""
        return np.argsort(-self.cook, kind="stable")[:many]


def influence(model: Fit) -> Influence:
    """Compute leverage, studentised residuals, Cook's distance and changes of coefficients.

    Raises
    ------
    DataError
        If the model compares rows within groups: leaving a row out then changes its group's mean.

    Notes
    -----
    Cook (1977), with rows times the square root of their weight: ``h = x'(X'X)^-1 x``, ``D = e^2 h / (k s^2
    (1 - h)^2)``; without a row the coefficients change by ``-(X'X)^-1 x e / (1 - h)``, exactly.
    """
    if model.within:
        raise DataError(f"a model within each {model.within}; expected one with a constant")
    root = np.sqrt(model.weights)
    x, e = model.design * root[:, None], model.residuals * root
    n, k = x.shape
    inverse = np.linalg.inv(x.T @ x)
    leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
    variance = float(e @ e) / (n - k)
    studentised = e / np.sqrt(variance * (1 - leverage))
    cook = studentised**2 * leverage / (1 - leverage) / k
    change = -(x @ inverse) * (e / (1 - leverage))[:, None]
    return Influence(leverage, studentised, cook, change)


def variance_inflation(model: Fit) -> dict[str, float]:
    """Say how many times overlap with the other columns multiplies a coefficient's variance.

    Returns
    -------
    dict of str to float
        By column, 1 (no overlap) or more; ``1 / (1 - R2)`` of the column on the others, weighted.
    """
    names = [t.name for t in model.terms if t.name != CONSTANT]
    x = model.design[:, -len(names) :]
    centred = (x - np.average(x, axis=0, weights=model.weights)) * np.sqrt(model.weights)[:, None]
    scaled = centred / np.linalg.norm(centred, axis=0)
    return dict(zip(names, np.diag(np.linalg.inv(scaled.T @ scaled)).tolist(), strict=True))


def partial_regression(model: Fit, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give a column and the outcome with what the other columns say of them taken out.

    The weighted line through them has the model's coefficient for its slope (Frisch, Waugh and Lovell).
    """
    at = model.position(name)
    root = np.sqrt(model.weights)[:, None]
    others = np.delete(model.design, at, axis=1)
    both = np.column_stack([model.design[:, at], model.observed])
    known = np.linalg.lstsq(others * root, both * root, rcond=None)[0]
    left = both - others @ known
    return left[:, 0], left[:, 1]


@dataclass(frozen=True)
class Moran:
    """Moran's I, tested by permutation.

    Attributes
    ----------
    i
        Near 1 where neighbours are alike, near `expected` where they are not related.
    expected
        Of values without order: ``-1 / (n - 1)``.
    p
        Share of draws, the observed among them, as far from the expected as the observed is.
    draws
        How many permutations.
    """

    i: float
    expected: float
    p: float
    draws: int


@dataclass(frozen=True)
class SpatialFit:
    """A regression that lets neighbours go together, by maximum likelihood.

    Attributes
    ----------
    kind
        ``error`` (what the model misses is shared among neighbours) or ``lag`` (the outcome is).
    terms
        As in `Fit`; intervals by the normal law.
    spatial
        How strongly neighbours go together: lambda or rho, between -1 and 1.
    total
        By column, the coefficient with what comes back by way of neighbours: ``b / (1 - rho)`` for the
        lag model, the coefficient itself for the error model.
    aic, aic_ols
        Akaike's criterion of this model and of the same without neighbours; smaller is better.
    """

    kind: str
    terms: tuple[Term, ...]
    spatial: Term
    total: dict[str, float]
    aic: float
    aic_ols: float


def neighbours(points: Points, k: int) -> NDArray[np.intp]:
    """Give the positions of the k nearest others of each point, as the crow flies, the nearest first."""
    from commonweal.access import straight_nearest

    if not 1 <= k < len(points):
        raise DataError(
            f"{k} neighbours of {len(points)} places; expected from 1 to {len(points) - 1}"
        )
    near = straight_nearest(points, points, k + 1).place
    if (near[:, 0] != np.arange(len(points))).any():
        raise DataError("two places have the same point; expected one each")
    return near[:, 1:].astype(np.intp)


def moran(
    values: NDArray[np.float64],
    near: NDArray[np.intp],
    *,
    draws: int = 999,
    seed: int = 2016,
) -> Moran:
    """Measure whether neighbours are alike.

    Parameters
    ----------
    values
        (n,) such as residuals.
    near
        (n, k) neighbours of each, which count equally.
    draws, seed
        Permutations of the values over the places.

    Raises
    ------
    DataError
        If shapes do not fit or the values are constant.

    Notes
    -----
    Moran (1950): ``I = sum_i z_i mean_j(z_j) / sum_i z_i^2`` with rows of weights that add up to 1. Residuals
    of a model are not quite free to permute, so a p-value close to a threshold is to be taken as such.
    """
    if len(values) != len(near):
        raise DataError(
            f"{len(values)} values and neighbours of {len(near)} places; expected as many"
        )
    z = values - values.mean()
    below = float(z @ z)
    if below <= 1e-20 * len(z):
        raise DataError("the values are constant; expected values that vary")

    def statistic(x: NDArray[np.float64]) -> float:
        return float(x @ x[near].mean(axis=1)) / below

    found, expected = statistic(z), -1 / (len(z) - 1)
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(rng.permutation(z)) for _ in range(draws)])
    extreme = int((np.abs(drawn - expected) >= abs(found - expected) - 1e-12).sum())
    return Moran(found, expected, (extreme + 1) / (draws + 1), draws)


def spatial_error(model: Fit, near: NDArray[np.intp]) -> SpatialFit:
    """Fit the columns of a model with ``y = X b + u``, ``u = lambda W u + e``, by maximum likelihood.

    Rows count equally: the weights and clusters of the model are left aside.

    Parameters
    ----------
    model
        A model with a constant.
    near
        (n, k) neighbours of each row, which count equally (rows of W add up to 1).

    Raises
    ------
    DataError
        If the model compares rows within groups, or shapes do not fit.
    """
    return _spatial(model, near, "error")


def spatial_lag(model: Fit, near: NDArray[np.intp]) -> SpatialFit:
    """Fit the columns of a model with ``y = rho W y + X b + e``; otherwise as `spatial_error`."""
    return _spatial(model, near, "lag")


def _spatial(model: Fit, near: NDArray[np.intp], kind: str) -> SpatialFit:
    from scipy.stats import norm

    with needs("papers"):
        from libpysal.weights import W
        from spreg.ml_error import BaseML_Error
        from spreg.ml_lag import BaseML_Lag

    if model.within:
        raise DataError(f"a model within each {model.within}; expected one with a constant")
    if len(near) != model.rows:
        raise DataError(f"neighbours of {len(near)} places for {model.rows} rows; expected as many")
    weights = W({i: row.tolist() for i, row in enumerate(near)}, silence_warnings=True)
    weights.transform = "r"
    with warnings.catch_warnings():
        # spreg gives scipy's bounded search a tolerance of a kind that it does not take.
        warnings.filterwarnings("ignore", "Method 'bounded' does not support", RuntimeWarning)
        method = {"error": BaseML_Error, "lag": BaseML_Lag}[kind]
        found = method(model.observed[:, None], model.design, w=weights)
    b, se = np.ravel(found.betas), np.sqrt(np.diag(found.vm))
    names = [*(t.name for t in model.terms), {"error": "lambda", "lag": "rho"}[kind]]
    half = norm.ppf(0.975)
    terms = [
        Term(
            name,
            float(x),
            float(s),
            float(x - half * s),
            float(x + half * s),
            float(2 * norm.sf(abs(x / s))),
        )
        for name, x, s in zip(names, b, se, strict=True)
    ]
    *columns, spatial = terms
    aic = 2 * (len(names) + 1) - 2 * float(np.squeeze(found.logll))  # the variance is one more
    total = {t.name: t.estimate / (1 - spatial.estimate if kind == "lag" else 1) for t in columns}
    return SpatialFit(kind, tuple(columns), spatial, total, aic, _aic(model))


def _aic(model: Fit) -> float:
    """Give Akaike's criterion of the same columns where rows count equally and neighbours do not."""
    left = np.linalg.lstsq(model.design, model.observed, rcond=None)[0]
    n, k = model.design.shape
    squares = float(np.sum((model.observed - model.design @ left) ** 2))
    return n * (np.log(2 * np.pi * squares / n) + 1) + 2 * (k + 1)


GROWTH = "growth"
_ALONE = (GROWTH, "ln_gva", "wales")
_INDUSTRY = (*_ALONE, "people_growth", "manufacturing", "manufacturing_change")

COLUMNS = {
    "growth alone": _ALONE,
    "with industry": _INDUSTRY,
    "with people": (*_INDUSTRY, "degree", "older", "unemployed"),
}
"""Predictors of the Leave share, by column; growth alone is beside the level of 1998 and Wales."""

NEIGHBOURS = 6
"""How many nearest authorities count as neighbours."""


@dataclass(frozen=True)
class Column:
    """One column of the table."""

    title: str  # its key in `COLUMNS`
    model: Fit  # leave share on its predictors


@dataclass(frozen=True)
class Specification:
    """The same models by another reading of a word or another choice."""

    title: str
    models: tuple[Fit, ...]  # the three columns, in their order


@dataclass(frozen=True)
class SpatialDependence:
    """What neighbours share, in the last column."""

    moran: dict[int, Moran]  # by number of nearest neighbours, Moran's I of the residuals
    plain: Fit  # the model with every authority counted equally, for what follows
    # error, lag: the same with errors, or the outcome, that neighbours share
    error: SpatialFit
    lag: SpatialFit


def three_columns(table: pl.DataFrame) -> tuple[Column, ...]:
    """Fit the model of Rodríguez-Pose (2018) and Dijkstra et al. (2020) to the vote of 2016.

    Weighted by electorate; errors clustered by region, as growth and industry are measured for regions.
    """
    return tuple(Column(title, _fit(table, names)) for title, names in COLUMNS.items())


def shrinkage(columns: Sequence[Column]) -> float:
    """Give how much smaller the coefficient of growth is in the last column than before it: 0.79 for 79%.

    Measured from the second column, which adds industry, to the last, which adds people.
    """
    before, last = (column.model.term(GROWTH).estimate for column in columns[-2:])
    return 1 - last / before


def other_specifications(store: Store, found: Authorities) -> tuple[Specification, ...]:
    """Fit the three columns by other readings of their words, one at a time."""
    import polars as pl

    table = found.table
    money = {
        "manufacturing": "manufacturing_money",
        "manufacturing_change": "manufacturing_money_change",
    }
    gdp = {GROWTH: "growth_gdp", "ln_gva": "ln_gdp"}
    equal = table.with_columns(electorate=pl.lit(1.0))
    outside = table.filter(pl.col("london") == 0)
    readings = {
        "as above": table,
        "manufacturing at current prices, as is usual": _renamed(table, money),
        "growth as a difference of logs": _renamed(table, {GROWTH: "growth_log"}),
        "GDP in place of GVA": _renamed(table, gdp),
        "unemployed of the economically active": _renamed(
            table, {"unemployed": "unemployed_active"}
        ),
        "every authority counts equally": equal,
        "without London": outside,
        "with the eight authorities of Dorset": authorities(store, redrawn=True).table,
    }
    return tuple(
        Specification(title, tuple(_fit(rows, names) for names in COLUMNS.values()))
        for title, rows in readings.items()
    )


def without_most_influential(table: pl.DataFrame, model: Fit, many: int = 10) -> Fit:
    """Fit a column again without the authorities of the largest Cook's distance."""
    out = influence(model).most(many)
    kept = [i for i in range(table.height) if i not in set(out.tolist())]
    return _fit(table[kept], [t.name for t in model.terms[1:]])


def among_neighbours(
    table: pl.DataFrame, model: Fit, *, others: Sequence[int] = (4, 8, 10)
) -> SpatialDependence:
    """Measure what neighbouring authorities share that a column does not say, and allow for it."""
    from commonweal.access import Points

    points = Points(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    near = neighbours(points, max(NEIGHBOURS, *others))
    ks = sorted({NEIGHBOURS, *others})
    names = [t.name for t in model.terms[1:]]
    plain = fit(table, model.outcome, names, clusters=model.clusters)
    return SpatialDependence(
        {k: moran(model.residuals, near[:, :k]) for k in ks},
        plain,
        spatial_error(plain, near[:, :NEIGHBOURS]),
        spatial_lag(plain, near[:, :NEIGHBOURS]),
    )


def _fit(table: pl.DataFrame, names: Sequence[str]) -> Fit:
    return fit(table, "leave", names, weights="electorate", clusters="region")


def _renamed(table: pl.DataFrame, swaps: dict[str, str]) -> pl.DataFrame:
    """Put other columns in the place of the model's."""
    return table.drop(swaps).rename({new: old for old, new in swaps.items()})
