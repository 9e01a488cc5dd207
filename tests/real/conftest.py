"""The real files: a mirror folder, without which a check that must run fails and others skip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commonweal.recipe import load_study
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
    """The store of all tests here; workers of pytest-xdist convert a source once for all of them."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    cache = os.environ.get("COMMONWEAL_CACHE") or shared / "real-cache"
    return Store(cache, mirror=mirror_folder, offline=True)


# Runs that several files look at: their tests go to one worker, as tests/conftest.py says.


@pytest.fixture(scope="session")
def open_england(real_store: Store) -> Results:
    return run("open-england", real_store, draws=100, geometry=False)


@pytest.fixture(scope="session")
def on_units(real_store: Store) -> dict[str, Results]:
    """The same recipe on larger areas, without draws."""
    study = load_study("open-england").model_copy(update={"certainty": None})
    return {
        unit: run(study.model_copy(update={"areas": unit}), real_store, geometry=False)
        for unit in ("msoa21", "wd24")
    }


@pytest.fixture(scope="session")
def wards_2019(real_store: Store) -> Results:
    return run("left-behind-2019", real_store, draws=0)
