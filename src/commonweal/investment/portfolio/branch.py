"""An integer programme solved: by its linear relaxation first where it is large."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.investment.portfolio.rows import Rows

    Floats = NDArray[np.float64]
    Columns = NDArray[np.intp]

__all__ = ["solve_rows"]

_FEW = 400
"""Starts up to which all are tried at once, and how many of the cheapest are tried first."""

_HAIR = 1e-9


def solve_rows(rows: Rows, gap: float, seconds: float) -> tuple[Columns, float]:
    """Find the starts that meet most need.

    Parameters
    ----------
    rows
        The programme.
    gap, seconds
        As in `commonweal.investment.portfolio.choose`.

    Returns
    -------
    tuple
        The columns of the starts that are taken, and what no mix can exceed.

    Raises
    ------
    CommonwealError
        If none was found in time.
    """
    end = time.perf_counter() + seconds
    everything = np.ones(len(rows.area), dtype=bool)
    if len(rows.area) <= _FEW:
        found = _integer(rows, everything, gap, seconds)
        if found.taken is None:
            raise _too_slow(seconds)
        return found.taken, found.bound
    limit, price = _relaxed(rows)
    cheapest = np.zeros_like(everything)
    cheapest[np.argsort(price, kind="stable")[:_FEW]] = True
    first = _integer(rows, cheapest, gap / 2, seconds / 4)
    if first.taken is not None and limit - first.met <= gap * limit:
        return first.taken, limit
    # A start that costs more than what is still to be had cannot be in a better mix.
    worth = price <= limit - first.met + _HAIR * limit
    second = _integer(rows, worth, gap, end - time.perf_counter())
    best = max(first, second, key=lambda found: found.met)
    if best.taken is None:
        raise _too_slow(seconds)
    return best.taken, min(limit, max(second.bound, best.met))


@dataclass(frozen=True)
class _Found:
    """The starts taken, if any were found, the need that they meet, and what no mix can exceed."""

    taken: Columns | None
    met: float
    bound: float


def _too_slow(seconds: float) -> CommonwealError:
    return CommonwealError(
        f"no mix found in {seconds:g} seconds; allow more time, or fewer years, areas or interventions"
    )


def _relaxed(rows: Rows) -> tuple[float, Floats]:
    """Give the most that could be met if starts could be parts, and what each start costs of it."""
    from scipy.optimize import linprog

    scale = _scale(rows)
    ends = np.column_stack([np.zeros_like(rows.upper), rows.upper])
    # Types of linprog know of no sparse matrix; it takes one.
    matrix: Any = rows.matrix
    with _quiet():
        found = linprog(
            -rows.objective / scale, matrix, rows.limit, bounds=ends.tolist(), method="highs-ds"
        )
    if found.x is None or found.fun is None:
        raise CommonwealError(f"the linear programme of the mix was not solved: {found.message}")
    n = len(rows.area)
    price = -rows.objective / scale - rows.matrix.T @ found.ineqlin.marginals
    return -float(found.fun) * scale, np.where(found.x[:n] > _HAIR, 0.0, price[:n] * scale)


def _integer(rows: Rows, allowed: NDArray[np.bool_], gap: float, seconds: float) -> _Found:
    """Solve with some of the starts."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    scale, n = _scale(rows), len(rows.area)
    upper = rows.upper.copy()
    upper[:n] = np.where(allowed, upper[:n], 0.0)
    with _quiet():
        found = milp(
            -rows.objective / scale,
            integrality=rows.whole,
            bounds=Bounds(0, upper),
            constraints=LinearConstraint(rows.matrix, -np.inf, rows.limit),
            options={"mip_rel_gap": gap, "time_limit": max(seconds, 0.1)},
        )
    if found.x is None:
        return _Found(None, -np.inf, np.inf)
    bound = -float(found.mip_dual_bound) * scale
    return _Found(np.flatnonzero(found.x[:n] > 0.5), -float(found.fun) * scale, bound)


def _scale(rows: Rows) -> float:
    return float(np.abs(rows.objective).max()) or 1.0


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the solver prints, though told not to, out of the answer on standard output."""
    import ctypes

    flush = ctypes.CDLL(None).fflush
    sys.stdout.flush()
    flush(None)
    try:
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no standard output at all
        yield
        return
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        flush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
