"""Tables kept in the cache: made once, read back in parts, made anew where damaged."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from commonweal.errors import CommonwealError
from commonweal.sources.fetch import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

__all__ = ["kept_table"]


def kept_table(
    path: Path,
    make: Callable[[], tuple[pl.DataFrame, Any]],
    pick: Callable[[Sequence[str]], Sequence[str]] | None = None,
) -> tuple[pl.DataFrame, Any]:
    """Give a table that is kept in a Parquet file; make it where it is not there, or damaged.

    Parameters
    ----------
    path
        The file. Its name has to say all that the table is made of.
    make
        Makes the table, and what is told of it as plain data.
    pick
        Gives the columns wanted, of those that there are; all if not given.

    Returns
    -------
    table : polars.DataFrame
        The columns wanted.
    notes
        What was told of it when it was made.

    Raises
    ------
    SourceError
        If the cache cannot be written to.
    """
    import polars as pl

    for again in (False, True):
        if again or not path.is_file():
            table, notes = make()
            packed = io.BytesIO()  # written by Python, whose errors say that a disk is full
            table.write_parquet(packed, metadata={"notes": json.dumps(notes)})
            with writing(path) as part:
                part.write_bytes(packed.getbuffer())
        try:
            lazy = pl.scan_parquet(path, glob=False)
            names = lazy.collect_schema().names()
            notes = json.loads(pl.read_parquet_metadata(path)["notes"])
            return lazy.select(pick(names) if pick else names).collect(), notes
        except CommonwealError:
            raise
        except (
            *(pl.exceptions.PolarsError, pl.exceptions.PanicException),
            *(OSError, KeyError, ValueError),
        ):
            if again:
                raise
    raise AssertionError("unreachable")
