"""COINr's own results on its own example: where they are, how they are read and compared.

They lie beside the checkout or where the variable COMMONWEAL_REFERENCE says. Without them the
tests that need them are skipped, and fail where CI is set. Every test module adds the files that
it checks to `CHECKED`, so that the table in the docs can be made from what is tested.
"""

from __future__ import annotations

import csv
import gzip
import os
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

CHECKED: dict[str, str] = {}
"""By name of the reference file: 'matched', 'input', or 'differs: ' and why."""

INPUT = "input"
"""Said of a file that tests feed to both programs, or to ours what the peer drew."""

Floats: TypeAlias = NDArray[np.float64]

_MISSING = {"NA": "nan", "NaN": "nan", "Inf": "inf", "-Inf": "-inf", "TRUE": "1", "FALSE": "0"}


def path(name: str) -> Path:
    """Give a reference file; skip (or, under CI, fail) the test where there is none."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "reference" / "coinr"
    folder = Path(os.environ.get("COMMONWEAL_REFERENCE") or beside)
    if not folder.is_dir():
        reason = f"no reference results in {folder}; COMMONWEAL_REFERENCE can name their folder"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return folder / name


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Read a file as rows of text by column; the first column is called '' where it has no name."""
    file = path(name)
    open_ = gzip.open if file.suffix == ".gz" else open
    with open_(file, "rt", encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


def texts(name: str, column: str) -> list[str]:
    """Read one column as text."""
    return [row[column] for row in rows(name)]


def numbers(name: str, column: str) -> Floats:
    """Read one column as numbers: R's NA and NaN are both NaN, TRUE is 1."""
    return np.array([float(_MISSING.get(t, t)) for t in texts(name, column)])


def columns(name: str) -> list[str]:
    """Give the names of a file's columns, the first (units, or names of rows) left out."""
    return list(rows(name)[0])[1:]


def matrix(name: str, wanted: list[str] | None = None) -> Floats:
    """Read columns as (n_rows, n_columns) numbers: those wanted, or all but the first."""
    return np.column_stack([numbers(name, c) for c in wanted or columns(name)])


def agrees(
    ours: ArrayLike, theirs: ArrayLike, relative: float = 1e-9, absolute: float = 1e-12
) -> None:
    """Assert equality to 1e-9 relative, with NaN in the same places.

    `absolute` forgives the rounding noise of values that are 0 but for it.
    """
    np.testing.assert_allclose(ours, theirs, rtol=relative, atol=absolute, equal_nan=True)


RAW = "dset_Raw.csv"
"""The example's data: 51 units and 49 indicators, 63 cells missing."""

META = "struct_iMeta_sorted.csv"


def names() -> list[str]:
    """Give the example's 49 indicators, in the order of the data's columns."""
    return [c for c in columns(RAW) if c in meta("Direction")]


def meta(column: str) -> dict[str, str]:
    """Give one column of the example's framework, by code of indicator or aggregate."""
    return {row["iCode"]: row[column] for row in rows(META)}


def level(of: int) -> list[str]:
    """Give the codes on one level of the example's tree, 1 = indicators, in COINr's order."""
    return [row["iCode"] for row in rows(META) if row["Level"] == str(of)]


def ancestors(name: str) -> list[str]:
    """Give what an indicator or aggregate belongs to, its parent first and the index last."""
    parent, above = meta("Parent"), []
    while parent.get(name, "NA") != "NA":
        name = parent[name]
        above.append(name)
    return above


def example(wanted: list[str]) -> Floats:
    """Read columns of the bundled table (groups and denominators too), in the order of `RAW`."""
    at = {code: i for i, code in enumerate(texts("in_asem_iData.csv", "uCode"))}
    order = [at[code] for code in texts(RAW, "uCode")]
    return matrix("in_asem_iData.csv", wanted)[order]
