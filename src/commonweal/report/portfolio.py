"""A portfolio as sections of a report, and as a report of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.chart.lines import Line, Points, line_chart
from commonweal.chart.theme import BLUE, DOT, Axis, Mark, hollow, round_axis, short_number
from commonweal.chart.vega import curves
from commonweal.document.format import percent
from commonweal.document.model import Document, Figure, Section, Table, TableData, make_table
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.case import ABROAD
from commonweal.report.portfolio_text import (
    by_intervention,
    portfolio_answer,
    portfolio_warnings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from commonweal.document.model import Chart
    from commonweal.invest.parameters import Sourced, Uncertain
    from commonweal.invest.portfolio.plan import Point, Portfolio

AGAIN = "Chosen again"
_NAMES = {
    "Budget (£)": "budget_gbp",
    "Spent (£)": "spent_gbp",
    "Need met (person-years)": "need_met_person_years",
    "At most": "bound_person_years",
}
_MIX = Mark("circle", hollow(BLUE), 4)
_LIMITS = (
    "The mix is the best by this count of need. It does not know what residents want, who could run it or which "
    "buildings exist.",
    "Effects on nearby neighbourhoods are not counted.",
)


def portfolio_document(found: Portfolio, sources: tuple[str, ...] = ()) -> Document:
    """Make a report of a portfolio."""
    interventions = found.builder.interventions
    return Document(
        name="portfolio",
        title=f"What to fund in {found.title}",
        heading=f"{money(found.rules.budget)} over {found.rules.years} years, in {interventions.price_year} prices",
        answer=portfolio_answer(found),
        sections=portfolio_sections(found),
        notes=tuple(_notes(found)),
        assumptions=tuple(
            line for one in interventions.interventions.values() for line in one.assumptions
        ),
        limits=_LIMITS,
        works=tuple(interventions.works),
        sources=sources,
        account=_account(found),
    )


def _notes(found: Portfolio) -> Iterator[str]:
    if found.fictional:
        yield "These neighbourhoods are fictional: the program made them up."
    if found.abroad:
        yield ABROAD


def _account(found: Portfolio) -> tuple[tuple[str, object], ...]:
    """Give what was asked, how the mix was found, and every recalculation."""
    s, i = found.stability, found.builder.interventions
    return (
        ("fictional", found.fictional),
        ("index", found.builder.measure.index),
        ("interventions", i.name),
        ("price_year", i.price_year),
        ("budget_gbp", found.rules.budget),
        ("years", found.rules.years),
        ("a_year_gbp", found.rules.a_year),
        ("gap", found.mix.gap),
        ("draws", None if s is None else s.draws),
        ("seed", None if s is None else s.seed),
        ("need_met_in_draws_person_years", None if s is None else s.met.tolist()),
        (
            "selected",
            None if found.after is None else {k: list(v) for k, v in found.after.selected.items()},
        ),
    )


def _figures(found: Portfolio) -> tuple[Figure, ...]:
    """Give what is spent, who is reached, and the need that is met."""
    reached, met = int(found.reached.sum()), float(found.recount.met.sum())
    unit, n = "person-years", len(found.problem.codes)
    over = () if found.stability is None else (
        Figure("share_over_budget", "Recalculations that cost more than the budget", found.stability.over,
               percent(found.stability.over)),
    )  # fmt: skip
    return (
        Figure("spent", "Spent", found.spent, money(found.spent), "GBP"),
        Figure(
            "areas_reached",
            f"{found.plural.capitalize()} that get something",
            reached,
            f"{reached:,} of {n:,}",
        ),
        Figure("areas", f"{found.plural.capitalize()} considered", n, f"{n:,}"),
        Figure("need_met", "Need met (person-years)", met, f"{met:,.0f}", unit),
        Figure(
            "need_met_as_chosen", "The same by the count used to choose the mix (person-years)",
            found.mix.met, f"{found.mix.met:,.0f}", unit,
        ),
        Figure("bound", "At most by that count (person-years)", found.mix.bound, f"{found.mix.bound:,.0f}", unit),
        *over,
    )  # fmt: skip


def portfolio_sections(found: Portfolio) -> tuple[Section, ...]:
    """Give the sections of a report: what is funded where, need met against money, costs and effects."""
    return (
        Section(
            "What is funded, and where",
            text=(_counted(found),),
            tables=(_interventions(found), _choices(found), _years(found)),
            warnings=portfolio_warnings(found),
            figures=_figures(found),
        ),
        Section(
            "What other budgets would meet",
            text=(
                "We chose the best mix again for each budget. “At most” is a proven limit: no mix could meet more. "
                "Between two budgets nothing was tried, so the true line may bend.",
            ),
            charts=(frontier_chart(found.frontier, found.rules.budget, found.plural),),
        ),
        Section(
            "Assumed costs and effects",
            text=(interventions_note(found),),
            points=_sources(found),
            tables=(_costs(found), _effects(found)),
            annex=True,
        ),
    )


def interventions_note(found: Portfolio) -> str:
    """Say which file was used, and on what terms."""
    i = found.builder.interventions
    return f"{i.title}. {i.note} Licence: {i.licence}.".replace("  ", " ")


def _counted(found: Portfolio) -> str:
    return (
        "To choose the mix, we counted the effect of each intervention alone. A second one on the same outcome in an "
        f"area counts {found.rules.repeat:g} of its effect. We then recalculated the index for each year. "
        f"The mix meets {found.mix.met:,.0f} person-years by the first count and {found.recount.met.sum():,.0f} by the "
        "second."
    )


def _interventions(found: Portfolio) -> Table:
    rows = by_intervention(found)
    frame = pl.DataFrame(
        {
            "Intervention": [r[0] for r in rows],
            found.plural.capitalize(): [r[1] for r in rows],
            "Cost (£)": [r[2] for r in rows],
            "Need met alone (person-years)": [r[3] for r in rows],
            "name": list(found.problem.interventions),
        }
    )
    about = "Need met alone: without the others in the same area, so the rows add up to more than the total."
    if found.stability is not None:
        frame = frame.with_columns(pl.Series("Average, recalculated", [r[4] for r in rows]))
        about += " Average, recalculated: in how many it is in the best mix, on average over the recalculations."
    shown = make_table(
        frame,
        whole=("Cost (£)", "Need met alone (person-years)"),
        hidden=["name"],
        names={"Cost (£)": "cost_gbp", found.plural.capitalize(): "areas"},
    )
    return Table("portfolio-interventions", "What is funded", shown, about)


def _choices(found: Portfolio) -> Table:
    p, start = found.problem, found.mix.start
    at = np.argwhere(found.mix.chosen)
    spent = p.spent(start, found.rules.years).sum(axis=2)
    label = [one.label for one in found.builder.interventions.interventions.values()]
    frame = pl.DataFrame(
        {
            "Name": [p.names[a] for a, _ in at],
            "Code": [p.codes[a] for a, _ in at],
            "Authority": [p.authorities[a] for a, _ in at],
            "People": [float(p.people[a]) for a, _ in at],
            "Rank today": [int(found.builder.measure.rank[a]) for a, _ in at],
            "Intervention": [label[i] for _, i in at],
            "From year": [int(start[a, i]) + 1 for a, i in at],
            "Cost (£)": [float(spent[a, i]) for a, i in at],
            "intervention": [p.interventions[i] for _, i in at],
        }
    )
    again = found.stability is not None
    if found.stability is not None:
        often = pl.Series(AGAIN, [float(found.stability.often[a, i]) for a, i in at])
        frame = frame.with_columns(often)
    shown = make_table(
        frame.sort("Rank today", "Intervention"),
        {AGAIN},
        whole=("People", "Cost (£)"),
        hidden=["intervention"],
        names={
            "Intervention": "label", "From year": "start_year", "Cost (£)": "cost_gbp", AGAIN: "share_of_draws"
        },
    )  # fmt: skip
    return Table(
        "portfolio-places",
        f"What is funded in the {found.plural}",
        shown,
        f"Rank 1 is the greatest need. {AGAIN}: the share of recalculations, with different costs and effects, in "
        "which it is in the best mix."
        if again
        else "Rank 1 is the greatest need.",
        rows=30,
    )


def _years(found: Portfolio) -> Table:
    frame = pl.DataFrame(
        {
            "Year": list(range(1, found.rules.years + 1)),
            "Spent (£)": [float(x) for x in found.mix.spent],
            "Need met (person-years)": [float(x) for x in found.recount.by_year],
        }
    )
    shown = make_table(frame, whole=frame.columns[1:], names=_NAMES)
    return Table("portfolio-years", "Year by year", shown)


def _sources(found: Portfolio) -> tuple[str, ...]:
    """Give the sources of verified numbers; the others are listed as assumptions."""
    ones = found.builder.interventions.interventions.values()
    told: list[tuple[str, Sourced]] = [(f"{one.label}, cost", one.cost) for one in ones]
    told += [(f"{one.label}, effect", effect) for one in ones for effect in one.effects]
    return tuple(f"{what}, verified: {s.source}." for what, s in told if s.verified)


def _costs(found: Portfolio) -> Table:
    ones = list(found.builder.interventions.interventions.values())
    frame = pl.DataFrame(
        {
            "Intervention": [one.label for one in ones],
            "Per": ["1,000 residents" if one.cost.per != "place" else "area" for one in ones],
            "Capital (£)": [_range(one.cost.capital) for one in ones],
            "Yearly (£)": [_range(one.cost.yearly) for one in ones],
            "Years it lasts": [_range(one.lasts) for one in ones],
            "Years to set up": [one.lead for one in ones],
            "Verified": ["yes" if one.cost.verified else "no" for one in ones],
        }
    )
    return Table(
        "portfolio-costs", "What interventions cost, and how long they last", TableData(frame)
    )


def _effects(found: Portfolio) -> Table:
    b = found.builder
    rows = []
    for name, one in b.interventions.interventions.items():
        for e in one.effects:
            at = b.through[name, e.outcome]
            if at:
                how = "; ".join(
                    f"{t.indicator}: {_CHANGE[t.change]} {_range(t.by)}"
                    for t in (e.through[k] for k in at)
                )
            else:
                how = f"{_range(e.size)} standard deviations for {_range(e.reaches)} of residents"
                if e.stated is not None:
                    how += f" (stated: {_range(e.stated)})"
                if e.most_people is not None:
                    how += f", {e.most_people:,.0f} people at most"
            rows.append(
                (
                    one.label,
                    b.interventions.outcomes[e.outcome].label,
                    "the index" if at else "stated size",
                    how,
                    e.quality,
                    "yes" if e.verified else "no",
                )
            )
    heads = ("Intervention", "Outcome", "Counted by", "Size", "Evidence", "Verified")
    return Table(
        "portfolio-effects",
        "What interventions do",
        TableData(pl.DataFrame(rows, schema=heads, orient="row")),
        "The index: the effect counts by the indicators that it changes. Stated size: the index has none for it.",
    )


_CHANGE = {"add": "by", "times": "times", "at_least": "to at least", "at_most": "to at most"}


def _range(number: Uncertain | None) -> str:
    return "" if number is None else number.words()


def _finding(points: Sequence[Point], budget: float) -> str:
    """Say what the next budget would add."""
    here = next((p for p in points if abs(p.budget - budget) < 1e-6 * budget), None)
    more = next((p for p in points if p.budget > budget * 1.01), None)
    if here is None or more is None or not here.mix.met:
        return "How much need more money would meet"
    return f"{money(more.budget)} would meet {percent(more.mix.met / here.mix.met - 1)} more need"


def frontier_chart(points: Sequence[Point], budget: float, plural: str) -> Chart:
    """Draw need met against money; the budget asked for is marked."""
    spent = np.array([p.budget for p in points])
    met, bound = (np.array([getattr(p.mix, k) for p in points], float) for k in ("met", "bound"))
    asked = [DOT if abs(b - budget) < 1e-6 * budget else _MIX for b in spent]
    about = (
        "Each dot is the best mix found for a budget; the filled dot is your budget. The bar above a dot reaches to "
        "the proven limit. Where there is no bar, the two are the same."
    )
    numbers = make_table(
        pl.DataFrame(
            {
                "Budget (£)": [float(p.budget) for p in points],
                "Spent (£)": [float(p.mix.spent.sum()) for p in points],
                "Need met (person-years)": [float(p.mix.met) for p in points],
                "At most": [float(p.mix.bound) for p in points],
                plural.capitalize(): [int(p.mix.chosen.any(axis=1).sum()) for p in points],
            }
        ),
        whole=_NAMES,
        names=_NAMES,
    )
    return line_chart(
        "portfolio-frontier", _finding(points, budget), about,
        [Line(spent, met), Points(spent, met, asked, whiskers=bound)], numbers,
        curves("Budget (£)", "Need met (person-years)", "At most"),
        Axis(0.0, float(spent.max()), tuple((float(b), money(b)) for b in spent)),
        round_axis([0.0, float(bound.max()) or 1.0], short_number, "Need met, person-years", 5),
    )  # fmt: skip
