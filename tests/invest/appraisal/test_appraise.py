"""Appraisals whose answers are known: by hand, by a published sum, by a closed form, by what must hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.invest.appraisal.conftest import PLAIN

from commonweal.invest.appraisal import Appraisal, appraise, load_project
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.appraisal.green_book import welfare_weight
from commonweal.invest.appraisal.project import Additionality, project_from, shipped_projects
from commonweal.invest.parameters import load_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.invest.appraisal import Project

ANNUITY = (1 - 1.035**-10) / (1 - 1 / 1.035)
"""A pound in each of the years 0 to 9."""


def worth(appraisal: Appraisal, name: str) -> float:
    return appraisal.measures[name].expected


def line(appraisal: Appraisal, name: str) -> Any:
    return next(r for r in appraisal.lines if r.line.name == name)


def with_additionality(project: Project, share: float) -> Project:
    """Put one share in the place of what its only benefit has."""
    ((name, benefit),) = project.benefits.items()
    one = benefit.model_copy(update={"additionality": Additionality.model_validate(share)})
    return project.model_copy(update={"benefits": {name: one}})


def test_by_hand() -> None:
    """The sums in the comment of the file."""
    a = appraise(load_project("by-hand"), draws=10)
    told = {r.line.name: round(r.present.expected, 2) for r in a.lines}
    assert told == {"works": 62_000, "staff": 37_993.89, "reading": 37_993.89, "hall": 75_987.77}
    assert {r.line.name: round(r.plain) for r in a.lines} == {
        "works": 62_000, "staff": 40_000, "reading": 40_000, "hall": 80_000,
    }  # fmt: skip
    assert worth(a, "npsv") == pytest.approx(13_987.77, abs=0.01)
    assert worth(a, "bcr") == pytest.approx(1.13989, abs=1e-5)
    assert worth(a, "fiscal_return") == pytest.approx(0.75992, abs=1e-5)
    assert a.measures["npsv"].low == a.measures["npsv"].high == worth(a, "npsv")


def test_an_annuity(made: Callable[..., Project]) -> None:
    """1,000 a year against 100 people x £30 x a half, ten years: by the closed form."""
    a = appraise(made(), draws=10)
    assert worth(a, "public_cost") == pytest.approx(1000 * ANNUITY)
    assert worth(a, "social") == pytest.approx(1500 * ANNUITY)
    assert worth(a, "npsv") == pytest.approx(500 * ANNUITY)
    assert worth(a, "bcr") == pytest.approx(1.5)


def test_the_published_wellby_sum_turns_on_additionality_alone() -> None:
    """16.7 and 98.5 for a pound, as published, with nothing changed but what is additional."""
    project = load_project("parkrun")
    whole = appraise(with_additionality(project, 1.0), draws=10)
    assert round(worth(whole, "social") / 1e6, 1) == 668.5
    for share, published in ((0.064, 16.7), (0.3775, 98.5)):
        a = appraise(with_additionality(project, share), draws=10)
        assert worth(a, "bcr") == pytest.approx(published, rel=0.003)
    a = appraise(project)
    assert a.swings[0].input.name == "runners.additionality"
    assert a.swings[0].share > 0.9
    assert "“Life satisfaction of those who take part: additionality”" in " ".join(a.drivers)


def test_a_million_as_an_advocate_has_it() -> None:
    a = appraise(load_project("frontier-per-million"), draws=10)
    assert line(a, "programme").plain == pytest.approx(1e6)
    assert line(a, "fiscal").plain == pytest.approx(1.2e6)
    social = [r.plain for r in a.lines if r.line.side == "social"]
    assert sum(social) == pytest.approx(2.04e6)
    assert worth(a, "fiscal_return") == pytest.approx(1.2)
    assert any("Commissioned by a funder that argues for such investment" in c for c in a.cautions)
    assert "No input has a range" in " ".join(a.drivers)


def test_an_effect_that_may_be_chance_may_be_no_benefit() -> None:
    """High anxiety -0.8 points, 95% interval -2.4 to 0.7: the benefit's interval has 0 inside."""
    a = appraise(load_project("big-local-anxiety"))
    found = line(a, "anxiety")
    assert found.may_be_none
    assert found.present.low < 0 < found.present.expected < found.present.high
    # A normal effect of 0.8 with a standard error of 3.1 / 3.92 is below 0 with this chance:
    chance = 0.5 * math.erfc(0.8 / (3.1 / 3.919928) / math.sqrt(2))
    assert found.none == pytest.approx(chance, abs=0.015)
    assert a.swings[0].input.name == "anxiety.quantity"


def test_the_hub_says_what_it_does_not_know() -> None:
    a = appraise(load_project("community-hub"))
    assert a.project.fictional
    assert line(a, "users").may_be_none
    assert a.measures["npsv"].low < 0 < a.measures["npsv"].high
    assert 0.5 < a.worth_it < 0.95
    told = " ".join(a.assumptions)
    assert "Range of a WELLBY, £10,000 to £16,000: not verified" in told
    assert "A WELLBY brought from 2019 to 2025: not verified" in told
    assert "made up" in told
    assert a.worth_it_weighted is not None


@pytest.mark.parametrize("name", shipped_projects())
def test_what_ships_states_a_reference_case_and_what_it_leaves_out(name: str) -> None:
    project = load_project(name)
    a = appraise(project, draws=500)
    assert project.reference_case.rstrip(".") in a.drivers[0]
    assert a.assumptions
    for benefit in project.benefits.values():
        assert benefit.verified or f"Benefit “{benefit.label}”: not verified" in " ".join(
            a.assumptions
        )


@settings(max_examples=30)
@given(st.floats(0.01, 1000))
def test_scaling_costs_and_benefits_leaves_the_ratio(scale: float) -> None:
    data = {**PLAIN, "costs": {"room": {**PLAIN["costs"]["room"], "amount": 1000 * scale}}}
    data["benefits"] = {"reading": {**PLAIN["benefits"]["reading"], "people": 100 * scale}}
    a = appraise(project_from(data), draws=1)
    assert worth(a, "bcr") == pytest.approx(1.5)
    assert worth(a, "npsv") == pytest.approx(500 * ANNUITY * scale)


@settings(max_examples=20)
@given(st.integers(0, 60))
def test_years_in_which_nothing_happens_change_nothing(more: int) -> None:
    a = appraise(project_from({**PLAIN, "horizon": 10 + more}), draws=1)
    assert worth(a, "npsv") == pytest.approx(500 * ANNUITY)


def part(most: float) -> st.SearchStrategy[float]:
    """A share as a project may state it: 0, or no nearer to it than 1e-15."""
    return st.just(0.0) | st.floats(1e-15, most)


@pytest.mark.slow
@settings(max_examples=30)
@given(part(1), part(1), part(1), part(3), part(1))
def test_what_is_additional_is_the_formula(
    leak: float, displaced: float, substituted: float, more: float, anyway: float
) -> None:
    parts = {
        "leakage": leak,
        "displacement": displaced,
        "substitution": substituted,
        "multiplier": more,
        "deadweight": anyway,
    }
    reading = {**PLAIN["benefits"]["reading"], "additionality": parts}
    a = appraise(project_from({**PLAIN, "benefits": {"reading": reading}}), draws=1)
    by_hand = 3000 * (1 - leak) * (1 - displaced) * (1 - substituted) * more * (1 - anyway)
    assert worth(a, "social") == pytest.approx(by_hand * ANNUITY, abs=1e-6)


def test_draws_approach_what_is_known(made: Callable[..., Project]) -> None:
    """Mean and variance of a sum of products of independent numbers, worked out by formula."""
    project = made(
        costs__room__amount={"triangular": [800, 1000, 1500]},
        benefits__reading__people={"pert": [60, 100, 180]},
        benefits__reading__value={"lognormal": [30, 6]},
        benefits__reading__additionality={"uniform": [0.2, 0.8]},
    )
    a = appraise(project, draws=200_000, seed=7)
    parts = [(60 + 4 * 100 + 180) / 6, 30.0, 0.5]
    pert = (parts[0] - 60) * (180 - parts[0]) / 7
    spread = [pert, 36.0, 0.36 / 12]
    gain = math.prod(parts)
    gain_variance = math.prod(m * m + v for m, v in zip(parts, spread, strict=True)) - gain**2
    cost, cost_variance = 1100.0, (800**2 + 1000**2 + 1500**2 - 800e3 - 1200e3 - 1500e3) / 18
    mean = (gain - cost) * ANNUITY
    sd = math.sqrt(gain_variance + cost_variance) * ANNUITY
    error = sd / math.sqrt(200_000)
    assert worth(a, "npsv") == pytest.approx(mean)
    assert a.measures["npsv"].mean == pytest.approx(mean, abs=4 * error)
    assert float(a.npsv_draws.std()) == pytest.approx(sd, rel=0.02)
    # By itself an input causes (product of the others' means)^2 x its variance.
    shares = {s.input.name: s.share for s in a.swings}
    for name, k in (("reading.people", 0), ("reading.value", 1), ("reading.additionality", 2)):
        alone = spread[k] * (gain / parts[k]) ** 2
        assert shares[name] == pytest.approx(alone / (gain_variance + cost_variance), rel=0.03)
    of_cost = cost_variance / (gain_variance + cost_variance)
    assert shares["room.amount"] == pytest.approx(of_cost, rel=0.03)


def test_worth_it_counts_draws_above_one(made: Callable[..., Project]) -> None:
    """Additionality uniform on 0..1 against an even share of 1/3: two draws in three."""
    a = appraise(made(benefits__reading__additionality={"uniform": [0, 1]}), draws=50_000)
    assert a.worth_it == pytest.approx(2 / 3, abs=0.01)
    assert a.measures["bcr"].low == pytest.approx(0.025 * 3, abs=0.01)
    assert a.measures["bcr"].high == pytest.approx(0.975 * 3, abs=0.02)


def test_a_seed_gives_the_same_and_an_input_more_leaves_the_other_draws(
    made: Callable[..., Project],
) -> None:
    unsure = {"benefits__reading__people": {"uniform": [50, 150]}}
    one, two = (appraise(made(**unsure), draws=500, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.npsv_draws, two.npsv_draws)
    assert not np.array_equal(
        one.npsv_draws, appraise(made(**unsure), draws=500, seed=4).npsv_draws
    )
    more = appraise(made(**unsure, costs__room__amount={"uniform": [999, 1001]}), draws=500, seed=3)
    assert np.abs(more.npsv_draws - one.npsv_draws).max() <= ANNUITY


def test_correlation_widens_what_goes_together(made: Callable[..., Project]) -> None:
    unsure = {
        "benefits__reading__people": {"normal": [100, 20], "within": [0, 1000]},
        "benefits__reading__value": {"normal": [30, 6], "within": [0, 1000]},
    }
    spread = {
        rho: appraise(
            made(
                **unsure,
                correlations=[{"between": ["reading.people", "reading.value"], "of": rho}],
            ),
            draws=20_000,
        ).npsv_draws.std()
        for rho in (-0.9, 0.0, 0.9)
    }
    apart = appraise(made(**unsure), draws=20_000).npsv_draws.std()
    assert spread[-0.9] < 0.5 * apart
    assert spread[0.0] == pytest.approx(apart, rel=0.02)
    assert spread[0.9] == pytest.approx(apart * math.sqrt(1.9), rel=0.05)


def test_fiscal_social_and_transfers_are_kept_apart(made: Callable[..., Project]) -> None:
    fiscal = {**PLAIN["benefits"]["reading"], "claims": "health_service_cost", "value": 8}
    transfer = {**fiscal, "claims": "welfare_payments", "value": 6, "transfer": True}
    a = appraise(made(benefits__saved=fiscal, benefits__paid=transfer), draws=1)
    assert worth(a, "fiscal") == pytest.approx(400 * ANNUITY)
    assert worth(a, "transfers") == pytest.approx(300 * ANNUITY)
    assert worth(a, "fiscal_return") == pytest.approx(0.7)
    assert worth(a, "bcr") == pytest.approx(1.9)  # transfers are not in it
    assert worth(a, "npsv") == pytest.approx(900 * ANNUITY)


def test_costs_of_others_lessen_the_benefits_and_not_the_divisor(
    made: Callable[..., Project],
) -> None:
    others = {**PLAIN["costs"]["room"], "amount": 200, "paid_by": "others"}
    a = appraise(made(costs__time=others), draws=1)
    assert worth(a, "bcr") == pytest.approx(1.3)
    assert worth(a, "npsv") == pytest.approx(300 * ANNUITY)
    assert worth(a, "public_cost") == pytest.approx(1000 * ANNUITY)


def test_welfare_weights_stand_beside_the_unweighted(made: Callable[..., Project]) -> None:
    incomes = {"median": 30_000, "groups": {"poor": 15_000, "rich": 60_000}, "source": "made up"}
    a = appraise(
        made(incomes=incomes, benefits__reading__distribution={"poor": 0.75, "rich": 0.25}), draws=1
    )
    weight = 0.75 * welfare_weight(2, 1, 1.3) + 0.25 * welfare_weight(1, 2, 1.3)
    assert worth(a, "bcr") == pytest.approx(1.5)
    assert worth(a, "bcr_weighted") == pytest.approx(1.5 * weight)
    assert worth(a, "npsv_weighted") == pytest.approx((1500 * weight - 1000) * ANNUITY)
    assert any("Incomes of the groups: not verified" in line for line in a.assumptions)


def test_a_wellby_has_no_welfare_weight(made: Callable[..., Project]) -> None:
    """A point of life satisfaction counts the same whoever has it; the weight is of money."""
    a = appraise(
        made(
            incomes={"median": 30_000, "groups": {"poor": 15_000}, "source": "made up"},
            benefits__reading__claims="life_satisfaction",
            benefits__reading__value=None,
            benefits__reading__wellby=True,
            benefits__reading__distribution={"poor": 1},
        ),
        draws=1,
    )
    assert worth(a, "npsv") == worth(a, "npsv_weighted")
    assert a.worth_it_weighted is None


def test_prices_of_other_years_are_brought_to_one(made: Callable[..., Project]) -> None:
    deflators = {"index": {2015: 80, 2019: 100}, "source": "made up"}
    a = appraise(made(deflators=deflators, costs__room__price_year=2015), draws=1)
    assert worth(a, "public_cost") == pytest.approx(1250 * ANNUITY)


def test_works_that_take_longer_put_off_what_waits_for_them(made: Callable[..., Project]) -> None:
    """Four years planned, 25% longer: a year late, so a year's benefits and running costs are lost."""
    works = {"years": 4, "optimism_bias": {"category": "non_standard_civil_engineering"}}
    building = {
        "label": "B",
        "kind": "capital",
        "amount": 5000,
        "years": 0,
        "optimism_bias": "none",
    }
    a = appraise(made(works=works, costs__building=building), draws=1)
    late = ANNUITY - 1
    assert line(a, "reading").present.expected == pytest.approx(1500 * late)
    assert line(a, "room").present.expected == pytest.approx(1000 * late)
    assert line(a, "building").present.expected == 5000
    now = appraise(
        made(works=works, costs__building=building, benefits__reading__after_works=False), draws=1
    )
    assert line(now, "reading").present.expected == pytest.approx(1500 * ANNUITY)


def test_part_of_a_year_late_is_between(made: Callable[..., Project]) -> None:
    works = {"years": 2, "optimism_bias": {"category": "non_standard_civil_engineering"}}
    a = appraise(made(works=works), draws=1)
    assert line(a, "reading").present.expected == pytest.approx(1500 * (ANNUITY - 0.5))


def test_optimism_bias_goes_to_the_kind_of_cost(made: Callable[..., Project]) -> None:
    mix = {"mix": {"non_standard_buildings": 0.3, "standard_buildings": 0.7}}
    building = {"label": "B", "kind": "capital", "amount": 1000, "years": 0, "optimism_bias": mix}
    a = appraise(made(costs__building=building, costs__room__optimism_bias="outsourcing"), draws=1)
    assert line(a, "building").present.expected == pytest.approx(1321)
    assert line(a, "room").present.expected == pytest.approx(1410 * ANNUITY)
    plain = {**building, "optimism_bias": {"category": "none", "why": "a fixed price"}}
    a = appraise(made(costs__building=plain), draws=1)
    assert "Cost “B”: no optimism bias is added; a fixed price." in a.assumptions


@pytest.mark.parametrize("name", shipped_projects())
def test_years_add_up_to_the_whole(name: str) -> None:
    """Year by year times the discount factors is the present value, and without them the plain sum."""
    a = appraise(load_project(name), draws=10)
    for r in a.lines:
        flow = a.by_year[r.line.name]
        assert flow.sum() == pytest.approx(r.plain)
        assert flow @ a.factors == pytest.approx(r.present.expected)


def test_a_year_late_is_seen_in_the_years(made: Callable[..., Project]) -> None:
    works = {"years": 2, "optimism_bias": {"category": "non_standard_civil_engineering"}}
    a = appraise(made(works=works), draws=1)
    np.testing.assert_allclose(a.by_year["reading"], [750, *[1500] * 9])


def test_over_budget_counts_draws(made: Callable[..., Project]) -> None:
    """Ten years at 500 to 1,500, a budget of 12,500: a quarter of the draws is above."""
    project = made(costs__room__amount={"uniform": [500, 1500]}, budget=12_500)
    assert appraise(project, draws=20_000).over_budget == pytest.approx(0.25, abs=0.01)
    assert appraise(made(), draws=10).over_budget is None


def test_works_are_those_of_the_lines_and_of_the_parameters_that_are_used() -> None:
    assert appraise(load_project("frontier-per-million"), draws=1).works == (
        "frontier-2021",
        "green-book-2022",
    )
    hub = appraise(load_project("community-hub"), draws=1).works
    assert {"villa-2024", "wellbeing-guidance-2021", "optimism-bias-2013"} <= set(hub)


def test_what_is_verified_is_not_listed_as_assumed(made: Callable[..., Project]) -> None:
    a = appraise(made(costs__room__verified=True, benefits__reading__verified=True), draws=1)
    assert a.assumptions == ()


def test_that_the_discount_rate_of_wellbeing_is_a_choice_is_said_with_what_it_does() -> None:
    """Between the amount as discounted and the one without lies that of any lower rate: 1.5% by hand."""
    a = appraise(load_project("community-hub"), draws=10)
    (said,) = (line for line in a.assumptions if line.startswith("Life satisfaction is discounted"))
    users = next(r for r in a.lines if r.line.name == "users")
    assert (
        f"It comes to {money(users.present.expected)} so, and to {money(users.plain)} without"
        in said
    )
    assert "at 3.5% a year at first" in said
    assert "That is a choice" in said
    flow = a.by_year["users"]
    lower = float(sum(x / 1.015**year for year, x in enumerate(flow)))
    assert users.present.expected < lower < users.plain
    no_wellby = appraise(load_project("by-hand"), draws=10)
    assert not any("Life satisfaction is discounted" in line for line in no_wellby.assumptions)


def test_no_number_is_claimed_of_a_green_book_that_was_not_read() -> None:
    parameters = load_parameters()
    assert "could be read, so no number here is theirs" in parameters.note
    assert [step.rate for step in parameters.discount.steps] == [0.035, 0.03, 0.025]
