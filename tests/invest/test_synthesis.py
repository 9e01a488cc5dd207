"""Effects that are pooled: by hand, and what must hold so that the boldest guess does not win by being bold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.errors import DataError
from commonweal.invest.interventions import load_interventions, pool_families, random_effects


def test_three_effects_by_hand() -> None:
    """0, 0.1 and 0.4 with errors 0.05, 0.1 and 0.2: weights 400, 100, 25.

    mu0 = 20 / 525; Q = 400 (0.0381)^2 + 100 (0.0619)^2 + 25 (0.3619)^2 = 4.2381; C = 525 - 170625 / 525 = 200;
    tau^2 = 2.2381 / 200 = 0.01119.
    """
    found = random_effects([0, 0.1, 0.4], [0.05, 0.1, 0.2])
    assert found.tau**2 == pytest.approx(0.0111905, abs=1e-7)
    w = [1 / (s**2 + 0.0111905) for s in (0.05, 0.1, 0.2)]
    mean = (0.1 * w[1] + 0.4 * w[2]) / sum(w)
    assert found.mean == pytest.approx(mean, rel=1e-5)
    scale = sum(a * (y - mean) ** 2 for a, y in zip(w, (0, 0.1, 0.4), strict=True)) / 2
    assert found.error == pytest.approx((max(1.0, scale) / sum(w)) ** 0.5, rel=1e-5)
    assert found.interval[1] - found.mean == pytest.approx(4.302653 * found.error, rel=1e-5)
    assert found.weight[2] == pytest.approx(0.04 / 0.0511905, rel=1e-5)
    assert found.shrunk[2] == pytest.approx(0.4 - found.weight[2] * (0.4 - mean), rel=1e-5)


EFFECTS = st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 1)), min_size=3, max_size=12)


@given(EFFECTS)
def test_every_effect_moves_towards_the_mean_and_none_beyond(
    rows: list[tuple[float, float]],
) -> None:
    y, s = map(np.array, zip(*rows, strict=True))
    found = random_effects(y, s)
    assert ((found.shrunk - y) * (found.mean - y) >= -1e-12).all()
    assert (abs(found.shrunk - found.mean) <= abs(y - found.mean) + 1e-12).all()
    assert (np.diff(found.weight[np.argsort(s)]) >= -1e-12).all(), "the less certain the more"
    assert y.min() - 1e-9 <= found.mean <= y.max() + 1e-9


def test_effects_that_agree_differ_by_nothing() -> None:
    found = random_effects([0.1, 0.1, 0.1], [0.05, 0.1, 0.2])
    assert found.tau == 0
    assert found.shrunk == pytest.approx([0.1, 0.1, 0.1])
    assert found.error == pytest.approx((1 / 525) ** 0.5)


@pytest.mark.parametrize("errors", [[0.1], [0.1, 0.0]])
def test_what_cannot_be_pooled_is_refused(errors: list[float]) -> None:
    with pytest.raises(DataError, match="two or more, each with an error above 0"):
        random_effects([0.1] * len(errors), errors)


def test_the_boldest_guesses_are_no_longer_the_best() -> None:
    """Stated at 0.133, a hub and buses are two and a half times as good as what was studied; the mean says 0.055."""
    first = load_interventions()
    sizes = {
        (name, e.outcome): (e.stated_size.mean, e.size.mean)
        for name, one in first.interventions.items()
        for e in one.effects
        if e.size is not None and e.stated_size is not None
    }
    stated, drawn = (np.array(column) for column in zip(*sizes.values(), strict=True))
    assert np.ptp(drawn) < np.ptp(stated) / 2
    assert sizes["community_hub", "social_ties"] == pytest.approx((0.4 / 3, 0.0555), abs=5e-4)
    (pooled,) = pool_families(first).values()
    assert pooled.mean == pytest.approx(0.0518, abs=5e-5)
    assert f"{pooled.mean:.2g} standard deviations (95% interval 0.03 to 0.074)" in first.note
    assert "adds no evidence" in first.note


def test_what_a_causal_study_gives_stays() -> None:
    for one in load_interventions().interventions.values():
        for effect in one.effects:
            assert (effect.stated is None) == (effect.quality == "causal")
            if effect.stated is not None:
                assert effect.size is not None
                assert effect.size.law == effect.stated.law
                assert effect.size.support[0] == 0, "a range that begins at nothing still does"


def test_indicators_move_with_the_size_and_ends_that_are_reached_do_not() -> None:
    first = load_interventions().interventions
    (buses,) = first["bus_frequency"].effects
    assert buses.size is not None
    assert buses.stated is not None
    share = buses.size.mean / buses.stated.mean
    by = {t.indicator: t.by for t in buses.through}
    assert by["daytime_services"].numbers == pytest.approx(
        [1 + share * x for x in (0.05, 0.2, 0.5)], abs=1e-3
    )
    assert by["services_change"].numbers == pytest.approx(
        [share * x for x in (0.05, 0.18, 0.4)], rel=1e-3
    )
    (park,) = first["park"].effects
    assert park.through[0].by.numbers == (250, 300, 400)


def test_a_file_that_does_not_ask_for_it_keeps_its_sizes(tmp_path: Any) -> None:
    from importlib import resources

    import yaml

    shipped = (
        resources.files("commonweal.invest") / "interventions" / "published" / "first-set.yaml"
    )
    tree = yaml.safe_load(shipped.read_text("utf-8"))
    del tree["pool_effects"]
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(tree), "utf-8")
    own = load_interventions(str(file))
    assert own.interventions["community_hub"].effects[0].size is not None
    assert own.interventions["community_hub"].effects[0].size.numbers == (0, 0.1, 0.3)
    tree["interventions"]["park"]["effects"][0]["stated"] = 0.1
    file.write_text(yaml.safe_dump(tree), "utf-8")
    with pytest.raises(DataError, match="unknown key 'stated'"):
        load_interventions(str(file))
