"""The sources of a study, for reports that rest on its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.reports.write import source_lines
from commonweal.sources import load_catalogue

if TYPE_CHECKING:
    from commonweal.results import Results

__all__ = ["study_sources"]


def study_sources(results: Results) -> tuple[str, ...]:
    """Give a line for each source that a run used: those of the catalogue with their terms, own files by title."""
    catalogue = load_catalogue()
    used = {entry["id"]: entry["title"] for entry in results.provenance["sources"]}
    own = [f"{title}: a file of the study's own." for id_, title in used.items() if id_ not in catalogue]  # fmt: skip
    return (*source_lines(id_ for id_ in used if id_ in catalogue), *own)
