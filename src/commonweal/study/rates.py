"""Rates from counts: divided, drawn towards the larger area's, and missing where a count has holes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import DataError
from commonweal.index.shrink import shrink_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Short", "fall_short", "rate"]


def rate(
    events: NDArray[np.float64],
    base: NDArray[np.float64],
    out_of: float,
    larger: Sequence[str | None] | None,
    codes: Sequence[str],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Divide counts by what they are of; shrink the rate if larger areas are given.

    Parameters
    ----------
    events, base
        (n_areas,) counts, and of how many; NaN = missing.
    out_of
        The rate is per so many.
    larger
        (n_areas,) the larger area that each lies in, towards whose rate a small count is drawn
        (`commonweal.index.shrink_counts`); None to divide only.
    codes
        (n_areas,) area codes, for messages.

    Returns
    -------
    tuple
        (n_areas,) rates, NaN where either is missing or the base is 0; and their standard errors,
        None where nothing is shrunk.

    Raises
    ------
    DataError
        If a base is negative; when shrinking, if there are more events than their base.
    """
    bad = base < 0
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"area {codes[row]} has base {base[row]:g}; expected 0 or more")
    if larger is None:
        with np.errstate(invalid="ignore", divide="ignore"):
            found = out_of * events / base
        return np.where(base > 0, found, np.nan), None
    known = np.array([of is not None for of in larger]) & ~np.isnan(events) & (base > 0)
    values, errors = np.full(len(events), np.nan), np.full(len(events), np.nan)
    inside = [str(of) for of, there in zip(larger, known, strict=True) if there]
    called = [code for code, there in zip(codes, known, strict=True) if there]
    shrunk = shrink_counts(events[known], base[known], inside, called)
    values[known], errors[known] = out_of * shrunk.value, out_of * shrunk.standard_error
    return values, errors


@dataclass(frozen=True, slots=True)
class Short:
    """Where counts fall short of a published total.

    Attributes
    ----------
    inside
        (n_areas,) whether an area lies in a larger one whose total is not reached.
    shares
        By code of each such larger area, the share of its total that is there.
    """

    inside: NDArray[np.bool_]
    shares: dict[str, float]


def fall_short(
    counts: NDArray[np.float64],
    larger: pl.Series,
    codes: Sequence[str],
    totals: NDArray[np.float64],
    at_least: float,
) -> Short:
    """Find larger areas whose small ones do not add up to what is published of them.

    Parameters
    ----------
    counts
        (n_areas,) counts; a missing one adds nothing.
    larger
        (n_areas,) the larger area that each lies in.
    codes, totals
        (n_larger,) codes of larger areas and their published totals; NaN or 0 = nothing to hold
        the counts against.
    at_least
        The share of a total that has to be there.

    Returns
    -------
    Short
    """
    summed = (
        pl.DataFrame({"code": larger, "count": counts})
        .drop_nulls("code")
        .group_by("code")
        .agg(pl.col("count").fill_nan(0).sum())
    )
    held = summed.join(pl.DataFrame({"code": list(codes), "total": totals}), on="code")
    held = held.filter(pl.col("total") > 0).with_columns(share=pl.col("count") / pl.col("total"))
    short = held.filter(pl.col("share") < at_least).sort("share", "code")
    inside = larger.is_in(short["code"].to_list()).fill_null(False).to_numpy()
    return Short(inside, dict(zip(short["code"], short["share"], strict=True)))
