"""A study in short: the tree of each index with its weights, the rules, and what a file that extends it may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.areas import load_systems
from commonweal.index.aggregate import needs_equal_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from commonweal.index import Node
    from commonweal.spec import Study

__all__ = ["extension", "study_data", "study_lines"]

_PLACE = ("lad24", "E06000001")
"""The larger area of the example that asks for one place."""


def study_lines(study: Study, name: str, written: Mapping[str, Any]) -> Iterator[str]:
    """Give a study as lines of text.

    Parameters
    ----------
    study
        The study.
    name
        What a file that extends it calls it.
    written
        Its keys as they are written: `commonweal.spec.read_recipe`.
    """
    import yaml

    yield f"{study.name}: {study.title}"
    on = study.areas if isinstance(study.areas, str) else study.areas.system
    inside = [f", where {key} is {code}" for key, code in study.where.items()]
    inside += [f", listed where {key} is {code}" for key, code in study.focus.items()]
    yield f"On {on}{''.join(inside)}"
    if study.show:
        yield f"Shown beside the indices: {', '.join(study.show)}"
    for index, tree in study.index.items():
        yield ""
        yield f"Index {index}{_label(index, tree.label)}"
        yield from _tree_lines(study, tree, 1)
    for key, rule in study.designate.items():
        yield ""
        yield f"Rule {key}: {rule}"
        conditions = list(rule.conditions())
        if len(conditions) > 1:
            yield from (f"  {n}. {condition}" for n, condition in enumerate(conditions, 1))
        if rule.excluding:
            yield f"  {len(rule.excluding):,} areas are excluded by their codes"
    yield ""
    yield "A file that extends it says only what differs, such as:"
    yield ""
    text = yaml.safe_dump(
        extension(study, name, written), sort_keys=False, default_flow_style=None, width=100
    )
    yield from (f"  {line}" for line in text.splitlines())
    yield ""
    yield "Keys and names are those above; null takes out a domain or a rule."
    yield "The code of a place: commonweal areas find NAME"


def extension(study: Study, name: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """Give the keys of a file that extends a study by a weight of each index, each rule and one place."""
    data: dict[str, Any] = {"extends": name}
    indices = {}
    for index, tree in study.index.items():
        if len(tree.children) < 2 or needs_equal_weights(tree.aggregate):
            continue
        first = next(iter(tree.children))
        weight = 2 * tree.children[first].weight
        preset = written.get("index", {}).get(index, {}).get("preset")
        indices[index] = (
            {"weights": {first: weight}} if preset else {"children": {first: {"weight": weight}}}
        )
    if indices:
        data["index"] = indices
    if study.designate:
        data["designate"] = {
            key: {k: v for k, v in rule.written().items() if k != "excluding"}
            for key, rule in study.designate.items()
        }
    if isinstance(study.areas, str) and _PLACE[0] in load_systems().parents(study.areas):
        data["where"] = dict([_PLACE])
    return data


def study_data(study: Study) -> dict[str, Any]:
    """Give the same as plain data for ``--json``."""

    def node(one: Node) -> dict[str, Any]:
        if one.indicator is not None:
            return {"indicator": one.indicator, "weight": one.weight}
        children = {key: node(child) for key, child in one.children.items()}
        return {"label": one.label, "weight": one.weight, "children": children}

    return {
        "name": study.name,
        "title": study.title,
        "index": {key: node(tree) for key, tree in study.index.items()},
        "designate": {key: rule.written() for key, rule in study.designate.items()},
    }


def _tree_lines(study: Study, node: Node, depth: int) -> Iterator[str]:
    total = sum(node.weights.values())
    for key, child in node.children.items():
        share = f"{child.weight / total:.1%}".replace("%", " %")
        label = study.indicators[child.indicator].label if child.indicator else child.label
        leaf = f" [{child.indicator}]" if child.indicator and child.indicator != key else ""
        yield f"{'  ' * depth}{key:<{36 - 2 * depth}} {share:>7}  {label or ''}{leaf}".rstrip()
        yield from _tree_lines(study, child, depth + 1)


def _label(key: str, label: str) -> str:
    return f": {label}" if label and label != key else ""
