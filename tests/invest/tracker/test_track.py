"""What moved: by hand, in made-up worlds whose truth is known, and what must hold of any."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.tracker import need_percentile
from commonweal.invest.tracker.on_study import PERCENTILE_UNIT, Snapshot, TrackedMeasure
from commonweal.invest.tracker.track import DiDEstimate, difference, holm, match, track
from commonweal.report.tracker import tracker_answer

if TYPE_CHECKING:
    from numpy.typing import NDArray


def snapshot(values: Any, selected: Any, groups: Any = None, **more: Any) -> Snapshot:
    """Make areas A0, A1 and so on, with measures m0, m1 and so on."""
    values = np.asarray(values, float)
    n, m = values.shape
    measures = tuple(
        TrackedMeasure(f"m{k}", f"Measure {k}", PERCENTILE_UNIT, "more", "made up", "2019", True)
        for k in range(m)
    )
    told: dict[str, Any] = {
        "study": "toy", "title": "A toy", "when": "", "system": "toy", "singular": "place", "plural": "places",
        "codes": tuple(f"A{k}" for k in range(n)), "names": tuple(f"Place {k}" for k in range(n)),
        "people": np.full(n, 1000.0), "selected": np.asarray(selected, bool),
        "groups": {k: tuple(v) for k, v in (groups or {}).items()}, "measures": measures, "values": values,
    }  # fmt: skip
    return Snapshot(**{**told, **more})


def world(seed: int, effect: float) -> tuple[Snapshot, Snapshot, Snapshot]:
    """Earlier, baseline and later: places in need are followed, and those in need rise anyhow.

    Sixty authorities of twelve places. What a place gains depends on how it was, on its authority and on
    chance; followed places gain `effect` on top, after the baseline. 720 places, about a tenth followed.
    """
    g = np.random.default_rng(seed)
    authority = np.repeat(np.arange(60), 12)
    x = g.normal(size=(720, 2)) + 0.4 * g.normal(size=(60, 2))[authority]
    need = x @ [1.0, 0.6] + g.normal(0, 0.7, 720)
    selected = need > np.quantile(need, 0.9)
    course = 1.5 * x[:, 0] - 0.8 * x[:, 1]

    def chance() -> NDArray[np.float64]:
        return g.normal(0, 1.1, 60)[authority] + g.normal(0, 1.7, 720)

    earlier = 10 + 3 * x[:, 0] + g.normal(size=720)
    then = earlier + course + chance()
    now = then + course + chance() + effect * selected
    groups = {"authority": [f"a{k}" for k in authority]}
    return tuple(  # type: ignore[return-value]
        snapshot(np.column_stack([y, x]), selected, groups) for y in (earlier, then, now)
    )


def estimated(then: Snapshot, now: Snapshot) -> DiDEstimate:
    """The first measure's difference, as `track` works it out."""
    matched = match(then.values, then.selected)
    start = then.column("m0")
    return difference(now.column("m0") - start, start, matched, then.groups["authority"])


def test_a_known_effect_is_recovered_at_the_stated_coverage() -> None:
    """Of 200 intervals of 95%, 181 or fewer would hold the truth once in 300 times."""
    truth, held, estimates, naive = 2.0, 0, [], []
    for seed in range(200):
        _, then, now = world(seed, truth)
        d = estimated(then, now)
        held += d.low <= truth <= d.high
        estimates.append(d.estimate)
        change = (now.values - then.values)[:, 0]
        naive.append(change[then.selected].mean() - change[~then.selected].mean())
    assert held >= 182
    # Within three standard errors of the truth, bar the little that matching leaves.
    assert np.mean(estimates) == pytest.approx(truth, abs=0.15)
    assert np.mean(naive) > truth + 1


def test_nothing_is_found_where_nothing_was_done_more_often_than_stated() -> None:
    found = 0
    for seed in range(100):
        d = estimated(*world(1000 + seed, 0.0)[1:])
        found += not d.low <= 0 <= d.high
    assert found <= 11  # of 100; 12 or more would come up once in 200 times


def test_another_course_before_the_baseline_is_told() -> None:
    earlier, then, now = world(5, 2.0)
    calm = track(then, now, earlier).moved[0]
    assert calm.before is not None
    assert not calm.pre_trend
    # They were falling behind by 4 before anything was done.
    ahead = earlier.values.copy()
    ahead[earlier.selected, 0] += 4
    falling = track(then, now, replace(earlier, values=ahead)).moved[0]
    assert falling.before is not None
    assert falling.before.estimate < calm.before.estimate - 2
    assert falling.pre_trend
    assert falling.difference == calm.difference


def test_differences_by_hand() -> None:
    """Places gain 3 and those like them 1, from the same starts: the difference is 2, whatever else there is."""
    start = np.array([1.0, 2, 3, 4] * 2 + [50, 60])
    gain = np.array([3.0, 3.5, 2.5, 3.0, 1.0, 1.5, 0.5, 1.0, 9.0, 9.0])
    then = snapshot(start[:, None], [True] * 4 + [False] * 6)
    now = replace(then, values=(start + gain)[:, None])
    found = track(then, now, like=1)
    assert found.matched.like.ravel().tolist() == [4, 5, 6, 7]
    d = found.moved[0].difference
    assert (d.estimate, d.own, d.theirs, d.plain) == pytest.approx((2, 3, 1, 2))
    assert (d.places, d.like, d.clusters) == (4, 4, 0)
    assert d.low < 2 < d.high
    assert found.each("m0")["like"].to_list() == [1.0, 1.5, 0.5, 1.0]


def test_like_places_share_their_groups_and_are_never_followed_themselves() -> None:
    generator = np.random.default_rng(0)
    x, selected = generator.normal(size=(300, 3)), generator.random(300) < 0.1
    region = tuple(generator.choice(["n", "s"], 300).tolist())
    found = match(x, selected, [region], 4)
    assert not selected[found.like].any()
    for place, like in zip(found.places, found.like, strict=True):
        assert {region[a] for a in like} == {region[place]}
    far = np.linalg.norm((x[found.like] - x[found.places][:, None]) / x.std(axis=0), axis=2)
    assert far == pytest.approx(found.distance)
    others = np.flatnonzero(~selected & (np.array(region) == region[found.places[0]]))
    nearest = np.sort(np.linalg.norm((x[others] - x[found.places[0]]) / x.std(axis=0), axis=1))[:4]
    assert found.distance[0] == pytest.approx(nearest)


def test_places_without_others_in_their_group_are_named_and_left_out() -> None:
    selected = np.array([True, True, False, False, False])
    found = match(np.arange(5.0)[:, None], selected, [("n", "s", "n", "n", "n")], 2)
    assert found.places.tolist() == [0]
    assert found.alone.tolist() == [1]
    with pytest.raises(CommonwealError, match="no place has 9 others"):
        match(np.arange(5.0)[:, None], selected, [], 9)


@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.5, 4))
@settings(max_examples=10)
def test_what_happens_to_all_alike_makes_no_difference(
    seed: int, shift: float, scale: float
) -> None:
    _, then, now = world(seed, 1.0)
    one = estimated(then, now)
    both = replace(now, values=now.values + np.array([shift, 0, 0]))
    assert estimated(then, both).estimate == pytest.approx(one.estimate, abs=1e-6)
    d = estimated(*(replace(s, values=s.values * [scale, 1, 1]) for s in (then, now)))
    assert (d.estimate, d.low) == pytest.approx((one.estimate * scale, one.low * scale), abs=1e-6)


def test_errors_that_go_together_in_authorities_widen_the_interval() -> None:
    _, then, now = world(3, 0.0)
    matched = match(then.values, then.selected)
    change = (now.values - then.values)[:, 0]
    alone = difference(change, then.values[:, 0], matched)
    apart = difference(change, then.values[:, 0], matched, then.groups["authority"])
    assert alone.estimate == pytest.approx(apart.estimate)
    assert alone.clusters == 0
    assert apart.clusters > 30
    few = difference(change, then.values[:, 0], matched, ["one", "two"] * 360)
    assert few.clusters == 0  # two groups say nothing of how much errors go together


@pytest.mark.slow
def test_many_measures_are_counted_in() -> None:
    assert holm([0.01, 0.5, 0.02]) == pytest.approx([0.03, 0.5, 0.04])
    assert holm([]) == []
    from statsmodels.stats.multitest import multipletests

    for n in (1, 2, 7, 40):
        p = np.random.default_rng(n).beta(0.4, 2, n).round(2)  # some are equal
        assert holm(p.tolist()) == multipletests(p, method="holm")[1].tolist()
    _, then, now = world(8, 2.0)
    generator = np.random.default_rng(1)
    noise = generator.normal(size=(2, 720, 30))
    both = []
    for s, more in zip((then, now), noise, strict=True):
        both.append(snapshot(np.column_stack([s.values, more]), s.selected, s.groups))
    found = track(both[0], both[1])
    assert all(m.adjusted >= m.difference.p for m in found.moved)
    assert found.moved[0].clear_of_all


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_standings_are_the_share_with_more_need(need: list[int]) -> None:
    values = np.array(need, float)
    expected = [
        100 * ((values > v).sum() + 0.5 * (values == v).sum()) / len(values) for v in values
    ]
    assert need_percentile(values) == pytest.approx(expected)


def test_what_is_missing_stays_missing() -> None:
    assert np.isnan(need_percentile(np.array([1.0, np.nan]))[1])
    _, then, now = world(2, 2.0)
    gone = now.values.copy()
    gone[then.selected.nonzero()[0][:5], 0] = np.nan
    found = track(then, replace(now, values=gone)).moved[0].difference
    assert found.places == int(then.selected.sum()) - 5
    nothing = now.values + 1.0 * np.arange(720)[:, None]
    nothing[:, 0] = np.nan
    told = track(then, replace(now, values=nothing))
    assert "0 places" in told.skipped["m0"]
    assert [m.measure.name for m in told.moved] == ["m1", "m2"]


def test_snapshots_survive_being_written() -> None:
    _, then, _ = world(4, 0.0)
    values = then.values.copy()
    values[3, 1] = np.nan
    then = replace(then, values=values)
    again = Snapshot.of(then.about(), then.to_frame())
    assert again.about() == then.about()
    assert again.to_frame().equals(then.to_frame())
    with pytest.raises(DataError, match="not a baseline"):
        Snapshot.of({**then.about(), "measures": [{"name": "x"}]}, then.to_frame())


def test_what_cannot_be_compared_is_refused() -> None:
    _, then, now = world(1, 0.0)
    with pytest.raises(DataError, match="of other areas than the baseline"):
        track(then, replace(now, codes=tuple(f"B{k}" for k in range(720))))
    renamed = tuple(replace(m, name=f"other {m.name}") for m in now.measures)
    with pytest.raises(DataError, match="has no measure of the baseline; expected some of: m0"):
        track(then, replace(now, measures=renamed))
    with pytest.raises(UnknownNameError, match="did you mean 'authority'"):
        track(then, now, within=["autority"])
    with pytest.raises(CommonwealError, match="like places: found 0"):
        track(then, now, like=0)
    with pytest.raises(DataError, match="none of the 720 places are followed"):
        replace(then, selected=np.zeros(720, bool))
    metres = tuple(replace(m, unit="m") for m in now.measures[:1]) + now.measures[1:]
    moved = replace(now, measures=metres, values=now.values + np.arange(720)[:, None])
    assert "unit 'm'" in track(then, moved).skipped["m0"]


def dated(taken: Snapshot, *vintages: str) -> Snapshot:
    """Date the measures of a snapshot."""
    return replace(
        taken,
        measures=tuple(
            replace(m, vintage=v) for m, v in zip(taken.measures, vintages, strict=True)
        ),
    )


@pytest.mark.slow
def test_time_does_not_run_backwards() -> None:
    """Refused where every source that differs is older; warned of where only some are."""
    earlier, then, now = world(1, 3.0)
    base = dated(then, "2025", "2020/21 to 2022", "not stated")
    for older in (("2019", "2022", "2021"), ("June 2024", "2019", "not stated")):
        with pytest.raises(DataError, match=r"Measure \d is of .*20.*, and there of 202"):
            track(base, dated(now, *older), like=2)
        with pytest.raises(DataError, match="is older than"):
            track(dated(then, *older), dated(now, *older), dated(earlier, "2025", "2022", "x"))
    for fine in (("2025", "2022", ""), ("2026", "2023", "2001"), ("", "", "")):
        assert not any(m.backwards for m in track(base, dated(now, *fine)).moved)
    mixed = track(base, dated(now, "2019", "2024", "2021"))
    assert [m.measure.name for m in mixed.moved if m.backwards] == ["m0"]
    assert tracker_answer(mixed)[0].startswith("Sources older than the baseline: Measure 0")


def test_what_may_be_chance_is_not_counted_as_clear() -> None:
    """One interval leaves nought out and its adjusted chance is 0.2: none clearly moved, one may have by chance."""
    _, then, now = world(1, 3.0)
    found = track(then, now)
    sure = found.moved[0]
    assert sure.clear_of_all
    assert (
        "1 of 1 measure clearly changed more or less than in similar areas."
        in tracker_answer(found)[0]
    )
    doubtful = replace(found, moved=(replace(sure, adjusted=0.233),))
    said = "None of 1 measure clearly changed more or less than in similar areas; 1 may have by chance."
    assert said in tracker_answer(doubtful)[0]
