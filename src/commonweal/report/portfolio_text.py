"""A portfolio in words: the answer of a report, lines for a terminal, and data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.format import align_columns, format_count, format_people, percent
from commonweal.invest.appraisal.appraise import money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.invest.portfolio import Portfolio


UNIT = (
    "A person-year of need met is one resident better off for one year by one standard deviation, about the step from "
    "the middle to better off than five in six. It counts for more where need is greater (2 in the area ranked first, "
    "1 in the middle, 0 in the last, to the power of the equity setting). Years are not discounted."
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
        f"With {money(found.rules.budget)} over {format_count(found.rules.years, 'year', 'years')}, "
        f"the mix that meets most "
        f"need goes to {reached:,} of the {len(found.problem.codes):,} {found.plural}, "
        f"home to {format_people(living)}: "
        f"{listed}. It costs {money(found.spent)}.",
        f"It meets {_count(float(found.recount.met.sum()))} person-years of need; by the count that it was chosen by, "
        f"no mix meets more{more_than(found.mix.met, found.mix.bound)}. {UNIT}",
    ]
    short = float((found.problem.weight * b.measure.shortfall).sum()) * found.rules.years
    if found.recount.measured and short:
        said.append(
            f"Of what these {found.plural} are short of on {found.index_label}, set against the median of all in the "
            f"study, that is {100 * found.recount.measured / short:.1f}%."
        )
    if found.after is not None:
        for name, (before, then) in found.after.selected.items():
            said.append(
                f"Selected as {name.replace('_', ' ')}: {before:,} of these {found.plural} today, and {then:,} in year "
                f"{found.recount.year + 1}, when most need is met, if nothing else moved."
            )
    more = next((p for p in found.frontier if p.budget > found.rules.budget * 1.01), None)
    if more is not None and found.mix.met:
        share = percent(more.mix.met / found.mix.met - 1)
        said.append(
            f"{money(more.budget)} would meet {share} more than {money(found.rules.budget)}."
        )
    s = found.stability
    if s is not None:
        sure = wanted(found)
        said.append(
            f"In {format_count(s.draws, 'draw', 'draws')} of costs and effects the mix costs more than the budget in "
            f"{percent(s.over)}, and meets {between(s.met)} person-years. "
            f"Of its {int(found.mix.chosen.sum()):,} choices, {sure:,} are in the best mix of at least half of them."
        )
    return tuple(said)


def wanted(found: Portfolio) -> int:
    """Count the choices of a mix that are in the best mix of at least half of the draws."""
    if found.stability is None:
        return 0
    return int((found.stability.often[found.mix.chosen] >= 0.5).sum())


def between(draws: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    """Say where nine draws of ten lie."""
    low, high = np.quantile(draws, [0.05, 0.95])
    return f"{_count(float(low))} to {_count(float(high))}"


def more_than(met: float, bound: float) -> str:
    """Say how much more than a mix meets another may meet, as the end of "no mix meets more"; rounded up.

    Examples
    --------
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
            f"“{found.index_label}” has no indicator for these effects, so they count by the size that the file of "
            f"interventions states, and the index can't show them: {listed}."
        )
    if stated and measured and b.stated_counts:
        told.append(
            "Effects on the index are counted in standard deviations between neighbourhoods, the others in standard "
            "deviations between people, which are wider. The two are not alike: what the index measures weighs more "
            f"here than it may deserve. One of the others counts {b.stated_counts:g}, which can be set."
        )
    if found.left_out:
        told.append(
            f"Left out, for want of a score or of people: {', '.join(found.left_out[:10])}"
            + (f" and {len(found.left_out) - 10:,} more." if len(found.left_out) > 10 else ".")
        )
    told.append(
        "Most costs and effects are assumptions, listed below; they say what to find out, not what will happen. "
        "What an intervention moves is taken to be alike everywhere, and to end when it ends."
    )
    return tuple(told)


def portfolio_lines(found: Portfolio) -> Iterator[str]:
    """Tell a portfolio on a terminal: the answer first, then its parts."""
    yield f"What to do in {found.title}"
    if found.fictional:
        yield "FICTIONAL: these places are made up."
    yield ""
    yield from portfolio_answer(found)
    yield ""
    year = found.builder.interventions.price_year
    yield f"What is done, in prices of {year}, and the person-years of need that it would meet alone:"
    rows = [
        [label, f"{n:,}", money(spent), _count(met), "" if often is None else f"{often:,.1f}"]
        for label, n, spent, met, often in by_intervention(found)
    ]
    heads = ["", ">Places", ">Cost", ">Meets alone", ">Places in draws"]
    if found.stability is None:
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    yield from align_columns(heads, rows)
    yield ""
    yield "Need met against money, in person-years:"
    yield from align_columns(
        [">Budget", ">Need met", ">At most", ">Places"],
        [
            [money(p.budget), _count(p.mix.met), _count(p.mix.bound), f"{int(p.mix.chosen.any(axis=1).sum()):,}"]
            for p in found.frontier
        ],
    )  # fmt: skip
    yield ""
    yield "Beware:"
    yield from (f"  {line}" for line in portfolio_warnings(found))
    yield ""
    yield "Assumed, not verified:"
    for one in found.builder.interventions.interventions.values():
        yield from (f"  {line}" for line in one.assumptions)


def _choices(found: Portfolio) -> list[dict[str, Any]]:
    """Give what is begun where and when as plain data."""
    p, s = found.problem, found.stability
    spent = p.spent(found.mix.start, found.rules.years).sum(axis=2)
    return [
        {
            "code": p.codes[a],
            "name": p.names[a],
            "intervention": p.interventions[i],
            "start_year": int(found.mix.start[a, i]) + 1,
            "cost_gbp": float(spent[a, i]),
            "share_of_draws": None if s is None else float(s.often[a, i]),
        }
        for a, i in np.argwhere(found.mix.chosen).tolist()
    ]


def portfolio_data(found: Portfolio) -> dict[str, Any]:
    """Give a portfolio as plain data, for JSON."""
    p, rules, s = found.problem, found.rules, found.stability
    return {
        "title": found.title,
        "fictional": found.fictional,
        "index": found.builder.measure.index,
        "interventions": found.builder.interventions.name,
        "price_year": found.builder.interventions.price_year,
        "budget_gbp": rules.budget,
        "years": rules.years,
        "a_year_gbp": rules.a_year,
        "spent_gbp": found.spent,
        "spent_by_year_gbp": [float(x) for x in found.mix.spent],
        "need_met_person_years": float(found.recount.met.sum()),
        "need_met_as_chosen_person_years": found.mix.met,
        "bound_person_years": found.mix.bound,
        "gap": found.mix.gap,
        "places": len(p.codes),
        "places_reached": int(found.reached.sum()),
        "choices": _choices(found),
        "frontier": [
            {
                "budget_gbp": q.budget,
                "need_met_person_years": q.mix.met,
                "bound_person_years": q.mix.bound,
            }
            for q in found.frontier
        ],
        "draws": None
        if s is None
        else {
            "draws": s.draws,
            "seed": s.seed,
            "share_over_budget": s.over,
            "need_met_person_years": s.met.tolist(),
        },
        "selected": None
        if found.after is None
        else {name: list(pair) for name, pair in found.after.selected.items()},
        "beware": list(portfolio_warnings(found)),
    }
