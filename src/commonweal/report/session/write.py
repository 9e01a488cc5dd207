"""A session's folder: the page, the PDF, the numbers, the reading, and all of it in one zip."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from commonweal.document.format import format_count
from commonweal.document.html import document_html
from commonweal.document.model import TableData
from commonweal.document.pdf import document_pdf, printer
from commonweal.evidence import bibtex, csl_json
from commonweal.files.folder import MARK, atomic_folder, explain_write_errors, marker
from commonweal.report.place.pack import profile_rows, write_pack
from commonweal.report.session.content import content
from commonweal.report.session.document import session_document
from commonweal.report.session.state_text import state_tables
from commonweal.study.names import find_scope, focus_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from commonweal.document.model import Document
    from commonweal.report.session.content import Content
    from commonweal.report.session.spec import Session
    from commonweal.study.results import Results


PAGE, PAPER = "session.html", "session.pdf"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip, so that the same content gives the same bytes."""


def write_session(
    session: Session,
    runs: Mapping[str, Results],
    folder: Path,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write everything of a session into one folder."""
    told = content(session, runs)
    document = session_document(told)
    with (
        TemporaryDirectory() as aside,
        atomic_folder(folder) as (fresh, target),
        explain_write_errors(target),
    ):
        made: dict[str, bytes] = {}
        listed = [
            (name, what) for name, what, _ in session_files(told, document) if "/" not in name
        ]
        for study, asked in session.areas.items():
            name, beside = f"briefing-{study}", Path(aside) / study
            what = _pack(runs[study], asked, beside, progress)
            listed.append((f"{name}/index.html", what))
            made |= _files(beside, name)
        for name, _, make in session_files(told, document):
            if progress is not None:
                progress(f"writing {name}", len(made), len(made) + 1)
            made[name] = make()
        archive = f"{session.name}.zip"
        # The page in the zip does not link to the zip.
        inside = {**made, PAGE: document_html(document, listed).encode()}
        made[archive] = _zip(inside, session.name)
        made[PAGE] = document_html(
            document, [(archive, "Everything in one file."), *listed]
        ).encode()
        made[MARK] = _account(told, runs, [*made, MARK])
        for name, data in made.items():
            file = fresh / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return target


def _pack(
    results: Results,
    asked: Sequence[str],
    folder: Path,
    progress: Callable[[str, int, int], None] | None,
) -> str:
    """Write the briefing pack of some areas, and describe it."""
    focus = None if asked else focus_scope(results.areas, results.study)
    scope = focus or find_scope(results.areas, asked)
    write_pack(results, scope, folder, progress=progress)
    n = len(profile_rows(results, scope, "selected"))
    return f"Briefing pack, {scope.title}: {format_count(n, 'profile', 'profiles')}."


def _files(folder: Path, name: str) -> dict[str, bytes]:
    """Give every file of a folder under another folder's name."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def session_files(
    told: Content, document: Document
) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Give each file besides the page: its name, a description, and what makes it."""
    yield PAPER, "This page as a tagged PDF.", partial(document_pdf, document, files=False)
    if told.works:
        works = told.works
        yield (
            "reading.bib",
            "The reading list for a reference manager (BibTeX).",
            bibtex(works).encode,
        )
        yield "reading.json", "The reading list as CSL-JSON.", csl_json(works).encode
    if told.figures:
        rows = [(f.key, f.text, f.about) for f in told.figures]
        table = pl.DataFrame(rows, schema=["figure", "text", "about"], orient="row")
        yield "figures.csv", "Every figure in the text, and what it means.", TableData(table).csv
    if told.state is not None:
        for name, what, frame in state_tables(told.state.state):
            yield name, what, TableData(frame).csv
        with printer() as paper:
            for chart in told.charts:
                yield f"charts/{chart.id}.svg", chart.title, chart.svg.encode
                yield (
                    f"charts/{chart.id}.png",
                    chart.title,
                    partial(paper.png, chart.svg),
                )


def _zip(files: Mapping[str, bytes], folder: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return whole.getvalue()


def _account(told: Content, runs: Mapping[str, Results], files: list[str]) -> bytes:
    """List the files, and the studies behind the figures."""
    account = {
        "session": told.session.name,
        "title": told.session.title,
        "studies": {
            name: {
                "study": run.study.name,
                "commonweal": run.provenance.get("commonweal"),
                "certainty": run.provenance.get("certainty"),
                "sources": [
                    {key: s.get(key) for key in ("id", "title", "vintage", "sha256")}
                    for s in run.provenance.get("sources", ())
                ],
            }
            for name, run in runs.items()
        },
        "figures": {f.key: f.text for f in told.figures},
    }
    return marker(account, (name.split("/")[0] for name in files)).encode()
