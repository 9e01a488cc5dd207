"""The fictional county, and one case in it for all tests of the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commonweal.invest.case.case import make_case
from commonweal.invest.case.model import Case, CaseOptions
from commonweal.sources import Store
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results

DISTRICT, BUDGET = "Vesselhoe", 8e6


@pytest.fixture(scope="session")
def store(cache: Path) -> Store:
    return Store(cache=cache, offline=True)


@pytest.fixture(scope="session")
def county(store: Store) -> Results:
    return run("demo", store, draws=0, sensitivity=False)


@pytest.fixture(scope="session")
def case(county: Results, store: Store) -> Case:
    asked = CaseOptions("demo", (DISTRICT,), places=6, budget=BUDGET, draws=20)
    return make_case(asked, store, results=county)
