"""Find one area of a study by code, name, name and authority, or postcode."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.files.given import note_given
from commonweal.study.names import counted_areas, parent_words, parents_in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.areas import Areas

__all__ = [
    "find_area",
    "folded",
    "larger_named",
]


_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "đ": "d", "'": "", "’": ""}
)


_ASCII = {c: chr(c).lower() if chr(c).isalnum() else " " for c in range(128)} | {
    ord("&"): " and ",
    ord("'"): "",
}


POSTCODE = re.compile(r"^[A-Z]{1,2}[0-9][0-9A-Z]?\s*[0-9][A-Z]{2}$")


def find_area(areas: Areas, asked: str) -> int | None:
    """Find an area by its code or name.

    Parameters
    ----------
    areas
        The places.
    asked
        A code, a whole name (official, or as people say), ``name, authority``, or a part of a name that only
        one area has; case, spacing, accents and punctuation do not matter, and ``&`` is ``and``.

    Returns
    -------
    int or None
        Its row; None if no code or name fits.

    Raises
    ------
    CommonwealError
        If several names fit; the message lists them with their codes, and says of what larger area it is the name.
    """
    wanted = folded(asked)
    if not wanted:
        return None
    codes = [folded(c) for c in areas.codes]
    if wanted in codes:
        return codes.index(wanted)
    parents = [p for p in areas.parents if p.startswith("lad")] or list(areas.parents[:1])
    around = [_folded(areas.table[f"{p}_name"]) for p in parents]
    names = [_folded(column) for column in areas.names]
    rows = range(len(areas))

    def fits(test: Callable[[str, int], bool]) -> list[int]:
        return [i for i in rows if any(column[i] and test(column[i], i) for column in names)]

    def whole(name: str, row: int) -> bool:
        return name == wanted or any(f"{name} {above[row]}" == wanted for above in around)

    def begins(name: str, row: int) -> bool:
        # "Bransholme East, Hull" is the one in Kingston upon Hull, City of.
        return any(_named_in(wanted, name, above[row]) for above in around)

    for test in (
        whole,
        begins,
        lambda name, _: f"{name} ".startswith(f"{wanted} "),
        lambda name, _: wanted in name,
    ):
        found = fits(test)
        if len(found) == 1:
            return found[0]
        if found:
            larger = None if test in (whole, begins) else larger_named(areas, asked)
            raise CommonwealError(larger or _several(areas, asked, found, parents))
    return None


def larger_named(areas: Areas, asked: str) -> str | None:
    """Say what larger area a name or code is of, what lies in it and how it is asked for; None if it is of none."""
    wanted = folded(asked)
    for parent in parents_in_order(areas):
        pairs = (
            areas.table.select(parent, f"{parent}_name")
            .drop_nulls(parent)
            .unique()
            .sort(parent)
            .rows()
        )
        fits = [(c, n or c) for c, n in pairs if wanted in (folded(n or ""), folded(c))]
        one, many = parent_words(parent)
        if one == areas.singular:  # a neighbourhood of neighbourhoods
            one, many = "larger area", "larger areas"
        if len(fits) > 1:
            return f"'{asked}' is the name of {len(fits)} {many}: {', '.join(c for c, _ in fits[:6])}. Give a code."
        for code, name in fits:
            inside = areas.table.filter(pl.col(parent) == code).select("code", "name").rows()
            first = "; ".join(f"{c} {n or c}" for c, n in inside[:3])
            more = f" and {len(inside) - 3:,} more" if len(inside) > 3 else ""
            return (
                f"'{asked}' is a {one} ({code}) of {counted_areas(len(inside), areas)}: {first}{more}.\n"
                f'Give one of them; for all together, commonweal brief STUDY "{name}"; '
                f"in a study, where: {{{parent}: {code}}}, or focus: with ranks among all"
            )
    return None


def folded(text: str) -> str:
    """Leave what a name is told apart by: letters and digits, without case and accents."""
    # As nearly all names are, of the hundred thousand that may be looked through.
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).casefold().replace("&", " and ")
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def _folded(names: pl.Series) -> list[str]:
    """Fold names, each once; nothing where there is none."""
    known = {name: folded(name or "") for name in names.unique()}
    return [known[name] for name in names]


def _named_in(wanted: str, name: str, above: str) -> bool:
    """Whether a query is a whole name and then words of what lies around it."""
    around = above.split()
    return wanted.startswith(f"{name} ") and all(
        word in around for word in wanted.removeprefix(name).split()
    )


def _several(areas: Areas, asked: str, fits: list[int], parents: list[str]) -> str:
    def told(row: int) -> str:
        where = areas.table[f"{parents[0]}_name"][row] if parents else None
        return f"{areas.codes[row]} {areas.table['name'][row]}" + (f", {where}" if where else "")

    listed = "; ".join(told(row) for row in fits[:6])
    more = f" and {len(fits) - 6:,} more" if len(fits) > 6 else ""
    return f"'{asked}' fits {len(fits):,} {areas.plural}: {listed}{more}. Give a code, or 'name, authority'."


def area_of_postcode(postcode: str, file: str, system: str) -> str:
    """Look a postcode up in a directory of the user's own (ONSPD, NSPL or the like).

    Parameters
    ----------
    postcode
        In any case and spacing.
    file
        A CSV with a postcode column (``pcds``, ``pcd``, ``postcode``...) and one with codes of the
        area system (``lsoa21cd``, ``lsoa21``, ...).
    system
        Id of the area system, such as ``lsoa21``.

    Returns
    -------
    str
        The area's code.

    Raises
    ------
    UnknownNameError
        If the file has no such columns or postcode.
    """
    import polars as pl

    note_given(Path(file))
    try:
        scan = pl.scan_csv(file, infer_schema=False)
        columns = {c.casefold(): c for c in scan.collect_schema().names()}
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CommonwealError(f"postcodes: {file} cannot be read: {error}") from None
    key = next(
        (columns[c] for c in ("pcds", "pcd7", "pcd8", "pcd", "pcd2", "postcode") if c in columns),
        None,
    )
    code = next(
        (columns[c] for c in (f"{system}cd", system, f"{system}_code") if c in columns), None
    )
    if key is None or code is None:
        what = "postcode" if key is None else f"{system} code"
        raise UnknownNameError(f"{what} column", what, columns, f" in {file}")
    wanted = "".join(postcode.split()).upper()
    hit = (
        scan.filter(pl.col(key).str.replace_all(r"\s", "").str.to_uppercase() == wanted)
        .select(code)
        .head(1)
        .collect()
    )
    if hit.is_empty():
        raise CommonwealError(f"postcode {postcode} is not in {file}")
    return str(hit[code][0])
