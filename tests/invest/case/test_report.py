"""What a board reads in a case: sites only where something is built, how sure the mix is, the same bytes twice."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.document.data import document_data
from commonweal.document.write import write_document
from commonweal.invest.appraisal.appraise import money
from commonweal.invest.case.case import make_case, portfolio_builder
from commonweal.invest.case.cautions import studied_interventions, why_studied
from commonweal.invest.case.options import mix_stability
from commonweal.invest.portfolio import Rules, optimise_mix
from commonweal.invest.portfolio.builder import expected, uncertain_numbers
from commonweal.invest.portfolio.optimise import GAP
from commonweal.report.case.report import case_document
from commonweal.report.case.sites import write_places
from commonweal.report.case.tables import packages, risks, stability_table
from commonweal.report.case.text import case_answer, mix_words

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.invest.case.model import Case
    from commonweal.invest.case.options import Sharing
    from commonweal.invest.portfolio import Mix, PortfolioProblem
    from commonweal.sources import Store
    from commonweal.study.results import Results

BUDGET = 8e6


def test_no_sites_are_told_where_nothing_is_built_and_the_reason_is_given(
    case: Case, county: Results, store: Store
) -> None:
    """Sites for what nobody pays for are no part of a proposal, unless a kind of place was asked for."""
    assert not case.built
    assert case.sited is None
    assert document_data(case_document(case))["siting"] is None
    assert not any(text.startswith("Where:") for text in case_answer(case))
    section = next(s for s in case_document(case).sections if s.title.startswith("Commercial"))
    assert len(section.text) == 1
    assert "Nothing in this mix is a building" in section.text[0]
    assert not section.tables
    asked = replace(case.asked, kind="library", places=2, budget=2e6, draws=0)
    made = make_case(asked, store, results=county)
    assert made.sited is not None
    assert made.steady is None  # without draws
    where = next(text for text in case_answer(made) if text.startswith("Where:"))
    assert where.startswith(
        "Where: 2 sites for a public library; the money does not pay for them. "
    )
    assert "no other candidate" not in where
    fewer = replace(made, sited=replace(made.sited, sites=made.sited.sites[:1]))
    where = next(text for text in case_answer(fewer) if text.startswith("Where:"))
    assert where.startswith(
        "Where: 1 site for a public library and not 2, because no other candidate shortens a walk; the money does not "
        "pay for it. "
    )
    section = next(s for s in case_document(made).sections if s.title.startswith("Commercial"))
    assert section.tables[0].name == "sites"


def test_it_is_told_how_often_each_choice_is_made_again(case: Case) -> None:
    again = case.steady
    assert again is not None
    assert (again.draws, len(again.places)) == (20, len(case.rows))
    assert ((again.often >= 0) & (again.often <= 1)).all()
    told = stability_table(case)
    by_label = {row["Intervention"]: row for row in told.to_dicts()}
    for at, name in enumerate(case.problem.interventions):
        row = by_label[case.interventions.interventions[name].label]
        chosen = case.mix.chosen[:, at]
        assert row["Places in the mix"] == chosen.sum()
        for head, where in (("Stays where it is", chosen), ("Comes in elsewhere", ~chosen)):
            share = again.often[where, at].mean() if where.any() else None
            assert row[head] == (None if share is None else pytest.approx(share))
    assert any(
        text.startswith("How stable the mix is: we chose it again 20 times")
        for text in case_answer(case)
    )
    assert document_data(case_document(case))["choices_in_draws"]["draws"] == 20


def test_a_choice_that_no_number_can_change_is_made_in_every_draw(case: Case) -> None:
    """With nothing uncertain every draw is the same problem, so its mix is as good as the one proposed."""
    certain = case.interventions.only(["library_hours"])
    problem_rows = case.rows[:2]
    builder = portfolio_builder(case.results, problem_rows, certain)
    problem = builder.problems(expected(uncertain_numbers(certain)))[0]
    rules = Rules(budget=100e6, years=10, last_start=4)  # far more than all of it can cost
    for sharing in ("each", "pooled"):
        option = replace(case.option, sharing=sharing, mix=optimise_mix(problem, rules))
        assert option.mix.chosen.all()
        found = mix_stability(builder, rules, option, draws=4)
        np.testing.assert_array_equal(found.stays, [1.0])
        assert np.isnan(found.comes).all()


@pytest.mark.parametrize("sharing", ["each", "pooled"])
def test_what_the_solver_leaves_open_is_not_told_as_uncertainty(
    case: Case, sharing: Sharing
) -> None:
    """Where every draw is the expected numbers, each choice is made again: draws are solved as the mix was."""
    option = case.option if case.option.sharing == sharing else case.other
    builder = SimpleNamespace(  # whatever is drawn, the numbers are those expected
        interventions=case.interventions,
        places=portfolio_builder(case.results, case.rows, case.interventions).places,
        problems=lambda numbers: [case.problem] * 2,
    )
    found = mix_stability(builder, case.rules, option, draws=2)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.often, found.chosen)


@pytest.mark.parametrize("sharing", ["each", "pooled"])
def test_the_time_for_each_choice_is_kept_to_in_draws_too(
    case: Case, sharing: Sharing, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def chosen(problem: PortfolioProblem, rules: Rules, *, seconds: float, **more: float) -> Mix:
        given.append(seconds)
        return optimise_mix(problem, rules, seconds=seconds, **more)

    for module in ("commonweal.invest.case.options", "commonweal.invest.portfolio.plan"):
        monkeypatch.setattr(import_module(module), "optimise_mix", chosen)
    option = case.option if case.option.sharing == sharing else case.other
    builder = portfolio_builder(case.results, case.rows[:2], case.interventions)
    mix = replace(option.mix, start=option.mix.start[:2])
    mix_stability(builder, case.rules, replace(option, mix=mix), draws=2, seconds=7.0)
    assert set(given) == {7.0}


def test_how_near_to_the_best_each_draw_is_solved_is_told(case: Case) -> None:
    assert case.steady is not None
    assert 0 <= case.steady.gap <= GAP
    assert document_data(case_document(case))["choices_in_draws"]["gap"] == case.steady.gap
    far = replace(case, steady=replace(case.steady, gap=0.042))
    section = next(
        s for s in case_document(far).sections if s.title.endswith("how stable the choice is")
    )
    assert "within 4.2% of the best possible" in section.text[0]


def test_nothing_is_said_of_choices_where_none_of_the_places_looked_at_has_one(
    case: Case,
) -> None:
    """Draws look at some of many places; none of those may get anything."""
    assert case.steady is not None
    without = replace(case, steady=replace(case.steady, chosen=np.zeros_like(case.steady.chosen)))
    often = "Other choices would meet more need"
    assert often in risks(case)["Risk"].to_list()
    assert often not in risks(without)["Risk"].to_list()
    assert not any(text.startswith("How stable the mix is") for text in case_answer(without))


def test_why_only_one_option_has_studied_effects_is_said(case: Case) -> None:
    """The option that has them is told to have them, the other that nothing is known of it."""
    assert case.option.studied
    assert "The last row sets each against its own cost" in why_studied(case)
    at = [case.problem.interventions.index(n) for n in studied_interventions(case)]
    start = case.mix.start.copy()
    start[:, at] = -1
    none = replace(case.option, studied=(), mix=replace(case.mix, start=start))
    without = replace(case, option=none)
    said = why_studied(without)
    assert case.other.studied
    places = int(case.other.mix.chosen[:, at].any(axis=1).sum())
    areas = case.results.areas
    assert f"in {places:,} {areas.singular if places == 1 else areas.plural}" in said
    assert f"of an equal share of {money(BUDGET / 6)}. Other interventions" in said
    poor = replace(without, rules=replace(case.rules, budget=BUDGET / 10))
    assert f"an equal share is {money(BUDGET / 60)}, and that costs " in why_studied(poor)
    assert "not that it is worth less" in said
    assert "“The options in figures” says why" in case_answer(without)[1]
    assert said in case_document(without).sections[0].text
    neither = replace(without, other=replace(case.other, studied=()))
    assert "Neither option has any of them" in why_studied(neither)


def test_the_tail_of_a_mix_is_folded_and_its_table_holds_all(case: Case) -> None:
    done = [("parks", 100, 90e6), ("buses", 4, 20e6), ("broadband", 4, 1e6), ("hubs", 40, 2e6)]
    assert (
        mix_words(done, "ward", "wards")
        == "parks in 100 wards, hubs in 40, buses in 4 and others in few"
    )
    assert sum(packages(case)["Places"]) == len(case.rows)
    shown = next(t for t in case_document(case).tables() if t.name == "by-intervention")
    assert set(shown.shown.frame["Intervention"]) == {
        case.interventions.interventions[n].label
        for n, there in zip(case.problem.interventions, case.mix.chosen.any(axis=0), strict=True)
        if there
    }


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(
    case: Case, county: Results, store: Store, tmp_path: Path
) -> None:
    """No file holds how long a solver took, or when it was written."""
    asked = replace(case.asked, kind="library", places=3, budget=3e6, draws=5)
    folders = []
    for k in range(2):
        made = make_case(asked, store, results=county)
        more = {
            "places.gpkg": ("Places.", lambda path, made=made: write_places(made, path)),
        }
        folders.append(write_document(case_document(made), tmp_path / f"annex{k}", more))
    names = [sorted(p.relative_to(f) for p in f.rglob("*") if p.is_file()) for f in folders]
    assert names[0] == names[1]
    for name in names[0]:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
