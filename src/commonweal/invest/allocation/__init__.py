"""Where the money goes: a programme's rule as data, run on any study."""

from commonweal.invest.allocation.allocate import (
    Allocation,
    Chance,
    Cost,
    allocate,
    chance,
    next_in_line,
)
from commonweal.invest.allocation.comparison import (
    Difference,
    Ground,
    compare,
    ground_of,
    in_need_on,
)
from commonweal.invest.allocation.eligibility import read_exclusions, with_groups
from commonweal.invest.allocation.programme import Programme, load_programme, shipped_programmes
from commonweal.invest.allocation.regions import (
    Built,
    Regions,
    bordering,
    build_regions,
    build_up,
    neighbours,
)

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
