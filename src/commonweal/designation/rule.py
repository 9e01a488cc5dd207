"""Who qualifies, as data: a tree of conditions on indices."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from commonweal.index.methods import StrictModel

if TYPE_CHECKING:
    from collections.abc import Iterator


def _parse_worst(value: Any) -> Any:
    """Accept ``10%`` as a share of the areas and ``225`` as a number of them."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return {"share": float(value.strip().removesuffix("%")) / 100}
        except ValueError:
            raise ValueError(f"found '{value}'; expected a share such as 10% or a number") from None
    if isinstance(value, bool | str) or (isinstance(value, float) and not isfinite(value)):
        raise ValueError(f"found {value!r}; expected a share such as 10% or a number of areas")
    if isinstance(value, int | float):
        if value != int(value):
            share = f"{value * 100:g}%" if 0 < value < 1 else f"{value:g}%"
            raise ValueError(
                f"found {value}; expected a whole number of areas, or a share: {share}"
            )
        return {"number": int(value)}
    return value


class Worst(StrictModel):
    """How many of the worst: a share of the areas that have a score, or a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    share: float | None = Field(default=None, gt=0, lt=1)
    number: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> Worst:
        if (self.share is None) == (self.number is None):
            raise ValueError("expected a share such as 10% or a number of areas")
        return self

    def width(self, n: int) -> float:
        """Give the share of n areas, or the number, before it is rounded down."""
        return self.share * n if self.share is not None else float(min(self.number or 0, n))

    def count(self, n: int) -> int:
        """Give the number of areas: the share of n, rounded down as official deciles are."""
        # 0.1 x 33,750 is 3374.9999999999995 in floats and 3,375 in the arithmetic that is meant.
        return int(self.width(n) + 1e-9)

    def __str__(self) -> str:
        return f"worst {self.share * 100:g}%" if self.share else f"worst {self.number:,}"


class Condition(StrictModel):
    """One condition on one index or domain.

    Attributes
    ----------
    index
        Path of the index or domain, such as ``deprivation`` or ``deprivation.income``.
    worst
        The area is among the worst share or number.
    score_above
        Or: its score is above this.
    within
        With `worst`: counted in each area of this parent system, such as ``lad19``, not nationally.
    among
        With `worst`: the cut-off is set among the areas that the index was built on, before it was
        moved to the study's (``built``), not among the study's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    index: str
    worst: Annotated[Worst, BeforeValidator(_parse_worst)] | None = None
    score_above: float | None = Field(default=None, allow_inf_nan=False)
    within: str | None = None
    among: str | None = Field(default=None, pattern="^built$")

    @model_validator(mode="after")
    def _one(self) -> Condition:
        if (self.worst is None) == (self.score_above is None):
            raise ValueError("expected exactly one of 'worst' and 'score_above'")
        if self.worst is None and (self.within or self.among):
            raise ValueError("'within' and 'among' go with 'worst'")
        if self.within and self.among:
            raise ValueError("expected at most one of 'within' and 'among'")
        return self

    def written(self) -> dict[str, Any]:
        """Give the condition as a study writes it, so that it reads back the same to the last bit."""
        data = self.model_dump(exclude_none=True)
        if self.worst is not None:
            share = self.worst.share or 0.0
            text = f"{100 * share:g}%"
            exact = float(text[:-1]) / 100 == share
            data["worst"] = self.worst.number or (text if exact else {"share": share})
        return data

    @property
    def path(self) -> str:
        """Path of the node, with slashes."""
        return self.index.replace(".", "/")

    def __str__(self) -> str:
        what = str(self.worst) if self.worst else f"score above {self.score_above:g}"
        where = f" within each {self.within}" if self.within else ""
        where += " (among the areas that it was built on)" if self.among else ""
        return f"{what} on {self.index}{where}"


class AtMost(StrictModel):
    """A cap: of those that qualify, the worst few in each larger area."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: int = Field(gt=0)
    within: str
    by: str


class Rule(StrictModel):
    """A condition, or conditions joined by all, any and not; with exclusions and a cap.

    Attributes
    ----------
    all, any, not_
        Rules joined; exactly one of these or a condition's own keys.
    excluding
        Codes of areas that cannot qualify.
    at_most
        A cap on those that do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    all: tuple[Rule, ...] | None = Field(default=None, min_length=1)
    any: tuple[Rule, ...] | None = Field(default=None, min_length=1)
    not_: Rule | None = Field(default=None, alias="not")
    condition: Condition | None = None
    excluding: tuple[str, ...] = ()
    at_most: AtMost | None = None

    @model_validator(mode="before")
    @classmethod
    def _flat_condition(cls, data: Any) -> Any:
        """Let a condition's keys stand beside 'excluding' and 'at_most'."""
        if isinstance(data, dict) and "index" in data:
            own = {k: v for k, v in data.items() if k in ("excluding", "at_most")}
            return {**own, "condition": {k: v for k, v in data.items() if k not in own}}
        return data

    @model_validator(mode="after")
    def _one(self) -> Rule:
        given = [x for x in (self.all, self.any, self.not_, self.condition) if x is not None]
        if len(given) != 1:
            raise ValueError(
                "expected exactly one of 'all', 'any', 'not' and a condition on an 'index'"
            )
        return self

    def written(self) -> dict[str, Any]:
        """Give the rule as a study writes it.

        Examples
        --------
        >>> Rule.model_validate({"all": [{"index": "needs", "worst": "12.5%"}], "excluding": ["E1"]}).written()
        {'all': [{'index': 'needs', 'worst': '12.5%'}], 'excluding': ['E1']}
        """
        data = {} if self.condition is None else self.condition.written()
        for key, parts in (("all", self.all), ("any", self.any)):
            if parts is not None:
                data[key] = [part.written() for part in parts]
        if self.not_ is not None:
            data["not"] = self.not_.written()
        if self.excluding:
            data["excluding"] = list(self.excluding)
        if self.at_most is not None:
            data["at_most"] = self.at_most.model_dump()
        return data

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition of the tree, in the order written."""
        if self.condition is not None:
            yield self.condition
        for rule in (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ else ())):
            yield from rule.conditions()

    def negated(self, outside: bool = False) -> Iterator[bool]:
        """Say of each condition, in the order written, whether an odd number of 'not' is above it.

        Examples
        --------
        >>> a = {"index": "a", "worst": 5}
        >>> list(Rule.model_validate({"all": [a, {"not": {"any": [a, {"not": a}]}}]}).negated())
        [False, True, False]
        """
        if self.condition is not None:
            yield outside
        for rule in (*(self.all or ()), *(self.any or ())):
            yield from rule.negated(outside)
        if self.not_ is not None:
            yield from self.not_.negated(not outside)

    def labels(self) -> list[str]:
        """Name each condition, in the order written, by its index; numbered where one has several.

        Examples
        --------
        >>> once, twice = {"index": "a", "worst": 5}, {"index": "b", "worst": "10%"}
        >>> Rule.model_validate({"all": [once, twice, {**twice, "within": "lad24"}]}).labels()
        ['a', 'b_2', 'b_3']
        """
        names = [c.index for c in self.conditions()]
        return [n if names.count(n) == 1 else f"{n}_{i}" for i, n in enumerate(names, start=1)]

    def without_caps(self) -> Rule:
        """Give the same rule without its caps, at any depth."""

        def below(rules: tuple[Rule, ...] | None) -> tuple[Rule, ...] | None:
            return None if rules is None else tuple(r.without_caps() for r in rules)

        not_ = None if self.not_ is None else self.not_.without_caps()
        return self.model_copy(
            update={
                "all": below(self.all),
                "any": below(self.any),
                "not_": not_,
                "at_most": None,
            }
        )

    def rules(self) -> Iterator[Rule]:
        """Yield this rule and every rule below it."""
        yield self
        for rule in (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ else ())):
            yield from rule.rules()

    def __str__(self) -> str:
        if self.condition:
            text = str(self.condition)
        elif self.not_:
            text = f"not ({self.not_})"
        else:
            joined = self.all or self.any or ()
            text = (" and " if self.all else " or ").join(
                f"({r})" if r.all or r.any else str(r) for r in joined
            )
        if self.at_most:
            text = f"{text}, at most {self.at_most.number} in each {self.at_most.within}"
        return text


Floats: TypeAlias = NDArray[np.float64]


Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition, applied to every area."""

    condition: Condition
    passes: Bools  # (n_areas,) whether it holds; False where the score is missing
    # (n_areas,) rank on which it was decided: national, within the group, or the place that the score takes among the
    # areas that the index was built on
    rank: Floats
    # (n_areas,) places to the cut-off: positive inside (1 = the last one in), negative outside (-1 = the first one
    # out)
    places: Floats
    # (n_areas,) score beyond the cut-off: how far it is above the first area outside if inside, below the last area
    # inside if outside (negative)
    score: Floats
    cut: Floats  # (n_areas,) number of areas inside the cut-off
    width: Floats  # (n_areas,) the same before it was rounded down: 10% of 7,433 is 743.3
    # (n_areas,) areas with the same score as this one, itself among them, where it is placed
    level: Floats
