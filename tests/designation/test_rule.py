"""Rules as data: what is read, what is refused, how they are told."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.designation import Condition, Rule
from commonweal.errors import DataError

RULE = {"index": "x", "worst": "10%"}


def worst(value: object) -> Condition:
    return Condition.model_validate({"index": "x", "worst": value})


@pytest.mark.parametrize(
    ("given_", "n", "count"),
    [
        ("10%", 33_755, 3375),
        ("10%", 33_750, 3375),  # 0.1 x 33,750 is 3374.9999999999995
        ("10%", 32_844, 3284),
        ("10%", 7433, 743),
        ("7%", 100, 7),  # 0.07 x 100 is 7.000000000000001
        (" 29%", 100, 29),  # 0.29 x 100 is 28.999999999999996
        ("12.5%", 16, 2),
        ("10%", 9, 0),
        (225, 7433, 225),
        (225.0, 7433, 225),
        (225, 100, 100),
    ],
)
def test_how_many_are_the_worst(given_: object, n: int, count: int) -> None:
    found = worst(given_).worst
    assert found is not None
    assert found.count(n) == count


@given(st.integers(1, 999), st.integers(1, 100_000))
def test_a_share_is_rounded_down_exactly(per_mille: int, n: int) -> None:
    found = worst(f"{per_mille / 10}%").worst
    assert found is not None
    assert found.count(n) == int(Fraction(per_mille, 1000) * n)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (10.5, r"found 10\.5; expected a whole number of areas, or a share: 10\.5%"),
        ("0%", "greater than 0"),
        ("100%", "less than 1"),
        ("-5%", "greater than 0"),
        (-3, "greater than 0"),
        (0, "greater than 0"),
        ("ten%", "found 'ten%'; expected a share such as 10%"),
        ("nan%", "share"),
        ("225", "found '225'; expected a share such as 10% or a number of areas"),
        (True, "found True; expected"),
        (float("inf"), "found inf; expected"),
        (float("nan"), "found nan; expected"),
        ([10], r"found \[10\]|valid dictionary"),
        ({"share": 0.1, "number": 3}, "expected a share such as 10% or a number"),
    ],
)
def test_what_worst_refuses(bad: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        worst(bad)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"index": "x"}, "exactly one of 'worst' and 'score_above'"),
        ({"index": "x", "worst": 3, "score_above": 2}, "exactly one of 'worst' and 'score_above'"),
        ({"index": "x", "score_above": float("nan")}, "finite"),
        ({"index": "x", "score_above": 2, "within": "lad"}, "go with 'worst'"),
        ({"index": "x", "score_above": 2, "among": "built"}, "go with 'worst'"),
        ({"index": "x", "worst": 2, "within": "lad", "among": "built"}, "at most one of"),
        ({"index": "x", "worst": 2, "among": "all"}, "among"),
        ({"index": "x", "wurst": 2}, "wurst"),
    ],
)
def test_what_a_condition_refuses(data: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Rule.model_validate(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "exactly one of 'all', 'any', 'not' and a condition"),
        ({"all": [RULE], "any": [RULE]}, "exactly one of"),
        ({"all": []}, "at least 1"),
        ({**RULE, "all": [RULE]}, "all"),
        ({**RULE, "at_most": {"number": 0, "within": "lad", "by": "x"}}, "greater than 0"),
        ({**RULE, "at_most": {"number": 2, "within": "lad"}}, "by"),
    ],
)
def test_what_a_rule_refuses(data: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Rule.model_validate(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (RULE, "worst 10% on x"),
        ({"index": "x.y", "worst": "12.5%", "within": "lad24"}, "worst 12.5% on x.y within each lad24"),
        ({"index": "x", "worst": "7%"}, "worst 7% on x"),
        ({"index": "x", "worst": 1225}, "worst 1,225 on x"),
        ({"index": "x", "score_above": 21.5}, "score above 21.5 on x"),
        ({"all": [RULE, {"index": "z", "worst": 5}]}, "worst 10% on x and worst 5 on z"),
        ({"any": [RULE, {"not": {"index": "z", "worst": 5}}]}, "worst 10% on x or not (worst 5 on z)"),
        ({"all": [RULE, {"any": [RULE, RULE]}]}, "worst 10% on x and (worst 10% on x or worst 10% on x)"),
        ({**RULE, "at_most": {"number": 3, "within": "lad", "by": "x"}}, "worst 10% on x, at most 3 in each lad"),
    ],
)  # fmt: skip
def test_a_rule_in_words(data: dict[str, object], told: str) -> None:
    assert str(Rule.model_validate(data)) == told


def test_conditions_come_in_the_order_written_and_labels_with_them() -> None:
    rule = Rule.model_validate(
        {"any": [{"not": {"index": "b", "worst": 1}}, {"all": [RULE, {"index": "b", "worst": 2}]}]}
    )
    assert [c.index for c in rule.conditions()] == ["b", "x", "b"]
    assert rule.labels() == ["b_1", "x", "b_3"]
    assert len(list(rule.rules())) == 6


def test_without_caps_at_any_depth() -> None:
    cap = {"at_most": {"number": 3, "within": "lad", "by": "x"}}
    rule = Rule.model_validate({"all": [{"not": {**RULE, **cap}}, {**RULE, **cap}], **cap})
    assert "at most" not in str(rule.without_caps())
    assert all(r.at_most is None for r in rule.without_caps().rules())
    assert list(rule.without_caps().conditions()) == list(rule.conditions())
