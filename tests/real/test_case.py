"""Whole cases on real data: the wards of the parliamentary group, and one authority; and how soon a page answers."""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import openpyxl
import pyogrio
import pytest

from commonweal.document.data import document_data
from commonweal.document.write import write_document
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.case import make_case
from commonweal.invest.case.cautions import why_studied
from commonweal.invest.case.model import CaseOptions
from commonweal.invest.solver import time_limit
from commonweal.report.case.report import case_document
from commonweal.report.case.sites import write_places
from commonweal.report.case.text import case_answer
from commonweal.web.documents import SUBJECTS
from commonweal.web.explorer import Explorer, Planning
from commonweal.web.invest import options_of
from commonweal.web.schemas import DocumentQuery, OptionsQuery

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.invest.case.model import Case
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

MANCHESTER = "E08000003"


def made(asked: CaseOptions, store: Store, results: Results) -> Case:
    """Make a case whose sites are looked for until they are proven, on any machine."""
    module = sys.modules["commonweal.invest.siting.solve"]
    with mock.patch.object(module, "time_limit", side_effect=lambda _: time_limit(math.inf)):
        return make_case(asked, store, results=results)


@pytest.fixture(scope="module")
def wards(wards_2019: Results, real_store: Store) -> Case:
    asked = CaseOptions("appg-225", kind="community-centre", draws=3, seconds=300)
    return made(asked, real_store, wards_2019)


@pytest.fixture(scope="module")
def manchester(open_england: Results, real_store: Store) -> Case:
    asked = CaseOptions(
        "open-england", (MANCHESTER,), budget=20e6, kind="library", draws=3, seconds=300
    )
    return made(asked, real_store, open_england)


def written(case: Case, folder: Path) -> Path:
    more = {"places.gpkg": ("Places.", lambda path: write_places(case, path))}
    return write_document(case_document(case), folder, more)


def test_the_wards_get_a_case_from_start_to_end(wards: Case, tmp_path: Path) -> None:
    chosen = wards.worked.allocation.selected
    assert len(wards.rows) == chosen.sum()
    assert wards.mix.chosen.any(axis=1).all(), "an equal part buys something in every ward"
    assert wards.mix.spent.sum() <= wards.rules.budget
    assert wards.other.mix.met >= wards.option.mix.met
    assert not wards.built
    assert wards.sited is not None, "a kind of place was asked for"
    assert wards.sited.solution.proven
    why, what = why_studied(wards), case_answer(wards)[4]
    alike = bool(wards.option.studied) == bool(wards.other.studied)
    assert ("not that it is worth less" in why) != alike, (
        "said where one option has a figure and one has none"
    )
    assert not re.search(r" in [1-9]\b", what), (
        "what a few of 225 wards get from the last pounds is not named"
    )
    assert wards.steady is not None
    assert len(wards.steady.places) == 50
    assert 0 < np.nanmin(wards.steady.stays) <= np.nanmax(wards.steady.stays) <= 1
    before, after = wards.sited.reached()
    assert before < after <= wards.sited.demand.people.sum()
    low, middle, high = (
        getattr(wards.appraisal.measures["bcr"], k) for k in ("low", "expected", "high")
    )
    assert low < middle < high
    folder = written(wards, tmp_path / "annex")
    page = (folder / "report.html").read_text("utf-8")
    assert "not openly licensed" in page  # the index of the list is not
    layers = [
        len(pyogrio.raw.read(folder / "places.gpkg", layer=layer)[2])
        for layer in ("places", "place_points")
    ]
    assert layers == [len(wards.rows) - 1, 1], "one of the wards has no published boundary"
    assert "No boundary is known of 1 of the wards" in page
    book = openpyxl.load_workbook(folder / "report.xlsx", read_only=True)
    cells = {cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert set(wards.problem.codes) <= cells


def test_an_authority_gets_a_case_from_start_to_end(manchester: Case, tmp_path: Path) -> None:
    table = manchester.results.areas.table[manchester.rows.tolist()]
    assert set(table["lad24"]) == {MANCHESTER}
    rank = manchester.results.scores["social_infrastructure"].rank
    inside = np.array(manchester.results.areas.table["lad24"].to_list()) == MANCHESTER
    assert rank[manchester.rows].tolist() == sorted(rank[inside])[:10]
    assert manchester.sited is not None, "a kind of place was asked for"
    assert manchester.sited.effect is not None, "libraries are among what the index is made of"
    areas = manchester.sited.effect.areas
    assert (areas["rank"] >= areas["rank_before"]).all(), "a place nearer by is less need"
    assert len(manchester.sited.existing) > 10
    folder = written(manchester, tmp_path / "annex")
    page = (folder / "report.html").read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    for said in case_answer(manchester):
        assert money(manchester.rules.budget) in page
        assert said.split(":")[0] in page
    assert (folder / "report.pdf").stat().st_size > 50_000


def test_the_same_seed_gives_the_same_case(
    manchester: Case, open_england: Results, real_store: Store
) -> None:
    again = made(manchester.asked, real_store, open_england)
    assert case_answer(again) == case_answer(manchester)
    np.testing.assert_array_equal(again.mix.start, manchester.mix.start)


def test_a_page_of_options(open_england: Results, real_store: Store) -> None:
    explorer = Explorer(open_england, store=real_store)
    planning = explorer.planning
    assert isinstance(planning, Planning)
    found = options_of(explorer, planning, MANCHESTER, OptionsQuery(kind="library", sites=3))
    asked = DocumentQuery(area=MANCHESTER, kind="library", sites=3)
    data = document_data(SUBJECTS["options"].make(explorer, asked))
    figures = {name: figure["value"] for name, figure in data["figures"].items()}
    assert figures["reached"] > figures["reached_before"] > 0
    assert found.sited.effect is not None
    ratios = next(rows for name, rows in data["tables"].items() if name.endswith("-ratios"))
    bcr = next(row for row in ratios if row["name"] == "bcr")
    assert bcr["low"] < bcr["high"]
