"""Splitting small areas among larger ones: shares of area, raking, and the rule as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from commonweal.areas import Areas, crosswalk_from_pairs
from commonweal.areas.apportion import apportion, area_shares, nested, rake
from commonweal.areas.catalogue import Systems
from commonweal.errors import DataError, UnknownNameError
from commonweal.sources import Store
from commonweal.sources.catalogue import local_source

if TYPE_CHECKING:
    from pathlib import Path


def drawn(**boxes: tuple[float, float, float, float]) -> pl.DataFrame:
    shapes = [shapely.to_wkb(shapely.box(*corners)) for corners in boxes.values()]
    return pl.DataFrame({"code": list(boxes), "geometry": shapes})


def people(**counts: float | None) -> pl.DataFrame:
    return pl.DataFrame({"code": list(counts), "population": list(counts.values())}).cast(
        {"population": pl.Float64}
    )


def areas(system: str, table: pl.DataFrame) -> Areas:
    return Areas(system, system, system, f"{system}s", table)


def shares(pairs: pl.DataFrame) -> dict[tuple[str, str], float]:
    return {(a, b): s for a, b, s in pairs.select("origin", "destination", "share").iter_rows()}


class TestAreaShares:
    def test_two_neighbourhoods_and_three_wards_by_hand(self) -> None:
        small = drawn(a=(0, 0, 4, 2), b=(4, 0, 8, 2))
        large = drawn(x=(0, 0, 1, 2), y=(1, 0, 6, 1), z=(1, 1, 8, 2))
        found = shares(area_shares(small, large, crs=None))
        # a: 2 of 8 in x, 3 in y, 3 in z; b: 2 of 8 in y, 4 in z, 2 uncovered
        assert found == pytest.approx(
            {("a", "x"): 2 / 8, ("a", "y"): 3 / 8, ("a", "z"): 3 / 8, ("b", "y"): 2 / 8,
             ("b", "z"): 4 / 8}
        )  # fmt: skip

    def test_touching_is_not_overlapping(self) -> None:
        found = area_shares(drawn(a=(0, 0, 1, 1)), drawn(x=(0, 0, 1, 1), y=(1, 0, 2, 1)), crs=None)
        assert shares(found) == {("a", "x"): 1.0}

    def test_pieces_of_one_code_are_one_area(self) -> None:
        pieces = pl.concat([drawn(a=(0, 0, 1, 1)), drawn(a=(1, 0, 4, 1))])
        found = area_shares(pieces, drawn(x=(0, 0, 2, 1), y=(2, 0, 4, 1)), crs=None)
        assert shares(found) == pytest.approx({("a", "x"): 0.5, ("a", "y"): 0.5})

    def test_the_national_grid_measures_true_area(self) -> None:
        # A degree of longitude shrinks with latitude: the southern half is the larger one.
        found = shares(
            area_shares(drawn(a=(-2, 50, -1.9, 54)), drawn(s=(-3, 50, -1, 52), n=(-3, 52, -1, 54)))
        )
        sine = np.sin(np.radians([50, 52, 54]))
        assert found["a", "s"] == pytest.approx((sine[1] - sine[0]) / (sine[2] - sine[0]), abs=1e-3)

    def test_no_polygon_gives_no_pair(self) -> None:
        empty = pl.DataFrame(
            {"code": ["x"], "geometry": [None]}, schema_overrides={"geometry": pl.Binary}
        )
        assert area_shares(drawn(a=(0, 0, 1, 1)), empty, crs=None).is_empty()


class TestRake:
    def test_two_by_two_by_hand(self) -> None:
        pairs = pl.DataFrame(
            {
                "origin": ["a", "a", "b", "b"],
                "destination": ["x", "y", "x", "y"],
                "share": [0.5] * 4,
            }
        )
        # From even shares every cell ends as row total x column total / grand total.
        raked, report = rake(pairs, people(a=60, b=40), people(x=25, y=75))
        assert raked["share"].to_list() == pytest.approx([0.25, 0.75, 0.25, 0.75])
        assert report["largest"] <= 0.01

    def test_an_odds_ratio_is_kept(self) -> None:
        seed = [0.8, 0.2, 0.3, 0.7]
        pairs = pl.DataFrame(
            {"origin": ["a", "a", "b", "b"], "destination": ["x", "y", "x", "y"], "share": seed}
        )
        xa, ya, xb, yb = rake(pairs, people(a=60, b=40), people(x=30, y=70), tolerance=1e-9)[0][
            "share"
        ]
        assert xa * yb / (ya * xb) == pytest.approx(0.8 * 0.7 / (0.2 * 0.3), rel=1e-6)
        assert 60 * xa + 40 * xb == pytest.approx(30)

    def test_a_destination_without_total_takes_what_is_left(self) -> None:
        pairs = pl.DataFrame({"origin": ["a", "a"], "destination": ["x", "y"], "share": [0.9, 0.1]})
        raked, _ = rake(pairs, people(a=100), people(x=30))
        assert raked["share"].to_list() == pytest.approx([0.3, 0.7], abs=1e-3)

    def test_an_empty_origin_keeps_its_shares(self) -> None:
        pairs = pl.DataFrame(
            {"origin": ["a", "b", "b"], "destination": ["x", "x", "y"], "share": [1.0, 0.25, 0.75]}
        )
        raked, report = rake(pairs, people(a=10, b=0), people(x=10))
        assert raked["share"].to_list() == [1.0, 0.25, 0.75]
        assert report == {"rounds": 0, "largest": 0.0, "median": 0.0}

    def test_totals_that_contradict_each_other_are_reported(self) -> None:
        pairs = pl.DataFrame({"origin": ["a"], "destination": ["x"], "share": [1.0]})
        raked, report = rake(pairs, people(a=100), people(x=130), rounds=7)
        assert raked["share"].to_list() == [1.0]
        assert report == {"rounds": 7, "largest": 30.0, "median": 30.0}

    @pytest.mark.parametrize(
        ("origin", "destination", "share", "words"),
        [
            (people(a=None), people(x=1), 1.0, "area a has population None"),
            (people(b=5), people(x=1), 1.0, "area a has population None"),
            (people(a=-1), people(x=1), 1.0, r"area a has population -1\.0"),
            (people(a=1), people(x=None), 1.0, "area x has total None"),
            (people(a=1), people(x=1), -0.5, r"area a has share -0\.5"),
            (people(a=1), people(x=1, w=8), 1.0, "area w has 8 people and no part"),
            (people(a=0), people(x=3), 1.0, "area x has 3 people and no part"),
            (people(a=1), people(x=0), 1.0, "area a has no part that it may go to"),
        ],
    )
    def test_impossible_input_names_the_area(
        self, origin: pl.DataFrame, destination: pl.DataFrame, share: float, words: str
    ) -> None:
        pairs = pl.DataFrame({"origin": ["a"], "destination": ["x"], "share": [share]})
        with pytest.raises(DataError, match=words):
            rake(pairs, origin, destination)

    @given(
        seed=st.lists(st.floats(0.05, 1), min_size=12, max_size=12),
        counts=st.lists(st.floats(1, 5000), min_size=12, max_size=12),
        order=st.permutations(range(12)),
    )
    def test_people_are_conserved_in_any_order(
        self, seed: list[float], counts: list[float], order: list[int]
    ) -> None:
        truth = np.array(counts).reshape(4, 3)  # totals taken from a table never contradict
        pairs = pl.DataFrame(
            {
                "origin": np.repeat(["a", "b", "c", "d"], 3),
                "destination": np.tile(["x", "y", "z"], 4),
                "share": seed,
            }
        )
        rows = people(**dict(zip("abcd", truth.sum(axis=1), strict=True)))
        columns = people(**dict(zip("xyz", truth.sum(axis=0), strict=True)))
        raked, report = rake(pairs, rows, columns)
        assert report["largest"] <= 0.01
        parts = raked["share"].to_numpy().reshape(4, 3)
        np.testing.assert_allclose(parts.sum(axis=1), 1)
        np.testing.assert_allclose(truth.sum(axis=1) @ parts, truth.sum(axis=0), atol=0.011)
        shuffled, _ = rake(pairs[order], rows.reverse(), columns)
        assert shares(shuffled) == pytest.approx(shares(raked), abs=1e-9)


class TestNested:
    def test_to_the_person(self) -> None:
        best_fit = pl.DataFrame(
            {"origin": ["a", "b", "c", "d"], "destination": ["x", "x", "y", "z"]}
        )
        small = areas("small", place(people(a=10, b=20, c=30, d=None)))
        large = areas("large", place(people(x=30, y=31, z=5, w=0)))
        assert nested(best_fit, small, large) == {"x"}


def place(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(name="code")


# Two wards share four neighbourhoods: b straddles x and y; z is the two neighbourhoods e and f, to
# the person; w has no polygon, and g lies half in y and half where nothing is drawn.
#
#       0   1   2   3   4       x: 0 to 1.5   y: 1.5 to 3.5   w: from 3.5, not drawn
#       | a | b | c | g |       z: elsewhere
SMALL = {"a": (0, 0, 1, 1), "b": (1, 0, 2, 1), "c": (2, 0, 3, 1), "g": (3, 0, 4, 1),
         "e": (0, 5, 1, 6), "f": (1, 5, 2, 6)}  # fmt: skip
LARGE = {"x": (0, 0, 1.5, 1), "y": (1.5, 0, 3.5, 1), "z": (0, 5, 2.01, 6)}
BEST_FIT = {"a": "x", "b": "x", "c": "y", "g": "w", "e": "z", "f": "z"}
LIVING = {"a": 100, "b": 80, "c": 100, "g": 60, "e": 70, "f": 30}
PUBLISHED = {"x": 120, "y": 180, "z": 100, "w": 40}


def toy(folder: Path, drawn_later: bool = False) -> tuple[Store, Systems]:
    """Write the toy country to files, as the sources of two linked area systems."""

    def outlines(name: str, boxes: dict[str, tuple[float, ...]]) -> None:
        features = [
            {"type": "Feature", "properties": {"code": code}, "geometry": shapely.geometry.mapping(
                shapely.box(*(v / 100 for v in box)))}
            for code, box in boxes.items()
        ]  # fmt: skip
        content = {"type": "FeatureCollection", "features": features}
        (folder / f"{name}.geojson").write_text(json.dumps(content))

    later = {code.upper(): box for code, box in SMALL.items()}
    outlines("small-shapes", later if drawn_later else SMALL)
    outlines("large-shapes", LARGE)
    pl.DataFrame({"from": list(BEST_FIT), "to": list(BEST_FIT.values())}).write_csv(
        folder / "best-fit.csv"
    )
    pl.DataFrame({"from": list(SMALL), "to": list(later)}).write_csv(folder / "later.csv")
    names = {"small-shapes.geojson", "large-shapes.geojson", "best-fit.csv", "later.csv"}
    sources = {s.id: s for s in (local_source(folder / name) for name in sorted(names))}
    shapes = [{"source": "small-shapes", "code": "code"}]
    system = {"title": "", "vintage": 2017, "areas": {}}
    links = [{"from": "small", "to": "large", "kind": "best-fit", "source": "best-fit",
              "columns": ["from", "to"]},
             {"from": "small", "to": "later", "kind": "vintage", "source": "later",
              "columns": ["from", "to"]}]  # fmt: skip
    systems = Systems.model_validate(
        {
            "systems": {
                "small": system | ({} if drawn_later else {"boundaries": shapes}),
                "later": system | {"boundaries": shapes},
                "large": system | {"boundaries": [{"source": "large-shapes", "code": "code"}]},
            },
            "links": links,
        }
    )
    return Store(cache=folder / "cache", offline=True, catalogue=sources), systems


SMALL_AREAS = areas("small", place(people(**LIVING)))
LARGE_AREAS = areas("large", place(people(**PUBLISHED)))


class TestSplitParts:
    @pytest.mark.parametrize("drawn_later", [False, True])
    def test_the_toy_country_by_hand(self, tmp_path: Path, drawn_later: bool) -> None:
        store, systems = toy(tmp_path, drawn_later)
        pairs, report = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        # x has 120 people: all 100 of a and so 20 of the 80 of b; y takes 60 + 100 + 20 of g
        assert shares(pairs) == pytest.approx(
            {("a", "x"): 1, ("b", "x"): 1 / 4, ("b", "y"): 3 / 4, ("c", "y"): 1, ("e", "z"): 1,
             ("f", "z"): 1, ("g", "w"): 2 / 3, ("g", "y"): 1 / 3}, abs=1e-3
        )  # fmt: skip
        assert report["destinations nested"] == 1
        assert report["destinations raked"] == 2
        assert report["destinations without polygon"] == 1
        assert report["destinations that got nothing"] == 0
        assert (report["origins kept whole"], report["origins split"]) == (4, 2)
        assert report["people moved"] == pytest.approx(80, abs=0.1)
        assert report["largest difference, people"] <= 0.01

    def test_it_feeds_a_move(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path)
        pairs, _ = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        move = crosswalk_from_pairs(SMALL_AREAS, LARGE_AREAS, pairs)
        moved = move.total(SMALL_AREAS.population)
        np.testing.assert_allclose(moved, LARGE_AREAS.population, atol=0.02)
        scores = np.array([{"a": 1.0, "b": 7.0}.get(code, 0.0) for code in SMALL_AREAS.codes])
        at = LARGE_AREAS.position["x"]
        assert move.mean(scores)[at] == pytest.approx((100 * 1 + 20 * 7) / 120, abs=1e-3)

    def test_the_order_of_areas_does_not_matter(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path)
        forward = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        back = apportion(
            store,
            areas("small", SMALL_AREAS.table.reverse()),
            areas("large", LARGE_AREAS.table.reverse()),
            systems,
        )
        assert forward[0].equals(back[0])
        assert forward[1] == back[1]

    def test_a_kept_result_serves_until_its_makings_change(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path)
        first = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        kept = list((store.cache / "converted").glob("parts-*.parquet"))
        again = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        assert first[0].equals(again[0])
        assert first[1] == again[1]
        assert list((store.cache / "converted").glob("parts-*.parquet")) == kept
        other = areas("large", place(people(**PUBLISHED | {"x": 110, "y": 190})))
        moved = shares(apportion(store, SMALL_AREAS, other, systems)[0])
        assert moved["b", "x"] == pytest.approx(1 / 8, abs=1e-3)

    def test_a_map_of_ones_own_may_change_in_a_file_beside_it(self, tmp_path: Path) -> None:
        """A shapefile has its codes in another file."""
        toys, systems = toy(tmp_path)
        own = tmp_path / "large-shapes.shp"
        shapes = [shapely.box(*(v / 100 for v in box)) for box in LARGE.values()]

        def draw(*codes: str) -> None:
            pyogrio.raw.write(
                own, shapely.to_wkb(shapes), [np.array(codes, dtype=object)], fields=["code"],
                geometry_type="Polygon", crs="EPSG:4326",
            )  # fmt: skip

        draw("x", "y", "z")
        sources = {**toys.catalogue, "large-shapes": local_source(own)}
        store = Store(cache=tmp_path / "cache", offline=True, catalogue=sources)
        drawn = own.read_bytes()
        assert ("a", "x") in shares(apportion(store, SMALL_AREAS, LARGE_AREAS, systems)[0])
        draw("y", "x", "z")
        assert own.read_bytes() == drawn
        assert ("a", "y") in shares(apportion(store, SMALL_AREAS, LARGE_AREAS, systems)[0])

    def test_what_it_is_made_of_is_listed_in_the_same_order_in_each_run(
        self, tmp_path: Path
    ) -> None:
        store, systems = toy(tmp_path, drawn_later=True)
        apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        again = toy(tmp_path, drawn_later=True)[0]
        apportion(again, SMALL_AREAS, LARGE_AREAS, systems)
        named = [entry["id"] for entry in again.used]
        assert len(named) > 2
        assert named == sorted(named)

    @pytest.mark.parametrize("cut", [0, 100, -20])
    def test_a_damaged_kept_result_is_made_anew(self, tmp_path: Path, cut: int) -> None:
        store, systems = toy(tmp_path)
        first = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        (kept,) = (store.cache / "converted").glob("parts-*.parquet")
        whole = kept.read_bytes()
        kept.write_bytes(whole[:cut])
        again = apportion(store, SMALL_AREAS, LARGE_AREAS, systems)
        assert again[0].equals(first[0])
        assert again[1] == first[1]
        assert kept.read_bytes() == whole

    def test_all_nested_splits_nothing(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path)
        exact = areas("large", place(people(x=180, y=100, z=100, w=60)))
        pairs, report = apportion(store, SMALL_AREAS, exact, systems)
        assert shares(pairs) == dict.fromkeys(BEST_FIT.items(), 1.0)
        assert report["origins split"] == report["people moved"] == 0

    def test_no_best_fit_is_said(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path)
        with pytest.raises(UnknownNameError, match="best fit of large to 'small' not found"):
            apportion(store, LARGE_AREAS, SMALL_AREAS, systems)
        elsewhere = areas("large", place(people(q=1)))
        with pytest.raises(DataError, match="no small has its best fit in one of the larges"):
            apportion(store, SMALL_AREAS, elsewhere, systems)

    def test_no_population_names_the_area(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path)
        unknown = areas("small", place(people(**LIVING | {"b": None})))
        with pytest.raises(DataError, match="area b has population None"):
            apportion(store, unknown, LARGE_AREAS, systems)

    def test_no_boundaries_is_said(self, tmp_path: Path) -> None:
        store, systems = toy(tmp_path, drawn_later=True)
        without = systems.model_copy(update={"links": systems.links[:1]})
        with pytest.raises(DataError, match="no boundaries of small"):
            apportion(store, SMALL_AREAS, LARGE_AREAS, without)
