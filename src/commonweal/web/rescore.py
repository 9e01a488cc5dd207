"""The same study with other weights and cut-offs, in a fraction of a second.

What enters an index is known already, so a weight that changes asks only for the weighted mean and
the ranks anew: the same functions that the study ran through, and so the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.designation import Condition, Rule, Worst, designate
from commonweal.errors import DataError
from commonweal.index.score import combined
from commonweal.web.choices import LEAST_WEIGHT, MOST_WEIGHT

if TYPE_CHECKING:
    from commonweal.index import Node, Scores
    from commonweal.study.results import Results
    from commonweal.web.choices import Choices

__all__ = ["reruled", "rescore", "reweighed"]


def rescore(results: Results, choices: Choices) -> Results:
    """Give the results that a study would have with other weights and cut-offs.

    Parameters
    ----------
    results
        A run of the study.
    choices
        What is otherwise.

    Returns
    -------
    Results
        With the scores and designations that `commonweal.study.run.run` gives for a study with these
        weights and cut-offs. What would take longer is left out: certainty, sensitivity, what
        would change the answer, and comparisons with others.

    Raises
    ------
    DataError
        If every domain of an index is left out, or a weight is too large or too small to be counted with.
    """
    scores = {
        index: reweighed(found, _weights(index, found.tree, choices))
        for index, found in results.scores.items()
    }
    changed = {index for index, found in scores.items() if found is not results.scores[index]}
    designations = {}
    for name, d in results.designations.items():
        rule = reruled(d.rule, name, choices)
        known = {
            i: t
            for i, (t, c) in enumerate(zip(d.tested, rule.conditions(), strict=True))
            if c == t.condition and c.path.split("/")[0] not in changed
        }
        designations[name] = designate(
            name, rule, scores, results.areas, changes=False, known=known
        )
    return replace(
        results,
        scores=scores,
        designations=designations,
        certainty={},
        sensitivity={},
        agreements=(),
        since=None,
        summaries={},
        trends={},
    )


def _weights(index: str, tree: Node, choices: Choices) -> dict[str, float]:
    """Give the weights of an index's domains, which add up to what the stated ones do."""
    stated = tree.weights
    total = sum(stated.values())
    keys = {name: f"w.{index}.{name}" for name in stated}
    if not set(keys.values()) & set(choices.weights):
        return stated
    for key in keys.values():
        found = choices.weights.get(key, 0.0)
        if not (found == 0 or LEAST_WEIGHT <= found <= MOST_WEIGHT):
            raise DataError(
                f"{key}: found {found:g}; expected 0, or a number from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}"
            )
    asked = {
        name: choices.weights[key] * total / 100 if (key := keys[name]) in choices.weights else own
        for name, own in stated.items()
    }
    given = sum(asked.values())
    if given <= 0:
        raise DataError(f"every domain of {index} is left out; expected a weight above 0")
    if not math.isfinite(given):
        raise DataError(f"the weights of {index} add up to more than can be counted")
    return {name: weight * total / given for name, weight in asked.items()}


def reweighed(scores: Scores, weights: dict[str, float]) -> Scores:
    """Give an index with other weights for its domains.

    Parameters
    ----------
    scores
        The index.
    weights
        By domain, 0 or more; 0 leaves the domain out.

    Returns
    -------
    Scores
        The same value where nothing changes; else the root's need and weights are new, also on the
        areas that it was built on. A domain that is left out keeps its scores, and its place with a
        weight of 0.
    """
    if weights == scores.tree.weights:
        return scores
    built = scores if scores.built is None else scores.built
    tree = scores.tree.model_copy(
        update={
            "children": {
                name: child.model_copy(update={"weight": weights[name]})
                for name, child in scores.tree.children.items()
            }
        }
    )
    children = {name: child for name, child in tree.children.items() if child.weight > 0}
    kept = tree.model_copy(update={"children": children})
    w = np.array(list(kept.weights.values()))
    x = np.column_stack([built.transformed[f"{scores.index}/{name}"] for name in children])
    root = combined(scores.index, kept, x, w, tree.aggregate, w, codes=built.codes)
    fresh = replace(built, tree=tree, need={**built.need, scores.index: root})
    if scores.move is None:
        return fresh
    need = {**scores.need, scores.index: scores.move.mean(root)}
    return replace(scores, tree=tree, need=need, built=fresh)


def reruled(rule: Rule, name: str, choices: Choices) -> Rule:
    """Give a rule with the cut-offs that are asked for in place of its own."""
    numbers = iter(range(1, sum(1 for _ in rule.conditions()) + 1))

    def visit(part: Rule) -> Rule:
        condition = part.condition
        if condition is not None:
            asked = choices.cuts.get(f"cut.{name}.{next(numbers)}")
            return (
                part
                if asked is None
                else part.model_copy(update={"condition": _cut(condition, asked)})
            )
        return part.model_copy(
            update={
                "all": None if part.all is None else tuple(visit(r) for r in part.all),
                "any": None if part.any is None else tuple(visit(r) for r in part.any),
                "not_": None if part.not_ is None else visit(part.not_),
            }
        )

    return visit(rule)


def _cut(condition: Condition, asked: float) -> Condition:
    if condition.worst is None:
        return condition.model_copy(update={"score_above": asked})
    if condition.worst.share is not None:
        return condition.model_copy(update={"worst": Worst(share=asked / 100)})
    return condition.model_copy(update={"worst": Worst(number=int(asked))})
