"""Treatment of one indicator's outliers by name: the alternatives that a study can state.

Each takes (n_units,) values in the indicator's own units, NaN = missing, and gives the same shape.
The rules are those of `commonweal.index.treat`, the logarithms and powers those of
`commonweal.index.reshape`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from commonweal.index.arguments import Finite, Whole, strict
from commonweal.index.reshape import ReshapeName, box_cox, log, log_either, log_gii
from commonweal.index.treat import Rule, Threshold, treat
from commonweal.index.treat import winsorise as _winsorise

if TYPE_CHECKING:
    from commonweal.index.methods import Function
    from commonweal.index.types import Floats

__all__ = ["TREATMENTS", "by_rules", "untreated", "winsorise"]


def untreated(x: Floats) -> Floats:
    """Leave the values as they are."""
    return np.asarray(x, dtype=np.float64)


@strict
def winsorise(
    x: Floats, units: Whole | None = None, skew: Threshold = 2.0, kurtosis: Threshold = 3.5
) -> Floats:
    """Bring in the most extreme values until skew or kurtosis passes, or `units` have been.

    Examples
    --------
    >>> winsorise(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 60.0]))
    array([1., 2., 3., 4., 5., 6., 7., 7.])
    """
    return _winsorise(x, Rule(skew=skew, kurtosis=kurtosis, winsorise=units))[0]


@strict
def by_rules(
    x: Floats,
    skew: Threshold = 2.0,
    kurtosis: Threshold = 3.5,
    winsorise: Whole = 5,
    reshape: ReshapeName = "log",
    power: Finite = 0.5,
    combine: bool = False,
) -> Floats:
    """Winsorise up to so many units; reshape all values of an indicator that still fails.

    The settings are those of ``prepare: treat`` in a study, and of `commonweal.index.treat.Rule`.
    """
    rule = Rule(skew, kurtosis, winsorise, reshape, power, combine)
    return treat(np.asarray(x)[:, None], rule=rule).values[:, 0]


TREATMENTS: MappingProxyType[str, Function] = MappingProxyType(
    {
        "none": untreated,
        "winsorise": winsorise,
        "by_rules": by_rules,
        "log": log,
        "log_either": log_either,
        "log_gii": log_gii,
        "box_cox": box_cox,
    }
)
"""The treatments by name."""
