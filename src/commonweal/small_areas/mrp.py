"""Multilevel regression and poststratification: what kinds of people say, weighted by who lives in each area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError, nearest
from commonweal.small_areas.checks import Array, Codes, between, covariates, probability
from commonweal.small_areas.laplace import one_thread
from commonweal.small_areas.multilevel import Multilevel, draw_posterior, fit_multilevel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from commonweal.small_areas.laplace import Method

BLOCK = 4_096  # areas whose draws are held at a time


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The frame: who lives where, a row for each kind of person in each area.

    Attributes
    ----------
    area
        Label of the area that each row is in.
    count
        People of that kind there, 0 or more.
    x
        Covariates as in the fit, rows x covariates, or None.
    factors
        Name to label of each row, for the factors of the fit.
    """

    area: ArrayLike
    count: ArrayLike
    x: ArrayLike | None
    factors: Mapping[str, ArrayLike]


@dataclass(frozen=True, slots=True, eq=False)
class Poststratified:
    """The share in each area: one number an area.

    Attributes
    ----------
    areas
        Sorted labels.
    estimate, se
        Mean and standard deviation over draws from the approximate posterior.
    lower, upper
        Quantiles of the draws.
    population
        People in the frame.
    level, draws, seed
        What share of intervals should cover, and how they were drawn.
    """

    areas: np.ndarray[Any, Any]
    estimate: Array
    se: Array
    lower: Array
    upper: Array
    population: Array
    level: float
    draws: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class MRP:
    """The fitted model and the estimates that it gives."""

    model: Multilevel
    estimates: Poststratified


# Wide: as fit_multilevel and poststratify together.
def mrp(
    successes: ArrayLike,
    x: ArrayLike | None,
    factors: Mapping[str, ArrayLike],
    cells: Cells,
    *,
    trials: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    method: Method = "reml",
    draws: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> MRP:
    """Estimate a share in each area: `fit_multilevel`, then `poststratify`, whose parameters these are.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> area, old = rng.integers(0, 30, 1500), rng.integers(0, 2, 1500)
    >>> effect = rng.normal(0, 0.5, 30)
    >>> trusts = rng.random(1500) < 1 / (1 + np.exp(-effect[area] - old))
    >>> frame = Cells(area=np.repeat(np.arange(30), 2), count=np.tile([300, 100], 30), x=None,
    ...               factors={"area": np.repeat(np.arange(30), 2), "old": np.tile([0, 1], 30)})
    >>> result = mrp(trusts, None, {"area": area, "old": old}, frame)
    >>> truth = (300 / (1 + np.exp(-effect)) + 100 / (1 + np.exp(-effect - 1))) / 400
    >>> bool(np.abs(result.estimates.estimate - truth).mean() < 0.06)
    True
    """
    model = fit_multilevel(
        successes, x, factors, trials=trials, weights=weights, names=names, method=method
    )
    return MRP(model, poststratify(model, cells, draws=draws, seed=seed, level=level))


def poststratify(
    model: Multilevel, cells: Cells, *, draws: int = 500, seed: int = 0, level: float = 0.95
) -> Poststratified:
    """Weight what the model says of each kind of person by who lives in each area.

    Parameters
    ----------
    model
        Of `fit_multilevel`.
    cells
        The frame. A label of a factor that the survey never met gets an effect drawn from that factor's
        distribution: areas without a respondent are estimated, with wider intervals.
    draws
        From the normal approximation of the posterior of coefficients and effects, at least 50.
    seed
        The same seed gives the same numbers.
    level
        Share of the intervals that should cover.

    Returns
    -------
    Poststratified
        Estimates and intervals of each area, drawn as `posterior.draw_posterior` says.

    Raises
    ------
    DataError
        For values that are missing or infinite, counts below 0, an area without people, a factor of the
        fit that the frame lacks.
    """
    count = between("count", cells.count, 0, np.inf)
    x = covariates(cells.x, len(count), model.names[:1] == ("intercept",))
    if x.shape[1] != len(model.names):
        raise DataError(
            f"the frame has {x.shape[1]} coefficients; expected {len(model.names)}: {', '.join(model.names)}"
        )
    if draws < 50:
        raise DataError(f"draws is {draws}; expected at least 50")
    tail = (1 - probability("level", level)) / 2
    areas, place = np.unique(np.asarray(cells.area), return_inverse=True)
    if len(place) != len(count):
        raise DataError(
            f"area has {len(place):,} labels; expected {len(count):,}, one for each row"
        )
    population = np.bincount(place, count, len(areas)).astype(np.float64)
    if len(empty := np.flatnonzero(population == 0)):
        raise DataError(
            f"area '{areas[empty[0]]}' has no people ({len(empty):,} such); expected a count above 0"
        )
    rng = np.random.default_rng(seed)
    with one_thread():
        beta, effects, codes = _drawn(model, cells.factors, len(count), draws, rng)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(areas) + 1))
    x, codes, count = x[order], codes[order], count[order]

    # numba takes a second to import: only those who need the loop wait for it.
    from commonweal.small_areas.kernels import area_shares

    estimate, se, bounds = np.empty(len(areas)), np.empty(len(areas)), np.empty((2, len(areas)))
    for first in range(0, len(areas), BLOCK):
        block = slice(first, min(first + BLOCK, len(areas)))
        shares = np.empty((block.stop - first, draws))
        area_shares(starts[first : block.stop + 1], x, beta, codes, effects, count, shares)
        estimate[block], se[block] = shares.mean(axis=1), shares.std(axis=1, ddof=1)
        bounds[:, block] = np.quantile(shares, [tail, 1 - tail], axis=1)
    return Poststratified(areas, estimate, se, bounds[0], bounds[1], population, level, draws, seed)


def _drawn(
    model: Multilevel,
    factors: Mapping[str, ArrayLike],
    rows: int,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Array, Array, Codes]:
    """Draw coefficients and effects; give them with each cell's places among the effects."""
    beta, drawn, scales = draw_posterior(model, draws, rng)
    effects, codes, base = [], [], 0
    for f, name in enumerate(model.factors):
        if name not in factors:
            raise DataError(f"the frame lacks factor '{name}'; {nearest(name, factors)}")
        labels, known = np.asarray(factors[name]), model.levels[f]
        if labels.shape != (rows,):
            raise DataError(
                f"factor '{name}' of the frame has shape {labels.shape}; expected {rows:,} labels"
            )
        if (labels.dtype.kind in "US") != (known.dtype.kind in "US"):
            raise DataError(
                f"factor '{name}' has labels of type {labels.dtype} in the frame; "
                f"expected {known.dtype}, as in the survey"
            )
        found, place = np.unique(labels, return_inverse=True)
        at = np.searchsorted(known, found)
        met = known[np.minimum(at, len(known) - 1)] == found
        values = rng.standard_normal((len(found), draws)) * scales[f]
        values[met] = drawn[f][at[met]]
        effects.append(values)
        codes.append(base + place)
        base += len(found)
    return beta, np.concatenate(effects), np.column_stack(codes).astype(np.int64)
