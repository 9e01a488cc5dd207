"""What stands beside what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from commonweal.compare.similarity import match_indices
from commonweal.compare.studies import compare_studies
from commonweal.errors import StudyError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.study.results import Results

    RunWith = Callable[..., Results]

HALLS = {"indicator": "halls"}
INCOME = {"indicator": "income"}
STRANDS: dict[str, Any] = {
    "places": {"label": "Places", "children": {"halls": HALLS}},
    "money": {"children": {"income": INCOME}},
}
OTHER: dict[str, Any] = {
    "assets": {"children": {"halls": HALLS}},
    "wealth": {"label": "PLACES", "children": {"income": INCOME}},
}


def told(found: list[tuple[Any, ...]]) -> list[list[tuple[str, str]]]:
    return [[(p.first, p.second) for p in pairs] for pairs in found]


@pytest.fixture
def two(run_with: RunWith) -> tuple[Results, Results]:
    """Indices `x` and `y` of two strands each, and `deprivation` in both."""
    bare: dict[str, Any] = {"designate": None, "certainty": None}
    deprived = {"label": "Deprivation", "children": {"income": INCOME}}
    first = run_with(index={"x": {"children": STRANDS}, "deprivation": deprived}, **bare)
    second = run_with(index={"y": {"children": OTHER}, "deprivation": deprived}, **bare)
    return first, second


def test_by_name_and_by_label(run_with: RunWith, two: tuple[Results, Results]) -> None:
    both = [("deprivation", "deprivation"), ("deprivation/income", "deprivation/income")]
    assert told(match_indices(*two)) == [both]
    by_label = run_with(
        index={"lack": {"label": "DEPRIVATION", "children": {"poor": INCOME}}},
        designate=None,
        certainty=None,
    )
    assert told(match_indices(two[0], by_label)) == [
        [("deprivation", "lack"), ("deprivation/income", "lack/poor")]  # both 'Low income'
    ]


def test_parts_that_are_stated_bring_their_indices_together(two: tuple[Results, Results]) -> None:
    x, _ = told(match_indices(*two, {"places": "assets"}))
    assert x == [
        ("x", "y"),
        ("x/places", "y/assets"),
        ("x/places/halls", "y/assets/halls"),
    ]
    # What is stated goes before the label that two parts share.
    x, _ = told(match_indices(*two, {"x.money": "y.wealth"}))
    assert ("x/places", "y/wealth") not in x
    assert x[:2] == [("x", "y"), ("x/money", "y/wealth")]


def test_a_part_is_found_below_one_that_has_nothing_beside_it(
    two: tuple[Results, Results],
) -> None:
    x, _ = told(match_indices(*two, {"x.money.income": "assets", "places": "wealth"}))
    assert x == [("x", "y"), ("x/places", "y/wealth"), ("x/money/income", "y/assets")]


def test_what_a_study_says_is_alike_works_both_ways(
    run_with: RunWith, two: tuple[Results, Results]
) -> None:
    first = run_with(
        index={"x": {"children": STRANDS}},
        alike={"places": "assets", "money": "of_no_study"},
        designate=None,
        certainty=None,
    )
    assert ("x/places", "y/assets") in told(match_indices(first, two[1]))[0]
    assert ("y/assets", "x/places") in told(match_indices(two[1], first))[0]
    assert told(match_indices(first, two[1], {"places": "wealth"}))[0][1] == (
        "x/places",
        "y/wealth",
    )


def test_names_that_are_wrong_or_not_enough(
    run_with: RunWith, two: tuple[Results, Results]
) -> None:
    with pytest.raises(UnknownNameError, match="'asets' not found in study study; did you mean"):
        match_indices(*two, {"places": "asets"})
    with pytest.raises(StudyError, match=r"any of: x\.money\.income, deprivation\.income"):
        match_indices(*two, {"income": "assets"})
    with pytest.raises(StudyError, match=r"'x.places' and 'x.money' are both to be compared with"):
        match_indices(*two, {"places": "assets", "money": "assets"})
    with pytest.raises(
        StudyError, match=r"'x' is to be compared with 'deprivation', and its part 'x\.pl"
    ):
        match_indices(*two, {"places": "assets", "money": "deprivation.income"})
    with pytest.raises(StudyError, match=r"alike.plces: index or domain 'plces' not found"):
        run_with(alike={"plces": "assets"})


def test_nothing_to_compare(run_with: RunWith) -> None:
    bare: dict[str, Any] = {"designate": None, "certainty": None}
    first = run_with(index={"x": {"children": {"halls": HALLS}}}, **bare)
    second = run_with(index={"y": {"children": {"income": INCOME}}}, **bare)
    store: Any = None
    with pytest.raises(StudyError, match="designates nothing; study study designates nothing; a c"):
        compare_studies(first, second, store)
    assert compare_studies(first, second, store, {"x": "y"}).lists is None
