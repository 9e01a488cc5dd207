"""Numbers that files state: uncertain ones, and published parameters of appraisal with their sources."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from commonweal.errors import UnknownNameError, nearest
from commonweal.evidence import load_evidence
from commonweal.files.schema import MOST, FileModel, load, shipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray


__all__ = ["DiscountStep", "Parameters", "load_parameters"]


LAWS = {
    "uniform": ("low", "high"),
    "triangular": ("low", "likeliest", "high"),
    "pert": ("low", "likeliest", "high"),
    "normal": ("mean", "standard deviation"),
    "lognormal": ("mean", "standard deviation"),
    "interval95": ("low", "estimate", "high"),
}
"""The laws of chance that a number may follow, and the numbers that each takes."""

Z95 = 1.959963984540054
"""Standard deviations from the middle of a normal law to the end of its 95% interval."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A number, or the law of chance that it follows.

    >>> read_number({"triangular": [1, 2, 6]}).mean
    3.0
    """

    # ``fixed``, or one of `LAWS`. ``pert`` is the beta law with four times the weight on the likeliest value.
    # ``lognormal`` takes the mean and standard deviation of the number itself. ``interval95`` is normal around a
    # study's estimate, as wide as its 95% interval.
    law: str
    numbers: tuple[float, ...]
    # with ``normal`` or ``interval95``: the least and the greatest value, where the law is cut
    within: tuple[float, float] | None = None

    @property
    def certain(self) -> bool:
        """Whether it is one number."""
        return self.law == "fixed"

    @property
    def mean(self) -> float:
        """The expected value."""
        return self.numbers[0] if self.certain else float(_chance(self).mean())

    @property
    def support(self) -> tuple[float, float]:
        """The least and the greatest value that it can have."""
        if self.law == "lognormal":
            return 0.0, math.inf
        if self.law in ("normal", "interval95"):
            return self.within or (-math.inf, math.inf)
        return self.numbers[0], self.numbers[-1]

    def quantile(self, share: ArrayLike) -> NDArray[np.float64]:
        """Give the values below which so large a share of the chance lies; any shape, 0 to 1."""
        share = np.asarray(share, dtype=np.float64)
        if self.certain:
            return np.full(share.shape, self.numbers[0])
        return np.asarray(_chance(self).ppf(share), dtype=np.float64)

    def below(self, value: float) -> float:
        """Give the chance of a lower value than `value`."""
        if self.certain:
            return float(self.numbers[0] < value)
        return float(_chance(self).cdf(value))

    def words(self) -> str:
        """Say it: ``1 to 6, likeliest 2``."""
        n = [f"{x:,.0f}" if abs(x) >= 10_000 else f"{x:,.10g}" for x in self.numbers]
        cut = f", within {self.within[0]:g} to {self.within[1]:g}" if self.within else ""
        told = {
            "fixed": n[0],
            "uniform": f"{n[0]} to {n[-1]}, each as likely",
            "triangular": f"{n[0]} to {n[-1]}, likeliest {n[1 % len(n)]}",
            "pert": f"{n[0]} to {n[-1]}, likeliest {n[1 % len(n)]} (PERT)",
            "normal": f"normal, {n[0]} ± {n[-1]}",
            "lognormal": f"lognormal, {n[0]} ± {n[-1]}",
            "interval95": f"{n[1 % len(n)]} (95% interval {n[0]} to {n[-1]})",
        }
        return told[self.law] + cut


@lru_cache(maxsize=1024)
def _chance(stated: Uncertain) -> Any:
    """Give the law as scipy knows it; to make one takes longer than to ask it."""
    from scipy import stats

    a, b, *more = stated.numbers
    match stated.law:
        case "uniform":
            return stats.uniform(a, b - a)
        case "triangular":
            return stats.triang((b - a) / (more[0] - a), a, more[0] - a)
        case "pert":
            wide = more[0] - a
            return stats.beta(1 + 4 * (b - a) / wide, 1 + 4 * (more[0] - b) / wide, a, wide)
        case "lognormal":
            spread = math.log1p((b / a) ** 2)
            return stats.lognorm(math.sqrt(spread), scale=a / math.exp(spread / 2))
        case "interval95":
            mean, sd = b, (more[0] - a) / (2 * Z95)
        case _:
            mean, sd = a, b
    if stated.within is None:
        return stats.norm(mean, sd)
    low, high = ((end - mean) / sd for end in stated.within)
    return stats.truncnorm(low, high, mean, sd)


def read_number(stated: Any) -> Uncertain:
    """Read a number of a file: plain, or a law of `LAWS` with its numbers."""
    if isinstance(stated, Uncertain):
        return stated
    if _is_number(stated):
        return Uncertain("fixed", _bounded(stated))
    if not isinstance(stated, dict):
        raise ValueError(
            f"found {stated!r}; expected a number, or a law such as {{triangular: [1, 2, 4]}}"
        )
    named = [key for key in stated if key != "within"]
    for key in named:
        if key not in LAWS:
            raise ValueError(f"unknown law '{key}'; {nearest(str(key), LAWS)}")
    if len(named) != 1:
        raise ValueError(
            f"found {' and '.join(named) or 'no law'}; expected one of: {', '.join(LAWS)}"
        )
    return _law(named[0], stated[named[0]], stated.get("within"))


def _law(law: str, numbers: Any, within: Any) -> Uncertain:
    """Check the numbers of a law."""
    takes = LAWS[law]
    if (
        not isinstance(numbers, list | tuple)
        or len(numbers) != len(takes)
        or not all(map(_is_number, numbers))
    ):
        raise ValueError(f"'{law}': found {numbers!r}; expected [{', '.join(takes)}] as numbers")
    found, rising = _bounded(*numbers), takes[-1] == "high"
    if rising and not (list(found) == sorted(found) and found[0] < found[-1]):
        order = (
            " below ".join(("low", "high"))
            if len(takes) == 2
            else f"{takes[0]}, {takes[1]}, high in rising order"
        )
        raise ValueError(f"'{law}': found {list(numbers)}; expected {order}")
    if law == "interval95" and not found[0] < found[1] < found[2]:
        raise ValueError(
            f"'{law}': found {list(numbers)}; expected the estimate inside the interval"
        )
    if not rising and found[1] <= 0:
        raise ValueError(
            f"'{law}': found a standard deviation of {found[1]:g}; expected one above 0"
        )
    if law == "lognormal" and found[0] <= 0:
        raise ValueError(f"'{law}': found a mean of {found[0]:g}; expected one above 0")
    if within is None:
        return Uncertain(law, found)
    if law not in ("normal", "interval95"):
        raise ValueError(f"'within' goes with normal or interval95, not with {law}")
    ends = within if isinstance(within, list | tuple) else ()
    middle = found[1] if law == "interval95" else found[0]
    if len(ends) != 2 or not all(map(_is_number, ends)) or not ends[0] < middle < ends[1]:
        raise ValueError(
            f"'within': found {within!r}; expected [least, greatest] around {middle:g}"
        )
    low, high = _bounded(*ends)
    return Uncertain(law, found, (low, high))


def _is_number(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, float) and math.isfinite(value))


def _bounded(*numbers: float) -> tuple[float, ...]:
    """Give numbers as they are drawn, or refuse one whose products with others are infinite."""
    if any(abs(number) > MOST for number in numbers):
        raise ValueError(f"found a number beyond {MOST:g}; expected less")
    return tuple(map(float, numbers))


def inside(low: float, high: float) -> Callable[[Uncertain], Uncertain]:
    """Make a check that a number cannot be below `low` or above `high`."""

    def check(number: Uncertain) -> Uncertain:
        least, most = number.support
        if low <= least and most <= high:
            return number
        expected = f"between {low:g} and {high:g}" if math.isfinite(high) else f"{low:g} or more"
        if number.certain:
            raise ValueError(f"found {least:g}; expected {expected}")
        hint = "; cut the law with 'within'" if math.isinf(least) else ""
        raise ValueError(f"found {number.words()}; expected {expected}{hint}")

    return check


Number = Annotated[Uncertain, BeforeValidator(read_number)]
AtLeastZero = Annotated[
    Uncertain, BeforeValidator(read_number), AfterValidator(inside(0, math.inf))
]
AtMostOne = Annotated[Uncertain, BeforeValidator(read_number), AfterValidator(inside(0, 1))]


PlainNumber = Annotated[float, Field(strict=True)]
Text = Annotated[str, Field(min_length=1)]


class Sourced(FileModel):
    """Where a parameter comes from."""

    source: Text  # which work says so, and where in it
    vintage: Text  # of which year
    # whether the value was seen in the work, or in a copy of it, when it was entered
    verified: bool
    evidence: str = ""  # the work's id in the evidence library; '' if it has none


class DiscountStep(FileModel):
    """A rate a year, and the last year that it holds for; the last step has none."""

    rate: Annotated[float, Field(strict=True, ge=0, lt=1)]
    to: Annotated[int, Field(strict=True, ge=0)] | None = None


class Discount(Sourced):
    """Rates of discount by step, in real terms."""

    # from the first years to the last
    steps: Annotated[tuple[DiscountStep, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Discount:
        ends = [step.to for step in self.steps]
        told = ends[:-1]
        if ends[-1] is not None or None in told or sorted(set(told)) != told:  # type: ignore[type-var]
            raise ValueError(
                f"'steps' end in the years {ends}; expected rising years, and none for the last"
            )
        return self


class Bounds(FileModel):
    """The upper and the lower bound of an optimism bias, as shares of the estimate."""

    upper: Annotated[float, Field(strict=True, ge=0)]
    lower: Annotated[float, Field(strict=True, ge=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if self.lower > self.upper:
            raise ValueError(f"found lower {self.lower:g} above upper {self.upper:g}")
        return self


class BiasCategory(FileModel):
    """How far estimates for a type of project have been too low: of capital cost, time, running cost."""

    label: Text
    capital: Bounds | None = None
    duration: Bounds | None = None
    running: Bounds | None = None


class OptimismBias(Sourced):
    """Optimism bias by type of project."""

    categories: dict[str, BiasCategory]

    def category(self, name: str, where: str = "") -> BiasCategory:
        """Give one; `where` says in a message who asks for it."""
        if name not in self.categories:
            raise UnknownNameError("optimism bias category", name, self.categories, where)
        return self.categories[name]


class WellbyRange(Sourced):
    """The low and the high value of a WELLBY, in GBP."""

    low: Annotated[float, Field(strict=True, gt=0)]
    high: Annotated[float, Field(strict=True, gt=0)]


class Uprating(Sourced):
    """How a WELLBY is brought to another price year: by prices, and by income to a power."""

    income_elasticity: Annotated[float, Field(strict=True, ge=0)]


class Wellby(Sourced):
    """The value of one point of life satisfaction (0 to 10) for one person for one year, in GBP."""

    value: Annotated[float, Field(strict=True, gt=0)]
    price_year: Annotated[int, Field(strict=True)]
    range: WellbyRange
    uprating: Uprating

    @model_validator(mode="after")
    def _in_order(self) -> Wellby:
        if not self.range.low < self.value < self.range.high:
            raise ValueError(
                f"'range' is {self.range.low:g} to {self.range.high:g}; expected it around the value {self.value:g}"
            )
        return self


class WelfareWeights(Sourced):
    """The elasticity of the marginal utility of income."""

    elasticity: Annotated[float, Field(strict=True, ge=0)]


class Parameters(FileModel):
    """A set of parameters.

    Attributes
    ----------
    name
        Of the file.
    title, published, note
        What it is, of which year, and what to know about it.
    discount, optimism_bias, wellby, welfare_weights
        The parameters.
    """

    name: str = ""
    title: Text
    published: Annotated[int, Field(strict=True)]
    note: str = ""
    discount: Discount
    optimism_bias: OptimismBias
    wellby: Wellby
    welfare_weights: WelfareWeights


def shipped_parameters() -> list[str]:
    """Name the sets that ship."""
    return shipped(resources.files(__package__) / "parameters" / "published")


def load_parameters(name: str = "green-book-2022") -> Parameters:
    """Read a set of parameters.

    Parameters
    ----------
    name
        One that ships, or the path of a YAML file with the same keys.

    Raises
    ------
    UnknownNameError
        If none of that name ships, or one cites a work that the evidence library has not.
    DataError
        If the file cannot be read, or a key, number or order in it is wrong; the message names the
        file and the field.

    Examples
    --------
    >>> p = load_parameters()
    >>> p.wellby.value, p.wellby.verified, p.wellby.range.verified
    (13000.0, True, False)
    """
    folder = resources.files(__package__) / "parameters" / "published"
    stem, read = load(name, folder, "set of parameters", Parameters)
    cited = [
        stated.evidence
        for stated in (read.discount, read.optimism_bias, read.wellby, read.welfare_weights)
        if stated.evidence
    ]
    if cited and stem != name:  # those that ship are held to it by the tests
        evidence = load_evidence()
        for id_ in cited:
            evidence.work(id_)
    return read.model_copy(update={"name": stem})
