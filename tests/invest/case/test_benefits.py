"""What a mix does for people, by hand; and what sites are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.invest.case.case import appraise_sites
from commonweal.invest.case.valuation import gains_of, load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.portfolio import PortfolioProblem, Rules
from commonweal.invest.siting.on_study import SitingOptions, site

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.invest.interventions import Interventions
    from commonweal.sources import Store
    from commonweal.study.results import Results

NAMES = ["community_hub", "library_hours"]


def problem() -> PortfolioProblem:
    """Two places with 1,000 and 2,000 people; both interventions are on ties between people."""
    return PortfolioProblem(
        codes=("a", "b"),
        names=("A", "B"),
        authorities=("", ""),
        people=np.array([1000.0, 2000.0]),
        need=np.ones(2),
        interventions=tuple(NAMES),
        outcomes=("social_ties",),
        groups=("building", ""),
        capital=np.ones((2, 2)),
        yearly=np.ones((2, 2)),
        lead=np.array([1.0, 0.0]),
        lasts=np.array([16.0, 10.0]),
        gains=np.zeros((2, 2, 1)),
        measured=np.zeros(1, dtype=bool),
        shortfall=np.full(2, np.inf),
    )


def as_stated() -> Interventions:
    """Give two interventions with the sizes of their file."""
    found = load_interventions().only(NAMES)
    return found.model_copy(
        update={
            "interventions": {
                name: one.model_copy(
                    update={
                        "effects": tuple(
                            e.model_copy(update={"size": e.stated_size}) for e in one.effects
                        )
                    }
                )
                for name, one in found.interventions.items()
            }
        }
    )


def test_gains_by_hand() -> None:
    """The hub works 4 of 5 years in both; longer hours all 5 in A alone, where they are second and count half.

    A hub: (0 + 0.1 + 0.3) / 3 of a standard deviation for (0.05 + 0.12 + 0.25) / 3 of residents = 0.018667.
    Hours: (0 + 0.03 + 0.1) / 3 x (0.05 + 0.15 + 0.3) / 3 = 0.007222. Sizes as stated, before any synthesis.
    """
    first = as_stated()
    start = np.array([[0, 0], [0, -1]])
    gains = gains_of(first, problem(), Rules(1.0, years=5), start)
    ties = {g.intervention: g for g in gains if g.outcome == "social_ties"}
    assert ties["community_hub"].each == pytest.approx(0.4 / 3 * 0.42 / 3)
    assert ties["community_hub"].reach.tolist() == [0, 3000, 3000, 3000, 3000]
    assert ties["library_hours"].each == pytest.approx(0.13 / 3 * 0.5 / 3)
    assert ties["library_hours"].reach.tolist() == [500] * 5
    assert ties["community_hub"].total == pytest.approx(0.4 / 3 * 0.42 / 3 * 12_000)
    assert ties["community_hub"].draws.mean() == pytest.approx(ties["community_hub"].each, rel=0.03)


def test_one_place_reaches_no_more_people_than_it_can() -> None:
    """A hub reaches 1,500 people at most: of 20,000 fewer are drawn at times, of 40,000 never."""
    first = as_stated()
    hub = np.array([[0, -1], [-1, -1]])
    for people in (20_000.0, 40_000.0):
        many = replace(problem(), people=np.array([people, 1000.0]))
        ties = next(
            g for g in gains_of(first, many, Rules(1.0, years=2), hub) if g.outcome == "social_ties"
        )
        assert ties.reach.tolist() == [0, people]
        reached = 1500 if people == 40_000 else people * _triangular_cut(0.05, 0.12, 0.25, 0.075)
        assert ties.total == pytest.approx(0.4 / 3 * reached, rel=1e-3)
        assert ties.draws.mean() * people == pytest.approx(ties.total, rel=0.03)


def _triangular_cut(low: float, mode: float, high: float, most: float) -> float:
    """The mean of what a triangular law gives, cut off at `most`, which lies below its mode."""
    below = (most - low) ** 2 / ((high - low) * (mode - low))
    return most - below * (most - low) / 3


def test_nothing_done_gains_nothing() -> None:
    first = load_interventions().only(NAMES)
    assert gains_of(first, problem(), Rules(1.0, years=5), np.full((2, 2), -1)) == []


def test_values_that_name_what_is_not_there_are_refused(tmp_path: Path) -> None:
    from importlib import resources

    text = (
        resources.files("commonweal.invest.case") / "published" / "first-values.yaml"
    ).read_text("utf-8")
    for old, new, error, said in (
        ("library: community_hub", "libary: community_hub", UnknownNameError, "library"),
        ("evidence: popay-2023", "evidence: popay-2032", UnknownNameError, "popay-2023"),
        ("triangular: [0, 0.2, 0.5]", "triangular: [0, 0.6, 0.5]", DataError, "rising order"),
        ("managed:", "manged:", DataError, "managed"),
        (
            ": standard_buildings",
            ": standard_bildings",
            UnknownNameError,
            r"not found in .*own\.yaml, under 'optimism_bias\.\w+'; did you mean 'standard_b",
        ),
    ):
        assert old in text
        file = tmp_path / "own.yaml"
        file.write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(error, match=said):
            load_values(str(file))


def test_prices_are_the_published_ones_and_reach_the_price_year_of_the_set() -> None:
    """Prices rose by 23.3% from 2019 to 2024 (HM Treasury, December 2025)."""
    values, year = load_values(), load_interventions().price_year
    assert values.prices.verified
    assert values.prices.index[year] / values.prices.index[2019] == pytest.approx(1.2329, abs=5e-5)
    assert year == max(values.prices.index)
    assert {2019, year} <= set(values.incomes.index)
    assert not any(
        s.verified for s in (values.incomes, values.wellbeing, values.added, values.grant)
    )


def test_more_sites_reach_and_cost_more(county: Results, store: Store) -> None:
    found = []
    for sites in (1, 3):
        ask = SitingOptions(
            "Vesselhoe", "community-centre", sites, candidates="grid:1000", method="greedy"
        )
        sited = site(county, ask, store, effect=False)
        worth = appraise_sites(sited, load_interventions(), load_values(), draws=500)
        assert worth is not None
        assert worth.project.benefits["wellbeing"].people.mean == pytest.approx(
            sited.sites["newly"].sum()
        )
        found.append((sited.reached()[1], worth.measures["public_cost"].expected))
    assert found[0][0] < found[1][0]
    assert found[0][1] * 3 == pytest.approx(found[1][1])


def test_what_is_not_known_to_do_anything_is_not_valued(county: Results, store: Store) -> None:
    sited = site(
        county, SitingOptions("Vesselhoe", "pub", 1, candidates="grid:1000"), store, effect=False
    )
    assert appraise_sites(sited, load_interventions(), load_values()) is None
