"""The left-behind wards from the deprivation index of 2019 to that of 2025."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.investment.tracker import track
from commonweal.reports.tracker import tracker_lines, tracker_report
from commonweal.study import run
from commonweal.tracking import later_snapshot, take_baseline

if TYPE_CHECKING:
    from commonweal.sources import Store

pytestmark = pytest.mark.real


def test_the_wards_are_tracked_from_2019_to_2025(real_store: Store) -> None:
    """The newer index is of neighbourhoods of 2021; it is carried to the wards of 2017."""
    baseline = take_baseline(run("left-behind-2019", real_store, draws=0, geometry=False))
    newer = run("deprivation-2025", real_store, draws=0, geometry=False)
    found = track(baseline, later_snapshot(newer, baseline, real_store))
    assert len(found.matched.places) == 224
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
    assert "association, not cause" in " ".join(tracker_lines(found))
    assert len(list(tracker_report(found).tables())) >= 4
