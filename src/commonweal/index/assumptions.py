"""What could have been done otherwise: typed assumptions, each driven by one number in [0, 1).

An assumption turns a number u into a setting: which way of normalising, which form of mean, which
set of weights. Drawing the numbers at random gives certainty, a Sobol design gives sensitivity, and
what each run used can be read back. One vocabulary serves both, in a study's YAML (`certainty` and
`sensitivity`) and in Python. The first key of an assumption says what varies, and its value where:
the path of an index or domain, several of them, or ``all``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)

from commonweal.errors import nearest
from commonweal.index.distributions import NumberDistribution, WeightDistribution
from commonweal.index.framework import Aggregate, Transform
from commonweal.index.methods import (
    MethodError,
    MethodSpec,
    StrictModel,
    as_data,
    checked_method,
    function_of,
    refuse_at_once,
    settings_of,
)
from commonweal.index.treat import TREATMENTS

__all__ = [
    "Aggregation",
    "Assumption",
    "CutOff",
    "Inclusion",
    "Normalisation",
    "Parameter",
    "SamplingError",
    "SmallCounts",
    "Treatment",
    "Weights",
]

Where: TypeAlias = str | tuple[str, ...]
"""A path or a name that only one has; several; or ``all``."""


class _Assumption(StrictModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = ""

    @property
    def called(self) -> str:
        """Its name; if it has none, what varies where, such as ``deprivation.weights``."""
        return self.name or self._said()

    def _said(self) -> str:
        raise NotImplementedError


class Weights(_Assumption, WeightDistribution):
    """Which weights the children have.

    Attributes
    ----------
    weights
        Where: index or domain, several of them, ``all``; or laws by index or domain, in place of
        one law for all.
    interval, dirichlet, uniform, given
        The law (`commonweal.index.distributions.WeightDistribution`).
    levels
        Or: laws from the top down: the first for the children of the nodes named, the second for
        theirs, and so on; below the last nothing varies.
    name
        What it is called in results.
    """

    weights: Where | dict[str, WeightDistribution] = "all"
    levels: tuple[WeightDistribution, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_law(self) -> Weights:
        found = self.stated_laws() + ["levels"] * (self.levels is not None)
        if isinstance(self.weights, dict):
            if found:
                raise ValueError(f"found {' and '.join(found)} beside laws by index or domain")
            return self
        if len(found) != 1:
            told = " and ".join(found) or "none"
            expected = ", ".join([*WeightDistribution.model_fields, "levels"])
            raise ValueError(f"found {told}; expected exactly one of: {expected}")
        return self

    def _said(self) -> str:
        return f"{_text(self.weights)}.weights"

    def __str__(self) -> str:
        if isinstance(self.weights, dict):
            return "; ".join(f"{where}: {law}" for where, law in self.weights.items())
        if self.levels is not None:
            return "; then ".join(str(law) for law in self.levels)
        return WeightDistribution.__str__(self)


class Alternatives(_Assumption):
    """Ways of doing one thing, each with equal chance."""

    # what they are ways of: aggregate, transform or treat, as `Parameter.part` has it
    part: ClassVar[str]
    of: tuple[MethodSpec, ...] = Field(min_length=2)


class Aggregation(Alternatives):
    """How the weighted children are combined.

    Attributes
    ----------
    form
        Where: index or domain, several of them, or ``all``.
    of
        Two or more ways, each with equal chance: names of `commonweal.index.AGGREGATORS`, alone or
        with settings, such as ``{"generalised": {"p": 0.5}}``; or functions.
    name
        What it is called in results.
    """

    part: ClassVar[str] = "aggregate"
    form: Where = "all"
    of: tuple[Aggregate, ...] = Field(min_length=2)

    def _said(self) -> str:
        return f"{_text(self.form)}.form"


class Normalisation(Alternatives):
    """How children are made comparable before they are weighted.

    Attributes
    ----------
    transform
        Where: an index or domain (how its children enter it), an indicator (how it enters what it
        is in), several of these, or ``all``, which is every indicator.
    of
        Two or more ways, each with equal chance: names of `commonweal.index.NORMALISERS`, alone or
        with settings, such as ``{"min_max": {"low": 1, "high": 100}}``; or functions.
    name
        What it is called in results.
    """

    part: ClassVar[str] = "transform"
    transform: Where = "all"
    of: tuple[Transform, ...] = Field(min_length=2)

    def _said(self) -> str:
        return f"{_text(self.transform)}.transform"


def _treatment(how: Any) -> MethodSpec:
    checked = checked_method(how, TREATMENTS, "treatment")
    if settings_of(checked):  # tried out on values that no treatment finds anything to do about
        refuse_at_once(function_of(checked, TREATMENTS), np.arange(8.0))
    return checked


class Treatment(Alternatives):
    """What is done about outliers before normalising.

    Attributes
    ----------
    treat
        Which indicators: indices or domains (all indicators in them), indicators, or ``all``.
    of
        Two or more ways, each with equal chance: names of
        `commonweal.index.treat.TREATMENTS`, alone or with settings, such as
        ``{"winsorise": {"units": 10}}``; or functions of (n_units,) values. They see an
        indicator's own values, whichever way need goes.
    name
        What it is called in results.
    """

    part: ClassVar[str] = "treat"
    treat: Where = "all"
    of: tuple[Annotated[MethodSpec, BeforeValidator(_treatment), PlainSerializer(as_data)], ...] = (
        Field(min_length=2)
    )

    def _said(self) -> str:
        return f"{_text(self.treat)}.treat"


class Inclusion(_Assumption):
    """Whether an indicator or a domain is in the index at all.

    What is left out is as if it were missing everywhere: the others carry its weight.

    Attributes
    ----------
    leave_out
        Path of the indicator or domain.
    chance
        Share of runs in which it is left out.
    name
        What it is called in results.
    """

    leave_out: str
    chance: float = Field(default=0.5, gt=0, lt=1)

    def _said(self) -> str:
        return f"{self.leave_out}.left_out"


class Parameter(_Assumption, NumberDistribution):
    """A number that a method, a node or a rule takes.

    Attributes
    ----------
    setting
        ``aggregate.NAME`` or ``transform.NAME``: a setting of the method that a node names, such as
        ``aggregate.p`` of a generalised mean, or ``transform.scale`` of the exponential
        transformation; where an `Aggregation` or `Normalisation` varies the method, of those among
        its ways that take it. ``treat.NAME``: of the ways of a `Treatment`. ``available``: the
        share of its children's weight that an area must have. ``cut``: a factor on cut-offs of
        designations.
    node
        Where: index or domain, several of them, or ``all``; of ``cut``, those that conditions name.
    uniform, triangular, normal, within, choices
        The law (`commonweal.index.distributions.NumberDistribution`).
    steps
        Of a transformation or a treatment: how many values stand for a law with a density, the
        middles of parts of equal chance; each is worked out beforehand. Other settings are drawn
        from the law itself.
    name
        What it is called in results.
    """

    setting: str = Field(pattern=r"^(aggregate\.\w+|transform\.\w+|treat\.\w+|available|cut)$")
    node: Where = "all"
    steps: int = Field(default=16, ge=2, le=1024)

    @model_validator(mode="after")
    def _in_range(self) -> Parameter:
        low, high = min(self.ends()), max(self.ends())
        if self.setting == "available" and not 0 <= low <= high <= 1:
            raise ValueError(f"values from {low:g} to {high:g}; expected shares from 0 to 1")
        if self.setting == "cut" and not 0 < low <= high < 10:
            raise ValueError(f"values from {low:g} to {high:g}; expected factors above 0, below 10")
        return self

    def ends(self) -> list[float]:
        """Give the least, a middle and the greatest value; of choices all."""
        if self.choices is not None:
            return list(self.choices)
        return [float(v) for v in self.values(np.array([0.0, 0.5, 1 - 2.0**-53]))]

    @property
    def part(self) -> str:
        """What the setting belongs to: aggregate, transform, treat, available or cut."""
        return self.setting.split(".")[0]

    @property
    def key(self) -> str:
        """The setting's own name."""
        return self.setting.split(".")[-1]

    def _said(self) -> str:
        return f"{_text(self.node)}.{self.setting}"


class SamplingError(_Assumption):
    """The indicators' measurement error: normal around the published values.

    Attributes
    ----------
    standard_errors
        Which indicators; ``all`` is every one that states a standard error, or every one with `noise`.
    noise
        In place of standard errors that are stated: the share of the variance between units that is taken to be
        noise. Of a value x among values of mean m and standard deviation s, a true one is then drawn from a
        normal law of mean m + (1 - noise)(x - m) and standard deviation s sqrt(noise (1 - noise)), as shrinkage
        has it. Where nothing but ranks is taken of the values, x is the normal score of a rank, so that ranks
        near either end move little. 0 for the errors stated.
    shared_by
        Larger area, such as ``lad24``, whose units have one error together; '' for errors of their own.
    range_m
        Metres over which errors of neighbours go together: their correlation exp(-(d / range)^2 / 2)
        is 0.61 at that distance and 0.14 at twice it. 0 for independent errors.
    name
        What it is called in results.
    """

    standard_errors: Where = "all"
    noise: float = Field(default=0, ge=0, lt=1, allow_inf_nan=False)
    shared_by: str = ""
    range_m: float = Field(default=0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_sharing(self) -> SamplingError:
        if self.range_m and self.shared_by:
            raise ValueError(
                "found both range_m and shared_by; expected one way in which errors go together"
            )
        return self

    def _said(self) -> str:
        stem = "" if self.standard_errors == "all" else f"{_text(self.standard_errors)}."
        return f"{stem}standard_errors"


class SmallCounts(_Assumption):
    """Sampling error of rates that come from counts, which a standard error tells badly if small.

    Attributes
    ----------
    counts
        Which indicators; ``all`` is every one that states its counts. Each is drawn anew as
        `commonweal.index.distributions.rates_from_counts` says.
    name
        What it is called in results.
    """

    counts: Where = "all"

    def _said(self) -> str:
        stem = "" if self.counts == "all" else f"{_text(self.counts)}."
        return f"{stem}counts"


class CutOff(_Assumption):
    """The cut-offs of a designation: every 'worst' share or number times one uniform number.

    Attributes
    ----------
    cut
        The range as factors: ``[0.9, 1.1]`` moves a cut-off of 10% between 9% and 11%. Another
        law, or one condition alone: `Parameter` with the setting ``cut``.
    name
        What it is called in results.
    """

    cut: tuple[float, float]

    @model_validator(mode="after")
    def _ordered(self) -> CutOff:
        low, high = self.cut
        if not 0 < low <= high < 10:
            raise ValueError(
                f"found {list(self.cut)}; expected two factors, low then high, such as [0.9, 1.1]"
            )
        return self

    def _said(self) -> str:
        return "cut"


KINDS: Mapping[str, type[_Assumption]] = {
    "weights": Weights,
    "form": Aggregation,
    "transform": Normalisation,
    "treat": Treatment,
    "leave_out": Inclusion,
    "setting": Parameter,
    "standard_errors": SamplingError,
    "counts": SmallCounts,
    "cut": CutOff,
}
"""By the key that tells it from the others, each kind of assumption."""


def _kind(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return next((kind.__name__ for key, kind in KINDS.items() if key in value), None)
    return type(value).__name__


def _says_what(value: Any) -> Any:
    if isinstance(value, Mapping) and _kind(value) is None:
        for key in value:
            if "did you mean" in (hint := nearest(str(key), KINDS)):
                raise MethodError(f"unknown key; {hint}", str(key))
        found = ", ".join(map(str, value)) or "nothing"
        expected = f"one of: {', '.join(KINDS)}"
        raise ValueError(f"found {found}, which does not say what varies; expected {expected}")
    if not isinstance(value, Mapping | BaseModel):
        raise ValueError(f"found {value!r}; expected what varies, such as {{weights: all}}")
    return value


Assumption: TypeAlias = Annotated[
    Annotated[
        Annotated[Weights, Tag("Weights")]
        | Annotated[Aggregation, Tag("Aggregation")]
        | Annotated[Normalisation, Tag("Normalisation")]
        | Annotated[Treatment, Tag("Treatment")]
        | Annotated[Inclusion, Tag("Inclusion")]
        | Annotated[Parameter, Tag("Parameter")]
        | Annotated[SamplingError, Tag("SamplingError")]
        | Annotated[SmallCounts, Tag("SmallCounts")]
        | Annotated[CutOff, Tag("CutOff")],
        Discriminator(_kind),
    ],
    BeforeValidator(_says_what),
]
"""Any of them, told apart by their first key."""


def where_of(assumption: Assumption) -> Where | dict[str, WeightDistribution] | None:
    """Give where an assumption acts, as it was stated; None of a cut-off, which acts on rules."""
    if isinstance(assumption, CutOff):
        return None
    if isinstance(assumption, Parameter):
        return assumption.node
    key = next(key for key, kind in KINDS.items() if type(assumption) is kind)
    where: Where | dict[str, WeightDistribution] = getattr(assumption, key)
    return where


def _text(where: Where | Mapping[str, object]) -> str:
    return where.replace("/", ".") if isinstance(where, str) else "+".join(map(_text, where))
