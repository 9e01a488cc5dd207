"""What people make of England is what it was (see tests/golden)."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.golden.jobs import EXAMPLES, OF_ENGLAND, SEEN, changed, made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("england_here")
def test_what_is_made_of_england_is_what_it_was(tmp_path: Path) -> None:
    work = shutil.copytree(EXAMPLES, tmp_path / "work")
    seen = json.loads(SEEN.read_text("utf-8"))
    assert changed(made(OF_ENGLAND, work, seen), OF_ENGLAND) == []
