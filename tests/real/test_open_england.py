"""The open index of England, on the real files: what is measured, what is missing and why."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import rankdata, spearmanr

from commonweal.access.distance import great_circle_m
from commonweal.access.registers import read_register
from commonweal.areas.areas import load_areas
from commonweal.spec.indicators import CompleteSpec
from commonweal.spec.study import load_study
from commonweal.study.indicators import make_indicators
from commonweal.study.run import run

if TYPE_CHECKING:
    from commonweal.indicators import Indicators
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


@pytest.fixture(scope="session")
def indicators(open_england: Results) -> Indicators:
    return open_england.indicators["social_infrastructure"]


def values(indicators: Indicators, name: str) -> np.ndarray:
    return indicators.values[:, indicators.column(name)]


def test_every_neighbourhood_of_england_is_scored_or_counted_as_missing(
    open_england: Results,
) -> None:
    assert len(open_england.areas) == 33_755
    score = open_england.scores["social_infrastructure"].score
    assert 0 < np.isnan(score).sum() < 100  # where no charity and no grant is known
    at = open_england.scores["social_infrastructure"]
    assert list(at.domains) == [
        f"social_infrastructure/{s}" for s in ("places", "connectivity", "engagement")
    ]


def test_the_walk_to_a_library_is_the_great_circle_times_the_detour(
    indicators: Indicators, open_england: Results, real_store: Store
) -> None:
    """By brute force, for a hundred neighbourhoods, against every library that is kept."""
    libraries = read_register("libraries-england", real_store).points
    detour = open_england.study.access.detour
    rows = np.random.default_rng(1).choice(len(open_england.areas), 100, replace=False)
    areas = open_england.areas.table[rows]
    way = great_circle_m(
        areas["longitude"].to_numpy()[:, None],
        areas["latitude"].to_numpy()[:, None],
        libraries.longitude,
        libraries.latitude,
    )
    np.testing.assert_allclose(values(indicators, "library")[rows], detour * way.min(axis=1))
    about = indicators.meta[indicators.column("library")]
    assert about.how == f"straight line x {detour:g}"


def test_shared_libraries_add_up_to_those_that_anyone_can_reach(
    indicators: Indicators, open_england: Results
) -> None:
    """What the catchment measure shares out: no more than all libraries, and nearly all of them."""
    share = values(indicators, "library_share")
    people = open_england.areas.population
    shared = np.nansum(share / 10_000 * people)
    n = next(
        entry["places"]["library"]
        for step in open_england.provenance["steps"]
        for entry in step.get("read", ())
        if entry["indicator"] == "library"
    )
    assert 0.98 * n < shared < n


def test_both_halves_of_the_charities_are_added_and_holes_are_missing_not_zero(
    indicators: Indicators, open_england: Results
) -> None:
    told = next(
        entry
        for step in open_england.provenance["steps"]
        for entry in step.get("read", ())
        if entry["indicator"] == "charities"
    )
    # Where postcodes of one letter and one digit were lost: the register has far more.
    for name in ("Islington", "City of London", "Salford", "Tower Hamlets", "Liverpool"):
        assert told["holes"][name] < 0.5
    assert all(share < 0.85 for share in told["holes"].values())
    charities = values(indicators, "charities")
    district = open_england.areas.table["lad24_name"]
    assert np.isnan(charities[(district == "Islington").to_numpy()]).all()
    assert (
        not np.isnan(charities[(district == "Camden").to_numpy()]).all()
        or "Camden" in told["holes"]
    )
    # Of the wards that are whole, more than a tenth of the register's charities for every person.
    assert 1 < np.nanmedian(charities) < 4
    errors = indicators.errors_of["charities"]
    assert (errors[~np.isnan(charities)] > 0).all()


def test_authorities_whose_buses_the_file_lost_are_missing_and_were_not_lost(
    indicators: Indicators, open_england: Results, real_store: Store
) -> None:
    """Below three tenths of 2019 in the file of 2022; the counts by authority of 2023 have them."""
    holes = next(
        entry["holes"]
        for step in open_england.provenance["steps"]
        for entry in step.get("read", ())
        if entry["indicator"] == "daytime_services"
    )
    assert {"Peterborough", "Sunderland", "Northumberland", "Worcester"} <= set(holes)
    assert len(holes) == 22
    services = values(indicators, "daytime_services")
    inside = open_england.areas.table["lad22_name"].is_in([*holes]).to_numpy()
    assert np.isnan(services[inside]).mean() > 0.99
    assert np.isnan(services[~inside]).mean() < 0.03
    assert np.isnan(values(indicators, "evening_services")[np.isnan(services)]).all()
    bands = [f"runs_{d}_{b} Peak" for d in ("Tue", "Wed") for b in ("Morning", "Afternoon")]
    later = real_store.table("transport-trips-lad-2023", ["zone_id", *bands])
    runs = later.group_by(name="zone_id").agg(later=pl.sum_horizontal(pl.col(bands).sum()))
    earlier = real_store.table("transport-trips-lsoa11-2022", ["zone_id", *bands])
    of = load_areas(real_store, "lsoa11").table.select(zone_id="code", name="lad17_name")
    both = (
        earlier.join(of, on="zone_id")
        .group_by("name")
        .agg(earlier=pl.sum_horizontal(pl.col(bands).sum()))
        .join(runs, on="name")
        .with_columns(share=pl.col("earlier") / pl.col("later"))
    )
    lost = pl.col("name").is_in([*holes])
    usual = both.filter(~lost)["share"]
    assert both.filter(lost)["share"].median() < usual.quantile(0.1)


def test_numbers_of_larger_areas_say_so_and_weigh_less(
    indicators: Indicators, open_england: Results
) -> None:
    about = {m.name: m for m in indicators.meta}
    assert about["turnout"].measured_on == "lad17"
    assert about["charities"].measured_on == "wd17"
    assert about["surgery"].measured_on == "lsoa11"
    assert about["destinations"].measured_on == ""
    tree = open_england.study.index["social_infrastructure"].children["engagement"]
    assert tree.children["turnout"].weight < tree.children["charities"].weight
    assert tree.children["loneliness"].weight < tree.children["charities"].weight
    # One number a local authority: all its neighbourhoods share it.
    turnout = pl.DataFrame(
        {"lad": open_england.areas.table["lad22"], "turnout": values(indicators, "turnout")}
    ).filter(pl.col("turnout").is_not_nan())
    assert turnout["turnout"].n_unique() <= 326


def test_a_strand_is_the_mean_of_normal_scores(
    open_england: Results, indicators: Indicators
) -> None:
    """Rebuilt with scipy: a mean weighted as stated, over what an area has."""
    from scipy.stats import norm

    tree = open_england.study.index["social_infrastructure"].children["engagement"]
    total, weight = np.zeros(len(open_england.areas)), np.zeros(len(open_england.areas))
    for child in tree.children.values():
        need = indicators.need(str(child.indicator))
        known = ~np.isnan(need)
        z = np.full(len(need), np.nan)
        z[known] = norm.ppf((rankdata(need[known]) - 0.5) / known.sum())
        total[known] += child.weight * z[known]
        weight[known] += child.weight
    expected = np.where(weight >= 0.5 * 3, total / np.maximum(weight, 1e-9), np.nan)
    found = open_england.scores["social_infrastructure"].need["social_infrastructure/engagement"]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_only_what_is_openly_licensed_is_in_it(real_store: Store) -> None:
    study = load_study("open-england")
    for spec in study.indicators.values():
        for source in filter(
            None, [spec.of("source"), spec.complete.source if spec.complete else ""]
        ):
            assert real_store.source(source).use == "open", source


def test_it_measures_something_of_what_the_closed_index_measures(
    open_england: Results, real_store: Store
) -> None:
    """Reported and never tuned to: the strands go the same way, and are not the same."""
    closed = real_store.table("cni2023-lsoa21")
    row = pl.DataFrame({"code": open_england.areas.codes}).join(
        closed, left_on="code", right_on="lsoa21_code", how="left", maintain_order="left"
    )
    scores = open_england.scores["social_infrastructure"]
    for path, column in {
        "": "Community Needs Index 2023 Rank",
        "/connectivity": "Connectedness Domain Rank",
        "/engagement": "Active and Engaged Community Domain Rank",
    }.items():
        rank = scores.rank_of(f"social_infrastructure{path}")
        known = ~np.isnan(rank)
        found = spearmanr(rank[known], row[column].to_numpy()[known]).statistic
        assert 0.3 < found < 0.9, path


def test_the_same_recipe_runs_at_msoa_and_ward(on_units: dict[str, Results]) -> None:
    for system, n in (("msoa21", 6_856), ("wd24", 6_000)):
        results = on_units[system]
        assert len(results.areas) >= n
        index = results.scores["social_infrastructure"]
        assert np.isnan(index.score).mean() < 0.05
        assert results.designations["left_behind"].selected.sum() > 10
        about = {m.name: m for m in results.indicators["social_infrastructure"].meta}
        assert about["library"].measured_on == "lsoa21"  # people set out from where they live
        found = results.indicators["social_infrastructure"]
        assert (~np.isnan(found.errors_of["charities"])).mean() > 0.8
        # Wards' rates reach only what lies in or across them: few areas share a value.
        assert len(np.unique(values(found, "charities"))) > 0.7 * n


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "open-index.md"


def test_an_analyst_adds_points_a_map_and_an_indicator(
    real_store: Store, tmp_path: Path, open_england: Results
) -> None:
    for language, name in (("yaml", "rutland.yaml"), ("text", "halls.csv")):
        block = re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        assert block is not None
        (tmp_path / name).write_text(block[1])
    results = run(load_study(tmp_path / "rutland.yaml"), real_store, draws=20, geometry=False)
    assert (
        results.sensitivity
    )  # which choice matters is told too, where one authority's turnout is a constant
    found = results.indicators["social_infrastructure"]
    about = {m.name: m for m in found.meta}
    assert about["halls"].how == about["library"].how
    how = "along streets for 25 of 26 points, straight line x 1.3 for the others"
    assert about["halls"].how == how
    assert how in " ".join(PAGE.read_text("utf-8").split())
    told = [e for s in results.provenance["steps"] for e in s.get("read", ())]
    assert next(e["places"] for e in told if e.get("indicator") == "halls")["community-centre"] > 1
    places = next(e["places"] for e in told if "indicator" not in e)
    own = {e["outcome"]: e["rows"] for e in places if e["source"] == "halls"}
    assert own == {"read": 2, "kept": 1, "no place": 1}
    # A walk is no shorter than the straight line that the study of England multiplies.
    rows = [open_england.areas.position[code] for code in found.codes]
    straight = values(open_england.indicators["social_infrastructure"], "library")[rows] / 1.3
    assert (values(found, "library") > straight - 1).all()
    assert not np.isnan(results.scores["social_infrastructure"].score).any()


def test_a_study_of_one_county_needs_no_more_than_a_line(real_store: Store) -> None:
    rutland = load_study("open-england").model_copy(update={"where": {"lad24": "E06000017"}})
    results = run(rutland, real_store, geometry=False, draws=0)
    assert set(results.areas.table["lad24_name"]) == {"Rutland"}
    assert not np.isnan(results.scores["social_infrastructure"].score).any()


def test_people_set_out_from_their_postcodes(real_store: Store, open_england: Results) -> None:
    """The mean over an area's postcodes is near what is measured from its centre, and not it."""
    study = load_study("open-england")
    rutland = study.model_copy(
        update={
            "where": {"lad24": "E06000017"},
            "access": study.access.model_copy(update={"origins": "postcodes"}),
        }
    )
    results = run(rutland, real_store, geometry=False, draws=0)
    found = results.indicators["social_infrastructure"]
    rows = [open_england.areas.position[code] for code in found.codes]
    from_centre = values(open_england.indicators["social_infrastructure"], "library")[rows]
    from_homes = values(found, "library")
    assert (from_homes != from_centre).all()
    assert np.corrcoef(from_homes, from_centre)[0, 1] > 0.95
    told = [e for s in results.provenance["steps"] for e in s.get("read", ())]
    about = next(e for e in told if e.get("indicator") == "library")
    assert about["from"] == "postcodes of lsoa21"
    assert about["points"] > 1000


def test_the_figures_of_the_indicator_pages_are_those_of_a_run(
    open_england: Results, real_store: Store
) -> None:
    """If this fails: python docs/indicator_figures.py, then python docs/generate.py."""
    sys.path.insert(0, str(PAGE.parents[1]))
    import indicator_figures

    found, _ = indicator_figures.figures(open_england, real_store)
    said = pl.read_csv(indicator_figures.FIGURES, schema_overrides=found.schema)
    assert_frame_equal(said, found, rel_tol=1e-3, abs_tol=0.011)


def test_a_mask_by_authority_keeps_damaged_counts_of_charities(
    open_england: Results, indicators: Indicators, real_store: Store
) -> None:
    """By lost postcode districts 259 more neighbourhoods are missing, 98 of them in Birmingham."""
    study = open_england.study
    spec = study.indicators["charities"].model_copy(
        update={"complete": CompleteSpec(lost_postcodes="[A-Z][0-9]", at_least=0.75)}
    )
    study = study.model_copy(update={"indicators": {**study.indicators, "charities": spec}})
    found, _ = make_indicators(study, ["charities"], open_england.areas, real_store)
    by_authority, by_district = (
        np.isnan(values(part, "charities")) for part in (indicators, found)
    )
    damaged = by_district & ~by_authority
    birmingham = (open_england.areas.table["lad24_name"] == "Birmingham").to_numpy()
    assert (damaged.sum(), (damaged & birmingham).sum()) == (259, 98)
    assert (by_authority & ~by_district).sum() == 1_245  # whole wards of authorities that lost some
    known = values(indicators, "charities")
    assert np.median(known[damaged]) < 0.6 * np.nanmedian(known)
