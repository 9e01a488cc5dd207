"""What pages tell, as plain values: figures, sliders, ranks under a setting; and how values are written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.words import living
from commonweal.report.study.cautions import cautions
from commonweal.study.names import rule_in_words
from commonweal.web.listing import plain
from commonweal.web.postcode import is_postcode
from commonweal.web.search import Found
from commonweal.web.view import NUMBER, STATES

if TYPE_CHECKING:
    from commonweal.web.choices import Choices
    from commonweal.web.explorer import Explorer
    from commonweal.web.listing import Page
    from commonweal.web.tables import Table
    from commonweal.web.view import View

__all__ = [
    "by_postcode",
    "cell",
    "figures",
    "is_number",
    "lower_first",
    "others",
    "pages_around",
    "shares",
    "short_drivers",
    "since",
    "sliders",
    "under",
    "whole",
]


def figures(explorer: Explorer, view: View) -> list[dict[str, Any]]:
    """Give the figures of each designation under the choices of a view."""
    table = explorer.results.areas.table
    found = []
    for name in view.results.designations:
        d, first = view.results.listed(name), explorer.tiers[:1]
        inside = table.filter(d.selected)
        sure = view.results.certainty.get(name)
        found.append(
            {
                "name": name,
                "label": explorer.label(name),
                "rule": rule_in_words(view.results, name),
                "selected": int(d.selected.sum()),
                "near": int(d.near_miss.sum()),
                "living": living(d.population),
                "cautions": cautions(view.results, name),
                "tier": first[0] if first else None,
                "larger": inside[first[0].key].drop_nulls().n_unique() if first else 0,
                "sure": None if sure is None else int((sure.selected[d.selected] >= 0.95).sum()),
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


def others(explorer: Explorer, found: Found) -> list[dict[str, Any]]:
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
    found = Found(answer.postcode, row, answer.near, len(answer.near), "")
    return {"postcode": answer.postcode, "near": others(explorer, found)}


def under(explorer: Explorer, choices: Choices, row: int) -> list[dict[str, Any]]:
    """Give, under a reader's choices, each rank and result of an area beside the published one."""
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
                {"label": column.label, "now": cell(column.values[row]), "before": cell(old)}
            )
    return rows


def since(explorer: Explorer, row: int) -> str:
    """Say whether an area entered, left or stayed since the earlier study; '' without one."""
    if explorer.results.since is None:
        return ""
    earlier, c = explorer.results.since
    label = explorer.label(next(iter(explorer.results.designations)))
    if c.stay[row]:
        return f"It was {label} in the earlier study too: {earlier}."
    if c.enter[row]:
        return f"It has entered the list: it was not {label} in the earlier study, {earlier}."
    if c.leave[row]:
        return f"It has left the list: it was {label} in the earlier study, {earlier}."
    return f"It was not {label} in the earlier study either: {earlier}."


def lower_first(label: str) -> str:
    """Begin a label small, unless it is a name such as GP or Community Needs Index.

    Examples
    --------
    >>> lower_first("Low income"), lower_first("GP visits"), lower_first("Community Needs Index: rank")
    ('low income', 'GP visits', 'Community Needs Index: rank')
    """
    name = label[1:2].isupper() or any(word[:1].isupper() for word in label.split()[1:])
    return label if name else label[:1].lower() + label[1:]


def short_drivers(table: Table, n: int | None) -> Table:
    """Give the columns of the drivers that fit a page."""
    kept = [1, 2, 3, 4, 5, 6]
    rows = tuple(tuple(row[k] for k in kept) for row in table.rows[:n])
    return replace(table, head=tuple(table.head[k] for k in kept), rows=rows)


def is_number(table: Table, column: int) -> bool:
    """Say whether a column of a table holds numbers."""
    values = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and all(isinstance(v, int | float) for v in values)


def shares(table: Table) -> list[int]:
    """Give the columns of a table that hold shares, by number."""
    return [
        k
        for k, h in enumerate(table.head)
        if "greater need than" in h.lower() or h.startswith("Share") or h.endswith(": peers")
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


def whole(value: float) -> str:
    """Give a whole number for readers."""
    return f"{value:,.0f}"


def cell(value: Any) -> str:
    """Give a value of a table for readers; a dash where there is none."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | np.integer) or float(value).is_integer():
        return f"{value:,.0f}"
    text = f"{value:,.2g}" if abs(value) < 1 else f"{value:,.2f}"
    return text.replace("-", "−")
