"""Which choice matters, as every output tells it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from tests.terminal import run_data, run_lines

from commonweal.document.html import document_html
from commonweal.index.assumptions import (
    Aggregation,
    CutOff,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
)
from commonweal.report.place.profile import profile
from commonweal.report.study.document import study_document
from commonweal.report.study.folder import write_results
from commonweal.report.study.sensitivity import (
    describe_assumption,
    most_often,
    recalculated,
    sensitivity_charts,
    sensitivity_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results

    RunTiny = Callable[..., Results]

VARY = """\
sensitivity:
  sample: 64
  intervals: 20
  pairs: true
  vary:
    - {weights: community, dirichlet: 2}
    - {standard_errors: all}
    - {cut: [0.6, 1.4], name: "<the line> & more"}
agreement:"""


@pytest.fixture(scope="module")
def told(run_tiny: RunTiny, study_text: str) -> Results:
    return run_tiny(study_text.replace("agreement:", VARY, 1))


def test_every_area_is_told_what_most_often_moves_it(told: Results) -> None:
    found = told.sensitivity["priority"]
    moved = int(np.argmax(found.moves.max(axis=0)))
    still = int(np.argmin(found.moves.max(axis=0)))
    place = profile(told, told.areas.codes[moved])
    text = str(place)
    names = ["the weights within the Community", "the sampling error of the published figures",
             "<the line> & more"]  # fmt: skip
    share = found.moves.max(axis=0)[moved]
    assert (
        f"The biggest source of uncertainty is {names[found.mover[moved]]}: changed alone, it "
        f"changes the result in {share:.0%} of recalculations." in text
    )
    assert found.mover[still] == -1
    text = str(profile(told, told.areas.codes[still]))
    assert "No assumption, changed alone, changes its result." in text
    (answer,) = place.place.to_dict()["answers"]
    assert (answer["mover"], answer["mover_share"]) == (
        found.inputs[found.mover[moved]],
        pytest.approx(share),
    )


def test_the_headline_names_what_moves_most(told: Results) -> None:
    areas = most_often(told, told.sensitivity["priority"])
    assert sum(areas) > 3
    line = next(
        t for t in run_lines(told) if t.startswith("  - The biggest source of uncertainty is")
    )
    assert line.endswith(
        f"it most often changes the result for {max(areas)} of the {sum(areas)} villages whose result can change."
    )
    data = run_data(told)["designations"]["priority"]["sensitivity"]
    assert list(data["most_often_moves"].values()) == areas
    assert data["runs"] == 64 * (2 * 3 + 2)
    assert set(data["total"]) == {"selected", "need", "community"}
    json.dumps(data, allow_nan=False)


def test_the_files_hold_it(told: Results, tmp_path: Path) -> None:
    folder = write_results(told, tmp_path / "out")
    frame = pl.read_csv(folder / "sensitivity.csv")
    assert frame["assumption"].to_list()[:3] == list(told.sensitivity["priority"].inputs)
    assert frame.filter(pl.col("with").is_not_null())["second"].null_count() == 0
    areas = pl.read_parquet(folder / "sensitivity_areas.parquet")
    assert areas["code"].to_list() == told.areas.codes
    book = openpyxl.load_workbook(folder / "results.xlsx")
    head, first = [[c.value for c in row] for row in book["Uncertainty"].iter_rows(1, 2)]
    assert head[:6] == [
        "Result", "Assumption", "Alone", "With others", "At least", "At most"
    ]  # fmt: skip
    assert first[:2] == [
        "How many villages join or leave the list",
        "The weights within the Community",
    ]
    listed = [c.value for c in next(book["On_the_list"].iter_rows(1, 1))]
    assert "Biggest source of uncertainty" in listed
    notes = {row[0].value: row[1].value for row in book["Notes"].iter_rows(2)}
    assert (
        "We recalculated the results 512 times. Each of these assumptions varies over its whole range: "
        in notes["Biggest sources of uncertainty"]
    )
    assert "sensitivity.csv" in (folder / "README.txt").read_text("utf-8")


def test_the_report_shows_it_with_its_numbers(told: Results) -> None:
    page = document_html(study_document(told))
    assert "Biggest sources of uncertainty</h2>" in page
    assert "Biggest sources of uncertainty</a>" in page
    assert "&lt;the line&gt; &amp; more" in page
    assert "<the line>" not in page
    charts = list(sensitivity_charts(told, "priority"))
    titles = [c.title.split(": the biggest source of uncertainty is ") for c in charts]
    assert [measure for measure, _ in titles] == [
        "How many villages join or leave the list", "Ranks on the Need", "Ranks on the Community"
    ]  # fmt: skip
    for chart, (_, first) in zip(charts, titles, strict=True):
        label, share = chart.numbers.cells()[0][0], chart.numbers.cells()[0][2]
        assert first.casefold() == f"{label} ({share})".casefold()
    for chart in charts:
        totals = chart.numbers.frame["With others"].to_list()
        assert totals == sorted(totals, reverse=True)
        told_in = re.findall(r'fill="#1a1f24">([\d.]+%|under 1%|over 99%)</text>', chart.svg)
        assert len(told_in) == len(totals)
    # What does not act on an index has no bar there, and a zero in the table.
    assert len(charts[2].numbers) == 1
    table = sensitivity_table(told, "priority").frame
    assert table["With others"].to_list().count(0.0) == 4


def test_without_it_nothing_is_said(run_tiny: RunTiny, study_text: str) -> None:
    results = run_tiny(study_text)
    assert "Biggest sources of uncertainty" not in document_html(study_document(results))
    assert not any("most often changes" in line for line in run_lines(results))
    assert run_data(results)["designations"]["priority"]["sensitivity"] is None


@pytest.mark.parametrize(
    ("assumption", "words"),
    [
        (Weights(weights="community", interval=0.25),
         "the weights within the Community (up to 25% either way)"),
        (Weights(levels=[{"uniform": True}]), "all weights (any weights, each as likely as any other)"),
        (Aggregation(form=("need", "community"), of=("sum", {"generalised": {"p": 0.5}})),
         "the way of combining the Need and the Community (sum, generalised (p 0.5))"),
        (Normalisation(of=("rank", "z_score")), "the way of making indicators comparable (rank, z score)"),
        (Normalisation(transform="community", of=("rank", "none")),
         "the way of making the domains of the Community comparable (rank, none)"),
        (Treatment(treat="clubs", of=("none", "log")), "the treatment of outliers in the Clubs (none, log)"),
        (Inclusion(leave_out="community.turnout"), "whether the Turnout is included"),
        (Parameter(setting="available", node="community", uniform=(0.5, 1)),
         "how much an area must have of the Community (0.5 to 1)"),
        (Parameter(setting="aggregate.p", node="community", normal=(0, 1)),
         "the setting 'p' of the Community (normal around 0, standard deviation 1)"),
        (Parameter(setting="cut", node="need", choices=(0.9, 1)), "the cut-offs on the Need (times 0.9 or 1)"),
        (SamplingError(), "the sampling error of the published figures"),
        (SmallCounts(counts=["clubs"]), "the error of small counts in the Clubs"),
        (CutOff(cut=(0.9, 1.1)), "the cut-offs (times 0.9 to 1.1)"),
        (Weights(name="own words", interval=0.1), "own words (up to 10% either way)"),
    ],
)  # fmt: skip
def test_every_kind_of_choice_has_words(told: Results, assumption: Any, words: str) -> None:
    assert describe_assumption(told, assumption) == words
    assert re.fullmatch(
        r"We recalculated the list 1 time with different \S.*\.", recalculated(1, [assumption])
    )
