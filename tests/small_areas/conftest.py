"""The data that samplics ships: found without importing it, which would warn that it is archived."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def peer_data() -> Path:
    spec = find_spec("samplics")
    assert spec is not None
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"
