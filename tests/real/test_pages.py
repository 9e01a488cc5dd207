"""The pages that show England are true: what they show is run, on runs that other tests share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.test_docs import PAGES, blocks, check_page, example, page_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["example"]

pytestmark = pytest.mark.real

FRESH = "index.md"  # its Python runs a study for itself


@pytest.mark.parametrize("page", [p for p in PAGES if any(b[0] for b in blocks(p))])
def test_what_a_page_shows_of_england_is_so(
    page: str, example: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("england_here" if page == FRESH else "commands_run_once")
    check_page(page, True, example, None)
    if page == "tutorial.md":  # it names the parts of the report
        told = page_text(page).split("## The list, and the report")[1]
        report = (example / "results" / "left-behind-2019" / "report.html").read_text("utf-8")
        headings = {re.sub("<.*?>", "", h) for h in re.findall(r"<h2.*?>(.*?)</h2>", report)}
        named = set(re.findall(r"\*\*(.+?)\*\*", told.split("\n## ")[0]))
        assert named | {"Contents"} == headings
