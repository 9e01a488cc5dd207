"""What the rules of thumb for composite indicators find in a study's indices, for readers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from commonweal.document.words import counted, percent
from commonweal.index.by_rank import BY_RANK
from commonweal.index.methods import name_of
from commonweal.index.review import Thresholds, review_data, review_tree
from commonweal.study.names import index_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.index.framework import Node
    from commonweal.index.review import Finding
    from commonweal.study.results import Results

__all__ = ["look_again"]

_MOST = 12
"""Findings that are told of an index; the rest are counted."""


def look_again(results: Results) -> list[tuple[str, str]]:
    """Give, by index, what to look at again as pairs of a subject and a text.

    The indicators are looked at as the index read them, after the study's preparation and on the areas
    that it was built on. How far values lie apart is left out where nothing but their ranks enters.
    """
    told = []
    for index in results.scores:
        found = list(_findings(results, index))
        more = f" And {len(found) - _MOST} more." if len(found) > _MOST else ""
        text = " ".join(found[:_MOST]) or "None of the rules of thumb for indices finds anything."
        told.append((f"Look again: {index_label(results, index)}", text + more))
    return told


def _findings(results: Results, index: str) -> Iterator[str]:
    scores = results.scores[index].built or results.scores[index]
    read = results.indicators[index]
    nodes = dict(scores.tree.walk(index))
    leaves = {node.indicator: path for path, node in nodes.items() if node.indicator}
    at = [j for j, about in enumerate(read.meta) if about.name in leaves]
    paths = [leaves[read.meta[j].name] for j in at]
    limits = Thresholds()
    of_data = review_data(read.values[:, at], paths, list(scores.codes), limits)
    few = sum(f.rule == "unit availability" for f in of_data)
    if few:
        who = counted(few, "area has", "areas have")
        yield f"{who} less than {percent(limits.available)} of the indicators."
    of_tree = review_tree(index, scores.tree, scores.need, scores.transformed, limits)
    for finding in (*of_data, *of_tree):
        harmless = finding.rule == "outliers" and _enters_by_rank(nodes, finding.subject)
        if finding.rule != "unit availability" and not harmless:
            yield _sentence(results, finding)


def _enters_by_rank(nodes: Mapping[str, Node], path: str) -> bool:
    """Say whether nothing but ranks of an indicator's values enters the index: none is an outlier then."""
    own, parent = nodes[path].enters_as, nodes.get(path.rpartition("/")[0], nodes[path])
    return name_of(parent.transform if own is None else own) in BY_RANK


def _sentence(results: Results, finding: Finding) -> str:
    """Say a finding with the names that readers know, and areas for units."""
    above = f"{finding.node}/" if finding.node else ""
    text = finding.message.removeprefix(f"{finding.node}: ").removeprefix("indicator ")
    text = re.sub(r"\bunits\b", "areas", text).replace("%", " %")
    for name in finding.subject.split(", ") if finding.subject else ():
        text = text.replace(f"'{name}'", f"“{index_label(results, above + name)}”")
    text = re.sub(r"-(?=\d)", "\N{MINUS SIGN}", text)
    below = "/" in finding.node  # the index itself is the subject
    where = f"{index_label(results, finding.node)}: " if below else ""
    return f"{where}{text[0].upper()}{text[1:]}."
