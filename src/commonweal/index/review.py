"""What to look at again before an index is published: rules of thumb, each with its source.

References
----------
.. [1] Becker et al. (2019), COIN Tool User Guide, EUR 29899 EN, doi:10.2760/523877 (availability,
   skew and kurtosis, correlations within a node).
.. [2] OECD and JRC (2008), Handbook on Constructing Composite Indicators, on multivariate
   analysis (cases to variables: 3 to 1 is the least demanding of the rules it lists).
.. [3] Paruolo, Saisana and Saltelli (2013), Ratings and rankings: voodoo or science?, Journal of the
   Royal Statistical Society A 176, 609-634 (importance is the squared correlation, not the weight).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np

from commonweal.errors import UnknownNameError
from commonweal.index.correlate import correlate
from commonweal.index.describe import Threshold, describe, flags
from commonweal.index.framework import child_weights
from commonweal.index.methods import AtLeastZero, Share, Within, strict
from commonweal.index.multivariate import flag_pairs
from commonweal.index.screen import available
from commonweal.index.tables import Matrix, table
from commonweal.indicators.indicators import COVERAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike

    from commonweal.index.framework import Node
    from commonweal.index.tables import Floats

__all__ = ["Finding", "RuleOfThumb", "Thresholds", "review_data", "review_tree", "to_table"]

RuleOfThumb: TypeAlias = Literal[
    "unit availability",
    "indicator availability",
    "outliers",
    "constant",
    "few units",
    "collinear",
    "contrary",
    "importance",
]


@strict
@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is a finding.

    Attributes
    ----------
    available
        Smallest share of values, 0..1, for a unit and for an indicator [1]_.
    skew, kurtosis
        Absolute skew *and* excess kurtosis above which an indicator has outliers [1]_.
    collinear, contrary
        Correlation from which up, and down, two children of a node are flagged [1]_.
    units_per_indicator
        Fewest units for each indicator [2]_.
    importance
        How many times its share of the weight a child's share of importance may be, or the other
        way round; above 1. The choice of 2 is ours: [3]_ compares the two and sets no limit.
    """

    available: Share = COVERAGE
    skew: Threshold = 2.0
    kurtosis: float = 3.5
    collinear: Share = 0.92
    contrary: Annotated[float, Within(-1, 0)] = -0.4
    units_per_indicator: AtLeastZero = 3.0
    importance: Annotated[float, Within(1, above=True, finite=False)] = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at.

    Attributes
    ----------
    rule
        Which rule.
    subject
        The unit, the indicator, the two indicators or the child that it is about.
    node
        Path of the node that it is about, or ''.
    value, limit
        What was found, and the threshold.
    message
        The same in a sentence.
    """

    rule: RuleOfThumb
    subject: str
    node: str
    value: float
    limit: float
    message: str


def review_data(
    x: Matrix,
    names: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
    thresholds: Thresholds | None = None,
) -> tuple[Finding, ...]:
    """Look at the indicators before anything is done to them.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names, units
        (n_indicators,) and (n_units,) names; those of the table, if not given.
    thresholds
        The published ones, if not given.

    Returns
    -------
    tuple of Finding
        By rule, then in the order given. None is no proof that the data are sound.

    Examples
    --------
    >>> x = [[1.0, 5.0], [2.0, np.nan], [3.0, np.nan], [4.0, np.nan], [5.0, 7.0], [6.0, 1.0]]
    >>> [(f.rule, f.subject) for f in review_data(x, ["pubs", "halls"], list("ABCDEF"))][-1]
    ('indicator availability', 'halls')
    """
    t = thresholds or Thresholds()
    taken = table(x, names, units)
    return tuple(_data_findings(taken.values, taken.names, taken.named_units, t))


def _data_findings(
    values: Floats, names: list[str], units: Sequence[str], t: Thresholds
) -> Iterator[Finding]:
    n_units, n_indicators = values.shape
    if n_units < t.units_per_indicator * n_indicators:
        yield Finding(
            "few units", "", "", n_units / max(n_indicators, 1), t.units_per_indicator,
            f"{n_units:,} units for {n_indicators} indicators: fewer than "
            f"{t.units_per_indicator:g} for each, so correlations and weights drawn from them are "
            "unsure",
        )  # fmt: skip
    for unit, share in zip(units, available(values), strict=True):
        if share < t.available:
            yield Finding(
                "unit availability", unit, "", float(share), t.available,
                f"unit '{unit}' has {share:.0%} of the indicators; {t.available:.0%} expected",
            )  # fmt: skip
    summary = describe(values, names)
    flagged = flags(summary, t.available, skew=t.skew, kurtosis=t.kurtosis)
    for j, name in enumerate(names):
        if flagged.available[j]:
            share = float(summary.available[j])
            yield Finding(
                "indicator availability", name, "", share, t.available,
                f"indicator '{name}' has {share:.0%} of the units; {t.available:.0%} expected",
            )  # fmt: skip
    for j, name in enumerate(names):
        if summary.n[j] and summary.min[j] == summary.max[j]:
            yield Finding(
                "constant", name, "", float(summary.min[j]), 0.0,
                f"indicator '{name}' is {summary.min[j]:g} everywhere: it does not tell units apart",
            )  # fmt: skip
        if flagged.outliers[j]:
            skew, kurtosis = float(summary.skew[j]), float(summary.kurtosis[j])
            yield Finding(
                "outliers", name, "", skew, t.skew,
                f"indicator '{name}' has skew {skew:.2f} and kurtosis {kurtosis:.2f}, beyond "
                f"{t.skew:g} and {t.kurtosis:g}: treat its outliers, or say why not",
            )  # fmt: skip


def review_tree(
    index: str,
    tree: Node,
    need: Mapping[str, Floats],
    transformed: Mapping[str, Floats] | None = None,
    thresholds: Thresholds | None = None,
    weights: Mapping[str, ArrayLike] | None = None,
) -> tuple[Finding, ...]:
    """Look at every node: whether its children agree, and matter as their weights say.

    Parameters
    ----------
    index, tree
        Name and tree of the index.
    need
        By node path, (n_units,) scores, all with the same direction: what
        `commonweal.index.score.score_tree` gives.
    transformed
        By node path, (n_units,) what entered the parent; `need` if not given.
    thresholds
        The published ones, if not given.
    weights
        As in `commonweal.index.framework.framework_table`.

    Returns
    -------
    tuple of Finding
        Node by node from the root: collinear and contrary children, then those whose importance
        (squared correlation with the node) is out of proportion to their weight.

    Raises
    ------
    UnknownNameError
        If a node has no scores.

    Examples
    --------
    >>> from commonweal.index import Node
    >>> a = np.arange(9.0)
    >>> tree = Node(children={"a": Node(indicator="a"), "b": Node(indicator="b")})
    >>> need = {"x": a, "x/a": a, "x/b": a * 2}
    >>> [(f.rule, f.subject) for f in review_tree("x", tree, need)]
    [('collinear', 'a, b')]
    """
    t = thresholds or Thresholds()
    inside = {**need, **(transformed or {})}
    for path, _ in tree.walk(index):
        if path not in need:
            raise UnknownNameError("node", path, need, " among the scores")
    findings: list[Finding] = []
    for path, node in tree.walk(index):
        if len(node.children) > 1:
            children = list(node.children)
            x = np.column_stack([inside[f"{path}/{c}"] for c in children])
            findings += _pairs(path, children, x, t)
            own = child_weights(path, node, weights)
            findings += _importance(path, children, own, x, need[path], t)
    return tuple(findings)


def _pairs(path: str, children: list[str], x: Floats, t: Thresholds) -> Iterator[Finding]:
    same, against = flag_pairs(x, children, {path: children}, t.collinear, t.contrary)
    for p in same:
        yield Finding(
            "collinear", f"{p.first}, {p.second}", path, p.r, t.collinear,
            f"{path}: '{p.first}' and '{p.second}' correlate at {p.r:.2f}, so the node counts "
            "almost the same thing twice",
        )  # fmt: skip
    for p in against:
        yield Finding(
            "contrary", f"{p.first}, {p.second}", path, p.r, t.contrary,
            f"{path}: '{p.first}' and '{p.second}' correlate at {p.r:.2f}, so one makes up for the "
            "other; check directions, or that they belong together",
        )  # fmt: skip


def _importance(
    path: str, children: list[str], weights: Floats, x: Floats, score: Floats, t: Thresholds
) -> Iterator[Finding]:
    r = correlate(x, score[:, None]).r[:, 0]
    total = float(np.nansum(r**2))
    if total == 0 or np.isnan(r).any():
        return  # a child or the node does not vary: there is nothing to divide
    shares = zip(children, weights / weights.sum(), r**2 / total, r, strict=True)
    for child, weight, share, its in shares:
        if weight > 0 and (its < 0 or not 1 / t.importance <= share / weight <= t.importance):
            runs = f", and it runs against the node (correlation {its:.2f})" if its < 0 else ""
            yield Finding(
                "importance", child, path, float(share / weight), t.importance,
                f"{path}: '{child}' has {weight:.0%} of the weight and {share:.0%} of the "
                f"importance{runs}",
            )  # fmt: skip


def to_table(findings: Sequence[Finding]) -> pl.DataFrame:
    """Put findings into a table with a column for each attribute."""
    import polars as pl

    schema = {
        "rule": pl.String,
        "subject": pl.String,
        "node": pl.String,
        "value": pl.Float64,
        "limit": pl.Float64,
        "message": pl.String,
    }
    rows = [[getattr(f, name) for name in schema] for f in findings]
    return pl.DataFrame(rows, schema=schema, orient="row")
