"""Sums over the small areas of larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def extent_weight(ranks: ArrayLike, n: int) -> NDArray[np.float64]:
    """Give the weight of each area in the extent of its larger area, by its rank among `n`, 1 = most need.

    1 in the worst tenth; .95 in the eleventh worst percentile, falling evenly to .05 in the thirtieth; 0 beyond.
    """
    percentile = np.ceil(np.asarray(ranks, dtype=np.float64) * 100 / n)
    falling = 0.95 - (0.95 - 0.05) / 19 * (percentile - 11)
    return np.select([percentile <= 10, percentile <= 30], [1.0, falling], 0.0)


def summarise(
    groups: Sequence[str | None],
    population: ArrayLike,
    score: ArrayLike,
    ranks: ArrayLike,
    n: int | None = None,
) -> pl.DataFrame:
    """Sum up small areas into larger ones, one row a group; scores are higher = more need, ranks 1 = most need.

    ``average_rank`` and ``local_concentration`` are n = worst, ``proportion`` (of areas in the worst tenth) and
    ``extent`` 0 to 1. Local concentration is the population-weighted mean rank of the worst areas that hold exactly a
    tenth of the people, the last in part. An area without a group or a score is left out; means over a group where
    nobody lives are null, and so are population and means where that of one area is not known (NaN).
    """
    people = np.asarray(population, dtype=np.float64)
    s, r = np.asarray(score, dtype=np.float64), np.asarray(ranks, dtype=np.float64)
    if not len(groups) == len(people) == len(s) == len(r):
        raise DataError(
            f"columns of {len(groups)}, {len(people)}, {len(s)} and {len(r)} areas; expected one length"
        )
    keep = ~np.isnan(s) & ~np.isnan(r) & np.array([g is not None for g in groups])
    if (people[keep] < 0).any() or np.isinf(people[keep]).any():
        raise DataError("a population is negative or infinite; expected 0 or more")
    n = int(np.count_nonzero(~np.isnan(r))) if n is None else n
    frame = pl.DataFrame(
        {
            "code": pl.Series([g for g, k in zip(groups, keep, strict=True) if k], dtype=pl.String),
            "people": people[keep],
            "score": s[keep],
            "from_best": n + 1 - r[keep],
            "worst_tenth": (r[keep] <= n // 10).astype(np.float64),
            "extent": extent_weight(r[keep], n),
        }
    )
    total = pl.col("people").sum()

    def mean(column: str) -> pl.Expr:
        return (pl.col(column) * pl.col("people")).sum() / total

    return (
        frame.sort("code", "from_best", descending=[False, True])
        .with_columns(before=pl.col("people").cum_sum().over("code") - pl.col("people"))
        .with_columns(
            in_worst=(0.1 * pl.col("people").sum().over("code") - pl.col("before")).clip(
                0, pl.col("people")
            )
        )
        .group_by("code", maintain_order=True)
        .agg(
            areas=pl.len(),
            population=total,
            average_score=mean("score"),
            average_rank=mean("from_best"),
            proportion=pl.col("worst_tenth").mean(),
            extent=mean("extent"),
            local_concentration=(pl.col("from_best") * pl.col("in_worst")).sum()
            / pl.col("in_worst").sum(),
        )
        .fill_nan(None)
    )
