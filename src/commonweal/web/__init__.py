"""The explorer: one run of a study as pages and an HTTP API on this machine.

Nothing heavy is imported until it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commonweal.web.app import create_app
    from commonweal.web.explorer import Explorer, open_explorer

__all__ = ["Explorer", "create_app", "open_explorer"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        from commonweal.files.extras import needs

        room = "app" if name == "create_app" else "explorer"
        with needs("web"):
            return getattr(import_module(f"{__name__}.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
