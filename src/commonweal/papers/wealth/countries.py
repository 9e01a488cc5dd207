"""Countries: one code each, however a source spells them, and the groups that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import UnknownNameError
from commonweal.files.yaml import read_strict

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Country", "country_of", "groups_of", "load_countries", "with_codes"]


@dataclass(frozen=True, slots=True)
class Country:
    """A country.

    Attributes
    ----------
    code
        ISO 3166-1 alpha-3; XKX for Kosovo.
    name
        As we write it.
    region, income
        Region and income group of the World Bank's wealth accounts.
    also_in
        ``OECD`` (members in 2015) and ``Latin America`` (18 countries), where it belongs to them.
    spelled
        Other spellings that sources use.
    """

    code: str
    name: str
    region: str
    income: str
    also_in: tuple[str, ...]
    spelled: tuple[str, ...]


@cache
def load_countries() -> Mapping[str, Country]:
    """Give the countries by code.

    Examples
    --------
    >>> load_countries()["GBR"].region
    'Europe & Central Asia'
    """
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
    """Give a country by its code or by any of its names.

    Raises
    ------
    UnknownNameError
        If there is none; the message has the nearest.

    Examples
    --------
    >>> country_of("gbr").name, country_of("Ivory Coast").code
    ('United Kingdom', 'CIV')
    """
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
    """Add a column ``code`` to a table; what is no country that we know (a group, the world) is dropped.

    Parameters
    ----------
    table
        With a column of countries' names.
    column
        That column.
    """
    codes = {
        said: country.code
        for country in load_countries().values()
        for said in (country.name, *country.spelled)
    }
    return table.with_columns(
        pl.col(column).replace_strict(codes, default=None, return_dtype=pl.String).alias("code")
    ).filter(pl.col("code").is_not_null())
