"""A weighted regression of named columns of a table, with errors clustered by group.

Coefficients say what goes together, other columns held equal. They are not causes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray


CONSTANT = "constant"
"""What the intercept is called."""

_LEVEL = 0.95


@dataclass(frozen=True)
class Term:
    """One coefficient.

    Attributes
    ----------
    name
        The column.
    estimate
        Units of the outcome per unit of the column.
    se
        Its standard error.
    low, high
        Bounds of its 95% interval, by Student's t.
    p
        Two-sided, of a coefficient of zero.
    """

    name: str
    estimate: float
    se: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Fit:
    """A fitted regression.

    Attributes
    ----------
    outcome, within, clusters
        Columns: what is described; by whose groups each row is compared with its own group only, and
        errors are clustered; empty if none.
    terms
        The coefficients, the constant first; there is none where rows are compared within groups.
    rows
        How many rows.
    groups
        How many clusters; the number of rows where there are none.
    r2
        Share of the weighted variance that goes with the columns; of that within groups, if there are.
    design
        (n, k) columns as they were fitted, in the order of `terms`; without the mean of their group
        where rows are compared within groups.
    observed, residuals
        (n,) the outcome as it was fitted, and what the columns leave of it.
    weights
        (n,) positive; ones if none were given.
    cluster_of
        (n,) the cluster of each row, as text; None if there are none.
    """

    outcome: str
    terms: tuple[Term, ...]
    rows: int
    groups: int
    r2: float
    design: NDArray[np.float64]
    observed: NDArray[np.float64]
    residuals: NDArray[np.float64]
    weights: NDArray[np.float64]
    clusters: str = ""
    within: str = ""
    cluster_of: NDArray[np.str_] | None = None

    def term(self, name: str) -> Term:
        """Give a coefficient.

        Raises
        ------
        UnknownNameError
            If the model has none of that name.
        """
        for term in self.terms:
            if term.name == name:
                return term
        raise UnknownNameError("term", name, [t.name for t in self.terms], " in the model")

    def position(self, name: str) -> int:
        """Give the place of a coefficient among the terms; raises as `term` does."""
        return self.terms.index(self.term(name))


def fit_formula(
    table: pl.DataFrame,
    formula: str,
    *,
    weights: str = "",
    clusters: str = "",
    within: str = "",
) -> Fit:
    """Fit ``outcome ~ column + column``, of a table of one's own; see `fit`.

    Raises
    ------
    DataError
        If the formula is not of that form.

    Examples
    --------
    >>> import polars as pl
    >>> towns = pl.DataFrame({"leave": [40.0, 50.0, 61.0, 69.0], "decline": [1, 2, 3, 4]})
    >>> model = fit_formula(towns, "leave ~ decline")
    >>> round(model.term("decline").estimate, 2), round(model.r2, 3)
    (9.8, 0.996)
    """
    outcome, tilde, right = formula.partition("~")
    names = [name.strip() for name in right.split("+")]
    if not tilde or not outcome.strip() or not all(names):
        raise DataError(f"formula '{formula}'; expected 'outcome ~ column + column'")
    return fit(table, outcome.strip(), names, weights=weights, clusters=clusters, within=within)


def fit(
    table: pl.DataFrame,
    outcome: str,
    predictors: Sequence[str],
    *,
    weights: str = "",
    clusters: str = "",
    within: str = "",
) -> Fit:
    """Fit a linear regression by weighted least squares.

    Parameters
    ----------
    table
        A row for each place. No value may be missing.
    outcome, predictors
        Its columns of numbers or truths.
    weights
        A column of positive numbers, such as the electorate.
    clusters
        A column of groups whose errors may go together, such as the region that a value was
        measured for. Without one, errors are robust to unequal variance (HC1).
    within
        A column of groups: each row is then compared with its own group alone, by leaving its
        weighted mean out of every column (a fixed effect a group). A group of one row tells nothing.

    Returns
    -------
    Fit

    Raises
    ------
    UnknownNameError
        If a column is not there; the message names the nearest.
    DataError
        If a value is missing or no number, the outcome is constant, a predictor is or follows from the others, a
        weight is not positive, or there are too few rows or clusters.

    Notes
    -----
    The covariance of clusters is the sandwich ``A sum_g(s_g s_g') A`` with ``A = (X'WX)^-1`` and
    ``s_g`` the sum of ``x w e`` over a cluster, times ``G / (G - 1) (n - 1) / (n - k)``; intervals take
    G - 1 degrees of freedom.
    """
    from scipy.stats import t as students

    names = list(predictors)
    if not names:
        raise DataError(f"the model of {outcome} has no predictor; expected at least one column")
    if len(set(names)) < len(names) or outcome in names:
        twice = next(n for n in [*names, outcome] if [*names, outcome].count(n) > 1)
        raise DataError(f"column '{twice}' is in the model more than once; expected it once")
    y = _numbers(table, outcome)
    x = np.column_stack([_numbers(table, name) for name in names])
    w = _numbers(table, weights) if weights else np.ones(table.height)
    if (w <= 0).any():
        raise DataError(f"weights '{weights}': found {w.min():g}; expected positive numbers")
    if within:
        inside = _groups(table, within)
        x, y = _without_means(x, inside, w), _without_means(y[:, None], inside, w)[:, 0]
    else:
        x = np.column_stack([np.ones(table.height), x])
        names = [CONSTANT, *names]
    n, k = x.shape
    if n <= k:
        raise DataError(f"{n} rows for {k} coefficients; expected more rows than coefficients")
    _refuse_collinear(x * np.sqrt(w)[:, None], names, within)
    groups = None
    if clusters:
        groups = _groups(table, clusters)
        many = int(groups.max()) + 1
        if many <= k:
            raise DataError(
                f"clusters '{clusters}': {many} for {k} coefficients; expected more clusters than coefficients"
            )
    else:
        many = n
    centre = 0.0 if within else np.average(y, weights=w)
    spread = float(w @ (y - centre) ** 2)
    if spread == 0:
        where = f" within each {within}" if within else ""
        raise DataError(f"column '{outcome}' is constant{where}; expected one that varies")
    estimates, covariance = least_squares(y, x, w, groups)
    errors, left = np.sqrt(np.diag(covariance)), y - x @ estimates
    df = many - 1 if clusters else n - k
    half = students.ppf(1 - (1 - _LEVEL) / 2, df) * errors
    p = 2 * students.sf(np.abs(estimates / errors), df)
    columns = (estimates, errors, estimates - half, estimates + half, p)
    terms = tuple(
        Term(name, *map(float, numbers)) for name, *numbers in zip(names, *columns, strict=True)
    )
    r2 = 1 - float(w @ left**2) / spread
    own = np.asarray(table[clusters].cast(str).to_list()) if clusters else None
    return Fit(outcome, terms, n, many, r2, x, y, left, w, clusters, within, own)


def least_squares(
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    w: NDArray[np.float64],
    groups: NDArray[np.intp] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give coefficients by weighted least squares, and their covariance: HC1, or of clusters by their number."""
    n, k = x.shape
    root = np.sqrt(w)
    rows, given = x * root[:, None], y * root
    inverse = np.linalg.pinv(rows, rcond=1e-15)
    estimates = inverse @ given
    left = given - rows @ estimates
    if groups is None:
        return estimates, inverse @ ((n / (n - k) * left**2)[:, None] * inverse.T)
    score = rows * left[:, None]
    sums = np.array([np.bincount(groups, column) for column in score.T]).T
    many, bread = len(sums), inverse @ inverse.T
    return estimates, bread @ (sums.T @ sums) @ bread.T * (many / (many - 1) * ((n - 1) / (n - k)))


def interval(term: Term, unit: str = "points", digits: int = 1) -> str:
    """Say a coefficient with its 95% interval.

    Examples
    --------
    >>> interval(Term("growth", -1.05, 0.48, -2.01, -0.10, 0.03), digits=2)
    '-1.05 points (95% interval -2.01 to -0.10)'
    """
    estimate, low, high = (f"{x:.{digits}f}" for x in (term.estimate, term.low, term.high))
    return f"{estimate} {unit} (95% interval {low} to {high})"


def _numbers(table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """Give a column as numbers, none of them missing."""
    if name not in table.columns:
        raise UnknownNameError("column", name, table.columns, " in the table")
    kind = table.schema[name]
    if not (kind.is_numeric() or str(kind) == "Boolean"):
        raise DataError(f"column '{name}' is {kind}; expected numbers")
    values = table[name].cast(float).to_numpy()
    missing = int(np.count_nonzero(~np.isfinite(values)))
    if missing:
        raise DataError(
            f"column '{name}' is missing or infinite in {missing:,} of {len(values):,} rows"
        )
    return values


def _groups(table: pl.DataFrame, name: str) -> NDArray[np.intp]:
    """Give the groups of a column as numbers from 0."""
    if name not in table.columns:
        raise UnknownNameError("column", name, table.columns, " in the table")
    column = table[name]
    if column.null_count():
        raise DataError(
            f"column '{name}' is missing in {column.null_count():,} of {len(column):,} rows"
        )
    if column.n_unique() < 2:
        raise DataError(f"column '{name}' has one group; expected at least two")
    return np.unique(column.cast(str).to_numpy(), return_inverse=True)[1]


def _without_means(
    x: NDArray[np.float64], groups: NDArray[np.intp], w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take the weighted mean of its group out of every column."""
    people = np.bincount(groups, w)
    means = np.column_stack([np.bincount(groups, w * column) / people for column in x.T])
    return x - means[groups]


def _refuse_collinear(x: NDArray[np.float64], names: list[str], within: str) -> None:
    """Refuse a column that is constant, or that those before it add up to."""
    basis = np.empty((len(x), 0))
    for name, column in zip(names, x.T, strict=True):
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)
        size = float(np.linalg.norm(column))
        if np.linalg.norm(left) <= 1e-9 * max(size, 1e-300) or size <= 1e-9:
            where = f" within each {within}" if within else ""
            one = basis.shape[1] <= (0 if within else 1)
            what = "is constant" if one else "is constant, or the sum of others"
            raise DataError(f"column '{name}' {what}{where}; expected one that varies by itself")
        basis = np.column_stack([basis, left / np.linalg.norm(left)])


@dataclass(frozen=True)
class Jackknife:
    """A coefficient without each cluster in turn.

    Attributes
    ----------
    estimates
        By cluster, the coefficient without it.
    term
        The coefficient of all rows, with the standard error and the interval of the jackknife.
    """

    estimates: dict[str, float]
    term: Term


def jackknife(model: Fit, name: str) -> Jackknife:
    """Leave each cluster out in turn: whether one decides, and an interval where few hold the answer.

    Parameters
    ----------
    model
        With clusters; where it compares rows within groups, these are its clusters.
    name
        The coefficient.

    Raises
    ------
    UnknownNameError
        If the model has no such coefficient.
    DataError
        If the model has no clusters, or compares within groups that are not its clusters; or if the standard
        error comes out as 0, or as no number.

    Notes
    -----
    ``se^2 = (G - 1) / G sum_g (b_(g) - b)^2`` (CR3; MacKinnon, Nielsen and Webb, 2023, Journal of
    Econometrics 232), which errs to the safe side where few clusters hold what is compared. The
    interval takes Student's t of G - 1 degrees of freedom.
    """
    from scipy.stats import t as student

    at, all_rows = model.position(name), model.term(name)
    if model.cluster_of is None or (model.within and model.within != model.clusters):
        raise DataError(
            f"clusters '{model.clusters}' and groups '{model.within}'; expected clusters, and groups that are these"
        )
    root = np.sqrt(model.weights)
    x, y = model.design * root[:, None], model.observed * root
    estimates = {}
    for cluster in np.unique(model.cluster_of):
        rest = model.cluster_of != cluster
        estimates[str(cluster)] = float(np.linalg.lstsq(x[rest], y[rest], rcond=None)[0][at])
    g = len(estimates)
    changes = np.array(list(estimates.values())) - all_rows.estimate
    se = float(np.sqrt((g - 1) / g * (changes @ changes)))
    if not 0 < se < np.inf:
        raise DataError(
            f"the standard error of '{name}' comes out as {se:g} when each of {g:,} clusters is left out; "
            "expected values that vary, and none that is huge"
        )
    half = float(student.ppf(0.975, g - 1)) * se
    p = float(2 * student.sf(abs(all_rows.estimate) / se, g - 1))
    low, high = all_rows.estimate - half, all_rows.estimate + half
    return Jackknife(estimates, Term(name, all_rows.estimate, se, low, high, p))
