"""Kinds of places, their groups and the registers that list them: what counts as each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.access.registers import load_registers
from commonweal.access.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.access.taxonomy import Rule

__all__ = ["places_lines"]


def places_lines(named: str = "") -> Iterator[str]:
    """List groups and kinds with the map's tags that make them, and registers with the kinds they hold.

    Parameters
    ----------
    named
        A group or a kind; all if not given.

    Raises
    ------
    UnknownNameError
        If there is no such group or kind.
    """
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
                yield f"    on a map: {' or '.join(_rule(rule) for rule in kind.osm)}{size}"
            for id_ in (i for i, held in holds.items() if key in held):
                yield f"    in a register: {id_}"
        yield ""
    yield "Registers"
    for id_, register in registers.items():
        if held := [key for key in taxonomy.kinds if key in holds[id_] and key in wanted]:
            yield f"  {id_}: {register.title}. Covers {register.covers}. Holds {', '.join(held)}."
            yield from (f"    left out: {drop.reason}. {drop.why}" for drop in register.drop)
    yield ""
    yield "In a study, kinds and groups stand under reach: {to: [...]}; places of your own under access: points."


def _rule(rule: Rule) -> str:
    def tags(given: dict[str, tuple[str, ...]]) -> str:
        return " and ".join(f"{key}={'|'.join(values)}" for key, values in given.items())

    return tags(rule.tags) + (f" unless {tags(rule.unless)}" if rule.unless else "")
