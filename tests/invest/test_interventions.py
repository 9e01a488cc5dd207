"""Interventions as data: what ships, and what files of one's own may not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.invest.case.valuation import load_values
from commonweal.invest.interventions import Through, load_interventions, shipped_interventions

if TYPE_CHECKING:
    from pathlib import Path


def club() -> dict[str, Any]:
    """A file with one intervention."""
    stated = {"source": "a made-up number", "vintage": "2025", "verified": False}
    return {
        "title": "A club",
        "licence": "MIT",
        "price_year": 2025,
        "outcomes": {"ties": {"label": "Ties", "better": "more of them"}},
        "interventions": {
            "club": {
                "label": "Club",
                "about": "A room.",
                "cost": {"capital": 1000, "yearly": {"uniform": [100, 300]}, **stated},
                "lasts": 4,
                "effects": [
                    {"outcome": "ties", "size": 0.2, "reaches": 0.5, "quality": "assumption", **stated}
                ],
            }
        },
    }  # fmt: skip


def written(folder: Path, changes: dict[str, Any]) -> str:
    """Write it with changes: ``a.b.0`` sets a[b][0]; None leaves a key out."""
    tree: Any = club()
    for path, value in changes.items():
        *parents, last = (int(k) if k.isdigit() else k for k in path.split("."))
        at = tree
        for key in parents:
            at = at[key]
        if value is None:
            del at[last]
        else:
            at[last] = value
    file = folder / "own.yaml"
    file.write_text(yaml.safe_dump(tree, sort_keys=False), "utf-8")
    return str(file)


def test_the_set_that_ships_is_honest_about_what_was_verified() -> None:
    assert shipped_interventions() == ["first-set"]
    found = load_interventions()
    wanted = {"community_hub", "library_hours", "bus_frequency", "broadband", "youth_club", "small_grants",
              "community_organiser", "park"}  # fmt: skip
    assert set(found.interventions) == wanted
    assert {"villa-2024", "popay-2023", "wwcw-2023"} <= set(found.works)
    assert set(found.works) <= set(load_evidence().works)
    for one in found.interventions.values():
        for stated in (one.cost, *one.effects):
            assert stated.verified == (not stated.source.lower().startswith("an assumption")) or (
                (not stated.verified and "assum" in stated.source) or "by us" in stated.source
            )
        for effect in one.effects:
            assert effect.size is not None  # a study without the indicator can use it
            if effect.quality == "assumption":
                assert effect.size.support[0] <= 0
        assert any(one.label in line for line in one.assumptions)


def test_the_published_interval_of_big_local_is_kept() -> None:
    """High anxiety moved by -0.8 points, -2.4 to 0.7; at 22% a standard deviation is 41 points."""
    grants = load_interventions().interventions["small_grants"]
    anxiety = next(e for e in grants.effects if e.outcome == "anxiety")
    sd = 100 * np.sqrt(0.22 * 0.78)
    assert anxiety.size is not None
    assert anxiety.size.numbers == pytest.approx((-0.7 / sd, 0.8 / sd, 2.4 / sd), abs=5e-4)


def test_the_published_effect_of_youth_clubs_is_kept_and_offences_are_not_added() -> None:
    """Closures in London: 0.04 standard deviations off results at 16, and 14% more offences, beside each other."""
    (effect,) = load_interventions().interventions["youth_club"].effects
    assert effect.size is not None
    assert effect.size.numbers[1] == 0.04
    assert effect.size.support[0] == 0
    assert "offending rose by 14% and is not added" in effect.caution
    assert not effect.verified


def test_costs_follow_from_the_published_figures_they_name() -> None:
    """Each is (figure, its year), brought to the set's price year by the published deflator and rounded."""
    first = load_interventions()
    index = load_values().prices.index
    gigabit = 590.6e6 / 376_400  # twelve contracts, premises in them
    homes = 1000 / 2.4
    broadband = [
        (1374 * homes / 10, 2023),
        (gigabit * homes / 5, 2023),
        (2000 * homes * 2 / 5, 2023),
    ]
    for name, kind, published in (
        ("community_hub", "capital", [(180_000, 2017), (71.4e6 / 257, 2023), None]),
        ("community_hub", "yearly", [None, (100_000, 2019), (250_000, 2019)]),
        ("library_hours", "yearly", [(15 * 52 * 15.87, 2011), (15 * 52 * 44.85, 2011), None]),
        ("broadband", "capital", broadband),
        ("youth_club", "capital", [None, (150_000, 2022), (220e6 / 300, 2023)]),
        ("community_organiser", "yearly", [(20_000, 2011), (15e6 / 500, 2013), None]),
        ("park", "capital", [(15_000 * 1.3, 2019), (85_000, 2022), None]),
    ):  # fmt: skip
        law = getattr(first.interventions[name].cost, kind)
        for said, figure in zip(law.numbers, published, strict=True):
            if figure is not None:
                amount, year = figure
                assert said == pytest.approx(
                    amount * index[first.price_year] / index[year], rel=0.04
                )


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    found = load_interventions(written(tmp_path, {}))
    one = found.interventions["club"]
    assert (found.name, one.name, one.cost.yearly.mean, one.lasts.mean) == ("own", "club", 200, 4)
    assert found.only(["club"]).interventions.keys() == {"club"}
    with pytest.raises(UnknownNameError, match="did you mean 'club'"):
        found.only(["clubb"])


CLUB, EFFECT = "interventions.club", "interventions.club.effects.0"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({f"{CLUB}.cost.capital": -5}, "capital: found -5; expected 0 or more"),
        ({f"{CLUB}.cost.yearly": {"uniform": [-1, 3]}}, "yearly: .*expected 0 or more"),
        ({f"{CLUB}.cost.yearly": {"uniform": [3, 1]}}, "expected low below high"),
        ({f"{CLUB}.cost.verified": None}, "cost.verified: missing"),
        ({f"{CLUB}.cost.source": ""}, "cost.source"),
        ({f"{CLUB}.lasts": 0}, "'lasts': found 0; expected more than 0 years"),
        ({"interventions": {}}, "no interventions; expected at least one"),
        ({"price_year": None}, "price_year: missing"),
        ({"licence": None}, "licence: missing"),
        ({f"{EFFECT}.reaches": 1.2}, "reaches: found 1.2; expected between 0 and 1"),
        ({f"{EFFECT}.most_people": 0}, "most_people: found 0"),
        ({f"{EFFECT}.reaches": None}, "'reaches' is missing; 'size' needs it"),
        ({f"{EFFECT}.size": None, f"{EFFECT}.reaches": None}, "neither 'size' nor 'through'"),
        ({f"{EFFECT}.verified": True}, "'verified' is true without 'evidence'"),
        ({f"{EFFECT}.outcom": "ties"}, "unknown key; did you mean 'outcome'"),
        ({f"{EFFECT}.quality": "sure"}, "quality: found 'sure'"),
        (
            {f"{EFFECT}.through": [{"indicator": "x", "change": "times", "by": -2}]},
            "expected a factor of 0 or more",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        load_interventions(written(tmp_path, changes))
    assert "own.yaml" in str(refused.value)


def test_names_that_are_not_there_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"outcome 'tie' not found in .*club"):
        load_interventions(written(tmp_path, {f"{EFFECT}.outcome": "tie"}))
    with pytest.raises(UnknownNameError, match="did you mean 'popay-2023'"):
        load_interventions(written(tmp_path, {f"{EFFECT}.evidence": "popay-203"}))
    with pytest.raises(UnknownNameError, match="did you mean 'first-set'"):
        load_interventions("first-st")
    twice = [club()["interventions"]["club"]["effects"][0]] * 2
    with pytest.raises(DataError, match="outcome 'ties' is there twice"):
        load_interventions(written(tmp_path, {f"{CLUB}.effects": twice}))


@pytest.mark.parametrize(
    ("change", "by", "expected"),
    [
        ("add", 2.0, [3.0, 12.0, np.nan]),
        ("times", 0.5, [0.5, 5.0, np.nan]),
        ("at_least", 4.0, [4.0, 10.0, np.nan]),
        ("at_most", 4.0, [1.0, 4.0, np.nan]),
    ],
)
def test_indicators_move_as_stated(change: Any, by: float, expected: list[float]) -> None:
    through = Through(indicator="x", change=change, by=by)
    assert through.moved(np.array([1.0, 10.0, np.nan]), by).tolist() == pytest.approx(
        expected, nan_ok=True
    )


def test_indicators_stay_within_their_ends_and_nothing_is_drawn_back_to_them() -> None:
    through = Through(indicator="x", change="add", by=5, most=8)
    assert through.moved(np.array([1.0, 7.0, 9.0]), 5.0).tolist() == [6.0, 8.0, 9.0]
    through = Through(indicator="x", change="add", by=-5, least=0)
    assert through.moved(np.array([1.0, 7.0, -2.0]), -5.0).tolist() == [0.0, 2.0, -2.0]


def test_a_wrong_number_is_all_that_is_told_of_it(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        load_interventions(written(tmp_path, {f"{EFFECT}.reaches": 1.5}))
    said = str(refused.value)
    assert "reaches: found 1.5; expected between 0 and 1" in said
    assert said.count("\n") == 0
    assert "tuple" not in said


def test_a_list_that_has_nothing_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"club\.effects: found"):
        load_interventions(written(tmp_path, {f"{CLUB}.effects": []}))
