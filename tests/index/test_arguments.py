"""What a signature declares is what a function takes: tried on every function of the index room."""

from __future__ import annotations

import importlib
import inspect
import math
import pickle
import pkgutil
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

import commonweal.index
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.index.assumptions import Weights
from commonweal.index.framework import Node
from commonweal.index.methods import (
    AboveZero,
    Count,
    Declared,
    Share,
    StrictModel,
    Within,
    declared,
    settings_into,
    strict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike


@strict
def toy(
    x: ArrayLike,
    how: Literal["mean", "median"] = "mean",
    share: Share = 0.5,
    n: Count | None = None,
    most: Annotated[float, Within(0, above=True, finite=False)] = 1.0,
    unit: int | str = 0,
    *,
    cap: bool = False,
    bounds: float | ArrayLike = 0.0,
) -> str:
    """Take what it takes."""
    return f"{how} {share} {n} {most} {unit} {cap}"


@strict
@dataclass(frozen=True, slots=True)
class Settings:
    """Some settings."""

    skew: AboveZero = 2.0
    how: Literal["log", "root"] | None = "log"


@pytest.mark.parametrize(
    "given",
    [
        {"how": "median"},
        {"share": 1},
        {"share": np.float32(0.5)},
        {"n": np.int64(3)},
        {"n": None},
        {"most": math.inf},
        {"unit": "A"},
        {"unit": -1},
        {"cap": np.True_},
        {"cap": np.float64(0.0)},
        {"bounds": "anything"},
    ],
)
def test_what_is_declared_is_taken(given: dict[str, Any]) -> None:
    assert toy([1.0], **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"how": "medien"}, "how 'medien' not found; did you mean 'median'?"),
        ({"how": 3}, "how: 3 found; expected one of: mean, median"),
        ({"how": None}, "how: None found; expected one of: mean, median"),
        ({"share": 1.5}, "share: 1.5 found; expected a number from 0 to 1"),
        ({"share": np.nan}, "share: nan found; expected a number from 0 to 1"),
        ({"share": True}, "share: True found; expected a number from 0 to 1"),
        ({"share": "0.5"}, "share: '0.5' found; expected a number from 0 to 1"),
        ({"share": [0.5]}, r"share: \[0.5\] found"),
        ({"n": 0}, "n: 0 found; expected a whole number of 1 or more, or None"),
        ({"n": 1.0}, "n: 1 found; expected a whole number of 1 or more, or None"),
        ({"most": 0}, "most: 0 found; expected a number above 0"),
        ({"unit": 0.5}, "unit: 0.5 found; expected a whole number, or text"),
        ({"cap": "no"}, "cap: 'no' found; expected True or False"),
        ({"cap": 2}, "cap: 2 found; expected True or False"),
    ],
)
def test_what_is_not_declared_is_refused_by_name_or_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(CommonwealError, match=said):
        toy([1.0], **given)
    in_order = [[1.0], "mean", 0.5, None, 1.0, 0]
    (name, value), names = next(iter(given.items())), list(inspect.signature(toy).parameters)
    if (at := names.index(name)) < len(in_order):
        with pytest.raises(CommonwealError, match=said):
            toy(*in_order[:at], value)


def test_a_dataclass_keeps_what_its_fields_declare() -> None:
    assert Settings(3.0, None) == pickle.loads(pickle.dumps(Settings(3.0, None)))
    with pytest.raises(DataError, match="skew: -1 found; expected a number above 0"):
        Settings(-1.0)
    with pytest.raises(UnknownNameError, match="how 'logs' not found; did you mean 'log'"):
        Settings(how="logs")  # type: ignore[arg-type]


def test_settings_from_a_mapping() -> None:
    assert settings_into(Settings, {"skew": 1.0}, "of 'pubs'") == Settings(1.0)
    with pytest.raises(UnknownNameError, match=r"setting 'skw' not found \(of 'pubs'\)"):
        settings_into(Settings, {"skw": 1.0}, "of 'pubs'")
    with pytest.raises(DataError, match="of 'pubs': skew: 0 found"):
        settings_into(Settings, {"skew": 0}, "of 'pubs'")
    with pytest.raises(DataError, match="of 'pubs': 3 found; expected a Settings"):
        settings_into(Settings, 3, "of 'pubs'")  # type: ignore[arg-type]


class Hall(StrictModel):
    model_config = ConfigDict(extra="forbid")
    seats: int = 10


class Town(StrictModel):
    halls: dict[str, Hall]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Hall(seat=3), "Hall: seat: no such setting; did you mean 'seats'"),  # type: ignore[call-arg]
        (lambda: Hall.model_validate({"seats": "x"}), "Hall: seats: found 'x'; expected a valid int"),
        (lambda: Town(), "Town: halls: Field required"),  # type: ignore[call-arg]
        (lambda: Town.model_validate({"halls": {"a": {"seats": None}}}), "Town: halls.a.seats: found"),
        (lambda: Node(), "Node: has neither of 'indicator' and 'children'"),
        (lambda: Node(indicator="a", weight=-1), "Node: weight: found -1; expected greater than 0"),
        (lambda: Node(children={"a": Node(indicator="a")}, transform={"min_max": {"lo": 1}}),
         "Node: transform.min_max.lo: no such setting; did you mean 'low'"),
        (lambda: Weights(interval=2), "Weights: interval: found 2; expected less than 1"),
    ],
)  # fmt: skip
def test_a_model_made_in_python_raises_an_error_of_this_package(make: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        make()


def test_a_model_inside_another_model_keeps_the_place_of_its_fault() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Town).validate_python({"halls": {"a": {"seats": "x"}}})
    assert caught.value.errors()[0]["loc"] == ("halls", "a", "seats")


def test_ranges_in_words() -> None:
    assert str(declared(lambda x: x)) == "{}"
    assert str(Within(high=3)) == " of 3 or less"
    assert str(Declared(number=Within())) == "a finite number"
    assert str(Declared(number=Within(0), whole=True)) == "a whole number of 0 or more"


# --- every function of the room


def public() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every function and dataclass that a module of the room offers as its own."""
    for found in pkgutil.iter_modules(commonweal.index.__path__):
        module = importlib.import_module(f"commonweal.index.{found.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if callable(thing) and getattr(thing, "__module__", "") == module.__name__:
                yield f"{found.name}.{name}", thing


HOLD = {name: thing.__init__ if isinstance(thing, type) else thing for name, thing in public()}
HOLD = {n: f for n, f in HOLD.items() if inspect.isfunction(f) and hasattr(f, "__wrapped__")}
CASES = [(name, key) for name, f in HOLD.items() for key in declared(f)]


def wrong(takes: Declared) -> Iterator[object]:
    """Values that a parameter does not take."""
    if not takes.text:
        yield "no such thing"
    if not takes.flag:
        yield True
    if not takes.nothing:
        yield None
    if takes.number is not None:
        yield math.nan
        if takes.whole:
            yield 2.5
        if takes.number.finite:
            yield math.inf
        if takes.number.low > -math.inf:
            yield takes.number.low if takes.number.above else takes.number.low - 1
        if takes.number.high < math.inf:
            yield takes.number.high + 1
    yield object()


@pytest.mark.parametrize(("name", "key"), CASES)
def test_no_function_takes_what_its_signature_does_not_say(name: str, key: str) -> None:
    for value in wrong(declared(HOLD[name])[key]):
        with pytest.raises(CommonwealError) as caught:
            HOLD[name](**{key: value})
        assert str(caught.value).startswith((f"{key}: ", f"{key} '")), value


DATA_ONLY = {
    "ArrayLike", "Callable", "Ensemble", "Floats", "Hashable", "Iterable", "Mapping", "Matrix",
    "Model", "NDArray", "Node", "Normaliser", "Panel", "Path", "Plot", "Rule", "S", "Sequence",
    "Sobol", "Summary", "Thresholds", "WeightsLike", "pl",
}  # fmt: skip
"""Names in annotations that only type checkers can read, and that declare nothing to hold to."""


@pytest.mark.parametrize("name", HOLD)
def test_nothing_that_a_signature_declares_is_out_of_reach(name: str) -> None:
    inner = inspect.unwrap(HOLD[name])
    names = dict.fromkeys(DATA_ONLY) | inner.__globals__
    for hint in inner.__annotations__.values():
        if not set(re.findall(r"\w+", str(hint))) & DATA_ONLY:
            eval(str(hint), names)


BETWEEN_MODULES = {
    "figure", "kernels", "runs", "table_kernels", "tables",
    "distributions.normal_errors", "distributions.rates_from_counts", "distributions.smooth_errors",
    "normalise.turned", "panel.base_of", "uncertainty.ensemble_of",
}  # fmt: skip
"""What only other modules of the room call, with what has been checked before."""


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, f in public()
        if inspect.isfunction(f) and not {name, name.split(".")[0]} & BETWEEN_MODULES
    ],
)
def test_every_function_that_declares_a_choice_or_a_number_is_held_to_it(name: str) -> None:
    takes = declared(dict(public())[name])
    assert name in HOLD or all(t.text and not t.number for t in takes.values()), takes
