"""Values taken apart for files and put together again: dataclasses, models, arrays and tables, the same to the bit."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class Packing:
    """Takes values apart: what it gives is plain data for JSON; arrays and tables are put aside by name.

    Whatever is not plain is an object with one key that says what it is: ``float`` (not finite), ``list``, ``tuple``,
    ``set``, ``map`` (keys are texts), ``pairs`` (any keys), ``array`` and ``table`` (names in `arrays` and `tables`),
    ``sparse`` (a compressed matrix), the name of a class in `classes`, or ``shared``: the number of an object in
    `shared`, which stands in several places.
    """

    def __init__(self, classes: Mapping[str, str]) -> None:
        self.classes = classes
        self.arrays: dict[str, NDArray[Any]] = {}
        self.tables: dict[str, pl.DataFrame] = {}
        self.shared: list[dict[str, Any]] = []
        self._seen: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._table_of: dict[bytes, str] = {}

    def pack(self, value: Any, at: str) -> Any:
        """Take a value apart; `at` names what is put aside."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, tuple):
            return {"tuple": [self.pack(v, f"{at}/{k}") for k, v in enumerate(value)]}
        if isinstance(value, set | frozenset):
            return {"set": [self.pack(v, at) for v in sorted(value)]}
        if id(value) in self._seen:
            return self._share(self._seen[id(value)][1])
        packed: dict[str, Any] = {}
        self._seen[id(value)] = value, packed  # kept, so that no other gets its number
        packed |= self._packed(value, at)
        return packed

    def _share(self, packed: dict[str, Any]) -> dict[str, Any]:
        if "shared" not in packed:
            self.shared.append(dict(packed))
            packed.clear()
            packed["shared"] = len(self.shared) - 1
        return packed

    def _packed(self, value: Any, at: str) -> dict[str, Any]:
        if isinstance(value, list):
            if {type(v) for v in value} <= {str, int, bool, type(None)}:  # as long lists are
                return {"list": list(value)}
            return {"list": [self.pack(v, f"{at}/{k}") for k, v in enumerate(value)]}
        if isinstance(value, np.ndarray):
            if value.dtype.hasobject:
                raise TypeError(f"{at}: an array of objects cannot be kept")
            self.arrays[at] = value
            return {"array": at}
        if isinstance(value, pl.DataFrame):
            return {"table": self._table(value, at)}
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return {"map": {key: self.pack(v, f"{at}/{key}") for key, v in value.items()}}
            return {
                "pairs": [
                    [self.pack(key, at), self.pack(v, f"{at}/{_text(key)}")]
                    for key, v in value.items()
                ]
            }
        name = type(value).__name__
        if name == "csr_array":
            parts = {"data": value.data, "indices": value.indices, "indptr": value.indptr}
            kept = {key: self.pack(part, f"{at}/{key}") for key, part in parts.items()}
            return {"sparse": {**kept, "shape": [int(n) for n in value.shape]}}
        if self.classes.get(name) != type(value).__module__:
            raise TypeError(f"{at}: a {type(value).__module__}.{name} cannot be kept")
        if isinstance(value, BaseModel):
            return {name: value.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
        assert is_dataclass(value)
        parts = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
        return {name: {key: self.pack(part, f"{at}/{key}") for key, part in parts.items()}}

    def _table(self, table: pl.DataFrame, at: str) -> str:
        """Put a table aside, and give its name: one that is the same to the bit has it already."""
        bits = io.BytesIO()
        table.write_ipc(bits, compat_level=pl.CompatLevel.newest())
        name = self._table_of.setdefault(hashlib.sha256(bits.getbuffer()).digest(), at)
        self.tables.setdefault(name, table)
        return name


def _text(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


class Unpacking:
    """Puts together what `Packing` took apart; what stood in several places is one object again.

    No class but those of `classes` is ever imported or made.
    """

    def __init__(
        self,
        classes: Mapping[str, str],
        shared: list[dict[str, Any]],
        array: Callable[[str], NDArray[Any]],
        table: Callable[[str], pl.DataFrame],
    ) -> None:
        self.classes = classes
        self.shared = shared
        self.array = array
        self.table = table
        self._made: dict[int, Any] = {}

    def unpack(self, packed: Any) -> Any:
        """Put a value together."""
        if not isinstance(packed, dict):
            return packed
        ((kind, of),) = packed.items()
        match kind:
            case "float":
                return float(of)
            case "list":
                return [self.unpack(v) for v in of] if any(map(_is_packed, of)) else list(of)
            case "tuple":
                return tuple(map(self.unpack, of))
            case "set":
                return frozenset(map(self.unpack, of))
            case "map":
                return {key: self.unpack(v) for key, v in of.items()}
            case "pairs":
                return {self.unpack(key): self.unpack(v) for key, v in of}
            case "array":
                return self.array(of)
            case "table":
                return self.table(of)
            case "shared":
                if of not in self._made:
                    self._made[of] = self.unpack(self.shared[of])
                return self._made[of]
            case "sparse":
                from scipy.sparse import csr_array

                parts = tuple(self.unpack(of[key]) for key in ("data", "indices", "indptr"))
                return csr_array(parts, shape=tuple(of["shape"]))
        made = getattr(import_module(self.classes[kind]), kind)
        if issubclass(made, BaseModel):
            return made.model_validate(of)
        return made(**{key: self.unpack(part) for key, part in of.items()})


def _is_packed(value: Any) -> bool:
    return isinstance(value, dict)
