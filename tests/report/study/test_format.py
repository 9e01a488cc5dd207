"""Numbers in plain words: right at the edges, and never false certainty."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.document.format import format_people, ordinal, percent
from commonweal.study.names import authority, index_label, rule_in_words


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "0 people"), (1, "1 person"), (2, "2 people"), (1234.4, "1,234 people"),
        (999_999, "999,999 people"), (1_000_000, "1.00 million people"),
        (2_376_540, "2.38 million people"), (float("nan"), "population not given"),
    ],
)  # fmt: skip
def test_people(n: float, said: str) -> None:
    assert format_people(n) == said


@given(st.floats(0, 1))
def test_percent_never_rounds_to_certainty(share: float) -> None:
    said = percent(share)
    assert (said == "100%") == (share == 1)
    assert (said == "0%") == (share == 0)
    number = int(re.findall(r"\d+", said)[0])
    assert abs(number - 100 * share) <= 1
    assert said.endswith("%")


def test_percent_at_the_edges() -> None:
    assert [percent(p) for p in (0.01, 0.0099, 0.99, 0.9901, 0.5)] == [
        "1%", "under 1%", "99%", "over 99%", "50%",
    ]  # fmt: skip


@given(st.integers(1, 10**7))
def test_ordinal(n: int) -> None:
    said = ordinal(n)
    assert said[:-2].replace(",", "") == str(n)
    teens = n % 100 in (11, 12, 13)
    assert said.endswith({1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th") if not teens else "th")


def test_labels(small: Any) -> None:
    small.write(
        index__community_needs__children={
            "halls": {"indicator": "halls"},
            "both_of_them": {"children": {"income": {"indicator": "income", "label": "Money"}}},
        }
    )
    results = small.run(draws=0)
    assert index_label(results, "community_needs") == "Community needs"  # its own
    assert index_label(results, "deprivation") == "deprivation"  # its name
    assert index_label(results, "deprivation.income") == "Low income"  # its indicator's
    assert index_label(results, "community_needs/both_of_them") == "both of them"
    assert index_label(results, "community_needs/both_of_them/income") == "Money"


def test_a_rule_with_the_indices_own_names(small: Any) -> None:
    """Names that contain one another, and a label with a percent sign or the word 'on'."""
    child = {"children": {"income": {"indicator": "income"}}}
    small.write(
        index={
            "need": {"label": "Strain on need 5%", **child},
            "need_b": {"label": "The other", **child},
        },
        designate={
            "p": {
                "any": [
                    {"index": "need_b", "worst": "12.5%"},
                    {"all": [{"index": "need", "worst": 3, "within": "district"},
                             {"not": {"index": "need_b", "score_above": 50}}]},
                ]
            }
        },
    )  # fmt: skip
    assert rule_in_words(small.run(draws=0), "p") == (
        "worst 12.5% on The other or (worst 3 on Strain on need 5% within each district and "
        "not (score above 50 on The other))"
    )


def test_the_authority_is_the_first_parent_of_one_s_own(small: Any) -> None:
    assert authority(small.run(draws=0)) == "district"
    small.write(areas__parents={})
    assert authority(small.run(draws=0)) is None
