"""What people make with the command line is what it was; a change that means to change it writes the hashes anew.

How to see what differs: ``python -m tests.golden --keep FOLDER`` before and after, and compare the two folders.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.golden.jobs import EXAMPLES, MADE, SEEN, changed, made

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_made_of_fictional_places_is_what_it_was(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COMMONWEAL_MIRROR", raising=False)
    for variable, value in environment.items():
        if variable.startswith("COMMONWEAL_"):
            monkeypatch.setenv(variable, value)
    work = shutil.copytree(EXAMPLES, tmp_path / "work")
    seen = json.loads(SEEN.read_text("utf-8"))
    assert changed(made(MADE, work, seen), MADE) == []
