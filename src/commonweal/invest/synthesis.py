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
from commonweal.invest.parameters import Uncertain

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from commonweal.invest.interventions import Effect, Interventions

    Floats = NDArray[np.float64]


LEAST = 3
"""Effects of a family below which there is nothing to learn of how far they differ."""

_POINTS = 2048


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """A normal-normal random-effects model, fitted.

    Attributes
    ----------
    mean, error
        Of the effects: mu, and its standard error by Hartung and Knapp.
    tau
        By how much effects differ beyond their own errors, a standard deviation.
    shrunk
        (k,) each effect drawn towards the mean.
    weight
        (k,) how much of the mean is in each, 0 to 1.
    """

    mean: float
    error: float
    tau: float
    shrunk: Floats
    weight: Floats

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean, by Student's t with k - 1 degrees of freedom."""
        from scipy.stats import t

        half = float(t.ppf(0.975, len(self.shrunk) - 1)) * self.error
        return self.mean - half, self.mean + half


def random_effects(estimates: ArrayLike, errors: ArrayLike) -> RandomEffects:
    """Pool effects, and draw each towards the mean of all.

    Parameters
    ----------
    estimates, errors
        (k,) effects on one scale, and their standard errors, above 0.

    Raises
    ------
    DataError
        If there are fewer than two, or an error is not above 0.

    Examples
    --------
    >>> found = random_effects([0.0, 0.1, 0.4], [0.05, 0.1, 0.2])
    >>> round(found.mean, 3), round(found.tau, 3), found.shrunk.round(3).tolist()
    (0.09, 0.106, [0.016, 0.095, 0.158])
    """
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


def pool_families(interventions: Interventions) -> dict[str, RandomEffects]:
    """Pool the sizes of each family of a file that has enough of them, in the file's order."""
    found = {}
    for family in dict.fromkeys(one.family for one in interventions.interventions.values()):
        sizes = [size for *_, size in _sized(interventions, family)]
        if len(sizes) >= LEAST:
            found[family] = random_effects([s.mean for s in sizes], [_deviation(s) for s in sizes])
    return found


def shrink_effects(interventions: Interventions) -> Interventions:
    """Draw assumed sizes of effects towards the mean of their family; those that a causal study gives stay.

    The whole range of a size is scaled, and with it changes of indicators that are added or multiplied: pooling
    assumptions adds no evidence, so it makes none relatively more certain.
    """
    families = pool_families(interventions)
    share = {
        (name, outcome): float(mean) / size.mean
        for family, pooled in families.items()
        for (name, outcome, size), mean in zip(
            _sized(interventions, family), pooled.shrunk, strict=True
        )
    }
    ones = {
        name: one.model_copy(
            update={
                "effects": tuple(
                    effect
                    if effect.quality == "causal"
                    else _drawn(effect, share.get((name, effect.outcome), 1.0))
                    for effect in one.effects
                )
            }
        )
        for name, one in interventions.interventions.items()
    }
    note = " ".join((interventions.note, *map(_told, families.values())))
    return interventions.model_copy(update={"interventions": ones, "note": note.strip()})


def _told(pooled: RandomEffects) -> str:
    """Say what was done to the sizes of a family."""
    low, high = pooled.interval
    return (
        f"Assumed sizes are drawn towards the mean of {len(pooled.shrunk)} effects, {pooled.mean:.2g} standard "
        f"deviations (95% interval {low:.2g} to {high:.2g}), the less certain the more. So no choice rests on the "
        "boldest guess. This adds no evidence. Effects with causal evidence stay as studied."
    )


def _sized(interventions: Interventions, family: str) -> list[tuple[str, str, Uncertain]]:
    """Give the sizes of a family that can be pooled: uncertain, and above 0."""
    return [
        (name, effect.outcome, size)
        for name, one in interventions.interventions.items()
        if one.family == family
        for effect in one.effects
        if (size := effect.stated_size) is not None and not size.certain and size.mean > 0
    ]


def _deviation(number: Uncertain) -> float:
    """Give the standard deviation of what a number may be."""
    return float(number.quantile((np.arange(_POINTS) + 0.5) / _POINTS).std())


def _drawn(effect: Effect, share: float) -> Effect:
    """Scale an effect, and keep the size that was stated."""
    if effect.size is None or share == 1:
        return effect
    through = tuple(
        t.model_copy(update={"by": _scaled(t.by, share, _NOTHING[t.change])})
        if t.change in _NOTHING
        else t
        for t in effect.through
    )
    size = _scaled(effect.size, share)
    return effect.model_copy(update={"size": size, "stated": effect.size, "through": through})


_NOTHING = {"add": 0.0, "times": 1.0}
"""The change that changes nothing; values that are reached, by `at_least` and `at_most`, are not scaled."""


def _scaled(number: Uncertain, share: float, nothing: float = 0.0) -> Uncertain:
    """Scale what a number adds to one that changes nothing."""
    spread = number.law in ("normal", "lognormal")  # whose second number is a standard deviation
    numbers = [
        share * x if spread and k else nothing + share * (x - nothing)
        for k, x in enumerate(number.numbers)
    ]
    ends = number.within
    within = ends and (nothing + share * (ends[0] - nothing), nothing + share * (ends[1] - nothing))
    return Uncertain(number.law, tuple(float(f"{x:.4g}") for x in numbers), within)
