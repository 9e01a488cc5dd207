"""An audit log, from which an index is rebuilt to the same bytes by known functions."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.framework import Node
from commonweal.index.impute import impute_columns, impute_regression, impute_rows
from commonweal.index.normalise import NORMALISERS, normalise
from commonweal.index.panel import impute_panel
from commonweal.index.rank import rank
from commonweal.index.rates import denominate, shrink_counts, shrink_means
from commonweal.index.score import score_tree
from commonweal.index.screen import screen_indicators, screen_units
from commonweal.index.tables import Floats
from commonweal.index.treat import treat

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


__all__ = [
    "Function",
    "Log",
    "LoggedStep",
    "Trail",
    "digest",
    "from_json",
    "rebuild",
    "run",
    "start",
    "to_json",
]


Function: TypeAlias = Callable[..., Floats]
"""Takes arrays in order and settings by name, and gives one array."""


def _denominate(x: Floats, denominators: Floats, **settings: Any) -> Floats:
    return denominate(x, settings.pop("names"), denominators, **settings)


def _normalise(x: Floats, how: str = "min_max", **settings: Any) -> Floats:
    if how not in NORMALISERS:
        raise UnknownNameError("normaliser", how, NORMALISERS)
    return normalise(x, how, **settings)


def _score(
    x: Floats,
    tree: Mapping[str, Any],
    names: Sequence[str],
    index: str = "index",
    codes: Sequence[str] | None = None,
) -> Floats:
    """Score every node: (n_units, n_nodes), parents first, as `Node.walk` gives them."""
    at = {name: j for j, name in enumerate(names)}

    def leaf(name: str) -> Floats:
        if name not in at:
            raise UnknownNameError("indicator", name, at)
        return x[:, at[name]]

    need, _ = score_tree(index, Node.model_validate(tree), leaf, codes=codes)
    return np.column_stack(list(need.values()))


def _units_kept(x: Floats, **settings: Any) -> Floats:
    units = [str(i) for i in range(len(x))]
    return screen_units(x, settings.pop("units", units), **settings).kept.astype(np.float64)


def _columns(x: Floats, kept: Floats) -> Floats:
    return x[:, kept.astype(np.bool_)]


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "denominate": _denominate,
        "impute_columns": lambda x, **s: impute_columns(x, **s).values,
        "impute_rows": lambda x, **s: impute_rows(x, **s).values,
        "impute_regression": lambda x, **s: impute_regression(x, **s).values,
        "impute_panel": lambda x, **s: impute_panel(x, **s).values,
        "shrink_counts": lambda events, at_risk, **s: shrink_counts(events, at_risk, **s).value,
        "shrink_means": lambda means, errors, **s: shrink_means(means, errors, **s).value,
        "units_kept": _units_kept,
        "indicators_kept": lambda x, **s: screen_indicators(x, **s).kept.astype(np.float64),
        "rows": lambda x, kept: x[kept.astype(np.bool_)],
        "columns": _columns,
        "treat": lambda x, **s: treat(x, **s).values,
        "normalise": _normalise,
        "score": _score,
        "rank": lambda x, **s: np.column_stack([rank(column, **s) for column in x.T]),
    }
)
"""What a log may call, by name; settings are those of the functions of the same name. ``denominate``
takes values and denominators, ``shrink_counts`` events and those at risk, ``shrink_means`` means and
standard errors, a column each; ``units_kept`` and ``indicators_kept`` give 1 for those that stay and
0 for the rest, which ``rows`` and ``columns`` take after the values; ``score`` takes normalised
values, a ``tree``, the ``names`` of the columns, the name of the ``index`` and, for a distance to a
reference area, the ``codes``, and gives every node, parents first; ``rank`` ranks each column, 1 = highest."""


Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LoggedStep(BaseModel):
    """One step, as plain data.

    Attributes
    ----------
    name
        What its result is called.
    function
        Name in the registry of functions.
    takes
        Names of the inputs or earlier results that it takes, in order.
    settings
        What else it takes, by name: numbers, texts, lists and mappings of these.
    went_in, came_out
        Digests of the arrays.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1)
    function: str
    takes: list[str] = Field(min_length=1)
    settings: dict[str, Any] = Field(default_factory=dict)
    went_in: list[Sha256]
    came_out: Sha256


class Log(BaseModel):
    """What was done, in order.

    Attributes
    ----------
    made_with
        Versions of what computed it, for the case that another one computes something else.
    inputs
        Digest by name of each input.
    steps
        The steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    made_with: dict[str, str]
    inputs: dict[str, Sha256]
    steps: list[LoggedStep] = Field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Trail:
    """Arrays by name, read-only, and the log of how they came about."""

    values: Mapping[str, Floats]
    log: Log


def digest(x: ArrayLike) -> str:
    """Give the SHA-256 of an array: of its shape and its values.

    Examples
    --------
    >>> digest([1.0, np.nan]) == digest([1.0, -np.nan]), digest([1.0, 2.0]) == digest([[1.0, 2.0]])
    (True, False)
    """
    values = _settled(x)
    head = json.dumps(list(values.shape)).encode()
    return hashlib.sha256(head + values.astype("<f8").tobytes(order="C")).hexdigest()


def start(inputs: Mapping[str, ArrayLike]) -> Trail:
    """Begin a trail.

    Parameters
    ----------
    inputs
        By name, arrays of numbers; they are copied.
    """
    import scipy

    from commonweal.version import __version__

    values = {name: _settled(x) for name, x in inputs.items()}
    versions = {"commonweal": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    log = Log(made_with=versions, inputs={name: digest(x) for name, x in values.items()})
    return Trail(MappingProxyType(values), log)


def run(
    trail: Trail,
    name: str,
    function: str,
    takes: Sequence[str],
    functions: Mapping[str, Function] | None = None,
    **settings: Any,
) -> Trail:
    """Do one step and write it down.

    Parameters
    ----------
    trail
        What there is so far; it stays as it is.
    name
        What the result is to be called.
    function
        Name of one of `functions`.
    takes
        Names of the arrays that it takes, in order.
    functions
        The registry; `FUNCTIONS` if not given. One of your own has to be given to `rebuild` too.
    **settings
        What else it takes. Arrays, tuples, `Rule` and `Node` are written down as plain data, and
        the function gets them as they stand in the log.

    Returns
    -------
    Trail
        With the result.

    Raises
    ------
    UnknownNameError
        If there is no such function or array.
    DataError
        If the name is taken, a setting is no plain data, or the function cannot take what it is
        given; the step is named.

    Examples
    --------
    >>> trail = start({"raw": [[1.0], [3.0], [np.nan]]})
    >>> trail = run(trail, "filled", "impute_columns", ["raw"], how="median")
    >>> trail = run(trail, "score", "normalise", ["filled"], how="min_max", low=0, high=10)
    >>> again = rebuild(from_json(to_json(trail.log)), {"raw": [[1.0], [3.0], [np.nan]]})
    >>> again["score"].ravel()
    array([ 0., 10.,  5.])
    """
    if name in trail.values:
        raise DataError(f"step '{name}': the name is taken; expected a new one")
    plain = {
        key: _plain(value, f"step '{name}', setting '{key}'") for key, value in settings.items()
    }
    arrays = [_taken(trail.values, key, name) for key in takes]
    result = _done(name, function, arrays, plain, functions)
    step = LoggedStep(
        name=name,
        function=function,
        takes=list(takes),
        settings=plain,
        went_in=[digest(x) for x in arrays],
        came_out=digest(result),
    )
    log = trail.log.model_copy(update={"steps": [*trail.log.steps, step]})
    return Trail(MappingProxyType({**trail.values, name: result}), log)


def to_json(log: Log) -> str:
    """Write a log as JSON."""
    return log.model_dump_json(indent=1)


def from_json(text: str) -> Log:
    """Read a log from JSON.

    Raises
    ------
    DataError
        If it is no log; the place in it is named.
    """
    try:
        return Log.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or "the text"
        raise DataError(f"no log of an index: {at}: {first['msg']}") from None


def rebuild(
    log: Log, inputs: Mapping[str, ArrayLike], functions: Mapping[str, Function] | None = None
) -> dict[str, Floats]:
    """Do everything in a log again.

    Parameters
    ----------
    log
        From `Trail.log` or `from_json`.
    inputs
        By name, the arrays that it began with.
    functions
        The registry; `FUNCTIONS` if not given.

    Returns
    -------
    dict
        By name, the inputs and every result, byte for byte as they were.

    Raises
    ------
    DataError
        If an input or the result of a step is not what it was: the first that differs is named.
    UnknownNameError
        If an input is missing, or a step names a function or array that there is not.
    """
    trail = start({name: _taken(inputs, name, "inputs") for name in log.inputs})
    for name, expected in log.inputs.items():
        if (found := trail.log.inputs[name]) != expected:
            raise DataError(
                f"input '{name}' differs: sha256 {found[:12]} found; {expected[:12]} expected"
            )
    values = dict(trail.values)
    for number, step in enumerate(log.steps, start=1):
        which = f"step {number} '{step.name}' ({step.function})"
        if step.name in values:
            raise DataError(f"{which}: the name is taken; expected a new one")
        arrays = [_taken(values, key, step.name) for key in step.takes]
        if [digest(x) for x in arrays] != step.went_in:
            raise DataError(f"{which} differs: the log says that other arrays went into it")
        result = _done(step.name, step.function, arrays, step.settings, functions)
        if (found := digest(result)) != step.came_out:
            versions = [
                f"{name} {made} then, {trail.log.made_with.get(name)} now"
                for name, made in log.made_with.items()
                if made != trail.log.made_with.get(name)
            ]
            raise DataError(
                f"{which} differs: sha256 {found[:12]} found; {step.came_out[:12]} expected "
                f"({'; '.join(versions) or 'the versions are the same'})"
            )
        values[step.name] = result
    return values


def _done(
    name: str,
    function: str,
    arrays: Sequence[Floats],
    settings: Mapping[str, Any],
    functions: Mapping[str, Function] | None,
) -> Floats:
    """Call a known function on copies, so that it can change nothing that was written down."""
    known = FUNCTIONS if functions is None else functions
    if function not in known:
        raise UnknownNameError("function", function, known, f" (step '{name}')")
    try:
        return _settled(known[function](*(x.copy() for x in arrays), **settings))
    except (ValueError, TypeError, IndexError) as error:
        raise DataError(f"step '{name}' ({function}): {error}") from error


def _taken(values: Mapping[str, Any], key: str, name: str) -> Any:
    if key not in values:
        raise UnknownNameError(
            "array", key, values, f" (step '{name}')" if name != "inputs" else ""
        )
    return values[key]


def _settled(x: ArrayLike) -> Floats:
    """Copy to float64 in C order, with one NaN for all, and make it read-only."""
    values = np.array(x, dtype=np.float64, order="C")
    values[np.isnan(values)] = np.nan
    values.flags.writeable = False
    return values


def _plain(value: Any, where: str) -> Any:
    """Turn a setting into what JSON can say, or name it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise DataError(f"{where}: a mapping with keys that are no texts; expected texts")
        return {key: _plain(v, where) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, where) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        raise DataError(f"{where}: {value} found; expected a finite number")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise DataError(
        f"{where}: {type(value).__name__} found; expected numbers, texts, lists or mappings of these"
    )
