"""The error family: what is caught by what, and what the messages say."""

from __future__ import annotations

import copy
import pickle

import pytest

from commonweal.errors import (
    CommonwealError,
    DataError,
    SourceError,
    StudyError,
    UnknownNameError,
    UnreachableError,
    WrongBytesError,
    nearest,
)


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (StudyError("x"), (CommonwealError, ValueError)),
        (DataError("x"), (CommonwealError, ValueError)),
        (UnknownNameError("a", "b", []), (CommonwealError, KeyError)),
        (WrongBytesError("x"), (SourceError, CommonwealError)),
        (UnreachableError("x"), (SourceError, CommonwealError)),
    ],
)
def test_either_parent_catches(error: Exception, parents: tuple[type[Exception], ...]) -> None:
    for parent in parents:
        with pytest.raises(parent):
            raise error


def test_the_message_of_a_key_error_has_no_quotes_around_it() -> None:
    error = UnknownNameError("index", "deprivtion", ["deprivation"], " in x.yaml")
    assert str(error) == "index 'deprivtion' not found in x.yaml; did you mean 'deprivation'?"


@pytest.mark.parametrize("make", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
@pytest.mark.parametrize(
    "error", [UnknownNameError("index", "a", ["b"]), StudyError("found 1; expected 2")]
)
def test_errors_come_back_from_a_worker_process(error: CommonwealError, make: object) -> None:
    again = make(error)  # type: ignore[operator]
    assert type(again) is type(error)
    assert str(again) == str(error)


@pytest.mark.parametrize(
    ("name", "valid", "said"),
    [
        ("Crme_rank", ["Crime_rank", "Income_rank"], "did you mean 'Crime_rank'?"),
        ("IMD RANK", ["imd_rank", "other"], "did you mean 'imd_rank'?"),
        ("xyz", ["b", "a", "b"], "expected one of: a, b"),
        ("xyz", [], "there are none"),
        ("xyz", [f"n{i:02}" for i in range(13)], "there are 13, such as n00, n01, n02, n03, n04"),
    ],
)
def test_the_nearest_valid_names(name: str, valid: list[str], said: str) -> None:
    assert nearest(name, valid) == said


def test_an_error_without_a_message_is_empty() -> None:
    assert str(CommonwealError()) == ""


def test_a_message_has_nothing_that_a_terminal_obeys() -> None:
    error = UnknownNameError("column", "a", ["b\x1b[2J\x07\x9b", "c\td"])
    assert str(error) == "column 'a' not found; expected one of: b\ufffd[2J\ufffd\ufffd, c\td"
    assert str(DataError("one\r\ntwo")) == "one\ufffd\ntwo"
