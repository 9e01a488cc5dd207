"""A report on what social capital is measured by, and what a study knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.model import Report, Section, Table
from commonweal.document.table import Shown, framed
from commonweal.document.write import source_lines
from commonweal.evidence import load_evidence
from commonweal.report.study.frameworks import MEANS
from commonweal.report.study.national import NOT_VERIFIED, figure_in_words, framework_note
from commonweal.report.study.social_capital import interval
from commonweal.sources import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.report.study.frameworks import Listing
    from commonweal.social_capital import Domain, Framework

__all__ = ["capital_report"]

ROWS = 10
"""How many places stand on the page; the workbook and the CSV file have all."""


def capital_report(listing: Listing) -> Report:
    """Give the report: the lists by domain, figures for the country, and what a study knows.

    Parameters
    ----------
    listing
        The frameworks, and what the data at hand say of them.
    """
    study, frameworks = listing.study, list(listing.frameworks.values())
    works = [f.work for f in frameworks]
    works += [f.work for figures in listing.figures.values() for f in figures if f.work]
    ids = [f.source for figures in listing.figures.values() for f in figures if f.source]
    if listing.indicators is not None:
        ids += [s for m in listing.indicators.meta for s in m.source.split(", ")]
    known = load_catalogue()
    return Report(
        name="social-capital",
        title="Social capital: what is measured, and what is known",
        heading=study.title if study is not None else frameworks[0].name,
        answer=tuple(_answer(listing)),
        sections=tuple(_sections(listing)),
        notes=(study.briefing.note,) if study is not None and study.briefing.note else (),
        assumptions=tuple(framework_note(f) for f in frameworks if not f.verified),
        limits=(
            "What people are asked is in our own words; surveys ask it in theirs, and not all alike.",
            "An interval covers what the standard error covers; a proxy's error is none of it.",
        ),
        works=tuple(dict.fromkeys(works)),
        sources=source_lines(id_ for id_ in ids if id_ in known),
        account=(("study", study.name if study is not None else None),),
    )


def _answer(listing: Listing) -> Iterator[str]:
    if listing.study is not None:
        yield listing.answer()
    if listing.asked:
        yield listing.asked_answer()
    if listing.study is None and not listing.asked:
        yield next(iter(listing.frameworks.values())).about


def _sections(listing: Listing) -> Iterator[Section]:
    if listing.indicators is not None and listing.areas is not None:
        cautions = [f"{k['label']}: {k['caution']}" for k in listing.known.values() if k["caution"]]
        about = f"Value and 95 % interval, from the standard error; empty where none is stated. {_units(listing)}"
        title = f"What is known of each of the {listing.areas.plural}"
        yield Section(
            "What this study knows",
            tables=(Table("places", title, _places(listing), about, ROWS),),
            beware=tuple(cautions),
        )
    if listing.asked:
        yield Section(
            "What the survey says", points=tuple(asked.told for asked in listing.asked.values())
        )
    for framework in listing.frameworks.values():
        tables = [
            Table(f"{framework.id}-{d.id}".replace("_", "-"), d.name, _list(d, listing), d.about)
            for d in framework.domains
        ]
        figures = _figures(framework, listing)
        if len(figures):
            title = f"Figures for the country: {framework.name.lower()}"
            about = "Every figure there is; the newest stands beside a place."
            tables.append(Table(f"{framework.id}-figures", title, figures, about))
        yield Section(framework.name, (framework.about,), tables=tuple(tables))


def _list(domain: Domain, listing: Listing) -> Shown:
    known = listing.known
    rows = []
    for h in domain.headlines:
        of = known.get(h.id)
        rows.append(
            {
                "Name": h.name,
                "Asked": h.question,
                "Survey": h.survey,
                "Social capital if higher": h.higher_is,
                "Here": f"{MEANS[of['how']]}: {of['label']}" if of else "",
                "Survey asks": listing.asked[h.id].label if h.id in listing.asked else "",
                "Checked": f"{'verified' if h.verified else NOT_VERIFIED}. {h.check}".strip(),
                "Id": h.id,
            }
        )
    frame = pl.DataFrame(rows)
    given = {"Here": listing.study is not None, "Survey asks": bool(listing.asked)}
    return Shown(frame.drop(name for name, there in given.items() if not there))


def _figures(framework: Framework, listing: Listing) -> Shown:
    evidence = load_evidence()
    rows = [
        {
            "Name": h.name,
            "Figure": figure_in_words(f, h, evidence),
            "Year": f.when,
            "Verified": "yes" if f.verified else "no",
            "Beware": f.note,
        }
        for h in framework.headlines.values()
        for f in listing.figures.get(h.id, ())
    ]
    return Shown(pl.DataFrame(rows, schema_overrides={"Name": pl.String}))


def _places(listing: Listing) -> Shown:
    assert listing.areas is not None
    assert listing.indicators is not None
    columns = [(c.capitalize(), listing.areas.table[c]) for c in ("name", "code")]
    shares: list[str] = []
    framework = next(iter(listing.frameworks.values()))
    for id_, k in listing.known.items():
        at = listing.indicators.column(k["indicator"])
        values, unit = listing.indicators.values[:, at], listing.indicators.meta[at].unit
        name = framework.headline(id_).name
        head = f"{name} ({MEANS[k['how']]})"
        heads = [head, f"{name}: low", f"{name}: high"]
        if unit.startswith("share of "):
            shares += heads
        columns.append((head, pl.Series(values).fill_nan(None)))
        errors = listing.indicators.errors_of.get(k["indicator"])
        if errors is not None:
            low, high = interval(values, errors, unit)
            columns += [
                (h, pl.Series(end).fill_nan(None))
                for h, end in zip(heads[1:], (low, high), strict=True)
            ]
    return framed(columns, shares)


def _units(listing: Listing) -> str:
    """Say what each column is a number of, once for all its heads."""
    assert listing.indicators is not None
    framework = next(iter(listing.frameworks.values()))
    told = [
        f"{framework.headline(id_).name}: {listing.indicators.meta[listing.indicators.column(k['indicator'])].unit}"
        for id_, k in listing.known.items()
    ]
    return f"Units: {'; '.join(told)}." if told else ""
