"""A project of one cost and one benefit, to be changed at will."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from commonweal.invest.appraisal.project import project_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.invest.appraisal import Project

PLAIN: dict[str, Any] = {
    "title": "A reading room",
    "reference_case": "the room stays shut",
    "start": 2026,
    "horizon": 10,
    "price_year": 2019,
    "costs": {"room": {"label": "Room", "kind": "running", "amount": 1000, "years": "0-9"}},
    "benefits": {
        "reading": {
            "label": "Reading",
            "claims": "use_of_places",
            "value": 30,
            "people": 100,
            "years": "0-9",
            "additionality": 0.5,
        }
    },
}


@pytest.fixture
def plain() -> Callable[..., dict[str, Any]]:
    """Give the project as data, changed: ``a__b="x"`` sets a.b; None leaves a key out."""

    def changed(**changes: Any) -> dict[str, Any]:
        tree: Any = deepcopy(PLAIN)
        for path, value in changes.items():
            *parents, last = path.split("__")
            at = tree
            for key in parents:
                at = at.setdefault(key, {})
            if value is None:
                at.pop(last)
            else:
                at[last] = value
        return tree

    return changed


@pytest.fixture
def made(plain: Callable[..., dict[str, Any]]) -> Callable[..., Project]:
    """Give the project, changed."""
    return lambda **changes: project_from(plain(**changes), "p.yaml")
