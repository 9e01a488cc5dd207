"""How social capital is measured, and what a study or a survey has of it: terminal lists and a report."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.document.format import align_columns, format_amount
from commonweal.document.model import Document, Section, Table, TableData, table_from_columns
from commonweal.document.write import source_lines
from commonweal.errors import StudyError, nearest
from commonweal.evidence import load_evidence
from commonweal.report.study.social_capital import (
    NO_UNCERTAINTY,
    NOT_VERIFIED,
    figure_in_words,
    framework_note,
    interval,
)
from commonweal.report.survey import outcome_label, summary_sentence
from commonweal.social_capital import latest, load_framework
from commonweal.sources.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.indicators import Indicators
    from commonweal.social_capital import Framework, NationalFigure
    from commonweal.social_capital.framework import Domain
    from commonweal.spec import Study
    from commonweal.survey import Summary, SurveySpec


STAR = (
    f"* {NOT_VERIFIED}. Figures are for the latest year. 'groups': for some groups only. 'points': the change in a "
    "share. --json gives each in full."
)


@dataclass(frozen=True, slots=True)
class SurveyHeadline:
    """A survey's estimate of a headline, for all of its respondents."""

    # survey, outcome, label: title of the survey, and the outcome's name and label
    survey: str
    outcome: str
    label: str
    told: str  # the estimate with its interval, as a sentence
    # value, low, high: the estimate and the ends of its 95% interval; None where it is too weak to publish
    value: float | None
    low: float | None
    high: float | None
    respondents: int


@dataclass(frozen=True)
class FrameworkListing:
    """The frameworks, with the data of a study or a survey."""

    frameworks: Mapping[str, Framework]  # by id, the one that studies name headlines of first
    figures: Mapping[str, tuple[NationalFigure, ...]]  # by headline, figures for the country
    # study, areas, indicators: a study, its areas, and the indicators on them that it names under ``social_capital``;
    # None without a study, and the last where it names none
    study: Study | None = None
    areas: Areas | None = None
    indicators: Indicators | None = None
    # by headline, a survey's estimate
    asked: Mapping[str, SurveyHeadline] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, dict[str, str]]:
        """By headline, its indicator with label, basis and caution."""
        if self.study is None or self.indicators is None:
            return {}
        labels = {m.name: m.label for m in self.indicators.meta}
        return {
            id_: {
                "how": spec.how,
                "indicator": spec.indicator,
                "label": labels[spec.indicator],
                "caution": " ".join(spec.caution.split()),
            }
            for id_, spec in self.study.social_capital.items()
        }

    def lines(self) -> Iterator[str]:
        """Give the terminal lines: with a study, what it has first."""
        if self.study is not None and self.areas is not None:
            yield from (self.study.title, self.answer(), "")
            if self.indicators is not None:
                cautions = {k["indicator"]: k["caution"] for k in self.known.values()}
                yield from known_lines(self.indicators, cautions, self.areas.plural)
                yield ""
        if self.asked:
            yield from (self.asked_answer(), "", *(f"  {a.told}" for a in self.asked.values()), "")
        shown = {id_: f"survey: {a.label}" for id_, a in self.asked.items()}
        shown |= {id_: f"{k['how']}: {k['label']}" for id_, k in self.known.items()}
        for k, framework in enumerate(self.frameworks.values()):
            if k:
                yield ""
            yield from framework_lines(
                framework, self.figures, None if k or not (self.study or self.asked) else shown
            )
        if self.figures:
            yield from ("", STAR)

    def answer(self) -> str:
        """Say how many headlines the study has, in a sentence."""
        count = Counter(k["how"] for k in self.known.values())
        whole = f"{len(next(iter(self.frameworks.values())).headlines)} headline indicators of social capital"
        parts = ", ".join(f"{count[how]} {word}" for how, word in MEANS.items() if count[how])
        n = count.total()
        return (
            f"This study has {n} of {whole}: {parts}." if n else f"This study has none of {whole}."
        )

    def asked_answer(self) -> str:
        """Say how many headlines the survey asks, in a sentence."""
        n = len(next(iter(self.frameworks.values())).headlines)
        title = next(iter(self.asked.values())).survey
        return f"{title} asks {len(self.asked)} of {n} headline indicators of social capital."

    def data(self) -> dict[str, Any]:
        """Give the same as plain data."""
        known = self.known
        data: dict[str, Any] = {"frameworks": []}
        if self.study is not None:
            data = {"study": self.study.name, "answer": self.answer(), **data}
        for framework in self.frameworks.values():
            told = framework.model_dump(mode="json", exclude={"order"})
            for domain in told["domains"]:
                for headline in domain["headlines"]:
                    id_ = headline["id"]
                    headline["figures"] = [
                        f.model_dump(mode="json", exclude_none=True)
                        for f in self.figures.get(id_, ())
                    ]
                    headline["known"] = known.get(id_)
                    headline["asked"] = asdict(self.asked[id_]) if id_ in self.asked else None
            data["frameworks"].append(told)
        return data


MEANS = {"measured": "measured", "modelled": "modelled", "proxy": "stand-in"}


def framework_lines(
    framework: Framework,
    figures: Mapping[str, tuple[NationalFigure, ...]],
    known: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """List a framework by domain, in aligned columns."""
    yield f"{framework.name} ({framework.publisher}): {_counts(framework)}"
    yield framework_note(framework)
    heads = ["Name", "Id", "Survey" if known is None else "Basis", "National"]
    rows = [
        [
            h.name,
            h.id,
            h.survey if known is None else known.get(h.id, ""),
            _short(figures.get(h.id, ())),
        ]
        for h in framework.headlines.values()
    ]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    head, *lines = align_columns(heads, rows)
    yield from ("", head)
    for domain in framework.domains:
        yield domain.name
        yield from lines[: len(domain.headlines)]
        lines = lines[len(domain.headlines) :]


def _counts(framework: Framework) -> str:
    told = f"{len(framework.headlines)} {framework.kind}s"
    return told if len(framework.domains) == 1 else f"{told} in {len(framework.domains)} domains"


def _short(figures: Sequence[NationalFigure]) -> str:
    """Write the latest figure of everyone in a few letters; a star marks what was not verified."""
    chosen = latest(figures)
    if not chosen:
        return ""
    first, star = chosen[0], "" if all(f.verified for f in chosen) else "*"
    if len(chosen) > 1:
        return f"groups {first.when}{star}"
    if first.value is None:
        return f"{first.change:+g} points{star}"
    unit = "" if first.unit and not first.unit.startswith("%") else "%"
    return f"{format_amount(first.value, unit)} {first.when}{star}"


def known_lines(found: Indicators, cautions: Mapping[str, str], plural: str) -> Iterator[str]:
    """Describe each indicator: areas with a value, median, lowest, highest, and margin of error."""
    for k, meta in enumerate(found.meta):
        yield f"{meta.label}: {_range(found, k, plural)}"
        if cautions.get(meta.name):
            yield f"  Please note: {cautions[meta.name]}"


def _range(found: Indicators, k: int, plural: str) -> str:
    values, meta = found.values[:, k], found.meta[k]
    there = values[~np.isnan(values)]
    told = f"{len(there):,} of {len(values):,} {plural}"
    if not len(there):
        return told
    errors = found.errors_of.get(meta.name)
    stated = 0 if errors is None else int((~np.isnan(errors)).sum())
    sure = f"standard errors for {stated:,}" if stated else NO_UNCERTAINTY
    middle, least, most = (
        format_amount(float(v), meta.unit) for v in (np.median(there), there.min(), there.max())
    )
    return f"{told}; median {middle}; lowest {least}, highest {most}; {sure}"


def check_headlines(spec: SurveySpec) -> None:
    """Check that a survey's outcomes name headlines that there are, and at least one does."""
    known = load_framework().headlines
    named = {name: o.headline for name, o in spec.outcomes.items() if o.headline}
    for name, id_ in named.items():
        if id_ not in known:
            found = f"headline '{id_}' not found; {nearest(id_, known)}"
            raise StudyError(f"{spec.name}: outcomes.{name}.headline: {found}")
    if not named:
        raise StudyError(
            f"{spec.name}: no outcome names a headline; expected such as 'headline: belongs'"
        )


def headlines_in_survey(summary: Summary) -> dict[str, SurveyHeadline]:
    """Give by headline a survey's estimate, for all of its respondents.

    Where several outcomes name one headline, the first counts.
    """
    found: dict[str, SurveyHeadline] = {}
    rows = {f.outcome: f.table.row(0, named=True) for f in summary.findings if not f.by}
    for name, outcome in summary.survey.spec.outcomes.items():
        if not outcome.headline or outcome.headline in found:
            continue
        row = rows[name]
        ends = ("value", "lower", "upper")
        value, low, high = (row[end] if row["published"] else None for end in ends)
        label, told = outcome_label(summary.survey, name), summary_sentence(summary, name)
        found[outcome.headline] = SurveyHeadline(
            summary.survey.spec.title, name, label, told, value, low, high, row["respondents"]
        )
    return found


ROWS = 10
"""How many areas the page shows; the workbook and the CSV file have all."""


def capital_document(listing: FrameworkListing) -> Document:
    """Make the report: the lists by domain, national figures, and what a study has."""
    study, frameworks = listing.study, list(listing.frameworks.values())
    works = [f.work for f in frameworks]
    works += [f.work for figures in listing.figures.values() for f in figures if f.work]
    ids = [f.source for figures in listing.figures.values() for f in figures if f.source]
    if listing.indicators is not None:
        ids += [s for m in listing.indicators.meta for s in m.source.split(", ")]
    known = load_catalogue()
    return Document(
        name="social-capital",
        title="Social capital: what is measured, and what we know",
        heading=study.title if study is not None else frameworks[0].name,
        answer=tuple(_answer(listing)),
        sections=tuple(_sections(listing)),
        notes=(study.briefing.note,) if study is not None and study.briefing.note else (),
        assumptions=tuple(framework_note(f) for f in frameworks if not f.verified),
        limits=(
            "The questions are in our own words. Surveys word them differently.",
            "An interval covers what the standard error covers. It does not cover how far a stand-in differs from the "
            "headline.",
        ),
        works=tuple(dict.fromkeys(works)),
        sources=source_lines(id_ for id_ in ids if id_ in known),
        account=(("study", study.name if study is not None else None),),
    )


def _answer(listing: FrameworkListing) -> Iterator[str]:
    if listing.study is not None:
        yield listing.answer()
    if listing.asked:
        yield listing.asked_answer()
    if listing.study is None and not listing.asked:
        yield next(iter(listing.frameworks.values())).about


def _sections(listing: FrameworkListing) -> Iterator[Section]:
    if listing.indicators is not None and listing.areas is not None:
        cautions = [f"{k['label']}: {k['caution']}" for k in listing.known.values() if k["caution"]]
        about = f"Value and 95% interval from the standard error; empty where none is given. {_units(listing)}"
        title = f"Social capital of each {listing.areas.singular}"
        yield Section(
            "What this study has",
            tables=(Table("places", title, _places(listing), about, ROWS),),
            warnings=tuple(cautions),
        )
    if listing.asked:
        yield Section(
            "What the survey found", points=tuple(asked.told for asked in listing.asked.values())
        )
    for framework in listing.frameworks.values():
        tables = [
            Table(f"{framework.id}-{d.id}".replace("_", "-"), d.name, _list(d, listing), d.about)
            for d in framework.domains
        ]
        figures = _figures(framework, listing)
        if len(figures):
            title = f"National figures: {framework.name.lower()}"
            about = "Every figure we have. Pages about an area show the latest."
            tables.append(Table(f"{framework.id}-figures", title, figures, about))
        yield Section(framework.name, (framework.about,), tables=tuple(tables))


def _list(domain: Domain, listing: FrameworkListing) -> TableData:
    known = listing.known
    rows = []
    for h in domain.headlines:
        of = known.get(h.id)
        rows.append(
            {
                "Name": h.name,
                "Question": h.question,
                "Survey": h.survey,
                "Higher means (social capital)": h.higher_is,
                "Here": f"{MEANS[of['how']]}: {of['label']}" if of else "",
                "Survey asks": listing.asked[h.id].label if h.id in listing.asked else "",
                "Checked": f"{'verified' if h.verified else NOT_VERIFIED}. {h.check}".strip(),
                "Id": h.id,
            }
        )
    frame = pl.DataFrame(rows)
    given = {"Here": listing.study is not None, "Survey asks": bool(listing.asked)}
    return TableData(frame.drop(name for name, there in given.items() if not there))


def _figures(framework: Framework, listing: FrameworkListing) -> TableData:
    evidence = load_evidence()
    rows = [
        {
            "Name": h.name,
            "Figure": figure_in_words(f, h, evidence),
            "Year": f.when,
            "Verified": "yes" if f.verified else "no",
            "Please note": f.note,
        }
        for h in framework.headlines.values()
        for f in listing.figures.get(h.id, ())
    ]
    return TableData(pl.DataFrame(rows, schema_overrides={"Name": pl.String}))


def _places(listing: FrameworkListing) -> TableData:
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
    return table_from_columns(columns, shares)


def _units(listing: FrameworkListing) -> str:
    """List the unit of each column, once for all its heads."""
    assert listing.indicators is not None
    framework = next(iter(listing.frameworks.values()))
    told = [
        f"{framework.headline(id_).name}: {listing.indicators.meta[listing.indicators.column(k['indicator'])].unit}"
        for id_, k in listing.known.items()
    ]
    return f"Units: {'; '.join(told)}." if told else ""
