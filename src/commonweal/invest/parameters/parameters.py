"""Parameters of appraisal as data: what was published, where, when, and whether that was verified."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

from pydantic import Field, model_validator

from commonweal.errors import UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.files.model import Data, load, shipped

__all__ = [
    "BiasCategory",
    "Bounds",
    "Discount",
    "OptimismBias",
    "Parameters",
    "Stated",
    "Step",
    "Uprating",
    "WelfareWeights",
    "Wellby",
    "WellbyRange",
    "load_parameters",
    "shipped_parameters",
]

Number = Annotated[float, Field(strict=True)]
Text = Annotated[str, Field(min_length=1)]


class Stated(Data):
    """Where a parameter comes from.

    Attributes
    ----------
    source
        Which work says so, and where in it.
    vintage
        Of which year.
    verified
        Whether the value was seen in the work, or in a copy of it, when it was entered.
    evidence
        The work's id in the evidence library; '' if it has none.
    """

    source: Text
    vintage: Text
    verified: bool
    evidence: str = ""


class Step(Data):
    """A rate a year, and the last year that it holds for; the last step has none."""

    rate: Annotated[float, Field(strict=True, ge=0, lt=1)]
    to: Annotated[int, Field(strict=True, ge=0)] | None = None


class Discount(Stated):
    """Rates of discount by step, in real terms.

    Attributes
    ----------
    steps
        From the first years to the last.
    """

    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Discount:
        ends = [step.to for step in self.steps]
        told = ends[:-1]
        if ends[-1] is not None or None in told or sorted(set(told)) != told:  # type: ignore[type-var]
            raise ValueError(
                f"'steps' end in the years {ends}; expected rising years, and none for the last"
            )
        return self


class Bounds(Data):
    """The upper and the lower bound of an optimism bias, as shares of the estimate."""

    upper: Annotated[float, Field(strict=True, ge=0)]
    lower: Annotated[float, Field(strict=True, ge=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if self.lower > self.upper:
            raise ValueError(f"found lower {self.lower:g} above upper {self.upper:g}")
        return self


class BiasCategory(Data):
    """How far estimates for a type of project have been too low: of capital cost, time, running cost."""

    label: Text
    capital: Bounds | None = None
    duration: Bounds | None = None
    running: Bounds | None = None


class OptimismBias(Stated):
    """Optimism bias by type of project."""

    categories: dict[str, BiasCategory]

    def category(self, name: str, where: str = "") -> BiasCategory:
        """Give one; `where` says in a message who asks for it.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        if name not in self.categories:
            raise UnknownNameError("optimism bias category", name, self.categories, where)
        return self.categories[name]


class WellbyRange(Stated):
    """The low and the high value of a WELLBY, in GBP."""

    low: Annotated[float, Field(strict=True, gt=0)]
    high: Annotated[float, Field(strict=True, gt=0)]


class Uprating(Stated):
    """How a WELLBY is brought to another price year: by prices, and by income to a power."""

    income_elasticity: Annotated[float, Field(strict=True, ge=0)]


class Wellby(Stated):
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


class WelfareWeights(Stated):
    """The elasticity of the marginal utility of income."""

    elasticity: Annotated[float, Field(strict=True, ge=0)]


class Parameters(Data):
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
    return shipped(resources.files(__package__) / "published")


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
    folder = resources.files(__package__) / "published"
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
