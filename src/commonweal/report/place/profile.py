"""One neighbourhood for the terminal, `--json` and notebooks: the answer, how stable it is, ranks and peers."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.format import (
    NOT_A_CHANCE,
    coded_name,
    format_people,
    format_score_margin,
    in_tenths,
    ordinal,
)
from commonweal.errors import CommonwealError, UnknownNameError
from commonweal.index import decile
from commonweal.report.place.describing import alike_by, peers
from commonweal.report.place.text import Answers, answer_text, rank_range
from commonweal.report.study.drivers import describe_main_driver, top_contributors
from commonweal.report.study.tables import (
    class_ranks,
    class_word,
    extra_line,
    extras,
    label_of,
)
from commonweal.report.study.trends import trend_data, trend_line
from commonweal.study.names import authority, find_area, index_label, larger_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.designation import Designation, Sensitivity
    from commonweal.index import Scores
    from commonweal.report.place.place import DesignationAnswer
    from commonweal.study.results import Results

__all__ = [
    "Profile",
    "peers",
    "profile",
    "profile_lines",
]


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """One area of a run: its ranks, what drives them, its margins, and what would change the answer.

    Attributes
    ----------
    results
        The run.
    row
        The area's row in the tables of the run.
    peers
        Rows of the areas that are most like it.
    """

    results: Results
    row: int
    peers: NDArray[np.intp]

    def __repr__(self) -> str:
        return "\n".join(profile_lines(self))

    def _repr_html_(self) -> str:
        head, *lines = (escape(line) for line in profile_lines(self))
        tables = (
            ("Ranks", self.ranks),
            ("What adds most to its scores", self.drivers),
            ("How far it is from each cut-off", self.margins),
            ("What would change the result", self.changes),
        )
        parts = [f"<h4>{title}</h4>{table._repr_html_()}" for title, table in tables if len(table)]
        about = "<br>".join(lines[: lines.index("")] if "" in lines else lines)
        return f"<h3>{head}</h3><p>{about}</p>{''.join(parts)}"

    @property
    def code(self) -> str:
        """Its code."""
        return self.results.areas.codes[self.row]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.results.areas.table["name"][self.row])

    @property
    def ranks(self) -> pl.DataFrame:
        """A row for each index: ``index``, ``score``, ``rank`` (1 = most need), ``of`` and ``decile``."""
        rows = [
            {
                "index": index,
                "score": s.score[self.row],
                "rank": s.rank[self.row],
                "of": int((~np.isnan(s.score)).sum()),
                "decile": decile(s.rank)[self.row],
            }
            for index, s in self.results.scores.items()
        ]
        return _frame(rows, "rank", "decile")

    @property
    def drivers(self) -> pl.DataFrame:
        """A row for each domain, those first that add most to an index: ``rank``, ``contribution``, ``share``."""
        rows: list[dict[str, Any]] = []
        for s in self.results.scores.values():
            parts = {path: part[self.row] for path, part in s.contributions.items()}
            total = np.nansum(list(parts.values()))
            rows += [
                {
                    "domain": path.replace("/", "."),
                    "label": index_label(self.results, path),
                    "rank": s.rank_of(path)[self.row],
                    "contribution": part,
                    "share": part / total if total > 0 else np.nan,
                }
                for path, part in sorted(
                    parts.items(), key=lambda kv: -np.nan_to_num(kv[1], nan=-np.inf)
                )
            ]
        return _frame(rows, "rank")

    @property
    def margins(self) -> pl.DataFrame:
        """A row for each condition: whether it ``passes``, and places and score from the cut-off (inside: above 0)."""
        rows = [
            {
                "designation": name,
                "condition": str(t.condition),
                "passes": bool(t.passes[self.row]),
                "rank": t.rank[self.row],
                "margin_places": t.places[self.row],
                "margin_score": t.score[self.row],
            }
            for name, d in self.results.designations.items()
            for t in d.tested
        ]
        return _frame(rows, "margin_places")

    @property
    def changes(self) -> pl.DataFrame:
        """A row for each domain that could change the answer alone: its rank now and the rank it would need."""
        rows = [
            {
                "designation": name,
                "domain": path.replace("/", "."),
                "rank_now": d.ranks[path][self.row],
                "rank_needed": needed[self.row],
            }
            for name, d in self.results.designations.items()
            for path, needed in d.changes.items()
            if not np.isnan(needed[self.row])
        ]
        return _frame(rows, "rank_now", "rank_needed")


def _frame(rows: list[dict[str, Any]], *whole: str) -> pl.DataFrame:
    """Lay out rows, with null for what is missing and whole numbers where they are."""
    import polars as pl

    return (
        pl.DataFrame(rows)
        .fill_nan(None)
        .with_columns(pl.col([name for name in whole if rows]).cast(pl.Int32))
    )


def profile(results: Results, asked: str) -> Profile:
    """Look one area up."""
    row = find_area(results.areas, asked)
    if row is None:
        areas = results.areas
        if larger := larger_named(areas, asked):
            raise CommonwealError(larger)
        names = [name for known in areas.names for name in known.drop_nulls()]
        raise UnknownNameError(areas.singular, asked, [*areas.codes, *names])
    return Profile(results, row, peers(results, row))


def _answer_lines(kinds: str, a: DesignationAnswer) -> Iterator[str]:
    """Give the answer, how stable it is, how far it is from each cut-off, and what would change it."""
    yield f"{answer_text('It', kinds, a)} The rule: {a.rule}."
    tested = a.probability is not None
    yield f"{a.recalculated_text} {a.sure_text}" if tested else a.sure_text
    for m in a.margins:
        # With every area inside there is no score to fall below.
        score = "" if m.score is None else f"{format_score_margin(m.score)}; "
        cut = "" if m.places is None else f" ({score}the cut-off is at rank {m.cut or 0:,})"
        yield f"  {m.text.removesuffix('.')}{cut}"
    yield f"  {a.change_text}"


def _peer_line(r: Results, peer: int, parent: str | None) -> str:
    """Name an area that is like it, and the lists that it is on."""
    marks = [label_of(r, name) for name, d in r.designations.items() if d.selected[peer]]
    listed = f" (on the list: {', '.join(marks)})" if marks and len(r.designations) > 1 else ""
    if marks and not listed:
        listed = " (on the list)"
    where = r.areas.table[f"{parent}_name"][peer] if parent else None
    return (
        f"  {r.areas.codes[peer]}  {r.areas.table['name'][peer]}"
        + (f", {where}" if where else "")
        + listed
    )


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
    known = [] if area["population"] is None else [format_people(area["population"])]
    if area.get("rural_urban"):
        known.append(str(area["rural_urban"]))
    yield "; ".join([*known, f"from the study {r.study.title}"])
    if r.study.briefing.note:
        yield r.study.briefing.note
    for a in Answers(r).at(row):
        yield ""
        yield from _answer_lines(r.areas.plural, a)
    if r.certainty:
        yield NOT_A_CHANCE
    for index in r.scores:
        yield ""
        yield from _index_lines(r, index, row)
        if index in r.trends:
            yield f"  {trend_line(r, index, row)}"
    if r.extra is not None:
        yield ""
        yield from (extra_line(one, row) for one in extras(r))
    if len(p.peers):
        yield ""
        yield f"Similar {r.areas.plural}, in {alike_by(r)}:"
    for peer in p.peers:
        yield _peer_line(r, int(peer), parent)


def _rank_line(r: Results, index: str, row: int) -> str:
    """Say where an area ranks on an index, and how far its rank depends on the assumptions."""
    s = r.scores[index]
    if np.isnan(s.score[row]):
        why = r.left_out(index).get(r.areas.codes[row])
        said = f"; it was left out, since it {why}" if why else ""
        return f"{index_label(r, index)}: no score for this {r.areas.singular}{said}"
    known = next((sure.ranks[index] for sure in r.certainty.values() if index in sure.ranks), None)
    text = (
        f"{index_label(r, index)}: {ordinal(s.rank[row])} of {(~np.isnan(s.score)).sum():,} "
        f"(1st = greatest need), {in_tenths(decile(s.rank)[row])}"
    )
    if known is None:
        return text
    return f"{text}, {rank_range(known[row, 0], known[row, 2])} in 90% of recalculations"


def _index_lines(r: Results, index: str, row: int) -> Iterator[str]:
    """Say where an area ranks on an index, and what adds to its score."""
    s = r.scores[index]
    yield _rank_line(r, index, row)
    if np.isnan(s.score[row]):
        return
    for found in class_ranks(r, index):
        if not np.isnan(found.rank[row]):
            yield (
                f"  among {r.areas.plural} of its {class_word(found.kind)}: {ordinal(found.rank[row])} of "
                f"{found.of[row]:,.0f}, {in_tenths(found.decile[row])}"
            )
    if told := describe_main_driver(r, index, row):
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


def _number(x: float) -> float | None:
    """Give a number, or None where there is none."""
    return float(x) if np.isfinite(x) else None


def _designation_data(p: Profile, name: str, d: Designation) -> dict[str, Any]:
    """Give how a place stands in one designation as plain data."""
    r, row = p.results, p.row
    path, now, then = d.least_change()
    sure, matters = r.certainty.get(name), r.sensitivity.get(name)
    return {
        "selected": bool(d.selected[row]),
        "near_miss": bool(d.near_miss[row]),
        "just_inside": bool(d.just_inside[row]),
        "probability": None if sure is None else float(sure.selected[row]),
        "most_often_moved_by": None if matters is None else _mover(matters, row),
        "margins": {
            t.condition.index: {"places": _number(t.places[row]), "score": _number(t.score[row])}
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


def _index_data(p: Profile, index: str, s: Scores) -> dict[str, Any]:
    """Give how a place stands on one index as plain data."""
    r, row = p.results, p.row
    return {
        "score": _number(s.score[row]),
        "rank": _number(s.rank[row]),
        "within": {
            c.kind: {
                "class": c.classes[row],
                "rank": _number(c.rank[row]),
                "of": _number(c.of[row]),
                "decile": _number(c.decile[row]),
            }
            for c in class_ranks(r, index)
        },
        "held_back_most_by": top_contributors(s)[row].rsplit("/", 1)[-1] or None,
        "domains": {
            path.split("/")[-1]: {
                "rank": _number(s.rank_of(path)[row]),
                "contribution": _number(part[row]),
            }
            for path, part in s.contributions.items()
        },
    }


def profile_data(p: Profile) -> dict[str, Any]:
    """Give a profile as plain data for ``--json``."""
    r, row = p.results, p.row

    data: dict[str, Any] = {"study": r.study.name, **r.areas.table.row(row, named=True)}
    data["designations"] = {}
    for name, d in r.designations.items():
        data["designations"][name] = _designation_data(p, name, d)
    data["indices"] = {index: _index_data(p, index, s) for index, s in r.scores.items()}
    for index in r.trends:
        data["indices"][index]["trend"] = trend_data(r, index, row)
    data["shown"] = {
        one.about.name: {
            "label": one.about.label,
            "value": _number(one.value[row]),
            "unit": one.about.unit,
            "rank": _number(one.rank[row]),
            "of": one.of,
        }
        for one in extras(r)
    }
    data["peers"] = [r.areas.codes[i] for i in p.peers]
    return data


def _mover(found: Sensitivity, row: int) -> dict[str, Any] | None:
    k = int(found.mover[row])
    return {"assumption": found.inputs[k], "moves": float(found.moves[k, row])} if k >= 0 else None
