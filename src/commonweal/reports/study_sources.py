"""The sources of a study, for reports that rest on its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.briefing.published import file_name
from commonweal.reports.write import source_lines
from commonweal.sources import load_catalogue

if TYPE_CHECKING:
    from commonweal.results import Results

__all__ = ["study_sources"]


def study_sources(results: Results) -> tuple[str, ...]:
    """Give a line for each source that a run used: those of the catalogue with their terms, own files by title."""
    catalogue = load_catalogue()
    entries = results.provenance["sources"]
    # What stands in place of a source of the catalogue has not its date, nor its terms.
    used = {e["id"]: e["title"] for e in entries if "replaces" not in e}
    instead = [
        f"{e['title']}: {e['url'] or file_name(e['path'])} ({e['vintage']}), in place of {e['replaces']['vintage']}."
        for e in entries
        if "replaces" in e
    ]
    own = [f"{title}: a file of the study's own." for id_, title in used.items() if id_ not in catalogue]  # fmt: skip
    return (*source_lines(id_ for id_ in used if id_ in catalogue), *instead, *own)
