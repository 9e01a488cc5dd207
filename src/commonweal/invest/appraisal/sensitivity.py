"""Uncertainty of an appraisal: inputs drawn at random, one changed at a time, switching values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.appraisal.model import expected, lines_worth, totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.invest.appraisal.model import Input, Model
    from commonweal.invest.appraisal.project import Correlation


def draw_inputs(
    model: Model, n: int, seed: int, correlations: Sequence[Correlation] = ()
) -> dict[str, NDArray[np.float64]]:
    """Draw every uncertain input.

    Each has a stream of random numbers of its own, by its name: adding one leaves the others' draws
    as they were. Correlated ones go through a normal (Gaussian) copula: the stated correlation is
    that of their normal scores.

    Gives (n,) for each uncertain input, a single number for each certain one.
    """
    from scipy.special import ndtr, ndtri

    if n < 1:
        raise DataError(f"found {n} draws; expected 1 or more")
    unsure = [i for i in model.inputs.values() if not i.number.certain]
    chance = {
        i.name: np.random.default_rng([seed, crc32(i.name.encode())]).random(n) for i in unsure
    }
    if correlations:
        names, matrix = _correlation_matrix(model, correlations)
        scores = np.column_stack([ndtri(np.maximum(chance[name], 2.0**-54)) for name in names])
        try:
            lower = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise DataError(
                f"the correlations of {', '.join(names)} contradict each other: no such numbers can be"
            ) from None
        for name, column in zip(names, (scores @ lower.T).T, strict=True):
            chance[name] = ndtr(column)
    certain = {i.name: np.asarray(i.number.mean) for i in model.inputs.values() if i.number.certain}
    return certain | {i.name: i.number.quantile(chance[i.name]) for i in unsure}


def _correlation_matrix(
    model: Model, correlations: Sequence[Correlation]
) -> tuple[list[str], NDArray[np.float64]]:
    names: list[str] = []
    pairs = set()
    for stated in correlations:
        for name in stated.between:
            if name not in model.inputs:
                raise UnknownNameError("input", name, model.inputs, " ('correlations')")
            if model.inputs[name].number.certain:
                raise DataError(f"'correlations': '{name}' is certain; expected an uncertain input")
            if name not in names:
                names.append(name)
        pair = frozenset(stated.between)
        if len(pair) < 2 or pair in pairs:
            raise DataError(
                f"'correlations': found {' and '.join(stated.between)} again; expected a pair once"
            )
        pairs.add(pair)
    matrix = np.eye(len(names))
    for stated in correlations:
        a, b = (names.index(name) for name in stated.between)
        matrix[a, b] = matrix[b, a] = stated.of
    return names, matrix


ENDS = (0.025, 0.975)
"""A tornado goes from the low to the high end of each input's 95% interval."""

_POINTS = 512


@dataclass(frozen=True, slots=True)
class Swing:
    """What one uncertain input does to the answer, the others at their expected values."""

    input: Input
    # low, high: the ends of its 95% interval
    low: float
    high: float
    # npsv, bcr: net present social value and benefit-cost ratio at these
    npsv: tuple[float, float]
    bcr: tuple[float, float]
    # the share of the variance of the net present social value that it causes by itself; what is missing to 1 over all
    # inputs they cause together
    share: float

    @property
    def width(self) -> float:
        """How far the net present social value goes from one end to the other."""
        return abs(self.npsv[1] - self.npsv[0])


@dataclass(frozen=True, slots=True)
class SwitchingValue:
    """Where an input would have to be for costs and benefits to be even, the others as expected."""

    input: Input
    expected: float
    value: float | None  # its switching value; None if there is none that makes sense
    # the chance that it lies on the other side of its switching value; 0 for a certain input
    beyond: float

    @property
    def change(self) -> float | None:
        """By which share of the expected value it would have to change; None where there is none."""
        if self.value is None or self.expected == 0:
            return None
        return self.value / self.expected - 1


def _with(
    model: Model, middle: Mapping[str, float], name: str, values: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Give the totals for (n,) values of one input, the others in the middle."""
    told = totals(model, lines_worth(model, {**middle, name: values}))
    return {key: np.broadcast_to(value, values.shape) for key, value in told.items()}


def swings(model: Model, variance: float) -> tuple[Swing, ...]:
    """Move each uncertain input from end to end, the others at their expected values.

    The share of variance is that of the expected answer given the input (a first-order Sobol index).
    As the answer is a sum of products of independent inputs, that is the answer with the others at
    their expected values; correlated inputs are treated as if they were independent.
    """
    found, middle = [], expected(model)
    for i in model.inputs.values():
        if i.number.certain:
            continue
        ends = i.number.quantile(np.array(ENDS))
        told = _with(model, middle, i.name, ends)
        npsv, bcr = told["npsv"].tolist(), told["bcr"].tolist()
        grid = i.number.quantile((np.arange(_POINTS) + 0.5) / _POINTS)
        alone = float(np.var(_with(model, middle, i.name, grid)["npsv"]))
        share = min(alone / variance, 1.0) if variance > 0 else 0.0
        low, high = ends.tolist()
        found.append(Swing(i, low, high, (npsv[0], npsv[1]), (bcr[0], bcr[1]), share))
    return tuple(sorted(found, key=lambda s: -s.width))


def switching_values(model: Model) -> tuple[SwitchingValue, ...]:
    """Find for each input the value at which the net present social value is 0."""
    found, middle = [], expected(model)
    for i in model.inputs.values():
        value, beyond = _root(model, middle, i), 0.0
        if value is not None and not i.number.certain:
            below = i.number.below(value)
            beyond = below if value < middle[i.name] else 1 - below
        found.append(SwitchingValue(i, middle[i.name], value, beyond))
    return tuple(found)


def _root(model: Model, middle: Mapping[str, float], i: Input) -> float | None:
    """Find where the answer is 0, between the ends at which the input makes sense."""
    from scipy.optimize import brentq

    def npsv(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return _with(model, middle, i.name, values)["npsv"]

    now = middle[i.name]
    if math.isinf(i.most):  # a line is a product: what has no upper end goes in as a factor
        unit = abs(now) or 1.0
        first, second = npsv(np.array([now, now + unit]))
        if first == second:
            return None
        root = float(now - first * unit / (second - first))
        return root if i.least <= root <= i.most else None
    grid = np.linspace(i.least, i.most, 65)
    answers = npsv(grid)
    if 0 in answers:
        return float(grid[np.flatnonzero(answers == 0)[0]])
    turns = np.flatnonzero(np.diff(np.sign(answers)) != 0)
    if len(turns) == 0:
        return None
    nearest = turns[np.argmin(np.abs(grid[turns] - now))]
    low, high = grid[nearest : nearest + 2].tolist()
    return float(brentq(lambda x: float(npsv(np.array([x]))[0]), low, high))
