"""The parts of a survey's file: outcomes and groups, replicate weights, what is suppressed, margins to rake to."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

__all__ = [
    "Area",
    "Code",
    "Codes",
    "Columns",
    "Group",
    "Outcome",
    "Part",
    "Rake",
    "Replicates",
    "Suppression",
]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | int | float) else value


def _share(value: Any) -> Any:
    """Read 20% as 0.2."""
    found = re.fullmatch(r"([\d.]+)\s*%", value) if isinstance(value, str) else None
    return float(found[1]) / 100 if found else value


Code = bool | int | float | str
"""A value of a column: a code, a value label, or text. YAML reads a bare Yes or No as true or false."""

Codes = Annotated[tuple[Code, ...], BeforeValidator(_listed)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    """Refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Area(Part):
    """Where respondents live.

    Attributes
    ----------
    column
        Of codes such as ``E01000001``.
    system
        The area system of the codes, such as ``lsoa21``.
    """

    column: str
    system: str


class Outcome(Part):
    """What is estimated from a column: a share (0 or 1), or the mean of a number.

    Attributes
    ----------
    column
        Of the answers.
    yes
        The answers that count as 1; every other one that is not missing counts as 0.
    no
        If given, the answers that count as 0; one that is in neither list is then an error.
    recode
        A number for each answer, in place of yes and no.
    missing
        Answers that are none, beside those of the survey and the user-missing ones of SPSS.
    label
        What readers call it.
    headline
        The headline indicator that it measures.

    Without `yes` and `recode` the column is taken as the number that it is.
    """

    column: str
    yes: Codes = ()
    no: Codes = ()
    recode: dict[Code, float] = Field(default_factory=dict)
    missing: Codes = ()
    label: str = ""
    headline: str = ""

    @model_validator(mode="before")
    @classmethod
    def _plain_keys(cls, value: Any) -> Any:
        """Undo YAML: a bare ``yes`` is read as true, also where it is a key."""
        if not isinstance(value, dict):
            return value
        return {{True: "yes", False: "no"}.get(k, k) if isinstance(k, bool) else k: v
                for k, v in value.items()}  # fmt: skip

    @model_validator(mode="after")
    def _one_way(self) -> Outcome:
        if self.recode and (self.yes or self.no):
            raise ValueError("found both 'recode' and 'yes' or 'no'; expected one of them")
        if self.no and not self.yes:
            raise ValueError("found 'no' without 'yes'; expected both, or 'yes' alone")
        return self

    @property
    def share(self) -> bool:
        """Whether it is a share: made of yes and no, or recoded to 0 and 1."""
        return bool(self.yes) or (bool(self.recode) and set(self.recode.values()) <= {0.0, 1.0})


class Group(Part):
    """How respondents are grouped.

    Attributes
    ----------
    column
        Of the answers.
    values
        By the name of each group, the answers that belong to it. Other answers are in no group.
    bands
        The lower ends of bands of a number, rising: ``[16, 35, 65]`` is 16 to 34, 35 to 64, 65 or over.
    missing
        Answers that are none.
    label
        What readers call it.

    Without `values` and `bands` each value label, or value, of the column is a group.
    """

    column: str
    values: dict[str, Codes] = Field(default_factory=dict)
    bands: tuple[float, ...] = ()
    missing: Codes = ()
    label: str = ""

    @model_validator(mode="before")
    @classmethod
    def _column_alone(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> Group:
        if self.values and self.bands:
            raise ValueError("found both 'values' and 'bands'; expected one of them")
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError(f"found bands {list(self.bands)}; expected rising numbers")
        return self


class Replicates(Part):
    """Replicate weights, from which the variance is computed in place of strata and clusters.

    Attributes
    ----------
    columns
        Their columns; or one name that ends in ``*`` for all columns that start so, in the file's order.
    method
        How they were made.
    kind
        Of a jackknife: ``jk1`` (the default) or ``jk2``.
    fay
        Fay's coefficient of balanced repeated replication, from 0 to below 1.
    """

    columns: Columns = Field(min_length=1)
    method: Literal["brr", "jackknife", "bootstrap", "sdr"]
    kind: Literal["jk1", "jk2"] | None = None
    fay: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Replicates:
        if self.kind and self.method != "jackknife":
            raise ValueError(
                f"found kind '{self.kind}' of method '{self.method}'; it is of a jackknife"
            )
        if self.fay and self.method != "brr":
            raise ValueError(f"found fay with method '{self.method}'; it is of brr")
        return self


class Suppression(Part):
    """When an estimate is too weak to publish. Both limits are conventions.

    Attributes
    ----------
    respondents
        The fewest respondents.
    variation
        The coefficient of variation (standard error as a share of the value) from which on it is.
    """

    respondents: int = Field(default=30, ge=1)
    variation: Annotated[float, BeforeValidator(_share)] = Field(default=0.2, gt=0)


class Rake(Part):
    """What is known of the population, for `rake_survey`.

    Attributes
    ----------
    margins
        By group, how many people, or which share of them, the population has in each of its names.
    cap
        The largest weight, as a multiple of the mean weight; none if not given.
    """

    margins: dict[str, dict[str, Annotated[float, BeforeValidator(_share)]]] = Field(min_length=1)
    cap: float | None = Field(default=None, gt=1)
