"""What the areas, the larger areas, the indices and the rules of a study are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from commonweal.areas import load_systems
from commonweal.document.words import counted

if TYPE_CHECKING:
    from commonweal.areas import Areas
    from commonweal.spec import Study
    from commonweal.study.results import Results


__all__ = [
    "authority",
    "authority_of",
    "counted_areas",
    "focus_name",
    "focus_note",
    "index_label",
    "larger_name",
    "listed_areas",
    "parent_words",
    "parents_in_order",
    "rule_in_words",
    "shared_name",
    "whole_name",
]


AUTHORITIES = ("lad24", "lad22", "lad19", "lad17")


def counted_areas(n: int, areas: Areas) -> str:
    """Say how many areas, as the study calls them."""
    return counted(n, areas.singular, areas.plural)


def parent_words(parent: str) -> tuple[str, str]:
    """Say what one and what several larger areas are called, by their key in a study's areas.

    Examples
    --------
    >>> parent_words("lad24"), parent_words("health_county"), parent_words("valley")
    (('local authority', 'local authorities'), ('health county', 'health counties'), ('valley', 'valleys'))
    """
    system = load_systems().systems.get(parent)
    if system is not None:
        return system.singular, system.plural
    word = parent.replace("_", " ")
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word, f"{word[:-1]}ies"
    return word, word if word.endswith("s") else f"{word}s"


def index_label(results: Results, path: str) -> str:
    """Give the name for readers of an index or domain, by its dotted or slashed path."""
    return results.label(path)


def rule_in_words(results: Results, name: str) -> str:
    """Say a designation's rule with the indices' own names."""
    rule = results.designations[name].rule
    labels = {c.index: index_label(results, c.index) for c in rule.conditions()}
    text = str(rule).replace("%", " %")
    return re.sub(r"(?<= on )[\w./]+", lambda m: labels.get(m[0], m[0]), text)


def parents_in_order(areas: Areas) -> list[str]:
    """Give the larger areas in the order in which a name is looked for: authority, region and country first.

    There is a ward called North East in Barnsley; who asks for the North East means the region.
    """
    first = [authority_of(areas), "region", "country"]
    return sorted(areas.parents, key=lambda p: first.index(p) if p in first else len(first))


def authority(results: Results) -> str | None:
    """Name the parent that stands for the local authority, or the first parent there is."""
    return authority_of(results.areas)


def authority_of(areas: Areas) -> str | None:
    """Name the parent of areas that stands for the local authority, or the first there is."""
    parents = areas.parents
    return next((a for a in AUTHORITIES if a in parents), parents[0] if parents else None)


def shared_name(areas: Areas) -> str:
    """Name the largest parent that all areas lie in and that has no others; '' where none is known."""
    for key in ("country", *areas.parents):
        if areas.partial is not None and key in areas.parents:
            codes = areas.table[key].unique()
            if len(codes) == 1 and codes[0] is not None and codes[0] not in areas.partial[key]:
                return str(areas.table[f"{key}_name"][0] or codes[0])
    return ""


def whole_name(areas: Areas) -> str:
    """Say what all areas of a study are together: a larger area's name only where none of its areas is missing."""
    if areas.partial is None or not any(areas.partial.values()):
        return shared_name(areas) or f"All {areas.plural}"
    return shared_name(areas) or f"All {counted_areas(len(areas), areas)} of this study"


def larger_name(areas: Areas, key: str, code: str, name: str | None) -> str:
    """Name a larger area, and say where only a part of it is in the study.

    Areas that lie in it are still those of the study alone, so no number of theirs is one of the whole of it.
    """
    part = areas.partial is not None and code in areas.partial.get(key, ())
    return f"{name or code} (part)" if part else name or code


def focus_name(study: Study, areas: Areas) -> str:
    """Name the larger area that a study lists alone; '' where it lists all of its areas."""
    names = []
    for key, code in study.focus.items():
        row = areas.table.filter(areas.table[key] == code)
        names.append(larger_name(areas, key, code, row[f"{key}_name"][0]))
    return " and ".join(names)


def listed_areas(results: Results) -> str:
    """Say how many areas are listed and counted, and where they are if not everywhere."""
    told = counted_areas(int(results.focus.sum()), results.areas)
    where = focus_name(results.study, results.areas)
    return f"{told} in {where}" if where else told


def focus_note(results: Results) -> str:
    """Say among which areas ranks and cut-offs are set, where fewer are listed; '' where all are."""
    if not results.study.focus:
        return ""
    whole, known = shared_name(results.areas), counted_areas(len(results.areas), results.areas)
    return (
        f"Ranks and cut-offs are set among all {known}{f' of {whole}' if whole else ' of the study'}; "
        f"listed and counted are the {listed_areas(results)}."
    )
