"""A folder is ours by an account that only Commonweal writes: files of others are never deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from commonweal.errors import CommonwealError
from commonweal.files.folder import MARK, check_folder, marker, own_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "account",
    [
        {"files": ["precious.txt"]},
        {"commonweal": "0.1.0", "files": ["precious.txt"]},
        {"study": "demo", "files": ["precious.txt"]},
        {"commonweal": None, "study": "demo", "files": ["precious.txt"]},
        {"commonweal": "0.1.0", "study": "demo", "files": "precious.txt"},
        ["precious.txt"],
    ],
)
def test_an_account_of_another_program_does_not_make_a_folder_ours(
    tmp_path: Path, account: object
) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / MARK).write_text(json.dumps(account))
    with pytest.raises(CommonwealError, match=r"holds precious\.txt, provenance\.json, which"):
        check_folder(tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "account",
    [{"study": "demo"}, {"report": "survey"}, {"session": "x"}, {"baseline": {"year": 1}}],
)
def test_every_kind_of_folder_is_known_again(tmp_path: Path, account: dict[str, object]) -> None:
    (tmp_path / MARK).write_text(marker(account, ["a.csv", "charts"]), "utf-8")
    assert own_files(tmp_path) == {MARK, "a.csv", "charts"}
    (tmp_path / "a.csv").touch()
    assert check_folder(tmp_path) == tmp_path.resolve()


def test_an_account_of_no_kind_is_not_written() -> None:
    with pytest.raises(ValueError, match="one of study, report, session, baseline"):
        marker({"title": "x"}, [])


def test_an_account_is_strict_json() -> None:
    text = marker(
        {"study": "demo", "at": float("nan"), "steps": (1, float("inf"))}, ["b", "a", "b"]
    )
    told = json.loads(text, parse_constant=pytest.fail)
    assert (told["at"], told["steps"], told["files"]) == (None, [1, None], ["a", "b"])
