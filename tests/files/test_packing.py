"""Values taken apart and put together again: the same, whatever they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.sparse import csr_array
from tests.same import assert_same

from commonweal.files.packing import Packing, Unpacking


@dataclass(frozen=True, slots=True)
class Pair:
    first: Any
    second: Any


CLASSES = {"Pair": __name__}


def there_and_back(value: Any) -> Any:
    packing = Packing(CLASSES)
    text = json.dumps([packing.pack(value, "it"), packing.shared], allow_nan=False)
    packed, shared = json.loads(text)
    return Unpacking(
        CLASSES, shared, packing.arrays.__getitem__, packing.tables.__getitem__
    ).unpack(packed)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
numbers = arrays(
    st.sampled_from([np.dtype(t) for t in ("f8", "f4", "i8", "i4", "?", "u1")]), array_shapes()
)
keys = st.text() | st.tuples(st.integers(), st.text())
values = st.recursive(
    plain | numbers,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_put_together_is_what_was_taken_apart(value: Any) -> None:
    assert_same(value, there_and_back(value))


def test_tables_and_sparse_matrices() -> None:
    frame = pl.DataFrame({"code": ["a", None], "x": [float("nan"), 1.5], "n": [1, None]})
    move = csr_array(np.array([[0.0, 2.0], [3.0, 0.0]]))
    assert_same([frame, move], there_and_back([frame, move]))


def test_one_object_in_several_places_is_one_object_again() -> None:
    codes, x = ["a", "b"], np.arange(3.0)
    inner = Pair(codes, x)
    first, second, own = there_and_back([inner, {"again": inner}, Pair(codes, x)])
    assert second["again"] is first
    assert own is not first
    assert own.first is first.first
    assert own.second is first.second


@pytest.mark.parametrize("value", [object(), np.array([None]), {"a": {1j}}])
def test_what_cannot_be_kept_says_where_it_stands(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^it/0"):
        Packing(CLASSES).pack([value], "it")


def test_only_the_classes_that_are_named_are_made() -> None:
    with pytest.raises(KeyError):
        Unpacking(CLASSES, [], {}.__getitem__, {}.__getitem__).unpack({"Popen": {"args": "ls"}})


def test_of_tables_that_are_the_same_to_the_bit_one_is_kept() -> None:
    packing = Packing(CLASSES)
    first = pl.DataFrame({"x": [0.0, None], "y": ["a", "b"]})
    tables = {"one": first, "two": first.clone(), "minus": first.with_columns(-pl.col("x"))}
    packed = packing.pack(tables, "it")
    assert list(packing.tables) == ["it/one", "it/minus"]
    assert packed["map"]["two"] == {"table": "it/one"}
    assert_same(tables, there_and_back(tables))
