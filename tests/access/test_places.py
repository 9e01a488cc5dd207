"""The value that holds places."""

from __future__ import annotations

import polars as pl
import pytest

from commonweal.access.places import LEFT_OUT, Places, join_places, load_taxonomy, make_places
from commonweal.errors import DataError, UnknownNameError


def some(
    source: str = "here", kinds: tuple[str, ...] = ("pub", "library"), lost: int = 1
) -> Places:
    n = len(kinds)
    rows = pl.DataFrame(
        {
            "id": [f"{source}:{i}" for i in range(n)],
            "name": [f"Place {i}" for i in range(n)],
            "kind": kinds,
            "longitude": [0.1 * i for i in range(n)],
            "latitude": [52.0] * n,
            "source": source,
            "postcode": pl.Series([None] * n, dtype=pl.String),
        }
    )
    out = pl.DataFrame(
        {
            "source": [source] * lost,
            "id": [f"{source}:lost{i}" for i in range(lost)],
            "name": "Gone",
            "reason": "closed",
            "detail": "in 2010",
        },
        schema=LEFT_OUT,
    )
    return make_places(rows, load_taxonomy(), out, {source: n + lost})


def test_the_kind_says_the_group() -> None:
    assert some().table["group"].to_list() == ["pubs-and-cafes", "libraries"]


def test_places_of_a_kind_or_a_group() -> None:
    places = some(kinds=("pub", "cafe", "library"))
    assert places.of("pubs-and-cafes").table["kind"].to_list() == ["pub", "cafe"]
    assert places.of(["library", "pub"]).table["kind"].to_list() == ["pub", "library"]
    with pytest.raises(UnknownNameError, match="did you mean 'pub'"):
        places.of("pubb")


def test_the_account_adds_up() -> None:
    account = join_places([some("a", lost=3), some("b")]).account()
    assert account.rows() == [
        ("a", "read", 5),
        ("a", "kept", 2),
        ("a", "closed", 3),
        ("b", "read", 3),
        ("b", "kept", 2),
        ("b", "closed", 1),
    ]


def test_a_source_joins_once() -> None:
    with pytest.raises(DataError, match="source 'a' is in two of the parts"):
        join_places([some("a"), some("a")])


def test_nothing_joined_is_no_place() -> None:
    assert len(join_places([])) == 0
    assert len(join_places([]).points) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.col("name").alias("title"), "places have the columns"),
        (pl.lit("same").alias("id"), "place 'same' is there twice"),
        (pl.lit(None, pl.String).alias("kind"), "has no id, kind, group or source"),
        (pl.lit(None, pl.Float64).alias("latitude"), "point 1 has latitude nan"),
        (pl.lit(91.0).alias("latitude"), "point 1 has latitude 91"),
    ],
)
def test_what_is_refused_at_the_door(change: pl.Expr, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Places(some().table.with_columns(change))
