"""How certain each place on a list is, in one table, and what the concentration of weights does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import commonweal as cw
from commonweal.designation import VintageModel
from commonweal.designation.vintage import next_release
from commonweal.errors import StudyError
from commonweal.study.certainty import certainty_table, noise_sensitivity, weights_sensitivity

if TYPE_CHECKING:
    from commonweal.study.results import Results


@pytest.fixture(scope="module")
def demo() -> Results:
    return cw.run("demo", draws=200, sensitivity=False, geometry=False)


def test_without_a_model_certainty_is_the_share_of_draws(demo: Results) -> None:
    found = certainty_table(demo)
    sure = demo.certainty["left_behind"]
    assert sure.next_release is None
    np.testing.assert_array_equal(sure.overall, sure.selected)
    drawn = demo.certainty["left_behind"]
    assert found["code"].to_list() == demo.areas.codes
    assert found["next_release"].null_count() == len(found)
    np.testing.assert_array_equal(found["share_of_draws"], drawn.selected)
    np.testing.assert_array_equal(found["certainty"], drawn.selected)
    secure = found.filter(found["share_of_draws"] >= 0.95)["word"]
    assert set(secure) == {"secure"}


def test_with_a_model_the_other_index_keeps_its_share_of_draws(demo: Results) -> None:
    models = {"deprivation": VintageModel.of_correlation(0.95)}
    found = certainty_table(demo, "left_behind", models)
    chance = next_release(demo.designation, demo.scores, models)["deprivation"]
    passes, stated = demo.certainty["left_behind"].passes[0][1], demo.designation.tested[0].passes
    np.testing.assert_array_equal(found["certainty"], chance * passes)
    np.testing.assert_array_equal(found["next_release"], chance * stated)
    least = {"secure": 0.95, "likely": 0.8, "borderline": 0.2, "unlikely": 0.0}
    for word, share in zip(found["word"], found["certainty"], strict=True):
        assert word == next(w for w, low in least.items() if share >= low)


def test_the_concentration_of_the_study_gives_what_the_study_gives(demo: Results) -> None:
    found = weights_sensitivity(demo, draws=200)
    assert found["concentration"].to_list() == [3, 10, 30, 100]
    listed = demo.designation.selected
    assert (found.drop("concentration").sum_horizontal() == listed.sum()).all()
    assert found["secure"].is_sorted()
    own = next(a.dirichlet for a in demo.study.certainty.vary if getattr(a, "dirichlet", None))  # type: ignore[union-attr]
    share = demo.certainty["left_behind"].selected[listed]
    again = weights_sensitivity(demo, [own], "left_behind", 200)
    assert again["secure"].to_list() == [(share >= 0.95).sum()]


def test_what_is_refused(demo: Results) -> None:
    with pytest.raises(StudyError, match="found no draws"):
        certainty_table(cw.run("demo", draws=0, geometry=False))
    still = demo.study.model_copy(update={"certainty": None})
    with pytest.raises(StudyError, match="no weights with 'dirichlet'"):
        weights_sensitivity(demo.with_(study=still))


def test_noise_makes_fewer_places_secure(demo: Results) -> None:
    found = noise_sensitivity(
        demo, ["community_needs", "deprivation"], (0.01, 0.4), draws=100, shared_by="district"
    )
    assert found.columns == ["noise", "secure", "likely", "borderline", "unlikely"]
    assert (
        found.drop("noise").sum_horizontal() == demo.designations["left_behind"].selected.sum()
    ).all()
    assert found["secure"].is_sorted(descending=True)
    assert found["secure"].n_unique() == 2
