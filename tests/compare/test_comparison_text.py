"""A comparison of two indices as an officer reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.compare import StudyComparison
from commonweal.compare.similarity import match_indices
from commonweal.compare.studies import compare_indices
from commonweal.document.format import align_columns
from commonweal.document.text import document_lines
from commonweal.report.study.comparison import comparison_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.study.results import Results

    RunWith = Callable[..., Results]

NO_STORE: Any = None


def two_levels(turned: bool) -> dict[str, Any]:
    halls, income = {"indicator": "halls"}, {"indicator": "income"}
    inner = {"one": income if turned else halls, "two": income}
    children = {"strand": {"label": "A strand", "children": inner}, "money": {**income}}
    return {"index": {"x": {"children": children}}, "designate": None, "certainty": None}


def told(first: Results, second: Results) -> list[str]:
    found = compare_indices(first, second, match_indices(first, second)[0], NO_STORE)
    return lines_of(StudyComparison(first, second, None, (found,)))


def lines_of(found: StudyComparison) -> list[str]:
    return list(document_lines(comparison_document(found)))


def test_every_number_stands_under_its_head(run_with: RunWith) -> None:
    lines = told(run_with(**two_levels(False)), run_with(**two_levels(True)))
    assert max(len(line) for line in lines if line.startswith("    ")) <= 100
    assert "x compared with x" in lines
    at = next(i for i, line in enumerate(lines) if "Correlation" in line)
    whole, strand, one, two, money = lines[at + 1 : at + 6]
    assert whole.split()[:2] == ["x", "x"]
    # Parts right below the index have numbers; what is below those is set in.
    assert strand.split()[:3] == ["1", "A", "strand"]
    assert money.split()[0] == "2"
    assert one.index("one") == two.index("Low income") > strand.index("A strand")
    assert {line.rindex(".") for line in (whole, strand, one, two, money)} == {len(whole) - 2}
    north = next(line for line in lines if line.startswith("    Northside"))
    # Areas, four shares, and the correlations of the whole and of parts 1 and 2.
    assert len(north.split()) == 2 + 4 + 3
    assert sum(line.startswith("    A") and line[5:7].isdigit() for line in lines) == 2 + 5


def test_a_place_without_a_name_is_told_by_its_code(run_with: RunWith) -> None:
    first, second = run_with(**two_levels(False)), run_with(**two_levels(True))
    found = compare_indices(first, second, match_indices(first, second)[0], NO_STORE)
    nameless = replace(found, places=found.places.with_columns(name=pl.lit(None, pl.String)))
    lines = lines_of(StudyComparison(first, second, None, (nameless,)))
    assert any("A10, Northside" in line for line in lines)


def test_people_are_told_where_they_are_known(small: Any, run_with: RunWith) -> None:
    """The worst tenth of the first is A20 and A10, of the second A20 and A19."""

    def live(**changes: Any) -> str:
        first, second = (
            run_with(
                index={"x": {"children": {"a": {"indicator": name}}}},
                designate=None,
                certainty=None,
                **changes,
            )
            for name in ("halls", "income")
        )
        return " ".join(line.strip() for line in told(first, second) if "people" in line)

    both, second = (
        "Residents of the worst 10% of both: 2,000 people.",
        "Of the second only: 1,900 people.",
    )
    assert live() == f"{both} Of the first only: 1,000 people. {second}"
    small.replace(small.areas, "A10,Place 10,1000,", "A10,Place 10,,")
    assert live() == f"{both} Of the first only: population not given. {second}"
    assert live(areas__population=None) == ""


def test_two_that_are_the_same_are_not_told_at_length(run_with: RunWith) -> None:
    same = run_with(**two_levels(False))
    lines = told(same, same)
    assert "Both rank the 20 places in the same order on x and all its domains." in lines
    assert len(lines) == 8


def test_words_are_cut_and_numbers_never() -> None:
    rows = [["A name that goes on and on " * 5, "1,234,567"], ["Short", "8"]]
    head, long, short = align_columns(["Name", ">Number"], rows)
    assert {len(head), len(long), len(short)} == {100}
    assert long.endswith("...  1,234,567")
    assert short.endswith("          8")
