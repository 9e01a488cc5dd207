"""Which places a pack is about: those asked for by code, name, larger area, postcode or list."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError, UnknownNameError, nearest
from commonweal.files.given import note_given
from commonweal.study.find import POSTCODE, find_area, folded
from commonweal.study.names import (
    authority_of,
    focus_name,
    larger_name,
    parent_words,
    parents_in_order,
    shared_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.spec import Study

__all__ = ["Scope", "codes_in", "file_name", "find_scope", "focus_scope", "is_postcode", "slug"]


_FEW = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """The places that a pack is about.

    Attributes
    ----------
    title
        What they are together: a place, a larger area, several, or the whole of the study.
    rows
        (n,) their rows among the areas of the study, in order, each once.
    named
        (n,) whether each was asked for itself, not as a part of a larger area.
    whole
        Whether that is every area of the study.
    """

    title: str
    rows: NDArray[np.intp]
    named: NDArray[np.bool_]
    whole: bool = False

    @property
    def single(self) -> bool:
        """Whether it is one place, which an overview would say nothing more about."""
        return len(self.rows) == 1 and bool(self.named[0])


def find_scope(
    areas: Areas, asked: Sequence[str], by_postcode: Callable[[str], int] | None = None
) -> Scope:
    """Find the places asked for.

    Parameters
    ----------
    areas
        The areas of the study.
    asked
        Each the code or name of an area, ``name, authority``, the code or name of a larger area
        that the study knows (authority, region, ward, constituency...), or a postcode; none for all.
    by_postcode
        Gives the row of the area that a postcode lies in; postcodes are refused without it.

    Raises
    ------
    CommonwealError
        If one is not found, or fits several.
    """
    if not asked:
        everyone = np.arange(len(areas))
        title = shared_name(areas) or areas.title
        return Scope(title, everyone, np.zeros(len(areas), dtype=bool), True)
    named = np.zeros(len(areas), dtype=bool)
    inside = np.zeros(len(areas), dtype=bool)
    titles = []
    for text in dict.fromkeys(a.strip() for a in asked):
        rows, title, itself = _one(areas, text, by_postcode)
        inside[rows] = True
        named[rows] |= itself
        titles.append(title)
    rows = np.flatnonzero(inside)
    return Scope(_together(titles), rows, named[rows], len(rows) == len(areas))


def focus_scope(areas: Areas, study: Study) -> Scope | None:
    """Give the part that a study lists alone; None where it lists everything."""
    if not study.focus:
        return None
    rows = np.flatnonzero(study.in_focus(areas.table))
    return Scope(focus_name(study, areas), rows, np.zeros(len(rows), dtype=bool))


def _one(
    areas: Areas, text: str, by_postcode: Callable[[str], int] | None
) -> tuple[NDArray[np.intp], str, bool]:
    if text in areas.position:
        row = areas.position[text]
        return np.array([row]), _name(areas, row), True
    if is_postcode(text):
        if by_postcode is None:
            raise CommonwealError(
                f"'{text}' looks like a postcode, and no directory of them is at hand"
            )
        row = by_postcode(text)
        return np.array([row]), _name(areas, row), True
    larger = _larger(areas, text)
    if larger is not None:
        return (*larger, False)
    found = find_area(areas, text)
    if found is None:
        raise _unknown(areas, text)
    return np.array([found]), _name(areas, found), True


def is_postcode(text: str) -> bool:
    """Whether a text has the form of a postcode."""
    return POSTCODE.match(text.strip().upper()) is not None


def _larger(areas: Areas, text: str) -> tuple[NDArray[np.intp], str] | None:
    """Find a larger area by its code or whole name."""
    wanted = folded(text)
    for parent in parents_in_order(areas):
        codes, names = (areas.table[c].to_list() for c in (parent, f"{parent}_name"))
        fits: dict[str, str] = {}
        for code, name in zip(codes, names, strict=True):
            if code is not None and (code == text or (name and folded(name) == wanted)):
                fits[code] = name or code
        if len(fits) > 1:
            listed = ", ".join(sorted(fits)[:6])
            kinds = parent_words(parent)[1]
            raise CommonwealError(
                f"'{text}' is the name of {len(fits)} {kinds}: {listed}. Give a code."
            )
        if fits:
            code, name = next(iter(fits.items()))
            rows = np.flatnonzero(np.array([c == code for c in codes]))
            return rows, larger_name(areas, parent, code, name)
    return None


def _unknown(areas: Areas, text: str) -> CommonwealError:
    names = [n for known in areas.names for n in known.drop_nulls()]
    for parent in areas.parents:
        names += areas.table[f"{parent}_name"].drop_nulls().unique().to_list()
    hint, authority = nearest(text, names), authority_of(areas)
    if hint.startswith("did you mean"):
        return CommonwealError(f"no {areas.singular} or larger area '{text}'; {hint}")
    if authority is None:
        return UnknownNameError(f"{areas.singular} or larger area", text, areas.codes)
    known = sorted(areas.table[f"{authority}_name"].drop_nulls().unique())
    wanted = set(folded(text).split())
    alike = [name for name in known if wanted & set(folded(name).split())] or known
    return CommonwealError(
        f"{areas.singular} or larger area '{text}' not found; expected a name or code, such as that of a "
        f"{parent_words(authority)[0]}: {', '.join(alike[:_FEW])}"
    )


def _name(areas: Areas, row: int) -> str:
    return areas.table["name"][row] or areas.codes[row]


def _together(titles: Sequence[str]) -> str:
    """Name several places.

    Examples
    --------
    >>> _together(["a"]), _together(["a", "b", "c"]), _together(list("abcde"))
    ('a', 'a, b and c', 'a, b and 3 more')
    """
    told = list(titles) if len(titles) <= 3 else [*titles[:2], f"{len(titles) - 2:,} more"]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def codes_in(file: Path) -> list[str]:
    """Read a list of areas: one a line, or the first column of a ``.csv``; a header is left out.

    Raises
    ------
    CommonwealError
        If the file cannot be read, or holds none.
    """
    import csv

    note_given(file)
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommonwealError(f"codes: {file} cannot be read: {error}") from None
    if file.suffix.lower() == ".csv":
        lines = [row[0] for row in csv.reader(lines) if row]
    found = [line.strip() for line in lines if line.strip()]
    if found and re.search(r"\bcode\b|code$|cd$|^area$|^name$", found[0], re.IGNORECASE):
        found = found[1:]
    if not found:
        raise CommonwealError(f"codes: {file} holds none; expected one code or name a line")
    return found


def file_name(code: str) -> str:
    """Give a name for the files of an area that any system takes, and that leads nowhere else.

    Examples
    --------
    >>> file_name("E05000655"), file_name("../a b")
    ('E05000655', 'a-b-2c2c79')
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", code).strip("-")[:40]
    if (
        plain and plain == code == code.upper()
    ):  # other systems do not tell small letters from large
        return code
    return f"{plain}-{hashlib.sha256(code.encode()).hexdigest()[:6]}".lstrip("-")


def slug(text: str) -> str:
    """Make a name for a folder from a title.

    Examples
    --------
    >>> slug("Kingston upon Hull, City of"), slug("日本")
    ('kingston-upon-hull-city-of', 'pack')
    """
    return "-".join(re.findall(r"[a-z0-9]+", folded(text)))[:60].strip("-") or "pack"
