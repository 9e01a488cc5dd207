"""Do the indicators of a group belong together? Cronbach's alpha, and pairs to look at again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.arguments import Share, Within, strict
from commonweal.index.correlate import Coefficient, Correlations, correlate, pairwise_covariance
from commonweal.index.lists import keys, listed, positions
from commonweal.index.tables import Matrix, labelled, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Pair", "cronbach", "flag_denominators", "flag_pairs", "with_ancestors"]


@strict
def cronbach(x: Matrix, complete: bool = False, names: Sequence[str] | None = None) -> float:
    """Cronbach's alpha of a group of indicators: how consistently they measure one thing.

    ``alpha = k^2 c / s``, with k indicators, c the mean covariance of two different ones and s the
    sum of all covariances, variances included. 1 is perfect; 0.7 is a usual yardstick; it is
    negative where indicators contradict each other.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, all with the same direction, in units that may be added
        (normalised, as a rule), NaN = missing.
    complete
        Use only the units that have every indicator, rather than, for each covariance, those that
        have both.
    names
        (n_indicators,) names, for messages.

    Returns
    -------
    float
        At most 1.

    Raises
    ------
    DataError
        If there are fewer than 2 indicators, or two share fewer than 2 units.

    Notes
    -----
    Source: Cronbach (1951), Coefficient alpha and the internal structure of tests, Psychometrika
    16, 297-334.

    Examples
    --------
    >>> round(cronbach([[1.0, 2.0], [2.0, 3.0], [3.0, 5.0], [4.0, 4.0]]), 4)
    0.8889
    """
    values, called = labelled(x, names)
    k = len(called)
    if k < 2:
        raise DataError(f"Cronbach's alpha of {k} indicator(s); expected at least 2")
    if complete:
        values = values[~np.isnan(values).any(axis=1)]
    covariance = pairwise_covariance(values)
    if np.isnan(covariance).any():
        i, j = np.argwhere(np.isnan(covariance))[0]
        who = f"indicator '{called[i]}' has"
        if i != j:
            who = f"indicators '{called[i]}' and '{called[j]}' share"
        raise DataError(f"{who} fewer than 2 units with values; Cronbach's alpha needs covariances")
    total = float(covariance.sum())
    between = (total - float(np.trace(covariance))) / (k * (k - 1))
    if total == 0:
        raise DataError("Cronbach's alpha of constants: the indicators do not vary together")
    return k * k * between / total


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns and their correlation.

    Attributes
    ----------
    first, second
        Their names.
    r, p, n
        As in `Correlations`.
    group
        The group both belong to, if they were sought in groups.
    """

    first: str
    second: str
    r: float
    p: float
    n: int
    group: str = ""


def _pair(found: Correlations, i: int, j: int, names: tuple[str, str], group: str = "") -> Pair:
    r, p, n = found.r[i, j], found.p[i, j], found.n[i, j]
    return Pair(names[0], names[1], float(r), float(p), int(n), group)


@strict
def flag_pairs(
    x: Matrix,
    names: Sequence[str] | None,
    groups: Mapping[str, Sequence[str]],
    collinear: Share = 0.9,
    contrary: Annotated[float, Within(-1, 0)] = -0.4,
    method: Coefficient = "pearson",
) -> tuple[list[Pair], list[Pair]]:
    """Find indicators of a group that say the same twice, and those that contradict each other.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, all with the same direction (directed or normalised),
        NaN = missing.
    names
        (n_indicators,) names.
    groups
        By group (a node of the framework), the names of its indicators.
    collinear
        Correlations from here up are flagged, 0..1.
    contrary
        Correlations from here down are flagged, -1..0.
    method
        As in `correlate`.

    Returns
    -------
    collinear, contrary
        The pairs, each once, in the order of the groups and of their indicators.

    Raises
    ------
    DataError
        If a threshold is out of its range.
    UnknownNameError
        If a group has an indicator that is not there.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 2.0], [3.0, 6.5, 1.0]])
    >>> same, against = flag_pairs(x, ["a", "b", "c"], {"all": ["a", "b", "c"]})
    >>> [(p.first, p.second) for p in same], [(p.first, p.second) for p in against]
    ([('a', 'b')], [('a', 'c'), ('b', 'c')])
    """
    values, called = labelled(x, names)
    same: list[Pair] = []
    against: list[Pair] = []
    for group, listed_members in groups.items():
        members = listed(listed_members, f"group '{group}'")
        found = correlate(values[:, positions(called, members, group)], method=method)
        for i, first in enumerate(members):
            for j, second in enumerate(members[i + 1 :], start=i + 1):
                pair = _pair(found, i, j, (first, second), group)
                if pair.r >= collinear:
                    same.append(pair)
                elif pair.r <= contrary:
                    against.append(pair)
    return same, against


@strict
def flag_denominators(
    x: Matrix,
    names: Sequence[str] | None,
    denominators: Matrix,
    denominator_names: Sequence[str] | None,
    strong: Share = 0.7,
    method: Coefficient = "pearson",
) -> list[Pair]:
    """Find indicators that measure the size of a place: strongly correlated with a denominator.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    denominators
        (n_units, n_denominators) populations, areas and the like.
    denominator_names
        (n_denominators,) names.
    strong
        Absolute correlations from here up are flagged, 0..1.
    method
        As in `correlate`.

    Returns
    -------
    list of Pair
        Indicator first, denominator second.

    Raises
    ------
    DataError
        If the threshold is out of its range or the tables have different units.

    Examples
    --------
    >>> pubs, people = [[1.0], [2.0], [3.1]], [[100.0], [200.0], [300.0]]
    >>> [p.first for p in flag_denominators(pubs, ["pubs"], people, ["people"])]
    ['pubs']
    """
    taken = table(x, names)
    others = table(denominators, denominator_names, what="denominator")
    called, of = taken.names, others.names
    found = correlate(taken.values, others.values, method)
    strongly = np.argwhere(np.abs(found.r) >= strong)
    return [_pair(found, i, j, (called[i], of[j])) for i, j in strongly]


@strict
def with_ancestors(
    scores: Matrix,
    names: Sequence[str] | None,
    parent: Mapping[str, str],
    method: Coefficient = "pearson",
) -> list[Pair]:
    """Correlate every node of an index with each node that it is part of.

    Parameters
    ----------
    scores
        (n_units, n_nodes) values of indicators, domains and index, NaN = missing.
    names
        (n_nodes,) names.
    parent
        By node, its parent; the root has none.
    method
        As in `correlate`.

    Returns
    -------
    list of Pair
        Descendant first, ancestor second: parent, grandparent and so on up.

    Raises
    ------
    UnknownNameError
        If a parent has no scores.
    DataError
        If a node is its own ancestor.

    Examples
    --------
    >>> x = np.array([[1.0, 1.5], [2.0, 1.5], [3.0, 3.5]])
    >>> [(p.first, p.second) for p in with_ancestors(x, ["pubs", "assets"], {"pubs": "assets"})]
    [('pubs', 'assets')]
    """
    values, called = labelled(scores, names)
    keys(parent, called, "node", " (with a parent)")
    at = {name: j for j, name in enumerate(called)}
    found = correlate(values, method=method)
    pairs = []
    for i, name in enumerate(called):
        line = [name]
        while (above := parent.get(line[-1])) is not None:
            if above not in at:
                raise UnknownNameError("node", above, called, f" (parent of '{line[-1]}')")
            if above in line:
                raise DataError(f"node '{above}' is its own ancestor; expected a tree")
            pairs.append(_pair(found, i, at[above], (name, above)))
            line.append(above)
    return pairs
