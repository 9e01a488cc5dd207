"""What new places would do for a part of a study: sites picked or proposed, who is reached, cost and worth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from fastapi import HTTPException

from commonweal.access.taxonomy import load_taxonomy
from commonweal.errors import DataError
from commonweal.invest.case.sites import sites_worth, worth_told
from commonweal.invest.siting.candidates import CANDIDATES, Candidates
from commonweal.invest.siting.effect import moved_by
from commonweal.invest.siting.inside import SCHOOLS
from commonweal.invest.siting.on_study import MOST_AREAS, Ask, first_candidates, site
from commonweal.report.appraisal import appraisal_data
from commonweal.report.siting import siting_data, siting_section
from commonweal.study.scope import Scope
from commonweal.web.asking import AskError
from commonweal.web.postcode import is_postcode
from commonweal.web.search import search

if TYPE_CHECKING:
    from commonweal.document.model import Section
    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.siting.sited import Sited
    from commonweal.web.asking import AskedOptions
    from commonweal.web.explorer import Explorer
    from commonweal.web.planning import Planning

__all__ = [
    "OWN",
    "Options",
    "bounds_of",
    "kinds_offered",
    "options_data",
    "options_of",
    "options_told",
    "planning_of",
    "scope_of",
    "where_is",
    "where_offered",
]

OWN = ("kind", "candidates", "sites", "site", "minutes", "equity", "years")
"""Keys of a question that go along from page to page."""

_PAIR = re.compile(r"(-?\d{1,3}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)")


@dataclass(frozen=True)
class Options:
    """An answer.

    Attributes
    ----------
    scope
        The areas asked about.
    sited
        Where new places go, who is reached, and what that changes.
    section
        The same, told.
    worth
        What they cost and are worth; None where that cannot be told.
    picked
        Whether the sites were picked, not proposed.
    candidates
        Where they could go.
    sites
        How many are proposed: no more than there are candidates.
    fewer
        Says so in a sentence where more were asked for; else ''.
    """

    scope: Scope
    sited: Sited
    section: Section
    worth: Appraisal | None
    picked: bool
    candidates: str
    sites: int = 0
    fewer: str = ""


def planning_of(explorer: Explorer) -> Planning:
    """Give what questions need; 404 with the reason if there is none."""
    if isinstance(explorer.planning, str):
        raise HTTPException(404, f"New places cannot be asked about here: {explorer.planning}")
    return explorer.planning


def scope_of(explorer: Explorer, code: str) -> Scope:
    """Find an area, or a larger one, by its code; 404 if there is none, 422 if it is too large."""
    areas = explorer.results.areas
    row = areas.position.get(code)
    if row is not None:
        name = areas.table["name"][row] or code
        return Scope(name, np.array([row], dtype=np.intp), np.ones(1, dtype=bool))
    if code not in explorer.inside:
        raise HTTPException(404, f"There is no area with the code {code[:40]!r} in this study.")
    rows = np.flatnonzero(explorer.inside[code])
    name = next(n or c for _, pairs in explorer.larger for c, n in pairs if c == code)
    if len(rows) > MOST_AREAS:
        raise AskError(
            f"{name} has {len(rows):,} {areas.plural}; expected at most {MOST_AREAS:,}: choose an authority in it"
        )
    return Scope(name, rows, np.zeros(len(rows), dtype=bool))


def kinds_offered(explorer: Explorer, planning: Planning) -> dict[str, str]:
    """Give the kinds of place that can be asked about, with their labels.

    Those that are known on the ground come first, and of these those whose worth can be told; of others the label
    says that none was read.
    """
    study, built = explorer.results.study, planning.values.built
    known = set(planning.ground.places.table["kind"].unique())
    offered = {
        kind: one.label if kind in known else f"{one.label} (none was read)"
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
    offered["grid:500"] = "Anywhere: a grid of 500 metres"
    return offered | {kind: one.label for kind, one in kinds.items() if kind in there}


def options_of(explorer: Explorer, planning: Planning, code: str, asked: AskedOptions) -> Options:
    """Answer a question.

    Parameters
    ----------
    explorer
        The run.
    planning
        What is there, and what places cost and are worth.
    code
        Of an area or a larger one.
    asked
        The question.

    Raises
    ------
    AskError
        If a kind or a candidate is not offered, a picked site lies nowhere near, or there is no candidate; with
        the larger area that can be asked about.
    """
    scope = scope_of(explorer, code)
    try:
        return _options_in(explorer, planning, scope, asked)
    except DataError as error:
        larger = () if len(scope.rows) > 1 else explorer.describe(int(scope.rows[0])).larger
        wider = "".join(f", or ask about {one.name} ({one.code})" for one in larger[:1])
        raise AskError(f"{error}; try other places that they could go to{wider}") from None


def _options_in(
    explorer: Explorer, planning: Planning, scope: Scope, asked: AskedOptions
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
            raise AskError(f"{what}: found {given[:40]!r}; expected one of: {', '.join(offered)}")
    picked = asked.points()
    ask = Ask(
        scope.title, kind, sites=asked.sites, minutes=asked.minutes, candidates=candidates,
        equity=asked.equity, method="search", at_most=True,
    )  # fmt: skip
    with planning.in_turn:
        sited = site(
            results, ask, planning.store, ground=planning.ground, scope=scope,
            picked=_candidates(picked) if picked else None,
        )  # fmt: skip
    worth = sites_worth(
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


def _fewer(candidates: int, proposed: int, asked: AskedOptions) -> str:
    """Say why fewer sites are proposed than were asked for; '' where as many are, or the answer says why none is."""
    if 0 < proposed < min(candidates, asked.sites):
        return (
            f"{proposed} of the {asked.sites} places asked for {'is' if proposed == 1 else 'are'} proposed: a further "
            f"one at any of the {candidates:,} candidates would bring nobody else within {asked.minutes:g} minutes' "
            "walk."
        )
    if candidates < asked.sites:
        known = "is 1 place" if candidates == 1 else f"are {candidates} places"
        return f"There {known} that they could go to: no more were looked for."
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


def options_told(options: Options) -> list[str]:
    """Give the answer in sentences: who is reached, what it costs, what it is worth, how sure, what changes."""
    first, *rest = options.section.text
    fewer = [options.fewer] if options.fewer else []
    return [first, *fewer, *worth_told(options.sited, options.worth), *rest]


def options_data(options: Options) -> dict[str, Any]:
    """Give an answer as plain data, each number as on the page."""
    return {
        "area": options.scope.title,
        "areas": len(options.scope.rows),
        "picked": options.picked,
        "answer": options_told(options),
        "siting": siting_data(options.sited),
        "worth": None if options.worth is None else appraisal_data(options.worth),
    }
