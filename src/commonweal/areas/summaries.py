"""Sums over the small areas of larger ones, and the populations behind published rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


__all__ = [
    "extent_weight",
    "implied_population",
    "summarise",
]


def implied_population(
    numerator: ArrayLike, rank: ArrayLike, population: ArrayLike, window: int = 201
) -> NDArray[np.float64]:
    """Estimate the population by which a published count was divided, from the rank of the rate.

    Neighbours in rank have nearly the same rate. The running median, in the order of the ranks, of
    counts over a population of another date finds that rate, whatever a few of them gained or lost
    between the dates; the count divided by it is the population sought.

    Parameters
    ----------
    numerator
        (n_areas,) people counted. NaN or 0 (suppressed) gives the area its known `population`.
    rank
        (n_areas,) rank of the rate, 1 = highest; NaN likewise.
    population
        (n_areas,) residents at another date, above 0.
    window
        How many ranks the median spans.

    Returns
    -------
    ndarray
        (n_areas,) people, an estimate.

    Raises
    ------
    DataError
        If the columns differ in length, a population is missing or not above 0, a count is
        negative, or the window is not an odd number.

    Notes
    -----
    An estimate, with limits. Numerators are rounded to 5 people (a typical one is 530 in the worst
    tenth, 90 in the better half, where the rounding alone is worth up to 3%). The level is that
    of areas whose population changed as the median one did, since rates come from those.

    For the income domain of the IoD 2019 (mid-2015, without prisoners) and mid-2017 populations:
    totals of local authorities are 1.4% from the mid-2015 estimates of the ONS on average, where
    mid-2017 populations are 1.8% from them; the change of each correlates at 0.43 with the
    published change; England's total comes out 0.7% too high. Windows from 101 to 401 differ
    little. An isotonic regression in place of the median is pulled to the mid-2017 level and does
    not come nearer (1.8%).

    Examples
    --------
    One rate of a tenth throughout; the second area had twice the people of today:

    >>> implied_population([10, 20, 10, 10], [1, 2, 3, 4], [100, 100, 100, 100], window=3)
    array([100., 200., 100., 100.])
    """
    from scipy.ndimage import median_filter

    count, order, people = (
        np.asarray(x, dtype=np.float64).ravel() for x in (numerator, rank, population)
    )
    if not len(count) == len(order) == len(people):
        raise DataError(
            f"columns of {len(count)}, {len(order)} and {len(people)} areas; expected one length"
        )
    if window < 1 or window % 2 == 0:
        raise DataError(f"window {window} found; expected an odd number of ranks")
    if not (people > 0).all() or np.isinf(people).any():
        raise DataError("a population is missing, 0 or negative; expected all above 0")
    if (count < 0).any():
        raise DataError(f"numerator {count[count < 0][0]:g} found; expected 0 or more")
    by_rank = np.argsort(order, kind="stable")
    by_rank = by_rank[(count[by_rank] > 0) & np.isfinite(count[by_rank] + order[by_rank])]
    implied = people.copy()
    if len(by_rank):
        rate = median_filter(count[by_rank] / people[by_rank], size=window, mode="nearest")
        implied[by_rank] = count[by_rank] / rate
    return implied


def extent_weight(ranks: ArrayLike, n: int) -> NDArray[np.float64]:
    """Give the weight of each area in the extent of its larger area.

    1 in the worst tenth; .95 in the eleventh worst percentile, falling evenly to .05 in the
    thirtieth; 0 beyond.

    Parameters
    ----------
    ranks
        (n_areas,) national ranks, 1 = most need.
    n
        Number of areas ranked nationally.

    Examples
    --------
    >>> extent_weight([1, 100, 101, 110, 111, 300, 301], 1000).round(3)
    array([1.   , 1.   , 0.95 , 0.95 , 0.903, 0.05 , 0.   ])
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
    """Sum up small areas into larger ones.

    Parameters
    ----------
    groups
        (n_areas,) code of the larger area of each; None leaves the area out.
    population
        (n_areas,) residents.
    score
        (n_areas,) scores, higher = more need; NaN leaves the area out.
    ranks
        (n_areas,) national ranks, 1 = most need.
    n
        Number of areas ranked nationally; all that have a rank, in a group or not, if not given.

    Returns
    -------
    polars.DataFrame
        One row a group, sorted by code: ``code``, ``areas`` (count), ``population``,
        ``average_score``, ``average_rank`` (n = worst), ``proportion`` (share of areas in the worst
        tenth, 0..1), ``extent`` (0..1), ``local_concentration`` (population-weighted mean rank,
        n = worst, of the worst areas that hold exactly a tenth of the people, the last in part).
        Means over a group where nobody lives are null.

    Raises
    ------
    DataError
        If the columns differ in length or a population is missing, negative or infinite.
    """
    people = np.asarray(population, dtype=np.float64)
    s, r = np.asarray(score, dtype=np.float64), np.asarray(ranks, dtype=np.float64)
    if not len(groups) == len(people) == len(s) == len(r):
        raise DataError(
            f"columns of {len(groups)}, {len(people)}, {len(s)} and {len(r)} areas; expected one length"
        )
    keep = ~np.isnan(s) & ~np.isnan(r) & np.array([g is not None for g in groups])
    if not (np.isfinite(people[keep]) & (people[keep] >= 0)).all():
        raise DataError("a population is missing, negative or infinite; expected 0 or more")
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
