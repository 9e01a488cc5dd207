"""Missing values of a panel: filled from the same unit's other years, and reported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import Within, strict
from commonweal.index.impute import Filled, Sources, checked, filled
from commonweal.index.lists import column, groups_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.tables import Matrix
    from commonweal.indicators import Panel

__all__ = ["OverTime", "fill_years", "impute_panel"]

OverTime: TypeAlias = Literal["latest", "linear", "constant"]
Gap: TypeAlias = Annotated[float, Within(0, above=True, finite=False)]
"""So many years, above 0; infinite = any."""


@strict
def fill_years(
    panel: Panel, how: OverTime = "latest", max_gap: Gap = np.inf
) -> tuple[Panel, Filled]:
    """Fill the gaps of a panel from the same area's other years.

    Parameters
    ----------
    panel
        Years of areas by indicators.
    how, max_gap
        As in `impute_panel`.

    Returns
    -------
    tuple
        The panel, and what was filled from what. Rows of `Filled` are areas year by year: row
        ``k * n_areas + i`` is area i in year k. A filled value has no standard error.

    Raises
    ------
    DataError
        As in `impute_panel`.

    Examples
    --------
    >>> from commonweal.indicators import Indicator, Panel
    >>> about = (Indicator("km", "Way to a hall", "km", "more", "made up"),)
    >>> holed = Panel("toy", ["a"], (2018, 2019, 2021), np.array([[[1.0]], [[np.nan]], [[4.0]]]), about)
    >>> fill_years(holed, "linear")[0].values[:, 0, 0]
    array([1., 2., 4.])
    """
    n_years, n_areas, n_indicators = panel.values.shape
    found = impute_panel(
        panel.values.reshape(-1, n_indicators),
        list(panel.codes) * n_years,
        np.repeat(panel.years, n_areas),
        [m.name for m in panel.meta],
        how,
        max_gap,
    )
    return replace(panel, values=found.values.reshape(panel.values.shape)), found


@strict
def impute_panel(
    x: Matrix,
    units: Sequence[Hashable],
    times: ArrayLike,
    names: Sequence[str] | None = None,
    how: OverTime = "latest",
    max_gap: Gap = np.inf,
) -> Filled:
    """Fill from the same unit's other years.

    Parameters
    ----------
    x
        (n_rows, n_indicators) values, a row a unit and year, in any order, NaN = missing.
    units, times
        (n_rows,) unit and year of each row.
    names
        (n_indicators,) names.
    how
        ``latest``: the last value before. ``linear``: on the line between the values before and
        after. ``constant``: the last value before, or where there is none the first after.
    max_gap
        Furthest year that may be used, in the unit of `times`, above 0.

    Returns
    -------
    Filled
        What no year can fill stays missing, counted in `Filled.n_left`.

    Raises
    ------
    DataError
        If an indicator has no values, a unit has a year twice, a year is missing, or `how` or
        `max_gap` is out of range.

    Examples
    --------
    >>> done = impute_panel([[1.0], [np.nan], [4.0]], ["A"] * 3, [2018, 2019, 2021], how="linear")
    >>> done.value, done.source
    (array([2.]), ('between 2018 and 2021',))
    """
    taken = checked(x, names)
    values = taken.values
    year = column(times, "times", len(values), per="row")
    units = groups_of(units, len(values), "units")
    if None in units:
        raise DataError(f"unit of row {units.index(None) + 1} is missing")
    if np.isnan(year).any():
        raise DataError(f"year of row {int(np.isnan(year).argmax()) + 1} is missing")
    rows_of: dict[Hashable, list[int]] = {}
    for i in np.argsort(year, kind="stable").tolist():
        rows = rows_of.setdefault(units[i], [])
        if rows and year[rows[-1]] == year[i]:
            raise DataError(f"unit '{units[i]}' has year {year[i]:g} twice; expected each once")
        rows.append(i)
    after, sources = values.copy(), Sources()
    for rows in rows_of.values():
        for j in np.flatnonzero(np.isnan(values[rows]).any(axis=0)).tolist():
            known = [i for i in rows if not np.isnan(values[i, j])]
            for i in [i for i in rows if np.isnan(values[i, j])]:
                near = [k for k in known if abs(year[k] - year[i]) <= max_gap]
                before = next((k for k in reversed(near) if year[k] < year[i]), None)
                later = next((k for k in near if year[k] > year[i]), None)
                if how == "constant" and before is None:
                    before = later
                if before is None or (how == "linear" and later is None):
                    continue
                if how == "linear" and later is not None:
                    share = (year[i] - year[before]) / (year[later] - year[before])
                    step = values[later, j] - values[before, j]
                    after[i, j] = values[before, j] + share * step
                    sources[i, j] = f"between {year[before]:g} and {year[later]:g}"
                else:
                    after[i, j], sources[i, j] = values[before, j], f"value of {year[before]:g}"
    rows_called = [f"{unit} {when:g}" for unit, when in zip(units, year.tolist(), strict=True)]
    return replace(filled(taken, after, sources), units=tuple(rows_called))
