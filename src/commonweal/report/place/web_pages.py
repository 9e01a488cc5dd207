"""HTML pages of the pack: each needs nothing else, and asks nothing of any server."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["page_maker"]


def page_maker() -> Callable[..., str]:
    """Give a function that fills a template of the pack: ``page("place.html", title=..., ...)``."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    folder = resources.files("commonweal.report.place") / "templates"
    made = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["raw"] = Markup  # for drawings of this package, escaped as they were drawn
    css = Markup((folder / "pack.css").read_text("utf-8"))

    def page(template: str, **told: Any) -> str:
        text = made.get_template(template).render(css=css, **told)
        # A number and its percent sign stay on one line.
        return re.sub(r"\n\s*\n+", "\n", text).replace(" %", "\N{NO-BREAK SPACE}%")

    return page
