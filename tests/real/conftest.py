"""The real files: a mirror folder, without which a check that must run fails and others skip."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pytest

import commonweal.compare.units
import commonweal.study.run
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.spec.study import load_study
from commonweal.study.areas import study_shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.study.results import Results


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


@pytest.fixture(scope="module", autouse=True)
def real_files_are_read_as_users_do() -> Iterator[None]:
    """They are larger than what a copy of a process that is kept ready may take."""
    with pytest.MonkeyPatch.context() as change:
        change.setattr("commonweal.sources.sandbox.subprocess", subprocess)
        yield


@pytest.fixture(scope="session")
def real_store(mirror_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of all tests here; workers of pytest-xdist convert a source once for all of them."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    cache = os.environ.get("COMMONWEAL_CACHE") or shared / "real-cache"
    return Store(cache, mirror=mirror_folder, offline=True)


# Runs that several files look at: their tests go to one worker, as tests/conftest.py says.


RUNNING = (
    commonweal.study.run,
    commonweal.compare.units,
)
"""What runs a study under this name; commands import it as they start."""


def seal(value: object) -> None:
    """Let nobody write to the arrays of what a run gives."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif is_dataclass(value):
        for field in fields(value):
            seal(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for part in value.values():
            seal(part)
    elif isinstance(value, tuple | list):
        for part in value:
            if not isinstance(part, str):  # hundreds of thousands of codes and names
                seal(part)


class Once:
    """Run a study as `commonweal.study.run.run` does, or give what the same run gave before.

    For tests that only look at results, and for what a command prints of them. A run of an earlier study
    that a study asks for counts as one, and one without outlines is one with them, which are taken away.
    What is given is everybody's: its arrays cannot be written to, and its provenance is a copy. A study
    with files of its own runs each time, since they may have changed.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.kept: dict[tuple[Any, ...], Results] = {}
        self.run = commonweal.study.run.run

    def __call__(
        self,
        study: Study | str | Path,
        store: Store | None = None,
        *,
        draws: int | None = None,
        sensitivity: bool = True,
        geometry: bool = True,
        progress: Any = None,
        client: Any = None,
    ) -> Results:
        if store is not None:
            asked, own = ((s.cache, s.mirror) for s in (store, self.store))
            assert asked == own, f"the store has {asked}; expected that of the runs: {own}"
        study = study if isinstance(study, Study) else load_study(study)
        wanted = study
        if draws == 0:  # certainty and sensitivity are left out, however many draws the study has
            spec = study.certainty and study.certainty.model_copy(update={"draws": 0})
            wanted = study.model_copy(update={"certainty": spec, "sensitivity": None})
            study = study.model_copy(update={"certainty": None, "sensitivity": None})
        n = study.certainty.draws if draws is None and study.certainty else draws
        matters = sensitivity and study.sensitivity is not None
        same = (study.model_dump_json(), study.folder, n or 0, matters)
        if same not in self.kept or study.named_files() or study.since_is_file:
            with self.in_place():
                self.kept[same] = self.run(study, self.store, draws=draws, sensitivity=sensitivity)
            seal(self.kept[same])
        found = self.kept[same]
        found = replace(found, provenance=deepcopy(found.provenance))
        if draws == 0:
            found = replace(found, study=wanted)
        if not geometry:
            shapes, outline = study_shapes(study, found.areas, self.store, geometry=False)
            found = replace(found, boundaries=shapes, outline=outline)
        return found

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the program itself run its studies so."""
        with contextlib.ExitStack() as patched:
            for module in RUNNING:
                patched.enter_context(mock.patch.object(module, "run", self))
            yield


@pytest.fixture(scope="session")
def run_once(real_store: Store) -> Once:
    return Once(real_store)


@pytest.fixture
def england_here(real_store: Store, mirror_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in this process use the tests' store."""
    monkeypatch.setenv("COMMONWEAL_MIRROR", str(mirror_folder))
    monkeypatch.setenv("COMMONWEAL_CACHE", str(real_store.cache))
    monkeypatch.setenv("COMMONWEAL_OFFLINE", "1")


@pytest.fixture
def commands_run_once(run_once: Once, england_here: None) -> Iterator[None]:
    """Let commands in this process give what a run gave before."""
    with run_once.in_place():
        yield


@pytest.fixture(scope="session")
def open_england(run_once: Once) -> Results:
    return run_once("open-england", draws=100, geometry=False)


@pytest.fixture(scope="session")
def on_units(run_once: Once) -> dict[str, Results]:
    """The same recipe on larger areas, without draws."""
    study = load_study("open-england")
    return {
        unit: run_once(commonweal.compare.units.on_unit(study, unit), geometry=False)
        for unit in ("msoa21", "wd24")
    }


@pytest.fixture(scope="session")
def wards_2019(run_once: Once) -> Results:
    return run_once("left-behind-2019", draws=0)
