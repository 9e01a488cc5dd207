"""Many numbers to one: transform, weight, aggregate, rank; uncertainty; official recipes.

What a tree is made of is here as functions: ``from commonweal.index import score, normalise``.
Everything else is a file of the room, named after what it does and loaded when it is first asked
for: ``from commonweal.index import describe``, then ``describe.describe(x)``. So each name means one
thing, whatever was imported before: `aggregate`, `normalise`, `rank` and `score` are functions.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from commonweal.index.aggregate import AGGREGATORS, aggregate, aggregator, contributions
from commonweal.index.by_rank import exponential, exponential_of_rank, normal_score
from commonweal.index.framework import (
    Node,
    load_preset,
    presets,
    with_indicators,
    without_indicators,
)
from commonweal.index.normalise import NORMALISERS, normalise, normaliser
from commonweal.index.rank import TieRule, decile, rank
from commonweal.index.score import Base, fit_base, score, score_tree
from commonweal.index.scores import Scores
from commonweal.index.weighings import WEIGHINGS

if TYPE_CHECKING:
    from types import ModuleType

    from commonweal.index import (
        assumptions,
        benefit,
        by_rank,
        change_parts,
        components,
        correlate,
        denominate,
        describe,
        distances,
        ensemble,
        growth,
        importance,
        impute,
        impute_panel,
        laws,
        means,
        model,
        noise,
        outrank,
        panel,
        prepare,
        prepare_spec,
        reliability,
        reshape,
        review,
        scales,
        screen,
        sensitivity,
        shrink,
        standings,
        treat,
        treatments,
        trends,
        uncertainty,
        weigh,
    )

__all__ = [
    "AGGREGATORS",
    "NORMALISERS",
    "WEIGHINGS",
    "Base",
    "Node",
    "Scores",
    "TieRule",
    "aggregate",
    "aggregator",
    "assumptions",
    "benefit",
    "by_rank",
    "change_parts",
    "components",
    "contributions",
    "correlate",
    "decile",
    "denominate",
    "describe",
    "distances",
    "ensemble",
    "exponential",
    "exponential_of_rank",
    "fit_base",
    "growth",
    "importance",
    "impute",
    "impute_panel",
    "laws",
    "load_preset",
    "means",
    "model",
    "noise",
    "normal_score",
    "normalise",
    "normaliser",
    "outrank",
    "panel",
    "prepare",
    "prepare_spec",
    "presets",
    "rank",
    "reliability",
    "reshape",
    "review",
    "scales",
    "score",
    "score_tree",
    "screen",
    "sensitivity",
    "shrink",
    "standings",
    "treat",
    "treatments",
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
