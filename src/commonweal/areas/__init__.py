"""The places: area systems, names, parents, populations, boundaries, and moves between them.

>>> from commonweal import areas
>>> areas.load_systems().system("lsoa21").plural
'neighbourhoods'
"""

from commonweal.areas.areas import (
    Areas,
    area_names,
    boundaries,
    code_texts,
    link_table,
    load_areas,
    population,
)
from commonweal.areas.catalogue import AreaSystem, Link, Systems, load_systems
from commonweal.areas.crosswalk import Move, build_move, move_from_pairs
from commonweal.areas.summaries import extent_weight, summarise

__all__ = [
    "AreaSystem",
    "Areas",
    "Link",
    "Move",
    "Systems",
    "area_names",
    "boundaries",
    "build_move",
    "code_texts",
    "extent_weight",
    "link_table",
    "load_areas",
    "load_systems",
    "move_from_pairs",
    "population",
    "summarise",
]
