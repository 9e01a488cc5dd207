"""Many numbers to one: transform, weight, aggregate, rank; uncertainty; official recipes."""

from commonweal.index.aggregate import AGGREGATES, aggregate, contributions
from commonweal.index.framework import Node, load_preset, presets, with_indicators
from commonweal.index.rank import TieRule, decile, rank
from commonweal.index.score import Scores, score, score_tree
from commonweal.index.transform import TRANSFORMS, exponential, exponential_of_rank, normal_score

__all__ = [
    "AGGREGATES",
    "TRANSFORMS",
    "Node",
    "Scores",
    "TieRule",
    "aggregate",
    "contributions",
    "decile",
    "exponential",
    "exponential_of_rank",
    "load_preset",
    "normal_score",
    "presets",
    "rank",
    "score",
    "score_tree",
    "with_indicators",
]
