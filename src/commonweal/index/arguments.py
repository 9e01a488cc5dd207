"""What a function takes, declared in its signature and held to before it runs.

A `Literal`, a `bool`, a `str` or a number, within bounds or not (`Share`, `Count`, any `Within` of
your own), in the annotation of a parameter is a promise; `strict` keeps it. So what is valid is
said once, where the reader looks, and one test tries what is not on every function there is.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import wraps
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

import numpy as np
from pydantic import BaseModel, ValidationError

from commonweal.errors import DataError, UnknownNameError, nearest

__all__ = [
    "AboveZero",
    "AtLeastZero",
    "Count",
    "Declared",
    "Finite",
    "Share",
    "StrictModel",
    "Whole",
    "Within",
    "declared",
    "settings_into",
    "shown",
    "strict",
]

_LONGEST = 80
"""Letters of a value that a message shows: a table in the place of a number would fill the screen."""

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C")


def shown(value: object) -> str:
    """Show a value in a message, its beginning if it is long.

    Examples
    --------
    >>> shown("halls"), len(shown(list(range(1000))))
    ("'halls'", 80)
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


@dataclass(frozen=True, slots=True)
class Within:
    """A number from `low` to `high`, both included.

    Attributes
    ----------
    low, high
        The ends.
    above
        Whether `low` itself is too little.
    finite
        Whether infinities are refused.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    finite: bool = True

    def __contains__(self, value: float) -> bool:
        enough = value > self.low if self.above else value >= self.low
        return enough and value <= self.high and not (self.finite and math.isinf(value))

    def __str__(self) -> str:
        if self.low == -math.inf:
            return "" if self.high == math.inf else f" of {self.high:g} or less"
        if self.high == math.inf:
            return f" above {self.low:g}" if self.above else f" of {self.low:g} or more"
        return f" {'above' if self.above else 'from'} {self.low:g} to {self.high:g}"


Finite: TypeAlias = Annotated[float, Within()]
Share: TypeAlias = Annotated[float, Within(0, 1)]
AtLeastZero: TypeAlias = Annotated[float, Within(0)]
AboveZero: TypeAlias = Annotated[float, Within(0, above=True)]
Whole: TypeAlias = Annotated[int, Within(0)]
Count: TypeAlias = Annotated[int, Within(1)]

_ANY = Within(finite=False)
_BRANCHES = ("function-", "literal[", "tuple[", "dict[")
"""What pydantic calls the branches of a union; they are no settings."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What one parameter takes, as its annotation says it.

    Attributes
    ----------
    choices
        The texts that it takes; none if it takes no choice.
    number
        The numbers that it takes; None if it takes none.
    whole
        Whether these have to be whole.
    flag, text, nothing
        Whether it takes true and false (or 1 and 0), any text, and None.
    """

    choices: tuple[str, ...] = ()
    number: Within | None = None
    whole: bool = False
    flag: bool = False
    text: bool = False
    nothing: bool = False

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, str):
            return self.text or value in self.choices
        if value is None:
            return self.nothing
        if isinstance(value, bool | np.bool_) or (self.flag and value in (0, 1)):
            return self.flag
        if self.number is None or not isinstance(value, Real):
            return False
        return float(value) in self.number and (isinstance(value, Integral) or not self.whole)

    def refuse(self, name: str, value: Any) -> None:
        """Raise if a value is not what the parameter takes."""
        if value in self:
            return
        if self.choices and self.number is None and isinstance(value, str):
            raise UnknownNameError(name, value, self.choices)
        found = f"{value:g}" if isinstance(value, float) else shown(value)
        raise DataError(f"{name}: {found} found; expected {self}")

    def __str__(self) -> str:
        told = []
        if self.number is not None:
            kind = "whole " if self.whole else "finite " if self.number == Within() else ""
            told.append(f"a {kind}number{self.number}")
        if len(self.choices) == 1:
            told.append(f"'{self.choices[0]}'")
        elif self.choices:
            told.append(f"one of: {', '.join(sorted(self.choices))}")
        told += ["True or False"] * self.flag + ["text"] * self.text + ["None"] * self.nothing
        return ", or ".join(told)


def declared(function: Callable[..., Any]) -> dict[str, Declared]:
    """Read what a function's parameters take; those that say no more than 'data' are left out.

    Examples
    --------
    >>> def rank(x: object, ties: Literal["min", "max"] = "min", most: Count = 5): ...
    >>> for name, takes in declared(rank).items():
    ...     print(name, "takes", takes)
    ties takes one of: max, min
    most takes a whole number of 1 or more
    """
    inner = inspect.unwrap(function)
    names = getattr(inner, "__globals__", None) or vars(sys.modules[inner.__module__])
    found = {}
    for name, hint in inner.__annotations__.items():
        takes = None if name == "return" else _read(_resolved(hint, names))
        if takes is not None:
            found[name] = takes
    return found


def strict(function: F) -> F:
    """Make a function, or a frozen dataclass, refuse what its signature does not declare.

    Raises
    ------
    UnknownNameError
        If a text is none of the choices.
    DataError
        If a number is out of its range or not whole, or a value of another kind.

    Examples
    --------
    >>> @strict
    ... def rank(x: object, ties: Literal["min", "max"] = "min"): ...
    >>> rank([1, 2], ties="mix")
    Traceback (most recent call last):
    commonweal.errors.UnknownNameError: ties 'mix' not found; expected one of: max, min
    """
    if isinstance(function, type):
        # A dataclass writes its own __init__, with the annotations of its fields.
        function.__init__ = strict(function.__init__)  # type: ignore[misc]
        return cast("F", function)
    order = list(inspect.signature(function).parameters)
    takes: dict[str, Declared] | None = None

    @wraps(function)
    def held(*args: Any, **kwargs: Any) -> Any:
        nonlocal takes
        if takes is None:
            takes = declared(function)
        for name, value in (*zip(order, args, strict=False), *kwargs.items()):
            if name in takes:
                takes[name].refuse(name, value)
        return function(*args, **kwargs)

    return cast("F", held)


def settings_into(kind: type[C], given: C | Mapping[str, Any], where: str) -> C:
    """Make settings from what may be a mapping of them.

    Parameters
    ----------
    kind
        A dataclass of settings.
    given
        One, or what to make one from.
    where
        What they are for, for messages.

    Raises
    ------
    UnknownNameError
        If there is no such setting.
    DataError
        If it is neither, or a setting is out of its range.

    Examples
    --------
    >>> settings_into(Within, {"lo": 1}, "whisker")
    Traceback (most recent call last):
    commonweal.errors.UnknownNameError: setting 'lo' not found (whisker); did you mean 'low'?
    """
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise DataError(
            f"{where}: {shown(given)} found; expected a {kind.__name__} or its settings"
        )
    known = [f.name for f in fields(cast("Any", kind))]
    for key in given:
        if key not in known:
            raise UnknownNameError("setting", str(key), known, f" ({where})")
    try:
        return kind(**given)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


class StrictModel(BaseModel):
    """A model whose first fault is an error of this package, where it is made in Python.

    Inside another model, and so in a study, faults are pydantic's own: these know the line.

    Examples
    --------
    >>> class Place(StrictModel):
    ...     people: int = 0
    >>> Place(people="many")
    Traceback (most recent call last):
    commonweal.errors.DataError: Place: people: found 'many'; expected a valid integer...
    """

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise DataError(_told(type(self), error)) from None

    # pydantic makes models inside others without __init__ where that is known to be its own.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **how: Any) -> Self:
        """Make a model from a mapping; raises `DataError`."""
        try:
            return super().model_validate(obj, **how)
        except ValidationError as error:
            raise DataError(_told(cls, error)) from None


def _told(model: type[BaseModel], error: ValidationError) -> str:
    """Say what the first fault is, and where."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    path = [*first["loc"], *getattr(cause, "path", ())]
    where = [str(part) for part in path if not str(part).startswith(_BRANCHES)]
    said = first["msg"].replace("Input should be ", "expected ", 1)
    if first["type"] == "extra_forbidden":
        said = f"no such setting; {nearest(where[-1], model.model_fields)}"
    elif first["type"] != "missing":
        said = f"found {first['input']!r}; {said}" if cause is None else str(cause)
    return ": ".join([model.__name__, *([".".join(where)] if where else []), said])


def _resolved(hint: Any, names: Mapping[str, Any]) -> Any:
    """Evaluate an annotation; of one that only type checkers can read, nothing is known."""
    try:
        return eval(hint, dict(names)) if isinstance(hint, str) else hint
    except NameError:
        return None


def _read(hint: Any) -> Declared | None:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        takes, bounds = _read(args[0]), [a for a in args[1:] if isinstance(a, Within)]
        return replace(takes, number=bounds[0]) if takes and bounds else takes
    if origin is Literal and all(isinstance(a, str) for a in args):
        return Declared(choices=args)
    if origin in (Union, UnionType):
        parts = [_read(a) for a in args]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        return Declared(
            tuple(c for part in known for c in part.choices),
            next((part.number for part in known if part.number is not None), None),
            all(part.whole for part in known if part.number is not None),
            *(any(getattr(part, what) for part in known) for what in ("flag", "text", "nothing")),
        )
    plain: dict[Any, Declared] = {
        NoneType: Declared(nothing=True),
        bool: Declared(flag=True),
        int: Declared(number=_ANY, whole=True),
        float: Declared(number=_ANY),
        str: Declared(text=True),
    }
    return plain.get(hint) if isinstance(hint, type) or hint is None else None
