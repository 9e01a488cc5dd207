"""The library as readers see it: on a page, on a terminal, in a report."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import polars as pl
import pytest

from commonweal.errors import UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.report.evidence import evidence_html, evidence_lines

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small


SHORT = {"bolet-2021": "Bolet 2021", "putnam-2000": "Putnam 2000"}


class Outline(HTMLParser):
    """Ids, links and heading levels of a page, and whether what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.heads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [i for i in [found.get("id")] if i]
        self.links += [i for i in [found.get("href")] if i]
        self.heads += [tag] if tag[0] == "h" and tag[1:].isdigit() else []
        self.open += [] if tag in ("br", "meta", "link", "input", "img") else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(html: str) -> Outline:
    found = Outline()
    found.feed(html)
    assert not found.open
    return found


def test_every_work_stands_under_its_themes_with_a_link() -> None:
    library = load_evidence()
    page = outline(evidence_html(library))
    assert len(set(page.ids)) == len(page.ids)
    assert [
        i.removeprefix("evidence-")
        for i in page.ids
        if i in {f"evidence-{t}" for t in library.themes}
    ] == list(library.themes)
    assert set(page.links) == {work.link for work in library.works.values()}
    assert page.heads.count("h3") == sum(len(library.under(t)) for t in library.themes)


def test_a_page_shows_the_themes_that_are_asked_for_in_their_order() -> None:
    library = load_evidence()
    page = outline(evidence_html(library, ["what-works", "places"], level=3))
    assert page.heads[0] == "h3"
    assert page.ids.index("evidence-what-works") < page.ids.index("evidence-places")
    assert "evidence-state" not in page.ids
    with pytest.raises(UnknownNameError, match="did you mean 'places'"):
        evidence_html(library, ["placs"])


def test_what_a_work_says_cannot_break_the_page() -> None:
    library = load_evidence()
    work = library.work("bolet-2021")
    nasty = work.model_copy(
        update={"id": "nasty-1", "finds": "<script>alert(1)</script> & so on, at some length"}
    )
    html = evidence_html(library.and_also([nasty]), ["places"])
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; so on" in html


def test_what_was_not_checked_is_marked() -> None:
    library = load_evidence()
    unchecked = [work for work in library.under("left-behind") if not work.checked]
    html = evidence_html(library, ["left-behind"])
    assert unchecked
    assert html.count('class="unchecked"') == len(unchecked)
    text = "\n".join(evidence_lines(library, "left-behind"))
    assert text.count("Not fully checked:") == len(unchecked)


def test_the_command_lists_a_theme_and_writes_for_reference_managers(
    cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    told = cli("evidence", "--theme", "places")
    assert told.returncode == 0, told.stderr
    assert "Bolet, D. (2021)" in told.stdout
    assert "Hamilton" not in told.stdout
    done = cli("evidence", "--bibtex", "a.bib", "--csl", "a.json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.bib").read_text("utf-8").count("\n@") >= 30
    assert len(json.loads((tmp_path / "a.json").read_text("utf-8"))) == len(load_evidence().works)
    wrong = cli("evidence", "--theme", "place")
    assert wrong.returncode == 2
    assert "did you mean 'places'" in wrong.stderr


def test_a_dangling_citation_fails_the_check_with_the_nearest(
    small: Small, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    told = cli("check", small.write(indicators__halls__cites=["klinenberg-2018", "bolet-2012"]))
    assert told.returncode == 2
    assert "line " in told.stderr
    assert (
        "indicators.halls.cites.1: 'bolet-2012' is not in the evidence library; did you mean 'bolet-2021'"
        in told.stderr
    )
    told = cli("check", small.write(briefing__cites=["oced-2008"]))
    assert told.returncode == 2
    assert "briefing.cites.0: 'oced-2008'" in told.stderr


def test_a_report_lists_what_the_study_cites_and_for_what(small: Small) -> None:
    from commonweal.document.html import document_html
    from commonweal.report.study.data_dictionary import indicator_table
    from commonweal.report.study.document import study_document

    study = small.write(
        indicators__income__cites=["bolet-2021", "putnam-2000"],
        indicators__income__why="Money opens doors.",
        briefing__cites=["oecd-2008"],
    )
    results = small.run(study, draws=0)
    html = document_html(study_document(results))
    assert "Why it counts: Money opens doors. (Bolet 2021; Putnam 2000)" in html
    assert "The study as a whole cites Nardo et al. 2008." in html
    said = indicator_table(results).frame.filter(pl.col("Indicator") == "Low income")
    assert "Bolet, D. (2021)" in said["Evidence for that"][0]
    at = html.index('<h2 id="works">')
    section = html[at : html.index("</section>", at)]
    assert section.index("Nardo et al. 2008") < section.index("Bolet 2021")
    assert 'href="https://doi.org/10.1177/0010414021997158"' in section
    plain = document_html(study_document(small.run(small.write(), draws=0)))
    assert '<h2 id="works">' not in plain
