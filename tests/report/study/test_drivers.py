"""The domain that adds most to a score, and the indicator in it, in every output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pytest

from commonweal.document.html import document_html
from commonweal.index import decile
from commonweal.report.place import describe
from commonweal.report.place.profile import profile
from commonweal.report.study.document import study_document
from commonweal.report.study.drivers import (
    main_driver_labels,
    summarise_drivers,
    top_contributors,
)
from commonweal.report.study.folder import write_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results

    RunTiny = Callable[..., Results]

FLAT = """\
      clubs: {indicator: clubs}
      turnout: {indicator: turnout}
"""
NESTED = """\
      life:
        label: Life <together>
        transform: z_score
        aggregate: arithmetic
        children:
          clubs: {indicator: clubs}
          turnout: {indicator: turnout}
      money: {indicator: income}
"""


@pytest.fixture(scope="module")
def nested(run_tiny: RunTiny, study_text: str) -> Results:
    return run_tiny(study_text.replace(FLAT, NESTED))


@pytest.fixture(scope="module")
def median(run_tiny: RunTiny, study_text: str) -> Results:
    """An index of a form in which no part has a share of its own."""
    text = study_text.replace(
        "    label: Community\n", "    label: Community\n    aggregate: median\n"
    )
    return run_tiny(text, draws=0)


def test_the_leading_part_is_the_one_with_the_largest_contribution(nested: Results) -> None:
    scores = nested.scores["community"]
    found, deep = top_contributors(scores), top_contributors(scores, deep=True)
    below = scores.part("community/life").contributions
    for row in range(len(found)):
        given = {path: part[row] for path, part in scores.contributions.items()}
        known = {path: v for path, v in given.items() if not np.isnan(v)}
        assert found[row] == (max(known, key=lambda path: known[path]) if known else "")
        if found[row] == "community/life":
            within = {p: v[row] for p, v in below.items() if not np.isnan(v[row])}
            assert deep[row] == max(within, key=lambda path: within[path])
        else:
            assert deep[row] == found[row]
    assert set(found) - {""} == {"community/life", "community/money"}


def test_counts_add_up_and_deciles_are_those_of_the_selected(nested: Results) -> None:
    d = nested.designations["priority"]
    (one,) = summarise_drivers(nested, "priority")  # need has one part only
    frame = one.parts.numbers.frame
    assert one.label == "Community"
    assert frame["Adds most in"].sum() == d.selected.sum()
    assert frame["Share"].sum() == pytest.approx(1)
    paths = {"Life <together>": "community/life", "Low income": "community/money"}
    for part, n, _, mean in frame.rows():
        path = paths[part]
        assert n == (top_contributors(nested.scores["community"])[d.selected] == path).sum()
        of = decile(nested.scores["community"].rank_of(path))[d.selected]
        assert mean == pytest.approx(of.mean())
    assert one.indicators is not None
    inside = one.indicators.frame
    for part in paths:
        counts = inside.filter(inside["Domain"] == part)["Adds most in"]
        assert counts.sum() == d.selected.sum()
    assert set(inside["Indicator"]) == {"Clubs", "Turnout", "Low income"}


def test_every_output_says_it(nested: Results, tmp_path: Path) -> None:
    page = document_html(study_document(nested))
    n = int(nested.designations["priority"].selected.sum())
    assert "What adds most to their scores</h2>" in page
    assert page.count("Life &lt;together&gt;") > 3
    assert "<together>" not in page
    rows = np.flatnonzero(nested.designations["priority"].selected)
    named = main_driver_labels(nested, "priority", rows)
    assert named is not None
    for label in set(named):
        assert f"{named.count(label)} ({named.count(label) / n:.0%})" in page
    folder = write_results(nested, tmp_path / "out")
    sheet = openpyxl.load_workbook(folder / "results.xlsx")["On_the_list"]
    head = [c.value for c in next(sheet.iter_rows(1, 1))]
    codes = nested.areas.table["code"][rows].to_list()
    told = {r[0].value: r[head.index("Adds most to the score")].value for r in sheet.iter_rows(2)}
    assert told == dict(zip(codes, named, strict=True))


def test_a_profile_says_it_in_a_sentence(nested: Results) -> None:
    scores, codes = nested.scores["community"], nested.areas.codes
    tenth = decile(scores.rank_of("community/life"))
    life = top_contributors(scores) == "community/life"
    row = int(np.flatnonzero(life & (tenth == 1))[0])
    leaf = top_contributors(scores, deep=True)[row]
    label = {"community/life/clubs": "Clubs", "community/life/turnout": "Turnout"}[leaf]
    told = (
        f"Life <together> adds most to its score (in the worst 10%); within it, {label} "
        f"(worst {decile(scores.rank_of(leaf))[row] * 10:.0f}%)."
    )
    found = profile(nested, codes[row])
    assert told in str(found)
    assert {s.path: s.driver for s in found.place.standings}["community"] == "community.life"
    best = int(np.nanargmax(scores.rank))
    part = top_contributors(scores)[best].rsplit("/", 1)[-1]
    drivers = {s.path: s.driver_text for s in describe(nested, best).standings}
    assert drivers["community"].startswith(
        f"No domain stands out: {'Life <together>' if part == 'life' else 'Low income'}, which "
    )
    assert drivers["need"] == ""  # one part


def test_parts_that_are_indicators_have_no_table_below(results: Results) -> None:
    (one,) = summarise_drivers(results, "priority")
    assert one.indicators is None
    assert set(one.parts.numbers.frame["Domain"]) == {"Clubs", "Turnout"}
    row = int(np.flatnonzero(results.designations["priority"].selected)[0])
    drivers = {s.path: s.driver_text for s in describe(results, row).standings}
    assert "adds most to its score" in drivers["community"]
    assert "; within it" not in drivers["community"]


def test_an_index_without_shares_is_left_out(median: Results) -> None:
    assert summarise_drivers(median, "priority") == []
    assert main_driver_labels(median, "priority", np.arange(3)) is None
    page = document_html(study_document(median))
    assert "What adds most to their scores" not in page
    assert "Adds most to the score" not in page
    of = {s.path: (s.driver, s.driver_text) for s in describe(median, 0).standings}
    assert of["community"] == ("", "")
