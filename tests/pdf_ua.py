"""What PDF/UA-1 (ISO 14289-1) asks of a PDF and a program can check, apart from the engine that made it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pypdf
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

_XMP = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "ua": "http://www.aiim.org/pdfua/ns/id/",
}
_SHOWS_TEXT = {b"Tj", b"TJ", b"'", b'"'}


def pdf_ua_faults(file: Path | io.BytesIO) -> list[str]:
    """Name what a PDF lacks; nothing where a screen reader can read all of it."""
    with pypdf.PdfReader(file) as reader:
        root: Any = reader.trailer["/Root"]
        if "/StructTreeRoot" not in root:
            return ["no structure tree"]
        found = [
            *_of_catalogue(root, reader),
            *_of_structure(list(elements(root["/StructTreeRoot"]))),
        ]
        fonts: dict[int, Any] = {}
        for n, page in enumerate(reader.pages, 1):
            found += [f"page {n}: {fault}" for fault in _of_page(page, reader, fonts)]
        return found + [
            f"font {_name(f)}: {fault}" for f in fonts.values() for fault in _of_font(f)
        ]


def _of_catalogue(root: Any, reader: pypdf.PdfReader) -> Iterator[str]:
    """Check what is said of the whole: tagged, its language, its title, and that it claims PDF/UA-1."""
    if not root.get("/MarkInfo", {}).get("/Marked"):
        yield "not marked as tagged"
    if not re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", str(root.get("/Lang", ""))):
        yield f"language: {root.get('/Lang')}"
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        yield "a viewer does not show its title"
    if not (reader.metadata and reader.metadata.title):
        yield "no title"
    if len(reader.pages) > 20 and "/Outlines" not in root:
        yield "no bookmarks"
    about = ElementTree.fromstring(root["/Metadata"].get_data())
    part = [e.text for e in about.iterfind(".//ua:part", _XMP)]
    part += [e.get(f"{{{_XMP['ua']}}}part") for e in about.iterfind(".//rdf:Description", _XMP)]
    if "1" not in part:
        yield "does not claim PDF/UA-1"
    if not any((e.text or "").strip() for e in about.iterfind(".//dc:title//rdf:li", _XMP)):
        yield "no title in its metadata"


def elements(parent: Any) -> Iterator[Any]:
    """Go through the structure in the order in which it is read."""
    for one in _children(parent):
        yield one
        yield from elements(one)


def _of_structure(every: list[Any]) -> Iterator[str]:
    """Check headings, drawings, tables, lists and links."""
    level = 0
    for one in every:
        kind, alt = one["/S"], str(one.get("/Alt", "")).strip()
        if heading := re.fullmatch(r"/H([1-6])", kind):
            if int(heading[1]) > level + 1:
                yield f"a heading of level {heading[1]} after level {level}"
            level = int(heading[1])
        elif kind in {"/Figure", "/Formula"} and not alt:
            yield f"a {kind[1:].lower()} without words"
        elif kind == "/TH" and not _attribute(one, "/Scope"):
            yield "a head of a table without a scope"
        elif kind == "/Table":
            wide = {_width(row) for row in elements(one) if row["/S"] == "/TR"}
            if len(wide) > 1:
                yield f"a table with rows of {sorted(wide)} cells"
        elif kind == "/L" and {c["/S"] for c in _children(one)} - {"/LI", "/Caption"}:
            yield "a list with what is not an item"
    if level == 0:
        yield "no heading"


def _children(one: Any) -> Iterator[Any]:
    below = one.get("/K", ())
    for child in below if isinstance(below, ArrayObject) else [below]:
        made = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(made, DictionaryObject) and "/S" in made:
            yield made


def _attribute(one: Any, name: str) -> Any:
    given = one.get("/A", ArrayObject())
    every = given if isinstance(given, ArrayObject) else [given]
    return next((a[name] for a in (e.get_object() for e in every) if name in a), None)


def _width(row: Any) -> int:
    return sum(int(_attribute(cell, "/ColSpan") or 1) for cell in _children(row))


def _of_page(page: Any, reader: pypdf.PdfReader, fonts: dict[int, Any]) -> Iterator[str]:
    """Check that all text is tagged or marked as decoration, and links are in words; gather the fonts."""
    links = [note.get_object() for note in page.get("/Annots", ())]
    if links and page.get("/Tabs") != "/S":
        yield "links are not in the order of the structure"
    for link in links:
        if link["/Subtype"] == "/Link" and not (link.get("/Contents") and "/StructParent" in link):
            yield "a link without words"
    for reference in page["/Resources"].get("/Font", {}).values():
        font = reference.get_object()
        fonts[id(font)] = font
    depth = 0
    for _, operator in ContentStream(page.get_contents(), reader).operations:
        depth += (operator in {b"BDC", b"BMC"}) - (operator == b"EMC")
        if depth == 0 and operator in _SHOWS_TEXT:
            yield "text that is not tagged"
            break


def _name(font: Any) -> str:
    return str(font["/BaseFont"])[1:]


def _of_font(font: Any) -> Iterator[str]:
    """Check that a font is in the file, and its letters can be read."""
    if "/ToUnicode" not in font:
        yield "its letters cannot be read"
    for one in font.get("/DescendantFonts", (font,)):
        about = one.get_object()["/FontDescriptor"]
        if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(about):
            yield "not in the file"
