"""The folder of England's 1,305: everything is there, opens, and is of a size to send."""

from __future__ import annotations

import shutil
from dataclasses import fields
from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pyogrio
import pypdf
import pytest
from tests.pdf_ua import pdf_ua_faults
from tests.same import assert_same, contents

from commonweal.report.study.folder import write_results
from commonweal.study.results import Results
from commonweal.study.saved import open_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.real.conftest import Once

    from commonweal.sources import Store

pytestmark = pytest.mark.real

AREAS, SELECTED = 33_755, 1_305


@pytest.fixture(scope="module")
def results(run_once: Once) -> Results:
    return run_once("left-behind-2023", draws=0)


@pytest.fixture(scope="module")
def folder(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(results, tmp_path_factory.mktemp("out") / "left-behind-2023")


def test_opened_is_what_was_run(results: Results, folder: Path) -> None:
    opened = open_results(folder)
    for field in fields(Results):
        assert_same(getattr(results, field.name), getattr(opened, field.name), field.name)


@pytest.mark.usefixtures("commands_run_once")
def test_what_is_shown_of_the_folder_is_what_is_shown_of_the_run(
    folder: Path,
    tell: Callable[..., tuple[int, str, str]],
    mirror_folder: Path,
    real_store: Store,
    tmp_path: Path,
) -> None:
    here = {"COMMONWEAL_MIRROR": str(mirror_folder), "COMMONWEAL_CACHE": str(real_store.cache)}
    for subject in ("left-behind-2023", folder):
        shown = [
            tell("show", "E01026129", "--study", subject, "--draws", "0", **here),
            tell("units", subject, "--areas", "msoa21", **here),
            tell("brief", subject, "E01026129", "--draws", "0", "--out", tmp_path / "pack", **here),
        ]
        assert [code for code, *_ in shown] == [0, 0, 0]
        assert [complaint.startswith("Opened ") for *_, complaint in shown] == [
            subject == folder
        ] * 3
        found = [out for _, out, _ in shown], contents(tmp_path / "pack")
        shutil.rmtree(tmp_path / "pack")
        if subject == "left-behind-2023":
            before = found
    assert found[0] == before[0]
    assert found[1].keys() == before[1].keys()
    assert [name for name in found[1] if found[1][name] != before[1][name]] == []


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
    rows = {s.title: s.max_row - 1 for s in book if s.title in ("On_the_list", "Areas")}
    assert rows == {"On_the_list": SELECTED, "Areas": AREAS}


def test_report(folder: Path) -> None:
    text = (folder / "report.html").read_text("utf-8")
    assert "1,305 of 33,755 neighbourhoods are on the list of “left behind” neighbourhoods." in text
    assert "1,305 of the 1,305 on the published list are also on ours." in text
    assert "These sources are not openly licensed: " in text


def test_paper(folder: Path) -> None:
    assert pdf_ua_faults(folder / "report.pdf") == []
    with pypdf.PdfReader(folder / "report.pdf") as printed:
        text = [page.extract_text() for page in printed.pages]
        assert len(text) <= 25
    assert "1,305 of 33,755 neighbourhoods are on the list" in " ".join(text[0].split())
    assert all(len(page.split()) > 150 for page in text[:-1]), "a page is half empty"


def test_sizes(folder: Path) -> None:
    files = [p for p in folder.rglob("*") if p.is_file()]
    megabytes = {p.relative_to(folder).as_posix(): p.stat().st_size / 1e6 for p in files}
    assert megabytes["report.html"] < 2.5
    # The workbook and the map have every indicator and every domain's rank of 33,755 areas: mostly ranks, of five
    # digits each, so that fewer digits of scores would save a hundredth. A third of it is where each cell stands.
    assert megabytes["results.xlsx"] < 9
    kept = sum(size for name, size in megabytes.items() if name.startswith("data/"))
    assert kept < 18  # what the folder is opened from
    assert sum(megabytes.values()) - kept < 40
