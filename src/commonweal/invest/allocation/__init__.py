"""Where the money goes: a programme's rule as data, run on any study."""

from commonweal.invest.allocation.allocate import (
    Allocation,
    AllocationCertainty,
    CapCost,
    allocate,
    allocation_certainty,
    next_in_line,
)
from commonweal.invest.allocation.comparison import (
    AllocationDifference,
    SelectedShares,
    compare,
    in_need_on,
    selected_shares,
)
from commonweal.invest.allocation.eligibility import read_exclusions, with_groups
from commonweal.invest.allocation.programme import Programme, load_programme, shipped_programmes
from commonweal.invest.allocation.regions import (
    Built,
    Regions,
    adjacency,
    bordering,
    build_regions,
    build_up,
)

__all__ = [
    "Allocation",
    "AllocationCertainty",
    "AllocationDifference",
    "Built",
    "CapCost",
    "Programme",
    "Regions",
    "SelectedShares",
    "adjacency",
    "allocate",
    "allocation_certainty",
    "bordering",
    "build_regions",
    "build_up",
    "compare",
    "in_need_on",
    "load_programme",
    "next_in_line",
    "read_exclusions",
    "selected_shares",
    "shipped_programmes",
    "with_groups",
]
