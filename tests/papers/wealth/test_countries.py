"""Countries: every spelling leads to one, and a slip is answered."""

from __future__ import annotations

import polars as pl
import pytest

from commonweal.errors import UnknownNameError
from commonweal.papers.wealth.data import country_of, groups_of, load_countries, with_codes


def test_no_two_countries_share_a_spelling() -> None:
    said = [
        word.casefold() for c in load_countries().values() for word in (c.code, c.name, *c.spelled)
    ]
    assert len(said) == len(set(said))


def test_codes_are_codes() -> None:
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in load_countries())


@pytest.mark.parametrize(
    ("asked", "code"),
    [("GBR", "GBR"), (" gbr ", "GBR"), ("Côte d’Ivoire", "CIV"), ("Swaziland", "SWZ"), ("Norway", "NOR")],
)  # fmt: skip
def test_any_spelling_leads_to_the_country(asked: str, code: str) -> None:
    assert country_of(asked).code == code


@pytest.mark.parametrize(
    ("asked", "near"), [("Germny", "DEU (Germany)"), ("GRB", "GBR (United Kingdom)")]
)
def test_a_slip_is_answered_with_the_nearest(asked: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as stopped:
        country_of(asked)
    assert near in str(stopped.value)


def test_what_is_no_country_is_not_answered_with_countries_that_sound_alike() -> None:
    with pytest.raises(UnknownNameError, match=r"'England' not found; there are \d+, such as"):
        country_of("England")


def test_groups_of_a_country() -> None:
    names = [name for _, name in groups_of(load_countries()["BRA"])]
    assert names == [
        "All countries with data",
        "Latin America & Caribbean",
        "Upper middle income",
        "Latin America",
        "Latin America outside the OECD",
    ]
    assert "Latin America outside the OECD" not in [
        name for _, name in groups_of(load_countries()["MEX"])
    ]


def test_what_is_no_country_is_dropped() -> None:
    table = pl.DataFrame({"Entity": ["World", "Ivory Coast", "Peru"]})
    assert with_codes(table, "Entity")["code"].to_list() == ["CIV", "PER"]
