"""Social capital as a document and as tables: of one area, and over all areas of a run."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import format_amount
from commonweal.document.model import Document, Section, Table, TableData
from commonweal.evidence import load_evidence
from commonweal.report.study.social_capital import (
    NO_UNCERTAINTY,
    STATES,
    framework_note,
    national_in_words,
)
from commonweal.social_capital import load_framework

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.report.study.social_capital import HeadlineHere, SocialCapital
    from commonweal.study.results import Results


def social_capital_document(
    found: SocialCapital, name: str, title: str, note: str = ""
) -> Document:
    """Tell the social capital of one area, by its name, in a study, by its title."""
    works = [work for h in found.headlines for work in h.works]
    return Document(
        name="social-capital",
        title=f"Social capital of {name}",
        heading=title,
        answer=(found.summary,),
        sections=tuple(social_capital_sections(found)),
        notes=(note,) if note else (),
        limits=(found.note, "The questions are in our own words."),
        works=tuple(dict.fromkeys(works)),
        account=(("framework", found.framework),),
    )


def social_capital_sections(found: SocialCapital) -> Iterator[Section]:
    """Give what is known here, then what is known for the country only, then what has no data."""
    here, national = found.here, found.in_state("national")
    if here:
        yield Section(
            "What we know here",
            points=tuple(_said(h) for h in here),
            warnings=tuple(f"{h.name}: {h.caution}" for h in here if h.caution),
        )
        table = replace(here_table(found), data=_rows(here))
        yield Section(
            "The same as a table",
            tables=(Table("here", "What we know here", table, how_to_read(found)),),
            annex=True,
        )
    if national:
        table = replace(country_table(found), data=_rows(national))
        yield Section(
            "What we know for the whole country only",
            tables=(
                Table(
                    "country",
                    "National figures",
                    table,
                    "Each has its year, source, and whether we verified it.",
                ),
            ),
        )
    if unknown := found.in_state("unknown"):
        frame = pl.DataFrame(
            {"Headline": [h.name for h in unknown], "Question": [h.question for h in unknown]}
        )
        table = TableData(frame, data=_rows(unknown))
        yield Section(
            "What we do not know",
            text=(unknown_in_words(found),),
            tables=(Table("unknown", "Headlines without data", table),),
            annex=True,
        )


def _said(h: HeadlineHere) -> str:
    said = "; ".join(part for part in (h.text, h.interval, h.place) if part)
    vintage = f", {h.vintage}" if h.vintage else ""
    national = f" National figure: {h.national}." if h.national else ""
    return (
        f"{h.name}: {said} ({h.state_text}; {h.label}{vintage}). {h.question} Higher means {h.more_is} social "
        f"capital.{national}"
    )


def _rows(headlines: Sequence[HeadlineHere]) -> pl.DataFrame:
    return pl.DataFrame([asdict(h) for h in headlines], infer_schema_length=None)


def here_table(found: SocialCapital) -> TableData:
    """Show the headlines that the study has: value, interval, rank among the others, basis."""
    rows = [
        (h.name, h.state_text, h.text, h.interval, h.higher_than, h.alike, h.national)
        for h in found.here
    ]
    schema = {
        "Headline": pl.String, "Basis": pl.String, "Here": pl.String, "Margin of error": pl.String,
        "Higher than": pl.Float64, "No clear difference from": pl.Float64, "Country": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    empty = [head for head, of in (("No clear difference from", "alike"), ("Country", "national"))
             if not any(getattr(h, of) for h in found.here)]  # fmt: skip
    return TableData(frame.drop(empty), SHARES)


def country_table(found: SocialCapital) -> TableData:
    """Show the headlines with a national figure only."""
    rows = [(h.name, h.national) for h in found.in_state("national")]
    schema = {"Headline": pl.String, "National figure": pl.String}
    return TableData(pl.DataFrame(rows, schema=schema, orient="row"))


def unknown_in_words(found: SocialCapital) -> str:
    """Name the headlines without data; '' if there are none."""
    unknown = found.in_state("unknown")
    return f"No data: {_names(unknown)}." if unknown else ""


SHARES = frozenset({"Higher than", "No clear difference from"})
"""Heads of the columns that are shares of the other areas."""

HIGHER = "“Higher than”: the share of the others with a lower value."
HOW_TO_READ = f"{HIGHER} “No clear difference from”: the share whose difference from here is within its 95% interval."


def how_to_read(found: SocialCapital) -> str:
    """Explain the columns of `here_table`; '' where it is empty."""
    if not found.here:
        return ""
    return HOW_TO_READ if any(h.alike is not None for h in found.here) else HIGHER


def _names(headlines: Sequence[HeadlineHere]) -> str:
    return "; ".join(h.name for h in headlines)


def capital_overall(results: Results) -> TableData | None:
    """Show every headline: its basis, how many areas have a value, the median, and the national figure.

    None where the study has no social capital.
    """
    found = results.capital
    if found is None:
        return None
    framework, evidence = load_framework(), load_evidence()
    rows = []
    for domain in framework.domains:
        for h in domain.headlines:
            country = national_in_words(results.national.get(h.id, ()), h, evidence)
            spec = results.study.social_capital.get(h.id)
            state = spec.how if spec else "national" if country else "unknown"
            here: tuple[object, ...] = ("", None, "", "")
            if spec is not None:
                at = found.column(spec.indicator)
                values, meta = found.values[:, at], found.meta[at]
                known = values[~np.isnan(values)]
                errors = found.errors_of.get(spec.indicator)
                sure = (
                    NO_UNCERTAINTY
                    if errors is None
                    else f"standard errors for {(~np.isnan(errors)).sum():,}"
                )
                middle = format_amount(float(np.median(known)), meta.unit) if len(known) else ""
                here = (meta.label, len(known), middle, sure)
            rows.append((domain.name, h.name, STATES[state], *here, country))
    schema = {
        "Domain": pl.String, "Headline": pl.String, "Basis": pl.String,
        "Indicator": pl.String, f"{results.areas.plural.capitalize()} with a value": pl.Int64,
        "Median": pl.String, "Margin of error": pl.String, "Country": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return TableData(frame if any(frame["Country"]) else frame.drop("Country"))


def capital_notes(results: Results) -> list[str]:
    """Give each caution of the study, and what of the list was verified."""
    told = {s.indicator: s.caution for s in results.study.social_capital.values() if s.caution}
    names = {} if results.capital is None else {m.name: m.label for m in results.capital.meta}
    cautions = [f"{names[k]}: {' '.join(text.split())}" for k, text in told.items() if k in names]
    return [*cautions, framework_note(load_framework())]
