"""What lists, maps and downloads show: columns of the areas, and layers that colour the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from commonweal.chart.theme import BLUE, LAND, ORANGE, PLUM, TEAL
from commonweal.document.format import LIKELY, SURE, UNSURE, few_people, list_name
from commonweal.errors import UnknownNameError
from commonweal.index import decile, rank
from commonweal.report.study.larger_areas import tiers
from commonweal.report.study.tables import extras, label_of, margin, share_of_draws
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.index import Scores
    from commonweal.study.results import Results


Kind: TypeAlias = Literal["text", "whole", "share", "state"]

STATES = {
    "selected": "On the list",
    "just": "Just inside the cut-off",
    "near": "Just outside the cut-off",
    "out": "Not on the list",
    "enters": "Enters the list",
    "leaves": "Leaves the list",
}
"""Where an area can stand on a list; the last two only with a reader's own weights and cut-offs."""

ON_THE_LIST_IN = "On the list in (% of recalculations)"

STATE_KEYS = tuple(STATES)
NUMBER = {key: number for number, key in enumerate(STATES)}
"""How states stand in arrays: small integers, which are compared many times as fast as texts."""

MOST_INDICES, MOST_DOMAINS = 4, 12
"""Where a study has more indices, their domains have no columns of their own; nor have further domains."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the areas."""

    key: str  # its name in addresses and downloads
    label: str
    # ``text``; ``whole`` numbers (floats, NaN = missing); ``share`` 0..1; ``state`` (`NUMBER` of a key of `STATES`)
    kind: Kind
    values: NDArray[np.generic]  # (n_areas,) its values; texts as objects
    brief: bool = True  # whether it stands in the list on the page, and not in downloads alone


@dataclass(frozen=True, slots=True)
class View:
    """The areas of a run, column by column."""

    results: Results
    columns: dict[str, Column]  # by key, in order
    states: dict[str, NDArray[np.int8]]  # by designation, (n_areas,) `NUMBER` of a key of `STATES`

    def __len__(self) -> int:
        return len(self.results.areas)


def view_of(results: Results, published: View | None = None) -> View:
    """Make the columns."""
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
            f"{start}ranks inside the cut-off".capitalize(),
            "whole",
            margin(designation),
            brief=False,
        )
        share = share_of_draws(results, name)
        if share is not None:
            sure = results.certainty[name]
            released = sure.next_release is not None  # the list shows what the words go by
            columns[f"share_of_draws.{name}"] = Column(
                f"share_of_draws.{name}",
                start.capitalize() + ON_THE_LIST_IN,
                "share",
                share,
                brief=not released,
            )
            columns[f"certainty.{name}"] = Column(
                f"certainty.{name}",
                f"{start}certainty".capitalize(),
                "share",
                sure.overall,
                brief=released,
            )
    return View(results, columns, states)


def _unchanged(published: View) -> dict[str, Column]:
    """Give the columns of areas and ranks, in their order; those that change are replaced."""
    return {
        key: column
        for key, column in published.columns.items()
        if not key.startswith(("state.", "margin.", "share_of_draws.", "certainty."))
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
        known = np.where(few_people(people), np.nan, people)
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


NONE = "-"
"""The letter of an area that has no value."""

ELSEWHERE = "_"
"""The letter of an area that the study does not list."""

MOST_MARKED = 5000

_STATE_COLOURS = {
    "selected": BLUE, "just": "#4f86b8", "near": ORANGE, "out": LAND, "enters": PLUM, "leaves": TEAL,
}  # fmt: skip
_SCALE = (BLUE, "#2f74b5", "#6ba8cf", "#b2d0e6", "#e6eff6")
"""From most need to least; each is distinct from its neighbours without colour vision."""
_FIFTHS = (
    "Most need: worst 20%",
    "20% to 40%",
    "40% to 60%",
    "60% to 80%",
    "Least need: best 20%",
)
_STABILITY = (
    "Secure: 95% to 100%",
    "Likely: 80% to 95%",
    "Borderline: 20% to 80%",
    "Unlikely: 5% to 20%",
    "Unlikely: under 5%",
)


@dataclass(frozen=True, slots=True)
class MapClass:
    """A class of areas: its letter, what it means, its colour, and how many there are."""

    letter: str
    label: str
    colour: str
    areas: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A way to colour the map."""

    # key, title: its name in addresses and for readers
    key: str
    title: str
    classes: tuple[MapClass, ...]
    # the letter of each area's class, in the order of the areas; `NONE` where there is no value
    letters: str
    # rows of the areas that matter most, few enough to be marked where they are too small to be seen
    marked: NDArray[np.intp]


def layer_names(view: View) -> list[tuple[str, str]]:
    """Give key and title of every layer, the default first."""
    return list(_names(view))


def _names(view: View) -> Iterator[tuple[str, str]]:
    results = view.results
    for name in view.states:
        listed = list_name(label_of(results, name), results.areas.plural)
        title = listed.removeprefix("the ")
        yield f"state.{name}", f"{title[:1].upper()}{title[1:]}"
        if f"certainty.{name}" in view.columns:
            where = "the list" if len(view.states) == 1 else listed
            yield (
                f"certainty.{name}",
                f"How certain each {results.areas.singular} is to be on {where}",
            )
    for index in results.scores:
        yield f"rank.{index}", f"{index_label(results, index)}, in fifths"
    for key in view.columns:
        if key.startswith("rank.") and key.count(".") > 1:
            yield key, f"{index_label(results, key.removeprefix('rank.'))}, in fifths"
    for key, column in view.columns.items():
        if key.startswith("shown_rank."):
            yield key, f"{column.label.removesuffix(': rank')}, in fifths of those with a value"


def layer_of(view: View, key: str = "") -> Layer:
    """Colour the areas."""
    names = dict(layer_names(view))
    key = key or next(iter(names))
    if key not in names:
        raise UnknownNameError("layer", key, names)
    values = view.columns[key].values
    if key.startswith("state."):
        counts = np.bincount(values[view.results.focus], minlength=len(STATES))
        kinds = [k for k in STATES if counts[NUMBER[k]] or k == "selected"]
        place = np.full(len(STATES), -1)
        place[[NUMBER[k] for k in kinds]] = range(len(kinds))
        numbers = place[values]
        labels = [STATES[k] for k in kinds]
        colours = [_STATE_COLOURS[k] for k in kinds]
    elif key.startswith("certainty."):
        p = values.astype(np.float64)
        numbers = np.select([p >= SURE, p >= LIKELY, p >= UNSURE, p >= 0.05], [0, 1, 2, 3], 4)
        labels, colours = list(_STABILITY), list(_SCALE)
    else:
        numbers, labels, colours = _fifths(values.astype(np.float64)), list(_FIFTHS), list(_SCALE)
    here = view.results.focus
    numbers = np.where(here, numbers, -2)
    matter = (
        np.flatnonzero(here & (values != NUMBER["out"]))
        if key.startswith("state.")
        else np.array([], np.intp)
    )
    return Layer(
        key,
        names[key],
        tuple(_classes(numbers, labels, colours)),
        _letters(numbers),
        matter[: len(matter) if len(matter) <= MOST_MARKED else 0],
    )


def _fifths(ranks: NDArray[np.float64]) -> NDArray[np.intp]:
    n = max(int(np.count_nonzero(~np.isnan(ranks))), 1)
    fifth = np.ceil(ranks * 5 / n) - 1
    return np.where(np.isnan(fifth), -1, fifth).astype(np.intp)


def _classes(
    numbers: NDArray[np.intp], labels: list[str], colours: list[str]
) -> Iterator[MapClass]:
    for k, (label, colour) in enumerate(zip(labels, colours, strict=True)):
        yield MapClass(chr(ord("a") + k), label, colour, int((numbers == k).sum()))
    if missing := int((numbers == -1).sum()):
        yield MapClass(NONE, "No score", "#ffffff", missing)
    if others := int((numbers == -2).sum()):
        yield MapClass(ELSEWHERE, "Elsewhere, not listed here", "#ffffff", others)


def _letters(numbers: NDArray[np.intp]) -> str:
    missing = np.where(numbers == -1, ord(NONE), ord(ELSEWHERE))
    codes = np.where(numbers < 0, missing, ord("a") + numbers).astype(np.uint8)
    return codes.tobytes().decode("ascii")
