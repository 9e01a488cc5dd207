"""What effects are worth and what costs are raised by, as data."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from commonweal.access.taxonomy import load_taxonomy
from commonweal.errors import UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.files.model import Data, load, shipped
from commonweal.invest.appraisal.project import Series
from commonweal.invest.appraisal.uncertain import AtMostOne, Uncertain, inside, read_number
from commonweal.invest.parameters import Stated, load_parameters

__all__ = ["Added", "Grant", "Values", "Wellbeing", "load_values", "shipped_values"]

NONE = "none"
"""The category of what no optimism bias is added to."""

_FOLDER = resources.files(__package__) / "published"

Text = Annotated[str, Field(min_length=1)]


class Wellbeing(Stated):
    """Points of life satisfaction, 0 to 10, for a year, of someone better off by a standard deviation."""

    points: Annotated[Uncertain, BeforeValidator(read_number), AfterValidator(inside(0, 10))]


class Added(Stated):
    """The share of effects that is additional."""

    share: AtMostOne


class Grant(Stated):
    """GBP for each place where neither a programme nor the user says how much there is."""

    each: Annotated[float, Field(strict=True, gt=0)]


class Values(Data):
    """A file of values.

    Attributes
    ----------
    name, title, licence
        Of the file, what it is, and on what terms it may be used.
    wellbeing
        What a standard deviation of an outcome is worth.
    added
        How much of an effect would not have come anyway.
    prices, incomes
        GDP deflator and real GDP per head, by year.
    optimism_bias
        By key of the intervention, the category of its capital cost, or ``none``; a case tells of one without.
    managed
        How far the risks behind that bias are managed: 0 adds the upper bound, 1 the lower.
    grant
        What there is for each place if nothing else is said.
    built
        By kind of place that can be built, the key of the intervention that it is: what it costs and does.
    """

    name: str = ""
    title: Text
    licence: Text
    wellbeing: Wellbeing
    added: Added
    prices: Series
    incomes: Series
    optimism_bias: dict[str, Text]
    managed: AtMostOne
    grant: Grant
    built: Annotated[dict[str, Text], Field(min_length=1)]

    def kind_of(self, intervention: str) -> str | None:
        """Give the kind of place that an intervention builds, the first of several; None if none."""
        return next((kind for kind, name in self.built.items() if name == intervention), None)

    @property
    def works(self) -> list[str]:
        """Ids of the works of the evidence library that it cites, each once."""
        stated = (self.wellbeing, self.added, self.grant)
        return list(dict.fromkeys(s.evidence for s in stated if s.evidence))


def shipped_values() -> list[str]:
    """Name the files that ship."""
    return shipped(_FOLDER)


def load_values(name: str = "first-values") -> Values:
    """Read a file of values.

    Parameters
    ----------
    name
        One that ships, or the path of a YAML file with the same keys.

    Raises
    ------
    UnknownNameError
        If none of that name ships, or it names a kind of place, a category of optimism bias or a work that
        there is not.
    DataError
        If the file cannot be read, or a key or number in it is wrong.

    Examples
    --------
    >>> round(load_values().wellbeing.points.mean, 2), load_values().wellbeing.verified
    (0.23, False)
    """
    stem, read = load(name, _FOLDER, "file of values", Values)
    kinds, evidence = load_taxonomy().kinds, load_evidence()
    for kind in read.built:
        if kind not in kinds:
            raise UnknownNameError("kind of place", kind, kinds, f" in {name}, under 'built'")
    categories = load_parameters().optimism_bias.categories
    for key, category in read.optimism_bias.items():
        if category not in (NONE, *categories):
            where = f" in {name}, under 'optimism_bias.{key}'"
            raise UnknownNameError("optimism bias category", category, (*categories, NONE), where)
    for id_ in read.works:
        evidence.work(id_)
    return read.model_copy(update={"name": stem})
