"""An index of a table, step by step: the numbers of the functions, with names at every step and no position."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from commonweal.errors import CommonwealError
from commonweal.index import Index, Node, assumptions, score_tree, treat, uncertainty

if TYPE_CHECKING:
    from collections.abc import Callable

TREE = {
    "places": {"biblioteca_km": 1, "sale_per_1000": -1},
    "connections": {"corse_bus": -1},
    "taking_part": {"affluenza": -1, "circoli": -1},
}
SCALE = {"min_max": {"low": 1, "high": 100}}
NAMES = [name for domain in TREE.values() for name in domain]
SIGNS = [way for domain in TREE.values() for way in domain.values()]


@pytest.fixture(scope="module")
def comuni() -> pl.DataFrame:
    return pl.read_csv(Path(__file__).parents[2] / "docs" / "examples" / "comuni.csv")


def built(frame: Any, **more: Any) -> Index:
    made = Index(frame, TREE, **{"code": "codice", "name": "needs", **more})
    return made.treat().normalise("min_max", low=1, high=100).aggregate("arithmetic")


def by_hand(table: pl.DataFrame) -> tuple[Node, dict[str, np.ndarray[Any, Any]]]:
    treated = treat.treat(table.select(NAMES), NAMES)
    children = {
        domain: Node(
            transform=SCALE,
            aggregate="arithmetic",
            children={n: Node(indicator=n) for n in of},
        )
        for domain, of in TREE.items()
    }
    tree = Node(transform="none", aggregate="arithmetic", children=children)
    return tree, dict(zip(NAMES, (treated.values * SIGNS).T, strict=True))


def test_it_gives_the_numbers_of_the_functions(comuni: pl.DataFrame) -> None:
    tree, column = by_hand(comuni)
    scores, _ = score_tree("needs", tree, column)
    found = built(comuni).results()
    for path, need in scores.items():
        np.testing.assert_allclose(found[f"{path.replace('/', '.')}.score"], need, rtol=1e-15)
    assert found["codice"].to_list() == comuni["codice"].to_list()


def test_uncertainty_is_that_of_the_functions(comuni: pl.DataFrame) -> None:
    tree, column = by_hand(comuni)
    ways: list[Any] = [SCALE, {"z_score": {"mean": 50, "sd": 10}}, "rank"]
    doubts = [
        assumptions.Weights(name="weights", interval=0.25),
        assumptions.Normalisation(name="scale", of=tuple(ways)),
        assumptions.Aggregation(name="form", of=("arithmetic", "geometric")),
    ]
    made = uncertainty.build_ensemble("needs", tree, column, doubts)
    spread = uncertainty.spread_of_ranks(made, 500, worst=4)
    found = built(comuni).uncertainty(
        weights=0.25, scale=ways, form=["arithmetic", "geometric"], draws=500, worst=4
    )
    quantiles = found.select("rank_low", "rank_median", "rank_high").to_numpy()
    np.testing.assert_array_equal(quantiles, spread.quantiles)
    np.testing.assert_array_equal(found["share_worst"], spread.worst)


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame, pa.Table])
def test_what_goes_in_comes_out(comuni: pl.DataFrame, library: Any) -> None:
    of: dict[Any, Callable[[], Any]] = {
        pl.DataFrame: lambda: comuni,
        pd.DataFrame: comuni.to_pandas,
        pa.Table: comuni.to_arrow,
    }
    index = built(of[library]())
    for frame in (index.results(), index.changes, index.uncertainty(weights=0.1, draws=10)):
        assert isinstance(frame, library)
    whole = built(comuni).results()
    again = pl.DataFrame(index.results())
    np.testing.assert_array_equal(again["needs.score"], whole["needs.score"])


def test_the_order_of_rows_and_columns_changes_no_place(comuni: pl.DataFrame) -> None:
    mixed = comuni.sample(fraction=1, shuffle=True, seed=3).select(reversed(comuni.columns))
    one, other = (built(t).results().sort("codice") for t in (comuni, mixed))
    assert one.select(sorted(one.columns)).equals(other.select(sorted(one.columns)))


def test_codes_of_a_pandas_index(comuni: pl.DataFrame) -> None:
    frame = comuni.to_pandas().set_index("codice")
    found = built(frame, code="").results()
    assert list(found["codice"]) == comuni["codice"].to_list()
    with pytest.raises(CommonwealError, match="say which column holds them: code="):
        built(comuni, code="")


def test_each_step_leaves_the_former_as_it_is_and_says_what_was_done(comuni: pl.DataFrame) -> None:
    raw = Index(comuni, TREE, code="codice", name="needs")
    treated = raw.treat()
    assert raw.to_frame()["corse_bus"].max() == 180
    assert treated.to_frame()["corse_bus"].max() == 29
    assert treated.changes.rows() == [("MG15", "corse_bus", 180.0, 29.0, "winsorised high")]
    made = treated.normalise("rank").aggregate("geometric")
    assert repr(made).splitlines()[0] == (
        "Index needs of 21 rows by 5 columns; treated, normalised by rank, added up by geometric"
    )
    assert made.to_frame()["affluenza"].to_list() != treated.to_frame()["affluenza"].to_list()


def test_weights_by_path(comuni: pl.DataFrame) -> None:
    plain = built(comuni)
    heavy = plain.with_weights("needs", places=3).with_weights("needs.places", biblioteca_km=2)
    shares = heavy.scores.tree.weights
    assert shares == {"places": 3.0, "connections": 1.0, "taking_part": 1.0}
    assert heavy.scores.tree.children["places"].weights["biblioteca_km"] == 2
    domains = [plain.scores.need[f"needs/{d}"] for d in ("places", "connections", "taking_part")]
    np.testing.assert_allclose(
        plain.with_weights("needs", places=3).scores.score,
        (3 * domains[0] + domains[1] + domains[2]) / 5,
    )


def of(tree: Any, code: str = "codice") -> Callable[[pl.DataFrame], Index]:
    return lambda table: Index(table, tree, code=code)


def after(step: Callable[[Index], Any], make: Any = built) -> Callable[[pl.DataFrame], Any]:
    return lambda table: step(make(table))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (of({"a": {"biblioteca": 1}}), "column 'biblioteca' not found; did you mean"),
        (of({"a": {"circoli": 2}}), "index.a.circoli: 2 found; expected 1 where more is more need"),
        (of({"a": {"circoli": 1}, "b": {"circoli": 1}}), "column 'circoli' is twice in the tree"),
        (of({}), "index: {} found; expected columns with 1 or -1"),
        (of(TREE, "codic"), "column 'codic' not found; did you mean 'codice'"),
        (after(lambda i: i.aggregate(), of(TREE)), "call normalise() first"),
        (after(lambda i: i.normalise("minmax"), of(TREE)), "did you mean 'min_max'"),
        (after(lambda i: i.changes, of(TREE)), "nothing was treated"),
        (after(lambda i: i.treat()), "the columns are normalised already; treat them first"),
        (after(lambda i: i.with_weights("needs", place=2)), "did you mean 'places'"),
        (after(lambda i: i.with_weights("index", places=2)), "'index' not found"),
        (after(lambda i: i.uncertainty()), "nothing varies; say what does"),
    ],
)
def test_a_slip_is_named(
    comuni: pl.DataFrame, make: Callable[[pl.DataFrame], Any], said: str
) -> None:
    with pytest.raises(CommonwealError) as caught:
        make(comuni)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
