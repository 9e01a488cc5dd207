"""The places: area systems, names, parents, populations, boundaries, and moves between them.

>>> from commonweal.areas.catalogue import load_systems
>>> load_systems().system("lsoa21").plural
'neighbourhoods'
"""

from commonweal.areas.areas import Areas
from commonweal.areas.crosswalk import Crosswalk, crosswalk_from_pairs

__all__ = [
    "Areas",
    "Crosswalk",
    "crosswalk_from_pairs",
]
