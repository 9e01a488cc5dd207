"""Numbers and names in plain words, the same on the terminal, in the report and in the workbook."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from commonweal.areas import load_systems

if TYPE_CHECKING:
    from commonweal.areas import Areas
    from commonweal.recipe import Study
    from commonweal.results import Results

__all__ = [
    "SURE",
    "UNSURE",
    "authority",
    "authority_of",
    "coded_name",
    "counted",
    "counted_areas",
    "difference",
    "focus_name",
    "focus_note",
    "index_label",
    "larger_name",
    "listed_areas",
    "living",
    "ordinal",
    "parent_words",
    "parents_in_order",
    "people",
    "percent",
    "places",
    "points",
    "rule_in_words",
    "shared_name",
    "tied",
    "whole_name",
]

SURE, UNSURE = 0.95, 0.2
"""Selected in so many draws, an area is almost certain; in more than the other, open."""

AUTHORITIES = ("lad24", "lad22", "lad19", "lad17")


def people(n: float) -> str:
    """Say how many people: in millions above one million.

    Examples
    --------
    >>> people(2_376_540), people(48_211), people(1), people(float("nan"))
    ('2.38 million people', '48,211 people', '1 person', 'population not given')
    """
    if math.isnan(n):
        return "population not given"
    if round(n) == 1:
        return "1 person"
    return f"{n / 1e6:.2f} million people" if n >= 1e6 else f"{n:,.0f} people"


def living(n: float) -> str:
    """Say how many people live there.

    Examples
    --------
    >>> living(48_211), living(1), living(float("nan"))
    ('48,211 people live there', '1 person lives there', 'population not given')
    """
    told = people(n)
    if math.isnan(n):
        return told
    return f"{told} {'lives' if round(n) == 1 else 'live'} there"


def percent(share: float) -> str:
    """Say a share in whole percent, without rounding to certainty.

    Examples
    --------
    >>> percent(0.934), percent(0.9996), percent(1.0), percent(0.0004)
    ('93 %', 'over 99 %', '100 %', 'under 1 %')
    """
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def counted(n: int, one: str, many: str) -> str:
    """Say how many of something.

    Examples
    --------
    >>> counted(1, "index", "indices"), counted(1_262, "place", "places"), counted(0, "draw", "draws")
    ('1 index', '1,262 places', '0 draws')
    """
    return f"{n:,} {one if n == 1 else many}"


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


def ordinal(n: float) -> str:
    """Say a rank.

    Examples
    --------
    >>> ordinal(1), ordinal(112), ordinal(3203)
    ('1st', '112th', '3,203rd')
    """
    n = int(n)
    ending = "th" if 11 <= n % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"


def places(margin: float, level: float = 1) -> str:
    """Say a margin to a cut-off, and a tie that is wider than the margin.

    Parameters
    ----------
    margin
        Places: positive inside, negative outside.
    level
        How many areas share its score, itself among them.

    Examples
    --------
    >>> places(12), places(-1), places(-1, 295)
    ('inside by 12 places', 'outside by 1 place', 'outside by 1 place, tied with 294 others')
    """
    side = "inside" if margin > 0 else "outside"
    return f"{side} by {counted(abs(int(margin)), 'place', 'places')}{tied(margin, level)}"


def tied(margin: float, level: float) -> str:
    """Say with how many others an area ties, where the tie is wider than its margin; '' elsewhere."""
    others = int(level) - 1
    if others < 1 or others < abs(margin):
        return ""
    return f", tied with {counted(others, 'other', 'others')}"


def points(margin: float) -> str:
    """Say a margin in score. Areas that tie across a cut-off are all inside, and on a level with it.

    Examples
    --------
    >>> points(1.5), points(-0.85), points(-0.0004), points(0.0)
    ('+1.50 points', '-0.85 points', 'under 0.01 points', 'level with the cut-off')
    """
    if margin == 0:
        return "level with the cut-off"
    return f"{margin:+.2f} points" if abs(margin) >= 0.005 else "under 0.01 points"


def difference(largest: float) -> str:
    """Say how far two scores lie apart at most, without rounding what there is to nothing.

    Examples
    --------
    >>> difference(0.0016), difference(5e-9), difference(0), difference(12.5)
    ('0.0016', '5e-09', '0', '12.5000')
    """
    if largest == 0:
        return "0"
    return f"{largest:.4f}" if largest >= 0.00005 else f"{largest:.0e}"


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


def coded_name(code: str, name: str | None, form: str = "{code} {name}") -> str:
    """Name an area with its code, by a form; by its code alone where it has no other name.

    Examples
    --------
    >>> coded_name("A1", "Oak"), coded_name("11", "11"), coded_name("A1", "Oak", "{name} ({code})")
    ('A1 Oak', '11', 'Oak (A1)')
    """
    return form.format(code=code, name=name) if name and name != code else code


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
