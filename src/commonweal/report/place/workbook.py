"""The workbook of a pack: what its pages say, as tables that people and screen readers can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import FEWEST_EVENTS, FEWEST_PEOPLE
from commonweal.document.model import TableData
from commonweal.document.xlsx import Sheet, sheet_name, write_sheets
from commonweal.report.place.charts import rows_of
from commonweal.report.study.method import limits, method
from commonweal.report.study.provenance import sources
from commonweal.report.study.social_capital_tables import HOW_TO_READ, SHARES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from commonweal.report.place.place import Place
    from commonweal.study.results import Results


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
        "How to read the numbers, and what they do not show: see the sheet Notes. Licences: see the sheet Sources.",
    ]
    listed = list(_sheets(results, overview, places))
    write_sheets(path, f"{title}: briefing pack", "Tables of a briefing pack", lines, listed)


def _place_sheets(places: Sequence[Place], used: set[str]) -> Iterator[Sheet]:
    """Give the sheets of the places with a profile."""
    yield Sheet(
        sheet_name("Places", used),
        "Places with a profile",
        "One row for each place and rule, with the answer.",
        _places(places),
    )
    yield Sheet(
        sheet_name("Place strands", used),
        "Where each place stands, strand by strand",
        "The share of other places with less need, here and on average among similar places and larger areas.",
        _strands(places),
    )
    yield Sheet(
        sheet_name("Place indicators", used),
        "The indicators of each place",
        "Values, those of the middle place (the median), and the share of places with less need.",
        _indicators(places),
    )
    if any(p.shown for p in places):
        yield Sheet(
            sheet_name("Shown indicators", used),
            "Indicators shown beside the indices",
            "Values, and ranks among the places that have one (1 = most need).",
            _shown(places),
        )
    if any(p.capital for p in places):
        yield Sheet(
            sheet_name("Social capital", used),
            "Social capital of each place: what is known",
            f"Every headline indicator: value, 95% interval, and how it is known. {HOW_TO_READ}",
            _capital(places),
        )


def _sheets(
    results: Results, overview: Iterable[tuple[str, TableData]], places: Sequence[Place]
) -> Iterator[Sheet]:
    used: set[str] = set()
    notes = [
        ("Rank", "Rank 1 is the most need. Where a range is given, nine in ten runs lie in it."),
        (
            "Small numbers",
            f"Fewer than {FEWEST_PEOPLE} people are not counted out, and rates made from fewer than "
            f"{FEWEST_EVENTS} cases are not shown.",
        ),
        ("Less need", "A share of places with less need of 90% means that nine in ten have less."),
        *method(results),
        *(("Limit", text) for text in limits(results)),
    ]
    schema = {"Subject": pl.String, "Note": pl.String}
    yield Sheet(
        sheet_name("Notes", used),
        "Notes: how this was worked out, and what it does not show",
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
        "Every source, its licence, and what may be done with it.",
        sources(results),
    )


_ABOUT = {
    "On the list": "The places that the rule selects, with margins and the share of runs in which each is selected.",
    "Near misses": "Places that would be on the list with every cut-off a tenth more generous.",
    "People": "People on the list, and people in need who are not on it.",
    "Authorities": "How many places of each authority are on the list.",
    "Strands": "The mean share of places with less need, for each measure.",
}


def _places(places: Sequence[Place]) -> TableData:
    rows: list[tuple[object, ...]] = []
    for p in places:
        who = p.code, p.name, ", ".join(x.name for x in p.larger) or None, p.people
        told = " ".join(c.text for c in p.headline)
        answers: list[tuple[object, ...]] = [
            (
                a.label, "Yes" if a.selected else "Near miss" if a.near_miss else "No",
                a.probability, a.change_text, a.sure_text,
            )
            for a in p.answers
        ]  # fmt: skip
        rows += [(*who, *answer, told) for answer in answers or [(None,) * 5]]
    schema = {
        "Code": pl.String, "Place": pl.String, "Where": pl.String, "People": pl.Int64,
        "Rule": pl.String, "On the list": pl.String, "Share of runs": pl.Float64,
        "What would change it": pl.String, "How sure": pl.String, "In words": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    known = [c.name for c in frame if c.null_count() < len(c)]
    return TableData(frame.select(known), frozenset({"Share of runs"}))


def _strands(places: Sequence[Place]) -> TableData:
    rows = []
    for p in places:
        for s, is_index in rows_of(p.standings):
            means = {a.group: a.worse_than for a in s.averages}
            authority = next((means[g] for g in means if g not in ("peers", "region", "all")), None)
            rows.append((
                p.code, p.name, s.label, "Index" if is_index else "Strand", s.decile, s.low, s.high, s.of,
                s.worse_than, means.get("peers"), authority, means.get("region"),
            ))  # fmt: skip
    shares = (
        "Places with less need",
        "The same for similar places",
        "For its authority",
        "For its region",
    )
    schema = {
        "Code": pl.String, "Place": pl.String, "Measure": pl.String, "Kind": pl.String, "Tenth (1 = worst)": pl.Int64,
        "Rank from": pl.Int64, "Rank to": pl.Int64, "Of": pl.Int64, **dict.fromkeys(shares, pl.Float64),
    }  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"), frozenset(shares))


def _indicators(places: Sequence[Place]) -> TableData:
    rows = [
        (
            p.code, p.name, d.index, d.strand, d.label, d.value, d.unit,
            d.text if d.value is None else "", d.usual, d.worse_than, d.vintage, ", ".join(d.sources), d.note,
        )
        for p in places
        for d in p.drivers
    ]  # fmt: skip
    schema = {
        "Code": pl.String, "Place": pl.String, "Index": pl.String, "Strand": pl.String, "Indicator": pl.String,
        "Value": pl.Float64, "Unit": pl.String, "Why there is no value": pl.String, "Middle place": pl.Float64,
        "Places with less need": pl.Float64, "Date": pl.String, "Source": pl.String, "Beware": pl.String,
    }  # fmt: skip
    return TableData(
        pl.DataFrame(rows, schema=schema, orient="row"), frozenset({"Places with less need"})
    )


def _shown(places: Sequence[Place]) -> TableData:
    rows = [
        (
            p.code, p.name, s.label, s.value, s.unit, s.rank, s.of, s.vintage, ", ".join(s.sources), s.note,
        )
        for p in places
        for s in p.shown
    ]  # fmt: skip
    schema = {
        "Code": pl.String, "Place": pl.String, "Indicator": pl.String, "Value": pl.Float64, "Unit": pl.String,
        "Rank": pl.Int64, "Of": pl.Int64, "Date": pl.String, "Source": pl.String, "Beware": pl.String,
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
        "Code": pl.String, "Place": pl.String, "Domain": pl.String, "Headline": pl.String,
        "What is known": pl.String, "Value": pl.Float64, "Unit": pl.String, "Low": pl.Float64,
        "High": pl.Float64, "How sure": pl.String, "Higher than": pl.Float64,
        "Not told apart from": pl.Float64, "Indicator": pl.String, "Date": pl.String,
        "Beware": pl.String, "Country": pl.String, "Source": pl.String,
    }  # fmt: skip
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"), SHARES)
