"""Area systems and their links, read from data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from commonweal.errors import UnknownNameError
from commonweal.files.inputs import read_strict

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Column(_Data):
    """Where a value for each area is read: a source, its code column and its value column(s)."""

    source: str = ""
    code: str = ""
    value: str = ""
    name: str = ""
    longitude: str = ""
    latitude: str = ""
    sum_of: str = ""
    centre_of: str = ""
    inside: str = ""


class AreaSystem(_Data):
    """One set of small places with official codes."""

    title: str
    singular: str = "area"
    plural: str = "areas"
    vintage: int  # the year of its boundaries
    # what it is to readers where it is larger than a neighbourhood; '' otherwise
    level: Literal["", "authority", "region", "country"] = ""
    # whether a later vintage of the same areas is here too: it is searched last
    superseded: bool = False
    # whether people set out from its areas where a study does not say from where
    origins: bool = False
    example: str = ""  # one of its codes, for what shows how to write one
    pattern: str = ".+"  # what its codes look like; rows of a source that do not fit are footnotes
    areas: Column  # where codes and names are read
    # where names that people use are read; of the areas that these lie ``inside``, if that is given
    known_as: Column | None = None
    # where residents are counted, by date, the preferred first
    populations: dict[str, Column] = Field(default_factory=dict)
    # where longitude and latitude are read (degrees, WGS 84); the first that has an area serves
    points: tuple[Column, ...] = ()
    # where polygons are read; the first source that has an area serves
    boundaries: tuple[Column, ...] = ()
    classes: dict[str, Column] = Field(default_factory=dict)


class Link(_Data):
    """Which area of one system belongs to which of another."""

    origin: str = Field(alias="from")
    destination: str = Field(alias="to")
    kind: Literal["nests", "best-fit", "vintage"]
    source: str = ""
    columns: tuple[str, str] = ("", "")
    change: str = ""
    through: str = ""
    match: Literal["code", "name-prefix"] = "code"
    changes: dict[str, str] = Field(default_factory=dict)


class Systems(_Data):
    """All area systems and links."""

    systems: dict[str, AreaSystem]
    links: tuple[Link, ...]

    def system(self, name: str) -> AreaSystem:
        """Look up a system; raises `UnknownNameError` with the nearest names."""
        if name not in self.systems:
            raise UnknownNameError("area system", name, self.systems)
        return self.systems[name]

    def at_level(self, level: str) -> list[str]:
        """Name the systems of a level, the latest first.

        >>> load_systems().at_level("authority")[:2]
        ['lad24', 'lad22']
        """
        found = [name for name, about in self.systems.items() if about.level == level]
        return sorted(found, key=lambda name: -self.systems[name].vintage)

    def in_order(self) -> list[str]:
        """Name the systems as they are searched: authorities, regions and countries first, superseded ones last."""
        levels = ("authority", "region", "country", "")

        def place(name: str) -> tuple[bool, int, int, int]:
            about = self.systems[name]
            larger_first = len(self.parents(name))
            return about.superseded, levels.index(about.level), -about.vintage, larger_first

        return sorted(self.systems, key=place)

    def origins_for(self, name: str) -> str:
        """Name the system that people of some areas set out from: the one with most larger areas in common."""
        inside = {name, *self.parents(name)}
        shared = {
            origins: len(inside & {origins, *self.parents(origins)})
            for origins, about in self.systems.items()
            if about.origins
        }
        return max(shared, key=shared.__getitem__) if any(shared.values()) else name

    def shown(self, parents: Iterable[str]) -> dict[str, str]:
        """Name by level the authority and the region that a list of places shows: the first of each among parents."""
        found: dict[str, str] = {}
        for parent in parents:
            level = self.systems[parent].level if parent in self.systems else ""
            if level in ("authority", "region"):
                found.setdefault(level, parent)
        return found

    def parents(self, name: str) -> dict[str, tuple[Link, ...]]:
        """Chains of links from a system to each larger one, the shortest first."""
        chains: dict[str, tuple[Link, ...]] = {name: ()}
        queue = [name]
        while queue:
            here = queue.pop(0)
            for link in self.links:
                upward = link.kind in ("nests", "best-fit")
                if link.origin == here and upward and link.destination not in chains:
                    chains[link.destination] = (*chains[here], link)
                    queue.append(link.destination)
        del chains[name]
        return chains

    def link(self, origin: str, destination: str) -> Link | None:
        """Give the direct link between two systems, or None."""
        for link in self.links:
            if (link.origin, link.destination) == (origin, destination):
                return link
        return None


@cache
def load_systems() -> Systems:
    """Read every file of ``areas/systems``."""
    systems: dict[str, object] = {}
    links: list[object] = []
    for file in sorted(resources.files("commonweal.areas.systems").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            data = read_strict(file.read_text("utf-8"))
            systems |= data["systems"]
            links += data["links"]
    return Systems.model_validate({"systems": systems, "links": links})
