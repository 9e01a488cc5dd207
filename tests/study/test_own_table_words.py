"""A table of one's own without names or terms: codes once, people as numbers, what is not stated said once."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pytest

from commonweal.errors import CommonwealError
from commonweal.report.place.overview import by_authority, listed, people_table
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small


@pytest.fixture
def nameless(small: Small) -> Small:
    """Twenty places known by a number alone."""
    for file in (small.areas, small.indicators):
        file.write_text(re.sub(r"(?m)^A0?", "", file.read_text("utf-8")), "utf-8")
    small.write(areas__name=None)
    return small


def test_a_code_that_is_the_name_is_given_once(
    nameless: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    code, said, _ = tell("show", "11", "--study", nameless.study, "--draws", "0")
    assert (code, said.splitlines()[:2]) == (0, ["11", "Southside. Place; 1,100 people."])
    nameless.write(areas__name=None, designate=None, certainty=None)
    _, said, _ = tell("run", nameless.study, "--out", nameless.path / "out")
    assert "Greatest need on Community needs: 20; 10; " in said
    wide = nameless.write(areas__name=None).rename(nameless.path / "a.yaml")
    nameless.write(areas__name=None, designate__priority__all__0__worst="60%")
    _, said, _ = tell("compare", wide, nameless.study)
    assert re.search(r"^ +10 +Northside$", said, re.MULTILINE)


def test_a_pack_says_what_is_not_stated_once_and_counts_people_in_numbers(
    nameless: Small, tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    assert tell("brief", nameless.study, "--draws", "0", "--out", tmp_path / "pack")[0] == 0
    page = re.sub(r"<[^>]+>", "", (tmp_path / "pack" / "overview.html").read_text("utf-8"))
    assert "indicators.csv. Your own file. Date and licence not stated." in unescape(page)
    assert "Not stated. " not in page
    book = openpyxl.load_workbook(tmp_path / "pack" / "workbook.xlsx", read_only=True)
    for sheet, head, expected in (
        ("On_the_list", "People", [2000, 1800, 1700]),
        ("People", "People", [5500]),
        ("Authorities", "People on the list", [5500]),
    ):
        rows: list[tuple[Any, ...]] = list(book[sheet].iter_rows(values_only=True))
        cells = [row[rows[0].index(head)] for row in rows[1:]]
        assert cells[: len(expected)] == expected


@pytest.mark.parametrize(
    ("kind", "number"), [("people", "People (2)"), ("people_on_the_list", None)]
)
def test_a_name_of_figures_under_the_head_of_counts_stays_text(
    small: Small, kind: str, number: str | None
) -> None:
    small.areas.write_text(small.areas.read_text("utf-8").replace("Southside", "007"), "utf-8")
    small.write(areas__parents={kind: ["district", "district_name"]})
    results = small.run(draws=0)
    everyone = np.arange(20)
    if number is not None:
        assert listed(results, "priority", everyone).counts == {number}
    table = by_authority(results, results.designations["priority"], everyone)
    assert table is not None
    head = table.frame.columns[0]
    assert "007" in table.frame[head].to_list()
    assert head not in table.counts
    assert table.frame.select(table.counts).row(0) == ("5,500",)


def test_few_people_are_not_counted_out(nameless: Small) -> None:
    nameless.replace(nameless.areas, "20,Place 20,2000,", "20,Place 20,40,")
    results = nameless.run(
        nameless.write(areas__name=None, designate__priority__all__0__worst=1), draws=0
    )
    shown = people_table(
        results, results.designations["priority"], np.array([results.areas.position["20"]])
    )
    assert shown.cells()[0] == ("On the list", "1", "fewer than 100")


@pytest.mark.parametrize(
    ("column", "found", "quoted"),
    [
        (
            "yes",
            "found true",
            "YAML reads yes, on and true without quotes as true: write 'yes', in quotes",
        ),
        ("Off", "found false", "YAML reads no, off and false without quotes as false: write 'no'"),
        ("2019", "found 2019", "put it in quotes, as you wrote it"),
        ("0123", "found 83", "put it in quotes, as you wrote it"),  # not: in quotes: '83'
    ],
)
def test_a_name_that_yaml_reads_otherwise_is_to_be_quoted(
    small: Small, column: str, found: str, quoted: str
) -> None:
    small.replace(small.study, "column: income", f"column: {column}")
    with pytest.raises(CommonwealError) as told:
        load_study(small.study)
    assert "indicators.income.column" in str(told.value)
    assert quoted in str(told.value)
    assert found in str(told.value)
    assert len(str(told.value).splitlines()) == 1
