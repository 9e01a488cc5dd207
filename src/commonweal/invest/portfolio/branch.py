"""An integer programme solved: by its linear relaxation first where it is large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError
from commonweal.invest.clock import Clock
from commonweal.invest.highs import run_mip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.portfolio.rows import Rows

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
        As in `commonweal.invest.portfolio.choose`.

    Returns
    -------
    tuple
        The columns of the starts that are taken, and what no mix can exceed.

    Raises
    ------
    CommonwealError
        If none was found in time.
    """
    clock = Clock(seconds)
    everything = np.ones(len(rows.area), dtype=bool)
    if len(rows.area) <= _FEW:
        found = _integer(rows, everything, gap, seconds)
        if found.taken is None:
            raise _too_slow(seconds)
        return found.taken, found.bound
    relaxed = _relaxed(rows, clock)
    if relaxed is None:
        raise _too_slow(seconds)
    limit, price, part = relaxed
    cheapest = np.zeros_like(everything)
    # What the relaxed mix takes comes first: much that it leaves out is as cheap to within rounding.
    cheapest[np.lexsort((price, ~part))[:_FEW]] = True
    first = _integer(rows, cheapest, gap / 2, seconds / 4)
    if first.taken is not None and limit - first.met <= gap * limit:
        return first.taken, limit
    # A start that costs more than what is still to be had cannot be in a better mix.
    worth = price <= limit - first.met + _HAIR * limit
    second = _integer(rows, worth, gap, clock.left())
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


def _relaxed(rows: Rows, clock: Clock) -> tuple[float, Floats, NDArray[np.bool_]] | None:
    """Give the most that could be met if starts could be parts, what each costs of it, and which have a part."""
    scale, n = _scale(rows), len(rows.area)
    found = run_mip(
        -rows.objective / scale, rows.matrix, *_limits(rows), rows.upper, np.zeros(len(rows.upper), np.bool_),
        clock=clock,
    )  # fmt: skip
    if found.value is None or found.reduced is None:
        return None
    part = found.value[:n] > _HAIR
    return -found.cost * scale, np.where(part, 0.0, found.reduced[:n] * scale), part


def _integer(rows: Rows, allowed: NDArray[np.bool_], gap: float, seconds: float) -> _Found:
    """Solve with some of the starts."""
    scale, n = _scale(rows), len(rows.area)
    upper = rows.upper.copy()
    upper[:n] = np.where(allowed, upper[:n], 0.0)
    found = run_mip(
        -rows.objective / scale, rows.matrix, *_limits(rows), upper, rows.whole,
        clock=Clock(max(seconds, 0.1)), gap=gap,
    )  # fmt: skip
    if found.value is None:
        return _Found(None, -np.inf, np.inf)
    return _Found(np.flatnonzero(found.value[:n] > 0.5), -found.cost * scale, -found.bound * scale)


def _limits(rows: Rows) -> tuple[Floats, Floats]:
    """Give the least and the most of each constraint."""
    return np.full(len(rows.limit), -np.inf), rows.limit


def _scale(rows: Rows) -> float:
    return float(np.abs(rows.objective).max()) or 1.0
