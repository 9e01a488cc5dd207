"""What if: change one thing and see who moves; screen assumptions by elementary effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.methods import Count, Whole, Within, strict
from commonweal.index.rank import rank
from commonweal.index.sensitivity import results_of
from commonweal.index.tables import column, units_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.sensitivity import Model
    from commonweal.index.tables import Floats


__all__ = [
    "Morris",
    "Versions",
    "changed",
    "morris",
    "one_at_a_time",
    "rebuild",
    "without_each",
]


def _run(model: Model, settings: Floats) -> Floats:
    return results_of(lambda u: (model(u),), settings)[0].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Morris:
    """Elementary effects: a cheap screening of many inputs.

    Attributes
    ----------
    inputs
        (n_inputs,) names.
    mean, mean_absolute, spread
        (n_inputs, n_outputs): mu, mu* and sigma of the effects. High mu* = matters; high sigma =
        its effect depends on the others, or is not linear.
    n_runs
        How often the model was run.
    """

    inputs: tuple[str, ...]
    mean: Floats
    mean_absolute: Floats
    spread: Floats
    n_runs: int


@strict
def morris(
    model: Model,
    inputs: Sequence[str],
    n_paths: Annotated[int, Within(2)] = 32,
    *,
    levels: Annotated[int, Within(2)] = 4,
    seed: Whole = 1,
) -> Morris:
    """Screen inputs by Morris's elementary effects.

    Parameters
    ----------
    model, inputs
        As in `sobol`.
    n_paths
        Number of random paths; the model is run n_paths x (n_inputs + 1) times.
    levels
        Grid levels of each input, even.
    seed
        Seed of the paths.

    Raises
    ------
    DataError
        If `levels` is odd or below 2, or `n_paths` below 2.
    """
    if levels % 2:
        raise DataError(f"levels of {levels}; expected an even number of 2 or more")
    inputs = units_of(inputs, len(inputs), "inputs")
    d = len(inputs)
    rng = np.random.default_rng([seed, 0x30])
    step = levels / (2 * (levels - 1))
    # Levels sit in the middle of their cells, so that a discrete choice is never on its border.
    effects = []
    for _ in range(n_paths):
        base = rng.integers(levels // 2, size=d) / (levels - 1)
        order, up = rng.permutation(d), rng.random(d) < 0.5
        path = np.tile(np.where(up, base, base + step), (d + 1, 1))
        for k, i in enumerate(order):
            path[k + 1 :, i] = base[i] + step if up[i] else base[i]
        y = _run(model, (path * (levels - 1) + 0.5) / levels)
        moved = np.empty((d, y.shape[1]))
        moved[order] = np.diff(y, axis=0) / np.where(up[order], step, -step)[:, None]
        effects.append(moved)
    e = np.array(effects)
    return Morris(tuple(inputs), e.mean(0), np.abs(e).mean(0), e.std(0, ddof=1), n_paths * (d + 1))


@strict
def one_at_a_time(
    model: Model, inputs: Sequence[str], nominal: ArrayLike, n_points: Count = 11
) -> dict[str, tuple[Floats, Floats]]:
    """Vary each input over its range with all others at their nominal settings.

    Parameters
    ----------
    model, inputs
        As in `sobol`.
    nominal
        (n_inputs,) settings in [0, 1).
    n_points
        Points per input.

    Returns
    -------
    dict
        By input, (n_points,) settings and (n_points, n_outputs) results.

    Raises
    ------
    DataError
        If there is not one nominal setting an input, from 0 to below 1.
    """
    inputs = units_of(inputs, len(inputs), "inputs")
    stated = column(nominal, "nominal", len(inputs), per="input")
    outside = ~((stated >= 0) & (stated < 1))
    if outside.any():
        at = int(outside.argmax())
        raise DataError(
            f"nominal '{inputs[at]}': {stated[at]:g} found; expected a number from 0 to below 1"
        )
    settings = (np.arange(n_points) + 0.5) / n_points
    curves = {}
    for i, name in enumerate(inputs):
        runs = np.tile(stated, (n_points, 1))
        runs[:, i] = settings
        curves[name] = (settings, _run(model, runs))
    return curves


S = TypeVar("S")

NOMINAL = "nominal"
"""Name of the version without a change."""


@dataclass(frozen=True, slots=True)
class Versions:
    """An index built several times.

    Attributes
    ----------
    names
        (n_versions,) names; the first is the nominal version.
    scores
        (n_units, n_versions), NaN = missing.
    """

    names: tuple[str, ...]
    scores: Floats

    @property
    def ranks(self) -> Floats:
        """(n_units, n_versions) ranks, 1 = highest, ties share the lowest."""
        return np.column_stack([rank(scores) for scores in self.scores.T])

    @property
    def shifts(self) -> Floats:
        """(n_units, n_versions) nominal rank less each version's: above 0 = up the table."""
        ranks = self.ranks
        return ranks[:, :1] - ranks

    @property
    def mean_shift(self) -> dict[str, float]:
        """By version, the mean absolute shift over the units ranked in both; NaN if none is."""
        means = {}
        for name, shift in zip(self.names, self.shifts.T, strict=True):
            moved = np.abs(shift[~np.isnan(shift)])
            means[name] = float(moved.mean()) if len(moved) else float("nan")
        return means

    def of(self, name: str) -> Floats:
        """(n_units,) scores of one version.

        Raises
        ------
        UnknownNameError
            If there is no such version.
        """
        if name not in self.names:
            raise UnknownNameError("version", name, self.names)
        return self.scores[:, self.names.index(name)]


def rebuild(build: Callable[[S], Floats], nominal: S, changes: Mapping[str, S]) -> Versions:
    """Build an index as it is, and once for each change.

    Parameters
    ----------
    build
        Makes (n_units,) scores from settings.
    nominal
        Settings as they are.
    changes
        By name, settings with something changed (see `changed` and `without_each`).

    Raises
    ------
    DataError
        If a version cannot be built, or has other units; it is named.

    Examples
    --------
    >>> x = np.array([[1.0, 6.0], [2.0, 2.0], [3.0, 1.0]])
    >>> nominal = {"a": 1.0, "b": 1.0}
    >>> versions = rebuild(
    ...     lambda w: x @ np.array(list(w.values())), nominal, without_each(nominal)
    ... )
    >>> versions.shifts
    array([[ 0.,  0., -2.],
           [ 0.,  0.,  0.],
           [ 0., -1.,  1.]])
    """
    if NOMINAL in changes:
        raise DataError(f"a change is called '{NOMINAL}'; that is the version without one")
    built: list[Floats] = []
    for name, settings in {NOMINAL: nominal, **changes}.items():
        try:
            scores = np.asarray(build(settings), dtype=np.float64)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        if scores.ndim != 1 or (built and scores.shape != built[0].shape):
            expected = f"({len(built[0])},)" if built else "(n_units,)"
            raise DataError(f"{name}: scores of shape {scores.shape}; expected {expected}")
        built.append(scores)
    return Versions((NOMINAL, *changes), np.column_stack(built))


def changed(settings: Mapping[str, Any], **new: Any) -> dict[str, Any]:
    """Give settings with some replaced.

    Raises
    ------
    UnknownNameError
        If there is no such setting: a change of nothing would pass for a result.

    Examples
    --------
    >>> changed({"how": "arithmetic", "available": 1.0}, how="geometric")
    {'how': 'geometric', 'available': 1.0}
    """
    for name in new:
        if name not in settings:
            raise UnknownNameError("setting", name, settings)
    return {**settings, **new}


def without_each(
    weights: Mapping[str, float], elements: Iterable[str] | None = None
) -> dict[str, dict[str, float]]:
    """Give, for each element, the weights with its own set to 0: its siblings carry it.

    Parameters
    ----------
    weights
        By node, its weight.
    elements
        Which to remove, one at a time; all if not given.

    Raises
    ------
    UnknownNameError
        If an element has no weight.

    Examples
    --------
    >>> without_each({"a": 1.0, "b": 2.0}, ["b"])
    {'b': {'a': 1.0, 'b': 0.0}}
    """
    return {name: changed(weights, **{name: 0.0}) for name in elements or weights}
