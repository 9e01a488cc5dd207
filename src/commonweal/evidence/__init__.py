"""The evidence: the works that claims cite, as data, with what each finds and how strong that is.

>>> from commonweal import evidence
>>> len(evidence.load_evidence().works) > 50
True
"""

from commonweal.evidence.cite import (
    Citation,
    bibtex,
    cite,
    csl_json,
    full_reference,
    short_reference,
)
from commonweal.evidence.library import STRENGTHS, Evidence, Theme, Work, load_evidence

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
