"""The report: its structure, that names cannot break it, and that it asks nothing of a server."""

from __future__ import annotations

import datetime
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from commonweal.document.html import document_html
from commonweal.document.pdf import _data
from commonweal.report.study.document import study_document
from commonweal.report.study.sensitivity import NOT_RECALCULATED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results

VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "path", "circle"}


class Page(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for t, attrs in self.tags if t == tag]


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_well_formed_with_unique_ids(page: Page) -> None:
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_headings_in_order(page: Page) -> None:
    levels = [int(t[1]) for t, _ in page.tags if re.fullmatch(r"h[1-6]", t)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_landmarks_language_and_skip_link(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en-GB"
    assert all(len(page.all(tag)) == 1 for tag in ("header", "nav", "main", "footer"))
    assert page.all("a")[0]["href"] == "#main"


def test_links_lead_somewhere(page: Page, folder: Path) -> None:
    ids = {a["id"] for _, a in page.tags if "id" in a}
    for attribute in ("aria-labelledby", "for", "data-table"):
        named = {n for _, a in page.tags for n in (a.get(attribute) or "").split()}
        assert named <= ids, attribute
    links = {a["href"] or "" for a in page.all("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    files = {link for link in links if not link.startswith(("#", "https://"))}
    assert {"results.xlsx", "commonweal.gpkg", "list.csv"} <= files
    assert all((folder / name).is_file() for name in files)


def test_tables_have_captions_and_scopes(page: Page) -> None:
    assert len(page.all("table")) == len(page.all("caption")) >= 8
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    regions = [a for _, a in page.tags if "scroll" in (a.get("class") or "").split()]
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in regions)


def test_drawings_are_named(page: Page) -> None:
    drawings = page.all("svg")
    shown = [a for a in drawings if a.get("aria-hidden") != "true"]
    assert len(shown) >= 2
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in shown)
    assert len(page.all("details")) == len(shown), "every drawing has its numbers below"


def test_asks_nothing_of_a_server(text: str, page: Page) -> None:
    loads = [a[k] for t, a in page.tags for k in ("src", "srcset", "data", "poster") if a.get(k)]
    assert loads == []
    assert not page.all("link")
    assert not page.all("img")
    assert "url(http" not in text
    assert "@import" not in text
    policy = next(a for a in page.all("meta") if a.get("http-equiv"))
    assert "default-src 'none'" in (policy["content"] or "")


def test_names_cannot_break_it(text: str, page: Page) -> None:
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert len(page.all("script")) == 1


def test_says_what_was_found(text: str, results: Results) -> None:
    d = results.designations["priority"]
    n = int(d.selected.sum())
    assert f"{n} of 60 villages are on the list of villages in priority." in text
    assert "A fictional place." in text
    for code in results.areas.table["code"].filter(d.selected):
        assert f"<td>{code}</td>" in text
    assert "Every difference" in text
    assert "Published, not in ours" in text


def test_names_the_day_it_is_given(results: Results, text: str) -> None:
    assert "24 November 2025" in document_html(study_document(results, datetime.date(2025, 11, 24)))
    assert "November" not in text


def test_without_draws(run_tiny: Callable[..., Results]) -> None:
    text = document_html(study_document(run_tiny(draws=0)))
    assert NOT_RECALCULATED in text
    assert "How stable the list is</h2>" not in text
    Page(text)


def test_without_designation(run_tiny: Callable[..., Results], study_text: str) -> None:
    start, end = study_text.index("designate:"), study_text.index("agreement:")
    text = study_text[:start] + study_text[end:].replace(
        "  - {designation: priority, file: published.csv, column: flag, compare: flag}\n", ""
    )
    page = document_html(study_document(run_tiny(text)))
    assert "Greatest need" in page
    assert page.index("Greatest need</h2>") < page.index("Checked against what is published</h2>")
    assert Page(page).open == []


def test_two_designations(run_tiny: Callable[..., Results], study_text: str) -> None:
    text = study_text.replace(
        "certainty:",
        "  any_need: {any: [{index: need, worst: 5}, {index: community, worst: 5}]}\ncertainty:",
    )
    page = Page(document_html(study_document(run_tiny(text))))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    heads = page.texts["h2"]
    assert {"The list: priority", "The list: any need"} <= set(heads)


def test_names_on_the_map_lie_above_the_marks_with_a_halo(
    run_tiny: Callable[..., Results], study_text: str
) -> None:
    text = document_html(
        study_document(run_tiny(study_text.replace("province: province", "region: province")))
    )
    drawn = text.split('<svg class="map"')[1].split("</svg>")[0]
    drawn = drawn.split("</g>")[0]  # without the legend
    behind, name = drawn.index("South</text>"), drawn.rindex("South</text>")
    assert 'stroke="#ffffff" stroke-width="3.5"' in drawn[drawn.rindex("<text", 0, behind) : behind]
    assert behind < name
    assert max(drawn.rindex(f"<{mark}") for mark in ("circle", "path")) < behind


def test_bare_areas(run_tiny: Callable[..., Results], study_text: str) -> None:
    bare = study_text
    for line in ("  name: name\n", "  population: people\n", "  longitude: lon\n", "  latitude: lat\n",
                 "  parents: {district: district, province: province}\n"):  # fmt: skip
        bare = bare.replace(line, "")
    text = document_html(study_document(run_tiny(bare, shapes=False)))
    assert "Population not given. The rule:" in text
    assert Page(text).open == []


def test_on_paper_a_long_list_is_cut_short_and_says_so(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A national list of 1,262 took 125 of 148 pages."""
    whole = document_html(study_document(results))
    assert 'class="screen"' not in whole
    n = int(results.designations["priority"].selected.sum())
    monkeypatch.setattr("commonweal.report.study.document._ON_PAPER", n - 1)
    document = study_document(results)
    page = document_html(document)
    listed = page.split('<table id="table-on-the-list">')[1].split("</table>")[0]
    assert listed.count('<tr class="screen">') == 1  # printed without it
    assert page.count("<tr") == whole.count("<tr")  # the screen shows all
    (text,) = [t["cut"] for r in _data(document, files=True)["sections"] for s in r
               for t in s["tables"] if t["title"] == "Villages on the list"]  # fmt: skip
    assert text == f"All {n} rows are in the file results.xlsx."
