"""Portfolios on the real files: the left-behind wards, and one authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.invest.portfolio.on_study import propose
from commonweal.invest.portfolio.optimise import need_met
from commonweal.invest.portfolio.plan import PortfolioOptions
from commonweal.report.portfolio import portfolio_document

if TYPE_CHECKING:
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


def test_the_left_behind_wards_get_a_mix_with_proof(wards_2019: Results) -> None:
    found = propose(wards_2019, PortfolioOptions(20e6, draws=2, shares=(0.5, 1.0)))
    assert len(found.problem.codes) == 225
    assert 0.99 * 20e6 < found.spent <= 20e6 + 1
    assert found.mix.gap <= 5e-3 + 1e-9
    # Its indicators are ranks of domains, which no intervention moves: every effect is as stated.
    assert not found.problem.measured.any()
    assert found.after is None
    assert found.recount.met.sum() == pytest.approx(found.mix.met)
    met = need_met(found.problem, found.mix.start, found.rules).sum()
    assert met == pytest.approx(found.mix.met)
    assert found.frontier[0].mix.met < found.frontier[1].mix.met
    assert portfolio_document(found).assumptions


def test_one_authority_gets_a_mix_that_moves_its_index(open_england: Results) -> None:
    found = propose(
        open_england, PortfolioOptions(20e6, areas=("Hartlepool",), draws=0, shares=(1.0,))
    )
    assert found.title == "Hartlepool"
    assert set(found.problem.authorities) == {"Hartlepool"}
    assert found.problem.measured.any()
    assert found.recount.measured > 0
    # Counted anew with all in place, the mix meets what it was chosen for to within a few percent.
    assert found.recount.met.sum() == pytest.approx(found.mix.met, rel=0.03)
    assert found.after is not None
    before = open_england.scores["social_infrastructure"].rank
    rows = [open_england.areas.position[code] for code in found.problem.codes]
    shift = found.after.rank - before[rows]
    # Wherever something works that year the place leaves its rank; others are passed by a few, or move by as
    # much as their indicators rank otherwise.
    at = np.maximum(found.mix.start, 0), np.arange(len(found.problem.interventions))
    works = found.problem.working(10)[at][..., found.recount.year] * (found.mix.start >= 0)
    moves = (found.problem.gains[:, :, found.problem.measured].max(axis=2) > 0.01) & (works > 0)
    assert moves.any(axis=1).sum() >= 20
    assert (shift[moves.any(axis=1)] > 0).all()
    assert (np.abs(shift[(works == 0).all(axis=1)]) < 100).all()
