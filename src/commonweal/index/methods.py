"""A method as a study names it: checked when the study is read, a function when it is run.

A method is a name (``z_score``), a name with settings (``{z_score: {sd: 10}}``) or a function of the
same signature: from Python the function itself, in a study where Python finds it (``{python:
mymodule.halved}``). Names and settings are those of the functions themselves.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from pydantic import TypeAdapter, ValidationError

from commonweal.errors import DataError, UnknownNameError, nearest

__all__ = [
    "Function",
    "How",
    "MethodError",
    "as_data",
    "checked_method",
    "function_of",
    "imported",
    "name_of",
    "refuse_at_once",
    "settings_of",
    "takes",
    "with_setting",
]

Function: TypeAlias = Callable[..., Any]

_PYTHON = "python"
"""The key under which a study names a function of Python's."""

How: TypeAlias = str | dict[str, dict[str, Any]] | Function
"""A method: its name, its name with settings, or a function."""


class MethodError(ValueError):
    """A method that a study may not name so.

    Parameters
    ----------
    message
        What was found and what was expected.
    *path
        Keys from the method down to the fault.
    """

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


def name_of(how: How) -> str:
    """Give a method's name; of a function, its own.

    Examples
    --------
    >>> name_of({"z_score": {"sd": 10}})
    'z_score'
    """
    if isinstance(how, str):
        return how
    if isinstance(how, dict):
        return next(iter(how))
    return getattr(how, "__name__", type(how).__name__)


def settings_of(how: How) -> dict[str, Any]:
    """Give the settings that stand beside a method's name.

    Examples
    --------
    >>> settings_of({"z_score": {"sd": 10}}), settings_of("z_score")
    ({'sd': 10}, {})
    """
    return dict(next(iter(how.values()))) if isinstance(how, dict) else {}


def function_of(
    how: How, known: Mapping[str, Function], kind: str = "method", **more: Any
) -> Function:
    """Give the function of a method, with its settings; `more` holds where it has none.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    """
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
) -> How:
    """Check a method against the functions known.

    Parameters
    ----------
    how
        What was found.
    known
        Functions by name.
    kind
        What they are, for messages.
    inside
        Parameters that the tree gives and a study does not, besides the first.

    Returns
    -------
    str, dict or function
        The name alone where there are no settings.

    Raises
    ------
    MethodError
        If there is no such method, or its settings are not those that the function takes.

    Examples
    --------
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


def as_data(how: How) -> str | dict[str, Any]:
    """Give a method as a study names it; of a function, where Python would find it.

    Examples
    --------
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
    """Import the function that a study names; the code of its module is run.

    Raises
    ------
    MethodError
        If Python does not find it.
    """
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
        | {"Sequence": Sequence, "Matrix": Any, "Weights": Any},
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


def takes(how: How, key: str, known: Mapping[str, Function], inside: Collection[str] = ()) -> bool:
    """Say whether a method has a setting of this name.

    Examples
    --------
    >>> takes("double", "by", {"double": lambda x, by=2: by * x})
    True
    """
    if callable(how):
        return key in inspect.signature(how).parameters
    return key in _parameters(known[name_of(how)], inside)


def with_setting(how: How, key: str, value: Any) -> How:
    """Give a method with one setting in place of its own.

    Examples
    --------
    >>> with_setting({"double": {"by": 2}}, "by", 3)
    {'double': {'by': 3}}
    """
    if callable(how):
        return partial(how, **{key: value})
    return {name_of(how): {**settings_of(how), key: value}}
