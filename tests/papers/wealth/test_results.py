"""Countries and groups, worked out by hand on a small world."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.papers.wealth import Assumptions, load_weights, weight_of
from commonweal.papers.wealth.data import (
    CONTROLS,
    country_of,
    trust_of_countries,
    wealth_of_countries,
)
from commonweal.papers.wealth.results import value_countries, worth_in_country
from commonweal.papers.wealth.value import fit_countries

if TYPE_CHECKING:
    from commonweal.sources import Store

OWN = weight_of(b=0.5, g=0.4, var_b=0.001, var_g=0.01, cov_bg=0.0)


def test_trust_is_the_mean_of_the_waves_in_the_years(world: Store) -> None:
    found = {row["code"]: row for row in trust_of_countries(world).iter_rows(named=True)}
    # Neither z-scores, nor later waves, nor Northern Ireland.
    assert set(found) == {"NOR", "BRA", "MEX", "CZE"}
    norway = found["NOR"]
    assert norway["trust"] == pytest.approx(0.6)
    assert norway["waves"] == 2
    assert norway["surveys"] == "EVS, WVS"
    assert norway["trust_se"] == pytest.approx(math.sqrt(0.21 / 1000 + 0.25 / 1000) / 2)


def test_later_years_are_others(world: Store) -> None:
    assert trust_of_countries(world, 2015, 2022)["trust"].to_list() == [0.1]
    with pytest.raises(DataError, match="2015 to 2005"):
        trust_of_countries(world, 2015, 2005)


def test_gdp_stands_in_for_income_and_says_so(world: Store) -> None:
    found = wealth_of_countries(world)
    assert found.select("code", "income", "income_is").rows() == [
        ("BRA", 9.0, "GDP"),
        ("MEX", 20.0, "GNI"),
        ("NOR", 80.0, "GNI"),
        ("NPL", 1.0, "GNI"),
    ]


def test_a_year_that_the_accounts_lack(world: Store) -> None:
    with pytest.raises(DataError, match="found 2012; expected one of 2010, 2014"):
        wealth_of_countries(world, 2012)


def test_a_country_by_hand(world: Store) -> None:
    found = value_countries(world, load_weights()["doubling"])
    norway = found.country(country_of("NOR"))
    v = math.log(2) * 0.6
    assert norway["value_linear"] == pytest.approx(v)
    assert norway["share_linear"] == pytest.approx(v / (1 + v))
    assert norway["trust_wealth_linear"] == pytest.approx(v * 1000)
    assert norway["flow_linear"] == pytest.approx(v * 80)
    assert norway["value_compensating"] == pytest.approx(2**0.6 - 1)
    assert norway["low_linear"] is None  # these coefficients come without errors
    czechia = found.country(country_of("CZE"))
    assert czechia["value_linear"] == pytest.approx(math.log(2) * 0.3)
    assert czechia["trust_wealth_linear"] is None  # no accounts
    with pytest.raises(DataError, match="Nepal: found no survey"):
        found.country(country_of("NPL"))


def test_a_group_by_hand(world: Store) -> None:
    found = value_countries(world, load_weights()["calibration"])
    oecd = found.groups.row(by_predicate=pl.col("group") == "OECD", named=True)
    trusted = 1.041 * (0.6 * 1000 * 5 + 0.2 * 200 * 100)
    held = 1000 * 5 + 200 * 100
    assert oecd["share_linear"] == pytest.approx(trusted / (held + trusted))
    assert oecd["low_linear"] < oecd["share_linear"] < oecd["high_linear"]
    assert (oecd["countries"], oecd["of"]) == (2, 2)
    assert oecd["trust"] == pytest.approx((5 * 0.6 + 100 * 0.2) / 105)
    everyone = found.groups.row(0, named=True)
    assert (everyone["countries"], everyone["of"]) == (3, 4)
    assert everyone["people_covered"] == pytest.approx(305 / 335)
    assert "Low income" not in found.groups["group"]  # Nepal alone, without trust


def test_a_group_of_one_is_its_country(world: Store) -> None:
    found = value_countries(world, OWN)
    norway = found.country(country_of("NOR"))
    group = found.groups.row(by_predicate=pl.col("group") == "Europe & Central Asia", named=True)
    for form in ("linear", "compensating", "equivalent"):
        assert group[f"share_{form}"] == pytest.approx(norway[f"share_{form}"])
        assert group[f"trust_wealth_{form}"] == pytest.approx(norway[f"trust_wealth_{form}"])
    # The share's interval by the delta method is v's, times the slope of v / (1 + v); that of the
    # country takes in the sampling of trust as well, so it is a little wider.
    v = norway["value_linear"]
    half = (group["high_linear"] - group["low_linear"]) / 2
    country_half = (norway["high_linear"] - norway["low_linear"]) / 2 / (1 + v) ** 2
    assert 0.95 * country_half < half < country_half


def test_ends_hold_the_value_in_every_form(world: Store) -> None:
    for table in (value_countries(world, OWN).countries, value_countries(world, OWN).groups):
        value = "value" if "value_linear" in table.columns else "share"
        for form in ("linear", "compensating", "equivalent"):
            for kind in ("", "simulated_"):
                low, middle, high = (
                    table[name].to_numpy()
                    for name in (f"{kind}low_{form}", f"{value}_{form}", f"{kind}high_{form}")
                )
                assert (low < middle).all()
                assert (middle < high).all()


def test_an_end_without_bound_is_told_as_the_limit_for_a_group(world: Store) -> None:
    hopeless = weight_of(b=0.5, g=0.4, var_b=0.25, var_g=0.01, cov_bg=0.0)
    found = value_countries(world, hopeless)
    assert found.country(country_of("NOR"))["simulated_high_linear"] == math.inf
    oecd = found.groups.row(by_predicate=pl.col("group") == "OECD", named=True)
    assert oecd["simulated_high_linear"] == 1.0
    assert oecd["simulated_high_equivalent"] == pytest.approx(0.5)


def test_a_point_in_a_country(world: Store) -> None:
    found = value_countries(world, load_weights()["calibration"], Assumptions(seed=3))
    worth = worth_in_country(found, country_of("MEX"))
    assert worth is not None
    flow = worth.filter(form="linear", measure="flow")["value"].item()
    assert flow == pytest.approx(1.041 * 0.01 * 20 * 100)
    assert worth_in_country(found, country_of("CZE")) is None
    with pytest.raises(DataError, match=r"\+50 points from 60% gives 110%"):
        worth_in_country(found, country_of("NOR"), 50)


def test_a_point_in_a_country_is_simulated_from_the_seed(world: Store) -> None:
    worths = [
        worth_in_country(value_countries(world, OWN, Assumptions(seed=seed)), country_of("MEX"))
        for seed in (1, 1, 2)
    ]
    ends = [w["simulated_high"].to_list() for w in worths if w is not None]
    assert ends[0] == ends[1] != ends[2]


def life(n: int = 60, seed: int = 1) -> pl.DataFrame:
    """Countries that follow the model, with noise."""
    rng = np.random.default_rng(seed)
    income, trust = rng.normal(9, 1, n), rng.uniform(0, 0.7, n)
    controls = {name: rng.normal(size=n) for name in CONTROLS}
    score = 1 + 0.6 * income + 0.9 * trust + 0.3 * controls["health"] + rng.normal(0, 0.1, n)
    return pl.DataFrame({"life": score, "log_income": income, "trust": trust, **controls})


def test_the_regression_finds_what_the_data_were_made_from() -> None:
    fit = fit_countries(life(2000), ["health"])
    b_error, g_error = fit.errors
    assert fit.weight.b == pytest.approx(0.6, abs=4 * b_error)
    assert fit.weight.g == pytest.approx(0.9, abs=4 * g_error)
    assert g_error < 0.02
    assert fit.countries == 2000


def test_its_errors_are_hc1() -> None:
    table = life()
    fit = fit_countries(table)
    x = np.column_stack([np.ones(60), table["log_income"], table["trust"]])
    y = table["life"].to_numpy()
    bread = np.linalg.inv(x.T @ x)
    left = y - x @ (bread @ x.T @ y)
    sandwich = bread @ (x.T * left**2) @ x @ bread * 60 / 57
    assert fit.weight.covariance == pytest.approx(sandwich[1:, 1:])


def test_a_missing_number_leaves_a_country_out() -> None:
    table = life().with_columns(
        health=pl.when(pl.int_range(60) < 5).then(None).otherwise(pl.col("health"))
    )
    assert fit_countries(table).countries == 60
    assert fit_countries(table, ["health"]).countries == 55


def test_what_cannot_be_fitted_says_why() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'health'"):
        fit_countries(life(), ["helth"])
    with pytest.raises(DataError, match="found 8 with every number"):
        fit_countries(life(8))
    with pytest.raises(DataError, match="depend on each other"):
        fit_countries(life().with_columns(health=pl.col("trust") * 2), ["health"])
    with pytest.raises(DataError, match=r"'b': found .* expected above 0"):
        fit_countries(life().with_columns(life=-pl.col("life")))
