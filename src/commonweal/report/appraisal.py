"""An appraisal in words, as sections of a report, and as a report of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.document.format import percent
from commonweal.document.model import Document, Figure, Section, Table, make_table
from commonweal.invest.appraisal.appraise import figure, money, ratio
from commonweal.invest.appraisal.model import MEASURES, WELLBY
from commonweal.report.appraisal_charts import (
    chance_chart,
    chart_id,
    tornado_chart,
    waterfall_chart,
)

if TYPE_CHECKING:
    from commonweal.document.model import Chart
    from commonweal.invest.appraisal import Appraisal, Estimate


NONE, BEYOND = "No benefit in", "Beyond"
RATIOS = ("bcr", "bcr_weighted", "fiscal_return")

NO_RANGE = "No input has a range, so we cannot say how certain this is."
FICTIONAL = "The project, or numbers in it, are fictional: they are made up."

_NET = (
    "Net present social value: benefits to people plus public savings, minus all costs, in real terms and discounted.",
    "Benefit-cost ratio: benefits to people plus public savings, minus the costs of others, divided by the cost to the "
    "public sector.",
)
_BACK = (
    "Back to the public purse: savings and transfers to the public sector, divided by its cost. Somebody else pays "
    "transfers, such as taxes and welfare payments, so they count in this alone."
)
_EXPECTED = "Expected: every input at its expected value. The interval holds 95% of recalculations with other inputs."

SIDES = {
    "public": "cost, public",
    "others": "cost, others",
    "social": "benefit, social",
    "fiscal": "benefit, fiscal",
    "transfer": "transfer",
}


def shown_measures(appraisal: Appraisal) -> list[str]:
    """Name the measures that say something: none of transfers or weights where there are none."""
    weighted = ("npsv_weighted", "bcr_weighted")
    sides = {line.line.side for line in appraisal.lines}
    left_out = {
        *(() if appraisal.model.weighted else weighted),
        *(() if "others" in sides else ("other_cost",)),
        *(() if "transfer" in sides else ("transfers",)),
        *(() if "fiscal" in sides else ("fiscal",)),
        *(() if sides & {"fiscal", "transfer"} else ("fiscal_return",)),
    }
    return [name for name in MEASURES if name not in left_out]


def definitions(appraisal: Appraisal) -> tuple[str, ...]:
    """Say what the measures that are shown mean."""
    back = (_BACK,) if "fiscal_return" in shown_measures(appraisal) else ()
    return (*_NET, *back, _EXPECTED)


def appraisal_answer(appraisal: Appraisal) -> tuple[str, ...]:
    """Say where a project breaks even, what it is worth as stated, to whom it goes, and what that depends on."""
    m = appraisal.measures
    said = [break_even(appraisal)]
    each, net = money(m["bcr"].expected), money(m["npsv"].expected)
    if appraisal.swings:
        said.append(
            f"Each pound of public money is expected to bring {each} of benefits (95% interval "
            f"{_between(m['bcr'], money_=False)}). Net present social value is {net} ({_between(m['npsv'])}). "
            f"Benefits exceed costs in {percent(appraisal.worth_it)} of {appraisal.draws:,} recalculations."
        )
    else:
        said.append(
            f"Each pound of public money brings {each} of benefits. Net present social value is {net}, as stated. "
            f"{NO_RANGE}"
        )
    if appraisal.worth_it_weighted is not None:
        w = m["bcr_weighted"]
        said.append(
            f"With welfare weights the benefit-cost ratio is {ratio(w.expected)} ({_between(w, money_=False)}). "
            f"Without them it is {ratio(m['bcr'].expected)}."
        )
    if "fiscal_return" in shown_measures(appraisal):
        said.append(
            f"The public purse gets back {money(m['fiscal_return'].expected)} for each pound that it spends."
        )
    said += [
        f"“{r.line.label}” may bring no benefit: its interval, {_between(r.present)}, includes 0."
        for r in appraisal.lines
        if r.may_be_none
    ]
    if appraisal.over_budget is not None:
        said.append(
            f"Public cost before discounting exceeds the budget of {money(appraisal.project.budget or math.nan)} in "
            f"{percent(appraisal.over_budget)} of recalculations."
        )
    return (*said, *appraisal.drivers)


def break_even(appraisal: Appraisal) -> str:
    """Say what the benefits have to come to for a project to be worth its cost: no range is needed to judge that.

    Its largest benefit is told by its own input, with all others as stated: points of life satisfaction where it is
    valued so.
    """
    m = appraisal.measures
    gains = [
        r for r in appraisal.lines if r.line.side in ("social", "fiscal") and r.present.expected > 0
    ]
    if not gains:
        return "Break-even: no benefit is stated, so nothing would make it worth its cost."
    needed = (m["public_cost"].expected + m["other_cost"].expected) / m["benefits"].expected
    first = max(gains, key=lambda r: r.present.expected)
    switching = {s.input.name: s for s in appraisal.switching_values}
    names = (first.line.inputs.get(what) for what in ("points", "quantity", "people", "value"))
    switch = next((switching[name] for name in names if name is not None), None)
    assumed = _unverified(appraisal)
    whole = f"All its benefits together have to reach {percent(needed)} of what is stated"
    if assumed > 0:
        whole += (
            "; none of it is verified"
            if assumed == 1
            else f"; {percent(assumed)} of it is not verified"
        )
    whole += "."
    if switch is None or switch.value is None or switch.value <= 0:
        plausible = "at any" if m["npsv"].expected > 0 else "at no"
        return f"Break-even: it is worth its cost {plausible} plausible size of “{first.line.label}”. {whole}"
    value, stated = (figure(x, switch.input) for x in (switch.value, switch.expected))
    if switch.input.name.endswith(".quantity") and first.line.inputs.get("value") == WELLBY:
        return (
            f"Break-even: worth it if those who gain (“{first.line.label}”) rate life {value} points higher (0 to 10); "
            f"{stated} is stated. {whole}"
        )
    unit = "" if switch.input.unit in ("", "£") else f" ({switch.input.unit})"
    return f"Break-even: worth it if “{switch.input.label}”{unit} is {value}; {stated} is stated. {whole}"


def _unverified(appraisal: Appraisal) -> float:
    """Share of the benefits whose size nobody verified."""
    verified = {name: benefit.verified for name, benefit in appraisal.project.benefits.items()}
    worth = {
        r.line.name: r.present.expected
        for r in appraisal.lines
        if r.line.side in ("social", "fiscal") and r.present.expected > 0
    }
    return sum(x for name, x in worth.items() if not verified[name]) / sum(worth.values())


def _between(e: Estimate, money_: bool = True) -> str:
    say = money if money_ else ratio
    return f"{say(e.low)} to {say(e.high)}"


def _changed(change: float | None) -> str:
    if change is None:
        return ""
    if change < -1:
        return "below 0"
    if change >= 10:
        return f"x {change + 1:,.0f}"
    return f"{change:+.0%}".replace("-", "−")


_FIRST_YEARS = 20
"""Years that stand on the page; the workbook and the table's file have all."""


def appraisal_document(appraisal: Appraisal) -> Document:
    """Make a report of an appraisal."""
    p, parameters = appraisal.project, appraisal.parameters
    return Document(
        name=chart_id(appraisal, "appraisal"),
        title=p.title,
        heading=f"Social cost-benefit analysis over {p.horizon} years from {p.start}, in {p.price_year} prices",
        answer=appraisal_answer(appraisal),
        sections=appraisal_sections(appraisal),
        notes=(FICTIONAL,) if p.fictional else (),
        assumptions=appraisal.assumptions,
        limits=p.unquantified,
        works=appraisal.works,
        account=(
            ("project", p.model_dump(mode="json", exclude_defaults=True)),
            ("parameters", parameters.model_dump(mode="json", exclude_defaults=True)),
            ("draws", appraisal.draws),
            ("seed", appraisal.seed),
            ("interval", [0.025, 0.975]),
        ),
    )


def appraisal_sections(appraisal: Appraisal) -> tuple[Section, ...]:
    """Give the sections of a report: costs and benefits, certainty, sources of uncertainty.

    Charts and tables are named after the project, so that those of several fit in one report.
    """
    p = appraisal.project
    return (
        Section(
            "Costs and benefits",
            text=tuple(
                filter(
                    None,
                    (
                        p.about,
                        f"Parameters: {appraisal.parameters.title}. {appraisal.parameters.note}".rstrip(),
                    ),
                )
            ),
            points=definitions(appraisal),
            charts=(waterfall_chart(appraisal),),
            tables=(*_measures(appraisal), _lines(appraisal), _years(appraisal)),
            warnings=appraisal.cautions,
        ),
        Section(
            "How certain the answer is",
            text=(_how_sure(appraisal),),
            charts=_given(chance_chart(appraisal)),
            figures=_shares(appraisal) if appraisal.swings else (),
        ),
        Section(
            "Biggest sources of uncertainty",
            text=appraisal.drivers,
            charts=_given(tornado_chart(appraisal)),
            tables=(_inputs(appraisal),),
        ),
    )


def _shares(appraisal: Appraisal) -> tuple[Figure, ...]:
    """Give in what share of recalculations it is worth its cost, and costs more than the budget."""
    told = (
        ("worth_it", "Benefits exceed costs in", appraisal.worth_it),
        ("worth_it_weighted", "The same with welfare weights", appraisal.worth_it_weighted),
        ("over_budget", "Costs exceed the budget in", appraisal.over_budget),
    )
    return tuple(
        Figure(name, label, share, percent(share), about="share of recalculations")
        for name, label, share in told
        if share is not None
    )


def _given(chart: Chart | None) -> tuple[Chart, ...]:
    return () if chart is None else (chart,)


def _how_sure(appraisal: Appraisal) -> str:
    if not appraisal.swings:
        return f"{NO_RANGE} An answer without an interval is not certain."
    alone = round(100 * min(1.0, sum(s.share for s in appraisal.swings)))
    return (
        f"We recalculated the answer {appraisal.draws:,} times, with every uncertain input drawn from its stated range "
        f"(seed {appraisal.seed}). Single inputs cause {alone}% of the variance of the net value, and combinations the "
        "rest. The interval is as good as the ranges: an input without one counts as certain."
    )


def _measures(appraisal: Appraisal) -> tuple[Table, Table]:
    """Give the amounts, in pounds, and the ratios, which have decimals."""
    names = shown_measures(appraisal)
    amounts = [name for name in names if name not in RATIOS]
    ratios = [name for name in names if name in RATIOS]
    return (
        Table(
            chart_id(appraisal, "amounts"),
            "Costs, benefits and net value (£)",
            make_table(
                _estimates(appraisal, amounts),
                whole=("Expected", "Low", "Median", "High"),
                hidden=_MORE,
            ),
            "Present values. 95% of recalculations lie between low and high.",
        ),
        Table(
            chart_id(appraisal, "ratios"),
            "Benefits for each pound of public money",
            make_table(_estimates(appraisal, ratios), hidden=_MORE),
        ),
    )


_MORE = ("name", "mean")


def _estimates(appraisal: Appraisal, names: list[str]) -> pl.DataFrame:
    found = [appraisal.measures[name] for name in names]
    return pl.DataFrame(
        {
            "Measure": [MEASURES[name] for name in names],
            "Expected": [e.expected for e in found],
            "Low": [e.low for e in found],
            "Median": [e.median for e in found],
            "High": [e.high for e in found],
            "name": names,
            "mean": [e.mean for e in found],
        }
    )


def _lines(appraisal: Appraisal) -> Table:
    rows = appraisal.lines
    benefit = [r.line.side not in ("public", "others") for r in rows]
    frame = pl.DataFrame(
        {
            "Line": [r.line.label for r in rows],
            "Kind": [SIDES[r.line.side] for r in rows],
            "Undiscounted (£)": [r.plain for r in rows],
            "Present value (£)": [r.present.expected for r in rows],
            "Low (£)": [r.present.low for r in rows],
            "High (£)": [r.present.high for r in rows],
            NONE: [r.none if b else None for r, b in zip(rows, benefit, strict=True)],
            "name": [r.line.name for r in rows],
            "side": [r.line.side for r in rows],
            "mean": [r.present.mean for r in rows],
            "median": [r.present.median for r in rows],
            "may_be_none": [r.may_be_none for r in rows],
        },
        schema_overrides={NONE: pl.Float64},
    )
    if appraisal.model.weighted:
        weights = [r.line.weight if b else None for r, b in zip(rows, benefit, strict=True)]
        frame = frame.with_columns(pl.Series("Welfare weight", weights, pl.Float64))
    about = (
        f"Costs include optimism bias; benefits are the additional part. {NONE}: the share of recalculations in which "
        "a benefit is 0 or less. The amounts have no welfare weights."
    )
    shown = make_table(
        frame,
        {NONE},
        whole=_POUNDS,
        hidden=("name", "side", "mean", "median", "may_be_none"),
        names=_POUNDS | {NONE: "none"},
    )
    return Table(chart_id(appraisal, "lines"), "Every cost and benefit", shown, about)


_POUNDS = {
    "Undiscounted (£)": "before_discounting",
    "Present value (£)": "expected",
    "Low (£)": "low",
    "High (£)": "high",
}


def _years(appraisal: Appraisal) -> Table:
    """Give costs and benefits year by year, so that the sum can be done by hand."""
    sides = {r.line.name: r.line.side for r in appraisal.lines}
    heads = {
        "public": "Cost, public (£)",
        "others": "Cost, others (£)",
        "social": "Benefit, social (£)",
        "fiscal": "Benefit, fiscal (£)",
    }
    sums = {
        side: np.sum(
            [flow for name, flow in appraisal.by_year.items() if sides[name] == side], axis=0
        )
        for side in heads
        if side in sides.values()
    }
    net = sum(flow if side in ("social", "fiscal") else -flow for side, flow in sums.items())
    start = appraisal.project.start
    frame = pl.DataFrame(
        {
            "Year": [f"{k} ({start + k})" for k in range(len(appraisal.factors))],
            **{heads[side]: flow for side, flow in sums.items()},
            "Net (£)": np.asarray(net),
            "Discount factor": appraisal.factors,
            "Net, present value (£)": np.asarray(net) * appraisal.factors,
        }
    )
    whole = [*heads.values(), "Net (£)", "Net, present value (£)"]
    return Table(
        chart_id(appraisal, "years"),
        "Year by year",
        make_table(frame, places={"Discount factor": 6}, whole=whole),
        "Before discounting, with every input at its expected value. The last column adds up to the net present "
        "social value. Transfers are left out.",
        rows=_FIRST_YEARS,
    )


def _inputs(appraisal: Appraisal) -> Table:
    """Give every input with its switching value and, for programs, what it does to the net value by itself."""
    rows = appraisal.switching_values
    swings = {s.input.name: s for s in appraisal.swings}
    alone = [swings.get(s.input.name) for s in rows]
    frame = pl.DataFrame(
        {
            "Input": [s.input.label for s in rows],
            "Unit": [s.input.unit for s in rows],
            "As stated": [s.input.number.words() for s in rows],
            "Expected": [figure(s.expected, s.input) for s in rows],
            "Breaks even at": [
                "none" if s.value is None else figure(s.value, s.input) for s in rows
            ],
            "Change": [_changed(s.change) for s in rows],
            BEYOND: [None if s.value is None else s.beyond for s in rows],
            "name": [s.input.name for s in rows],
            "expected": [s.expected for s in rows],
            "even_at": [s.value for s in rows],
            "low": [s and s.low for s in alone],
            "high": [s and s.high for s in alone],
            "npsv_at_low": [s and s.npsv[0] for s in alone],
            "npsv_at_high": [s and s.npsv[1] for s in alone],
            "share_of_variance": [s and s.share for s in alone],
        },
        schema_overrides=dict.fromkeys((BEYOND, *_BEHIND[1:]), pl.Float64),
    )
    about = (
        "Breaks even at: the switching value, at which net present social value is 0 and all other inputs are at their "
        "expected values. “None”: no plausible value does that. Change: from the expected value. Beyond: the share of "
        "recalculations in which the input lies on the other side."
    )
    shown = make_table(
        frame,
        {BEYOND},
        hidden=_BEHIND,
        names={"Expected": "expected_in_words", "Breaks even at": "even_at_in_words"},
    )
    title = "Every input, and where the project breaks even"
    return Table(chart_id(appraisal, "inputs"), title, shown, about)


_BEHIND = (
    "name",
    "expected",
    "even_at",
    "low",
    "high",
    "npsv_at_low",
    "npsv_at_high",
    "share_of_variance",
)
