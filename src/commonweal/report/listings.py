"""What ships, listed for a terminal: areas, kinds of places, registers, the tree of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.access.places import load_taxonomy
from commonweal.access.registers import load_registers
from commonweal.areas.areas import area_names
from commonweal.areas.catalogue import load_systems
from commonweal.errors import CommonwealError, UnknownNameError, UnreachableError
from commonweal.index.aggregate import needs_equal_weights
from commonweal.study.names import folded, folded_names, is_postcode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from commonweal.access.places import TagRule
    from commonweal.index import Node
    from commonweal.sources import Store
    from commonweal.spec import Study


MOST = 20


@dataclass(frozen=True, slots=True)
class FoundAreas:
    """What a name fits."""

    # areas whose code or whole name it is: ``system``, ``code``, ``name``, ``inside`` (the authority, if known)
    whole: pl.DataFrame
    part: pl.DataFrame  # others of whose names it is a part, the same columns
    away: tuple[str, ...]  # systems whose names cannot be had here


def find_areas(store: Store, asked: str, system: str | None = None, inside: str = "") -> FoundAreas:
    """Find areas by code or name, whatever their case, accents and punctuation; all of a larger area `inside`."""
    if is_postcode(asked):
        raise CommonwealError(
            f"'{asked}' is a postcode; areas are found by name or code. For the area of a postcode, "
            f'type: commonweal show "{asked}"'
        )
    known = load_systems()
    names = [system] if system else known.in_order()
    larger: list[str] = []
    wanted, away, fault = folded(asked), [], None
    found: list[pl.DataFrame] = []
    seen: list[str] = []
    for name in names:
        if inside and seen and known.system(name).superseded:
            break  # found as it is today
        level = known.system(name).level
        try:
            table = area_names(store, name)
        except UnreachableError as error:
            away.append(name)
            fault = fault or error
            continue
        if inside:
            parents = sorted(known.parents(name), key=lambda p: not known.system(p).level)
            larger += [n for p in parents for n in table[f"{p}_name"].drop_nulls().unique()]
            table = _inside(table, parents, inside)
        around = [] if level == "authority" else known.parents(name)
        above = next((f"{p}_name" for p in around if known.system(p).level == "authority"), None)
        columns = [c for c in ("name", "local_name", "official_name") if c in table.columns]
        authority = pl.col(above) if above else pl.lit(None, pl.String)
        texts = [folded_names(table[column]).alias(column) for column in ("code", *columns)]
        fits = pl.DataFrame(texts).select(
            whole=pl.any_horizontal(pl.all() == wanted),
            part=pl.any_horizontal(pl.col(columns).str.contains(wanted, literal=True)),
        )
        listed = table.select(
            pl.lit(name).alias("system"),
            "code",
            pl.col("name").fill_null(""),
            inside=authority.fill_null(""),
        )
        listed = listed.with_columns(fits["whole"])
        found.append(listed.filter(fits["whole"] | fits["part"]).sort("code"))
        seen += table["name"].drop_nulls().to_list()
    if fault is not None and len(away) == len(names):
        raise fault
    if inside and not seen:
        raise UnknownNameError("larger area", inside, larger)
    if not (wanted or inside) or not sum(map(len, found)):
        raise UnknownNameError("area", asked, seen, f" in {inside}" if inside else "")
    frame = pl.concat(found)
    whole_ones, part = (
        frame.filter(pl.col("whole") == is_whole).drop("whole") for is_whole in (True, False)
    )
    return FoundAreas(whole_ones, part, tuple(away))


def _inside(table: pl.DataFrame, above: Sequence[str], asked: str) -> pl.DataFrame:
    """Give the rows of one larger area, by its code or name: an authority or region before a ward of its name."""
    wanted = folded(asked)
    for column in (c for parent in above for c in (parent, f"{parent}_name")):
        lies = folded_names(table[column]) == wanted
        if lies.any():
            return table.filter(lies)
    return table.clear()


def inside_lines(found: FoundAreas, inside: str) -> Iterator[str]:
    """Give all that was found in a larger area as lines of text, by area system."""
    systems = load_systems()
    for (system,), rows in pl.concat([found.whole, found.part]).group_by(
        "system", maintain_order=True
    ):
        yield f"{systems.system(str(system)).title} in {inside}: {len(rows):,}"
        yield from (f"  {code}  {name}" for code, name in rows.select("code", "name").iter_rows())


def found_lines(found: FoundAreas, asked: str) -> Iterator[str]:
    """Give what was found as lines of text: every whole name, else parts of names, and how many more there are."""
    systems = load_systems()
    shown = found.whole if len(found.whole) else found.part
    for system, code, name, inside in shown.head(MOST).iter_rows():
        title = systems.system(system).title
        below = [s for s in systems.systems if system in systems.parents(s)]
        use = (
            f"where: {{{system}: {code}}} in a study on {', '.join(below)}: only its areas; or\n"
            f"    focus: {{{system}: {code}}} to list them with ranks and cut-offs among all"
            if below
            else f"commonweal show {code}"
        )
        yield f"{code}  {name}{f', {inside}' if inside else ''}  ({title})"
        yield f"    {use}"
    rest = shown[MOST:] if len(found.whole) == 0 else pl.concat([shown[MOST:], found.part])
    if len(rest):
        counts = rest.group_by("system", maintain_order=True).len()
        told = ", ".join(f"{n:,} of {system}" for system, n in counts.iter_rows())
        yield f"More match {asked!r}: {told}. List one system with --system, or all in an authority with --in."
    if found.away:
        yield f"Not searched, because their files are not available: {', '.join(found.away)}"


def places_lines(named: str = "") -> Iterator[str]:
    """List groups and kinds with the map's tags that make them, and registers with the kinds they hold."""
    taxonomy, registers = load_taxonomy(), load_registers()
    wanted = taxonomy.kinds_of([named]) if named else list(taxonomy.kinds)
    holds = {id_: {test.kind for test in register.kinds} for id_, register in registers.items()}
    for name, group in taxonomy.groups.items():
        kinds = {key: kind for key, kind in group.kinds.items() if key in wanted}
        if not kinds:
            continue
        yield f"{name}: {group.label}. {group.why}"
        for key, kind in kinds.items():
            yield f"  {key}: {kind.label}. {kind.why}"
            if kind.osm:
                size = f"; of {kind.least_m2:,.0f} m2 or more" if kind.least_m2 else ""
                yield f"    on OpenStreetMap: {' or '.join(_rule(rule) for rule in kind.osm)}{size}"
            for id_ in (i for i, held in holds.items() if key in held):
                yield f"    in a register: {id_}"
        yield ""
    yield "Registers"
    for id_, register in registers.items():
        if held := [key for key in taxonomy.kinds if key in holds[id_] and key in wanted]:
            yield f"  {id_}: {register.title}. Covers {register.covers}. Holds {', '.join(held)}."
            yield from (f"    left out: {drop.reason}. {drop.why}" for drop in register.drop)
    yield ""
    yield "In a study, write types and groups under reach: {to: [...]}, and your own venues under access: points."


def _rule(rule: TagRule) -> str:
    def tags(given: dict[str, tuple[str, ...]]) -> str:
        return " and ".join(f"{key}={'|'.join(values)}" for key, values in given.items())

    return tags(rule.tags) + (f" unless {tags(rule.unless)}" if rule.unless else "")


def study_lines(study: Study, name: str, written: Mapping[str, Any]) -> Iterator[str]:
    """Give a study as lines of text."""
    import yaml

    yield f"{study.name}: {study.title}"
    on = study.areas if isinstance(study.areas, str) else study.areas.system
    inside = [f", where {key} is {code}" for key, code in study.where.items()]
    inside += [f", listing only {key} {code}" for key, code in study.focus.items()]
    yield f"On {on}{''.join(inside)}"
    if study.show:
        yield f"Also shown: {', '.join(study.show)}"
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
    yield "To change it, write a file with only what differs, such as:"
    yield ""
    text = yaml.safe_dump(
        extension(study, name, written), sort_keys=False, default_flow_style=None, width=100
    )
    yield from (f"  {line}" for line in text.splitlines())
    yield ""
    yield "Use the keys and names above; null removes a domain or a rule."
    yield "To find the code of an area: commonweal areas find NAME"


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
    if isinstance(study.areas, str):
        known = load_systems()
        larger = {p: known.system(p).example for p in known.parents(study.areas)}
        if place := next((one for one in larger.items() if one[1]), None):
            data["where"] = dict([place])
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
        share = f"{child.weight / total:.1%}"
        label = study.indicators[child.indicator].label if child.indicator else child.label
        leaf = f" [{child.indicator}]" if child.indicator and child.indicator != key else ""
        yield f"{'  ' * depth}{key:<{36 - 2 * depth}} {share:>7}  {label or ''}{leaf}".rstrip()
        yield from _tree_lines(study, child, depth + 1)


def _label(key: str, label: str) -> str:
    return f": {label}" if label and label != key else ""
