"""Linear and integer programmes in HiGHS: a time limit, Ctrl-C, and nothing found so far lost."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.files.extras import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Floats = NDArray[np.float64]
    Tell = Callable[[float, float], None]


class TimeLimit:
    """How long there is."""

    def __init__(self, seconds: float) -> None:
        self.began = time.perf_counter()
        self.seconds = seconds
        self.interrupted = False

    def up(self) -> bool:
        """Whether to stop: time is up, or there was an interrupt."""
        return self.interrupted or self.left() <= 0

    def left(self) -> float:
        """Give the seconds that are left."""
        return self.seconds - self.spent()

    def spent(self) -> float:
        """Give the seconds since it began."""
        return time.perf_counter() - self.began


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Give a clock that the first Ctrl-C stops; a second one interrupts as ever.

    Python raises an interrupt wherever it is, in compiled code too, which then fails in its own way. So the first
    is only noted. In threads other than the main one nothing changes.
    """
    clock = TimeLimit(seconds)
    if threading.current_thread() is not threading.main_thread():
        yield clock
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        if clock.interrupted:
            signal.default_int_handler(number, frame)
        clock.interrupted = True

    if before is not signal.default_int_handler:  # somebody else minds interrupts
        yield clock
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield clock
    finally:
        signal.signal(signal.SIGINT, before)


PATIENCE = 3.0
"""Seconds in which HiGHS is thought to hear that it should stop."""

_LOG = logging.getLogger(__name__)
_WAITS = (
    "stopping when the solver can, in %.0f seconds at most; Ctrl-C again stops without a result"
)
_FAULTS = {
    "kNotset",
    "kLoadError",
    "kModelError",
    "kPresolveError",
    "kSolveError",
    "kPostsolveError",
    "kUnbounded",
}


@dataclass(frozen=True, slots=True)
class MipProblem:
    """Minimise ``cost @ x`` where ``low <= matrix @ x <= high`` and ``lower <= x <= upper``."""

    # cost, upper, lower: (n,) of each column; 0 is the least if not given
    cost: Floats
    # matrix, low, high: (m, n) of the rows, and (m,) what each may come to
    matrix: csr_array
    low: Floats
    high: Floats
    upper: Floats
    whole: NDArray[np.bool_]  # (n,) whether a column must be a whole number
    lower: Floats | None = None


@dataclass(frozen=True, slots=True)
class MipResult:
    """What HiGHS says."""

    # ``optimal``, ``infeasible``, ``time`` or ``interrupted``
    state: Literal["optimal", "infeasible", "time", "interrupted"]
    value: Floats | None  # (n,) of the best solution; None if there is none
    # cost, bound: of that solution (infinite without one), and of all
    cost: float
    bound: float
    # (n,) what a unit more of each would add to the cost; None unless nothing is whole and it is optimal
    reduced: Floats | None = None


def run_mip(
    problem: MipProblem,
    *,
    start: Floats | None = None,
    clock: TimeLimit | None = None,
    gap: float = 0.0,
    tell: Tell | None = None,
) -> MipResult:
    """Solve a problem, from a start if there is one, until the gap is met or time is up.

    Nothing is printed. HiGHS runs in a thread of its own, so that Ctrl-C is heard; and as its pool of workers belongs
    to the thread that calls it, callers in several threads, or with another number of workers, don't meet.

    HiGHS can't be stopped in the first linear programme of an integer one, but by its time. A clock that took note of
    Ctrl-C waits for that, and a warning is logged. Ctrl-C that no clock takes note of, as a second one, is raised all
    the same: HiGHS then goes on in its thread until it hears, or its time is up.
    """
    highspy, whole = load_highs(), problem.whole
    h = highspy.Highs()
    for name, setting in (("output_flag", False), ("mip_rel_gap", gap), ("mip_abs_gap", 0.0)):
        h.setOptionValue(name, setting)
    if clock is not None:
        h.setOptionValue("time_limit", max(clock.left(), 0.0))
    h.passModel(_model(highspy, problem))
    if start is not None:
        known = np.flatnonzero(~np.isnan(start)).astype(np.int32)
        h.setSolution(len(known), known, start[known])
    stop = threading.Event()
    looks = h.cbMipInterrupt if whole.any() else h.cbSimplexInterrupt
    looks += _looking(stop, tell)
    # An event, since Thread.join() takes a thread for ended once it was interrupted (Python 3.11).
    ended = threading.Event()
    # Not a daemon: Python waits for it at the end, as a process that ends while HiGHS runs can be aborted.
    threading.Thread(target=_run, args=(h, ended), name="HiGHS").start()
    try:
        while not ended.wait(0.1):
            if clock is not None and clock.interrupted and not stop.is_set():
                stop.set()
                if not ended.wait(PATIENCE):
                    _LOG.warning(_WAITS, max(clock.left(), 0.0))
    except BaseException:
        if not stop.is_set():
            stop.set()
            ended.wait(PATIENCE)
        raise
    status, info = h.getModelStatus(), h.getInfo()
    if status.name in _FAULTS:
        raise CommonwealError(f"HiGHS could not solve a programme: {h.modelStatusToString(status)}")
    if status in (
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
    ):
        return MipResult("infeasible", None, np.inf, np.inf)
    optimal = status == highspy.HighsModelStatus.kOptimal
    found = info.primal_solution_status == 2  # feasible
    value = np.array(h.getSolution().col_value) if found else None
    reached = float(info.objective_function_value) if found else np.inf
    bound = float(info.mip_dual_bound) if whole.any() else (reached if optimal else -np.inf)
    state: Literal["optimal", "time", "interrupted"] = (
        "optimal" if optimal else "interrupted" if stop.is_set() else "time"
    )
    priced = optimal and not whole.any()
    reduced = np.array(h.getSolution().col_dual) if priced else None
    return MipResult(state, value, reached, min(bound, reached), reduced)


def _run(h: Any, ended: threading.Event) -> None:
    """Solve. `Highs.startSolve` has one lock for all of a process, and refuses a second thread."""
    try:
        h.run()
        h.resetGlobalScheduler(False)
    finally:
        ended.set()


def _looking(stop: threading.Event, tell: Tell | None) -> Callable[[Any], None]:
    """Tell cost and bound when they are others than before, and stop when that is asked for."""
    last = (np.inf, -np.inf)

    def looked(event: Any) -> None:
        nonlocal last
        now = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        if tell is not None and now != last:
            last = now
            tell(*now)
        event.interrupt(stop.is_set())

    return looked


def load_highs() -> Any:
    """Import HiGHS, when it is needed: it is large. Its types are not complete, so none are claimed."""
    with needs("invest"):
        return import_module("highspy")


def _model(highspy: Any, problem: MipProblem) -> Any:
    lp, matrix = highspy.HighsLp(), problem.matrix
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_ = problem.cost
    lp.col_lower_ = np.zeros(len(problem.cost)) if problem.lower is None else problem.lower
    lp.col_upper_ = problem.upper
    lp.row_lower_, lp.row_upper_ = problem.low, problem.high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data.astype(np.float64)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(w)] for w in problem.whole]
    return lp
