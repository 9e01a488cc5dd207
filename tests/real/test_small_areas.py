"""Small areas on the real neighbourhoods of England; answers are simulated, since no open microdata name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import yaml

from commonweal.spec.study import load_study
from commonweal.study.areas import study_areas
from commonweal.study.indicators import make_indicators
from commonweal.study.small_areas import read_covariates
from commonweal.study.small_areas.run import run_estimates, shipped_covariates
from commonweal.study.small_areas.spec import load_estimates

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.sources import Store
    from commonweal.study.small_areas import CovariateData

pytestmark = pytest.mark.real


def write(folder: Path, where: dict[str, str], **more: object) -> Path:
    spec = {
        "title": "Trust (simulated)",
        "survey": "survey.yaml",
        "areas": "lsoa21",
        "where": where,
        "covariates": list(shipped_covariates("lsoa21")),
        **more,
    }
    survey = {
        "title": "Simulated",
        "file": "answers.csv",
        "weight": "weight",
        "area": {"column": "area", "system": "lsoa21"},
        "clusters": "area",
        "outcomes": {"trust": {"column": "trust", "recode": {0: 0, 1: 1}}},
    }
    (folder / "survey.yaml").write_text(yaml.safe_dump(survey), "utf-8")
    file = folder / "trust.yaml"
    file.write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    return file


@pytest.fixture(scope="module")
def ground(real_store: Store, tmp_path_factory: pytest.TempPathFactory) -> CovariateData:
    file = write(tmp_path_factory.mktemp("ground"), {"country": "E92000001"})
    return read_covariates(load_estimates(file), real_store)


def test_covariates_that_ship_know_every_neighbourhood(ground: CovariateData) -> None:
    assert ground.covariates.values.shape == (33_755, 9)
    assert ground.covariates.filled == {}
    at = {name: ground.covariates.values[:, i] for i, name in enumerate(ground.covariates.names)}
    assert np.corrcoef(at["low_income"], at["social_rent"])[0, 1] > 0.6
    assert np.corrcoef(at["low_income"], at["poor_health"])[0, 1] > 0.6
    assert np.corrcoef(at["private_rent"], at["flats"])[0, 1] > 0.4
    assert np.corrcoef(at["rural"], at["crime"])[0, 1] < -0.2


def test_every_neighbourhood_of_england_within_a_minute(
    ground: CovariateData, real_store: Store, tmp_path: Path
) -> None:
    file = write(tmp_path, {"country": "E92000001"}, benchmark="region")
    rng = np.random.default_rng(5)
    odds = 0.5 - 0.5 * ground.covariates.values[:, 0] + rng.normal(0, 0.25, 33_755)
    truth = 1 / (1 + np.exp(-odds))
    area = np.repeat(rng.choice(33_755, 1_500, replace=False), 12)
    pl.DataFrame(
        {
            "area": ground.areas.table["code"].gather(area),
            "weight": rng.uniform(0.5, 2, len(area)),
            "trust": rng.binomial(1, truth[area]),
        }
    ).write_csv(tmp_path / "answers.csv")
    found = run_estimates(file, real_store).outcomes["trust"]
    covered = ((found.lower <= truth) & (truth <= found.upper)).mean()
    assert 0.93 < covered < 0.98
    assert (found.modelled.from_survey > 0).sum() == 1_500
    assert found.larger is not None
    assert len(found.larger) == 9  # regions


def test_a_strand_of_the_open_index_has_its_standard_errors(
    real_store: Store, tmp_path: Path
) -> None:
    lincoln = study_areas(load_study("open-england"), real_store).table.filter(
        pl.col("lad24") == "E07000138"
    )
    table = lincoln.select("code", trust=pl.lit(0.6), trust_se=pl.lit(0.07))
    table.write_csv(tmp_path / "neighbourhoods.csv")
    (tmp_path / "with-trust.yaml").write_text(
        """
extends: open-england
where: {lad24: E07000138}
indicators:
  trust: {file: neighbourhoods.csv, column: trust, standard_error: trust_se, higher_is: less, synthetic: true}
index:
  social_infrastructure:
    children:
      engagement:
        children:
          trust: {indicator: trust, weight: 0.5}
          loneliness: null
""",
        "utf-8",
    )
    study = load_study(tmp_path / "with-trust.yaml")
    assert "trust" in study.leaves("social_infrastructure")
    assert "loneliness" not in study.leaves("social_infrastructure")
    areas = study_areas(study, real_store)
    found, _ = make_indicators(study, ["trust"], areas, real_store)
    assert found.standard_errors is not None
    assert (found.standard_errors == 0.07).all()
    assert found.meta[0].synthetic


def test_what_the_published_loneliness_estimate_is(real_store: Store) -> None:
    """No more than mixtures of a few inputs, without any account of error; 26 is the publisher's word."""
    table = real_store.table("loneliness-lsoa21")
    assert table.columns == ["lsoa21_code", "perc", "deciles"]  # no error, no interval
    assert table.height == 33_755
    assert table["perc"].n_unique() == 11_469
    assert table["perc"].round(6).value_counts()["count"].max() == 543
    assert "26 distinct inputs" in real_store.source("loneliness-lsoa21").notes
