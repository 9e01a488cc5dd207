"""What a study lets vary, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.document.words import joined
from commonweal.errors import CommonwealError
from commonweal.index.acting import checked
from commonweal.index.assumptions import (
    Aggregation,
    CutOff,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
    where_of,
)
from commonweal.index.runs import label_of
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from commonweal.index.assumptions import Assumption
    from commonweal.index.methods import How
    from commonweal.study.results import Results

__all__ = [
    "choice_in_words",
    "kinds_in_words",
]

_KINDS = {
    Weights: "the weights",
    Aggregation: "the way of adding up",
    Normalisation: "the way of making indicators comparable",
    Treatment: "the treatment of outliers",
    Inclusion: "which indicators are in",
    Parameter: "the methods' settings",
    SamplingError: "the indicators' sampling error",
    SmallCounts: "the error of small counts",
    CutOff: "where the line is drawn",
}


def kinds_in_words(vary: Iterable[Assumption]) -> str:
    """Say in a few words what varies."""
    found = {
        CutOff if isinstance(a, Parameter) and a.part == "cut" else type(a): None for a in vary
    }
    return joined(words for kind, words in _KINDS.items() if kind in found)


def choice_in_words(results: Results, a: Assumption, *, law: bool = True) -> str:
    """Say what one assumption lets vary: by its own name, if it has one.

    Parameters
    ----------
    results
        Whose indices and indicators it names.
    a
        The assumption.
    law
        Whether to say between what.
    """
    what, between = _told(results, a)
    what = a.name or what
    return f"{what} ({between})" if law and between else what


def _told(results: Results, a: Assumption) -> tuple[str, str]:
    where = _where(results, a)
    if isinstance(a, Weights):
        return f"the weights within {where}" if where else "all weights", str(a)
    if isinstance(a, Aggregation):
        return f"the way of putting together {where or 'each index'}", _ways(a.of)
    if isinstance(a, Normalisation):
        of = f"the parts of {where}" if where else "indicators"
        return f"the way of making {of} comparable", _ways(a.of)
    if isinstance(a, Treatment):
        return f"the treatment of outliers{f' in {where}' if where else ''}", _ways(a.of)
    if isinstance(a, Inclusion):
        return f"whether {where} is in at all", ""
    if isinstance(a, Parameter):
        law = a.law_in_words()
        if a.setting == "cut":
            return f"the cut-offs{f' on {where}' if where else ''}", f"times {law}"
        if a.setting == "available":
            return f"how much an area must have of {where or 'each domain'}", law
        return f"the setting '{a.key}' of {where or 'every method that has it'}", law
    if isinstance(a, SamplingError):
        of = f" of {where}" if where else " of the published figures"
        return f"the sampling error{of}", ""
    if isinstance(a, SmallCounts):
        return f"the error of small counts{f' in {where}' if where else ''}", ""
    low, high = a.cut
    return "the cut-offs", f"times {low:g} to {high:g}"


def _where(results: Results, a: Assumption) -> str:
    """Name where an assumption acts; '' for everywhere."""
    where = where_of(a)
    if where is None or where == "all":
        return ""
    names = [where] if isinstance(where, str) else list(where)
    labels = [_label(results, name) for name in names]
    return joined(f"the {label}" for label in labels)


def _label(results: Results, name: str) -> str:
    paths = {p for i, s in results.scores.items() for p, _ in s.tree.walk(i)}
    try:
        return index_label(results, checked(name, paths, "index or domain"))
    except CommonwealError:  # an indicator's own name
        spec = results.study.indicators.get(name)
        return spec.label if spec and spec.label else name.replace("_", " ")


def _ways(of: Iterable[How]) -> str:
    return ", ".join(label_of(how).replace("_", " ") for how in of)
