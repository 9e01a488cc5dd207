"""The content of a session, put together once for the page, the PDF and the files."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import (
    NOT_A_CHANCE,
    SURE,
    format_amount,
    format_count,
    format_people,
    join_words,
    list_name,
    living,
    percent,
)
from commonweal.errors import StudyError, nearest
from commonweal.report.place.describing import describer
from commonweal.report.session.state import State, slug, state
from commonweal.report.session.state_text import StateText, describe_state
from commonweal.report.study.drivers import main_driver_labels
from commonweal.report.study.larger_areas import tiers
from commonweal.report.study.method import limits
from commonweal.report.study.tables import counts, label_of
from commonweal.study.names import Scope, find_scope, rule_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from commonweal.document.model import Chart
    from commonweal.evidence import Evidence, Work
    from commonweal.evidence.library import Theme
    from commonweal.report.session.spec import Session, Speaker
    from commonweal.report.session.state import State
    from commonweal.study.results import Results


_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its placeholder without the braces, its text, and its meaning."""

    key: str
    text: str
    about: str


def _designation_figures(at: str, results: Results, key: str) -> Iterator[Figure]:
    """Give the figures of one list, in all and by larger area."""
    areas, label, c = results.areas_in_focus, label_of(results, key), counts(results, key)
    many, listed = areas.plural, list_name(label, areas.plural)
    yield Figure(f"{at}.count", f"{c.selected:,}", f"{many} on {listed}")
    yield Figure(f"{at}.share", percent(c.selected / c.of), f"share of {many} on {listed}")
    yield Figure(
        f"{at}.people", format_people(c.population), f"who lives in the {many} on {listed}"
    )
    yield Figure(f"{at}.label", label, "what the study calls those on its list")
    yield Figure(f"{at}.rule", rule_in_words(results, key), "the rule")
    yield Figure(f"{at}.near_misses", f"{c.near_misses:,}", f"{many} just outside the cut-off")
    yield Figure(f"{at}.just_inside", f"{c.just_inside:,}", f"{many} just inside the cut-off")
    if c.authorities is not None:
        yield Figure(
            f"{at}.authorities", f"{c.authorities:,}", f"larger areas with {many} on {listed}"
        )
    if c.sure is not None:
        yield Figure(f"{at}.sure", f"{c.sure:,}", f"{many} on the list that are secure")
        borderline = f"{many} on the list that are borderline"
        yield Figure(f"{at}.toss_ups", f"{c.toss_ups:,}", borderline)
    chosen = results.designations[key].selected & results.focus
    lacks = Counter(main_driver_labels(results, key, np.flatnonzero(chosen)) or ())
    if lacks.pop("", 0) or lacks:
        parts = [
            f"{domain} in {n:,}" for domain, n in sorted(lacks.items(), key=lambda x: (-x[1], x[0]))
        ]
        about = f"the domain that adds most to the score, and of how many {many} on {listed}"
        yield Figure(f"{at}.missing", join_words(parts), about)
    levels = tiers(results)
    region = next((t for t in levels if t.key == "region"), levels[0] if levels else None)
    if region is not None:
        chosen = results.designations[key].selected[results.focus]
        inside = areas.table.with_columns(chosen=pl.Series(chosen)).drop_nulls(f"{region.key}_name")
        by_name = (
            inside.group_by(f"{region.key}_name")
            .agg(pl.col("chosen").sum())
            .sort(f"{region.key}_name")
        )
        most = [
            f"{name} ({n:,})"
            for name, n in by_name.sort("chosen", descending=True, maintain_order=True).iter_rows()
            if n
        ]
        if most:
            about = f"the {region.plural} with most {many} on {listed}"
            yield Figure(f"{at}.where", join_words(most[:3]), about)
        for name, n in by_name.iter_rows():
            yield Figure(f"{at}.in.{slug(name)}.count", f"{n:,}", f"{many} on {listed}, in {name}")


def figures(name: str, results: Results) -> Iterator[Figure]:
    """Give the figures of a run: of the areas, of each list (also by larger area), and of changes."""
    areas = results.areas_in_focus
    yield Figure(f"{name}.areas.count", f"{len(areas):,}", f"how many {areas.plural} there are")
    total = (
        float(areas.table["population"].sum())
        if not areas.table["population"].null_count()
        else math.nan
    )
    yield Figure(f"{name}.areas.people", format_people(total), f"who lives in the {areas.plural}")
    for key in results.designations:
        yield from _designation_figures(f"{name}.{key}", results, key)
    if results.since_in_focus is not None:
        title, c_ = results.since_in_focus
        for word in ("stay", "enter", "leave"):
            n = int(getattr(c_, word).sum())
            yield Figure(
                f"{name}.since.{word}",
                f"{n:,}",
                f"{areas.plural} that {word} the list since {title}"
                if word != "stay"
                else f"{areas.plural} that stay on the list since {title}",
            )


def state_figures(name: str, found: State) -> Iterator[Figure]:
    """Give the figures of a state: the median of each measure, in all and by group."""
    for measure in (*found.measures, *found.ratios):
        about, unit = (
            measure.about,
            "times the median of all" if measure.ratio else measure.about.unit,
        )
        for row in measure.frame.iter_rows(named=True):
            group = "median" if row["group"] == "all" else row["group"]
            if not math.isnan(row["median"]):
                said = format_amount(row["median"], unit)
                yield Figure(
                    f"{name}.{about.name}.{group}", said, f"{about.label}, median: {row['label']}"
                )
    for path in found.lack.paths:
        for row in found.lack.frame.iter_rows(named=True):
            if row[path] is not None:
                key = f"{name}.worst_tenth.{path.split('/')[-1]}.{row['group']}"
                yield Figure(
                    key, percent(row[path]), f"share of people in the worst 10%: {row['label']}"
                )


def fill(text: str, known: Mapping[str, Figure], where: str) -> tuple[str, list[Figure]]:
    """Put figures in place of placeholders such as ``{halton.left_behind.count}``; give the text and its figures."""
    used: list[Figure] = []

    def put(match: re.Match[str]) -> str:
        key = match[1].strip()
        if key not in known:
            raise StudyError(f"{where}: {{{key}}}: no such figure; {_instead(key, known)}")
        used.append(known[key])
        return known[key].text

    return _PLACEHOLDER.sub(put, text), used


def _instead(key: str, known: Mapping[str, Figure]) -> str:
    """Suggest the nearest to an unknown figure, and list those of the same part."""
    parts = key.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        start = ".".join(parts[:depth]) + "."
        near = [k for k in known if k.startswith(start)]
        if near:
            here = sorted({start + k.removeprefix(start).split(".")[0] for k in near})
            listed = ", ".join(f"{k}.…" if k not in known else k for k in here)
            close = nearest(key, near)
            hint = f"{close} " if close.startswith("did you mean") else ""
            return f"{hint}Choose from {listed}"
    return f"{nearest(key, known)}; figures start with {', '.join(sorted({k.split('.')[0] for k in known}))}"


@dataclass(frozen=True, slots=True)
class PlaceText:
    """An area or a larger area: its name, where it is, the study, and sentences about it."""

    name: str
    where: str
    study: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadingTold:
    """A theme with the session's note and its works, the strongest first; each stands under one."""

    theme: Theme
    note: tuple[str, ...]
    works: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class StudyText:
    """A study that the figures come from: title, description, rules, sources."""

    name: str
    title: str
    description: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything in a session; paragraphs have their figures filled in."""

    session: Session
    heading: str
    notes: tuple[str, ...]
    framing: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    places: tuple[PlaceText, ...]
    state: StateText | None
    reading: tuple[ReadingTold, ...]
    evidence: Evidence
    figures: tuple[Figure, ...]
    studies: tuple[StudyText, ...]
    limits: tuple[str, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        return self.state.charts if self.state is not None else ()

    @property
    def share_note(self) -> str:
        """What a share of recalculations means; '' where no text has one."""
        sentences = (*self.framing, *(s for place in self.places for s in place.sentences))
        said = any("recalculations" in text for text in sentences) and NOT_A_CHANCE not in " ".join(
            sentences
        )
        return NOT_A_CHANCE if said else ""

    @property
    def works(self) -> tuple[Work, ...]:
        """Every work of the reading list, once."""
        by_id = {work.id: work for part in self.reading for work in part.works}
        return tuple(by_id[name] for name in sorted(by_id))


def content(session: Session, runs: Mapping[str, Results]) -> Content:
    """Put together the content of a session."""
    found, known = _state(session, runs)
    used: list[Figure] = []

    def filled(text: str, where: str) -> tuple[str, ...]:
        said, figures_in = fill(text, known, f"{session.name}: {where}")
        used.extend(figures_in)
        return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", said.strip()) if part)

    framing = filled(session.framing, "framing")
    evidence = session.evidence()
    reading = tuple(
        ReadingTold(
            evidence.theme(r.theme),
            filled(r.note, f"themes.{k}.note") if r.note else (),
            _works(evidence, session, k),
        )
        for k, r in enumerate(session.themes)
    )
    notes = dict.fromkeys(
        run.study.briefing.note for run in runs.values() if run.study.briefing.note
    )
    state_told = None
    if found is not None and session.state is not None:
        state_told = describe_state(found, session.state, filled(session.state.note, "state.note"))
    return Content(
        session,
        ", ".join(filter(None, (session.kind, _day(session)))),
        tuple(notes),
        framing,
        session.speakers,
        tuple(
            place
            for study, asked in session.areas.items()
            for place in _places(runs[study], asked, study)
        ),
        state_told,
        reading,
        evidence,
        tuple({figure.key: figure for figure in used}.values()),
        tuple(_study(name, run) for name, run in runs.items()),
        tuple(dict.fromkeys(line for run in runs.values() for line in limits(run))),
    )


def _day(session: Session) -> str:
    return f"{session.date.day} {session.date:%B %Y}" if session.date else ""


def _works(evidence: Evidence, session: Session, k: int) -> tuple[Work, ...]:
    """Give the works of the session's k-th theme that do not stand under an earlier one."""
    earlier = {r.theme for r in session.themes[:k]}
    found = evidence.under(session.themes[k].theme)
    return tuple(work for work in found if not earlier & set(work.themes))


def _state(session: Session, runs: Mapping[str, Results]) -> tuple[State | None, dict[str, Figure]]:
    """Compute the state, where one is asked for, and give every figure that a text may hold."""
    known = {f.key: f for name, run in runs.items() for f in figures(name, run)}
    if session.state is None:
        return None, known
    spec = session.state
    found = state(
        runs[spec.study], spec.index, spec.deprivation, spec.ratios, [runs[s] for s in spec.since]
    )
    for figure in state_figures(spec.study, found):
        known.setdefault(figure.key, figure)
    return found, known


def _places(results: Results, all_asked: Sequence[str], study: str) -> Iterator[PlaceText]:
    """Describe areas by their codes or names, and larger areas."""
    describe = None
    for asked in all_asked:
        scope = find_scope(results.areas, [asked])
        if not scope.single:
            kind = results.areas.plural.capitalize()
            yield PlaceText(scope.title, kind, study, tuple(_larger(results, scope)))
            continue
        describe = describe or describer(results)  # what all areas share is computed once
        place = describe(int(scope.rows[0]))
        where = ", ".join(around.name for around in place.larger[:2])
        yield PlaceText(place.name, where, study, tuple(c.text for c in place.headline))


def _larger(results: Results, scope: Scope) -> list[str]:
    """Count the areas of a larger area on each list, and say how stable that is."""
    areas = results.areas
    rows = np.isin(np.arange(len(areas)), scope.rows)
    said = [f"{scope.title} has {format_count(len(scope.rows), areas.singular, areas.plural)}."]
    for key, d in results.designations.items():
        inside = d.selected & rows
        n, label = int(inside.sum()), label_of(results, key)
        who = float(areas.population[inside].sum())
        lives = f"; {living(who)}" if who > 0 else ""
        said.append(
            f"{n:,} {'is' if n == 1 else 'are'} on {list_name(label, areas.plural)}{lives}."
        )
        sure = results.certainty.get(key)
        if sure is not None:
            firm = int((sure.selected[inside] >= SURE).sum())
            expected = float(sure.selected[rows].sum())
            said.append(
                f"We recalculated the list {sure.n_draws:,} times with different assumptions. {firm:,} of them "
                f"{'is' if firm == 1 else 'are'} on it in at least 95% of recalculations. "
                f"The average number on the list is {expected:,.1f}."
            )
        near = int((d.near_miss & rows).sum())
        said.append(f"{near:,} more {'is' if near == 1 else 'are'} just outside the cut-off.")
    return said


def _study(name: str, results: Results) -> StudyText:
    used = [s for s in results.provenance.get("sources", ()) if s["title"]]
    return StudyText(
        name,
        results.study.title,
        results.study.description,
        tuple(
            f"{label_of(results, key).capitalize()}: {rule_in_words(results, key)}."
            for key in results.designations
        ),
        tuple(
            " ".join(
                filter(None, (f"{s['title']}, {s['vintage']}.", s["attribution"] or s["publisher"]))
            )
            for s in used
        ),
    )
