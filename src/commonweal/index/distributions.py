"""Distributions that numbers, weights and sampling errors are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal
from zlib import crc32

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from commonweal.index.methods import StrictModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.index.tables import Floats
    from commonweal.indicators import Counts


__all__ = [
    "Noise",
    "NumberDistribution",
    "WeightDistribution",
    "normal_errors",
    "rates_from_counts",
    "smooth_errors",
]


Number = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_LEAST_WEIGHT = 1e-300
"""A weight that is drawn as 0 could not carry what the other children miss."""


def choice(u: Floats, n: int) -> NDArray[np.intp]:
    """Turn numbers in [0, 1) into choices 0..n-1 of equal chance."""
    return np.minimum((u * n).astype(np.intp), n - 1)


class _Law(StrictModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NumberDistribution(_Law):
    """The law of one number; exactly one of these.

    Attributes
    ----------
    uniform
        The least and the greatest value.
    triangular
        The least, the likeliest and the greatest value.
    normal
        Mean and standard deviation.
    within
        With `normal`: the least and the greatest value; what lies beyond is cut off.
    choices
        Two or more values of equal chance.
    """

    uniform: tuple[Number, Number] | None = None
    triangular: tuple[Number, Number, Number] | None = None
    normal: tuple[Number, Annotated[Number, Field(gt=0)]] | None = None
    within: tuple[Number, Number] | None = None
    choices: tuple[Number, ...] | None = Field(default=None, min_length=2)

    @model_validator(mode="after")
    def _one_law(self) -> NumberDistribution:
        laws = {k: getattr(self, k) for k in ("uniform", "triangular", "normal", "choices")}
        found = [k for k, v in laws.items() if v is not None]
        if len(found) != 1:
            told = " and ".join(found) or "none"
            raise ValueError(f"found {told}; expected exactly one of: {', '.join(laws)}")
        if self.within is not None and self.normal is None:
            raise ValueError("'within' goes with 'normal'")
        for ends in (self.uniform, self.triangular, self.within):
            if ends is not None and not (sorted(ends) == list(ends) and ends[0] < ends[-1]):
                raise ValueError(f"found {list(ends)}; expected numbers from low to high")
        return self

    def values(self, u: Floats) -> Floats:
        """Give the quantiles at (n,) numbers in [0, 1).

        Examples
        --------
        >>> NumberDistribution(triangular=(0, 1, 2)).values(np.array([0.0, 0.5, 0.875]))
        array([0. , 1. , 1.5])
        """
        if self.uniform is not None:
            low, high = self.uniform
            return low + (high - low) * u
        if self.triangular is not None:
            low, mode, high = self.triangular
            turn = (mode - low) / (high - low)
            rising = low + np.sqrt(u * (high - low) * (mode - low))
            falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
            return np.where(u < turn, rising, falling)
        if self.normal is not None:
            return _normal(u, *self.normal, self.within)
        return np.array(self.choices)[choice(u, self.n_choices)]

    def law_in_words(self) -> str:
        """Say between what.

        Examples
        --------
        >>> NumberDistribution(uniform=(0, 1)).law_in_words()
        '0 to 1'
        """
        if self.choices is not None:
            return " or ".join(f"{v:g}" for v in self.choices)
        if self.normal is not None:
            cut = f", within {self.within[0]:g} to {self.within[1]:g}" if self.within else ""
            return f"normal around {self.normal[0]:g}, standard deviation {self.normal[1]:g}{cut}"
        if self.triangular is not None:
            low, mode, high = self.triangular
            return f"{low:g} to {high:g}, most likely {mode:g}"
        low, high = self.uniform or (np.nan, np.nan)
        return f"{low:g} to {high:g}"

    @property
    def n_choices(self) -> int:
        """How many values there are; 0 for a law with a density."""
        return 0 if self.choices is None else len(self.choices)

    def grid(self, steps: int) -> Floats:
        """Give the choices, or the middles of so many parts of equal chance."""
        n = self.n_choices or steps
        return self.values((np.arange(n) + 0.5) / n)


def _normal(u: Floats, mean: float, sd: float, within: tuple[float, float] | None) -> Floats:
    from scipy.special import ndtr, ndtri

    below, above = 0.0, 1.0
    if within is not None:
        below, above = ndtr((np.array(within) - mean) / sd)
    # 0 and 1 themselves have no quantile; nearer than this no random number comes.
    share = np.clip(below + (above - below) * u, 2.0**-54, 1 - 2.0**-53)
    drawn: Floats = mean + sd * ndtri(share)
    return drawn if within is None else np.clip(drawn, *within)


class WeightDistribution(_Law):
    """The law of the weights of one node's children; exactly one of these.

    Attributes
    ----------
    interval
        Each weight is multiplied by a uniform number in 1 - i to 1 + i, then all are rescaled to
        the stated total.
    dirichlet
        Concentration per child: k children of stated shares s are drawn from Dirichlet(k c s), so
        three equal weights with 10 are Dirichlet(10, 10, 10). Higher = closer to the stated ones.
    uniform
        ``true``: any set of weights that adds up to the stated total is as likely as any other,
        whatever the stated ones.
    given
        The sets themselves, (n_sets, n_children), each as likely as any other; used as they stand.
    """

    interval: float | None = Field(default=None, gt=0, lt=1)
    dirichlet: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    uniform: Literal[True] | None = None
    given: tuple[tuple[Weight, ...], ...] | None = Field(default=None, min_length=2)

    @model_validator(mode="after")
    def _one_law(self) -> WeightDistribution:
        found = self.stated_laws()
        if len(found) != 1:
            told = " and ".join(found) or "none"
            raise ValueError(
                f"found {told}; expected exactly one of: {', '.join(WeightDistribution.model_fields)}"
            )
        if self.given is not None and len({len(s) for s in self.given}) != 1:
            raise ValueError("'given': expected sets of one length, a weight for each child")
        return self

    def stated_laws(self) -> list[str]:
        """Names of the laws that are stated; one, once it is checked."""
        return [k for k in WeightDistribution.model_fields if getattr(self, k, None) is not None]

    def draw(self, stated: Floats, n_sets: int, rng: np.random.Generator) -> Floats:
        """Draw sets of weights.

        Parameters
        ----------
        stated
            (n_children,) weights as stated.
        n_sets
            How many sets; given ones are as many as they are.
        rng
            Where random numbers come from.

        Returns
        -------
        ndarray
            (n_sets, n_children), each set with the stated total unless they were given.

        Notes
        -----
        Uniform on the simplex is Dirichlet(1, ..., 1): Devroye (1986), Non-Uniform Random Variate
        Generation, Springer, chapter XI, section 4.1.
        """
        total, k = stated.sum(), len(stated)
        if self.given is not None:
            return np.array(self.given)
        if self.interval is not None:
            drawn = stated * rng.uniform(1 - self.interval, 1 + self.interval, (n_sets, k))
            drawn *= total / drawn.sum(axis=1, keepdims=True)
            return drawn
        alpha = np.ones(k)
        if self.dirichlet is not None:
            alpha = self.dirichlet * k * stated / total
        return np.maximum(rng.dirichlet(alpha, n_sets), _LEAST_WEIGHT) * total

    def __str__(self) -> str:
        if self.interval is not None:
            return f"up to {self.interval * 100:g}% either way"
        if self.dirichlet is not None:
            return f"Dirichlet, {self.dirichlet:g} for each part"
        if self.uniform:
            return "any weights, each as likely as any other"
        return f"{len(self.given or ())} given sets"


N_WAVES = 128
"""Random waves that make a spatially correlated error (random Fourier features)."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The sampling error of one indicator.

    Attributes
    ----------
    indicator
        Its name, which decides its errors together with seed and set.
    seed
        Seed of all errors.
    standard_errors
        (n_units,), 0 where there is none; or None.
    range_m, points
        Range of correlation, and (n_units, n_dimensions) points, both in metres; 0 and None for independent errors.
    counts
        In place of standard errors: the counts that it comes from.
    sign
        -1 where a higher value is less need.
    base
        (n_units,) what the errors are added to, in place of need.
    groups
        (n_units,) numbers of groups whose units have one error together, -1 for none; None for errors of their own.
    """

    indicator: str
    seed: int
    standard_errors: Floats | None = None
    range_m: float = 0.0
    points: Floats | None = None
    counts: Counts | None = None
    sign: float = 1.0
    base: Floats | None = None
    groups: NDArray[np.intp] | None = None

    def of(self, need: Floats, which: int) -> Floats:
        """Give (n_units,) need with one set of errors; missing need stays missing."""
        rng = np.random.default_rng([self.seed, 0x5E, which, crc32(self.indicator.encode())])
        if self.counts is not None:
            known = self.counts.known & ~np.isnan(need)
            return np.where(known, self.sign * rates_from_counts(self.counts, rng), need)
        assert self.standard_errors is not None
        if self.range_m:
            assert self.points is not None
            drawn = smooth_errors(self.points, self.range_m, rng)
        else:
            drawn = normal_errors(len(need), rng)
            if self.groups is not None:  # the first of a group gives its error to all
                first = np.unique(self.groups, return_index=True, return_inverse=True)[1:]
                drawn = np.where(self.groups < 0, drawn, drawn[first[0]][first[1].ravel()])
        return (need if self.base is None else self.base) + drawn * self.standard_errors


def normal_errors(n: int, rng: np.random.Generator) -> Floats:
    """Draw (n,) independent standard normal errors."""
    return rng.standard_normal(n)


def smooth_errors(points: Floats, range_m: float, rng: np.random.Generator) -> Floats:
    """Draw (n_units,) standard normal errors whose correlation falls with distance.

    Parameters
    ----------
    points
        (n_units, n_dimensions) metres.
    range_m
        The correlation at distance d is exp(-(d / range)^2 / 2).
    rng
        Where random numbers come from.

    Notes
    -----
    Source: Rahimi and Recht (2007), Random features for large-scale kernel machines, NIPS 20.
    """
    frequency = rng.standard_normal((points.shape[1], N_WAVES)) / range_m
    phase = rng.uniform(0, 2 * np.pi, N_WAVES)
    return np.sqrt(2 / N_WAVES) * np.cos(points @ frequency + phase) @ rng.standard_normal(N_WAVES)


def rates_from_counts(counts: Counts, rng: np.random.Generator) -> Floats:
    """Draw (n_units,) rates that could be behind the counts.

    Of k events in a base of n the rate is drawn from its posterior under Jeffreys's prior:
    Beta(k + 1/2, n - k + 1/2) where each of the base has it or not, Gamma(k + 1/2) / n where it can
    happen again. No events are then no proof that the rate is 0.

    Parameters
    ----------
    counts
        The counts; units without them give NaN.
    rng
        Where random numbers come from.

    Notes
    -----
    Source: Brown, Cai and DasGupta (2001), Interval estimation for a binomial proportion,
    Statistical Science 16(2), 101-133, doi:10.1214/ss/1009213286.
    """
    known = counts.known
    k, n = np.where(known, counts.events, 0.0), np.where(known, counts.base, 1.0)
    rate = rng.beta(k + 0.5, n - k + 0.5) if counts.law == "binomial" else rng.gamma(k + 0.5) / n
    return np.where(known, counts.per * rate, np.nan)
