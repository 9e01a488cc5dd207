"""Preparation on the indicators behind the Indices of Deprivation, as they are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from commonweal.index.rates import shrink_counts
from commonweal.spec import Study
from commonweal.study.run import run

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

SOURCE = "imd2019-lsoa11-indicators"
INDICATORS = {
    "income": "income_domain_numerator",
    "employment": "employment_domain_numerator",
    "university": "entry_to_higher_education_indicator",
    "skills": "adult_skills_and_english_language_proficiency_indicator",
    "illness": "comparative_illness_and_disability_ratio_indicator",
    "mood": "mood_and_anxiety_disorders_indicator",
    "homelessness": "homelessness_indicator_rate_per_1000_households",
    "post_office": "road_distance_to_a_post_office_indicator_km",
}
STEPS: list[dict[str, Any]] = [
    {"denominate": {"by": "population", "of": ["employment"], "per": 100}},
    {"impute": {"how": "group_median", "group": "lad19"}},
    {"treat": {}},
    {"shrink": {"to": "lad19", "of": ["income"], "at_risk": "population", "per": 100}},
]


def node(**children: Any) -> dict[str, Any]:
    return {"transform": "z_score", "aggregate": "arithmetic", "children": children}


def leaf(name: str, weight: float = 1) -> dict[str, Any]:
    return {"indicator": name, "weight": weight}


INDEX = node(
    income=leaf("income", 2),
    employment=leaf("employment", 2),
    education=node(university=leaf("university"), skills=leaf("skills")),
    health=node(illness=leaf("illness"), mood=leaf("mood")),
    access=node(homelessness=leaf("homelessness"), post_office=leaf("post_office")),
)


def study(tmp: Any, **changes: Any) -> Study:
    read = {"source": SOURCE, "code": "lsoa11_code", "higher_is": "more"}
    data = {
        "name": "prepared",
        "folder": tmp,
        "title": "IMD 2019 from some of its indicators",
        "areas": "lsoa11",
        "where": {"country": "E92000001"},
        "population": "mid-2017",
        "indicators": {name: {**read, "column": column} for name, column in INDICATORS.items()},
        "prepare": STEPS,
        "index": {"deprivation": INDEX},
    }
    return Study.model_validate({**data, **changes})


@pytest.fixture(scope="module")
def prepared(real_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(study(tmp_path_factory.mktemp("p")), real_store, geometry=False)


@pytest.fixture(scope="module")
def raw(real_store: Store, prepared: Results) -> pl.DataFrame:
    table = real_store.table(SOURCE, ["lsoa11_code", *INDICATORS.values()])
    codes = pl.DataFrame({"lsoa11_code": prepared.areas.codes})
    return codes.join(table, on="lsoa11_code", how="left", maintain_order="left")


def test_every_gap_is_filled_and_no_other_value_is(prepared: Results, raw: pl.DataFrame) -> None:
    done = prepared.preparations[0].done[1]
    found = dict(done.cells.group_by("indicator").len().iter_rows())
    missing = {name: raw[column].null_count() for name, column in INDICATORS.items()}
    assert found == {name: n for name, n in missing.items() if n}
    assert found == {"income": 31, "employment": 119, "university": 20}
    assert done.cells["before"].null_count() == len(done.cells)
    assert not np.isnan(prepared.indicators["deprivation"].values).any()


def test_only_the_distance_to_a_post_office_is_reshaped(
    prepared: Results, raw: pl.DataFrame
) -> None:
    done = prepared.preparations[0].done[2]
    assert done.whole == ("post_office",)
    assert done.told["post_office"].startswith("log (skew 2.40, kurtosis 9.58; then ")
    km = raw[INDICATORS["post_office"]].to_numpy()
    expected = np.log(km - km.min() + 0.01 * (km.max() - km.min()))
    at = prepared.indicators["deprivation"].column("post_office")
    np.testing.assert_allclose(
        prepared.indicators["deprivation"].values[:, at], expected, rtol=1e-12
    )


def test_incomes_are_shrunk_to_the_authority(prepared: Results, raw: pl.DataFrame) -> None:
    areas = prepared.areas
    within = areas.table["lad19"]
    counts = raw.with_columns(lad=within)[["lad", INDICATORS["income"]]].with_columns(
        pl.col(INDICATORS["income"]).fill_null(pl.col(INDICATORS["income"]).median().over("lad"))
    )[INDICATORS["income"]]
    expected = shrink_counts(counts.to_numpy(), areas.population, within.to_list())
    used = prepared.indicators["deprivation"]
    at = used.column("income")
    np.testing.assert_allclose(used.values[:, at], 100 * expected.value, rtol=1e-12)
    assert used.standard_errors is not None
    np.testing.assert_allclose(
        used.standard_errors[:, at], 100 * expected.standard_error, rtol=1e-12
    )


def test_the_index_is_near_the_official_one_and_leaves_nobody_out(
    prepared: Results, real_store: Store, tmp_path: Any
) -> None:
    official = real_store.table("imd2019-lsoa11", ["lsoa11_code", "IMD_rank"]).sort("lsoa11_code")
    assert official["lsoa11_code"].to_list() == prepared.areas.codes
    scores = prepared.scores["deprivation"].score
    assert not np.isnan(scores).any()
    assert spearmanr(-official["IMD_rank"].to_numpy(), scores).statistic > 0.94
    plain = run(study(tmp_path, prepare=()), real_store, geometry=False)
    lost = np.isnan(plain.scores["deprivation"].score)
    some = plain.indicators["deprivation"].values[:, :3]
    assert lost.sum() == np.isnan(some).any(axis=1).sum() > 100


def test_an_index_on_other_areas_is_prepared_there(real_store: Store, tmp_path: Any) -> None:
    new = {
        "source": "imd2025-lsoa21-indicators",
        "code": "lsoa21_code",
        "column": INDICATORS["employment"],
        "higher_is": "more",
    }
    data = study(tmp_path).model_dump(by_alias=True)["indicators"]
    both = study(
        tmp_path,
        areas="lsoa21",
        population=None,
        indicators={"before": data["employment"], "now": new},
        prepare=[
            {"denominate": {"by": "population", "of": ["before", "now"], "per": 100}},
            {"impute": {"how": "group_mean", "group": "lad24", "of": ["now"]}},
        ],
        index={
            "before": {
                **node(x=leaf("before")),
                "areas": "lsoa11",
                "move": {"population": "mid-2017"},
            },
            "now": node(x=leaf("now")),
        },
    )
    results = run(both, real_store, geometry=False)
    old, here = results.prepared["before"], results.prepared["now"]
    assert (old.indicators.system, here.indicators.system) == ("lsoa11", "lsoa21")
    assert len(old.done[0].cells) == 32_844 - 119
    assert len(here.done[0].cells) == 33_755 - 21
    assert {m.name for m in here.indicators.meta} == {"now"}
    # Authorities of 2024 are no parents of the LSOAs of 2011; the step does not touch those.
    assert [len(old.done[1].cells), len(here.done[1].cells)] == [0, 21]
    # The rates of two dates, each by its own residents, are of the same places.
    scores = [s.score for s in results.scores.values()]
    known = ~np.isnan(scores[0]) & ~np.isnan(scores[1])
    assert spearmanr(scores[0][known], scores[1][known]).statistic > 0.8
