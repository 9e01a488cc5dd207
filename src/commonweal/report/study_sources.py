"""The sources of a study, for reports that rest on its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.write import source_lines
from commonweal.report.study.published import file_name
from commonweal.sources import load_catalogue
from commonweal.sources.catalogue import OWN_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from commonweal.study.results import Results

__all__ = ["study_sources"]


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
