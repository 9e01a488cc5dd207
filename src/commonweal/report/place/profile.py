"""One neighbourhood for the terminal and notebooks: its document, and its numbers as frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.document.html import document_fragment
from commonweal.document.text import document_lines
from commonweal.errors import CommonwealError, UnknownNameError, nearest
from commonweal.index import decile
from commonweal.report.place.charts import domain_chart
from commonweal.report.place.describing import describe
from commonweal.report.place.document import place_document
from commonweal.report.place.text import place_words
from commonweal.study.names import find_area, index_label, larger_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from commonweal.document.model import Document
    from commonweal.report.place.place import Place
    from commonweal.study.results import Results

_EVERY = 1000
"""Rows of a table on a terminal: all that a profile has."""


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """One area of a run: its ranks, what drives them, its margins, and what would change the answer."""

    results: Results
    row: int  # the area's row in the tables of the run
    place: Place  # what is said of it, for every page and file

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, width: int | None = None) -> Iterator[str]:
        """Give it as lines for a terminal, with tables as wide as it or as they need."""
        return document_lines(self.document(), rows=_EVERY, width=width)

    def document(self) -> Document:
        """Give it as a document, with its chart."""
        p = self.place
        say = place_words(p.language)
        return place_document(p, domain_chart("domains", p.name, p.kinds, p.standings, say))

    def _repr_html_(self) -> str:
        return document_fragment(self.document())

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


def profile(results: Results, asked: str, language: str = "en") -> Profile:
    """Look one area up."""
    row = find_area(results.areas, asked)
    if row is None:
        areas = results.areas
        if larger := larger_named(areas, asked):
            raise CommonwealError(larger)
        names = [name for known in areas.names for name in known.drop_nulls()]
        every = [*areas.codes, *names]
        alike = nearest(asked, every).startswith("did you mean")
        raise UnknownNameError(areas.singular, asked, every if alike else areas.codes)
    return Profile(results, row, describe(results, row, language))
