"""What to do about it: parameters as data, and what an investment costs and is worth.

Each subject is a folder: allocation, appraisal, case, portfolio, siting and tracker. `site` finds where new
places should go.

>>> from commonweal import invest
>>> problem = invest.siting.problem_from_matrix([[1.0, 4.0], [3.0, 2.0]], [10, 20])
>>> invest.siting.solve(problem, invest.siting.Goal("p_median", sites=1)).chosen.tolist()
[0]
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonweal.invest import allocation, appraisal, case, portfolio, siting, tracker
    from commonweal.invest.siting.on_study import SitingOptions, site

_SITING = ("SitingOptions", "site")

__all__ = [
    "SitingOptions",
    "allocation",
    "appraisal",
    "case",
    "portfolio",
    "site",
    "siting",
    "tracker",
]


def __getattr__(name: str) -> object:
    if name in _SITING:
        return getattr(import_module(f"{__name__}.siting.on_study"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
