"""What each indicator measures, as report and workbook tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.document.html import document_html
from commonweal.report.study.data_dictionary import dictionary_entries, indicator_table
from commonweal.report.study.document import study_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.study.results import Results

    RunTiny = Callable[..., Results]

TOLD = (
    "  turnout: {file: numbers.csv, column: turnout, label: Turnout, higher_is: less, unit: '%', "
    "vintage: May 2023, about: Who <voted>., why: It counts., note: One number., synthetic: true}\n"
)


@pytest.fixture(scope="module")
def told(run_tiny: RunTiny, study_text: str) -> Results:
    lines = study_text.splitlines(keepends=True)
    text = "".join(TOLD if line.startswith("  turnout: {file") else line for line in lines)
    return run_tiny(text, draws=0)


def test_what_a_study_says_of_an_indicator_is_told(told: Results) -> None:
    rows = {row["Indicator"]: row for row in indicator_table(told).frame.to_dicts()}
    assert list(rows) == ["Low income", "Clubs", "Turnout"]
    turnout = rows["Turnout"]
    assert turnout["What it measures"] == "Who <voted>."
    assert turnout["Why it counts"] == "It counts."
    assert turnout["Caution"] == "One number."
    assert turnout["Marks"] == "Synthetic: estimated by a model"
    assert turnout["Unit"] == "%"
    assert turnout["Direction"] == "higher means less need"
    assert turnout["Date"] == "May 2023"
    assert turnout["Areas with a value"] == 59  # V050 has none
    assert rows["Clubs"]["Marks"] == ""
    assert rows["Low income"]["Direction"] == "higher means more need"
    assert "Measured on" not in turnout  # says nothing here
    page = document_html(study_document(told))
    assert "Who &lt;voted&gt;." in page
    assert '<span class="mark">Synthetic: estimated by a model</span>' in page
    assert "59 of 60" in page


def test_what_was_carried_or_has_few_values_is_marked(told: Results) -> None:
    found = told.indicators["community"]
    values = np.tile(np.array([[1.0, 2.0], [3.0, 4.0]]), (500, 1))
    values[:500, 1] = np.arange(500)
    meta = tuple(
        replace(m, measured_on=on) for m, on in zip(found.meta, ("wd17", "own"), strict=True)
    )
    codes = [f"A{i}" for i in range(1000)]
    many = replace(found, codes=codes, values=values, meta=meta, standard_errors=None)
    clubs, turnout = dictionary_entries(
        replace(told, indicators={**told.indicators, "community": many}), "community"
    )
    assert clubs.marks == (
        "Converted from Electoral wards, December 2017",
        "Coarse: 2 different values",
    )
    assert turnout.marks == ("Synthetic: estimated by a model", "Converted from own")
    assert (clubs.known, clubs.of) == (1000, 1000)
