"""What is kept in the cache: made once, known again by its checksum, made anew where damaged."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

from commonweal.errors import CommonwealError
from commonweal.files.atomic import is_good, not_kept, write_sums, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

__all__ = ["kept_file", "kept_table"]

_TRIES = 2
"""Another process may be between a file and its checksum."""


def kept_file(path: Path, make: Callable[[], bytes], again: bool = False) -> None:
    """Keep a file that is made; make it where it is not there, or not as it was written.

    Parameters
    ----------
    path
        The file. Its name has to say all that it is made of. Its SHA-256 is kept next to it.
    make
        Makes what it holds.
    again
        Whether to make it in any case.

    Raises
    ------
    SourceError
        If the cache cannot be written to, or does not keep what is written.
    """
    for turn in range(_TRIES):
        if is_good(path) and not (again and turn == 0):
            return
        made = make()
        with writing(path) as part:
            part.write_bytes(made)
        digest = hashlib.sha256(made).hexdigest()  # of what was made, not of what the disk gives
        write_sums(path.with_name(f"{path.name}.sha256"), {path.name: digest})
    if not is_good(path):
        raise not_kept(path)


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

    def packed() -> bytes:
        table, notes = make()
        memory = io.BytesIO()  # written by Python, whose errors say that a disk is full
        table.write_parquet(memory, metadata={"notes": json.dumps(notes)})
        return memory.getvalue()

    for again in (False, True):
        kept_file(path, packed, again)
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
        ) as error:
            if again:
                raise not_kept(path) from error
    raise AssertionError("unreachable")
