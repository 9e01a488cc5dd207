"""Draws of counts whose sampling error can be scaled down, for tests against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


def logistic(x: Floats) -> Floats:
    """Turn log odds into probabilities, to 9 decimals: alike on every processor."""
    return np.round(1 / (1 + np.exp(-x)), 9)


def binomial(rng: np.random.Generator, trials: Counts, p: Floats, noise: float) -> Counts:
    """Count successes; with `noise` 0 the expected number, with 1 an honest draw."""
    return _scaled(trials * p, rng.binomial(trials, p), noise)


def poisson(rng: np.random.Generator, mean: Floats, noise: float) -> Counts:
    """Count events; with `noise` 0 the expected number, with 1 an honest draw.

    Examples
    --------
    >>> poisson(np.random.default_rng(1), np.array([2.2, 7.9]), noise=0.0)
    array([2, 8])
    """
    mean = np.round(mean, 9)
    return _scaled(mean, rng.poisson(mean), noise)


def share_se(count: Counts | Floats, trials: Counts | Floats, noise: float) -> Floats:
    """Give the standard error of a share; never 0, as nobody of thirty is not nobody at all.

    The count gets one success and one failure more first (Agresti and Coull, 1998).
    """
    p = (count + 1) / (trials + 2)
    return np.asarray(noise * np.sqrt(p * (1 - p) / (trials + 2)))


def rate_se(count: Counts | Floats, exposure: Floats | Counts, noise: float) -> Floats:
    """Give the standard error of a count per exposure.

    Half an event is added, as none seen is not none possible.
    """
    return np.asarray(noise * np.sqrt(count + 0.5) / exposure)


def _scaled(expected: Floats, drawn: Counts, noise: float) -> Counts:
    return np.rint(expected + noise * (drawn - expected)).astype(np.int64)
