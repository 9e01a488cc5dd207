"""Switching values make the net value nought, and a tornado's ends are what the model gives there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.invest.appraisal import appraise, load_project
from commonweal.invest.appraisal.model import build_model, expected, lines_worth, totals
from commonweal.invest.appraisal.project import shipped_projects
from commonweal.invest.parameters import load_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.invest.appraisal import Project
    from commonweal.invest.appraisal.model import Model


def npsv(model: Model, **values: float) -> float:
    """Work the net value out with one input moved."""
    return float(totals(model, lines_worth(model, {**expected(model), **values}))["npsv"])


@pytest.mark.parametrize("name", shipped_projects())
def test_at_its_switching_value_an_input_makes_the_net_value_nought(name: str) -> None:
    project = load_project(name)
    a, model = appraise(project, draws=100), build_model(project, load_parameters())
    size = a.measures["public_cost"].expected
    assert {s.input.name for s in a.switching_values} == set(model.inputs)
    for s in a.switching_values:
        if s.value is not None:
            at = npsv(model, **{s.input.name: s.value})
            assert abs(at) < 1e-6 * size, s.input.name
            assert s.input.least <= s.value <= s.input.most


@pytest.mark.parametrize("name", shipped_projects())
def test_where_there_is_none_no_value_that_makes_sense_turns_the_answer(name: str) -> None:
    project = load_project(name)
    a, model = appraise(project, draws=100), build_model(project, load_parameters())
    for s in a.switching_values:
        if s.value is None:
            most = min(s.input.most, 1e4 * max(1.0, s.expected))
            at = np.linspace(s.input.least, most, 50)
            told = totals(model, lines_worth(model, {**expected(model), s.input.name: at}))
            answers = np.broadcast_to(told["npsv"], at.shape)
            assert answers.min() > 0 or answers.max() < 0, s.input.name


def test_switching_values_by_hand(made: Callable[..., Project]) -> None:
    """1,000 a year against 100 x 30 x 0.5 = 1,500: each may change by a third, the cost by a half."""
    switches = {s.input.name: s for s in appraise(made(), draws=1).switching_values}
    assert switches["room.amount"].value == pytest.approx(1500)
    assert switches["reading.people"].value == pytest.approx(100 * 2 / 3)
    assert switches["reading.value"].value == pytest.approx(20)
    assert switches["reading.additionality"].value == pytest.approx(1 / 3)
    assert switches["room.amount"].change == pytest.approx(0.5)


def test_a_share_cannot_pass_one(made: Callable[..., Project]) -> None:
    """100 x 15 x 0.5 = 750 against 2,000: even all of it is too little, a higher value is not."""
    project = made(benefits__reading__value=15, costs__room__amount=2000)
    switches = {s.input.name: s for s in appraise(project, draws=1).switching_values}
    assert switches["reading.additionality"].value is None
    assert switches["reading.value"].value == pytest.approx(40)


def test_the_chance_of_being_beyond(made: Callable[..., Project]) -> None:
    """People uniform on 50 to 150 and even at 66.7: one in six."""
    project = made(benefits__reading__people={"uniform": [50, 150]})
    switches = {s.input.name: s for s in appraise(project, draws=10).switching_values}
    assert switches["reading.people"].beyond == pytest.approx(1 / 6)
    assert switches["reading.value"].beyond == 0


def test_a_tornado_goes_to_the_ends_and_is_sorted() -> None:
    project = load_project("community-hub")
    a, model = appraise(project, draws=1000), build_model(project, load_parameters())
    widths = [s.width for s in a.swings]
    assert widths == sorted(widths, reverse=True)
    for s in a.swings:
        assert s.npsv == pytest.approx(
            (npsv(model, **{s.input.name: s.low}), npsv(model, **{s.input.name: s.high}))
        )
    unsure = {name for name, i in model.inputs.items() if not i.number.certain}
    assert {s.input.name for s in a.swings} == unsure


def test_shares_add_up_to_one_where_inputs_only_add(made: Callable[..., Project]) -> None:
    project = made(
        costs__room__amount={"uniform": [500, 1500]},
        benefits__reading__people={"uniform": [50, 150]},
    )
    shares = [s.share for s in appraise(project, draws=100_000).swings]
    assert sum(shares) == pytest.approx(1, abs=0.02)
    # 100 x 30 x 0.5 / 100 people = 15 a person: 1,500 wide against 1,000 wide.
    assert shares[0] / shares[1] == pytest.approx(1.5**2, rel=1e-3)
