"""What a session tells, put together once for the page, the paper and the files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.words import SURE, counted, living
from commonweal.report.place.describing import describer
from commonweal.report.session.figures import Figure, figures, fill, state_figures
from commonweal.report.session.state import State, state
from commonweal.report.session.state_told import StateTold, told
from commonweal.report.study.method import limits
from commonweal.report.study.tables import label_of
from commonweal.study.names import rule_in_words
from commonweal.study.scope import Scope, find_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from commonweal.document.chart.chart import Chart
    from commonweal.evidence import Evidence, Theme, Work
    from commonweal.report.session.spec import Session, Speaker
    from commonweal.study.results import Results

__all__ = ["Content", "PlaceTold", "ReadingTold", "StudyTold", "content"]


@dataclass(frozen=True, slots=True)
class PlaceTold:
    """A place or a larger area: its name, where it is, the study, and what is said of it."""

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
class StudyTold:
    """A study that the figures come from: title, description, rules, sources."""

    name: str
    title: str
    description: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a session tells; paragraphs have their figures filled in."""

    session: Session
    heading: str
    notes: tuple[str, ...]
    framing: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    places: tuple[PlaceTold, ...]
    state: StateTold | None
    reading: tuple[ReadingTold, ...]
    evidence: Evidence
    figures: tuple[Figure, ...]
    studies: tuple[StudyTold, ...]
    limits: tuple[str, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        return self.state.charts if self.state is not None else ()

    @property
    def works(self) -> tuple[Work, ...]:
        """Every work of the reading list, once."""
        by_id = {work.id: work for part in self.reading for work in part.works}
        return tuple(by_id[name] for name in sorted(by_id))


def content(session: Session, runs: Mapping[str, Results]) -> Content:
    """Put together what a session tells.

    Parameters
    ----------
    session
        The file.
    runs
        A run of each study, by its short name.

    Raises
    ------
    StudyError
        If a placeholder is unknown, or the state cannot be told.
    CommonwealError
        If a place is unknown, or a name fits several.
    """
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
        state_told = told(found, session.state, filled(session.state.note, "state.note"))
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
    """Work out the state, where there is one, and give every figure that a text may hold."""
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


def _places(results: Results, all_asked: Sequence[str], study: str) -> Iterator[PlaceTold]:
    """Tell of places by their codes or names, and of larger areas."""
    describe = None
    for asked in all_asked:
        scope = find_scope(results.areas, [asked])
        if not scope.single:
            kind = results.areas.plural.capitalize()
            yield PlaceTold(scope.title, kind, study, tuple(_larger(results, scope)))
            continue
        describe = describe or describer(results)  # what all places share is worked out once
        place = describe(int(scope.rows[0]))
        where = ", ".join(around.name for around in place.larger[:2])
        yield PlaceTold(place.name, where, study, tuple(c.text for c in place.headline))


def _larger(results: Results, scope: Scope) -> list[str]:
    """Say how many places of a larger area each rule selects, and how sure that is."""
    areas = results.areas
    rows = np.isin(np.arange(len(areas)), scope.rows)
    said = [f"{scope.title} has {counted(len(scope.rows), areas.singular, areas.plural)}."]
    for key, d in results.designations.items():
        inside = d.selected & rows
        n, label = int(inside.sum()), label_of(results, key)
        who = float(areas.population[inside].sum())
        lives = f"; {living(who)}" if who > 0 else ""
        said.append(f"{n:,} {'is' if n == 1 else 'are'} {label}{lives}.")
        sure = results.certainty.get(key)
        if sure is not None:
            firm = int((sure.selected[inside] >= SURE).sum())
            expected = float(sure.selected[rows].sum())
            said.append(
                f"{firm:,} of them {'is' if firm == 1 else 'are'} so in at least 95 % of {sure.n_draws:,} draws; "
                f"on average over the draws there are {expected:,.1f}."
            )
        said.append(f"{int((d.near_miss & rows).sum()):,} more are near misses.")
    return said


def _study(name: str, results: Results) -> StudyTold:
    used = [s for s in results.provenance.get("sources", ()) if s["title"]]
    return StudyTold(
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
