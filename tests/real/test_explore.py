"""The explorer on the wards of 2019: postcodes, an index that is built on other areas, wards without an outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.spec.study import Study, load_study
from commonweal.study.run import run
from commonweal.web import open_explorer
from commonweal.web.rescore import choices_from, cuts_of, rescore, weights_of
from commonweal.web.search import search
from commonweal.web.tiles import shapes_of
from commonweal.web.view import layer_of

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results
    from commonweal.web import Explorer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def wards(wards_2019: Results) -> Results:
    return wards_2019


@pytest.fixture(scope="module")
def explorer(wards: Results, real_store: Store) -> Explorer:
    return open_explorer(wards, real_store.cache)


def test_other_weights_of_neighbourhoods_reach_the_wards_as_in_a_run(
    wards: Results, real_store: Store
) -> None:
    """Deprivation is scored on neighbourhoods and carried to wards: both are as a run gives them."""
    asked = {
        "w.deprivation.income": 50.0,
        "w.community_needs.civic_assets": 10.0,
        "cut.left_behind.2": 15.0,
    }
    rescored = rescore(wards, choices_from(asked, weights_of(wards), cuts_of(wards)))
    recipe = load_study("left-behind-2019").resolved()
    for index, scores in rescored.scores.items():
        for name, weight in scores.tree.weights.items():
            recipe["index"][index]["children"][name]["weight"] = weight
    recipe["designate"]["left_behind"]["all"][1]["condition"]["worst"] = {"share": 0.15}
    del recipe["certainty"], recipe["agreement"]
    study = Study.model_validate({**recipe, "name": "own", "folder": wards.study.folder})
    whole = run(study, real_store, geometry=False)
    for index, scores in whole.scores.items():
        np.testing.assert_array_equal(rescored.scores[index].score, scores.score)
    own, other = (r.designations["left_behind"] for r in (rescored, whole))
    np.testing.assert_array_equal(own.selected, other.selected)
    np.testing.assert_array_equal(own.near_miss, other.near_miss)
    assert own.selected.sum() != wards.designations["left_behind"].selected.sum()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("SW1A 1AA", "E05000644"),  # Buckingham Palace: St James's
        ("ig117nb", "E05000026"),  # Barking: Abbey
        ("E05000026", "E05000026"),
        ("st james's, westminster", "E05000644"),
    ],
)
def test_a_postcode_a_code_and_a_name_lead_to_a_ward(
    explorer: Explorer, asked: str, code: str
) -> None:
    found = search(explorer, asked)
    rows = [explorer.results.areas.codes[r] for r in found.rows]
    assert rows[0] == code
    if found.row is not None:
        assert explorer.results.areas.codes[found.row] == code


def test_every_ward_is_on_the_map(explorer: Explorer) -> None:
    rows, shapes = shapes_of(explorer.results.areas, explorer.results.boundaries)
    assert len(rows) == len(explorer.results.areas)
    assert {s.geom_type for s in shapes} == {"MultiPolygon", "Point"}
    layer = layer_of(explorer.published)
    counts = {c.label: c.areas for c in layer.classes}
    selected = explorer.results.designations["left_behind"].selected.sum()
    assert counts["On the list"] + counts.get("Just inside the cut-off", 0) == selected
