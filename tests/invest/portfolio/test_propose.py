"""A portfolio for the study of twenty places: worked by hand, told, and refused where it can't be."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.invest.test_interventions import CLUB, EFFECT, written

from commonweal.document.data import document_data
from commonweal.document.text import document_lines
from commonweal.document.write import write_document
from commonweal.errors import CommonwealError, DataError, StudyError, UnknownNameError
from commonweal.invest.portfolio.on_study import propose
from commonweal.invest.portfolio.plan import PortfolioOptions
from commonweal.report.portfolio import portfolio_document
from commonweal.report.portfolio_text import portfolio_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.invest.portfolio.plan import Portfolio

HALL = {"through": [{"indicator": "halls", "change": "add", "by": 6}]}
"""Six halls more; the study's index of halls is exponential in the rank."""

ASK = PortfolioOptions(10_000.0, years=4, index="community_needs", draws=0, gap=0.0)


def ask(folder: Path, changes: dict[str, Any] | None = None, **more: Any) -> PortfolioOptions:
    file = written(folder, {f"{EFFECT}.through": HALL["through"], **(changes or {})})
    return replace(ASK, interventions=file, **more)


def test_need_met_is_the_fall_of_the_shortfall_scored_anew(small: Small, tmp_path: Path) -> None:
    """A20 has 1 hall and is ranked first; with 7 it comes to the place of who has 7 today.

    No other place moves, so it scores what A14 does, which has 7: the fall is the difference of the two, in
    standard deviations. 2,000 people live there; a club costs 1,000 and 200 a year for four years: 1,800.
    """
    results = small.run(draws=0)
    found = propose(results, ask(tmp_path, areas=("A20",)))
    scores = results.scores["community_needs"].score
    fall = (scores[19] - scores[13]) / scores.std()
    need = 2 * (20 - 1 + 0.5) / 20
    assert found.mix.chosen.tolist() == [[True]]
    assert found.spent == 1800
    assert found.mix.met == pytest.approx(2000 * need * 4 * fall)
    assert found.recount.met.sum() == pytest.approx(found.mix.met)
    assert found.recount.by_year.tolist() == pytest.approx([found.mix.met / 4] * 4)


def test_what_the_study_would_say_then(small: Small, tmp_path: Path) -> None:
    """With six halls more A18 has 9 and A17 10. A20 has 7, as A14, and only A10, A16 and A15 have fewer: it stays."""
    results = small.run(draws=0)
    found = propose(results, ask(tmp_path))
    assert found.title == "3 places that are priority"
    assert found.after is not None
    assert found.after.selected == {"priority": (3, 1)}
    lines = " ".join(document_lines(portfolio_document(found)))
    assert (
        "On the list “priority”: 3 of these places today, and 1 in year 1, when most need is met"
        in lines
    )


def test_what_the_index_does_not_measure_counts_by_its_size(small: Small, tmp_path: Path) -> None:
    """0.2 standard deviations for half of the residents: 0.1 a resident and year."""
    results = small.run(draws=0)
    other = [{"indicator": "places_to_meet", "change": "add", "by": 1}]
    plain = ask(tmp_path, {f"{EFFECT}.through": other}, areas=("A20",), equity=0.0)
    found = propose(results, plain)
    assert found.mix.met == pytest.approx(2000 * 0.1 * 4)
    assert found.recount.measured == 0
    assert found.after is None
    assert "has no indicator for these effects" in " ".join(
        document_lines(portfolio_document(found))
    )
    few = {f"{EFFECT}.through": other, f"{EFFECT}.most_people": 300}
    reached = propose(results, ask(tmp_path, few, areas=("A20",), equity=0.0))
    assert reached.mix.met == pytest.approx(300 * 0.2 * 4)
    plain = ask(tmp_path, {f"{EFFECT}.through": other}, areas=("A20",), equity=0.0)
    half = propose(results, replace(plain, stated_counts=0.5))
    assert half.mix.met == pytest.approx(2000 * 0.05 * 4)


def chosen(found: Portfolio) -> list[dict[str, Any]]:
    return document_data(portfolio_document(found))["tables"]["portfolio-places"]


def test_money_and_least_shares_decide_where(small: Small, tmp_path: Path) -> None:
    results = small.run(draws=0)
    one = ask(tmp_path, areas=("Northside", "Southside"), budget=1_800.0)
    assert [c["code"] for c in chosen(propose(results, one))] == ["A20"]
    two = replace(one, budget=3_600.0, least_shares={"N": 0.5})
    codes = {c["code"] for c in chosen(propose(results, two))}
    assert len(codes & {f"A{k:02d}" for k in range(1, 11)}) == 1
    assert len(codes) == 2
    met = [p.mix.met for p in propose(results, replace(two, least_shares={})).frontier]
    assert met == sorted(met)


def test_draws_are_seeded_and_say_how_often_each_is_chosen(small: Small, tmp_path: Path) -> None:
    results = small.run(draws=0)
    unsure = {f"{CLUB}.cost.capital": {"uniform": [0, 2000]}}
    plain = ask(tmp_path, unsure, budget=3_600.0, draws=12, seed=4)
    one, two = propose(results, plain), propose(results, plain)
    assert one.stability is not None
    assert two.stability is not None
    assert np.array_equal(one.stability.often, two.stability.often)
    assert np.array_equal(one.stability.cost, two.stability.cost)
    assert ((one.stability.often >= 0) & (one.stability.often <= 1)).all()
    often = one.stability.often[one.mix.chosen]
    headline = portfolio_answer(one)[0]
    assert (
        f"{int((often >= 0.5).sum()):,} stay in the best mix of at least half of the recalculations."
        in headline
    )
    unknown = portfolio_answer(replace(one, stability=None))[0]
    assert "nothing is known of how stable these choices are" in unknown
    # The place with most people in most need gets it whenever one can be paid for.
    assert one.stability.often[one.problem.codes.index("A20"), 0] == 1.0
    assert one.stability.over == np.mean(one.stability.cost > 3_600)
    # In a draw where the mix can be paid for, the best is no worse.
    payable = one.stability.cost <= 3_600
    assert (one.stability.best[payable] >= 0.99 * one.stability.met[payable] - 1e-6).all()
    other = propose(results, replace(plain, seed=5)).stability
    assert other is not None
    assert not np.array_equal(one.stability.cost, other.cost)


@pytest.mark.parametrize(
    ("changes", "more", "error", "said"),
    [
        ({}, {"budget": 0.0}, CommonwealError, "budget: found 0"),
        ({}, {"budget": 900.0}, CommonwealError, "buys nothing; the cheapest intervention costs 1,200"),
        ({}, {"index": "comunity_needs"}, UnknownNameError, "did you mean 'community_needs'"),
        ({}, {"areas": ("Southsid",)}, CommonwealError, "Southside"),
        ({}, {"areas": ("selected", "A01")}, CommonwealError, "found 'selected' and others"),
        ({}, {"designation": "x"}, UnknownNameError, "designation 'x' not found"),
        ({}, {"only": ("club", "hub")}, UnknownNameError, "intervention 'hub' not found in own"),
        ({}, {"least_shares": {"Wessex": 0.1}}, UnknownNameError, "authority 'Wessex' not found"),
        ({}, {"equity": -1.0}, CommonwealError, "equity: found -1"),
        ({}, {"stated_counts": -1.0}, CommonwealError, "stated counts: found -1"),
        (
            {f"{EFFECT}.through": [{"indicator": "hals", "change": "add", "by": 1}]},
            {}, DataError, "interventions.club: indicator 'hals' not found in the index; did you mean 'halls'",
        ),
        (
            {f"{EFFECT}.size": None, f"{EFFECT}.reaches": None,
             f"{EFFECT}.through": [{"indicator": "clinics", "change": "add", "by": 1}]},
            {}, DataError, "without 'size' it would do nothing",
        ),
        ({f"{EFFECT}.through": [{"indicator": "halls", "change": "add", "by": -3}]}, {}, CommonwealError,
         "no intervention meets any need within 4 years"),
        ({f"{CLUB}.lead": 9}, {}, CommonwealError, "no intervention meets any need within 4 years"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    small: Small, tmp_path: Path, changes: dict[str, Any], more: dict[str, Any], error: Any, said: str
) -> None:  # fmt: skip
    with pytest.raises(error, match=said):
        propose(small.run(draws=0), ask(tmp_path, changes, **more))


def test_least_shares_that_nothing_can_fill_are_refused(small: Small, tmp_path: Path) -> None:
    """A01 to A05 lack nothing, so nothing helps there."""
    results = small.run(draws=0)
    areas = ("A01", "A02", "A20")
    with pytest.raises(
        CommonwealError, match=r"least share of Northside: found 0\.4; nothing that"
    ):
        propose(results, ask(tmp_path, areas=areas, least_shares={"Northside": 0.4}))


def test_studies_over_years_are_refused(small: Small, tmp_path: Path) -> None:
    results = small.run(draws=0)
    prepared = replace(results, study=results.study.model_copy(update={"panel": object()}))
    with pytest.raises(StudyError, match="expected a study without 'prepare' and 'panel'"):
        propose(prepared, ask(tmp_path))


def test_the_report_has_every_number(small: Small, tmp_path: Path) -> None:
    results = small.run(draws=0)
    found = propose(results, ask(tmp_path, draws=3))
    folder = write_document(portfolio_document(found), tmp_path / "report")
    with (folder / "tables" / "portfolio-places.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["Code"] for row in rows} == {"A17", "A18", "A20"}
    assert sum(int(row["Cost (£)"]) for row in rows) == found.spent
    with (folder / "tables" / "portfolio-frontier.csv").open(encoding="utf-8") as file:
        points = list(csv.DictReader(file))
    assert [int(p["Budget (£)"]) for p in points] == [1000, 2500, 5000, 7500, 10000, 15000, 20000]
    data = json.loads((folder / "report.json").read_text("utf-8"))
    assert data["figures"]["spent"]["value"] == found.spent
    page = (folder / "report.html").read_text("utf-8")
    assert "We did not verify these" in page
    assert "a made-up number" in page
    assert not found.fictional


@pytest.mark.slow
def test_the_command_tells_the_demo_as_fictional(
    tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, err = tell("invest", "portfolio", "demo", "--budget", "3m", "--draws", "0", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert data["fictional"]
    assert 0 < data["figures"]["spent"]["value"] <= 3e6
    assert data["selected"]["left_behind"][1] <= data["selected"]["left_behind"][0]
    code, out, err = tell("invest", "portfolio", "demo", "--budget", "lots")
    assert (code, out) == (2, "")
    assert "--budget: found 'lots'; expected pounds, such as 20m or 750k" in err
    code, _, err = tell("invest", "portfolio", "demo", "--budget", "0")
    assert code == 2
    assert "budget: found 0; expected pounds above 0" in err
    code, _, err = tell(
        "invest", "portfolio", "demo", "--budget", "1m", "--least-share", "Anywhere"
    )
    assert code == 2
    assert "expected NAME=a number" in err
    assert not list(tmp_path.iterdir())
