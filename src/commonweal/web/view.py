"""What lists, maps and downloads show: the columns of the areas, as published or under a reader's choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.document.numbers import FEWEST_PEOPLE
from commonweal.index import decile, rank
from commonweal.report.study.extra import extras
from commonweal.report.study.larger import tiers
from commonweal.report.study.tables import label_of, margin, probability
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.study.results import Results

__all__ = ["NUMBER", "STATES", "STATE_KEYS", "Column", "View", "view_of"]

Kind: TypeAlias = Literal["text", "whole", "share", "state"]

STATES = {
    "selected": "Selected",
    "just": "Only just in",
    "near": "Near miss",
    "out": "Not selected",
    "enters": "Enters",
    "leaves": "Leaves",
}
"""What an area can be under a designation; the last two only where a reader chose otherwise."""

STATE_KEYS = tuple(STATES)
NUMBER = {key: number for number, key in enumerate(STATES)}
"""How states stand in arrays: small integers, which are compared many times as fast as texts."""

MOST_INDICES, MOST_DOMAINS = 4, 12
"""Where a study has more indices, their domains have no columns of their own; nor have further domains."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the areas.

    Attributes
    ----------
    key
        Its name in addresses and downloads.
    label
        Its name for readers.
    kind
        ``text``; ``whole`` numbers (floats, NaN = missing); ``share`` 0..1; ``state`` (`NUMBER` of a key of `STATES`).
    values
        (n_areas,) its values; texts as objects.
    brief
        Whether it stands in the list on the page, and not in downloads alone.
    """

    key: str
    label: str
    kind: Kind
    values: NDArray[np.generic]
    brief: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """The areas of a run, column by column.

    Attributes
    ----------
    results
        What is shown.
    columns
        By key, in order.
    states
        By designation, (n_areas,) `NUMBER` of a key of `STATES`.
    """

    results: Results
    columns: dict[str, Column]
    states: dict[str, NDArray[np.int8]]

    def __len__(self) -> int:
        return len(self.results.areas)


def view_of(results: Results, published: View | None = None) -> View:
    """Make the columns.

    Parameters
    ----------
    results
        A run, or what `commonweal.web.rescore.rescore` makes of it.
    published
        The view of the run itself, where a reader chose otherwise: what has not changed is taken
        from there, and states say who enters and leaves.
    """
    columns = _places(results) if published is None else _unchanged(published)
    for index, scores in results.scores.items():
        if published is not None and scores is published.results.scores[index]:
            continue
        label = index_label(results, index)
        ranks = _tested_ranks(results, index)
        ranks = rank(scores.score) if ranks is None else ranks
        own = Column(f"rank.{index}", f"{label}: rank", "whole", ranks)
        tenth = Column(f"decile.{index}", f"{label}: decile", "whole", decile(ranks), brief=False)
        columns |= {own.key: own, tenth.key: tenth}
        if published is None and len(results.scores) <= MOST_INDICES:
            columns |= {c.key: c for c in _domains(results, scores)}
    states = {}
    for name, designation in results.designations.items():
        start = "" if len(results.designations) == 1 else f"{label_of(results, name)}: "
        kinds = [
            designation.selected & designation.just_inside,
            designation.selected,
            designation.near_miss,
        ]
        words = ["just", "selected", "near"]
        if published is not None:
            was = published.results.designations[name].selected
            kinds = [designation.selected & ~was, was & ~designation.selected, *kinds]
            words = ["enters", "leaves", *words]
        numbers = [np.int8(NUMBER[word]) for word in words]
        state = np.select(kinds, numbers, np.int8(NUMBER["out"])).astype(np.int8)
        states[name] = state
        columns[f"state.{name}"] = Column(
            f"state.{name}", f"{start}result".capitalize(), "state", state
        )
        columns[f"margin.{name}"] = Column(
            f"margin.{name}",
            f"{start}smallest margin".capitalize(),
            "whole",
            margin(designation),
            brief=False,
        )
        chance = probability(results, name)
        if chance is not None:
            columns[f"probability.{name}"] = Column(
                f"probability.{name}", f"{start}how sure".capitalize(), "share", chance
            )
    return View(results, columns, states)


def _unchanged(published: View) -> dict[str, Column]:
    """Give the columns of places and ranks, in their order; those that change are put in place."""
    return {
        key: column
        for key, column in published.columns.items()
        if not key.startswith(("state.", "margin.", "probability."))
    }


def _domains(results: Results, scores: Scores) -> Iterator[Column]:
    """Give the ranks of an index's domains, which no weight of the index changes."""
    for path in scores.domains[:MOST_DOMAINS]:
        label = f"{index_label(results, path)}: rank"
        key = f"rank.{path.replace('/', '.')}"
        yield Column(key, label, "whole", scores.rank_of(path), brief=False)


def _tested_ranks(results: Results, index: str) -> NDArray[np.float64] | None:
    """Give the ranks of an index that a condition was decided on, if it was on all areas."""
    for designation in results.designations.values():
        for t in designation.tested:
            if t.condition.path == index and not (t.condition.within or t.condition.among):
                return t.rank
    return None


def _places(results: Results) -> dict[str, Column]:
    """Code, name, larger areas and people."""
    table = results.areas.table
    columns = [
        Column("name", "Name", "text", _texts(table["name"].to_list())),
        Column("code", "Code", "text", _texts(table["code"].to_list()), brief=False),
    ]
    for tier in tiers(results):
        codes, names = table[tier.key].to_list(), table[f"{tier.key}_name"].to_list()
        columns += [
            Column(tier.key, tier.header, "text", _texts(names), brief=False),
            Column(f"{tier.key}_code", f"{tier.header} code", "text", _texts(codes), brief=False),
        ]
    if results.areas.table["population"].null_count() < len(table):
        people = results.areas.population
        few = people < FEWEST_PEOPLE
        known = np.where(few, np.nan, people)
        columns.append(Column("population", "People", "whole", known, brief=False))
    for one in extras(results):
        name = one.about.name
        columns += [
            Column(f"shown.{name}", one.header, "whole", one.value),
            Column(
                f"shown_rank.{name}", f"{one.about.label}: rank", "whole", one.rank, brief=False
            ),
        ]
    return {column.key: column for column in columns}


def _texts(values: list[str | None]) -> NDArray[np.generic]:
    out = np.empty(len(values), dtype=object)
    out[:] = [v or "" for v in values]
    return out
