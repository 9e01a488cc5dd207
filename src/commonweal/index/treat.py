"""Outliers: winsorise the few or transform the many, by rules on skew and kurtosis, and by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.index.describe import from_sums, skew_kurtosis
from commonweal.index.methods import Finite, Whole, Within, settings_into, strict
from commonweal.index.reshape import (
    RESHAPES,
    ReshapeName,
    box_cox,
    likeliest_power,
    log,
    log_either,
    log_gii,
)
from commonweal.index.tables import Matrix, cell_frame, keys, table
from commonweal.index.tables import column as numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.methods import Function
    from commonweal.index.tables import Floats


__all__ = [
    "Changes",
    "Treated",
    "TreatmentRule",
    "TreatmentStep",
    "by_rules",
    "changes",
    "treat",
    "untreated",
    "winsorise",
    "winsorise_column",
]


Threshold = Annotated[float, Within(0, above=True, finite=False)]


@strict
@dataclass(frozen=True, slots=True)
class TreatmentRule:
    """When an indicator needs treatment, and which.

    It passes if its absolute skew is below `skew` *or* its kurtosis below `kurtosis`.

    Attributes
    ----------
    skew, kurtosis
        The thresholds, above 0 (G1 and excess G2, as in `commonweal.index.describe`).
    winsorise
        Bring in the most extreme values, one distinct value at a time, until it passes or so many
        units have been brought in; None = until it passes; 0 = don't.
    reshape
        What to do to all values of an indicator that still fails, by name (`RESHAPES`); None = leave
        it as winsorising left it.
    power
        Of ``box_cox``: 1 = none, 0.5 = root, 0 = logarithm; ``mle`` = the likeliest.
    combine
        Reshape the winsorised values rather than the original ones.
    """

    skew: Threshold = 2.0
    kurtosis: Threshold = 3.5
    winsorise: Whole | None = 5
    reshape: ReshapeName | None = "log"
    power: Finite | Literal["mle"] = 0.5
    combine: bool = False

    def passes(self, skew: float, kurtosis: float) -> bool:
        """Say whether an indicator needs no treatment."""
        return abs(skew) < self.skew or kurtosis < self.kurtosis


@dataclass(frozen=True, slots=True)
class TreatmentStep:
    """What was done to one indicator.

    Attributes
    ----------
    name
        The indicator.
    before, winsorised, reshaped
        Its (skew, kurtosis) at first, after winsorising and after reshaping; None if not done.
    n_low, n_high
        Units brought in at the low and the high end, if winsorising was what held.
    n_tried
        Units that winsorising brought in, whether it held or not.
    floor, cap
        The values that the units brought in have been given, if it held.
    reshape
        Name of the transformation that was applied to all its values, or ''.
    power
        Of ``box_cox``, if that was applied: as given, or as found.
    passes
        Whether it passes in the end; None if it was left out of treatment.
    """

    name: str
    before: tuple[float, float]
    winsorised: tuple[float, float] | None = None
    reshaped: tuple[float, float] | None = None
    n_low: int = 0
    n_high: int = 0
    n_tried: int = 0
    floor: float = -np.inf
    cap: float = np.inf
    reshape: ReshapeName | Literal[""] = ""
    power: float | None = None
    passes: bool | None = True


@dataclass(frozen=True, slots=True)
class Treated:
    """Treated indicators, and what was done.

    Attributes
    ----------
    values
        (n_units, n_indicators) treated values.
    before
        (n_units, n_indicators) the values given.
    steps
        (n_indicators,) what was done to each.
    units
        (n_units,) codes; None if there are none.
    """

    values: Floats
    before: Floats
    steps: tuple[TreatmentStep, ...]
    units: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Every value that treatment changed, column by column; the first fields are (n_changes,).

    Attributes
    ----------
    unit, indicator, before, after
        Row, column and values.
    how
        ``winsorised high``, ``winsorised low``, the name of the reshape, or both with a ``+``.
    names, units
        (n_indicators,) and (n_units,) names of the columns, and codes of the rows if they have any.
    """

    unit: NDArray[np.intp]
    indicator: NDArray[np.intp]
    before: Floats
    after: Floats
    how: NDArray[np.str_]
    names: tuple[str, ...]
    units: tuple[str, ...] | None = None

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame with a row a change: unit, indicator, before, after and how."""
        return cell_frame(self, ("before", "after", "how"))


def treat(
    x: Matrix,
    names: Sequence[str] | None = None,
    rule: TreatmentRule | Mapping[str, Any] | None = None,
    own: Mapping[str, TreatmentRule | Mapping[str, Any] | None] | None = None,
    *,
    units: Sequence[str] | None = None,
) -> Treated:
    """Treat the outliers of each indicator that needs it.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing (left missing).
    names
        (n_indicators,) names.
    rule
        What holds for all, as a `TreatmentRule` or as its settings by name; by default winsorise up to 5
        units, then a logarithm.
    own
        By indicator, its own rule; None leaves it as it is.
    units
        (n_units,) codes.

    Returns
    -------
    Treated
        An indicator that fails all the same keeps its last treatment and says so in its step.

    Raises
    ------
    DataError
        If an indicator to be treated has fewer than 4 values or is constant, so that it has no
        kurtosis; or a reshape cannot be applied to it.
    UnknownNameError
        If an indicator with its own rule, or a setting of a rule, is not there.

    Notes
    -----
    As COINr's ``Treat``, but for three things. Winsorising stops before it makes an indicator
    constant (COINr fails there). An indicator without kurtosis is an error (COINr returns it
    untreated with a warning). And ``log_gii`` transforms (COINr's leaves the values as they were).
    Source: Becker et al. (2022), COINr, Journal of Open Source Software 7(78), 4567.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [60.0]])
    >>> done = treat(x, ["pubs"])
    >>> done.values[-1], done.steps[0].n_high
    (array([7.]), 1)
    """
    taken = table(x, names, units)
    values, called = taken.values, taken.names
    keys(own or {}, called, where=" (with its own treatment)")
    common = (
        TreatmentRule() if rule is None else settings_into(TreatmentRule, rule, "the rule for all")
    )
    rules: dict[str, TreatmentRule | None] = dict.fromkeys(called, common)
    for name, its_own in (own or {}).items():
        whose = f"the rule of '{name}'"
        rules[name] = None if its_own is None else settings_into(TreatmentRule, its_own, whose)
    skews, kurtoses = skew_kurtosis(values)
    treated, steps = values.copy(), []
    for j, name in enumerate(called):
        its, before = rules[name], (float(skews[j]), float(kurtoses[j]))
        if its is None:
            steps.append(TreatmentStep(name, before, passes=None))
        elif np.isnan(before[1]):
            raise DataError(
                f"indicator '{name}' is constant or has fewer than 4 values: it has no kurtosis to "
                "decide by; leave it out of the treatment"
            )
        elif its.passes(*before):
            steps.append(TreatmentStep(name, before))
        else:
            treated[:, j], step = _treated(values[:, j], name, its, before)
            steps.append(step)
    return Treated(treated, values, tuple(steps), taken.unit_codes)


def _treated(
    column: Floats, name: str, rule: TreatmentRule, before: tuple[float, float]
) -> tuple[Floats, TreatmentStep]:
    """Treat one indicator that fails."""
    step = TreatmentStep(name, before, passes=False)
    held = column
    if rule.winsorise != 0:
        held, low, high, now = _winsorised(column, rule, before)
        ends = float(np.nanmin(held)), float(np.nanmax(held))
        step = replace(step, winsorised=now, n_tried=low + high, passes=rule.passes(*now))
        if step.passes or rule.reshape is None or rule.combine:
            step = replace(
                step,
                n_low=low,
                n_high=high,
                floor=ends[0] if low else -np.inf,
                cap=ends[1] if high else np.inf,
            )
    if step.passes or rule.reshape is None:
        return held, step
    given = held if rule.combine else column
    power = likeliest_power(given) if rule.power == "mle" else rule.power
    try:
        reshaped = RESHAPES[rule.reshape](given, power)
    except DataError as error:
        raise DataError(f"indicator '{name}': {error}") from error
    skew, kurtosis = skew_kurtosis(reshaped)
    after = float(skew), float(kurtosis)
    return reshaped, replace(
        step,
        reshaped=after,
        reshape=rule.reshape,
        power=power if rule.reshape == "box_cox" else None,
        passes=rule.passes(*after),
    )


def winsorise(
    values: ArrayLike, rule: TreatmentRule | Mapping[str, Any] | None = None
) -> tuple[Floats, int, int]:
    """Bring in the most extreme values of one indicator until it passes.

    One step gives all units at the extreme the next distinct value; the sign of the skew says at
    which end.

    Parameters
    ----------
    values
        (n_units,) values, NaN = missing.
    rule
        Its thresholds and `Rule.winsorise`.

    Returns
    -------
    values, n_low, n_high
        (n_units,) with how many units were brought in at either end. Where several tie at the
        extreme, that can be more than the rule's limit: they are alike.

    Raises
    ------
    DataError
        If there are fewer than 4 values, or all are the same.

    Examples
    --------
    >>> winsorise([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, -60.0])
    (array([1., 2., 3., 4., 5., 6., 7., 1.]), 1, 0)
    """
    its = TreatmentRule() if rule is None else settings_into(TreatmentRule, rule, "the rule")
    column = numbers_of(values, "values")
    skew, kurtosis = skew_kurtosis(column)
    if np.isnan(kurtosis):
        raise DataError("winsorising needs at least 4 values that are not all the same")
    held, low, high, _ = _winsorised(column, its, (float(skew), float(kurtosis)))
    return held, low, high


def _winsorised(
    column: Floats, rule: TreatmentRule, now: tuple[float, float]
) -> tuple[Floats, int, int, tuple[float, float]]:
    """Winsorise; give the values, how many at the low and high end, and (skew, kurtosis)."""
    ordered = np.sort(column)[: np.count_nonzero(~np.isnan(column))]  # NaN sorts last
    shape = _trimmer(ordered)
    n, low, high = len(ordered), 0, 0
    while not rule.passes(*now) and (rule.winsorise is None or low + high < rule.winsorise):
        floor, cap = ordered[low], ordered[n - high - 1]
        # All the units at the extreme, and one value further in that is left to take.
        if now[0] >= 0:
            new_low, new_high = low, n - int(np.searchsorted(ordered, cap, "left"))
        else:
            new_low, new_high = int(np.searchsorted(ordered, floor, "right")), high
        if new_low >= n or new_high >= n or ordered[new_low] >= ordered[n - new_high - 1]:
            break  # the next step would make it constant
        low, high = new_low, new_high
        now = shape(low, high)
    return np.clip(column, ordered[low], ordered[n - high - 1]), low, high, now


def _trimmer(ordered: Floats) -> Callable[[int, int], tuple[float, float]]:
    """Make a function that gives skew and kurtosis with so many brought in at either end.

    Sums of powers of the distance from the median are added up from the middle outwards, once.
    What is brought in is then never subtracted from a sum that it dominates.
    """
    n = len(ordered)
    middle = n // 2
    away = ordered - ordered[middle]
    powers = np.vstack([away, away**2, away * away**2, (away**2) ** 2])
    up = np.cumsum(powers[:, middle:], axis=1)
    down = np.zeros((4, middle + 1))
    down[:, 1:] = np.cumsum(powers[:, :middle][:, ::-1], axis=1)

    def shape(low: int, high: int) -> tuple[float, float]:
        # Few units are ever brought in past the middle; then the sums are taken anew.
        if low > middle or n - high - 1 < middle:
            skew, kurtosis = skew_kurtosis(np.clip(ordered, ordered[low], ordered[n - high - 1]))
            return float(skew), float(kurtosis)
        s1, s2, s3, s4 = (
            up[:, n - high - 1 - middle]
            + down[:, middle - low]
            + low * powers[:, low]
            + high * powers[:, n - high - 1]
        )
        mean = s1 / n
        m2 = s2 - n * mean**2
        m3 = s3 - 3 * mean * s2 + 2 * n * mean**3
        m4 = s4 - 4 * mean * s3 + 6 * mean**2 * s2 - 3 * n * mean**4
        skew, kurtosis = from_sums(np.asarray(float(n)), m2, m3, m4)
        return float(skew), float(kurtosis)

    return shape


def changes(treated: Treated) -> Changes:
    """List what was done to which value.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [60.0]])
    >>> done = changes(treat(x))
    >>> done.unit, done.before, done.after, done.how
    (array([7]), array([60.]), array([7.]), array(['winsorised high'], dtype='<U32'))
    """
    before, after = treated.before.T, treated.values.T
    indicator, unit = np.nonzero((before != after) & ~np.isnan(before))
    how = np.empty(len(unit), dtype="<U32")
    for j, step in enumerate(treated.steps):
        here = slice(*np.searchsorted(indicator, [j, j + 1]))
        was = before[j, unit[here]]
        how[here] = step.reshape
        for end, brought_in in (("high", was > step.cap), ("low", was < step.floor)):
            label = f"winsorised {end}"
            how[here][brought_in] = f"{label}+{step.reshape}" if step.reshape else label
    names = tuple(step.name for step in treated.steps)
    return Changes(
        unit, indicator, before[indicator, unit], after[indicator, unit], how, names, treated.units
    )


def untreated(x: Floats) -> Floats:
    """Leave the values as they are."""
    return np.asarray(x, dtype=np.float64)


@strict
def winsorise_column(
    x: Floats, units: Whole | None = None, skew: Threshold = 2.0, kurtosis: Threshold = 3.5
) -> Floats:
    """Bring in the most extreme values until skew or kurtosis passes, or `units` have been.

    Examples
    --------
    >>> winsorise_column(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 60.0]))
    array([1., 2., 3., 4., 5., 6., 7., 7.])
    """
    return winsorise(x, TreatmentRule(skew=skew, kurtosis=kurtosis, winsorise=units))[0]


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

    The settings are those of ``prepare: treat`` in a study, and of `commonweal.index.treat.TreatmentRule`.
    """
    rule = TreatmentRule(skew, kurtosis, winsorise, reshape, power, combine)
    return treat(np.asarray(x)[:, None], rule=rule).values[:, 0]


TREATMENTS: MappingProxyType[str, Function] = MappingProxyType(
    {
        "none": untreated,
        "winsorise": winsorise_column,
        "by_rules": by_rules,
        "log": log,
        "log_either": log_either,
        "log_gii": log_gii,
        "box_cox": box_cox,
    }
)
"""The treatments by name."""
