"""The briefing pack: what is said of one place and of a larger area, as pages, PDF, workbook and charts.

Nothing heavy is imported until it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commonweal.report.place.describing import describe, describer
    from commonweal.report.place.place import Place

__all__ = [
    "Place",
    "describe",
    "describer",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from commonweal.report.place import describing, place

        return getattr(place if name == "Place" else describing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
