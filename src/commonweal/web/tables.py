"""The tables that pages, CSV and JSON share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.study.names import index_label
from commonweal.web.listing import plain, record
from commonweal.web.view import NUMBER, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.document.table import Shown
    from commonweal.report.place import Place
    from commonweal.web.explorer import Explorer
    from commonweal.web.view import View

__all__ = [
    "Table",
    "areas_table",
    "capital_table",
    "changes_table",
    "compare_table",
    "drivers_table",
    "history_table",
    "short_record",
    "shown_as_table",
    "strands_table",
]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what it shows, its heads, and its rows of texts, numbers and None."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain data, a dict a row."""
        rows = [dict(zip(self.head, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows}


def areas_table(view: View, rows: NDArray[np.intp]) -> Table:
    """Give every column of some areas."""
    columns = list(view.columns.values())
    values = [
        [
            STATES[plain(v, "state")] if c.kind == "state" else plain(v, c.kind)
            for v in c.values[rows]
        ]
        for c in columns
    ]
    title = view.results.study.title
    return Table(title, tuple(c.label for c in columns), tuple(zip(*values, strict=True)))


def changes_table(explorer: Explorer, view: View, name: str) -> Table:
    """Give who enters and who leaves a designation under a reader's choices, by rank."""
    state = view.states[name]
    first = explorer.results.designations[name].tested[0]
    path = first.condition.path
    before = explorer.results.scores[path.split("/")[0]].rank_of(path)
    after = view.results.scores[path.split("/")[0]].rank_of(path)
    moved = np.isin(state, [NUMBER["enters"], NUMBER["leaves"]])
    rows = np.flatnonzero(moved & explorer.focus)
    rows = rows[np.lexsort((after[rows], state[rows]))]
    label = index_label(explorer.results, path)
    table, tier = explorer.results.areas.table, explorer.tiers[:1]
    head = ("Change", "Code", "Name", *(t.header for t in tier), "People",
            f"{label}: rank now", f"{label}: rank published")  # fmt: skip
    people = explorer.published.columns.get("population")
    return Table(
        f"What changes: {explorer.label(name)}",
        head,
        tuple(
            (
                STATES[plain(state[r], "state")],
                table["code"][int(r)],
                table["name"][int(r)],
                *(table[f"{t.key}_name"][int(r)] for t in tier),
                None if people is None else plain(people.values[r], "whole"),
                plain(after[r], "whole"),
                plain(before[r], "whole"),
            )
            for r in rows
        ),
    )


def capital_table(place: Place) -> Table | None:
    """Give every headline of social capital as it is known of a place; None without any."""
    if place.capital is None:
        return None
    head = (
        "Domain", "Headline", "Id", "What is known", "Value", "Unit", "Low", "High", "Higher than",
        "Not told apart from", "Indicator", "Date", "Beware", "Country",
    )  # fmt: skip
    rows = tuple(
        (
            h.domain, h.name, h.id, h.state, h.value, h.unit, h.low, h.high, h.higher_than,
            h.alike, h.label, h.vintage, h.caution, h.national,
        )
        for h in place.capital.headlines
    )  # fmt: skip
    return Table(f"Social capital of {place.name}", head, rows)


def history_table(explorer: Explorer) -> Table | None:
    """Give which areas entered, left and stayed since the earlier study; None without one."""
    if explorer.results.since_listed is None:
        return None
    earlier, comparison = explorer.results.since_listed
    words = {"enters": "Entered", "leaves": "Left", "stays": "Stayed"}
    tier = explorer.tiers[:1]
    frame = comparison.to_frame()
    parts = {c: frame[c].to_list() for c in frame.columns}
    rows = [
        (
            words[change],
            parts["code"][i],
            parts["name"][i],
            *(parts[f"{t.key}_name"][i] for t in tier),
            round(float(parts["share_before"][i]), 4),
        )
        for i, change in enumerate(parts["change"])
    ]
    rows.sort(key=lambda row: list(words.values()).index(row[0]))
    head = ("Change", "Code", "Name", *(t.header for t in tier), "Share of people selected before")
    return Table(f"Since {earlier}", head, tuple(rows))


def strands_table(place: Place) -> Table:
    """Give where a place stands on each index and strand, beside others: the numbers of its chart."""
    groups = {a.group: a.label for s in place.standings for a in s.averages}
    head = ("Index", "Strand", "Rank", "Rank, 5 % of runs", "Rank, 95 % of runs", "Of",
            "Greater need than: this place", *(f"Greater need than: {v}" for v in groups.values()))  # fmt: skip
    rows = []
    for index in place.standings:
        for one in (index, *index.strands):
            average = {a.group: round(a.worse_than, 4) for a in one.averages}
            own = None if one.worse_than is None else round(one.worse_than, 4)
            strand = "" if one is index else one.label
            rows.append(
                (index.label, strand, one.rank, one.low, one.high, one.of, own,
                 *(average.get(g) for g in groups))
            )  # fmt: skip
    return Table(f"{place.name}: where it stands", head, tuple(rows))


def drivers_table(place: Place) -> Table:
    """Give what drives a place's need, indicator by indicator."""
    head = (
        "Index",
        "Strand",
        "Indicator",
        "Here",
        "Middle place",
        "Greater need than",
        "Push",
        "Describes",
    )
    return Table(
        f"{place.name}: what drives it",
        head,
        tuple(
            (d.index, d.strand, d.label, "withheld" if d.withheld else d.text or None, d.usual_text or None,
             None if d.worse_than is None else round(d.worse_than, 4), round(d.push, 4), d.vintage)
            for d in place.drivers
        ),
    )  # fmt: skip


def compare_table(places: Sequence[Place]) -> Table:
    """Give some places side by side: a row an index or strand, a column each and its peers."""
    head = ["Index", "Strand"]
    for place in places:
        head += [f"{place.name}: rank", f"{place.name}: greater need than", f"{place.name}: peers"]
    rows: list[tuple[Any, ...]] = []
    for number, index in enumerate(places[0].standings if places else ()):
        for k in range(len(index.strands) + 1):
            row: list[Any] = [index.label, "" if k == 0 else index.strands[k - 1].label]
            for place in places:
                own = place.standings[number]
                one = own if k == 0 else own.strands[k - 1]
                peers = next((a.worse_than for a in one.averages if a.group == "peers"), None)
                row += [one.rank, _short(one.worse_than), _short(peers)]
            rows.append(tuple(row))
    return Table("Compared: " + ", ".join(p.name for p in places), tuple(head), tuple(rows))


def _short(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def shown_as_table(title: str, shown: Shown) -> Table:
    """Give a table that pages and paper share."""
    return Table(title, tuple(shown.frame.columns), tuple(shown.cells()))


def short_record(explorer: Explorer, view: View, row: int) -> dict[str, Any]:
    """Give what tells an area from others: code, name, larger area, result."""
    full = record(view, row)
    keys = [
        "code",
        "name",
        *(t.key for t in explorer.tiers[:1]),
        *(k for k in full if k.startswith("state.")),
    ]
    return {key: full[key] for key in keys}
