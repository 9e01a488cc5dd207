"""The document of an evidence session: speakers, areas, the state of social infrastructure, the reading list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import sentence
from commonweal.document.model import Document, Section, Table, TableData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.report.session.content import Content
    from commonweal.report.session.state_text import StateText


def session_document(told: Content) -> Document:
    """Tell a session."""
    share = (told.share_note,) if told.share_note else ()
    state = told.state
    return Document(
        name=told.session.name,
        title=told.session.title,
        heading=told.heading,
        answer=(*told.framing, *share),
        sections=tuple(_sections(told)),
        notes=told.notes,
        limits=(*(state.caveats if state else ()), *told.limits),
        library=told.evidence,
    )


def _sections(told: Content) -> Iterator[Section]:
    if told.speakers:
        points = tuple(
            ". ".join(part for part in (", ".join(filter(None, (p.name, p.role))), p.about) if part)
            for p in told.speakers
        )
        yield Section("Speakers", points=points)
    for number, place in enumerate(told.places):
        where = f"{place.where}. Study: {place.study}."
        yield Section(
            f"In focus: {place.name}", text=(where, *place.sentences), beside=number % 2 == 1
        )
    if told.state is not None:
        yield from _state(told.state)
    for number, part in enumerate(told.reading):
        about = (
            "Each finding is in our own words, with the strength of the evidence. The strongest come first.",
        )
        yield Section(
            f"What the research says: {part.theme.title}",
            text=(*(() if number else about), part.theme.about, *part.note),
            works=tuple(work.id for work in part.works),
        )
    if told.figures:
        rows = [(sentence(f.about), f.text, f.key) for f in told.figures]
        figures = pl.DataFrame(rows, schema=["What it is", "Figure", "Name"], orient="row")
        yield Section(
            "Figures in the text",
            text=("The studies supply every figure in the text.",),
            tables=(
                Table(
                    "figures",
                    "Every figure, and its name in the session's file",
                    TableData(figures),
                ),
            ),
        )
    for study in told.studies:
        yield Section(
            f"The study: {study.title}",
            text=tuple(t for t in (study.description, *study.rules) if t),
            points=study.sources,
        )


def _state(s: StateText) -> Iterator[Section]:
    """Tell who has least, how much of each strand there is, and what changed."""
    who = Table("who", "Who lives in the worst 10%: share of people", s.who)
    yield Section("The state of social infrastructure", text=s.summary, tables=(who,))
    for number, strand in enumerate(s.strands, start=1):
        title = f"{strand.label}: half of the people live below the median"
        yield Section(
            f"How much: {strand.label}",
            charts=strand.charts,
            tables=(Table(f"strand-{number}", title, strand.table),),
            points=tuple(f"{label}: {note}" for label, note in strand.notes),
        )
    yield Section("Which groups have least", charts=s.worst)
    if s.changed:
        yield Section(
            "What changed",
            text=s.changed,
            warnings=s.change_note,
            charts=s.change_charts,
            tables=tuple(
                Table(f"changed-{k}", title, shown)
                for k, (title, shown) in enumerate(s.change_tables, start=1)
            ),
        )
