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
from commonweal.areas.crosswalk import Crosswalk, build_crosswalk, crosswalk_from_pairs
from commonweal.areas.summaries import extent_weight, summarise

__all__ = [
    "AreaSystem",
    "Areas",
    "Crosswalk",
    "Link",
    "Systems",
    "area_names",
    "boundaries",
    "build_crosswalk",
    "code_texts",
    "crosswalk_from_pairs",
    "extent_weight",
    "link_table",
    "load_areas",
    "load_systems",
    "population",
    "summarise",
]
