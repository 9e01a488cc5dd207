"""The short answer of a small study, line by line, and its grammar."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.terminal import run_data, run_lines

from commonweal.document.format import NOT_A_CHANCE
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
    told = run_lines(results)
    assert told[:5] == [
        "Twenty places",
        "",
        "3 of 20 places are on the list of “priority” places.",
        "5,500 people live there, in 1 district. The rule: worst 20% on deprivation and worst 20% on Community needs.",
        "We recalculated the list 200 times with different cut-offs. 1 of the 3 stays on the list in at least 95% of "
        "recalculations (secure). 1 place, on or off the list, is on it in 20% to 80% (borderline): there the "
        f"assumptions decide. {NOT_A_CHANCE}",
    ]
    assert (
        "  Just outside the cut-off: 0 (would join the list if each cut-off were a tenth more generous)"
        in told
    )
    assert (
        "  Just inside the cut-off: 1 (would leave the list if each cut-off were a tenth stricter)"
        in told
    )


def test_no_draws(small: Any) -> None:
    assert NOT_RECALCULATED in run_lines(small.run(draws=0))


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
    told = "\n".join(run_lines(small.run()))
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
    told = "\n".join(run_lines(small.run()))
    assert "We recalculated the list 20 times with different sampling errors. " in told
    assert "alone:" not in told


def test_a_table_of_many_differences_is_only_named(small: Any) -> None:
    """The report and --json have every row."""
    flag = {"designation": "priority", "file": "f.csv", "column": "f", "compare": "flag"}
    small.write(agreement=[flag], certainty=None)
    rows = [f"A{k:02},{'Yes' if k < 15 else 'no'}" for k in range(1, 21)]
    (small.path / "f.csv").write_text("\n".join(["code,f", *rows]) + "\n", "utf-8")
    results = small.run()
    told = run_lines(results)
    (check,) = run_data(results)["tables"]["checks"]
    assert check["largest_difference"] == "14 only published, 3 only ours"
    more = told[told.index("More (the report has them)") :]
    assert "  Every difference: places on only one of the two lists" in more
    assert len(run_data(results)["tables"]["differences"]) == 17


def test_one_of_each(small: Any) -> None:
    small.write(
        designate={"p": {"index": "deprivation", "worst": 1}}, areas__population="code_of_people"
    )
    lines = small.areas.read_text("utf-8").splitlines()
    small.areas.write_text(
        "\n".join([lines[0] + ",code_of_people", *(line + ",1" for line in lines[1:])]), "utf-8"
    )
    told = run_lines(small.run(draws=0))
    assert told[2:4] == [
        "1 of 20 places is on the list of “priority” places.",
        "1 person lives there, in 1 district. The rule: worst 1 on deprivation.",
    ]


def test_none_at_all(small: Any) -> None:
    small.write(designate={"p": {"index": "deprivation", "score_above": 101}})
    told = "\n".join(run_lines(small.run()))
    assert "0 of 20 places are on the list of “priority” places." in told
    assert "of the 0" not in told
    assert "live there" not in told
    assert run_data(small.run())["designations"]["p"]["population"] == 0


@pytest.mark.parametrize(
    ("worst", "n", "difference"),
    [
        (20, 20, ("Ours, not published", "A02", 2)),
        ("4%", 0, ("Published, not in ours", "A01", -20)),
    ],
)
def test_every_one_or_none(
    small: Any, worst: int | str, n: int, difference: tuple[str, str, int]
) -> None:
    """With nobody on the other side of the line there is no margin in score."""
    small.write(
        designate={"p": {"index": "deprivation", "worst": worst}},
        agreement=[{"designation": "p", "file": "f.csv", "column": "f", "compare": "flag"}],
        certainty=None,
    )
    (small.path / "f.csv").write_text("code,f\nA01,1\nA02,0\n", "utf-8")
    results = small.run()
    text = "\n".join(run_lines(results))
    assert f"{n} of 20 places are on the list of “priority” places." in text
    assert "inf" not in text.replace("inform", "")
    data = run_data(results)
    json.dumps(data, allow_nan=False)
    first = data["tables"]["differences"][0]
    inside = first["deprivation_ranks_inside_the_cut_off"]
    assert (first["difference"], first["code"], inside) == difference


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
    text = "\n".join(run_lines(results))
    assert "\nPopulation not given, in 1 district. The rule: " in text
    assert (
        "4 places have no score on an index that the rule uses (A03, A04, A05...): deprivation 4."
        in text
    )
    missed = run_data(results)["tables"]["differences"][0]
    assert (missed["difference"], missed["code"]) == ("Published, not in ours", "A03")
    assert missed["deprivation_rank"] is None
    assert not re.search(r"\b[Nn]a[Nn]\b|\bNone\b", text)
    data = run_data(results)["designations"]["priority"]
    assert data["population"] is None
    assert data["without_score"] == ["A03", "A04", "A05", "A06"]


def test_an_area_in_no_larger_one_is_told_as_that(small: Any) -> None:
    """It has a score. Without a district it cannot be among the worst within one."""
    small.replace(small.areas, "A04,Place 4,400,N,Northside", "A04,Place 4,400,,")
    small.replace(small.indicators, "A03,3,18", "A03,,18")
    worst = {"index": "deprivation", "worst": "20%"}
    small.write(designate={"p": {"any": [worst, {**worst, "within": "district"}]}})
    results = small.run(draws=20)
    text = "\n".join(run_lines(results))
    assert (
        "note: 1 place has no score on an index that the rule uses (A03): deprivation 1.\n" in text
    )
    assert "note: 1 place is in no district (A04), so the rule cannot rank it within one.\n" in text
    data = run_data(results)["designations"]["p"]
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
    told = run_lines(small.run())
    assert told[2] == "5 of 20 places are on the list of “priority” places."
    (check,) = run_data(small.run())["tables"]["checks"]
    assert check["largest_difference"] == "0 only published, 1 only ours, 4 not in the table"
    data = run_data(small.run())
    assert [
        (area["code"], area["deprivation_rank"], area["ranks_inside_the_cut_off"])
        for area in data["tables"]["differences"]
    ] == [("A16", 4, 1), ("A17", 4, 1), ("A18", 3, 2), ("A19", 2, 3), ("A20", 1, 4)]
    flag = data["agreement"][0]
    assert (flag["compared"], flag["exact"], flag["holds"]) == (2, 1, False)
    assert [area["code"] for area in flag["unlisted"]] == ["A17", "A18", "A19", "A20"]


def test_a_check_is_of_all_areas_whatever_the_focus(small: Any) -> None:
    small.write(
        focus={"district": "N"},
        certainty=None,
        agreement=[{"designation": "priority", "file": "f.csv", "column": "f", "compare": "flag"}],
    )
    (small.path / "f.csv").write_text("code,f\nA16,1\nA17,1\nA18,1\n", "utf-8")
    said = [line for line in run_lines(small.run()) if "published list" in line]
    assert said == [
        "  - Of all 20 places, 2 of the 3 on the published list are also on ours. 1 of ours is not in the published "
        "table."
    ]


def test_the_kind_of_parent_is_put_in_the_plural(small: Any) -> None:
    small.write(
        areas__parents={"rural_county": "district"},
        designate={"p": {"index": "community_needs", "worst": 2}},
        certainty=None,
    )
    assert "in 2 rural counties." in "\n".join(run_lines(small.run()))


def test_a_note_stands_at_the_top(small: Any) -> None:
    small.write(briefing={"label": "a priority", "note": "This is a trial."})
    results = small.run(draws=0)
    assert run_lines(results)[:3] == ["Twenty places", "Please note: This is a trial.", ""]
    assert run_data(results)["note"] == "This is a trial."
