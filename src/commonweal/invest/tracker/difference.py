"""Difference in differences: how places changed, less how places like them did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.invest.tracker.matching import Matched

    Floats = NDArray[np.float64]

__all__ = ["FEW", "Difference", "difference", "holm"]

FEW = 10
"""Groups below which errors are not taken to go together in them: so few say nothing of how much they do."""


@dataclass(frozen=True)
class Difference:
    """How much more places changed than places like them.

    Attributes
    ----------
    estimate, low, high
        In the unit of the measure, with the ends of the 95 % interval.
    se, p
        Standard error, and the two-sided chance of so large a difference if there were none.
    places, like
        How many places, and different areas like them.
    own, theirs
        Mean change of the places, and of those like them.
    clusters
        In how many groups, such as authorities, errors may go together; 0 where each place has its own.
    """

    estimate: float
    low: float
    high: float
    se: float
    p: float
    places: int
    like: int
    own: float
    theirs: float
    clusters: int

    @property
    def plain(self) -> float:
        """The one mean change less the other, with nothing held constant."""
        return self.own - self.theirs


def difference(
    change: Floats,
    start: Floats,
    matched: Matched,
    clusters: Sequence[str | None] | None = None,
) -> Difference:
    """Estimate the difference in differences on matched places.

    Parameters
    ----------
    change
        (n_areas,) later less earlier value; NaN where either is missing.
    start
        (n_areas,) the earlier value, which is held constant.
    matched
        Places and those like them.
    clusters
        (n_areas,) groups in which errors may go together, such as authorities.

    Returns
    -------
    Difference

    Raises
    ------
    DataError
        If fewer than three places, or than three like ones, have both values.

    Notes
    -----
    The change is regressed by weighted least squares on being one of the places and on the value at the start,
    which takes out what is left of how unlike the two were (Abadie and Imbens, 2011, Journal of Business and
    Economic Statistics 29). A place weighs 1, a like area as many places as it stands beside, over `k`. Errors
    are clustered: the interval is that of leaving out each cluster in turn
    (`commonweal.survey.regression.jackknife`), by Student's t with one degree of freedom less than there are
    clusters. With fewer than `FEW` clusters each area is its own.
    """
    import polars as pl

    from commonweal.survey.regression import fit, jackknife

    weights = matched.weights(len(change))
    used = (weights > 0) & ~np.isnan(change) & ~np.isnan(start)
    treated = np.zeros(len(change), dtype=bool)
    treated[matched.places] = True
    n, m = int((used & treated).sum()), int((used & ~treated).sum())
    if n < 3 or m < 3:
        raise DataError(
            f"{n} places and {m} like them have both values; expected three or more of each"
        )
    rows = np.flatnonzero(used)
    groups = _groups(clusters, rows)
    columns = {
        "change": change[rows],
        "followed": treated[rows].astype(float),
        "weight": weights[rows],
        "group": groups,
    }
    names = ["followed"]
    centred = start[rows] - start[rows].mean()
    if centred.std() > 1e-9 * max(1.0, float(np.abs(start[rows]).max())):
        columns["start"] = centred
        names.append("start")
    table = pl.DataFrame(columns)
    if not float(np.std(change[rows])) > 0:
        raise DataError("every area changed alike; expected changes that differ")
    model = fit(table, "change", names, weights="weight", clusters="group")
    term = jackknife(model, "followed").term
    w = weights * used
    own = float(change[used & treated].mean())
    theirs = float(np.average(change[used & ~treated], weights=w[used & ~treated]))
    many = len(set(groups))
    return Difference(
        term.estimate, term.low, term.high, term.se, term.p, n, m, own, theirs, 0 if many == len(rows) else many
    )  # fmt: skip


def _groups(clusters: Sequence[str | None] | None, rows: NDArray[np.intp]) -> list[str]:
    """Give the cluster of each row: the row itself where there are no groups, or too few."""
    alone = [f"row {row}" for row in rows]
    if clusters is None:
        return alone
    found = [own if (own := clusters[row]) is not None else f"row {row}" for row in rows]
    return found if len(set(found)) >= FEW else alone


def holm(p: Sequence[float]) -> list[float]:
    """Adjust chances for having looked at several measures, by Holm's method.

    Examples
    --------
    >>> [round(q, 3) for q in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p, np.float64)
    order = np.argsort(given)
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(raised, 1)
    return [float(q) for q in adjusted]
