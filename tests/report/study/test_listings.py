"""What a user looks up before writing a study: its keys, the kinds of places, the code of an area."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from commonweal.access.places import load_taxonomy
from commonweal.access.registers import load_registers
from commonweal.spec.study import load_study, parse_study, shipped_studies

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Small


def example_in(told: str) -> str:
    """The file that the lines of a study show."""
    _, after = told.split("a file with only what differs, such as:\n\n")
    return after.split("\n\nUse the keys and names")[0]


@pytest.mark.parametrize("name", shipped_studies())
def test_a_study_is_shown_with_keys_that_a_file_can_use(tell: Any, name: str) -> None:
    code, told, complaint = tell("studies", "show", name)
    assert (code, complaint) == (0, "")
    study = load_study(name)
    assert told.startswith(f"{name}: {study.title}\n")
    for index, tree in study.index.items():
        assert f"\nIndex {index}" in told
        for path, node in tree.walk(index):
            if path != index:
                assert f"\n{'  ' * path.count('/')}{path.rsplit('/', 1)[-1]} " in told
            assert (
                node.indicator in (None, path.rsplit("/", 1)[-1]) or f"[{node.indicator}]" in told
            )
    for rule in study.designate:
        assert f"\nRule {rule}: " in told
    text = example_in(told)
    again = parse_study(text, "example", "example", study.folder)
    assert again.designate == study.designate
    for index, written in yaml.safe_load(text).get("index", {}).items():
        changed = {
            k for k, w in again.index[index].weights.items() if w != study.index[index].weights[k]
        }
        assert len(changed) == 1
        assert changed <= set(written.get("weights") or written["children"])


def test_weights_are_shares_and_one_condition_is_told_once(tell: Any, small: Small) -> None:
    small.write(designate__priority={"index": "deprivation", "worst": 3})
    code, told, _ = tell("studies", "show", small.study)
    assert code == 0
    assert told.count("worst 3 on deprivation") == 1
    assert f"extends: {small.study.name}" in told
    parse = example_in(told)
    assert parse_study(parse, "example", "example", small.study.parent).designate["priority"]
    assert tell("studies", "show", "demo")[1].count(" 33.3%  ") == 6
    assert tell("studies", "show", "dmo")[0] == 2


def test_a_study_as_json(tell: Any) -> None:
    import json

    data = json.loads(tell("studies", "show", "demo", "--json")[1])
    places = data["index"]["community_needs"]["children"]["places"]
    assert places["label"] == "Places and spaces to meet"
    assert places["children"]["library"] == {"indicator": "distance_to_library_m", "weight": 1.0}
    assert data["designate"]["left_behind"]["all"][0] == {
        "index": "community_needs",
        "worst": "10%",
    }


def test_the_studies_are_listed_as_before(tell: Any) -> None:
    code, told, _ = tell("studies")
    assert code == 0
    assert [line.split()[0] for line in told.splitlines()] == shipped_studies()


def test_every_kind_and_register_is_listed_with_what_counts(tell: Any) -> None:
    code, told, _ = tell("places")
    assert code == 0
    taxonomy = load_taxonomy()
    for key, kind in taxonomy.kinds.items():
        assert f"\n  {key}: {kind.label}. {kind.why}\n" in told
    for id_, register in load_registers().items():
        assert f"\n  {id_}: {register.title}. Covers {register.covers}. Holds " in told


def test_one_kind_of_place(tell: Any) -> None:
    told = tell("places", "library")[1]
    assert "on OpenStreetMap: amenity=library unless access=" in told
    assert "in a register: libraries-england" in told
    assert "pub:" not in told
    code, _, complaint = tell("places", "libary")
    assert (code, "did you mean 'library'" in complaint) == (2, True)


def test_all_areas_in_one_authority_are_listed(tell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many; and an authority before a ward of its name."""
    codes = [f"E0100{i:04}" for i in range(60)]
    wards = ["Ashby", "Halton"] * 30
    table = pl.DataFrame(
        {
            "code": codes,
            "name": [f"Place {i}" for i in range(60)],
            **dict.fromkeys(("msoa21", "lad22", "region", "country"), "none"),
            **{f"{p}_name": "" for p in ("msoa21", "lad22", "region", "country")},
            "wd24": wards,
            "wd24_name": wards,
            "lad24": ["E06000006"] * 59 + ["E06000009"],
            "lad24_name": ["Halton"] * 59 + ["Elsewhere"],
        }
    )
    monkeypatch.setattr("commonweal.report.listings.area_names", lambda *_: table)
    code, told, _ = tell("areas", "find", "--in", "halton", "--system", "lsoa21")
    assert code == 0
    assert told.splitlines() == [
        "Lower-layer Super Output Areas, 2021 in halton: 59",
        *(f"  {code}  Place {i}" for i, code in enumerate(codes[:59])),
    ]
    one = tell("areas", "find", "place 7", "--in", "E06000006", "--system", "lsoa21")[1]
    assert one.splitlines()[1:] == ["  E01000007  Place 7"]
    data = json.loads(tell("areas", "find", "--in", "Halton", "--system", "lsoa21", "--json")[1])
    assert len(data["part"]) == 59
    wrong = tell("areas", "find", "--in", "Haltn", "--system", "lsoa21")
    assert (wrong[0], "larger area 'Haltn' not found; did you mean 'Halton'?" in wrong[2]) == (
        2,
        True,
    )
    assert "expected a name, or --in" in tell("areas", "find")[2]
    assert 'type: commonweal show "TS24 7PT"' in tell("areas", "find", "TS24 7PT")[2]


def test_areas_cannot_be_found_without_their_files(tell: Any, tmp_path: Path) -> None:
    variables = {"COMMONWEAL_OFFLINE": "1", "COMMONWEAL_CACHE": str(tmp_path / "empty")}
    code, told, complaint = tell("areas", "find", "Hartlepool", **variables)
    assert (code, told) == (2, "")
    assert "cannot be had" in complaint
