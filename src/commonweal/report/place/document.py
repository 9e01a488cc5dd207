"""The document of a place: what its page, its sheet of paper, the terminal and a notebook show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import format_amount
from commonweal.document.model import Cited, Document, Section, Table, TableData
from commonweal.report.place.charts import domain_table, rows_of
from commonweal.report.place.text import place_words, scale
from commonweal.report.study.social_capital_tables import (
    country_table,
    here_table,
    how_to_read,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from commonweal.document.model import Chart
    from commonweal.document.words import Words
    from commonweal.report.place.place import (
        Claim,
        Driver,
        Other,
        Place,
        ShownIndicator,
        SourceNote,
    )
    from commonweal.report.study.social_capital import SocialCapital


MOST_DRIVERS = 5
"""Indicators of each index that a profile lists."""

MOST_REASONS = 3
"""Indicators of which a profile says why they count."""


# Long: every part of the page, in its order.
def place_document(
    place: Place,
    chart: Chart | None = None,
    map_: Chart | None = None,
    link: Callable[[str], str] | None = None,
) -> Document:
    """Tell a place, in its language; a terminal needs neither `chart` nor `map_`.

    `link` gives the address of the page of another place by its code; '' where it has none.
    """
    say, cite = place_words(place.language), _Notes(place.sources)
    sections = [
        *_drawn(say, place, chart, map_),
        *_changes(say, place),
        _drives(say, place, cite),
        _shown(say, place, cite),
        _near(say, place, cite),
        *_around(say, place, link),
        *_capital(say, place, cite),
    ]
    return Document(
        name="place",
        title=place.name,
        heading=say(
            "heading",
            kind=place.kind,
            code=place.code,
            name=place.name,
            larger=[x.name for x in place.larger],
            people=place.people,
            rural_urban=say.term(place.rural_urban),
        ),
        answer=cited(place.headline, place.sources),
        sections=tuple(s for s in sections if s.text or s.points or s.charts or s.tables),
        notes=tuple(note for note in (say["draft"], place.note) if note),
        limits=place.caveats,
        works=_works(place),
        sources=source_list(say, place.sources),
        language=place.language,
        short=True,
        within=place.title,
    )


class _Notes:
    """Sets the numbers of sources to texts."""

    def __init__(self, sources: Iterable[SourceNote]) -> None:
        self._number = {s.id: s.number for s in sources}

    def __call__(self, text: str, ids: Iterable[str]) -> Cited:
        return Cited(text, _notes({self._number[i] for i in ids if i in self._number}))


def cited(claims: Iterable[Claim], sources: Iterable[SourceNote]) -> tuple[Cited, ...]:
    """Give sentences, each with the numbers of its sources."""
    cite = _Notes(sources)
    return tuple(cite(c.text, c.sources) for c in claims)


def source_list(say: Words, sources: Iterable[SourceNote]) -> tuple[str, ...]:
    """Give a line a source: what it is, its date and terms, how it asks to be named (once), where it is."""
    lines, named = [], set()
    for s in sources:
        asks = "" if s.attribution in named else s.attribution
        named.add(s.attribution)
        parts = (f"{s.title}.", s.text, "" if s.open else say["not_open"], asks, s.url)
        lines.append(" ".join(part for part in parts if part))
    return tuple(lines)


def _notes(numbers: Iterable[int]) -> str:
    """Write numbers of notes with runs drawn together.

    >>> _notes([1, 2, 3, 5, 7, 8])
    '1–3, 5, 7, 8'
    """
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 2 else ", ".join(map(str, r)) for r in runs)


def _drawn(say: Words, place: Place, chart: Chart | None, map_: Chart | None) -> Iterator[Section]:
    """Show where it is, how it compares, and its ranks by domain."""
    if map_ is not None:
        yield Section(say["where"], charts=(map_,))
    if chart is not None:
        yield Section(say["compares"], charts=(chart,), beside=map_ is not None)
    numbers = domain_table(place.name, place.standings) if chart is None else chart.numbers
    heads = tuple(k for k, (_, is_index) in enumerate(rows_of(place.standings)) if is_index)
    told = [
        " ".join(t for t in (s.text, s.driver_text, s.trend_text) if t) for s in place.standings
    ]
    table = Table("domains", say("others_better", kinds=place.kinds), numbers, strong=heads)
    yield Section(say["domains"], points=tuple(told), tables=(table,))


def _changes(say: Words, place: Place) -> Iterator[Section]:
    """Say how stable the result is, how far it is from each cut-off, and what would change it."""
    for number, a in enumerate(place.answers, start=1):
        title = say["change"] if len(place.answers) == 1 else say("change_of", label=a.label)
        points = []
        for m in a.margins:
            if m.places is None:
                points.append(m.text)
                continue
            cut = say("cut_off", points=m.score, rank=m.cut or 0)
            points.append(f"{m.text.removesuffix('.')} ({cut}).")
        last = number == len(place.answers)
        known = last and any(x.share_of_draws is not None for x in place.answers)
        renewed = any(x.next_release is not None for x in place.answers)
        text = (
            say("rule", text=a.rule),
            a.sure_text,
            *((scale(say, renewed, len(a.margins) == 1),) if known else ()),
        )
        yield Section(title, text=text, points=(*points, a.change_text))


def main_drivers(place: Place) -> list[Driver]:
    """Give the few indicators that count most in each index, index by index."""
    known = [d for d in place.drivers if d.worse_than is not None]
    indices = {s.label: None for s in place.standings}
    return [d for label in indices for d in [d for d in known if d.index == label][:MOST_DRIVERS]]


def reasons(place: Place) -> list[Driver]:
    """Give the indicators that add most to the score of which the study says why they count."""
    first = sorted(main_drivers(place), key=lambda d: -d.push)
    return [d for d in first if d.push > 0 and d.cites][:MOST_REASONS]


def works_of(place: Place, driver: Driver) -> str:
    """Name the works that support why an indicator counts."""
    work = {w.id: w.short for w in place.works}
    return "; ".join(work[i] for i in driver.cites)


def _works(place: Place) -> tuple[str, ...]:
    """Give the works that the study as a whole rests on, and those of the indicators that are told."""
    told = {i for d in reasons(place) for i in d.cites}
    elsewhere = {i for d in place.drivers for i in d.cites} - told
    own = [w.id for w in place.works if w.id not in elsewhere]
    return tuple(own)


def _drives(say: Words, place: Place, cite: _Notes) -> Section:
    drivers = main_drivers(place)
    if not drivers:
        return Section(say["drives"], text=(say["no_drivers"],))
    first = max(drivers, key=lambda d: abs(d.push))
    about = say("drives", label=first.label, raises=first.push > 0, kind=place.kind)
    why = tuple(
        say("reason", label=d.label, why=d.why, works=works_of(place, d)) for d in reasons(place)
    )
    table = Table("drivers", say["most_effect"], driver_table(say, drivers))
    sources = (s for d in place.drivers for s in d.sources)
    return Section(say["drives"], text=(cite(about, sources),), points=why, tables=(table,))


def driver_table(say: Words, drivers: Iterable[Driver]) -> TableData:
    """Show indicators with their values, the median, and how many others are better off."""
    rows = [
        (
            d.label,
            d.domain if d.domain != d.label else d.index,
            d.text or say["a_rank"],
            d.usual_text,
            d.worse_than,
            say["raises" if d.push > 0 else "lowers"],
        )
        for d in drivers
    ]
    here, middle, worse = (say[k] for k in ("here", "median", "worse_off"))
    schema = {
        say["indicator"]: pl.String, say["domain"]: pl.String, here: pl.String, middle: pl.String,
        worse: pl.Float64, say["effect"]: pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if not any(frame[middle]):  # ranks only: there is nothing to show in units
        frame = frame.drop(here, middle)
    return TableData(frame, frozenset({worse}))


def _shown(say: Words, place: Place, cite: _Notes) -> Section:
    def line(s: ShownIndicator) -> str:
        return cite(" ".join(t for t in (f"{s.text}.", s.about, s.note) if t), s.sources)

    return Section(say["shown"], points=tuple(line(s) for s in place.shown))


def _near(say: Words, place: Place, cite: _Notes) -> Section:
    """Show distances: here, and the median."""
    if not place.near:
        return Section(say["nearby"])
    rows = [
        (d.label, _in_metres(d.value, d.unit, d.text), _in_metres(d.usual, d.unit, ""))
        for d in place.near
    ]
    schema = dict.fromkeys((say["to"], say["here"], say["median"]), pl.String)
    shown = TableData(pl.DataFrame(rows, schema=schema, orient="row"))
    text = cite(say["from_homes"], (s for d in place.near for s in d.sources))
    return Section(say["nearby"], text=(text,), tables=(Table("nearby", say["distances"], shown),))


def _in_metres(value: float | None, unit: str, otherwise: str) -> str:
    if value is None:
        return otherwise
    if unit in ("km", "kilometres"):
        return format_amount(value * 1000, "m")
    return format_amount(value, unit)


def _around(say: Words, place: Place, link: Callable[[str], str] | None) -> Iterator[Section]:
    """Show the places most like it and those nearest to it, beside what is nearby or beside each other."""
    similar, nearest = (say(word, kinds=place.kinds) for word in ("similar", "nearest"))
    for name, title, caption, others in (
        ("similar", similar, place.alike_by, place.peers),
        ("nearest", nearest, say["nearest_first"], place.neighbours),
    ):
        shown = peer_table(say, others, bool(place.answers))
        first = shown.frame.columns[0]
        links = {} if link is None else {first: [link(o.code) for o in others]}
        beside = bool(place.near) or (name == "nearest" and bool(place.peers))
        tables = (Table(name, caption, shown, links=links),) if others else ()
        yield Section(title, tables=tables, beside=beside)


def peer_table(say: Words, others: Iterable[Other], lists: bool = True) -> TableData:
    """Show other places: where they are, how far, and whether on a list, where there is one."""
    rows = [
        (
            o.name,
            o.code,
            o.where,
            None if o.metres is None else say("away", metres=o.metres),
            say("lists", labels=o.lists) if o.lists else say["yes" if o.selected else "no"],
        )
        for o in others
    ]
    name, where, away, listed = (say[k] for k in ("name", "in", "distance", "on_the_list"))
    schema = dict.fromkeys((name, say["code"], where, away, listed), pl.String)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame if lists else frame.drop(listed)
    empty = [h for h in (where, away) if not any(frame[h])]
    same = [say["code"]] if (frame[name] == frame[say["code"]]).all() else []
    return TableData(frame.drop(*empty, *same))


def _capital(say: Words, place: Place, cite: _Notes) -> Iterator[Section]:
    """Show what is known of social capital, with margins of error, and what is known for the country only."""
    found = place.capital
    if found is None:
        return
    sources = (s for h in found.headlines for s in h.sources)
    national, unknown = found.in_state("national"), found.in_state("unknown")
    summary = say(
        "capital_summary",
        said=found.summary,
        here=len(found.here),
        of=len(found.headlines),
        national=len(national),
        unknown=len(unknown),
    )
    alike = any(h.alike is not None for h in found.here)
    text: list[str] = [cite(summary, sources)]
    if found.here:
        text.append(say("capital_how", said=how_to_read(found), alike=alike))
    more = [
        say(key, names="; ".join(h.name for h in some))
        for key, some in (("national_only", national), ("no_data", unknown))
        if some
    ]
    here, country = (_named(say, found, t(found)) for t in (here_table, country_table))
    yield Section(
        say["capital"],
        text=tuple(text),
        points=tuple(f"{h.name}. {h.caution}" for h in found.here if h.caution),
        tables=(Table("social-capital", say["capital_here"], here),),
    )
    yield Section(
        say["capital_more"],
        text=(*more, say("capital_note", said=found.note)),
        tables=(
            Table("social-capital-measures", say["capital_measures"], measures_table(say, found)),
            Table("social-capital-country", say["capital_country"], country),
        ),
        works=tuple(w.id for w in place.capital_works),
        on_paper=False,
    )


def measures_table(say: Words, found: SocialCapital) -> TableData:
    """Show by which indicator, of when, each headline is measured, what was asked, and among how many places."""
    rows = [
        (
            h.name,
            h.label,
            h.vintage,
            h.question,
            say["more_capital" if h.more_is == "more" else "less_capital"],
            h.of - 1,
        )
        for h in found.here
    ]
    heads = [say.term("Headline"), *(say[k] for k in ("indicator", "date", "question", "higher"))]
    schema = {**dict.fromkeys(heads, pl.String), say["others"]: pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return TableData(frame if any(frame[heads[2]]) else frame.drop(heads[2]))


def _named(say: Words, found: SocialCapital, shown: TableData) -> TableData:
    """Give a table of social capital in the language of the place: its heads, the basis, margins of error."""
    frame = shown.frame
    if "Basis" in frame.columns:
        ends = [(h.interval, h.low, h.high, h.unit) for h in found.here]
        margins = [
            say("interval", said=said, low=_end(low, unit), high=_end(high, unit)) if said else ""
            for said, low, high, unit in ends
        ]
        frame = frame.with_columns(
            pl.Series("Basis", [say.term(word) for word in frame["Basis"]], dtype=pl.String),
            pl.Series("Margin of error", margins, dtype=pl.String),
        )
    heads = {head: say.term(head) for head in frame.columns}
    return TableData(frame.rename(heads), frozenset(heads[h] for h in shown.shares if h in heads))


def _end(value: float | None, unit: str) -> str | None:
    """Give an end of a margin of error as a number, a share in percent."""
    if value is None:
        return None
    return format_amount(value * (100 if unit.startswith("share of ") else 1), "")
