"""No text of a CSV file is run as a formula, whichever part of Commonweal writes it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import polars as pl
import pytest

import commonweal
from commonweal.document.model import TableData
from commonweal.files.csv import csv_of_frame, csv_of_rows
from commonweal.report.study.parquet import write_table

RISKY = [
    "=1+1", "+44", "-2", "@sum", "\tx", "\rx", "\nx", " =1", "  \t=1", "\N{NO-BREAK SPACE}=1",
    "＝1", "＋1", "－1", "＠x", " ＝1",
]  # fmt: skip
PLAIN = ["fine", "a=b", " fine", "", "St-Mary", "1-2"]


def test_rows() -> None:
    text = csv_of_rows(["=head"], [[c] for c in ["=1", "＝1", "fine", -2.5, None]]).decode("utf-8")
    assert text == "\ufeff'=head\r\n'=1\r\n'＝1\r\nfine\r\n-2.5\r\n\"\"\r\n"


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_frames(kind: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"＝head": pl.Series([*RISKY, *PLAIN, None], dtype=kind)})
    frame = frame.with_columns(number=pl.lit(-1.5))
    head, *rows = csv.reader(io.StringIO(csv_of_frame(frame).decode(), newline=""))
    assert head == ["'＝head", "number"]
    assert [row[0] for row in rows] == [*(f"'{r}" for r in RISKY), *PLAIN, ""]
    assert {row[1] for row in rows} == {"-1.5"}


def test_a_file_has_no_mark_before_its_first_header_and_a_download_has_one() -> None:
    """Scripts take the mark for a part of the header; a spreadsheet needs it, or spoils accents."""
    frame = pl.DataFrame({"name": ["Ynys Môn"]})
    assert csv_of_frame(frame).decode("utf-8") == "name\nYnys Môn\n"
    assert csv_of_rows(["name"], frame.rows()).decode("utf-8").startswith("\ufeffname")


def test_tables_of_results_and_of_packs(tmp_path: Path) -> None:
    frame = pl.DataFrame({"who": ["＝cmd|' /C calc'!A0"]})
    write_table(frame, tmp_path / "sensitivity.csv")
    assert (
        (tmp_path / "sensitivity.csv").read_bytes() == TableData(frame).csv() == csv_of_frame(frame)
    )
    assert b"'\xef\xbc\x9dcmd" in csv_of_frame(frame)


NOT_FOR_READERS = {
    "demo/county.py",  # tables of the fictional county in the cache, read back as they are
    "areas/apportion.py",  # what a split depends on, for a checksum
    "toolbox/figure.py",  # what a picture shows, for its name
}


def test_every_writer_of_csv_goes_through_it() -> None:
    home = Path(commonweal.__file__).parent
    writes = re.compile(r"\bwrite_csv\b|\bsink_csv\b|\bto_csv\b|csv\.writer|DictWriter|savetxt")
    found = {
        path.relative_to(home).as_posix()
        for path in home.rglob("*.py")
        if writes.search(path.read_text("utf-8"))
    }
    assert found == {"files/csv.py", *NOT_FOR_READERS}
