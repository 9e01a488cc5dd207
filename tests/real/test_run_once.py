"""Runs that tests share: no test can change what another sees, and none gets a run of other files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from commonweal.sources import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Small
    from tests.real.conftest import Once

pytestmark = pytest.mark.real


def test_what_is_shared_cannot_be_changed(run_once: Once) -> None:
    first = run_once("demo", draws=0)
    scores = next(iter(first.scores.values()))
    for array in (*scores.need.values(), first.designations["left_behind"].selected):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    account = dict(first.provenance)
    first.provenance["sources"].clear()  # a list inside
    second = run_once("demo", draws=0)
    again = next(iter(second.scores.values()))
    assert again is scores  # it has run once
    assert second.provenance["sources"]
    assert second.provenance.keys() == account.keys()


def test_another_store_gets_no_run_of_this_one(run_once: Once, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="expected that of the runs"):
        run_once("demo", Store(tmp_path, offline=True), draws=0)


def test_files_of_a_study_s_own_are_read_each_time(run_once: Once, small: Small) -> None:
    before = run_once(small.study, draws=0)
    text = small.indicators.read_text("utf-8")
    small.indicators.write_text(text.replace("A01,1,", "A01,99,"), "utf-8")
    after = run_once(small.study, draws=0)
    ranks = [r.scores["deprivation"].rank[0] for r in (before, after)]
    np.testing.assert_array_equal(ranks, [20, 1])
