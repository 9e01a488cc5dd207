"""What each run uses: the numbers that drive it, the sets they choose from, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.index.assumptions import (
    CutOff,
    Inclusion,
    Parameter,
    SamplingError,
    SmallCounts,
    Weights,
)
from commonweal.index.laws import choice
from commonweal.index.methods import name_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from commonweal.index.acting import Acting
    from commonweal.index.methods import How
    from commonweal.index.types import Floats

__all__ = ["cut_factors", "draw_numbers", "draw_sets", "label_of", "settings_frame"]

Sets = dict[tuple[int, str], "Floats"]


def draw_numbers(found: Sequence[Acting], n_runs: int, seed: int, n_sets: int) -> Floats:
    """Draw the numbers of runs at random.

    Parameters
    ----------
    found
        What varies; each has its own stream, so one more leaves the others as they were.
    n_runs, seed
        How many runs, from which seed; more runs begin with the fewer.
    n_sets
        How many sets of weights and of errors there are: runs take one after the other.

    Returns
    -------
    ndarray
        (n_runs, n_assumptions) in [0, 1).
    """
    u = np.empty((n_runs, len(found)))
    in_turn = (np.arange(n_runs) % n_sets + 0.5) / n_sets
    for k, one in enumerate(found):
        by_set = isinstance(one.assumption, SamplingError | SmallCounts) or (
            bool(one.laws) and not any(law.given for law in one.laws.values())
        )
        u[:, k] = in_turn if by_set else np.random.default_rng([seed, k]).random(n_runs)
    return u


def draw_sets(
    found: Sequence[Acting], weights: Mapping[str, Floats], n_sets: int, seed: int
) -> Sets:
    """Draw the sets of weights that runs choose from.

    Parameters
    ----------
    found
        What varies; each has its own stream.
    weights
        By path, (n_children,) stated weights of each node.
    n_sets, seed
        How many sets, from which seed; more sets begin with the fewer.

    Returns
    -------
    dict
        By number of the assumption and path, (n_sets, n_children); as many as are given, if so.
    """
    sets = {}
    for k, one in enumerate(found):
        for at, (path, law) in enumerate(one.laws.items()):
            rng = np.random.default_rng([seed, k, at] if at else [seed, k])
            sets[k, path] = law.draw(weights[path], n_sets, rng)
    return sets


def cut_factors(found: Sequence[Acting], u: Floats, path: str) -> Floats:
    """(n_runs,) what the cut-off of a condition on an index or domain is multiplied by."""
    factor = np.ones(len(u))
    for one, column in zip(found, u.T, strict=True):
        a = one.assumption
        if isinstance(a, CutOff):
            low, high = a.cut
            factor *= low + (high - low) * column
        elif isinstance(a, Parameter) and a.part == "cut" and path in (one.paths or (path,)):
            factor *= a.values(column)
    return factor


def label_of(how: How) -> str:
    """Write a method as a reader would.

    Examples
    --------
    >>> label_of("z_score"), label_of({"min_max": {"low": 1, "high": 100}})
    ('z_score', 'min_max (low 1, high 100)')
    """
    settings = ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in settings_of(how).items()
    )
    return f"{name_of(how)} ({settings})" if settings else name_of(how)


def settings_frame(
    found: Sequence[Acting],
    u: Floats,
    sets: Mapping[tuple[int, str], Floats],
    children: Mapping[str, Sequence[str]],
    n_sets: int,
) -> pl.DataFrame:
    """Say what each run uses.

    Parameters
    ----------
    found, u
        What varies, and (n_runs, n_assumptions) numbers.
    sets, n_sets
        From `draw_sets`; how many of errors there are.
    children
        By path, names of each node's children.

    Returns
    -------
    polars.DataFrame
        ``run``, and by name of an assumption the way or number that is used, or the number of the
        set of errors; of weights, a column ``<node>.<child>.weight`` each.
    """
    import polars as pl

    columns: dict[str, Any] = {"run": np.arange(1, len(u) + 1)}
    for k, (one, column) in enumerate(zip(found, u.T, strict=True)):
        a = one.assumption
        if isinstance(a, Weights):
            for path in one.paths:
                drawn = sets[k, path][choice(column, len(sets[k, path]))]
                for child, weights in zip(children[path], drawn.T, strict=True):
                    columns[f"{path.replace('/', '.')}.{child}.weight"] = weights
        elif isinstance(a, Parameter):
            gridded = a.part in ("transform", "treat")
            grid = a.grid(a.steps)
            columns[a.called] = grid[choice(column, len(grid))] if gridded else a.values(column)
        elif isinstance(a, CutOff):
            columns[a.called] = cut_factors([one], column[:, None], "")
        elif isinstance(a, Inclusion):
            columns[a.called] = np.where(column < a.chance, "out", "in").tolist()
        elif isinstance(a, SamplingError | SmallCounts):
            columns[a.called] = choice(column, n_sets) + 1
        else:
            columns[a.called] = [label_of(a.of[i]) for i in choice(column, len(a.of))]
    return pl.DataFrame(columns)
