"""Thousands of versions of one index: uncertainty of every rank, sensitivity to every assumption.

An `Ensemble` is a model in the sense of `commonweal.index.sensitivity`: numbers in, ranks out. It
holds the normalised values once for each way of normalising; a run only picks, weights and ranks.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError
from commonweal.index.assumptions import (
    Aggregation,
    Inclusion,
    Normalisation,
    SamplingError,
    Weights,
    checked,
    choice,
    forms_of,
)
from commonweal.index.flat import FORMS, Flat, flatten, score_flat
from commonweal.index.normalise import normaliser
from commonweal.index.rank import rank
from commonweal.index.sensitivity import Sobol, sobol_each
from commonweal.index.uncertainty import BLOCK, RankCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    import polars as pl

    from commonweal.index.framework import Node
    from commonweal.index.rank import Floats
    from commonweal.index.sensitivity import Results

__all__ = ["Ensemble", "Spread", "build_ensemble", "sensitivity_of_ranks", "spread_of_ranks"]

_ONE_AT_A_TIME = Lock()
"""The kernels use all cores; run from several threads of one worker they would fight over them, and
some of numba's threading layers do not survive it."""

Ints = NDArray[np.int32]
OneOf = Normalisation | Aggregation | Weights | Inclusion | SamplingError
N_WAVES = 128
"""Random waves that make a spatially correlated error (random Fourier features)."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """An index with everything that could have been done otherwise.

    Attributes
    ----------
    flat
        The tree.
    need
        (n_leaves, n_units) need by leaf, higher = more, as it was before normalising.
    assumptions
        What varies, one input each, in order.
    ways
        The ways of normalising, name and settings: the stated one, then those of assumptions.
    layers
        (n_ways, n_leaves, n_units) normalised need.
    logs
        Its logarithm; None where no form is geometric.
    errors
        (n_leaves, n_units) standard errors; None where there is no sampling error.
    points
        (n_units, 2) metres, for errors that are correlated in space; None otherwise.
    sets
        By name of an assumption on weights, its sets by node path.
    """

    flat: Flat
    need: Floats
    assumptions: tuple[OneOf, ...]
    ways: tuple[tuple[str, Mapping[str, Any]], ...]
    layers: Floats
    logs: Floats | None
    errors: Floats | None
    points: Floats | None
    sets: Mapping[str, Mapping[str, Floats]]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the assumptions."""
        return tuple(a.name for a in self.assumptions)

    def ranks(self, u: Floats) -> Ints:
        """Rank every unit in every run.

        Parameters
        ----------
        u
            (n_runs, n_assumptions) in [0, 1).

        Returns
        -------
        ndarray
            (n_runs, n_units) int32, 1 = most need, ties share the lowest.
        """
        from commonweal.index.kernels import rank_rows

        scores = self.scores(u, exact=False)
        ranks = np.empty(scores.shape, np.int32)
        rank_rows(scores, ranks)
        return ranks

    def stated_scores(self) -> Floats:
        """(n_units,) scores with every setting as stated."""
        out = np.empty((1, self.need.shape[1]))
        picks = np.zeros((1, len(self.flat.leaves)), dtype=np.intp)
        score_flat(self.flat, self.layers, self.logs, picks, {}, {}, out)
        return out[0]

    def scores(self, u: Floats, *, exact: bool = True) -> Floats:
        """(n_runs, n_units) scores; without `exact` a geometric root gives its logarithm."""
        n_runs = len(u)
        out = np.empty((n_runs, self.need.shape[1]))
        picks = np.zeros((n_runs, len(self.flat.leaves)), dtype=np.intp)
        forms = {
            p: np.full(n_runs, f, np.int8)
            for p, f in zip(self.flat.nodes, self.flat.forms, strict=True)
        }
        weights = {
            p: np.tile(self.flat.weights[self.flat.edges(p)], (n_runs, 1)) for p in self.flat.nodes
        }
        noise: tuple[SamplingError, NDArray[np.intp]] | None = None
        first_way = 1
        for column, a in zip(u.T, self.assumptions, strict=True):
            if isinstance(a, Normalisation):
                leaves = self._leaves(a.indicators)
                picks[:, leaves] = (first_way + choice(column, len(a.of)))[:, None]
                first_way += len(a.of)
            elif isinstance(a, Aggregation):
                chosen = forms_of(a)[choice(column, len(a.of))]
                for path in self._nodes(a.nodes):
                    forms[path] = chosen
            elif isinstance(a, Weights):
                for path, sets in self.sets[a.name].items():
                    weights[path] = sets[choice(column, len(sets))]
            elif isinstance(a, SamplingError):
                noise = (a, choice(column, a.n_sets))
        for column, a in zip(u.T, self.assumptions, strict=True):
            if isinstance(a, Inclusion):  # after the weights: what is out is out of every set
                leaf = checked(a.indicator, self.flat.leaves, "indicator")
                path = leaf.rsplit("/", 1)[0]
                edges = self.flat.children[self.flat.edges(path)]
                at = int(np.flatnonzero(edges == self.flat.leaves.index(leaf))[0])
                weights[path] = weights[path].copy()
                weights[path][column < a.chance, at] = 0.0
        if noise is None:
            score_flat(self.flat, self.layers, self.logs, picks, weights, forms, out, exact=exact)
            return out
        for run in range(n_runs):  # each run has normalised values of its own
            layer, logs = self._noisy(noise[0], int(noise[1][run]), picks[run])
            one = slice(run, run + 1)
            score_flat(
                self.flat,
                layer,
                logs,
                np.zeros((1, len(self.flat.leaves)), dtype=np.intp),
                {p: w[one] for p, w in weights.items()},
                {p: f[one] for p, f in forms.items()},
                out[one],
                exact=exact,
            )
        return out

    def settings(self, u: Floats) -> pl.DataFrame:
        """Say what each run used, in words: one column an assumption."""
        import polars as pl

        columns: dict[str, list[str]] = {}
        for column, a in zip(u.T, self.assumptions, strict=True):
            if isinstance(a, Normalisation | Aggregation):
                columns[a.name] = [str(a.of[i]) for i in choice(column, len(a.of))]
            elif isinstance(a, Weights):
                n = len(next(iter(self.sets[a.name].values())))
                columns[a.name] = [f"set {i + 1}" for i in choice(column, n)]
            elif isinstance(a, Inclusion):
                columns[a.name] = ["out" if out else "in" for out in column < a.chance]
            else:
                columns[a.name] = [f"errors {i + 1}" for i in choice(column, a.n_sets)]
        return pl.DataFrame({"run": np.arange(1, len(u) + 1), **columns})

    def _leaves(self, names: Sequence[str] | None) -> NDArray[np.intp]:
        if names is None:
            return np.arange(len(self.flat.leaves))
        paths = [checked(n, self.flat.leaves, "indicator") for n in names]
        return np.array([self.flat.leaves.index(p) for p in paths], dtype=np.intp)

    def _nodes(self, names: Sequence[str] | None) -> Sequence[str]:
        if names is None:
            return self.flat.nodes
        return [checked(n, self.flat.nodes, "node") for n in names]

    def _noisy(
        self, a: SamplingError, which: int, pick: NDArray[np.intp]
    ) -> tuple[Floats, Floats | None]:
        """Normalise need with one set of errors: (1, n_leaves, n_units) and its logarithm."""
        assert self.errors is not None
        rng = np.random.default_rng([a.seed, which])
        layer = np.empty((1, *self.need.shape))
        touched = {int(i) for i in self._leaves(a.indicators)}
        for leaf, (x, se) in enumerate(zip(self.need, self.errors, strict=True)):
            if leaf not in touched or not np.nan_to_num(se).any():
                layer[0, leaf] = self.layers[pick[leaf], leaf]
                continue
            how, settings = self.ways[int(pick[leaf])]
            error = (
                _waves(rng, self.points, a.range_m) if a.range_m else rng.standard_normal(len(x))
            )
            layer[0, leaf] = normaliser(how)(x + np.nan_to_num(se) * error, **settings)
        if self.logs is None:
            return layer, None
        if layer.min() <= 0:
            raise DataError("a geometric mean needs values above 0; normalise to such values")
        return layer, np.log(layer)


def _waves(rng: np.random.Generator, points: Floats | None, range_m: float) -> Floats:
    """Draw (n_units,) normal errors whose correlation falls with distance.

    Source: Rahimi and Recht (2007), Random features for large-scale kernel machines, NIPS 20.
    """
    assert points is not None
    frequency = rng.standard_normal((2, N_WAVES)) / range_m
    phase = rng.uniform(0, 2 * np.pi, N_WAVES)
    return np.sqrt(2 / N_WAVES) * np.cos(points @ frequency + phase) @ rng.standard_normal(N_WAVES)


def build_ensemble(
    index: str,
    tree: Node,
    need: Mapping[str, Floats],
    assumptions: Sequence[OneOf],
    *,
    normalise: str | Mapping[str, Mapping[str, Any]] = "min_max",
    standard_errors: Mapping[str, Floats] | None = None,
    points: Floats | None = None,
) -> Ensemble:
    """Prepare an index and its assumptions, checking all of it.

    Parameters
    ----------
    index, tree
        The index; above its indicators nothing may be transformed.
    need
        By indicator, (n_units,) need, higher = more; no missing values (impute first).
    assumptions
        What varies.
    normalise
        The stated way of normalising, used by leaves that no `Normalisation` names.
    standard_errors
        By indicator, (n_units,), for `SamplingError`.
    points
        (n_units, 2) metres, for errors that are correlated in space.

    Raises
    ------
    DataError
        If a value is missing, an assumption has nothing to act on, or two have one name.
    UnknownNameError
        If an assumption names a node or an indicator that is not there.
    """
    flat = flatten(index, tree)
    nodes = dict(tree.walk(index))
    names = [nodes[leaf].indicator or "" for leaf in flat.leaves]
    x = np.array([need[n] for n in names], dtype=np.float64)
    for name, row in zip(names, x, strict=True):
        if not np.isfinite(row).all():
            n = int((~np.isfinite(row)).sum())
            raise DataError(f"indicator {name}: {n:,} units have no value; impute them first")
    twice = {a.name for a in assumptions if sum(b.name == a.name for b in assumptions) > 1}
    if twice:
        raise DataError(
            f"assumption '{min(twice)}' is there more than once; expected one name each"
        )
    stated = (normalise, {}) if isinstance(normalise, str) else next(iter(normalise.items()))
    ways = [stated]
    for a in assumptions:
        if isinstance(a, Normalisation):
            ways += [(w, {}) if isinstance(w, str) else next(iter(w.items())) for w in a.of]
    layers = np.array([[normaliser(how)(row, **settings) for row in x] for how, settings in ways])
    geometric = (flat.forms == FORMS["geometric"]).any() or any(
        isinstance(a, Aggregation) and "geometric" in a.of for a in assumptions
    )
    if geometric and layers.min() <= 0:
        worst = ways[int(layers.reshape(len(ways), -1).min(axis=1).argmin())][0]
        raise DataError(f"a geometric mean needs values above 0; {worst} gives {layers.min():g}")
    errors = _errors(names, x, assumptions, standard_errors, points)
    sets = {a.name: a.sets(flat) for a in assumptions if isinstance(a, Weights)}
    made = Ensemble(
        flat, x, tuple(assumptions), tuple(ways), layers, np.log(layers) if geometric else None,
        errors, points, sets,
    )  # fmt: skip
    for a in assumptions:  # names are checked now, not in the middle of a run
        if isinstance(a, Normalisation | SamplingError):
            made._leaves(a.indicators)
        elif isinstance(a, Aggregation):
            made._nodes(a.nodes)
        elif isinstance(a, Inclusion):
            leaf = checked(a.indicator, flat.leaves, "indicator")
            edges = flat.edges(leaf.rsplit("/", 1)[0])
            if edges.stop - edges.start == 1:
                raise DataError(
                    f"{leaf} is the only child of its node; without it there is no score"
                )
    return made


def _errors(
    names: Sequence[str],
    x: Floats,
    assumptions: Sequence[OneOf],
    standard_errors: Mapping[str, Floats] | None,
    points: Floats | None,
) -> Floats | None:
    wanted = [a for a in assumptions if isinstance(a, SamplingError)]
    if not wanted:
        return None
    if not standard_errors:
        raise DataError(f"assumption '{wanted[0].name}': no standard errors are given")
    if wanted[0].range_m and points is None:
        raise DataError(f"assumption '{wanted[0].name}': a range needs the units' points")
    return np.array([standard_errors.get(n, np.full(x.shape[1], np.nan)) for n in names])


@dataclass(frozen=True, slots=True)
class Spread:
    """What uncertainty does to ranks.

    Attributes
    ----------
    n_runs
        Number of runs.
    mean
        (n_units,) mean rank.
    quantiles
        (n_units, 3) rank at 5 %, 50 % and 95 % of the runs (`RankCounter` says how exactly).
    worst
        (n_units,) share of runs in which the unit is among the worst.
    """

    n_runs: int
    mean: Floats
    quantiles: Floats
    worst: Floats


def spread_of_ranks(
    ensemble: Ensemble,
    n_runs: int = 10_000,
    *,
    worst: int,
    seed: int = 1,
    client: Any = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Spread:
    """Run an ensemble at random and sum up the ranks as they come.

    Parameters
    ----------
    ensemble
        What to run.
    n_runs
        How often.
    worst
        How many units count as the worst.
    seed
        Seed of the runs.
    client
        A Dask client, for those who outgrow one machine: the same results to the bit.
    progress
        Called as ``progress("drawing", done, n_runs)``.

    Returns
    -------
    Spread
        Memory does not grow with the number of runs.
    """
    n_units = ensemble.need.shape[1]
    counter = RankCounter(n_units, n_runs)
    total, inside = np.zeros(n_units, np.int64), np.zeros(n_units, np.int64)
    done = 0
    with closing(_rank_blocks(ensemble, n_runs, seed, client)) as blocks:
        for ranks in blocks:
            counter.add(ranks)
            total += ranks.sum(axis=0, dtype=np.int64)
            inside += (ranks <= worst).sum(axis=0)
            done += len(ranks)
            if progress:
                progress("drawing", done, n_runs)
    return Spread(n_runs, total / n_runs, counter.quantiles((0.05, 0.5, 0.95)), inside / n_runs)


def random_runs(ensemble: Ensemble, n_runs: int, seed: int) -> Floats:
    """(n_runs, n_assumptions) the numbers of `spread_of_ranks`, to read its settings back."""
    return np.random.default_rng([seed, 0xE5]).random((n_runs, len(ensemble.assumptions)))


def _rank_blocks(ensemble: Ensemble, n_runs: int, seed: int, client: Any) -> Generator[Ints]:
    u = random_runs(ensemble, n_runs, seed)
    blocks = [u[i : i + BLOCK] for i in range(0, n_runs, BLOCK)]
    if client is None:
        yield from (ensemble.ranks(block) for block in blocks)
        return
    shared = client.scatter(ensemble, broadcast=True)
    ahead = 2 * max(len(client.nthreads()), 1)  # one block a worker at work, one in waiting
    waiting: deque[Any] = deque()
    try:
        for block in blocks:
            waiting.append(client.submit(_ranks, shared, block, pure=False))
            if len(waiting) == ahead:
                yield waiting[0].result()
                waiting.popleft().release()
        while waiting:
            yield waiting[0].result()
            waiting.popleft().release()
    finally:  # after an error or an interrupt too: the cluster drops what nobody waits for
        for future in (*waiting, shared):
            future.release()


def _ranks(ensemble: Ensemble, u: Floats) -> Ints:
    with _ONE_AT_A_TIME:
        return ensemble.ranks(u)


def sensitivity_of_ranks(
    ensemble: Ensemble,
    n_base: int = 1024,
    *,
    worst: int | None = None,
    seed: int = 1,
    n_bootstrap: int = 0,
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
    seed, n_bootstrap, progress
        As in `commonweal.index.sensitivity.sobol`; intervals are for the whole index.

    Returns
    -------
    tuple of Sobol
        One output, the mean absolute rank shift from the stated index; and (n_units) outputs.
    """
    nominal = rank(ensemble.stated_scores()).astype(np.int32)

    def results(u: Floats) -> tuple[Floats, Results]:
        ranks = ensemble.ranks(u)
        shift = np.abs(ranks - nominal).mean(axis=1)
        return shift, ranks if worst is None else ranks <= worst

    whole, units = sobol_each(
        results, ensemble.inputs, n_base, seed=seed, n_bootstrap=(n_bootstrap, 0), progress=progress
    )
    return whole, units
