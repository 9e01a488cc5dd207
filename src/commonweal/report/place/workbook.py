"""The workbook of a pack: the tables of its pages, for people and screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import FEWEST_EVENTS, FEWEST_PEOPLE, NOT_A_CHANCE
from commonweal.document.model import TableData
from commonweal.document.xlsx import Sheet, sheet_name, write_sheets
from commonweal.report.place.charts import rows_of
from commonweal.report.place.overview import RECALCULATIONS
from commonweal.report.place.text import place_words, scale
from commonweal.report.study.method import limits, method
from commonweal.report.study.provenance import sources
from commonweal.report.study.social_capital_tables import HOW_TO_READ, SHARES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from commonweal.report.place.place import Place
    from commonweal.study.results import Results


WORSE_OFF = "Worse off than (% of others)"


def write_book(
    path: Path,
    results: Results,
    title: str,
    overview: Iterable[tuple[str, TableData]],
    places: Sequence[Place],
) -> None:
    """Write the workbook."""
    lines = [
        results.study.briefing.note,
        f"From the study: {results.study.title}.",
        " ".join(results.study.description.split()),
        f"Made with Commonweal {results.provenance.get('commonweal', '')}".rstrip() + ".",
        "The sheet Notes says how to read the numbers and what they do not show. The sheet Sources has the licences.",
    ]
    listed = list(_sheets(results, overview, places))
    write_sheets(path, f"{title}: briefing pack", "Tables of a briefing pack", lines, listed)


def _place_sheets(places: Sequence[Place], used: set[str]) -> Iterator[Sheet]:
    """Give the sheets of the areas with a profile."""
    kinds = places[0].kinds
    yield Sheet(
        sheet_name("Profiles", used),
        f"{kinds.capitalize()} with a profile",
        f"The result of each {places[0].kind} on each list.",
        _places(places),
    )
    yield Sheet(
        sheet_name("Profile domains", used),
        "How each domain compares",
        f"Worse off than this share of other {kinds}: here, and the average of similar {kinds} and larger areas.",
        _domains(places),
    )
    yield Sheet(
        sheet_name("Profile indicators", used),
        f"The indicators of each {places[0].kind}",
        f"Values, the median, and the share of other {kinds} that are better off.",
        _indicators(places),
    )
    if any(p.shown for p in places):
        yield Sheet(
            sheet_name("Other figures", used),
            "Figures that are not part of an index",
            f"Values, and ranks among the {kinds} that have one (1 = greatest need).",
            _shown(places),
        )
    if any(p.capital for p in places):
        yield Sheet(
            sheet_name("Social capital", used),
            f"Social capital of each {places[0].kind}",
            f"Every headline indicator: value, 95% interval, and how we know it. {HOW_TO_READ}",
            _capital(places),
        )


def _sheets(
    results: Results, overview: Iterable[tuple[str, TableData]], places: Sequence[Place]
) -> Iterator[Sheet]:
    used: set[str] = set()
    renewed = any(c.next_release is not None for c in results.certainty.values())
    notes = [
        ("Rank", "Rank 1 is the greatest need. A range of ranks holds in 90% of recalculations."),
        (
            "Small numbers",
            f"Numbers of people below {FEWEST_PEOPLE}, and rates made from fewer than {FEWEST_EVENTS} cases, "
            "are not shown.",
        ),
        ("Worse off than", "90% means that nine in ten others are better off."),
        ("Recalculations", f"{NOT_A_CHANCE} {scale(place_words(), renewed)}"),
        *method(results),
        *(("Limit", text) for text in limits(results)),
    ]
    schema = {"Subject": pl.String, "Note": pl.String}
    yield Sheet(
        sheet_name("Notes", used),
        "Notes: how the list was made, and what it does not show",
        "How to read the other sheets.",
        TableData(pl.DataFrame(notes, schema=schema, orient="row")),
    )
    for name, shown in overview:
        yield Sheet(sheet_name(name, used), name, _ABOUT[name.split(": ")[0]], shown)
    if places:
        yield from _place_sheets(places, used)
    yield Sheet(
        sheet_name("Sources", used),
        "Sources",
        "Every source, its licence, and how you may use it.",
        sources(results),
    )


_ABOUT = {
    "On the list": "How far each is from the cut-off, and how often it stays on the list in recalculations.",
    "Just outside": "Those that would be on the list if every cut-off were a tenth more generous.",
    "People": "People on the list, and people in need who are not on it.",
    "Authorities": "How many in each authority are on the list.",
    "Domains": "Worse off than this share of all, on average, by index and domain.",
}


def _places(places: Sequence[Place]) -> TableData:
    rows: list[tuple[object, ...]] = []
    for p in places:
        who = p.code, p.name, ", ".join(x.name for x in p.larger) or None, p.people
        told = " ".join(c.text for c in p.headline)
        answers: list[tuple[object, ...]] = [
            (
                a.label, "Yes" if a.selected else "Just outside" if a.near_miss else "No",
                a.share_of_draws, a.word or None, a.change_text, a.sure_text,
            )
            for a in p.answers
        ]  # fmt: skip
        rows += [(*who, *answer, told) for answer in answers or [(None,) * 6]]
    schema = {
        "Code": pl.String, "Name": pl.String, "Where": pl.String, "People": pl.Int64,
        "List": pl.String, "On the list": pl.String, RECALCULATIONS: pl.Float64, "Certainty": pl.String,
        "What would change the result": pl.String, "How stable": pl.String, "Summary": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    known = [c.name for c in frame if c.null_count() < len(c)]
    return TableData(frame.select(known), frozenset({RECALCULATIONS}))


def _domains(places: Sequence[Place]) -> TableData:
    rows = []
    for p in places:
        for s, is_index in rows_of(p.standings):
            means = {a.group: a.worse_than for a in s.averages}
            authority = next((means[g] for g in means if g not in ("peers", "region", "all")), None)
            rows.append((
                p.code, p.name, s.label, "Index" if is_index else "Domain", s.decile, s.low, s.high, s.of,
                s.worse_than, means.get("peers"), authority, means.get("region"),
            ))  # fmt: skip
    shares = (
        WORSE_OFF,
        "Mean of similar areas",
        "Mean of its authority",
        "Mean of its region",
    )
    schema = {
        "Code": pl.String, "Name": pl.String, "Measure": pl.String, "Kind": pl.String,
        "Decile (1 = worst 10%)": pl.Int64,
        "Rank from": pl.Int64, "Rank to": pl.Int64, "Of": pl.Int64, **dict.fromkeys(shares, pl.Float64),
    }  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"), frozenset(shares))


def _indicators(places: Sequence[Place]) -> TableData:
    rows = [
        (
            p.code, p.name, d.index, d.domain, d.label, d.value, d.unit,
            d.text if d.value is None else "", d.usual, d.worse_than, d.vintage, ", ".join(d.sources), d.note,
        )
        for p in places
        for d in p.drivers
    ]  # fmt: skip
    schema = {
        "Code": pl.String, "Name": pl.String, "Index": pl.String, "Domain": pl.String, "Indicator": pl.String,
        "Value": pl.Float64, "Unit": pl.String, "Why there is no value": pl.String, "Median": pl.Float64,
        WORSE_OFF: pl.Float64, "Date": pl.String, "Source": pl.String, "Caution": pl.String,
    }  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"), frozenset({WORSE_OFF}))


def _shown(places: Sequence[Place]) -> TableData:
    rows = [
        (
            p.code, p.name, s.label, s.value, s.unit, s.rank, s.of, s.vintage, ", ".join(s.sources), s.note,
        )
        for p in places
        for s in p.shown
    ]  # fmt: skip
    schema = {
        "Code": pl.String, "Name": pl.String, "Indicator": pl.String, "Value": pl.Float64, "Unit": pl.String,
        "Rank": pl.Int64, "Of": pl.Int64, "Date": pl.String, "Source": pl.String, "Caution": pl.String,
    }  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"))


def _capital(places: Sequence[Place]) -> TableData:
    rows = [
        (
            p.code, p.name, h.domain, h.name, h.state_text, h.value, h.unit, h.low, h.high, h.interval,
            h.higher_than, h.alike, h.label, h.vintage, h.caution, h.national, ", ".join(h.sources),
        )
        for p in places
        if p.capital is not None
        for h in p.capital.headlines
    ]  # fmt: skip
    schema = {
        "Code": pl.String, "Name": pl.String, "Domain": pl.String, "Headline": pl.String,
        "What is known": pl.String, "Value": pl.Float64, "Unit": pl.String, "Low": pl.Float64,
        "High": pl.Float64, "Margin of error": pl.String, "Higher than": pl.Float64,
        "No clear difference from": pl.Float64, "Indicator": pl.String, "Date": pl.String,
        "Caution": pl.String, "Country": pl.String, "Source": pl.String,
    }  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"), SHARES)
