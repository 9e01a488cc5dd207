"""A drawing as a value: its SVG, what stands for it, and the table that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonweal.document.table import Shown

__all__ = [
    "Chart",
]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its id in the page, what it shows, the drawing, and its numbers."""

    id: str
    title: str
    about: str
    svg: str
    numbers: Shown
