"""Where the money goes: a programme's rule as data, run on any study."""

from commonweal.investment.allocation.allocate import Allocation, Cost, allocate
from commonweal.investment.allocation.programme import (
    Programme,
    load_programme,
    shipped_programmes,
)

__all__ = [
    "Allocation",
    "Cost",
    "Programme",
    "allocate",
    "load_programme",
    "shipped_programmes",
]
