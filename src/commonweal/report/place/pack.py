"""Makes a briefing pack: a folder of pages, PDF files, a workbook, charts and a zip of everything."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from commonweal.chart.map import Shapes
from commonweal.compare.similarity import worst_tenth
from commonweal.document.html import document_html, fill_page
from commonweal.document.model import Document, Section, Table, TableData
from commonweal.document.pdf import printer
from commonweal.document.words import words
from commonweal.files.folder import Staging
from commonweal.report.place.charts import domain_chart, place_map
from commonweal.report.place.describing import PlaceDescriber
from commonweal.report.place.document import place_document
from commonweal.report.place.overview import overview
from commonweal.report.place.workbook import write_book
from commonweal.study.names import file_name, slug
from commonweal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.document.model import Chart
    from commonweal.document.pdf import Printer
    from commonweal.report.place.overview import Overview
    from commonweal.report.place.place import Place
    from commonweal.spec import Study
    from commonweal.study.names import Scope
    from commonweal.study.results import Results


Profiles = Literal["none", "selected", "all"]
Charts = Literal["none", "overview", "all"]

_SQUEEZED = (".pdf", ".png", ".xlsx")
"""Ends of names of files that would not get smaller in a zip."""

_PAGES = 2
"""A profile is at most so many pages of A4."""


@dataclass(frozen=True, slots=True)
class ExtraPage:
    """A page that a pack has besides: its files are ``NAME.html`` and ``NAME.pdf``."""

    name: str
    # title, about: what it is, and what it holds, for those who look for it
    title: str
    about: str
    # page, paper: make it for the web and for paper
    page: Callable[[], str]
    paper: Callable[[], bytes]
    follows: str  # what it follows from, in words: a pack whose page would differ is made anew


def default_folder(study: Study, scope: Scope) -> Path:
    """Give the folder a pack goes to where none is named."""
    return Path("packs") / slug(f"{study.name} {scope.title}")


def profile_rows(results: Results, scope: Scope, profiles: Profiles) -> NDArray[np.intp]:
    """Rows of the areas that get a profile: those asked for by name, and those that `profiles` says.

    Where a study designates nothing, these are the worst 10% on its first index.
    """
    if profiles == "all":
        return scope.rows
    wanted = scope.named.copy()
    if profiles == "selected":
        for d in results.designations.values():
            wanted |= d.selected[scope.rows]
        if not results.designations:
            wanted |= worst_tenth(next(iter(results.scores.values())).score)[scope.rows]
    return scope.rows[wanted]


@dataclass(frozen=True, slots=True)
class _Profile:
    """A place with the name of its files."""

    place: Place
    row: int
    file: str


# Wide: what is written and where; how much of it has a usual value.
def write_pack(
    results: Results,
    scope: Scope,
    folder: Path,
    *,
    profiles: Profiles = "selected",
    charts: Charts = "overview",
    language: str = "en",
    shapes: Shapes | None = None,
    extras: Sequence[ExtraPage] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write a pack; its profiles are in a language, the rest is in English.

    A pack that was stopped is gone on with where it was; one that is there whole is left alone.
    """
    rows = profile_rows(results, scope, profiles)
    key = _key(results, scope, rows, charts, language, extras)
    target = Path(folder).expanduser().resolve()
    if Staging.finished(target, key):
        return target
    with Staging(folder, key) as staging:
        if Staging.finished(target, key):
            return target  # another run has made it while this one waited for it
        shapes = shapes or Shapes(results.areas, results.boundaries, results.outline)
        describing = PlaceDescriber(results)
        profiles_in = describing if language == "en" else PlaceDescriber(results, language)
        found = [_profile(profiles_in, int(row)) for row in rows]
        names = {p.row: f"{p.file}.html" for p in found}
        codes = {p.place.code for p in found}
        whole = None
        if not scope.single:
            whole = overview(describing, scope, shapes, lambda row: names.get(row, ""))
        total = len(found) + 4
        with printer() as paper:
            if whole is not None:
                _tell(progress, "overview", 0, total)
                _write(staging, paper, whole.document, "overview", "index.html")
            drawn = _Drawn(staging, paper, charts)
            if whole is not None and charts != "none":
                for chart in whole.charts:
                    drawn.add(chart)
            for number, p in enumerate(found):
                _tell(progress, "profiles", number + 1, total)
                _write_profile(paper, p, profiles_in, shapes, drawn, codes)
            drawn.page(results.study.title)
        for extra in extras:
            staging.file(f"{extra.name}.html", partial(_encoded, extra.page))
            staging.file(f"{extra.name}.pdf", extra.paper)
        _tell(progress, "workbook", total - 2, total)
        tables = () if whole is None else whole.tables
        staging.file("workbook.xlsx", partial(_book, results, scope.title, tables, found))
        archive = f"{slug(target.name)}.zip"
        files = list(_files(results, archive, whole is not None, drawn, extras))
        index = document_html(_index(results, scope, whole, found), files)
        staging.file("index.html", index.encode)
        staging.file("README.txt", _readme(results, scope, files).encode)
        _tell(progress, "zip", total - 1, total)
        staging.file(archive, partial(_zipped, staging, archive, target.name), anew=True)
        _tell(progress, "written", total, total)
        return staging.put({"study": results.study.name, "title": scope.title})


def _encoded(page: Callable[[], str]) -> bytes:
    return page().encode()


def _tell(
    progress: Callable[[str, int, int], None] | None, what: str, done: int, total: int
) -> None:
    if progress is not None:
        progress(f"writing {what}", done, total)


def _key(
    results: Results,
    scope: Scope,
    rows: NDArray[np.intp],
    charts: Charts,
    language: str,
    extras: Sequence[ExtraPage],
) -> str:
    """Give a key of everything that the files of a pack follow from."""
    codes = results.areas.codes
    sources = [(s["id"], s.get("sha256")) for s in results.provenance.get("sources", ())]
    follows = {
        "commonweal": __version__,
        "study": results.study.resolved(),
        "sources": sources,
        "title": scope.title,
        "places": [codes[i] for i in scope.rows.tolist()],
        "profiles": [codes[i] for i in rows.tolist()],
        "charts": charts,
        "language": language,
        "extras": [(extra.name, extra.follows) for extra in extras],
    }
    text = json.dumps(follows, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _profile(describing: PlaceDescriber, row: int) -> _Profile:
    place = describing.place(row)
    name = file_name(place.code)
    return _Profile(place, row, f"profiles/{name}")


def _write(
    staging: Staging,
    paper: Printer,
    document: Document,
    name: str,
    home: str,
    pages: int | None = None,
) -> None:
    """Write a document as a page and as a PDF that the page links to."""
    pdf = f"{name.rpartition('/')[2]}.pdf"
    files = [(pdf, words("document", document.language)["as_pdf"])]
    staging.file(f"{name}.html", lambda: document_html(document, files, home=home).encode())
    staging.file(f"{name}.pdf", lambda: paper.pdf(document, files=False, most_pages=pages))


def _write_profile(
    paper: Printer,
    p: _Profile,
    describing: PlaceDescriber,
    shapes: Shapes,
    drawn: _Drawn,
    codes: Collection[str],
) -> None:
    staging = drawn.staging
    if drawn.which != "all" and staging.has([f"{p.file}.html", f"{p.file}.pdf"]):
        return
    place, name = p.place, file_name(p.place.code)
    say = describing.say
    domains = domain_chart(f"domains-{name}", place.name, place.kinds, place.standings, say)
    map_ = place_map(
        f"map-{name}", place, p.row, shapes, describing.standings.groups, describing.selected
    )
    document = place_document(
        place, domains, map_, lambda code: f"{file_name(code)}.html" if code in codes else ""
    )
    _write(staging, paper, document, p.file, "../index.html", _PAGES)
    if drawn.which == "all":
        for chart in (domains, map_):
            if chart is not None:
                drawn.add(chart)


class _Drawn:
    """Charts beside the pages: as pictures, and their numbers."""

    def __init__(self, staging: Staging, paper: Printer, which: Charts) -> None:
        self.staging, self.paper, self.which = staging, paper, which
        self.listed: list[dict[str, str]] = []

    def add(self, chart: Chart) -> None:
        at = f"charts/{chart.id}"
        self.staging.file(f"{at}.svg", chart.svg.encode)
        self.staging.file(f"{at}.png", lambda: self.paper.png(chart.svg))
        self.staging.file(f"{at}.csv", chart.numbers.csv)
        self.listed.append({"name": chart.id, "title": chart.title, "about": chart.about})

    def page(self, study: str) -> None:
        if self.listed:
            template = f"{__package__}:templates/charts.html"
            told = {"title": "Charts", "heading": "Every chart as a picture, with its numbers."}
            text = fill_page(
                template, **told, notes=(), within=study, home="../index.html", short=True,
                pictures=True, charts=self.listed,
            )  # fmt: skip
            self.staging.file("charts/index.html", text.encode)


def _book(results: Results, title: str, tables: Sequence[Any], found: Sequence[_Profile]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        write_book(path, results, title, tables, [p.place for p in found])
        return path.read_bytes()


def _index(
    results: Results, scope: Scope, whole: Overview | None, found: Sequence[_Profile]
) -> Document:
    """Tell what the pack is about, and which profiles there are."""
    where = {p.file: p.place.larger[0].name if p.place.larger else "" for p in found}
    ordered = sorted(found, key=lambda p: (where[p.file], p.place.name))
    columns = {
        "Name": [p.place.name for p in ordered],
        "Where": [where[p.file] for p in ordered],
        "PDF": [f"{p.file.rpartition('/')[2]}.pdf" for p in ordered],
    }
    shown = TableData(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))
    links = {"Name": [f"{p.file}.html" for p in ordered], "PDF": [f"{p.file}.pdf" for p in ordered]}
    kinds = f"{results.areas.plural.capitalize()} with a profile"
    profiles = Section(
        "Profiles",
        text=("Each profile prints on at most two pages of A4.",),
        tables=(Table("profiles", kinds, shown, links=links),),
    )
    note = results.study.briefing.note
    return Document(
        name="index",
        title=f"{scope.title}: briefing pack",
        heading="What this pack contains is listed under “Files”.",
        answer=() if whole is None else tuple(map(str, whole.document.answer)),
        sections=(profiles,) if found else (),
        notes=(note,) if note else (),
        short=True,
        within=results.study.title,
    )


PRINTED = "The same for printing."


def _files(
    results: Results, archive: str, overview: bool, drawn: _Drawn, extras: Sequence[ExtraPage]
) -> Iterator[tuple[str, str]]:
    """Name what is in a pack, with what each is."""
    if overview:
        kinds = results.areas.plural
        about = f"How many {kinds} are on the list, where they are, and how stable the list is."
        yield "overview.html", about
        yield "overview.pdf", PRINTED
    for extra in extras:
        yield f"{extra.name}.html", extra.about
        yield f"{extra.name}.pdf", PRINTED
    yield "workbook.xlsx", "Every table, for Excel. Start with the sheets Cover and Notes."
    if drawn.listed:
        about = "Every chart as a picture (PNG, SVG), with its numbers (CSV)."
        yield "charts/index.html", about
    yield archive, "All these files in one."
    yield "README.txt", "What each file is."


def _readme(results: Results, scope: Scope, files: Sequence[tuple[str, str]]) -> str:
    title = f"{scope.title}: briefing pack"
    kind = results.areas.singular
    pdf = {name.removesuffix(".pdf") for name, what in files if what == PRINTED}
    pages = [
        (f"{name}, {stem}.pdf" if (stem := name.removesuffix(".html")) in pdf else name, what)
        for name, what in files
        if what != PRINTED
    ]
    holds = [
        ("index.html", "Start here: what the pack contains, with links."),
        (
            "profiles/",
            f"One page for each {kind}, for the web (HTML) and paper (PDF, at most two pages).",
        ),
        *pages,
        ("provenance.json", "What each file was made from, and a list of files."),
    ]
    lines = [title, "=" * len(title), "", f"From the study: {results.study.title}.", ""]
    if results.study.briefing.note:
        lines += [results.study.briefing.note, ""]
    lines += [f"{name}\n    {what}" for name, what in holds]
    lines += [
        "",
        "Rank 1 is the greatest need. A range of ranks holds in 90% of recalculations.",
        "",
    ]
    return "\n".join(lines)


def _zipped(staging: Staging, archive: str, inside: str) -> bytes:
    """Pack every file of the folder, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        for name in sorted(staging.wanted - {archive}):
            entry = zipfile.ZipInfo(f"{inside}/{name}", (1980, 1, 1, 0, 0, 0))
            squeezed = name.endswith(_SQUEEZED)
            entry.compress_type = zipfile.ZIP_STORED if squeezed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            # If it is gone, another run has put the folder in place, with a zip of its own.
            with suppress(FileNotFoundError):
                made.writestr(entry, (staging.folder / name).read_bytes())
    return packed.getvalue()
