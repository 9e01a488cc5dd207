"""Readers: a verified file of any supported format becomes a table.

Whatever the format, the table keeps the published column names; codes are String, numbers
Float64 or Int64, truths Boolean, geometry WKB in WGS 84; and what is missing is null, never NaN.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from commonweal.errors import DataError, SourceError, UnknownNameError
from commonweal.sources.damaged import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import polars as pl

    from commonweal.sources.catalogue import Source

    Progress = Callable[[str, int, int], None]

__all__ = ["SLOW_FORMATS", "VERSION", "check_columns", "read_table"]

#: Raised when a reader changes what it makes of the same bytes, so that old conversions are left.
VERSION = 2

#: Formats that take long to read, and so are converted once and kept as Parquet.
SLOW_FORMATS = frozenset({"rdata", "excel", "geojson"})


def read_table(
    path: Path,
    source: Source,
    columns: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> tuple[pl.DataFrame, list[str]]:
    """Read a file as its source describes it.

    Parameters
    ----------
    path
        The verified file.
    source
        Its description.
    columns
        The columns wanted, in this order; all if not given.
    progress
        Told what is being done, how much is done and how much there is (0 if not known).

    Returns
    -------
    table : polars.DataFrame
        The columns wanted.
    notes : list of str
        What the reader had to do to the content, such as repairing a geometry.

    Raises
    ------
    SourceError
        If the file is a folder, is not there or may not be read.
    DataError
        If its content is not what the source says; the message says what was found.
    UnknownNameError
        If a column is not in it.
    """
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


def check_columns(wanted: Sequence[str] | None, found: Iterable[str], source: Source) -> list[str]:
    """Check that the columns wanted are there, each once; return them, or all if none are named."""
    found = list(found)
    if wanted is None:
        return found
    for name in wanted:
        if name not in found:
            raise UnknownNameError("column", name, found, f" in {source.called}")
    return list(dict.fromkeys(wanted))


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
        from commonweal.sources.text_reader import read_text

        return read_text(path, path, source, columns), []
    if reader.format == "parquet":
        return _read_parquet(path, source, columns)
    if reader.format == "excel":
        table, notes = _read_excel(path, source), list[str]()
    elif reader.format == "geojson":
        from commonweal.sources.geometry import read_geojson

        table, notes = read_geojson(path)
    else:
        from commonweal.sources.rdata_reader import read_rdata

        table, notes = read_rdata(path, reader.object, progress)
    return table.select(check_columns(columns, table.columns, source)), notes


def _read_zip(path: Path, source: Source, columns: Sequence[str] | None) -> pl.DataFrame:
    from commonweal.sources.text_reader import read_text

    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                n
                for n in archive.namelist()
                if n.lower().endswith((".csv", ".tsv", ".txt")) and not n.startswith("__MACOSX/")
            ]
            member = source.reader.member
            if member is None and len(names) != 1:
                raise DataError(
                    f"{path}: expected one table in the zip, found {len(names)}"
                    + (f" ({', '.join(names[:8])}); name one with 'member'" if names else "")
                )
            if member is not None and member not in archive.namelist():
                raise UnknownNameError("member", member, archive.namelist(), f" in {path}")
            data = archive.read(member or names[0])
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path}: the zip is damaged or cut short ({error})") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or a rare compression
        raise DataError(f"{path}: the zip cannot be unpacked ({error})") from None
    if not data:
        raise DataError(f"{path}: {member or names[0]} in the zip is empty")
    return read_text(data, path / (member or names[0]), source, columns)


def _read_parquet(
    path: Path, source: Source, columns: Sequence[str] | None
) -> tuple[pl.DataFrame, list[str]]:
    import polars as pl

    from commonweal.sources.geometry import read_wkb

    with reading(path, "not a whole Parquet file", hush=True):
        lazy = pl.scan_parquet(path, glob=False)
        wanted = check_columns(columns, lazy.collect_schema().names(), source)
        table = lazy.select(wanted).collect()
        about = pl.read_parquet_metadata(path)
    table = table.select(_plain(column) for column in table)
    if table.schema.get("geometry") != pl.Binary:
        return table, []
    shapes, notes = read_wkb(table["geometry"], about, path)
    return table.with_columns(shapes), notes


def _plain(column: pl.Series) -> pl.Series:
    """Bring a column to the types that travel: one integer, one float, one string."""
    import polars as pl

    dtype = column.dtype
    if dtype.is_float():
        return column.cast(pl.Float64).fill_nan(None)
    if dtype.is_integer():
        whole = column.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == column.null_count() else column.cast(pl.Float64)
    if dtype.is_decimal():
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return column


def _read_excel(path: Path, source: Source) -> pl.DataFrame:
    import fastexcel
    import polars as pl

    from commonweal.sources.text_reader import check_header, typed

    reader = source.reader
    try:
        book = fastexcel.read_excel(path)
        sheet = reader.sheet or book.sheet_names[0]
        if sheet not in book.sheet_names:
            raise UnknownNameError("sheet", sheet, book.sheet_names, f" in {path}")

        def load(skip: int, rows: int | None) -> pl.DataFrame:
            # All rows decide the type of a column: the first few would make later text a gap.
            page = book.load_sheet(
                sheet, header_row=None, skip_rows=skip, n_rows=rows, schema_sample_rows=None
            )
            frame: pl.DataFrame = page.to_polars()
            return frame

        top = load(reader.skip_rows, 1)
        if top.height == 0:
            raise DataError(f"{path}: sheet '{sheet}' is empty")
        if reader.columns is None:
            names = ["" if cell is None else str(cell).strip() for cell in top.row(0)]
            body = load(reader.skip_rows + 1, None)
        else:
            names, body = list(reader.columns), load(reader.skip_rows, None)
    except fastexcel.FastExcelError as error:
        raise DataError(f"{path}: not an Excel file that can be read ({error})") from None
    names += [""] * (body.width - len(names))
    used = [i for i in range(body.width) if names[i] or body.to_series(i).drop_nulls().len()]
    header = check_header([names[i] for i in used], path)
    columns = [body.to_series(i).alias(name) for i, name in zip(used, header, strict=True)]
    table = pl.DataFrame(columns)
    table = table.filter(~pl.all_horizontal(pl.all().is_null()))
    if table.height == 0:
        raise DataError(f"{path}: sheet '{sheet}' has a header and no rows")
    return table.select(
        typed(column, reader, path) if column.dtype == pl.String else _plain(column)
        for column in table
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def options_of(source: Source) -> dict[str, Any]:
    """Give the reader's options that are not the default, which a conversion depends on."""
    return source.reader.model_dump(mode="json", exclude_defaults=True)
