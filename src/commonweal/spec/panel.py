"""The years of a study: which, measured against what, and how they are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from commonweal.areas import load_systems
from commonweal.errors import nearest
from commonweal.files.explain import FieldError
from commonweal.spec.data import _Part
from commonweal.spec.indices import IndexSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.spec.indicators import IndicatorSpec

__all__ = ["PanelSpec", "check_years"]

WORDS = ("latest", "pooled")


class PanelSpec(_Part):
    """Years beside each other.

    Attributes
    ----------
    years
        The years, ascending. The study's results are the last one's.
    base
        What every year is measured against: a year, ``latest``, or ``pooled`` for all together.
    compare
        The earlier and the later year between which change is told; the first and the last if not
        given.
    fill
        How a value that is missing in one year is filled from the area's other years:
        ``latest``, ``linear`` or ``constant``; ``none`` leaves it missing.
    max_gap
        The furthest year that a value may be filled from.
    areas
        By year, the area system of its tables, where it is not that of the index.
    before
        By index, the recipe by which the earlier year was built, where the method has changed.
    """

    years: tuple[int, ...] = Field(min_length=2)
    base: int | Literal["latest", "pooled"] = "latest"
    compare: tuple[int, int] | None = None
    fill: Literal["none", "latest", "linear", "constant"] = "none"
    max_gap: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    areas: dict[int, str] = Field(default_factory=dict)
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
    """Check that indicators say where each year is, and indices leave the base to the panel.

    Raises
    ------
    FieldError
        If one does not.
    """
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
    if panel is None:
        return
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
