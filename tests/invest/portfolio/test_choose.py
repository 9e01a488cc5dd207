"""The best mix: by hand, by trying every one, and what must hold of any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.invest.portfolio.problems import best_by_trying, keeps, problem

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.portfolio import PortfolioProblem, Rules, optimise_mix
from commonweal.invest.portfolio import optimise as branch
from commonweal.invest.portfolio.optimise import need_met
from commonweal.invest.portfolio.plan import frontier

amounts = st.integers(0, 9).map(float)


@st.composite
def problems(draw: st.DrawFn) -> PortfolioProblem:
    a, i, o = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))

    def array(shape: tuple[int, ...], of: st.SearchStrategy[Any]) -> np.ndarray[Any, Any]:
        n = int(np.prod(shape))
        return np.array(draw(st.lists(of, min_size=n, max_size=n))).reshape(shape)

    return problem(
        array((a, i, o), st.sampled_from([-0.5, 0.0, 0.3, 0.7, 1.0])),
        people=array((a,), st.sampled_from([1.0, 3.0, 10.0])),
        need=array((a,), st.sampled_from([0.5, 1.0, 1.9])),
        capital=array((a, i), amounts),
        yearly=array((a, i), st.sampled_from([0.0, 1.0, 3.0])),
        lead=array((i,), st.sampled_from([0.0, 1.0])),
        lasts=array((i,), st.sampled_from([0.5, 1.0, 1.5, 3.0])),
        groups=draw(st.lists(st.sampled_from(["", "g"]), min_size=i, max_size=i)),
        measured=array((o,), st.booleans()),
        shortfall=array((a,), st.sampled_from([0.2, 0.6, np.inf])),
        authorities=["north", "south"][:a],
    )


rules_of = st.builds(
    Rules,
    budget=st.integers(1, 24).map(float),
    years=st.integers(1, 2),
    a_year=st.sampled_from([None, 6.0]),
    least_shares=st.sampled_from([{}, {"north": 0.3}]),
    starts_a_year=st.sampled_from([{}, {"i0": 1}]),
    most_each=st.sampled_from([None, 1, 2]),
    repeat=st.sampled_from([0.0, 0.5, 1.0]),
)


@pytest.mark.slow
@given(problems(), rules_of)
@settings(max_examples=120)
def test_no_mix_is_better_than_the_one_chosen(p: PortfolioProblem, rules: Rules) -> None:
    mix = optimise_mix(p, rules, gap=0)
    best = best_by_trying(p, rules)
    assert mix.met == pytest.approx(best, abs=1e-6)
    assert mix.bound == pytest.approx(best, abs=1e-4)
    assert keeps(p, rules, mix.start)


@given(problems(), rules_of)
@settings(max_examples=60)
def test_prices_of_the_linear_programme_lose_nothing(p: PortfolioProblem, rules: Rules) -> None:
    few = branch._FEW
    branch._FEW = 1  # one start is tried first, and the rest by price
    try:
        mix = optimise_mix(p, rules, gap=0)
    finally:
        branch._FEW = few
    assert mix.met == pytest.approx(best_by_trying(p, rules), abs=1e-6)
    assert mix.bound >= mix.met - 1e-9


@given(problems(), rules_of, st.integers(0, 12))
@settings(max_examples=60)
def test_more_money_never_meets_less(p: PortfolioProblem, rules: Rules, more: int) -> None:
    richer = replace(rules, budget=rules.budget + more)
    assert optimise_mix(p, richer, gap=0).met >= optimise_mix(p, rules, gap=0).met - 1e-6


@given(problems(), rules_of)
@settings(max_examples=40)
def test_the_frontier_rises_and_its_bounds_hold(p: PortfolioProblem, rules: Rules) -> None:
    points = frontier(p, rules, (0.5, 1, 2), gap=0.2)
    met = [q.mix.met for q in points]
    assert met == sorted(met)
    for q in points:
        assert q.mix.bound >= best_by_trying(p, rules.scaled(q.budget / rules.budget)) - 1e-4


@given(problems(), rules_of, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_places_does_not_matter(
    p: PortfolioProblem, rules: Rules, random: Any
) -> None:
    order = list(range(len(p.codes)))
    random.shuffle(order)
    turned = replace(
        p,
        authorities=tuple(p.authorities[k] for k in order),
        **{n: getattr(p, n)[order] for n in ("people", "need", "capital", "yearly", "gains", "shortfall")},
    )  # fmt: skip
    assert optimise_mix(turned, rules, gap=0).met == pytest.approx(
        optimise_mix(p, rules, gap=0).met, abs=1e-6
    )


def test_a_mix_by_hand() -> None:
    """Ten people and thirty; a club gains 0.2, a hub 0.5 a year. 100 pounds and three years.

    A club costs 10 at the start and 10 a year: 40 for three years, and gains 0.6 a person: 6 in the small
    place, 18 in the large one. A hub costs 50 and 5 a year and works from the second year: 60, gaining 1.0 a
    person: 10 and 30. Both in the large place cost 100; they act on one outcome, so the weaker counts half:
    30 + 9 = 39. A hub there and a club in the small place: 30 + 6 = 36.
    """
    p = problem(
        [[[0.2], [0.5]], [[0.2], [0.5]]],
        people=[10, 30],
        capital=[10, 50],
        yearly=[10, 5],
        lead=[0, 1],
    )
    mix = optimise_mix(p, Rules(100, 3), gap=0)
    assert mix.met == pytest.approx(39)
    assert mix.start.tolist() == [[-1, -1], [0, 0]]
    assert mix.spent.tolist() == [70, 15, 15]
    # Where repeats count nothing, the second place is worth more.
    alone = optimise_mix(p, Rules(100, 3, repeat=0), gap=0)
    assert alone.met == pytest.approx(36)
    assert alone.start.tolist() == [[0, -1], [-1, 0]]
    # Excluding each other does the same.
    apart = optimise_mix(replace(p, groups=("building", "building")), Rules(100, 3), gap=0)
    assert apart.met == pytest.approx(36)


def test_what_is_measured_ends_at_the_shortfall() -> None:
    """One is short of 0.4 standard deviations, so 0.3 + 0.3 meets 0.4 a year, and 0.3 is nearly as good."""
    p = problem([[[0.3, 0], [0, 0.3]]], measured=True, shortfall=0.4)
    both = np.zeros((1, 2), dtype=np.intp)
    assert need_met(p, both, Rules(9, 1)).tolist() == pytest.approx([0.4])
    stated = replace(p, measured=np.array([True, False]))
    assert need_met(stated, both, Rules(9, 1)).tolist() == pytest.approx([0.6])
    assert optimise_mix(p, Rules(2, 1), gap=0).met == pytest.approx(0.4)


def test_harm_counts_whole_whatever_else_is_done() -> None:
    p = problem([[[1.0, -0.5], [0.8, -0.5]]])
    both = np.zeros((1, 2), dtype=np.intp)
    assert need_met(p, both, Rules(9, 1)).tolist() == pytest.approx([1.0 + 0.4 - 1.0])
    assert optimise_mix(p, Rules(9, 1), gap=0).chosen.tolist() == [[True, False]]


def test_an_intervention_that_ends_within_a_year_is_paid_and_counted_for_the_part() -> None:
    p = problem([[[1.0]]], capital=2, yearly=4, lead=1, lasts=1.5)
    assert p.working(4)[0, 0].tolist() == [0, 1, 0.5, 0]
    assert p.spent(np.array([[0]]), 4)[0, 0].tolist() == [2, 4, 2, 0]
    assert need_met(p, np.array([[0]]), Rules(9, 4)).tolist() == [1.5]
    # Begun in the last year it would not work within the years, so it is not begun.
    assert p.working(4)[3, 0].sum() == 0


def test_many_places_are_chosen_to_within_the_proven_gap() -> None:
    generator = np.random.default_rng(7)
    p = problem(
        generator.uniform(0, 0.2, (60, 4, 3)),
        people=generator.uniform(1000, 9000, 60),
        capital=generator.uniform(1, 9, (60, 4)),
        yearly=generator.uniform(0.1, 1, (60, 4)),
    )
    rules = Rules(200, 8, a_year=60, starts_a_year={"i0": 3})
    mix = optimise_mix(p, rules, gap=5e-3)
    assert 0 < mix.gap <= 5e-3 + 1e-9
    assert keeps(p, rules, mix.start, 1e-4)
    # Money buys most where need met for a pound is highest: no greedy mix is better.
    assert mix.met >= _greedy(p, rules)


def _greedy(p: PortfolioProblem, rules: Rules) -> float:
    start = np.full((len(p.codes), len(p.interventions)), -1, dtype=np.intp)
    ratio = (p.gains.sum(axis=2) * p.weight[:, None]) / (p.capital + rules.years * p.yearly)
    for at in np.argsort(-ratio, axis=None):
        a, i = np.unravel_index(at, ratio.shape)
        for year in range(rules.years):
            trial = start.copy()
            trial[a, i] = year
            if keeps(p, rules, trial):
                start = trial
                break
    return float(need_met(p, start, rules).sum())


def test_nothing_is_printed_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(3)
    p = problem(generator.uniform(0, 0.2, (40, 3, 2)), capital=generator.uniform(1, 9, (40, 3)))
    print("before")
    optimise_mix(p, Rules(50, 6, a_year=20))
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget": 0}, "budget: found 0; expected pounds above 0"),
        ({"budget": -5}, "budget: found -5"),
        ({"budget": float("nan")}, "budget: found nan"),
        ({"a_year": 0}, "a year: found 0"),
        ({"years": 0}, "years: found 0; expected 1 to 50"),
        ({"repeat": 1.5}, "repeat: found 1.5"),
        ({"most_each": 0}, "most each: found 0"),
        ({"starts_a_year": {"i0": -1}}, "starts a year of i0: found -1"),
        ({"least_shares": {"north": 1.2}}, "least share of north: found 1.2"),
        ({"least_shares": {"north": 0.7, "south": 0.6}}, "add up to 1.3; expected 1 at most"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CommonwealError, match=said):
        Rules(**{"budget": 10.0, **change})


def test_rules_that_name_what_is_not_there_are_refused() -> None:
    p = problem([[[1.0]]])
    with pytest.raises(UnknownNameError, match="did you mean 'north'"):
        optimise_mix(p, Rules(9, 1, least_shares={"nort": 0.5}))
    with pytest.raises(UnknownNameError, match="intervention 'hub' not found"):
        optimise_mix(p, Rules(9, 1, starts_a_year={"hub": 1}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"capital": np.array([[-1.0]])}, "capital: found -1; expected 0 or more"),
        ({"yearly": np.array([[-0.5]])}, "yearly: found -0.5"),
        ({"people": np.array([np.nan])}, "people: 1 missing"),
        ({"codes": ()}, "no neighbourhoods"),
        ({"interventions": ()}, "no interventions"),
        ({"lead": np.zeros(2)}, r"lead: shape \(2,\); expected \(1,\)"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        replace(problem([[[1.0]]]), **change)


def test_a_frontier_without_budgets_is_refused() -> None:
    with pytest.raises(CommonwealError, match="shares of the budget"):
        frontier(problem([[[1.0]]]), Rules(9, 1), [0.0, 1.0])
