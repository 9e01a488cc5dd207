"""The nested-error model: the corn of twelve counties, a peer, properties, coverage, and what it refuses."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from commonweal.errors import DataError
from commonweal.small_areas import unit_level

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = ["corn_pixel", "soybeans_pixel"]


@pytest.fixture(scope="module")
def corn(peer_data: Path) -> dict:
    """Battese, Harter and Fuller's data without the second segment of Hardin, which they left out as well."""
    units = pl.read_csv(peer_data / "countycrop.csv").filter(pl.int_range(pl.len()) != 32)
    counties = pl.read_csv(peer_data / "countycrop_means.csv")
    return {
        "y": units["corn_area"].to_numpy(),
        "x": units[PIXELS].to_numpy(),
        "area": units["county_id"].to_numpy(),
        "means": counties[["ave_corn_pixel", "ave_soybeans_pixel"]].to_numpy(),
        "areas": counties["county_id"].to_list(),
    }


def simulated(seed: int, areas: int = 40) -> tuple[dict, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 8, areas)
    area, means = np.repeat(np.arange(areas), n), rng.normal(size=areas)
    x = means[area] + rng.normal(size=len(area))
    effect = rng.normal(0, 0.7, areas)
    y = 1 + 0.5 * x + effect[area] + rng.normal(0, 1, len(area))
    truth = 1 + 0.5 * means + effect
    return {"y": y, "x": x, "area": area, "means": means, "areas": list(range(areas))}, truth


def test_agrees_with_samplics_on_corn(corn) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # samplics is archived, and its optimiser falls back to another
        from samplics.sae.eblup_unit_model import EblupUnitModel
        from samplics.utils.types import FitMethod

        peer = EblupUnitModel(method=FitMethod.reml)
        peer.fit(corn["y"], corn["x"], corn["area"], tol=1e-10)
        peer.predict(corn["means"], np.array(corn["areas"]))
    fit = unit_level(**corn)
    assert fit.area_variance == pytest.approx(peer.re_std**2, rel=1e-7)
    assert fit.unit_variance == pytest.approx(peer.error_std**2, rel=1e-7)
    np.testing.assert_allclose(fit.coefficients, peer.fixed_effects, rtol=1e-7)
    np.testing.assert_allclose(fit.estimate, list(peer.area_est.values()), rtol=1e-8)
    np.testing.assert_allclose(fit.mse, list(peer.area_mse.values()), rtol=1e-7)
    assert fit.log_likelihood == pytest.approx(peer.goodness["loglike"], rel=1e-9)


def test_ml_is_the_top_of_the_likelihood(corn) -> None:
    """The likelihood written out as that of one normal vector."""
    fit = unit_level(**corn, method="ml")
    x = np.column_stack([np.ones(len(corn["y"])), corn["x"]])
    same = corn["area"][:, None] == corn["area"]

    def likelihood(b: np.ndarray, sv2: float, se2: float) -> float:
        v = sv2 * same + se2 * np.eye(len(x))
        return multivariate_normal(x @ b, v).logpdf(corn["y"])

    top = likelihood(fit.coefficients, fit.area_variance, fit.unit_variance)
    assert fit.log_likelihood == pytest.approx(top, abs=1e-9)
    for b, v, e in (
        (1.001, 1, 1),
        (0.999, 1, 1),
        (1, 1.02, 1),
        (1, 0.98, 1),
        (1, 1, 1.02),
        (1, 1, 0.98),
    ):
        assert likelihood(fit.coefficients * b, fit.area_variance * v, fit.unit_variance * e) < top


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_order_does_not_matter(seed: int) -> None:
    data, _ = simulated(seed)
    rng = np.random.default_rng(seed)
    people, places = rng.permutation(len(data["y"])), rng.permutation(40)
    other = {k: data[k][people] for k in ("y", "x", "area")}
    other |= {"means": data["means"][places], "areas": [data["areas"][i] for i in places]}
    one, two = unit_level(**data), unit_level(**other)
    np.testing.assert_allclose(two.estimate, one.estimate[places], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(two.mse, one.mse[places], rtol=1e-6)


def test_an_area_without_respondents_is_synthetic() -> None:
    data, _ = simulated(1)
    data["areas"], data["means"] = [*range(40), "new"], np.append(data["means"], 2.0)
    fit = unit_level(**data)
    assert fit.shrinkage[-1] == 0
    assert fit.estimate[-1] == pytest.approx(fit.coefficients @ [1, 2])
    at = np.array([1, 2])
    assert fit.mse[-1] == pytest.approx(fit.area_variance + at @ fit.covariance @ at)


def test_a_census_has_no_error() -> None:
    data, _ = simulated(2)
    n = np.bincount(data["area"], minlength=40)
    data["means"] = np.bincount(data["area"], data["x"]) / n
    fit = unit_level(**data, population=n)
    np.testing.assert_allclose(fit.estimate, np.bincount(data["area"], data["y"]) / n)
    np.testing.assert_allclose(fit.mse, 0, atol=1e-12)


def test_a_vast_population_is_a_negligible_sample() -> None:
    data, _ = simulated(2)
    one, two = unit_level(**data), unit_level(**data, population=np.full(40, 1e12))
    np.testing.assert_allclose(two.estimate, one.estimate, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(two.mse, one.mse, rtol=1e-6)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_intervals_cover(method: str) -> None:
    hits = []
    for seed in range(200):
        data, truth = simulated(seed)
        fit = unit_level(**data, method=method)
        hits.append((fit.lower <= truth) & (truth <= fit.upper))
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": [1, 1, 2, 9]}, "respondent 3 is in area '9', which is not among the 2 areas"),
        ({"area": [1, 2]}, r"area has shape \(2,\); expected 4 labels"),
        ({"areas": [1, 1]}, "area '1' is there 2 times"),
        ({"means": [[1, 2], [1, 2]]}, "means has 2 columns; expected 1"),
        ({"y": [1, 2, np.nan, 4]}, "y is nan in row 2"),
        ({"population": [1, 50]}, "population of area '1' is 1, below its sample of 2"),
        ({"method": "mcmc"}, "method is 'mcmc'"),
    ],
)
def test_refuses_bad_input(change: dict, message: str) -> None:
    good = {
        "y": [1, 2, 3, 5],
        "x": [0, 1, 1, 3],
        "area": [1, 1, 2, 2],
        "means": [1, 2],
        "areas": [1, 2],
    }
    with pytest.raises(DataError, match=message):
        unit_level(**(good | change))


def test_refuses_one_respondent_an_area() -> None:
    with pytest.raises(DataError, match="no area has two respondents"):
        unit_level([1, 2, 4], [0, 1, 5], [1, 2, 3], [0, 0, 0], areas=[1, 2, 3])
