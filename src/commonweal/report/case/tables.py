"""A case as tables: what is done in each place, what each intervention comes to, what is spent in each year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import percent
from commonweal.document.model import key_of, make_table
from commonweal.invest.appraisal.appraise import money, ratio
from commonweal.invest.case.cautions import spent_with_bias
from commonweal.invest.case.valuation import effect_of_gain
from commonweal.invest.portfolio.optimise import need_met
from commonweal.report.allocation_text import ON_LIST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from commonweal.document.model import TableData
    from commonweal.invest.appraisal import Estimate
    from commonweal.invest.case.model import Case
    from commonweal.invest.case.options import StudiedEffect


_POUNDS = "(£)"


def heads(case: Case) -> dict[str, str]:
    """Give the heads for readers of columns whose names are those of the data."""
    areas = case.results.areas.plural.capitalize()
    return {
        "Share of draws": ON_LIST,
        "Place": "Name",
        "Places": areas,
        "Places in the mix": f"{areas} in the mix",
        "What is done": "What it gets",
        "What is done together": "What they get",
        "People there": "People",
        "Cost for a place, mean (£)": "Average cost (£)",
        "Stays where it is": "Chosen again",
        "Comes in elsewhere": "Chosen elsewhere",
        "In all (£)": "Total (£)",
        "So far (£)": "Cumulative (£)",
        "In all, with optimism bias (£)": "Total with optimism bias (£)",
        "So far, with it (£)": "Cumulative with optimism bias (£)",
    }


def readable(case: Case, frame: pl.DataFrame, *shares: str, **places: int) -> TableData:
    """Give a table for readers, its columns headed in plain words; shares are named as in the data."""
    known = {k: v for k, v in heads(case).items() if k in frame.columns}
    frame = frame.rename(known)
    pounds = [h for h in frame.columns if h.endswith(_POUNDS)]
    return make_table(
        frame,
        [known.get(s, s) for s in shares],
        {known.get(k, k): n for k, n in places.items()},
        whole=["People", *pounds],
        names={
            ON_LIST: "share_of_draws",
            **{h: f"{key_of(h.removesuffix(_POUNDS))}_gbp" for h in pounds},
        },
    )


def by_place(case: Case) -> pl.DataFrame:
    """One row a place, neediest first: people, rank, share of draws, what is done, what it costs, need met."""
    a, problem, start = case.worked.allocation, case.problem, case.mix.start
    labels = [case.interventions.interventions[name].label for name in problem.interventions]
    done = [
        _sentence(f"{labels[at]} ({case.asked.first_year + row[at]})" for at in np.flatnonzero(row >= 0))
        for row in start
    ]  # fmt: skip
    spent = case.problem.spent(case.mix.start, case.rules.years).sum(axis=(1, 2))
    table = a.areas.table[case.rows.tolist()]
    authority = next((f"{p}_name" for p in a.areas.parents if p.startswith("lad")), None)
    columns: dict[str, object] = {"Code": list(problem.codes), "Place": list(problem.names)}
    if authority in table.columns:
        columns["Authority"] = table[authority]
    columns |= {
        "People": problem.people,
        "Rank": a.rank[case.rows].astype(np.int64),
    }
    if case.worked.certainty is not None:
        columns["Share of draws"] = case.worked.certainty.selected[case.rows]
    columns |= {
        "What is done": [text or "nothing" for text in done],
        "Cost (£)": spent,
        "Need met": need_met(problem, start, case.rules),
    }
    return pl.DataFrame(columns)


def by_intervention(case: Case) -> pl.DataFrame:
    """One row an intervention: in how many places, for how many people, at what cost, for what gain."""
    problem, start = case.problem, case.mix.start
    spent = case.problem.spent(case.mix.start, case.rules.years).sum(axis=(0, 2))
    total = sum(g.total for g in case.gains)
    rows = [
        {
            "Intervention": case.interventions.interventions[name].label,
            "Places": int((start[:, at] >= 0).sum()),
            "People there": float(problem.people[start[:, at] >= 0].sum()),
            "Cost (£)": float(spent[at]),
            "Share of the gain": sum(g.total for g in case.gains if g.intervention == name) / total,
        }
        for at, name in enumerate(problem.interventions)
    ]
    return pl.DataFrame(rows, schema_overrides={"Share of the gain": pl.Float64})


def _sentence(labels: Iterable[str]) -> str:
    """List labels as a sentence does, with one capital."""
    text = ", ".join(f"{label[:1].lower()}{label[1:]}" for label in labels)
    return f"{text[:1].upper()}{text[1:]}"


def packages(case: Case) -> pl.DataFrame:
    """One row a set of interventions that places get together, the most frequent first."""
    labels = [case.interventions.interventions[name].label for name in case.problem.interventions]
    spent = case.problem.spent(case.mix.start, case.rules.years).sum(axis=(1, 2))
    kinds, of, n = np.unique(case.mix.chosen, axis=0, return_inverse=True, return_counts=True)
    rows = [
        {
            "What is done together": ", ".join(labels[at] for at in np.flatnonzero(kinds[k]))
            or "nothing",
            "Places": int(n[k]),
            "People there": float(case.problem.people[of == k].sum()),
            "Cost for a place, mean (£)": float(spent[of == k].mean()),
        }
        for k in np.argsort(-n, kind="stable")
    ]
    return pl.DataFrame(rows)


def stability_table(case: Case) -> pl.DataFrame:
    """One row an intervention: how often the mix of a draw has it where the mix does, and where it does not."""
    if case.steady is None:
        return pl.DataFrame()
    labels = [case.interventions.interventions[name].label for name in case.problem.interventions]
    return pl.DataFrame(
        {
            "Intervention": labels,
            "Places in the mix": case.mix.chosen.sum(axis=0).astype(np.int64),
            "Stays where it is": pl.Series(case.steady.stays, nan_to_null=True),
            "Comes in elsewhere": pl.Series(case.steady.comes, nan_to_null=True),
        }
    ).sort(
        "Places in the mix",
        "Comes in elsewhere",
        descending=True,
        nulls_last=True,
        maintain_order=True,
    )


def by_gain(case: Case) -> pl.DataFrame:
    """One row an effect that counts: how large, for whom, and what stands behind it."""
    total = sum(g.total for g in case.gains)
    rows = []
    for g in sorted(case.gains, key=lambda g: -g.total):
        effect = effect_of_gain(case.interventions, g)
        low, high = np.quantile(g.draws, [0.025, 0.975])
        rows.append(
            {
                "Intervention": case.interventions.interventions[g.intervention].label,
                "Outcome": case.interventions.outcomes[g.outcome].label,
                "Gain per resident": g.each,
                "Low": float(low),
                "High": float(high),
                "Person-years": float(g.reach.sum()),
                "Share of the gain": g.total / total,
                "Evidence": effect.quality + ("" if effect.verified else ", not verified"),
                "intervention": g.intervention,
                "outcome": g.outcome,
                "reach": g.reach.tolist(),
                "quality": effect.quality,
                "verified": effect.verified,
            }
        )
    return pl.DataFrame(rows)


def by_year(case: Case) -> pl.DataFrame:
    """One row a year: capital and running cost before optimism bias, in all, and in all with it; not discounted."""
    spent = case.problem.spent(case.mix.start, case.rules.years)
    capital = np.zeros(case.rules.years)
    for at in range(len(case.problem.interventions)):
        there = np.flatnonzero(case.mix.start[:, at] >= 0)
        np.add.at(capital, case.mix.start[there, at], case.problem.capital[there, at])
    total, biased = spent.sum(axis=(0, 1)), spent_with_bias(case.appraisal)
    return pl.DataFrame(
        {
            "Year": [str(case.asked.first_year + k) for k in range(case.rules.years)],
            "Capital (£)": capital,
            "Running (£)": total - capital,
            "In all (£)": total,
            "So far (£)": total.cumsum(),
            "In all, with optimism bias (£)": biased,
            "So far, with it (£)": biased.cumsum(),
        }
    )


def options(case: Case) -> pl.DataFrame:
    """One row a measure, one column an option: doing nothing, the proposed one, the other."""
    rows: dict[str, list[str]] = {
        name: [nothing] for name, nothing in (
            (f"{case.results.areas.plural.capitalize()} that get something", "0"), ("Residents", "0"), ("Spent", "£0"),
            ("Need met, weighted person-years", "0"), ("Cost to the public sector", "£0"),
            ("Benefits to society", "£0"), ("Net present social value", "£0"),
            ("Benefits for each £1 of cost", "–"), ("Benefits exceed costs (% of recalculations)", "–"),
            ("Studied effects, each for £1 of its own cost", "–"),
        )
    }  # fmt: skip
    for option in case.options:
        served = option.mix.chosen.any(axis=1)
        m = option.appraisal.measures
        told = [
            f"{int(served.sum()):,}",
            f"{case.problem.people[served].sum():,.0f}",
            money(float(option.mix.spent.sum())),
            f"{float(f'{option.mix.met:.3g}'):,.0f}",
            _between(m["public_cost"], money),
            _between(m["benefits"], money),
            _between(m["npsv"], money),
            _between(m["bcr"], pounds),
            percent(option.appraisal.worth_it),
            "; ".join(
                f"{studied_label(case, s)}: {_between(s.appraisal.measures['bcr'], pounds)}"
                for s in option.studied
            )
            or "none in it",
        ]
        for name, text in zip(rows, told, strict=True):
            rows[name].append(text)
    names = {"each": "An equal share for each", "pooled": "Where it meets most need"}
    heads = [names[o.sharing] + (" (proposed)" if o is case.option else "") for o in case.options]
    return pl.DataFrame(
        [(name, *cells) for name, cells in rows.items()],
        schema=["Measure", "Doing nothing", *heads],
        orient="row",
    )  # fmt: skip


def option_numbers(case: Case) -> pl.DataFrame:
    """Give the same options with numbers: one row an option and measure, with the ends of its interval."""
    rows: list[tuple[str, bool, str, float | None, float | None, float | None]] = []
    for option in case.options:
        served = option.mix.chosen.any(axis=1)
        m = option.appraisal.measures
        single = {
            "areas": float(served.sum()),
            "people": float(case.problem.people[served].sum()),
            "spent_gbp": float(option.mix.spent.sum()),
            "need_met_person_years": option.mix.met,
            "worth_it": option.appraisal.worth_it,
        }
        ranged = {name: m[name] for name in ("public_cost", "benefits", "npsv", "bcr")}
        ranged |= {
            f"bcr_of_{s.intervention}_{s.outcome}": s.appraisal.measures["bcr"]
            for s in option.studied
        }
        of = (option.sharing, option is case.option)
        rows += [(*of, name, value, None, None) for name, value in single.items()]
        rows += [(*of, name, e.expected, e.low, e.high) for name, e in ranged.items()]
    names = {"option": pl.String, "proposed": pl.Boolean, "measure": pl.String}
    numbers = dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={**names, **numbers}, orient="row")


def studied_label(case: Case, studied: StudiedEffect) -> str:
    """Name an intervention and the outcome that a study stands behind."""
    i = case.interventions
    outcome = i.outcomes[studied.outcome].label.lower()
    return f"{i.interventions[studied.intervention].label.lower()} ({outcome})"


def pounds(value: float) -> str:
    """Say what a pound brings, to as many digits as a ratio has."""
    said = ratio(value)
    return f"−£{said[1:]}" if said.startswith("−") else f"£{said}" if said[:1].isdigit() else said


def _between(e: Estimate, say: Callable[[float], str]) -> str:
    return f"{say(e.expected)} ({say(e.low)} to {say(e.high)})"


def risks(case: Case) -> pl.DataFrame:
    """One row a risk: how likely it is, where that can be told, and what to do."""
    worth, over = 1 - case.appraisal.worth_it, case.appraisal.over_budget or 0.0
    rows = [
        (
            "It is worth less than it costs",
            f"{percent(worth)} of {case.appraisal.draws:,} recalculations",
            "Start where the evidence is best, and stop what does not work.",
        ),
        (
            "It costs more than the budget",
            f"{percent(over)} of {case.appraisal.draws:,} recalculations",
            "Survey sites, get quotations before awards, and keep a reserve.",
        ),
    ]
    if case.worked.certainty is not None:
        unsure = int((case.worked.certainty.selected[case.rows] < 0.5).sum())
        rows.append(
            (
                f"Other {case.results.areas.plural} are more in need",
                f"{unsure:,} of {len(case.rows):,} {case.results.areas.plural} are on the list in fewer than half of "
                "recalculations",
                "Check those close to the cut-off one by one.",
            )
        )
    if case.steady is not None and case.steady.chosen.any():
        held = case.steady.often[case.steady.chosen].mean()
        rows.append(
            (
                "Other choices would meet more need",
                f"{percent(1 - held)} of the choices change, on average over {case.steady.draws:,} recalculations",
                "Let residents choose among options that meet nearly as much.",
            )
        )
    rows += [
        (
            "An effect is smaller here than where it was studied",
            "not known",
            "Pilot, and compare with similar neighbourhoods.",
        ),
        *(
            [("A site is not available", "not known", "Ask owners, and find sites again without it.")]
            if case.sited is not None
            else [("There is no room for what is chosen", "not known", "Visit before an award.")]
        ),
        (
            "It does not reach the people it is for",
            "not known",
            "Let residents decide, and count who comes.",
        ),
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=["Risk", "How likely", "What to do"], orient="row")
