"""The explorer in a real browser, as people use it: mouse, keyboard, narrow screen, no scripts, axe."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pyproj
import pytest
from tests.waits import served

from commonweal.access.postcodes import Postcodes
from commonweal.study.postcodes import PostcodeLookup
from commonweal.web.serve import address_of, listen, server_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext
    from playwright.sync_api import Page as Tab

    from commonweal.web import Explorer

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
LIMIT_MS = 100_000
expect.set_options(timeout=LIMIT_MS)

WIDE, NARROW = ({"width": width, "height": 900} for width in (1280, 320))

PLACE = "F01000018"
PAGES = {
    "list": "/",
    "own list": "/?cut.left_behind.1=20&state=change",
    "nothing fits": "/?q=zzzz",
    "weights": "/weights",
    "own weights": "/weights?w.community_needs.places=80&cut.left_behind.2=20",
    "area": f"/area/{PLACE}",
    "social capital": f"/documents/social-capital?area={PLACE}",
    "area under own weights": f"/area/{PLACE}?w.community_needs.places=80",
    "options": "/area/F02000001/options",
    "picked sites": f"/area/{PLACE}/options?site=1.4,54.957&site=1.405,54.96",
    "programmes": "/programmes",
    "programme": "/documents/programme?programme=five&against=list:left_behind",
    "compare": f"/compare?area={PLACE}&area=F01000001&area=F01000200",
    "nothing compared": "/compare",
    "found by postcode": f"/area/{PLACE}?postcode=ZZ11ZZ",
    "find": "/find?q=vesselhoe",
    "not found": "/find?q=zzzz",
    "evidence": "/evidence",
    "about": "/about",
    "accessibility": "/accessibility",
    "problem": "/area/nowhere",
    "embedded": "/?embed=1",
}


@pytest.fixture(scope="module")
def address(explorer: Explorer) -> Iterator[str]:
    """Serve the county on a free port, with a postcode of its own."""
    row = explorer.results.areas.table.row(17, named=True)
    to_grid = pyproj.Transformer.from_crs(4326, 27700, always_xy=True).transform
    east, north = (round(v) for v in to_grid(row["longitude"], row["latitude"]))
    table = pl.DataFrame(
        {"postcode": ["ZZ11ZZ"], "easting": [east], "northing": [north], "ended": [False]}
    )
    box = PostcodeLookup(
        explorer.results.areas, explorer.results.boundaries, Postcodes("made up", table)
    )
    explorer = replace(explorer, postcodes=box)
    up = threading.Event()
    with listen("127.0.0.1", 0) as held, served(server_of(explorer, "127.0.0.1", up.set), held, up):
        yield address_of(held).rstrip("/")


def watch(page: Tab, address: str, faults: list[str]) -> None:
    """Take down what is asked of another server, and what is logged as an error."""
    page.on(
        "request",
        lambda r: None if r.url.startswith((address, "blob:", "data:")) else faults.append(r.url),
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda m: faults.append(m.text) if m.type == "error" and "404" not in m.text else None,
    )


@pytest.fixture
def blank(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Open an empty tab, for a test that lets things fail in it."""
    opened = []

    def open_blank(width: int = 1280, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        return page

    yield open_blank
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def window(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """One window for all tabs, with a tab that stays: in a new one all scripts are prepared again."""
    context = browser.new_context()
    context.set_default_timeout(LIMIT_MS)
    context.new_page().goto(f"{address}/about")
    yield context
    context.close()


@pytest.fixture
def tab(
    window: BrowserContext, blank: Callable[..., Tab], address: str
) -> Iterator[Callable[..., Tab]]:
    """Open a tab, and see to it that nothing is asked of another server, nor logged as an error."""
    faults: list[str] = []
    opened: list[Tab] = []

    def open_tab(path: str = "/", width: int = 1280, **options: Any) -> Tab:
        page = blank(width, **options) if options else window.new_page()
        opened.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        watch(page, address, faults)
        page.goto(f"{address}{path}")
        return page

    yield open_tab
    for page in opened:
        page.close()
    assert faults == []


@pytest.fixture(scope="module")
def visitor(window: BrowserContext, address: str) -> Iterator[tuple[Tab, list[str]]]:
    """A tab that goes from page to page, and what went wrong in it."""
    page, faults = window.new_page(), list[str]()
    watch(page, address, faults)
    yield page, faults
    page.close()


@pytest.fixture(scope="module", params=PAGES.values(), ids=list(PAGES))
def visited(
    visitor: tuple[Tab, list[str]], address: str, request: pytest.FixtureRequest
) -> Iterator[Tab]:
    """Each page in turn, opened on a narrow screen; the tests of one page follow each other."""
    page, faults = visitor
    faults.clear()
    page.set_viewport_size(NARROW)
    page.goto(f"{address}{request.param}")
    yield page
    assert faults == []


def hurry(page: Tab) -> None:
    """Let the map ask again at once, not a few seconds later; tiles stay good for as long as they say."""
    page.add_init_script(
        """const wait = setTimeout, few = (time) => time >= 1000 && time < 10000;
        window.setTimeout = (act, time, ...rest) => wait(act, few(time) ? 0 : time, ...rest);"""
    )


def first_row(page: Tab) -> str:
    return page.locator("#list tbody tr").first.inner_text()


def map_is_drawn(page: Tab) -> None:
    page.wait_for_selector("[data-map][data-ready]", state="attached")


def test_postcode_to_profile(tab: Callable[..., Tab]) -> None:
    page = tab()
    page.get_by_label("Find your neighbourhood").fill("zz1 1zz")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/area/{PLACE}\?postcode=ZZ1"))
    expect(page.locator("main")).to_contain_text("ZZ1 1ZZ is in Vesselhoe Badger Green")
    expect(page.get_by_role("heading", name="How it compares")).to_be_visible()


def test_name_to_profile(tab: Callable[..., Tab]) -> None:
    page = tab()
    page.get_by_label("Find your neighbourhood").fill("vesselhoe badger green")
    page.get_by_role("button", name="Find").click()
    expect(page).to_have_url(re.compile(rf"/area/{PLACE}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Vesselhoe Badger Green")
    expect(page.get_by_role("heading", name="What drives its score")).to_be_visible()
    map_is_drawn(page)


def test_part_of_a_name_to_choice_to_profile(tab: Callable[..., Tab]) -> None:
    page = tab()
    page.get_by_label("Find your neighbourhood").fill("vesselhoe")
    page.keyboard.press("Enter")
    expect(page.locator(".found li")).to_have_count(20)
    name = page.locator(".found a").first.inner_text()
    page.locator(".found a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_list_to_compare(tab: Callable[..., Tab]) -> None:
    page = tab()
    names = page.locator("#list tbody th a").all_inner_texts()[:3]
    for name in names:
        page.get_by_label(f"Compare {name}", exact=True).check()
    page.get_by_role("button", name="Compare selected").click()
    expect(page.locator(".chosen li")).to_have_count(3)
    for name in names:
        expect(page.locator(".chosen")).to_contain_text(name)
    page.get_by_role("link", name=f"Remove {names[0]}").click()
    expect(page.locator(".chosen li")).to_have_count(2)
    page.get_by_label("Add a neighbourhood").fill(PLACE)
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".chosen")).to_contain_text("Vesselhoe Badger Green")


def test_filtering_and_sorting_keep_their_address_and_go_back(tab: Callable[..., Tab]) -> None:
    page = tab()
    published = first_row(page)
    page.get_by_label("Result").select_option("near")
    expect(page).to_have_url(re.compile("state=near"))
    expect(page.locator("#list .tag").first).to_have_text("Just outside the cut-off")
    page.get_by_role("columnheader", name="Deprivation: rank").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=rank.deprivation"))
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Deprivation")
    page.go_back()
    page.go_back()
    expect(page.get_by_label("Result")).to_have_value("")
    expect(page.locator("#list tbody tr").first).to_contain_text(published.splitlines()[0])


def test_weights_to_changed_designation_shared_and_taken_back(tab: Callable[..., Tab]) -> None:
    page = tab("/weights")
    map_is_drawn(page)
    expect(page.locator("#outcome")).to_contain_text("This is the published setting")
    cut = page.get_by_label("Community needs: worst", exact=True)
    for _ in range(4):
        page.get_by_role("button", name="More for Community needs: worst").click()
    expect(cut).to_have_value("12")
    expect(page).to_have_url(re.compile(r"cut\.left_behind\.1=12"))
    page.get_by_role("slider", name="Places and spaces to meet").press("PageUp")
    expect(page).to_have_url(re.compile(r"w\.community_needs\.places=38"))
    expect(page.locator(".told", has_text="published: 33.33")).to_be_visible()
    expect(page.locator("#outcome .big")).to_contain_text(
        re.compile(r"\d+ enters?, \d+ leaves? the list\.")
    )
    told = page.locator("#outcome .big").inner_text()
    # The same address, opened by somebody else, tells the same.
    other = tab(page.url.removeprefix(page.url.split("/weights")[0]))
    expect(other.locator("#outcome .big")).to_have_text(told)
    # The setting goes along to the list, and one click takes it back.
    page.get_by_role("link", name="See them in the list").click()
    expect(page.get_by_role("region", name="Your own setting")).to_be_visible()
    expect(page.locator("#list .tag").first).to_have_text(re.compile("Enters|Leaves"))
    page.go_back()
    page.get_by_role("link", name="Back to the published setting").last.click()
    expect(page.locator("#outcome")).to_contain_text("This is the published setting")
    expect(cut).to_have_value("10")


def test_the_map_follows_the_weights(tab: Callable[..., Tab]) -> None:
    page = tab("/weights")
    map_is_drawn(page)
    with page.expect_response(re.compile(r"/api/map\?.*cut")) as answer:
        page.get_by_label("Community needs: worst", exact=True).fill("40")
    classes = {c["label"]: c["areas"] for c in answer.value.json()["classes"]}
    expect(page.locator("#legend")).to_contain_text(
        f"Enters the list: {classes['Enters the list']}"
    )


@pytest.mark.parametrize(("status", "body"), [(503, "{}"), (200, '{"layer"')])
def test_the_map_asks_again_for_what_a_busy_server_did_not_give(
    blank: Callable[..., Tab], address: str, status: int, body: str
) -> None:
    """Every tile and every colouring fails once, or is cut off; until all is there the box says so."""
    asked: list[str] = []

    def busy(route: Any) -> None:
        asked.append(route.request.url)
        if asked.count(route.request.url) == 1:
            route.fulfill(status=status, body=body)
        else:
            route.continue_()

    page = blank(375)
    page.route(re.compile("/api/(tiles/|map)"), busy)
    page.goto(f"{address}/", wait_until="domcontentloaded")
    assert words_over_the_map(page) == '"The map is being drawn."'
    page.wait_for_selector("[data-map][data-ready][data-drawn]", state="attached")
    tiles = [url for url in asked if "/tiles/" in url]
    assert tiles
    assert all(asked.count(url) == 2 for url in asked)
    assert words_over_the_map(page) == "none"


def test_a_map_that_does_not_come_is_said_not_to_until_it_comes(
    blank: Callable[..., Tab], address: str
) -> None:
    page = blank()
    hurry(page)
    page.route(re.compile("/api/tiles/"), lambda route: route.abort())
    page.goto(f"{address}/")
    page.wait_for_selector("[data-map][data-failed]", state="attached")
    assert "could not be drawn" in words_over_the_map(page)
    page.unroute(re.compile("/api/tiles/"))
    page.locator("[data-map] canvas").press("ArrowLeft")
    page.wait_for_selector("[data-map][data-drawn]:not([data-failed])", state="attached")


def test_a_part_of_the_map_that_does_not_come_is_said_not_to(
    blank: Callable[..., Tab], address: str
) -> None:
    page, asked = blank(), []
    hurry(page)

    def all_but_one(route: Any) -> None:
        asked.append(route.request.url)
        if route.request.url == asked[0]:
            route.abort()
        else:
            route.continue_()

    page.route(re.compile("/api/tiles/"), all_but_one)
    page.goto(f"{address}/")
    page.wait_for_selector("[data-map][data-failed][data-drawn]", state="attached")
    assert "Some of the map did not load" in words_over_the_map(page)


def test_colours_that_come_late_do_not_cover_later_ones(
    blank: Callable[..., Tab], address: str
) -> None:
    page, held = blank(), []
    page.route(re.compile("/api/map"), lambda r: held.append(r) if not held else r.continue_())
    with page.expect_request(
        re.compile("/api/map")
    ):  # else the later ones might be the first asked for
        page.goto(f"{address}/", wait_until="domcontentloaded")
    with page.expect_response(re.compile(r"/api/map\?.*layer=rank")) as later:
        page.locator("select[name=layer]").select_option("rank.deprivation")
    labels = [one["label"] for one in later.value.json()["classes"]]
    held[0].continue_()
    map_is_drawn(page)
    expect_over_the_map(page, labels)


def test_colours_that_do_not_come_are_said_not_to(blank: Callable[..., Tab], address: str) -> None:
    """Those that are there belong to another key."""
    page = blank()
    hurry(page)
    page.goto(f"{address}/")
    map_is_drawn(page)
    page.route(re.compile("/api/map"), lambda route: route.abort())
    page.locator("select[name=layer]").select_option("rank.deprivation")
    page.wait_for_selector("[data-map][data-uncoloured]", state="attached")
    assert "The colours of this map did not load" in words_over_the_map(page)
    page.unroute(re.compile("/api/map"))
    page.locator("select[name=layer]").select_option("rank.community_needs")
    page.wait_for_selector("[data-map]:not([data-uncoloured])", state="attached")
    assert words_over_the_map(page) == "none"


def expect_over_the_map(page: Tab, labels: list[str]) -> None:
    """Expect that the place in the middle has one of these labels."""
    canvas = page.locator("[data-map] canvas")
    box = canvas.bounding_box()
    assert box is not None
    canvas.hover(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page.locator("#map-told")).to_contain_text(
        re.compile(": (" + "|".join(map(re.escape, labels)) + ")$")
    )


def words_over_the_map(page: Tab) -> str:
    box = page.locator("[data-map]")
    return str(box.evaluate("box => getComputedStyle(box, '::before').content"))


def test_a_click_on_the_map_leads_to_a_place(tab: Callable[..., Tab]) -> None:
    page = tab()
    map_is_drawn(page)
    canvas = page.locator("[data-map] canvas")
    box = canvas.bounding_box()
    assert box is not None
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    canvas.hover(position=middle)
    expect(page.locator("#map-told")).to_contain_text(re.compile(r".+: .+"))
    canvas.click(position=middle)
    expect(page).to_have_url(re.compile("/area/F0"))


def test_a_click_on_the_map_adds_a_site_and_so_does_the_field(tab: Callable[..., Tab]) -> None:
    page = tab("/area/F02000001/options")
    map_is_drawn(page)
    canvas = page.locator("[data-map] canvas")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page).to_have_url(re.compile(r"options\?site=-?\d+\.\d+%2C-?\d+\.\d+$"))
    expect(page.locator(".chosen li")).to_have_count(1)
    map_is_drawn(page)
    expect(page.locator(".site-mark")).to_have_count(1)
    page.get_by_role("searchbox", name="Add a site at").fill("vesselhoe badger green")
    page.keyboard.press("Enter")
    expect(page.locator(".chosen li")).to_have_count(2)
    page.get_by_role("link", name="Remove site 1").click()
    expect(page.locator(".chosen li")).to_have_count(1)


def test_options_without_scripts(tab: Callable[..., Tab]) -> None:
    page = tab("/area/F02000001/options", java_script_enabled=False)
    page.get_by_role("spinbutton", name="Number of new venues").fill("2")
    page.get_by_label("Possible sites").select_option("grid:500")
    page.get_by_role("button", name="Calculate").click()
    expect(page).to_have_url(re.compile("sites=2"))
    expect(page.locator("#outcome .big")).to_contain_text("2 new venues")
    expect(page.locator("#told-sites tbody tr")).to_have_count(2)
    page.get_by_role("searchbox", name="Add a site at").fill("1.4, 54.96")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".chosen li")).to_have_count(1)


def test_embedded_it_has_no_header_and_stays_so(tab: Callable[..., Tab], address: str) -> None:
    page = tab("/?embed=1")
    expect(page.locator("header")).to_have_count(0)
    expect(page.locator("nav.menu")).to_have_count(0)
    page.locator("#list tbody th a").first.click()
    expect(page).to_have_url(re.compile("/area/.*embed=1"))
    expect(page.locator("header")).to_have_count(0)


def test_a_download_is_the_list_that_is_shown(tab: Callable[..., Tab], tmp_path: Path) -> None:
    page = tab("/?state=near")
    count = page.locator("#list tbody tr").count()
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV of this list").click()
    file = tmp_path / "list.csv"
    started.value.save_as(file)
    lines = file.read_text("utf-8-sig").splitlines()
    assert len(lines) == 1 + count
    assert all("Just outside the cut-off" in line for line in lines[1:])


def test_with_a_keyboard_alone(tab: Callable[..., Tab]) -> None:
    page = tab("/weights")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to main content")
    page.keyboard.press("Enter")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        seen.append(
            focus.get_attribute("name") or focus.get_attribute("aria-label") or focus.inner_text()
        )
        style = focus.evaluate(
            "e => getComputedStyle(e).outlineStyle + ' ' + getComputedStyle(e).outlineWidth"
        )
        assert style == "solid 3px", (seen[-1], style)
        if seen[-1] == "cut.left_behind.1":
            break
    assert seen[-1] == "cut.left_behind.1", seen
    page.keyboard.press("Control+a")
    page.keyboard.type("25")
    expect(page.locator("#outcome .big")).to_contain_text("enter")
    assert page.evaluate("document.activeElement.name") == "cut.left_behind.1"


def test_at_320_pixels_nothing_scrolls_sideways(visited: Tab) -> None:
    visited.set_viewport_size(NARROW)
    assert visited.evaluate("document.documentElement.scrollWidth") <= 320


def test_heads_that_sort_do_not_overlap_at_320_pixels(tab: Callable[..., Tab]) -> None:
    heads = tab("/", width=320).locator("#list thead a").all()
    boxes = [box for head in heads if (box := head.bounding_box())]
    assert len(boxes) == len(heads) >= 5
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = a["x"] + a["width"] <= b["x"] or a["y"] + a["height"] <= b["y"]
            assert apart, (a, b)


def test_a_button_stays_under_the_pointer_when_its_weight_changes(tab: Callable[..., Tab]) -> None:
    page = tab("/weights")
    more = page.get_by_role("button", name="More for Connectivity")
    before = more.bounding_box()
    assert before
    more.click()
    expect(page.locator(".setting .was")).to_contain_text("published")
    after = more.bounding_box()
    assert after
    assert (after["x"], after["width"]) == (before["x"], before["width"])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/weights",
        f"/area/{PLACE}",
        f"/compare?area={PLACE}",
        "/area/F02000001/options",
        "/documents/programme?programme=five",
    ],
)
def test_targets_are_large_enough(tab: Callable[..., Tab], path: str) -> None:
    page = tab(path, width=320)
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), summary, nav a, main p > a")]
        .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, r]) => r.width > 0 && (r.width < 24 || r.height < 24)).map(([html]) => html)"""
    )
    assert small == []


def test_without_scripts(tab: Callable[..., Tab]) -> None:
    page = tab("/", java_script_enabled=False)
    page.get_by_label("Result").select_option("in")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile("state=in"))
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(page).to_have_url(re.compile("sort=name"))
    expect(page.locator(".map-picture")).to_be_visible()
    page.goto(page.url.split("/?")[0] + "/weights")
    page.get_by_label("Deprivation: worst", exact=True).fill("30")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#outcome .big")).to_contain_text("enter")
    page.get_by_role("link", name="Back to the published setting").last.click()
    expect(page.locator("#outcome")).to_contain_text("This is the published setting")


def test_axe_finds_nothing(visited: Tab) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visited
    page.set_viewport_size(WIDE)
    if page.locator("[data-map]").count():
        map_is_drawn(page)
    found = Axe().run(
        page,
        options={
            "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            "resultTypes": ["violations"],  # to list all that passes takes most of the time
        },
    )
    told = [
        (v["id"], [n["html"][:200] for n in v["nodes"]][:4]) for v in found.response["violations"]
    ]
    assert told == []


def test_on_paper_there_is_nothing_to_press(tab: Callable[..., Tab]) -> None:
    page = tab(f"/area/{PLACE}")
    page.emulate_media(media="print")
    for selector in ("nav.menu", ".downloads", "form", "button"):
        for one in page.locator(selector).all():
            expect(one).to_be_hidden()
    expect(page.get_by_role("heading", name="How it compares")).to_be_visible()
    expect(page.get_by_role("heading", name="Map", exact=True)).to_be_hidden()
    expect(page.locator("#legend")).to_be_hidden()
