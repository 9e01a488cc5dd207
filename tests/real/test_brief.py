"""The briefing pack of the 225 wards and of one authority: made, opened again, held against the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pypdf
import pytest
from tests.pdf_ua import pdf_ua_faults
from tests.report.place.conftest import Page

from commonweal.report.place import describer
from commonweal.report.place.pack import write_pack
from commonweal.study.names import find_scope
from commonweal.study.postcodes import postcode_finder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.conftest import Once

    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

# The wards that the rule selects, as many as the 225 named, 223 of them the same (test_studies.py).
SELECTED = 225


@pytest.fixture(scope="module")
def wards(run_once: Once) -> Results:
    return run_once("left-behind-2019", draws=200)


@pytest.fixture(scope="module")
def pack(wards: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of England: the overview and a profile of every selected ward."""
    return write_pack(
        wards, find_scope(wards.areas, []), tmp_path_factory.mktemp("packs") / "wards"
    )


def selected(results: Results) -> np.ndarray:
    return np.flatnonzero(results.designations["left_behind"].selected)


def text_of(path: Path) -> str:
    return " ".join(" ".join(p.extract_text() for p in pypdf.PdfReader(path).pages).split())


def test_every_selected_ward_has_its_pages(wards: Results, pack: Path) -> None:
    codes = {wards.areas.codes[row] for row in selected(wards)}
    assert len(codes) == SELECTED
    for kind in ("html", "pdf"):
        assert {p.stem for p in (pack / "profiles").glob(f"*.{kind}")} == codes
    book = openpyxl.load_workbook(pack / "workbook.xlsx", read_only=True)
    rows = list(book["On_the_list"].iter_rows(min_row=2, values_only=True))
    assert {r[1] for r in rows} == codes


def test_profiles_say_what_the_results_do(wards: Results, pack: Path) -> None:
    say = describer(wards)
    for row in selected(wards)[::15]:
        place = say(int(row))
        text = text_of(pack / "profiles" / f"{place.code}.pdf")
        assert place.name in text
        for claim in place.headline:
            assert claim.text in text
        for other in (*place.peers, *place.neighbours):
            assert other.name in text
        for source in place.sources:
            assert source.title in text
        assert [w.id for w in place.works] == ["local-trust-2019", "iod-2019"]
        assert "Understanding communities on the edge" in text


def test_profiles_are_two_tagged_pages(pack: Path) -> None:
    for path in sorted((pack / "profiles").glob("*.pdf")):
        reader = pypdf.PdfReader(path)
        assert len(reader.pages) <= 2, path
        assert reader.trailer["/Root"]["/Lang"] == "en-GB"
        assert pdf_ua_faults(path) == []
        assert len(reader.outline[1]) > 5  # the sections below its name


def test_links_resolve_and_pictures_have_texts(pack: Path) -> None:
    for path in sorted(pack.rglob("*.html")):
        page = Page()
        page.feed(path.read_text("utf-8"))
        for link in page.links:
            if not link.startswith(("https://", "#")):
                assert (path.parent / link).is_file(), (path, link)
        assert all(i.get("alt") or i.get("aria-labelledby") for i in page.images)
        assert not page.loads or all(not load.startswith("http") for load in page.loads)


def test_overview_tells_the_whole(wards: Results, pack: Path) -> None:
    text = text_of(pack / "overview.pdf")
    d = wards.designations["left_behind"]
    home = wards.areas.population[d.selected].sum()
    assert f"{SELECTED} of 7,445 wards in England are on the list of “left behind” wards." in text
    assert f"They are home to {home:,.0f} of " in text
    assert "How the list was made" in text
    for row in selected(wards):
        assert (wards.areas.table["name"][int(row)]) in text


def test_the_pack_of_one_authority(wards: Results, tmp_path: Path) -> None:
    # Hull has more of the named wards than most authorities of its size.
    scope = find_scope(wards.areas, ["Kingston upon Hull, City of"])
    folder = write_pack(wards, scope, tmp_path / "hull", charts="all")
    inside = set(scope.rows.tolist()) & set(selected(wards).tolist())
    assert {p.stem for p in (folder / "profiles").glob("*.pdf")} == {
        wards.areas.codes[row] for row in inside
    }
    text = text_of(folder / "overview.pdf")
    assert (
        f"{len(inside)} of {len(scope.rows)} wards in Kingston upon Hull, City of are on the list of"
        in text
    )
    names = {p.stem for p in (folder / "charts").glob("*.png")}
    assert names == {p.stem for p in (folder / "charts").glob("*.csv")}
    assert len(names) == 3 + 2 * len(inside)


def test_a_postcode_finds_its_ward(wards: Results, real_store: Store) -> None:
    # The Guildhall of Hull, in the ward Myton of 2017.
    find = postcode_finder(wards.areas, wards.boundaries, kept=real_store.cache)
    row = find("HU1 2AA")
    table = wards.areas.table
    assert (table["name"][row], table["lad19_name"][row]) == (
        "Myton",
        "Kingston upon Hull, City of",
    )


def test_a_larger_area_by_code_is_the_same(wards: Results) -> None:
    by_name = find_scope(wards.areas, ["North East"])
    assert by_name.rows.tolist() == find_scope(wards.areas, ["E12000001"]).rows.tolist()
    assert by_name.title == "North East"
