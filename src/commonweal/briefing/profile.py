"""One neighbourhood: its ranks, what drives them, its margins, how sure, and its peers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.briefing.classes import class_ranks, class_word
from commonweal.briefing.extra import extra_line, extras
from commonweal.briefing.leading import leading, what_holds_it_back
from commonweal.briefing.over_years import trend_data, trend_line
from commonweal.briefing.peers import peers
from commonweal.briefing.tables import knows_changes
from commonweal.briefing.what_matters import mover_in_words
from commonweal.briefing.words import (
    authority,
    coded_name,
    counted_areas,
    index_label,
    ordinal,
    parent_words,
    parents_in_order,
    people,
    percent,
    places,
    points,
    rule_in_words,
)
from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.given import note_given
from commonweal.index import decile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.designation import Sensitivity, Tested
    from commonweal.results import Results

__all__ = ["Profile", "find_area", "folded", "larger_named", "peers", "profile", "profile_lines"]

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


@dataclass(frozen=True, slots=True)
class Profile:
    """One area of a run: the row, and its peers."""

    results: Results
    row: int
    peers: NDArray[np.intp]


def profile(results: Results, asked: str) -> Profile:
    """Look one area up.

    Raises
    ------
    UnknownNameError
        If there is no such area.
    """
    row = find_area(results.areas, asked)
    if row is None:
        raise UnknownNameError(results.areas.singular, asked, results.areas.codes)
    return Profile(results, row, peers(results, row))


def profile_lines(p: Profile) -> Iterator[str]:
    """Give a profile as lines of text."""
    r, row = p.results, p.row
    area = r.areas.table.row(row, named=True)
    parent = authority(r)
    above = [
        area.get(f"{x}_name") for x in dict.fromkeys([parent, "region"]) if x in r.areas.parents
    ]
    form = "{name}, {code}" if area.get("local_name") else "{name} ({code})"
    name = coded_name(area["code"], area["name"], form)
    yield ", ".join([name, *(a for a in above if a)])
    known = [] if area["population"] is None else [people(area["population"])]
    if area.get("rural_urban"):
        known.append(str(area["rural_urban"]))
    yield "; ".join([*known, f"from the study {r.study.title}"])
    if r.study.briefing.note:
        yield r.study.briefing.note
    for name, d in r.designations.items():
        yield ""
        label = r.study.briefing.label if len(r.designations) == 1 else name.replace("_", " ")
        state = "is" if d.selected[row] else "is not"
        near = (
            " (a near miss)" if d.near_miss[row] else " (only just)" if d.just_inside[row] else ""
        )
        sure = r.certainty.get(name)
        yield f"It {state} {label}{near}. The rule: {rule_in_words(r, name)}."
        if sure:
            yield (
                f"Worked out {sure.n_draws:,} times with other choices around the stated ones, "
                f"it was on the list in {percent(float(sure.selected[row]))} of them."
            )
        if moved := mover_in_words(r, name, row):
            yield moved
        yield from (_condition_line(r, row, t) for t in d.tested)
        path, now, then = d.least_change()
        if path[row] is not None:
            yield (
                f"  Least change that would change the answer: {index_label(r, path[row])} "
                f"from {ordinal(now[row])} to {ordinal(then[row])}, all else as it is."
            )
        elif knows_changes(r, d):
            yield "  No single domain could change the answer alone."
        else:
            yield "  What one domain alone would change is not worked out for this kind of index."
    for index, s in r.scores.items():
        yield ""
        yield from _index_lines(p, index, s)
        if index in r.trends:
            yield f"  {trend_line(r, index, row)}"
    if r.extra is not None:
        yield ""
        yield from (extra_line(one, row) for one in extras(r))
    if len(p.peers):
        yield ""
        yield "Most like it:"
    for peer in p.peers:
        marks = [
            r.study.briefing.label if len(r.designations) == 1 else name.replace("_", " ")
            for name, d in r.designations.items()
            if d.selected[peer]
        ]
        where = r.areas.table[f"{parent}_name"][int(peer)] if parent else None
        yield (
            f"  {r.areas.codes[peer]}  {r.areas.table['name'][int(peer)]}"
            + (f", {where}" if where else "")
            + (f" ({', '.join(marks)})" if marks else "")
        )


def _condition_line(r: Results, row: int, t: Tested) -> str:
    """Say where the area stands on one condition."""
    what = index_label(r, t.condition.index)
    within = t.condition.within
    named = within if within in r.areas.classes else f"{within}_name"
    group = r.areas.table[named][row] if within else None
    if np.isnan(t.rank[row]):
        if within and group is None:
            return f"  {what}: the {r.areas.singular} has no {within}, so it cannot be placed within one"
        return f"  {what}: no score"
    place = f"{ordinal(t.rank[row])} in {group}, " if within else ""
    # With every area inside there is no score to fall below.
    score = f" ({points(t.score[row])})" if np.isfinite(t.score[row]) else ""
    return f"  {what}: {place}{places(t.places[row], t.level[row])}{score}; the cut-off is at {t.cut[row]:,.0f}"


def _index_lines(p: Profile, index: str, s: Any) -> Iterator[str]:
    r, row = p.results, p.row
    n = int((~np.isnan(s.score)).sum())
    if np.isnan(s.score[row]):
        why = r.left_out(index).get(r.areas.codes[row])
        said = f"; it was left out, since it {why}" if why else ""
        yield f"{index_label(r, index)}: no score for this {r.areas.singular}{said}"
        return
    interval = ""
    for name, sure in r.certainty.items():
        if index in sure.ranks:
            low, _, high = sure.ranks[index][row]
            interval = f", between {ordinal(low)} and {ordinal(high)} in 90 % of draws"
            del name
            break
    yield (
        f"{index_label(r, index)}: {ordinal(s.rank[row])} of {n:,} (1st = most need), "
        f"decile {decile(s.rank)[row]:.0f}{interval}"
    )
    for found in class_ranks(r, index):
        if not np.isnan(found.rank[row]):
            yield (
                f"  among {r.areas.plural} of its {class_word(found.kind)}: {ordinal(found.rank[row])} of "
                f"{found.of[row]:,.0f}, decile {found.decile[row]:.0f}"
            )
    if told := what_holds_it_back(r, index, row):
        yield f"  {told}"
    shares = {path: c[row] for path, c in s.contributions.items()}
    total = sum(v for v in shares.values() if not np.isnan(v))
    for path, part in sorted(shares.items(), key=lambda kv: -np.nan_to_num(kv[1], nan=-np.inf)):
        if np.isnan(s.transformed[path][row]):
            yield f"  {index_label(r, path):<34} unknown"
            continue
        share = (
            f"{part / total:6.0%} of the score"
            if total > 0 and s.tree.aggregate != "geometric"
            else ""
        )
        yield f"  {index_label(r, path):<34} {ordinal(s.rank_of(path)[row]):>9}  {share}".rstrip()


def profile_data(p: Profile) -> dict[str, Any]:
    """Give a profile as plain data for ``--json``."""
    r, row = p.results, p.row

    def number(x: float) -> float | None:
        return float(x) if np.isfinite(x) else None

    data: dict[str, Any] = {"study": r.study.name, **r.areas.table.row(row, named=True)}
    data["designations"] = {}
    for name, d in r.designations.items():
        path, now, then = d.least_change()
        sure, matters = r.certainty.get(name), r.sensitivity.get(name)
        data["designations"][name] = {
            "selected": bool(d.selected[row]),
            "near_miss": bool(d.near_miss[row]),
            "just_inside": bool(d.just_inside[row]),
            "probability": None if sure is None else float(sure.selected[row]),
            "most_often_moved_by": None if matters is None else _mover(matters, row),
            "margins": {
                t.condition.index: {"places": number(t.places[row]), "score": number(t.score[row])}
                for t in d.tested
            },
            "least_change": None
            if path[row] is None
            else {
                "of": path[row].replace("/", "."),
                "rank_now": now[row],
                "rank_needed": then[row],
            },
        }
    data["indices"] = {
        index: {
            "score": number(s.score[row]),
            "rank": number(s.rank[row]),
            "within": {
                c.kind: {
                    "class": c.classes[row],
                    "rank": number(c.rank[row]),
                    "of": number(c.of[row]),
                    "decile": number(c.decile[row]),
                }
                for c in class_ranks(r, index)
            },
            "held_back_most_by": leading(s)[row].rsplit("/", 1)[-1] or None,
            "domains": {
                path.split("/")[-1]: {
                    "rank": number(s.rank_of(path)[row]),
                    "contribution": number(part[row]),
                }
                for path, part in s.contributions.items()
            },
        }
        for index, s in r.scores.items()
    }
    for index in r.trends:
        data["indices"][index]["trend"] = trend_data(r, index, row)
    data["shown"] = {
        one.about.name: {
            "label": one.about.label,
            "value": number(one.value[row]),
            "unit": one.about.unit,
            "rank": number(one.rank[row]),
            "of": one.of,
        }
        for one in extras(r)
    }
    data["peers"] = [r.areas.codes[i] for i in p.peers]
    return data


def _mover(found: Sensitivity, row: int) -> dict[str, Any] | None:
    k = int(found.mover[row])
    return {"assumption": found.inputs[k], "moves": float(found.moves[k, row])} if k >= 0 else None


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
