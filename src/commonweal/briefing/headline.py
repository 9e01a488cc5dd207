"""The short answer: what a run found, in plain words and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.areas import load_systems
from commonweal.briefing.compare import comparison_data, comparison_lines
from commonweal.briefing.words import authority, index_label, people, percent, places, rule_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.designation import Certainty, Designation
    from commonweal.results import Agreement, Results

__all__ = ["as_data", "headline"]

SURE, UNSURE = 0.95, 0.2


def headline(results: Results) -> list[str]:
    """Give the answer of a run as lines of text.

    Parameters
    ----------
    results
        From `commonweal.study.run`.

    Returns
    -------
    list of str
        Title, who is selected, how sure that is, agreement with what is published and each
        difference with its margins.
    """
    lines = [results.study.title]
    if results.study.briefing.note:
        lines.append(results.study.briefing.note)
    for name, designation in results.designations.items():
        lines += ["", *_selected(results, name, designation)]
        sure = results.certainty.get(name)
        lines += _sure(designation, sure)
    if results.since:
        earlier, comparison = results.since
        lines += ["", *comparison_lines(comparison, earlier, results.study.title, most=0)]
    if results.agreements:
        lines += ["", "Checked against:"]
        for agreement in results.agreements:
            lines += _agreement(results, agreement)
    return lines


def _selected(results: Results, name: str, designation: Designation) -> Iterator[str]:
    areas, n = results.areas, int(designation.selected.sum())
    label = (
        results.study.briefing.label if len(results.designations) == 1 else name.replace("_", " ")
    )
    kind = areas.singular if n == 1 else areas.plural
    yield f"{n:,} of {len(areas):,} {areas.plural} are {label}: {rule_in_words(results, name)}."
    where = ""
    parent = authority(results)
    if parent:
        inside = areas.table.filter(designation.selected)[parent].drop_nulls().n_unique()
        systems = load_systems().systems
        kind_of = systems.get(parent)
        one, many = (kind_of.singular, kind_of.plural) if kind_of else (parent, f"{parent}s")
        word = one if inside == 1 else many
        where = f", in {inside:,} {word}"
    if n:
        yield f"{people(designation.population).capitalize()} live there{where}."
    yield (
        f"{int(designation.near_miss.sum()):,} more are near misses (in, were every cut-off a tenth wider); "
        f"{int(designation.just_inside.sum()):,} of the {n:,} {kind} are only just in (out, were it a tenth tighter)."
    )


def _sure(designation: Designation, sure: Certainty | None) -> Iterator[str]:
    if sure is None:
        yield "How sure that is was not asked (no draws)."
        return
    p, inside = sure.selected, designation.selected
    open_ones = int(((p >= UNSURE) & (p <= 1 - UNSURE)).sum())
    yield (
        f"How sure: over {sure.n_draws:,} draws of what the study lets vary, {int((p[inside] >= SURE).sum()):,} "
        f"of the {int(inside.sum()):,} qualify in at least 95 % of draws; {open_ones:,} areas, in or out, "
        f"qualify in 20 % to 80 %: for those the answer hangs on the choice of weights."
    )
    for label, share in sure.passes:
        if label in sure.ranks:
            count = int((share[inside] >= SURE).sum())
            yield (
                f"  On {label.replace('_', ' ')} alone: {count:,} of the {int(inside.sum()):,} "
                "stay in at least 95 % of draws."
            )


def _agreement(results: Results, a: Agreement) -> Iterator[str]:
    spec = a.spec
    if spec.compare == "flag":
        n = len(a.matched) + len(a.missed)
        yield (
            f"  {spec.designation.replace('_', ' ')}: {len(a.matched):,} of the {n:,} listed in "
            f"{spec.source or spec.file} matched, {len(a.missed):,} missed, {len(a.extra):,} others."
        )
        for word, rows in (("missed", a.missed), ("other", a.extra)):
            for row in rows:
                yield f"    {word:<6}  {_difference(results, spec.designation, int(row))}"
        return
    if spec.compare == "spearman":
        yield (
            f"  {index_label(results, spec.index)}: rank correlation {a.largest:.3f} with "
            f"'{spec.column}' over {a.compared:,} areas."
        )
        return
    unit = "place" if spec.compare == "rank" else "point"
    label = index_label(results, spec.index)
    largest = f"{a.largest:,.0f}" if spec.compare == "rank" else f"{a.largest:.4f}"
    verdict = "" if a.holds else f" (more than the {spec.within:g} expected)"
    same = "the same" if spec.compare == "rank" else f"within {spec.within:g}"
    yield (
        f"  {label}, {spec.compare}: {a.exact:,} of {a.compared:,} {same}; "
        f"largest difference {largest} {unit}{'' if a.largest == 1 else 's'}{verdict}."
    )


def _difference(results: Results, name: str, row: int) -> str:
    designation = results.designations[name]
    table = results.areas.table.row(row, named=True)
    parent = authority(results)
    where = f", {table[f'{parent}_name']}" if parent and table[f"{parent}_name"] else ""
    margins = "; ".join(
        f"{t.condition.index.replace('_', ' ')} {places(t.places[row])} ({t.score[row]:+.2f})"
        if not np.isnan(t.rank[row])
        else f"{t.condition.index.replace('_', ' ')} unknown"
        for t in designation.tested
    )
    sure = results.certainty.get(name)
    chance = f"; probability {percent(float(sure.selected[row]))}" if sure else ""
    return f"{table['code']} {table['name']}{where}: {margins}{chance}"


def as_data(results: Results) -> dict[str, Any]:
    """Give the answer of a run as plain data for ``--json``.

    Returns
    -------
    dict
        ``study``, ``title``, ``areas``, and by designation ``selected`` (codes), ``population``,
        ``near_misses`` and ``certainty``; ``agreement`` with each difference and its margins.
    """
    designations = {}
    for name, d in results.designations.items():
        codes = results.areas.table["code"]
        sure = results.certainty.get(name)
        designations[name] = {
            "rule": str(d.rule),
            "count": int(d.selected.sum()),
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
                "probability": dict(
                    zip(
                        codes.filter(d.selected).to_list(),
                        sure.selected[d.selected].tolist(),
                        strict=True,
                    )
                ),
            },
        }
    return {
        "study": results.study.name,
        "title": results.study.title,
        "note": results.study.briefing.note,
        "areas": len(results.areas),
        "designations": designations,
        "since": results.since
        and comparison_data(results.since[1], results.study.since, results.study.name),
        "agreement": [_agreement_data(results, a) for a in results.agreements],
    }


def _agreement_data(results: Results, a: Agreement) -> dict[str, Any]:
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
        for word, rows in (("missed", a.missed), ("extra", a.extra)):
            data[word] = [
                {
                    "code": codes[int(r)],
                    "name": names[int(r)],
                    "margins": {
                        t.condition.index: {
                            "places": None if np.isnan(t.places[r]) else int(t.places[r]),
                            "score": None if np.isnan(t.score[r]) else float(t.score[r]),
                        }
                        for t in tested
                    },
                }
                for r in rows
            ]
    return data
