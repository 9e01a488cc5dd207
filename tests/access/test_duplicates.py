"""The same place in two sources is kept once, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.access.conflation import likeness, merge_duplicates
from commonweal.access.distance import great_circle_m
from commonweal.access.places import LEFT_OUT, Places, load_taxonomy, make_places
from commonweal.errors import DataError, UnknownNameError

METRE = 1 / 111_195  # degrees of latitude

Row = tuple[str, str | None, str, float]  # source, name, kind, metres to the north


def places_at(rows: list[Row]) -> Places:
    table = pl.DataFrame(
        {
            "id": [f"{row[0]}:{i}" for i, row in enumerate(rows)],
            "name": [row[1] for row in rows],
            "kind": [row[2] for row in rows],
            "longitude": [0.0] * len(rows),
            "latitude": [52 + row[3] * METRE for row in rows],
            "source": [row[0] for row in rows],
            "postcode": pl.Series([None] * len(rows), dtype=pl.String),
        },
        schema_overrides={"name": pl.String},
    )
    read = {s: sum(r[0] == s for r in rows) for s in sorted({r[0] for r in rows})}
    return make_places(table, load_taxonomy(), pl.DataFrame(schema=LEFT_OUT), read)


def kept(rows: list[Row], **settings: float) -> list[str]:
    return merge_duplicates(places_at(rows), "abc", **settings).places.table["id"].to_list()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("The Red Lion", "Red Lion Inn"),
        ("St. Mary's Church", "Saint Marys"),
        ("Café Bäcker", "Cafe Backer"),
        ("Rose & Crown", "The Rose and Crown"),
        ("Oakham", "Oakham Library"),
        ("Ketton C of E Primary School", "Ketton Church of England Primary"),
        ("St Patrick's R.C. Primary", "St Patrick's Catholic Primary School"),
        ("The Wheatsheaf", "The Wheatsheef"),
        ("Village Hall", "The Village Hall"),
    ],
)
def test_names_that_are_alike(name: str, other: str) -> None:
    assert likeness(name, other) >= 0.8
    assert likeness(name, other) == likeness(other, name)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Red Lion", "Black Lion"),
        ("White Hart", "White Horse"),
        ("Noel Arms", "Wheatsheaf"),
        ("Oakham Methodist Church", "Oakham Baptist Church"),
        ("Infant School", "Junior School"),
        ("Ketton Primary School", "Ketton Playschool"),
        ("", "Red Lion"),
        ("", ""),
    ],
)
def test_names_that_are_not(name: str, other: str) -> None:
    assert likeness(name, other) < 0.8


def test_the_more_trusted_source_stays() -> None:
    rows: list[Row] = [("b", "Red Lion Inn", "pub", 0), ("a", "The Red Lion", "pub", 30)]
    merged = merge_duplicates(places_at(rows), ["a", "b"])
    assert merged.places.table["id"].to_list() == ["a:1"]
    assert merged.places.left_out.row(0) == ("b", "b:0", "Red Lion Inn", "same place", "as a:1")
    pair = merged.pairs.row(0, named=True)
    assert (pair["kept"], pair["merged"], pair["likeness"]) == ("a:1", "b:0", 1.0)
    assert pair["distance_m"] == pytest.approx(30, rel=1e-3)
    assert merged.summary().rows() == [("a", "b", 1)]
    # read is still what is kept and what is not
    account = merged.places.account().filter(pl.col("source") == "b")
    assert account.select("outcome", "rows").rows() == [("read", 1), ("same place", 1)]


@pytest.mark.parametrize(
    ("rows", "stay"),
    [
        ([("a", "Red Lion", "pub", 0), ("b", "Red Lion", "pub", 51)], 2),  # too far
        ([("a", "Red Lion", "pub", 0), ("b", "Red Lion", "pub", 49)], 1),
        ([("a", "Red Lion", "pub", 0), ("b", "Red Lion", "bar", 0)], 1),  # same group
        ([("a", "Red Lion", "pub", 0), ("b", "Red Lion", "park", 0)], 2),  # another group
        ([("a", None, "pub", 0), ("b", None, "pub", 0)], 2),  # no names to compare
        # one source knows its own, unless it says the same twice
        ([("a", "Hill Infant School", "school", 0), ("a", "Hill School", "school", 9)], 2),
        ([("a", "Red Lion", "pub", 0), ("a", "The Red Lion", "pub", 9)], 1),
        ([("a", "Red Lion", "pub", 0), ("a", "Red Lion", "bar", 9)], 2),
        # a school's site is larger than a pub, but then the names have to be equal
        ([("a", "Hill Primary", "school", 0), ("b", "Hill Primary School", "school", 240)], 1),
        ([("a", "Hill Primary", "school", 0), ("b", "Hill RC Primary", "school", 240)], 2),
        ([("a", "Hill Primary", "school", 0), ("b", "Hill RC Primary", "school", 40)], 1),
        ([("a", "Hill Primary", "school", 0), ("b", "Hill Primary", "school", 260)], 2),
    ],
)
def test_what_is_the_same(rows: list[Row], stay: int) -> None:
    assert len(kept(rows)) == stay


def test_chains_do_not_swallow_a_street() -> None:
    """Four stand 40 m apart: each is near its neighbours, and the ends are 120 m from each other."""
    rows: list[Row] = [
        ("a", "Costa", "cafe", 0), ("b", "Costa", "cafe", 40),
        ("b", "Costa", "cafe", 80), ("c", "Costa", "cafe", 120),
    ]  # fmt: skip
    # a takes in the first b, which takes in nothing; the second b takes in c
    assert kept(rows) == ["a:0", "b:2"]


names = st.sampled_from(["Red Lion", "The Red Lion", "Black Lion", "Library", None])
rows_of = st.lists(
    st.tuples(
        st.sampled_from("abc"), names, st.sampled_from(["pub", "bar", "library"]),
        st.integers(0, 400).map(float),
    ),
    max_size=12,
)  # fmt: skip


@pytest.mark.slow
@given(rows_of, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], random: object) -> None:
    places = places_at(rows)
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    turned = Places(places.table[order], places.left_out, places.read)
    one, other = (merge_duplicates(p, "abc") for p in (places, turned))
    assert sorted(one.places.table["id"]) == sorted(other.places.table["id"])
    assert one.pairs.equals(other.pairs)


@pytest.mark.slow
@given(rows_of)
def test_what_stays_is_not_the_same_and_what_goes_is(rows: list[Row]) -> None:
    """Against every pair: who is merged is the same as its keeper, and merging again does nothing."""
    places = places_at(rows)
    merged = merge_duplicates(places, "abc")
    by_id = {r["id"]: r for r in places.table.iter_rows(named=True)}
    for pair in merged.pairs.iter_rows(named=True):
        a, b = by_id[pair["kept"]], by_id[pair["merged"]]
        assert a["source"] <= b["source"]
        assert a["group"] == b["group"]
        assert pair["distance_m"] <= 250
        assert likeness(a["name"], b["name"]) >= 0.8
    assert len(merge_duplicates(merged.places, "abc").pairs) == 0
    assert len(merged.places) + len(merged.pairs) == len(places)


def test_nothing_to_merge() -> None:
    assert kept([]) == []


def test_settings_that_cannot_be() -> None:
    some = places_at([("a", "Red Lion", "pub", 0)])
    with pytest.raises(UnknownNameError, match="source 'a' not found in the order of sources"):
        merge_duplicates(some, ["b"])
    with pytest.raises(DataError, match="within -1 m"):
        merge_duplicates(some, ["a"], within_m=-1)
    with pytest.raises(DataError, match="alike 2; expected 0 to 1"):
        merge_duplicates(some, ["a"], alike=2)


def test_against_every_pair_of_a_town() -> None:
    """A tree finds the pairs that comparing everything with everything does."""
    rng = np.random.default_rng(3)
    words = np.array(["Red Lion", "White Hart", "Crown", "Bell", "Swan"])
    rows: list[Row] = [
        (str(rng.choice(["a", "b"])), str(rng.choice(words)), "pub", float(rng.uniform(0, 4000)))
        for _ in range(300)
    ]
    places = places_at(rows)
    table = places.table.sort("source", pl.col("id"))
    gone: set[str] = set()
    records = table.rows(named=True)
    for i, a in enumerate(records):
        if a["id"] in gone:
            continue
        for b in records[i + 1 :]:
            way = great_circle_m(0, a["latitude"], 0, b["latitude"])
            if b["id"] not in gone and a["name"] == b["name"] and way <= 50:
                gone.add(b["id"])
    assert {*merge_duplicates(places, "ab").pairs["merged"]} == gone
    assert gone
