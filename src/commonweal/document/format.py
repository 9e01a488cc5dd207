"""Numbers, names and lists as plain text: counts, ranks, shares, amounts with units, columns for a terminal."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.indicators import Counts


SURE, UNSURE = 0.95, 0.2
"""Selected in so many draws, an area is almost certain; in more than the other, open."""


LIKELY = 0.8
"""From this share of recalculations on, and below `SURE`, being on the list is likely."""

STABILITY_WORDS = {"secure": SURE, "likely": LIKELY, "borderline": UNSURE, "unlikely": 0.0}
"""The scale of words, and the least share of recalculations of each."""


def renewed(alone: bool) -> str:
    """Say what the words mean where deprivation may be measured anew, alone or with weights of another index."""
    weights = "" if alone else ", while the weights of the other index vary"
    assumed = "" if alone else " How the weights vary is our assumption."
    return (
        f"This is how certain an area is to be on the list when deprivation is next measured{weights}. "
        f"How ranks move from one measurement to the next was observed from 2019 to 2025, and tested.{assumed}"
    )


NOT_A_CHANCE = (
    "This share is not a probability that a place is in need: it says how often it stays on the list when our "
    "assumptions change."
)


def stability(share: float) -> str:
    """Give the word for a share of recalculations in which an area is on the list.

    >>> stability(0.97), stability(0.8), stability(0.5), stability(0.1)
    ('secure', 'likely', 'borderline', 'unlikely')
    """
    return next(word for word, least in STABILITY_WORDS.items() if share >= least)


def count_words(shares: Iterable[float]) -> dict[str, int]:
    """Count the words of the scale, each of them, from the most certain.

    Examples
    --------
    >>> count_words([0.97, 0.5, 0.99])
    {'secure': 2, 'likely': 0, 'borderline': 1, 'unlikely': 0}
    """
    found = Counter(map(stability, shares))
    return {word: found[word] for word in STABILITY_WORDS}


def stable(n: int, firm: int, kinds: str = "", word: str = "") -> str:
    r"""Say how many of those on a list stay on it in nearly all recalculations, and the word of the scale for it.

    >>> print(stable(224, 95), stable(3, 1, "wards", " (secure)"), stable(1, 1), stable(2, 0), sep="\n")
    95 of the 224 stay on the list in at least 95% of recalculations.
    1 of the 3 wards stays on the list in at least 95% of recalculations (secure).
    It stays on the list in at least 95% of recalculations.
    None of the 2 stays on the list in at least 95% of recalculations.
    """
    often = f"in at least {SURE:.0%} of recalculations{word}"
    if n == 0:
        return f"There are no {kinds} on the list that could stay on it."
    if n == 1:
        return f"It stays on the list {often}." if firm else f"It is on the list, but not {often}."
    who = f"{firm:,} of the {n:,}" if firm else f"None of the {n:,}"
    many = f" {kinds}" if kinds else ""
    return f"{who}{many} {'stay' if firm > 1 else 'stays'} on the list {often}."


def list_name(label: str, kinds: str) -> str:
    """Name the list of the areas that a rule selects, by what the study calls them."""
    if label == "selected":
        return "the list"
    if label.startswith("in "):
        return f"the list of {kinds} {label}"
    return f"the list of “{label.removeprefix('a ').removeprefix('an ')}” {kinds}"


def format_people(n: float) -> str:
    """Say how many people: in millions above one million."""
    if math.isnan(n):
        return "population not given"
    if round(n) == 1:
        return "1 person"
    return f"{n / 1e6:.2f} million people" if n >= 1e6 else f"{n:,.0f} people"


def living(n: float) -> str:
    """Say how many people live there.

    >>> living(48_211), living(1), living(float("nan"))
    ('48,211 people live there', '1 person lives there', 'population not given')
    """
    told = format_people(n)
    if math.isnan(n):
        return told
    return f"{told} {'lives' if round(n) == 1 else 'live'} there"


def percent(share: float) -> str:
    """Say a share in whole percent, without rounding to certainty."""
    if 0 < share < 0.01:
        return "under 1%"
    if 0.99 < share < 1:
        return "over 99%"
    return f"{share:.0%}"


def share_head(head: str) -> str:
    """Give the head of a column of shares that are not shown as percentages, as in a CSV file.

    >>> share_head("On the list in (% of recalculations)")
    'On the list in (share of recalculations)'
    """
    return head.replace("(% of", "(share of").replace("(% o'r", "(cyfran o'r")


def format_count(n: int, one: str, many: str) -> str:
    """Say how many of something.

    >>> format_count(1, "index", "indices"), format_count(1_262, "place", "places"), format_count(0, "draw", "draws")
    ('1 index', '1,262 places', '0 draws')
    """
    return f"{n:,} {one if n == 1 else many}"


_LIKE_YOU = re.compile(r"(uni|eu|us[aeu]|one\b)", re.IGNORECASE)


def with_article(noun: str) -> str:
    """Set *a* or *an* before a noun.

    >>> with_article("area"), with_article("ward"), with_article("urban area"), with_article("unitary authority")
    ('an area', 'a ward', 'an urban area', 'a unitary authority')
    """
    vowel = noun[:1].casefold() in "aeiou" and not _LIKE_YOU.match(noun)
    return f"{'an' if noun and vowel else 'a'} {noun}"


def ordinal(n: float) -> str:
    """Say a rank."""
    n = int(n)
    ending = "th" if 11 <= n % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"


def difference(largest: float) -> str:
    """Say how far two scores lie apart at most, without rounding what there is to nothing.

    >>> difference(0.0016), difference(5e-9), difference(0), difference(12.5)
    ('0.0016', '5e-09', '0', '12.5000')
    """
    if largest == 0:
        return "0"
    return f"{largest:.4f}" if largest >= 0.00005 else f"{largest:.0e}"


def coded_name(code: str, name: str | None, form: str = "{code} {name}") -> str:
    """Name an area with its code, by a form; by its code alone where it has no other name.

    >>> coded_name("A1", "Oak"), coded_name("11", "11"), coded_name("A1", "Oak", "{name} ({code})")
    ('A1 Oak', '11', 'Oak (A1)')
    """
    return form.format(code=code, name=name) if name and name != code else code


def sentence(words: str) -> str:
    """Begin with a capital.

    >>> sentence("population not given")
    'Population not given'
    """
    return words[:1].upper() + words[1:]


def in_running_text(label: str) -> str:
    """Set a name into a sentence: with 'the' if it is an index, else small unless it is a proper name.

    >>> in_running_text("Community needs"), in_running_text("Index of Multiple Deprivation 2019")
    ('community needs', 'the Index of Multiple Deprivation 2019')
    """
    if "Index" in label:
        return f"the {label}"
    words = label.split()
    proper = any(w[:1].isupper() for w in words[1:]) or words[0].isupper() if words else True
    return label if proper else label[:1].lower() + label[1:]


def join_words(words: Iterable[str]) -> str:
    """Join words to a list.

    >>> join_words(["a", "b", "c"]), join_words(["a"])
    ('a, b and c', 'a')
    """
    told = list(words)
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean_text(words: str) -> str:
    """Leave out what XML cannot hold, and keep to one line."""
    return " ".join(_CONTROL.sub("", words).split())


def shorten(words: str, n: int) -> str:
    """Take the middle out of words that are too long, since names differ at both ends."""
    words = clean_text(words)
    half = (n - 1) // 2
    return words if len(words) <= n else f"{words[: n - 1 - half]}…{words[-half:] if half else ''}"


FEWEST_PEOPLE = 100
"""Places with fewer residents show no values of their own, and not how many they are, unless nobody lives there."""

FEWEST_EVENTS = 5
"""A rate made from fewer events, but some, is not shown; nor one made from fewer people."""

_DISTANCES = ("m", "km", "metres", "kilometres", "minutes", "min")


def format_amount(value: float, unit: str) -> str:
    """Say a value with its unit, to three digits that count; '' without a value."""
    if math.isnan(value):
        return ""
    if unit.startswith("share of ") and abs(value) <= 1:
        return format_amount(value * 100, "% of " + unit.removeprefix("share of "))
    words = unit.split(", ")[0]  # what follows says how it is counted: "pubs, the far ones less"
    if words[:1].isdigit() or words == "score":
        words = ""
    return f"{_number(value)}{'' if words.startswith('%') else ' '}{words}".strip()


def _number(value: float) -> str:
    size = abs(value)
    if size == 0 or value == int(value):
        return f"{value:,.0f}"
    if size >= 1000:  # no instrument here measures to the metre
        return f"{round(value, -1):,.0f}"
    if size >= 100:
        return f"{value:,.0f}"
    if size < 0.1:
        return f"{value:.{1 - math.floor(math.log10(size))}f}"
    return f"{value:.1f}" if size >= 10 or _rounds_well(size) else f"{value:.2f}"


def _rounds_well(size: float) -> bool:
    """Whether one decimal is off by no more than one part in a hundred."""
    return abs(round(size, 1) - size) <= 0.01 * size


def is_distance(unit: str) -> bool:
    """Say whether a unit is one of distance or of time on the way."""
    return unit.split(",")[0].strip().casefold() in _DISTANCES


def few_people(people: Any) -> Any:
    """Whether residents are too few to say how many they are: a number, or (n_areas,); nobody is said.

    >>> few_people(0.0), few_people(12.0), few_people(1500.0)
    (False, True, False)
    """
    return (people > 0) & (people < FEWEST_PEOPLE)


def is_suppressed(people: NDArray[np.float64], counts: Counts | None) -> NDArray[np.bool_]:
    """(n_areas,) whether a value is withheld."""
    few: NDArray[np.bool_] = people < FEWEST_PEOPLE
    if counts is not None and len(counts.events) == len(people):
        few = few | ((counts.events > 0) & (counts.events < FEWEST_EVENTS))
        few = few | (counts.base < FEWEST_EVENTS)
    return few


WIDEST = 100
GAP = "  "


def coefficient(value: float | None) -> str:
    """Give a correlation for a cell: empty where there is none, as among areas that are all alike."""
    return "" if value is None or math.isnan(value) else f"{value:.2f}"


def align_columns(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    indent: str = "  ",
    most: int = WIDEST,
) -> Iterator[str]:
    r"""Align a table: columns of numbers to the right, of words to the left, those cut where a line is over `most`."""
    right = [head.startswith(">") for head in heads]
    cells = [[head.lstrip(">") for head in heads], *map(list, rows)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = [k for k, number in enumerate(right) if not number]
    while words and sum(wide) + len(GAP) * (len(wide) - 1) + len(indent) > most:
        widest = max(words, key=lambda k: wide[k])
        if wide[widest] <= 12:
            break
        wide[widest] -= 1
    for line in cells:
        told = (
            _cut(cell, w).rjust(w) if number else _cut(cell, w).ljust(w)
            for cell, w, number in zip(line, wide, right, strict=True)
        )
        yield f"{indent}{GAP.join(told)}".rstrip()


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 3].rstrip()}..."
