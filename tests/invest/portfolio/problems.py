"""Small problems of portfolios, and every mix of them tried."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.invest.portfolio import PortfolioProblem, Rules
from commonweal.invest.portfolio.optimise import need_met

if TYPE_CHECKING:
    from numpy.typing import NDArray


def problem(
    gains: Any,
    *,
    people: Any = None,
    need: Any = None,
    capital: Any = 0.0,
    yearly: Any = 1.0,
    lead: Any = 0.0,
    lasts: Any = 10.0,
    groups: Any = None,
    measured: Any = False,
    shortfall: Any = np.inf,
    authorities: Any = None,
) -> PortfolioProblem:
    """Make a problem; what is one number is alike for all."""
    gains = np.asarray(gains, float)
    a, i, o = gains.shape

    def spread(value: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return np.array(np.broadcast_to(np.asarray(value, float), shape))

    return PortfolioProblem(
        tuple(f"A{k}" for k in range(a)),
        tuple(f"Place {k}" for k in range(a)),
        tuple(authorities or ["north"] * a),
        spread(1.0 if people is None else people, (a,)),
        spread(1.0 if need is None else need, (a,)),
        tuple(f"i{k}" for k in range(i)),
        tuple(f"o{k}" for k in range(o)),
        tuple(groups or [""] * i),
        spread(capital, (a, i)),
        spread(yearly, (a, i)),
        spread(lead, (i,)),
        spread(lasts, (i,)),
        gains,
        np.array(np.broadcast_to(np.asarray(measured, bool), (o,))),
        spread(shortfall, (a,)),
    )


def best_by_trying(p: PortfolioProblem, rules: Rules) -> float:
    """Try every mix of interventions that help, and give the most need that one within the rules meets."""
    lasting = p.working(rules.years).sum(axis=2)
    helps = (p.gains > 0).any(axis=2)
    a, i = len(p.codes), len(p.interventions)
    each = [
        [-1, *(t for t in range(rules.years) if helps[x, y] and lasting[t, y] > 0)]
        for x in range(a)
        for y in range(i)
    ]
    best = 0.0
    for starts in itertools.product(*each):
        start = np.array(starts, dtype=np.intp).reshape(a, i)
        if keeps(p, rules, start):
            best = max(best, float(need_met(p, start, rules).sum()))
    return best


def keeps(p: PortfolioProblem, rules: Rules, start: NDArray[np.intp], slack: float = 1e-6) -> bool:
    """Whether a mix keeps to every rule."""
    spent = p.spent(start, rules.years)
    done = start >= 0
    if spent.sum() > rules.budget + slack:
        return False
    if rules.a_year is not None and (spent.sum(axis=(0, 1)) > rules.a_year + slack).any():
        return False
    if rules.most_each is not None and (done.sum(axis=1) > rules.most_each).any():
        return False
    groups = np.array(p.groups)
    if any((done[:, groups == g].sum(axis=1) > 1).any() for g in set(p.groups) - {""}):
        return False
    for name, share in rules.least_shares.items():
        if spent[np.array(p.authorities) == name].sum() < share * spent.sum() - slack:
            return False
    return all(
        (start[:, p.interventions.index(name)] == t).sum() <= most
        for name, most in rules.starts_a_year.items()
        for t in range(rules.years)
    )
