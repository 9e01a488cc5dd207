"""The folder of England's 1,305: everything is there, opens, and is of a size to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pyogrio
import pytest

from commonweal.report.study import write_results
from commonweal.sources import Store
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

AREAS, SELECTED = 33_755, 1_305


@pytest.fixture(scope="module")
def folder(
    mirror_folder: Path, real_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    # A store of its own: what the run used is written down.
    store = Store(real_store.cache, mirror=mirror_folder, offline=True)
    results = run("left-behind-2023", store, draws=0)
    return write_results(results, tmp_path_factory.mktemp("out") / "left-behind-2023")


def test_every_area_is_in_every_table(folder: Path) -> None:
    rows = {
        p.stem: pl.scan_parquet(p).select(pl.len()).collect().item()
        for p in folder.glob("*.parquet")
    }
    assert rows == {
        "areas": AREAS,
        "designation": AREAS,
        "indicators": AREAS,
        "indicators-deprivation": 32_844,
        "scores": AREAS,
        "summaries": 2 * (296 + 9),
    }
    selected = pl.read_parquet(folder / "designation.parquet")["selected"]
    assert selected.sum() == SELECTED


def test_map(folder: Path) -> None:
    info = pyogrio.read_info(folder / "commonweal.gpkg")
    assert info["features"] == AREAS
    assert info["geometry_type"] == "MultiPolygon"
    west, south, east, north = info["total_bounds"]
    assert (west, south, east, north) == pytest.approx((-6.4, 49.9, 1.8, 55.8), abs=0.1)


def test_workbook(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "results.xlsx", read_only=True)
    rows = {s.title: s.max_row - 1 for s in book if s.title in ("Selected", "Areas")}
    assert rows == {"Selected": SELECTED, "Areas": AREAS}


def test_report(folder: Path) -> None:
    text = (folder / "report.html").read_text("utf-8")
    assert "1,305 of 33,755 neighbourhoods are left behind." in text
    assert "There is no neighbourhood on which ours and the published list differ." in text
    assert "Not openly licensed" in text


def test_sizes(folder: Path) -> None:
    megabytes = {p.name: p.stat().st_size / 1e6 for p in folder.iterdir()}
    assert megabytes["report.html"] < 2.5
    # The workbook and the map have every indicator and every domain's rank of 33,755 areas: mostly ranks, of five
    # digits each, so that fewer digits of scores would save a hundredth. A third of it is where each cell stands.
    assert megabytes["results.xlsx"] < 9
    assert sum(megabytes.values()) < 40
