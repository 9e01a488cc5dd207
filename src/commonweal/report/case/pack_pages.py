"""Pages for a briefing pack: what new places would do here, with a site picker, and who a programme selects."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.document.html import InteractivePart, document_html, fill_page
from commonweal.document.pdf import document_pdf
from commonweal.errors import CommonwealError
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.comparison import SelectedShares, compare
from commonweal.invest.allocation.on_study import (
    apply_programme,
    compare_programmes,
    draws_of,
    exclusions_of,
)
from commonweal.invest.appraisal.model import build_model, expected, lines_worth
from commonweal.invest.appraisal.sensitivity import draw_inputs
from commonweal.invest.case.case import (
    COST,
    SITES_DRAWS,
    SITES_SEED,
    WORTH,
    appraise_sites,
    plan_sites,
    sites_project,
    why_not_valued,
)
from commonweal.invest.case.valuation import BENEFIT, drawn_effects, load_values, reach_grid
from commonweal.invest.interventions import load_interventions
from commonweal.invest.parameters import load_parameters
from commonweal.invest.siting.demand import SCHOOLS
from commonweal.invest.siting.on_study import (
    MOST_AREAS,
    SitingOptions,
    first_candidates,
    load_siting_data,
    site,
)
from commonweal.report.allocation import allocation_document, comparison_section
from commonweal.report.appraisal import appraisal_document
from commonweal.report.invest_maps import pick_map
from commonweal.report.place.pack import ExtraPage
from commonweal.report.siting import WITHIN, reached_words, siting_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.document.model import Document, Section
    from commonweal.invest.allocation import Programme
    from commonweal.invest.allocation.on_study import AllocationResult, Exclusions
    from commonweal.invest.appraisal import Appraisal
    from commonweal.invest.case.valuation import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.siting.result import SitingResult
    from commonweal.sources import Store
    from commonweal.study.names import Scope
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]


MOST = 40
"""Sites that a page offers to pick at most, where no more were proposed."""


@dataclass(frozen=True, slots=True)
class SitePicker:
    """Sites to pick."""

    # one row a site: ``row`` (of the candidates), ``name``, ``longitude``, ``latitude``, ``proposed``, and what it
    # does by itself: ``people`` and ``points`` that it reaches anew. Those proposed come first, then those that reach
    # most people.
    sites: pl.DataFrame
    # rows of the demand points that one of them reaches and no place that is there does
    points: tuple[int, ...]
    # of each of these points, the sites that reach it (rows of `sites`), the nearest first
    order: tuple[tuple[int, ...], ...]


def site_picker(sited: SitingResult) -> SitePicker | None:
    """Offer the candidates of a siting that reach people anew: those proposed, and the best others."""
    problem, n = sited.problem, len(sited.candidates)
    late = np.isnan(sited.solution.distance_before)
    point = problem.point()
    pairs = late[point] & (problem.site < n)
    site, at = problem.site[pairs], point[pairs]
    people = np.bincount(site, sited.demand.people[at], n)
    proposed = np.isin(np.arange(n), sited.solution.chosen)
    best = np.lexsort((np.arange(n), -people, ~proposed))[: max(MOST, proposed.sum())]
    best = best[proposed[best] | (people[best] > 0)]
    if not people[best].any():
        return None
    sites = (
        sited.candidates.table[best]
        .select(pl.col("name").fill_null(pl.col("id")), "longitude", "latitude")
        .with_columns(
            row=best, proposed=proposed[best], people=people[best], points=np.bincount(site, minlength=n)[best]
        )
    )  # fmt: skip
    place = np.full(n, -1)
    place[best] = np.arange(len(best))
    listed = place[site] >= 0
    order: dict[int, list[int]] = {}
    for i, k in zip(at[listed].tolist(), place[site[listed]].tolist(), strict=True):
        order.setdefault(i, []).append(k)
    return SitePicker(sites, tuple(order), tuple(map(tuple, order.values())))


def interactive_picker(
    sited: SitingResult, interventions: Interventions, values: Values
) -> InteractivePart | None:
    """Make the part of a page in which a reader picks sites and sees at once what they do."""
    picking = site_picker(sited)
    if picking is None:
        return None
    d = sited.demand
    data = {
        "sites": picking.sites["name"].to_list(),
        "points": [
            [d.names[i], float(d.people[i]), order]
            for i, order in zip(picking.points, picking.order, strict=True)
        ],
        "before": sited.reached()[0],
        "people": float(d.people.sum()),
        "demand": len(d),
        "plural": sited.plural,
        "say": {
            "reached": reached_words(sited),
            "within": WITHIN.format(minutes=sited.minutes),
            "cost": COST,
            "worth": WORTH,
            "untold": why_not_valued(sited),
        },
        "worth": _worth(sited, interventions, values),
    }
    html = fill_page(
        _file("pick.html"),
        sites=picking.sites.to_dicts(),
        drawn=pick_map(sited, picking.sites, picking.points),
        of=sited.candidates.of,
        candidates=len(sited.candidates),
        most=MOST,
        minutes=sited.minutes,
        plural=sited.plural,
    )
    held = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return InteractivePart("Pick sites yourself", html, held, _file("pick.js"))


def _worth(
    sited: SitingResult, interventions: Interventions, values: Values
) -> dict[str, Any] | None:
    """Give what the cost and worth of any set of sites follow from, draw by draw; None where they cannot be told.

    A place that brings more people than an effect can reach does no more for the rest, so worth is no sum over
    sites, and the ratio depends on the set: the draws go along, not their summary. Everything but the people is
    the same for every set, so it is taken from the project of one place for 1,000 people.
    """
    people = np.array([1000.0])
    plan = None if sited.unread else plan_sites(sited.kind, people, interventions, values)
    if plan is None:
        return None
    project = sites_project(plan, sited.title, values, sited)
    model = build_model(project, load_parameters(project.parameters))
    middle, drawn = (
        expected(model),
        draw_inputs(model, SITES_DRAWS, SITES_SEED, project.correlations),
    )
    quantity = f"{BENEFIT}.quantity"
    one = {quantity: 1.0, f"{BENEFIT}.people": 1.0}

    def each(inputs: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the cost of one place, and what a unit of the benefit is worth for one person."""
        lines = lines_worth(model, inputs | one)
        benefit = lines.pop(BENEFIT)
        return np.sum(list(lines.values()), axis=0), benefit

    cost, benefit = each(drawn)

    law = model.inputs[quantity].number
    chance = np.zeros(SITES_DRAWS)
    if not law.certain:
        chance = (drawn[quantity] - law.numbers[0]) / law.numbers[1]
    (name, intervention), = plan.interventions.interventions.items()  # fmt: skip
    numbers, effects = drawn_effects(plan.interventions, SITES_SEED)
    stated = [e for e in intervention.effects if e.size is not None]
    return {
        "costed": project.about,
        "years": project.horizon,
        "draws": SITES_DRAWS,
        "by_people": intervention.cost.per == "1000_residents",
        "lasting": float(plan.gains[0].reach.max() / people[0]),
        "effects": [
            {
                "most": e.most_people,
                "size": numbers[name, e.outcome, "size"].mean,
                "reaches": numbers[name, e.outcome, "reaches"].mean,
                "top": numbers[name, e.outcome, "reaches"].support[1],
                "grid": _packed(reach_grid(numbers[name, e.outcome, "reaches"])),
                "sizes": _packed(effects[name, e.outcome, "size"]),
                "shares": _packed(effects[name, e.outcome, "reaches"]),
            }
            for e in stated
        ],
        "chance": _packed(chance),
        "each": [float(v) for v in each(middle)],
        "cost": _packed(np.broadcast_to(cost, SITES_DRAWS)),
        "benefit": _packed(np.broadcast_to(benefit, SITES_DRAWS)),
    }


def _packed(values: NDArray[np.float64]) -> str:
    """Write numbers as 32-bit floats, in base64: seven digits, of which the page shows three."""
    return b64encode(values.astype("<f4").tobytes()).decode()


def _file(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")


SITES = 3
"""New places that a pack's page on options thinks of at most."""

_WHERE = (SCHOOLS, "grid:500", "grid:100")
"""Where they could go: the first of which there is one in or near the area."""


def check_pages(study: str, kind: str = "", programme: str = "", against: str = "") -> None:
    """Refuse, before a long run, pages that cannot be made after it."""
    if kind:
        SitingOptions(study, kind, sites=SITES)
    if programme:
        _programme(programme, study)
    if against:
        exclusions_of(load_programme(against))


def refuse_many(scope: Scope, areas: Areas) -> None:
    """Refuse a page on options about more areas than one page can tell of."""
    if len(scope.rows) > MOST_AREAS:
        raise CommonwealError(
            f"a page on options is about {MOST_AREAS:,} {areas.plural} at most; found {len(scope.rows):,}: "
            "name a place or an authority"
        )


def _programme(name: str, study: str, exclude: Sequence[str] = ()) -> tuple[Programme, Exclusions]:
    """Read a programme on a study, and the codes that it excludes."""
    programme = load_programme(name)
    if programme.study != study:
        raise CommonwealError(
            f"{programme.name} is a programme on the study {programme.study}; expected one on {study}"
        )
    return programme, exclusions_of(programme, exclude)


def options_page(
    results: Results, scope: Scope, kind: str, store: Store, progress: Progress | None = None
) -> ExtraPage:
    """Make the page on what new places of a kind would do for the places that a pack is about."""
    refuse_many(scope, results.areas)
    ground = load_siting_data(results, store, progress)
    candidates = first_candidates(results, ground, scope, _WHERE, store) or _WHERE[0]
    ask = SitingOptions(
        scope.title, kind, sites=SITES, candidates=candidates, method="search", at_most=True
    )
    sited = site(results, ask, store, ground=ground, scope=scope, progress=progress)
    if sited.solution.interrupted:  # siting gives its best; a pack is whole or not made
        raise KeyboardInterrupt
    report = siting_document(sited)
    interventions, values = load_interventions(), load_values()
    worth = appraise_sites(sited, interventions, values)
    report = with_value(report, worth)
    if worth is None and sited.unread:
        report = replace(report, answer=(*report.answer, why_not_valued(sited)))
    title = f"Options: {sited.label.lower()}"
    about = "where new ones would reach most people, what that changes, its costs and benefits"
    return _extra(
        "options", title, about, report, kind, interactive_picker(sited, interventions, values)
    )


def with_value(report: Document, worth: Appraisal | None) -> Document:
    """Add to a document on sites what they cost and are worth, where that is known."""
    if worth is None:
        return report
    appraised = appraisal_document(worth)
    return replace(
        report,
        answer=(*report.answer, worth.project.about, *appraised.answer),
        sections=(*report.sections, *appraised.sections),
        assumptions=(*report.assumptions, *appraised.assumptions),
        limits=(*report.limits, *appraised.limits),
        works=tuple(dict.fromkeys((*report.works, *appraised.works))),
    )


def programme_page(
    results: Results,
    name: str,
    store: Store,
    exclude: Sequence[str] = (),
    progress: Progress | None = None,
    against: str = "",
) -> ExtraPage:
    """Make the page on who a funding programme selects, and who gains and loses beside the study's own lists."""
    programme, exclusions = _programme(name, results.study.name, exclude)
    worked = apply_programme(
        programme, results, store, exclusions,
        draws=draws_of(results.study), progress=progress,
    )  # fmt: skip
    other = compare_programmes(worked, against, store, exclude) if against else None
    report = allocation_document(worked, other)
    report = replace(report, sections=(*report.sections, *_beside_lists(worked)))
    about = "the rule, who gets an award, how certain that is, who misses out, and how other lists differ"
    return _extra("programme", programme.title, about, report, f"{name} {against}")


def _beside_lists(worked: AllocationResult) -> Iterator[Section]:
    """Set a programme beside the lists of its study, where it chooses from the study's own areas."""
    a, results = worked.allocation, worked.results
    if a.areas.codes != results.areas.codes:
        return
    mine = SelectedShares(a.areas, a.selected.astype(np.float64))
    for name, d in results.designations.items():
        listed = SelectedShares(a.areas, d.selected.astype(np.float64))
        title = f"this study's list “{name.replace('_', ' ')}”"
        yield comparison_section(worked, title, compare(mine, listed, a.in_need), f"-{name}")


def _extra(
    name: str,
    title: str,
    about: str,
    report: Document,
    asked: str,
    live: InteractivePart | None = None,
) -> ExtraPage:
    follows = f"{asked}: {' '.join(report.answer)} {'' if live is None else live.data}"
    page = partial(document_html, report, live=live)
    return ExtraPage(name, title, about, page, partial(document_pdf, report, files=False), follows)
