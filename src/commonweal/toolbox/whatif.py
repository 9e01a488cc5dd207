"""What if: rebuild an index with one thing changed, and see who moves.

An index is here a function that builds (n_units,) scores from settings of any kind: a mapping of
weights, of methods, of indicators taken in. Each change is a set of such settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.rank import rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from commonweal.index.types import Floats

__all__ = ["NOMINAL", "Versions", "changed", "rebuild", "without_each"]

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
