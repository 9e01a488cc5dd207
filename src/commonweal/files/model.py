"""YAML files of this room, checked against what they may hold."""

from __future__ import annotations

import math
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.files.yaml import name_value, read_keys, read_text

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pydantic_core import ErrorDetails

__all__ = ["Data", "load", "read_data", "read_model", "shipped"]

M = TypeVar("M", bound="Data")

MOST, LEAST = 1e15, 1e-15
"""In size; more money than there is in the world, and products of a few of these are still numbers."""


class Data(BaseModel):
    """What a file holds: no unknown keys, nothing that is not a number for a number, no change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=False
    )


def shipped(folder: Traversable) -> list[str]:
    """Name the YAML files of a packaged folder, without their ending."""
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml"))


def load(name: str, folder: Traversable, kind: str, model: type[M]) -> tuple[str, M]:
    """Read and check a file that ships, by its name, or any by its path.

    Parameters
    ----------
    name
        Of one in `folder`, or the path of a file, which ends in ``.yaml`` or ``.yml``.
    folder
        Where those lie that ship.
    kind
        What it is, for messages.
    model
        What it may hold.

    Returns
    -------
    tuple
        The short name of the file, and what it holds.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    DataError
        If the file is not there, cannot be read, or is not what `model` may hold.
    """
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        return path.stem, read_model(read_text(path), name, model)
    if name not in shipped(folder):
        raise UnknownNameError(kind, name, shipped(folder), " among those that ship")
    return name, read_model(read_text(folder / f"{name}.yaml"), name, model)


def read_model(text: str, where: str, model: type[M]) -> M:
    """Read YAML and check it.

    Raises
    ------
    DataError
        If it is not YAML, or not what `model` may hold; the message names `where` and the field.
    """
    return read_data(read_keys(text, where, _first(model)), where, model)


def read_data(data: Any, where: str, model: type[M]) -> M:
    """Check plain data.

    Raises
    ------
    DataError
        If it is not what `model` may hold; the message names `where` and the field.
    """
    if not isinstance(data, dict):
        raise DataError(f"{where}: found {name_value(data)}; expected keys such as {_first(model)}")
    _refuse_extremes(data, where)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise DataError(_told(error, where, model)) from None


def _refuse_extremes(value: Any, where: str, *path: str) -> None:
    """Refuse numbers that nothing is as large or as small as: sums with them would be infinite."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            _refuse_extremes(inner, where, *path, str(key))
    elif isinstance(value, int | float) and value and not LEAST <= abs(value) <= MOST:
        if isinstance(value, float) and not math.isfinite(value):
            return  # the field says what it expects
        expected = f"expected 0, or {LEAST:g} to {MOST:g} in size"
        raise DataError(f"{where}: {'.'.join(path)}: found {value:g}; {expected}")


def _first(model: type[BaseModel]) -> str:
    """Name some keys that a model may have."""
    return ", ".join(list(model.model_fields)[:4])


def _told(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """Say up to three faults, a line each: what is missing together, then unknown keys."""
    faults = sorted(_causes(error), key=lambda f: f["type"] != "extra_forbidden")
    missing = [".".join(map(str, f["loc"])) for f in faults if f["type"] == "missing"]
    told = []
    if len(missing) > 1:
        faults = [f for f in faults if f["type"] != "missing"]
        told = [f"{where}: {', '.join(missing)}: missing; they are needed"]
    for fault in faults[:3]:
        loc = [str(part) for part in fault["loc"]]
        field = f" {'.'.join(loc)}:" if loc else ""
        if fault["type"] == "extra_forbidden":
            said = f"unknown key; {nearest(loc[-1], _keys(model, loc[:-1]))}"
        elif fault["type"] == "missing":
            said = "missing; it is needed"
        elif fault["type"] == "value_error":
            said = str(fault["ctx"]["error"])
        else:
            expected = fault["msg"].replace("Input should be", "expected")
            said = f"found {fault['input']!r}; {expected[0].lower()}{expected[1:]}"
        told.append(f"{where}:{field} {said}")
    more = len(faults) - 3
    return "\n".join(told) + (f" (and {more} more)" if more > 0 else "")


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Leave out what follows from another fault: a list that is too short because its items are wrong."""
    faults = error.errors()
    return [
        f
        for f in faults
        if f["type"] != "too_short"
        or not any(g is not f and g["loc"][: len(f["loc"])] == f["loc"] for g in faults)
    ]


def _keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """Give the keys that are valid at the end of a path."""
    here = [model]
    for part in path:
        fields = [m.model_fields[part].annotation for m in here if part in m.model_fields]
        here = [m for f in fields for m in _models(f)] or here
    return sorted({key for m in here for key in m.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in typing.get_args(annotation) for m in _models(inner)]
