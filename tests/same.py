"""Whether two values are the same to the bit, however deep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from commonweal.spec import Study

if TYPE_CHECKING:
    from pathlib import Path


def assert_same(one: Any, other: Any, at: str = "") -> None:
    """Fail where two values first differ; says where."""
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, at
        assert one.shape == other.shape, at
        assert one.tobytes() == other.tobytes(), at
    elif isinstance(one, pl.DataFrame):
        assert one.schema == other.schema, at
        assert one.equals(other), at
    elif isinstance(one, csr_array):
        assert one.shape == other.shape, at
        for part in ("data", "indices", "indptr"):
            assert_same(getattr(one, part), getattr(other, part), f"{at}.{part}")
    elif isinstance(one, Study):
        assert one.resolved() == other.moved_to(one.folder).resolved(), at
        assert one.name == other.name
    elif is_dataclass(one):
        assert type(one) is type(other), at
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{at}.{field.name}")
    elif isinstance(one, Mapping):
        assert list(one) == list(other), at
        for key in one:
            assert_same(one[key], other[key], f"{at}[{key!r}]")
    elif isinstance(one, list | tuple):
        assert type(one) is type(other), at
        assert len(one) == len(other), at
        for k, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{at}[{k}]")
    else:
        assert one == other or (one != one and other != other), at
        assert isinstance(one, np.generic) or type(one) is type(other), at


def contents(folder: Path) -> dict[str, bytes]:
    """Give the bytes of every file of a folder and its folders, by path from there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
