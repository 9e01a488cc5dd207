"""An index over years: every year of a panel measured against the same base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.arguments import strict
from commonweal.index.rank import TieRule, rank
from commonweal.index.score import Base, fit_base, score

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from commonweal.areas import Move
    from commonweal.index.framework import Node
    from commonweal.index.scores import Scores
    from commonweal.index.types import Floats
    from commonweal.indicators import Panel

__all__ = ["BaseYear", "PanelScores", "base_of", "score_panel"]

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

    def moved(self, move: Move) -> PanelScores:
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
