"""Which assumption matters, cheaply: elementary effects, and one at a time.

A *model* is a function from settings to results, as in `commonweal.index.sensitivity`.

References
----------
.. [1] Morris (1991), Factorial sampling plans for preliminary computational experiments,
   Technometrics 33, 161-174, doi:10.1080/00401706.1991.10484804; Campolongo et al. (2007),
   Environmental Modelling & Software 22, 1509-1518, doi:10.1016/j.envsoft.2006.10.004 (mu*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from commonweal.errors import DataError
from commonweal.index.arguments import Count, Whole, Within, strict
from commonweal.index.lists import column, units_of
from commonweal.index.sensitivity import results_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.sensitivity import Model
    from commonweal.index.types import Floats

__all__ = ["Morris", "morris", "one_at_a_time"]


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
