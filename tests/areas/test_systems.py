"""The area systems that ship, as data: whole, linked, and named."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import commonweal
from commonweal.areas.areas import load_areas
from commonweal.areas.catalogue import AreaSystem, load_systems
from commonweal.errors import UnknownNameError
from commonweal.sources import Store
from commonweal.sources.catalogue import load_catalogue

SYSTEMS = load_systems()


def test_every_source_that_a_system_names_is_in_the_catalogue() -> None:
    catalogue = load_catalogue()
    for name, about in SYSTEMS.systems.items():
        columns = [
            about.areas,
            *about.populations.values(),
            *about.boundaries,
            *about.classes.values(),
            *about.points,
        ]
        for column in columns:
            inside = column.sum_of or column.centre_of
            assert (column.source in catalogue) != bool(inside), (name, column)
            assert not inside or inside in SYSTEMS.systems


def test_every_link_joins_two_systems_by_a_source_or_by_a_list() -> None:
    catalogue = load_catalogue()
    for link in SYSTEMS.links:
        assert {link.origin, link.destination} <= set(SYSTEMS.systems)
        ways = [bool(link.changes), link.source in catalogue, link.through in SYSTEMS.systems]
        assert sum(ways) == 1, link
        pattern = SYSTEMS.system(link.destination).pattern
        assert all(re.fullmatch(pattern, code) for code in link.changes.values())


def test_the_mergers_of_2019_are_five_new_authorities_of_fourteen() -> None:
    link = SYSTEMS.link("lad17", "lad19")
    assert link is not None
    assert len(link.changes) == 14
    assert len(set(link.changes.values())) == 5


@pytest.mark.parametrize(
    ("small", "large"),
    [("lsoa11", "lad19"), ("lsoa11", "region"), ("lsoa21", "lad24"), ("wd17", "country"),
     ("lad17", "region"), ("msoa21", "region"), ("msoa11", "lad19")],
)  # fmt: skip
def test_parents_are_chains_that_end_there(small: str, large: str) -> None:
    chain = SYSTEMS.parents(small)[large]
    assert chain[0].origin == small
    assert chain[-1].destination == large
    assert all(a.destination == b.origin for a, b in itertools.pairwise(chain))
    assert small not in SYSTEMS.parents(small)


def test_vintages_are_no_parents() -> None:
    assert "lsoa21" not in SYSTEMS.parents("lsoa11")
    assert SYSTEMS.link("lsoa21", "lsoa11") is None


def test_an_unknown_system_or_date_is_answered_with_the_nearest(tmp_path: object) -> None:
    with pytest.raises(
        UnknownNameError, match="area system 'lsoa12' not found; did you mean 'lsoa"
    ):
        SYSTEMS.system("lsoa12")
    with pytest.raises(UnknownNameError, match="area system 'wd71' not found"):
        load_areas(Store(str(tmp_path), offline=True), "wd71")


def test_a_system_refuses_a_key_that_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="plurall"):
        AreaSystem.model_validate({"title": "x", "vintage": 2020, "areas": {}, "plurall": "y"})


def test_people_set_out_from_an_area_system_of_their_own_country() -> None:
    known = SYSTEMS
    found = {name: known.origins_for(name) for name in ("wd17", "msoa21", "iz11", "soa01")}
    assert found == {"wd17": "lsoa21", "msoa21": "lsoa21", "iz11": "dz11", "soa01": "soa01"}


def test_what_is_there_today_is_searched_first() -> None:
    order = SYSTEMS.in_order()
    assert order.index("lad24") < order.index("wd24") < order.index("lad22") < order.index("lsoa11")
    assert order.index("ca20") < order.index("iz11") < order.index("lad17")


def test_no_code_names_an_area_system() -> None:
    """What is an authority, an origin or a larger area to show is said by data, so that another country needs no code.

    A paper that is repeated is about the places of its data.
    """
    known = SYSTEMS.systems
    names = {name for name, about in known.items() if name != about.level}
    src = Path(commonweal.__file__).parent
    found = [
        f"{file.relative_to(src)}: {node.value}"
        for file in src.rglob("*.py")
        if "papers" not in file.parts
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and node.value.removesuffix("_name").removesuffix("_code") in names
    ]  # fmt: skip
    assert found == []
