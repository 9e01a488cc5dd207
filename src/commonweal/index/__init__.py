"""Many numbers to one: transform, weight, aggregate, rank; uncertainty; official recipes.

What a tree is made of is here as functions: ``from commonweal.index import score, normalise``.
Everything else is a file of the room, named after what it does and loaded when it is first asked
for: ``from commonweal.index import describe``, then ``describe.describe(x)``. So each name means one
thing, whatever was imported before: `aggregate`, `normalise`, `rank` and `score` are functions.

>>> from commonweal import index
>>> index.rank([3.0, 9.0, 5.0]).tolist()
[3.0, 1.0, 2.0]
"""

from importlib import import_module
from typing import TYPE_CHECKING

from commonweal.index.aggregate import AGGREGATORS, aggregate, aggregator, contributions
from commonweal.index.build import Index
from commonweal.index.framework import (
    Node,
    load_preset,
    presets,
    with_indicators,
    without_indicators,
)
from commonweal.index.importance import WEIGHINGS
from commonweal.index.normalise import NORMALISERS, normalise, normaliser
from commonweal.index.rank import TieRule, decile, rank
from commonweal.index.rank_transforms import exponential, exponential_of_rank, normal_score
from commonweal.index.score import Base, fit_base, score, score_tree
from commonweal.index.scores import Scores

if TYPE_CHECKING:
    from types import ModuleType

    from commonweal.index import (
        assumptions,
        benefit,
        correlate,
        decomposition,
        describe,
        distributions,
        importance,
        impute,
        means,
        monte_carlo,
        multivariate,
        outrank,
        panel,
        prepare,
        prepare_spec,
        rank_tables,
        rank_transforms,
        rates,
        reshape,
        review,
        scales,
        screen,
        sensitivity,
        treat,
        trends,
        uncertainty,
        weigh,
    )

__all__ = [
    "AGGREGATORS",
    "NORMALISERS",
    "WEIGHINGS",
    "Base",
    "Index",
    "Node",
    "Scores",
    "TieRule",
    "aggregate",
    "aggregator",
    "assumptions",
    "benefit",
    "contributions",
    "correlate",
    "decile",
    "decomposition",
    "describe",
    "distributions",
    "exponential",
    "exponential_of_rank",
    "fit_base",
    "importance",
    "impute",
    "load_preset",
    "means",
    "monte_carlo",
    "multivariate",
    "normal_score",
    "normalise",
    "normaliser",
    "outrank",
    "panel",
    "prepare",
    "prepare_spec",
    "presets",
    "rank",
    "rank_tables",
    "rank_transforms",
    "rates",
    "reshape",
    "review",
    "scales",
    "score",
    "score_tree",
    "screen",
    "sensitivity",
    "treat",
    "trends",
    "uncertainty",
    "weigh",
    "with_indicators",
    "without_indicators",
]


def __getattr__(name: str) -> "ModuleType":
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
