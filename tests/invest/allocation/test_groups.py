"""Parents that a programme states, and lists of codes that users bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.invest.allocation.places import eight, rule_of

from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.allocation.eligibility import (
    largest_overlap,
    read_codes,
    read_exclusions,
    with_groups,
)
from commonweal.invest.allocation.programme import Grouping
from commonweal.sources import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_the_largest_overlap_decides_and_of_equals_the_first_code() -> None:
    rows = [("a", "x", 10.0), ("a", "y", 6.0), ("a", "y", 5.0), ("b", "y", 3.0), ("b", "x", 3.0)]
    pairs = pl.DataFrame(rows, schema=["code", "group", "people"], orient="row")
    assert largest_overlap(pairs).rows() == [("a", "y"), ("b", "x")]


class TestGroups:
    def grouping(self, file: Path, **lookup: str) -> dict[str, Grouping]:
        said = {"file": str(file), "code": "place", "group": "cluster", **lookup}
        return {"cluster": Grouping.model_validate({"title": "t", "lookup": said})}

    def test_a_table_of_ones_own_adds_a_parent(self, tmp_path: Path) -> None:
        file = tmp_path / "clusters.csv"
        file.write_text("place,cluster,people\nA,one,5\nA,two,9\nB,one,1\nQ,one,1\n", "utf-8")
        store, (areas, _) = Store(cache=tmp_path, offline=True), eight()
        found = with_groups(areas, self.grouping(file, people="people"), store)
        assert found.parents == (*areas.parents, "cluster")
        assert found.table["cluster"].to_list() == ["two", "one", *[None] * 6]
        assert found.table["cluster_name"].to_list()[:2] == ["two", "one"]

    def test_a_missing_column_and_a_table_of_other_places_are_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "clusters.csv"
        file.write_text("place,cluster\nQ,one\n", "utf-8")
        store, (areas, _) = Store(cache=tmp_path, offline=True), eight()
        with pytest.raises(UnknownNameError, match="column 'clusters' not found in clusters"):
            with_groups(areas, self.grouping(file, group="clusters"), store)
        with pytest.raises(DataError, match=r"clusters\.csv has none of the 8 places"):
            with_groups(areas, self.grouping(file), store)

    def test_a_name_that_is_taken_is_refused(self, tmp_path: Path) -> None:
        areas, _ = eight()
        taken = {"town": self.grouping(tmp_path / "x.csv")["cluster"]}
        with pytest.raises(DataError, match="'town': the areas have a column of that name"):
            with_groups(areas, taken, Store(cache=tmp_path, offline=True))


class TestExclusions:
    rule = rule_of(
        exclude={
            "first": {"what": "x", "parent": "town", "column": "town", "official": True},
            "second": {"what": "y", "codes": ["A"], "official": True},
        }
    )

    def test_a_file_fills_the_exclusion_that_has_no_codes(self, tmp_path: Path) -> None:
        file = tmp_path / "towns.csv"
        file.write_text("name,town\nNorth,N\nAgain,N\n,\nWest, W\n", "utf-8")
        assert read_exclusions(self.rule, [str(file)]) == {"first": ["N", "W"]}
        assert read_exclusions(self.rule, [f"first={file}"]) == {"first": ["N", "W"]}
        assert read_exclusions(self.rule, ["none"]) == {"first": None}

    def test_one_more_file_is_one_more_exclusion(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.csv"
        file.write_text("code\nB\n", "utf-8")
        assert read_exclusions(self.rule, ["none", str(file)]) == {"first": None, "mine": ["B"]}

    def test_an_unknown_exclusion_and_useless_files_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNameError, match="exclusion 'frist' not found in trial"):
            read_exclusions(self.rule, ["frist=none"])
        with pytest.raises(DataError, match=r"gone\.csv: cannot be read"):
            read_codes(tmp_path / "gone.csv", "code")
        file = tmp_path / "wide.csv"
        file.write_text("cod,name\nB,x\n", "utf-8")
        with pytest.raises(UnknownNameError, match="column 'code' not found in wide"):
            read_codes(file, "code")
        file.write_text("code\n", "utf-8")
        with pytest.raises(DataError, match="no code in column 'code'"):
            read_codes(file, "code")
        file.write_text("code\nB,x,y\n", "utf-8")
        with pytest.raises(DataError, match=r"wide\.csv: not a table") as told:
            read_codes(file, "code")
        assert len(str(told.value).splitlines()) == 1
        file.write_bytes(b"code\n\xff\xfe\n")
        with pytest.raises(DataError, match=r"wide\.csv: not a table"):
            read_codes(file, "code")
