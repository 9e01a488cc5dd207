"""The report on trust as wealth: countries, groups of them, the weight of trust and what is not known."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.model import Report, Section, Table
from commonweal.document.table import Shown
from commonweal.document.write import source_lines
from commonweal.papers.wealth import (
    SOURCES,
    fit_countries,
    life_of_countries,
    load_published,
    load_weights,
)
from commonweal.papers.wealth.report_wealth_chart import WealthRow, wealth_chart
from commonweal.papers.wealth.report_wealth_lines import (
    DOLLARS,
    change_sentence,
    country_lines,
    published_lines,
    world_sentences,
)
from commonweal.papers.wealth.report_wealth_tables import (
    asset_tables,
    change_table,
    country_tables,
    group_tables,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.papers.wealth import Country, Form, TrustWealth
    from commonweal.sources import Store

__all__ = ["wealth_report"]

USUAL = ("GBR", "USA", "DEU", "SWE", "BRA", "MEX", "ZAF", "IND", "CHN")
"""Countries drawn beside each other where none are asked for."""

REGRESSIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("health",),
    ("health", "support"),
    ("health", "support", "freedom", "generosity", "corruption"),
)


def wealth_report(
    found: TrustWealth,
    store: Store,
    form: Form = "linear",
    changes: Mapping[Country, pl.DataFrame | None] | None = None,
    points: float = 1.0,
) -> Report:
    """Tell what trust is worth.

    Parameters
    ----------
    found
        What countries' trust is worth.
    store
        Gives what the regressions across countries need.
    form
        The form that charts and text show; tables have all.
    changes
        What a change in trust is worth, by country asked for; None where no accounts say.
    points
        By how many points trust changes there.
    """
    asked = changes or {}
    a, weight = found.assumptions, found.weight
    sections = [
        Section(
            "Groups of countries",
            text=(
                f"A country's trust is turned into wealth by the {form} form; a group's share adds the wealth of its "
                "countries up, so large and rich ones weigh most.",
            ),
            beware=weight.warnings,
            charts=(wealth_chart("groups-drawn", "Trust beside the other parts of wealth", _group_rows(found, form)),),
            tables=group_tables(found),
        ),
        *([_asked(found, asked, form, points)] if asked else []),
        Section(
            "Countries",
            text=(
                f"Trust is the mean of the survey waves of {a.since} to {a.until}; wealth is the World Bank's of "
                f"{a.wealth_year}. {_without(found)}",
            ),
            charts=() if asked else (_drawn(found, list(USUAL), form),),
            tables=country_tables(found),
        ),
        Section(
            "Six assets",
            text=(
                "The Bennett Institute counts six assets that prosperity rests on. Two of them are measured in part "
                "or not at all.",
            ),
            tables=asset_tables(found),
        ),
        _regressions(store),
        Section("What was published", points=tuple(line.strip() for line in list(published_lines())[1:])),
    ]  # fmt: skip
    return Report(
        name="wealth",
        title="Trust as wealth",
        heading=f"{len(found.countries)} countries, by this weight of trust: {weight.title} (r = {weight.ratio:.3f})",
        answer=tuple(world_sentences(found, form)),
        sections=tuple(sections),
        assumptions=(
            f"The weight of trust, r = {weight.ratio:.3f}: {weight.source}.",
            "Life satisfaction rises with the logarithm of income and in a straight line with trust, alike everywhere.",
            "What people say of trust in surveys means the same everywhere, whichever survey asks.",
            "Surveys are treated as simple random samples, so the sampling error of trust is too small.",
        ),
        limits=(
            "This is not a replication of Hamilton, Helliwell and Woolcock: their coefficients, form, horizon, "
            "discount rate and table of countries could not be read.",
            "Trust goes with life satisfaction; that it causes it, and by how much, is not shown here.",
            "Trust stands for social capital; institutions and intangible capital are not measured.",
        ),
        works=tuple(dict.fromkeys([*(p.work for p in load_published().values()), "lange-2018"])),
        sources=source_lines(SOURCES),
        account=(
            ("weight", weight.model_dump(mode="json")),
            ("assumptions", asdict(a)),
            ("form", form),
        ),
    )


def _without(found: TrustWealth) -> str:
    missing = found.countries.filter(pl.col("total").is_null())["country"].sort().to_list()
    return f"{len(missing)} have trust but no accounts: {', '.join(missing)}."


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


def _drawn(found: TrustWealth, codes: list[str], form: Form) -> Any:
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
    return wealth_chart(
        "countries-drawn", "Trust beside the other parts of wealth: some countries", rows
    )


def _parts(row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    return row["produced"], row["human"], row["natural"], row["foreign"]


def _asked(
    found: TrustWealth,
    changes: Mapping[Country, pl.DataFrame | None],
    form: Form,
    points: float,
) -> Section:
    """Tell the countries that were asked for."""
    text, tables = [], []
    for country, worth in changes.items():
        text += list(country_lines(found, country, form))
        if worth is not None:
            text.append(change_sentence(worth, points, country.name, f"in {DOLLARS}", form))
            tables.append(change_table(country, worth, points))
    held = [c.code for c, worth in changes.items() if worth is not None]
    charts = (_drawn(found, held, form),) if held else ()
    return Section("The countries asked for", text=tuple(text), charts=charts, tables=tuple(tables))


def _regressions(store: Store) -> Section:
    """Show what averages of countries give for the weight of trust, and why not to rely on it."""
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
            "Life satisfaction on ln income and trust across countries, with robust errors (HC1). The sets that ship: "
            + "; ".join(f"{name}, r = {w.ratio:.3f}" for name, w in load_weights().items())
            + ".",
        ),
        beware=(
            "Values above 1.5 are not used unless asked for: averages of countries mix trust with all that goes with "
            "it. Holding health and support constant takes more from income than from trust, so r rises.",
        ),
        tables=(
            Table(
                "regressions",
                "Regressions across countries",
                Shown(frame, places=dict.fromkeys(heads[2:], 3)),
            ),
        ),
    )
