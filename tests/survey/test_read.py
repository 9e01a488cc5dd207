"""Microdata in four formats give the same survey; a file that cannot be read says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyreadstat
import pytest
import yaml
from polars.testing import assert_frame_equal
from tests.survey.conftest import LABELS, PEOPLE, spec_of

from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.survey import estimate, read_survey
from commonweal.survey.read import column_names, read_columns

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

KINDS = (".sav", ".zsav", ".dta", ".csv", ".parquet")


def write(file: Path, frame: pl.DataFrame = PEOPLE, **more: Any) -> Path:
    if file.suffix in (".sav", ".zsav"):
        compress = file.suffix == ".zsav"
        pyreadstat.write_sav(
            frame, file, variable_value_labels=LABELS, row_compress=False, compress=compress, **more
        )
    elif file.suffix == ".dta":
        pyreadstat.write_dta(
            frame.to_pandas(), file, variable_value_labels={"trust": {1: "Most can be trusted"}}
        )
    elif file.suffix == ".csv":
        frame.write_csv(file)
    else:
        frame.write_parquet(file)
    return file


def spec_file(data: Path, **changes: Any) -> Path:
    file = data.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(spec_of(file=data.name, **changes), sort_keys=False), "utf-8")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_survey(tmp_path: Path, kind: str) -> None:
    survey = read_survey(spec_file(write(tmp_path / f"people{kind}")))
    assert survey.frame["trusts"].to_list() == [1, 0, 1, 1, 0, None, 1, 1, 0, 0, 1, None]
    assert survey.frame["satisfied"].to_list() == [7, 3, 8, 10, 0, 5, 6, 9, None, 4, 7, 2]
    assert survey.frame["sex"].to_list() == PEOPLE["sex"].to_list()
    assert survey.levels["age"] == ("16 to 34", "35 to 64", "65 or over")
    # The weights 1 + 1 + 2 + 3 + 1 + 1 = 9 of those who say yes, over 1+2+1+2+1+3+1+2+1+1 = 15
    assert estimate(survey, "trusts")["value"][0] == pytest.approx(9 / 15)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".sav", ".dta"])
def test_answers_are_named_by_their_label(tmp_path: Path, kind: str) -> None:
    outcomes = {"trusts": {"column": "trust", "yes": "Most can be trusted", "missing": 9}}
    survey = read_survey(spec_file(write(tmp_path / f"a{kind}"), outcomes=outcomes))
    assert survey.frame["trusts"].to_list() == [1, 0, 1, 1, 0, None, 1, 1, 0, 0, 1, None]


def test_user_missing_values_of_spss_are_missing(tmp_path: Path) -> None:
    file = write(tmp_path / "a.sav", missing_ranges={"trust": [9], "score": [{"lo": 70, "hi": 99}]})
    outcomes = {"trusts": {"column": "trust", "yes": 1}, "satisfied": {"column": "score"}}
    survey = read_survey(spec_file(file, outcomes=outcomes))
    assert survey.frame["trusts"].null_count() == 2
    assert survey.frame["satisfied"].null_count() == 1
    assert estimate(survey, "satisfied")["respondents"][0] == 11


@pytest.mark.slow
def test_blank_text_is_missing(tmp_path: Path) -> None:
    frame = PEOPLE.with_columns(lsoa=pl.Series(["", *["E01000001"] * 5, *["E01000002"] * 6]))
    for kind in KINDS:
        found = read_columns(write(tmp_path / f"a{kind}", frame), ["lsoa"]).frame["lsoa"]
        assert found.null_count() == 1
        assert found[1] == "E01000001"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".sav", ".dta"])
def test_groups_take_their_names_from_value_labels(tmp_path: Path, kind: str) -> None:
    survey = read_survey(spec_file(write(tmp_path / f"a{kind}"), groups={"answer": "trust"}))
    expected = (
        ("Most can be trusted", "Can't be too careful", "Don't know")
        if kind == ".sav"
        else ("Most can be trusted", "2", "9")
    )
    assert survey.levels["answer"] == expected


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_columns_asked_for_are_read(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"a{kind}")
    assert column_names(file) == PEOPLE.columns
    found = read_columns(file, ["sex", "wt", "sex"])
    assert found.frame.columns == ["sex", "wt"]
    assert_frame_equal(found.frame, PEOPLE.select("sex", "wt"))
    with pytest.raises(UnknownNameError, match="column 'sexe' not found in a"):
        read_columns(file, ["sexe"])


def test_a_column_that_is_not_there_is_told_by_its_field(tmp_path: Path) -> None:
    file = spec_file(write(tmp_path / "a.csv"), groups={"sex": "sexx"})
    with pytest.raises(
        StudyError,
        match=r"a: groups\.sex\.column: column 'sexx' not found in a\.csv; did you mean 'sex'",
    ):
        read_survey(file)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".sav", ".dta", ".parquet"])
@pytest.mark.parametrize("kept", [0, 20, 0.5])
def test_a_file_cut_off_is_an_error(tmp_path: Path, kind: str, kept: float) -> None:
    whole = write(tmp_path / f"whole{kind}", pl.concat([PEOPLE] * 50)).read_bytes()
    cut = tmp_path / f"cut{kind}"
    cut.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    with pytest.raises(DataError, match=rf"cut{kind}: cannot be read as .*cut off"):
        read_columns(cut, ["sex"])


def test_the_last_byte_of_an_spss_file_counts(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.sav").read_bytes()
    (tmp_path / "cut.sav").write_bytes(whole[:-1])
    with pytest.raises(DataError, match="expected number of rows"):
        read_columns(tmp_path / "cut.sav", ["sex"])


@pytest.mark.parametrize("kind", [".sav", ".csv", ".parquet"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"a{kind}", PEOPLE.clear())
    with pytest.raises(DataError, match="it has no rows"):
        read_columns(file, ["sex"])


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match=r"found a file of kind '\.xlsx'; expected \.sav"):
        column_names(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match=r"none\.sav: there is no such file"):
        column_names(tmp_path / "none.sav")
    with pytest.raises(DataError, match=r"nn\.sav: there is no such file"):
        column_names(tmp_path / f"{'n' * 300}.sav")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty\.csv: cannot be read as CSV"):
        column_names(tmp_path / "empty.csv")
    (tmp_path / "latin.csv").write_bytes("wt,sex\n1,é\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.csv: cannot be read as CSV"):
        read_columns(tmp_path / "latin.csv", ["sex"])


def test_lengths_of_time_are_no_answers(tmp_path: Path) -> None:
    file = tmp_path / "answers.parquet"
    pl.DataFrame({"age": [1, 2]}).with_columns(pl.col("age").cast(pl.Duration)).write_parquet(file)
    with pytest.raises(DataError, match="column 'age' holds Duration"):
        read_columns(file, ["age"])
