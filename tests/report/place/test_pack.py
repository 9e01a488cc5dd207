"""The pack of the fictional county: made, opened again, stopped, gone on with, and made twice at once."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
import threading
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pypdf
import pytest
from tests.pdf_ua import elements, pdf_ua_faults

from commonweal.chart.map import Shapes
from commonweal.errors import CommonwealError
from commonweal.files.atomic import held
from commonweal.files.folder import Staging
from commonweal.report.place import describe
from commonweal.report.place.charts import domain_table
from commonweal.report.place.describing import PlaceDescriber
from commonweal.report.place.overview import overview
from commonweal.report.place.pack import profile_rows, write_pack
from commonweal.study.names import find_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.study.results import Results


def pages_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def profiles_of(results: Results, district: str = "Vesselhoe") -> list[str]:
    inside = results.areas.table["district_name"] == district
    selected = results.designations["left_behind"].selected
    return [c for c, i, s in zip(results.areas.codes, inside, selected, strict=True) if i and s]


@pytest.mark.slow
def test_what_is_in_it(demo: Results, demo_pack: Path) -> None:
    codes = profiles_of(demo)
    assert len(codes) > 3
    there = {p.relative_to(demo_pack).as_posix() for p in demo_pack.rglob("*") if p.is_file()}
    wanted = {"index.html", "overview.html", "overview.pdf", "workbook.xlsx", "README.txt"}
    wanted |= {f"profiles/{code}.{kind}" for code in codes for kind in ("html", "pdf")}
    wanted |= {
        f"charts/{kind}-{code}.{end}"
        for code in codes
        for kind in ("map", "domains")
        for end in ("png", "svg", "csv")
    }
    assert wanted <= there
    assert {p for p in there if p.startswith("profiles/")} == {
        p for p in wanted if p.startswith("profiles/")
    }
    told = json.loads((demo_pack / "provenance.json").read_text("utf-8"))
    assert set(told["all_files"]) == there


def test_pages_hold_together(demo_pack: Path, read_page: Callable[[Path], object]) -> None:
    for path in pages_of(demo_pack):
        page = read_page(path)
        assert page.lang == "en-GB"
        assert len(page.ids) == len(set(page.ids)), path
        assert set(page.labels) <= set(page.ids), path
        assert page.headings[0] == 1
        assert page.headings.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
        assert "script" not in page.tags
        assert all(not load.startswith(("http:", "https:", "//")) for load in page.loads)
        for link in (*page.links, *page.loads):
            if link.startswith("#"):
                assert link[1:] in page.ids
            elif not link.startswith("https://"):
                assert (path.parent / link.split("#")[0]).is_file(), (path, link)
        for image in page.images:
            assert image.get("alt") or image.get("aria-labelledby"), path


@pytest.mark.slow
def test_profiles_say_what_the_results_do(
    demo: Results, demo_pack: Path, read_page: Callable[[Path], object]
) -> None:
    for code in profiles_of(demo):
        place = describe(demo, demo.areas.position[code])
        text = read_page(demo_pack / "profiles" / f"{code}.html").text.replace(
            "\N{NO-BREAK SPACE}", " "
        )
        reader = pypdf.PdfReader(demo_pack / "profiles" / f"{code}.pdf")
        printed = " ".join(" ".join(p.extract_text() for p in reader.pages).split())
        for claim in place.headline:
            assert claim.text in text
            assert claim.text.split(".")[0] in printed
        page = read_page(demo_pack / "profiles" / f"{code}.html")
        for other in (*place.peers, *place.neighbours):
            assert (f"{other.code}.html" in page.links) == (other.code in profiles_of(demo))
        for other in place.peers:
            assert other.name in text
            assert other.name in printed
        for note in (*place.caveats, place.answers[0].change_text, place.note):
            assert note in text


def test_profiles_tell_social_capital_with_intervals(demo: Results, demo_pack: Path) -> None:
    row = next(i for i, code in enumerate(demo.areas.codes)
               if (demo_pack / "profiles" / f"{code}.html").exists())  # fmt: skip
    found = describe(demo, row).capital
    assert found is not None
    code = demo.areas.codes[row]
    page = (
        (demo_pack / "profiles" / f"{code}.html")
        .read_text("utf-8")
        .replace("\N{NO-BREAK SPACE}", " ")
    )
    paper = pypdf.PdfReader(demo_pack / "profiles" / f"{code}.pdf")
    text = " ".join(" ".join(p.extract_text() for p in paper.pages).split())
    assert len(found.here) == 3
    for h in found.here:
        assert f"<td>{h.text}</td><td>{h.interval}</td>" in page
        assert h.interval in text
    assert "No data: Has a close friend; " in page
    assert "This list of 25 headline indicators is not verified." in page
    sheet = openpyxl.load_workbook(next(demo_pack.glob("*.xlsx")))["Social_capital"]
    told = {r[3]: r for r in sheet.iter_rows(min_row=2, values_only=True) if r[0] == code}
    assert len(told) == 25
    assert [told[h.name][7:9] for h in found.here] == [
        (pytest.approx(h.low), pytest.approx(h.high)) for h in found.here
    ]


def test_pdf_files_are_accessible(demo_pack: Path) -> None:
    files = sorted(demo_pack.rglob("*.pdf"))
    assert files
    for path in files:
        reader = pypdf.PdfReader(path)
        assert pdf_ua_faults(path) == []
        assert reader.trailer["/Root"]["/Lang"] == "en-GB"
        assert reader.outline
        kinds = {str(one["/S"]) for one in elements(reader.trailer["/Root"]["/StructTreeRoot"])}
        assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= kinds
        if path.parent.name == "profiles":
            assert len(reader.pages) <= 2
        for page in reader.pages:
            width, height = (float(v) for v in page.mediabox[2:])
            assert (width, height) == pytest.approx((595.28, 841.89), abs=0.1)


def test_fonts_are_in_the_file(demo_pack: Path) -> None:
    for page in pypdf.PdfReader(demo_pack / "overview.pdf").pages:
        for font in page["/Resources"]["/Font"].values():
            (below,) = font["/DescendantFonts"]
            assert "DejaVu" in font["/BaseFont"]
            assert any(k.startswith("/FontFile") for k in below.get_object()["/FontDescriptor"])


def test_workbook_reads_as_tables(demo: Results, demo_pack: Path) -> None:
    book = openpyxl.load_workbook(demo_pack / "workbook.xlsx")
    assert book.sheetnames[:2] == ["Cover", "Notes"]
    for sheet in book:
        assert not sheet.merged_cells.ranges
        assert len(sheet.tables) == 1
        assert all(c.data_type != "f" for row in sheet.iter_rows() for c in row)
    rows = list(book["On_the_list"].iter_rows(min_row=2, values_only=True))
    assert {r[1] for r in rows} == set(profiles_of(demo))
    chance = dict(zip(demo.areas.codes, demo.certainty["left_behind"].selected, strict=True))
    head = [c.value for c in next(book["On_the_list"].iter_rows(min_row=1, max_row=1))]
    for row in rows:
        assert row[head.index("Recalculations on the list")] == pytest.approx(chance[row[1]])
    ranges = [k for k, name in enumerate(head) if name.endswith(": range of ranks")]
    assert len(ranges) == 2
    assert not any(name.endswith(": rank") for name in head)  # these hold numbers in results.xlsx
    assert all(
        re.fullmatch(r"[\d,]+(st|nd|rd|th)( to .+)?", row[k]) for row in rows for k in ranges
    )


def test_charts_have_their_numbers(demo: Results, demo_pack: Path) -> None:
    code = profiles_of(demo)[0]
    place = describe(demo, demo.areas.position[code])
    table = domain_table(place.name, place.standings).frame
    rows = list(
        csv.reader(io.StringIO((demo_pack / f"charts/domains-{code}.csv").read_text("utf-8")))
    )
    assert rows[0] == table.columns
    assert [float(r[1]) for r in rows[1:]] == pytest.approx(table[place.name].to_list())
    for path in (demo_pack / "charts").glob("*.png"):
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", head[16:24])
        assert width > 600
        assert height > 150


def test_overview_counts_what_the_designation_does(
    demo: Results, demo_pack: Path, read_page: Callable[[Path], object]
) -> None:
    text = read_page(demo_pack / "overview.html").text
    inside = demo.areas.table["district_name"] == "Vesselhoe"
    n, of = len(profiles_of(demo)), int(inside.sum())
    assert (
        f"{n} of {of} neighbourhoods in Vesselhoe are on the list of “left behind” neighbourhoods."
        in text
    )
    d = demo.designations["left_behind"]
    people = demo.areas.population
    home = people[(inside.to_numpy()) & d.selected].sum()
    assert f"They are home to {home:,.0f} of {people[inside.to_numpy()].sum():,.0f} people." in text


def test_people_are_added_up_where_all_are_known(small: Small) -> None:
    def told() -> tuple[str, str]:
        results = small.run(draws=0)
        scope = find_scope(results.areas, [])
        told = overview(
            PlaceDescriber(results),
            scope,
            Shapes(results.areas, results.boundaries, results.outline),
            lambda _: "",
        ).document
        return told.heading, " ".join(told.answer)

    facts, headline = told()
    assert facts == "20 places, 21,000 people."
    assert "They are home to 5,500 of 21,000 people." in headline
    small.replace(small.areas, "A01,Place 1,100,", "A01,Place 1,,")
    facts, headline = told()
    assert facts == "20 places."
    assert "They are home to 5,500 people." in headline


def test_an_overview_says_that_ties_let_more_in_and_that_nobody_lives_there(small: Small) -> None:
    for code in ("A16", "A15", "A14"):
        small.replace(small.indicators, f"{code},{code[1:]},", f"{code},17,")
    small.replace(small.areas, "A20,Place 20,2000,", "A20,Place 20,0,")
    small.write(designate={"p": {"index": "deprivation", "worst": "20%"}})
    results = small.run(draws=0)
    scope = find_scope(results.areas, [])
    document = overview(
        PlaceDescriber(results),
        scope,
        Shapes(results.areas, results.boundaries, results.outline),
        lambda _: "",
    ).document
    told = " ".join(document.answer)
    assert "would be 4, but 7 are included, because 4 tie at the cut-off." in told
    assert "1 of the 7 places has no residents." in told


def test_zip_holds_every_file(demo_pack: Path) -> None:
    (archive,) = demo_pack.glob("*.zip")
    with zipfile.ZipFile(archive) as packed:
        assert packed.testzip() is None
        names = {n.removeprefix("vesselhoe/") for n in packed.namelist()}
        there = {p.relative_to(demo_pack).as_posix() for p in demo_pack.rglob("*") if p.is_file()}
        assert names == there - {archive.name, "provenance.json"}
        assert packed.read("vesselhoe/overview.pdf") == (demo_pack / "overview.pdf").read_bytes()


@pytest.mark.slow
def test_the_same_results_give_the_same_bytes(
    demo: Results, demo_pack: Path, tmp_path: Path
) -> None:
    again = write_pack(
        demo, find_scope(demo.areas, ["Vesselhoe"]), tmp_path / "vesselhoe", charts="all"
    )
    for path in demo_pack.rglob("*"):
        if path.is_file():
            assert (again / path.relative_to(demo_pack)).read_bytes() == path.read_bytes(), path


def test_what_is_finished_is_kept(demo: Results, tmp_path: Path) -> None:
    scope = find_scope(demo.areas, ["Vesselhoe"])
    codes = profiles_of(demo)

    def stop(what: str, done: int, total: int) -> None:
        if what == "writing profiles" and done == 3:
            raise KeyboardInterrupt

    folder = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_pack(demo, scope, folder, charts="none", progress=stop)
    assert not folder.exists()
    (part,) = tmp_path.iterdir()
    first = {p.name: p.stat().st_mtime_ns for p in (part / "profiles").iterdir()}
    assert sorted(first) == sorted(f"{c}.{e}" for c in codes[:2] for e in ("html", "pdf"))
    write_pack(demo, scope, folder, charts="none")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    now = {p.name: p.stat().st_mtime_ns for p in (folder / "profiles").iterdir()}
    assert len(now) == 2 * len(codes)
    assert {name: now[name] for name in first} == first
    # A third time there is nothing left to do.
    write_pack(demo, scope, folder, charts="none", progress=lambda *_: pytest.fail("wrote again"))


def test_another_pack_takes_its_place(demo: Results, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    one, two = demo.areas.codes[:2]
    write_pack(demo, find_scope(demo.areas, [one]), folder, charts="none")
    assert not (folder / "overview.html").exists()  # of one place there is nothing to sum up
    write_pack(demo, find_scope(demo.areas, [two]), folder, charts="none")
    assert sorted(p.stem for p in (folder / "profiles").iterdir()) == [two, two]


def test_nothing_of_others_is_replaced(demo: Results, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine", "utf-8")
    with pytest.raises(CommonwealError, match=r"thesis\.doc, which Commonweal did not write"):
        write_pack(demo, find_scope(demo.areas, [demo.areas.codes[0]]), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.doc"]


def test_only_what_packs_have_left_is_tidied_up(tmp_path: Path) -> None:
    long_ago = 1_000_000_000
    ours = [f".[ab].{'0' * 16}.part", f".[ab].{'0' * 12}.tmp"]
    others = [f".a.{'0' * 16}.part", ".[ab].notes.tmp", f".[ab].x.{'0' * 16}.part"]
    for name in (*ours, *others):
        path = tmp_path / name
        path.mkdir() if name.endswith(".part") else path.write_text("", "utf-8")
        os.utime(path, (long_ago, long_ago))
    live = tmp_path / f".[ab].{'2' * 16}.part"
    with held(live):
        live.mkdir()
        os.utime(live, (long_ago, long_ago))
        with Staging(tmp_path / "[ab]", "1" * 64) as staging:
            staging.file("a.txt", lambda: b"")
            assert live.is_dir()  # a run of another pack is writing it
    assert {p.name for p in tmp_path.iterdir()} == {staging.folder.name, live.name, *others}
    with Staging(tmp_path / "[ab]", "3" * 64):
        assert not live.exists()
        assert not staging.folder.exists()


def test_two_at_once_leave_one_whole_pack(demo: Results, tmp_path: Path) -> None:
    scope = find_scope(demo.areas, demo.areas.codes[:6])
    folder = tmp_path / "out"
    failed: list[BaseException] = []

    def work() -> None:
        try:
            write_pack(demo, scope, folder, charts="none")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    told = json.loads((folder / "provenance.json").read_text("utf-8"))
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == set(told["all_files"])


NASTY = {
    20: "<script>alert(1)</script> & \"so\" 'on'",
    18: '=HYPERLINK("http://example.org")',
    17: '#panic("typst") $x$ [a] *b*',
}


def test_names_are_names_wherever_they_stand(
    small: Small, tmp_path: Path, read_page: Callable[[Path], object]
) -> None:
    text = small.areas.read_text("utf-8")
    for i, name in NASTY.items():
        quoted = '"' + name.replace('"', '""') + '"'
        text = text.replace(f"A{i},Place {i},", f"A{i},{quoted},")
    small.areas.write_text(text, "utf-8")
    results = small.run()
    folder = write_pack(results, find_scope(results.areas, []), tmp_path / "out", charts="all")
    for i, name in NASTY.items():
        page = read_page(folder / "profiles" / f"A{i}.html")
        assert "script" not in page.tags
        assert name in page.text
        printed = pypdf.PdfReader(folder / "profiles" / f"A{i}.pdf").pages[0].extract_text()
        assert name[:12] in " ".join(printed.split())
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert all(c.data_type != "f" for c in cells)
    assert set(NASTY.values()) <= {c.value for c in cells}
    for path in (folder / "charts").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text("utf-8"))):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row)


def test_codes_are_codes_wherever_they_stand(
    small: Small, tmp_path: Path, read_page: Callable[[Path], object]
) -> None:
    nasty = {"A20": "../../up", "A18": "x' onload='alert(1)"}
    lines = small.areas.read_text("utf-8").splitlines()
    head, *rows = lines
    rows = [f"{row},{i * 0.01:.2f},{i % 5 * 0.01:.2f}" for i, row in enumerate(rows)]
    text = "\n".join([f"{head},lon,lat", *rows]) + "\n"
    numbers = small.indicators.read_text("utf-8")
    for old, new in nasty.items():
        text, numbers = (t.replace(f"\n{old},", f"\n{new},") for t in (text, numbers))
    small.areas.write_text(text, "utf-8")
    small.indicators.write_text(numbers, "utf-8")
    results = small.run(small.write(areas__longitude="lon", areas__latitude="lat"))
    out = tmp_path / "deep" / "down" / "out"
    folder = write_pack(results, find_scope(results.areas, []), out, charts="all")
    assert {p.name for p in tmp_path.rglob("*.svg")} == {p.name for p in folder.rglob("*.svg")}
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert len(list((folder / "charts").glob("map-*.svg"))) == 3
    for path in pages_of(folder):
        text = path.read_text("utf-8")
        assert "onload=" not in text.replace("onload=&#39;", "")
        read_page(path)


def test_a_study_without_places_on_a_map_or_rules(small: Small, tmp_path: Path) -> None:
    study = small.write(designate=None, certainty=None, areas__parents=None, areas__population=None)
    results = small.run(study)
    folder = write_pack(results, find_scope(results.areas, []), tmp_path / "out")
    assert sorted(p.name for p in (folder / "profiles").iterdir()) == [
        "A19.html", "A19.pdf", "A20.html", "A20.pdf",
    ]  # fmt: skip
    assert (
        "How each domain compares"
        in pypdf.PdfReader(folder / "overview.pdf").pages[0].extract_text()
    )
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    rows = list(book["Profiles"].iter_rows(min_row=1, values_only=True))
    assert rows[0] == ("Code", "Name", "Summary")
    assert [row[0] for row in rows[1:]] == ["A19", "A20"]


def test_the_worst_tenth_is_counted_not_read_off_the_last_rank(small: Small) -> None:
    """All but three share the last rank, 4th: a tenth of the places is still two."""
    text = "".join(f"A{i:02d},{max(i, 17)},{21 - i},0.5\n" for i in range(1, 21))
    small.indicators.write_text(f"code,income,halls,income_se\n{text}", "utf-8")
    results = small.run(small.write(designate=None, certainty=None))
    rows = profile_rows(results, find_scope(results.areas, []), "selected")
    assert [results.areas.codes[row] for row in rows] == ["A19", "A20"]


def test_each_of_two_lists_has_its_own_charts_and_tables(
    small: Small, tmp_path: Path, read_page: Callable[[Path], object]
) -> None:
    head, *rows = small.areas.read_text("utf-8").splitlines()
    lines = [f"{row},{k * 0.01:.2f},{k * 0.01:.2f}" for k, row in enumerate(rows)]
    small.areas.write_text("\n".join([f"{head},lon,lat", *lines]), "utf-8")
    lists = {
        "poor": {"index": "deprivation", "worst": 4},
        "bare": {"index": "community_needs", "worst": 2},
    }
    study = small.write(areas__longitude="lon", areas__latitude="lat", designate=lists)
    results = small.run(study)
    folder = write_pack(results, find_scope(results.areas, []), tmp_path / "out")
    maps = {name: (folder / f"charts/overview-map-{name}.csv").read_text("utf-8") for name in lists}
    for name, n in (("poor", 4), ("bare", 2)):
        counted = [int(row[1]) for row in list(csv.reader(io.StringIO(maps[name])))[1:3]]
        assert sum(counted) == n
        assert (folder / f"charts/overview-recalculations-{name}.svg").is_file()
    page = read_page(folder / "overview.html")
    assert len(page.ids) == len(set(page.ids))
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    titles = {cell.value for cell in book["Cover"]["A"]}
    assert {"On the list: poor", "On the list: bare"} <= titles


def test_means_of_larger_areas_stand_under_their_own_heads(small: Small, tmp_path: Path) -> None:
    """A20 lies in no district, though in a region: it has a mean for that alone."""
    text = small.areas.read_text("utf-8").replace(
        "A20,Place 20,2000,S,Southside", "A20,Place 20,2000,,"
    )
    head, *rows = text.splitlines()
    lines = [f"{row},{'EW'[k < 5]},{'EW'[k < 5]}side" for k, row in enumerate(rows)]
    small.areas.write_text("\n".join([f"{head},region,region_name", *lines]), "utf-8")
    parents = {"district": ["district", "district_name"], "region": ["region", "region_name"]}
    results = small.run(small.write(areas__parents=parents))
    folder = write_pack(
        results, find_scope(results.areas, ["A20", "A18"]), tmp_path / "out", charts="none"
    )
    rows = list(
        openpyxl.load_workbook(folder / "workbook.xlsx")["Profile_domains"].iter_rows(
            min_row=1, values_only=True
        )
    )
    district, region = (rows[0].index(f"Mean of its {kind}") for kind in ("authority", "region"))
    known = {(row[0], row[district] is not None, row[region] is not None) for row in rows[1:]}
    assert known == {("A20", False, True), ("A18", True, True)}


def test_the_command(tell: Callable[..., tuple[int, str, str]], small: Small) -> None:
    code, out, err = tell("brief", small.study, "Southside", "--out", "pack")
    assert (code, err) == (0, "")
    assert out.startswith("Southside: 10 places, 3 profiles.\nPack: ")
    code, out, _ = tell(
        "brief", small.study, "A01", "--profiles", "none", "--out", "pack", "--json"
    )
    assert code == 0
    assert json.loads(out)["profiles"] == 1
    code, out, err = tell("brief", small.study, "Nowhere")
    assert (code, out) == (2, "")
    assert "place or larger area 'Nowhere' not found" in err


def test_what_is_wrong_is_told_before_a_long_run(
    tell: Callable[..., tuple[int, str, str]], small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commonweal.study.run.run", lambda *_, **__: pytest.fail("it has run"))
    mine = small.path / "packs" / "study-southside"
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("mine", "utf-8")
    code, _, err = tell("brief", small.study, "Southside")
    assert code == 2
    assert "holds notes.txt, which Commonweal did not write" in err
    monkeypatch.setattr("commonweal.cli.brief.MOST_PROFILES", 19)
    code, _, err = tell("brief", small.study, "--profiles", "all", "--out", "all")
    assert code == 2
    assert "20 profiles are too many for one folder (at most 19)" in err
