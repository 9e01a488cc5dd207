"""Sampling error of indicators: normal, correlated in space, or that of a small count.

Errors come in numbered sets. A set and an indicator's name decide its error alone, so an indicator
has the same one in every index that uses it, and no other indicator has that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from commonweal.index.types import Floats
    from commonweal.indicators import Counts

__all__ = ["Noise", "normal_errors", "rates_from_counts", "smooth_errors"]

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
    """

    indicator: str
    seed: int
    standard_errors: Floats | None = None
    range_m: float = 0.0
    points: Floats | None = None
    counts: Counts | None = None
    sign: float = 1.0

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
        return need + drawn * self.standard_errors


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
