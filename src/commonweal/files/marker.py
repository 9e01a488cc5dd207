"""The file by which a folder is known to be ours, and which of its files we may replace.

Every folder that Commonweal writes (results, packs, reports, sessions, baselines) holds
``provenance.json``: where it came from, the version that wrote it, and the name of every file.
Other programs use that name too, so a list of files alone is not enough.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from commonweal import __version__
from commonweal.files.given import given

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["MARK", "marker", "own_files", "read_marker"]

MARK = "provenance.json"
"""The file's name."""

_KINDS = ("study", "report", "session", "baseline")
"""Each account has one of these keys: results and packs are of a study."""


def marker(account: Mapping[str, Any], files: Iterable[str]) -> str:
    """Give the text of a folder's `MARK`, as strict JSON.

    Parameters
    ----------
    account
        What the folder holds and where it came from; the files that a user gave are added.
    files
        Names of the files and folders in it; `MARK` itself is added on reading.

    Raises
    ------
    ValueError
        If the account does not say of which kind the folder is.
    """
    own = {"given_files": found} if (found := given()) else {}
    told = {"commonweal": __version__, **account, **own, "files": sorted(set(files))}
    if not _is_ours(told):
        raise ValueError(f"an account of a folder needs one of {', '.join(_KINDS)}")
    return json.dumps(_strict(told), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_marker(folder: Path) -> dict[str, Any]:
    """Read a folder's account; empty if it has none, or one of another program."""
    try:
        told = json.loads((folder / MARK).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if _is_ours(told) else {}


def own_files(folder: Path) -> set[str]:
    """Name what Commonweal wrote into a folder, by its own list; nothing if the folder is not ours."""
    told = read_marker(folder)
    return {MARK, *map(str, told["files"])} if told else set()


def _is_ours(told: object) -> bool:
    return (
        isinstance(told, dict)
        and isinstance(told.get("commonweal"), str)
        and isinstance(told.get("files"), list)
        and any(isinstance(told.get(kind), str | dict) for kind in _KINDS)
    )


def _strict(value: Any) -> Any:
    """Give plain data that strict JSON can hold: no NaN, no infinity, no types of other libraries."""
    if isinstance(value, Mapping):
        return {str(k): _strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_strict(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "item"):  # a NumPy number
        return _strict(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
