"""The open index beside the Community Needs Index, and at three sizes of area, on the real files.

What docs/how-to/compare.md and docs/methods/units.md say is asserted here. None of it is aimed at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.compare import StudyComparison
from commonweal.compare.similarity import match_indices, spearman, worst_tenth
from commonweal.compare.studies import compare_indices
from commonweal.compare.units import compare_units, larger_units, run_on_units
from commonweal.document.text import document_lines
from commonweal.report.study.comparison import comparison_document
from commonweal.report.study.tables import class_ranks
from commonweal.report.study.units import units_document

if TYPE_CHECKING:
    from tests.real.conftest import Once

    from commonweal.compare import IndexComparison
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

STRANDS = {"places": "civic_assets", "connectivity": "connectedness"}
STRANDS["engagement"] = "engaged_community"


@pytest.fixture(scope="module")
def closed(run_once: Once) -> Results:
    return run_once("left-behind-2023", draws=0, geometry=False)


@pytest.fixture(scope="module")
def beside(open_england: Results, closed: Results, real_store: Store) -> IndexComparison:
    pairs = match_indices(open_england, closed)[0]
    return compare_indices(open_england, closed, pairs, real_store)


def london(results: Results) -> np.ndarray:
    return (results.areas.table["region_name"] == "London").to_numpy()


def test_the_study_says_which_strand_goes_with_which(beside: IndexComparison) -> None:
    found = dict(beside.nodes.select("first", "second").rows())
    strands = {f"social_infrastructure.{a}": f"community_needs.{b}" for a, b in STRANDS.items()}
    assert found == {"social_infrastructure": "community_needs", **strands}


def test_how_alike_they_are(beside: IndexComparison) -> None:
    spearmans = beside.nodes["spearman"].round(2).to_list()
    assert spearmans == [0.43, 0.38, 0.47, 0.63]
    whole = beside.nodes.row(0, named=True)
    assert (whole["areas"], whole["worst_first"]) == (33_709, 3_370)
    assert round(whole["worst_both"] / whole["worst_first"], 2) == 0.20
    # Groups of one kind cover every area, and add up to the whole.
    for kind, n in (("region", 9), ("rural_urban", 6)):
        here = beside.groups.filter(pl.col("kind") == kind, first="social_infrastructure")
        assert len(here) == n
        for key in ("areas", "worst_first", "worst_second", "worst_both", "people_both"):
            assert here[key].sum() == whole[key]


def test_the_closed_index_and_deprivation_and_london(
    closed: Results, open_england: Results
) -> None:
    """Published: rho -0.15 of civic assets with deprivation, 0.8% of the worst tenth in London.

    The 0.8% are those of the whole index; its civic assets put 1.2% of their worst tenth there.
    """
    needs, inside = closed.scores["community_needs"], london(closed)
    assert inside.mean() == pytest.approx(0.148, abs=5e-4)
    deprived = open_england.scores["deprivation"].score
    civic = needs.need["community_needs/civic_assets"]
    assert spearman(needs.score, deprived) == pytest.approx(0.39, abs=5e-3)
    assert spearman(civic, deprived) == pytest.approx(-0.147, abs=5e-4)
    assert inside[worst_tenth(needs.score)].mean() == pytest.approx(0.008, abs=5e-4)
    assert inside[worst_tenth(civic)].mean() == pytest.approx(0.012, abs=5e-4)


def test_the_open_index_and_deprivation_and_london(open_england: Results) -> None:
    """It runs against deprivation more, not less: what is near is near where homes are dense."""
    found, inside = open_england.scores["social_infrastructure"], london(open_england)
    deprived = open_england.scores["deprivation"].score
    told = {
        path.rsplit("/", 1)[-1]: (
            round(spearman(need, deprived), 2) + 0.0,
            round(100 * float(inside[worst_tenth(need)].mean()), 1),
        )
        for path, need in found.need.items()
        if path in (found.index, *found.domains)
    }
    assert told == {
        "social_infrastructure": (-0.01, 0.5),
        "places": (-0.31, 0.5),
        "connectivity": (-0.17, 0.0),
        "engagement": (0.40, 15.7),
    }


def test_that_is_not_the_countryside_alone(open_england: Results) -> None:
    urban = (
        open_england.areas.table["rural_urban"] == "Urban: Nearer to a major town or city"
    ).to_numpy()
    places = open_england.scores["social_infrastructure"].need["social_infrastructure/places"]
    deprived = open_england.scores["deprivation"].score
    assert spearman(places[urban], deprived[urban]) == pytest.approx(-0.31, abs=5e-3)


def test_the_worst_tenth_of_the_open_index_is_rural(beside: IndexComparison) -> None:
    rural = beside.groups.filter(
        pl.col("group").str.contains("rural"), first="social_infrastructure"
    ).sum()
    whole = beside.nodes.row(0, named=True)
    shares = [rural[key][0] / whole[key] for key in ("areas", "worst_first", "worst_second")]
    assert np.round(shares, 2).tolist() == [0.16, 0.64, 0.15]


def test_places_do_most_to_set_them_apart(beside: IndexComparison) -> None:
    shares = dict(beside.parts.select("part", pl.col("share").round(2)).rows())
    assert shares == {
        "Places and spaces to meet": 0.43,
        "Connectivity": 0.33,
        "Engaged community": 0.24,
    }
    parts = beside.places.select("^apart\\..*$").drop_nulls().to_numpy()
    assert len(parts) == 33_709
    names = set(beside.places["driver_inside"].drop_nulls())
    assert {"Distance to a museum", "Road distance to services", "Grants received"} <= names


def test_told_on_a_page_as_wide_as_a_terminal(
    beside: IndexComparison, open_england: Results, closed: Results
) -> None:
    document = comparison_document(StudyComparison(open_england, closed, None, (beside,)))
    lines = list(document_lines(document))
    assert max(len(line) for line in lines if line.startswith("    ")) <= 100
    london = next(line for line in lines if line.startswith("    London"))
    assert london.split()[1:6] == ["4,993", "14.8", "0.5", "0.8", "0.0"]


def test_on_wards_of_another_year_the_open_index_is_carried(
    open_england: Results, wards_2019: Results, real_store: Store
) -> None:
    pairs = match_indices(open_england, wards_2019)[0]
    found = compare_indices(open_england, wards_2019, pairs, real_store)
    assert found.areas.system == "wd17"
    assert found.report["merged"] > 6_000
    assert found.nodes["areas"][0] > 7_400
    assert 0.1 < found.nodes["spearman"][0] < 0.5


def test_ranks_within_the_rural_urban_class(open_england: Results) -> None:
    (found,) = class_ranks(open_england, "social_infrastructure")
    need = open_england.scores["social_infrastructure"].score
    classes = np.array(found.classes)
    for name in set(found.classes):
        inside = (classes == name) & ~np.isnan(need)
        assert found.rank[inside].min() == 1
        assert found.of[inside].max() == inside.sum()
        assert found.decile[inside].max() == 10
        assert (found.decile[inside] == 1).sum() == inside.sum() // 10
        assert spearman(-found.rank[inside], need[inside]) == pytest.approx(1)
    # Among its own kind London has more of the worst tenth, and still few of it.
    assert london(open_england)[found.decile == 1].mean() == pytest.approx(0.032, abs=5e-4)


def test_what_larger_units_there_are(open_england: Results) -> None:
    assert larger_units(open_england.areas) == ["msoa21", "wd24"]


@pytest.mark.parametrize(
    ("unit", "rhos", "deciles", "worst", "bare", "inside", "lost"),
    [
        ("msoa21", [0.86, 0.81, 0.92, 0.89], [0.37, 0.73], [0.095, 0.100], 1, 0.34, 0.65),
        ("wd24", [0.86, 0.79, 0.91, 0.93], [0.36, 0.73], [0.061, 0.137], 2, 0.41, 0.59),
    ],
)
def test_how_much_depends_on_the_unit(
    open_england: Results, on_units: dict[str, Results], real_store: Store,
    unit: str, rhos: list[float], deciles: list[float], worst: list[float], bare: int, inside: float, lost: float,
) -> None:  # fmt: skip
    """Shares as the page gives them; its counts are run with the page."""
    found = compare_units(open_england, on_units[unit], real_store)
    node = found.nodes.row(0, named=True)
    assert found.nodes["spearman"][:4].round(2).to_list() == rhos
    assert [round(node[k], 2) for k in ("same_decile", "within_one_decile")] == deciles
    whole = found.nodes.filter(pl.col("index").is_in(["social_infrastructure", "deprivation"]))
    assert whole["people_large"].round(3).to_list() == worst
    (d,) = found.designations.rows(named=True)
    assert round(d["small_inside"] / d["small_selected"], 2) == inside
    assert d["large_holding"] == d["large_selected"] - bare
    assert round(d["people_lost"] / d["small_people"], 2) == lost
    # Both lists count the same people of England: what is gained and lost is the difference.
    assert d["large_people"] - d["small_people"] == d["people_gained"] - d["people_lost"]
    lines = document_lines(units_document([found], open_england.study.title, "x"))
    assert max(len(line) for line in lines if line.startswith("    ")) <= 100


@pytest.mark.usefixtures("commands_run_once")
def test_indicators_of_small_areas_are_carried_to_larger_ones(real_store: Store) -> None:
    """The closed index is published for neighbourhoods alone; its ranks are averaged by people."""
    (found,) = run_on_units("left-behind-2023", real_store, ["msoa21"])
    rho = dict(found.nodes.select("index", pl.col("spearman").round(2)).rows())
    assert rho["community_needs.civic_assets"] == 1.0  # hardly differs between neighbours
    assert rho["community_needs.connectedness"] < 0.9
    (d,) = found.designations.rows(named=True)
    assert [d[k] for k in ("small_selected", "large_selected", "small_inside")] == [1_305, 208, 642]
