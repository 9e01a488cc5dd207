"""What a written file says, as lines of text that are the same on every machine.

Numbers are kept to six significant figures, so that the last bits of another processor change nothing;
paths and what the day changes are taken out. Two files of the same content have the same lines.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import zipfile
from functools import cache, lru_cache
from html.parser import HTMLParser
from pathlib import PurePath
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pyogrio
import pypdf
import pyreadstat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNIFICANT = 6
HASH = re.compile(r"\b[0-9a-f]{64}\b")
TOOK = re.compile(r'("(?:seconds|bytes)": )[\d.e-]+')
NUMBER = re.compile(r"-?\d+\.\d{6,}(?:e-?\d+)?")

ROW = re.compile(r'<row r="(\d+)"[^>]*?(?:/>|>(.*?)</row>)', re.DOTALL)
CELL = re.compile(
    r'<c r="([A-Z]+)\d+"(?: s="\d+")?(?: t="(s|inlineStr)")?'
    r"(?:/>|>(?:<v>|<is><t[^>]*>)([^<]*)(?:</v>|</t></is>)</c>)"
)
"""All that our workbooks hold: with openpyxl reading one of England takes five times as long."""


def file_lines(path: Path, scrub: dict[str, str]) -> list[str]:
    """Give the content of one file.

    Parameters
    ----------
    path
        The file; a zip gives the content of all that is in it.
    scrub
        What to take out of texts, and what comes in its place: the folder of this run, say.
    """
    return _lines(path.name, path.read_bytes(), scrub)


def digest(lines: list[str]) -> str:
    """Give the SHA-256 of lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def plain(text: str, scrub: dict[str, str]) -> list[str]:
    """Give a text with numbers rounded, hashes and paths taken out."""
    for found, put in scrub.items():
        text = text.replace(found, put)
    text = TOOK.sub(r"\1TIME", text)
    text = NUMBER.sub(lambda m: _number(float(m[0])), HASH.sub("SHA256", text))
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _lines(name: str, data: bytes, scrub: dict[str, str]) -> list[str]:
    kind = PurePath(name).suffix.lower()
    if kind == ".html":
        return plain("\n".join(_Text.of(data.decode("utf-8"))), scrub)
    if kind == ".pdf":
        return plain(_printed(data), scrub)
    if kind == ".xlsx":
        return list(_cells(data, scrub))
    if kind == ".json" or kind == ".geojson":
        return plain(
            json.dumps(json.loads(data), indent=1, sort_keys=True, ensure_ascii=False), scrub
        )
    if kind == ".parquet":
        return list(_columns(pl.read_parquet(io.BytesIO(data)), scrub))
    if kind == ".arrow":
        return list(_columns(pl.read_ipc(data), scrub))
    if kind == ".npz":
        with np.load(io.BytesIO(data)) as arrays:
            return [
                f"{name} {found.dtype} {found.shape} {_joined(found.ravel().tolist(), scrub)}"
                for name, found in arrays.items()
            ]
    if kind == ".gpkg":
        return list(_layers(data, scrub))
    if kind == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [
                f"{member}: {line}"
                for member in sorted(archive.namelist())
                for line in _lines(member, archive.read(member), scrub)
            ]
    if kind == ".sav":
        return list(_columns(_survey(data), scrub))
    if kind == ".png":
        return [hashlib.sha256(data).hexdigest()]
    return plain(data.decode("utf-8-sig"), scrub)


def _number(value: Any) -> str:
    return f"{value:.{SIGNIFICANT}g}"


def _value(value: Any, scrub: dict[str, str]) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _word(value, *scrub.items())
    return " ".join(plain(str(value), scrub))


@lru_cache(100_000)
def _word(text: str, *scrub: tuple[str, str]) -> str:
    """Give a text on one line: names are many times in a table."""
    return " ".join(plain(text, dict(scrub)))


def _joined(values: list[Any], scrub: dict[str, str]) -> str:
    return ";".join(  # millions of them: a call for each would take longest
        [f"{v:.{SIGNIFICANT}g}" if type(v) is float else _value(v, scrub) for v in values]
    )


@lru_cache(100)
def _printed(data: bytes) -> str:
    """Read a PDF; a pack has each twice, in its folder and in its zip."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def _cells(data: bytes, scrub: dict[str, str]) -> Iterator[str]:
    """Read the sheets, with the empty rows and cells between others."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    items = ElementTree.fromstring(parts["xl/sharedStrings.xml"])
    shared = ["".join(item.itertext()) for item in items]
    book = ElementTree.fromstring(parts["xl/workbook.xml"])

    def value(kind: str, said: str) -> str:
        if kind == "s":
            return _value(shared[int(said)], scrub)
        if kind:
            return _value(html.unescape(said), scrub)
        return _number(float(said)) if "." in said or "E" in said else said

    for number, named in enumerate(book.findall(".//{*}sheet"), start=1):
        title, text = named.attrib["name"], parts[f"xl/worksheets/sheet{number}.xml"].decode()
        rows = {int(row): CELL.findall(cells) for row, cells in ROW.findall(text)}
        assert sum(map(len, rows.values())) == text.count("<c "), f"{title}: cells of another kind"
        last = max(_place(cell[0]) for cells in rows.values() for cell in cells)
        for row in range(1, max(rows) + 1):
            line = [""] * last
            for column, kind, said in rows.get(row, ()):
                line[_place(column) - 1] = value(kind, said)
            yield f"{title}: {'|'.join(line)}"


@cache
def _place(column: str) -> int:
    """Give 1 for A, 27 for AA."""
    return sum((ord(c) - 64) * 26**n for n, c in enumerate(reversed(column)))


def _columns(frame: pl.DataFrame, scrub: dict[str, str]) -> Iterator[str]:
    for column in frame:
        yield f"{column.name} {column.dtype}"
        yield _joined(column.to_list(), scrub)


def _layers(data: bytes, scrub: dict[str, str]) -> Iterator[str]:
    with NamedTemporaryFile(suffix=".gpkg") as file:
        file.write(data)
        file.flush()
        names = sorted(str(name) for name, _ in pyogrio.list_layers(file.name))
        read = {name: pyogrio.raw.read(file.name, layer=name) for name in names}
    for name, (meta, _, geometry, values) in read.items():
        shapes = (
            hashlib.sha256(b"".join(g or b"" for g in geometry)) if geometry is not None else None
        )
        yield f"{name} {meta['crs']} {shapes.hexdigest() if shapes else 'no shapes'}"
        for field, column in zip(meta["fields"], values, strict=True):
            yield f"{name}.{field} {np.asarray(column).dtype}"
            yield _joined(np.asarray(column).tolist(), scrub)


def _survey(data: bytes) -> pl.DataFrame:
    """Read SPSS's format: its bytes hold the time of writing."""
    with NamedTemporaryFile(suffix=".sav") as file:
        file.write(data)
        file.flush()
        return pl.DataFrame(pyreadstat.read_sav(file.name, output_format="dict")[0])


class _Text(HTMLParser):
    """The texts of a page, its links and the texts that stand for pictures; no scripts, no styles."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    @classmethod
    def of(cls, page: str) -> list[str]:
        parser = cls()
        parser.feed(page)
        return [" ".join(text.split()) for text in parser.texts]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style"}
        for key, value in attrs:
            if key in {"href", "alt", "aria-label", "title"} and value and "data:" not in value:
                self.texts.append(f"[{key}] {value}")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)
