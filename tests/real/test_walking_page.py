"""The walks that docs/methods/walking.md pictures are as long as it says, and the program finds them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commonweal.access.walks import street_nearest

if TYPE_CHECKING:
    from commonweal.sources import Store

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import walks  # noqa: E402

pytestmark = pytest.mark.real


@pytest.mark.parametrize("name", walks.ASKED)
def test_a_pictured_walk_is_the_one_that_is_found(name: str, real_store: Store) -> None:
    walk = walks.find(name, real_store)
    begin, end = walks.ends(name, real_store)
    found = street_nearest(walk.streets, begin, end).distance_m[0, 0]
    assert walk.length_m == pytest.approx(found, abs=0.05)
    assert walks.row(walk) in (DOCS / "methods" / "walking.md").read_text("utf-8")
    assert walks.picture(walk) == (DOCS / "images" / "access" / f"{name}.svg").read_text("utf-8")
