"""A setting saved as a study file gives, run from there, the list that the explorer showed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from commonweal.errors import CommonwealError
from commonweal.sources import Store
from commonweal.spec.study import load_study, parse_study, shipped_studies
from commonweal.study.run import run
from commonweal.web.rescore import Choices, study_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results
    from conftest import Client, Small


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "w.community_needs.places=60&cut.left_behind.1=17.3",
        "w.deprivation.crime=0&cut.left_behind.2=33.333333333",
    ],
)
def test_running_the_file_gives_the_list_that_was_shown(
    client: Client, cache: Path, tmp_path: Path, query: str
) -> None:
    page = client.get(f"/weights?{query}").text
    link = f"/api/study.yaml?{query}"
    assert f'href="{link.replace("&", "&amp;")}"' in page
    assert link.replace("&", "&amp;") in client.get(f"/?{query}").text
    answer = client.get(link)
    assert answer.headers["content-disposition"] == 'attachment; filename="demo-setting.yaml"'
    file = tmp_path / "demo-setting.yaml"
    file.write_bytes(answer.content)
    again = run(
        load_study(file),
        Store(cache=cache, offline=True),
        draws=0,
        sensitivity=False,
        geometry=False,
    )
    shown = client.get(f"/api/areas?{query}&state=in&per=200").json()
    selected = again.designations["left_behind"].selected
    assert {one["code"] for one in shown["areas"]} == {
        code for code, inside in zip(again.areas.codes, selected, strict=True) if inside
    }
    ranks = {one["code"]: one["rank.deprivation"] for one in shown["areas"]}
    for code, rank in ranks.items():
        assert again.scores["deprivation"].rank[again.areas.position[code]] == rank


def test_as_published_there_is_nothing_to_save(client: Client) -> None:
    assert "study.yaml" not in client.get("/weights").text
    assert yaml.safe_load(client.get("/api/study.yaml").text) == {
        "extends": "demo",
        "title": f"{load_study('demo').title}: a setting of the explorer",
        "agreement": [],
    }


def test_a_study_of_ones_own_is_extended_by_its_file(small: Small) -> None:
    from commonweal.web.rescore import choices_from, cuts_of, rescore, weights_of

    rule = {"any": [{"index": "deprivation", "worst": 3}, {"not": {"index": "community_needs", "score_above": 10}}],
            "excluding": ["A16"], "at_most": {"number": 2, "within": "district", "by": "deprivation"}}  # fmt: skip
    results = small.run(small.write(designate__priority=rule), geometry=False, draws=0)
    given = {"cut.priority.1": 5, "cut.priority.2": 3.25}
    choices = choices_from(given, weights_of(results), cuts_of(results))
    rescored = rescore(results, choices)
    text = study_file(results, rescored, choices)
    assert f"Keep this file in the folder of {small.study.name}" in text
    file = small.study.parent / "setting.yaml"
    file.write_text(text, "utf-8")
    again = small.run(file, geometry=False, draws=0)
    assert again.study.designate == {"priority": rescored.designations["priority"].rule}
    np.testing.assert_array_equal(
        again.designations["priority"].selected, rescored.designations["priority"].selected
    )


def test_a_study_that_is_in_no_file_cannot_be_extended(county: Results) -> None:
    from dataclasses import replace

    lost = replace(county, study=county.study.model_copy(update={"name": "nowhere"}))
    with pytest.raises(
        CommonwealError, match=r"the study comes from a file that has not changed; now"
    ):
        study_file(lost, lost, Choices())


def test_what_the_rule_needs_cannot_be_left_out(
    small: Small, asked_of: Callable[[Results], Client]
) -> None:
    small.write(
        index__deprivation={"children": {"income": {"indicator": "income"}, "halls": {"indicator": "halls"}}},
        designate__priority={"index": "deprivation.halls", "worst": 3},
    )  # fmt: skip
    told = asked_of(small.run(geometry=False, draws=0))
    answer = told.get("/api/study.yaml?w.deprivation.halls=0")
    assert answer.status_code == 422
    assert "names a domain elsewhere that it leaves out" in answer.json()["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_studies())
def test_every_study_that_ships_can_be_extended_so(name: str) -> None:
    """Weights of each index, one domain left out where there are more than two, as the explorer sets them."""
    from types import SimpleNamespace

    study = load_study(name)
    for leave_out in (False, True):
        scores: dict[str, Any] = {}
        for index, tree in study.index.items():
            weights = dict(tree.weights)
            first = next(iter(weights))
            if len(set(weights.values())) == 1 and len(weights) < 2:
                continue
            weights[first] = 0.0 if leave_out else weights[first] * 1.7
            children = {
                k: c.model_copy(update={"weight": weights[k]}) for k, c in tree.children.items()
            }
            scores[index] = SimpleNamespace(tree=tree.model_copy(update={"children": children}))
        before: Any = SimpleNamespace(
            study=study,
            scores={k: SimpleNamespace(tree=study.index[k]) for k in scores},
            designations={},
        )
        text = study_file(before, SimpleNamespace(scores=scores, designations={}), Choices())  # type: ignore[arg-type]
        again = parse_study(text, "setting", "setting", study.folder)
        for index, one in scores.items():
            kept = {k: w for k, w in one.tree.weights.items() if w > 0}
            assert again.index[index].weights == kept
