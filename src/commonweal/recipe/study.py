"""A whole recipe, in which every name has to exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator, model_validator

from commonweal.areas import load_systems
from commonweal.designation import CertaintySpec, Rule
from commonweal.errors import StudyError, nearest
from commonweal.faults import FieldError
from commonweal.recipe.data import (
    AgreementSpec,
    FileOrSource,
    IndicatorSpec,
    OwnAreas,
    _Part,
    check_name,
)
from commonweal.recipe.indices import IndexSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.index import Node

__all__ = ["BriefingSpec", "Study"]


class BriefingSpec(_Part):
    """How the results are told.

    Attributes
    ----------
    label
        What a selected area is called, such as ``left behind``.
    note
        A sentence that stands at the top of the report, such as that a place is fictional.
    """

    label: str = "selected"
    note: str = ""


class Study(_Part):
    """A whole recipe; see docs/reference/study.md for every key."""

    name: str
    folder: Path
    title: str = Field(min_length=1)
    description: str = ""
    areas: str | OwnAreas
    where: dict[str, str] = Field(default_factory=dict)
    population: str | None = None
    indicators: dict[str, IndicatorSpec] = Field(min_length=1)
    index: dict[str, IndexSpec] = Field(min_length=1)
    designate: dict[str, Rule] = Field(default_factory=dict)
    certainty: CertaintySpec | None = None
    agreement: tuple[AgreementSpec, ...] = ()
    since: str = ""
    briefing: BriefingSpec = BriefingSpec()

    @field_validator("indicators", "index", "designate")
    @classmethod
    def _plain_names(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            check_name(name)
        return value

    @field_validator("indicators")
    @classmethod
    def _beside_the_codes(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "code" in value:
            raise FieldError("the results have a column of that name; expected another", "code")
        return value

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        for index, spec in self.index.items():
            for path, node in spec.walk(index):
                place = ("index", *"/children/".join(path.split("/")).split("/"))
                for name in node.children:
                    check_name(name, *place, "children")
                own = [] if node.indicator is None else [("indicator", node.indicator)]
                for key, indicator in [*own, *(("base", name) for name in node.base)]:
                    if indicator not in self.indicators:
                        near = nearest(indicator, self.indicators)
                        raise FieldError(f"indicator '{indicator}' not found; {near}", *place, key)
        nodes = {p.replace("/", "."): n for i, s in self.index.items() for p, n in s.walk(i)}
        for named, *at in self._paths_named():
            if named not in nodes:
                raise FieldError(
                    f"index or domain '{named}' not found; {nearest(str(named), nodes)}", *at
                )
        for k, a in enumerate(self.agreement):
            if a.designation and a.designation not in self.designate:
                raise FieldError(
                    f"designation '{a.designation}' not found; "
                    + nearest(a.designation, self.designate),
                    *("agreement", k, "designation"),
                )
        if self.since and len(self.designate) != 1:
            raise FieldError(f"needs exactly one designation; found {len(self.designate)}", "since")
        if isinstance(self.areas, OwnAreas):
            for key, value in (("where", self.where), ("population", self.population)):
                if value:
                    raise FieldError(
                        "goes with areas that ship; a table of your own has its own", key
                    )
        self._certainty_varies(nodes)
        self._areas_exist()
        return self

    def _areas_exist(self) -> None:
        known = load_systems()
        systems = list(known.systems)
        own = isinstance(self.areas, OwnAreas)
        if isinstance(self.areas, OwnAreas):
            systems.append(self.areas.system)
            larger = set(self.areas.parents)
        elif self.areas not in known.systems:
            raise FieldError(
                f"area system '{self.areas}' not found; {nearest(self.areas, systems)}", "areas"
            )
        else:
            larger = {*known.parents(self.areas), *known.system(self.areas).classes}
        for index, spec in self.index.items():
            if spec.areas and spec.areas not in systems:
                raise FieldError(
                    f"area system '{spec.areas}' not found; {nearest(spec.areas, systems)}",
                    *("index", index, "areas"),
                )
        for name, rule in self.designate.items():
            for at, part in _rules(rule, ("designate", name)):
                named = (part.condition, ()), (part.at_most, ("at_most",))
                for where, key in named:
                    within = where.within if where else None
                    if within is not None and within not in larger:
                        what = (
                            "the larger areas under 'parents'" if own else f"those of {self.areas}"
                        )
                        raise FieldError(
                            f"'{within}' is not one of {what}; {nearest(within, larger)}",
                            *(*at, *key, "within"),
                        )

    def _certainty_varies(self, nodes: Mapping[str, Node]) -> None:
        if not self.certainty or not self.certainty.draws:
            return
        if not self.designate:
            raise FieldError("needs something under 'designate'", "certainty")
        if not self.certainty.vary:
            raise FieldError(
                "nothing varies; expected a list of weights, form, standard_errors or cut",
                *("certainty", "vary"),
            )
        parents = {path for path, node in nodes.items() if node.children}
        stated = [name for name, spec in self.indicators.items() if spec.standard_error]
        for k, item in enumerate(self.certainty.vary):
            at = ("certainty", "vary", k)
            for key in ("weights", "form"):
                node = getattr(item, key, "").replace("/", ".")
                if node and node not in parents:
                    raise FieldError(
                        f"no index or domain '{node}' with children; {nearest(node, parents)}",
                        *at,
                        key,
                    )
            names = getattr(item, "standard_errors", ())
            for name in (
                stated if names == "all" and stated else [names] if names == "all" else names
            ):
                if name not in stated:
                    raise FieldError(
                        f"'{name}': no such indicator with a standard_error; {nearest(name, stated)}",
                        *at,
                        "standard_errors",
                    )

    def _paths_named(self) -> Iterator[tuple[str | int, ...]]:
        """Yield each index or domain that is named outside 'index', with the field that names it."""
        for name, rule in self.designate.items():
            for at, part in _rules(rule, ("designate", name)):
                if part.condition:
                    yield (part.condition.index, *at, "index")
                if part.at_most:
                    yield (part.at_most.by, *at, "at_most", "by")
        for k, a in enumerate(self.agreement):
            if a.index:
                yield (a.index, "agreement", k, "index")

    def only_designation(self) -> str:
        """Name the one designation, for a comparison.

        Raises
        ------
        StudyError
            If there is none, or several.
        """
        if len(self.designate) != 1:
            found = ", ".join(self.designate) or "nothing"
            raise StudyError(
                f"study {self.name} designates {found}; a comparison needs exactly one designation"
            )
        return next(iter(self.designate))

    def files(self) -> set[str]:
        """Names of the files beside the study that it reads."""
        named: list[FileOrSource] = [*self.indicators.values(), *self.agreement]
        if isinstance(self.areas, OwnAreas):
            named += [self.areas, *([self.areas.boundaries] if self.areas.boundaries else [])]
        return {spec.file for spec in named if spec.file}

    def resolved(self) -> dict[str, Any]:
        """Give the recipe with every default filled in, as plain data."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"name", "folder"}, exclude_none=True
        )


def _rules(rule: Rule, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Rule]]:
    """Yield a rule and every rule below it, each with its place in the file."""
    yield at, rule
    for key, below in (("all", rule.all), ("any", rule.any)):
        for k, part in enumerate(below or ()):
            yield from _rules(part, (*at, key, k))
    if rule.not_:
        yield from _rules(rule.not_, (*at, "not"))
