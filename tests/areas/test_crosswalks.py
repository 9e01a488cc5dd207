"""Moving numbers from one set of areas to another: each rule by hand, and what must be kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.areas.catalogue import AreaSystem, Column, Link, Systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.errors import DataError
from commonweal.sources import Store
from commonweal.sources.catalogue import local_source

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.areas import Crosswalk


def areas(system: str, codes: str, people: list[float | None] | None = None) -> Areas:
    names = codes.split()
    table = pl.DataFrame(
        {"code": names, "name": names, "population": people or [None] * len(names)},
        schema_overrides={"population": pl.Float64},
    )
    return Areas(system, system, "area", "areas", table)


def pairs(text: str) -> pl.DataFrame:
    """'a>x b>x c>y:0.3' as pairs with shares."""
    rows = []
    for item in text.split():
        origin, _, rest = item.partition(">")
        destination, _, share = rest.partition(":")
        rows.append((origin, destination, float(share) if share else None))
    schema = {"origin": pl.String, "destination": pl.String, "share": pl.Float64}
    return pl.DataFrame(rows, schema, orient="row")


#: u stays; s is split in s1 and s2; m and n are merged to mn; i and j are rearranged to k and l.
OLD = areas("old", "u s m n i j gone", [100, 200, 300, 100, 50, 150, 10])
NEW = areas("new", "u s1 s2 mn k l none", [100, 80, 120, 400, 90, 110, 5])
CHANGES = "u>u s>s1 s>s2 m>mn n>mn i>k j>k:0.4 j>l:0.6"


@pytest.fixture(scope="module")
def move() -> Crosswalk:
    return crosswalk_from_pairs(OLD, NEW, pairs(CHANGES))


def test_each_rule_by_hand(move: Crosswalk) -> None:
    values = np.array([7.0, 5, 10, 30, 1, 4, 99])
    # mn: (10 x 300 + 30 x 100) / 400; k: (1 x 50 + 4 x 60) / 110
    expected = [7, 5, 5, 15, 290 / 110, 4, np.nan]
    np.testing.assert_allclose(move.mean(values), expected)


def test_the_report_counts_what_each_rule_touched(move: Crosswalk) -> None:
    assert move.report == {
        "origin areas": 7, "destination areas": 7, "unchanged": 1, "split": 3, "merged": 1,
        "irregular": 1, "got nothing": 1, "went nowhere": 1,
    }  # fmt: skip


def test_counts_are_shared_out_and_kept(move: Crosswalk) -> None:
    counts = np.array([7.0, 5, 10, 30, 1, 4, 0])
    # s: by the new areas' people, 80 to 120; j: by the stated shares
    expected = [7, 2, 3, 40, 1 + 1.6, 2.4, np.nan]
    np.testing.assert_allclose(move.total(counts), expected)
    assert np.nansum(move.total(counts)) == pytest.approx(counts.sum())


def test_columns_move_as_each_would_alone(move: Crosswalk) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(7, 3))
    values[2, 1], values[0, 2] = np.nan, np.nan
    for how in (move.mean, move.total):
        together = how(values)
        for k in range(3):
            np.testing.assert_array_equal(together[:, k], how(values[:, k]))


def test_a_missing_value_is_left_out_of_a_mean_and_missing_in_a_total(move: Crosswalk) -> None:
    values = np.array([np.nan, 5, np.nan, 30, 1, np.nan, 1])
    np.testing.assert_allclose(move.mean(values), [np.nan, 5, 5, 30, 1, np.nan, np.nan])
    np.testing.assert_allclose(move.total(values), [np.nan, 2, 3, np.nan, np.nan, np.nan, np.nan])


@given(
    people=st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40),
    split=st.floats(0.01, 0.99),
    value=st.floats(-1e3, 1e3),
)
@settings(max_examples=80)
def test_unchanged_and_split_values_are_the_same_to_the_bit(
    people: list[float], split: float, value: float
) -> None:
    """So that ties stay ties, and an area at the cut-off stays there."""
    n = len(people)
    old = areas("old", " ".join(f"a{i}" for i in range(n)), list(people))
    new = areas("new", " ".join(f"b{i}" for i in range(n + 1)))
    same = pairs(
        " ".join(f"a{i}>b{i}" for i in range(1, n)) + f" a0>b0:{split} a0>b{n}:{1 - split}"
    )
    values = np.linspace(value, value + 1, n)
    moved = crosswalk_from_pairs(old, new, same).mean(values)
    np.testing.assert_array_equal(moved, [*values, values[0]])


@given(
    people=st.lists(st.floats(0, 1e5), min_size=8, max_size=8),
    there=st.lists(st.integers(0, 4), min_size=8, max_size=8),
    values=st.lists(st.floats(-100, 100), min_size=8, max_size=8),
)
@settings(max_examples=80)
def test_means_lie_between_what_they_are_of_and_totals_are_kept(
    people: list[float], there: list[int], values: list[float]
) -> None:
    old = areas("old", " ".join(f"a{i}" for i in range(8)), list(people))
    new = areas("new", "b0 b1 b2 b3 b4")
    move = crosswalk_from_pairs(
        old, new, pairs(" ".join(f"a{i}>b{j}" for i, j in enumerate(there)))
    )
    x, to = np.array(values), np.array(there)
    mean, total = move.mean(x), move.total(x)
    for b in range(5):
        inside = x[to == b]
        if len(inside) == 0:
            assert np.isnan(mean[b])
            assert np.isnan(total[b])
            continue
        assert inside.min() - 1e-9 <= mean[b] <= inside.max() + 1e-9
        assert total[b] == pytest.approx(inside.sum(), abs=1e-9)


def test_areas_without_people_still_carry_their_value() -> None:
    old = areas("old", "a b c", [0, 0, 100])
    moved = crosswalk_from_pairs(old, areas("new", "x y"), pairs("a>x b>y c>y"))
    np.testing.assert_allclose(moved.mean(np.array([3.0, 5, 9])), [3, 9])


def test_permuting_areas_permutes_the_result(move: Crosswalk) -> None:
    rng = np.random.default_rng(3)
    here, there = rng.permutation(7), rng.permutation(7)
    old = Areas("old", "", "", "", OLD.table[here.tolist()])
    new = Areas("new", "", "", "", NEW.table[there.tolist()])
    again = crosswalk_from_pairs(old, new, pairs(CHANGES).sample(fraction=1, shuffle=True, seed=1))
    values = rng.normal(size=7)
    np.testing.assert_array_equal(again.mean(values[here]), move.mean(values)[there])
    assert again.report == move.report


def test_pairs_outside_the_areas_are_left_aside_and_pairs_given_twice_count_once() -> None:
    old, new = areas("old", "a b", [10, 30]), areas("new", "x")
    moved = crosswalk_from_pairs(old, new, pairs("a>x a>x b>x z>x a>w"))
    np.testing.assert_allclose(moved.mean(np.array([1.0, 5])), [4])


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ("a>x:0.4 a>y b>x", r"old: area a states shares for some of its destinations only"),
        ("a>x:0.4 a>y:0.7 b>x:1", r"old: area a states shares of more than 1 in all"),
        ("a>x:1.2 a>y:-0.2 b>x", r"old: area a states a share below 0.*\(1 areas\)"),
    ],
)
def test_shares_that_lose_or_make_up_people_are_refused(moved: str, said: str) -> None:
    old, new = areas("old", "a b", [100, 50]), areas("new", "x y")
    with pytest.raises(DataError, match=said):
        crosswalk_from_pairs(old, new, pairs(moved))


def test_an_origin_may_go_elsewhere_in_part_and_another_state_nothing() -> None:
    old, new = areas("old", "a b", [100, 50]), areas("new", "x y", [60, 40])
    moved = crosswalk_from_pairs(old, new, pairs("a>x:0.25 a>y:0.5 b>x b>y"))
    np.testing.assert_allclose(moved.weights.toarray(), [[25, 30], [50, 20]])


def test_an_area_that_moves_needs_people() -> None:
    old = areas("old", "a b c", [1, None, None])
    with pytest.raises(DataError, match=r"old: area b has no population \(2 areas\)"):
        crosswalk_from_pairs(old, areas("new", "x"), pairs("a>x b>x c>x"))


def test_one_that_does_not_move_needs_none() -> None:
    old = areas("old", "a b", [1, None])
    assert crosswalk_from_pairs(old, areas("new", "x"), pairs("a>x")).mean(np.array([2.0, 3])) == [
        2
    ]


def test_two_moves_in_turn_are_one(move: Crosswalk) -> None:
    last = areas("last", "p q", [None, None])
    onward = crosswalk_from_pairs(NEW, last, pairs("u>p s1>p s2>q mn>q k>q l>p"))
    values = np.array([7.0, 5, 10, 30, 1, 4, 99])
    both = move.then(onward)
    np.testing.assert_allclose(both.mean(values), onward.mean(move.mean(values)))
    assert both.report["went nowhere"] == 1
    assert both.report["got nothing"] == 0
    # s goes to both, j too: through k to q, through l to p
    assert both.report["irregular"] == 2


class TestLinks:
    """Systems of the test's own: old to new by a lookup; wards hold old areas; shires hold wards."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> tuple[Store, Systems]:
        files = {
            "old": "code,name,n\na,A,100\nb,B,300\nc,C,200\nd,D,50\n",
            "new": "code,name,n\nv,V,400\nw,W,60\nx,X,140\ny,Y,50\n",
            "ward": "code,name\nw1,One\nw2,Two\n",
            "shire": "code,name\ns,Shire\n",
            "zone": "code,name\nz1,Z1\nz2,Z2\n",
            "far": "code,name\nf,Far\n",
            "new-zone": "from,to\nv,z1\nw,z1\nx,z2\ny,z2\n",
            "zone-shire": "from,to\nz1,s\nz2,s\n",
            "old-new": "from,to,how\na,v,M\nb,v,M\nc,w,S\nc,x,S\nd,y,U\n",
            "old-ward": "from,to\na,w1\nb,w2\nc,w2\nd,w2\n",
            "ward-shire": "from,to\nw1,s\nw2,s\n",
        }
        catalogue = {}
        for name, text in files.items():
            path = tmp_path / f"{name}.csv"
            path.write_text(text, "utf-8")
            catalogue[name] = local_source(path, name=name)

        def system(name: str, people: bool) -> AreaSystem:
            where = Column(source=name, code="code", name="name", value="n")
            dates = {"then": where} if people else {}
            return AreaSystem(title=name, vintage=1, areas=where, populations=dates)

        def link(a: str, b: str, kind: str) -> Link:
            made = {
                "from": a,
                "to": b,
                "kind": kind,
                "source": f"{a}-{b}",
                "columns": ("from", "to"),
            }
            return Link.model_validate(made)

        systems = Systems(
            systems={
                n: system(n, n in ("old", "new"))
                for n in ("shire", "old", "new", "ward", "zone", "far")
            },
            links=(
                link("old", "new", "vintage"),
                link("old", "ward", "best-fit"),
                link("ward", "shire", "nests"),
                link("new", "zone", "best-fit"),
                link("zone", "shire", "nests"),
            ),
        )
        return Store(tmp_path / "cache", offline=True, catalogue=catalogue), systems

    def load(self, world: tuple[Store, Systems], name: str) -> Areas:
        from commonweal.areas.areas import load_areas

        return load_areas(world[0], name, systems=world[1])

    def test_larger_areas_of_which_only_a_part_is_kept(self, world: tuple[Store, Systems]) -> None:
        from commonweal.areas.areas import load_areas

        assert not any((self.load(world, "old").partial or {}).values())
        kept = load_areas(world[0], "old", within={"ward": "w2"}, systems=world[1])
        assert kept.codes == ["b", "c", "d"]
        assert kept.partial == {"ward": frozenset(), "shire": {"s"}}

    @pytest.mark.parametrize(
        ("here", "there", "values", "expected"),
        [
            ("old", "new", [1, 5, 7, 9], [4, 7, 7, 9]),  # the link
            ("new", "old", [4, 7, 17, 9], [4, 4, (7 * 60 + 17 * 140) / 200, 9]),  # its reverse
            ("old", "ward", [1, 5, 7, 9], [1, (5 * 300 + 7 * 200 + 9 * 50) / 550]),  # a parent
            ("old", "shire", [1, 5, 7, 9], [(100 + 1500 + 1400 + 450) / 650]),  # a parent's parent
            ("old", "old", [1, 5, 7, 9], [1, 5, 7, 9]),
        ],
    )
    def test_ways(
        self,
        world: tuple[Store, Systems],
        here: str,
        there: str,
        values: list[float],
        expected: list[float],
    ) -> None:
        move = build_crosswalk(world[0], self.load(world, here), self.load(world, there), world[1])
        np.testing.assert_allclose(move.mean(np.array(values, dtype=float)), expected)

    def test_through_a_third(self, world: tuple[Store, Systems]) -> None:
        """From the new areas through the old to the wards; v lies 1 to 3 in a and b."""
        move = build_crosswalk(
            world[0], self.load(world, "new"), self.load(world, "ward"), world[1]
        )
        got = move.mean(np.array([4.0, 7, 17, 9]))
        np.testing.assert_allclose(got, [4, (4 * 300 + 7 * 60 + 17 * 140 + 9 * 50) / 550])

    def test_down_to_parts_and_up_again(self, world: tuple[Store, Systems]) -> None:
        """From wards to zones, which share their shire, through the old areas and the new."""
        wards = self.load(world, "ward")
        wards = replace(wards, table=wards.table.with_columns(population=pl.Series([100.0, 550])))
        move = build_crosswalk(world[0], wards, self.load(world, "zone"), world[1])
        # z1 holds v, which is a (100 people of w1) and b (300 of w2), and w (60 of w2).
        np.testing.assert_allclose(move.mean(np.array([1.0, 5])), [(100 + 360 * 5) / 460, 5])

    def test_no_way(self, world: tuple[Store, Systems]) -> None:
        said = (
            "no lookup leads from the areas of old to the areas of far; lookups from it lead to: "
        )
        with pytest.raises(DataError, match=said):
            build_crosswalk(world[0], self.load(world, "old"), self.load(world, "far"), world[1])
