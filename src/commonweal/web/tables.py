"""The tables and values that pages, CSV and JSON share, and answers in each of these formats."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import Response
from pydantic_core import to_json

from commonweal.document.format import count_words, list_name, living, share_head
from commonweal.files.csv import csv_of_rows
from commonweal.report.study.method import cautions
from commonweal.study.names import index_label, is_postcode, rule_in_words
from commonweal.web.search import SearchResult, plain, record
from commonweal.web.view import NUMBER, STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from commonweal.designation import Certainty
    from commonweal.report.place import Place
    from commonweal.web.explorer import Explorer
    from commonweal.web.rescore import Choices
    from commonweal.web.search import Page
    from commonweal.web.view import View


def as_json(data: Any) -> bytes:
    """Give plain data as strict JSON in UTF-8."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def said_answer(value: Any) -> Response:
    """Answer with what frozen dataclasses hold, as JSON: what their ``to_dict`` gives, several times as fast."""
    return file_answer(to_json(value), "application/json")


def json_answer(data: Any, name: str = "") -> Response:
    """Answer with JSON; as a file to keep if it has a name."""
    return file_answer(as_json(data), "application/json", name)


def csv_answer(head: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    """Answer with a CSV file to keep."""
    return file_answer(csv_of_rows(head, rows), "text/csv; charset=utf-8", name)


def file_answer(content: bytes, kind: str, name: str = "") -> Response:
    """Answer with bytes of a kind; as a file to keep if it has a name (of plain letters)."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'} if name else None
    return Response(content, media_type=kind, headers=headers)


@dataclass(frozen=True, slots=True)
class WebTable:
    """A table: what it shows, its heads, and its rows of texts, numbers and None."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain data, a dict a row."""
        rows = [dict(zip(self.head, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows}


def areas_table(view: View, rows: NDArray[np.intp]) -> WebTable:
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
    head = tuple(share_head(c.label) if c.kind == "share" else c.label for c in columns)
    return WebTable(title, head, tuple(zip(*values, strict=True)))


def changes_table(explorer: Explorer, view: View, name: str) -> WebTable:
    """Give who enters and who leaves a list with a reader's choices, by rank."""
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
            f"{label}: rank now", f"{label}: published rank")  # fmt: skip
    people = explorer.published.columns.get("population")
    return WebTable(
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


def domains_table(place: Place) -> WebTable:
    """Give how an area compares on each index and domain: the numbers of its chart."""
    groups = {a.group: a.label for s in place.standings for a in s.averages}
    head = ("Index", "Domain", "Rank", "Rank in recalculations: 5th percentile",
            "Rank in recalculations: 95th percentile", "Out of", f"Worse off than: this {place.kind}",
            *(f"Worse off than: {v}" for v in groups.values()))  # fmt: skip
    rows = []
    for index in place.standings:
        for one in (index, *index.domains):
            average = {a.group: round(a.worse_than, 4) for a in one.averages}
            own = None if one.worse_than is None else round(one.worse_than, 4)
            domain = "" if one is index else one.label
            rows.append(
                (index.label, domain, one.rank, one.low, one.high, one.of, own,
                 *(average.get(g) for g in groups))
            )  # fmt: skip
    return WebTable(f"{place.name}: how it compares", head, tuple(rows))


def drivers_table(place: Place) -> WebTable:
    """Give what drives an area's score, indicator by indicator."""
    head = (
        "Index",
        "Domain",
        "Indicator",
        "Here",
        "Median",
        "Worse off than",
        "Adds to the score",
        "Date of data",
    )
    return WebTable(
        f"{place.name}: what drives its score",
        head,
        tuple(
            (d.index, d.domain, d.label, "withheld" if d.withheld else d.text or None, d.usual_text or None,
             None if d.worse_than is None else round(d.worse_than, 4), round(d.push, 4), d.vintage)
            for d in place.drivers
        ),
    )  # fmt: skip


def compare_table(places: Sequence[Place]) -> WebTable:
    """Compare some areas: a row for each index or domain, a column for each area and its peers."""
    head = ["Index", "Domain"]
    for place in places:
        head += [f"{place.name}: rank", f"{place.name}: worse off than", f"{place.name}: peers"]
    rows: list[tuple[Any, ...]] = []
    for number, index in enumerate(places[0].standings if places else ()):
        for k in range(len(index.domains) + 1):
            row: list[Any] = [index.label, "" if k == 0 else index.domains[k - 1].label]
            for place in places:
                own = place.standings[number]
                one = own if k == 0 else own.domains[k - 1]
                peers = next((a.worse_than for a in one.averages if a.group == "peers"), None)
                row += [one.rank, _short(one.worse_than), _short(peers)]
            rows.append(tuple(row))
    return WebTable("Compared: " + ", ".join(p.name for p in places), tuple(head), tuple(rows))


def _short(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


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


def _words(sure: Certainty | None, selected: NDArray[np.bool_]) -> dict[str, int] | None:
    """Count the words of the scale on a list that is released anew; None where that is not known."""
    if sure is None or sure.next_release is None:
        return None
    return count_words(sure.overall[selected].tolist())


def figures(explorer: Explorer, view: View) -> list[dict[str, Any]]:
    """Give the figures of each designation under the choices of a view."""
    table = explorer.results.areas.table
    found = []
    for name in view.results.designations:
        d, first = view.results.designation_in_focus(name), explorer.tiers[:1]
        inside = table.filter(d.selected)
        sure = view.results.certainty.get(name)
        found.append(
            {
                "name": name,
                "list": list_name(explorer.label(name), explorer.results.areas.plural),
                "rule": rule_in_words(view.results, name),
                "selected": int(d.selected.sum()),
                "near": int(d.near_miss.sum()),
                "living": living(d.population),
                "cautions": cautions(view.results, name),
                "tier": first[0] if first else None,
                "larger": inside[first[0].key].drop_nulls().n_unique() if first else 0,
                "sure": None if sure is None else int((sure.selected[d.selected] >= 0.95).sum()),
                "certain": _words(sure, d.selected),
                "alone": sure is not None and len(sure.passes) == 1,
                "runs": None if sure is None else sure.n_draws,
                "enters": int((view.states[name][explorer.focus] == NUMBER["enters"]).sum()),
                "leaves": int((view.states[name][explorer.focus] == NUMBER["leaves"]).sum()),
            }
        )
    return found


def sliders(explorer: Explorer, choices: Choices, view: View) -> dict[str, list[dict[str, Any]]]:
    """Give every weight and cut-off with its value now, by index and for the rule."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for w in explorer.weights:
        tree = view.results.scores[w.index].tree
        share = tree.weights.get(w.domain, 0.0) / sum(tree.weights.values())
        now = choices.weights.get(w.key, w.stated)
        groups.setdefault(w.index_label, []).append(
            {"key": w.key, "label": w.label, "now": now, "stated": w.stated, "low": 0, "high": 100, "step": 1,
             "most": 1000, "share": share, "unit": ""}
        )  # fmt: skip
    rule = "Cut-offs of the rule"
    for c in explorer.cuts:
        now = choices.cuts.get(c.key, c.stated)
        high = (
            min(c.high, max(3 * c.stated, 30.0 if c.unit == "%" else 3 * c.stated))
            if c.unit != "points"
            else c.high
        )
        label = f"{c.label}: " + {"%": "worst", "areas": "worst", "points": "score above"}[c.unit]
        groups.setdefault(rule, []).append(
            {"key": c.key, "label": label, "now": now, "stated": c.stated, "low": c.low, "high": high,
             "step": c.step, "most": c.high, "share": None,
             "unit": {"%": "%", "areas": explorer.results.areas.plural, "points": "points"}[c.unit]}
        )  # fmt: skip
    return groups


def search_matches(explorer: Explorer, found: SearchResult) -> list[dict[str, Any]]:
    """Give code, name and larger area of what a search found."""
    table, tier = explorer.results.areas.table, explorer.tiers[:1]
    return [
        {
            "code": explorer.results.areas.codes[r],
            "name": table["name"][r],
            "where": (table[f"{tier[0].key}_name"][r] or "") if tier else "",
        }
        for r in found.rows
    ]


def by_postcode(explorer: Explorer, postcode: str, row: int) -> dict[str, Any] | None:
    """Give the postcode by which an area was found and the others that it may belong to; None if that is not so."""
    if explorer.postcodes is None or not is_postcode(postcode):
        return None
    answer = explorer.postcodes.find(postcode)
    if answer.row != row:
        return None
    found = SearchResult(answer.postcode, row, answer.near, len(answer.near), "")
    return {"postcode": answer.postcode, "near": search_matches(explorer, found)}


def rescored_values(explorer: Explorer, choices: Choices, row: int) -> list[dict[str, Any]]:
    """Give each rank and result of an area with a reader's choices, and as published."""
    if not choices:
        return []
    view, rows = explorer.view(choices), []
    for key, column in view.columns.items():
        if key.startswith("state."):
            state = plain(column.values[row], "state")
            before = plain(explorer.published.columns[key].values[row], "state")
            rows.append({"label": column.label, "now": STATES[state], "before": STATES[before]})
        elif key.startswith("rank.") and key.count(".") == 1:
            old = explorer.published.columns[key].values[row]
            rows.append(
                {
                    "label": column.label,
                    "now": format_cell(column.values[row]),
                    "before": format_cell(old),
                }
            )
    return rows


def change_since(explorer: Explorer, row: int) -> str:
    """Say whether an area entered, left or stayed since the earlier study; '' without one."""
    if explorer.results.since is None:
        return ""
    earlier, c = explorer.results.since
    if c.stay[row]:
        return f"It was on the list in the earlier study too: {earlier}."
    if c.enter[row]:
        return f"It has entered the list: it was not on it in the earlier study, {earlier}."
    if c.leave[row]:
        return f"It has left the list: it was on it in the earlier study, {earlier}."
    return f"It was not on the list in the earlier study either: {earlier}."


def lower_first(label: str) -> str:
    """Begin a label small, unless it is a name such as GP or Community Needs Index.

    >>> lower_first("Low income"), lower_first("GP visits"), lower_first("Community Needs Index: rank")
    ('low income', 'GP visits', 'Community Needs Index: rank')
    """
    name = label[1:2].isupper() or any(word[:1].isupper() for word in label.split()[1:])
    return label if name else label[:1].lower() + label[1:]


def short_drivers(table: WebTable, n: int | None) -> WebTable:
    """Give the columns of the drivers that fit a page, without empty ones and domains of one indicator each."""
    kept = [k for k in range(1, 7) if k == 2 or any(row[k] is not None for row in table.rows)]
    if all(row[1] == row[2] for row in table.rows):
        kept.remove(1)
    rows = tuple(tuple(row[k] for k in kept) for row in table.rows[:n])
    return replace(table, head=tuple(table.head[k] for k in kept), rows=rows)


def is_number(table: WebTable, column: int) -> bool:
    """Say whether a column of a table holds numbers."""
    values = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and all(isinstance(v, int | float) for v in values)


def shares(table: WebTable) -> list[int]:
    """Give the columns of a table that hold shares, by number."""
    return [
        k
        for k, h in enumerate(table.head)
        if "worse off than" in h.lower() or h.startswith("Share") or h.endswith(": peers")
    ]


def pages_around(page: Page) -> list[int | None]:
    """Give the page numbers to show: the ends and those around, None for a gap."""
    near = sorted({1, page.of, *range(max(page.number - 1, 1), min(page.number + 1, page.of) + 1)})
    out: list[int | None] = []
    for k in near:
        if out and out[-1] is not None and k > out[-1] + 1:
            out.append(None)
        out.append(k)
    return out


def format_whole(value: float) -> str:
    """Give a whole number for readers."""
    return f"{value:,.0f}"


def format_cell(value: Any) -> str:
    """Give a value of a table for readers; a dash where there is none."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | np.integer) or float(value).is_integer():
        return f"{value:,.0f}"
    text = f"{value:,.2g}" if abs(value) < 1 else f"{value:,.2f}"
    return text.replace("-", "−")
