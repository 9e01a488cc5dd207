"""The page, the paper and the pack, opened again by other readers."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

import pypdf
import pytest
from tests.evidence.test_page import outline
from tests.pdf_ua import pdf_ua_faults

from commonweal.chart.theme import width_of
from commonweal.document.format import NOT_A_CHANCE
from commonweal.document.html import document_html
from commonweal.document.pdf import document_pdf
from commonweal.errors import CommonwealError, StudyError
from commonweal.report.session.document import session_document
from commonweal.report.session.spec import load_session
from commonweal.report.session.write import write_session

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser
    from tests.report.session.conftest import Meeting

    from commonweal.report.session.content import Content
    from commonweal.study.results import Results


def session_html(told: Content, files: Sequence[tuple[str, str]] = ()) -> str:
    return document_html(session_document(told), files)


def session_pdf(told: Content) -> bytes:
    return document_pdf(session_document(told), files=False)


SVG = "{http://www.w3.org/2000/svg}"


def test_the_page_has_every_part_and_asks_for_nothing(county: Content) -> None:
    html = session_html(county, [("session.pdf", "For paper")])
    page = outline(html)
    assert len(set(page.ids)) == len(page.ids)
    titles = [section.title for section in session_document(county).sections]
    parts = ["In short", "Contents", *titles, "What this does not show", "Files"]
    at = [unescape(html).find(f">{title}</h2>") for title in parts]
    assert min(at) > 0
    assert at == sorted(at)
    named = ("Speakers", "In focus: ", "The state of ", "What the research says: ", "Figures in the text")  # fmt: skip
    found = [[k for k, title in enumerate(titles) if title.startswith(part)] for part in named]
    assert all(found)
    assert [k for places in found for k in places] == sorted(k for places in found for k in places)
    assert {f"#section-{k}" for k in range(1, len(titles) + 1)} <= set(page.links)
    assert set(page.ids) >= {link[1:] for link in page.links if link[0] == "#"}
    assert "default-src 'none'" in html
    for word in ("src=", "url(", "@import", "<script", "<link"):
        assert word not in html
    assert "This county is fictional" in html
    assert "A councillor of the county" in html


def test_headings_go_down_one_step_at_a_time(county: Content) -> None:
    heads = [int(h[1]) for h in outline(session_html(county)).heads]
    assert heads[0] == 1
    assert heads.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(heads))


def test_a_work_stands_once_in_a_reading_list(county: Content) -> None:
    listed = [work.id for part in county.reading for work in part.works]
    assert len(set(listed)) == len(listed)
    assert {"holt-lunstad-2015", "wwcw-2023", "popay-2023"} <= set(listed)
    assert outline(session_html(county)).links.count("https://doi.org/10.3310/GRMA6711") == 1


def test_what_a_file_says_cannot_break_the_page(meeting: Meeting) -> None:
    told = meeting.told(
        title="<script>alert(1)</script>",
        framing="a <b> & {county.priority.count}",
        speakers=[{"role": "<i>", "about": '"x"'}],
    )
    html = session_html(told)
    assert "<script" not in html
    assert "a &lt;b&gt; &amp; 3" in html
    text = "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(session_pdf(told))).pages)
    assert "<script>alert(1)</script>" in text
    assert "a <b> & 3" in text


def test_parts_that_a_file_leaves_out_are_not_there(meeting: Meeting) -> None:
    told = session_document(meeting.told(framing="Nothing but words."))
    assert told.answer == ("Nothing but words.",)
    assert [section.title for section in told.sections] == ["The study: Twenty places"]


def test_the_paper_is_tagged_and_holds_the_same(county: Content) -> None:
    made = session_pdf(county)
    assert made == session_pdf(county)
    reader = pypdf.PdfReader(io.BytesIO(made))
    assert pdf_ua_faults(io.BytesIO(made)) == []
    assert reader.metadata is not None
    assert reader.metadata.title == "Places to meet in Quillshire"
    heads = [b["/Title"] for b in reader.outline if not isinstance(b, list)]
    assert heads
    text = " ".join(" ".join(page.extract_text().split()) for page in reader.pages)
    for said in (*county.framing, "A councillor of the county", "Who lives in the worst 10%"):
        assert " ".join(said.split())[:60] in text
    links = [
        a.get_object()["/A"]["/URI"]
        for page in reader.pages
        for a in page.get("/Annots", [])
        if "/URI" in a.get_object().get("/A", {})
    ]
    assert "https://doi.org/10.3310/GRMA6711" in links


def test_charts_stand_alone_with_a_text_for_those_who_cannot_see(county: Content) -> None:
    assert len(county.charts) == 3 + 4
    for chart in county.charts:
        drawing = ET.fromstring(chart.svg)
        assert drawing.find(f"{SVG}title").text == chart.title  # type: ignore[union-attr]
        assert drawing.find(f"{SVG}desc").text == chart.about  # type: ignore[union-attr]
        said = [t.text for t in drawing.iter(f"{SVG}text")]
        assert "Most deprived 10%" in said
        width = float(drawing.attrib["viewBox"].split()[2])
        assert all(0 <= float(t.attrib["x"]) <= width for t in drawing.iter(f"{SVG}text"))
        assert len(chart.numbers) == 1 + 10 + 5


def test_values_below_nought_stay_inside_the_drawing(meeting: Meeting) -> None:
    meeting.small.replace(meeting.small.indicators, ",1,0.5", ",-40,0.5")  # the halls of A20
    spec = {
        "study": "county",
        "index": "community_needs",
        "deprivation": "deprivation",
        "show": ["halls"],
    }
    (chart,) = [c for c in meeting.told(state=spec).charts if c.id == "state-halls"]
    drawing = ET.fromstring(chart.svg)
    width = float(drawing.attrib["viewBox"].split()[2])
    at = [float(dot.attrib["cx"]) for dot in drawing.iter(f"{SVG}circle")]
    assert len(at) == 1 + 10 + 2
    labels = [t for t in drawing.iter(f"{SVG}text") if t.attrib["x"] == "16.0"]
    assert len(labels) == 1 + 10 + 2
    left = max(16 + width_of(t.text or "") for t in labels)
    assert left < min(at) < max(at) < width


def test_shares_are_told_in_percent_all_through(county: Content) -> None:
    (chart,) = [chart for chart in county.charts if chart.id == "state-volunteering-rate"]
    texts = ET.fromstring(chart.svg).iter(f"{SVG}text")
    said = [t.text for t in texts if "aria-hidden" not in t.attrib]
    assert (
        sum(str(text).endswith("%") for text in said) == 1 + 10 + 5 + 10
    )  # ten groups are named in %
    assert chart.title.count("%") == 3 + 2  # two name the tenths compared
    assert county.state is not None
    rows = [row for strand in county.state.strands for row in strand.table.frame.rows(named=True)]
    (row,) = [row for row in rows if row["Measure"].startswith("Volunteering")]
    assert all(row[head].endswith("%") for head in ("Median", "Middle 50%", "Most deprived 10%"))


def test_axe_finds_no_fault_in_the_page(county: Content, browser: Browser, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    file = tmp_path / "session.html"
    file.write_text(session_html(county, [("session.pdf", "For paper")]), "utf-8")
    for width in (1100, 320):
        context = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(file.as_uri())
        found = Axe().run(page).response["violations"]
        assert [fault["id"] for fault in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()


def test_places_and_larger_areas_are_told(meeting: Meeting) -> None:
    told = meeting.told(areas={"county": ["Southside", "A20", "Place 3"]})
    south, first, third = told.places
    assert (south.name, south.where) == ("Southside", "Places")
    assert south.sentences[:2] == (
        "Southside has 10 places.",
        "3 are on the list of “priority” places; 5,500 people live there.",
    )
    assert (first.name, first.where) == ("Place 20", "Southside")
    assert "is on the list of “priority” places" in first.sentences[0]
    assert "is not on the list" in third.sentences[0]
    with pytest.raises(CommonwealError, match="'A2O'"):
        meeting.told(areas={"county": ["A2O"]})


def test_people_that_are_not_all_known_are_not_added_up(meeting: Meeting) -> None:
    meeting.small.replace(meeting.small.areas, "A20,Place 20,2000,", "A20,Place 20,,")
    (south,) = meeting.told(areas={"county": ["Southside"]}, framing="A place.").places
    assert south.sentences[1] == "3 are on the list of “priority” places."


def test_the_folder_and_the_zip_hold_the_same(demo: Results, tmp_path: Path) -> None:
    session = load_session("demo")
    folder = write_session(session, {"demo": demo}, tmp_path / "out")
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    with zipfile.ZipFile(folder / "demo.zip") as archive:
        assert archive.testzip() is None
        inside = {name.removeprefix("demo/"): archive.read(name) for name in archive.namelist()}
    assert set(inside) == files - {"demo.zip", "provenance.json"}
    assert {"briefing-demo/index.html", "briefing-demo/profiles/F01000001.pdf"} <= files
    for name in set(inside) - {"session.html"}:
        assert (folder / name).read_bytes() == inside[name], name
    page = outline((folder / "session.html").read_text("utf-8"))
    assert {link for link in page.links if "://" not in link and link[0] != "#"} <= files
    assert not any("demo.zip" in link for link in outline(inside["session.html"].decode()).links)
    account = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert account["figures"]["demo.left_behind.count"] == "17"
    rows = list(csv.DictReader(io.StringIO(inside["state.csv"].decode())))
    assert {row["indicator"] for row in rows} == {
        m.name for m in demo.indicators["community_needs"].meta
    }
    assert inside["charts/state-distance-to-library-m.png"].startswith(b"\x89PNG")
    assert json.loads(inside["reading.json"])


def test_the_same_session_gives_the_same_bytes_and_replaces_only_its_own(
    demo: Results, tmp_path: Path
) -> None:
    session = load_session("demo")
    folder = write_session(session, {"demo": demo}, tmp_path / "out")
    first = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    write_session(session, {"demo": demo}, tmp_path / "out")
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == first
    (folder / "mine.txt").write_text("keep", "utf-8")
    with pytest.raises(CommonwealError, match=r"holds mine.txt, which Commonweal did not write"):
        write_session(session, {"demo": demo}, tmp_path / "out")


def test_nothing_is_written_where_a_figure_is_unknown(meeting: Meeting, tmp_path: Path) -> None:
    session = meeting.load(framing="{county.nothing}")
    with pytest.raises(StudyError, match="no such figure"):
        write_session(session, {"county": meeting.small.run()}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_makes_the_session_of_a_file(
    meeting: Meeting, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    file = meeting.write(themes=["places"])
    told = cli("session", file, "--check")
    assert (told.returncode, "valid session" in told.stdout) == (0, True), told.stderr
    done = cli("session", file, "--out", "here", "--draws", "20")
    assert done.returncode == 0, done.stderr
    folder = meeting.small.path / "here"
    assert "Pack:" in done.stdout
    assert "3 of 20 places." in (folder / "session.html").read_text("utf-8")
    wrong = cli("session", meeting.write(framing="{county.priority.cont}"), "--out", "there")
    assert wrong.returncode == 2
    assert "did you mean 'county.priority.count'" in wrong.stderr
    assert not (meeting.small.path / "there").exists()


def test_a_share_of_recalculations_is_said_to_be_no_probability(
    county: Content, meeting: Meeting
) -> None:
    assert session_html(county).count(NOT_A_CHANCE) == 1
    assert NOT_A_CHANCE not in session_html(meeting.told(framing="Nothing but words."))
