"""Which assumption matters: variance-based indices, of one result or of every unit's.

A *model* is any function from settings to results: it takes (n_runs, n_inputs) numbers in [0, 1),
one column an uncertain assumption, and gives (n_runs,) or (n_runs, n_outputs) results, such as the
mean rank shift of an index or the rank of every unit. Outputs are never all kept: the sums that the
indices need are updated run by run, so memory grows with inputs x outputs alone.

References
----------
.. [1] Saltelli et al. (2010), Variance based sensitivity analysis of model output. Design and
   estimator for the total sensitivity index, Computer Physics Communications 181, 259-270,
   doi:10.1016/j.cpc.2009.09.018 (first order: equation (b) of table 2; total: Jansen, (f)).
.. [2] Saltelli (2002), Making best use of model evaluations to compute sensitivity indices,
   Computer Physics Communications 145, 280-297, doi:10.1016/S0010-4655(02)00280-1 (second order).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from commonweal.errors import DataError
from commonweal.index.methods import Count, Whole, strict
from commonweal.index.rank import rank
from commonweal.index.tables import Floats, column, table, units_of
from commonweal.index.uncertainty import refuse_too_many

if TYPE_CHECKING:
    from commonweal.index.monte_carlo import Ensemble

__all__ = [
    "Model",
    "Sobol",
    "results_of",
    "sensitivity_of_ranks",
    "sobol",
    "sobol_each",
    "sobol_indices",
    "sobol_sample",
]

Results: TypeAlias = NDArray[np.float64] | NDArray[np.int32] | NDArray[np.bool_]
Model: TypeAlias = Callable[[Floats], Results]
RUNS = 256
"""Runs that a model is asked for at once, about."""
_CHUNK = 1024
"""Outputs whose sums are updated at once: a block of them stays in the cache."""


@dataclass(frozen=True, slots=True)
class Sobol:
    """Variance-based sensitivity of each output to each input.

    Attributes
    ----------
    inputs
        (n_inputs,) names.
    first
        (n_inputs, n_outputs) share of the variance that an input explains by itself.
    total
        (n_inputs, n_outputs) share that would be left if all other inputs were known.
    first_interval, total_interval
        (n_inputs, n_outputs, 2) bootstrap quantiles at 5% and 95%; None where not asked for.
    second
        (n_inputs, n_inputs, n_outputs) share explained by a pair beyond its two first orders, NaN
        on and below the diagonal; None where not asked for.
    variance
        (n_outputs,) variance of each output; indices are NaN where it is zero.
    moved
        (n_inputs, n_outputs) mean squared change where an input alone is drawn anew; of a result
        that is true or false, how often it turns.
    n_runs
        How often the model was run.
    """

    inputs: tuple[str, ...]
    first: Floats
    total: Floats
    first_interval: Floats | None
    total_interval: Floats | None
    second: Floats | None
    variance: Floats
    moved: Floats
    n_runs: int


@strict
def sobol_sample(n_base: Whole, n_inputs: Whole, seed: Whole) -> tuple[Floats, Floats]:
    """Draw the two base samples of a Saltelli design from one scrambled Sobol sequence.

    Parameters
    ----------
    n_base
        Base sample size, a power of 2: only then is the sequence balanced.
    n_inputs
        Number of uncertain inputs.
    seed
        Seed of the scrambling.

    Returns
    -------
    tuple of ndarray
        A and B, each (n_base, n_inputs) in [0, 1).

    Raises
    ------
    DataError
        If `n_base` is no power of 2, or there are no inputs.
    """
    from scipy.stats import qmc

    if n_base < 2 or n_base & (n_base - 1):
        raise DataError(f"base sample of {n_base}; expected a power of 2, such as 1024")
    if n_inputs < 1:
        raise DataError("no uncertain input; expected at least one")
    points = qmc.Sobol(2 * n_inputs, scramble=True, rng=seed).random(n_base)
    return points[:, :n_inputs], points[:, n_inputs:]


@strict
def sobol(
    model: Model,
    inputs: Sequence[str],
    n_base: Whole = 1024,
    *,
    seed: Whole = 1,
    n_bootstrap: Whole = 0,
    second_order: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Sobol:
    """Run a model over a Saltelli design and estimate its sensitivity indices.

    Parameters
    ----------
    model
        See the head of this module.
    inputs
        Names of its inputs.
    n_base
        Base sample size, a power of 2. The model is run n_base x (n_inputs + 2) times, or
        n_base x (2 n_inputs + 2) times with `second_order`.
    seed
        Seed of the design and of the bootstrap.
    n_bootstrap
        Resamples for the intervals; 0 for none. With many outputs the intervals cost memory:
        inputs x outputs x resamples.
    second_order
        Whether to estimate pairs.
    progress
        Called as ``progress("sensitivity", done, n_runs)``.

    Returns
    -------
    Sobol

    Notes
    -----
    Outputs are centred at the mean of A and B before the first-order estimator, which leaves its
    expectation and takes away most of its noise.
    """
    return sobol_each(
        lambda u: (model(u),),
        inputs,
        n_base,
        seed=seed,
        n_bootstrap=(n_bootstrap,),
        second_order=second_order,
        progress=progress,
    )[0]


@strict
def sobol_each(
    model: Callable[[Floats], Sequence[Results]],
    inputs: Sequence[str],
    n_base: Whole = 1024,
    *,
    seed: Whole = 1,
    n_bootstrap: Sequence[int],
    second_order: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Sobol, ...]:
    """Estimate the indices of several results of the same runs, such as a mean and all its parts.

    Parameters
    ----------
    model
        Gives, for (n_runs, n_inputs) numbers, a sequence of results, each as a model in the sense
        of this module gives it.
    n_bootstrap
        Resamples for the intervals of each result.
    inputs, n_base, seed, second_order, progress
        As in `sobol`.

    Returns
    -------
    tuple of Sobol
        One for each result, each as `sobol` would give it by itself.

    Examples
    --------
    >>> both = sobol_each(lambda u: (u.sum(axis=1), u[:, 0]), ["a", "b"], 64, n_bootstrap=(0, 9))
    >>> alone = sobol(lambda u: u[:, 0], ["a", "b"], 64, n_bootstrap=9)
    >>> bool((both[1].total_interval == alone.total_interval).all())
    True
    """
    inputs = units_of(inputs, len(inputs), "inputs")
    d = len(inputs)
    a, b = sobol_sample(n_base, d, seed)
    n_runs = n_base * (2 * d + 2 if second_order else d + 2)
    counts = [_resamples(n_base, n, seed) for n in n_bootstrap]
    sums: list[_Sums] = []
    at_once = max(RUNS * n_base // n_runs, 1)
    for start in range(0, n_base, at_once):
        rows = slice(start, min(start + at_once, n_base))
        one, two = a[rows], b[rows]
        mixed = [_mixed(one, two, i) for i in range(d)]
        mixed += [_mixed(two, one, i) for i in range(d * second_order)]
        for k, y in enumerate(results_of(model, np.vstack([one, two, *mixed]))):
            y_a, y_b, *y_mixed = np.split(y, len(mixed) + 2)
            if start == 0:
                # The first block's mean is near enough to centre on; any constant is valid.
                centre = (y_a.mean(axis=0) + y_b.mean(axis=0)) / 2
                sums.append(_Sums(d, len(counts[k]), centre, second_order))
            sums[k].add(y_a, y_b, y_mixed[:d], y_mixed[d:], counts[k][:, rows])
        if progress:
            progress("sensitivity", rows.stop * n_runs // n_base, n_runs)
    return tuple(s.indices(tuple(inputs), n_base, n_runs) for s in sums)


def _resamples(n_base: int, n_bootstrap: int, seed: int) -> Floats:
    """(1 + n_bootstrap, n_base) how often each base row counts: once, then as it is redrawn.

    Resampling base rows is the same as giving each row a count; counts need no kept outputs.
    """
    rng = np.random.default_rng([seed, 0xB0])
    redrawn = rng.multinomial(n_base, np.full(n_base, 1 / n_base), size=n_bootstrap)
    return np.vstack([np.ones(n_base), redrawn.astype(np.float64)])


def _mixed(a: Floats, b: Floats, i: int) -> Floats:
    """Take A, with column i from B."""
    mixed = a.copy()
    mixed[:, i] = b[:, i]
    return mixed


def results_of(
    model: Callable[[Floats], Sequence[Results]], settings: Floats
) -> list[NDArray[Any]]:
    """Run a model; give each result as (n_runs, n_outputs).

    Raises
    ------
    DataError
        If it gives another number of results than it was asked for, or one is no finite number.
    """
    found = [np.asarray(y) for y in model(settings)]
    for y in found:
        n = len(y) if y.ndim else "no list of"
        if n != len(settings):
            raise DataError(f"model gave {n} results for {len(settings)} runs; expected one each")
        if y.dtype.kind not in "biuf":
            raise DataError(f"model gave {y.item(0)!r}; expected a number for each run")
        if not np.isfinite(y).all():
            at = int(np.argwhere(~np.isfinite(y))[0][0])
            raise DataError(f"model gave no finite number in run {at + 1}; expected one each")
    return [y[:, None] if y.ndim == 1 else y for y in found]


class _Sums:
    """The sums behind the indices, by resample, input and output; the first resample is the sample."""

    def __init__(self, d: int, n_resamples: int, centre: Floats, second_order: bool) -> None:
        n_outputs = len(centre)
        self.centre = centre
        self.one = np.zeros((n_resamples, n_outputs))
        self.two = np.zeros((n_resamples, n_outputs))
        self.first = np.zeros((n_resamples, d, n_outputs))
        self.total = np.zeros((n_resamples, d, n_outputs))
        self.pair = np.zeros((d, d, n_outputs)) if second_order else None
        self.cross = np.zeros(n_outputs)

    def add(
        self,
        y_a: NDArray[Any],
        y_b: NDArray[Any],
        y_ab: Sequence[NDArray[Any]],
        y_ba: Sequence[NDArray[Any]],
        counts: Floats,
    ) -> None:
        """Add a block: (rows, outputs), the mixed ones by input; counts (resamples, rows)."""
        # What changes no result of the block adds nothing.
        acting = [(i, y) for i, y in enumerate(y_ab) if not _equal(y, y_a)]
        for start in range(0, len(self.centre), _CHUNK):
            s = slice(start, start + _CHUNK)
            centre = self.centre[s]
            a, b = y_a[:, s] - centre, y_b[:, s] - centre
            self.one[:, s] += counts @ (a + b)
            self.two[:, s] += counts @ (a**2 + b**2)
            for i, y in acting:
                moved = y[:, s] - centre - a
                self.first[:, i, s] += counts @ (b * moved)
                self.total[:, i, s] += counts @ moved**2
            if self.pair is not None:
                self.cross[s] += (a * b).sum(axis=0)
                for i, from_b in enumerate(y_ba):
                    for j in range(i + 1, len(y_ab)):
                        mixed = y_ab[j][:, s] - centre
                        self.pair[i, j, s] += ((from_b[:, s] - centre) * mixed).sum(axis=0)

    def indices(self, inputs: tuple[str, ...], n: int, n_runs: int) -> Sobol:
        """Turn the sums of `n` base rows into indices."""
        variance = (self.two - self.one**2 / (2 * n)) / (2 * n - 1)
        divisor = np.where(variance > 0, variance, np.nan)[:, None, :]
        first, total = self.first / n / divisor, self.total / (2 * n) / divisor
        interval: tuple[Floats | None, ...] = (None, None)
        if len(first) > 1:
            interval = tuple(
                np.moveaxis(np.quantile(x[1:], [0.05, 0.95], axis=0), 0, -1) for x in (first, total)
            )
        second = None
        if self.pair is not None:
            second = (self.pair - self.cross) / n / divisor[0]
            second -= first[0][:, None, :] + first[0][None, :, :]
            second[np.tril_indices(len(second))] = np.nan
        return Sobol(
            inputs,
            first[0],
            total[0],
            interval[0],
            interval[1],
            second,
            variance[0],
            self.total[0] / n,
            n_runs,
        )


def _equal(y: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two tables are the same; that they are not is mostly seen from the first row."""
    return np.array_equal(y[0], other[0]) and np.array_equal(y, other)


@strict
def sobol_indices(
    y_a: ArrayLike, y_b: ArrayLike, y_ab: ArrayLike, *, centred: bool = True
) -> tuple[Floats, Floats]:
    """Estimate first and total order from results that are already there.

    Parameters
    ----------
    y_a, y_b
        (n_base,) results on the two base samples.
    y_ab
        (n_base, n_inputs) results on A with column i from B.
    centred
        Whether to subtract the mean first, which takes noise away. False is what COINr does.

    Returns
    -------
    tuple of ndarray
        (n_inputs,) first and total order; NaN where the results do not vary.

    Raises
    ------
    DataError
        If the results are no numbers, or not as many on each sample.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 3.0, 4.0])
    >>> first, total = sobol_indices(y, y[::-1], np.column_stack([y[::-1], y]))
    >>> [round(float(v), 3) for v in (*first, *total)]
    [1.75, 0.0, 1.75, 0.0]
    """
    y_a, y_b = column(y_a, "results on A", per="run"), column(y_b, "results on B", per="run")
    y_ab = table(y_ab, what="input").values
    if not len(y_a) == len(y_b) == len(y_ab):
        raise DataError(
            f"{len(y_a)} results on A, {len(y_b)} on B and {len(y_ab)} mixed; expected n, n and (n, inputs): "
            "a row a run, and a column an input"
        )
    both = np.concatenate([y_a, y_b])
    # The variance of a constant is not always 0 in floats (0.1: 2e-34).
    if np.ptp(both) == 0:
        nothing = np.full(y_ab.shape[1], np.nan)
        return nothing, nothing.copy()
    variance = both.var(ddof=1)
    centre = both.mean() if centred else 0.0
    first = ((y_b - centre)[:, None] * (y_ab - y_a[:, None])).mean(axis=0) / variance
    total = ((y_a[:, None] - y_ab) ** 2).mean(axis=0) / (2 * variance)
    return first, total


@strict
def sensitivity_of_ranks(
    ensemble: Ensemble,
    n_base: Whole = 1024,
    *,
    worst: Count | None = None,
    seed: Whole = 1,
    n_bootstrap: Whole = 0,
    second_order: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Sobol, Sobol]:
    """Say which assumption moves the ranks: of the whole index, and of every unit.

    Parameters
    ----------
    ensemble
        What to run.
    n_base
        Base sample size, a power of 2; there are n_base x (n_assumptions + 2) runs, which give both
        answers.
    worst
        If given, a unit's result is whether it is among so many worst, and its total order says
        which assumption most often moves it across the line; its rank otherwise.
    seed, n_bootstrap, second_order, progress
        As in `sobol`; intervals are for the whole index.

    Returns
    -------
    tuple of Sobol
        One output, the mean absolute rank shift from the stated index; and (n_units) outputs, NaN
        for units without a score.

    Raises
    ------
    DataError
        If `worst` is more than there are units with a score.
    """
    present = ensemble.present
    refuse_too_many(worst or 0, int(present.sum()))
    nominal = rank(ensemble.stated)[present].astype(np.int32)

    def results(u: Floats) -> tuple[Floats, Results]:
        ranks = ensemble.ranks(u)
        shift = np.abs(ranks[:, present] - nominal).mean(axis=1)
        return shift, ranks if worst is None else ranks <= worst

    whole, units = sobol_each(
        results, ensemble.inputs, n_base, seed=seed, n_bootstrap=(n_bootstrap, 0),
        second_order=second_order, progress=progress,
    )  # fmt: skip
    return whole, units
