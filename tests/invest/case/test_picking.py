"""Sites that a reader picks on a page: the script gives what the rooms behind it give for the same sites."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from commonweal.document.html import document_html
from commonweal.invest.case.case import appraise_sites
from commonweal.invest.case.valuation import load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.siting.demand import Candidates
from commonweal.invest.siting.on_study import SitingOptions, site
from commonweal.report.case.pack_pages import MOST, interactive_picker, options_page, site_picker
from commonweal.report.invest_maps import pick_map
from commonweal.report.siting import siting_document, siting_section
from commonweal.study.names import find_scope
from commonweal.web.invest import Options, options_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from commonweal.invest.interventions import Interventions
    from commonweal.invest.siting.result import SitingResult
    from commonweal.sources import Store
    from commonweal.study.results import Results

PLACE = "Vesselhoe"
KINDS = ("library", "youth-centre", "pub")
BY_PEOPLE = "by people"
UNDER_THE_POINTER = """boxes => boxes.map((box) => {
    box.scrollIntoView({block: "center"});
    const place = box.getBoundingClientRect();
    const at = [place.x + place.width / 2, place.y + place.height / 2];
    return !box.disabled && document.elementFromPoint(...at) === box;
})"""
"""Whether a click on each of these boxes reaches it."""


def interventions_of(key: str) -> Interventions:
    """Give those that ship, or a hub that costs so much for every 1,000 people, not for each place."""
    shipped = load_interventions()
    if key != BY_PEOPLE:
        return shipped
    hub = shipped.interventions["community_hub"]
    cost = hub.cost.model_copy(update={"per": "1000_residents"})
    more = {"community_hub": hub.model_copy(update={"cost": cost})}
    return shipped.model_copy(update={"interventions": {**shipped.interventions, **more}})


@pytest.fixture(scope="module")
def proposed(county: Results, store: Store) -> dict[str, SitingResult]:
    found = {
        kind: site(county, SitingOptions(PLACE, kind, 3, method="search"), store, effect=False)
        for kind in KINDS
    }
    return {**found, BY_PEOPLE: found["library"]}


@pytest.fixture(scope="module")
def pages(
    county: Results,
    store: Store,
    proposed: dict[str, SitingResult],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    folder, scope = tmp_path_factory.mktemp("pages"), find_scope(county.areas, [PLACE])
    found = {}
    for kind in KINDS:
        found[kind] = folder / f"{kind}.html"
        found[kind].write_text(options_page(county, scope, kind, store).page(), "utf-8")
    sited = proposed[BY_PEOPLE]
    live = interactive_picker(sited, interventions_of(BY_PEOPLE), load_values())
    found[BY_PEOPLE] = folder / "by-people.html"
    found[BY_PEOPLE].write_text(document_html(siting_document(sited), live=live), "utf-8")
    return found


@pytest.fixture
def open_page(browser: Browser, pages: dict[str, Path]) -> Iterator[Callable[..., Page]]:
    """Open a page from disk, and see to it that nothing is asked of a server, nor logged as an error."""
    opened, faults = [], []

    def opens(kind: str, width: int = 1280, javascript: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=javascript, offline=True
        )
        opened.append(context)
        page = context.new_page()
        address = pages[kind].as_uri()
        page.on("request", lambda r: None if r.url == address else faults.append(r.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text))
        page.goto(address)
        return page

    yield opens
    for context in opened:
        context.close()
    assert faults == []


def weighed(
    county: Results,
    sited: SitingResult,
    rows: list[int],
    store: Store,
    interventions: Interventions,
) -> Options:
    """Ask the rooms themselves for sites, as the explorer does."""
    picked = Candidates(sited.candidates.table[rows], "sites that were picked")
    scope = find_scope(county.areas, [PLACE])
    ask = SitingOptions(PLACE, sited.kind, method="search", sites=len(rows))
    found = site(county, ask, store, scope=scope, picked=picked, effect=False)
    worth = appraise_sites(found, interventions, load_values())
    return Options(scope, found, siting_section(found), worth, True, "")


def told_on(page: Page) -> list[str]:
    return page.locator("#live-answer p").all_inner_texts()


def untyped(texts: list[str]) -> list[str]:
    return list(texts)


def test_those_proposed_come_first_and_the_rest_reach_less_and_less(
    proposed: dict[str, SitingResult],
) -> None:
    sited = proposed["library"]
    picking = site_picker(sited)
    assert picking is not None
    assert len(picking.sites) == MOST < len(sited.candidates)
    first, rest = picking.sites[:3], picking.sites[3:]
    assert sorted(first["row"]) == sited.solution.chosen.tolist()
    assert not rest["proposed"].any()
    assert rest["people"].is_sorted(descending=True)
    listed = set(picking.sites["row"])
    left = [row for row in range(len(sited.candidates)) if row not in listed]
    late = np.isnan(sited.solution.distance_before)[sited.problem.point()]
    people = sited.demand.people[sited.problem.point()]
    alone = np.bincount(sited.problem.site, np.where(late, people, 0.0), sited.problem.n_sites)
    assert alone[left].max() <= rest["people"].min()


def test_none_of_those_proposed_is_left_out_however_many_they_are(
    county: Results, store: Store, proposed: dict[str, SitingResult]
) -> None:
    """The page says that those proposed are on it, and a button goes back to them."""
    table = proposed["library"].candidates.table.head(MOST + 5)
    assert len(table) == MOST + 5
    picked = Candidates(table, "sites that were picked")
    picking = site_picker(
        site(
            county, SitingOptions(PLACE, "library", len(table)), store, picked=picked, effect=False
        )
    )
    assert picking is not None
    assert sorted(picking.sites["row"]) == list(range(MOST + 5))
    assert picking.sites["proposed"].all()


def test_the_page_tells_of_others_only_where_there_are_any(
    county: Results, store: Store, proposed: dict[str, SitingResult]
) -> None:
    ask = SitingOptions(PLACE, "library", MOST + 5, model="p_median", method="greedy")
    many = site(county, ask, store, effect=False)
    assert MOST < len(many.sites) < len(many.candidates)
    for sited, others in ((proposed["library"], True), (many, False)):
        live = interactive_picker(sited, interventions_of("library"), load_values())
        assert live is not None
        assert "the proposed ones" in live.html
        assert ("and those that newly reach" in live.html) == others


@pytest.mark.parametrize("how", ["outline unknown", "several in one area", "neither"])
def test_each_point_is_drawn_once(proposed: dict[str, SitingResult], how: str) -> None:
    """A script fills in what is reached, so each point has one shape, and none is behind another's."""
    sited = proposed["library"]
    picking = site_picker(sited)
    assert picking is not None
    codes = list(sited.demand.codes)
    first, second = picking.points[:2]
    if how == "several in one area":
        codes[second] = codes[first]
    if how == "outline unknown":
        geometry = pl.when(pl.col("code") != codes[first]).then("geometry")
        sited = replace(sited, outlines=sited.outlines.with_columns(geometry=geometry))
    sited = replace(sited, demand=replace(sited.demand, codes=codes))
    drawn = pick_map(sited, picking.sites, picking.points)
    shapes = re.findall(r'<(\w+) [^>]*data-point="(\d+)"', drawn)
    assert sorted(int(k) for _, k in shapes) == list(range(len(picking.points)))
    circles = {"outline unknown": 1, "several in one area": 2, "neither": 0}
    assert sum(tag == "circle" for tag, _ in shapes) == circles[how]


def test_no_place_is_reached_that_had_one(proposed: dict[str, SitingResult]) -> None:
    sited = proposed["library"]
    picking = site_picker(sited)
    assert picking is not None
    assert np.isnan(sited.solution.distance_before[list(picking.points)]).all()
    everyone = sited.demand.people[list(picking.points)].sum()
    assert everyone < picking.sites["people"].sum()  # they overlap, so a sum of them is too much


@pytest.mark.parametrize("kind", [*KINDS, BY_PEOPLE])
def test_the_script_says_what_the_rooms_say(
    county: Results,
    store: Store,
    proposed: dict[str, SitingResult],
    open_page: Callable[..., Page],
    kind: str,
) -> None:
    sited = proposed[kind]
    picking = site_picker(sited)
    assert picking is not None
    page, n = open_page(kind), len(picking.sites)
    boxes = page.locator("input[data-site]")
    assert boxes.count() == n
    some = sorted(np.random.default_rng(7).choice(n, -(-n // 3), replace=False).tolist())
    sets = [list(range(min(3, n))), [n - 1], some, list(range(n))]
    capped = 0
    for picked in sets:
        page.get_by_role("button", name="Untick all").click()
        if len(picked) == n:
            assert boxes.evaluate_all(UNDER_THE_POINTER) == [True] * n
        # As a reader's click does, at once: a pointer's waits each time until the page is drawn anew.
        boxes.evaluate_all("(boxes, picked) => picked.forEach((k) => boxes[k].click())", picked)
        assert boxes.evaluate_all("boxes => boxes.map((box) => box.checked)") == [
            k in picked for k in range(n)
        ]
        rows = picking.sites["row"].gather(picked).to_list()
        found = weighed(county, sited, rows, store, interventions_of(kind))
        assert untyped(told_on(page)) == options_answer(found)
        newly = dict(found.sited.sites.select("id", "newly").rows())
        column = page.locator("#live-sites tbody tr td:nth-child(3)").all_inner_texts()
        ids = sited.candidates.table["id"].gather(rows).to_list()
        assert [column[k] for k in picked] == [f"{newly[i]:,.0f}" for i in ids]
        assert [column[k] for k in range(n) if k not in picked] == [""] * (n - len(picked))
        anew = found.section.charts[0].numbers.frame["Points"][1]
        assert page.locator("#live-rows tr").count() == anew
        assert page.locator("[data-point].anew").count() == anew
        capped += max(newly.values()) > 1500 / 0.25
    if kind == "library":
        assert 0 < capped < len(sets)  # sets with more people than an effect reaches, and without


def test_a_click_on_the_map_and_the_keyboard_do_the_same(open_page: Callable[..., Page]) -> None:
    page = open_page("library")
    proposed = told_on(page)
    box = page.locator("input[data-site='3']")
    box.focus()
    page.keyboard.press("Space")
    by_key = told_on(page)
    assert by_key != proposed
    assert by_key[0].startswith("4 new venues")
    page.get_by_role("button", name="Back to the proposed sites").click()
    assert told_on(page) == proposed
    page.locator("g[data-site='3'] circle").click(force=True)
    assert box.is_checked()
    assert told_on(page) == by_key
    page.get_by_role("button", name="Untick all").click()
    assert told_on(page) == [
        "Tick a site to see whom it reaches, what it costs and what it is worth."
    ]
    assert page.locator("#live-answer").get_attribute("role") == "status"


def test_without_scripts_and_on_paper_the_page_stays_as_it_was(
    open_page: Callable[..., Page],
) -> None:
    still = open_page("library", javascript=False)
    printed = open_page("library")
    printed.emulate_media(media="print")
    for page in (still, printed):
        assert page.locator("section.live").is_hidden()
        assert page.get_by_role("heading", name="In short").is_visible()
        assert page.locator("#table-sites").is_visible()
    assert still.get_by_role("link", name="Pick sites yourself").is_hidden()


@pytest.mark.parametrize("width", [1280, 320])
def test_it_is_accessible(open_page: Callable[..., Page], width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page("library", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll(".live button, .live input, .live summary")]
        .map((e) => e.getBoundingClientRect()).filter((r) => r.width < 24 || r.height < 24).length"""
    )
    assert small == 0
    found = Axe().run(
        page,
        options={
            "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"],
            "resultTypes": ["violations"],
        },
    )
    assert [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]] == []


@pytest.mark.slow
def test_where_nobody_is_reached_anew_there_is_nothing_to_pick(
    county: Results, store: Store, proposed: dict[str, SitingResult]
) -> None:
    there = proposed["library"].existing
    already = (
        proposed["library"]
        .candidates.table[:1]
        .with_columns(longitude=pl.lit(there.longitude[0]), latitude=pl.lit(there.latitude[0]))
    )
    found = site(
        county,
        SitingOptions(PLACE, "library", 1),
        store,
        picked=Candidates(already, "there"),
        effect=False,
    )
    assert site_picker(found) is None
