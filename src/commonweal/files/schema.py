"""YAML against its schema: what is wrong in a file, in lines that a person can act on."""

from __future__ import annotations

import math
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from commonweal.errors import DataError, UnknownNameError, nearest
from commonweal.files.inputs import name_value, quote_hint, read_keys, read_text, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from pydantic_core import ErrorDetails


MOST_FAULTS = 3
"""How many faults are told at once."""

TOO_SHORT = ("too_short", "string_too_short")
OTHER_KIND = ("string_type", "model_type", "dict_type", "tuple_type", "literal_error")
PLAINLY = {
    "model_type": "expected keys with values",
    "dict_type": "expected keys with values",
    "tuple_type": "expected a list",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
}


class FieldError(ValueError):
    """A fault at a field below the one that is being checked."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


def explain(
    error: ValidationError, model: type[BaseModel], where: str, text: str, base: str = ""
) -> str:
    """Turn pydantic's account into lines that name field, line, found and expected.

    `base` is the file over which the text was laid: what the text does not say is from there.
    """
    faults = list(_told_ones(error.errors(), model))
    lines = []
    for fault in faults[:MOST_FAULTS]:
        loc = [*fault["loc"], *getattr(fault.get("ctx", {}).get("error"), "path", ())]
        shown = [str(part) for part in loc if not _is_branch(loc, part, model)]
        field = f" {'.'.join(shown)}:" if shown else ""
        line, written = _line_of(shown, text)
        reason = _reason(fault, model)
        if base and not written and fault["type"] == "extra_forbidden":
            reason = (
                f"comes from {base}, and is no key beside what stands there now; write '{shown[-1]}: null' to take it "
                f"out ({nearest(shown[-1], _keys_beside(model, fault['loc']))})"
            )
        lines.append(f"{where}{line}:{field} {reason}")
    more = len(faults) - MOST_FAULTS
    return "\n".join(lines) + (f" (and {more} more)" if more > 0 else "")


def _is_branch(loc: Sequence[str | int], part: str | int, model: type[BaseModel]) -> bool:
    """Names that pydantic adds for the branches of a union are no fields of the file.

    A model says in ``BRANCHES`` which those are below a key of its own.
    """
    named = str(part)
    return (
        (loc[0] == "designate" and named == "condition")
        or any(key in loc[:2] and named in of for key, of in getattr(model, "BRANCHES", {}).items())
        or (loc[0] == "prepare" and named == "float")
        or named.startswith(("function-", "literal[", "tuple["))
        or named == "[key]"
    )


def _told_ones(faults: Sequence[Any], model: type[BaseModel]) -> Iterator[Any]:
    """Leave out what only follows from another fault.

    Of a union, the branches that were not meant: those with more keys unknown or missing. Beside
    an unknown key, the missing ones: the unknown one is likely one of them, misspelt. Beside a fault
    in a list, that the list is too short without it.
    """
    cost: dict[tuple[Any, ...], dict[Any, int]] = {}
    for fault in faults:
        loc = fault["loc"]
        for i, part in enumerate(loc):
            if _is_branch(loc, part, model) and part not in ("condition", "[key]"):
                branches = cost.setdefault(loc[:i], {})
                price = 10 if i + 1 == len(loc) and fault["type"] in OTHER_KIND else 0
                price += fault["type"] in ("extra_forbidden", "missing")
                branches[part] = branches.get(part, 0) + price
    best = {prefix: min(of, key=of.__getitem__) for prefix, of in cost.items()}
    misspelt = {f["loc"][:-1] for f in faults if f["type"] == "extra_forbidden"}
    for fault in faults:
        loc = fault["loc"]
        meant = all(best.get(loc[:i], part) == part for i, part in enumerate(loc))
        follows = (fault["type"] == "missing" and loc[:-1] in misspelt) or (
            fault["type"] in TOO_SHORT
            and any(f["loc"][: len(loc)] == loc for f in faults if f is not fault)
        )
        if meant and not follows:
            yield fault


def _reason(fault: Any, model: type[BaseModel]) -> str:
    kind, found, loc = fault["type"], fault["input"], fault["loc"]
    if kind == "extra_forbidden":
        return f"unknown key; {nearest(str(loc[-1]), _keys_beside(model, loc))}"
    if kind == "missing":
        return "missing; it is needed"
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    if kind == "invalid_key" or loc[-1] == "[key]":
        return f"the key {name_value(found)} is not text; put it in quotes"
    if kind in TOO_SHORT:
        least = fault["ctx"]["min_length"]
        told = f"{len(found)} in a list" if isinstance(found, list) and found else name_value(found)
        return f"found {told}; expected at least {'one' if least == 1 else least}"
    if loc[-2:] == ("worst", "share"):  # the file says 150%, which is held as 1.5
        return f"found {found * 100:g}%; expected a share above 0% and below 100%"
    expected = PLAINLY.get(kind) or fault["msg"].replace("Input should be ", "expected ")
    hint = quote_hint(found) if kind == "string_type" else ""
    if kind == "literal_error" and isinstance(found, str):
        valid = str(fault["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        hint = f"; {nearest(found, valid)}" if len(valid) > 1 else ""
        hint = hint if "did you mean" in hint else ""
    return f"found {name_value(found)}; {expected}{hint}"


def _keys_beside(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Give the keys that are valid where an unknown one was found."""
    here: list[Any] = [model]
    for part in loc[:-1]:
        by_name = [m for m in here if m.__name__ == part]
        if by_name:
            here = by_name
            continue
        below: list[Any] = []
        for m in here:
            for name, about in m.model_fields.items():
                if part in (name, about.alias):
                    below += _models(about.annotation)
        here = below or here
    keys: set[str] = set()
    for m in here:
        keys |= {about.alias or name for name, about in m.model_fields.items()}
        if "condition" in m.model_fields:  # a rule takes a condition's keys beside its own
            for condition in _models(m.model_fields["condition"].annotation):
                keys |= set(condition.model_fields)
            keys.discard("condition")
    return sorted(keys - {"name", "folder"} if len(loc) == 1 else keys)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Find the models inside an annotation such as ``dict[str, Rule] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in typing.get_args(annotation) for m in _models(inner)]


def _line_of(path: Sequence[str], text: str) -> tuple[str, bool]:
    """Find the line of a field by following its keys down the YAML tree, and whether it is there itself."""
    import yaml

    node = read_tree(text)
    line, found = None, 0
    for part in path:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, node, found = key.start_mark.line, value, found + 1
                    break
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line, found = node.start_mark.line, found + 1
    return f", line {line + 1}" if line is not None else "", found == len(path)


M = TypeVar("M", bound="FileModel")
N = TypeVar("N", bound=BaseModel)

MOST, LEAST = 1e15, 1e-15
"""In size; more money than there is in the world, and products of a few of these are still numbers."""


class FileModel(BaseModel):
    """What a file holds: no unknown keys, nothing that is not a number for a number, no change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=False
    )


def shipped(folder: Traversable) -> list[str]:
    """Name the YAML files of a packaged folder, without their ending."""
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml"))


def load(name: str, folder: Traversable, kind: str, model: type[M]) -> tuple[str, M]:
    """Read and check a file that ships, by its name, or any by its path."""
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        return path.stem, read_model(read_text(path), name, model)
    if name not in shipped(folder):
        raise UnknownNameError(kind, name, shipped(folder), " among those that ship")
    return name, read_model(read_text(folder / f"{name}.yaml"), name, model)


def read_model(text: str, where: str, model: type[M]) -> M:
    """Read YAML and check it."""
    return read_data(read_keys(text, where, _first(model)), where, model)


def checked(model: type[N], fields: Mapping[str, Any], where: str) -> N:
    """Make a model of fields that are at hand, or say the first fault in one line; an unknown key before all."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        fault = min(error.errors(), key=lambda f: f["type"] != "extra_forbidden")
    loc = [str(p) for p in fault["loc"] if not _is_branch(fault["loc"], p, model)]
    field = ".".join(loc)
    if fault["type"] == "extra_forbidden":
        raise DataError(
            f"{where}: unknown key '{field}'; {nearest(loc[-1], _keys(model, loc[:-1]))}"
        )
    if fault["type"] == "missing":
        raise DataError(f"{where}: '{field}' is missing")
    said = fault["msg"].removeprefix("Value error, ")
    raise DataError(
        f"{where}: '{field}': {said} (found {fault['input']!r})" if field else f"{where}: {said}"
    )


def read_data(data: Any, where: str, model: type[M]) -> M:
    """Check plain data."""
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
