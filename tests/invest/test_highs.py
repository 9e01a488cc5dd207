"""The door to HiGHS: known answers, prices, silence, and callers in several threads."""

from __future__ import annotations

import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.sparse import csr_array

from commonweal.errors import CommonwealError
from commonweal.invest import solver as highs
from commonweal.invest.solver import MipProblem, MipResult, TimeLimit, run_mip, time_limit

if TYPE_CHECKING:
    from collections.abc import Iterator


def knapsack(whole: bool) -> MipResult:
    """Worth 6, 5 and 4 for 3, 2 and 3 of a room of 5: the first two whole, with nothing left over."""
    room = csr_array(np.array([[3.0, 2.0, 3.0]]))
    worth, none, full = np.array([-6.0, -5.0, -4.0]), np.array([-np.inf]), np.array([5.0])
    return run_mip(MipProblem(worth, room, none, full, np.ones(3), np.full(3, whole)))


def hard(clock: TimeLimit) -> MipResult:
    """A market split: small, and out of reach of branch and bound for minutes."""
    generator = np.random.default_rng(5)
    parts = generator.integers(0, 100, (5, 40)).astype(float)
    halves = np.floor(parts.sum(axis=1) / 2)
    n = parts.shape[1]
    matrix = csr_array(np.hstack([parts, np.eye(5), -np.eye(5)]))
    cost = np.concatenate([np.zeros(n), np.ones(10)])
    upper = np.concatenate([np.ones(n), np.full(10, np.inf)])
    whole = np.concatenate([np.ones(n, np.bool_), np.zeros(10, np.bool_)])
    return run_mip(MipProblem(cost, matrix, halves, halves, upper, whole), clock=clock)


def test_a_knapsack_by_hand() -> None:
    found = knapsack(whole=True)
    assert found.state == "optimal"
    assert found.value == pytest.approx([1, 1, 0])
    assert (found.cost, found.bound) == pytest.approx((-11, -11))
    assert found.reduced is None


def test_prices_of_a_linear_programme_by_hand() -> None:
    """Room for 6: a third of the last is taken, so room costs 4/3, and the first two are worth 2 and 7/3 more."""
    room = csr_array(np.array([[3.0, 2.0, 3.0]]))
    worth, none, full = np.array([-6.0, -5.0, -4.0]), np.array([-np.inf]), np.array([6.0])
    found = run_mip(MipProblem(worth, room, none, full, np.ones(3), np.zeros(3, np.bool_)))
    assert found.cost == pytest.approx(-11 - 4 / 3)
    assert found.reduced == pytest.approx([-2, -7 / 3, 0])


def test_what_cannot_be_is_infeasible_and_what_has_no_end_is_refused() -> None:
    one = csr_array(np.ones((1, 1)))
    two, endless, whole = np.array([2.0]), np.array([np.inf]), np.ones(1, np.bool_)
    never = run_mip(MipProblem(np.ones(1), one, two, endless, np.ones(1), whole))
    assert (never.state, never.value) == ("infeasible", None)
    with pytest.raises(CommonwealError, match="HiGHS could not solve a programme: Unbounded"):
        run_mip(MipProblem(-np.ones(1), one, np.zeros(1), endless, endless, ~whole))


def test_several_threads_get_their_own_answers() -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(knapsack, [True, False] * 12))
    assert {round(a.cost, 6) for a in answers} == {-11}


def test_an_interrupt_that_nobody_takes_note_of_stops_the_solver() -> None:
    from tests.waits import until  # not above: other processes have `hard` from here

    before = threading.active_count()
    timer = threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        hard(TimeLimit(3600))
    until(
        lambda: threading.active_count() <= before,
        "the thread of a solver that has heard",
    )


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """HiGHS that does not hear until the test is over."""
    over = threading.Event()

    def run(_: object, ended: threading.Event) -> None:
        over.wait(30)
        ended.set()

    monkeypatch.setattr(highs, "_run", run)
    monkeypatch.setattr(highs, "PATIENCE", 0.3)
    yield
    over.set()


@pytest.mark.usefixtures("unheard")
def test_an_interrupt_that_the_solver_does_not_hear_is_raised() -> None:
    threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        knapsack(whole=True)


@pytest.mark.usefixtures("unheard")
def test_a_first_interrupt_waits_and_says_so_once_a_second_does_not_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for moment in (0.2, 2.0):
        threading.Timer(moment, lambda: signal.raise_signal(signal.SIGINT)).start()
    with time_limit(3600) as clock, pytest.raises(KeyboardInterrupt):
        hard(clock)
    assert clock.interrupted
    assert clock.left() > 0
    (record,) = caplog.records
    assert re.fullmatch(
        r"stopping when the solver can, in 3,?\d+ seconds at most; Ctrl-C again stops without a result",
        record.getMessage(),
    )


def test_a_clock_that_is_interrupted_gives_the_best_so_far() -> None:
    clock = TimeLimit(3600)
    threading.Timer(0.5, lambda: setattr(clock, "interrupted", True)).start()
    found = hard(clock)
    assert found.state == "interrupted"
    assert found.value is not None
    assert found.bound < found.cost
