"""The report on trust as wealth: countries, groups of them, the weight of trust and what is not known."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.briefing.shown import Shown
from commonweal.capital.wealth import (
    ASSETS,
    FORMS,
    SOURCES,
    fit_countries,
    life_of_countries,
    load_published,
    load_weights,
)
from commonweal.reports.report import Report, Section, Table
from commonweal.reports.wealth_chart import WealthRow, wealth_chart
from commonweal.reports.wealth_lines import (
    DOLLARS,
    change_sentence,
    country_lines,
    ends_words,
    measure_words,
    published_lines,
    world_sentences,
)
from commonweal.reports.write import source_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.capital.wealth import Country, Form, TrustWealth
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
            tables=(Table("groups", "Share of trust in all wealth", _groups(found), _ends_about(found)),),
        ),
        *([_asked(found, asked, form, points)] if asked else []),
        Section(
            "Countries",
            text=(
                f"Trust is the mean of the survey waves of {a.since} to {a.until}; wealth is the World Bank's of "
                f"{a.wealth_year}. {_without(found)}",
            ),
            charts=() if asked else (_drawn(found, list(USUAL), form),),
            tables=(
                Table("countries", "Every country with trust", _countries(found), _ends_about(found), rows=25),
                Table("forms", "Value of trust in three forms, with intervals", _forms(found), _FORMS, rows=25),
            ),
        ),
        Section(
            "Six assets",
            text=(
                "The Bennett Institute counts six assets that prosperity rests on. Two of them are measured in part "
                "or not at all.",
            ),
            tables=(Table("assets", "The six assets, and what measures them here", _assets(found)),),
        ),
        _regressions(store),
        Section("What was published", points=tuple(line.strip() for line in list(published_lines())[1:])),
    ]  # fmt: skip
    return Report(
        name="wealth",
        title="Trust as wealth",
        heading=f"{len(found.countries)} countries; {weight.title.lower()} (r = {weight.ratio:.3f})",
        answer=tuple(world_sentences(found, form)),
        sections=tuple(sections),
        assumptions=(
            f"The weight of trust, r = {weight.ratio:.3f}: {weight.source}.",
            "Life satisfaction rises with the logarithm of income and in a straight line with trust, alike everywhere.",
            "What people say of trust in surveys means the same everywhere, whichever survey asks.",
            "Surveys are treated as simple random samples, so the sampling error of trust is too small.",
        ),
        limits=(
            "This is not a replication of Hamilton, Helliwell and Woolcock: their coefficients, form, horizon, discount "
            "rate and table of countries could not be read.",
            "Trust goes with life satisfaction; that it causes it, and by how much, is not shown here.",
            "Trust stands for social capital; institutions and intangible capital are not measured.",
        ),
        works=tuple(dict.fromkeys(p.work for p in load_published().values())),
        sources=source_lines(SOURCES),
        account=(
            ("weight", weight.model_dump(mode="json")),
            ("assumptions", asdict(a)),
            ("form", form),
        ),
    )


_FORMS = (
    "Linear: r T. Compensating: exp(r T) - 1, what would make up for losing all trust. Equivalent: 1 - exp(-r T), what "
    "people would give up to keep it. Simulated ends are quantiles of draws; they lie above those of the delta method in "
    "the linear form, since a ratio of two uncertain numbers is skewed upwards. Empty: the coefficients have no errors."
)


def _ends_about(found: TrustWealth) -> str:
    words = ends_words(found.weight, found.assumptions.level)
    ends = (
        f"Low and high: {words}. "
        if words
        else "No interval: the coefficients come without errors. "
    )
    return f"{ends}Amounts are {DOLLARS} a head."


def _without(found: TrustWealth) -> str:
    missing = found.countries.filter(pl.col("total").is_null())["country"].to_list()
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
            tables.append(
                Table(
                    f"change-{country.code.lower()}",
                    f"{country.name}: what {points:+g} points of trust are worth",
                    _change(worth),
                    f"Shares are of income; amounts are {DOLLARS}.",
                )
            )
    held = [c.code for c, worth in changes.items() if worth is not None]
    charts = (_drawn(found, held, form),) if held else ()
    return Section("The countries asked for", text=tuple(text), charts=charts, tables=tuple(tables))


def _change(worth: pl.DataFrame) -> Shown:
    """Give a row a form and end, a column a measure."""
    share = "Share of income"
    rows = []
    for form in FORMS:
        of = worth.filter(pl.col("form") == form)
        for end in ("value", "low", "high", "simulated_low", "simulated_high"):
            if of[end].count():
                told: dict[str, Any] = {"Form": form, "End": _head(end)}
                for row in of.iter_rows(named=True):
                    told[measure_words(row).capitalize()] = _bounded(row[end])
                rows.append(told)
    frame = pl.DataFrame(rows, infer_schema_length=None).rename({"Of income": share})
    amounts = pl.all().exclude("Form", "End", share).round(0).cast(pl.Int64)
    return Shown(frame.with_columns(amounts, pl.col(share) * 100).rename({share: f"{share}, %"}))


def _bounded(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _head(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _trimmed(frame: pl.DataFrame, shares: tuple[str, ...]) -> Shown:
    """Leave out columns without any value."""
    kept = frame.select(name for name in frame.columns if frame[name].count())
    return Shown(kept, frozenset(shares) & set(kept.columns))


def _groups(found: TrustWealth) -> Shown:
    heads = {f"share_{form}": f"Share, {form}" for form in FORMS}
    ends = {
        f"{end}_{form}": f"{_head(end)}, {form}"
        for form in FORMS
        for end in ("low", "high", "simulated_low", "simulated_high")
    }
    frame = found.groups.select(
        pl.col("kind").alias("Kind"),
        pl.col("group").alias("Group"),
        pl.col("countries").alias("Countries"),
        pl.col("of").alias("With accounts"),
        pl.col("people_covered").alias("People covered"),
        pl.col("trust").alias("Trust"),
        *(pl.col(name).alias(head) for name, head in {**heads, **ends}.items()),
        pl.col("total").round(0).cast(pl.Int64).alias("Measured wealth a head"),
        *(
            pl.col(f"trust_wealth_{form}").round(0).cast(pl.Int64).alias(f"Trust a head, {form}")
            for form in FORMS
        ),
    )
    shares = ("People covered", "Trust", *heads.values(), *ends.values())
    return _trimmed(frame, shares)


def _countries(found: TrustWealth) -> Shown:
    whole = {
        "total": "Measured wealth a head",
        "produced": "Produced",
        "natural": "Natural",
        "human": "Human",
        "foreign": "Net foreign",
        "trust_wealth_linear": "Trust, linear",
        "trust_wealth_compensating": "Trust, compensating",
        "trust_wealth_equivalent": "Trust, equivalent",
        "income": "Income a head and year",
        "flow_linear": "Trust a year, linear",
    }
    frame = found.countries.sort("country").select(
        pl.col("country").alias("Country"),
        pl.col("code").alias("Code"),
        pl.col("region").alias("Region"),
        pl.col("income_group").alias("Income group"),
        pl.col("trust").alias("Trust"),
        pl.col("waves").alias("Survey waves"),
        pl.col("surveys").alias("Surveys"),
        pl.col("share_linear").alias("Share of all wealth, linear"),
        *(pl.col(n).round(0).cast(pl.Int64).alias(head) for n, head in whole.items()),
    )
    return Shown(frame, frozenset({"Trust", "Share of all wealth, linear"}))


def _forms(found: TrustWealth) -> Shown:
    names = [
        (f"{kind}_{form}", f"{_head(kind)}, {form}")
        for form in FORMS
        for kind in ("value", "low", "high", "simulated_low", "simulated_high")
    ]
    frame = found.countries.sort("country").select(
        pl.col("country").alias("Country"),
        pl.col("code").alias("Code"),
        pl.col("trust").alias("Trust"),
        pl.col("trust_se").alias("Sampling error of trust"),
        *(pl.col(name).replace(float("inf"), None).alias(head) for name, head in names),
    )
    return _trimmed(frame, ("Trust", "Sampling error of trust", *(head for _, head in names)))


def _assets(found: TrustWealth) -> Shown:
    world = found.groups.filter(kind="World").row(0, named=True)
    rows = []
    for asset in ASSETS:
        amount = world.get("trust_wealth_linear" if asset.column == "trust" else asset.column)
        rows.append((asset.name, asset.measured, None if amount is None else round(amount)))
    head = f"A head, all countries with data ({DOLLARS})"
    return Shown(
        pl.DataFrame(
            rows,
            schema={"Asset": pl.String, "Measured by": pl.String, head: pl.Int64},
            orient="row",
        )
    )


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
            "Values above 1.5 are not used unless asked for: averages of countries mix trust with all that goes with it. "
            "Holding health and support constant takes more from income than from trust, so r rises instead of falling.",
        ),
        tables=(
            Table(
                "regressions",
                "Regressions across countries",
                Shown(frame, places=dict.fromkeys(heads[2:], 3)),
            ),
        ),
    )
