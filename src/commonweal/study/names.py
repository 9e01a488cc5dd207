"""What areas, indices and rules are called, and how one area or several are found by name or postcode."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.catalogue import load_systems
from commonweal.document.format import format_count
from commonweal.errors import CommonwealError, UnknownNameError, nearest
from commonweal.files.inputs import record_input
from commonweal.sources.sandbox import explain_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.spec import Study
    from commonweal.study.results import Results


def counted_areas(n: int, areas: Areas) -> str:
    """Say how many areas, as the study calls them."""
    return format_count(n, areas.singular, areas.plural)


def parent_words(parent: str) -> tuple[str, str]:
    """Say what one and what several larger areas are called, by their key in a study's areas.

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
    text = re.sub(r"(?<= on )[\w./]+", lambda m: labels.get(m[0], m[0]), str(rule))
    return re.sub(r"(?<= each )\w+", lambda m: parent_words(m[0])[0], text)


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
    parents, known = areas.parents, load_systems().at_level("authority")
    return next((a for a in known if a in parents), parents[0] if parents else None)


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
    """Say among which areas ranks and cut-offs are set, where fewer are listed or a part of a country was taken."""
    study = results.study
    if not study.focus:
        if not set(study.where).difference(load_systems().at_level("country")):
            return ""
        among = counted_areas(len(results.areas), results.areas)
        return (
            f"Ranks and cut-offs are set among these {among} alone. To keep the whole country's, write 'focus' in "
            "place of 'where'."
        )
    whole, known = shared_name(results.areas), counted_areas(len(results.areas), results.areas)
    return (
        f"Ranks and cut-offs are set among all {known}{f' of {whole}' if whole else ' of the study'}. "
        f"Only the {listed_areas(results)} are listed and counted."
    )


_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "đ": "d", "'": "", "’": ""}
)


_ASCII = {c: chr(c).lower() if chr(c).isalnum() else " " for c in range(128)} | {
    ord("&"): " and ",
    ord("'"): "",
}


POSTCODE = re.compile(r"^[A-Z]{1,2}[0-9][0-9A-Z]?\s*[0-9][A-Z]{2}$")


def find_area(areas: Areas, asked: str) -> int | None:
    """Find an area by its code or name."""
    if asked in areas.position:
        return areas.position[asked]
    wanted = folded(asked)
    if not wanted:
        return None
    codes = folded_names(areas.codes)
    if (row := codes.index_of(wanted)) is not None:
        return row
    parents = [p for p in areas.parents if p.startswith("lad")] or list(areas.parents[:1])
    # Every test below asks for a name that begins what is wanted, or has it inside.
    near = [_near(folded_names(column), wanted) for column in areas.names]
    rows = sorted(set().union(*near))
    larger = [folded_names(areas.table[f"{parent}_name"].gather(rows)) for parent in parents]
    around = [dict(zip(rows, names, strict=True)) for names in larger]

    def fits(test: Callable[[str, int], bool]) -> list[int]:
        return [i for i in rows if any(i in names and test(names[i], i) for names in near)]

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
            within = None if test in (whole, begins) else larger_named(areas, asked)
            raise CommonwealError(within or _several(areas, asked, found, parents))
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
    if text.isascii() and text.isalnum():  # as codes are
        return text.lower()
    if text.isascii():  # as nearly all names are
        return " ".join(text.translate(_ASCII).split())
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).casefold().replace("&", " and ")
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def folded_names(names: pl.Series | Sequence[str | None]) -> pl.Series:
    """Fold names as `folded` does, all of them at once; nothing where there is none."""
    each = pl.Series("folded", names, pl.String).fill_null("")
    simple = each.str.to_lowercase().str.replace_many(["'", "&"], ["", " and "])
    found = simple.str.replace_all("[^a-z0-9]+", " ").str.strip_chars(" ")
    other = each.str.contains(r"[^\x00-\x7f]").arg_true()
    return found.scatter(other, [folded(name) for name in each.gather(other)])


def _near(names: pl.Series, wanted: str) -> dict[int, str]:
    """Give the folded names that begin what is wanted, or have it inside, by row."""
    near = names.str.contains(wanted, literal=True)
    near |= pl.select(pl.lit(wanted).str.starts_with(pl.lit(names))).to_series()
    rows = (near & (names != "")).arg_true()
    return dict(zip(rows, names.gather(rows), strict=True))


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
    """Look a postcode up in a directory of the user's own (ONSPD, NSPL or the like)."""
    record_input(Path(file))
    damaged = "not a table of postcodes that can be read"
    with explain_damage(file, damaged):
        Path(file).open("rb").close()  # of a folder polars would read every file
        scan = pl.scan_csv(file, infer_schema=False, glob=False)
        columns = {c.casefold(): c for c in scan.collect_schema().names()}
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
    here = pl.col(key).str.replace_all(r"\s", "").str.to_uppercase() == wanted
    with explain_damage(file, damaged):
        found = scan.filter(here).select(code).collect()[code]
    if found.is_empty():
        raise CommonwealError(f"postcode {postcode} is not in {file}")
    known = found.drop_nulls()
    if known.is_empty():
        raise CommonwealError(f"postcode {postcode} has no {system} code in {file}")
    return str(known[0])


_FEW = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """The places that a pack is about."""

    title: str  # what they are together: a place, a larger area, several, or the whole of the study
    rows: NDArray[np.intp]  # (n,) their rows among the areas of the study, in order, each once
    # (n,) whether each was asked for itself, not as a part of a larger area
    named: NDArray[np.bool_]
    whole: bool = False  # whether that is every area of the study

    @property
    def single(self) -> bool:
        """Whether it is one place, which an overview would say nothing more about."""
        return len(self.rows) == 1 and bool(self.named[0])


def find_scope(
    areas: Areas, asked: Sequence[str], by_postcode: Callable[[str], int] | None = None
) -> Scope:
    """Find the places asked for."""
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

    >>> _together(["a"]), _together(["a", "b", "c"]), _together(list("abcde"))
    ('a', 'a, b and c', 'a, b and 3 more')
    """
    told = list(titles) if len(titles) <= 3 else [*titles[:2], f"{len(titles) - 2:,} more"]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def codes_in(file: Path) -> list[str]:
    """Read a list of areas: one a line, or the first column of a ``.csv``; a header is left out."""
    import csv

    record_input(file)
    with explain_damage(file, "not a list of codes that can be read"):
        lines = file.read_text("utf-8-sig").splitlines()
        if file.suffix.lower() == ".csv":
            lines = [row[0] for row in csv.reader(lines) if row]
    found = [line.strip() for line in lines if line.strip()]
    if found and re.search(r"\bcode\b|code$|cd$|^area$|^name$", found[0], re.IGNORECASE):
        found = found[1:]
    if not found:
        raise CommonwealError(f"codes: {file} holds none; expected one code or name a line")
    return found


def file_name(code: str) -> str:
    """Give a name for the files of an area that any system takes, and that leads nowhere else."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", code).strip("-")[:40]
    if (
        plain and plain == code == code.upper()
    ):  # other systems do not tell small letters from large
        return code
    return f"{plain}-{hashlib.sha256(code.encode()).hexdigest()[:6]}".lstrip("-")


def slug(text: str) -> str:
    """Make a name for a folder from a title.

    >>> slug("Kingston upon Hull, City of"), slug("日本")
    ('kingston-upon-hull-city-of', 'pack')
    """
    return "-".join(re.findall(r"[a-z0-9]+", folded(text)))[:60].strip("-") or "pack"
