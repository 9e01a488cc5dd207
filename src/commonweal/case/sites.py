"""What new places are worth: their cost, and what they do for the people who come to be within reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.case.worth import gains_of, project_of
from commonweal.errors import CommonwealError
from commonweal.investment.appraisal import appraise
from commonweal.investment.portfolio import Problem, Rules

if TYPE_CHECKING:
    from commonweal.case.values import Values
    from commonweal.investment.appraisal import Appraisal
    from commonweal.investment.interventions import Interventions
    from commonweal.investment.parameters import Parameters
    from commonweal.investment.siting.sited import Sited

__all__ = ["sites_worth"]


def sites_worth(
    sited: Sited,
    interventions: Interventions,
    values: Values,
    *,
    years: int = 10,
    first_year: int = 2026,
    draws: int = 2_000,
    seed: int = 1,
    parameters: Parameters | None = None,
) -> Appraisal | None:
    """Appraise new places.

    Parameters
    ----------
    sited
        Where they go, and who is reached anew.
    interventions, values
        What such a place costs and does, and what that is worth.
    years
        Over how many years it is appraised.
    first_year
        The calendar year in which they are built.
    draws, seed
        Of uncertain numbers.
    parameters
        Of appraisal; read anew if not given.

    Returns
    -------
    Appraisal or None
        None where nobody is reached anew, or the values have no intervention for such a kind of place. Those
        who had one within the minutes before gain nothing by its count, which is why it is at least that.

    Raises
    ------
    CommonwealError
        If the values name an intervention that there is not.
    """
    name = values.built.get(sited.kind)
    if name is None or not sited.sites["newly"].sum() > 0:
        return None
    if name not in interventions.interventions:
        raise CommonwealError(
            f"'{sited.kind}' is built as '{name}', which is not in {interventions.name}"
        )
    one = interventions.only([name])
    effects = [e for e in one.interventions[name].effects if e.size is not None]
    people = sited.sites["newly"].to_numpy().astype(np.float64)
    n, each = len(people), one.interventions[name]
    per = people / 1000.0 if each.cost.per == "1000_residents" else np.ones(n)
    problem = Problem(
        codes=tuple(sited.sites["id"]),
        names=tuple(sited.sites["name"].fill_null(sited.sites["id"])),
        authorities=("",) * n,
        people=people,
        need=np.ones(n),
        interventions=(name,),
        outcomes=tuple(e.outcome for e in effects),
        groups=("",),
        capital=(each.cost.capital.mean * per)[:, None],
        yearly=(each.cost.yearly.mean * per)[:, None],
        lead=np.array([float(each.lead)]),
        lasts=np.array([each.lasts.mean]),
        gains=np.zeros((n, 1, len(effects))),
        measured=np.zeros(len(effects), dtype=bool),
        shortfall=np.full(n, np.inf),
    )
    start = np.zeros((n, 1), dtype=np.intp)
    rules = Rules(budget=float(problem.spent(start, years).sum()), years=years)
    gains = gains_of(one, problem, rules, start, seed)
    if not sum(g.total for g in gains) > 0:
        return None
    title = f"{n:,} new: {sited.label.lower()}, {sited.title}"
    project = project_of(
        title, one, problem, rules, start, gains, values,
        first_year=first_year, fictional=sited.fictional,
    )  # fmt: skip
    return appraise(project, parameters, draws=draws, seed=seed)
