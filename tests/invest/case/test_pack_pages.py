"""Pages that a briefing pack has besides: options, and a programme."""

from __future__ import annotations

import io
import signal
import zipfile
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdf
import pytest

from commonweal.errors import CommonwealError
from commonweal.invest.siting.lagrangian import greedy
from commonweal.report.case.pack_pages import SITES, options_page, programme_page
from commonweal.report.place.pack import write_pack
from commonweal.study.names import Scope, find_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.sources import Store
    from commonweal.study.results import Results

RULE = """
title: Three places of the county
study: demo
official: Made up for a test.
rank: {of: {deprivation: 1}, official: true}
money: {awards: 3, official: true}
in_need:
  - {index: deprivation, worst: 10%, official: true}
"""


def text_of(paper: bytes | Path) -> str:
    file = io.BytesIO(paper) if isinstance(paper, bytes) else paper
    return " ".join(" ".join(p.extract_text() for p in pypdf.PdfReader(file).pages).split())


@pytest.fixture(scope="module")
def scope(county: Results) -> Scope:
    return find_scope(county.areas, ["Vesselhoe"])


@pytest.mark.slow
def test_the_pack_links_its_page_of_options_and_tells_what_it_is_worth(
    county: Results, scope: Scope, store: Store, tmp_path: Path
) -> None:
    extra = options_page(county, scope, "library", store)
    folder = write_pack(county, scope, tmp_path / "pack", charts="none", extras=[extra])
    page = (folder / "options.html").read_text("utf-8")
    assert f"{SITES} new venues would bring" in page
    assert "Each is costed and valued as a community hub." in page
    assert "Each pound of public money is expected to bring" in page
    assert "This area is fictional" in page
    assert "people within 15 minutes" in text_of(folder / "options.pdf")
    index = (folder / "index.html").read_text("utf-8")
    assert 'href="options.html"' in index
    assert 'href="options.pdf"' in index
    assert "options.html, options.pdf" in (folder / "README.txt").read_text("utf-8")
    with zipfile.ZipFile(folder / "pack.zip") as archive:
        assert "pack/options.html" in archive.namelist()


def test_a_pack_is_made_anew_where_its_page_would_differ(
    county: Results, scope: Scope, store: Store, tmp_path: Path
) -> None:
    plain = write_pack(county, scope, tmp_path / "pack", charts="none", profiles="none")
    assert not (plain / "options.html").exists()
    extra = options_page(county, scope, "library", store)
    again = write_pack(
        county, scope, tmp_path / "pack", charts="none", profiles="none", extras=[extra]
    )
    assert (again / "options.html").exists()


def test_an_interrupted_search_makes_no_page(
    county: Results, scope: Scope, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def searched(*args: Any, **kwargs: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return greedy(*args, **kwargs)

    monkeypatch.setattr(import_module("commonweal.invest.siting.solve"), "greedy", searched)
    with pytest.raises(KeyboardInterrupt):
        options_page(county, scope, "library", store)


def test_a_page_on_what_was_not_read_tells_no_worth(
    county: Results, scope: Scope, store: Store
) -> None:
    page = options_page(county, scope, "arts-centre", store).page()
    assert "This study has no data on venues of the kind “arts centre or gallery”" in page
    assert "we do not know who has such a venue already" in page
    assert "that near, up from" not in page.split("<script")[0]
    assert "Each pound of public money" not in page


def test_a_page_of_options_is_about_all_of_a_small_study(county: Results, store: Store) -> None:
    """Of one authority, such as 57 neighbourhoods, it is wanted; of all of England it cannot be told."""
    n = len(county.areas)
    everywhere = Scope("All", np.arange(n), np.zeros(n, dtype=bool), True)
    assert f"{SITES} new venues" in options_page(county, everywhere, "library", store).page()
    many = replace(everywhere, rows=np.zeros(1_501, dtype=np.intp))
    with pytest.raises(CommonwealError, match="1,501: name a place or an authority"):
        options_page(county, many, "library", store)


def test_a_page_of_options_proposes_no_more_sites_than_there_are(
    county: Results, store: Store
) -> None:
    for code in county.areas.codes[::80]:
        page = options_page(county, find_scope(county.areas, [code]), "library", store).page()
        assert "new venue" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--options", "libary"), "did you mean 'library'"),
        (("--programme", "bad.yaml"), "bad.yaml: in_need: missing"),
        (("--programme", "appg-225"), "on the study left-behind-2019; expected one on demo"),
        (("--programme", "good.yaml", "--against", "bad.yaml"), "bad.yaml: in_need: missing"),
    ],
)
def test_pages_that_cannot_be_made_are_refused_before_the_study_is_run(
    words: tuple[str, ...],
    told: str,
    tell: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("commonweal.study.run.run", None)
    (tmp_path / "good.yaml").write_text(RULE, "utf-8")
    (tmp_path / "bad.yaml").write_text(RULE[: RULE.index("in_need")], "utf-8")
    code, _, complained = tell("brief", "demo", "Vesselhoe", *words)
    assert code == 2
    assert told in " ".join(complained.split())


def test_too_many_areas_have_no_page_of_options_and_are_refused_before_the_run(
    tell: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commonweal.study.run.run", None)
    monkeypatch.setattr("commonweal.report.case.pack_pages.MOST_AREAS", 399)
    code, _, complained = tell("brief", "demo", "--options", "library")
    assert (code, "name a place or an authority" in complained) == (2, True)


def test_a_programme_says_whom_it_selects(county: Results, store: Store, tmp_path: Path) -> None:
    rule = tmp_path / "three.yaml"
    rule.write_text(RULE, "utf-8")
    extra = programme_page(county, str(rule), store)
    assert extra.title == "Three places of the county"
    assert "3 neighbourhoods get an award" in extra.page()
    paper = text_of(extra.paper())
    assert "3 neighbourhoods get an award" in paper
    assert "tables/" not in paper  # a pack has no such folder


def test_a_programme_says_who_gains_and_loses_beside_the_lists_of_the_study(
    county: Results, store: Store, tmp_path: Path
) -> None:
    rule = tmp_path / "three.yaml"
    rule.write_text(RULE, "utf-8")
    other = tmp_path / "five.yaml"
    other.write_text(RULE.replace("awards: 3", "awards: 5").replace("Three", "Five"), "utf-8")
    page = programme_page(county, str(rule), store, against=str(other)).page()
    listed = county.designations["left_behind"].selected
    first = np.argsort(county.scores["deprivation"].rank)[:3]
    people = county.areas.population
    three = np.zeros(len(people), dtype=bool)
    three[first] = True
    for who, some in (
        ("On both lists", three & listed),
        ("On Three places of the county only", three & ~listed),
        ("On this study&#39;s list “left behind” only", ~three & listed),
    ):
        cells = f'>{some.sum()}</td><td class="n">{people[some].sum():,.0f}</td>'
        assert f'<th scope="row">{who}</th><td class="n"{cells}' in page
    assert "Compared with Five places of the county" in page
    assert "Both lists are the same" not in page
    assert page.count("<path", page.index('<figure id="map-')) > 100  # the land behind the marks


def test_a_programme_of_another_study_is_refused(county: Results, store: Store) -> None:
    with pytest.raises(
        CommonwealError, match="on the study left-behind-2019; expected one on demo"
    ):
        programme_page(county, "appg-225", store)
