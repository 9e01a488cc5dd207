"""Weights raked to what is known of the population, with trimming and an account of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.survey.survey import Survey


NO_ANSWER = "no answer"
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Raking:
    """What raking did to the weights.

    Attributes
    ----------
    iterations
        Rounds over all margins.
    trimmed
        Respondents whose weight is at the cap.
    largest_change, smallest_change
        The largest and smallest factor of a weight, after the change of the total that all share.
    design_effect_before, design_effect_after
        Kish's ``n sum w^2 / (sum w)^2``.
    margins
        A row a group: ``margin``, ``group``, ``respondents``, ``target``, ``before`` and ``after`` (weighted shares).
    """

    iterations: int
    trimmed: int
    largest_change: float
    smallest_change: float
    design_effect_before: float
    design_effect_after: float
    margins: pl.DataFrame


def rake_survey(
    survey: Survey,
    margins: Mapping[str, Mapping[str, float]] | None = None,
    cap: float | None = None,
    tolerance: float = 1e-10,
    rounds: int = 500,
) -> tuple[Survey, Raking]:
    """Rake weights to margins of the population (iterative proportional fitting).

    Parameters
    ----------
    survey
        The respondents.
    margins
        By group, how many people each of its names has; or shares that add up to 1. Those of the survey's
        file if not given, with their cap.
    cap
        The largest weight, as a multiple of the mean weight; none if not given. Where it holds a weight down, the
        others make up for it, and the margins are met all the same.
    tolerance
        Largest difference of a weighted share from its target at which to stop.
    rounds
        Rounds in which that has to happen.

    Returns
    -------
    survey : Survey
        The same with raked weights, that add up to the margins' total (or to what they did, for shares), and the old
        ones as ``base_weight``. Standard errors take account of the raking.
    report : Raking

    Raises
    ------
    UnknownNameError
        If a margin is not a group of the survey.
    DataError
        If a name in a margin has no respondents, a group of respondents no target, a target is not above 0,
        margins do not add up to the same total, or no weights under the cap meet them all.

    Notes
    -----
    Those who are in no group of a margin keep their share of the weights in it, and the targets hold for the others.

    Source: Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table,
    Annals of Mathematical Statistics 11(4), 427-444.
    """
    if margins is None and survey.spec.rake is not None:
        margins, cap = survey.spec.rake.margins, cap or survey.spec.rake.cap
    if not margins:
        raise DataError(
            f"{survey.spec.name}: there are no margins to rake to; expected a group with its numbers"
        )
    if survey.raked or survey.spec.replicates:
        found = "weights that are raked already" if survey.raked else "replicate weights"
        raise DataError(
            f"{survey.spec.name}: found {found}; expected a survey with its first weights alone"
        )
    if cap is not None and not cap > 1:
        raise DataError(f"found a cap of {cap:g} mean weights; expected more than 1")
    index, shares, total = _targets(survey, margins)
    before = survey.frame["weight"].to_numpy()
    start = before / before.sum()
    limit = np.inf if cap is None else cap / len(start)
    w, done, off = _rake(start, index, shares, limit, tolerance, rounds)
    if off > tolerance:
        held = f" under a cap of {cap:g} mean weights" if cap is not None else ""
        raise DataError(
            f"{survey.spec.name}: no weights{held} meet all margins: after {done:,} rounds a share is still off by "
            f"{off:.2g}; expected margins that can hold together{', or a higher cap' if held else ''}"
        )
    ratio = w / start
    after = w * (total if total is not None else before.sum())
    frame = survey.frame.with_columns(
        base_weight=pl.col("weight"), weight=pl.Series("weight", after)
    )
    report = Raking(
        iterations=done,
        trimmed=int((w >= limit * (1 - 1e-9)).sum()),
        largest_change=float(ratio.max()),
        smallest_change=float(ratio.min()),
        design_effect_before=_kish(before),
        design_effect_after=_kish(after),
        margins=_reached(survey, margins, index, shares, start, w),
    )
    return replace(survey, frame=frame, raked=tuple(margins)), report


def _targets(
    survey: Survey, margins: Mapping[str, Mapping[str, float]]
) -> tuple[list[Array], list[Array], float | None]:
    """Check the margins; give each respondent's place in them, target shares, and the total if there is one."""
    name = survey.spec.name
    totals: dict[str, float] = {}
    for margin, numbers in margins.items():
        survey.groupings(margin)
        levels = survey.levels[margin]
        for group, number in numbers.items():
            if not (np.isfinite(number) and number > 0):
                raise DataError(
                    f"{name}: rake.margins.{margin}: '{group}' is {number:g}; expected a number above 0"
                )
            if group not in levels:
                raise DataError(
                    f"{name}: rake.margins.{margin}: no respondent is in '{group}', whose number is given; "
                    f"{nearest(group, levels)} (a group that nobody answered for has to be joined to another)"
                )
        for level in levels:
            if level not in numbers:
                raise DataError(
                    f"{name}: rake.margins.{margin}: there are respondents in '{level}' but no number for it; "
                    f"{nearest(level, numbers)}"
                )
        totals[margin] = float(sum(numbers.values()))
    first = next(iter(totals.values()))
    if any(abs(n - first) > 1e-6 * first for n in totals.values()):
        told = ", ".join(f"{m} {t:,.10g}" for m, t in totals.items())
        raise DataError(
            f"{name}: margins do not add up to the same total: {told}; expected one total for all"
        )
    index, shares = [], []
    weights = survey.frame["weight"].to_numpy() / survey.frame["weight"].sum()
    for margin, numbers in margins.items():
        levels = survey.levels[margin]
        place = survey.frame[margin].cast(pl.Enum(levels)).to_physical().cast(pl.Int64)
        none = float(weights[place.is_null().to_numpy()].sum())
        target = np.array([numbers[g] for g in levels]) / totals[margin] * (1 - none)
        index.append(place.fill_null(len(levels)).to_numpy())
        shares.append(np.append(target, none) if none else target)
    return index, shares, None if abs(first - 1) <= 1e-6 else first


def _rake(
    w: Array,
    index: list[Array],
    shares: list[Array],
    limit: float,
    tolerance: float,
    rounds: int,
) -> tuple[Array, int, float]:
    """Rake, capping before each round, so that what is cut goes to the others of the same groups."""
    off = np.inf
    for done in range(rounds + 1):
        capped = np.minimum(w, limit)
        off = max(
            np.abs(np.bincount(k, capped, len(s)) - s).max()
            for k, s in zip(index, shares, strict=True)
        )
        if off <= tolerance or done == rounds:
            return capped, done, float(off)
        w = capped
        for k, s in zip(index, shares, strict=True):
            w = w * (s / np.bincount(k, w, len(s)))[k]
    raise AssertionError  # the last round returns


def _kish(w: Array) -> float:
    return float(len(w) * (w**2).sum() / w.sum() ** 2)


def _reached(
    survey: Survey,
    margins: Mapping[str, Any],
    index: list[Array],
    shares: list[Array],
    before: Array,
    after: Array,
) -> pl.DataFrame:
    parts = []
    for margin, k, target in zip(margins, index, shares, strict=True):
        size = len(target)
        parts.append(
            pl.DataFrame(
                {
                    "margin": [margin] * size,
                    "group": [*survey.levels[margin], NO_ANSWER][:size],
                    "respondents": np.bincount(k, minlength=size),
                    "target": target,
                    "before": np.bincount(k, before, size),
                    "after": np.bincount(k, after, size),
                }
            )
        )
    return pl.concat(parts)
