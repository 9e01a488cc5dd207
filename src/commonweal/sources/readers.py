"""Readers: a verified file of any supported format becomes a table.

Whatever the format, the table keeps the published column names; codes are String, numbers
Float64 or Int64, truths Boolean, geometry WKB in WGS 84; and what is missing is null, never NaN.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError, SourceError, UnknownNameError
from commonweal.sources.columns import by_name, check_columns, check_declared, plain
from commonweal.sources.sandbox import explain_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

    from commonweal.sources.catalogue import Source

    Progress = Callable[[str, int, int], None]


NO_PARQUET = "not a whole Parquet file"

#: Raised when a reader changes what it makes of the same bytes, so that old conversions are left.
VERSION = 3

#: Formats that take long to read, and so are converted once and kept as Parquet.
SLOW_FORMATS = frozenset({"rdata", "excel", "geojson", "vector"})


def read_table(
    path: Path,
    source: Source,
    columns: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> tuple[pl.DataFrame, list[str]]:
    """Read a file as its source describes it."""
    if path.is_dir():
        raise SourceError(f"{path} is a folder; expected a {source.reader.format} file")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty (0 bytes); expected {_expected(source)}")
        return _read(path, source, columns, progress)
    except FileNotFoundError:
        raise SourceError(f"{path} is not there; expected {_expected(source)}") from None
    except PermissionError:
        raise SourceError(f"{path} may not be read by this user") from None


def _expected(source: Source) -> str:
    if source.path:
        return f"a {source.reader.format} file"
    return f"the {source.reader.format} file of source '{source.id}' ({source.title})"


def _read(
    path: Path, source: Source, columns: Sequence[str] | None, progress: Progress | None
) -> tuple[pl.DataFrame, list[str]]:
    reader = source.reader
    if reader.format == "file":
        raise DataError(f"source '{source.id}' is not a table ({path.name}); use its path instead")
    zipped = path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)
    if zipped and reader.format != "excel":  # an .xlsx is a zip too
        return _read_zip(path, source, columns), []
    if reader.format in {"csv", "tsv"}:
        from commonweal.sources.tabular import read_text

        return read_text(path, path, source, columns), []
    if reader.format == "parquet":
        return _read_parquet(path, source, columns)
    if reader.format == "excel":
        from commonweal.sources.sandbox import in_subprocess
        from commonweal.sources.tabular import NO_EXCEL, read_excel

        table, notes = in_subprocess(read_excel, path, NO_EXCEL, **options_of(source))
        check_declared(table.columns, source)
    elif reader.format == "geojson":
        from commonweal.sources.geometry import read_geojson

        table, notes = read_geojson(path)
    elif reader.format == "vector":
        from commonweal.sources.geometry import NO_MAP, read_vector
        from commonweal.sources.sandbox import in_subprocess

        table, notes = in_subprocess(read_vector, path, NO_MAP, layer=reader.layer)
    else:
        from commonweal.sources.rdata import read_rdata

        table, notes = read_rdata(path, reader.object, progress)
    return table.select(by_name(check_columns(columns, table.columns, source))), notes


def _read_zip(path: Path, source: Source, columns: Sequence[str] | None) -> pl.DataFrame:
    from commonweal.sources.sandbox import open_zip
    from commonweal.sources.tabular import read_text

    with open_zip(path) as archive:
        names = [
            n
            for n in archive.namelist()
            if n.lower().endswith((".csv", ".tsv", ".txt")) and not n.startswith("__MACOSX/")
        ]
        member = source.reader.member
        if "xl/workbook.xml" in archive.namelist():
            raise DataError(f"{path}: an Excel workbook; expected a name that ends in .xlsx")
        drawn = [n for n in archive.namelist() if n.lower().endswith((".shp", ".gpkg", ".geojson"))]
        if member is None and drawn and all(n.lower().endswith(".txt") for n in names):
            raise DataError(
                f"{path}: a zip with a map, {drawn[0]}; expected it unpacked, with the files that belong to it"
            )
        if member is None and len(names) != 1:
            raise DataError(
                f"{path}: expected one table in the zip, found {len(names)}"
                + (f" ({', '.join(names[:8])}); name one with 'member'" if names else "")
            )
        if member is not None and member not in archive.namelist():
            raise UnknownNameError("member", member, archive.namelist(), f" in {path}")
        data = archive.read(member or names[0])
    if not data:
        raise DataError(f"{path}: {member or names[0]} in the zip is empty")
    return read_text(data, path / (member or names[0]), source, columns)


def read_parquet(path: Path, columns: list[str]) -> tuple[pl.DataFrame, dict[str, str]]:
    """Read columns of a Parquet file, and what it says of itself; a damaged one may end the process."""
    import polars as pl

    table = pl.scan_parquet(path, glob=False).select(by_name(columns)).collect()
    return table.select(plain(column) for column in table), pl.read_parquet_metadata(path)


def _read_parquet(
    path: Path, source: Source, columns: Sequence[str] | None
) -> tuple[pl.DataFrame, list[str]]:
    import polars as pl

    from commonweal.sources.geometry import read_wkb
    from commonweal.sources.sandbox import in_subprocess

    with explain_damage(path, NO_PARQUET, hush=True):
        names = pl.scan_parquet(path, glob=False).collect_schema().names()
    wanted = check_columns(columns, names, source)
    table, about = in_subprocess(read_parquet, path, NO_PARQUET, columns=wanted)
    if table.schema.get("geometry") != pl.Binary:
        return table, []
    shapes, notes = read_wkb(table["geometry"], about, path)
    return table.with_columns(shapes), notes


def options_of(source: Source) -> dict[str, Any]:
    """Give the reader's options that are not the default, which a conversion depends on."""
    return source.reader.model_dump(mode="json", exclude_defaults=True)
