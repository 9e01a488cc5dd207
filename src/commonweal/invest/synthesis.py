"""A random-effects synthesis of stated effects: what a choice among them rests on, in place of the boldest of them.

Whoever picks the best of several uncertain numbers picks, on average, one that is stated too high: the optimiser's
curse (Smith and Winkler, 2006, Management Science 52, 311-322). The remedy is to draw each towards what all of them say
together, and the less certain it is the more:

    y_i ~ N(theta_i, s_i^2),  theta_i ~ N(mu, tau^2)
    E(theta_i | y) = B_i mu + (1 - B_i) y_i,  B_i = s_i^2 / (s_i^2 + tau^2)

tau^2 is by the moments of DerSimonian and Laird (1986, Controlled Clinical Trials 7, 177-188); the error of mu by
Hartung and Knapp (2001, Statistics in Medicine 20, 1771-1782), never below the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """A normal-normal random-effects model, fitted."""

    # mean, error: of the effects: mu, and its standard error by Hartung and Knapp
    mean: float
    error: float
    tau: float  # by how much effects differ beyond their own errors, a standard deviation
    shrunk: Floats  # (k,) each effect drawn towards the mean
    weight: Floats  # (k,) how much of the mean is in each, 0 to 1

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean, by Student's t with k - 1 degrees of freedom."""
        from scipy.stats import t

        half = float(t.ppf(0.975, len(self.shrunk) - 1)) * self.error
        return self.mean - half, self.mean + half


def random_effects(estimates: ArrayLike, errors: ArrayLike) -> RandomEffects:
    """Pool effects on one scale, with standard errors above 0, and draw each towards the mean of all."""
    y, s = np.asarray(estimates, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if len(y) < 2 or y.shape != s.shape or not (s > 0).all():
        raise DataError(f"{len(y)} effects; expected two or more, each with an error above 0")
    w, k = 1 / s**2, len(y)
    q = float(w @ (y - w @ y / w.sum()) ** 2)
    tau2 = max(0.0, (q - (k - 1)) / float(w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (s**2 + tau2)
    mean = float(w @ y / w.sum())
    scale = max(1.0, float(w @ (y - mean) ** 2) / (k - 1))
    variance = scale / float(w.sum())
    weight = s**2 / (s**2 + tau2)
    return RandomEffects(
        mean,
        variance**0.5,
        tau2**0.5,
        weight * mean + (1 - weight) * y,
        weight,
    )
