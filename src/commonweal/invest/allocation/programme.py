"""The rule of a funding programme, as data: what ranks, who may have it, how it is spread, how much there is."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from commonweal.designation import Condition, Rule
from commonweal.files.schema import FileModel, load, shipped

if TYPE_CHECKING:
    from collections.abc import Callable


_FOLDER = resources.files("commonweal.invest") / "programmes"


class _Marked(FileModel):
    """A part of a rule, with what it rests on."""

    # whether the programme's own published text says so; if not, it is inferred or our choice
    official: bool
    note: str = ""  # what the text says, or what it was inferred from


def _whole(value: object) -> object:
    """Refuse a number that is not whole before it is taken for one."""
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"found {value}; expected a whole number of at least 1")
    return value


Whole = Annotated[PositiveInt, BeforeValidator(_whole)]


class Ranking(_Marked):
    """What areas are ranked by."""

    # weight of each index or domain, by its dotted path; the weights are used as they stand
    of: dict[str, Annotated[float, Field(gt=0)]] = Field(min_length=1)
    # what is weighted: ``z`` (standard scores over all areas with a score), ``rank`` (areas that do not rank before
    # it, ties at their middle), ``share`` (that as a share of the areas, the worst 1) or ``score``
    scale: Literal["z", "rank", "share", "score"] = "score"


class Eligible(Condition):
    """A threshold that an area has to pass, marked as official or not."""

    # official, note: as for every part of a rule
    official: bool
    note: str = ""


class Exclusion(_Marked):
    """Areas that may not have it."""

    # who they are, in words; if there are neither codes nor a file, what a user has to bring
    what: str
    # the codes are of larger areas: the name of the parent; of the areas themselves if empty
    parent: str = ""
    codes: tuple[str, ...] = ()
    # file, column: or a table that lists them, beside the programme's own file, and its column of codes
    file: str = ""
    column: str = "code"

    @model_validator(mode="after")
    def _one(self) -> Exclusion:
        if self.codes and self.file:
            raise ValueError("found both 'codes' and 'file'; expected one, or none")
        return self


class Cap(_Marked):
    """At most so many areas in each larger one."""

    most: Whole
    in_each: str


class Least(_Marked):
    """At least so many areas in each larger one, or in one of them."""

    least: Whole
    in_each: str
    # codes of the larger areas that this is about; all of them if none is given
    only: tuple[str, ...] = ()


class People(_Marked):
    """How many people an area may have."""

    min: float = Field(default=0, ge=0)
    max: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _order(self) -> People:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"found max {self.max:,.0f} below min {self.min:,.0f}")
        return self


class Build(_Marked):
    """Areas built up from the study's: contiguous, of so many people."""

    min: float = Field(gt=0)
    max: float = Field(gt=0)
    within: str = ""  # a parent whose borders are not crossed

    @model_validator(mode="after")
    def _order(self) -> Build:
        if self.max < self.min:
            raise ValueError(f"found max {self.max:,.0f} below min {self.min:,.0f}")
        return self


class Money(_Marked):
    """How much there is."""

    awards: Whole | None = None  # how many areas get one, at most
    award: float | None = Field(default=None, gt=0)  # the money that each gets
    budget: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _enough(self) -> Money:
        if self.budget is not None and self.award is None:
            raise ValueError("'budget' goes with 'award', the money that each area gets")
        if self.budget is not None and self.award is not None and self.award > self.budget:
            raise ValueError(
                f"award {self.award:,.0f} is above the budget of {self.budget:,.0f}; nobody could have one"
            )
        return self

    @property
    def most(self) -> int | None:
        """How many awards: as many as the budget pays for, and no more than are stated."""
        if self.budget is None or self.award is None:
            return self.awards
        paid = int(self.budget / self.award + 1e-9)
        return paid if self.awards is None else min(paid, self.awards)

    def __str__(self) -> str:
        each = f" of £{self.award:,.0f}" if self.award else ""
        number = (
            "as many awards as areas that meet the rule"
            if self.most is None
            else f"{self.most:,} awards"
        )
        return number + each


class Lookup(FileModel):
    """Which larger area holds each area: a table of small areas, their larger ones and the people of each pair."""

    # source, file: a source of the catalogue, or a table beside the programme's file
    source: str = ""
    file: str = ""
    areas: str = ""  # the area system that the table is on; the study's if empty
    # code, group: columns of the small area and of the larger one
    code: str
    group: str
    # column of residents that a pair has in common; empty where each small area has one larger one
    people: str = ""

    @model_validator(mode="after")
    def _one(self) -> Lookup:
        if bool(self.source) == bool(self.file):
            raise ValueError("expected exactly one of 'source' and 'file'")
        return self


class Names(FileModel):
    """Names of larger areas: a source in JSON, an entry for each code of the lookup."""

    source: str
    # code, name: keys of an entry: the code that is published, and the name
    code: str
    name: str


class Grouping(FileModel):
    """A parent that the study's areas lack, by where most of their people are."""

    title: str
    lookup: Lookup
    names: Names | None = None


class Programme(FileModel):
    """A programme's rule; see docs/methods/allocation.md for every key."""

    name: str = ""
    title: str = Field(min_length=1)
    about: str = ""
    official: str = Field(min_length=1)
    inferred: str = ""
    works: tuple[str, ...] = ()
    study: str
    groups: dict[str, Grouping] = Field(default_factory=dict)
    build: Build | None = None
    rank: Ranking
    eligible: tuple[Eligible, ...] = ()
    exclude: dict[str, Exclusion] = Field(default_factory=dict)
    people: People | None = None
    caps: tuple[Cap, ...] = ()
    least: tuple[Least, ...] = ()
    money: Money | None = None
    ties: tuple[str, ...] = ()
    in_need: tuple[Eligible, ...] = Field(min_length=1)

    @field_validator("caps")
    @classmethod
    def _once(cls, caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        named = [cap.in_each for cap in caps]
        for name in named:
            if named.count(name) > 1:
                raise ValueError(f"'{name}' has {named.count(name)} caps; expected one")
        return caps

    @property
    def rule(self) -> Rule:
        """The thresholds as a rule of designation; where there are none, to have a score is one."""
        conditions: list[Condition] = [_bare(c) for c in self.eligible] or [
            Condition(index=path, score_above=-1e300) for path in self.rank.of
        ]
        return Rule(all=tuple(Rule(condition=c) for c in conditions))

    @property
    def yardstick(self) -> Rule:
        """Who is in need, as a rule of designation."""
        return Rule(all=tuple(Rule(condition=_bare(c)) for c in self.in_need))

    def parts(
        self, named: Callable[[str], str] = str, larger: Callable[[str], str] = str
    ) -> list[tuple[str, bool, str]]:
        """Give each part of the rule in words, whether it is official, and what it rests on.

        Parameters
        ----------
        named
            Gives the name for readers of an index or domain by its path.
        larger
            Gives that of one larger area by its parent's name.
        """
        found: list[tuple[str, bool, str]] = []
        if self.build:
            within = f", within each {larger(self.build.within)}" if self.build.within else ""
            found.append(
                (
                    f"Areas are built up from neighbours to {self.build.min:,.0f} to "
                    f"{self.build.max:,.0f} people{within}",
                    self.build.official,
                    self.build.note,
                )
            )
        found.append(
            (f"Ranked by {ranked_by(self.rank, named)}", self.rank.official, self.rank.note)
        )
        for c in self.eligible:
            words = str(c).replace(c.index, named(c.index))
            found.append((f"Only areas in the {words}", c.official, c.note))
        found += [(f"Not: {e.what}", e.official, e.note) for e in self.exclude.values()]
        if self.people:
            most = f" and at most {self.people.max:,.0f}" if self.people.max else ""
            text = f"At least {self.people.min:,.0f}{most} people"
            found.append((text, self.people.official, self.people.note))
        found += [
            (f"At most {c.most} in each {larger(c.in_each)}", c.official, c.note) for c in self.caps
        ]
        for rule in self.least:
            where = " or ".join(rule.only) if rule.only else f"each {larger(rule.in_each)}"
            found.append((f"At least {rule.least} in {where}", rule.official, rule.note))
        if self.money:
            found.append((f"There are {self.money}", self.money.official, self.money.note))
        return found


def _bare(condition: Eligible) -> Condition:
    """Give the condition without its marks."""
    return Condition(**condition.model_dump(include=set(Condition.model_fields)))


def ranked_by(ranking: Ranking, named: Callable[[str], str] = str) -> str:
    """Say what ranks: ``0.5 x z-score of a + 0.5 x z-score of b``."""
    on = {"z": "z-score of ", "rank": "rank on ", "share": "share on ", "score": ""}[ranking.scale]
    if len(ranking.of) == 1:
        return f"{on}{named(next(iter(ranking.of)))}"
    return " + ".join(f"{weight:g} x {on}{named(path)}" for path, weight in ranking.of.items())


def shipped_programmes() -> list[str]:
    """Names of the programmes that ship."""
    return shipped(_FOLDER)


def load_programme(name: str) -> Programme:
    """Read a programme's rule.

    Parameters
    ----------
    name
        A programme that ships, or the path of a YAML file.

    Raises
    ------
    UnknownNameError
        If no programme of that name ships.
    DataError
        If the file cannot be read or is not such a rule; the message names the file and the field,
        what was found and what was expected.

    Examples
    --------
    >>> load_programme("appg-225").study
    'left-behind-2019'
    """
    short, found = load(name, _FOLDER, "programme", Programme)
    beside = Path(name).absolute().parent

    def there(file: str) -> str:
        return str(beside / file) if file else ""

    own = found.study.lower().endswith((".yaml", ".yml"))
    return found.model_copy(
        update={
            "name": found.name or short,
            "study": there(found.study) if own else found.study,
            "exclude": {
                key: e.model_copy(update={"file": there(e.file)})
                for key, e in found.exclude.items()
            },
            "groups": {
                key: g.model_copy(
                    update={"lookup": g.lookup.model_copy(update={"file": there(g.lookup.file)})}
                )
                for key, g in found.groups.items()
            },
        }
    )
