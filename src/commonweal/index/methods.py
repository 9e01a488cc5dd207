"""Methods as a study names them: functions, and what their arguments may be."""

from __future__ import annotations

import inspect
import math
import sys
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial, wraps
from importlib import import_module
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
from pydantic import BaseModel, TypeAdapter, ValidationError

from commonweal.errors import DataError, UnknownNameError, nearest

__all__ = [
    "AboveZero",
    "AtLeastZero",
    "Count",
    "Declared",
    "Finite",
    "Function",
    "MethodError",
    "MethodSpec",
    "Share",
    "StrictModel",
    "Whole",
    "Within",
    "as_data",
    "checked_method",
    "declared",
    "function_of",
    "imported",
    "name_of",
    "refuse_at_once",
    "settings_into",
    "settings_of",
    "shown",
    "strict",
    "takes",
    "with_setting",
]


_LONGEST = 80
"""Letters of a value that a message shows: a table in the place of a number would fill the screen."""

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C")


def shown(value: object) -> str:
    """Show a value in a message, its beginning if it is long.

    >>> shown("halls"), len(shown(list(range(1000))))
    ("'halls'", 80)
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


@dataclass(frozen=True, slots=True)
class Within:
    """A number from `low` to `high`, both included."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False  # whether `low` itself is too little
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
    """What one parameter takes, as its annotation says it."""

    choices: tuple[str, ...] = ()  # the texts that it takes; none if it takes no choice
    number: Within | None = None  # the numbers that it takes; None if it takes none
    whole: bool = False  # whether these have to be whole
    # flag, text, nothing: whether it takes true and false (or 1 and 0), any text, and None
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
    """Read what a function's parameters take; those that say no more than 'data' are left out."""
    inner = inspect.unwrap(function)
    names = getattr(inner, "__globals__", None) or vars(sys.modules[inner.__module__])
    found = {}
    for name, hint in inner.__annotations__.items():
        takes = None if name == "return" else _read(_resolved(hint, names))
        if takes is not None:
            found[name] = takes
    return found


def strict(function: F) -> F:
    """Make a function, or a frozen dataclass, refuse what its signature does not declare."""
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
    """Make settings from what may be a mapping of them."""
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


Function: TypeAlias = Callable[..., Any]

_PYTHON = "python"
"""The key under which a study names a function of Python's."""

MethodSpec: TypeAlias = str | dict[str, dict[str, Any]] | Function
"""A method: its name, its name with settings, or a function."""


class MethodError(ValueError):
    """A method that a study may not name so."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


def name_of(how: MethodSpec) -> str:
    """Give a method's name; of a function, its own.

    >>> name_of({"z_score": {"sd": 10}})
    'z_score'
    """
    if isinstance(how, str):
        return how
    if isinstance(how, dict):
        return next(iter(how))
    return getattr(how, "__name__", type(how).__name__)


def settings_of(how: MethodSpec) -> dict[str, Any]:
    """Give the settings that stand beside a method's name.

    >>> settings_of({"z_score": {"sd": 10}}), settings_of("z_score")
    ({'sd': 10}, {})
    """
    return dict(next(iter(how.values()))) if isinstance(how, dict) else {}


def function_of(
    how: MethodSpec, known: Mapping[str, Function], kind: str = "method", **more: Any
) -> Function:
    """Give the function of a method, with its settings; `more` holds where it has none."""
    if callable(how):
        return how
    settings = {**more, **settings_of(how)}
    name = name_of(how)
    if name not in known:
        raise UnknownNameError(kind, str(name), known)
    function = known[name]
    return partial(function, **settings) if settings else function


def checked_method(
    how: Any, known: Mapping[str, Function], kind: str, inside: Collection[str] = ()
) -> MethodSpec:
    """Check a method against the functions known.

    >>> checked_method({"double": {"by": 2}}, {"double": lambda x, by=2: by * x}, "method")
    {'double': {'by': 2}}
    """
    if callable(how):
        return how
    if isinstance(how, dict):
        if set(how) == {_PYTHON}:
            return imported(how[_PYTHON])
        if len(how) != 1:
            found = ", ".join(map(str, how)) or "nothing"
            raise MethodError(f"found {found}; expected one {kind} with its settings")
        name, settings = next(iter(how.items()))
    else:
        name, settings = how, {}
    if not isinstance(name, str) or name not in known:
        raise MethodError(f"{kind} {name!r} not found; {nearest(str(name), known)}")
    if settings is None:
        settings = {}
    if not isinstance(settings, dict):
        raise MethodError(f"found {settings!r}; expected settings by name", name)
    taken = _parameters(known[name], inside)
    for key in settings:
        if key not in taken:
            valid = nearest(str(key), taken) if taken else f"{name} takes none"
            raise MethodError(f"no such setting; {valid}", name, str(key))
    missing = [k for k, (_, needed) in taken.items() if needed and k not in settings]
    if missing:
        raise MethodError(f"needs {' and '.join(missing)}: {{{name}: {{{missing[0]}: ...}}}}")
    checked = {key: _value(value, taken[key][0], name, key) for key, value in settings.items()}
    return {name: checked} if checked else name


def as_data(how: MethodSpec) -> str | dict[str, Any]:
    """Give a method as a study names it; of a function, where Python would find it.

    >>> import statistics
    >>> as_data("z_score"), as_data(statistics.harmonic_mean)
    ('z_score', {'python': 'statistics.harmonic_mean'})
    """
    if not callable(how):
        return how
    kind = type(how)
    module = getattr(how, "__module__", None) or kind.__module__
    return {_PYTHON: f"{module}.{getattr(how, '__qualname__', kind.__qualname__)}"}


def imported(name: Any) -> Function:
    """Import the function that a study names; the code of its module is run."""
    parts = name.split(".") if isinstance(name, str) else []
    if len(parts) < 2 or not all(p.isidentifier() for p in parts) or parts[0] == "__main__":
        raise MethodError(
            f"found {name!r}; expected a function in a module that Python finds, such as mymodule.halved",
            _PYTHON,
        )
    home = ".".join(parts[:-1])
    try:
        function = getattr(import_module(home), parts[-1], None)
    except (Exception, SystemExit) as error:  # whatever the code of a module may raise
        said = " ".join(str(error).split())[:200]
        raise MethodError(
            f"module '{home}' cannot be imported ({type(error).__name__}: {said}); "
            "Python looks among what is installed and in the folders of PYTHONPATH",
            _PYTHON,
        ) from None
    if not callable(function):
        raise MethodError(f"module '{home}' has no function '{parts[-1]}'", _PYTHON)
    return function


def _parameters(function: Function, inside: Collection[str]) -> dict[str, tuple[Any, bool]]:
    """Give the settings of a function: the type of each, and whether it has to be given."""
    hints = typing.get_type_hints(
        function,
        localns=dict.fromkeys(("ArrayLike", "Floats"), list[float])
        | {"Sequence": Sequence, "Matrix": Any, "WeightsLike": Any},
    )
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {
        p.name: (hints.get(p.name, Any), p.default is p.empty)
        for p in parameters
        if p.name not in inside
    }


def _value(value: Any, kind: Any, name: str, key: str) -> Any:
    # True is 1 to Python, and "3" is 3 to pydantic; to who writes a study they are mistakes.
    try:
        held = TypeAdapter(kind).validate_python(value, strict=False)
    except ValidationError as error:
        expected = error.errors()[0]["msg"].replace("Input should be ", "")
        raise MethodError(f"found {value!r}; expected {expected}", name, key) from None
    wrong = (isinstance(value, bool) != isinstance(held, bool)) or (
        isinstance(value, str) and not isinstance(held, str)
    )
    if wrong or (isinstance(held, float) and np.isnan(held)):
        raise MethodError(f"found {value!r}; expected a number", name, key)
    return held


def refuse_at_once(function: Function, *nothing: Any) -> None:
    """Raise what the settings themselves are refused for, by calling the function on no units."""
    try:
        function(*nothing)
    except DataError as error:
        raise MethodError(str(error)) from None


def takes(
    how: MethodSpec, key: str, known: Mapping[str, Function], inside: Collection[str] = ()
) -> bool:
    """Say whether a method has a setting of this name.

    >>> takes("double", "by", {"double": lambda x, by=2: by * x})
    True
    """
    if callable(how):
        return key in inspect.signature(how).parameters
    return key in _parameters(known[name_of(how)], inside)


def with_setting(how: MethodSpec, key: str, value: Any) -> MethodSpec:
    """Give a method with one setting in place of its own.

    >>> with_setting({"double": {"by": 2}}, "by", 3)
    {'double': {'by': 3}}
    """
    if callable(how):
        return partial(how, **{key: value})
    return {name_of(how): {**settings_of(how), key: value}}
