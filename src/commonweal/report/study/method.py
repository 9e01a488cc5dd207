"""How a list was made, what it does not show, and quality flags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.designation.designation import group_numbers
from commonweal.document.format import format_amount, format_count, join_words, percent, renewed
from commonweal.document.model import TableData
from commonweal.index.methods import name_of, settings_of
from commonweal.index.rank_transforms import BY_RANK
from commonweal.index.review import Thresholds, review_data, review_tree
from commonweal.indicators.indicators import constants, sparse
from commonweal.report.study.data_dictionary import limit, preparation
from commonweal.report.study.sensitivity import describe_assumption, sensitivity_method
from commonweal.report.study.tables import ON_THE_LIST, the_list
from commonweal.spec.data import OwnAreas
from commonweal.study.names import (
    counted_areas,
    focus_note,
    index_label,
    parent_words,
    rule_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from commonweal.designation import Designation
    from commonweal.designation.rule import ConditionResult
    from commonweal.index.framework import Node
    from commonweal.index.methods import MethodSpec
    from commonweal.index.review import Finding
    from commonweal.spec.indices import PanelSpec
    from commonweal.study.results import Results


_MOST = 12
"""Findings that are shown of an index; the rest are counted."""


def quality_flags(results: Results) -> list[tuple[str, str]]:
    """Give, by index, what to check as pairs of a subject and a text.

    The indicators are checked as the index read them, after the study's preparation and on the areas
    that it was built on. How far values lie apart is left out where nothing but their ranks enters.
    """
    told = []
    for index in results.scores:
        found = list(_findings(results, index))
        more = f" And {len(found) - _MOST} more." if len(found) > _MOST else ""
        text = " ".join(found[:_MOST]) or "The usual checks of an index found nothing."
        told.append((f"Check: {index_label(results, index)}", text + more))
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
        who = format_count(few, "area has", "areas have")
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
    text = re.sub(r"\bunits\b", "areas", text)
    for name in finding.subject.split(", ") if finding.subject else ():
        text = text.replace(f"'{name}'", f"“{index_label(results, above + name)}”")
    text = re.sub(r"-(?=\d)", "\N{MINUS SIGN}", text)
    below = "/" in finding.node  # the index itself is the subject
    where = f"{index_label(results, finding.node)}: " if below else ""
    return f"{where}{text[0].upper()}{text[1:]}."


def cautions(results: Results, name: str, rows: NDArray[np.intp] | None = None) -> list[str]:
    """Say where a list differs from what the words of its rule suggest."""
    designation = results.designation_in_focus(name) if rows is None else results.designations[name]
    told: list[str] = []
    for t in designation.tested:
        if t.condition.worst is not None and t.condition.among is None:
            within = _of_each if t.condition.within else _of_all
            told += within(results, t)
    return told + list(_without_people(results, designation, rows))


def weak_indicators(results: Results) -> list[str]:
    """Say which indicators that an index is made from have values for few areas only, or one value everywhere."""
    told = []
    for index, found in results.indicators.items():
        leaves = {
            node.indicator: path
            for path, node in results.scores[index].tree.walk(index)
            if node.indicator
        }
        own = results.scores[index].built or results.scores[index]
        for name, known, of in sparse(found, leaves):
            scored = ~np.isnan(own.score[np.isnan(found.need(name))])
            elsewhere = "the other indicators decide" if scored.any() else "there is no score"
            told.append(
                f"“{index_label(results, leaves[name])}”, part of {index_label(results, index)}, has values for only "
                f"{known:,} of {of:,} areas. Elsewhere {elsewhere}."
            )
        for name, value in constants(found, leaves):
            told.append(
                f"“{index_label(results, leaves[name])}”, part of {index_label(results, index)}, is "
                f"{format_amount(value, '')} in every area that has a value, so it does not tell them apart."
            )
    return told


def unmapped(results: Results) -> list[str]:
    """Say how many areas a study's own file of outlines does not have."""
    drawn = results.study.areas.boundaries if isinstance(results.study.areas, OwnAreas) else None
    without = results.boundaries["geometry"].is_null().to_numpy() & results.focus
    n, of = int(without.sum()), int(results.focus.sum())
    if drawn is None or n in (0, of):  # all: they were not asked for
        return []
    placed = results.areas.table["longitude"].is_not_null().to_numpy()[without]
    where = "maps show them as points" if placed.all() else "they are on no map"
    where = "those without a point are on no map" if placed.any() and not placed.all() else where
    return [
        f"{n:,} of {counted_areas(of, results.areas)} {'has' if n == 1 else 'have'} no outline in "
        f"{drawn.file or drawn.source}: {where}."
    ]


def _of_all(results: Results, t: ConditionResult) -> Iterator[str]:
    worst, what = t.condition.worst, index_label(results, t.condition.index)
    scored, n = int((~np.isnan(t.rank)).sum()), int(t.passes.sum())
    if worst is None or not scored:
        return
    cut, of = int(t.cut[0]), counted_areas(scored, results.areas)
    stated = str(worst)
    if worst.number is not None and worst.number >= scored:
        if scored == 1:
            yield f"The {stated} on {what} is the only {results.areas.singular} that has a score."
        else:
            yield f"The {stated} on {what} are all {of} that have a score."
    elif cut == 0:
        yield f"The {stated} on {what}, of {of}, is less than one area, so none can be on the list."
    elif n > cut:
        whom = "all" if n == scored else f"{n:,}"
        tied = int(t.level[t.passes & (t.rank == np.max(t.rank[t.passes]))][0])
        yield (
            f"The {stated} of {of} on {what} would be {cut:,}, but {whom} are included, because {tied:,} tie at "
            "the cut-off."
        )


def _of_each(results: Results, t: ConditionResult) -> Iterator[str]:
    worst, within = t.condition.worst, t.condition.within
    assert worst is not None
    assert within is not None
    one, several = parent_words(within)
    what, stated = index_label(results, t.condition.index), str(worst)
    known = np.flatnonzero(~np.isnan(t.rank))
    group = group_numbers(results.areas, within)[known]
    _, first, at = np.unique(group, return_index=True, return_inverse=True)
    scored = np.bincount(at)
    inside = np.bincount(at, t.passes[known].astype(np.float64)).astype(np.intp)
    cut = t.cut[known][first].astype(np.intp)
    start = f"The {stated} on {what} within each {one}"
    if whole := int(((worst.number or 0) >= scored).sum()) if worst.number else 0:
        yield f"{start} are all of its areas in {whole:,} of {format_count(len(cut), one, several)}."
    if none := int((cut == 0).sum()):
        yield (
            f"{start} is less than one area in {none:,} of {format_count(len(cut), one, several)}, so none there "
            "is on the list."
        )
    over = (inside > cut) & (cut > 0)
    if over.any():
        yield (
            f"{start}: because of ties at the cut-off, {int((inside - cut)[over].sum()):,} more are included, in "
            f"{int(over.sum()):,} of {format_count(len(cut), one, several)}."
        )


def _without_people(
    results: Results, designation: Designation, rows: NDArray[np.intp] | None
) -> Iterator[str]:
    selected = designation.selected if rows is None else designation.selected[rows]
    people = results.areas.population if rows is None else results.areas.population[rows]
    if empty := int((selected & (people == 0)).sum()):
        n = int(selected.sum())
        yield f"{empty:,} of the {counted_areas(n, results.areas)} {'has' if empty == 1 else 'have'} no residents."


_AGGREGATES = {
    "sum": "weighted and added",
    "arithmetic": "averaged with their weights",
    "geometric": "averaged geometrically with their weights",
    "harmonic": "averaged harmonically with their weights",
    "generalised": "averaged by a power mean with their weights",
    "median": "reduced to their weighted median",
    "mazziotta_pareto": "averaged with a penalty for an uneven profile (Mazziotta-Pareto)",
    "mean_min": "placed between their mean and the most extreme of them (mean-min)",
    "ordered": "averaged with weights by their order in each area (ordered weighted average)",
    "copeland": "compared pair by pair (Copeland)",
    "benefit_of_the_doubt": "combined with the weights that give each area the highest score (benefit of "
    "the doubt)",
}
_TRANSFORMS = {
    "exponential": "ranked, and the ranks stretched so that the worst 10% stand out (exponential "
    "transformation)",
    "normal_score": "turned into normal scores",
    "percentile_rank": "turned into percentiles",
    "rank": "ranked",
    "borda": "ranked (Borda counts)",
    "scaled": "rescaled between fixed ends",
    "goalposts": "rescaled between fixed goalposts",
    "adjusted": "rescaled to a range of 60 around 100",
    "distance_to_max": "measured by the distance to the greatest",
    "distance_to_reference": "measured against a reference area",
    "distance_to_target": "measured against a target",
    "fraction_of_max": "divided by the greatest",
    "z_score": "standardised (z-scores)",
    "min_max": "rescaled from the least to the greatest",
    "none": "taken as they are",
}


_LABEL = "is this study's name for the areas on the list. It describes ranks on these numbers, not people."
_MARGIN = (
    "How many ranks an area is inside (positive) or outside (negative) the cut-off. 1 is the last one inside, −1 "
    "the first one outside. Where a rule has several conditions, the smallest number decides."
)
_LIMITS = (
    "A {one} is not its people. Most people in a {one} on the list are not in need on every measure. Many people in "
    "need live in {plural} that are not on it.",
    "The {plural} just inside and just outside the cut-off are alike. Check how far they are from it, and how often "
    "they stay on the list, before you treat them differently.",
    "The recalculations cover only the assumptions that the study varies. They do not cover errors in the published "
    "data, missing measures, or the choice of the rule itself.",
    "The figures describe the dates in the table of sources. The {plural} may have changed since.",
    "The results show where needs coincide. They do not show why, or what would help.",
)
_RANK_LIMIT = "A {one} is not its people: its rank does not describe any one person in it."
RULE = "An area is on {list} if it meets this rule: {rule}."
_OUTSIDE = "Not on the list, but would be if every cut-off were a tenth more generous."
_CHANGE = "The single domain whose rank would have to change least to change the result, if nothing else changed."
_CHANCE = (
    "{what} is: secure, 95% and more; likely, 80% to 95%; "
    "borderline, 20% to 80%; unlikely, under 20%. 100% does not mean that the data have no errors."
)


def _what(results: Results, name: str) -> str:
    """Say what the words of the scale are about."""
    if results.certainty[name].next_release is None:
        return "The share of recalculations in which an area is on the list"
    alone = len(results.certainty[name].passes) == 1
    return f"“Certainty” has a wider meaning. {renewed(alone)} This certainty"


def method(results: Results) -> list[tuple[str, str]]:
    """Give the method as pairs of a subject and a text."""
    areas = results.areas
    called = "" if areas.title.casefold() == areas.plural.casefold() else f" ({areas.title})"
    told = [("Areas", f"{len(areas):,} {areas.plural}{called}. {focus_note(results)}".rstrip())]
    told += preparation(results)
    told += [(index_label(results, index), _index(results, index)) for index in results.scores]
    told += quality_flags(results)
    if results.study.panel and results.trends:
        told.append(("Years", _years(results.study.panel)))
    for name, designation in results.designations.items():
        rule = rule_in_words(results, name)
        told.append(("Rule", RULE.format(list=the_list(results, name), rule=rule)))
        for c in designation.rule.conditions():
            if c.among:
                where = "among the areas that the index was built on, not those of this study"
            elif c.within:
                where = f"within each {parent_words(c.within)[0]}"
            else:
                continue
            told.append(
                (f"Cut-off: {index_label(results, c.index)}", f"The cut-off is set {where}.")
            )
    if results.designations:
        told += [
            ("Label", f"“{results.study.briefing.label}” {_LABEL}"),
            ("Ranks inside the cut-off", _MARGIN),
            ("Just outside the cut-off", _OUTSIDE),
            ("What would change the result", _CHANGE),
        ]
    first = next(iter(results.certainty), None)
    if first is not None:
        told.append(
            (ON_THE_LIST, f"{varied(results, first)} {_CHANCE.format(what=_what(results, first))}")
        )
    matters = next(iter(results.sensitivity), None)
    if matters is not None:
        told.append(("Biggest sources of uncertainty", sensitivity_method(results, matters)))
    return told


def _index(results: Results, index: str) -> str:
    scores = results.scores[index]
    tree = scores.tree
    if not tree.children:
        return "One indicator, used as it is. Rank 1 is the greatest need."
    kinds = "domains" if any(child.children for child in tree.children.values()) else "indicators"
    text = (
        f"Made from {len(tree.children)} {kinds}. Each is {_told(_TRANSFORMS, tree.transform)}; then they are "
        f"{_told(_AGGREGATES, tree.aggregate)}. Rank 1 is the greatest need."
    )
    if scores.move is not None:
        origin = scores.move.origin
        text += (
            f" It is built on {len(origin):,} areas ({origin.title}) and converted to the "
            f"{results.areas.plural} of this study{_carried(scores.move.report)}."
        )
    return f"{text} Method: {tree.reference}" if tree.reference else text


def _years(panel: PanelSpec) -> str:
    """Say what the years of a panel are measured against, and how gaps were filled."""
    years, base = panel.years, panel.base_year
    text = (
        f"The results are those of {years[-1]}. Scores of {', '.join(map(str, years))} are compared on the "
        f"scale of {'all of them together' if base == 'pooled' else base}: every year uses the least, greatest and "
        "mean value of that scale, and ranks among its values."
    )
    ways = {
        "latest": "with the area's last value before",
        "linear": "on the line between the area's values before and after",
        "constant": "with the area's last value before, or else the first after",
    }
    return f"{text} Missing values were filled {ways[panel.fill]}." if panel.fill in ways else text


def _told(words: dict[str, str], how: MethodSpec) -> str:
    """Say a method in words, with its settings."""
    name, settings = name_of(how), settings_of(how)
    said = words.get(name, f"put through '{name}'")
    return f"{said} ({', '.join(f'{k} {v}' for k, v in settings.items())})" if settings else said


def _carried(report: object) -> str:
    if not isinstance(report, dict):
        return ""
    kinds = ("unchanged", "split", "merged", "irregular")
    told = [f"{report[k]:,} {k}" for k in kinds if isinstance(report.get(k), int) and report[k]]
    return f" ({', '.join(told)})" if told else ""


def varied(results: Results, name: str) -> str:
    """Say what the recalculations of a list varied."""
    sure = results.certainty[name]
    told = join_words(describe_assumption(results, a) for a in sure.settings.assumptions)
    return f"We recalculated the list {format_count(sure.n_draws, 'time', 'times')}. Each time we varied {told}."


def limits(results: Results) -> list[str]:
    """Say what the results do not show."""
    areas = results.areas
    told = [text.format(one=areas.singular, plural=areas.plural) for text in _LIMITS]
    if not results.designations:
        told = [_RANK_LIMIT.format(one=areas.singular), *told[3:]]
    if results.study.prepare:
        told.append(limit(results))
    sources = results.provenance.get("sources", ())
    closed = dict.fromkeys(s["title"] for s in sources if s.get("use") == "benchmark-only")
    if closed:
        told.append(
            f"These sources are not openly licensed: {'; '.join(closed)}. You may compare with their values, but not "
            "pass them on. Look at the sources before you share indicators, prepared values or scores made from them."
        )
    return told


def index_table(results: Results) -> TableData:
    """Show every domain and indicator of every index, and its weight."""
    rows = [
        (
            index_label(results, index),
            " / ".join(index_label(results, part) for part in _below(path)) or index_label(results, index),
            float(node.weight),
        )
        for index, scores in results.scores.items()
        for path, node in scores.tree.walk(index)
        if path != index or not node.children
    ]  # fmt: skip
    schema = {"Index": pl.String, "Domain or indicator": pl.String, "Weight": pl.Float64}
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"))


def _below(path: str) -> list[str]:
    """Give the paths from the first domain down: of a/b/c, those of a/b and a/b/c."""
    parts = path.split("/")
    return ["/".join(parts[:k]) for k in range(2, len(parts) + 1)]
