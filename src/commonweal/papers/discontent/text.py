"""Places that don't matter: the answer in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.papers.discontent.models import GROWTH, NEIGHBOURS, shrinkage
from commonweal.papers.discontent.results import ANSWER
from commonweal.survey.regression import CONSTANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.papers.discontent import Term
    from commonweal.papers.discontent.results import ControlledDifference, Discontent


NOT_A_CAUSE = "All of this is association, not cause. It describes areas, not individual voters."


def labels(found: Discontent) -> dict[str, str]:
    """Give the name for readers of every column of the two tables, and of the constant."""
    tables = (*found.authorities.variables, *found.wards.variables)
    return {CONSTANT: "Constant", **{v.name: v.label for v in tables}}


def per_point_less(term: Term, digits: int = 1) -> str:
    """Write the coefficient of growth for growth that is lower: ``5.0 points higher (3.3 to 6.7)``."""
    side = "higher" if term.estimate <= 0 else "lower"
    low, high = -term.high, -term.low
    if side == "lower":
        low, high = -high, -low
    return (
        f"{abs(term.estimate):.{digits}f} points {side} "
        f"(95% interval {low:.{digits}f} to {high:.{digits}f})"
    )


def of_wards(held: ControlledDifference) -> str:
    """Write by how much left-behind wards differ: ``6.0 points higher (1.6 to 10.3)``."""
    term = held.model.term(held.term)
    sign = 1 if term.estimate >= 0 else -1
    low, high = sorted((sign * term.low, sign * term.high))
    side = "higher" if sign > 0 else "lower"
    return f"{abs(term.estimate):.1f} points {side} (95% interval {low:.1f} to {high:.1f})"


_ACROSS = {
    True: "Across whole authorities there is no clear difference:",
    False: "Across whole authorities,",
}
"""By whether the interval holds zero."""


def answer(found: Discontent) -> tuple[str, ...]:
    """Give the answer in a few sentences."""
    _, industry, people = (column.model.term(GROWTH) for column in found.columns)
    current = found.readings[1].models[-1].term(GROWTH)
    how, best = best_fitting(found)
    held = _held(found.held, ANSWER)
    aged = found.held[-1]
    by_authority = _held(found.by_authority, ANSWER)
    return (
        "Support for Leave in 2016 was higher where the regional economy grew more slowly. For each 1% a year less "
        f"growth it was {per_point_less(industry)}, with level, industry and population held constant.",
        "With schooling, age and unemployment held constant as well, it was "
        f"{per_point_less(people, 2)}. So the link with decline shrinks by about "
        f"{round(100 * shrinkage(found.columns), -1):.0f}% and {told_from_zero(best)} in the best-fitting model.",
        f"That model {how} and counts every authority equally; Akaike's criterion prefers it. In it, the share was "
        f"{per_point_less(best, 2)}. The other choices matter too. With manufacturing at current prices it was "
        f"{per_point_less(current, 2)}: that {told_from_zero(current)}.",
        f"In wards on the list of left-behind areas, the Leave share was {of_wards(held)} than in other wards of "
        "their authority with the same deprivation and education. With age held constant as well, it was "
        f"{of_wards(aged)}.",
        f"This compares wards in {found.listed_authorities} authorities with both kinds of ward. {_rests_on(held)} "
        f"points. An interval that allows for so few authorities is {_wider(held)} ({_wider(aged)} with age).",
        f"{_ACROSS[_term(by_authority).low < 0 < _term(by_authority).high]} for each 10 points more of people in "
        f"left-behind wards, the Leave share was {of_wards(by_authority)}, with deprivation and degrees held constant.",
        NOT_A_CAUSE,
    )


def _rests_on(held: ControlledDifference) -> str:
    """Name the cluster that changes the difference most when it is left out."""
    now = _term(held).estimate
    most = max(held.jackknife.estimates.items(), key=lambda item: abs(item[1] - now))
    return f"Without {most[0]} alone it is {most[1]:.1f}"


def _wider(held: ControlledDifference) -> str:
    term = held.jackknife.term
    return f"{_one(term.low)} to {_one(term.high)}"


def _one(value: float) -> str:
    """Write a number with one decimal; what rounds to zero has no sign."""
    return f"{round(value, 1) + 0.0:.1f}"


def told_from_zero(term: Term) -> str:
    """Say whether the interval of a coefficient leaves zero out, as the end of a sentence."""
    return f"{'cannot' if term.low < 0 < term.high else 'can'} be told from zero"


def best_fitting(found: Discontent) -> tuple[str, Term]:
    """Give growth in the last column's model of the lowest Akaike criterion, and how that treats neighbours."""
    near, at = found.dependence, people_at(found)
    models = (
        (
            near.error.aic,
            "allows for errors that neighbouring authorities share",
            near.error.terms[at],
        ),
        (near.lag.aic, "allows for votes that neighbouring authorities share", near.lag.terms[at]),
        (near.error.aic_ols, "does not allow for neighbours", near.plain.term(GROWTH)),
    )
    _, how, term = min(models, key=lambda model: model[0])
    return how, term


def people_at(found: Discontent) -> int:
    """Give the place of growth among the terms of the last column."""
    return found.columns[-1].model.position(GROWTH)


def diagnostics(found: Discontent) -> tuple[str, ...]:
    """Give the checks of the last column in plain words."""
    near = found.dependence
    table = found.authorities.table
    most = [table["name"][int(i)] for i in found.influence.most(3)]
    largest = max(found.influence.cook)
    overlap, times = max(found.inflation.items(), key=lambda item: item[1])
    alike = near.moran[NEIGHBOURS]
    least, most_of_it = sorted(-b for b in found.by_region.estimates.values())[
        :: len(found.by_region.estimates) - 1
    ]
    return (
        f"No single authority decides the result. The largest Cook's distance is {largest:.2f} (the three largest: "
        f"{', '.join(most)}). Without the ten largest it is {per_point_less(found.without.term(GROWTH), 2)}.",
        f"No single region decides it. Leaving out one at a time gives {least:.2f} to {most_of_it:.2f} points, and an "
        f"interval of {-found.by_region.term.high:.2f} to {-found.by_region.term.low:.2f}.",
        f"Predictors overlap moderately: at most {times:.1f} times the variance ({labels(found)[overlap].lower()}).",
        f"Neighbouring authorities have similar errors: Moran's I of the residuals is {alike.i:.2f} with {NEIGHBOURS} "
        f"nearest neighbours (p = {alike.p:.3f} from {alike.draws} permutations). So errors clustered by region alone "
        "are probably too small.",
        f"With every authority counted equally it is {per_point_less(near.plain.term(GROWTH), 2)}. With errors that "
        f"neighbours share (lambda {near.error.spatial.estimate:.2f}) it is "
        f"{per_point_less(near.error.terms[people_at(found)], 2)}. With votes that neighbours share (rho "
        f"{near.lag.spatial.estimate:.2f}) it is "
        f"{per_point_less(near.lag.terms[people_at(found)], 2)}. Akaike's criterion is "
        f"{near.error.aic:,.0f}, {near.lag.aic:,.0f} and {near.error.aic_ols:,.0f} without neighbours: "
        + ("the first fits best." if near.error.aic < near.lag.aic else "the second fits best."),
    )


def coverage_sentences(found: Discontent) -> tuple[str, ...]:
    """Say which areas the tables have, and which are left out."""
    regions, counted = found.authorities.steps[2], found.wards.steps
    return (
        f"Authorities: {regions.kept} of {found.authorities.steps[0].kept} in England and Wales. We left out "
        f"{', '.join(regions.lost)}, whose regions were redrawn.",
        f"Wards: {counted[1].kept:,} of {counted[0].kept:,} have counts. {counted[2].kept:,} of them are in England, "
        f"and {counted[-1].kept:,} have another ward of their authority for comparison. Councils chose whether to "
        f"give counts. In {int((found.wards.table['no_postals'] == 0).sum()):,}, postal votes were mixed in.",
    )


def _held(rows: Sequence[ControlledDifference], title: str) -> ControlledDifference:
    return next(row for row in rows if row.held == title)


def _term(held: ControlledDifference) -> Term:
    return held.model.term(held.term)
