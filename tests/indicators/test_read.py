"""Reading columns onto areas: what matches, what is left aside, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.areas import Areas
from commonweal.errors import CommonwealError, DataError
from commonweal.indicators import Indicator
from commonweal.indicators.read import IndicatorSource, read_flags, read_indicators
from commonweal.sources import Source, Store
from commonweal.sources.catalogue import local_source
from commonweal.spec.study import load_study
from commonweal.study.areas import study_areas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], tuple[Store, Source]]

TABLE = pl.DataFrame(
    {"code": ["A1", "A2", "A3"], "name": ["x", "y", "z"], "population": [1.0, 2, 3]}
)
AREAS = Areas("toy", "Toy", "area", "areas", TABLE)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def build(text: str) -> tuple[Store, Source]:
        path = tmp_path / "table.csv"
        path.write_text(text, "utf-8")
        return Store(tmp_path / "cache", offline=True), local_source(path)

    return build


def wanted(source: Source, column: str = "v", **more: str) -> IndicatorSource:
    return IndicatorSource(Indicator("pubs", "Pubs", "", "more", source.id), source, column, **more)


def test_rows_are_matched_by_code_and_the_others_counted(write: Write) -> None:
    store, source = write("area,v,se\nB9,7,1\n A3 ,3.5,0.5\nA1,1,\n")
    got, account = read_indicators(store, [wanted(source, standard_error="se", code="area")], AREAS)
    np.testing.assert_array_equal(got.values[:, 0], [1, np.nan, 3.5])
    assert got.standard_errors is not None
    np.testing.assert_array_equal(got.standard_errors[:, 0], [np.nan, np.nan, 0.5])
    assert got.codes == ["A1", "A2", "A3"]
    assert account == [
        {"indicator": "pubs", "source": source.id, "rows": 3, "areas matched": 2,
         "rows left aside": 1, "areas without a value": 1}
    ]  # fmt: skip


def test_the_column_of_codes_is_found(write: Write) -> None:
    store, source = write("place,lad,lsoa,v\nLeeds,E1,A1,1\nYork,E2,A2,2\n")
    got, _ = read_indicators(store, [wanted(source)], AREAS)
    np.testing.assert_array_equal(got.values[:, 0], [1, 2, np.nan])
    assert got.standard_errors is None


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("code,v\nA1,1\nA2,many\nA3,few\n", {}, r"pubs: column 'v' .* 'many' \(row 2\) and 'few' \(row 3\); .*2 of 3"),
        ("code,v\nA1,1\nA1,2\nA2,3\n", {}, r"pubs: area A1 is in table\.csv more than once; expected"),
        ("code,v\nB1,1\nB2,2\n", {}, "codes of the areas of toy, such as A1; its columns of text are: code"),
        ("code,v\nB1,1\nB2,2\n", {"code": "code"}, r"no code in column .* 3 areas of toy; found such as B1, B2"),
        ("code,w\nA1,1\n", {}, "column 'v'.*did you mean|column 'v'.*expected one of"),
        ("code,v\nA1,1\n", {"code": "cod"}, "did you mean 'code'.*\n'code' names the column of codes"),
        ("id,v\n1,1\n2,2\n", {}, r"columns of text are: none \(name one with 'code', or one of numbers: id, v\)"),
        ("code,v\nA1,inf\nA2,1\n", {}, "infinite|expected numbers"),
    ],
)  # fmt: skip
def test_refused(write: Write, text: str, more: dict[str, str], said: str) -> None:
    store, source = write(text)
    with pytest.raises(CommonwealError, match=said):
        read_indicators(store, [wanted(source, **more)], AREAS)


def test_a_negative_standard_error_is_refused(write: Write) -> None:
    store, source = write("code,v,se\nA1,1,-2\n")
    with pytest.raises(DataError, match="pubs: area A1 has a negative or infinite standard error"):
        read_indicators(store, [wanted(source, standard_error="se")], AREAS)


def test_codes_that_are_numbers(write: Write) -> None:
    table = TABLE.with_columns(code=pl.Series(["101", "102", "103"]))
    store, source = write("code,v\n103,3\n101,1\n")
    got, _ = read_indicators(
        store, [wanted(source, code="code")], Areas("toy", "Toy", "area", "areas", table)
    )
    np.testing.assert_array_equal(got.values[:, 0], [1, np.nan, 3])


class TestFlags:
    @pytest.mark.parametrize(
        "written",
        [["true", "False"], ["YES", "no"], ["1", "0"], ["1.0", "0.0"], [" Yes ", "NO"]],
    )
    def test_true_and_false(self, small: Any, written: list[str]) -> None:
        yes, no = written
        assert flags_of(small, f"A01,{yes}", f"A02,{no}", "A03,").tolist()[:2] == [1, 0]
        assert np.isnan(flags_of(small, f"A01,{yes}", "A03,")[2])

    @pytest.mark.parametrize(
        ("rows", "found"),
        [
            (["A01,1", "A02,3", "A03,10"], "'3', '10' in 2 of 3 rows"),
            (["A01,0.5", "A02,-1"], "'0.5', '-1' in 2 of 2 rows"),
            (["A01,1", "A02,0.9999999"], "'0.9999999' in 1 of 2 rows"),
            (["A01,yes", "A02,perhaps"], "'perhaps' in 1 of 2 rows"),
            (["A01,YES", "A02,N0"], "'N0' in 1 of 2 rows"),
        ],
    )
    def test_anything_else_is_refused(self, small: Any, rows: list[str], found: str) -> None:
        with pytest.raises(DataError) as told:
            flags_of(small, *rows)
        assert str(told.value) == (
            f"p: column 'f' of f.csv has {found}; expected a flag: true or false, yes or no, 1 or 0, or "
            "nothing where it is not known"
        )


def flags_of(small: Any, *rows: str) -> Any:
    (small.path / "f.csv").write_text("\n".join(["code,f", *rows]) + "\n", "utf-8")
    areas = study_areas(load_study(small.write()), small.store)
    source = local_source(small.path / "f.csv")
    return read_flags(small.store, source, "f", "code", areas, "p")
