"""An index is not made, without a word, from an indicator that few areas have values for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.terminal import run_data, run_lines

from commonweal.document.html import document_html
from commonweal.errors import DataError
from commonweal.report.study.document import study_document
from commonweal.spec.study import load_study
from commonweal.study.check import check_files


@pytest.fixture
def few(small: Any) -> Any:
    """The small study, with halls in 3 of 20 places."""
    lines = small.indicators.read_text("utf-8").splitlines()
    header = lines[0].split(",")
    at = header.index("halls")
    kept = [
        ",".join("" if k == at and n >= 3 else v for k, v in enumerate(line.split(",")))
        for n, line in enumerate(lines[1:])
    ]
    small.indicators.write_text("\n".join([lines[0], *kept]) + "\n", "utf-8")
    return small


REFUSED = (
    "halls: it has values for 3 of 20 areas; expected 65% of them at least. If an index is to be made from "
    "so few, write 'coverage: 15%' for it under 'indicators'"
)


def test_it_is_refused_by_run_and_by_check(few: Any) -> None:
    few.write()
    with pytest.raises(DataError) as found:
        few.run(draws=0)
    assert str(found.value) == REFUSED
    with pytest.raises(DataError) as found:
        check_files(load_study(few.study), few.store)
    assert str(found.value) == REFUSED


def test_all_that_have_too_few_values_are_told_at_once(few: Any) -> None:
    lines = [line.split(",") for line in few.indicators.read_text("utf-8").splitlines()]
    at = lines[0].index("income")
    for n, line in enumerate(lines[1:]):
        line[at] = line[at] if n < 4 else ""
    few.indicators.write_text("\n".join(map(",".join, lines)) + "\n", "utf-8")
    with pytest.raises(DataError) as found:
        check_files(load_study(few.write()), few.store)
    assert str(found.value).splitlines() == [
        "income: it has values for 4 of 20 areas; expected 65% of them at least",
        "halls: it has values for 3 of 20 areas; expected 65% of them at least. If an index is to be made from so "
        "few, write 'coverage: 20%' for income, 'coverage: 15%' for halls under 'indicators'",
    ]


def test_what_was_to_be_typed_works_and_stands_in_the_answer(few: Any) -> None:
    few.write(indicators__halls__coverage="15%")
    results = few.run(draws=0)
    check_files(load_study(few.study), few.store)
    line = "“halls”, part of Community needs, has values for only 3 of 20 areas. Elsewhere there is no score."
    assert f"Please note: {line}" in run_lines(results)
    assert run_data(results)["cautions"] == [line]
    assert line in document_html(study_document(results))


def test_fewer_than_accepted_is_refused(few: Any) -> None:
    few.write(indicators__halls__coverage=0.2)
    with pytest.raises(DataError, match="3 of 20 areas; expected 20% of them at least"):
        few.run(draws=0)


def test_one_that_is_filled_in_is_refused_too(few: Any) -> None:
    few.write(prepare=[{"impute": {"how": "median"}}])
    with pytest.raises(DataError, match="halls: it has values for 3 of 20 areas"):
        few.run(draws=0)


@pytest.mark.parametrize("share", ["a tenth", "150%", 0, True])
def test_a_share_is_a_share(few: Any, share: object) -> None:
    few.write(indicators__halls__coverage=share)
    with pytest.raises(ValueError, match="coverage"):
        load_study(few.study)
