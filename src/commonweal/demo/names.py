"""What the fictional county's places are called: invented names, never twice the same.

The words are in `words.yaml`.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

COUNTY_NAME = "Quillshire"

Words = dict[str, list[str]]


def load_words() -> Words:
    """Read the words that names are put together from."""
    import yaml

    words: Words = yaml.safe_load(
        files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
    )
    return words


def settlement_names(rng: np.random.Generator, words: Words, count: int) -> list[str]:
    """Invent names of towns and villages.

    Parameters
    ----------
    rng
        Where chance comes from.
    words
        See `load_words`.
    count
        How many; all differ.

    Returns
    -------
    list of str
        `count` names.
    """
    lasts = words["settlement_last"]
    roots = [first + last for first in words["settlement_first"] for last in lasts]
    return _draw(rng, roots, words["settlement_qualifier"], count)


def hood_names(rng: np.random.Generator, words: Words, count: int) -> list[str]:
    """Invent names of the parts of a town; all `count` differ."""
    roots = [f"{first} {last}" for first in words["hood_first"] for last in words["hood_last"]]
    return _draw(rng, roots, words["hood_qualifier"], count)


def remote_names(rng: np.random.Generator, words: Words, settlements: list[str]) -> list[str]:
    """Turn settlement names into names of thinly peopled country, such as 'Ambromere Fell'."""
    terrain = words["terrain"]
    pick = rng.integers(len(terrain), size=len(settlements))
    return [f"{name} {terrain[i]}" for name, i in zip(settlements, pick, strict=True)]


def place_names(rng: np.random.Generator, kinds: list[str], areas: list[str]) -> list[str]:
    """Name places after their area; pubs and churches after what England names them for.

    Parameters
    ----------
    rng
        Where chance comes from.
    kinds
        The kind of each place.
    areas
        The name of the area of each place.

    Returns
    -------
    list of str
        One name a place; pubs may share one, as they do.
    """
    words = load_words()
    adjectives, nouns, saints = words["pub_adjective"], words["pub_noun"], words["saint"]
    n = len(kinds)
    first = rng.integers(len(adjectives), size=n)
    second = rng.integers(len(nouns), size=n)
    saint = rng.integers(len(saints), size=n)
    result = []
    for i, (kind, area) in enumerate(zip(kinds, areas, strict=True)):
        if kind == "pub":
            result.append(f"The {adjectives[first[i]]} {nouns[second[i]]}")
        elif kind == "worship":
            result.append(f"St {saints[saint[i]]}'s, {area}")
        else:
            result.append(f"{area} {kind.capitalize()}")
    return result


def _draw(
    rng: np.random.Generator, roots: list[str], qualifiers: list[str], count: int
) -> list[str]:
    # Plain names run out first, and only then do the 'Great' and 'Little' ones come.
    result: list[str] = []
    for qualifier in qualifiers:
        result += [qualifier + roots[i] for i in rng.permutation(len(roots))]
        if len(result) >= count:
            return result[:count]
    raise ValueError(f"only {len(result)} names can be invented; {count} were asked for")
