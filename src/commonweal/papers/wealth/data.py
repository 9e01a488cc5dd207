"""Data on countries: codes and groups, trust, wealth per head by part, people, life satisfaction."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.inputs import read_strict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.sources import Store


@dataclass(frozen=True, slots=True)
class Country:
    """A country."""

    code: str  # ISO 3166-1 alpha-3; XKX for Kosovo
    name: str
    # region, income: region and income group of the World Bank's wealth accounts
    region: str
    income: str
    # ``OECD`` (members in 2015) and ``Latin America`` (18 countries), where it belongs to them
    also_in: tuple[str, ...]
    spelled: tuple[str, ...]  # other spellings that sources use


@cache
def load_countries() -> Mapping[str, Country]:
    """Give the countries by code."""
    text = (resources.files(__package__) / "countries.yaml").read_text("utf-8")
    return {
        code: Country(
            code,
            row["name"],
            row["region"],
            row["income"],
            tuple(row.get("also_in", ())),
            tuple(row.get("spelled", ())),
        )
        for code, row in read_strict(text).items()
    }


def country_of(name: str) -> Country:
    """Give a country by its code or by any of its names."""
    known = load_countries()
    folded = {
        said.casefold(): country
        for country in known.values()
        for said in (country.code, country.name, *country.spelled)
    }
    asked = name.strip().casefold()
    if asked in folded:
        return folded[asked]
    # Codes are short: a slip of one letter leaves them less alike than names would be.
    alike = 0.6 if len(asked) <= 3 else 0.75
    near = {folded[said] for said in get_close_matches(asked, folded, n=6, cutoff=alike)}
    raise UnknownNameError(
        "country", name, [f"{c.code} ({c.name})" for c in near or known.values()]
    )


def groups_of(country: Country) -> tuple[tuple[str, str], ...]:
    """Give the kind and name of every group that results are added up over."""
    latin = "Latin America" in country.also_in
    return (
        ("World", "All countries with data"),
        ("Region", country.region),
        ("Income group", country.income),
        *(("Named group", name) for name in country.also_in),
        *(
            [("Named group", "Latin America outside the OECD")]
            if latin and "OECD" not in country.also_in
            else []
        ),
    )


def with_codes(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """Add a column ``code`` to a table; what is no country that we know (a group, the world) is dropped."""
    codes = {
        said: country.code
        for country in load_countries().values()
        for said in (country.name, *country.spelled)
    }
    return table.with_columns(
        pl.col(column).replace_strict(codes, default=None, return_dtype=pl.String).alias("code")
    ).filter(pl.col("code").is_not_null())


SOURCES = (
    "trust-world",
    "wealth-per-head-world",
    "population-world",
    "happiness-world",
)
"""What results are made from, in the catalogue."""

SINCE, UNTIL, WEALTH_YEAR = 2005, 2015, 2010

_PARTS = {  # in the accounts of countries
    "total": "Total wealth per capita",
    "produced": "Produced capital",
    "natural": "Natural capital (timber, non-timber, protected areas, land, sub-soil assets)",
    "human": "Human capital",
    "foreign": "Net foreign assets",
    "income": "Gross national income",
    "gdp": "GDP",
}
CONTROLS = {
    "health": "Healthy life expectancy at birth",
    "support": "Social support",
    "freedom": "Freedom to make life choices",
    "generosity": "Generosity",
    "corruption": "Perceptions of corruption",
}
"""What the regression across countries may hold constant, and what the source calls it."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One of the six assets of the Bennett Institute's framework, and what measures it here."""

    name: str  # as the Institute calls it
    column: str  # the part of `wealth_of_countries`, ``trust``, or empty where there are no data
    measured: str


ASSETS = (
    Asset("Physical", "produced", "produced capital, with urban land (World Bank)"),
    Asset("Net financial", "foreign", "net foreign assets (World Bank)"),
    Asset("Natural", "natural", "land, forest, protected areas, sub-soil assets (World Bank)"),
    Asset("Intangible", "", "no data: the accounts don't measure it"),
    Asset("Human", "human", "lifetime earnings of the work force (World Bank)"),
    Asset("Social and institutional", "trust", "social trust alone; no data on institutions"),
)
"""The six assets (Zenghelis and others 2020), in the Institute's order."""


def trust_of_countries(store: Store, since: int = SINCE, until: int = UNTIL) -> pl.DataFrame:
    """Give trust by country: the plain mean of the waves of all surveys whose middle is in the years.

    Rows of the Global Preferences Survey (z-scores) and of Northern Ireland (beside the United Kingdom) are left out.
    ``trust_se`` is the sampling error as if samples were simple random ones, which is too small.
    """
    return _mean_trust(with_codes(_waves(store, since, until), "country.name"), "code")


def _waves(store: Store, since: int, until: int) -> pl.DataFrame:
    if since > until:
        raise DataError(f"years of trust: found {since} to {until}; expected the first year first")
    first, last = (pl.col("years").str.slice(k, 4).cast(pl.Int64) for k in (0, -4))
    shares = store.table("trust-world").filter(pl.col("survey") != "GPS")
    outside = shares.filter(~pl.col("trust").is_between(0, 1))
    if len(outside):
        raise DataError(
            f"trust-world: '{outside['country.name'][0]}' has a trust of {outside['trust'][0]:g}; expected 0 to 1"
        )
    return shares.filter(((first + last) / 2).is_between(since, until))


def _mean_trust(waves: pl.DataFrame, by: str) -> pl.DataFrame:
    p = pl.col("trust")
    return (
        waves.group_by(by)
        .agg(
            p.mean(),
            ((p * (1 - p) / pl.col("n")).sum().sqrt() / pl.len()).alias("trust_se"),
            p.min().alias("trust_least"),
            p.max().alias("trust_most"),
            pl.len().cast(pl.Int64).alias("waves"),
            pl.col("n").sum().alias("people_asked"),
            pl.col("survey").unique().sort().str.join(", ").alias("surveys"),
        )
        .sort(by)
    )


def wealth_of_countries(store: Store, year: int = WEALTH_YEAR) -> pl.DataFrame:
    """Give measured wealth per head by part, income per head and people of each country.

    Wealth is in US dollars of 2014 a head, ``income`` gross national income a head and year (GDP where it is missing,
    which ``income_is`` says).
    """
    accounts = with_codes(store.table("wealth-per-head-world"), "Entity")
    _check_year(accounts, year)
    people = with_codes(store.table("population-world"), "Entity")
    counted = next(c for c in people.columns if c.startswith("Total population"))
    rows = accounts.filter(pl.col("Year") == year).select(
        "code", *(pl.col(column).alias(part) for part, column in _PARTS.items())
    )
    return (
        rows.join(
            people.filter(pl.col("Year") == year).select("code", pl.col(counted).alias("people")),
            on="code",
            how="left",
        )
        .with_columns(
            pl.when(pl.col("income").is_null())
            .then(pl.lit("GDP"))
            .otherwise(pl.lit("GNI"))
            .alias("income_is"),
            pl.coalesce("income", "gdp"),
        )
        .drop("gdp")
        .sort("code")
    )


def _check_year(table: pl.DataFrame, year: int) -> None:
    years = table["Year"].unique().sort().to_list()
    if year not in years:
        raise DataError(
            f"year of wealth: found {year}; expected one of {', '.join(map(str, years))}"
        )


def life_of_countries(store: Store, as_spelled: bool = False) -> pl.DataFrame:
    """Give what the regression across countries needs: means over all years, trust since 2005.

    ``life`` is the ladder of 0 to 10, ``log_income`` the log of GDP per head. `as_spelled` joins countries by the
    names of both sources as they are spelled: it loses those spelled in two ways (Czechia, Hong Kong, ...), and is
    there to rebuild figures made so.
    """
    waves = _waves(store, SINCE, 9999)
    life = store.table("happiness-world")
    if as_spelled:
        waves, life = (
            t.rename({c: "code"}) for t, c in ((waves, "country.name"), (life, "Country name"))
        )
    else:
        waves, life = with_codes(waves, "country.name"), with_codes(life, "Country name")
    means = life.group_by("code").agg(
        pl.col("Ladder score").mean().alias("life"),
        pl.col("Log GDP per capita").mean().alias("log_income"),
        *(pl.col(column).mean().alias(name) for name, column in CONTROLS.items()),
    )
    joined = means.join(_mean_trust(waves, "code").select("code", "trust"), on="code")
    return joined.rename({"code": "country"}).sort("country")
