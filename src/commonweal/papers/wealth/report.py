"""The report on trust as wealth, with its chart."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.chart.rows import Bar, Row, Upright, row_chart
from commonweal.chart.theme import BLUE, GREY, ORANGE, PLUM, TEAL, hatch, round_axis, solid
from commonweal.chart.vega import stacked
from commonweal.document.format import percent
from commonweal.document.model import Document, Section, Table, TableData
from commonweal.document.write import source_lines
from commonweal.papers.wealth import load_weights
from commonweal.papers.wealth.coefficients import load_published
from commonweal.papers.wealth.data import SOURCES, life_of_countries
from commonweal.papers.wealth.tables import (
    DOLLARS,
    asset_tables,
    change_sentences,
    change_table,
    country_sentences,
    country_tables,
    group_tables,
    published_sentences,
    world_sentences,
)
from commonweal.papers.wealth.value import fit_countries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from commonweal.document.model import Chart
    from commonweal.papers.wealth import Weight
    from commonweal.papers.wealth.data import Country
    from commonweal.papers.wealth.results import TrustWealth
    from commonweal.papers.wealth.value import Form
    from commonweal.sources import Store


PARTS = (
    ("produced", "Physical", solid(BLUE)),
    ("human", "Human", hatch(PLUM, 135)),
    ("natural", "Natural", solid(TEAL)),
    ("foreign", "Net financial", hatch(GREY, 90)),
)


@dataclass(frozen=True, slots=True)
class WealthRow:
    """A bar: measured wealth per head by part, and trust."""

    label: str  # of a country or a group
    # produced, human, natural and net foreign wealth per head, as `PARTS` orders them
    parts: tuple[float, float, float, float]
    value: float  # trust as a share of measured wealth
    # low, high: its ends; None where there are none
    low: float | None = None
    high: float | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        """The parts as shares of measured wealth."""
        total = sum(self.parts)
        return tuple(part / total for part in self.parts)


_ASSUMPTIONS = (
    "Life satisfaction rises with the logarithm of income, and in a straight line with trust, in every country alike.",
    "Answers about trust mean the same in every country and every survey.",
    "We treat surveys as simple random samples, so the sampling error of trust is too small.",
)
_LIMITS = (
    "This is not a replication of Hamilton, Helliwell and Woolcock. We could not read their coefficients, form, "
    "horizon, discount rate or table of countries.",
    "Trust goes with life satisfaction. This does not show that trust causes it, or by how much.",
    "Trust stands in for social capital. Institutions and intangible capital are not measured.",
)


def wealth_chart(id_: str, rows: Sequence[WealthRow]) -> Chart:
    """Draw a bar a row: the parts of measured wealth, 100% in all, and trust after them."""
    most, least = (f(rows, key=lambda row: row.value) for f in (max, min))
    title = f"{most.label}: trust is worth {percent(most.value)} of measured wealth"
    if most is not least:
        title += f", the most; {least.label}: {percent(least.value)}, the least"
    ends = any(row.low is not None for row in rows)
    about = (
        "Each bar is a country or group, with measured wealth set to 100%. Net debt abroad is left of zero. Striped: "
        "trust, modelled, as a share of measured wealth."
        + (" Line: range of the value of trust." if ends else "")
        + " Intangible capital and institutions have no data."
    )
    trust = hatch(ORANGE)
    tops = [_top(row) + max(row.value, _finite(row.high)) for row in rows]
    low = min(0.0, *(sum(min(0.0, s) for s in row.shares) for row in rows))
    axis = round_axis([low, *tops], lambda v: f"{v:.0%}".replace("-", "−"), most=10)
    numbers = _numbers(rows)
    keys = [(style, name) for _, name, style in PARTS] + [(trust, "Trust (modelled)")]
    return row_chart(
        id_, title, about, [_row(row, trust, axis.high) for row in rows], numbers,
        stacked("Country or group", *(name for _, name, _ in PARTS), "Trust"),
        axis, keys, [Upright(0.0), Upright(1.0)],
    )  # fmt: skip


def _row(row: WealthRow, trust: str, most: float) -> Row:
    """Draw the parts after each other, debts left of zero, and trust after them."""
    bars, left, right = [], 0.0, 0.0
    for (_, _, style), share in zip(PARTS, row.shares, strict=True):
        start = right if share >= 0 else left + share
        bars.append(Bar(start, start + abs(share), style))
        left, right = left + min(0.0, share), right + max(0.0, share)
    bars.append(Bar(right, right + row.value, trust))
    span = None
    if row.low is not None and row.high is not None:
        span = (right + row.low, min(most, right + row.high))
    return Row(row.label, tuple(bars), span=span, after=f"+ {percent(row.value)}")


def _numbers(rows: Sequence[WealthRow]) -> TableData:
    columns = {name: [row.shares[k] for row in rows] for k, (_, name, _) in enumerate(PARTS)}
    ends = {"Trust, low": [r.low for r in rows], "Trust, high": [_none(r.high) for r in rows]}
    shares = {**columns, "Trust": [row.value for row in rows]}
    if any(row.low is not None for row in rows):
        shares |= ends  # type: ignore[arg-type]
    frame = pl.DataFrame({"Country or group": [row.label for row in rows], **shares})
    return TableData(frame, frozenset(shares))


def _top(row: WealthRow) -> float:
    return sum(max(0.0, share) for share in row.shares)


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 0.0


def _none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


USUAL = ("GBR", "USA", "DEU", "SWE", "BRA", "MEX", "ZAF", "IND", "CHN")
"""Countries compared where none are asked for."""

REGRESSIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("health",),
    ("health", "support"),
    ("health", "support", "freedom", "generosity", "corruption"),
)


def _groups(found: TrustWealth, form: Form) -> Section:
    """Show what trust is worth in groups of countries."""
    return Section(
        "Groups of countries",
        text=(
            f"We convert a country's trust into wealth by the {form} form. A group's share adds up the wealth of its "
            "countries, so large and rich ones count most.",
        ),
        charts=(wealth_chart("groups-drawn", _group_rows(found, form)),),
        tables=group_tables(found),
    )


@dataclass(frozen=True)
class PlaceWorth:
    """What a change of trust is worth to a place of one's own: its people, their income in pounds, and the rows."""

    people: float
    income: float
    worth: pl.DataFrame

    @property
    def title(self) -> str:
        """What is asked about."""
        return f"{self.people:,.0f} people on £{self.income:,.0f} a head a year"


def wealth_document(
    weight: Weight,
    found: TrustWealth | None = None,
    form: Form = "linear",
    changes: Mapping[Country, pl.DataFrame | None] | None = None,
    points: float = 1.0,
    place: PlaceWorth | None = None,
    store: Store | None = None,
) -> Document:
    """Tell what trust is worth: to a place, to the countries that were asked for, and to the world."""
    asked, answer, sections = changes or {}, list[str](), list[Section]()
    if place is not None:
        answer += change_sentences(place.worth, points, place.title, weight, form)
        table = change_table("place", "This place", place.worth, points, "in pounds")
        sections.append(Section("This place", tables=(table,)))
    if found is not None and asked:
        for country in asked:
            answer += country_sentences(found, country, form)
        sections.append(_asked(found, asked, form, points))
    if found is not None and not answer:
        answer += world_sentences(found, form)
    if found is not None:
        sections += _world(found, asked, form)
    if store is not None:
        sections.append(_regressions(store))
    published = {k: p.model_dump(mode="json") for k, p in load_published().items()}
    return Document(
        name="wealth",
        title="Trust as wealth",
        heading=place.title if found is None and place else "Countries, and groups of countries",
        answer=(*answer, *weight.alarms),
        sections=(
            *sections,
            Section(
                "Published results, cited, not replicated here", points=tuple(published_sentences())
            ),
        ),
        assumptions=(
            f"The weight of trust, r = {weight.ratio:.3f}: {weight.title}. Source: {weight.source}.",
            *_ASSUMPTIONS,
        ),
        limits=(*weight.warnings, *_LIMITS),
        works=tuple(dict.fromkeys([*(p.work for p in load_published().values()), "lange-2018"])),
        sources=() if found is None else source_lines(SOURCES),
        account=(
            ("weight", weight.model_dump(mode="json") | {"r": weight.ratio}),
            ("assumptions_of_values", None if found is None else asdict(found.assumptions)),
            ("form", form),
            ("published", published),
        ),
    )


def _world(
    found: TrustWealth, asked: Mapping[Country, pl.DataFrame | None], form: Form
) -> Iterator[Section]:
    """Tell of groups of countries, of every country, and of the six assets."""
    a = found.assumptions
    yield replace(_groups(found, form), annex=bool(asked))
    yield Section(
        "Countries",
        text=(
            f"Trust is the mean of the survey waves of {a.since} to {a.until}. Wealth is from the World Bank's "
            f"accounts of {a.wealth_year}. {_without(found)}",
        ),
        charts=() if asked else (_drawn(found, list(USUAL), form),),
        tables=country_tables(found),
        annex=True,
    )
    yield Section(
        "Six assets",
        text=(
            "The Bennett Institute names six assets behind prosperity. Two of them are measured in part or not at all.",
        ),
        tables=asset_tables(found),
        annex=True,
    )


def _without(found: TrustWealth) -> str:
    missing = found.countries.filter(pl.col("total").is_null())["country"].sort().to_list()
    return f"{len(missing)} countries have trust data but no accounts: {', '.join(missing)}."


def _group_rows(found: TrustWealth, form: Form) -> list[WealthRow]:
    rows = []
    for row in found.groups.iter_rows(named=True):
        low, high = (row[f"{end}_{form}"] for end in ("low", "high"))
        rows.append(
            WealthRow(
                row["group"],
                _parts(row),
                row[f"trust_wealth_{form}"] / row["total"],
                None if low is None else max(0.0, low) / (1 - max(0.0, low)),
                None if high is None else high / (1 - high) if high < 1 else float("inf"),
            )
        )
    return rows


def _drawn(found: TrustWealth, codes: list[str], form: Form) -> Chart:
    rows = [
        WealthRow(
            row["country"],
            _parts(row),
            row[f"value_{form}"],
            row[f"low_{form}"],
            row[f"high_{form}"],
        )
        for code in codes
        for row in found.countries.filter(code=code).drop_nulls("total").iter_rows(named=True)
    ]
    return wealth_chart("countries-drawn", rows)


def _parts(row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    return row["produced"], row["human"], row["natural"], row["foreign"]


def _asked(
    found: TrustWealth,
    changes: Mapping[Country, pl.DataFrame | None],
    form: Form,
    points: float,
) -> Section:
    """Show the countries that were asked for."""
    text, tables = list[str](), []
    for country, worth in changes.items():
        if worth is not None:
            text += change_sentences(worth, points, country.name, found.weight, form, "$")
            name = f"change-{country.code.lower()}"
            tables.append(change_table(name, country.name, worth, points, DOLLARS))
    held = [c.code for c, worth in changes.items() if worth is not None]
    charts = (_drawn(found, held, form),) if held else ()
    return Section("The countries you chose", text=tuple(text), charts=charts, tables=tuple(tables))


def _regressions(store: Store) -> Section:
    """Show the weight of trust from averages of countries, and why not to rely on it."""
    table = life_of_countries(store)
    rows = []
    for controls in REGRESSIONS:
        fit = fit_countries(table, controls)
        b_error, g_error = fit.errors
        rows.append(
            (
                ", ".join(controls) or "nothing",
                fit.countries,
                fit.weight.b,
                b_error,
                fit.weight.g,
                g_error,
                fit.weight.ratio,
                fit.ratio_error,
                fit.r_squared,
            )
        )
    heads = (
        *("Held constant", "Countries", "b (ln income)", "b, error", "g (trust)", "g, error"),
        *("r", "r, error", "R squared"),
    )
    frame = pl.DataFrame(rows, schema=heads, orient="row")
    return Section(
        "The weight of trust from averages of countries",
        text=(
            "Life satisfaction regressed on ln income and trust across countries, with robust errors (HC1). Weights: "
            + "; ".join(f"{name}, r = {w.ratio:.3f}" for name, w in load_weights().items())
            + ".",
        ),
        warnings=(
            "We use values above 1.5 only on request: averages of countries mix trust with all that goes with it. "
            "Holding health and support constant lowers the income coefficient more than that of trust, so r rises.",
        ),
        tables=(
            Table(
                "regressions",
                "Regressions across countries",
                TableData(frame, places=dict.fromkeys(heads[2:], 3)),
            ),
        ),
    )
