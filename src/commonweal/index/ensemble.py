"""An ensemble made ready: its rows worked out, and everything checked before the first run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.index.acting import acting
from commonweal.index.aggregate import needs_equal_weights
from commonweal.index.arguments import Count, Whole, strict
from commonweal.index.assumptions import CutOff, Parameter, SamplingError, SmallCounts
from commonweal.index.flat import lay_out
from commonweal.index.lists import column, columns, directions_of, keys
from commonweal.index.model import Ensemble, entered
from commonweal.index.noise import Noise
from commonweal.index.runs import draw_sets, label_of
from commonweal.index.score import score_tree
from commonweal.index.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from commonweal.index.acting import Acting
    from commonweal.index.assumptions import Assumption
    from commonweal.index.flat import Entry, Part, Way
    from commonweal.index.framework import Node
    from commonweal.index.tables import Matrix
    from commonweal.index.types import Floats
    from commonweal.indicators import Counts

__all__ = ["build_ensemble", "ensemble_of"]

_MOST_ROW_BYTES = 4_000_000_000


@strict
def build_ensemble(
    index: str,
    tree: Node,
    need: Mapping[str, ArrayLike] | Matrix,
    assumptions: Sequence[Assumption],
    *,
    standard_errors: Mapping[str, ArrayLike] | None = None,
    counts: Mapping[str, Counts] | None = None,
    points: Floats | None = None,
    signs: Mapping[str, float] | None = None,
    codes: Sequence[str] | None = None,
    n_sets: Count = 1024,
    seed: Whole = 1,
) -> Ensemble:
    """Prepare an index and its assumptions, checking all of it.

    Parameters
    ----------
    index, tree
        The index. Its own bounds and targets are those of need, as in
        `commonweal.index.score_tree`; those of assumptions are in the indicators' own units.
    need
        (n_units,) need of each indicator, higher = more, NaN = missing: by name, or as a frame with
        a column each.
    assumptions
        What varies; each must have something to act on.
    standard_errors
        By indicator, (n_units,), NaN where there is none, for `SamplingError`.
    counts
        By indicator, for `SmallCounts`.
    points
        (n_units, 2) metres, for errors that are correlated in space.
    signs
        By indicator, -1 where a higher value is less need; 1 where none is given.
    codes
        (n_units,) codes, for a distance to a reference unit; those of the frame, if not given.
    n_sets, seed
        How many sets of weights and of errors runs choose from, and the seed of both.

    Raises
    ------
    DataError
        If an assumption has nothing to act on, two have one name or act on the same, values cannot
        be combined as an assumption may say, what is given is not one number a unit, or no unit has
        a score.
    UnknownNameError
        If an indicator of the tree is not there, or an assumption or something given by name means
        a node or an indicator that is not.
    """
    need, codes = _needed(index, tree, need, codes)
    n_units = len(next(iter(need.values())))
    errors = _errors(standard_errors or {}, need, n_units)
    for name, of in (counts or {}).items():
        column(of.events, f"counts of '{name}'", n_units)
    for given, what in ((counts, "with counts"), (signs, "with a sign")):
        keys(given or {}, need, "indicator", f" ({what})")
    directions_of(signs or {}, list(need))
    found = acting(assumptions, {index: tree}, standard_errors or (), counts or ())
    weights = {p: np.array(list(n.weights.values())) for p, n in tree.walk(index) if n.children}
    for one in found:
        a = one.assumption
        if isinstance(a, CutOff) or (isinstance(a, Parameter) and a.part == "cut"):
            raise DataError(
                f"assumption '{a.called}': an index by itself has no cut-off; a designation has"
            )
    made = ensemble_of(
        index, tree, need, found, draw_sets(found, weights, n_sets, seed),
        standard_errors=errors, counts=counts, points=points, signs=signs,
        codes=codes, n_sets=n_sets, seed=seed,
    )  # fmt: skip
    if not made.present.any():
        raise DataError(f"index {index}: no unit has a score; there is nothing to vary")
    return made


def _needed(
    index: str,
    tree: Node,
    given: Mapping[str, ArrayLike] | Matrix,
    codes: Sequence[str] | None,
) -> tuple[dict[str, Floats], Sequence[str] | None]:
    """Take in need by indicator: all that is given by name, of a frame what the tree reads."""
    nodes = [node for _, node in tree.walk(index)]
    read = [n for node in nodes for n in (node.indicator, *node.base) if n is not None]
    if isinstance(given, Mapping):
        keys(read, given)
        return columns(given, "need"), codes
    taken = table(given, list(dict.fromkeys(read)), codes)
    return dict(zip(taken.names, taken.values.T, strict=True)), taken.units


def _errors(
    given: Mapping[str, ArrayLike], names: Mapping[str, Floats], n_units: int
) -> dict[str, Floats]:
    keys(given, names, "indicator", " (with a standard error)")
    taken = columns(given, "standard errors", n_units)
    for name, errors in taken.items():
        if (errors < 0).any():
            at = int((errors < 0).argmax())
            raise DataError(
                f"standard errors of '{name}', row {at + 1}: {errors[at]:g} found; "
                "expected 0 or more"
            )
    return taken


def ensemble_of(
    index: str,
    tree: Node,
    need: Mapping[str, Floats],
    found: tuple[Acting, ...],
    sets: Mapping[tuple[int, str], Floats],
    *,
    standard_errors: Mapping[str, Floats] | None = None,
    counts: Mapping[str, Counts] | None = None,
    points: Floats | None = None,
    signs: Mapping[str, float] | None = None,
    codes: Sequence[str] | None = None,
    n_sets: int = 1024,
    seed: int = 1,
) -> Ensemble:
    """Prepare one index of several that vary together, or one of its nodes with its path.

    Parameters
    ----------
    found
        Where the assumptions act (`commonweal.index.acting.acting`); some may act elsewhere.
    sets
        Their weights (`commonweal.index.runs.draw_sets`).
    index, tree, need, standard_errors, counts, points, signs, codes, n_sets, seed
        As in `build_ensemble`.
    """
    signs = signs or {}
    parts = lay_out(index, tree, found, signs)
    stated, transformed = score_tree(index, tree, need.__getitem__, codes=codes)
    for part in parts:
        _refuse_unequal(part)
    n_units = len(stated[index])
    n_rows = sum(len(e.ways.of) for part in parts for e in part.entries if not e.moves)
    if n_rows * n_units * 8 > _MOST_ROW_BYTES:
        raise DataError(
            f"index {index}: {n_rows:,} ways of {n_units:,} units would take "
            f"{n_rows * n_units * 8 / 1e9:.1f} GB; expected fewer alternatives, or fewer 'steps'"
        )
    rows = np.empty((n_rows, n_units))
    bases = {
        e.path: np.stack([need[name] for name in e.base])
        for p in parts
        for e in p.entries
        if e.base
    }
    for part in parts:
        for entry in part.entries:
            if entry.moves and part.least_power >= 1:
                continue  # worked out in each run, and any value will do
            base = bases.get(entry.path)
            for k, way in enumerate(entry.ways.of):
                row = transformed[entry.path]
                if k > 0:
                    row = entered(stated[entry.path], way, entry, part.ties, base, codes)
                if not entry.moves:
                    rows[entry.first + k] = row
                if k in entry.ways.table and not entry.joined:
                    _refuse_low(part, entry, way, row)
    logs = None
    for part in parts:
        if part.least_power <= 0 and logs is None:
            with np.errstate(invalid="ignore", divide="ignore"):
                logs = np.log(rows)
    noise = {}
    for k, one in enumerate(found):
        a = one.assumption
        if isinstance(a, SamplingError | SmallCounts):
            names = {path: node.indicator or "" for path, node in tree.walk(index)}
            if isinstance(a, SamplingError) and a.range_m and points is None:
                raise DataError(f"assumption '{a.called}': a range needs the units' points")
            for path in one.paths:
                if path in names:
                    noise[path] = (
                        k,
                        _noise(a, names[path], standard_errors, counts, points, signs, seed),
                    )
    return Ensemble(index, found, parts, stated, rows, logs, bases, codes, noise, sets, n_sets)


def _noise(
    a: SamplingError | SmallCounts,
    name: str,
    standard_errors: Mapping[str, Floats] | None,
    counts: Mapping[str, Counts] | None,
    points: Floats | None,
    signs: Mapping[str, float],
    seed: int,
) -> Noise:
    sign = signs.get(name, 1.0)
    if isinstance(a, SmallCounts):
        return Noise(name, seed, counts=(counts or {})[name], sign=sign)
    errors = (standard_errors or {})[name]
    return Noise(
        name, seed, np.nan_to_num(errors), a.range_m, points if a.range_m else None, sign=sign
    )


def _refuse_unequal(part: Part) -> None:
    """Refuse a form that takes no weights where they are not alike."""
    for how in part.forms.of:
        why = needs_equal_weights(how)
        if why and (part.weighed_by >= 0 or np.ptp(part.weights) > 0):
            raise DataError(
                f"{part.path.replace('/', '.')}: {why}; expected children of one weight that does not vary"
            )


def _refuse_low(part: Part, entry: Entry, way: Way, row: Floats) -> None:
    """Refuse values that the means of a part may not take, before the first run."""
    power = part.least_power
    least = np.fmin.reduce(row, initial=np.inf)
    if power < 1 and (least < 0 or (least == 0 and power <= 0)):
        mean = {0.0: "geometric", -1.0: "harmonic"}.get(power, f"power {power:g}")
        raise DataError(
            f"{part.path.replace('/', '.')}: a {mean} mean needs values above 0; "
            f"{entry.path.replace('/', '.')} as {label_of(way.transform)} has {least:g}"
        )
