"""What `commonweal run` prints of results: as lines, and with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.document.data import document_data
from commonweal.document.text import WRITTEN, document_lines
from commonweal.report.study.document import study_document

if TYPE_CHECKING:
    from commonweal.study.results import Results


def run_lines(results: Results) -> list[str]:
    """Give what stands on the terminal, unwrapped."""
    return list(document_lines(study_document(results), whole=WRITTEN, brief=True))


def run_data(results: Results) -> dict[str, Any]:
    """Give what ``--json`` prints."""
    return document_data(study_document(results))
