"""A reader's own weights and cut-offs: the study scored again with them, and as a study file.

`commonweal.study.rescore` gives the same scores for any study; it also works out what would change the answer, which
takes half a second for England. Here an answer takes 10 ms, and a domain may have no weight at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.designation import Condition, Rule, designate
from commonweal.designation.rule import Worst
from commonweal.errors import CommonwealError, DataError, StudyError
from commonweal.index.aggregate import needs_equal_weights
from commonweal.index.score import combined
from commonweal.spec.study import load_study, parse_study, read_spec, shipped_studies
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.designation import Condition
    from commonweal.index import Node, Scores
    from commonweal.spec import Study
    from commonweal.study.results import Results


LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1000.0
"""Bounds of a weight that may be asked for, where the stated ones of an index add up to 100; 0 may be, too."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of one domain in its index, as it can be set."""

    key: str  # its name in an address: ``w.INDEX.DOMAIN``
    index: str
    domain: str
    label: str
    index_label: str
    # the study's own weight, where those of the index add up to 100; 0 leaves a domain out
    stated: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut-off of one condition, as it can be set."""

    # its name in an address: ``cut.DESIGNATION.NUMBER``, counted from 1 in the order written
    key: str
    designation: str
    number: int
    label: str  # what it is the cut-off of, for readers
    unit: str  # ``%`` of the areas, ``areas`` or ``points`` of score
    stated: float
    # low, high, step: what may be asked for; the study's own always may
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True)
class Choices:
    """What differs from the study: weights and cut-offs by their keys; nothing, if nothing does."""

    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    cuts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.weights or self.cuts)

    def query(self) -> dict[str, str]:
        """Give them as they stand in an address."""
        return {key: plain_number(v) for key, v in {**self.weights, **self.cuts}.items()}


def plain_number(value: float) -> str:
    """Give a number as it stands in an address or a field: read again, it is the same to the last bit.

    >>> plain_number(60.0), plain_number(21.1234567)
    ('60', '21.1234567')
    """
    return repr(float(value)).removesuffix(".0")


def weights_of(results: Results) -> list[Weight]:
    """Give every weight that can be set: those of each index with several domains that are weighed."""
    found = []
    for index, scores in results.scores.items():
        stated = scores.tree.weights
        if len(stated) < 2 or needs_equal_weights(scores.tree.aggregate):
            continue
        total = sum(stated.values())
        found += [
            Weight(
                f"w.{index}.{domain}",
                index,
                domain,
                index_label(results, f"{index}/{domain}"),
                index_label(results, index),
                float(f"{100 * weight / total:.4g}"),
            )
            for domain, weight in stated.items()
        ]
    return found


def cuts_of(results: Results) -> list[Cut]:
    """Give every cut-off that can be set, one a condition."""
    return [
        _adjustable_cut(results, name, number, condition)
        for name, designation in results.designations.items()
        for number, condition in enumerate(designation.rule.conditions(), start=1)
    ]


def _adjustable_cut(results: Results, name: str, number: int, condition: Condition) -> Cut:
    key, label = f"cut.{name}.{number}", index_label(results, condition.index)
    if condition.worst is None:
        stated = float(condition.score_above or 0.0)
        reach = max(abs(stated), 1.0)
        step = float(f"{reach / 100:.1g}")
        return Cut(key, name, number, label, "points", stated, stated - reach, stated + reach, step)
    if condition.worst.share is not None:
        stated = float(f"{100 * condition.worst.share:.6g}")
        low, high = min(0.1, stated), max(99.9, stated)
        return Cut(key, name, number, label, "%", stated, low, high, 0.5)
    stated = float(condition.worst.number or 1)
    most = max(len(results.areas) - 1.0, stated)
    return Cut(key, name, number, label, "areas", stated, 1.0, most, 1.0)


def choices_from(given: Mapping[str, Any], weights: list[Weight], cuts: list[Cut]) -> Choices:
    """Take the choices out of what an address gives; what is as the study has it is no choice."""

    def differing(known: list[Weight] | list[Cut]) -> dict[str, float]:
        asked = ((one, given.get(one.key)) for one in known)
        return {one.key: float(v) for one, v in asked if v is not None and float(v) != one.stated}

    return Choices(MappingProxyType(differing(weights)), MappingProxyType(differing(cuts)))


def rescore(results: Results, choices: Choices) -> Results:
    """Give the results that a study would have with other weights and cut-offs."""
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
    return results.with_scores(scores, designations)


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
    """Give an index with other weights for its domains."""
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
    root = combined(scores.index, kept, x, w, w, codes=built.codes)
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
                else part.model_copy(update={"condition": _with_cut(condition, asked)})
            )
        return part.model_copy(
            update={
                "all": None if part.all is None else tuple(visit(r) for r in part.all),
                "any": None if part.any is None else tuple(visit(r) for r in part.any),
                "not_": None if part.not_ is None else visit(part.not_),
            }
        )

    return visit(rule)


def _with_cut(condition: Condition, asked: float) -> Condition:
    if condition.worst is None:
        return condition.model_copy(update={"score_above": asked})
    if condition.worst.share is not None:
        return condition.model_copy(update={"worst": Worst(share=asked / 100)})
    return condition.model_copy(update={"worst": Worst(number=int(asked))})


def study_file(results: Results, rescored: Results, choices: Choices) -> str:
    """Write a setting as a study that extends the one explored."""
    import yaml

    study = results.study
    name, base = _base(study)
    data: dict[str, Any] = {
        "extends": name,
        "title": f"{study.title}: a setting of the explorer",
    }
    index = {
        key: _index(base["index"][key], scores.tree)
        for key, scores in rescored.scores.items()
        if scores.tree.weights != results.scores[key].tree.weights
    }
    designate = {
        key: d.rule.written()
        for key, d in rescored.designations.items()
        if d.rule != results.designations[key].rule
    }
    data |= {key: value for key, value in (("index", index), ("designate", designate)) if value}
    if study.agreement:  # of the published setting
        data["agreement"] = []
    out = {
        name
        for key, scores in rescored.scores.items()
        for domain, weight in scores.tree.weights.items()
        if weight == 0
        for name in (domain, f"{key}.{domain}")
    }
    if out & set(study.alike):
        data["alike"] = dict.fromkeys(out & set(study.alike))
    asked = "\n".join(f"#   {key}: {value}" for key, value in choices.query().items())
    beside = f" Keep this file in the folder of {name}." if name.endswith(("yaml", "yml")) else ""
    head = f"# A setting of the explorer. Run it with: commonweal run FILE{beside}\n{asked or '#   as published'}\n"
    # What may vary is left out only where it names a domain that the setting leaves out.
    for without in ({}, dict.fromkeys(("certainty", "sensitivity"))):
        text = head + yaml.safe_dump(data | without, sort_keys=False, allow_unicode=True, width=100)
        try:
            parse_study(text, "this setting", "setting", study.folder)
        except StudyError as error:
            wrong = str(error)
        else:
            return text
    raise CommonwealError(
        f"This setting cannot be saved as a study file: the study names a domain elsewhere that it leaves out. {wrong}"
    )


def _base(study: Study) -> tuple[str, dict[str, Any]]:
    """Give the name that a file extends the study by, and the study's keys as they are written."""
    files = (f"{study.name}{ending}" for ending in (".yaml", ".yml"))
    there = [name for name in files if (study.folder / name).is_file()]
    for name in [*(n for n in shipped_studies() if n == study.name), *there]:
        place = study.folder / name if name in there else Path(name)
        found = load_study(place)
        if (found.index, found.designate) == (study.index, study.designate):
            return name, read_spec(place)
    raise CommonwealError(
        f"A setting can be saved only if the study comes from a file that has not changed; {study.name} does not."
    )


def _index(written: dict[str, Any], tree: Node) -> dict[str, Any]:
    """Give what an index says otherwise: the weights of its domains; one without weight is taken out."""
    kept = {name: weight for name, weight in tree.weights.items() if weight > 0}
    if written.get("preset"):
        if len(kept) == len(tree.weights):
            return {"weights": kept}
        # A preset has all of its domains: the tree is spelled out in its place.
        children = {
            name: tree.children[name].model_dump(mode="json", exclude_none=True) for name in kept
        }
        return dict.fromkeys(("preset", "indicators", "weights")) | {"children": children}
    return {
        "children": {name: {"weight": kept[name]} if name in kept else None for name in tree.weights}
    }  # fmt: skip
