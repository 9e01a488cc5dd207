"""Everything that the server needs of one run, made once and never changed: areas, postcodes, programmes and places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from commonweal.access.postcodes import load_postcodes
from commonweal.errors import CommonwealError
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.on_study import apply_programme
from commonweal.invest.allocation.programme import shipped_programmes
from commonweal.invest.case.valuation import load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.parameters import load_parameters
from commonweal.invest.siting.on_study import load_siting_data
from commonweal.report.place import describer
from commonweal.report.study.document import study_document
from commonweal.report.study.larger_areas import Tier, tiers
from commonweal.report.study.tables import label_of
from commonweal.study.names import folded, folded_names, larger_name
from commonweal.study.postcodes import PostcodeLookup
from commonweal.web.rescore import Choices, choices_from, cuts_of, rescore, weights_of
from commonweal.web.view import View, view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from commonweal.document.model import Document
    from commonweal.invest.allocation import Programme
    from commonweal.invest.allocation.on_study import AllocationResult
    from commonweal.invest.case.valuation import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.parameters import Parameters
    from commonweal.invest.siting.on_study import SitingData
    from commonweal.report.place import Place
    from commonweal.sources import Store
    from commonweal.study.results import Results
    from commonweal.web.rescore import Cut, Weight
    from commonweal.web.tiles import Tiles

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Planning:
    """What is there, and what places cost and are worth."""

    store: Store  # where source files come from
    ground: SitingData  # places of every kind, and where people set out from
    # interventions, values, parameters: what can be done, what that is worth, and by which rates
    interventions: Interventions
    values: Values
    parameters: Parameters
    # held while sites are sought: the kernels use all cores, and not every threading layer of numba survives being
    # called from two requests at once
    in_turn: Lock = field(default_factory=Lock, repr=False, compare=False)


def plan(results: Results, store: Store) -> Planning | str:
    """Read what is there; where a study has none of it, say why in words."""
    try:
        ground = load_siting_data(results, store)
    except CommonwealError as error:
        return str(error)
    if not (ground.origins.residents() > 0).any():
        return f"the study gives no population for its {results.areas.plural}."
    return Planning(store, ground, load_interventions(), load_values(), load_parameters())


def programmes_of(
    results: Results,
    store: Store,
    more: Sequence[str] = (),
    progress: Progress | None = None,
) -> Mapping[str, AllocationResult]:
    """Apply every programme that ships for a study, and others that are asked for."""
    found = {}
    named = {name: load_programme(name) for name in shipped_programmes()}
    for name, programme in named.items():
        if programme.study == results.study.name and programme.build is None:
            found[name] = _applied(programme, results, store, progress)
    for text in more:
        programme = load_programme(text)
        if programme.study != results.study.name:
            raise CommonwealError(
                f"{programme.name} is a programme on the study {programme.study}; expected one on {results.study.name}"
            )
        found[programme.name] = _applied(programme, results, store, progress)
    return found


def _applied(
    programme: Programme, results: Results, store: Store, progress: Progress | None
) -> AllocationResult:
    lacking = {n: None for n, e in programme.exclude.items() if not (e.codes or e.file)}
    return apply_programme(programme, results, store, lacking, draws=0, progress=progress)


BRITAIN = ("E", "S", "W", "N")


def postcode_lookup(
    results: Results, cache: Path, progress: Callable[[str, int, int], None] | None = None
) -> PostcodeLookup | None:
    """Make the index; None for a study of areas outside the United Kingdom, or of its own making."""
    if not isinstance(results.study.areas, str):
        return None
    if not {code[0] for code in results.areas.codes} <= set(BRITAIN):
        return None
    directory = load_postcodes(cache=cache, progress=progress)
    return PostcodeLookup(results.areas, results.boundaries, directory)


@dataclass(frozen=True)
class Explorer:
    """One run, ready to be looked at."""

    results: Results
    tiles: Tiles | None = None  # its map; None where no area has a known place
    # finds the area of a postcode; None where the study is of no place that has any
    postcodes: PostcodeLookup | None = None
    # funding programmes worked out on the run, by name
    programmes: Mapping[str, AllocationResult] = field(default_factory=dict)
    # where places and lookups are read; without one, nothing can be asked about investment
    store: Store | None = None
    # held while what questions about new places need is read
    reading: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def planning(self) -> Planning | str:
        """What `_planning` gives: one reads it, whoever else asks meanwhile waits."""
        with self.reading:
            return self._planning

    @cached_property
    def _planning(self) -> Planning | str:
        """What questions about new places need, read when the first is asked; in words, why none can be, if so."""
        if self.store is None:
            return "venues were not loaded when the explorer started."
        return plan(self.results, self.store)

    @cached_property
    def describe(self) -> Callable[[int], Place]:
        """Say what there is to say of an area, by its row."""
        return describer(self.results)

    @cached_property
    def document(self) -> Document:
        """The report of the study."""
        return study_document(self.results)

    @cached_property
    def weights(self) -> list[Weight]:
        """Weights that can be set."""
        return weights_of(self.results)

    @cached_property
    def cuts(self) -> list[Cut]:
        """Cut-offs that can be set."""
        return cuts_of(self.results)

    @cached_property
    def published(self) -> View:
        """The run as it is."""
        return view_of(self.results)

    @cached_property
    def focus(self) -> NDArray[np.bool_]:
        """(n_areas,) which areas are listed and counted; pages of the others can be looked at too."""
        return self.results.focus

    @cached_property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north of what is listed; None without a map."""
        if self.tiles is None:
            return None
        boxes = [
            self.tiles.around[r]
            for r in np.flatnonzero(self.focus).tolist()
            if r in self.tiles.around
        ]
        if not self.results.study.focus or not boxes:
            west, south, east, north = self.tiles.bounds
        else:
            (west, south), (east, north) = (
                np.array(boxes)[:, :2].min(axis=0),
                np.array(boxes)[:, 2:].max(axis=0),
            )
        return float(west), float(south), float(east), float(north)

    @cached_property
    def tiers(self) -> list[Tier]:
        """Kinds of larger areas."""
        return tiers(self.results)

    @cached_property
    def larger(self) -> list[tuple[Tier, list[tuple[str, str]]]]:
        """For each kind of larger area, codes and names in the order of names."""
        areas = self.results.areas
        found = []
        for tier in self.tiers:
            known = areas.table.select(tier.key, f"{tier.key}_name").drop_nulls(tier.key)
            pairs = [
                (c, larger_name(areas, tier.key, c, n)) for c, n in known.unique(tier.key).rows()
            ]
            found.append((tier, sorted(pairs, key=lambda pair: folded(pair[1]))))
        return found

    @cached_property
    def offered(self) -> list[tuple[Tier, list[tuple[str, str]]]]:
        """The same of those that hold an area that is listed: what a list can be narrowed to."""
        return [
            (tier, [(c, name) for c, name in pairs if (self.inside[c] & self.focus).any()])
            for tier, pairs in self.larger
        ]

    @cached_property
    def inside(self) -> Mapping[str, NDArray[np.bool_]]:
        """By code of a larger area, (n_areas,) which areas lie in it."""
        found: dict[str, NDArray[np.bool_]] = {}
        for tier, pairs in self.larger:
            codes = np.array(self.results.areas.table[tier.key].fill_null("").to_list())
            found |= {code: codes == code for code, _ in pairs}
        return found

    @cached_property
    def points(self) -> Mapping[int, tuple[float, float]]:
        """Longitude and latitude by row, where they are known."""
        places = self.results.areas.table.select("longitude", "latitude").rows()
        return {
            row: (round(x, 4), round(y, 4))
            for row, (x, y) in enumerate(places)
            if x is not None and y is not None
        }

    @cached_property
    def keys(self) -> NDArray[np.str_]:
        """(n_areas,) what a search looks in: name and code, folded."""
        areas = self.results.areas
        names, codes = folded_names(areas.table["name"]), folded_names(areas.codes)
        return (" " + names + " " + codes + " ").to_numpy().astype(np.str_)

    @cached_property
    def places_in_order(self) -> Mapping[str, NDArray[np.float64]]:
        """By key of a text column, (n_areas,) the place of each area in alphabetical order; NaN without a text."""
        found = {}
        for key, column in self.published.columns.items():
            if column.kind == "text":
                texts = folded_names([str(v) for v in column.values])
                places = texts.rank("dense").to_numpy() - 1.0
                found[key] = np.where((texts == "").to_numpy(), np.nan, places)
        return found

    def names_with(self, wanted: str) -> NDArray[np.bool_]:
        """(n_areas,) whether each area's name or code has a word that begins so."""
        found: NDArray[np.bool_] = np.char.find(self.keys, f" {wanted}") >= 0
        return found

    def words_with(self, word: str) -> NDArray[np.bool_]:
        """(n_areas,) whether a word of the name, the code or the larger areas begins so."""
        found = self.names_with(word)
        for code, name in (pair for _, pairs in self.larger for pair in pairs):
            if f" {word}" in f" {folded(name or '')}":
                found = found | self.inside[code]
        return found

    @cached_property
    def exactly(self) -> Mapping[str, int]:
        """Rows by folded code, and by folded name where only one area has it."""
        areas = self.results.areas
        found: dict[str, int] = {}
        for column in areas.names:
            names = folded_names(column)
            once = Counter(names)
            found |= {name: row for row, name in enumerate(names) if name and once[name] == 1}
        return found | {code: row for row, code in enumerate(folded_names(areas.codes))}

    def label(self, name: str) -> str:
        """Say what an area that a designation selects is called."""
        return label_of(self.results, name)

    def choices(self, given: Mapping[str, Any]) -> Choices:
        """Take a reader's choices out of what an address gives."""
        return choices_from(given, self.weights, self.cuts)

    def view(self, choices: Choices) -> View:
        """Give the run under a reader's choices; as published if there are none."""
        if not choices:
            return self.published
        return view_of(rescore(self.results, choices), self.published)


def open_explorer(
    results: Results,
    cache: Path,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    store: Store | None = None,
    programmes: Sequence[str] = (),
) -> Explorer:
    """Make everything ready that a page needs, so that the first reader does not wait for it.

    Without a store nothing can be asked about investment. `programmes` come beside those that ship for the study.
    """
    from commonweal.web.tiles import make_tiles

    tiles = make_tiles(results, cache, progress)
    explorer = Explorer(results, tiles, postcode_lookup(results, cache, progress))
    if store is not None:
        explorer = replace(
            explorer,
            programmes=programmes_of(results, store, programmes, progress),
            store=store,
        )
    if progress is not None:
        progress("preparing the pages", 0, 0)
    for name in (
        "focus",
        "bounds",
        "published",
        "describe",
        "larger",
        "inside",
        "offered",
        "keys",
        "points",
        "places_in_order",
        "exactly",
    ):
        getattr(explorer, name)
    return explorer
