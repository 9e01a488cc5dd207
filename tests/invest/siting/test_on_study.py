"""Siting on a study: who is reached, and what its index and lists then say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyogrio
import pytest

from commonweal.access import Points, straight_nearest
from commonweal.document.data import document_data
from commonweal.document.text import document_lines
from commonweal.document.write import write_document
from commonweal.errors import CommonwealError, DataError, StudyError, UnknownNameError
from commonweal.invest.siting.on_study import SitingData, SitingOptions, load_siting_data, site
from commonweal.invest.siting.result import nearer, results_with_indicators
from commonweal.report.invest_maps import write_sites
from commonweal.report.siting import siting_document
from commonweal.sources import Store
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.invest.siting.result import SitingResult
    from commonweal.study.results import Results

TOWN = "F02000001"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("cache"), offline=True)


@pytest.fixture(scope="module")
def demo(store: Store) -> Results:
    return run("demo", store, draws=0, sensitivity=False)


@pytest.fixture(scope="module")
def ground(demo: Results, store: Store) -> SitingData:
    return load_siting_data(demo, store)


@pytest.fixture(scope="module")
def three(demo: Results, store: Store, ground: SitingData) -> SitingResult:
    return site(demo, SitingOptions(TOWN, "library", sites=3), store, ground=ground)


@pytest.mark.slow
def test_more_people_are_reached_and_it_is_proven(three: SitingResult) -> None:
    before, after = three.reached()
    assert before < after < three.demand.people.sum()
    assert three.solution.proven
    assert len(three.sites) == 3
    assert three.sites["newly"].sum() == pytest.approx(after - before)
    assert (three.solution.distance[~np.isnan(three.solution.distance)] <= three.limit_m).all()


def test_distances_are_those_to_the_nearest_library_new_or_old(
    three: SitingResult, ground: SitingData
) -> None:
    libraries = ground.places.of("library").points
    every = Points(
        np.concatenate([libraries.longitude, three.sites["longitude"].to_numpy()]),
        np.concatenate([libraries.latitude, three.sites["latitude"].to_numpy()]),
    )
    near = straight_nearest(three.demand.points, every, detour=1.3).distance_m[:, 0]
    expected = np.where(near <= 1200, near, np.nan)
    np.testing.assert_allclose(three.solution.distance, expected, rtol=1e-9)


def test_the_effect_is_what_a_run_on_the_shorter_distances_gives(
    three: SitingResult, demo: Results
) -> None:
    effect = three.effect
    assert effect is not None
    planned = Points(*(three.sites[c].to_numpy() for c in ("longitude", "latitude")))
    table = demo.areas.table
    at = Points(*(table[c].to_numpy() for c in ("longitude", "latitude")))
    indicators = demo.indicators["community_needs"]
    column = indicators.column("distance_to_library_m")
    old = indicators.values[:, column]
    new = np.minimum(old, straight_nearest(at, planned, detour=1.3).distance_m[:, 0])
    assert (new < old).any()
    inside = table["district"] == TOWN
    people = table["population"].to_numpy()[inside.to_numpy()]
    row = effect.indicators.row(0, named=True)
    assert row["before"] == pytest.approx(np.average(old[inside.to_numpy()], weights=people))
    assert row["after"] == pytest.approx(np.average(new[inside.to_numpy()], weights=people))
    after = results_with_indicators(demo, {"community_needs": {"distance_to_library_m": new}})
    ranks = dict(zip(demo.areas.codes, after.scores["community_needs"].rank, strict=True))
    assert [ranks[c] for c in effect.areas["code"]] == effect.areas["rank"].to_list()
    assert effect.lists["inside_after"].item() == int(
        (after.designations["left_behind"].selected & inside.to_numpy()).sum()
    )


def test_rescoring_with_the_same_values_changes_nothing(demo: Results) -> None:
    indicators = demo.indicators["community_needs"]
    same = {m.name: indicators.values[:, k] for k, m in enumerate(indicators.meta)}
    after = results_with_indicators(demo, {"community_needs": same})
    np.testing.assert_array_equal(
        after.scores["community_needs"].score, demo.scores["community_needs"].score
    )
    np.testing.assert_array_equal(
        after.designations["left_behind"].selected, demo.designations["left_behind"].selected
    )


def test_a_place_at_every_door_takes_areas_off_the_list(
    demo: Results, store: Store, ground: SitingData
) -> None:
    """Libraries in all of a town lower its need; who leaves is named, and so is who enters instead."""
    found = site(
        demo,
        SitingOptions(TOWN, "library", model="set_covering", candidates="grid:400"),
        store,
        ground=ground,
    )
    effect = found.effect
    assert effect is not None
    assert found.reached()[1] == pytest.approx(found.demand.people.sum())
    row = effect.lists.row(0, named=True)
    moves = effect.moves
    assert row["inside_after"] < row["inside_before"]
    gone = moves.filter((pl.col("move") == "leaves") & pl.col("inside"))
    come = moves.filter((pl.col("move") == "enters") & pl.col("inside"))
    assert len(gone) - len(come) == row["inside_before"] - row["inside_after"]
    assert any(name in " ".join(document_lines(siting_document(found))) for name in gone["name"])


def test_equity_shifts_places_to_need(demo: Results, store: Store, ground: SitingData) -> None:
    def mean_need(equity: float) -> float:
        found = site(
            demo,
            SitingOptions(TOWN, "library", sites=3, equity=equity),
            store,
            ground=ground,
            effect=False,
        )
        late = ~(found.solution.distance_before <= 1200) & (found.solution.distance <= 1200)
        return float(np.average(found.demand.need[late], weights=found.demand.people[late]))

    assert mean_need(3.0) > mean_need(0.0)


@pytest.mark.parametrize("model", ["p_median", "p_center"])
def test_other_models_answer_too(
    demo: Results, store: Store, ground: SitingData, model: str
) -> None:
    ask = SitingOptions(TOWN, "library", sites=3, model=model)  # type: ignore[arg-type]
    found = site(demo, ask, store, ground=ground, effect=False)
    assert found.solution.proven
    assert found.solution.objective < found.solution.objective_before
    said = " ".join(document_lines(siting_document(found)))
    assert ("The average distance" if model == "p_median" else "The longest distance") in said


def test_a_long_list_of_sites_is_cut_short_on_the_terminal(three: SitingResult) -> None:
    many = replace(three, sites=pl.concat([three.sites] * 5))
    told = list(document_lines(siting_document(many)))
    assert any(
        line.strip() == "and 5 more (--out FOLDER writes them, --json prints them)" for line in told
    )


@pytest.mark.slow
def test_own_candidates_with_a_budget(
    demo: Results, store: Store, ground: SitingData, three: SitingResult, tmp_path: Path
) -> None:
    file = tmp_path / "own.csv"
    costs = [100, 80, 60]
    rows = zip(three.sites["longitude"], three.sites["latitude"], costs, strict=True)
    lines = [f"Hall {k},{x},{y},{c}" for k, (x, y, c) in enumerate(rows)]
    file.write_text("\n".join(["name,longitude,latitude,cost", *lines]) + "\n")
    found = site(
        demo,
        SitingOptions(TOWN, "library", budget=170, candidates=str(file)),
        store,
        ground=ground,
        effect=False,
    )
    assert found.solution.spent <= 170
    assert found.candidates.costed
    assert " for £1" in " ".join(document_lines(siting_document(found)))
    with pytest.raises(DataError, match="budget: 50 buys none of 3"):
        site(
            demo,
            SitingOptions(TOWN, "library", budget=50, candidates=str(file)),
            store,
            ground=ground,
        )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"area": "Nowhere"}, CommonwealError, "Nowhere"),
        ({"kind": "libary"}, UnknownNameError, "did you mean 'library'"),
        ({"need": "community_need"}, UnknownNameError, "did you mean 'community_needs'"),
        ({"candidates": "museum"}, DataError, "no place known here is one of 'museum'"),
        ({"candidates": "grid:wide"}, CommonwealError, "expected metres after 'grid:'"),
        ({"candidates": "schols"}, UnknownNameError, "did you mean 'schools'"),
        ({"minutes": 0}, CommonwealError, "minutes: found 0; expected above 0, at most 300"),
        ({"minutes": -1}, CommonwealError, "minutes: found -1"),
        ({"minutes": float("nan")}, CommonwealError, "minutes: found nan"),
        ({"minutes": 1e9}, CommonwealError, "minutes: found 1e"),
        ({"equity": float("nan")}, CommonwealError, "equity: found nan; expected 0 to 10"),
        ({"equity": 1e6}, CommonwealError, "equity: found 1e"),
        ({"sites": 10_000}, DataError, "expected no more than"),
        ({"sites": None}, DataError, "expected a number of sites, a budget or both"),
        ({"moves": "turnout_rate"}, DataError, "has unit 'share of electors'; expected m"),
        ({"moves": "walks"}, DataError, "no index of demo is made from 'walks'"),
    ],
)
def test_what_makes_no_sense(
    demo: Results, store: Store, ground: SitingData, change: dict[str, object],
    error: type[Exception], message: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=message):
        site(
            demo,
            SitingOptions(**{"area": TOWN, "kind": "library", "sites": 1} | change),
            store,
            ground=ground,
        )  # type: ignore[arg-type]


def test_candidates_that_nobody_can_walk_to_are_refused(
    demo: Results, store: Store, ground: SitingData, tmp_path: Path
) -> None:
    file = tmp_path / "far.csv"
    file.write_text("name,longitude,latitude\nTower,0,51\n", "utf-8")
    ask = SitingOptions(TOWN, "library", sites=1, candidates=str(file))
    with pytest.raises(
        DataError, match=r"none of the 1 in .*far\.csv lies within 1,200 m of the area"
    ):
        site(demo, ask, store, ground=ground)


def test_a_study_that_prepares_its_indicators_is_refused(demo: Results) -> None:
    study = demo.study.model_copy(update={"prepare": ("something",)})
    with pytest.raises(StudyError, match="prepares its indicators"):
        results_with_indicators(replace(demo, study=study), {"community_needs": {}})


def test_an_indicator_only_ever_gets_shorter(
    demo: Results, three: SitingResult, ground: SitingData
) -> None:
    everywhere = ground.places.of("pub")
    columns = nearer(demo, "distance_to_library_m", everywhere)["community_needs"]
    old = demo.indicators["community_needs"]
    before = old.values[:, old.column("distance_to_library_m")]
    assert (columns["distance_to_library_m"] <= before).all()


def test_the_report_and_the_geopackage(three: SitingResult, tmp_path: Path) -> None:
    more = {"sites.gpkg": ("Sites.", lambda path: write_sites(three, path))}
    folder = write_document(siting_document(three), tmp_path / "siting", more)
    page = (folder / "report.html").read_text("utf-8")
    assert "This area is fictional" in page
    assert "Proposed sites in Vesselhoe" in page
    for name in three.sites["name"]:
        assert name in page
    layers = {name for name, _ in pyogrio.list_layers(folder / "sites.gpkg")}
    assert layers == {"new_sites", "existing_places", "demand_points"}
    _, _, _, fields = pyogrio.raw.read(folder / "sites.gpkg", layer="new_sites")
    assert sorted(fields[1]) == sorted(three.sites["name"])
    info = pyogrio.read_info(folder / "sites.gpkg", layer="demand_points")
    assert (info["features"], info["crs"]) == (len(three.demand), "EPSG:4326")


@pytest.mark.slow
def test_the_command(tell: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    asked = ["invest", "site", "demo", "--area", TOWN, "--kind", "library", "--sites", "2"]
    code, out, err = tell(*asked, "--json", "--out", tmp_path / "out")
    assert code == 0, err
    data = json.loads(out)
    _, both, _ = tell(*asked, "--area", "F02000002", "--json")
    figures, sites = data["figures"], data["tables"]["sites"]
    assert json.loads(both)["figures"]["people"]["value"] > figures["people"]["value"]
    assert data["proven"]
    reached, before = figures["reached"]["value"], figures["reached_before"]["value"]
    assert reached > before
    assert len(sites) == 2
    assert "cost_gbp" not in sites[0]  # no costs were given, and one each is not a pound each
    assert sum(one["people_newly_reached"] for one in sites) == pytest.approx(reached - before)
    written = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert written["tables"]["sites"] == sites
    _, out, _ = tell(*asked)
    assert "2 new venues would bring" in out
    assert "We proved that no other choice is better" in out
    assert "fictional" in out


def test_the_command_refuses_before_a_long_run(tell: Callable[..., tuple[int, str, str]]) -> None:
    asked = ["invest", "site", "open-england", "--area", "Hartlepool", "--kind", "library"]
    for wrong, said in (
        (["--sites", "0"], "sites: 0 found; expected 1 or more"),
        (["--budget", "0"], "budget: 0 found; expected more than 0"),
        (["--model", "p-median"], "did you mean 'p_median'"),
    ):
        code, out, err = tell(*asked, *wrong)
        assert (code, out) == (2, "")
        assert said in err
        assert len(err.splitlines()) <= 3


def test_of_a_kind_that_was_not_read_nothing_is_said_of_what_is_there(
    demo: Results, store: Store, ground: SitingData
) -> None:
    for model in ("maximal_covering", "p_median"):
        ask = SitingOptions(
            TOWN, "arts-centre", 2, model=model, candidates="grid:1000", method="greedy"
        )
        found = site(demo, ask, store, ground=ground)
        first = "This study has no data on venues of the kind “arts centre or gallery”, so existing ones are not"
        assert siting_document(found).answer[0].startswith(first)
        lines = list(document_lines(siting_document(found)))
        assert any(line.startswith(first) for line in lines)
        assert "access: points" in " ".join(lines)
        assert not any("up from" in line or "falls from" in line for line in lines)
        assert not any("0 existing venues" in line for line in lines)
        data = document_data(siting_document(found))
        assert data["kind_read"] is False
        assert data["existing"] is None
        assert not {"reached_before", "mean_m_before"} & set(data["figures"])


def test_where_nobody_comes_within_reach_it_leads_with_metres(
    demo: Results, store: Store, ground: SitingData
) -> None:
    ask = SitingOptions(TOWN, "library", 2, model="p_median", minutes=0.5)
    answer = siting_document(site(demo, ask, store, ground=ground)).answer
    assert answer[0].startswith("The average distance to the nearest falls from")
    assert answer[1].startswith(
        "2 new venues would bring nobody within 0.5 minutes' walk of one: 0"
    )


def test_only_walks_that_get_shorter_are_listed(three: SitingResult) -> None:
    table = next(t for t in siting_document(three).sections[0].tables if t.name == "reach-by-point")
    before, after = (table.shown.frame[f"Metres {when}"] for when in ("before", "after"))
    assert 0 < len(after) < len(three.demand)
    assert (after < before.fill_null(int(three.problem.limit) + 1)).all()


def test_who_leaves_a_list_elsewhere_is_told_with_the_reason(three: SitingResult) -> None:
    assert three.effect is not None
    name = three.effect.lists["list"][0]
    moves = pl.DataFrame(
        {
            "list": [name] * 2, "code": ["a", "b"], "name": ["Near", "Far"],
            "move": ["leaves"] * 2, "inside": [True, False],
        }
    )  # fmt: skip
    told = " ".join(
        document_lines(siting_document(replace(three, effect=replace(three.effect, moves=moves))))
    )
    assert (
        "Leaving the list: Near. Leaving the list elsewhere, because scores are relative: Far."
        in told
    )


def test_the_data_has_every_number(three: SitingResult) -> None:
    data = document_data(siting_document(three))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    told = {name: figure["value"] for name, figure in data["figures"].items()}
    assert told["people"] == three.demand.people.sum()
    assert (told["reached_before"], told["reached"]) == three.reached()
