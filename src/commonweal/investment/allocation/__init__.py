"""Where the money goes: a programme's rule as data, run on any study."""

from commonweal.investment.allocation.allocate import Allocation, Cost, allocate, next_in_line
from commonweal.investment.allocation.building import Built, build_up
from commonweal.investment.allocation.chance import Chance, chance
from commonweal.investment.allocation.comparing import (
    Difference,
    Ground,
    compare,
    ground_of,
    in_need_on,
)
from commonweal.investment.allocation.groups import read_exclusions, with_groups
from commonweal.investment.allocation.neighbours import bordering, neighbours
from commonweal.investment.allocation.programme import (
    Programme,
    load_programme,
    shipped_programmes,
)
from commonweal.investment.allocation.regions import Regions, build_regions

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
