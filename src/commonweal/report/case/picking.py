"""Sites to pick: candidates with whom each reaches anew, and all that their cost and worth follow from."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.document.html import Live, fill_page
from commonweal.invest.appraisal import build_model
from commonweal.invest.appraisal.drawing import draw_inputs
from commonweal.invest.appraisal.worth import expected, lines_worth
from commonweal.invest.case.sites import COST, DRAWS, SEED, WORTH, plan_sites, sites_project, untold
from commonweal.invest.case.worth import BENEFIT, drawn_effects, reach_grid
from commonweal.invest.parameters import load_parameters
from commonweal.report.siting import WITHIN, reached_words
from commonweal.report.siting_map import pick_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.invest.case.values import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.siting.sited import Sited

__all__ = ["MOST", "Picking", "live_of", "picking_of"]

MOST = 40
"""Sites that a page offers to pick at most, where no more were proposed."""


@dataclass(frozen=True, slots=True)
class Picking:
    """Sites to pick.

    Attributes
    ----------
    sites
        One row a site: ``row`` (of the candidates), ``name``, ``longitude``, ``latitude``, ``proposed``, and what it
        does by itself: ``people`` and ``points`` that it reaches anew. Those proposed come first, then those
        that reach most people.
    points
        Rows of the demand points that one of them reaches and no place that is there does.
    order
        Of each of these points, the sites that reach it (rows of `sites`), the nearest first.
    """

    sites: pl.DataFrame
    points: tuple[int, ...]
    order: tuple[tuple[int, ...], ...]


def picking_of(sited: Sited) -> Picking | None:
    """Offer the candidates of a siting that reach people anew: those proposed, and the best others.

    Parameters
    ----------
    sited
        A covering that was solved.

    Returns
    -------
    Picking or None
        At most `MOST` sites, or all those proposed where they are more; None where no candidate reaches anybody anew.
    """
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
    return Picking(sites, tuple(order), tuple(map(tuple, order.values())))


def live_of(sited: Sited, interventions: Interventions, values: Values) -> Live | None:
    """Make the part of a page in which a reader picks sites and sees at once what they do.

    Parameters
    ----------
    sited
        A covering that was solved.
    interventions, values
        As of `commonweal.invest.case.sites.sites_worth`, whose numbers and sentences the script gives for any set.

    Returns
    -------
    Live or None
        None where there is nothing to pick.
    """
    picking = picking_of(sited)
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
            "untold": untold(sited),
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
    return Live("Pick sites yourself", html, held, _file("pick.js"))


def _worth(sited: Sited, interventions: Interventions, values: Values) -> dict[str, Any] | None:
    """Give what the cost and worth of any set of sites follow from, draw by draw; None where they cannot be told.

    A place that brings more people than an effect can reach does no more for the rest, so worth is no sum over
    sites, and the ratio depends on the set: the draws go along, not their summary. Everything but the people is
    the same for every set, so it is taken from the project of one place for 1,000 people.
    """
    people = np.array([1000.0])
    plan = None if sited.unread else plan_sites(sited.kind, people, interventions, values)
    if plan is None:
        return None
    project = sites_project(plan, sited.title, values, fictional=sited.fictional)
    model = build_model(project, load_parameters(project.parameters))
    middle, drawn = expected(model), draw_inputs(model, DRAWS, SEED, project.correlations)
    quantity = f"{BENEFIT}.quantity"
    one = {quantity: 1.0, f"{BENEFIT}.people": 1.0}

    def each(inputs: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the cost of one place, and what a unit of the benefit is worth for one person."""
        lines = lines_worth(model, inputs | one)
        benefit = lines.pop(BENEFIT)
        return np.sum(list(lines.values()), axis=0), benefit

    cost, benefit = each(drawn)

    law = model.inputs[quantity].number
    chance = np.zeros(DRAWS)
    if not law.certain:
        chance = (drawn[quantity] - law.numbers[0]) / law.numbers[1]
    (name, intervention), = plan.intervention.interventions.items()  # fmt: skip
    numbers, effects = drawn_effects(plan.intervention, SEED)
    stated = [e for e in intervention.effects if e.size is not None]
    return {
        "costed": project.about,
        "years": project.horizon,
        "draws": DRAWS,
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
        "cost": _packed(np.broadcast_to(cost, DRAWS)),
        "benefit": _packed(np.broadcast_to(benefit, DRAWS)),
    }


def _packed(values: NDArray[np.float64]) -> str:
    """Write numbers as 32-bit floats, in base64: seven digits, of which the page shows three."""
    return b64encode(values.astype("<f4").tobytes()).decode()


def _file(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")
