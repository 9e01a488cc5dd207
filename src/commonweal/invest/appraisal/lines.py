"""Costs and benefits as a project's file states them: how much, in which years, how sure, whose."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from commonweal.files.model import Data
from commonweal.files.yaml import name_value
from commonweal.invest.appraisal.uncertain import AtLeastZero, AtMostOne, Number, Uncertain

__all__ = ["Additionality", "Benefit", "Bias", "Cost", "ProjectLine", "Works"]

_RANGE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")

Text = Annotated[str, Field(min_length=1)]
Year = Annotated[int, Field(strict=True)]
CERTAIN_ONE = Uncertain("fixed", (1.0,))
CERTAIN_ZERO = Uncertain("fixed", (0.0,))


def _years(stated: Any) -> tuple[tuple[int, float], ...]:
    """Read years: 3, '1-9', [0, 1], or shares of the amount by year."""
    if isinstance(stated, str) and (span := _RANGE.fullmatch(stated)):
        stated = list(range(int(span[1]), int(span[2]) + 1))
    pairs = (
        stated.items()
        if isinstance(stated, dict)
        else [(year, 1.0) for year in (stated if isinstance(stated, list) else [stated])]
    )
    for year, share in pairs:
        if isinstance(year, bool) or not isinstance(year, int) or year < 0:
            raise ValueError(
                f"found {stated!r}; expected a year such as 0, years such as 1-9, a list, or shares by year"
            )
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1e9:
            raise ValueError(f"year {year}: found {share!r}; expected a share of 0 or more")
    if not pairs or len(pairs) != len({year for year, _ in pairs}):
        raise ValueError(f"found {stated!r}; expected each year once, and at least one")
    return tuple(sorted((year, float(share)) for year, share in pairs))


Years = Annotated[tuple[tuple[int, float], ...], BeforeValidator(_years)]


class ProjectLine(Data):
    """What costs and benefits have in common.

    Attributes
    ----------
    label
        What readers call it.
    years
        In which years, the first being 0: one, ``1-9``, a list, or shares of the amount by year.
    price_year
        Of its money; the project's if not given.
    after_works
        Whether it waits for the works of the project; never so for capital.
    source, evidence, verified
        Where it comes from, a work of the evidence library, and whether it was verified.
    """

    label: Text
    years: Years
    price_year: Year | None = None
    after_works: bool = True
    source: str = ""
    evidence: str = ""
    verified: bool = False


class Bias(Data):
    """Optimism bias of an estimate.

    In a file a category's name alone will do, or ``none``.

    Attributes
    ----------
    mix
        Shares of the categories of the parameters; one category alone is the whole. Empty for none.
    mitigated
        How far the risks are managed: 0 adds the upper bound, 1 the lower.
    why
        Why so far, or why none.
    """

    mix: dict[str, Annotated[float, Field(strict=True, gt=0, le=1)]]
    mitigated: AtMostOne = CERTAIN_ZERO
    why: str = ""

    @model_validator(mode="before")
    @classmethod
    def _category_alone(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"mix": {} if data == "none" else {data: 1.0}}
        if isinstance(data, dict) and "category" in data:
            rest = {k: v for k, v in data.items() if k != "category"}
            named = data["category"]
            if not isinstance(named, str):
                raise ValueError(f"'category': found {name_value(named)}; expected a name, or none")
            return {"mix": {} if named == "none" else {named: 1.0}, **rest}
        return data

    @model_validator(mode="after")
    def _whole(self) -> Bias:
        if self.mix and abs(sum(self.mix.values()) - 1) > 1e-9:
            raise ValueError(f"'mix' adds up to {sum(self.mix.values()):g}; expected 1")
        return self


class Works(Data):
    """Building work that benefits and running costs wait for.

    Attributes
    ----------
    years
        How long it is planned to take; optimism bias adds a share of it as delay.
    optimism_bias
        By which categories.
    """

    years: Annotated[float, Field(strict=True, gt=0)]
    optimism_bias: Bias


class Cost(ProjectLine):
    """A cost.

    Attributes
    ----------
    kind
        ``capital`` (bought once) or ``running`` (as long as it goes on).
    amount
        GBP a year, or in all where `years` gives shares; in real terms.
    paid_by
        ``public``: the public sector; ``others``: anyone else.
    optimism_bias
        What is added since such estimates have been too low.
    """

    kind: Literal["capital", "running"]
    amount: AtLeastZero
    paid_by: Literal["public", "others"] = "public"
    optimism_bias: Bias | None = None


class Additionality(Data):
    """What of a gross effect is added.

    In a file a share alone will do: all of it together.

    Attributes
    ----------
    share
        The share that is additional, everything considered; or instead of it the parts:
    leakage, displacement, substitution
        Shares lost to people whom the project is not for, to others nearby, to what was done before.
    multiplier
        What follows from it; 1 for nothing.
    deadweight
        The reference case as a share: what would have come without the project. It leaks, displaces
        and multiplies as the rest does.
    source
        Where they come from.
    """

    share: AtMostOne | None = None
    leakage: AtMostOne = CERTAIN_ZERO
    displacement: AtMostOne = CERTAIN_ZERO
    substitution: AtMostOne = CERTAIN_ZERO
    deadweight: AtMostOne = CERTAIN_ZERO
    multiplier: AtLeastZero = CERTAIN_ONE
    source: str = ""

    @model_validator(mode="before")
    @classmethod
    def _share_alone(cls, data: Any) -> Any:
        is_parts = isinstance(data, dict) and (set(data) & set(cls.model_fields) or not data)
        return data if is_parts or isinstance(data, Additionality) else {"share": data}

    @model_validator(mode="after")
    def _share_or_parts(self) -> Additionality:
        parts = self.model_fields_set - {"share", "source"}
        if self.share is not None and parts:
            raise ValueError(
                f"found 'share' and {', '.join(sorted(parts))}; expected one or the other"
            )
        return self


class Benefit(ProjectLine):
    """A benefit: quantity x value x people x part of the year, in each of its years.

    Attributes
    ----------
    claims
        The outcome that it claims; no other line may claim it or a part of it.
    quantity
        How much for one person in a year, in `unit`; below 0 is harm.
    unit
        Of the quantity; with `points`, in the singular ("standard deviation").
    value
        GBP of one unit; or instead of it
    wellby
        the quantity is in points of life satisfaction, and valued as WELLBYs.
    points
        With `wellby`: how many points one unit of the quantity goes with, where it is not in points.
    people
        How many.
    part_of_year
        For how much of each year it lasts.
    additionality
        What of it is added to what would have come anyway.
    distribution
        Shares of it that go to income groups of the project, together 1; none is not weighted.
    transfer
        A fiscal gain that someone else pays, such as a welfare payment that ends: it counts in the
        fiscal return and not in the value to society.
    """

    claims: Text
    quantity: Number = CERTAIN_ONE
    unit: str = ""
    value: AtLeastZero | None = None
    wellby: bool = False
    points: AtLeastZero = CERTAIN_ONE
    people: AtLeastZero = CERTAIN_ONE
    part_of_year: Annotated[float, Field(strict=True, gt=0, le=1)] = 1.0
    additionality: Additionality
    distribution: dict[str, Annotated[float, Field(strict=True, ge=0, le=1)]] = Field(
        default_factory=dict
    )
    transfer: bool = False

    @model_validator(mode="after")
    def _valued(self) -> Benefit:
        if self.wellby == (self.value is not None):
            raise ValueError("expected either 'value' (GBP of one unit) or 'wellby: true'")
        if "points" in self.model_fields_set and not self.wellby:
            raise ValueError("'points' goes with 'wellby: true'; found it without")
        if self.wellby and self.claims != "life_satisfaction":
            raise ValueError(
                f"'claims': found {self.claims!r}; expected life_satisfaction: a WELLBY counts all that moves it"
            )
        if self.distribution and abs(sum(self.distribution.values()) - 1) > 1e-9:
            total = sum(self.distribution.values())
            raise ValueError(f"'distribution' adds up to {total:g}; expected 1")
        return self
