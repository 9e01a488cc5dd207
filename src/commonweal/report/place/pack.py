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

from commonweal.chart.outlines import Shapes
from commonweal.compare import worst_tenth
from commonweal.document.pdf import papers
from commonweal.files.folder import Staging
from commonweal.report.place.charts import place_map, strand_chart
from commonweal.report.place.describing import PlaceDescriber
from commonweal.report.place.overview import overview
from commonweal.report.place.page import page_maker, place_parts
from commonweal.report.place.workbook import write_book
from commonweal.study.names import file_name, slug
from commonweal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from commonweal.document.model import Chart
    from commonweal.document.pdf import Paper
    from commonweal.report.place.overview import Overview
    from commonweal.report.place.place import Place
    from commonweal.spec import Study
    from commonweal.study.names import Scope
    from commonweal.study.results import Results


Profiles = Literal["none", "selected", "all"]
Charts = Literal["none", "overview", "all"]

_PAGES = 2
"""A profile is at most so many pages of A4."""


@dataclass(frozen=True, slots=True)
class ExtraPage:
    """A page that a pack has besides: its files are ``NAME.html`` and ``NAME.pdf``.

    Attributes
    ----------
    name
        Of its files.
    title, about
        What it is, and what it holds, for those who look for it.
    page, paper
        Make it for the web and for paper.
    follows
        What it follows from, in words: a pack whose page would differ is made anew.
    """

    name: str
    title: str
    about: str
    page: Callable[[], str]
    paper: Callable[[], bytes]
    follows: str


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
    """A place with the names of its files."""

    place: Place
    row: int
    html: str
    pdf: str


# Wide: what is written and where; how much of it has a usual value.
def write_pack(
    results: Results,
    scope: Scope,
    folder: Path,
    *,
    profiles: Profiles = "selected",
    charts: Charts = "overview",
    shapes: Shapes | None = None,
    extras: Sequence[ExtraPage] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write a pack.

    A pack that was stopped is gone on with where it was; one that is there whole is left alone.
    """
    rows = profile_rows(results, scope, profiles)
    key = _key(results, scope, rows, charts, extras)
    target = Path(folder).expanduser().resolve()
    if Staging.finished(target, key):
        return target
    with Staging(folder, key) as staging:
        if Staging.finished(target, key):
            return target  # another run has made it while this one waited for it
        shapes = shapes or Shapes(results.areas, results.boundaries, results.outline)
        describing = PlaceDescriber(results)
        found = [_profile(describing, int(row)) for row in rows]
        names = {p.row: p.html for p in found}
        codes = {p.place.code for p in found}
        whole = None
        if not scope.single:
            whole = overview(describing, scope, shapes, lambda row: names.get(row, ""))
        page = page_maker()
        total = len(found) + 4
        with papers() as paper:
            if whole is not None:
                _tell(progress, "overview", 0, total)
                _overview(staging, page, paper["overview"], whole)
            drawn = _Drawn(staging, paper["picture"], charts)
            if whole is not None and charts != "none":
                for chart in whole.charts:
                    drawn.add(chart)
            for number, p in enumerate(found):
                _tell(progress, "profiles", number + 1, total)
                _write_profile(page, paper["place"], p, describing, shapes, drawn, codes)
            drawn.page(page, results.study.title)
        for extra in extras:
            staging.file(f"{extra.name}.html", partial(_encoded, extra.page))
            staging.file(f"{extra.name}.pdf", extra.paper)
        _tell(progress, "workbook", total - 2, total)
        tables = () if whole is None else whole.tables
        staging.file("workbook.xlsx", partial(_book, results, scope.title, tables, found))
        archive = f"{slug(target.name)}.zip"
        data = _index(results, scope, whole, found, bool(drawn.listed))
        index = page("index.html", **data, archive=archive, extras=extras)
        staging.file("index.html", index.encode)
        staging.file(
            "README.txt", _readme(results, scope, archive, whole is not None, drawn, extras).encode
        )
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
        "extras": [(extra.name, extra.follows) for extra in extras],
    }
    text = json.dumps(follows, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _profile(describing: PlaceDescriber, row: int) -> _Profile:
    place = describing.place(row)
    name = file_name(place.code)
    return _Profile(place, row, f"profiles/{name}.html", f"profiles/{name}.pdf")


def _write_profile(
    page: Callable[..., str],
    paper: Paper,
    p: _Profile,
    describing: PlaceDescriber,
    shapes: Shapes,
    drawn: _Drawn,
    codes: Collection[str],
) -> None:
    staging = drawn.staging
    if drawn.which != "all" and staging.has([p.html, p.pdf]):
        return
    name = file_name(p.place.code)
    strands = strand_chart(f"strands-{name}", p.place.name, p.place.kinds, p.place.standings)
    groups, selected = describing.standings.groups, describing.selected
    map_ = place_map(f"map-{name}", p.place, p.row, shapes, groups, selected)
    data = place_parts(
        p.place, strands, map_, lambda code: f"{file_name(code)}.html" if code in codes else ""
    )
    staging.file(p.html, lambda: _page(page, "place.html", data, "../index.html", f"{name}.pdf"))
    staging.file(p.pdf, lambda: paper.pdf(data, _PAGES))
    if drawn.which == "all":
        for chart in (strands, map_):
            if chart is not None:
                drawn.add(chart)


def _page(
    page: Callable[..., str], template: str, data: dict[str, Any], home: str, pdf: str
) -> bytes:
    text = page(template, title=data["title"], study=data["study"], home=home, pdf=pdf, d=data)
    return text.encode()


def _overview(staging: Staging, page: Callable[..., str], paper: Paper, whole: Overview) -> None:
    data = whole.page
    staging.file(
        "overview.html", lambda: _page(page, "overview.html", data, "index.html", "overview.pdf")
    )
    staging.file("overview.pdf", lambda: paper.pdf(data))


class _Drawn:
    """Charts beside the pages: as pictures, and their numbers."""

    def __init__(self, staging: Staging, paper: Paper, which: Charts) -> None:
        self.staging, self.paper, self.which = staging, paper, which
        self.listed: list[dict[str, str]] = []

    def add(self, chart: Chart) -> None:
        at = f"charts/{chart.id}"
        self.staging.file(f"{at}.svg", chart.svg.encode)
        self.staging.file(f"{at}.png", lambda: self.paper.png(chart.svg))
        self.staging.file(f"{at}.csv", chart.numbers.csv)
        self.listed.append({"name": chart.id, "title": chart.title, "about": chart.about})

    def page(self, page: Callable[..., str], study: str) -> None:
        if self.listed:
            text = page(
                "charts.html", title="Charts", study=study, home="../index.html", charts=self.listed
            )
            self.staging.file("charts/index.html", text.encode)


def _book(results: Results, title: str, tables: Sequence[Any], found: Sequence[_Profile]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        write_book(path, results, title, tables, [p.place for p in found])
        return path.read_bytes()


def _index(
    results: Results,
    scope: Scope,
    whole: Overview | None,
    found: Sequence[_Profile],
    charts: bool,
) -> dict[str, Any]:
    """Give what the first page says: what it is about, and which pages there are."""
    profiles = [
        {
            "name": p.place.name,
            "where": p.place.larger[0].name if p.place.larger else "",
            "html": p.html,
            "pdf": p.pdf,
        }
        for p in found
    ]
    return {
        "title": scope.title,
        "study": results.study.title,
        "note": results.study.briefing.note,
        "home": "index.html",
        "kinds": results.areas.plural,
        "headline": [] if whole is None else whole.page["headline"],
        "overview": whole is not None,
        "charts": charts,
        "profiles": sorted(profiles, key=lambda p: (p["where"], p["name"])),
    }


def _readme(
    results: Results,
    scope: Scope,
    archive: str,
    overview: bool,
    drawn: _Drawn,
    extras: Sequence[ExtraPage],
) -> str:
    title, kinds = f"{scope.title}: briefing pack", results.areas.plural
    holds = [("index.html", "Start here: what the pack contains, with links.")]
    if overview:
        holds.append(
            (
                "overview.html, overview.pdf",
                f"How many {kinds} are on the list, where they are, and how stable the list is.",
            )
        )
    holds += [
        (
            "profiles/",
            f"One page for each {results.areas.singular}, for the web (HTML) and paper (PDF, at most two pages).",
        ),
        *((f"{extra.name}.html, {extra.name}.pdf", extra.about) for extra in extras),
        ("workbook.xlsx", "Every table, for Excel. Start with the sheets Cover and Notes."),
    ]
    if drawn.listed:
        holds.append(("charts/", "Every chart as a picture (PNG, SVG), with its numbers (CSV)."))
    holds += [
        (archive, "All these files in one."),
        ("provenance.json", "What each file was made from, and a list of files."),
    ]
    lines = [title, "=" * len(title), "", f"From the study: {results.study.title}.", ""]
    if results.study.briefing.note:
        lines += [results.study.briefing.note, ""]
    for name, what in holds:
        lines.append(f"{name}\n    {what}")
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
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            # If it is gone, another run has put the folder in place, with a zip of its own.
            with suppress(FileNotFoundError):
                made.writestr(entry, (staging.folder / name).read_bytes())
    return packed.getvalue()
