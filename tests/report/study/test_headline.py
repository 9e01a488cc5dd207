"""The short answer of a small study, line by line, and its grammar."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from commonweal.document.format import NOT_A_CHANCE
from commonweal.report.study.headline import as_data, headline
from commonweal.report.study.sensitivity import NOT_RECALCULATED


def test_every_line_by_hand(small: Any) -> None:
    """What certainty says is worked out in tests/test_study.py."""
    results = small.run()
    sure = results.certainty["priority"].selected
    codes = results.areas.codes
    p = dict(zip(codes, sure, strict=True))
    firm = sum(p[c] >= 0.95 for c in ("A17", "A18", "A20"))
    open_ones = int(((sure >= 0.2) & (sure <= 0.8)).sum())
    assert (firm, open_ones) == (1, 1)
    assert headline(results) == [
        "Twenty places",
        "",
        "3 of 20 places are on the list of “priority” places. The rule: worst 20% on deprivation and worst 20% on "
        "Community needs.",
        "5,500 people live there, in 1 district.",
        "0 more would join the list if every cut-off were a tenth more generous. 1 of the 3 places would leave it "
        "if every cut-off were a tenth stricter.",
        "We recalculated the list 200 times with different cut-offs. 1 of the 3 stays on the list in at least 95% of "
        "recalculations (secure). 1 place, on or off the list, is on it in 20% to 80% (borderline): there the "
        "assumptions decide.",
        NOT_A_CHANCE,
    ]


def test_no_draws(small: Any) -> None:
    assert headline(small.run(draws=0))[-1] == NOT_RECALCULATED


def test_what_varies_is_named(small: Any) -> None:
    small.write(
        indicators__income__standard_error="income_se",
        certainty={
            "draws": 1,
            "vary": [
                {"weights": "deprivation", "dirichlet": 10},
                {"form": "community_needs", "of": ["sum", "geometric"]},
                {"standard_errors": "all"},
            ],
        },
    )
    told = "\n".join(headline(small.run()))
    assert (
        "We recalculated the list 1 time with different weights, ways of adding up and sampling errors. "
        in told
    )
    # By the index's own label, where the draws varied it.
    assert "  deprivation alone: " in told
    assert "  Community needs alone: " in told


def test_a_rule_of_one_condition_is_told_once(small: Any) -> None:
    """What holds on its one condition alone is the answer itself."""
    small.write(
        designate={"p": {"index": "deprivation", "worst": "20%"}},
        indicators__income__standard_error="income_se",
        certainty={"draws": 20, "seed": 1, "vary": [{"standard_errors": "all"}]},
    )
    told = "\n".join(headline(small.run()))
    assert "We recalculated the list 20 times with different sampling errors. " in told
    assert "alone:" not in told


def test_a_published_list_of_many_is_cut_short(small: Any) -> None:
    """Ten of a kind are named, and it says how many follow and where all are."""
    flag = {"designation": "priority", "file": "f.csv", "column": "f", "compare": "flag"}
    small.write(agreement=[flag], certainty=None)
    rows = [f"A{k:02},{'Yes' if k < 15 else 'no'}" for k in range(1, 21)]
    (small.path / "f.csv").write_text("\n".join(["code,f", *rows]) + "\n", "utf-8")
    told = headline(small.run())
    assert (
        "  priority: 0 of the 14 on the published list (f.csv) are also on ours. Only on theirs: 14. "
        "Only on ours: 3."
    ) in told
    assert sum(line.startswith("    only theirs") for line in told) == 10
    assert "    and 4 more (all are in report.html and results.xlsx)" in told
    assert sum(line.startswith("    only ours") for line in told) == 3


def test_one_of_each(small: Any) -> None:
    small.write(
        designate={"p": {"index": "deprivation", "worst": 1}}, areas__population="code_of_people"
    )
    lines = small.areas.read_text("utf-8").splitlines()
    small.areas.write_text(
        "\n".join([lines[0] + ",code_of_people", *(line + ",1" for line in lines[1:])]), "utf-8"
    )
    told = headline(small.run(draws=0))
    assert told[2].startswith(
        "1 of 20 places is on the list of “priority” places. The rule: worst 1 on deprivation."
    )
    assert told[3] == "1 person lives there, in 1 district."


def test_none_at_all(small: Any) -> None:
    small.write(designate={"p": {"index": "deprivation", "score_above": 101}})
    told = "\n".join(headline(small.run()))
    assert "0 of 20 places are on the list of “priority” places." in told
    assert "of the 0" not in told
    assert "live there" not in told
    assert as_data(small.run())["designations"]["p"]["population"] == 0


@pytest.mark.parametrize(
    ("worst", "n", "margin"),
    [
        (20, 20, "only ours    A02 Place 2, Northside: deprivation: 2 ranks inside the cut-off"),
        ("4%", 0, "only theirs  A01 Place 1, Northside: deprivation: 20 ranks outside the cut-off"),
    ],
)
def test_every_one_or_none(small: Any, worst: int | str, n: int, margin: str) -> None:
    """With nobody on the other side of the line there is no margin in score."""
    small.write(
        designate={"p": {"index": "deprivation", "worst": worst}},
        agreement=[{"designation": "p", "file": "f.csv", "column": "f", "compare": "flag"}],
        certainty=None,
    )
    (small.path / "f.csv").write_text("code,f\nA01,1\nA02,0\n", "utf-8")
    results = small.run()
    told = headline(results)
    assert f"{n} of 20 places are on the list of “priority” places." in "\n".join(told)
    assert f"    {margin}" in told
    json.dumps(as_data(results), allow_nan=False)


def test_missing_is_told_and_no_nan_is_printed(small: Any) -> None:
    small.replace(small.areas, "Place 18,1800", "Place 18,")
    small.replace(small.indicators, "A03,3,18", "A03,,18")
    small.replace(small.indicators, "A04,4,17", "A04,,17")
    small.replace(small.indicators, "A05,5,16", "A05,,16")
    small.replace(small.indicators, "A06,6,15", "A06,,15")
    small.write(
        agreement=[
            {
                "designation": "priority",
                "file": "f.csv",
                "column": "f",
                "compare": "flag",
            }
        ]
    )
    (small.path / "f.csv").write_text("code,f\nA03,yes\nA18,no\n", "utf-8")
    results = small.run(draws=20)
    text = "\n".join(headline(results))
    assert "\nPopulation not given, in 1 district.\n" in text
    assert (
        "4 places have no score on an index that the rule uses (A03, A04, A05...): deprivation 4."
        in text
    )
    assert re.search(
        r"only theirs  A03 Place 3, Northside: deprivation: unknown; Community needs: \d+ ranks? outside",
        text,
    )
    assert not re.search(r"\bnan\b|\bNone\b", text, re.IGNORECASE)
    data = as_data(results)["designations"]["priority"]
    assert data["population"] is None
    assert data["without_score"] == ["A03", "A04", "A05", "A06"]


def test_an_area_in_no_larger_one_is_told_as_that(small: Any) -> None:
    """It has a score. Without a district it cannot be among the worst within one."""
    small.replace(small.areas, "A04,Place 4,400,N,Northside", "A04,Place 4,400,,")
    small.replace(small.indicators, "A03,3,18", "A03,,18")
    worst = {"index": "deprivation", "worst": "20%"}
    small.write(designate={"p": {"any": [worst, {**worst, "within": "district"}]}})
    results = small.run(draws=20)
    text = "\n".join(headline(results))
    assert "1 place has no score on an index that the rule uses (A03): deprivation 1.\n" in text
    assert "1 place is in no district (A04), so the rule cannot rank it within one.\n" in text
    data = as_data(results)["designations"]["p"]
    assert data["without_score"] == ["A03"]
    assert data["without_parent"] == ["A04"]


def test_areas_that_tie_across_the_cut_off_are_level_with_it(small: Any) -> None:
    small.replace(small.indicators, "A16,16,", "A16,17,")
    small.write(
        designate={"p": {"index": "deprivation", "worst": 4}},
        certainty=None,
        agreement=[{"designation": "p", "file": "f.csv", "column": "f", "compare": "flag"}],
    )
    (small.path / "f.csv").write_text("code,f\nA01,0\nA16,0\n", "utf-8")
    told = headline(small.run())
    assert told[2].startswith("5 of 20 places are on the list of “priority” places.")
    tied = "deprivation: 1 rank inside the cut-off, tied with 1 other (level with the cut-off)"
    assert told[-6:-3] == [
        "  p: 0 of the 0 on the published list (f.csv) are also on ours. Only on theirs: 0. Only on ours: 1. "
        "Ours, not in their table: 4.",
        f"    only ours    A16 Place 16, Southside: {tied}",
        f"    not in it    A17 Place 17, Southside: {tied}",
    ]
    assert [line.split()[:4] for line in told[-3:]] == [
        ["not", "in", "it", f"A{i}"] for i in (18, 19, 20)
    ]
    flag = as_data(small.run())["agreement"][0]
    assert (flag["compared"], flag["exact"], flag["holds"]) == (2, 1, False)
    assert [area["code"] for area in flag["unlisted"]] == ["A17", "A18", "A19", "A20"]


def test_the_kind_of_parent_is_put_in_the_plural(small: Any) -> None:
    small.write(
        areas__parents={"rural_county": "district"},
        designate={"p": {"index": "community_needs", "worst": 2}},
        certainty=None,
    )
    assert "in 2 rural counties." in headline(small.run())[3]


def test_a_note_stands_at_the_top(small: Any) -> None:
    small.write(briefing={"label": "a priority", "note": "This is a trial."})
    results = small.run(draws=0)
    assert headline(results)[:3] == ["Twenty places", "This is a trial.", ""]
    assert as_data(results)["note"] == "This is a trial."
