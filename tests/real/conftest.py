"""The real files: a mirror folder, without which a check that must run fails and others skip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commonweal.sources import Store
from commonweal.study import run

if TYPE_CHECKING:
    from commonweal.results import Results


@pytest.fixture(scope="session")
def mirror_folder() -> Path:
    """The mirror folder; a check that must run may not be skipped for lack of it."""
    said = os.environ.get("COMMONWEAL_MIRROR", "")
    if said and Path(said).is_dir():
        return Path(said)
    message = "COMMONWEAL_MIRROR names no folder with the real files"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def real_store(mirror_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    cache = os.environ.get("COMMONWEAL_CACHE") or tmp_path_factory.mktemp("cache")
    return Store(cache, mirror=mirror_folder, offline=True)


@pytest.fixture(scope="session")
def open_england(real_store: Store) -> Results:
    return run("open-england", real_store, draws=100, geometry=False)
