"""Where every number came from, and how results compare with what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import difference
from commonweal.document.model import TableData
from commonweal.document.write import source_lines
from commonweal.report.study.tables import ON_THE_LIST, designation_table
from commonweal.sources.catalogue import OWN_FILE, load_catalogue
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from commonweal.study.results import Results, Validation


_TEXT = {"Code": pl.String, "Name": pl.String}


def source_title(results: Results, id_: str) -> str:
    """Give the title of a source that was used, by its id; the id if it was not."""
    titles = {s["id"]: s["title"] for s in _used(results)}
    return str(titles.get(id_, id_))


def licences_of(results: Results) -> dict[str, str]:
    """Give the licence of each source that was used, by its id."""
    return {s["id"]: str(s["licence"]) for s in _used(results)}


def _used(results: Results) -> list[Mapping[str, Any]]:
    return list(results.provenance.get("sources", []))


def validation_table(results: Results) -> TableData:
    """Show what was compared with what, and whether it agrees."""
    rows = [_told(results, a) for a in results.validations]
    schema = {
        "What": pl.String,
        "Compared with": pl.String,
        "Areas compared": pl.Int64,
        "The same": pl.Int64,
        "Largest difference": pl.String,
        "Allowed": pl.String,
        "Agrees": pl.String,
    }
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"))


def _told(results: Results, a: Validation) -> tuple[str, str, int, int | None, str, str, str]:
    spec = a.spec
    published = f"{source_title(results, spec.source or spec.file)}: {spec.column}"
    verdict = "Yes" if a.holds else "No"
    if spec.compare == "flag":
        what = f"On the list: {spec.designation.replace('_', ' ')}"
        largest = f"{len(a.missed):,} only published, {len(a.extra):,} only ours"
        if len(a.unlisted):
            largest += f", {len(a.unlisted):,} not in the table"
        return what, published, a.compared, a.exact, largest, "none", verdict
    if spec.compare == "spearman":
        what = f"{index_label(results, spec.index)}: order of the areas"
        found = f"rank correlation {a.largest:.3f}"
        return what, published, a.compared, None, found, f"at least {spec.at_least:g}", verdict
    unit = "rank" if spec.compare == "rank" else "point"
    what = f"{index_label(results, spec.index)}: {spec.compare}"
    largest = f"{a.largest:,.0f}" if spec.compare == "rank" else difference(a.largest)
    largest = f"{largest} {unit}{'' if a.largest == 1 else 's'}"
    allowed = f"{spec.within:g} {unit}{'' if spec.within == 1 else 's'}" if spec.within else "none"
    return what, published, a.compared, a.exact, largest, allowed, verdict


def differences(results: Results) -> TableData | None:
    """Show every area on which our list differs from the published one; None if there is none."""
    blocks, shares = [], frozenset[str]()
    for a in results.validations:
        for rows, word in (
            (a.missed, "Published, not in ours"),
            (a.extra, "Ours, not published"),
            (a.unlisted, "Ours, not in the published table"),
        ):
            rows = rows[results.focus[rows]]
            if len(rows) == 0:
                continue
            shown = designation_table(results, a.spec.designation, rows)
            shares |= shown.shares
            head = [pl.lit(word).alias("Difference")]
            if len(results.designations) > 1:
                head.insert(0, pl.lit(a.spec.designation).alias("List"))
            blocks.append(shown.frame.select(*head, pl.all()))
    return TableData(pl.concat(blocks, how="diagonal"), shares) if blocks else None


def _instead(entry: Mapping[str, Any]) -> str:
    """Say what a source of the user's own stands in place of."""
    other = entry.get("replaces")
    return f" (in place of {other['vintage']})" if other else ""


def sources(results: Results) -> TableData:
    """Show every source that was used, its terms, and what may be done with it."""
    use = {"open": "Open", "benchmark-only": "Not open: don't pass its values on"}
    rows = [
        (
            s["title"],
            s["publisher"],
            s["vintage"] + _instead(s),
            s["licence"],
            use.get(s["use"], s["use"]),
            s["attribution"],
            s["url"] or file_name(s["path"]),
            s["sha256"],
        )
        for s in _used(results)
    ]
    headers = [
        "Source", "Publisher", "Date", "Licence", "Use", "Attribution", "Address", "Checksum (SHA-256)",
    ]  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=dict.fromkeys(headers, pl.String), orient="row"))


def file_name(path: str | None) -> str:
    """Name a file of the user's own, but not where it lay, which is nobody else's business."""
    return (path or "").replace("\\", "/").rsplit("/", 1)[-1]


def changes(results: Results) -> TableData | None:
    """Show the areas that join and leave the list since the study named under ``since``; None if none is named."""
    if results.since_in_focus is None:
        return None
    comparison = results.since_in_focus[1]
    blocks = []
    for which, word in ((comparison.leave, "Leaves"), (comparison.enter, "Joins")):
        shown = designation_table(results, comparison.after.name, np.flatnonzero(which), brief=True)
        blocks.append(shown.frame.select(pl.lit(word).alias("Change"), pl.all()))
    return TableData(pl.concat(blocks), frozenset({ON_THE_LIST}))


def study_sources(results: Results) -> tuple[str, ...]:
    """Give a line for each source that a run used: those of a catalogue with their terms, own files by title."""
    catalogue = load_catalogue()
    entries = results.provenance["sources"]
    # What stands in place of a source of the catalogue has not its date, nor its terms.
    used: dict[str, Mapping[str, Any]] = {}
    for e in entries:
        if "replaces" not in e:
            used.setdefault(e["id"], e)  # a file that was read in two ways has two entries
    instead = [
        f"{e['title']}: {e['url'] or file_name(e['path'])} ({e['vintage']}), in place of {e['replaces']['vintage']}."
        for e in entries
        if "replaces" in e
    ]
    own = [_own(e) for id_, e in used.items() if id_ not in catalogue]
    return (
        *source_lines(id_ for id_ in used if id_ in catalogue),
        *dict.fromkeys(instead),
        *own,
    )


def _own(entry: Mapping[str, Any]) -> str:
    """Tell a source of the user's own catalogue, or of the fictional county, from a file that the study names."""
    if entry["publisher"] == OWN_FILE:
        return f"{entry['title']}: a file of the study's own."
    terms = (
        f"{entry['title']} ({entry['publisher']}, {entry['vintage']}). Licence: {entry['licence']}."
    )
    return f"{terms} {entry['attribution'] or ''}".rstrip()
