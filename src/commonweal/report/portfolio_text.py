"""A portfolio in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.format import format_count, format_people, percent
from commonweal.invest.appraisal.appraise import money

if TYPE_CHECKING:
    from commonweal.invest.portfolio.plan import Portfolio


UNIT = (
    "One person-year of need met means one resident better off by one standard deviation for one year. That is about "
    "the step from the median to better off than five in six. It counts for more where need is greater: 2 in the area "
    "ranked first, 1 at the median, 0 in the last, to the power of the equity setting. Years are not discounted."
)

_PROVEN = 2e-6
"""Share that a solver leaves open where it has proven the best."""

Row = tuple[str, int, float, float, float | None]


def by_intervention(found: Portfolio) -> list[Row]:
    """Give, for each intervention: label, places, GBP, need that it meets alone, and how often it is chosen.

    The last is the mean number of places in the best mixes of the draws; None without draws.
    """
    p, start = found.problem, found.mix.start
    spent = p.spent(start, found.rules.years).sum(axis=(0, 2))
    lasting = p.working(found.rules.years).sum(axis=2)
    alone = np.where(
        start >= 0,
        p.gains.sum(axis=2) * lasting[np.maximum(start, 0), np.arange(start.shape[1])],
        0.0,
    )
    met = (alone * p.weight[:, None]).sum(axis=0)
    rows: list[Row] = []
    for i, one in enumerate(found.builder.interventions.interventions.values()):
        often = None if found.stability is None else float(found.stability.often[:, i].sum())
        places = int((start[:, i] >= 0).sum())
        rows.append((one.label, places, float(spent[i]), float(met[i]), often))
    return rows


def portfolio_answer(found: Portfolio) -> tuple[str, ...]:
    """Say what is proposed, what it meets, what more money would, and how sure that is."""
    b = found.builder
    reached = int(found.reached.sum())
    living = float(found.problem.people[found.reached].sum())
    done = [row for row in by_intervention(found) if row[1]]
    listed = "; ".join(
        f"{label.lower()} in {n:,}" for label, n, *_ in sorted(done, key=lambda r: -r[2])
    )
    said = [
        f"The mix that meets most need for {money(found.rules.budget)} over "
        f"{format_count(found.rules.years, 'year', 'years')} goes to {reached:,} of the "
        f"{len(found.problem.codes):,} {found.plural}, with {format_people(living)}. It costs {money(found.spent)}. "
        f"{_stable(found)}",
        f"It pays for: {listed}.",
        f"It meets {_count(float(found.recount.met.sum()))} person-years of need. By the count used to choose it, "
        f"no mix meets more{more_than(found.mix.met, found.mix.bound)}. {UNIT}",
    ]
    short = float((found.problem.weight * b.measure.shortfall).sum()) * found.rules.years
    if found.recount.measured and short:
        said.append(
            f"It closes {100 * found.recount.measured / short:.1f}% of the gap on {found.index_label} between these "
            f"{found.plural} and the median of the study."
        )
    if found.after is not None:
        for name, (before, then) in found.after.selected.items():
            said.append(
                f"On the list “{name.replace('_', ' ')}”: {before:,} of these {found.plural} today, and {then:,} in "
                f"year {found.recount.year + 1}, when most need is met, if nothing else changed."
            )
    more = next((p for p in found.frontier if p.budget > found.rules.budget * 1.01), None)
    if more is not None and found.mix.met:
        share = percent(more.mix.met / found.mix.met - 1)
        said.append(
            f"{money(more.budget)} would meet {share} more need than {money(found.rules.budget)}."
        )
    s = found.stability
    if s is not None:
        said.append(
            f"In those recalculations the mix costs more than the budget in {percent(s.over)}, and meets "
            f"{between(s.met)} person-years in nine out of ten."
        )
    return tuple(said)


def _stable(found: Portfolio) -> str:
    """Say how many of the choices are made again when costs and effects vary."""
    s, n = found.stability, int(found.mix.chosen.sum())
    if s is None:
        return "We did not vary costs and effects, so nothing is known of how stable these choices are."
    return (
        f"{recalculated(s.draws)} Of its {format_count(n, 'choice', 'choices')}, {wanted(found):,} stay in the best "
        "mix of at least half of the recalculations."
    )


def wanted(found: Portfolio) -> int:
    """Count the choices of a mix that are in the best mix of at least half of the draws."""
    if found.stability is None:
        return 0
    return int((found.stability.often[found.mix.chosen] >= 0.5).sum())


def recalculated(n: int) -> str:
    """Say how often costs and effects were varied."""
    return (
        f"We recalculated this {format_count(n, 'time', 'times')} with different costs and effects."
    )


def between(draws: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    """Say where nine draws of ten lie."""
    low, high = np.quantile(draws, [0.05, 0.95])
    return f"{_count(float(low))} to {_count(float(high))}"


def more_than(met: float, bound: float) -> str:
    """Say how much more than a mix meets another may meet, as the end of "no mix meets more"; rounded up.

    >>> more_than(100_000, 100_000), more_than(100_000, 100_090), more_than(100_000, 102_130)
    ('', ' than 0.1% above it', ' than 2.2% above it')
    """
    share = bound / met - 1
    return "" if share < _PROVEN else f" than {math.ceil(1000 * share) / 10:.1f}% above it"


def _count(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def portfolio_warnings(found: Portfolio) -> tuple[str, ...]:
    """Say what a reader must not overlook."""
    b = found.builder
    told = []
    stated = [name for name, at in b.through.items() if not at]
    measured = [name for name, at in b.through.items() if at]
    label = b.interventions.interventions
    outcome = b.interventions.outcomes
    if stated:
        listed = "; ".join(
            f"{label[i].label.lower()} ({outcome[o].label.lower()})" for i, o in stated
        )
        told.append(
            f"“{found.index_label}” has no indicator for these effects, so they count by the size in the file of "
            f"interventions: {listed}."
        )
    if stated and measured and b.stated_counts:
        told.append(
            "Effects on the index count in standard deviations between neighbourhoods, the others in standard "
            "deviations between people, which are wider. So effects on the index may weigh more here than they should. "
            f"Each of the others counts {b.stated_counts:g}, which you can set."
        )
    if found.left_out:
        told.append(
            f"Left out, because they have no score or no residents: {', '.join(found.left_out[:10])}"
            + (f" and {len(found.left_out) - 10:,} more." if len(found.left_out) > 10 else ".")
        )
    told.append(
        "Most costs and effects are assumptions, listed below. They say what to find out, not what will happen. "
        "We assume that an intervention has the same effect everywhere, and that the effect ends when it ends."
    )
    return tuple(told)
