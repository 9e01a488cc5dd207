"""Do the indicators of a group belong together? Principal components and Cronbach's alpha."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.correlate import Coefficient, Correlations, correlate, pairwise_covariance
from commonweal.index.methods import Share, Within, strict
from commonweal.index.tables import Matrix, keys, labelled, listed, positions, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.index.tables import Floats


__all__ = [
    "Components",
    "Pair",
    "components",
    "components_by_group",
    "cronbach",
    "flag_denominators",
    "flag_pairs",
    "with_ancestors",
]


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components of a group of indicators, the one that explains most first.

    Attributes
    ----------
    names
        (n_indicators,) the indicators.
    loadings
        (n_indicators, n_components) unit vectors: a component is the standardised indicators
        times its column.
    sd
        (n_components,) standard deviation of each component, in standard deviations of an
        indicator.
    explained
        (n_components,) share of the variance of all indicators that each explains; adds up to 1.
    n
        Units used: those that have every indicator.
    """

    names: tuple[str, ...]
    loadings: Floats
    sd: Floats
    explained: Floats
    n: int

    @property
    def weights(self) -> dict[str, float]:
        """Loadings on the first component, by indicator; a negative one says it pulls away."""
        return dict(zip(self.names, self.loadings[:, 0].tolist(), strict=True))


def components(x: Matrix, names: Sequence[str] | None = None) -> Components:
    """Find the principal components of indicators, standardised to mean 0 and deviation 1.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing. Units with any missing value are left out.
    names
        (n_indicators,) names.

    Returns
    -------
    Components
        min(n, n_indicators) of them. The sign of a component is arbitrary in the mathematics; here
        its loadings add up to more than 0 (where they add up to 0, the first that is not 0 is
        positive), so that indicators that point the same way get positive weights.

    Raises
    ------
    DataError
        If fewer than 2 units have every indicator, or an indicator is constant among these.

    Notes
    -----
    As R's ``prcomp(scale. = TRUE)`` and COINr's ``get_PCA``, whose signs are those of its LAPACK.
    Source: Jolliffe (2002), Principal Component Analysis, 2nd edition.

    Examples
    --------
    >>> found = components([[1.0, 2.0], [2.0, 4.1], [3.0, 5.9]], ["pubs", "halls"])
    >>> {name: round(w, 4) for name, w in found.weights.items()}
    {'pubs': 0.7071, 'halls': 0.7071}
    >>> found.explained.round(4)
    array([9.995e-01, 5.000e-04])
    """
    values, called = labelled(x, names)
    if not called:
        raise DataError("principal components of 0 indicators; expected at least 1")
    full = values[~np.isnan(values).any(axis=1)]
    n = len(full)
    if n < 2:
        empty = np.isnan(values).all(axis=0)
        which = f" (indicator '{called[int(empty.argmax())]}' has no values)" if empty.any() else ""
        raise DataError(f"{n} unit(s) with every indicator; principal components need 2{which}")
    constant = (full == full[0]).all(axis=0)
    if constant.any():
        raise DataError(
            f"indicator '{called[int(constant.argmax())]}' is constant over the {n:,} units that "
            "have every indicator; it cannot be standardised"
        )
    standard = (full - full.mean(axis=0)) / full.std(axis=0, ddof=1)
    _, singular, axes = np.linalg.svd(standard, full_matrices=False)
    loadings = axes.T
    total = loadings.sum(axis=0)
    first = np.take_along_axis(loadings, (loadings != 0).argmax(axis=0)[None], axis=0)[0]
    loadings = loadings * np.where(np.where(np.abs(total) > 1e-12, total, first) < 0, -1.0, 1.0)
    variance = singular**2 / (n - 1)
    return Components(tuple(called), loadings, np.sqrt(variance), variance / variance.sum(), n)


def components_by_group(
    x: Matrix, names: Sequence[str] | None, groups: Mapping[str, Sequence[str]]
) -> dict[str, Components]:
    """Find the principal components of each group of indicators.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing (left out group by group).
    names
        (n_indicators,) names.
    groups
        By group (a node of the framework), the names of its indicators.

    Returns
    -------
    dict
        By group, its `Components`.

    Raises
    ------
    DataError
        As `components`, naming the group.
    UnknownNameError
        If a group has an indicator that is not there.

    Examples
    --------
    >>> x = [[1.0, 2.0], [2.0, 4.1], [3.0, 5.9]]
    >>> found = components_by_group(x, ["pubs", "halls"], {"assets": ["pubs", "halls"]})
    >>> found["assets"].n
    3
    """
    values, called = labelled(x, names)
    found = {}
    for group, members in groups.items():
        at = positions(called, members, group)
        try:
            found[group] = components(values[:, at], listed(members, group))
        except DataError as error:
            raise DataError(f"group '{group}': {error}") from error
    return found


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
