"""What an answer says of ties at a cut-off, of cut-offs that take all or none, and of empty places."""

from __future__ import annotations

from typing import Any

from tests.terminal import run_data, run_lines

from commonweal.document.html import document_html
from commonweal.report.study.document import study_document
from commonweal.report.study.method import cautions


def of(small: Any, **rule: Any) -> list[str]:
    small.write(designate={"p": {"index": "deprivation", **rule}})
    return cautions(small.run(draws=0), "p")


def level(small: Any, *codes: str) -> None:
    """Give some places the income of A17, so that they tie."""
    for code in codes:
        small.replace(small.indicators, f"{code},{int(code[1:])},", f"{code},17,")


def test_ties_at_the_cut_off(small: Any) -> None:
    level(small, "A16", "A15", "A14")
    told = of(small, worst="20%")
    assert told == [
        "The worst 20% of 20 places on deprivation would be 4, but 7 are included, because 4 tie at the cut-off."
    ]
    results = small.run(draws=0)
    assert f"  Please note: {told[0]}" in run_lines(results)
    assert run_data(results)["designations"]["p"]["cautions"] == told
    assert told[0] in document_html(study_document(results))


def test_all_tie(small: Any) -> None:
    for k in range(1, 21):
        small.replace(small.indicators, f"A{k:02},{k},", f"A{k:02},7,")
    assert of(small, worst=1) == [
        "The worst 1 of 20 places on deprivation would be 1, but all are included, because 20 tie at the cut-off."
    ]


def test_as_many_as_there_are(small: Any) -> None:
    assert of(small, worst=20) == [
        "The worst 20 on deprivation are all 20 places that have a score."
    ]


def test_the_only_one(small: Any) -> None:
    only = {"areas__only": {"code": "A01"}}
    small.write(designate={"p": {"index": "deprivation", "worst": 1}}, **only)
    results = small.run(draws=0)
    assert cautions(results, "p") == [
        "The worst 1 on deprivation is the only place that has a score."
    ]
    assert run_lines(results)[2].startswith("1 of 1 place is on the list of ")
    small.write(designate={"p": {"index": "deprivation", "score_above": 1000}}, **only)
    assert run_lines(small.run(draws=0))[2].startswith("0 of 1 place is on the list of ")


def test_less_than_one(small: Any) -> None:
    assert of(small, worst="4%") == [
        "The worst 4% on deprivation, of 20 places, is less than one area, so none can be on the list."
    ]


def test_within_each(small: Any) -> None:
    """Ten places in each of two districts; A16, A17 and A18 of the south tie."""
    level(small, "A16", "A18")
    assert of(small, worst="20%", within="district") == []
    assert of(small, worst="30%", within="district") == [
        "The worst 30% on deprivation within each district: because of ties at the cut-off, 2 more are included, in "
        "1 of 2 districts."
    ]
    assert of(small, worst="5%", within="district") == [
        "The worst 5% on deprivation within each district is less than one area in 2 of 2 districts, so none there is "
        "on the list."
    ]
    assert of(small, worst=10, within="district") == [
        "The worst 10 on deprivation within each district are all of its areas in 2 of 2 districts."
    ]


def test_nothing_to_say(small: Any) -> None:
    assert of(small, worst="20%") == []
    assert of(small, score_above=50) == []


def test_places_where_nobody_lives(small: Any) -> None:
    small.replace(small.areas, "A20,Place 20,2000,", "A20,Place 20,0,")
    assert of(small, worst="20%") == ["1 of the 4 places has no residents."]
