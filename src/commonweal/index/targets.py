"""The nodes that each assumption acts on: every name found, or refused, before a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError, DataError, UnknownNameError, nearest
from commonweal.index.aggregate import AGGREGATORS, needs_equal_weights
from commonweal.index.assumptions import (
    Aggregation,
    Alternatives,
    CutOff,
    Inclusion,
    Normalisation,
    Parameter,
    SamplingError,
    SmallCounts,
    Treatment,
    Weights,
    where_of,
)
from commonweal.index.framework import checked_aggregate, checked_transform
from commonweal.index.methods import (
    MethodError,
    checked_method,
    function_of,
    name_of,
    refuse_at_once,
    settings_of,
    takes,
    with_setting,
)
from commonweal.index.normalise import NORMALISERS
from commonweal.index.treat import TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from commonweal.index.assumptions import Assumption, Where
    from commonweal.index.distributions import WeightDistribution
    from commonweal.index.framework import Node
    from commonweal.index.methods import MethodSpec


__all__ = [
    "AssumptionTarget",
    "alternatives_of",
    "checked",
    "find_targets",
    "first_fault",
]


@dataclass(frozen=True, slots=True)
class AssumptionTarget:
    """An assumption and the paths that it acts on."""

    assumption: Assumption
    # nodes (weights, forms, settings of a node), children as they enter their parents (ways of normalising), or leaves
    # (treatments, errors); none of a cut-off
    paths: tuple[str, ...] = ()
    # of weights, the law by path
    laws: Mapping[str, WeightDistribution] = field(default_factory=dict)


def find_targets(
    assumptions: Sequence[Assumption],
    trees: Mapping[str, Node],
    with_errors: Collection[str] = (),
    with_counts: Collection[str] = (),
) -> tuple[AssumptionTarget, ...]:
    """Find where each assumption acts."""
    found, fault = _tried(assumptions, trees, with_errors, with_counts)
    if fault is not None:
        raise fault[1]
    return found


def first_fault(
    assumptions: Sequence[Assumption],
    trees: Mapping[str, Node],
    with_errors: Collection[str] = (),
    with_counts: Collection[str] = (),
) -> tuple[int, CommonwealError] | None:
    """Say which assumption cannot act, and why; None if all can. Parameters as in `find_targets`."""
    return _tried(assumptions, trees, with_errors, with_counts)[1]


def _tried(
    assumptions: Sequence[Assumption],
    trees: Mapping[str, Node],
    with_errors: Collection[str],
    with_counts: Collection[str],
) -> tuple[tuple[AssumptionTarget, ...], tuple[int, CommonwealError] | None]:
    nodes = {path: node for index, tree in trees.items() for path, node in tree.walk(index)}
    found: list[AssumptionTarget] = []
    k = 0
    try:
        for a in assumptions:
            k = len(found)
            if isinstance(a, Weights):
                laws = _laws(a, nodes)
                found.append(AssumptionTarget(a, tuple(laws), laws))
            elif isinstance(a, SamplingError | SmallCounts):
                errors = isinstance(a, SamplingError)
                having = with_errors if errors else with_counts
                if isinstance(a, SamplingError) and a.noise:
                    having = sorted({n.indicator for n in nodes.values() if n.indicator})
                found.append(AssumptionTarget(a, _leaves_with(a, nodes, having, errors)))
            else:
                found.append(AssumptionTarget(a, tuple(_paths(a, nodes))))
        for k, one in enumerate(found):
            if isinstance(one.assumption, Parameter):
                found[k] = _of_what_takes_it(one, nodes, found)
            if not found[k].paths and not _on_cuts(one.assumption):
                raise DataError(f"assumption '{one.assumption.called}' has nothing to act on")
        for k in range(len(found)):
            _refuse_settings(found[k], nodes, found)
        for k in range(len(found)):
            _refuse_twice(found[: k + 1])
    except CommonwealError as error:
        return (), (k, error)
    return tuple(found), None


def checked(name: str, valid: Collection[str], kind: str) -> str:
    """Give the path that a name means: the whole path, with dots or slashes, or its last part."""
    wanted = name.replace(".", "/")
    if wanted in valid:
        return wanted
    fits = [path for path in valid if path.rsplit("/", 1)[-1] == wanted]
    if len(fits) != 1:
        shown = [path.replace("/", ".") for path in fits or valid]
        if not fits:
            # A slip in the last part, which is name enough, is not near to any whole path.
            shown += get_close_matches(
                name, {path.rsplit("/", 1)[-1] for path in valid}, cutoff=0.75
            )
        raise UnknownNameError(kind, name, shown, f" ({len(fits)} of that name)" if fits else "")
    return fits[0]


def _named(where: Where) -> tuple[str, ...]:
    return (where,) if isinstance(where, str) else where


def _parents(where: Where, nodes: Mapping[str, Node]) -> Iterator[str]:
    """Yield nodes with children: those named, or all with more than one."""
    inner = [path for path, node in nodes.items() if node.children]
    if where == "all":
        yield from (p for p in inner if len(nodes[p].children) > 1)
    else:
        yield from (checked(name, inner, "index or domain with children") for name in _named(where))


def _leaves(where: Where, nodes: Mapping[str, Node]) -> Iterator[str]:
    """Yield leaves: those named by path or indicator, those below nodes named, or all."""
    for name in [*nodes] if where == "all" else _named(where):
        of_indicator = [p for p, n in nodes.items() if n.indicator == name]
        if of_indicator and name not in nodes:
            yield from of_indicator
            continue
        top = checked(name, nodes, "index, domain or indicator")
        if where != "all" or nodes[top].indicator is not None:
            yield from _below(top, nodes)


def _below(top: str, nodes: Mapping[str, Node]) -> Iterator[str]:
    for path, node in nodes.items():
        if node.indicator is not None and (path == top or path.startswith(f"{top}/")):
            yield path


def _edges(where: Where, nodes: Mapping[str, Node]) -> Iterator[str]:
    """Yield children by path: all of the nodes named, leaves named, or all leaves."""
    if where == "all":
        yield from (p for p, n in nodes.items() if n.indicator is not None and "/" in p)
        return
    for name in _named(where):
        path = checked(name, nodes, "index, domain or indicator")
        if nodes[path].indicator is not None:
            yield path
        yield from (f"{path}/{child}" for child in nodes[path].children)


def _paths(a: Assumption, nodes: Mapping[str, Node]) -> Iterator[str]:
    where = where_of(a)
    assert not isinstance(where, dict)
    if isinstance(a, CutOff) or where is None:
        return
    if isinstance(a, Aggregation) or (
        isinstance(a, Parameter) and a.part in ("aggregate", "available")
    ):
        yield from dict.fromkeys(_parents(where, nodes))
    elif isinstance(a, Normalisation) or (isinstance(a, Parameter) and a.part == "transform"):
        yield from dict.fromkeys(_edges(where, nodes))
    elif isinstance(a, Treatment) or (isinstance(a, Parameter) and a.part == "treat"):
        yield from dict.fromkeys(_leaves(where, nodes))
    elif isinstance(a, Inclusion):
        path = checked(a.leave_out, nodes, "indicator or domain")
        if "/" not in path or len(nodes[path.rsplit("/", 1)[0]].children) == 1:
            raise DataError(
                f"{path.replace('/', '.')} is the only child of its node; without it there is no score"
            )
        yield path
    elif isinstance(a, Parameter) and where != "all":  # of a cut: any node can have a condition
        yield from (checked(name, nodes, "index or domain") for name in _named(where))


def _laws(a: Weights, nodes: Mapping[str, Node]) -> dict[str, WeightDistribution]:
    laws: dict[str, WeightDistribution] = {}
    if isinstance(a.weights, dict):
        for name, law in a.weights.items():
            laws |= dict.fromkeys(_parents(name, nodes), law)
    elif a.levels is not None:
        tops = ["/".join(p.split("/")[:1]) for p in nodes] if a.weights == "all" else None
        deepest = 0
        for top in dict.fromkeys(tops or _parents(a.weights, nodes)):
            for path, node in nodes.items():
                depth = path.count("/") - top.count("/")
                inside = path == top or path.startswith(f"{top}/")
                if inside and node.children:
                    deepest = max(deepest, depth + 1)
                    laws |= {path: a.levels[depth]} if depth < len(a.levels) else {}
        if len(a.levels) > deepest:  # they would do nothing, and not say so
            raise DataError(
                f"assumption '{a.called}': found laws for {len(a.levels)} levels; expected at most "
                f"{deepest}: so many have children there"
            )
    else:
        laws = dict.fromkeys(_parents(a.weights, nodes), a)
    every = a.weights == "all" or a.levels is not None
    for path in list(laws):
        why = needs_equal_weights(nodes[path].aggregate)
        if every and (why or len(nodes[path].children) == 1):
            del laws[path]
        elif why:
            raise DataError(
                f"{path.replace('/', '.')}: {why}; expected a node whose children have weights"
            )
        elif (given := laws[path].given) and len(given[0]) != len(nodes[path].children):
            raise DataError(
                f"weights of {path.replace('/', '.')}: found {len(given[0])} a set; "
                f"expected {len(nodes[path].children)}, one a child"
            )
    return laws


def _leaves_with(
    a: SamplingError | SmallCounts,
    nodes: Mapping[str, Node],
    having: Collection[str],
    errors: bool,
) -> tuple[str, ...]:
    where = a.standard_errors if isinstance(a, SamplingError) else a.counts
    what = "a standard error" if errors else "its counts"
    if where == "all" and not having:
        raise DataError(f"assumption '{a.called}': no indicator states {what}")
    leaves = []
    for path in dict.fromkeys(_leaves(where, nodes)):
        if nodes[path].indicator in having:
            leaves.append(path)
        elif where != "all":
            raise DataError(
                f"indicator '{nodes[path].indicator}' does not state {what}; "
                + nearest(nodes[path].indicator or "", having)
            )
    return tuple(leaves)


def _on_cuts(a: Assumption) -> bool:
    return isinstance(a, CutOff) or (isinstance(a, Parameter) and a.part == "cut")


def alternatives_of(
    part: str, path: str, node: Node, found: Sequence[AssumptionTarget]
) -> tuple[MethodSpec, ...]:
    """Give the ways that a node may go: those of the assumption that varies it, or the stated one."""
    for one in found:
        a = one.assumption
        if isinstance(a, Alternatives) and a.part == part and path in one.paths:
            return a.of
    if part == "treat":
        return ("none",)
    if part == "aggregate":
        return (node.aggregate,)
    own = node.children[path.rsplit("/", 1)[1]].enters_as
    return (node.transform if own is None else own,)


def _of_what_takes_it(
    one: AssumptionTarget, nodes: Mapping[str, Node], found: Sequence[AssumptionTarget]
) -> AssumptionTarget:
    """Keep the paths of which some way takes the setting; none is an error."""
    a = one.assumption
    assert isinstance(a, Parameter)
    known = {"aggregate": AGGREGATORS, "transform": NORMALISERS, "treat": TREATMENTS}
    if a.part not in known:
        return one
    kept, others = [], []
    for path in one.paths:
        node = nodes[path.rsplit("/", 1)[0]] if a.part == "transform" else nodes[path]
        ways = alternatives_of(a.part, path, node, found)
        if any(takes(way, a.key, known[a.part]) for way in ways):
            kept.append(path)
        else:
            others += [name_of(way) for way in ways]
    if not kept or (others and a.node != "all" and a.part == "aggregate"):
        methods = ", ".join(dict.fromkeys(others)) or "nothing"
        raise DataError(
            f"assumption '{a.called}': {methods} has no setting '{a.key}'; expected one that it takes"
        )
    return AssumptionTarget(a, tuple(kept))


def _refuse_settings(
    one: AssumptionTarget, nodes: Mapping[str, Node], found: Sequence[AssumptionTarget]
) -> None:
    """Refuse ways, and ends of a law, that a method does not take where it is to act."""
    a = one.assumption
    if not isinstance(a, Aggregation | Parameter) or a.part not in (
        "aggregate",
        "transform",
        "treat",
    ):
        return
    seen: list[tuple[MethodSpec, int]] = []
    for path in one.paths:
        node = nodes[path.rsplit("/", 1)[0]] if a.part == "transform" else nodes[path]
        ways = alternatives_of(a.part, path, node, found)
        if isinstance(a, Parameter):
            ways = tuple(_at_the_ends(a, ways))
        for how in ways:
            if callable(how) or (how, len(node.children)) in seen:
                continue
            seen.append((how, len(node.children)))
            try:
                _try_out(a.part, how, len(node.children))
            except MethodError as error:
                where = path.replace("/", ".")
                raise DataError(f"assumption '{a.called}': {where}: {error}") from None


def _at_the_ends(a: Parameter, ways: Sequence[MethodSpec]) -> Iterator[MethodSpec]:
    known = {"aggregate": AGGREGATORS, "transform": NORMALISERS, "treat": TREATMENTS}[a.part]
    # A form is worked out at what is drawn; the rest beforehand, at the middles of steps.
    values = a.ends() if a.part == "aggregate" or a.n_choices else a.grid(a.steps)[[0, -1]].tolist()
    for way in ways:
        if not callable(way) and takes(way, a.key, known):
            for value in values:
                yield with_setting(way, a.key, int(value) if value == int(value) else value)


def _try_out(part: str, how: MethodSpec, n_children: int) -> None:
    """Raise what a method is refused for, by having it work on next to nothing."""
    if part == "aggregate":
        checked = checked_aggregate(how)
        if settings_of(checked):
            refuse_at_once(function_of(checked, AGGREGATORS), np.empty((0, n_children)))
    elif part == "transform":
        checked_transform(how)
    else:
        refuse_at_once(function_of(checked_method(how, TREATMENTS, "treatment"), TREATMENTS), _EVEN)


_EVEN = np.arange(8.0)
"""Values that no treatment finds anything to do about."""


def _refuse_twice(found: Sequence[AssumptionTarget]) -> None:
    names: set[str] = set()
    seen: dict[tuple[str, str], str] = {}
    for one in found:
        a = one.assumption
        if a.called in names:
            raise DataError(
                f"assumption '{a.called}' is there more than once; expected one name each"
            )
        names.add(a.called)
        kind = a.setting if isinstance(a, Parameter) else type(a).__name__
        if isinstance(a, SamplingError | SmallCounts):
            kind = "sampling error"
        elif isinstance(a, CutOff) or _on_cuts(a):
            kind = "cut"
        for path in one.paths or ("every cut-off",):
            if (kind, path) in seen:
                raise DataError(
                    f"assumption '{a.called}': {path.replace('/', '.')} varies in "
                    f"'{seen[kind, path]}' already"
                )
            seen[kind, path] = a.called
