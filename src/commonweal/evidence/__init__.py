"""The evidence: the works that claims cite, as data, with what each finds and how strong that is."""

from commonweal.evidence.cite import Citation, cite, full_reference, short_reference
from commonweal.evidence.export import bibtex, csl_json
from commonweal.evidence.library import Evidence, load_evidence
from commonweal.evidence.work import STRENGTHS, Theme, Work

__all__ = [
    "STRENGTHS",
    "Citation",
    "Evidence",
    "Theme",
    "Work",
    "bibtex",
    "cite",
    "csl_json",
    "full_reference",
    "load_evidence",
    "short_reference",
]
