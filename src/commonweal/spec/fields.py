"""What a study says, as a value: its keys, and what can be asked of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from commonweal.designation import Rule
from commonweal.designation.uncertainty import CertaintySpec, SensitivitySpec
from commonweal.errors import StudyError, nearest
from commonweal.files.inputs import name_value
from commonweal.files.schema import FieldError
from commonweal.index.assumptions import KINDS
from commonweal.index.prepare_spec import PrepareStep
from commonweal.social_capital import load_framework
from commonweal.spec.data import (
    FileOrSource,
    FileSpec,
    OwnAreas,
    ReplaceSpec,
    ValidationSpec,
    WholeFile,
    _Part,
    check_name,
)
from commonweal.spec.indicators import AccessSpec, IndicatorSpec
from commonweal.spec.indices import IndexSpec, PanelSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray


WHERE_OF_OWN = (
    "goes with areas that ship; with a table of your own, 'only' under 'areas' says which rows are areas, and 'focus' "
    "which areas are listed and counted"
)


class HeadlineSpec(_Part):
    """How an indicator of the study says something of a headline."""

    indicator: str = Field(min_length=1)
    # ``measured``: counted, or asked of people there. ``modelled``: estimated from something else. ``proxy``: it
    # stands in for the headline, which asks something else.
    how: Literal["measured", "modelled", "proxy"]
    caution: str = ""  # what to beware of, in a sentence; a proxy needs one


def check_headlines(
    section: Mapping[str, HeadlineSpec], indicators: Mapping[str, IndicatorSpec]
) -> None:
    """Check that each headline and each indicator is there, and that they mean the same."""
    if not section:
        return
    known = load_framework().headlines
    for id_, spec in section.items():
        at = ("social_capital", id_)
        if id_ not in known:
            raise FieldError(f"headline '{id_}' not found; {nearest(id_, known)}", *at)
        if spec.indicator not in indicators:
            found = f"indicator '{spec.indicator}' not found; {nearest(spec.indicator, indicators)}"
            raise FieldError(found, *at, "indicator")
        of = indicators[spec.indicator]
        if (of.higher_is == "less") != (known[id_].higher_is == "more"):
            more = "more" if known[id_].higher_is == "less" else "less"
            raise FieldError(
                f"higher means {known[id_].higher_is} social capital, and of '{spec.indicator}' "
                f"{of.higher_is} need; expected an indicator with 'higher_is: {more}'",
                *(*at, "indicator"),
            )
        if of.synthetic and spec.how == "measured":
            found = f"'{spec.indicator}' is synthetic; expected 'modelled' or 'proxy'"
            raise FieldError(found, *at, "how")
        if spec.how == "proxy" and not spec.caution:
            raise FieldError(
                "a proxy asks something else; expected a sentence that says what", *at, "caution"
            )


class BriefingSpec(_Part):
    """How the results are told."""

    label: str = "selected"  # what a selected area is called, such as ``left behind``
    # a sentence that stands at the top of the report, such as that a place is fictional
    note: str = ""
    # works of the evidence library that the study as a whole rests on, by id
    cites: tuple[str, ...] = ()
    national: bool = True  # whether figures for the country stand beside a place's social capital


class StudyFields(_Part):
    """The keys of a study; see docs/reference/study.md for each."""

    BRANCHES: ClassVar = {
        "areas": {"str", "OwnAreas"},
        "vary": {*(kind.__name__ for kind in KINDS.values()), "str", "dict[str,WeightLaw]"},
    }
    """What pydantic calls the kinds that a key may have: no fields of the file."""

    name: str
    folder: Path
    title: str = Field(min_length=1)
    description: str = ""
    areas: str | OwnAreas
    where: dict[str, str] = Field(default_factory=dict)
    focus: dict[str, str] = Field(default_factory=dict)
    population: str | None = None
    files: dict[str, FileSpec] = Field(default_factory=dict)
    replace: dict[str, ReplaceSpec] = Field(default_factory=dict)
    access: AccessSpec = AccessSpec()
    indicators: dict[str, IndicatorSpec] = Field(min_length=1)
    prepare: tuple[PrepareStep, ...] = ()
    index: dict[str, IndexSpec] = Field(min_length=1)
    panel: PanelSpec | None = None
    designate: dict[str, Rule] = Field(default_factory=dict)
    certainty: CertaintySpec | None = None
    sensitivity: SensitivitySpec | None = None
    agreement: tuple[ValidationSpec, ...] = ()
    since: str = ""
    alike: dict[str, str] = Field(default_factory=dict)
    show: tuple[str, ...] = ()
    social_capital: dict[str, HeadlineSpec] = Field(default_factory=dict)
    briefing: BriefingSpec = BriefingSpec()

    @field_validator("where", "focus", mode="before")
    @classmethod
    def _larger_areas(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Mapping):
            return value
        found, own = name_value(value), info.data.get("areas")
        if isinstance(own, OwnAreas):
            if info.field_name == "where":
                raise ValueError(WHERE_OF_OWN)
            parent = next(iter(own.parents), "")
            such = (
                f"{{{parent}: CODE}}"
                if parent
                else "{province: CODE}, which 'parents' of 'areas' names"
            )
            raise ValueError(f"found {found}; expected a larger area and its code, such as {such}")
        name = value if isinstance(value, str) and value else "NAME"
        name = name if name.isalnum() else json.dumps(name, ensure_ascii=False)
        raise ValueError(
            f"found {found}; expected a larger area and its code, such as {{lad24: E06000001}}\n"
            f"for the line to write, type: commonweal areas find {name}"
        )

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

    def in_focus(self, areas: pl.DataFrame) -> NDArray[np.bool_]:
        """(n_areas,) which areas of a table lie in the larger areas that ``focus`` names; all without it."""
        inside = np.ones(len(areas), dtype=bool)
        for parent, code in self.focus.items():
            if (
                parent not in areas.columns
            ):  # as on the larger areas that a comparison of units asks for
                raise StudyError(f"focus: these areas lie in no {parent}")
            inside &= (areas[parent] == code).fill_null(value=False).to_numpy()
            if not inside.any():
                known = dict(areas.select(f"{parent}_name", parent).drop_nulls().iter_rows())
                meant = nearest(code, [*known, *known.values()])
                if code in known:
                    meant = f"expected its code: {known[code]}"
                raise StudyError(f"focus: no area of the study has {parent} '{code}'; {meant}")
        return inside

    def leaves(self, index: str) -> list[str]:
        """Names of the indicators that an index is made from, and of the bases that it takes.

        Of its recipe in an earlier year too, where there is one.
        """
        trees = [self.index[index]]
        if self.panel is not None and index in self.panel.before:
            trees.append(self.panel.before[index])
        nodes = (n for tree in trees for _, n in tree.walk(index) if n.indicator is not None)
        return list(dict.fromkeys(i for n in nodes for i in (n.indicator or "", *n.base)))

    def built_on(self, index: str) -> tuple[str, str | None]:
        """Say on which areas an index is built: another system's id, or ``''``, and whose people."""
        own = self.areas.system if isinstance(self.areas, OwnAreas) else self.areas
        spec = self.index[index]
        return ("", None) if spec.areas in ("", own) else (spec.areas, spec.move.population)

    def beside(self, index: str) -> list[str]:
        """Names of the indices that are built on the same areas as one, and so prepared with it."""
        return [other for other in self.index if self.built_on(other) == self.built_on(index)]

    def read_with(self, index: str) -> list[str]:
        """Names of the indicators that are read to build an index: its leaves.

        Where a study prepares them, also those of the indices beside it, and the denominators.
        """
        if not self.prepare:
            return self.leaves(index)
        needed = list(dict.fromkeys(n for other in self.beside(index) for n in self.leaves(other)))
        for step in reversed(self.prepare):  # a denominator may have one of its own
            if not step.of or set(step.of) & set(needed):
                needed += [name for _, name in step.helpers() if name not in needed]
        return needed

    def capital_on(self) -> dict[str, list[str]]:
        """Give the indicators under 'social_capital' by an index that takes them from other areas.

        Under ``''`` those that are measured on the study's own areas.
        """
        return self.on_areas(spec.indicator for spec in self.social_capital.values())

    def on_areas(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Group indicators by an index that takes them from other areas; ``''`` for the study's own."""
        found: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            index = next((i for i in self.index if name in self.leaves(i)), "")
            on = index if index and self.built_on(index)[0] else ""
            found.setdefault(on, []).append(name)
        return found

    def cited(self) -> dict[str, list[str]]:
        """Give each work that is cited, by id, with the indicators that cite it (none: the study)."""
        found: dict[str, list[str]] = {id_: [] for id_ in self.briefing.cites}
        for name, spec in self.indicators.items():
            for id_ in spec.cites:
                found.setdefault(id_, []).append(name)
        return found

    def only_designation(self) -> str:
        """Name the one designation, for a comparison."""
        if len(self.designate) != 1:
            found = ", ".join(self.designate) or "nothing"
            raise StudyError(
                f"study {self.name} designates {found}; a comparison needs exactly one designation"
            )
        return next(iter(self.designate))

    def named_files(self) -> set[str]:
        """Names of the files beside the study that it reads, as 'file' gives them."""
        return self._named("file") | {spec.file for spec in self.replace.values() if spec.file}

    def named_sources(self) -> set[str]:
        """Ids of the sources that it reads, as 'source' gives them."""
        return self._named("source")

    def _named(self, key: Literal["file", "source"]) -> set[str]:
        tables: list[FileOrSource | WholeFile] = [
            *self.agreement,
            *self.access.points,
            *self.access.maps,
        ]
        if isinstance(self.areas, OwnAreas):
            tables += [self.areas, *self.areas.join]
            tables += [self.areas.boundaries] if self.areas.boundaries else []
        named = [name for spec in self.indicators.values() for name in spec.named(key)]
        return {name for name in (*named, *(getattr(spec, key) for spec in tables)) if name}

    @property
    def since_is_file(self) -> bool:
        """Whether 'since' names a file beside the study, not a study that ships."""
        return self.since.lower().endswith((".yaml", ".yml"))
