"""Where the money goes: a programme's rule as data, run on any study."""

from commonweal.invest.allocation.allocate import Allocation, Cost, allocate, next_in_line
from commonweal.invest.allocation.building import Built, build_up
from commonweal.invest.allocation.chance import Chance, chance
from commonweal.invest.allocation.comparing import (
    Difference,
    Ground,
    compare,
    ground_of,
    in_need_on,
)
from commonweal.invest.allocation.groups import read_exclusions, with_groups
from commonweal.invest.allocation.neighbours import bordering, neighbours
from commonweal.invest.allocation.programme import Programme, load_programme, shipped_programmes
from commonweal.invest.allocation.regions import Regions, build_regions

__all__ = [
    "Allocation",
    "Built",
    "Chance",
    "Cost",
    "Difference",
    "Ground",
    "Programme",
    "Regions",
    "allocate",
    "bordering",
    "build_regions",
    "build_up",
    "chance",
    "compare",
    "ground_of",
    "in_need_on",
    "load_programme",
    "neighbours",
    "next_in_line",
    "read_exclusions",
    "shipped_programmes",
    "with_groups",
]
