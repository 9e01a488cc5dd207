"""The indices of a study, and its years: trees of its own or official recipes, and how years compare."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from commonweal.areas.catalogue import load_systems
from commonweal.errors import UnknownNameError, nearest
from commonweal.files.schema import FieldError
from commonweal.index import Node, load_preset, with_indicators
from commonweal.spec.data import _Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.spec.indicators import IndicatorSpec


class CrosswalkSpec(_Part):
    """How an index is carried from the areas that it is built on to the study's."""

    # ``link`` follows the published lookup; ``parts`` shares each small area out over the larger ones that it overlaps
    # (docs/methods/wards.md)
    by: Literal["link", "parts"] = "link"
    # whose people weight the means: a date such as ``mid-2017``, or ``census-2011``. Parts are made to add up to the
    # people of the study's own date.
    population: str | None = None


class IndexSpec(Node):
    """An index: a tree of its own, or a preset with the study's indicators.

    A preset is a short way to write a tree: it is spelled out as the recipe is read, so that an index made from one is
    the same as one that states all of it, and the first three keys are empty.
    """

    # a recipe that ships: ``cni``, ``iod2019``, ``iod2025``
    preset: str = Field(default="", exclude=True)
    # with a preset: the study's indicator for each of its leaves, where the names differ
    indicators: dict[str, str] = Field(default_factory=dict, exclude=True)
    weights_given: dict[str, float] = Field(default_factory=dict, alias="weights", exclude=True)
    areas: str = ""  # the area system to build on; the study's if not given
    move: CrosswalkSpec = CrosswalkSpec()  # how it is carried to the study's areas

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: data.get(key) or {} for key in ("indicators", "weights")}
        for key, value in given.items():
            if value and not data.get("preset"):
                raise FieldError(
                    "goes with 'preset'; in your own tree, set the weight at each child", key
                )
            if not isinstance(value, dict):
                raise FieldError("found a list or text; expected keys with values", key)
        if not data.get("preset"):
            return data
        for key in ("children", "indicator"):
            if key in data:
                raise FieldError(
                    f"found both 'preset' and '{key}'; expected one of them (a preset takes your "
                    "indicators under 'indicators' and weights under 'weights'; 'preset: null' takes it away)",
                    key,
                )
        try:
            tree = load_preset(str(data["preset"]))
        except UnknownNameError as error:
            raise FieldError(str(error), "preset") from None
        leaves = {path.rsplit("/", 1)[-1] for path, node in tree.walk("") if node.indicator}
        for name in given["indicators"]:
            if name not in leaves:
                raise FieldError(f"no such leaf; {nearest(str(name), leaves)}", "indicators", name)
        for name, weight in given["weights"].items():
            if name not in tree.children:
                raise FieldError(
                    f"no such domain; {nearest(str(name), tree.children)}", "weights", name
                )
            if not isinstance(weight, int | float) or not 0 < weight < math.inf:
                raise FieldError(f"found {weight!r}; expected a number above 0", "weights", name)
        tree = with_indicators(tree, given["indicators"], "it")
        children = {
            name: {**child.model_dump(), "weight": given["weights"].get(name, child.weight)}
            for name, child in tree.children.items()
        }
        own = {k: v for k, v in data.items() if k not in ("preset", "indicators", "weights")}
        return {**tree.model_dump(exclude={"children"}), "children": children, **own}

    @model_validator(mode="after")
    def _enters_nothing(self) -> IndexSpec:
        for key in ("enters_as", "base"):
            if getattr(self, key):
                raise FieldError("goes with a child; an index enters nothing", key)
        return self

    @model_validator(mode="after")
    def _move_from_somewhere(self) -> IndexSpec:
        if self.move != CrosswalkSpec() and not self.areas:
            raise FieldError("goes with 'areas', which says where the index is built", "move")
        return self


WORDS = ("latest", "pooled")


class PanelSpec(_Part):
    """Years beside each other."""

    # the years, ascending. The study's results are the last one's.
    years: tuple[int, ...] = Field(min_length=2)
    # what every year is measured against: a year, ``latest``, or ``pooled`` for all together
    base: int | Literal["latest", "pooled"] = "latest"
    # the earlier and the later year between which change is told; the first and the last if not given
    compare: tuple[int, int] | None = None
    # how a value that is missing in one year is filled from the area's other years: ``latest``, ``linear`` or
    # ``constant``; ``none`` leaves it missing
    fill: Literal["none", "latest", "linear", "constant"] = "none"
    # the furthest year that a value may be filled from
    max_gap: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    # by year, the area system of its tables, where it is not that of the index
    areas: dict[int, str] = Field(default_factory=dict)
    # by index, the recipe by which the earlier year was built, where the method has changed
    before: dict[str, IndexSpec] = Field(default_factory=dict)

    @field_validator("base", mode="before")
    @classmethod
    def _a_year_or_a_word(cls, value: Any) -> Any:
        if isinstance(value, bool) or not (isinstance(value, int) or value in WORDS):
            raise ValueError(f"found {value!r}; expected a year, 'latest' or 'pooled'")
        return value

    @model_validator(mode="after")
    def _years_exist(self) -> PanelSpec:
        if any(a >= b for a, b in zip(self.years, self.years[1:], strict=False)):
            told = ", ".join(map(str, self.years))
            raise FieldError(f"found {told}; expected each once, in ascending order", "years")
        named: list[tuple[int | str, ...]] = [(year, "areas", year) for year in self.areas]
        named += [(year, "compare", k) for k, year in enumerate(self.compare or ())]
        if isinstance(self.base, int):
            named.append((self.base, "base"))
        for year, *at in named:
            if year not in self.years:
                valid = nearest(str(year), map(str, self.years))
                raise FieldError(f"{year} is not one of the years; {valid}", *at)
        if self.compare is not None and self.compare[0] >= self.compare[1]:
            raise FieldError("expected the earlier year, then the later one", "compare")
        if self.max_gap is not None and self.fill == "none":
            raise FieldError("goes with 'fill', which says how gaps are filled", "max_gap")
        return self

    @property
    def base_year(self) -> int | Literal["pooled"]:
        """The base, with the latest year under its own name."""
        return self.years[-1] if self.base == "latest" else self.base

    @property
    def compared(self) -> tuple[int, int]:
        """The earlier and the later year between which change is told."""
        return self.compare or (self.years[0], self.years[-1])


def check_years(
    panel: PanelSpec | None,
    indicators: Mapping[str, IndicatorSpec],
    index: Mapping[str, IndexSpec],
) -> None:
    """Check that indicators say where each year is, and indices leave the base to the panel."""
    for name, spec in indicators.items():
        stated = spec.stated
        if panel is None:
            for key in (*(("year",) if spec.year else ()), *stated):
                raise FieldError(
                    "goes with 'panel', which says the years", *("indicators", name, key)
                )
            continue
        if spec.made:
            raise FieldError(
                "is computed or carried, which goes without 'panel'", "indicators", name
            )
        places = [key for key in ("file", "source", "column") if key in stated]
        if bool(spec.year) == bool(places):
            expected = (
                "expected 'year', the column of a long table with it, or a 'column' for each year"
            )
            found = "says both where" if spec.year else "does not say where"
            raise FieldError(f"{found} its years are; {expected}", "indicators", name)
        for key, years in stated.items():
            at = ("indicators", name, key)
            for year in years:
                if year not in panel.years:
                    valid = nearest(str(year), map(str, panel.years))
                    raise FieldError(f"{year} is not one of the panel's years; {valid}", *at)
            lacks = [year for year in panel.years if year not in years]
            if lacks and panel.fill == "none" and key != "standard_error":
                raise FieldError(
                    f"{lacks[0]} is missing; expected one for each of the panel's years (or 'fill' "
                    "under 'panel')",
                    *at,
                )
    if panel is not None:
        _check_panel(panel, indicators, index)


def _check_panel(
    panel: PanelSpec, indicators: Mapping[str, IndicatorSpec], index: Mapping[str, IndexSpec]
) -> None:
    """Check the areas of a panel's years, its earlier indices, and that its base is the only one."""
    systems = load_systems().systems
    for year, system in panel.areas.items():
        if system not in systems:
            raise FieldError(
                f"area system '{system}' not found; {nearest(system, systems)}",
                *("panel", "areas", year),
            )
    for name, tree in index.items():
        for path, node in tree.walk(name):
            if node.base:
                place = "/children/".join(path.split("/")).split("/")
                raise FieldError(
                    "goes without 'panel', whose base holds for all", *("index", *place, "base")
                )
    for name, tree in panel.before.items():
        at = ("panel", "before", name)
        if name not in index:
            raise FieldError(f"no such index; {nearest(name, index)}", *at)
        for key in ("areas", "move"):
            if getattr(tree, key) != IndexSpec.model_fields[key].default:
                raise FieldError("is that of the index itself; expected none", *at, key)
        for path, node in tree.walk(name):
            place = "/children/".join(path.split("/")).split("/")[1:]
            if node.indicator is not None and node.indicator not in indicators:
                near = nearest(node.indicator, indicators)
                raise FieldError(
                    f"indicator '{node.indicator}' not found; {near}", *at, *place, "indicator"
                )
            if node.base:
                raise FieldError(
                    "goes without 'panel', whose base holds for all", *at, *place, "base"
                )
