"""Readers: every format gives the same kind of table, and bad input is named."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import shapely
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import DataError, SourceError, UnknownNameError
from commonweal.sources import Store
from commonweal.sources.catalogue import Reader, local_source
from commonweal.sources.readers import read_table
from commonweal.sources.sandbox import explain_damage


def read(path: Path, wanted: list[str] | None = None, /, **reader: Any) -> pl.DataFrame:
    source = local_source(path)
    if reader:
        reader = source.reader.model_dump() | reader
        source = local_source(path, reader=Reader.model_validate(reader))
    return read_table(path, source, wanted)[0]


def write(folder: Path, content: str | bytes, name: str = "halls.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# Text -------------------------------------------------------------------------------------


def test_numbers_codes_and_truths_get_their_types(tmp_path: Path) -> None:
    text = (
        "code,n,rate,lead,open,word,gap\n"
        "E01,12,1.5,007,TRUE,a,\n"
        "E02,-3,2,010,FALSE,NA,\n"
        "E03,,1e-3,100,true,,\n"
    )
    table = read(write(tmp_path, text))
    assert table.schema == {
        "code": pl.String, "n": pl.Int64, "rate": pl.Float64, "lead": pl.String,
        "open": pl.Boolean, "word": pl.String, "gap": pl.String,
    }  # fmt: skip
    assert table["n"].to_list() == [12, -3, None]
    assert table["rate"].to_list() == [1.5, 2.0, 0.001]
    assert table["lead"].to_list() == ["007", "010", "100"]
    assert table["open"].to_list() == [True, False, True]
    assert table["word"].to_list() == ["a", "NA", None]
    assert table["gap"].to_list() == [None, None, None]


def test_missing_in_a_column_of_numbers_is_null_and_infinity_stays(tmp_path: Path) -> None:
    table = read(write(tmp_path, "x,y\n1,inf\nNA,2\nNaN,-inf\n"))
    assert table["x"].to_list() == [1, None, None]
    assert table["y"].to_list() == [float("inf"), 2.0, float("-inf")]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"\xef\xbb\xbfcode,n\na,1\n")).columns == ["code", "n"]


def test_windows_line_ends_and_quoted_lines_are_read(tmp_path: Path) -> None:
    table = read(write(tmp_path, 'name,n\r\n"Hall,\r\nOld",1\r\n"B ""x""",2\r\n'))
    assert table.rows() == [("Hall,\r\nOld", 1), ('B "x"', 2)]


def test_only_the_wanted_columns_come_in_the_wanted_order(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\n1,2,3\n")
    assert read(path, ["c", "a", "c"]).columns == ["c", "a"]


def test_a_missing_column_names_the_nearest_and_the_source(tmp_path: Path) -> None:
    path = write(tmp_path, "Crime_rank,Health_rank\n1,2\n")
    with pytest.raises(UnknownNameError) as caught:
        read(path, ["Crme_rank"])
    assert "column 'Crme_rank'" in str(caught.value)
    assert "not found in halls.csv; did you mean 'Crime_rank'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "options", "rows"),
    [
        ("a;b\n1;2,5\n", {"separator": ";"}, [(1, "2,5")]),
        ("About\nthis,file\na,b\n1,2\n", {"skip_rows": 2}, [(1, 2)]),
        ("1,2\n3,4\n", {"columns": ("a", "b")}, [(1, 2), (3, 4)]),
        (
            'a,b\n"1,234",-\n5,6\n',
            {"thousands": True, "null_values": ("-",)},
            [(1234, None), (5, 6)],
        ),
        ("a;b\n1,5;-,25\n2;x,5\n", {"separator": ";", "decimal": ","}, [(1.5, "-,25"), (2, "x,5")]),
        (
            "a;b\n1.234;5\n2.000;6,0\n",
            {"separator": ";", "decimal": ","},
            [("1.234", 5), ("2.000", 6)],
        ),
        (
            "a;b\n1.234,5;1.000.000\n2,0;3\n",
            {"separator": ";", "decimal": ",", "thousands": True},
            [(1234.5, 1_000_000), (2, 3)],
        ),
        (
            'a,b\n"1,20",1\n"1,204","1,2045"\n"12,34,567",3\n',
            {"thousands": True},
            [("1,20", "1"), ("1,204", "1,2045"), ("12,34,567", "3")],
        ),
        (
            "a;b\n1.20;1\n1.204,5;2\n",
            {"separator": ";", "decimal": ",", "thousands": True},
            [("1.20", 1), ("1.204,5", 2)],
        ),
        ("a,b\n1,2\n\nnote\n", {"rows": 1}, [(1, 2)]),
        ("a,b\n\n\n1,2\n", {}, [(1, 2)]),
        ("a,b\n1,2\n\n3,\n\n", {}, [(1, 2), (3, None)]),
        ("a,b\n1,2\n", {"types": {"a": "string", "b": "float"}}, [("1", 2.0)]),
    ],
)
def test_reader_options(
    tmp_path: Path, text: str, options: dict[str, Any], rows: list[Any]
) -> None:
    table = read(write(tmp_path, text), **options)
    assert table.columns == ["a", "b"]
    assert table.rows() == rows


def test_a_value_that_a_declared_column_cannot_have_is_quoted_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, "a;b\n1,5;true\n57.1;yes\n")
    for column, kind, found in (
        ("a", "float", "'57.1' (row 2)"),
        ("b", "boolean", "'yes' (row 2)"),
    ):
        with pytest.raises(DataError, match=re.escape(f"declared {kind}, found {found}")):
            read(path, separator=";", decimal=",", types={column: kind})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_may_end_as_on_an_old_mac(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, 'code,n\ra,1\r"b\rc",2\r'.encode(encoding))
    assert read(path, encoding=encoding).rows() == [("a", 1), ("b\nc", 2)]


def test_a_type_of_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "code,n\n01,1\n")
    with pytest.raises(UnknownNameError, match=r"column 'cod' not found in halls\.csv .*'code'"):
        read(path, ["n"], types={"cod": "string"})


def test_a_workbook_with_another_name_or_fewer_rows_than_are_skipped(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "halls.xlsx") as book:
        book.add_worksheet("Data").write_row(0, 0, ["code", "n"])
    for skip in (1, 99):
        with pytest.raises(DataError, match=r"Data' (has no row below the 99|is empty)"):
            read(tmp_path / "halls.xlsx", skip_rows=skip)
    (tmp_path / "halls.xlsx").rename(tmp_path / "halls.csv")
    with pytest.raises(DataError, match=r"an Excel workbook; expected a name that ends in \.xlsx"):
        read(tmp_path / "halls.csv")


def test_blank_lines_are_left_out_whatever_columns_are_wanted(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n\n,4\n5,6\n")
    assert read(path, ["a"])["a"].to_list() == [1, None, 5]


def test_unnamed_columns_are_named_by_position(tmp_path: Path) -> None:
    assert read(write(tmp_path, ",code,\n0,a,x\n")).columns == ["column_1", "code", "column_3"]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", {}, "is empty (0 bytes)"),
        (b"\n", {}, "expected the names of the columns in line 1"),
        (b"a,b\n", {}, "a header and no rows"),
        (b"a,b\n\n\n", {}, "a header and no rows"),
        (b"a,b,a\n1,2,3\n", {}, "'a' occurs 2 times"),
        (b"a,b\n1,2\n3\n", {}, "line 3 has 1 fields, expected 2"),
        (b"a,b\n1\n3,4\n", {}, "line 2 has 1 fields, expected 2"),
        (b"a,b\n1,2\n3,4,5\n", {}, "line 3 has 3 fields, expected 2"),
        (b"a,b\n1,2,3\n4,5,6\n", {}, "line 2 has 3 fields, expected 2"),
        (b"a,b\n1,2\n3,4\n", {"rows": 3}, "expected 3 rows, found 2"),
        (b"name,n\nCaf\xe9,1\n", {}, "not UTF-8 text"),
        (b"Caf\xe9,n\na,1\n", {}, "not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16"), {}, "UTF-16"),
        (b"a,b\n1,2\n", {"encoding": "utf-8-nonsense"}, "no encoding 'utf-8-nonsense'"),
        (b"a,b\n\x81,2\n", {"encoding": "cp1252"}, "not text in cp1252"),
        (b"a;b\n1;2\n", {}, "say 'separator: \";\"'"),
        (b"a\0,b\n1,2\n", {}, "null characters"),
        (b"a,b\n1,2\n", {"columns": ("x",)}, "1 column names are given, found 2 fields"),
        (b"a,b\n1,x\n", {"types": {"b": "float"}}, "declared float, found 'x'"),
        (b"a,b\n1,2.5\n", {"types": {"b": "integer"}}, "declared integer, found '2.5'"),
        (b"a,b\n1,yes\n", {"types": {"b": "boolean"}}, "declared boolean, found 'yes'"),
    ],
)  # fmt: skip
def test_a_bad_text_table_is_named(
    tmp_path: Path, content: bytes, options: dict[str, Any], words: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read(path, **options)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_an_encoding_is_honoured(tmp_path: Path) -> None:
    path = write(tmp_path, "name,n\nCafé – Hall,1\n".encode("cp1252"))
    assert read(path, encoding="cp1252")["name"].to_list() == ["Café – Hall"]


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(allow_nan=False),
            st.none() | st.integers(-(10**17), 10**17),
            st.none()
            | st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_a_program_writes_is_what_is_read(rows: list[tuple[Any, Any, Any]]) -> None:
    """Any numbers and any text survive a round trip, except that text may look like numbers."""
    schema = {"x": pl.Float64, "n": pl.Int64, "word": pl.String, "end": pl.Int64}
    table = pl.DataFrame([(*row, 1) for row in rows], schema=schema, orient="row")
    source = local_source("a.csv", reader=Reader(format="csv", types={"word": "string"}))
    from commonweal.sources.tabular import read_text

    data = table.write_csv(quote_style="non_numeric").encode()
    back = read_text(data, Path("a.csv"), source, None)
    for name in ("x", "n"):
        assert back[name].to_list() == table[name].to_list()
    words = [None if w is None or not w.strip() else w for w in table["word"].to_list()]
    assert back["word"].to_list() == words


# Zip --------------------------------------------------------------------------------------


def packed(folder: Path, **members: str) -> Path:
    path = folder / "halls.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return path


def test_the_one_table_of_a_zip_is_read(tmp_path: Path) -> None:
    path = packed(tmp_path, readme_md="about", halls_csv="a,b\n1,2\n")
    assert read(path).rows() == [(1, 2)]


def test_a_member_is_chosen(tmp_path: Path) -> None:
    path = packed(tmp_path, a_csv="a\n1\n", b_csv="a\n2\n")
    assert read(path, member="b.csv").rows() == [(2,)]
    with pytest.raises(DataError, match=r"found 2 \(a.csv, b.csv\); name one with 'member'"):
        read(path)
    with pytest.raises(UnknownNameError, match=r"member 'c.csv' not found"):
        read(path, member="c.csv")


def test_a_zip_cut_short_or_without_a_table_is_named(tmp_path: Path) -> None:
    whole = packed(tmp_path, halls_csv="a,b\n" + "1,2\n" * 500).read_bytes()
    with pytest.raises(DataError, match="damaged or cut short"):
        read(write(tmp_path, whole[:-40], "cut.zip"))
    with pytest.raises(DataError, match="expected one table in the zip, found 0"):
        read(packed(tmp_path, readme_md="about"))
    with pytest.raises(DataError, match=r"a zip with a map, wards.shp; expected it unpacked"):
        read(packed(tmp_path, readme_txt="about", wards_shp="", wards_dbf=""))
    with pytest.raises(DataError, match=r"halls.csv in the zip is empty"):
        read(packed(tmp_path, halls_csv=""))
    damaged = bytearray(whole)
    damaged[45] ^= 0xFF
    with pytest.raises(DataError, match="damaged"):
        read(write(tmp_path, bytes(damaged), "damaged.zip"))


# Parquet ----------------------------------------------------------------------------------


def test_parquet_gets_the_types_that_travel(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame(
        {"x": [1.0, float("nan")], "n": [1, None], "kind": ["a", "b"]},
        schema={"x": pl.Float32, "n": pl.UInt8, "kind": pl.Categorical},
    ).write_parquet(path)
    table = read(path)
    assert table.schema == {"x": pl.Float64, "n": pl.Int64, "kind": pl.String}
    assert table.rows() == [(1.0, 1, "a"), (None, None, "b")]
    with pytest.raises(UnknownNameError, match="did you mean 'kind'"):
        read(path, ["kinds"])


def test_parquet_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"x": list(range(1000))}).write_parquet(path)
    with pytest.raises(DataError, match="not a whole Parquet file"):
        read(write(tmp_path, path.read_bytes()[:-100], "cut.parquet"))


def test_what_a_panic_says_of_its_own_lines_is_left_out() -> None:
    with (
        pytest.raises(DataError, match=r"^a\.parquet: not a whole Parquet file$"),
        explain_damage("a.parquet", "not a whole Parquet file"),
    ):
        raise pl.exceptions.PanicException("called `Result::unwrap()` on an `Err` value")


# Excel ------------------------------------------------------------------------------------


def workbook(folder: Path, *rows: list[Any], sheet: str = "Data") -> Path:
    path = folder / "halls.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write(0, 0, "about")
        page = book.add_worksheet(sheet)
        for i, row in enumerate(rows):
            page.write_row(i, 0, row)
    return path


def test_excel_gives_numbers_as_they_are(tmp_path: Path) -> None:
    path = workbook(
        tmp_path, ["code", "n", "rate", "open"], ["007", 5, 1 / 3, True], ["008", None, 2.5, False]
    )
    table = read(path, sheet="Data")
    assert table.rows() == [("007", 5, 1 / 3, True), ("008", None, 2.5, False)]


def test_excel_skips_the_title_and_blank_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path, ["Halls of the county"], [], ["code", "n"], ["a", 1], [], ["b", 2])
    assert read(path, sheet="Data", skip_rows=2).rows() == [("a", 1), ("b", 2)]


@pytest.mark.slow
def test_a_bad_excel_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"sheet 'Dat' not found.*did you mean 'Data'"):
        read(workbook(tmp_path, ["a"], [1]), sheet="Dat")
    with pytest.raises(DataError, match="'a' occurs 2 times"):
        read(workbook(tmp_path, ["a", "a"], [1, 2]), sheet="Data")
    with pytest.raises(DataError, match="sheet 'Data' has a header and no rows"):
        read(workbook(tmp_path, ["a", "b"]), sheet="Data")
    with pytest.raises(DataError, match="sheet 'Data' is empty"):
        read(workbook(tmp_path), sheet="Data")
    with pytest.raises(DataError, match="not an Excel file"):
        read(write(tmp_path, b"not excel at all", "a.xlsx"))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_a_column_whose_name_looks_like_a_pattern_is_no_pattern(
    tmp_path: Path, suffix: str
) -> None:
    def table(*names: str) -> Path:
        if suffix == ".xlsx":
            return workbook(tmp_path, list(names), ["a", 1, 2], sheet="Notes 2")
        path = tmp_path / f"halls{suffix}"
        frame = pl.DataFrame([["a"], [1], [2]], schema=names)
        (frame.write_csv if suffix == ".csv" else frame.write_parquet)(path)
        return path

    sheet = {"sheet": "Notes 2"} if suffix == ".xlsx" else {}
    assert read(table("code", "*", "n"), **sheet).columns == ["code", "*", "n"]
    assert read(table("code", "*", "n"), ["n", "*"], **sheet).rows() == [(2, 1)]
    with pytest.raises(DataError, match=r"'\^c.\*\$'.*no column name from \^ to \$"):
        read(table("code", "n", "^c.*$"), ["n", "^c.*$"], **sheet)


# GeoJSON ----------------------------------------------------------------------------------


def collection(folder: Path, *geometry: Any) -> Path:
    features = [
        {"type": "Feature", "properties": {"n": i}, "geometry": g} for i, g in enumerate(geometry)
    ]
    content = {"type": "FeatureCollection", "features": features}
    return write(folder, json.dumps(content), "a.geojson")


SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
HOLE = [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]


def test_geojson_becomes_wkb_with_holes_and_gaps(tmp_path: Path) -> None:
    path = collection(
        tmp_path,
        {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
        {"type": "Point", "coordinates": [-2.4, 53.5]},
        {"type": "MultiPolygon", "coordinates": []},
        None,
    )
    table, notes = read_table(path, local_source(path))
    assert table.schema == {"n": pl.Int64, "geometry": pl.Binary}
    assert table["geometry"].is_null().to_list() == [False, False, True, True]
    polygon, point = shapely.from_wkb(table["geometry"][:2].to_list())
    assert polygon.area == 15
    assert (point.x, point.y) == (-2.4, 53.5)
    assert notes == ["2 empty geometries are missing"]


def test_an_invalid_geometry_is_repaired_and_counted(tmp_path: Path) -> None:
    bow_tie = [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]
    spike = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 2], [-3, 2], [0, 2], [0, 0]]
    path = collection(
        tmp_path,
        {"type": "Polygon", "coordinates": [bow_tie]},
        {"type": "Polygon", "coordinates": [spike]},
        {"type": "Polygon", "coordinates": [SQUARE]},
    )
    table, notes = read_table(path, local_source(path))
    shapes = shapely.from_wkb(table["geometry"].to_list())
    assert shapely.is_valid(shapes).all()
    assert shapely.area(shapes).tolist() == [2, 16, 16]
    assert {s.geom_type for s in shapes} <= {"Polygon", "MultiPolygon"}
    assert notes == ["2 invalid geometries were repaired"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "Feat', "not JSON, or cut short"),
        ('{"a": 1}', "expected a GeoJSON feature collection"),
        ('{"features": []}', "expected a GeoJSON feature collection"),
        ('{"features": [3]}', "not GeoJSON"),
        ('{"features": [{"geometry": {"type": "Blob"}}]}', "not GeoJSON"),
    ],
)
def test_bad_geojson_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text, "a.geojson")
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


# Files that are none ----------------------------------------------------------------------


def test_a_folder_or_nothing_instead_of_a_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SourceError, match=r"folder.csv is a folder"):
        store.table(local_source(tmp_path / "folder.csv"))
    with pytest.raises(SourceError, match=r"folder.csv is a folder"):
        read(tmp_path / "folder.csv")
    with pytest.raises(SourceError, match=r"absent.csv is not there"):
        store.table(local_source(tmp_path / "absent.csv"))
    with pytest.raises(SourceError, match=r"absent.csv is not there"):
        read(tmp_path / "absent.csv")


def test_a_file_that_is_no_table_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, b"\x00\x01", "map.pbf")
    source = local_source(path, reader=Reader(format="file"))
    store = Store(tmp_path / "cache")
    assert store.path(source) == path
    with pytest.raises(DataError, match=r"source 'map' is not a table \(map.pbf\)"):
        store.table(source)
