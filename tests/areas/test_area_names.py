"""Names that people use: an area carries its own or that of the larger one it lies in, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.areas.areas import load_areas
from commonweal.areas.catalogue import AreaSystem, Column, Link, Systems
from commonweal.errors import CommonwealError
from commonweal.sources import Source, Store
from commonweal.sources.catalogue import local_source
from commonweal.study.names import find_area, larger_named

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.areas import Areas

FILES = {
    "small": "code,name\ns1,Lincoln 007A\ns2,Lincoln 007C\ns3,Lincoln 008A\ns4,Lincoln 009A\n",
    "middle": "code,name\nm1,Lincoln 007\nm2,Lincoln 008\nm9,Lincoln 009\n",
    "small-middle": "from,to\ns1,m1\ns2,m1\ns3,m2\ns4,m9\n",
    # As it was ten years before: m9 is new since, and m2 has no name.
    "known": "code,called\nm1,Birchwood West\nm2,\nm3,Gone\n",
}


def load(folder: Path, system: str = "small", reachable: bool = True) -> Areas:
    catalogue: dict[str, Source] = {}
    for name, text in FILES.items():
        path = folder / f"{name}.csv"
        path.write_text(text, "utf-8")
        catalogue[name] = local_source(path, name=name)
    if not reachable:
        away = {"url": "https://example.org/known.csv", "path": None, "sha256": "0" * 64, "size": 9}
        catalogue["known"] = catalogue["known"].model_copy(update=away)
    known = Column(
        source="known", code="code", name="called", inside="middle" if system == "small" else ""
    )
    systems = Systems(
        systems={
            name: AreaSystem(
                title=name, vintage=1, singular="place", plural="places",
                areas=Column(source=name, code="code", name="name"),
                known_as=known if name == system else None,
            )
            for name in ("small", "middle")
        },
        links=(
            Link.model_validate(
                {"from": "small", "to": "middle", "kind": "nests", "source": "small-middle", "columns": ("from", "to")}
            ),
        ),
    )  # fmt: skip
    store = Store(folder / "cache", catalogue=catalogue, offline=True)
    return load_areas(store, system, systems=systems)


def test_an_area_is_named_as_people_name_the_larger_one_around_it(tmp_path: Path) -> None:
    areas = load(tmp_path)
    told, local, official = (names.to_list() for names in areas.names)
    assert told == [
        "Birchwood West (Lincoln 007A)", "Birchwood West (Lincoln 007C)", "Lincoln 008A", "Lincoln 009A",
    ]  # fmt: skip
    assert local == ["Birchwood West", "Birchwood West", None, None]
    assert official == ["Lincoln 007A", "Lincoln 007C", "Lincoln 008A", "Lincoln 009A"]
    assert areas.classes == ()
    assert load(tmp_path, "middle").names[0].to_list() == [
        "Birchwood West (Lincoln 007)", "Lincoln 008", "Lincoln 009",
    ]  # fmt: skip


def test_where_the_names_cannot_be_had_the_official_ones_stand(tmp_path: Path) -> None:
    areas = load(tmp_path, reachable=False)
    told, local, official = (names.to_list() for names in areas.names)
    assert told == official == ["Lincoln 007A", "Lincoln 007C", "Lincoln 008A", "Lincoln 009A"]
    assert local == [None] * 4


@pytest.mark.parametrize(
    ("asked", "row"),
    [("lincoln 007c", 1), ("Birchwood West (Lincoln 007C)", 1), ("LINCOLN 008A", 2), ("008a", 2), ("s4", 3),
     ("x", None)],
)  # fmt: skip
def test_it_is_found_by_any_of_its_names(tmp_path: Path, asked: str, row: int | None) -> None:
    assert find_area(load(tmp_path), asked) == row


def test_several_of_one_name_are_listed(tmp_path: Path) -> None:
    with pytest.raises(CommonwealError) as told:
        find_area(load(tmp_path), "birchwood west")
    assert str(told.value) == (
        "'birchwood west' fits 2 places: s1 Birchwood West (Lincoln 007A), Lincoln 007; "
        "s2 Birchwood West (Lincoln 007C), Lincoln 007. Give a code, or 'name, authority'."
    )


def test_a_larger_area_is_told_with_its_code_and_what_to_write(tmp_path: Path) -> None:
    expected = (
        "'Lincoln 007' is a middle (m1) of 2 places: s1 Birchwood West (Lincoln 007A); s2 Birchwood West "
        '(Lincoln 007C).\nGive one of them; for all together, commonweal brief STUDY "Lincoln 007"; '
        "in a study, where: {middle: m1}, or focus: with ranks among all"
    )
    with pytest.raises(CommonwealError) as told:
        find_area(load(tmp_path), "Lincoln 007")
    assert str(told.value) == expected
    assert larger_named(load(tmp_path), "M9") is not None
    assert larger_named(load(tmp_path), "Lincoln") is None
