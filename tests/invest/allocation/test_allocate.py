"""Who gets an award, by what margin and why not: by hand, and what holds of any list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.invest.allocation.places import areas_of, eight, rule_of, scores_of

from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.files.inputs import read_strict
from commonweal.invest.allocation.allocate import Allocation, allocate, next_in_line
from commonweal.invest.allocation.eligibility import read_exclusions

CASES = read_strict((Path(__file__).parent / "cases.yaml").read_text("utf-8"))


def listed(a: Allocation) -> list[str]:
    """Give codes of the selected, in the order of need."""
    return [a.areas.codes[i] for i in np.argsort(a.order) if a.order[i] > 0]


def codes(a: Allocation, which: Any) -> list[str]:
    return [c for c, w in zip(a.areas.codes, which, strict=True) if w]


@pytest.mark.parametrize("name", CASES)
def test_as_worked_out_by_hand(name: str) -> None:
    case = CASES[name]
    areas, scores = eight()
    a = allocate(rule_of(**case["rule"]), scores, areas)
    assert listed(a) == case["selected"]
    at = areas.position
    for code, said in case.get("why", {}).items():
        assert a.why[at[code]] == said
    for what in ("margin", "cap_margin"):
        for code, value in case.get(what, {}).items():
            expected = np.nan if value is None else value
            np.testing.assert_allclose(getattr(a, what)[at[code]], expected, err_msg=code)
    if "people" in case:
        assert a.people == case["people"]
    if "spent" in case:
        assert a.spent == case["spent"]
    if "tied" in case:
        assert codes(a, a.tied) == case["tied"]
    for what in ("passed_over", "instead"):
        if what in case:
            assert codes(a, getattr(a.cost, what)) == case[what]
    for what, value in case.get("cost", {}).items():
        assert getattr(a.cost, what) == value


def test_people_in_need_are_those_of_the_areas_that_meet_the_yardstick() -> None:
    areas, scores = eight()
    money, cap = {"awards": 3, "official": True}, {"most": 1, "in_each": "town", "official": True}
    a = allocate(rule_of(money=money, caps=[cap]), scores, areas)  # A to D are in need
    assert a.people == 100 + 400 + 700
    assert a.people_in_need == 100 + 400
    assert a.cost.people_in_need == 200 + 300
    assert a.cost.people_in_need_instead == 400


def test_the_next_in_line_hold_to_the_caps_too() -> None:
    areas, scores = eight()
    money, cap = {"awards": 1, "official": True}, {"most": 1, "in_each": "town", "official": True}
    a = allocate(rule_of(money=money, caps=[cap]), scores, areas)
    assert [areas.codes[i] for i in next_in_line(a, 2)] == ["D", "G"]
    assert len(next_in_line(allocate(rule_of(), scores, areas), 2)) == 0


def test_an_area_without_a_score_or_people_is_told_apart() -> None:
    areas = areas_of("ABC", [10, np.nan, 30])
    people = {"min": 5, "official": True}
    a = allocate(rule_of(people=people), scores_of(areas, a=[np.nan, 2, 1]), areas)
    assert a.why.tolist() == ["no score", "population unknown", "selected"]


def test_the_table_begins_with_the_selected_and_has_no_nan() -> None:
    areas, scores = eight()
    frame = allocate(rule_of(money={"awards": 2, "official": True}), scores, areas).to_frame()
    assert frame["code"].to_list() == list("ABCDEFGH")
    assert frame["order"].to_list() == [1, 2, 0, 0, 0, 0, 0, 0]
    assert frame["cap_margin"].null_count() == 8


class TestRefused:
    def say(self, exclusions: Any = None, **rule: Any) -> str:
        areas, scores = eight()
        with pytest.raises((StudyError, UnknownNameError, DataError)) as error:
            allocate(rule_of(**rule), scores, areas, exclusions)
        return str(error.value)

    def test_a_condition_that_leaves_nobody_is_named(self) -> None:
        first = {"index": "a", "worst": 2, "official": True}
        second = {"index": "b", "worst": 2, "official": True}
        said = self.say(eligible=[first, second])
        assert "'worst 2 on b' leaves none of the 2" in said
        assert "'900 to 1,000 people' leaves none of the 8" in self.say(
            people={"min": 900, "max": 1000, "official": True}
        )

    def test_unknown_names_are_told_with_the_nearest(self) -> None:
        assert "index 'c' not found" in self.say(rank={"of": {"c": 1}, "official": True})
        assert "'a.x' not found" in self.say(rank={"of": {"a.x": 1}, "official": True})
        cap = {"most": 1, "in_each": "towns", "official": True}
        assert "did you mean 'town'?" in self.say(caps=[cap])
        least = {"least": 1, "in_each": "nation", "only": ["Z"], "official": True}
        assert "nation 'Z' not found" in self.say(least=[least])
        out = {"e": {"what": "some", "parent": "town", "codes": ["Q"], "official": True}}
        assert "'Q' not found among those of places; expected one of: N, S, W" in self.say(
            exclude=out
        )

    def test_a_code_that_is_not_there_is_told_with_its_file(self, tmp_path: Path) -> None:
        file = tmp_path / "towns.csv"
        file.write_text("town\nQ\n", "utf-8")
        out = {
            "e": {
                "what": "some",
                "parent": "town",
                "file": str(file),
                "column": "town",
                "official": True,
            }
        }
        rule = rule_of(exclude=out)
        areas, scores = eight()
        with pytest.raises(UnknownNameError, match=r"towns\.csv: town 'Q' not found"):
            allocate(rule, scores, areas, read_exclusions(rule))

    def test_minimums_that_cannot_be_met(self) -> None:
        many = {"least": 2, "in_each": "town", "official": True}
        said = self.say(least=[many], money={"awards": 5, "official": True})
        assert "come to 6 awards, and there are 5" in said
        said = self.say(least=[{**many, "least": 3}], money={"awards": 9, "official": True})
        assert "W is to have at least 3, and gets only 2" in said

    def test_an_exclusion_without_codes_says_what_to_bring(self) -> None:
        out = {"phase-1": {"what": "towns of phase 1", "parent": "town", "official": False}}
        said = self.say(exclude=out)
        assert "excludes towns of phase 1 (phase-1)" in said
        assert "town codes in a column 'code' (--exclude FILE)" in said

    def test_an_area_without_the_parent_of_a_cap(self) -> None:
        areas = areas_of("AB", [1, 1], town=["N", None])
        cap = {"most": 1, "in_each": "town", "official": True}
        with pytest.raises(DataError, match=r"area B has no town \(1 areas"):
            allocate(rule_of(caps=[cap]), scores_of(areas, a=[2, 1]), areas)

    def test_a_score_that_is_no_number(self) -> None:
        areas = areas_of("AB", [1, 1])
        with pytest.raises(DataError, match="no area has a score"):
            allocate(rule_of(), scores_of(areas, a=[np.nan, np.nan]), areas)
        with pytest.raises(DataError, match="area B has a score of inf"):
            allocate(rule_of(), scores_of(areas, a=[1, np.inf]), areas)


def test_an_exclusion_can_be_left_out_and_that_is_told() -> None:
    areas, scores = eight()
    out = {"phase-1": {"what": "towns of phase 1", "parent": "town", "official": False}}
    a = allocate(rule_of(exclude=out), scores, areas, {"phase-1": None})
    assert a.left_out == ("phase-1",)
    assert a.selected.all()
    assert codes(a, allocate(rule_of(exclude=out), scores, areas, {"phase-1": ["N"]}).selected) == [
        *"DEFGH"
    ]


def test_one_more_exclusion_may_name_areas_or_any_parent() -> None:
    areas, scores = eight()
    a = allocate(rule_of(), scores, areas, {"mine": ["N", "D"]})
    assert codes(a, a.selected) == [*"EFGH"]
    assert a.why[0] == "excluded: mine"


# Any list: need in whole numbers so that ties happen, one parent, up to a dozen areas.
needs = st.lists(st.integers(0, 20), min_size=1, max_size=12)


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[int], list[str], list[float]]:
    need = draw(needs)
    n = len(need)
    towns = draw(st.lists(st.sampled_from("NSW"), min_size=n, max_size=n))
    people = draw(st.lists(st.integers(1, 9).map(float), min_size=n, max_size=n))
    return need, towns, people


def given_out(
    need: list[int], towns: list[str], people: list[float], most: int, awards: int
) -> Allocation:
    areas = areas_of([f"P{i:02d}" for i in range(len(need))], people, town=towns)
    rule = rule_of(
        money={"awards": awards, "official": True},
        caps=[{"most": most, "in_each": "town", "official": True}],
    )
    return allocate(rule, scores_of(areas, a=need), areas)


@pytest.mark.slow
@settings(max_examples=40)
@given(lists(), st.integers(1, 4), st.integers(1, 8))
def test_a_higher_cap_or_one_more_award_never_covers_less_need(
    places: tuple[list[int], list[str], list[float]], most: int, awards: int
) -> None:
    def covered(cap: int, n: int) -> float:
        a = given_out(*places, cap, n)
        return float(a.need[a.selected].sum())

    assert covered(most + 1, awards) >= covered(most, awards)
    assert covered(most, awards + 1) >= covered(most, awards)
    one, more = given_out(*places, most, awards), given_out(*places, most, awards + 1)
    assert (one.selected <= more.selected).all()  # nobody loses theirs when there is more


@settings(max_examples=40)
@given(lists(), st.integers(1, 3), st.integers(1, 6))
def test_limits_are_kept_and_nobody_is_overtaken_but_for_a_cap(
    places: tuple[list[int], list[str], list[float]], most: int, awards: int
) -> None:
    need, towns, _ = places
    a = given_out(*places, most, awards)
    chosen = codes(a, a.selected)
    assert len(chosen) <= awards
    by_town = {t: sum(s for s, u in zip(a.selected, towns, strict=True) if u == t) for t in "NSW"}
    assert max(by_town.values()) <= most
    for i in np.flatnonzero(~a.selected):
        full = by_town[towns[i]] == most
        least = min((need[j] for j in np.flatnonzero(a.selected)), default=0)
        assert full or need[i] <= least


@settings(max_examples=40)
@given(lists(), st.integers(1, 3), st.integers(1, 6), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    places: tuple[list[int], list[str], list[float]], most: int, awards: int, random: Any
) -> None:
    need, towns, people = places
    a = given_out(*places, most, awards)
    order = list(range(len(need)))
    random.shuffle(order)
    areas = areas_of(
        [f"P{i:02d}" for i in order],
        [people[i] for i in order],
        town=[towns[i] for i in order],
    )
    b = allocate(a.programme, scores_of(areas, a=[need[i] for i in order]), areas)
    assert sorted(codes(a, a.selected)) == sorted(codes(b, b.selected))
    assert listed(a) == listed(b)
