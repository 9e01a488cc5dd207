"""What a reader may set otherwise than the study does: domain weights and cut-offs."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from commonweal.index.aggregate import needs_equal_weights
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.designation import Condition
    from commonweal.study.results import Results

__all__ = [
    "LEAST_WEIGHT",
    "MOST_WEIGHT",
    "Choices",
    "Cut",
    "Weight",
    "choices_from",
    "cuts_of",
    "plain_number",
    "weights_of",
]

LEAST_WEIGHT, MOST_WEIGHT = 1e-6, 1000.0
"""Bounds of a weight that may be asked for, where the stated ones of an index add up to 100; 0 may be, too."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of one domain in its index, as it can be set.

    Attributes
    ----------
    key
        Its name in an address: ``w.INDEX.DOMAIN``.
    index, domain
        Where it stands.
    label, index_label
        Their names for readers.
    stated
        The study's own weight, where those of the index add up to 100; 0 leaves a domain out.
    """

    key: str
    index: str
    domain: str
    label: str
    index_label: str
    stated: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut-off of one condition, as it can be set.

    Attributes
    ----------
    key
        Its name in an address: ``cut.DESIGNATION.NUMBER``, counted from 1 in the order written.
    designation, number
        Where it stands.
    label
        What it is the cut-off of, for readers.
    unit
        ``%`` of the areas, ``areas`` or ``points`` of score.
    stated
        The study's own.
    low, high, step
        What may be asked for; the study's own always may.
    """

    key: str
    designation: str
    number: int
    label: str
    unit: str
    stated: float
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

    Examples
    --------
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
        _cut(results, name, number, condition)
        for name, designation in results.designations.items()
        for number, condition in enumerate(designation.rule.conditions(), start=1)
    ]


def _cut(results: Results, name: str, number: int, condition: Condition) -> Cut:
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
