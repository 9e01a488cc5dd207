"""The left-behind wards from the deprivation index of 2019 to that of 2025."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.document.text import document_lines
from commonweal.invest.tracker.on_study import later_snapshot, take_baseline
from commonweal.invest.tracker.track import track
from commonweal.report.tracker import tracker_document

if TYPE_CHECKING:
    from tests.real.conftest import Once

    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


def test_the_wards_are_tracked_from_2019_to_2025(
    wards_2019: Results, run_once: Once, real_store: Store
) -> None:
    """The newer index is of neighbourhoods of 2021; it is carried to the wards of 2017."""
    baseline = take_baseline(wards_2019)
    newer = run_once("deprivation-2025", draws=0, geometry=False)
    found = track(baseline, later_snapshot(newer, baseline, real_store))
    assert len(found.matched.places) == 225
    assert found.within == ("region",)
    names = {m.measure.name.removeprefix("deprivation.") for m in found.moved}
    assert names == {
        "deprivation", "income", "employment", "education", "health", "crime", "barriers", "living_environment",
    }  # fmt: skip
    for m in found.moved:
        d = m.difference
        assert (m.then, m.now) == ("2019", "2025")
        assert d.low < d.estimate < d.high
        assert d.clusters > 100
        assert d.places >= 220
    # Of all wards they were the most in need; of those like them they differ by less than a quarter.
    unlike = found.balance["like"].abs()
    assert unlike.max() < 0.25
    assert (unlike < found.balance["all"].abs()).all()
    whole = next(m for m in found.moved if m.measure.name == "deprivation")
    # They stayed where they were, as did those like them.
    assert abs(whole.difference.own) < 2
    assert abs(whole.difference.estimate) < 2
    assert not whole.clear
    # The figures of docs/methods/tracker.md.
    told = {m.measure.name.removeprefix("deprivation."): m for m in found.moved}
    expected = {
        "deprivation": (-0.24, -0.74, 0.26),
        "health": (-0.99, -1.47, -0.51),
        "crime": (-2.70, -4.07, -1.33),
        "living_environment": (3.58, -0.53, 7.68),
    }
    for name, numbers in expected.items():
        d = told[name].difference
        assert (d.estimate, d.low, d.high) == pytest.approx(numbers, abs=0.006)
        assert (d.places, d.like, d.clusters) == (225, 423, 144)
    assert {name for name, m in told.items() if m.clear} == set(expected) - {
        "deprivation",
        "living_environment",
    }
    assert {name for name, m in told.items() if m.clear_of_all} == {"health", "crime"}
    plain = [told[name].difference.plain for name in ("health", "crime")]
    assert plain == pytest.approx([-0.12, -0.73], abs=0.006)
    assert all(told[name].baseline_sensitive for name in ("health", "crime"))
    assert "association, not cause" in " ".join(document_lines(tracker_document(found)))
    assert len(list(tracker_document(found).tables())) >= 4
