"""Commonweal: measures the social infrastructure of every neighbourhood and who is left behind.

``import commonweal as cw`` loads nothing; each name is loaded when it is first used.

>>> import commonweal as cw
>>> study = cw.Study("demo").with_weights("community_needs", places=2)
>>> results = cw.run(study, draws=0, geometry=False)
>>> results.designation.selected.sum().item()
15
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonweal import (
        access,
        areas,
        designation,
        evidence,
        index,
        indicators,
        invest,
        small_areas,
        social_capital,
        sources,
        survey,
    )
    from commonweal.areas import Areas
    from commonweal.compare import compare_results as compare
    from commonweal.designation import Certainty, Designation
    from commonweal.errors import CommonwealError
    from commonweal.front_door import Results, open, run, studies  # noqa: A004 - cw.open
    from commonweal.index import Index, Scores
    from commonweal.indicators import Indicators
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.version import __version__

_ROOMS = (
    *("access", "areas", "compare", "designation", "evidence", "index", "indicators", "invest"),
    *("small_areas", "social_capital", "sources", "survey"),
)
_NAMES = {
    "Areas": "areas",
    "Certainty": "designation",
    "CommonwealError": "errors",
    "Designation": "designation",
    "Index": "index",
    "Indicators": "indicators",
    "Results": "front_door",
    "Scores": "index",
    "Store": "sources",
    "Study": "spec",
    "__version__": "version",
    "open": "front_door",
    "run": "front_door",
    "studies": "front_door",
}

__all__ = [
    "Areas",
    "Certainty",
    "CommonwealError",
    "Designation",
    "Index",
    "Indicators",
    "Results",
    "Scores",
    "Store",
    "Study",
    "__version__",
    "access",
    "areas",
    "compare",
    "designation",
    "evidence",
    "index",
    "indicators",
    "invest",
    "open",
    "run",
    "small_areas",
    "social_capital",
    "sources",
    "studies",
    "survey",
]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return import_module(f"commonweal.{name}")
    if name in _NAMES:
        return getattr(import_module(f"commonweal.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'commonweal' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
