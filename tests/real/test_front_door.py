"""The wards of 2019 scored again with other weights, without a run, beside a run with these weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import commonweal as cw

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


def test_an_index_carried_to_wards_is_scored_again_as_run_again(
    wards_2019: Results, real_store: Store
) -> None:
    again = cw.Results.of(wards_2019).rescore(
        weights={"deprivation.income": 1, "community_needs.civic_assets": 2},
        cut={"left_behind": {"deprivation": "15%"}},
    )
    study = (
        cw.Study("left-behind-2019")
        .with_weights("deprivation", income=1)
        .with_weights("community_needs", civic_assets=2)
        .with_cut("left_behind", "15%", index="deprivation")
    )
    run = cw.run(study, real_store, draws=0, geometry=False)
    for index, scores in run.scores.items():
        for path, need in scores.need.items():
            np.testing.assert_array_equal(again.scores[index].need[path], need)
    assert again.designation.to_frame().equals(run.designation.to_frame())
    assert not np.array_equal(again.designation.selected, wards_2019.designation.selected)
