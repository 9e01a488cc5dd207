"""What new places would do for a part of a study, and funding programmes on the run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from fastapi import HTTPException

from commonweal.access.places import load_taxonomy
from commonweal.errors import DataError
from commonweal.invest.case.case import appraise_sites, site_value_sentences
from commonweal.invest.siting.demand import CANDIDATES, SCHOOLS, Candidates, NobodyError
from commonweal.invest.siting.on_study import MOST_AREAS, SitingOptions, first_candidates, site
from commonweal.invest.siting.result import moved_by
from commonweal.report.siting import siting_section
from commonweal.study.names import Scope, is_postcode
from commonweal.web.schemas import QueryError
from commonweal.web.search import search
from commonweal.web.tables import WebTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.document.model import Section
    from commonweal.invest.allocation.on_study import AllocationResult
    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.siting.result import SitingResult
    from commonweal.report.place import Place
    from commonweal.web.explorer import Explorer, Planning
    from commonweal.web.schemas import OptionsQuery


OWN = ("kind", "candidates", "sites", "site", "minutes", "equity", "years")
"""Keys of a question that go along from page to page."""

_PAIR = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)")


@dataclass(frozen=True)
class Options:
    """An answer."""

    scope: Scope
    sited: SitingResult  # where new places go, who is reached, and what that changes
    section: Section  # the same, told
    worth: Appraisal | None  # what they cost and are worth; None where that cannot be told
    picked: bool  # whether the sites were picked, not proposed
    candidates: str
    sites: int = 0  # how many are proposed: no more than there are candidates
    fewer: str = ""  # says so in a sentence where more were asked for; else ''


def planning_of(explorer: Explorer) -> Planning:
    """Give what questions need; 404 with the reason if there is none."""
    if isinstance(explorer.planning, str):
        raise HTTPException(404, f"Options for new venues are not available: {explorer.planning}")
    return explorer.planning


def scope_of(explorer: Explorer, code: str) -> Scope:
    """Find an area, or a larger one, by its code; 404 if there is none, 422 if it is too large."""
    areas = explorer.results.areas
    row = areas.position.get(code)
    if row is not None:
        name = areas.table["name"][row] or code
        return Scope(name, np.array([row], dtype=np.intp), np.ones(1, dtype=bool))
    if code not in explorer.inside:
        raise HTTPException(404, f"This study has no area with the code {code[:40]!r}.")
    rows = np.flatnonzero(explorer.inside[code])
    name = next(n or c for _, pairs in explorer.larger for c, n in pairs if c == code)
    if len(rows) > MOST_AREAS:
        raise QueryError(
            f"{name} has {len(rows):,} {areas.plural}; expected at most {MOST_AREAS:,}: choose an authority inside it"
        )
    return Scope(name, rows, np.zeros(len(rows), dtype=bool))


def kinds_offered(explorer: Explorer, planning: Planning) -> dict[str, str]:
    """Give the kinds of place that can be asked about, with their labels.

    Types with data come first, and of these the types with a known value; other labels say that no data are loaded.
    """
    study, built = explorer.results.study, planning.values.built
    known = set(planning.ground.places.table["kind"].unique())
    offered = {
        kind: one.label if kind in known else f"{one.label} (no data loaded)"
        for kind, one in load_taxonomy().kinds.items()
        if kind in built or moved_by(study, kind)
    }
    return dict(sorted(offered.items(), key=lambda k: (k[0] not in known, k[0] not in built)))


def where_offered(planning: Planning) -> dict[str, str]:
    """Give where new places could go, with words for each: schools, a grid, kinds that are known."""
    kinds = load_taxonomy().kinds
    table = planning.ground.places.table
    there = {kind for kind in table["kind"].unique() if kind is not None}
    offered = {SCHOOLS: "State schools"} if there & {"primary-school", "secondary-school"} else {}
    offered["grid:500"] = "Anywhere, on a 500-metre grid"
    return offered | {kind: one.label for kind, one in kinds.items() if kind in there}


def options_of(explorer: Explorer, planning: Planning, code: str, asked: OptionsQuery) -> Options:
    """Answer a question."""
    scope = scope_of(explorer, code)
    try:
        return _options_in(explorer, planning, scope, asked)
    except DataError as error:
        larger = () if len(scope.rows) > 1 else explorer.describe(int(scope.rows[0])).larger
        advice = [
            f"ask about {x.name} ({x.code})"
            for x in larger[:1]
            if can_ask(explorer, planning, x.code)
        ]
        if not isinstance(error, NobodyError):
            advice = ["try other possible sites", *advice]
        raise QueryError("; ".join(filter(None, (str(error), ", or ".join(advice))))) from None


def can_ask(explorer: Explorer, planning: Planning, code: str) -> bool:
    """Whether anyone is known to live in an area, or a larger one, so that venues can be found for them."""
    areas, origins = explorer.results.areas, planning.ground.origins
    lived_in = areas.population > 0
    if origins.areas.codes == areas.codes:  # else whose points they are is known when it is asked
        lived_in &= np.isin(np.arange(len(areas)), origins.rows)
    row = areas.position.get(code)
    return bool(lived_in[explorer.inside[code]].any() if row is None else lived_in[row])


def options_offered(explorer: Explorer, place: Place) -> list[tuple[str, str]]:
    """Give the codes that the page of an area leads on to, its own and that of the larger one, with words for each."""
    planning = explorer.planning
    if isinstance(planning, str):
        return []
    own = (place.code, "Options: what new venues would do here")
    larger = [(one.code, f"Options for {one.name}") for one in place.larger[:1]]
    return [one for one in (own, *larger) if can_ask(explorer, planning, one[0])]


def _options_in(
    explorer: Explorer, planning: Planning, scope: Scope, asked: OptionsQuery
) -> Options:
    results = explorer.results
    kinds, where = kinds_offered(explorer, planning), where_offered(planning)
    kind = asked.kind or next(iter(kinds))
    candidates = asked.candidates
    if not candidates:
        usual = _usual(where, kind, len(scope.rows))
        found = first_candidates(results, planning.ground, scope, usual, planning.store)
        candidates = found or usual[0]
    for what, given, offered in (("kind", kind, kinds), ("candidates", candidates, where)):
        if given not in offered:
            raise QueryError(f"{what}: found {given[:40]!r}; expected one of: {', '.join(offered)}")
    picked = asked.points()
    ask = SitingOptions(
        scope.title, kind, sites=asked.sites, minutes=asked.minutes, candidates=candidates,
        equity=asked.equity, method="search", at_most=True,
    )  # fmt: skip
    with planning.in_turn:
        sited = site(
            results, ask, planning.store, ground=planning.ground, scope=scope,
            picked=_candidates(picked) if picked else None,
        )  # fmt: skip
    worth = appraise_sites(
        sited,
        planning.interventions,
        planning.values,
        years=asked.years,
        parameters=planning.parameters,
    )
    fewer = "" if picked else _fewer(len(sited.candidates), len(sited.sites), asked)
    return Options(
        scope, sited, siting_section(sited), worth, bool(picked), candidates,
        min(len(sited.candidates), asked.sites), fewer,
    )  # fmt: skip


def _fewer(candidates: int, proposed: int, asked: OptionsQuery) -> str:
    """Say why fewer sites are proposed than were asked for; '' where as many are, or the answer says why none is."""
    if 0 < proposed < min(candidates, asked.sites):
        return (
            f"We propose {proposed} of the {asked.sites} venues that you asked for. One more, at any of the "
            f"{candidates:,} possible sites, would bring nobody else within {asked.minutes:g} minutes' walk."
        )
    if candidates < asked.sites:
        known = "is 1 possible site" if candidates == 1 else f"are {candidates} possible sites"
        return f"There {known}, so we looked for no more."
    return ""


def _usual(where: dict[str, str], kind: str, n_areas: int) -> list[str]:
    """Give where places of a kind could go if nobody says, the best first: not where it is already.

    In a single area a grid, which may be wider than the area, comes last.
    """
    fit = [at for at in where if at != kind]
    return sorted(fit, key=lambda at: n_areas == 1 and at.startswith("grid:")) or list(where)


def _candidates(points: list[tuple[float, float]]) -> Candidates:
    """Make candidates of points that were picked."""
    rows = [
        (f"picked:{k + 1}", f"Picked site {k + 1}", longitude, latitude, 1.0, None)
        for k, (longitude, latitude) in enumerate(points)
    ]
    return Candidates(pl.DataFrame(rows, schema=CANDIDATES, orient="row"), "sites that were picked")


def where_is(explorer: Explorer, text: str) -> str | None:
    """Find a point by longitude and latitude, a postcode, or the name or code of an area; None if there is none."""
    pair = _PAIR.fullmatch(text.strip())
    if pair is not None:
        return f"{float(pair[1]):.5f},{float(pair[2]):.5f}"
    if is_postcode(text):
        point = None if explorer.postcodes is None else explorer.postcodes.where(text)
        return None if point is None else f"{point[0]:.5f},{point[1]:.5f}"
    row = search(explorer, text).row
    point = None if row is None else explorer.points.get(row)
    return None if point is None else f"{point[0]:.5f},{point[1]:.5f}"


def bounds_of(explorer: Explorer, options: Options) -> tuple[float, float, float, float] | None:
    """Give west, south, east and north of the areas asked about and the sites; None without a map."""
    if explorer.tiles is None:
        return None
    around = [
        explorer.tiles.around[r] for r in options.scope.rows.tolist() if r in explorer.tiles.around
    ]
    sites = options.sited.sites.select("longitude", "latitude").rows()
    boxes = np.array([*around, *((x, y, x, y) for x, y in sites)])
    if not len(boxes):
        return None
    (west, south), (east, north) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def options_answer(options: Options) -> list[str]:
    """Say who is reached, why there are fewer sites than were asked for, and the cost and value."""
    fewer = [options.fewer] if options.fewer else []
    return [
        options.section.text[0],
        *fewer,
        *site_value_sentences(options.sited, options.worth),
    ]


def programme_of(explorer: Explorer, name: str) -> AllocationResult:
    """Find a programme; 404 if none has that name."""
    found = explorer.programmes.get(name)
    if found is None:
        raise HTTPException(404, f"This study has no programme called {name[:40]!r}.")
    return found


def programmes_table(explorer: Explorer) -> WebTable:
    """List the programmes: how many areas each funds, and how many people live there."""
    rows = tuple(
        (
            name,
            worked.allocation.programme.title,
            int(worked.allocation.selected.sum()),
            round(worked.allocation.people),
        )
        for name, worked in explorer.programmes.items()
    )
    plural = explorer.results.areas.plural.capitalize()
    return WebTable("Funding programmes", ("Name", "Programme", plural, "People"), rows)


def others_of(explorer: Explorer, name: str) -> dict[str, str]:
    """Give what a programme can be compared with: the study's own lists, and other programmes."""
    own = {
        f"list:{key}": f"This study's list: {explorer.label(key)}"
        for key in explorer.results.designations
    }
    more = {
        other: worked.allocation.programme.title
        for other, worked in explorer.programmes.items()
        if other != name
    }
    return {**own, **more}


def selected_by(explorer: Explorer, against: str) -> NDArray[np.bool_]:
    """Give which areas a list of `others_of` has."""
    if against.startswith("list:"):
        return explorer.results.designations[against.removeprefix("list:")].selected
    return explorer.programmes[against].allocation.selected
