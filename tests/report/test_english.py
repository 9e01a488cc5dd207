"""What the public reads of the demo: short sentences, a reading age of 12 to 14, and one word for one thing."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.terminal import run_lines

from commonweal.document.html import document_html
from commonweal.report.place.pack import write_pack
from commonweal.report.session.spec import load_session
from commonweal.report.session.write import write_session
from commonweal.report.study.document import study_document
from commonweal.study.names import find_scope
from commonweal.study.run import run

if TYPE_CHECKING:
    from commonweal.study.results import Results

DIALECT = (
    r"\bhow sure\b", r"\balmost certain\b", r"\btoss-up\b", r"\bhold(s|ing)? .{0,40}\bback\b", r"\bwhat matters\b",
    r"\bnear miss", r"\bdraws?\b", r"\btold\b", r"\banew\b", r"\bnought\b", r"\bbeware\b", r"\bruns? of the sums\b",
    r"\bfair choices\b", r"\bof what was varied\b", r"\bchance of being\b", r"\bprobability\b(?! that a place)",
    r"\d %",
)  # fmt: skip
"""Words that a reader has to learn from us, or that say more than was measured."""

MOST_WORDS, MOST_GRADE = 25, 9.0


class Paragraphs(HTMLParser):
    """The paragraphs and list items of a page: neither tables, drawings and scripts nor the works that are cited."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.silent += tag in ("script", "style", "svg", "table", "nav", "title", "article")
        if tag in ("p", "li"):
            self.inside.append("")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style", "svg", "table", "nav", "title", "article")
        if tag in ("p", "li") and self.inside:
            self.found.append(" ".join(self.inside.pop().split()))

    def handle_data(self, data: str) -> None:
        if self.inside and not self.silent:
            self.inside[-1] += data


def paragraphs(page: str) -> list[str]:
    reader = Paragraphs()
    reader.feed(page)
    return [text for text in reader.found if text]


def sentences(texts: list[str]) -> list[str]:
    return [
        s for text in texts for s in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9£“'‘\"])|;\s|:\s", text) if s
    ]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """By name, the paragraphs of what is read most: headline, profile, overview, report and session."""
    folder = tmp_path_factory.mktemp("read")
    demo: Results = run("demo", draws=200)
    first = np.zeros(len(demo.areas), np.bool_)
    first[np.argmax(demo.designations["left_behind"].selected)] = True
    scope = replace(find_scope(demo.areas, []), named=first)
    pack = write_pack(demo, scope, folder / "pack", profiles="none", charts="none")
    session = write_session(load_session("demo"), {"demo": demo}, folder / "session")
    (profile,) = pack.glob("profiles/*.html")
    return {
        "run": [line.strip() for line in run_lines(demo) if line.strip()],
        "profile": paragraphs(profile.read_text("utf-8")),
        "overview": paragraphs((pack / "overview.html").read_text("utf-8")),
        "report": paragraphs(document_html(study_document(demo))),
        "session": paragraphs((session / "session.html").read_text("utf-8")),
    }


PAGES = ("run", "profile", "overview", "report", "session")


@pytest.mark.parametrize("page", PAGES)
def test_no_word_of_our_own(read: dict[str, list[str]], page: str) -> None:
    found = [(word, t) for t in read[page] for word in DIALECT if re.search(word, t, re.IGNORECASE)]
    assert not found


@pytest.mark.parametrize("page", PAGES)
def test_no_sentence_is_long(read: dict[str, list[str]], page: str) -> None:
    long = [s for s in sentences(read[page]) if len(s.split()) > MOST_WORDS]
    assert not long


@pytest.mark.parametrize("page", PAGES)
def test_a_fourteen_year_old_can_read_it(read: dict[str, list[str]], page: str) -> None:
    """By the Automated Readability Index (Smith and Senter 1967), in years of American school: grade 9 is 14."""
    every = sentences(read[page])
    words = [w for s in every for w in s.split()]
    letters = sum(c.isalnum() for w in words for c in w)
    assert 4.71 * letters / len(words) + 0.5 * len(words) / len(every) - 21.43 <= MOST_GRADE
