"""A report as a PDF: tagged (PDF/UA-1), with bookmarks and real text; and the typst engine that sets it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from commonweal.document.html import unbroken
from commonweal.document.model import MAKER, Cited
from commonweal.document.words import words
from commonweal.evidence import cite, load_evidence
from commonweal.files.extras import needs, package_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from commonweal.document.model import Chart, Document, Section, Table, TableData
    from commonweal.document.words import Words
    from commonweal.evidence import Evidence


_SIZES = ("9.2", "8.6", "8.0", "7.4", "6.8")
"""Sizes of type in points, tried in turn until a page limit is kept."""

_READABLE = "9"
"""Size of type in points without a page limit, and where none of those keeps it."""


MANY = 8
"""Columns above which the heads of a table are broken into lines."""

_LONG_HEAD, _LONG_NUMBER = 16, 12
"""Letters above which the head of a column of numbers may be broken, and a number may not be squeezed."""
_SHORT, _UNBROKEN, _TIGHT = 14, 24, 10
"""Letters up to which text, and text that is one word, stays on a line beside longer text; and in a short document."""


class Printer:
    """Prints documents and drawings; what it takes to print is loaded once."""

    def __init__(self, folder: Path) -> None:
        with needs("pdf"):
            import typst

        fonts = [str(font_folder())]
        self._document, self._picture = (
            typst.Compiler(str(folder / name), font_paths=fonts, ignore_system_fonts=True)
            for name in ("report.typ", "picture.typ")
        )

    def pdf(self, report: Document, files: bool = True, most_pages: int | None = None) -> bytes:
        """Make a PDF/UA-1 file; of at most so many pages, in smaller type if need be.

        What does not fit even then takes another page in type that can be read: no pack fails for it.
        """
        content = unbroken(json.dumps(_data(report, files), ensure_ascii=False))
        if most_pages is not None:
            for size in _SIZES:
                made = self._printed(content, size)
                if self._pages() <= most_pages:
                    return made
        return self._printed(content, _READABLE)

    def _printed(self, content: str, size: str) -> bytes:
        made = self._document.compile(
            format="pdf",
            sys_inputs={"data": content, "size": size},
            pdf_standards="ua-1",
            timestamp=0,
        )
        assert isinstance(made, bytes)
        return made

    def png(self, svg: str, ppi: float = 200) -> bytes:
        """Make a PNG picture of a drawing."""
        made = self._picture.compile(format="png", ppi=ppi, sys_inputs={"svg": svg})
        assert isinstance(made, bytes)
        return made

    def _pages(self) -> int:
        """Count the pages of what was compiled last: the template says so itself."""
        return int(self._document.query("<pages>", field="value", one=True))


@contextmanager
def printer() -> Iterator[Printer]:
    """Give a printer."""
    with resources.as_file(resources.files(__package__) / "templates") as folder:
        yield Printer(folder)


def column_room(
    heads: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]
) -> list[int]:
    """Give the room that each column of a table asks for, in letters.

    >>> column_room(["Place", "People"], [False, True], [["Leeds", "812,000"]])
    [10, 0]
    """
    room, short = [], []
    for at, (head, number) in enumerate(zip(heads, numeric, strict=True)):
        cells = [row[at] or "" for row in rows]
        longest = max(map(len, cells), default=0)
        whole = longest <= _SHORT or (longest <= _UNBROKEN and not any(" " in c for c in cells))
        short.append(whole and len(head) <= _SHORT)
        if not number:
            room.append(min(max(longest, len(head), 10), 40))
        elif len(head) <= _LONG_HEAD or longest > _LONG_NUMBER:
            room.append(0)
        else:
            room.append(14)  # the head goes onto two lines
    words = [k for k, number in enumerate(numeric) if not number]
    if not all(short[k] for k in words):  # a code is not squeezed for the sake of a sentence
        room = [0 if k in words and short[k] else n for k, n in enumerate(room)]
    return room


def _squeezed(
    room: Sequence[int], numeric: Sequence[bool], rows: Sequence[Sequence[str]]
) -> list[int]:
    """Give numbers no more room than they need, and let any longer text of several words go onto a second line."""
    found = []
    for at, (n, number) in enumerate(zip(room, numeric, strict=True)):
        cells = [row[at] or "" for row in rows]
        longest = max(map(len, cells), default=0)
        broken = n or (longest if longest > _TIGHT and any(" " in c for c in cells) else 0)
        found.append(0 if number else broken)
    return found


def broken_heads(
    heads: Sequence[str],
    numeric: Sequence[bool],
    rows: Sequence[Sequence[str]],
    lines: int | None = None,
) -> list[str]:
    r"""Break the heads of columns of numbers into lines no longer than a number or a word of theirs.

    Such a column then takes the room that it needs, and no head runs into the next. About so many `lines` are enough.

    >>> broken_heads(["Place", "Halls (per 1,000)"], [False, True], [["Leeds", "0.4"]])
    ['Place', 'Halls\n(per\n1,000)']
    """
    found = list(heads)
    for at in (k for k, number in enumerate(numeric) if number):
        longest = max((len(row[at] or "") for row in rows), default=0)
        word = max(map(len, heads[at].split()), default=1)
        some = 0 if lines is None else len(heads[at]) // lines + 2
        found[at] = "\n".join(wrap(heads[at], max(longest, word, some, 1)))
    return found


def font_folder() -> Path:
    """Find the folder of DejaVu Sans that matplotlib ships, without loading matplotlib."""
    return package_folder("matplotlib", "pdf") / "mpl-data" / "fonts" / "ttf"


_WIDE = 0.85
"""Share of the page's width that a drawing takes at most."""

_WORD, _MOST_ROOM = 18, 40
"""Letters of a word up to which a column of a table of many is wide enough for it, and letters that one asks for."""


def document_pdf(report: Document, files: bool = True) -> bytes:
    """Make the PDF: the same for the same report, as it holds no time of making.

    `files`: whether the tables lie beside it, so that one that is cut can be told to be whole there.
    """
    with printer() as made:
        return made.pdf(report, files)


def _data(report: Document, files: bool) -> dict[str, Any]:
    """Give what the template tells as plain data."""
    evidence, w = report.library or load_evidence(), words("document", report.language)
    printed = tuple(section for section in report.sections if section.on_paper)
    return {
        "title": report.title,
        "heading": report.heading,
        "dated": report.dated,
        "within": report.within,
        "short": report.short,
        "lang": w["lang"],
        "w": w.labels,
        "foot": w("foot", within=report.title if report.within == MAKER else report.within),
        "page_of": w("page_of", page="{page}", pages="{pages}"),
        "notes": report.notes,
        "answer": [_text(text) for text in report.answer],
        "sections": [
            [_section(section, report, files, w, evidence) for section in row]
            for row in replace(report, sections=printed).rows_of_sections()
        ],
        "assumptions": report.assumptions,
        "limits": report.limits,
        "works": [work_data(id_, evidence) for id_ in report.works],
        "sources": [_source(k, text) for k, text in enumerate(report.sources, start=1)],
    }


def _section(
    section: Section, report: Document, files: bool, w: Words, evidence: Evidence
) -> dict[str, Any]:
    return {
        "title": section.title,
        "text": [_text(text) for text in section.text],
        "points": [_text(text) for text in section.points],
        "warnings": section.warnings,
        "figures": [
            {"label": f.label, "shown": f.shown, "about": f.about} for f in section.figures
        ],
        "works": [work_data(id_, evidence) for id_ in section.works],
        "charts": [chart_data(chart) for chart in section.charts],
        "tables": [
            _table(table, report, files, w, 2 if report.short else 4 if section.beside else None)
            for table in section.tables
            if len(table.shown)
        ],
        "terms": [
            {"name": t.name, "text": t.text, "marks": t.marks, "quiet": t.quiet}
            for t in section.terms
        ],
    }


def _text(text: str) -> str | dict[str, str]:
    return (
        {"text": str(text), "notes": text.notes} if isinstance(text, Cited) and text.notes else text
    )


def _table(
    table: Table, report: Document, files: bool, w: Words, lines: int | None
) -> dict[str, Any]:
    data = table_data(table.seen, table.title, table.printed, lines)
    n, of, file = len(data["rows"]), len(table.shown), report.tables_in.format(name=table.name)
    cut = w("rows_in_file", rows=of, file=file) if files else w("first_rows", shown=n, rows=of)
    return data | {
        "about": table.about,
        "strong": table.strong,
        "cut": cut if n < of else "",
    }


def _source(number: int, text: str) -> dict[str, Any]:
    """Give a source with its number, and its address if it ends in one."""
    said, _, last = text.rpartition(" ")
    linked = last.startswith(("https://", "http://"))
    return {"number": number, "text": said if linked else text, "url": last if linked else ""}


def work_data(id_: str, evidence: Evidence) -> dict[str, Any]:
    """Give a cited work as plain data for a template."""
    work, cited = evidence.work(id_), cite(id_, evidence)
    return {
        "short": cited.short,
        "full": cited.full.removesuffix(cited.link),
        "link": cited.link,
        "finds": work.finds,
        "strength": work.strength,
        "caution": work.caution,
        "unchecked": "" if work.checked else work.check,
    }


def chart_data(chart: Chart) -> dict[str, Any]:
    """Give a chart as plain data for a template."""
    return {
        "id": chart.id,
        "title": chart.title,
        "about": chart.about,
        "svg": chart.svg,
        "width": chart.width,
        "wide": _share(chart.svg),
    }


def _share(svg: str) -> float:
    """Give the share of the page's width that a drawing takes: less where it is taller than wide."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return _WIDE if box is None else _WIDE * min(1.0, (float(box[1]) / float(box[2])) ** 2)


def _share_of(texts: Sequence[str]) -> int:
    """Give the room that a column of texts asks for, in letters: its mean, so that all take about as many lines."""
    word = max((len(w) for text in texts for w in re.split(r"[\s-]", text)), default=0)
    mean = sum(map(len, texts)) // max(len(texts), 1)
    return min(max(mean, min(word, _WORD) * 4 // 3), _MOST_ROOM)


def table_data(
    shown: TableData, title: str, rows: int | None = None, lines: int | None = None
) -> dict[str, Any]:
    """Give a table, or its first rows, as plain data for a template; where room is scarce, heads of so many `lines`."""
    heads = list(shown.frame.columns)
    numeric = shown.to_right()
    cells = shown.cells()[:rows]
    room = column_room(heads, numeric, cells)
    if lines is not None:
        wide = _squeezed(room, numeric, cells)
        heads = broken_heads(heads, [n == 0 for n in wide], cells, lines)
        return {"title": title, "head": heads, "numeric": numeric, "wide": wide, "rows": cells}
    # A head is broken between words only, so its longest word has to fit.
    words = [max(map(len, head.split()), default=0) + 1 for head in heads]
    wide = [w and max(w, word) for w, word in zip(room, words, strict=True)]
    if len(heads) > MANY:  # numbers take no more than they need, and texts share the rest
        heads = broken_heads(heads, numeric, cells)
        texts = [[row[at] for row in cells] for at in range(len(heads))]
        wide = [
            0 if number else w and max(_share_of(text), word * 4 // 3)
            for number, w, text, word in zip(numeric, wide, texts, words, strict=True)
        ]
    return {
        "title": title,
        "head": heads,
        "numeric": numeric,
        "wide": wide,
        "rows": cells,
    }
