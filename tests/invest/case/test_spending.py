"""What is spent beside the budget, by hand: with optimism bias, and after the last year."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.document.data import document_data
from commonweal.document.format import percent
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.cautions import begun_costs_after, over_told, spent_with_bias
from commonweal.invest.portfolio import PortfolioProblem
from commonweal.report.case.report import case_document
from commonweal.report.case.tables import by_year, option_numbers, pounds, studied_label
from commonweal.report.case.text import case_answer

if TYPE_CHECKING:
    from commonweal.invest.case.model import Case


def test_what_was_begun_is_run_until_it_ends() -> None:
    """Begun in the last of 5 years and working 3.5 from the next on: 3 years and a half of 100, and never capital.

    The other, begun in year 1 and working 2, is over before the end.
    """
    two = PortfolioProblem(
        codes=("a",), names=("A",), authorities=("",), people=np.ones(1), need=np.ones(1),
        interventions=("late", "early"), outcomes=("ties",), groups=("", ""),
        capital=np.full((1, 2), 1e6), yearly=np.array([[100.0, 7.0]]),
        lead=np.array([1.0, 0.0]), lasts=np.array([3.5, 2.0]), gains=np.ones((1, 2, 1)),
        measured=np.zeros(1, dtype=bool), shortfall=np.full(1, np.inf),
    )  # fmt: skip
    assert begun_costs_after(two, np.array([[4, 1]]), 5).tolist() == [100, 100, 100, 50]
    assert begun_costs_after(two, np.array([[-1, 1]]), 5).sum() == 0
    assert begun_costs_after(two, np.array([[-1, -1]]), 5).sum() == 0


def test_spending_with_optimism_bias_is_capital_raised_by_it(case: Case) -> None:
    """Half of the bounds of the Green Book's supplement, since how far risks are managed is 0 to 1, each as likely."""
    project, bias = case.appraisal.project, case.appraisal.parameters.optimism_bias
    ends = {name: c.capital for name, c in bias.categories.items() if c.capital is not None}
    wanted = 0.0
    for line in project.costs.values():
        amount = line.amount.mean * sum(share for _, share in line.years)
        mix = line.optimism_bias.mix if line.optimism_bias else {}
        wanted += amount * (1 + sum((ends[c].upper + ends[c].lower) / 2 for c in mix))
    spent = spent_with_bias(case.appraisal)
    assert spent.sum() == pytest.approx(wanted)
    assert spent.sum() > case.mix.spent.sum()
    table = by_year(case)
    np.testing.assert_allclose(table["In all, with optimism bias (£)"], spent, atol=1)
    assert table["So far, with it (£)"][-1] == pytest.approx(wanted, abs=1)
    assert (
        document_data(case_document(case))["spent_by_year_with_optimism_bias_gbp"] == spent.tolist()
    )


def test_the_answer_and_the_financial_case_say_what_is_above_the_budget_and_after_the_end(
    case: Case,
) -> None:
    total = float(spent_with_bias(case.appraisal).sum())
    tight = replace(case, rules=replace(case.rules, budget=total - 2e6))
    told = over_told(tight)
    assert f"{money(total)}, £2.00 million above the budget" in told
    assert f"in {percent(case.appraisal.over_budget or 0)} of recalculations" in told
    after = f"{money(float(begun_costs_after(case.problem, case.mix.start, 10).sum()))} more"
    financial = next(s for s in case_document(tight).sections if s.title.startswith("Financial"))
    for text in (
        next(t for t in case_answer(tight) if t.startswith("Cost:")),
        " ".join(financial.text),
    ):
        assert told in text
        assert after in text
        assert "Costs and benefits after 2035 are not counted" in text


def test_a_studied_effect_is_not_told_on_the_cost_of_everything(case: Case) -> None:
    """The audit's £0.66 was one effect on the cost of the whole mix: it is higher on its own cost, and says which."""
    (first, *_) = case.option.studied
    whole = case.appraisal.measures["public_cost"].expected
    own = first.appraisal.measures
    on_everything = own["benefits"].expected / whole
    assert own["bcr"].expected > on_everything
    answer = " ".join(case_answer(case))
    assert f"{studied_label(case, first)} {pounds(own['bcr'].expected)} for each pound" in answer
    assert f"{pounds(on_everything)} for each pound" not in answer
    numbers = option_numbers(case).filter(pl.col("proposed"))
    kept = numbers.filter(measure=f"bcr_of_{first.intervention}_{first.outcome}").row(0, named=True)
    assert (kept["value"], kept["low"], kept["high"]) == (
        own["bcr"].expected,
        own["bcr"].low,
        own["bcr"].high,
    )
    assert (
        f"{pounds(case.appraisal.measures['bcr'].expected)} for each pound of cost with all effects"
        in answer
    )
