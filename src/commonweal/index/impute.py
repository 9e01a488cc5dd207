"""Missing values: filled from other units or other indicators, and reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.correlate import correlate
from commonweal.index.methods import Count, strict
from commonweal.index.tables import (
    Matrix,
    NamedMatrix,
    cell_frame,
    directions_of,
    groups_of,
    listed,
    positions,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.tables import Floats

__all__ = [
    "Filled",
    "Regression",
    "impute_columns",
    "impute_regression",
    "impute_rows",
]

Average: TypeAlias = Literal["mean", "median"]


@dataclass(frozen=True, slots=True)
class Regression:
    """One regression that missing values were filled from.

    Attributes
    ----------
    indicator
        What it explains.
    predictors
        The indicators that it explains it with.
    n
        Units that it was fitted on.
    r2, rmse
        Share of the variance explained, and root mean squared error in the indicator's unit, of the
        units it was fitted on.
    r2_out, rmse_out
        The same of each unit by the regression on all others: what a filled value can be expected
        to have. Negative R2: worse than the mean.
    """

    indicator: str
    predictors: tuple[str, ...]
    n: int
    r2: float
    rmse: float
    r2_out: float
    rmse_out: float


@dataclass(frozen=True, slots=True)
class Filled:
    """Indicators with missing values filled, and what was filled from what.

    Attributes
    ----------
    values
        (n_units, n_indicators); what was there is unchanged.
    unit, indicator
        (n_filled,) row and column of each filled value.
    value
        (n_filled,) what was filled in.
    source
        (n_filled,) what it was filled from, in words.
    n_left
        Values that are still missing, because there was nothing to fill them from.
    regressions
        The regressions used, if any.
    names, units
        (n_indicators,) and (n_units,) names of the columns, and codes of the rows if they have any.
    """

    values: Floats
    unit: NDArray[np.intp]
    indicator: NDArray[np.intp]
    value: Floats
    source: tuple[str, ...]
    n_left: int
    regressions: tuple[Regression, ...]
    names: tuple[str, ...]
    units: tuple[str, ...] | None

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame with a row a filled value: unit, indicator, value and source."""
        return cell_frame(self, ("value", "source"))


Sources: TypeAlias = dict[tuple[int, int], str]


def filled(
    before: NamedMatrix, after: Floats, sources: Sources, regressions: tuple[Regression, ...] = ()
) -> Filled:
    """Report the difference between values before and after, with the source of each cell."""
    indicator, unit = np.nonzero((np.isnan(before.values) & ~np.isnan(after)).T)
    said = tuple(sources[i, j] for i, j in zip(unit.tolist(), indicator.tolist(), strict=True))
    left = int(np.isnan(after).sum())
    return Filled(
        after,
        unit,
        indicator,
        after[unit, indicator],
        said,
        left,
        regressions,
        tuple(before.names),
        before.unit_codes,
    )


def checked(
    x: Matrix, names: Sequence[str] | None, units: Sequence[str] | None = None
) -> NamedMatrix:
    """Take a table in, each of whose indicators has a value at least."""
    taken = table(x, names, units)
    empty = np.isnan(taken.values).all(axis=0)
    if empty.any():
        its = taken.names[int(empty.argmax())]
        raise DataError(f"indicator '{its}' has no values; nothing can be imputed from it")
    return taken


def _average(values: Floats, how: str) -> float:
    return float(np.mean(values) if how == "mean" else np.median(values))


@strict
def impute_columns(
    x: Matrix,
    names: Sequence[str] | None = None,
    how: Average = "mean",
    groups: Sequence[Hashable] | None = None,
    *,
    units: Sequence[str] | None = None,
) -> Filled:
    """Fill from the other units: an indicator's mean or median, over all or the unit's own group.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    how
        ``mean`` or ``median``.
    groups
        (n_units,) group of each unit. Without it all are one. A unit whose group is missing (None
        or NaN), or whose group has no value, stays as it is and is counted in `Filled.n_left`.
    units
        (n_units,) codes.

    Returns
    -------
    Filled
        The values and the report.

    Raises
    ------
    DataError
        If an indicator has no values, or the groups do not fit.
    UnknownNameError
        If `how` is neither.

    Examples
    --------
    >>> done = impute_columns([[1.0], [3.0], [np.nan]], ["pubs"])
    >>> done.value, done.source
    (array([2.]), ('mean of units (n = 2)',))
    """
    taken = checked(x, names, units)
    values = taken.values
    members: dict[Hashable, list[int]] = {}
    of = [""] * len(values) if groups is None else groups_of(groups, len(values))
    for i, group in enumerate(of):
        if group is not None:
            members.setdefault(group, []).append(i)
    after, sources = values.copy(), Sources()
    for group, rows in members.items():
        for j in np.flatnonzero(np.isnan(values[rows]).any(axis=0)).tolist():
            column = values[rows, j]
            present = column[~np.isnan(column)]
            if not len(present):
                continue
            within = f" in {group}" if groups is not None else ""
            said = f"{how} of units{within} (n = {len(present)})"
            average = _average(present, how)
            for i in np.array(rows)[np.isnan(column)].tolist():
                after[i, j], sources[i, j] = average, said
    return filled(taken, after, sources)


@strict
def impute_rows(
    x: Matrix,
    names: Sequence[str] | None = None,
    how: Average = "mean",
    nodes: Mapping[str, Sequence[str]] | None = None,
    direction: ArrayLike | Mapping[str, int] = 1,
    *,
    units: Sequence[str] | None = None,
) -> Filled:
    """Fill from the unit's own other indicators of the same node.

    Indicators are turned to the same direction and stretched to 0..1; a missing one gets the mean
    or median of those of its node that the unit has; and that is mapped back to its own unit.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    how
        ``mean`` or ``median``.
    nodes
        By node, its indicators; without it all are one node. An indicator in none stays as it is.
    direction
        1 or -1 for each indicator, in order or by name (1 for those left out); or one for all.
    units
        (n_units,) codes.

    Returns
    -------
    Filled
        A unit with nothing in the node keeps its gaps there; they are counted in `Filled.n_left`.

    Raises
    ------
    DataError
        If an indicator has no values or is constant, so that it cannot be stretched, if it is in
        two nodes, or a direction is not 1 or -1.
    UnknownNameError
        If a node or a direction has an indicator that is not there, or `how` is neither.

    Examples
    --------
    >>> x = [[0.0, 10.0], [5.0, np.nan], [10.0, 30.0]]
    >>> done = impute_rows(x, ["pubs", "halls"], nodes={"assets": ["pubs", "halls"]})
    >>> done.value, done.source
    (array([20.]), ('mean of assets (n = 1)',))
    """
    taken = checked(x, names, units)
    values, called = taken.values, taken.names
    turn = dict(zip(called, directions_of(direction, called).tolist(), strict=True))
    after, sources = values.copy(), Sources()
    seen: dict[str, str] = {}
    for node, listed_members in (nodes or {"the index": called}).items():
        members = listed(listed_members, node)
        at = positions(called, members, node)
        for name in members:
            if name in seen:
                raise DataError(f"indicator '{name}' is in nodes '{seen[name]}' and '{node}'")
            seen[name] = node
        directed = values[:, at] * [turn[name] for name in members]
        low, high = np.nanmin(directed, axis=0), np.nanmax(directed, axis=0)
        if (low == high).any():
            name = members[int((low == high).argmax())]
            raise DataError(f"indicator '{name}' is constant; it cannot be stretched to 0..1")
        scaled = (directed - low) / (high - low)
        for i in np.flatnonzero(np.isnan(scaled).any(axis=1)).tolist():
            present = scaled[i, ~np.isnan(scaled[i])]
            if not len(present):
                continue
            score = _average(present, how)
            for k in np.flatnonzero(np.isnan(scaled[i])).tolist():
                after[i, at[k]] = (low[k] + score * (high[k] - low[k])) * turn[members[k]]
                sources[i, at[k]] = f"{how} of {node} (n = {len(present)})"
    return filled(taken, after, sources)


@strict
def impute_regression(
    x: Matrix,
    names: Sequence[str] | None = None,
    n_predictors: Count = 5,
    *,
    units: Sequence[str] | None = None,
) -> Filled:
    """Fill from a linear regression on the unit's other indicators.

    For each missing value, the indicators most correlated with it (in absolute value) among those
    that the unit has become its predictors; least squares is fitted on the units that have them
    all. Fewer are used where there would not be 3 units for each coefficient.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    n_predictors
        Most predictors in a regression, 1 or more.
    units
        (n_units,) codes.

    Returns
    -------
    Filled
        With its `Filled.regressions`. A unit for which none can be fitted keeps its gap, counted in
        `Filled.n_left`. Filled values lie on the regression: they vary less than real ones.

    Raises
    ------
    DataError
        If an indicator has no values, one with gaps is constant, or `n_predictors` is below 1.

    Notes
    -----
    Errors of units left out come from the hat matrix, ``e / (1 - h)``: Allen (1974), The
    relationship between variable selection and data augmentation, Technometrics 16, 125-127.

    Examples
    --------
    >>> x = np.column_stack([np.arange(8.0), 2 * np.arange(8.0) + 1])
    >>> x[3, 1] = np.nan
    >>> done = impute_regression(x, ["pubs", "halls"])
    >>> done.value.round(6), done.source
    (array([7.]), ('regression on pubs',))
    """
    taken = checked(x, names, units)
    values, called = taken.values, taken.names
    have = ~np.isnan(values)
    # Rounded, so that equally strong ones do not change places with the order of the units.
    strength = np.nan_to_num(np.abs(correlate(values).r)).round(10)
    after, sources = values.copy(), Sources()
    regressions: list[Regression] = []
    for j in np.flatnonzero(~have.all(axis=0)).tolist():
        column = values[have[:, j], j]
        if (column == column[0]).all():
            raise DataError(f"indicator '{called[j]}' is constant; nothing can explain it")
        order = [
            k for k in np.argsort(-strength[j], kind="stable").tolist() if k != j and strength[j, k]
        ]
        fits: dict[tuple[int, ...], tuple[tuple[int, ...], Floats]] = {}
        for i in np.flatnonzero(~have[:, j]).tolist():
            wanted = tuple(k for k in order if have[i, k])[:n_predictors]
            if wanted not in fits:
                chosen = _fewer(have, j, wanted)
                fits[wanted] = chosen, _fit(values, have, j, chosen, called, regressions)
            chosen, coefficients = fits[wanted]
            if chosen:
                after[i, j] = coefficients[0] + values[i, chosen] @ coefficients[1:]
                sources[i, j] = f"regression on {', '.join(called[k] for k in chosen)}"
    return filled(taken, after, sources, tuple(regressions))


def _fewer(have: NDArray[np.bool_], j: int, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Drop the weakest predictors until there are 3 units for each coefficient."""
    while wanted and have[:, [j, *wanted]].all(axis=1).sum() < 3 * (len(wanted) + 1):
        wanted = wanted[:-1]
    return wanted


def _fit(
    values: Floats,
    have: NDArray[np.bool_],
    j: int,
    chosen: tuple[int, ...],
    names: list[str],
    regressions: list[Regression],
) -> Floats:
    """Fit indicator j by least squares, note how well, and give the coefficients, constant first."""
    if not chosen:
        return np.empty(0)
    rows = have[:, [j, *chosen]].all(axis=1)
    y, x = values[rows, j], values[rows][:, list(chosen)]
    mean, sd = x.mean(axis=0), x.std(axis=0)
    sd[sd == 0] = 1.0
    z, centred = (x - mean) / sd, y - y.mean()
    size, axes = np.linalg.eigh(z.T @ z)
    held = size > size[-1] * 1e-12  # predictors that repeat each other share their part
    axes, size = axes[:, held], size[held]
    scores = z @ axes
    slopes = axes @ (scores.T @ centred / size)
    error = centred - z @ slopes
    leverage = 1 / len(y) + (scores**2 / size).sum(axis=1)
    out = error / np.maximum(1 - leverage, 1e-9)
    variance, lost, lost_out = (float(np.square(e).mean()) for e in (centred, error, out))
    r2, r2_out = (1 - e / variance if variance else np.nan for e in (lost, lost_out))
    rmse, rmse_out = float(np.sqrt(lost)), float(np.sqrt(lost_out))
    of = tuple(names[k] for k in chosen)
    regressions.append(Regression(names[j], of, len(y), r2, rmse, r2_out, rmse_out))
    slopes = slopes / sd
    return np.r_[y.mean() - mean @ slopes, slopes]
