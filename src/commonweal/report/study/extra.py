"""Indicators that a study shows and no index has to read: values, and ranks among the areas that have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.numbers import amount, small
from commonweal.document.table import whole
from commonweal.document.words import coded_name, counted, ordinal
from commonweal.index import rank
from commonweal.study.names import counted_areas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.indicators import Indicator
    from commonweal.study.results import Results

__all__ = ["Extra", "extra_columns", "extra_line", "extra_lines", "extras"]

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Extra:
    """One indicator that the study's ``show`` names.

    Attributes
    ----------
    about
        What it is.
    value
        (n_areas,) as measured; NaN where unknown, or withheld since few people or events are behind it.
    rank
        (n_areas,) 1 = most need, among the areas that have a value; ties share the lowest.
    of
        How many areas have a value.
    """

    about: Indicator
    value: NDArray[np.float64]
    rank: NDArray[np.float64]
    of: int

    @property
    def header(self) -> str:
        """Its name with its unit, at the head of a column."""
        unit = self.about.unit
        return f"{self.about.label} ({unit})" if unit else self.about.label


def extras(results: Results) -> list[Extra]:
    """Give the indicators that the study shows, in its order."""
    found = results.extra
    if found is None:
        return []
    made = []
    for name in results.study.show:
        column = found.column(name)
        about, values = found.meta[column], found.values[:, column]
        ranks = rank(values if about.higher_is == "more" else -values)
        hidden = small(results.areas.population, found.counts.get(name))
        shown = np.where(hidden, np.nan, values)
        made.append(Extra(about, shown, ranks, int((~np.isnan(values)).sum())))
    return made


def extra_columns(
    results: Results, rows: NDArray[np.intp] | slice
) -> Iterator[tuple[str, pl.Series]]:
    """Give the columns of a table of some areas: the value of each, and its rank."""
    for one in extras(results):
        yield one.header, pl.Series(one.value[rows], dtype=pl.Float64).fill_nan(None)
        yield f"{one.about.label}: rank", whole(one.rank[rows])


def extra_line(one: Extra, row: int) -> str:
    """Say what is known of one area."""
    if np.isnan(one.rank[row]):
        return f"{one.about.label}: not known here"
    value = amount(float(one.value[row]), one.about.unit) or "too few people to show"
    place = f"{ordinal(one.rank[row])} of the {one.of:,} with a value (1st = most need)"
    return f"{one.about.label}: {value}, {place}"


def extra_lines(results: Results) -> Iterator[str]:
    """Say of each how many of the areas listed have a value, and name those with most need."""
    areas, here = results.areas, np.flatnonzero(results.focus)
    for one in extras(results):
        known = here[~np.isnan(one.rank[here])]
        first = known[np.argsort(one.rank[known], kind="stable")][:MOST_NAMED]
        named = [
            f"{coded_name(areas.codes[i], areas.table['name'][int(i)])} ({amount(float(one.value[i]), one.about.unit)})"
            for i in first
        ]
        most = f"; most need: {'; '.join(named)}" if named else ""
        scored = any(one.about.name in results.study.leaves(index) for index in results.scores)
        yield (
            f"{one.about.label}{'' if scored else ' (in no index)'}: "
            f"{counted(len(known), 'value', 'values')} for {counted_areas(len(here), areas)}{most}."
        )
