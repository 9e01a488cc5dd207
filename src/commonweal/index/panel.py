"""An index over years: gaps filled from other years, and every year scored on the same base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.impute import Filled, Sources, checked, filled
from commonweal.index.methods import Within, strict
from commonweal.index.rank import TieRule, rank
from commonweal.index.score import Base, fit_base, score
from commonweal.index.tables import column, groups_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike

    from commonweal.areas import Crosswalk
    from commonweal.index.framework import Node
    from commonweal.index.scores import Scores
    from commonweal.index.tables import Floats, Matrix
    from commonweal.indicators import Panel


__all__ = [
    "BaseYear",
    "OverTime",
    "PanelScores",
    "base_of",
    "fill_years",
    "impute_panel",
    "score_panel",
]


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


BaseYear: TypeAlias = int | Literal["pooled"]
"""The year that all are measured against, or ``pooled``: all years together."""


@dataclass(frozen=True, slots=True)
class PanelScores:
    """One index over years, on one scale: what `score_panel` gives.

    Attributes
    ----------
    index
        Name of the index.
    base
        The base year, or ``pooled``.
    of
        By year, ascending, the index in that year.
    fitted
        What they are measured against.
    """

    index: str
    base: BaseYear
    of: Mapping[int, Scores]
    fitted: Base

    @property
    def years(self) -> tuple[int, ...]:
        """The years, ascending."""
        return tuple(self.of)

    def need(self, path: str = "") -> Floats:
        """(n_years, n_areas) score of a node, of the whole index if no path is given.

        Raises
        ------
        UnknownNameError
            If there is no such node.
        """
        path = path or self.index
        latest = self.of[self.years[-1]]
        if path not in latest.need:
            raise UnknownNameError("node", path, latest.need)
        return np.stack([scores.need[path] for scores in self.of.values()])

    def rank(self, path: str = "", ties: TieRule = "min") -> Floats:
        """(n_years, n_areas) rank among the areas that have a score in that year, 1 = most need."""
        return np.stack([rank(need, ties) for need in self.need(path)])

    def moved(self, move: Crosswalk) -> PanelScores:
        """Carry every year to other areas, as `Scores.moved` does."""
        of = {year: scores.moved(move) for year, scores in self.of.items()}
        return PanelScores(self.index, self.base, of, self.fitted)

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame with a row an area and year: ``code``, ``year`` and `Scores.to_frame`."""
        import polars as pl

        return pl.concat(
            scores.to_frame().select("code", pl.lit(year).alias("year"), pl.exclude("code"))
            for year, scores in self.of.items()
        )


@strict
def score_panel(index: str, tree: Node, panel: Panel, base: BaseYear = "pooled") -> PanelScores:
    """Score every year of a panel on one scale.

    Whatever a transform or a weighing takes from the data, it takes from the base, at every node:
    least and greatest, mean and deviation, the ranks that a value is placed among
    (`commonweal.index.rank.rank_among`), computed weights.

    Parameters
    ----------
    index
        Name of the index.
    tree
        The framework, the same in every year.
    panel
        Values for every leaf of the tree.
    base
        A year of the panel: its scores are then those that `commonweal.index.score` gives for it
        alone. Or ``pooled``: all years as one large set of areas.

    Returns
    -------
    PanelScores

    Raises
    ------
    UnknownNameError
        If the base is no year of the panel, or a leaf's indicator is not there.
    DataError
        If a year cannot be scored, such as a geometric mean of values that fall below the base's
        least; the year is named.

    Examples
    --------
    >>> from commonweal.index import Node
    >>> from commonweal.indicators import Indicator, Panel
    >>> about = (Indicator("km", "Way to a hall", "km", "more", "made up"),)
    >>> values = np.array([[[0.0], [10.0]], [[5.0], [20.0]]])
    >>> panel = Panel("toy", ["a", "b"], (2019, 2024), values, about)
    >>> tree = Node(transform="min_max", children={"km": Node(indicator="km")})
    >>> score_panel("needs", tree, panel, 2019).need()
    array([[  0., 100.],
           [ 50., 200.]])
    """
    fitted = base_of(index, tree, panel, base)
    of = {}
    for year in panel.years:
        try:
            of[year] = score(index, tree, panel.year(year), fitted)
        except DataError as error:
            raise DataError(f"{year}: {error}") from None
    return PanelScores(index, base, of, fitted)


def base_of(index: str, tree: Node, panel: Panel, base: BaseYear) -> Base:
    """Fit a tree to one year of a panel, or to all; parameters and errors as in `score_panel`."""
    years = panel.years if base == "pooled" else (base,)
    try:
        return fit_base(index, tree, [panel.year(year) for year in years])
    except DataError as error:
        raise DataError(f"base {base}: {error}") from None
