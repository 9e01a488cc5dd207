"""The document of a study: what its page, its PDF and its workbook show."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.format import NOT_A_CHANCE, join_words
from commonweal.document.model import Document, Figure, Section, Table, Term
from commonweal.document.write import document_xlsx
from commonweal.files.inputs import input_files
from commonweal.report.evidence import citations, references
from commonweal.report.study.appendix import appendix
from commonweal.report.study.charts import draw_map, draws_chart, rank_charts
from commonweal.report.study.comparison import change_answer
from commonweal.report.study.data_dictionary import (
    DictionaryEntry,
    dictionary_entries,
    measured_extra,
    step_table,
)
from commonweal.report.study.drivers import DriverSummary, summarise_drivers
from commonweal.report.study.headline import (
    list_sentences,
    ranked,
    stability_sentences,
    study_account,
    unscored_sentences,
)
from commonweal.report.study.larger_areas import Tier, about_summaries, by_tier, larger_areas, tiers
from commonweal.report.study.method import (
    cautions,
    index_table,
    limits,
    method,
    unmapped,
    weak_indicators,
)
from commonweal.report.study.provenance import changes, differences, sources, validation_table
from commonweal.report.study.sensitivity import (
    describe_sensitivity,
    moved_by_choice,
    sensitivity_charts,
)
from commonweal.report.study.social_capital_tables import capital_notes, capital_overall
from commonweal.report.study.tables import (
    counts,
    designation_table,
    extra_lines,
    label_of,
    near_miss_rows,
    selected_rows,
    worst_areas,
)
from commonweal.report.study.trends import by_year, moved_most, trend_chart, trend_words
from commonweal.study.names import counted_areas, focus_name, focus_note, index_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from commonweal.evidence import Citation
    from commonweal.study.results import Results, Validation


_MOST = 3000
"""Areas that a list on the page names; the workbook has every one."""

_ON_PAPER, _FEWER = 100, 50
"""Rows of a table on paper, and of one that few ask for: a list of a thousand areas is to be searched, not read."""

_FIRST = 50
"""Areas of greatest need that are named where a study makes no list."""

_DRIVER = " “Adds most to the score” names the domain that adds most on the {index}."
_COLUMNS = (
    "“Ranks inside the cut-off” is the distance to the nearest cut-off. “What would change the result” names the "
    "single domain whose rank would have to change least."
)
_OUTSIDE = (
    "These are not on the list, but would be if every cut-off were a tenth more generous. The nearest come first. "
    "Ranks outside the cut-off have a minus. The distance to each cut-off is in {book} of the results folder."
)
_MARKS = (
    "A frame marks indicators that were not measured for each {area}: synthetic (estimated by a model), converted "
    "(measured on other areas), coarse (few different values)."
)


def study_document(results: Results, day: date | None = None) -> Document:
    """Tell a study: the answer, then each list, then checks and changes, then the method and its limits."""
    study = results.study
    return Document(
        name=study.name,
        title=study.title,
        heading=" ".join(study.description.split()),
        answer=tuple(_answer(results)),
        sections=tuple(_sections(results)),
        notes=tuple(
            filter(None, (study.briefing.note, *weak_indicators(results), *unmapped(results)))
        ),
        limits=tuple(limits(results)),
        works=tuple(r.work.id for r in references(results)),
        sources=tuple(_source_lines(results)),
        account=tuple(study_account(results).items()),
        day=day,
        tables_in=_book(),
    )


def study_workbook(results: Results, document: Document) -> bytes:
    """Make the workbook of a study's document: with it, the tables that are too long for a page."""
    there = {table.name for table in document.tables()}
    more = tuple(table for table in appendix(results) if table.name not in there)
    return document_xlsx(replace(document, appendix=more))


def _book() -> str:
    """Name the file that has every row of the lists."""
    return "results.xlsx" if find_spec("xlsxwriter") else "designation.parquet"


def _answer(results: Results) -> Iterator[str]:
    meaning = NOT_A_CHANCE  # said once
    for name in results.designations:
        found, rule, living = list_sentences(results, name)
        yield found
        yield " ".join(filter(None, (living, rule, focus_note(results))))
        stable = next(stability_sentences(results, name))
        sure = results.certainty.get(name)
        of_draws = sure is not None and sure.next_release is None
        yield f"{stable} {meaning}".strip() if of_draws else stable
        meaning = "" if of_draws else meaning
        yield from (one.words for one in summarise_drivers(results, name)[:1])
    if not results.designations:
        yield from (*ranked(results), *filter(None, [focus_note(results)]))
    yield from extra_lines(results)


def _sections(results: Results) -> Iterator[Section]:
    for name in results.designations:
        yield from _of_list(results, name)
    if not results.designations:
        yield from _of_ranks(results)
    for index in results.trends:
        yield _trend(results, index)
    yield from _checks(results)
    yield from _changes(results)
    yield from _capital(results)
    yield from _annexes(results)


def _of_list(results: Results, name: str) -> Iterator[Section]:
    """Give the sections of one list."""
    alone = len(results.designations) == 1
    more, end = ("", "") if alone else (f": {label_of(results, name)}", f"-{name}")
    levels = [t for t in tiers(results) if _all_listed(results, t)]
    region = next((t for t in levels if t.key == "region"), levels[-1] if levels else None)
    singular, plural = results.areas.singular, results.areas.plural
    map_ = draw_map(results, name)
    if map_ is not None:
        yield Section(f"Where they are{more}", charts=(map_,))
    if region is not None:
        yield Section(
            f"By {region.singular}{more}",
            tables=(_counted(results, name, region, end, brief=True),),
            beside=map_ is not None,
        )
    drivers = summarise_drivers(results, name)
    if drivers:
        yield Section(
            f"What adds most to their scores{more}",
            charts=tuple(one.parts for one in drivers),
            tables=tuple(_drivers(drivers)),
        )
    yield _stability(results, name, more, end)
    choices = moved_by_choice(results, name)
    if choices is not None:
        title = f"How many {plural} have each assumption as their biggest source of uncertainty"
        yield Section(
            f"Biggest sources of uncertainty{more}",
            points=(describe_sensitivity(results, name),),
            charts=tuple(sensitivity_charts(results, name)),
            tables=(Table(f"choices{end}", title, choices),),
        )
    yield _listed(results, name, more, end, levels, drivers[0].label if drivers else "")
    yield _just_outside(results, name, more, end)
    for tier in levels:
        if tier is not region:
            text = (
                f"Each {tier.singular} with at least one {singular} on the list or just outside the "
                "cut-off."
            )
            yield Section(
                f"By {tier.singular}{more}",
                text=(text,),
                tables=(_counted(results, name, tier, end),),
            )


def _all_listed(results: Results, tier: Tier) -> bool:
    """Say whether all areas of the larger areas to show are listed: else their counts are not those of the answer."""
    shown = results.areas_in_focus.table[tier.key].drop_nulls().unique().to_list()
    inside = results.areas.table[tier.key].is_in(shown).fill_null(value=False).to_numpy()
    return bool(results.focus[inside].all())


def _counted(results: Results, name: str, tier: Tier, end: str, brief: bool = False) -> Table:
    """Count the areas on a list by larger area; `brief` is every larger area, in the columns that fit beside a map."""
    shown = by_tier(results, name, tier, everyone=brief)
    columns = [c for c in shown.frame.columns if c != "Code" and not c.startswith("All ")]
    return Table(
        f"by-{tier.singular.replace(' ', '-')}{end}",
        f"How many {results.areas.plural} are on the list, by {tier.singular}",
        shown,
        on_paper=_ON_PAPER,
        columns=tuple(columns) if brief else None,
    )


def _drivers(drivers: Sequence[DriverSummary]) -> Iterator[Table]:
    for one in drivers:
        if one.indicators is not None:
            title = f"{one.label}: the indicator that adds most to each domain"
            yield Table(f"{one.parts.id}-indicators", title, one.indicators)


def _stability(results: Results, name: str, more: str, end: str) -> Section:
    """Say how many areas stay on the list, and how many are close to the cut-off."""
    c = counts(results, name)
    shown = []
    if c.sure is not None and c.toss_ups is not None and c.toss_ups_out is not None:
        stay = "stays" if c.sure == 1 else "stay"
        secure, open_ones, as_often = (
            f"{stay} on the list in at least 95% of recalculations",
            "in only 20% to 80% of recalculations",
            f"{_are(c.toss_ups_out)} on it as often",
        )
        if results.certainty[name].next_release is not None:
            secure = f"{_are(c.sure)} at least 95% certain to be on the list"
            open_ones, as_often = "only 20% to 80% certain", f"{_are(c.toss_ups_out)} as uncertain"
        shown += [
            _figure(f"secure{end}", "Secure", c.sure, secure),
            _figure(f"borderline{end}", "Borderline", c.toss_ups,
                    f"{_are(c.toss_ups)} on the list, but {open_ones}. {c.toss_ups_out:,} more, off the list, "
                    f"{as_often}"),
        ]  # fmt: skip
    shown += [
        _figure(f"just_outside{end}", "Just outside the cut-off", c.near_misses,
                "would join the list if each cut-off were a tenth more generous"),
        _figure(f"just_inside{end}", "Just inside the cut-off", c.just_inside,
                "would leave the list if each cut-off were a tenth stricter"),
    ]  # fmt: skip
    stability = draws_chart(results, name)
    text = [line.strip() for line in stability_sentences(results, name)]
    if c.sure is not None and results.certainty[name].next_release is not None:
        text.append(NOT_A_CHANCE)  # in the answer, where that tells of recalculations
    return Section(
        f"{'How stable the list is' if stability else 'How close to the cut-off'}{more}",
        text=tuple(text[1:] if stability else text),
        figures=tuple(shown),
        warnings=(*cautions(results, name), *unscored_sentences(results, name)),
        charts=(*([stability] if stability else []), *rank_charts(results, name)),
    )


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _figure(name: str, label: str, n: int, about: str) -> Figure:
    return Figure(name, label, n, f"{n:,}", about=about)


def _listed(
    results: Results, name: str, more: str, end: str, levels: Sequence[Tier], driver: str
) -> Section:
    """Give the list, with a paragraph that explains its columns."""
    d = results.designation_in_focus(name)
    rows = selected_rows(d)
    order = index_label(results, d.tested[0].condition.index)
    text = (
        f"The {counted_areas(len(rows), results.areas)}, in the order of their rank on the {order}. Rank 1 is the "
        f"greatest need.{_DRIVER.format(index=driver) if driver else ''} {_COLUMNS}"
    )
    if not len(rows):
        text = f"No {results.areas.singular} is on the list."
    table = Table(
        f"on-the-list{end}",
        f"{results.areas.plural.capitalize()} on the list",
        designation_table(results, name, rows),
        rows=_MOST,
        on_paper=_ON_PAPER,
        columns=_brief(results, name),
        find=f"a name, code or {levels[0].singular if levels else 'area'}",
    )
    return Section(f"The list{more}", text=(text,), tables=(table,))


def _just_outside(results: Results, name: str, more: str, end: str) -> Section:
    rows = near_miss_rows(results.designation_in_focus(name))
    singular = results.areas.singular
    none = f"No {singular} is just outside the cut-off."
    text = _OUTSIDE.format(book=_book()) if len(rows) else none
    table = Table(
        f"just-outside{end}",
        f"{results.areas.plural.capitalize()} just outside the cut-off",
        designation_table(results, name, rows),
        rows=_MOST,
        on_paper=_FEWER,
        columns=_brief(results, name),
    )
    return Section(f"Just outside the cut-off{more}", text=(text,), tables=(table,))


def _brief(results: Results, name: str) -> tuple[str, ...]:
    """Name the columns of a list that stand on the page."""
    nobody = np.empty(0, np.intp)
    return _seen(results, designation_table(results, name, nobody, brief=True).frame.columns)


_ASIDE = ("Population", "Adds most to the score")


def _seen(results: Results, columns: Sequence[str], aside: Sequence[str] = ()) -> tuple[str, ...]:
    """Leave out what does not fit a page, and put names first, where there are names."""
    hidden = {*aside, *(t.header for t in tiers(results)[1:]), "Biggest source of uncertainty"}
    named = results.areas.table["name"].null_count() < len(results.areas)
    first = ("Name", "Code") if named else ("Code", "Name")
    return (*first, *(c for c in columns if c not in hidden.union(first)))


def _of_ranks(results: Results) -> Iterator[Section]:
    """Give the sections of a study without a list: the areas of greatest need, and larger areas."""
    index, plural = next(iter(results.scores)), results.areas.plural
    worst = worst_areas(results, index, _FIRST)
    text = (
        f"The {len(worst)} {plural} that rank first on the {index_label(results, index)}. Rank 1 is the greatest "
        "need."
    )
    table = Table("greatest-need", f"{plural.capitalize()} of greatest need", worst)
    yield Section("Greatest need", text=(text,), tables=(table,))
    for tier in tiers(results):
        summaries = larger_areas(results, tier.key)
        yield Section(
            f"By {tier.singular}",
            text=(about_summaries(results, summaries),),
            tables=(
                Table(
                    f"summaries-{tier.key}",
                    f"Summaries by {tier.singular}",
                    summaries,
                    on_paper=_ON_PAPER,
                ),
            ),
        )


def _trend(results: Results, index: str) -> Section:
    label, chart = index_label(results, index), trend_chart(results, index)
    moved = [
        Table(f"moved-{index}-{k}", title, shown)
        for k, (title, shown) in enumerate(moved_most(results, index), start=1)
    ]
    return Section(
        f"Change over time: {label}",
        text=tuple(trend_words(results, index)),
        charts=(chart,) if chart else (),
        tables=(Table(f"years-{index}", f"{label} by year", by_year(results, index)), *moved),
    )


def _checks(results: Results) -> Iterator[Section]:
    """Say how the results compare with what is published, and name every difference."""
    if not results.validations:
        return
    agree, n = sum(a.holds for a in results.validations), len(results.validations)
    many = "Every check agrees" if agree == n else f"{agree} of {n} checks agree"
    text = [f"{many}, within the difference that the study allows."]
    text += [_beside_published(results, a) for a in results.validations if a.spec.compare == "flag"]
    tables = [Table("checks", "What was compared with what", validation_table(results))]
    found, areas = differences(results), results.areas
    if found is not None:
        where = focus_name(results.study, areas)
        title = f"Every difference{f' in {where}' if where else ''}: {areas.plural} on only one of the two lists"
        columns = _seen(results, found.frame.columns, aside=("Ranks inside the cut-off", *_ASIDE))
        tables.append(Table("differences", title, found, on_paper=_ON_PAPER, columns=columns))
    yield Section("Checked against what is published", points=tuple(text), tables=tuple(tables))


def _beside_published(results: Results, a: Validation) -> str:
    """Say how many areas are on a list and on the published one, whatever the focus."""
    both, areas = len(a.matched), results.areas
    of = both + len(a.missed)
    among = f"Of all {counted_areas(len(areas), areas)}, " if results.study.focus else ""
    told = f"{among}{both:,} of the {of:,} on the published list {'is' if both == 1 else 'are'} also on ours."
    if len(a.extra):
        told += f" {len(a.extra):,} {_are(len(a.extra))} on ours only."
    if len(a.unlisted):
        told += f" {len(a.unlisted):,} of ours {_are(len(a.unlisted))} not in the published table."
    return (
        told
        if len(results.designations) == 1
        else f"{label_of(results, a.spec.designation)}: {told}"
    )


def _changes(results: Results) -> Iterator[Section]:
    """Say who stays, leaves and joins since the study named under ``since``."""
    moved = changes(results)
    if moved is None or results.since_in_focus is None:
        return
    earlier, c = results.since_in_focus
    where = focus_name(results.study, results.areas)
    title = f"{results.areas.plural.capitalize()} that leave or join the list"
    columns = _seen(results, moved.frame.columns, aside=_ASIDE)
    table = Table("changes", title, moved, on_paper=_FEWER, columns=columns)
    text = tuple(change_answer(c, earlier, results.study.title, where))
    yield Section("What has changed", points=text, tables=(table,))


def _capital(results: Results) -> Iterator[Section]:
    capital = capital_overall(results)
    if capital is None:
        return
    text = (
        f"Which headline indicators of social capital this study has for each {results.areas.singular}, and how. For "
        "the list, national figures and checks, type: commonweal social-capital."
    )
    yield Section(
        "Social capital",
        text=(text,),
        points=tuple(capital_notes(results)),
        tables=(Table("social-capital", "Headline by headline: what is known", capital),),
    )


def _annexes(results: Results) -> Iterator[Section]:
    """Give the method, what each indicator measures, and how to reproduce the results."""
    made = "How the list was made" if results.designations else "How the ranks were made"
    terms = [Term(subject, (text,)) for subject, text in method(results)]
    if whole := [r.citation.short for r in references(results) if not r.cited_for]:
        terms.append(Term("Evidence", (f"The study as a whole cites {join_words(whole)}.",)))
    yield Section(made, terms=tuple(terms), annex=True)
    if results.study.prepare:
        title = "Steps of the preparation, and each indicator that they changed"
        table = Table("preparation", title, step_table(results), on_paper=_ON_PAPER)
        yield Section("What was done to the indicators first", tables=(table,), annex=True)
    title = "Domains and indicators of each index, and their weights"
    table = Table("indices", title, index_table(results))
    yield Section("What the indices are made of", tables=(table,), annex=True)
    measured = [(index_label(results, i), dictionary_entries(results, i)) for i in results.scores]
    others = measured_extra(results)
    measured += [("shown, but not part of an index", others)] if others else []
    works = citations(results)
    for k, (label, entries) in enumerate(measured):
        text = _MARKS.format(area=results.areas.singular)
        yield Section(
            f"What each indicator measures: {label}",
            text=(text,) if k == 0 else (),
            terms=tuple(_indicator(m, works.get(m.about.name, ())) for m in entries),
            annex=True,
        )
    text = (
        "The file study.yaml in the results folder is the whole study. With the same versions, seed and sources it "
        "gives the same numbers. provenance.json has every checksum and step."
    )
    again = "How to reproduce these results"
    yield Section(again, text=(text,), terms=tuple(_run(results)), annex=True)
    columns = ("Source", "Date", "Checksum (SHA-256)")
    table = Table("sources", "Sources with their checksums", sources(results), columns=columns)
    yield Section("What was read", tables=(table,), annex=True, on_paper=False)


def _indicator(m: DictionaryEntry, works: Sequence[Citation]) -> Term:
    about = m.about
    why = f"Why it counts: {about.why}" if about.why else ""
    if works:
        why += f" ({'; '.join(work.short for work in works)})"
    quiet = (
        f"{m.part}." if m.part else "",
        f"Unit: {about.unit}; {m.direction}." if about.unit else f"{m.direction.capitalize()}.",
        f"Distances: {about.how}." if about.how else "",
        f"Date: {about.vintage}." if about.vintage else "",
        f"Source: {m.source}." if m.source else "",
        f"With a value: {m.known:,} of {m.of:,}.",
    )
    text = (about.about, why, f"Note: {about.note}" if about.note else "")
    return Term(about.label, tuple(filter(None, text)), m.marks, " ".join(filter(None, quiet)))


def _source_lines(results: Results) -> Iterator[str]:
    """Give a line a source: title, date, terms, address."""
    for title, publisher, day, licence, use, asks, address, _ in sources(results).frame.iter_rows():
        terms = (f"Licence: {licence}." if licence else "", "" if use == "Open" else f"{use}.")
        said = (f"{title} ({publisher}, {day}).", *terms, asks or "", address)
        yield " ".join(part.strip() for part in said if part)


def _run(results: Results) -> Iterator[Term]:
    """Versions, seeds and recalculations."""
    p = results.provenance
    told = [
        ("Study", str(p.get("study", results.study.name))),
        ("Commonweal", str(p.get("commonweal", ""))),
        ("Python", str(p.get("python", ""))),
        ("Packages", ", ".join(f"{k} {v}" for k, v in p.get("packages", {}).items())),
    ]
    for name, sure in results.certainty.items():
        label = f"Recalculations: {label_of(results, name)}"
        told.append((label, f"{sure.n_draws:,} from seed {sure.seed}"))
    for name, found in results.sensitivity.items():
        label = f"Recalculations for uncertainty: {label_of(results, name)}"
        told.append((label, f"{found.selected.n_runs:,} from seed {found.seed}"))
    told += [(f"Your own file: {f['name']}", f"SHA-256 {f['sha256']}") for f in input_files()]
    yield from (Term(name, (text,)) for name, text in told if text)
