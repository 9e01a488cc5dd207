"""Indicators prepared before an index reads them: a study's steps in order, and all that they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import CommonwealError, DataError
from commonweal.index.prepare_steps import CELLS, StepState, apply_step
from commonweal.indicators import Indicators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.index.prepare_spec import PrepareStep

__all__ = ["Prepared", "StepReport", "prepare"]


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did.

    Attributes
    ----------
    number
        Its place among the steps, from 1.
    step
        The step.
    cells
        One row for each value that it changed: ``indicator``, ``code``, ``before``, ``after``,
        ``what`` and ``why``. What is left out has no ``code`` (an indicator) or no ``indicator``
        (an area).
    whole
        Indicators of which it changed every value, so that none of them is news by itself.
    told
        By indicator, what it did in words; ``''`` is for the areas.
    """

    number: int
    step: PrepareStep
    cells: pl.DataFrame
    whole: tuple[str, ...]
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Indicators as the indices read them, and what was done to them.

    Attributes
    ----------
    indicators
        Those that the indices use and that stay.
    done
        The steps in order.
    areas_out
        Areas left out, by code, and why: they have no value any more.
    indicators_out
        Indicators left out, by name, and why.
    """

    indicators: Indicators
    done: tuple[StepReport, ...]
    areas_out: Mapping[str, str]
    indicators_out: Mapping[str, str]

    def to_frame(self) -> pl.DataFrame:
        """Give every change: the columns of `Done.cells` after ``areas``, ``step`` and ``kind``."""
        first = {"areas": pl.String, "step": pl.Int32, "kind": pl.String}
        frames = [
            d.cells.select(
                pl.lit(self.indicators.system).alias("areas"),
                pl.lit(d.number, pl.Int32).alias("step"),
                pl.lit(d.step.kind).alias("kind"),
                *CELLS,
            )
            for d in self.done
        ]
        return pl.concat([pl.DataFrame(schema=first | CELLS), *frames])


def prepare(
    indicators: Indicators,
    used: Sequence[str],
    steps: Sequence[PrepareStep],
    areas: Areas,
    domains: Mapping[str, Sequence[str]] | None = None,
) -> Prepared:
    """Take indicators through the steps of a study.

    Parameters
    ----------
    indicators
        As read: those that the indices use and those that only help (denominators).
    used
        The former.
    steps
        What to do, in order. A step leaves aside what it names and is not here.
    areas
        The areas of the indicators, in their order.
    domains
        By node of an index, the indicators right below it: what a missing value of a row is filled
        in from.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        If a step cannot be done; the message begins with its field, such as ``prepare.0.treat``.

    Notes
    -----
    Standard errors: dividing scales them (the denominator is taken as known); a value that is
    brought in keeps its own; reshaping multiplies them by the slope there (the delta method); a
    value that is filled in has none; shrinkage gives new ones. Counts are kept where no value that
    came from them was changed.
    """
    n, k = indicators.values.shape
    known = indicators.standard_errors
    table = StepState(
        areas,
        indicators.values,
        np.full((n, k), np.nan) if known is None else known,
        indicators.meta,
        tuple(used),
        np.arange(n),
    )
    done = []
    for at, step in enumerate(steps):
        try:
            table, cells, whole, told = apply_step(table, step, domains or {})
        except CommonwealError as error:
            raise DataError(f"prepare.{at}.{step.kind}: {error}") from None
        done.append(StepReport(at + 1, step, cells, whole, told))
    errors = None if np.isnan(table.errors).all() else table.errors
    kept = (
        np.isnan(indicators.values) | np.isnan(table.values) | (table.values == indicators.values)
    )
    same = {m.name for m, column in zip(indicators.meta, kept.T, strict=True) if column.all()}
    counts = {name: counts for name, counts in indicators.counts.items() if name in same}
    end = Indicators(indicators.system, indicators.codes, table.values, table.meta, errors, counts)
    return Prepared(
        end.only(table.asked(())),
        tuple(done),
        table.areas_out,
        table.indicators_out,
    )
