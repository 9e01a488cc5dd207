"""Hostile and damaged input: each is a plain error that names file and place, or the right result.

`check` and `run` have to say the same, in one to three lines, with exit code 2.
"""

from __future__ import annotations

import base64
import bz2
import errno
import gzip
import io
import json
import lzma
import os
import re
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyproj
import pyreadstat
import pytest
import shapely
import xlsxwriter

from commonweal.errors import CommonwealError, DataError, SourceError, UnknownNameError
from commonweal.sources.sandbox import explain_damage, in_subprocess
from commonweal.study.names import area_of_postcode, codes_in
from commonweal.survey.read import read_columns

from .standing_in import badly, well

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[Any], object]

LON, LAT = 12.5, 41.9


def refused(small: Any, tell: Any, *expected: str) -> None:
    """Both commands refuse the study in the same plain words."""
    said = [tell("check", small.study), tell("run", small.study, "--draws", "0")]
    for code, _, complaint in said:
        assert code == 2, complaint
        assert 1 <= len(complaint.splitlines()) <= 3, complaint
        assert len(complaint) < 2000
        for words in expected:
            assert words in complaint
    assert said[0][2] == said[1][2]


# Places that cannot be ----------------------------------------------------------------------


def outlines(small: Any, change: Any = None, crs: Any = None, **properties: Any) -> None:
    """Write a square an area, 0.01 degrees wide, in WGS 84 or in another system that is declared."""
    features = []
    for number in range(1, 21):
        x, y = LON + number / 100, LAT
        ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]
        if crs:
            move = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform
            ring = [list(move(*point)) for point in ring]
        shape = {"type": "Polygon", "coordinates": [ring]}
        own = {"code": f"A{number:02d}", **{k: v[number - 1] for k, v in properties.items()}}
        features.append({"type": "Feature", "properties": own, "geometry": shape})
    content = {"type": "FeatureCollection", "features": features}
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    if change:
        change(content)
    (small.path / "shapes.geojson").write_text(json.dumps(content), "utf-8")
    small.write(areas__boundaries={"file": "shapes.geojson"})


def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match=r"feed\.zip: no room left on the disk to unpack it"),
        explain_damage(tmp_path / "feed.zip", "the zip is damaged"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_threads_that_read_give_standard_error_back(tmp_path: Path) -> None:
    """Each keeps what is printed off the terminal while it reads; none may take another's place for it."""
    before = os.fstat(2)

    def many(_: int) -> None:
        for _ in range(100):
            with explain_damage(tmp_path, "damaged", hush=True):
                os.write(2, b"")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(many, range(4)))
    assert os.path.samestat(os.fstat(2), before)


@pytest.mark.parametrize("crs", ["EPSG:32633", "urn:ogc:def:crs:EPSG::32633", "EPSG:3857"])
def test_outlines_in_another_system_are_brought_to_degrees(small: Any, crs: str) -> None:
    outlines(small)
    plain = shapely.from_wkb(small.run(draws=0).boundaries["geometry"].to_list())
    outlines(small, crs=crs)
    moved = shapely.from_wkb(small.run(draws=0).boundaries["geometry"].to_list())
    assert all(a.equals_exact(b, 1e-7) for a, b in zip(plain, moved, strict=True))
    assert shapely.total_bounds(moved)[:2] == pytest.approx([LON + 0.01, LAT])


def test_geoparquet_in_another_system_is_brought_to_degrees(small: Any, tell: Any) -> None:
    crs = pyproj.CRS("EPSG:32633")
    move = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform
    points = [move(LON + n / 100, LAT) for n in range(1, 21)]
    table = pl.DataFrame(
        {
            "code": [f"A{n:02d}" for n in range(1, 21)],
            "geometry": shapely.to_wkb([shapely.Point(p).buffer(100) for p in points]).tolist(),
        }
    )
    about = {"columns": {"geometry": {"encoding": "WKB", "crs": crs.to_json_dict()}}}
    file = small.path / "shapes.parquet"
    table.write_parquet(file, metadata={"geo": json.dumps(about)})
    small.write(areas__boundaries={"file": "shapes.parquet"})
    moved = shapely.from_wkb(small.run(draws=0).boundaries["geometry"].to_list())
    assert moved[0].centroid.coords[0] == pytest.approx((LON + 0.01, LAT))
    table.write_parquet(file)
    refused(small, tell, "shapes.parquet", "-180 to 180 and -90 to 90")
    table.with_columns(geometry=pl.lit(b"no WKB")).write_parquet(file)
    refused(small, tell, "shapes.parquet", "well-known binary")


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ({"type": "name", "properties": {"name": "EPSG:99999"}}, "EPSG:99999"),
        ({"type": "name", "properties": {"name": "x" * 5000}}, "not understood"),
        ({"type": "link", "properties": {"href": "http://x"}}, "not understood"),
        ("EPSG:4326", "not understood"),
        ([], "not understood"),
        ({"type": "EPSG", "properties": {"code": "abc"}}, "EPSG:abc"),
    ],
)
def test_a_system_that_is_not_understood(small: Any, tell: Any, crs: Any, words: str) -> None:
    outlines(small, lambda content: content.update(crs=crs))
    refused(small, tell, "shapes.geojson", words)


@pytest.mark.parametrize(
    "wrong", [1e300, -1e300, 627306.0, 180.5, 1e309, float("nan"), None, "12", [], 10**400]
)
def test_an_outline_that_is_not_on_earth(small: Any, tell: Any, wrong: Any) -> None:
    def change(content: Any) -> None:
        content["features"][2]["geometry"]["coordinates"][0][1][0] = wrong

    outlines(small, change)
    refused(small, tell, "shapes.geojson")


@pytest.mark.parametrize(
    ("lon", "lat", "found"),
    [
        ("12.5", "999", "longitude 12.5, latitude 999"),
        ("12.5", "-90.1", "latitude -90.1"),
        ("180.5", "41", "longitude 180.5"),
        ("12.5", "inf", "latitude inf"),
        ("-inf", "41", "longitude -inf"),
        ("12.5", "", "latitude nothing"),
        ("", "41", "longitude nothing"),
        ("627306", "3636468", "longitude 627306"),
    ],
)
def test_a_point_that_is_not_on_earth(
    small: Any, tell: Any, lon: str, lat: str, found: str
) -> None:
    rows = small.areas.read_text("utf-8").splitlines()
    ends = ["lon,lat", *[f"{LON},{LAT}"] * 20]
    ends[3] = f"{lon},{lat}"
    small.areas.write_text(
        "\n".join(f"{row},{end}" for row, end in zip(rows, ends, strict=True)), "utf-8"
    )
    small.write(areas__longitude="lon", areas__latitude="lat")
    refused(small, tell, "area A03", found, "areas.csv", "-180 to 180 and -90 to 90")


def test_an_empty_column_of_latitudes(small: Any, tell: Any) -> None:
    table = pl.read_csv(small.areas).with_columns(lon=pl.lit(LON), lat=pl.lit(None, pl.String))
    table.write_csv(small.areas)
    small.write(areas__longitude="lon", areas__latitude="lat")
    refused(small, tell, "area A01", "latitude nothing", "(20 such areas)")


# Workbooks, zips and other packed files -----------------------------------------------------


def workbook(small: Any, stray: tuple[int, int] | None = None) -> Path:
    """Put the indicators into a workbook, with one more cell where a stray one is asked for."""
    file: Path = small.path / "indicators.xlsx"
    rows = [line.split(",") for line in small.indicators.read_text("utf-8").splitlines()]
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Values")
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(at, column, float(cell) if at and column else cell)
        if stray:
            sheet.write(*stray, "x")
        sheet.write_blank(1_048_575, 16_380, None, book.add_format({"bold": True}))  # is no cell
    use_for_indicators(small, file.name)
    return file


def use_for_indicators(small: Any, name: str) -> None:
    small.write(indicators__income__file=name, indicators__halls__file=name)


def test_a_workbook_is_read_as_the_table_is(small: Any) -> None:
    plain = small.run(draws=0).indicators["community_needs"].values
    workbook(small)
    assert (small.run(draws=0).indicators["community_needs"].values == plain).all()


def test_a_workbook_with_a_stray_cell_far_out(small: Any, tell: Any) -> None:
    workbook(small, stray=(1_048_575, 16_383))
    words = "sheet 'Values' reaches to row 1,048,576 and column XFD, 17,179,869,184 cells"
    refused(small, tell, "indicators.xlsx", words, "at most 50,000,000")


def test_a_workbook_that_does_not_fit_its_checksums(small: Any, tell: Any) -> None:
    """One number is another, as by a flipped bit: no reader of workbooks would notice."""
    file = workbook(small)
    with zipfile.ZipFile(file) as old:
        parts = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    raw = file.read_bytes()
    assert raw.count(b"<v>20</v>") >= 1
    file.write_bytes(raw.replace(b"<v>20</v>", b"<v>30</v>", 1))
    refused(small, tell, "indicators.xlsx", "damaged", "sheet1.xml", "checksum")


def test_workbooks_with_flipped_bits_give_an_error_or_the_same_numbers(small: Any) -> None:
    file = workbook(small)
    right, whole = small.run(draws=0).indicators["deprivation"].values, file.read_bytes()
    rng = np.random.default_rng(8)
    for at in rng.integers(0, len(whole), 12):
        broken = bytearray(whole)
        broken[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(broken)
        with suppress(CommonwealError):
            assert (small.run(draws=0).indicators["deprivation"].values == right).all()


def test_what_unpacks_to_far_more_than_it_is(small: Any, tell: Any) -> None:
    many = b"0" * 110_000_000
    with zipfile.ZipFile(small.path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", many)
    use_for_indicators(small, "bomb.zip")
    refused(small, tell, "bomb.zip would unpack to 110 MB", "at most 200 times")
    with zipfile.ZipFile(workbook(small), "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings2.xml", many)
    refused(small, tell, "indicators.xlsx would unpack to 11", "at most 200 times")
    fast = partial(lzma.compress, preset=0)
    for name, pack in (("a.rda", gzip.compress), ("b.rda", bz2.compress), ("c.rda", fast)):
        (small.path / name).write_bytes(pack(b"RDX3\nX\n" + many))
        use_for_indicators(small, name)
        refused(small, tell, f"{name} would unpack to 1", "at most 200 times")


def test_a_zip_of_three_gigabytes_is_refused_before_it_is_unpacked(
    small: Any, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(small.path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "code,income,halls\n" + "A01,1,2\n" * 500)
    raw = bytearray((small.path / "bomb.zip").read_bytes())
    for at in (
        22,
        raw.index(b"PK\x01\x02") + 24,
    ):  # its size, at the entry and in the list of entries
        raw[at : at + 4] = (3_000_000_000).to_bytes(4, "little")
    (small.path / "bomb.zip").write_bytes(raw)
    use_for_indicators(small, "bomb.zip")

    def unpack(*_: object, **__: object) -> None:
        raise AssertionError("it is unpacked")

    monkeypatch.setattr(zipfile.ZipFile, "open", unpack)
    refused(small, tell, "bomb.zip would unpack to 3,000 MB", "at most 200 times")


def test_an_r_file_whose_sequence_is_longer_than_any_table(small: Any, tell: Any) -> None:
    """R keeps 1:2000000000 as its length, start and step."""
    whole = [struct.pack(">i", number) for number in (3, 262146, 197888, 5)]
    name = [struct.pack(">ii", 0x00000001, 0x00040009), struct.pack(">i", 14), b"compact_intseq"]
    package = [struct.pack(">ii", 0x00000001, 0x00040009), struct.pack(">i", 4), b"base"]
    of_type = [struct.pack(">iii", 13, 1, 13)]
    info = [struct.pack(">i", 2), *name, struct.pack(">i", 2), *package]
    info += [struct.pack(">i", 2), *of_type, struct.pack(">i", 254)]
    state = [struct.pack(">ii", 14, 3), struct.pack(">ddd", 2e9, 1.0, 1.0), struct.pack(">i", 254)]
    content = [b"X\n", *whole, b"UTF-8", struct.pack(">i", 238), *info, *state]
    (small.path / "long.rds").write_bytes(gzip.compress(b"".join(content)))
    use_for_indicators(small, "long.rds")
    refused(small, tell, "long.rds", "a sequence of 2,000,000,000")


def damaged_zips() -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "code,income,halls\n" + "A01,1,2\n" * 500)
    whole = packed.getvalue()
    central = whole.index(b"PK\x01\x02")
    return {
        "data": whole[:45] + bytes(10) + whole[55:],
        "cut": whole[: central - 4],
        "front cut off": whole[20:],
        "another method": whole[:8] + b"\x63\x00" + whole[10 : central + 10] + b"\x63\x00" + whole[central + 12 :],
        "encrypted": whole[: central + 8] + b"\x01\x00" + whole[central + 10 :],
        "offset": whole[: central + 42] + b"\xff\xff\xff\x00" + whole[central + 46 :],
        "no zip": b"PK\x03\x04",
    }  # fmt: skip


@pytest.mark.parametrize("name", damaged_zips())
def test_a_damaged_zip(small: Any, tell: Any, name: str) -> None:
    (small.path / "values.zip").write_bytes(damaged_zips()[name])
    use_for_indicators(small, "values.zip")
    refused(small, tell, "values.zip: the zip is")


# Tables that a command takes beside a study --------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"pcds,lsoa21cd\nAB1 2CD,A01,more\n",
            "{file}: not a table of postcodes that can be read (",
        ),
        (
            b"pcds,lsoa21cd\nAB1 2CD,A\xe9\xff\n",
            "{file}: not a table of postcodes that can be read (",
        ),
        (b'pcds,lsoa21cd\nAB1 2CD,"A01\n', "{file}: not a table of postcodes that can be read ("),
        (b"pcds,lsoa21cd\nAB1 2CD,\n", "postcode AB1 2CD has no lsoa21 code in {file}"),
        (b"pcds,lsoa21cd\nAB1 2CE,A01\n", "postcode AB1 2CD is not in {file}"),
        (b"PK\x03\x04\x1b", "postcode column 'postcode' not found in {file}; expected one of: pk"),
        (b"", "{file}: not a table of postcodes that can be read (empty CSV)"),
    ],
)
def test_a_damaged_directory_of_postcodes(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)
    with pytest.raises(CommonwealError, match=f"^{re.escape(said.format(file=file))}"):
        area_of_postcode("AB1 2CD", str(file), "lsoa21")


def test_a_folder_in_place_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("pcds,lsoa21cd\nAB1 2CD,A01\n", "utf-8")
    said = f"^{re.escape(str(tmp_path))} is a folder; expected a file$"
    with pytest.raises(CommonwealError, match=said):
        area_of_postcode("AB1 2CD", str(tmp_path), "lsoa21")
    with pytest.raises(CommonwealError, match=said):
        codes_in(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"code\nA01\n" + b"x" * 200_000 + b"\n", "{file}: not a list of codes that can be read ("),
        (b"code\n\xff\xfe\n", "{file}: not a list of codes that can be read ("),
        (b"code\n", "codes: {file} holds none; expected one code or name a line"),
    ],
)
def test_a_damaged_list_of_codes(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content)
    with pytest.raises(CommonwealError, match=f"^{re.escape(said.format(file=file))}"):
        codes_in(file)


# Parquet ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pl.Series([[1.0]] * 20), "column 'income' of values.parquet holds lists"),
        (pl.Series([[1.0]] * 20, dtype=pl.Array(pl.Float64, 1)), "holds lists"),
        (pl.Series([{"a": 1.0}] * 20), "holds keys with values"),
        (pl.Series([timedelta(1)] * 20), "holds durations"),
        (pl.Series([b"1"] * 20), "holds bytes"),
        (pl.Series([date(2020, 1, 1)] * 20), "expected numbers"),
        (pl.Series([1e300] * 20), "income: area A01 has a value beyond 1e+60"),
    ],
)
def test_a_column_of_values_that_is_none(
    small: Any, tell: Any, made: pl.Series, expected: str
) -> None:
    parquet(small, income=made)
    refused(small, tell, expected)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (pl.Series([["A01"]] * 20), "column 'code' of values.parquet holds lists"),
        (pl.Series([1e20] * 20), "column 'code' of values.parquet has 1e+20"),
        (pl.Series([2**60] * 20, dtype=pl.Int128), "no code in column 'code'"),
        (pl.Series([2**100] * 20, dtype=pl.Int128), "has 1.26765e+30"),
        (pl.Series([timedelta(1)] * 20), "holds durations"),
    ],
)
def test_a_column_of_codes_that_is_none(
    small: Any, tell: Any, made: pl.Series, expected: str
) -> None:
    parquet(small, code=made)
    refused(small, tell, expected)


def parquet(small: Any, **columns: pl.Series) -> None:
    table = pl.read_csv(small.indicators).with_columns(**columns)
    table.write_parquet(small.path / "values.parquet")
    use_for_indicators(small, "values.parquet")


def test_whole_numbers_of_128_bits_are_numbers(small: Any) -> None:
    plain = small.run(draws=0).indicators["deprivation"].values
    parquet(small, income=pl.Series(range(1, 21), dtype=pl.Int128))
    assert (small.run(draws=0).indicators["deprivation"].values == plain).all()


def test_damaged_parquet_is_an_error_that_prints_nothing_else(small: Any, capfd: Any) -> None:
    """Polars panics at some of these, which prints itself below what Python can hold back."""
    parquet(small)
    file = small.path / "values.parquet"
    whole, rng = file.read_bytes(), np.random.default_rng(3)
    for at in rng.integers(0, len(whole), 60):
        broken = bytearray(whole)
        broken[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(broken)
        with suppress(CommonwealError):
            small.run(draws=0)
    assert capfd.readouterr() == ("", "")


# A reader in a process apart ----------------------------------------------------------------


@pytest.mark.usefixtures("read_as_users_do")
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("crash", "its reader broke down: Segmentation fault"),
        ("gorge", "MemoryError"),
        ("hang", "its reader broke down: it took more than 600 seconds of processor time"),
        ("stumble", "no luck"),
        ("refuse", "column 'incme' not found; did you mean 'income'?"),
    ],
)
def test_what_breaks_in_a_process_apart(tmp_path: Path, how: str, words: str) -> None:
    with pytest.raises(CommonwealError) as caught:
        in_subprocess(badly, tmp_path / "halls.sav", "cannot be read as SPSS", how=how)
    assert words in str(caught.value)
    assert how == "refuse" or "halls.sav: cannot be read as SPSS (" in str(caught.value)
    assert isinstance(caught.value, UnknownNameError if how == "refuse" else DataError)


@pytest.mark.usefixtures("read_as_users_do")
def test_a_table_comes_back_whole_from_a_process_apart(tmp_path: Path) -> None:
    table, about = in_subprocess(well, tmp_path / "a", "wrong", rows=3)
    assert table.equals(pl.DataFrame({"n": [0, 1, 2], "word": ["é", None, "é"]}))
    assert about == {"rows": 3}


@pytest.mark.parametrize("suffix", [".sav", ".zsav", ".dta"])
def test_more_rows_than_the_file_can_hold_are_refused(tmp_path: Path, suffix: str) -> None:
    """Room is not made for them: 2 KB that say so would take all memory."""
    file = tmp_path / f"people{suffix}"
    table = pd.DataFrame({"weight": [1.0, 2.0] * 20, "answer": [1.0, 2.0] * 20})
    if suffix == ".dta":
        pyreadstat.write_dta(table, str(file))
    else:
        pyreadstat.write_sav(table, str(file), compress=suffix == ".zsav")
    whole = bytearray(file.read_bytes())
    at = whole.index(b"<N>") + 3 if suffix == ".dta" else 80
    assert whole[at] == len(table)
    whole[at + 3] = 16
    file.write_bytes(whole)
    with pytest.raises(DataError) as caught:
        read_columns(file, ["answer"])
    said = f"people{suffix}: its head says 268,435,496 rows of 2 columns, which {len(whole):,} bytes cannot hold"
    assert said in str(caught.value)


@pytest.mark.parametrize("suffix", [".sav", ".dta"])
def test_damaged_microdata_give_an_error_or_are_read(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"people{suffix}"
    table = pd.DataFrame({"weight": [1.0, 2.0] * 20, "answer": [1.0, 2.0] * 20})
    write = pyreadstat.write_sav if suffix == ".sav" else pyreadstat.write_dta
    write(table, str(file), variable_value_labels={"answer": {1: "yes", 2: "no"}})
    read = read_columns(file, ["answer"])
    assert read.frame["answer"].to_list() == [1.0, 2.0] * 20
    assert dict(read.labels["answer"]) == {1.0: "yes", 2.0: "no"}
    whole, rng = file.read_bytes(), np.random.default_rng(5)
    for at in rng.integers(0, len(whole), 12):
        file.write_bytes(
            whole[:at] + bytes(rng.integers(0, 256, 8, dtype=np.uint8)) + whole[at + 8 :]
        )
        with suppress(CommonwealError):
            read_columns(file, ["answer"])


_ABORTS = (
    "c-oy+O=uHA6rSD9&$gymH8ak_9#*l-ww83WNt#4zo3YheZ8a%KtqL}65>t(hG-"
    "~}rYy}Y!44y<pst3V?7ePVjp%;sYCr>^0;GuXbBI2QnGqantDE@UxX5a7kzW4Smn<V`~=z{k|I4$%-"
    "0|Eey7cJkk+dD<z7bU6^GiZgvk=AG|9$XQ*$1*p9AsKr;Qs->U#8{kjUth3H*KO(g<dz{7`+SccVF3adfQe=bUJpIcqqYJ=qN!M-"
    "$dz)NUjZO8MR0qyo8(s9c>4POW%F$f0MMsIfTv!;u90FU3w_8yk0mrC>T`lF{{%)$y<?rQVxUq?2K)*qup=#XRLVY~U4FIeGHU|J"
    "^?s~sTes;(Q*(fKoA3i|-5akZ4JO*l${X?1<hukaug`d%U%R4(%GrjNJYL98Zh*B)1Mn!=Gdea>JYD7aMbIBeZNFn-^L_a5d?O-"
    "Qa`=W5AY=v2Ky#A;wr$l^?5~&grH((-b$>Y8<GH_S7FFoF^XWpNRAKvB(3jnRVcXUW8-"
    "F3Y(1EK`mFzPBk`7sFmB1Y+PS*)^A)MMZ_Nb1R>}gF)s4VF7a@+4<l?|f8A2d5H69NS}#wy9G7*71Rd!b{M=(trhC%~&zV&Ve{ei"
    "0mb*$qEe<arsExeP_+*k0Fov3M5BbZ;9(duJO!ugbi&)Zna#t=Pl2<&|LoWGJfAt53Pq|Ji*s<AVsz*TN>C-"
    "*u~N+DG)>2Qivj2it+Z<W<+QB<Lf9nB@?QHR@WQHJYlUFy9#rx>1J=T}Cgxel~9GBmMmc2X>T3^4ZgAyePJ?YvRx@Ldb6VC$aNXz"
    "mOuf&Q1FXDUnWoPm%3O7C*u4J%pTa;#hp=2vgGR=&INW8D#MncsvK~B;3_SoNJ8Lo9JQUKAt}iIXP?v3x`7o3QRxsm;6gB`FnVN_"
    "ny-5-"
    "aZx?W36$|F5>WID1A<5S1a?=7P=`*7Sg@CKJ}NFzjvkRAV2$49B=mt+8?{8Y}^W=7CxU8ckv`Ee(Fey>;(8gvRFuumo($d#k2Y1S"
    "fh46J6;+sj%ijP7%(+s_}pkAqeXLZ(;Ci%a=DBZ&E;ZNCK$G&v9uXaTk%LPXXT>lY$k3sD(tnW{y;nZrX=a-=m%*9RVM"
)
"""A Parquet file of twenty rows with one bit changed, packed: Polars asks for 2^61 bytes and ends the process."""


def test_a_parquet_file_that_ends_its_reader(tmp_path: Path) -> None:
    file = tmp_path / "indicators.parquet"
    file.write_bytes(zlib.decompress(base64.b85decode(_ABORTS)))
    with pytest.raises(
        DataError, match=r"indicators\.parquet: cannot be read as Parquet .*broke down"
    ):
        read_columns(file, ["income_se"])
    assert len(read_columns(file, ["income"]).frame) == 20
