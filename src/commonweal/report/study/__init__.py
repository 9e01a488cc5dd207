"""Telling people: the short answer, profiles, comparisons, and the folder of results.

Nothing heavy is imported until it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commonweal.report.study.folder import check_folder, write_results

__all__ = ["check_folder", "write_results"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from commonweal.report.study import folder

        return getattr(folder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
