"""A project's file: what is in it is read, and what is wrong is named before anything is computed."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.appraisal import appraise, load_project
from commonweal.invest.appraisal.project import project_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.invest.appraisal import Project

ROOM = {"label": "Room", "kind": "running", "amount": 1000, "years": "0-9"}
INCOMES = {"median": 30000, "groups": {"poor": 15000}, "source": "made up"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"costs__room__amount": -5}, "costs.room.amount: found -5; expected 0 or more"),
        ({"costs__room__amount": math.nan}, "costs.room.amount: found nan; expected a number"),
        ({"costs__room__amount": {"uniform": [-5, 5]}}, "found -5 to 5, each as likely; expected 0 or more"),
        ({"costs__room__amount": {"normal": [5, 1]}}, "normal, 5 ± 1; expected 0 or more; cut the law with 'within'"),
        ({"costs__room__amount": {"uniform": [9, 5]}}, r"found \[9, 5\]; expected low below high"),
        ({"costs__room__amount": 0}, "no cost to the public sector: a benefit-cost ratio divides by it"),
        ({"costs__room__paid_by": "others"}, "no cost to the public sector"),
        ({"costs": {}}, "costs: .*at least 1"),
        ({"benefits": {}}, "benefits: .*at least 1"),
        ({"budget": 0}, "budget: found 0; expected greater than 0"),
        ({"horizon": 0}, "horizon: found 0; expected greater than or equal to 1"),
        ({"horizon": -4}, "horizon: found -4"),
        ({"horizon": 2.5}, "horizon: found 2.5; expected a valid integer"),
        ({"benefits__reading__years": "5-12"}, "'reading' reaches year 12; the horizon of 10 ends with year 9"),
        ({"benefits__reading__years": -1}, "found -1; expected a year such as 0"),
        ({"benefits__reading__years": "9-5"}, "expected each year once, and at least one"),
        ({"benefits__reading__years": [1, 1]}, "expected each year once"),
        ({"benefits__reading__years": {1: -0.5}}, "year 1: found -0.5; expected a share of 0 or more"),
        ({"benefits__reading__additionality": 1.2}, "found 1.2; expected between 0 and 1"),
        ({"benefits__reading__additionality": -0.1}, "found -0.1; expected between 0 and 1"),
        ({"benefits__reading__additionality": {"uniform": [0.5, 1.5]}},
         "found 0.5 to 1.5, each as likely; expected between 0 and 1"),
        ({"benefits__reading__additionality": {"leakage": 2}}, "leakage: found 2; expected between 0 and 1"),
        ({"benefits__reading__additionality": {"share": 1, "leakage": 0.1}},
         "found 'share' and leakage; expected one or the other"),
        ({"benefits__reading__additionality": None}, "benefits.reading.additionality: missing"),
        ({"benefits__reading__people": -3}, "people: found -3; expected 0 or more"),
        ({"benefits__reading__wellby": True}, "expected either 'value' .* or 'wellby: true'"),
        ({"benefits__reading__value": None}, "expected either 'value' .* or 'wellby: true'"),
        ({"benefits__reading__value": None, "benefits__reading__wellby": True},
         "expected life_satisfaction: a WELLBY counts all"),
        ({"benefits__reading__transfer": True}, "'reading' is a transfer and claims 'use_of_places', which is social"),
        ({"benefits__reading__part_of_year": 2}, "part_of_year: found 2; expected less than or equal to 1"),
        ({"benefits__reading__distribution": {"poor": 1}},
         "income group 'poor' is not under 'incomes'; there are none"),
        ({"benefits__reading__distribution": {"pore": 1}, "incomes": INCOMES},
         "expected one of: poor|did you mean 'poor'"),
        ({"benefits__reading__distribution": {"poor": 0.4}, "incomes": INCOMES},
         "'distribution' adds up to 0.4; expected 1"),
        ({"benefits__reading__clams": "x"}, "benefits.reading.clams: unknown key; did you mean 'claims'"),
        ({"costs__room__optimism_bias": {"mix": {"equipment": 0.5}}}, "'mix' adds up to 0.5; expected 1"),
        ({"costs__room__kind": "capitl"}, "costs.room.kind: found 'capitl'; expected 'capital' or 'running'"),
        ({"costs__Room": ROOM}, "found the name 'Room'; expected lower-case letters"),
        ({"costs__reading": ROOM}, "'reading' names a cost and a benefit"),
        ({"reference_case": None}, "reference_case: missing"),
        ({"reference_case": ""}, "reference_case: found ''"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    made: Callable[..., Project], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=rf"(?s)^p.yaml:.*{said}"):
        made(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"benefits__reading__claims": "use_of_place"},
         "outcome 'use_of_place' not found; did you mean 'use_of_places'"),
        ({"benefits__reading__evidence": "vila-2024"}, "work 'vila-2024' not found .*did you mean 'villa-2024'"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_told_with_the_nearest(
    made: Callable[..., Project], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnknownNameError, match=said):
        made(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"costs__room__optimism_bias": "standard_building"},
         "optimism bias category 'standard_building' not found for 'room'; did you mean 'standard_buildings'"),
        ({"costs__room__optimism_bias": "equipment"},
         "'room': 'equipment' has no optimism bias of running; expected one of: outsourcing"),
        ({"costs__room__price_year": 2024},
         "'room': prices of 2024 are wanted in those of 2019, and the deflator of 2024 is missing"),
        ({"parameters": "green-book-2032"}, "set of parameters 'green-book-2032' not found"),
        ({"correlations": [{"between": ["room.amount", "reading.people"], "of": 0.5}]},
         "'room.amount' is certain; expected an uncertain input"),
        ({"correlations": [{"between": ["room.amont", "reading.people"], "of": 0.5}]},
         "input 'room.amont' not found .*did you mean 'room.amount'"),
    ],
)  # fmt: skip
def test_what_parameters_and_inputs_do_not_have(
    made: Callable[..., Project], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommonwealError, match=said):
        appraise(made(**changes), draws=10)


def test_correlations_that_cannot_be(made: Callable[..., Project]) -> None:
    """A goes with B and with C, and B against C: no three numbers do that."""
    unsure = {
        "costs__room__amount": {"uniform": [1, 2]},
        "benefits__reading__people": {"uniform": [1, 2]},
        "benefits__reading__value": {"uniform": [1, 2]},
    }
    a, b, c = "room.amount", "reading.people", "reading.value"
    pairs = [
        {"between": [a, b], "of": 0.9},
        {"between": [a, c], "of": 0.9},
        {"between": [b, c], "of": -0.9},
    ]
    with pytest.raises(DataError, match="contradict each other"):
        appraise(made(**unsure, correlations=pairs), draws=10)
    with pytest.raises(DataError, match="expected a pair once"):
        appraise(made(**unsure, correlations=[pairs[0], pairs[0]]), draws=10)


def test_no_draws_are_refused(made: Callable[..., Project]) -> None:
    with pytest.raises(DataError, match="found 0 draws; expected 1 or more"):
        appraise(made(), draws=0)


def test_a_file_that_is_not_there_or_no_project(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing.yaml: no such file"):
        load_project(str(tmp_path / "nothing.yaml"))
    with pytest.raises(UnknownNameError, match="did you mean 'community-hub'"):
        load_project("comunity-hub")
    bad = {"- a\n": "expected keys such as", "title: a\ntitle: b\n": "'title' is there twice"}
    for text, said in bad.items():
        (tmp_path / "bad.yaml").write_text(text, "utf-8")
        with pytest.raises(DataError, match=rf"bad.yaml[:,] .*{said}"):
            load_project(str(tmp_path / "bad.yaml"))


def test_years_in_four_ways(plain: Callable[..., dict[str, Any]]) -> None:
    for years in ("0-2", [0, 1, 2], {0: 1, 1: 1, 2: 1}, "0 - 2"):
        project = project_from(plain(benefits__reading__years=years))
        assert project.benefits["reading"].years == ((0, 1.0), (1, 1.0), (2, 1.0))


def test_the_project_that_the_docs_show_can_be_appraised() -> None:
    page = Path(__file__).parents[3] / "docs" / "methods" / "appraisal.md"
    (shown,) = re.findall(r"^```yml\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    a = appraise(project_from(yaml.safe_load(shown)), draws=200)
    assert a.lines[-1].may_be_none
