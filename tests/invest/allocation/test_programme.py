"""A programme's rule as data: what ships, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from tests.invest.allocation.places import rule_of

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.programme import shipped_programmes
from commonweal.spec.study import shipped_studies

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", shipped_programmes())
def test_what_ships_names_studies_indices_and_works_that_are_there(name: str) -> None:
    from commonweal.spec.study import load_study

    programme = load_programme(name)
    assert programme.study in shipped_studies()
    indices = set(load_study(programme.study).index)
    assert set(programme.rank.of) | {c.index for c in programme.in_need} <= indices
    known = load_evidence()
    for work in programme.works:
        known.work(work)
    assert programme.name == name


def test_every_part_is_marked_and_pride_in_place_says_what_is_inferred() -> None:
    parts = load_programme("pride-in-place-2-england").parts()
    said = {part: (official, note) for part, official, note in parts}
    cap = said["At most 1 in each constituency"]
    assert cap[0] is False
    assert "official" in cap[1]
    assert "inferred" in cap[1]
    assert len(parts) == 4
    wards = load_programme("appg-225").parts()
    assert [official for _, official, _ in wards] == [False, True, True]


def written(path: Path, **changes: object) -> str:
    rule = rule_of().model_dump(mode="json", exclude_defaults=True)
    rule["eligible"] = [{"index": "a", "worst": "10%", "official": True}]
    file = path / "mine.yaml"
    file.write_text(yaml.safe_dump({**rule, "name": "mine", **changes}), "utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"caps": [{"most": 0, "in_each": "t", "official": True}]}, r"caps\.0\.most: found 0;"),
        ({"caps": [{"most": 1.5, "in_each": "t", "official": True}]}, "expected a whole number"),
        ({"caps": [{"most": 1, "in_each": "t"}]}, r"caps\.0\.official: missing"),
        ({"caps": [{"most": 1, "in_each": "t", "official": True}] * 2}, "'t' has 2 caps"),
        ({"money": {"budget": 0, "award": 1, "official": True}}, r"money\.budget: found 0;"),
        ({"money": {"award": 0, "official": True}}, r"money\.award: found 0;"),
        ({"money": {"budget": 5, "award": 9, "official": True}}, "award 9 is above the budget"),
        ({"money": {"budget": 5, "official": True}}, "'budget' goes with 'award'"),
        ({"money": {"awards": float("inf"), "official": True}}, r"money\.awards: found inf; expected"),
        ({"money": {"awards": 0, "official": True}}, r"money\.awards: found 0;"),
        ({"money": {"budget": float("nan"), "award": 1, "official": True}}, r"money\.budget: found nan"),
        ({"people": {"min": 9, "max": 5, "official": True}}, "max 5 below min 9"),
        ({"build": {"min": 9, "max": 5, "official": True}}, "max 5 below min 9"),
        ({"rank": {"of": {}, "official": True}}, r"rank\.of"),
        ({"rank": {"of": {"a": 0}, "official": True}}, r"rank\.of\.a: found 0"),
        ({"rank": {"of": {"a": 1}, "scale": "zz", "official": True}}, r"rank\.scale: found 'zz'"),
        ({"eligible": [{"index": "a", "worst": "150%", "official": True}]}, r"eligible\.0"),
        ({"exlude": {}}, "exlude: unknown key; did you mean 'exclude'"),
        ({"exclude": {"e": {"what": "x", "codes": ["A"], "file": "f.csv", "official": True}}}, "both"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused_with_the_field(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=rf"mine\.yaml: ?.*{said}"):
        load_programme(written(tmp_path, **changes))


def test_an_unknown_programme_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'appg-225'"):
        load_programme("appg-255")


def test_files_of_a_rule_are_looked_for_beside_it(tmp_path: Path) -> None:
    out = {"e": {"what": "x", "file": "out.csv", "official": True}}
    programme = load_programme(written(tmp_path, exclude=out))
    assert programme.exclude["e"].file == str(tmp_path / "out.csv")


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("title: Mine\nnote: x\n", "utf-8")
    with pytest.raises(DataError) as refused:
        load_programme(str(file))
    first, second = str(refused.value).splitlines()
    assert first == f"{file}: official, study, rank, in_need: missing; they are needed"
    assert "note: unknown key" in second
