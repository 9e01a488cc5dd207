"""What a study may ask to be done to its indicators before an index reads them: steps, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from commonweal.index.methods import StrictModel
from commonweal.index.treat import TreatmentRule

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Denominate",
    "Impute",
    "OwnTreat",
    "PrepareStep",
    "Screen",
    "Shrink",
    "Treat",
]

POPULATION = "population"
"""What a step calls the residents of the areas, where it could name an indicator."""

_PREDICTORS = 5
_Reshape = Literal["log", "log_either", "log_gii", "box_cox", "none"]

_Power = Annotated[float, Field(allow_inf_nan=False)] | Literal["mle"]


class _Part(StrictModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Of(_Part):
    """A step on some of the indicators: all that the indices use, if it names none."""

    of: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> _Of:
        twice = [name for name in self.of if self.of.count(name) > 1]
        if twice:
            raise ValueError(f"'{twice[0]}' is under 'of' more than once; expected it once")
        return self


class Denominate(_Of):
    """Divide counts by a denominator.

    Attributes
    ----------
    by
        An indicator, or ``population``: the residents of the areas.
    of
        The indicators that are divided.
    per
        The rate is per so many.
    """

    by: str = Field(min_length=1)
    of: tuple[str, ...] = Field(min_length=1)
    per: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Screen(_Of):
    """Leave out indicators, then areas, that have too little data.

    Attributes
    ----------
    indicators
        The least share of the areas that an indicator must have.
    areas
        The least share of the indicators (of those that stay) that an area must have.
    of
        The indicators that are looked at.
    """

    indicators: float | None = Field(default=None, gt=0, le=1)
    areas: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _something(self) -> Screen:
        if self.indicators is None and self.areas is None:
            raise ValueError("expected a share under 'indicators', under 'areas', or both")
        return self


class Impute(_Of):
    """Fill in missing values.

    Attributes
    ----------
    how
        From the other areas (``mean``, ``median``), those of the same group (``group_mean``,
        ``group_median``), the area's own other indicators of the same domain (``row_mean``,
        ``row_median``), or a regression on its other indicators (``regression``).
    group
        With a group: a larger area or a class.
    predictors
        With a regression: the most indicators that it uses.
    of
        The indicators that are filled in, and filled in from.
    """

    how: Literal[
        "mean", "median", "group_mean", "group_median", "row_mean", "row_median", "regression"
    ]
    group: str = ""
    predictors: int = Field(default=_PREDICTORS, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Impute:
        if self.how.startswith("group_") != bool(self.group):
            needs = "needs" if not self.group else "does not take"
            raise ValueError(f"'how: {self.how}' {needs} a 'group'")
        if self.predictors != _PREDICTORS and self.how != "regression":
            raise ValueError(f"'how: {self.how}' does not take 'predictors'")
        return self


class OwnTreat(_Part):
    """What is different for one indicator of a treatment; see `Treat`."""

    skew: float | None = Field(default=None, gt=0)
    kurtosis: float | None = Field(default=None, gt=0)
    winsorise: int | None = Field(default=None, ge=0)
    reshape: _Reshape | None = None
    power: _Power | None = None
    combine: bool | None = None


class Treat(_Of):
    """Treat outliers where skew and kurtosis both ask for it.

    Attributes
    ----------
    skew, kurtosis
        An indicator is left alone if its skew is below the one or its kurtosis below the other.
    winsorise
        Bring in the most extreme values, up to so many areas, until the indicator passes.
    reshape
        What is done to all its values if it still does not: `commonweal.index.reshape.RESHAPES`, or
        ``none``.
    power
        Of ``box_cox``; ``mle`` is the likeliest.
    combine
        Reshape the winsorised values rather than the original ones.
    of
        The indicators that are treated.
    each
        By indicator, what is different for it.
    """

    skew: float = Field(default=2.0, gt=0)
    kurtosis: float = Field(default=3.5, gt=0)
    winsorise: int = Field(default=5, ge=0)
    reshape: _Reshape = "log"
    power: _Power = 0.5
    combine: bool = False
    each: dict[str, OwnTreat] = Field(default_factory=dict)

    def rule(self, name: str) -> TreatmentRule | None:
        """Give what holds for an indicator; None if nothing is to be done to it."""
        own = self.each[name].model_dump(exclude_none=True) if name in self.each else {}
        asked = {**self.model_dump(exclude={"of", "each"}), **own}
        if asked["reshape"] == "none":
            asked["reshape"] = None
        return TreatmentRule(**asked) if asked["winsorise"] or asked["reshape"] else None


class Shrink(_Of):
    """Draw small areas' uncertain numbers towards that of the larger area that they are in.

    Attributes
    ----------
    to
        The larger area.
    of
        The indicators: means or ratios with a standard error, or counts of events.
    at_risk
        Of counts: of how many, an indicator or ``population``. They become rates.
    per
        Of counts: the rate is per so many.
    sizes
        Of means: what areas count in the mean of the larger area, an indicator or ``population``;
        alike if not given.
    """

    to: str
    of: tuple[str, ...] = Field(min_length=1)
    at_risk: str = ""
    per: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    sizes: str = ""

    @model_validator(mode="after")
    def _counts_or_means(self) -> Shrink:
        if self.at_risk and self.sizes:
            raise ValueError("'sizes' goes with means; counts weigh by 'at_risk'")
        if self.per != 1 and not self.at_risk:
            raise ValueError("'per' goes with 'at_risk'; a mean stays in its unit")
        return self


class PrepareStep(_Part):
    """One step: the name of what is done, with its settings.

    Attributes
    ----------
    denominate, screen, impute, treat, shrink
        Exactly one of them.
    """

    denominate: Denominate | None = None
    screen: Screen | None = None
    impute: Impute | None = None
    treat: Treat | None = None
    shrink: Shrink | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {data: {}}
        if isinstance(data, dict):
            return {key: {} if value is None else value for key, value in data.items()}
        return data

    @model_validator(mode="after")
    def _one(self) -> PrepareStep:
        found = [name for name in PrepareStep.model_fields if getattr(self, name) is not None]
        if len(found) != 1:
            raise ValueError(
                f"found {' and '.join(found) or 'nothing'}; expected one of: "
                + ", ".join(PrepareStep.model_fields)
            )
        for key, name in self.helpers():
            if name in self.of:
                raise ValueError(f"'{name}' is under '{key}' and under 'of'; expected one of them")
        return self

    @property
    def kind(self) -> str:
        """What is done: the name of one of the fields."""
        return next(name for name in PrepareStep.model_fields if getattr(self, name) is not None)

    @property
    def spec(self) -> Denominate | Screen | Impute | Treat | Shrink:
        """How it is done."""
        found: Denominate | Screen | Impute | Treat | Shrink = getattr(self, self.kind)
        return found

    @property
    def of(self) -> tuple[str, ...]:
        """The indicators that it names; none means all that the indices use."""
        return self.spec.of

    def helpers(self) -> Iterator[tuple[str, str]]:
        """Yield the key and the name of each indicator that it reads besides those it changes."""
        for key in ("by", "at_risk", "sizes"):
            name = getattr(self.spec, key, "")
            if name and name != POPULATION:
                yield key, name
