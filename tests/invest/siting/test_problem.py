"""What makes no sense is refused with the row, what was found and what was expected; what stops early says so."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import nullcontext

import numpy as np
import pytest

from commonweal.access import Reach
from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.siting import Goal, SitingProblem, problem_from_matrix, solve
from commonweal.invest.siting.problem import problem_from_reach
from commonweal.invest.solver import TimeLimit


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distance": [[1.0, np.nan]]}, "distance nan from demand point 1 to site 2"),
        ({"distance": [[1.0, -2.0]]}, "distance -2 from demand point 1 to site 2"),
        ({"cost": [1.0, -5.0]}, "site 2 has cost -5; expected 0 or more"),
        ({"cost": [1.0]}, "expected one for each of 2 sites"),
        ({"people": [-1.0]}, "demand point 1 has .* -1"),
        ({"people": [np.nan]}, "demand point 1 has .* nan"),
        ({"people": [0.0]}, "the weight of every demand point is 0"),
        ({"people": [1.0, 2.0]}, "people for 2 of 1 demand points"),
        ({"existing": [True, True]}, "no candidate sites"),
        ({"capacity": [1.0, np.nan]}, "site 2 has capacity nan"),
        ({"limit": 0.0}, "limit: 0 found"),
        ({"distance": np.empty((1, 0)), "cost": []}, "no candidate sites"),
        ({"distance": np.empty((0, 2)), "people": []}, "no demand points"),
    ],
)
def test_bad_input(change, message):
    given = {"distance": [[1.0, 2.0]], "people": [10.0]} | change
    with pytest.raises(DataError, match=message):
        problem_from_matrix(given.pop("distance"), given.pop("people"), **given)


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        ({"model": "p_median", "sites": 0}, "sites: 0 found; expected 1 or more"),
        ({"model": "p_median", "budget": 0}, "budget: 0 found; expected more than 0"),
        ({"model": "p_median", "budget": -1}, "budget: -1 found"),
        ({"model": "p_median", "budget": np.nan}, "budget: nan found"),
        ({"model": "p_median"}, "expected a number of sites, a budget or both"),
        ({"model": "set_covering", "sites": 3}, "expected neither"),
        ({"model": "maximal_covering", "sites": 1, "within": -3}, "within: -3 found"),
    ],
)
def test_bad_goals(goal, message):
    with pytest.raises(DataError, match=message):
        Goal(**goal)


def test_an_unknown_model_or_method_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'p_median'"):
        Goal("p-median", 1)
    problem = problem_from_matrix([[1.0]], [1])
    with pytest.raises(UnknownNameError, match="did you mean 'exact'"):
        solve(problem, Goal("p_median", 1), method="exakt")
    with pytest.raises(DataError, match="seconds: 0 found"):
        solve(problem, Goal("p_median", 1), seconds=0)
    with pytest.raises(DataError, match="gap: 1 found"):
        solve(problem, Goal("p_median", 1), gap=1)


def test_more_sites_than_candidates():
    problem = problem_from_matrix([[1.0, 2.0, 3.0]], [1], existing=[False, False, True])
    with pytest.raises(
        DataError, match="sites: 3 asked for; expected no more than the 2 candidates"
    ):
        solve(problem, Goal("p_median", 3))


def test_a_budget_below_the_cheapest_says_what_that_costs():
    problem = problem_from_matrix([[1.0, 2.0]], [1], cost=[70, 50])
    for model in ("p_median", "maximal_covering", "p_center"):
        with pytest.raises(DataError, match=r"budget: 40 buys none of 2 .* cheapest costs 50"):
            solve(problem, Goal(model, budget=40))


def test_a_network_in_two_parts():
    """Two towns without a way between them, and a farm that nothing leads to."""
    apart = np.inf
    problem = problem_from_matrix([[1.0, apart], [apart, 2.0], [apart, apart]], [10, 20, 5])
    assert problem.beyond().tolist() == [False, False, True]
    with pytest.raises(
        DataError, match="no site is within 2 m of 1 of 3 demand points, the first is 3"
    ):
        solve(problem, Goal("p_center", 2))
    assert solve(problem, Goal("set_covering")).chosen.tolist() == [0, 1]
    assert solve(problem, Goal("maximal_covering", 2)).objective == 30
    median = solve(problem, Goal("p_median", 1))  # out of reach counts as at the limit of 2
    assert (median.chosen.tolist(), median.objective) == ([0], 10 * 1 + 20 * 2 + 5 * 2)
    assert median.by_point()["site"].to_list() == [0, None, None]
    two_towns = problem_from_matrix([[1.0, apart], [apart, 2.0]], [10, 20])
    with pytest.raises(DataError, match="1 sites can't bring everyone within 2 m"):
        solve(two_towns, Goal("p_center", 1))
    assert solve(two_towns, Goal("p_center", 2)).objective == 2


def test_equity_moves_a_place_to_those_in_need():
    reach = Reach(2, 2, np.array([0, 1, 2]), np.array([0, 1], np.int32), np.zeros(2), 500.0, "")
    for equity, best in ((0.0, 0), (1.0, 1)):
        problem = problem_from_reach(reach, [120, 100], need=[0.5, 1.5], equity=equity)
        assert solve(problem, Goal("maximal_covering", 1)).chosen.tolist() == [best]
    with pytest.raises(DataError, match="equity: -1 found"):
        problem_from_reach(reach, [1, 1], equity=-1)


def test_the_parts_of_a_problem_have_to_fit():
    fits = problem_from_matrix([[1.0, 2.0]], [1])
    parts = {name: getattr(fits, name) for name in SitingProblem.__slots__}
    for name, wrong, message in (
        ("starts", np.array([0, 1]), "starts do not divide"),
        ("site", np.array([0, 2], np.int32), "not one of the 2"),
        ("distance", np.array([2.0, 1.0]), "do not ascend"),
        ("distance", np.array([1.0, 3.0]), "distance 3 from demand point 1 to site 2"),
    ):
        with pytest.raises(DataError, match=message):
            SitingProblem(**{**parts, name: wrong})


def test_nothing_to_gain():
    problem = problem_from_matrix([[0.0, 3.0]], [5], existing=[True, False])
    for model in ("p_median", "maximal_covering", "set_covering", "p_center"):
        goal = Goal(model) if model == "set_covering" else Goal(model, 1)
        found = solve(problem, goal)
        assert (found.proven, found.chosen.tolist(), found.gap) == (True, [], 0.0)


def hard(n: int = 2500, m: int = 900) -> SitingProblem:
    """Many sites that each cover much: nothing closes the gap soon."""
    rng = np.random.default_rng(0)
    people, sites = rng.random((n, 2)), rng.random((m, 2))
    apart = np.hypot(*(people[:, None] - sites[None]).transpose(2, 0, 1))
    return problem_from_matrix(apart, rng.integers(1, 50, n), limit=0.12)


class Looks(TimeLimit):
    """A clock that goes on by a second each time it is looked at, on any machine."""

    looks = 0

    def spent(self) -> float:
        self.looks += 1
        return float(self.looks)


@pytest.mark.slow
def test_when_time_is_up_the_gap_is_said(monkeypatch):
    module = sys.modules["commonweal.invest.siting.solve"]
    monkeypatch.setattr(module, "time_limit", lambda seconds: nullcontext(Looks(seconds)))
    told = []
    found = solve(
        hard(),
        Goal("maximal_covering", 18),
        seconds=300,
        progress=lambda *a: told.append(a),
    )
    assert found.ended == "time"
    assert not found.proven
    assert found.objective < found.bound < 1.2 * found.objective
    assert found.gap == pytest.approx(found.bound / found.objective - 1)
    objectives, bounds, seconds = zip(*told, strict=True)
    assert list(objectives) == sorted(objectives)
    assert list(bounds) == sorted(bounds, reverse=True)
    assert list(seconds) == sorted(seconds)


INTERRUPTED = """
import sys
sys.path.insert(0, {folder!r})
from test_problem import hard
from commonweal.invest.siting import Goal, solve
goal = Goal({model!r}, 18) if {model!r} != "set_covering" else Goal({model!r})
first = []
def told(objective, bound, seconds):
    if not first:
        first.append(seconds)
        print("begun", flush=True)
found = solve({problem}, goal, seconds=3600, progress=told)
print(found.ended, found.proven, len(found.chosen), found.gap > 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to one process alone")
@pytest.mark.parametrize(
    ("model", "problem"), [("maximal_covering", "hard()"), ("set_covering", "hard(1200, 500)")]
)
def test_ctrl_c_gives_the_best_so_far(model, problem):
    from pathlib import Path

    from tests.waits import started  # not above: the process has `hard` from here

    code = INTERRUPTED.format(folder=str(Path(__file__).parent), model=model, problem=problem)
    with started([sys.executable, "-c", code]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    ended, proven, n_chosen, doubt = out.split()
    assert (ended, proven, doubt) == ("interrupted", "False", "True")
    assert int(n_chosen) >= 18
