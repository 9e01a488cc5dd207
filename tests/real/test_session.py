"""The national page, on the real files."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pypdf
import pytest
from tests.pdf_ua import pdf_ua_faults

from commonweal.report.session.content import content
from commonweal.report.session.spec import load_session
from commonweal.report.session.write import write_session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.conftest import Once

    from commonweal.report.session.content import Content
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def runs(open_england: Results, run_once: Once) -> dict[str, Results]:
    session = load_session("state-of-social-infrastructure")
    assert session.studies == {
        "open-england": "open-england",
        "left-behind-2025": "left-behind-2025",
    }
    newest = run_once("left-behind-2025", draws=20, sensitivity=False, geometry=False)
    return {"open-england": open_england, "left-behind-2025": newest}


@pytest.fixture(scope="module")
def national(runs: dict[str, Results]) -> Content:
    return content(load_session("state-of-social-infrastructure"), runs)


def test_the_framing_holds_the_published_counts(national: Content) -> None:
    figures = {f.key: f.text for f in national.figures}
    assert figures["open-england.areas.count"] == "33,755"
    assert figures["left-behind-2025.left_behind.count"] == "1,262"
    assert figures["left-behind-2025.since.leave"] == "149"
    assert figures["left-behind-2025.since.enter"] == "106"
    assert not any("{" in text for text in national.framing)


def test_what_changed_adds_up_by_region(national: Content) -> None:
    assert national.state is not None
    (moved,) = national.state.state.moved
    everyone = moved.frame.row(0, named=True)
    assert [everyone[k] for k in ("before", "stay", "leave", "enter", "after")] == [
        1305, 1156, 149, 106, 1262,
    ]  # fmt: skip
    regions = moved.frame.filter(pl.col("grouping") == "region")
    assert len(regions) == 9
    for column in ("before", "stay", "leave", "enter", "after"):
        assert regions[column].sum() == everyone[column]


def test_the_middle_is_where_half_of_the_people_are(
    national: Content, runs: dict[str, Results]
) -> None:
    """By counting people on both sides, in England and in London."""
    assert national.state is not None
    results = runs["open-england"]
    indicators = results.indicators["social_infrastructure"]
    walk = indicators.values[:, indicators.column("library")]
    london = (results.areas.table["region_name"] == "London").to_numpy()
    for group, rows in (("all", np.ones(len(walk), dtype=bool)), ("london", london)):
        middle = national.state.state.measure("library").of(group)
        people = results.areas.population[rows]
        assert people[walk[rows] < middle].sum() <= people.sum() / 2
        assert people[walk[rows] <= middle].sum() >= people.sum() / 2


def test_there_are_two_lacks_and_the_page_shows_both(national: Content) -> None:
    """Places and connections thin out in the country, an engaged community where deprivation is greatest."""
    assert national.state is not None
    found = national.state.state
    lack = {r["group"]: r for r in found.lack.frame.iter_rows(named=True)}
    far = "smaller_rural_further_from_a_major_town_or_city"
    near = "urban_nearer_to_a_major_town_or_city"
    for strand in ("places", "connectivity"):
        path = f"social_infrastructure/{strand}"
        assert lack[far][path] > 10 * lack[near][path]
    engaged = "social_infrastructure/engagement"
    assert lack["most_deprived"][engaged] > 10 * lack["least_deprived"][engaged]
    assert found.measure("library").of(far) > 4 * found.measure("library").of("london")
    charities = found.measure("charities")
    assert charities.of("most_deprived") < 0.6 * charities.of("least_deprived")
    assert "in the most deprived 10% of neighbourhoods" in national.framing[2]


def test_where_the_timetables_have_holes_no_fall_is_told(national: Content) -> None:
    assert national.state is not None
    found = national.state.state
    (change,) = found.ratios
    regions = {
        r["group"]: r["median"]
        for r in change.frame.filter(pl.col("grouping") == "region").iter_rows(named=True)
    }
    assert min(regions.values()) > 0.6, regions
    (note,) = national.state.change_note
    assert "have no value here" in note


def test_ranks_and_closed_values_are_not_in_the_tables(national: Content) -> None:
    assert national.state is not None
    units = {m.about.unit for m in national.state.state.measures}
    assert "rank" not in units
    assert "m" in units
    sources = {s for m in national.state.state.measures for s in m.about.source.split(", ")}
    assert not any(s.startswith("cni") for s in sources)


def test_the_pack_opens_again(runs: dict[str, Results], tmp_path: Path) -> None:
    folder = write_session(
        load_session("state-of-social-infrastructure"), runs, tmp_path / "national"
    )
    with zipfile.ZipFile(folder / "state-of-social-infrastructure.zip") as archive:
        assert archive.testzip() is None
        inside = "state-of-social-infrastructure/session.pdf"
        paper = io.BytesIO(archive.read(inside))
    assert pdf_ua_faults(paper) == []
    reader = pypdf.PdfReader(paper)
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    assert "1,262 are on the list" in text
    assert "Distance to a public library" in text
    table = pl.read_csv(folder / "state.csv")
    assert table["group"].n_unique() == 1 + 10 + 9 + 6
