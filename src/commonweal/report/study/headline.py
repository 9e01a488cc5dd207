"""What a run found, in sentences and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.format import (
    SURE,
    UNSURE,
    coded_name,
    count_words,
    format_count,
    living,
    percent,
    renewed,
    sentence,
    stability,
    stable,
)
from commonweal.report.study.comparison import change_tables
from commonweal.report.study.method import cautions, weak_indicators
from commonweal.report.study.sensitivity import (
    NOT_RECALCULATED,
    most_often,
    recalculated,
)
from commonweal.report.study.tables import the_list
from commonweal.study.names import (
    authority,
    counted_areas,
    index_label,
    listed_areas,
    parent_words,
    rule_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.designation import Comparison, Designation
    from commonweal.designation.uncertainty import Sensitivity
    from commonweal.study.results import Results, Validation


MOST_NAMED = 3

ON_LIST = "{n} of {areas} {are} on {list}."
THE_RULE = "The rule: {rule}."
CERTAIN = (
    "{secure} of the {of} on the list are secure (at least 95% certain), {likely} likely (80% to 95%), {borderline} "
    "borderline (20% to 80%) and {unlikely} unlikely (under 20%)."
)
BORDERLINE = "{areas}, on or off the list, {are} on it in 20% to 80%{borderline}: there the assumptions decide."
NO_BORDERLINE = "{areas}, on or off the list, are on it in 20% to 80%{borderline}."
ONE_CONDITION = (
    "  {index} alone: {n} of the {of} {meet} the condition in at least 95% of recalculations."
)
ONE_AREA = "  {index} alone: it {meets} the condition in at least 95% of recalculations."
NO_SCORE = "{areas} {have} no score on an index that the rule uses{such}: {indices}."
LEFT_OUT = "{n} of them {were} left out because too many of their values are missing."
NO_PARENT = "{areas} {are} in no {parent}{such}, so the rule cannot rank {them} within one."


def ranked(results: Results) -> Iterator[str]:
    """Name the few in most need, where the study only ranks."""
    areas = results.areas
    yield f"{listed_areas(results)} ranked. This study has no rule, so it makes no list."
    here = np.flatnonzero(results.focus)
    for index, found in results.scores.items():
        first = here[np.argsort(found.rank[here], kind="stable")][:MOST_NAMED]  # missing come last
        named = [coded_name(areas.codes[i], areas.table["name"][int(i)]) for i in first]
        yield f"Greatest need on {index_label(results, index)}: {'; '.join(named)}."


def list_sentences(results: Results, name: str) -> Iterator[str]:
    """Say how many areas are on a list, by which rule, and who lives there ('' if none is)."""
    areas, designation = results.areas, results.designation_in_focus(name)
    n = int(designation.selected.sum())
    yield ON_LIST.format(
        n=f"{n:,}",
        areas=listed_areas(results),
        are="is" if 1 in (n, int(results.focus.sum())) else "are",
        list=the_list(results, name),
    )
    yield THE_RULE.format(rule=rule_in_words(results, name))
    where = ""
    parent = authority(results)
    if parent:
        held = areas.table.filter(designation.selected)[parent].drop_nulls().n_unique()
        where = f", in {format_count(held, *parent_words(parent))}"
    yield f"{sentence(living(designation.population))}{where}." if n else ""


def unscored_sentences(results: Results, name: str) -> Iterator[str]:
    """Say how many areas could not be tested, and on what: missing is never shown as 'not on the list'."""
    designation = results.designations[name]
    missing = _without_score(results, designation)
    if missing:
        lacking = np.logical_or.reduce(list(missing.values()))
        told = ", ".join(
            f"{index_label(results, index)} {gone.sum():,}" for index, gone in missing.items()
        )
        n, such = int(lacking.sum()), _such(results, lacking)
        yield NO_SCORE.format(
            areas=counted_areas(n, results.areas),
            have="has" if n == 1 else "have",
            such=such,
            indices=told,
        )
        here = set(results.areas_in_focus.codes)
        out = {c for i in {i.split(".")[0] for i in missing} for c in results.left_out(i)} & here
        if out:
            yield LEFT_OUT.format(n=f"{len(out):,}", were="was" if len(out) == 1 else "were")
    for parent, alone in _without_parent(results, designation).items():
        n, (one, _) = int(alone.sum()), parent_words(parent)
        yield NO_PARENT.format(
            areas=counted_areas(n, results.areas),
            are="is" if n == 1 else "are",
            parent=one,
            such=_such(results, alone),
            them="it" if n == 1 else "them",
        )


def _without_score(results: Results, designation: Designation) -> dict[str, NDArray[np.bool_]]:
    """By index or domain that the rule asks for, the areas without a score on it, if any."""
    paths = dict.fromkeys(c.index for c in designation.rule.conditions())
    gone = {
        p: np.isnan(results.scores[p.split(".")[0]].need[p.replace(".", "/")]) & results.focus
        for p in paths
    }
    return {path: areas for path, areas in gone.items() if areas.any()}


def _without_parent(results: Results, designation: Designation) -> dict[str, NDArray[np.bool_]]:
    """By kind of larger area within which the rule places areas, those that are in none, if any."""
    parents = dict.fromkeys(c.within for c in designation.rule.conditions() if c.within)
    gone = {p: results.areas.table[p].is_null().to_numpy() & results.focus for p in parents}
    return {parent: areas for parent, areas in gone.items() if areas.any()}


def _such(results: Results, which: NDArray[np.bool_]) -> str:
    """Name the first few of some areas, in brackets."""
    codes = results.areas.table["code"].filter(which)
    return f" ({', '.join(codes.head(3))}{'...' if len(codes) > 3 else ''})"


def stability_sentences(results: Results, name: str) -> Iterator[str]:
    """Say how a list was recalculated, how many areas stay on it, and how many meet each condition."""
    designation, sure = results.designation_in_focus(name), results.certainty.get(name)
    if sure is None:
        yield NOT_RECALCULATED
        return
    p, inside = sure.selected, designation.selected
    toss_ups = (p >= UNSURE) & (p <= 1 - UNSURE) & results.focus
    n, open_ones = int(inside.sum()), int(toss_ups.sum())
    sure_ones = int((p[inside] >= SURE).sum())
    lines = [recalculated(sure.n_draws, sure.settings.assumptions)]
    secure, borderline = " (secure)", " (borderline)"
    if sure.next_release is not None:  # the words are of the one certainty, not of these shares
        secure = borderline = ""
        if n:
            shares = sure.overall[inside].tolist()
            counted = {word: f"{count:,}" for word, count in count_words(shares).items()}
            said = CERTAIN.format(of=f"{n:,}", **counted)
            if n == 1:
                said = f"Its place on the list is {stability(shares[0])} ({percent(shares[0])})."
            yield f"{said} {renewed(alone=len(sure.passes) == 1)}"
            lines = ["Sensitivity to assumptions:", lines[0][:1].lower() + lines[0][1:]]
    if n:
        lines.append(stable(n, sure_ones, word="" if n == 1 else secure))
    lines.append(
        (BORDERLINE if open_ones else NO_BORDERLINE).format(
            areas=counted_areas(open_ones, results.areas),
            are="is" if open_ones == 1 else "are",
            borderline=borderline,
        )
    )
    yield " ".join(lines)
    for label, share in sure.passes if len(sure.passes) > 1 else ():
        if label not in sure.ranks or not n:
            continue
        count, index = int((share[inside] >= SURE).sum()), index_label(results, label)
        if n == 1:
            yield ONE_AREA.format(index=index, meets="meets" if count else "does not meet")
        else:
            meet = "meets" if count == 1 else "meet"
            yield ONE_CONDITION.format(index=index, n=f"{count:,}", of=f"{n:,}", meet=meet)


def _by_code(codes: pl.Series, values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(codes.to_list(), values.tolist(), strict=True))


def study_account(results: Results) -> dict[str, Any]:
    """Give the answer of a run for programs: by list the codes of areas, how certain each is, and what was checked."""
    designations = {}
    for name in results.designations:
        d, codes = results.designation_in_focus(name), results.areas.table["code"]
        sure = results.certainty.get(name)
        designations[name] = {
            "rule": str(d.rule),
            "count": int(d.selected.sum()),
            "cautions": cautions(results, name),
            "without_score": _codes_of(results, _without_score(results, d)),
            "without_parent": _codes_of(results, _without_parent(results, d)),
            "population": None if np.isnan(d.population) else d.population,
            "selected": codes.filter(d.selected).to_list(),
            "near_misses": codes.filter(d.near_miss).to_list(),
            "just_inside": codes.filter(d.just_inside).to_list(),
            "certainty": None
            if sure is None
            else {
                "draws": sure.n_draws,
                "seed": sure.seed,
                "at_least_95_percent": int((sure.selected[d.selected] >= SURE).sum()),
                "share_of_draws": _by_code(codes.filter(d.selected), sure.selected[d.selected]),
                "certainty": _by_code(codes.filter(d.selected), sure.overall[d.selected]),
                "next_release": None
                if sure.next_release is None
                else _by_code(codes.filter(d.selected), sure.next_release[d.selected]),
            },
            "sensitivity": _sensitivity_data(results, results.sensitivity.get(name)),
        }
    return {
        "study": results.study.name,
        "note": results.study.briefing.note,
        "cautions": weak_indicators(results),
        "areas": int(results.focus.sum()),
        "ranked_among": len(results.areas),
        "designations": designations,
        "since": results.since_in_focus and _since_data(results, results.since_in_focus[1]),
        "agreement": [_agreement_data(results, a) for a in results.validations],
    }


def _since_data(results: Results, c: Comparison) -> dict[str, Any]:
    rows = {
        t.name: t.shown.frame.select(code="Code", name="Name").to_dicts() for t in change_tables(c)
    }
    named = {change: rows.get(change, []) for change in ("stays", "enters", "leaves")}
    counts = {change: len(found) for change, found in named.items()}
    studies = {"before": results.study.since, "after": results.study.name}
    return {**studies, "counts": counts, "carried": c.report, **named}


def _sensitivity_data(results: Results, found: Sensitivity | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "runs": found.selected.n_runs,
        "seed": found.seed,
        "most_often_moves": dict(zip(found.inputs, most_often(results, found), strict=True)),
        "total": {
            path.replace("/", ".") or "selected": {
                name: None if np.isnan(total) else float(total)
                for name, total in zip(found.inputs, sobol.total[:, 0], strict=True)
            }
            for path, sobol in found.whole.items()
        },
    }


def _codes_of(results: Results, lacking: Mapping[str, NDArray[np.bool_]]) -> list[str]:
    which = np.logical_or.reduce([np.zeros(len(results.areas), dtype=bool), *lacking.values()])
    return results.areas.table["code"].filter(which).to_list()


def _agreement_data(results: Results, a: Validation) -> dict[str, Any]:
    data: dict[str, Any] = {
        "of": a.spec.designation or a.spec.index,
        "with": f"{a.spec.source or a.spec.file}: {a.spec.column}",
        "compare": a.spec.compare,
        "compared": a.compared,
        "exact": a.exact,
        "largest_difference": a.largest,
        "holds": a.holds,
    }
    if a.spec.compare == "flag":
        tested = results.designations[a.spec.designation].tested
        codes, names = results.areas.table["code"], results.areas.table["name"]
        data["matched"] = len(a.matched)
        for word, rows in (("missed", a.missed), ("extra", a.extra), ("unlisted", a.unlisted)):
            data[word] = [
                {
                    "code": codes[int(r)],
                    "name": names[int(r)],
                    "margins": {
                        t.condition.index: {
                            "places": None if np.isnan(t.places[r]) else int(t.places[r]),
                            "score": float(t.score[r]) if np.isfinite(t.score[r]) else None,
                        }
                        for t in tested
                    },
                }
                for r in rows
            ]
    return data
