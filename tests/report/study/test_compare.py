"""A comparison, told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commonweal.designation import Comparison, compare_designations
from commonweal.document.data import document_json
from commonweal.document.text import document_lines
from commonweal.report.study.comparison import (
    change_answer,
    change_tables,
    list_comparison_document,
)
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
    assert list(change_answer(pair, "Before", "After")) == [
        "From Before (3 places) to After (14 places): 3 stay on the list, 0 leave it, 11 enter it."
    ]
    told = [
        line.strip() for line in document_lines(list_comparison_document(pair, "Before", "After"))
    ]
    assert not any(line.startswith("Leaves (") for line in told)  # nobody does
    at = next(k for k, line in enumerate(told) if line.startswith("A07"))
    assert told.index("Enters (11)") < at
    assert told[at].split() == ["A07", "Place", "7", "Northside"]
    assert told[at + 10] == "and 1 more (--out FOLDER writes them, --json prints them)"
    enters, stays = change_tables(pair)
    assert stays.shown.frame.select("Code", "Name", "Authority").rows() == [
        ("A10", "Place 10", "Northside"),
        ("A18", "Place 18", "Southside"),
        ("A20", "Place 20", "Southside"),
    ]
    assert len(enters.shown) == 11


def test_counts_alone_and_everyone(pair: Comparison) -> None:
    document = list_comparison_document(pair, "Before", "After")
    everyone = "\n".join(document_lines(document, rows=10**9))
    assert everyone.count("\n    A") == 14
    assert "more" not in everyone


def test_as_data(pair: Comparison) -> None:
    data = json.loads(document_json(list_comparison_document(pair, "b", "a")))
    counts = {name: figure["value"] for name, figure in data["figures"].items()}
    assert counts == {"stays": 3, "enters": 11, "leaves": 0}
    assert "leaves" not in data["tables"]
    first = data["tables"]["stays"][0]
    assert (first["code"], first["name"]) == ("A10", "Place 10")
    assert (data["before"], data["after"]) == ("b", "a")


def test_turned_round(pair: Comparison, small: Any) -> None:
    back = compare_designations(pair.after, pair.before, small.store)
    assert (back.enter == pair.leave).all()
    assert (back.leave == pair.enter).all()
    assert (back.stay == pair.stay).all()
