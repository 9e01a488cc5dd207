"""Options and programmes: pages and API give the numbers of the rooms behind them, and refuse what cannot be."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from commonweal.errors import CommonwealError
from commonweal.invest.siting.on_study import SitingOptions, site
from commonweal.report.case.pack_pages import options_page
from commonweal.sources import Store
from commonweal.study.names import find_scope
from commonweal.study.run import run
from commonweal.web import open_explorer
from commonweal.web.explorer import Planning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.study.results import Results
    from commonweal.web import Explorer
    from conftest import Client

DISTRICT, PLACE = "F02000001", "F01000018"
FILES = "/api/documents/options.json"
ASK = "kind=community-centre&candidates=grid:500&sites=2&minutes=10"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " "))


def test_the_best_sites_are_those_of_the_siting_room(
    client: Client, explorer: Explorer, county: Results
) -> None:
    told = client.get(f"{FILES}?area={DISTRICT}&{ASK}").json()
    assert isinstance(explorer.planning, Planning)
    ask = SitingOptions(
        "Vesselhoe", "community-centre", 2, minutes=10, candidates="grid:500", method="search"
    )
    found = site(county, ask, explorer.planning.store, ground=explorer.planning.ground)
    sites = [
        (s["id"], s["people_newly_reached"], s["people_nearest_to_it"])
        for s in told["tables"]["sites"]
    ]
    assert sites == found.sites.select("id", "newly", "nearest").rows()
    before, after = found.reached()
    figures = {name: figure["value"] for name, figure in told["figures"].items()}
    assert (figures["reached_before"], figures["reached"]) == (before, after)
    assert told["areas"] == int((county.areas.table["district"] == DISTRICT).sum())
    amounts = next(rows for name, rows in told["tables"].items() if name.endswith("-amounts"))
    people = next(row for row in amounts if row["name"] == "benefits")
    assert people["low"] < people["expected"] < people["high"]


def test_the_page_tells_the_numbers_of_the_api(client: Client) -> None:
    told = client.get(f"{FILES}?area={DISTRICT}&{ASK}").json()
    page = text_of(client.get(f"/area/{DISTRICT}/options?{ASK}").text)
    for said in told["answer"]:
        assert said in page
    for one in told["tables"]["sites"]:
        assert f"{one['people_newly_reached']:,.0f}" in page
    figures = {name: figure["value"] for name, figure in told["figures"].items()}
    assert f"{figures['reached'] - figures['reached_before']:,.0f} people" in page


def test_a_place_is_not_proposed_where_its_own_kind_is(client: Client) -> None:
    for kind in ("community-centre", "library"):
        page = client.get(f"/area/{DISTRICT}/options?kind={kind}").text
        chosen = re.findall(
            r'<option value="([^"]+)" selected', page.partition('id="candidates"')[2]
        )
        assert chosen
        assert chosen[0] != kind


@pytest.mark.slow
def test_the_default_question_of_an_area_is_never_refused(client: Client, county: Results) -> None:
    for code in county.areas.codes[::13]:
        told = client.get(f"{FILES}?area={code}")
        assert told.status_code == 200, told.text
        n = len(told.json()["tables"].get("sites", []))
        page = client.get(f"/area/{code}/options").text
        asked = re.search(r'id="sites"[^>]*value="(\d+)"', page)
        assert asked
        assert n <= int(asked[1]) <= 3
        # What the form asks when it is sent as it stands.
        chosen = re.search(r'value="([^"]+)" selected', page.partition('id="candidates"')[2])
        assert chosen
        again = client.get(f"{FILES}?area={code}&candidates={chosen[1]}&sites={asked[1]}")
        assert len(again.json()["tables"].get("sites", [])) == n


def test_where_there_is_no_site_the_larger_area_is_offered(client: Client, county: Results) -> None:
    for code in county.areas.codes:
        told = client.get(f"{FILES}?area={code}&candidates=library")
        if told.status_code == 422:
            row = county.areas.position[code]
            district = county.areas.table["district_name"][row]
            assert "try other possible sites" in told.text
            assert f"or ask about {district} (" in told.text
            return
    pytest.fail("every area has a library in or near it")


def test_fewer_sites_than_were_asked_for_are_told(client: Client) -> None:
    told = client.get(f"{FILES}?area={PLACE}&candidates=grid:500&sites=20").json()
    n = len(told["tables"].get("sites", []))
    assert n < 20
    assert any("so we looked for no more" in text for text in told["answer"])


def test_it_is_said_why_one_place_is_proposed_of_the_three_offered(
    client: Client, county: Results
) -> None:
    """Where one place reaches everybody, a second would reach nobody else."""
    for code in county.areas.codes[40:]:
        told = client.get(f"{FILES}?area={code}")
        if told.status_code == 200 and len(told.json()["tables"].get("sites", [])) == 1:
            told_all = " ".join(text for s in told.json()["sections"] for text in s["text"])
            candidates = re.search(r"from ([\d,]+) candidates", told_all)
            assert candidates is not None
            if int(candidates[1].replace(",", "")) < 3:
                continue  # then there are no more places, which is said
            why = (
                "We propose 1 of the 3 venues that you asked for. One more, at any of the "
                f"{candidates[1]} possible sites, would bring nobody else within 15 minutes' walk."
            )
            assert told.json()["answer"][1] == why
            assert why in text_of(client.get(f"/area/{code}/options").text).split("Where they")[0]
            return
    pytest.fail("no place with one proposed")


def test_picked_sites_are_all_built_however_little_they_help(
    client: Client, county: Results
) -> None:
    places = client.get(f"{FILES}?area={PLACE}&kind=library").json()
    row = county.areas.table.row(county.areas.position[PLACE], named=True)
    at = f"site={row['longitude']:.5f},{row['latitude']:.5f}"
    told = client.get(f"{FILES}?area={PLACE}&kind=library&{at}&{at}").json()
    assert told["picked"] is True
    assert places["picked"] is False
    assert len(told["tables"].get("sites", [])) == 2
    assert min(s["people_nearest_to_it"] for s in told["tables"]["sites"]) == 0


def test_of_a_kind_that_was_not_read_it_says_so_first_and_tells_no_worth(client: Client) -> None:
    asked = "kind=arts-centre&candidates=grid:500"
    told = client.get(f"{FILES}?area={DISTRICT}&{asked}").json()
    assert not any(name.endswith("-amounts") for name in told["tables"])
    assert told["answer"][0].startswith(
        "This study has no data on venues of the kind “arts centre or gallery”"
    )
    assert "do not know who has such a venue already" in told["answer"][1]
    page = text_of(client.get(f"/area/{DISTRICT}/options?{asked}").text)
    assert told["answer"][0] in page
    assert "Arts centre or gallery (no data loaded)" in page
    assert "Public library (no data loaded)" not in page
    assert "instead of" not in page
    assert "for each pound" not in page


def test_it_says_what_a_new_place_is_costed_as(client: Client) -> None:
    asked = "kind=library&candidates=grid:500"
    told = client.get(f"{FILES}?area={DISTRICT}&{asked}").json()
    assert told["answer"][1].startswith(
        "Each is costed and valued as a community hub. Cost to the public sector over"
    )


def test_a_site_is_added_by_name_code_or_degrees(client: Client, county: Results) -> None:
    row = county.areas.position[PLACE]
    lon, lat = county.areas.table.select("longitude", "latitude").row(row)
    for text in (PLACE, "vesselhoe badger green", f"{lon:.4f}, {lat:.4f}"):
        answer = client.get(
            f"/area/{DISTRICT}/options", params={"q": text, "site": "1.0,52.0", "minutes": 20}
        )
        assert answer.status_code == 303
        asked = parse_qs(urlsplit(answer.headers["location"]).query)
        assert asked["minutes"] == ["20.0"]
        assert asked["site"][0] == "1.0,52.0"
        assert [float(x) for x in asked["site"][1].split(",")] == pytest.approx(
            [lon, lat], abs=1e-3
        )
    page = client.get(f"/area/{DISTRICT}/options?q=zzzz")
    assert page.status_code == 200
    assert "We found nothing for “zzzz”" in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("kind=palace", "kind: found 'palace'"),
        ("candidates=moon", "candidates: found 'moon'"),
        ("sites=0", "sites"),
        ("sites=21", "sites"),
        ("site=here", "site"),
        ("site=200,10", "degrees"),
        ("kind=library&site=2.35,48.85", "site: found 2.35,48.85, which is more than 1,200 m from"),
        ("&".join(["site=1,52"] * 21), "site"),
        ("minutes=0", "minutes"),
        ("years=99", "years"),
        ("colour=red", "colour"),
    ],
)
def test_what_cannot_be_asked_is_refused(client: Client, query: str, said: str) -> None:
    for path in (f"/area/{DISTRICT}/options?", f"{FILES}?area={DISTRICT}&"):
        answer = client.get(f"{path}{query}")
        assert answer.status_code == 422, path
        assert said in unescape(answer.text)


def test_no_such_area(client: Client) -> None:
    assert client.get("/area/F9/options").status_code == 404
    assert client.get(f"{FILES}?area=F9").status_code == 404


def test_without_places_it_says_why(
    explorer: Explorer, client_of: Callable[[Explorer], Client]
) -> None:
    bare = client_of(replace(explorer, store=None))
    answer = bare.get(f"/area/{DISTRICT}/options")
    assert answer.status_code == 404
    assert "venues were not loaded when the explorer started." in answer.text
    assert "/options" not in bare.get(f"/area/{PLACE}").text


FIVE = "/api/documents/programme.json?programme=five"


def test_a_programme_selects_the_neediest_of_each_district(client: Client, county: Results) -> None:
    told = client.get(FIVE).json()
    need = county.scores["community_needs"].score
    districts = np.array(county.areas.table["district"].to_list())
    best = {
        county.areas.codes[max(np.flatnonzero(districts == d), key=lambda r: need[r])]
        for d in set(districts)
    }
    assert {a["code"] for a in told["tables"]["selected-five"]} == best
    assert told["figures"]["selected"]["value"] == 5
    page = text_of(client.get("/documents/programme?programme=five").text)
    for said in told["answer"]:
        assert said in page
    for part in told["tables"]["rule-five"]:
        assert part["part"] in page
    assert (
        "no recalculations with different assumptions. To make them, run commonweal invest allocate five"
        in page
    )
    assert "Five awards" in client.get("/programmes").text


def test_who_gains_and_loses_beside_the_studys_list(client: Client, county: Results) -> None:
    told = client.get(f"{FIVE}&against=list:left_behind").json()["tables"]
    chosen = {a["code"] for a in told["selected-five"]}
    listed = county.designations["left_behind"].selected
    own = {c for c, s in zip(county.areas.codes, listed, strict=True) if s}
    codes = {a["code"]: a["on_which_list"] for a in told["gains-losses-five"]}
    this = "On Five awards, one in each district only"
    assert {c for c, side in codes.items() if side == this} == chosen - own
    assert {c for c, side in codes.items() if side != this} == own - chosen
    counts = {row["side"]: row["areas"] for row in told["sides-five"]}
    assert list(counts.values()) == [len(chosen & own), len(chosen - own), len(own - chosen)]
    page = client.get("/documents/programme?programme=five&against=list:left_behind").text
    assert '<option value="list:left_behind" selected>' in page


def test_programmes_that_are_not_there(
    client: Client, explorer: Explorer, client_of: Callable[[Explorer], Client]
) -> None:
    assert client.get("/documents/programme?programme=none").status_code == 404
    assert client.get("/api/documents/programme.json?programme=none").status_code == 404
    assert client.get("/documents/programme?programme=five&against=moon").status_code == 422
    none = client_of(replace(explorer, programmes={}))
    assert "No funding programme is set up for this study" in none.get("/programmes").text


def test_a_programme_of_another_study_is_refused(county: Results, cache: Path) -> None:
    store = Store(cache=cache, offline=True)
    with pytest.raises(CommonwealError, match="left-behind-2019"):
        open_explorer(county, cache, store=store, programmes=["appg-225"])


PARISHES = """\
code,name,people,lon,lat,canton,poor,members
P1,Centro,900,-79.00,-2.88,C1,50,10
P2,Monay,0,-79.01,-2.88,C1,40,20
P3,Turi,,-79.02,-2.88,C1,30,30
P4,Sucre,800,-79.03,-2.88,C1,20,40
P5,Nulti,700,,,C1,10,50
P6,Baños,,-79.05,-2.88,C2,60,60
"""
ABROAD = """
title: Parishes
areas:
  file: parishes.csv
  code: code
  name: name
  population: people
  longitude: lon
  latitude: lat
  parents: {canton: canton}
  singular: parish
  plural: parishes
access:
  points: [{file: libraries.csv}]
indicators:
  poor: {label: Poor, file: parishes.csv, column: poor, unit: "%", higher_is: more}
  library: {label: Library, reach: {to: library, measure: nearest}, unit: m, higher_is: more}
index:
  need: {children: {poor: {indicator: poor}, library: {indicator: library}}}
designate:
  worst: {index: need, worst: 50%}
"""


@pytest.fixture(scope="module")
def parishes(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    """A study abroad: nobody lives in one parish, two give no population, and one has no point."""
    folder = tmp_path_factory.mktemp("parishes")
    (folder / "parishes.csv").write_text(PARISHES, "utf-8")
    (folder / "libraries.csv").write_text(
        "name,kind,longitude,latitude\nOne,library,-79.02,-2.9\n", "utf-8"
    )
    (folder / "abroad.yaml").write_text(ABROAD, "utf-8")
    store = Store(cache=folder, offline=True)
    found = run(str(folder / "abroad.yaml"), store, sensitivity=False)
    return open_explorer(found, folder, store=store)


def test_the_default_question_is_answered_beside_places_without_people(
    parishes: Explorer, client_of: Callable[[Explorer], Client]
) -> None:
    """Every page that a profile leads on to answers, and says who is left out."""
    client = client_of(parishes)
    for code in parishes.results.areas.codes:
        profile = client.get(f"/area/{code}").text
        pages = re.findall(r'href="(/area/[^"]+/options)', profile)
        assert (f"/area/{code}/options" in pages) == (code in {"P1", "P4"})
        assert ("/area/C1/options" in pages) == (code != "P6")
        assert [client.get(page).status_code for page in pages] == [200] * len(pages)
    told = client.get(f"{FILES}?area=C1").json()
    assert told["figures"]["people"]["value"] == 1700
    said = [warning for section in told["sections"] for warning in section["warnings"]]
    assert any(text.endswith("not where they live: Monay, Turi, Nulti.") for text in said)


def test_a_place_without_people_says_so_and_who_can_be_asked_about(
    parishes: Explorer, client_of: Callable[[Explorer], Client]
) -> None:
    client = client_of(parishes)
    for code, name, wider in (("P2", "Monay", "; ask about C1 (C1)"), ("P6", "Baños", "")):
        told = client.get(f"{FILES}?area={code}")
        assert told.status_code == 422
        assert told.json()["detail"].endswith(
            f"found no people in {name}; expected a population above 0, and longitude and latitude{wider}"
        )


def test_costs_abroad_are_said_to_be_in_pounds_of_england(
    parishes: Explorer, client_of: Callable[[Explorer], Client], client: Client
) -> None:
    there = client_of(parishes).get(f"{FILES}?area=C1").json()
    assert "in pounds, and come from England" in " ".join(there["answer"])
    here = client.get(f"{FILES}?area={DISTRICT}").json()
    assert "come from England" not in " ".join(here["answer"])


def test_who_joins_a_list_elsewhere_is_told_apart(
    parishes: Explorer, client_of: Callable[[Explorer], Client]
) -> None:
    """A parish outside the area asked about is not counted here, so it is not named as if it were here."""
    told = client_of(parishes).get(f"{FILES}?area=P1").json()
    said = [text for s in told["sections"] for text in s["text"] if text.startswith("List “")]
    assert said == [
        "List “worst”: 1 here today, 0 then. Leaving the list: Centro. Joining the list elsewhere, because ranks are "
        "relative: Sucre."
    ]


def test_a_pack_has_its_page_on_options_where_the_study_brings_its_own_places(
    parishes: Explorer,
) -> None:
    """Its places are of no catalogue; they are named as a file of the study's own."""
    results, store = parishes.results, parishes.store
    assert store is not None
    page = text_of(options_page(results, find_scope(results.areas, []), "library", store).page())
    assert "libraries.csv: a file of the study's own." in page
    assert "not where they live: Monay, Turi, Nulti, Baños." in page


def test_nobody_is_shown_as_nobody_and_not_as_unknown(
    parishes: Explorer, client_of: Callable[[Explorer], Client]
) -> None:
    """A parish where nobody lives shows 0, as in list.csv; one whose population is not given shows nothing."""
    client = client_of(parishes)
    rows = csv.DictReader(client.get("/api/areas.csv").text.lstrip("\ufeff").splitlines())
    people = {row["Code"]: row["People"] for row in rows}
    assert (people["P1"], people["P2"], people["P3"]) == ("900", "0", "")
    assert "0 people" in text_of(client.get("/area/P2").text)


@pytest.mark.parametrize("more", ["", "prepare: [{treat: {skew: 2}}]"])
def test_the_default_question_is_answered_where_a_study_prepares_its_indicators(
    parishes: Explorer, client_of: Callable[[Explorer], Client], more: str
) -> None:
    """What the venues change in it only a new run would say, which is said; who is reached can be told."""
    store = parishes.store
    assert store is not None
    study = parishes.results.study.folder / "prepared.yaml"
    study.write_text(f"{ABROAD}{more}\n", "utf-8")
    results = run(str(study), store, sensitivity=False)
    told = client_of(open_explorer(results, store.cache, store=store)).get(f"{FILES}?area=C1")
    assert told.status_code == 200
    text = " ".join(t for s in told.json()["sections"] for t in s["text"])
    assert ("only a new run says what would change in it" in text) == bool(more)
    assert ("List “worst”" in text) != bool(more)
