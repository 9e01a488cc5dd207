"""The files that a user gives to a command: what comes of them names each, with its SHA-256.

Whatever opens a file of a user's own notes it here, and whatever writes a result (`commonweal.files.marker`,
reports, JSON) lists what was noted. The command line opens an account for each command; in Python::

    with given_files():
        worked = work_out("pride-in-place-2-england", store, ["phase1.csv"])
        write_report(allocation_report(worked), folder)
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["given", "given_files", "given_lines", "is_there", "note_given"]

_PACKAGE = Path(__file__).resolve().parents[1]
_accounts: list[dict[Path, dict[str, str | int]]] = []


@contextmanager
def given_files() -> Iterator[None]:
    """Open an account of the files that are read, until the end of the block."""
    account: dict[Path, dict[str, str | int]] = {}
    _accounts.append(account)
    try:
        yield
    finally:
        # By identity: of two that are empty, `remove` would take the wrong one.
        del _accounts[next(k for k, one in enumerate(_accounts) if one is account)]


def note_given(file: object, sha256: str = "") -> None:
    """Note a file that is read; one that ships, or that is not there, is none that a user gave.

    Parameters
    ----------
    file
        Its path.
    sha256
        Of its bytes, where that is known.
    """
    import hashlib

    if not _accounts or not isinstance(file, Path) or not is_there(file):
        return
    path = file.resolve()
    if path.is_relative_to(_PACKAGE):
        return
    try:
        if not sha256:
            with path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError:  # who reads it says so
        return
    for account in _accounts:
        account[path] = {"name": path.name, "sha256": sha256, "size": size}


def is_there(file: Path) -> bool:
    """Say whether a path is one of a file; of a name that the system does not take, too, which `Path` raises at."""
    return os.path.isfile(file)  # noqa: PTH113


def given() -> list[dict[str, str | int]]:
    """Give the files noted in the account that is open: ``name``, ``sha256``, ``size``; not where they lie."""
    return [dict(entry) for entry in list(_accounts[-1].values())] if _accounts else []


def given_lines() -> tuple[str, ...]:
    """Give a line for each of them, for the sources of a report."""
    return tuple(
        f"{entry['name']}: a file of your own, SHA-256 {entry['sha256']}." for entry in given()
    )
