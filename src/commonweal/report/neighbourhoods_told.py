"""What small-area estimates are worth, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from commonweal.document.columns import in_columns
from commonweal.document.words import counted, percent
from commonweal.social_capital.neighbourhoods.model import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from commonweal.social_capital.neighbourhoods import Estimates, Neighbourhoods

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["findings", "headline_lines", "overview", "points_or_units", "shown_value"]

_SURE = 2.0
"""Standard errors from 0 at which a coefficient is told."""
_FAR = 3.0
"""Standard deviations at which the answers of an area are told as far off."""
_SHOWN = 5


def shown_value(value: float, share: bool) -> str:
    """Say an estimate: a share in percent, a number with two decimals."""
    return f"{100 * value:.0f} %" if share else f"{value:.2f}"


def points_or_units(value: float, share: bool) -> str:
    """Say a difference: of shares in points.

    Examples
    --------
    >>> points_or_units(0.0614, True), points_or_units(0.0614, False)
    ('6.1 points', '0.06')
    """
    return f"{100 * value:.1f} points" if share else f"{value:.2f}"


def overview(found: Neighbourhoods) -> str:
    """Say what was estimated, from what, and how."""
    first = next(iter(found.outcomes.values()))
    asked = int((first.asked > 0).sum())
    people = max(int(e.asked.sum()) for e in found.outcomes.values())
    areas = found.areas
    return (
        f"{counted(len(areas), areas.singular, areas.plural)}, from the answers of {people:,} people in "
        f"{asked:,} of them, by {METHODS[found.method]}, with {len(found.covariates.names)} covariates; "
        f"intervals of {percent(found.level)}."
    )


def findings(found: Neighbourhoods, e: Estimates) -> Iterator[str]:
    """Tell what one outcome's estimates rest on and what to beware of, a sentence or two each."""
    m, areas = e.modelled, found.areas
    plural = areas.plural
    here = m.from_survey[m.direct.rows]
    rest = len(areas) - len(here)
    yield (
        f"In the {len(here):,} {plural} where people were asked, {percent(float(here.mean()))} of an estimate comes "
        f"from their own answers on average, and {percent(float(here.max()))} at most; the rest is what {plural} "
        "like them are."
        + (
            f" In the other {rest:,} all of it is: they differ from each other only as their covariates do."
            if rest
            else ""
        )
    )
    own = (
        points_or_units(m.model_sd, e.share)
        if m.method == "fay-herriot"
        else f"{m.model_sd:.2f} in log-odds"
    )
    yield (
        f"The covariates explain {percent(m.explained)} of the differences between {plural}; what each has of its own "
        f"has a standard deviation of {own}."
    )
    told = _told_coefficients(found, e)
    if told:
        yield f"What the estimates go with, other covariates equal: {told}. This is association, not cause."
    fit = int(e.publish.sum())
    yield (
        f"{fit:,} of {len(areas):,} estimates {'has' if fit == 1 else 'have'} a coefficient of variation under "
        f"{percent(found.limit)} and {_are(fit)} fit "
        "to publish by that convention; half of the intervals are narrower than plus or minus "
        f"{points_or_units(float(np.median(e.upper - e.lower)) / 2, e.share)}."
    )
    yield from _adding_up(found, e)
    far = np.flatnonzero(np.abs(m.residual) > _FAR)
    if len(far):
        names = areas.table["name"].gather(m.direct.rows[far][:_SHOWN]).to_list()
        yield (
            f"The answers of {counted(len(far), areas.singular, plural)} lie more than {_FAR:g} standard deviations "
            f"from what the model expects there ({', '.join(names)}): look at them."
        )
    if m.direct.design_effect > 1:
        yield (
            "People sampled together within an area answer alike: variances are multiplied by "
            f"{m.direct.design_effect:.2f} for it."
        )
    if e.outside:
        who = counted(e.outside, "respondent lives", "respondents live")
        yield f"{who} in none of the {plural} and {_are(e.outside)} left out."
    if e.of_no_kind:
        who = counted(e.of_no_kind, "respondent is", "respondents are")
        yield f"{who} of no known kind, for want of an answer on who they are, and left out."
    edge = int(((e.estimate <= 0) | (e.estimate >= 1)).sum()) if e.share else 0
    if edge:
        yield (
            f"{counted(edge, 'estimate', 'estimates')} would lie outside 0 to 100 % and {_are(edge)} set to that end: "
            "the model is stretched too far there."
        )


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _told_coefficients(found: Neighbourhoods, e: Estimates) -> str:
    """Name the covariates that matter, the surest first."""
    labels = dict(zip(found.covariates.names, found.covariates.labels, strict=True))
    sure = [
        (abs(value / error), f"{'more' if value > 0 else 'less'} with {labels[name].lower()}")
        for name, value, error in e.modelled.coefficients
        if name in labels and error > 0 and abs(value) > _SURE * error
    ]
    return ", ".join(words for _, words in sorted(sure, reverse=True))


def _adding_up(found: Neighbourhoods, e: Estimates) -> Iterator[str]:
    if e.larger is None:
        return
    used = e.larger.filter("used")
    if not len(used):
        yield (
            f"What the survey says directly is fit to publish of none of the {len(e.larger):,} larger areas "
            f"({found.benchmark}), so the estimates are not made to add up to it."
        )
        return
    moved = np.abs(e.estimate - e.modelled.estimate)
    before = np.sqrt((e.modelled.standard_error**2).mean())
    wider = float(np.sqrt((e.standard_error**2).mean()) / before) - 1
    yield (
        f"The estimates add up to what the survey says directly of {len(used):,} of {len(e.larger):,} larger areas "
        f"({found.benchmark}). That moves them by {points_or_units(float(moved.mean()), e.share)} on average, "
        f"which counts as error: standard errors are {percent(wider)} larger for it."
    )


def headline_lines(found: Neighbourhoods, title: str, note: str = "") -> Iterator[str]:
    """Tell a result on a terminal: what it is, a line an outcome, and what to know of each."""
    yield title
    if note:
        yield note
    yield ""
    yield overview(found)
    yield ""
    rows = []
    for e in found.outcomes.values():
        low, middle, high = np.quantile(e.estimate, [0.05, 0.5, 0.95])
        own = e.modelled.from_survey[e.modelled.direct.rows].mean()
        half = float(np.median(e.upper - e.lower)) / 2
        rows.append(
            [
                e.outcome,
                *(shown_value(float(v), e.share) for v in (low, middle, high)),
                points_or_units(half, e.share),
                f"{int(e.publish.sum()):,}",
                percent(float(own)),
            ]
        )
    yield from in_columns(
        [
            "Outcome",
            ">5 % are below",
            ">Median",
            ">5 % are above",
            ">Interval, +-",
            ">Fit to publish",
            ">Own answers",
        ],
        rows,
    )
    for e in found.outcomes.values():
        yield ""
        yield f"{e.label} ({e.outcome})"
        for line in findings(found, e):
            yield f"  {line}"
    for name, gaps in found.covariates.filled.items():
        yield ""
        who = counted(gaps, found.areas.singular, found.areas.plural)
        yield f"Covariate {name}: {who} had no value and got the mean."
