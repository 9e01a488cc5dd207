"""Quillshire: a fictional county, generated from a seed, whose truth is known.

``commonweal demo`` runs on it where there is neither network nor mirror, and tests measure
against it: each place, bus, vote and survey answer is drawn from needs that were planted,
so what a method finds can be held against what is so. Nothing in it is a real place.

>>> from commonweal.demo import generate_county
>>> county = generate_county(seed=1, n_areas=60)
>>> county.label
'Quillshire (a fictional county)'
>>> county.areas.height
60
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonweal.demo.county import County, generate_county

__all__ = [
    "County",
    "generate_county",
]


def __getattr__(name: str) -> object:
    # Polars, scipy and shapely take a second to import; a catalogue that only names
    # the county should not pay for them.
    if name in __all__:
        return getattr(import_module("commonweal.demo.county"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
