"""Which places count: the shipped taxonomy, one of the analyst's own, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from commonweal.access.places import load_taxonomy
from commonweal.access.registers import load_registers
from commonweal.errors import DataError, UnknownNameError

DOCS = Path(__file__).parents[2] / "docs" / "methods" / "places.md"

OWN = """
title: Places to dance
groups:
  dance:
    label: Dancing
    why: People meet.
    kinds:
      ballroom:
        label: Ballroom
        why: The floor.
        osm:
          - tags: {leisure: [dance]}
"""


def test_every_group_says_why_and_who_says_so() -> None:
    taxonomy = load_taxonomy()
    for group in taxonomy.groups.values():
        assert group.why
        assert group.references
        assert all(kind.why and kind.label for kind in group.kinds.values())


def test_every_kind_has_a_source() -> None:
    listed = {k.kind for register in load_registers().values() for k in register.kinds}
    taxonomy = load_taxonomy()
    assert listed <= taxonomy.kinds.keys()
    assert {id_ for id_, kind in taxonomy.kinds.items() if kind.osm} | listed == {*taxonomy.kinds}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"amenity": "pub"}, ("pub", "")),
        ({"amenity": "library", "access": "private"}, ("library", "private")),
        ({"amenity": "library", "access": "students"}, ("library", "private")),
        ({"railway": "station", "station": "subway"}, ("rail-station", "excluded")),
        ({"amenity": "pub", "disused": "yes"}, ("pub", "closed")),
        ({"amenity": "pub", "disused:amenity": "pub"}, ("pub", "closed")),
        # the cafe is open in what used to be a pub
        ({"amenity": "cafe", "disused:amenity": "pub"}, ("cafe", "")),
        ({"disused:amenity": "pub"}, ("", "")),
        ({"amenity": "pub", "name": "Red Lion (closed)"}, ("pub", "closed")),
        ({"leisure": "swimming_pool"}, ("", "")),
        ({"leisure": "swimming_pool", "access": "yes"}, ("swimming-pool", "")),
        ({"leisure": "garden", "access": "private"}, ("", "")),
        ({"amenity": "school", "isced:level": "1"}, ("primary-school", "")),
        ({"amenity": "school"}, ("school", "")),
        ({"leisure": "fitness_centre"}, ("", "")),
        ({"leisure": "fitness_centre", "name": "Gym"}, ("fitness-centre", "")),
        ({"highway": "footway"}, ("", "")),
    ],
)
def test_what_an_element_of_the_map_is(tags: dict[str, str], expected: tuple[str, str]) -> None:
    assert load_taxonomy().kind_of_tags(tags) == expected


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        ("Red Lion (Closed)", True),
        ("Red Lion (now closed)", True),
        ("Closed: Maritime Inn", True),
        ("Good Intent - closed", True),
        ("The Woodcock Tavern-closed", True),
        ("The Coach House (derelict)", True),
        ("Former Bedford Arms", True),
        ("(ex pub) The Woodman", True),
        ("The Pointer (formerly The Red Lion)", False),
        ("The Closed Shop", False),
        ("The Enclosed Garden", False),
        ("", False),
    ],
)
def test_names_that_say_that_a_place_is_closed(name: str, closed: bool) -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.is_closed_name(name) is closed
    # registers test them by the engine of Polars, which has to agree
    assert pl.Series([name.lower()]).str.contains(taxonomy.closed_names)[0] is closed


def test_groups_stand_for_their_kinds_in_order() -> None:
    taxonomy = load_taxonomy()
    assert taxonomy.kinds_of(["bar", "libraries", "pub"]) == ["library", "pub", "bar"]
    with pytest.raises(UnknownNameError, match=r"'libaries' not found; did you mean 'libraries'"):
        taxonomy.kinds_of(["libaries"])


def test_an_analyst_brings_her_own(tmp_path: Path) -> None:
    file = tmp_path / "dance.yaml"
    file.write_text(OWN)
    own = load_taxonomy(file)
    assert own.kind_of_tags({"leisure": "dance"}) == ("ballroom", "")
    assert own.group_of == {"ballroom": "dance"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("label: Dancing", "lable: Dancing"),
            r"own\.yaml: unknown key 'groups\.dance\.lable'; did you mean 'label'",
        ),
        (
            ("tags: {leisure: [dance]}", "tags: {}"),
            r"own\.yaml: 'groups\.dance\.kinds\.ballroom\.osm\.0\.tags'",
        ),
        (
            ("why: People meet.", "why: People meet.\n    references: [me]"),
            "names the reference 'me'; there are none",
        ),
        (("      ballroom:", "      dance:"), "'dance' in group 'dance' is already in use"),
        (("title:", "closed_names: '('\ntitle:"), "'closed_names': not a regular expression"),
        (("title: Places to dance", "title: a\ntitle: b"), "key 'title' is there twice"),
        (
            ("osm:", "least_m2: -1\n        osm:"),
            "least_m2': Input should be greater than or equal to 0",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "own.yaml"
    assert change[0] in OWN
    file.write_text(OWN.replace(*change, 1))
    with pytest.raises(DataError, match=message):
        load_taxonomy(file)


def test_a_file_that_is_not_there_or_no_mapping(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.yaml: no such file"):
        load_taxonomy(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- a")
    with pytest.raises(
        DataError, match=r"list\.yaml: found a list; expected keys such as title, references"
    ):
        load_taxonomy(tmp_path / "list.yaml")


def test_the_page_lists_the_taxonomy() -> None:
    page = DOCS.read_text("utf-8")
    for id_, group in load_taxonomy().groups.items():
        kinds = ", ".join(f"`{kind}`" for kind in group.kinds)
        assert f"| {group.label} (`{id_}`) | {kinds} |" in page
    for reference in load_taxonomy().references.values():
        assert reference in page
