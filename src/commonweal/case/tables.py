"""A case as tables: what is done in each place, what each intervention comes to, what is spent in each year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.case.worth import effect_of

if TYPE_CHECKING:
    from commonweal.case.case import Case

__all__ = ["by_gain", "by_intervention", "by_place", "by_year"]


def by_place(case: Case) -> pl.DataFrame:
    """One row a place, neediest first: people, rank, share of draws, what is done, what it costs, need met."""
    from commonweal.investment.portfolio.model import need_met

    a, problem, start = case.worked.allocation, case.problem, case.mix.start
    labels = [case.interventions.interventions[name].label for name in problem.interventions]
    done = [
        ", ".join(f"{labels[at]} (from {case.asked.first_year + row[at]})" for at in np.flatnonzero(row >= 0))
        for row in start
    ]  # fmt: skip
    spent = _spent(case).sum(axis=(1, 2))
    table = a.areas.table[case.rows.tolist()]
    authority = next((f"{p}_name" for p in a.areas.parents if p.startswith("lad")), None)
    columns: dict[str, object] = {"Code": list(problem.codes), "Place": list(problem.names)}
    if authority in table.columns:
        columns["Authority"] = table[authority]
    columns |= {
        "People": problem.people.round().astype(np.int64),
        "Rank": a.rank[case.rows].astype(np.int64),
    }
    if case.worked.chance is not None:
        columns["Share of draws"] = case.worked.chance.selected[case.rows]
    columns |= {
        "What is done": [text or "nothing" for text in done],
        "Cost (£)": spent.round().astype(np.int64),
        "Need met": need_met(problem, start, case.rules),
    }
    return pl.DataFrame(columns)


def by_intervention(case: Case) -> pl.DataFrame:
    """One row an intervention: in how many places, for how many people, at what cost, for what gain."""
    problem, start = case.problem, case.mix.start
    spent = _spent(case).sum(axis=(0, 2))
    total = sum(g.total for g in case.gains)
    rows = [
        {
            "Intervention": case.interventions.interventions[name].label,
            "Places": int((start[:, at] >= 0).sum()),
            "People there": round(float(problem.people[start[:, at] >= 0].sum())),
            "Cost (£)": round(float(spent[at])),
            "Share of the gain": sum(g.total for g in case.gains if g.intervention == name) / total,
        }
        for at, name in enumerate(problem.interventions)
    ]
    return pl.DataFrame(rows, schema_overrides={"Share of the gain": pl.Float64})


def by_gain(case: Case) -> pl.DataFrame:
    """One row an effect that counts: how large, for whom, and what stands behind it."""
    total = sum(g.total for g in case.gains)
    rows = []
    for g in sorted(case.gains, key=lambda g: -g.total):
        effect = effect_of(case.interventions, g)
        low, high = np.quantile(g.draws, [0.025, 0.975])
        rows.append(
            {
                "Intervention": case.interventions.interventions[g.intervention].label,
                "Outcome": case.interventions.outcomes[g.outcome].label,
                "Gain of a resident": g.each,
                "Low": float(low),
                "High": float(high),
                "Person-years": round(float(g.reach.sum())),
                "Share of the gain": g.total / total,
                "Evidence": effect.quality + ("" if effect.verified else ", not verified"),
            }
        )
    return pl.DataFrame(rows)


def by_year(case: Case) -> pl.DataFrame:
    """One row a year: capital and running cost as they are spent, before optimism bias, and in all."""
    spent = _spent(case)
    capital = np.zeros(case.rules.years)
    for at in range(len(case.problem.interventions)):
        there = np.flatnonzero(case.mix.start[:, at] >= 0)
        np.add.at(capital, case.mix.start[there, at], case.problem.capital[there, at])
    total = spent.sum(axis=(0, 1))
    return pl.DataFrame(
        {
            "Year": [str(case.asked.first_year + k) for k in range(case.rules.years)],
            "Capital (£)": capital.round().astype(np.int64),
            "Running (£)": (total - capital).round().astype(np.int64),
            "In all (£)": total.round().astype(np.int64),
            "So far (£)": total.cumsum().round().astype(np.int64),
        }
    )


def _spent(case: Case) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """(n_places, n_interventions, years) GBP."""
    problem, start = case.problem, case.mix.start
    begun = np.maximum(start, 0)
    running = problem.working(case.rules.years)[begun, np.arange(start.shape[1])]
    spent = problem.yearly[:, :, None] * running
    a, i = np.indices(start.shape)
    spent[a, i, begun] += problem.capital
    return np.where((start >= 0)[:, :, None], spent, 0.0)
