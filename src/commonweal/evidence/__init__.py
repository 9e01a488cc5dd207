"""The evidence: the works that claims cite, as data, with what each finds and how strong that is.

>>> from commonweal import evidence
>>> len(evidence.load_evidence().works) > 50
True
"""

from commonweal.evidence.cite import Citation, bibtex, cite, csl_json
from commonweal.evidence.library import Evidence, Work, load_evidence

__all__ = [
    "Citation",
    "Evidence",
    "Work",
    "bibtex",
    "cite",
    "csl_json",
    "load_evidence",
]
