"""An appraisal in words, for the terminal, as data, and as the answer of a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from commonweal.document.columns import in_columns
from commonweal.document.words import percent
from commonweal.invest.appraisal import MEASURES
from commonweal.invest.appraisal.words import figure, money, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.invest.appraisal import Appraisal, Estimate

__all__ = [
    "RATIOS",
    "appraisal_answer",
    "appraisal_data",
    "appraisal_lines",
    "definitions",
    "shown_measures",
]

RATIOS = ("bcr", "bcr_weighted", "fiscal_return")

_NET = (
    "Net present social value: benefits to people and savings to the public purse, less all costs; in real terms, "
    "discounted.",
    "Benefit-cost ratio: benefits to people and savings to the public purse, less the costs of others, divided by the "
    "cost to the public sector.",
)
_BACK = (
    "Back to the public purse: savings and transfers to the public sector, divided by its cost. Transfers, such as "
    "taxes and welfare payments, are paid by someone else and count in this alone."
)
_EXPECTED = "Expected: every input at its expected value. The interval holds 95 % of the draws."

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
    """Say what a project is worth, how sure that is, to whom it goes, and what drives it."""
    m = appraisal.measures
    said = []
    each, net = money(m["bcr"].expected), money(m["npsv"].expected)
    if appraisal.swings:
        said.append(
            f"Each pound of public money is expected to bring {each} of benefits (95 % interval "
            f"{_between(m['bcr'], money_=False)}); net present social value is {net} ({_between(m['npsv'])}). "
            f"Benefits exceed costs in {percent(appraisal.worth_it)} of {appraisal.draws:,} draws."
        )
    else:
        said.append(
            f"Each pound of public money brings {each} of benefits, and net present social value is {net}, as stated. "
            "No input has a range, so how sure this is cannot be said."
        )
    if appraisal.worth_it_weighted is not None:
        w = m["bcr_weighted"]
        said.append(
            f"With welfare weights the ratio is {ratio(w.expected)} ({_between(w, money_=False)}); without them, "
            f"{ratio(m['bcr'].expected)}."
        )
    if "fiscal_return" in shown_measures(appraisal):
        said.append(
            f"Back to the public purse come {money(m['fiscal_return'].expected)} for each pound that it spends."
        )
    said += [
        f"“{r.line.label}” may be no benefit at all: its interval, {_between(r.present)}, takes in 0."
        for r in appraisal.lines
        if r.may_be_none
    ]
    if appraisal.over_budget is not None:
        said.append(
            f"Public cost before discounting is above the budget of {money(appraisal.project.budget or math.nan)} in "
            f"{percent(appraisal.over_budget)} of the draws."
        )
    return (*said, *appraisal.drivers)


def _between(e: Estimate, money_: bool = True) -> str:
    say = money if money_ else ratio
    return f"{say(e.low)} to {say(e.high)}"


def appraisal_lines(appraisal: Appraisal) -> Iterator[str]:
    """Tell an appraisal on a terminal: the answer first, then its parts.

    Yields
    ------
    str
        A line, unwrapped.
    """
    p = appraisal.project
    yield p.title
    if p.fictional:
        yield "FICTIONAL: the project, or numbers in it, are made up."
    yield ""
    yield from appraisal_answer(appraisal)
    yield ""
    yield f"In prices of {p.price_year}, discounted to {p.start}, over {p.horizon} years:"
    rows = [
        [MEASURES[name], *(_said(name, v) for v in (e.expected, e.low, e.high))]
        for name, e in ((name, appraisal.measures[name]) for name in shown_measures(appraisal))
    ]
    yield from in_columns(["", ">Expected", ">Low", ">High"], rows)
    yield ""
    yield "Costs and benefits, present values:"
    rows = [
        [
            r.line.label,
            SIDES[r.line.side],
            *(money(v) for v in (r.present.expected, r.present.low, r.present.high)),
        ]
        for r in appraisal.lines
    ]
    yield from in_columns(["Line", "Kind", ">Expected", ">Low", ">High"], rows)
    yield ""
    yield "Where costs and benefits would be even, one input at a time:"
    rows = []
    for s in appraisal.switches:
        value = "none" if s.value is None else figure(s.value, s.input)
        rows.append([s.input.label, figure(s.expected, s.input), value, _changed(s.change)])
    yield from in_columns(["Input", ">Expected", ">Even at", ">Change"], rows)
    for head, told in (
        ("Assumed, not verified:", appraisal.assumptions),
        ("Beware:", appraisal.cautions),
        ("Not in the figures:", p.unquantified),
    ):
        if told:
            yield ""
            yield head
            yield from (f"  {line}" for line in told)
    yield ""
    yield f"Parameters: {appraisal.parameters.title}. {appraisal.parameters.note}".rstrip()
    yield from definitions(appraisal)


def _said(name: str, value: float) -> str:
    return ratio(value) if name in RATIOS else money(value)


def _changed(change: float | None) -> str:
    if change is None:
        return ""
    if change < -1:
        return "below 0"
    if change >= 10:
        return f"x {change + 1:,.0f}"
    return f"{change:+.0%}".replace("%", " %").replace("-", "−")


def appraisal_data(appraisal: Appraisal) -> dict[str, Any]:
    """Give an appraisal as plain data, for JSON; null where a number is not defined."""
    p = appraisal.project
    return {
        "project": p.name,
        "title": p.title,
        "fictional": p.fictional,
        "reference_case": p.reference_case,
        "price_year": p.price_year,
        "start": p.start,
        "horizon": p.horizon,
        "parameters": appraisal.parameters.name,
        "draws": appraisal.draws,
        "seed": appraisal.seed,
        "interval": [0.025, 0.975],
        "measures": {
            name: {
                "what": MEASURES[name],
                "unit": "GBP per GBP" if name in RATIOS else "GBP",
                **_estimate(appraisal.measures[name]),
            }
            for name in shown_measures(appraisal)
        },
        "worth_it": appraisal.worth_it,
        "worth_it_weighted": appraisal.worth_it_weighted,
        "over_budget": appraisal.over_budget,
        "lines": [
            {
                "name": r.line.name,
                "label": r.line.label,
                "side": r.line.side,
                **_estimate(r.present),
                "before_discounting": r.plain,
                "none": r.none,
                "may_be_none": r.may_be_none,
            }
            for r in appraisal.lines
        ],
        "switching_values": [
            {
                "input": s.input.name,
                "label": s.input.label,
                "expected": s.expected,
                "even_at": s.value,
                "beyond": s.beyond,
            }
            for s in appraisal.switches
        ],
        "tornado": [
            {
                "input": s.input.name,
                "label": s.input.label,
                "low": s.low,
                "high": s.high,
                "npsv": list(s.npsv),
                "share_of_variance": s.share,
            }
            for s in appraisal.swings
        ],
        "drivers": list(appraisal.drivers),
        "assumptions": list(appraisal.assumptions),
        "cautions": list(appraisal.cautions),
        "unquantified": list(p.unquantified),
        "evidence": list(appraisal.works),
    }


def _estimate(e: Estimate) -> dict[str, float | None]:
    values = {name: getattr(e, name) for name in ("expected", "mean", "low", "median", "high")}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
