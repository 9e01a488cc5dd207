"""Where the money goes: a programme's rule as data, run on any study."""

from commonweal.invest.allocation.programme import Programme, load_programme
from commonweal.invest.allocation.regions import Regions, bordering, build_regions

__all__ = [
    "Programme",
    "Regions",
    "bordering",
    "build_regions",
    "load_programme",
]
