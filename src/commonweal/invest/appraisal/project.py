"""A project as a file states it: what it costs, what it claims to bring, to whom, for how long."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator, model_validator

from commonweal.errors import DataError, nearest
from commonweal.evidence import load_evidence
from commonweal.files.model import Data, load, read_data, shipped
from commonweal.invest.appraisal.lines import Benefit, Cost, ProjectLine, Works
from commonweal.invest.appraisal.outcomes import Outcome, Outcomes, check_claims, load_outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Correlation",
    "Incomes",
    "Project",
    "Series",
    "load_project",
    "outcomes_of",
    "project_from",
    "shipped_projects",
    "works_cited",
]

_ID = re.compile(r"[a-z][a-z0-9_]*")

Text = Annotated[str, Field(min_length=1)]


class Series(Data):
    """An index by year that the user brings.

    Attributes
    ----------
    index
        Values by year.
    source, verified
        Where they come from, and whether they were verified.
    """

    index: dict[int, Annotated[float, Field(strict=True, gt=0)]]
    source: Text
    verified: bool = False


class Incomes(Data):
    """Equivalised incomes, in GBP a year.

    Attributes
    ----------
    median
        Of everyone.
    groups
        Of the groups that benefits go to.
    source, verified
        Where they come from, and whether they were verified.
    """

    median: Annotated[float, Field(strict=True, gt=0)]
    groups: Annotated[dict[str, Annotated[float, Field(strict=True, gt=0)]], Field(min_length=1)]
    source: Text
    verified: bool = False


class Correlation(Data):
    """Two uncertain inputs that move together, such as ``hub.people`` and ``hub.quantity``."""

    between: tuple[str, str]
    of: Annotated[float, Field(strict=True, gt=-1, lt=1)]


class Project(Data):
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
    """Check a project that is plain data, as a file would hold it.

    Raises
    ------
    UnknownNameError, DataError
        As `load_project`.
    """
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
