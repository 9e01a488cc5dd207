"""Files that people write, with something in them that no reader expects: a plain error that names file and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from commonweal.errors import DataError
from commonweal.invest.appraisal import load_project
from commonweal.invest.interventions import load_interventions
from commonweal.invest.tracker.on_study import Snapshot, take_baseline
from commonweal.papers.wealth.coefficients import read_weight
from commonweal.survey import read_survey
from tests.invest.allocation.test_command import write
from tests.invest.appraisal.conftest import PLAIN
from tests.invest.test_interventions import written
from tests.survey.conftest import PEOPLE, spec_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    Tell = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1e300, "found 1e+300; expected 0, or 1e-15 to 1e+15 in size"),
        (1e-320, "found 9.99989e-321; expected 0, or"),
        (-(10**17), "found -1e+17; expected 0, or"),
    ],
)
def test_a_number_that_nothing_is_as_large_as(tmp_path: Path, number: float, said: str) -> None:
    file = written(tmp_path, {"interventions.club.cost.capital": number})
    with pytest.raises(DataError, match=r"own\.yaml: interventions\.club\.cost\.capital: ") as told:
        load_interventions(file)
    assert said in str(told.value)


def test_a_category_of_optimism_bias_that_is_no_name(tmp_path: Path) -> None:
    room = PLAIN["costs"]["room"] | {"optimism_bias": {"category": {"equipment": 1}}}
    file = tmp_path / "room.yaml"
    file.write_text(yaml.safe_dump(PLAIN | {"costs": {"room": room}}), "utf-8")
    with pytest.raises(DataError, match=r"'category': found keys with values; expected a name"):
        load_project(str(file))


def test_a_minimum_for_a_place_that_is_named_twice(small: Small, tell: Tell) -> None:
    least = {"least": 1, "in_each": "district", "official": True}
    said = []
    for only in (["S", "S"], ["S"]):
        rule = write(small, caps=[], least=[{**least, "only": only}])
        said.append(tell("invest", "allocate", rule, "--draws", "0"))
    assert said[0][0] == said[1][0] == 0
    twice, once = (text.split() for _, text, _ in said)  # columns are as wide as their words
    assert " ".join(twice).replace("S or S", "S") == " ".join(once)


def test_one_replicate_weight_has_no_variance(tmp_path: Path) -> None:
    PEOPLE.write_csv(tmp_path / "people.csv")
    more = {
        "strata": None,
        "clusters": None,
        "replicates": {"columns": "wt", "method": "jackknife"},
    }
    file = tmp_path / "people.yaml"
    file.write_text(yaml.safe_dump(spec_of(**more)), "utf-8")
    with pytest.raises(
        DataError, match=r"replicates\.columns: found wt alone; expected at least two"
    ):
        read_survey(file)


@pytest.mark.parametrize("odd", [[b"\xff\xfe"] * 12, [[1, 2]] * 12, [{"a": 1}] * 12])
def test_answers_that_are_neither_numbers_nor_text(tmp_path: Path, odd: list[Any]) -> None:
    PEOPLE.with_columns(trust=pl.Series(odd)).write_parquet(tmp_path / "people.parquet")
    file = tmp_path / "people.yaml"
    file.write_text(yaml.safe_dump(spec_of(file="people.parquet")), "utf-8")
    with pytest.raises(
        DataError, match=r"people\.parquet: column 'trust' holds .*; expected numbers"
    ):
        read_survey(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("where: x\nb: 0.5\ng: 0.4\n", "unknown key 'where'"),
        ("b: 1.0e-300\ng: 0.4\n", "'b': found 1e-300; expected at least 0.001"),
        ("b: 0.001\ng: 1\n", "g / b: found 1000; expected at most 100 in size"),
        ("r: 1.0e+9\n", "'r': found 1e+09; expected at most 100 in size"),
    ],
)
def test_coefficients_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(DataError) as told:
        read_weight(file)
    assert str(told.value).startswith(str(file))
    assert said in str(told.value)


def test_a_baseline_whose_account_is_not_in_words(small: Small) -> None:
    taken = take_baseline(small.run(draws=0))
    about = taken.about()
    about["measures"][0]["vintage"] = ["2019"]
    with pytest.raises(DataError, match="not a baseline"):
        Snapshot.of(about, taken.to_frame())


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("code", "column 'code' holds List(Int64); expected text"),
        ("group: district", "column 'group: district' holds List(Int64); expected text"),
        ("selected", "not a baseline"),
    ],
)
def test_a_baseline_whose_table_holds_what_it_cannot(small: Small, column: str, said: str) -> None:
    taken = take_baseline(small.run(draws=0))
    frame = taken.to_frame().with_columns(pl.concat_list(pl.lit([1, 2])).alias(column))
    with pytest.raises(DataError) as told:
        Snapshot.of(taken.about(), frame)
    assert said in str(told.value)
