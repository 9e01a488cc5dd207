"""A comparison, told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commonweal.designation import Comparison, compare_designations
from commonweal.report.study.comparison import comparison_data, comparison_lines
from commonweal.study.run import only_designation


@pytest.fixture
def pair(small: Any) -> Comparison:
    """The worst three on halls (A20, A10, A18), then the worst fourteen on income (A07 to A20)."""
    small.write(designate={"p": {"index": "community_needs", "worst": 3}}, certainty=None)
    before = only_designation(small.run())
    small.write(
        designate={"p": {"index": "deprivation", "worst": 14, "within": None}}, certainty=None
    )
    return compare_designations(before, only_designation(small.run()), small.store)


def test_counts_and_names(pair: Comparison) -> None:
    assert (pair.stay.sum(), pair.leave.sum(), pair.enter.sum()) == (3, 0, 11)
    told = list(comparison_lines(pair, "Before", "After"))
    assert told[:3] == [
        "From Before (3 places)",
        "  to After (14 places):",
        "3 stay on the list, 0 leave it, 11 enter it.",
    ]
    assert "Leaves:" not in told  # nobody does
    at = told.index("Enters:")
    assert told[at + 1] == "  A07  Place 7, Northside"
    assert told[at + 11] == "  and 1 more (--all lists them; --out FILE writes them)"
    assert told[told.index("Stays:") + 1 :] == [
        "  A10  Place 10, Northside",
        "  A18  Place 18, Southside",
        "  A20  Place 20, Southside",
    ]


def test_counts_alone_and_everyone(pair: Comparison) -> None:
    assert len(list(comparison_lines(pair, "Before", "After", most=0))) == 3
    everyone = "\n".join(comparison_lines(pair, "Before", "After", most=10**9))
    assert everyone.count("\n  A") == 14
    assert "more" not in everyone


def test_as_data(pair: Comparison) -> None:
    data = json.loads(json.dumps(comparison_data(pair, "b", "a"), allow_nan=False))
    assert data["counts"] == {"stays": 3, "enters": 11, "leaves": 0}
    assert data["leaves"] == []
    assert data["stays"][0] == {"code": "A10", "name": "Place 10"}
    assert (data["before"], data["after"]) == ("b", "a")


def test_turned_round(pair: Comparison, small: Any) -> None:
    back = compare_designations(pair.after, pair.before, small.store)
    assert (back.enter == pair.leave).all()
    assert (back.leave == pair.enter).all()
    assert (back.stay == pair.stay).all()
