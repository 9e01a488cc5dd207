"""A project as its file states it: costs, benefits and who has them, in which years, how sure."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from commonweal.errors import DataError, nearest
from commonweal.evidence import load_evidence
from commonweal.files.inputs import name_value
from commonweal.files.schema import FileModel, load, read_data, shipped
from commonweal.invest.appraisal.outcomes import Outcome, Outcomes, check_claims, load_outcomes
from commonweal.invest.parameters import AtLeastZero, AtMostOne, Number, Uncertain

if TYPE_CHECKING:
    from collections.abc import Mapping


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


class ProjectLine(FileModel):
    """What costs and benefits have in common."""

    label: Text
    # in which years, the first being 0: one, ``1-9``, a list, or shares of the amount by year
    years: Years
    price_year: Year | None = None  # of its money; the project's if not given
    after_works: bool = True  # whether it waits for the works of the project; never so for capital
    # source, evidence, verified: where it comes from, a work of the evidence library, and whether it was verified
    source: str = ""
    evidence: str = ""
    verified: bool = False


class Bias(FileModel):
    """Optimism bias of an estimate.

    In a file a category's name alone will do, or ``none``.
    """

    # shares of the categories of the parameters; one category alone is the whole. Empty for none.
    mix: dict[str, Annotated[float, Field(strict=True, gt=0, le=1)]]
    # how far the risks are managed: 0 adds the upper bound, 1 the lower
    mitigated: AtMostOne = CERTAIN_ZERO
    why: str = ""  # why so far, or why none

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


class Works(FileModel):
    """Building work that benefits and running costs wait for."""

    # how long it is planned to take; optimism bias adds a share of it as delay
    years: Annotated[float, Field(strict=True, gt=0)]
    optimism_bias: Bias


class Cost(ProjectLine):
    """A cost."""

    # ``capital`` (bought once) or ``running`` (as long as it goes on)
    kind: Literal["capital", "running"]
    amount: AtLeastZero  # GBP a year, or in all where `years` gives shares; in real terms
    # ``public``: the public sector; ``others``: anyone else
    paid_by: Literal["public", "others"] = "public"
    optimism_bias: Bias | None = None  # what is added since such estimates have been too low


class Additionality(FileModel):
    """What of a gross effect is added.

    In a file a share alone will do: all of it together.
    """

    # the share that is additional, everything considered; or instead of it the parts:
    share: AtMostOne | None = None
    # leakage, displacement, substitution: shares lost to people whom the project is not for, to others nearby, to what
    # was done before
    leakage: AtMostOne = CERTAIN_ZERO
    displacement: AtMostOne = CERTAIN_ZERO
    substitution: AtMostOne = CERTAIN_ZERO
    # the reference case as a share: what would have come without the project. It leaks, displaces and multiplies as
    # the rest does.
    deadweight: AtMostOne = CERTAIN_ZERO
    multiplier: AtLeastZero = CERTAIN_ONE  # what follows from it; 1 for nothing
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


_ID = re.compile(r"[a-z][a-z0-9_]*")


class Series(FileModel):
    """An index by year that the user brings."""

    index: dict[int, Annotated[float, Field(strict=True, gt=0)]] = Field(min_length=1)  # by year
    # source, verified: where they come from, and whether they were verified
    source: Text
    verified: bool = False


class Incomes(FileModel):
    """Equivalised incomes, in GBP a year."""

    median: Annotated[float, Field(strict=True, gt=0)]
    # of the groups that benefits go to
    groups: Annotated[dict[str, Annotated[float, Field(strict=True, gt=0)]], Field(min_length=1)]
    # source, verified: where they come from, and whether they were verified
    source: Text
    verified: bool = False


class Correlation(FileModel):
    """Two uncertain inputs that move together, such as ``hub.people`` and ``hub.quantity``."""

    between: tuple[str, str]
    of: Annotated[float, Field(strict=True, gt=-1, lt=1)]


class Project(FileModel):
    """A project.

    Attributes
    ----------
    name
        Of the file.
    title, about
        What it is.
    fictional
        Whether it is made up.
    reference_case
        What happens without it: what it is compared with.
    start
        The calendar year of year 0.
    horizon
        How many years are appraised, year 0 among them.
    price_year
        All money is told in prices of this year.
    parameters
        A set that ships, or a file.
    deflators, real_incomes
        Price index and real GDP per head by year; needed where price years differ, and to bring a
        WELLBY to the price year.
    incomes
        For welfare weights; none are computed without.
    works
        Building work that benefits wait for.
    costs, benefits
        By a short name each.
    outcomes
        Outcomes of one's own, beside those that ship.
    correlations
        Of uncertain inputs; all others are independent.
    budget
        What there is to spend, in GBP before discounting; None where that is not known.
    unquantified
        What matters and is not in the figures.
    """

    name: str = ""
    title: Text
    about: str = ""
    fictional: bool = False
    reference_case: Text
    start: Annotated[int, Field(strict=True)]
    horizon: Annotated[int, Field(strict=True, ge=1, le=500)]
    price_year: Annotated[int, Field(strict=True)]
    parameters: str = "green-book-2022"
    deflators: Series | None = None
    real_incomes: Series | None = None
    incomes: Incomes | None = None
    works: Works | None = None
    costs: Annotated[dict[str, Cost], Field(min_length=1)]
    benefits: Annotated[dict[str, Benefit], Field(min_length=1)]
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    correlations: tuple[Correlation, ...] = ()
    budget: Annotated[float, Field(strict=True, gt=0)] | None = None
    unquantified: tuple[str, ...] = ()

    @field_validator("costs", "benefits")
    @classmethod
    def _short_names(cls, lines: dict[str, Any]) -> dict[str, Any]:
        for name in lines:
            if not _ID.fullmatch(name):
                raise ValueError(
                    f"found the name {name!r}; expected lower-case letters, digits and _"
                )
        return lines

    @model_validator(mode="after")
    def _hangs_together(self) -> Project:
        if twice := set(self.costs) & set(self.benefits):
            raise ValueError(
                f"'{min(twice)}' names a cost and a benefit; expected names that differ"
            )
        lines: dict[str, ProjectLine] = {**self.costs, **self.benefits}
        for name, line in lines.items():
            last = line.years[-1][0]
            if last >= self.horizon:
                raise ValueError(
                    f"'{name}' reaches year {last}; the horizon of {self.horizon} ends with year {self.horizon - 1}"
                )
        for name, benefit in self.benefits.items():
            groups = self.incomes.groups if self.incomes else {}
            for group in benefit.distribution:
                if group not in groups:
                    raise ValueError(
                        f"'{name}': income group '{group}' is not under 'incomes'; {nearest(group, groups)}"
                    )
        if not any(
            line.paid_by == "public" and line.amount.mean > 0 for line in self.costs.values()
        ):
            raise ValueError(
                "no cost to the public sector: a benefit-cost ratio divides by it; expected one above 0"
            )
        return self


def shipped_projects() -> list[str]:
    """Name the projects that ship."""
    return shipped(resources.files(__package__) / "projects")


def load_project(name: str) -> Project:
    """Read a project.

    Parameters
    ----------
    name
        One that ships, or the path of a YAML file.

    Raises
    ------
    UnknownNameError
        If none of that name ships, or it names an outcome, work or category that is not there.
    DataError
        If the file cannot be read, something in it is wrong, or two benefits count the same.

    Examples
    --------
    >>> load_project("by-hand").horizon
    3
    """
    stem, read = load(name, resources.files(__package__) / "projects", "project", Project)
    return _checked(read, stem, name)


def project_from(data: Mapping[str, Any], name: str = "project") -> Project:
    """Check a project that is plain data, as a file would hold it."""
    return _checked(read_data(dict(data), name, Project), name, name)


def outcomes_of(project: Project) -> Outcomes:
    """Give the outcomes that its benefits may claim: those that ship, and its own."""
    return load_outcomes().and_also(project.outcomes)


def works_cited(project: Project) -> tuple[str, ...]:
    """Give the works of the evidence library that the lines rest on, each once."""
    lines: dict[str, ProjectLine] = {**project.costs, **project.benefits}
    return tuple(dict.fromkeys(line.evidence for line in lines.values() if line.evidence))


def _checked(project: Project, stem: str, where: str) -> Project:
    """Check what a project names elsewhere."""
    outcomes = outcomes_of(project)
    check_claims({name: b.claims for name, b in project.benefits.items()}, outcomes)
    for name, benefit in project.benefits.items():
        if benefit.transfer and outcomes.kind(benefit.claims) != "fiscal":
            raise DataError(
                f"{where}: '{name}' is a transfer and claims '{benefit.claims}', which is social; "
                "expected a fiscal outcome"
            )
    if cited := works_cited(project):
        evidence = load_evidence()
        for id_ in cited:
            evidence.work(id_)
    return project.model_copy(update={"name": stem})
