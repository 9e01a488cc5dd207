"""What people make of England is what it was (see tests/golden)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.golden.jobs import EXAMPLES, OF_ENGLAND, hashes_of, kept, made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("england_here")
def test_what_is_made_of_england_is_what_it_was(tmp_path: Path) -> None:
    work = shutil.copytree(EXAMPLES, tmp_path / "work")
    assert hashes_of(made(OF_ENGLAND, work)) == kept(OF_ENGLAND)
