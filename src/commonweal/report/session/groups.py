"""The groups that a state is told by: tenths by deprivation, regions, town and country."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import UnknownNameError
from commonweal.index import decile
from commonweal.report.study.larger import tiers
from commonweal.study.names import focus_name, index_label, larger_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from commonweal.study.results import Results

    Floats = NDArray[np.float64]

__all__ = ["Group", "Grouping", "groupings", "quantiles", "slug"]

QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Group:
    """One group of areas: a key for placeholders, a name for readers, and which areas it holds."""

    key: str
    label: str
    rows: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way of dividing areas: its key, what heads it, and its groups in the order to show them."""

    key: str
    title: str
    groups: tuple[Group, ...]


def groupings(results: Results, deprivation: str = "") -> list[Grouping]:
    """Divide a study's areas for readers: all, by deprivation, by larger area, by kind of place.

    Parameters
    ----------
    results
        A run.
    deprivation
        The index whose tenths are told, 1 = most deprived; none if not given.

    Returns
    -------
    list of Grouping
        Each area is in at most one group of each. First all of them in one group; what the areas
        do not tell of is left out.

    Raises
    ------
    UnknownNameError
        If the study has no such index.
    """
    everyone, where = results.focus, focus_name(results.study, results.areas)
    name = f"All {results.areas.plural}{f' in {where}' if where else ''}"
    found = [Grouping("all", name, (Group("all", name, everyone),))]
    if deprivation:
        if deprivation not in results.scores:
            raise UnknownNameError(
                "index", deprivation, results.scores, f" in {results.study.name}"
            )
        found.append(_tenths(results, deprivation))
    levels = tiers(results)
    region = next((t for t in levels if t.key == "region"), levels[0] if levels else None)
    if region is not None:
        pairs = results.areas.table[region.key, f"{region.key}_name"].rows()
        labels = [
            None if c is None else larger_name(results.areas, region.key, c, n) for c, n in pairs
        ]
        names = pl.Series(labels, dtype=pl.String)
        title = f"By {region.singular}"
        found.append(Grouping(region.key, title, tuple(_by_name(names, sorted))))
    if "rural_urban" in results.areas.table.columns:
        kinds = results.areas.table["rural_urban"]
        found.append(
            Grouping("rural_urban", "By kind of place", tuple(_by_name(kinds, _town_first)))
        )
    return [
        replace(grouping, groups=kept)
        for grouping in found
        if (kept := tuple(_inside(grouping.groups, everyone)))
    ]


def _inside(groups: tuple[Group, ...], here: NDArray[np.bool_]) -> Iterator[Group]:
    """Give what the study lists of each group; one of which it lists nothing is left out."""
    for group in groups:
        rows = group.rows & here
        if rows.any() or here.all():
            yield replace(group, rows=rows)


def _tenths(results: Results, index: str) -> Grouping:
    scores = results.scores[index]
    tenth = decile(scores.rank)
    ends = {
        1: ("most_deprived", "Most deprived tenth"),
        10: ("least_deprived", "Least deprived tenth"),
    }
    groups = [
        Group(*ends.get(k, (f"tenth_{k}", f"Tenth {k}")), np.asarray(tenth == k))
        for k in range(1, 11)
    ]
    label = index_label(results, index)
    return Grouping("deprivation", f"By tenth of {label}", tuple(groups))


def _by_name(names: pl.Series, order: Callable[[list[str]], list[str]]) -> Iterator[Group]:
    for name in order(names.drop_nulls().unique().to_list()):
        label = name.replace(": Nearer to", ", nearer to").replace(
            ": Further from", ", further from"
        )
        rows = (names == name).fill_null(value=False).to_numpy()
        yield Group(slug(name), label.removesuffix(" or city"), rows)


def _town_first(kinds: list[str]) -> list[str]:
    """Put kinds of places from the town outwards."""
    order = ("Urban", "Larger rural", "Smaller rural")

    def place(kind: str) -> tuple[int, bool, str]:
        head = kind.split(":")[0]
        return order.index(head) if head in order else len(order), "Nearer" not in kind, kind

    return sorted(kinds, key=place)


def slug(name: str) -> str:
    """Give a name as a key for placeholders.

    Examples
    --------
    >>> slug("Yorkshire and The Humber"), slug("Urban: Nearer to a major town")
    ('yorkshire_and_the_humber', 'urban_nearer_to_a_major_town')
    """
    return "_".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


def quantiles(values: Floats, people: Floats, at: tuple[float, ...] = QUARTERS) -> Floats:
    """(len(at),) the values below which shares of the people live: weighted quantiles.

    Parameters
    ----------
    values
        (n,) one an area; NaN is left out.
    people
        (n,) residents; areas with none, or an unknown number, are left out.

    Examples
    --------
    Of 4 people, 3 live at 10 and 1 at 50:

    >>> quantiles(np.array([50.0, 10.0]), np.array([1.0, 3.0]), (0.5, 0.9))
    array([10., 50.])
    """
    known = ~np.isnan(values) & (people > 0)
    if not known.any():
        return np.full(len(at), np.nan)
    order = np.argsort(values[known], kind="stable")
    sorted_values, below = values[known][order], np.cumsum(people[known][order])
    rows = np.searchsorted(below, np.asarray(at) * below[-1] * (1 - 1e-12), side="left")
    return sorted_values[np.minimum(rows, len(sorted_values) - 1)]
