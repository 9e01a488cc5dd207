"""Tables of the report on trust as wealth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.document.model import Table
from commonweal.document.table import Shown
from commonweal.papers.wealth import ASSETS, FORMS
from commonweal.papers.wealth.report_wealth_lines import DOLLARS, ends_words, measure_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.papers.wealth import Country, TrustWealth

__all__ = ["asset_tables", "change_table", "country_tables", "group_tables"]

_FORMS = (
    "Linear: r T. Compensating: exp(r T) - 1, what would make up for losing all trust. Equivalent: 1 - exp(-r T), what "
    "people would give up to keep it. Simulated ends are quantiles of draws; they lie above those of the delta method "
    "in the linear form, since a ratio of two uncertain numbers is skewed upwards."
)


_GROUPS = (
    "Countries with trust and accounts, of all with accounts; the share of the people of these that they cover; trust, "
    f"averaged over people; the share of trust in all wealth in three forms; what it is worth a head, in {DOLLARS}."
)
_SURVEYS = (
    "Surveys are taken for simple random samples, so the sampling error is too small. Income groups as the World "
    "Bank's accounts have them; of countries outside the accounts they are not checked."
)


def group_tables(found: TrustWealth) -> tuple[Table, ...]:
    """Give the share of trust in the wealth of groups, and how sure it is."""
    return (
        Table("groups", "Share of trust in all wealth", _groups(found), _GROUPS),
        Table(
            "group-ends",
            "Share of trust in all wealth, with how sure that is",
            _ends(found.groups, {"group": "Group"}, "share"),
            _ends_about(found),
            rows=len(found.groups),
        ),
    )


def country_tables(found: TrustWealth) -> tuple[Table, ...]:
    """Give every country: its wealth, the value of its trust in three forms, its surveys."""
    rows = found.countries.sort("country")
    return (
        Table(
            "countries",
            "Every country with trust",
            _countries(found),
            f"Amounts are {DOLLARS} a head. Empty: no accounts.",
            rows=25,
        ),
        Table(
            "forms",
            "Value of trust as a share of income or measured wealth, with how sure that is",
            _ends(rows, {"country": "Country", "code": "Code"}, "value"),
            f"{_FORMS} {_ends_about(found)}",
            rows=12,
        ),
        Table("surveys", "Surveys and groups of each country", _surveys(found), _SURVEYS, rows=12),
    )


def asset_tables(found: TrustWealth) -> tuple[Table, ...]:
    """Give the six assets, with what has no data shown as such."""
    return (
        Table("assets", "The six assets, and what measures them here", _assets(found)),
        Table(
            "country-assets",
            "The assets of each country",
            _parts_table(found),
            f"{DOLLARS} a head. Intangible capital has no data; trust stands for the sixth asset.",
            rows=12,
        ),
    )


def change_table(country: Country, worth: pl.DataFrame, points: float) -> Table:
    """Give what a change in trust is worth to a country."""
    return Table(
        f"change-{country.code.lower()}",
        f"{country.name}: what {points:+g} points of trust are worth",
        _change(worth),
        f"Amounts are {DOLLARS}.",
    )


def _ends_about(found: TrustWealth) -> str:
    words = ends_words(found.weight, found.assumptions.level)
    return (
        f"Low and high: {words}." if words else "No interval: the coefficients come without errors."
    )


def _change(worth: pl.DataFrame) -> Shown:
    """Give a row a form and end, a column a measure."""
    share = "Share of income"
    rows = []
    for form in FORMS:
        of = worth.filter(pl.col("form") == form)
        for end in ("value", "low", "high", "simulated_low", "simulated_high"):
            if of[end].count():
                told: dict[str, Any] = {"Form and end": f"{form}, {end.replace('_', ' ')}"}
                for row in of.iter_rows(named=True):
                    told[measure_words(row).capitalize()] = _bounded(row[end])
                rows.append(told)
    frame = pl.DataFrame(rows, infer_schema_length=None).rename({"Of income": share})
    amounts = pl.all().exclude("Form and end", share).round(0).cast(pl.Int64)
    return Shown(frame.with_columns(amounts, pl.col(share) * 100).rename({share: f"{share}, %"}))


def _bounded(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _head(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _groups(found: TrustWealth) -> Shown:
    heads = {f"share_{form}": form.capitalize() for form in FORMS}
    frame = found.groups.select(
        pl.col("group").alias("Group"),
        pl.col("countries").alias("Countries"),
        pl.col("of").alias("Of"),
        pl.col("people_covered").alias("People"),
        pl.col("trust").alias("Trust"),
        *(pl.col(name).alias(head) for name, head in heads.items()),
        _amount("trust_wealth_linear", "A head, linear"),
    )
    return Shown(frame, frozenset({"People", "Trust", *heads.values()}))


def _countries(found: TrustWealth) -> Shown:
    share = "Share of all wealth, linear"
    frame = found.countries.sort("country").select(
        pl.col("country").alias("Country"),
        pl.col("code").alias("Code"),
        pl.col("trust").alias("Trust"),
        pl.col("share_linear").alias(share),
        _amount("total", "Measured wealth"),
        _amount("trust_wealth_linear", "Trust, linear"),
        _amount("income", "Income a year"),
        _amount("flow_linear", "Trust a year, linear"),
    )
    return Shown(frame, frozenset({"Trust", share}))


def _parts_table(found: TrustWealth) -> Shown:
    """Give the parts of wealth of each country, with no column for what has no data."""
    named = [(asset.name, asset.column) for asset in ASSETS if asset.column]
    frame = found.countries.drop_nulls("total").sort("country")
    return Shown(
        frame.select(
            pl.col("country").alias("Country"),
            pl.col("code").alias("Code"),
            *(
                _amount("trust_wealth_linear" if column == "trust" else column, name)
                for name, column in named
            ),
        )
    )


def _surveys(found: TrustWealth) -> Shown:
    error = "Sampling error, points"
    frame = found.countries.sort("country").select(
        pl.col("country").alias("Country"),
        pl.col("code").alias("Code"),
        pl.col("region").alias("Region"),
        pl.col("income_group").alias("Income group"),
        (100 * pl.col("trust_se")).alias(error),
        pl.col("waves").alias("Waves"),
        pl.col("people_asked").alias("People asked"),
        pl.col("surveys").alias("Surveys"),
    )
    return Shown(frame)


def _ends(rows: pl.DataFrame, names: Mapping[str, str], value: str) -> Shown:
    """Give a row a form for each country or group, with its value and the ends of it."""
    ends = ("low", "high", "simulated_low", "simulated_high")
    frame = pl.concat(
        rows.select(
            *(pl.col(name).alias(head) for name, head in names.items()),
            pl.lit(form).alias("Form"),
            pl.col(f"{value}_{form}").alias(_head(value)),
            *(
                pl.col(f"{end}_{form}").cast(pl.Float64).replace(math.inf, None).alias(_head(end))
                for end in ends
            ),
        )
        for form in FORMS
    )
    heads = [_head(name) for name in (value, *ends)]
    kept = frame.select(name for name in frame.columns if frame[name].count())
    return Shown(kept, frozenset(heads) & set(kept.columns))


def _amount(column: str, head: str) -> pl.Expr:
    return pl.col(column).round(0).cast(pl.Int64).alias(head)


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
