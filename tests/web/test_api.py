"""The API: what is listed, found, compared and downloaded is what the run says."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.evidence import load_evidence
from commonweal.report.place import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonweal.study.results import Results
    from commonweal.web import Explorer
    from conftest import Client, Small

    Asked = Callable[[Results], Client]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_list_is_sorted_filtered_and_paged(client: Client, county: Results) -> None:
    first = client.get("/api/areas?per=3").json()
    assert (first["found"], first["pages"], first["page"]) == (400, 134, 1)
    assert [a["rank.community_needs"] for a in first["areas"]] == [1, 2, 3]
    last = client.get("/api/areas?per=3&order=down&page=999").json()
    assert last["page"] == 134
    assert [a["rank.community_needs"] for a in last["areas"]] == [1]
    chosen = client.get("/api/areas?state=in&per=200").json()
    inside = {
        c
        for c, s in zip(
            county.areas.codes, county.designations["left_behind"].selected, strict=True
        )
        if s
    }
    assert {a["code"] for a in chosen["areas"]} == inside
    assert {a["state.left_behind"] for a in chosen["areas"]} <= {"selected", "just"}
    district = county.areas.table["district"][0]
    there = client.get(f"/api/areas?within={district}&sort=name&per=200").json()["areas"]
    names = county.areas.table.filter(county.areas.table["district"] == district)["name"].to_list()
    assert [a["name"] for a in there] == sorted(names)


def test_an_area_without_a_text_comes_last_either_way(small: Small, asked_of: Asked) -> None:
    small.replace(small.areas, "A05,Place 5,500,N,Northside", "A05,Place 5,500,,")
    told = asked_of(small.run(geometry=False, draws=0))
    for order in ("up", "down"):
        areas = told.get(f"/api/areas?sort=district&order={order}").json()["areas"]
        assert areas[-1]["code"] == "A05", order


def test_what_is_kept_for_long_names_its_version(client: Client) -> None:
    """Another study may be served at the same address a minute later."""
    assert "cache-control" not in client.get("/api/outline.geojson").headers
    assert client.get("/api/outline.geojson?v=1").headers["cache-control"] == "max-age=3600"


def test_a_full_comparison_offers_no_sixth(client: Client) -> None:
    five = "&".join(f"area=F0100000{k}" for k in range(1, 6))
    page = client.get(f"/compare?{five}&q=Vesselhoe").text
    assert "Add Vesselhoe" not in page
    assert "Add Vesselhoe" in client.get("/compare?area=F01000001&q=Vesselhoe").text


def test_a_page_says_which_setting_it_shows(client: Client) -> None:
    own = "cut.left_behind.1=20"
    for path in ("/", "/weights"):
        assert "You are looking at your own setting" in client.get(f"{path}?{own}").text
    for path in ("/area/F01000018?", "/compare?area=F01000018&", "/about?"):
        assert "This page shows the published setting" in client.get(f"{path}{own}").text
        assert "This page shows the published setting" not in client.get(path).text


def test_every_area_is_on_exactly_one_page(client: Client, county: Results) -> None:
    pages = [
        client.get(f"/api/areas?per=200&page={k}&sort=share_of_draws.left_behind").json()
        for k in (1, 2)
    ]
    assert sorted(a["code"] for p in pages for a in p["areas"]) == sorted(county.areas.codes)


def test_a_name_is_found_whatever_its_case_accents_and_punctuation(client: Client) -> None:
    found = client.get("/api/search", params={"q": "  VESSELHOE badgér, green"}).json()
    assert found["area"] == "F01000018"
    several = client.get("/api/search?q=Vesselhoe").json()
    assert several["found"] > len(several["areas"]) == 20
    assert client.get("/api/search?q=nowhere").json()["message"].startswith("No neighbourhood has")
    # The county is fictional, so it has no postcodes.
    assert "This study has no postcodes" in client.get("/api/search?q=OX49 5NU").json()["message"]


def test_a_profile_is_what_is_said_of_the_place(client: Client, county: Results) -> None:
    assert client.get("/api/areas/F01000018").json() == describe(county, 17).to_dict()
    assert client.get("/api/areas/F99999999").status_code == 404


def test_rescoring_tells_who_enters_and_leaves(client: Client, county: Results) -> None:
    found = client.get("/api/rescore?cut.left_behind.1=20&cut.left_behind.2=20").json()
    one = found["designations"][0]
    before = county.designations["left_behind"].selected
    assert one["selected"] == before.sum() + len(one["enter"]) - len(one["leave"])
    assert one["enter"]
    assert not one["leave"]
    letter = next(c["letter"] for c in found["map"]["classes"] if c["label"] == "Enters the list")
    entered = [county.areas.codes[k] for k, x in enumerate(found["map"]["letters"]) if x == letter]
    assert entered == [a["code"] for a in one["enter"]]
    table = rows_of(client.get("/api/rescore.csv?cut.left_behind.1=20&cut.left_behind.2=20").text)
    assert {r["Code"] for r in table} == set(entered)
    listed = client.get("/api/areas?cut.left_behind.1=20&cut.left_behind.2=20&state=enters").json()
    assert {a["code"] for a in listed["areas"]} == set(entered)


def test_the_map_classes_every_area_once(client: Client) -> None:
    for layer in client.get("/api/study").json()["layers"]:
        found = client.get("/api/map", params={"layer": layer["key"]}).json()
        assert len(found["letters"]) == 400
        for one in found["classes"]:
            assert found["letters"].count(one["letter"]) == one["areas"], layer
    assert sum(c["areas"] for c in found["classes"]) == 400


def test_tiles_hold_every_area_by_its_row(
    client: Client, explorer: Explorer, tmp_path: Any
) -> None:
    import pyogrio

    assert explorer.tiles is not None
    rows: set[int] = set()
    for z, (low, high) in {4: (7, 9), 8: (128, 130)}.items():
        for x in range(low, high + 1):
            for y in range(4 * 2 ** (z - 4), 6 * 2 ** (z - 4)):
                answer = client.get(f"/api/tiles/{z}/{x}/{y}.mvt?v=1")
                if answer.status_code == 204:
                    continue
                assert answer.headers["content-encoding"] == "gzip"
                assert "immutable" in answer.headers["cache-control"]
                file = tmp_path / f"{z}-{x}-{y}.pbf"
                file.write_bytes(answer.content)
                rows |= (
                    set(pyogrio.read_dataframe(file, read_geometry=False)["row"])
                    if z == 8
                    else set()
                )
    assert rows == set(range(400))


def test_downloads_open_elsewhere(client: Client, county: Results) -> None:
    areas = rows_of(client.get("/api/areas.csv").text)
    assert len(areas) == 400
    assert {r["Code"] for r in areas} == set(county.areas.codes)
    assert not [head for head in areas[0] if "%" in head]  # shares stand there as 0.93
    assert len(client.get("/api/areas.json").json()["rows"]) == 400
    domains = rows_of(client.get("/api/areas/F01000018/domains.csv").text)
    assert [r["Rank"] for r in domains if not r["Domain"]] == [
        f"{county.scores[i].rank[17]:.0f}" for i in county.scores
    ]
    for path in (
        "/api/areas/F01000018/domains.png",
        "/api/map.png",
        "/api/compare.png?area=F01000018",
    ):
        answer = client.get(path)
        assert answer.content.startswith(b"\x89PNG"), path
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
    for path in ("/api/areas/F01000018/domains.svg", "/api/map.svg"):
        assert "<title" in client.get(path).text
    compared = client.get("/api/compare?area=F01000018&area=F01000001").json()
    assert [p["code"] for p in compared["places"]] == ["F01000018", "F01000001"]
    assert len(compared["rows"]) == 2 + 3 + 5


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/areas?per=1000", "per: found '1000'"),
        ("/api/areas?page=0", "page"),
        ("/api/areas?sort=rank.comunity_needs", "did you mean 'rank.community_needs' or"),
        ("/api/areas?within=nowhere", "larger area 'nowhere' not found"),
        ("/api/areas?w.community_needs.places=-1", "expected a number from 0 to 1000"),
        ("/api/areas?w.community_needs.places=nan", "expected a number from 0 to 1000"),
        ("/api/areas?w.community_needs.place=1", "did you mean 'w.community_needs.places' or"),
        ("/api/rescore?cut.left_behind.1=100", "expected a number from 0.1 to 99.9"),
        ("/api/map?layer=colour", "layer 'colour' not found"),
        ("/api/compare?" + "&".join(["area=F01000001"] * 6), "area"),
        ("/api/search?q=" + "x" * 101, "q"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(client: Client, path: str, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_every_domain_left_out_is_refused(client: Client) -> None:
    query = "&".join(f"w.community_needs.{d}=0" for d in ("places", "connectivity", "engagement"))
    answer = client.get(f"/api/rescore?{query}")
    assert answer.status_code == 422
    assert "expected a weight above 0" in answer.json()["detail"]


def test_a_study_without_designation_or_places_works(small: Small, asked_of: Asked) -> None:
    study = small.write(designate=None, certainty=None)
    results = small.run(study, geometry=False)
    bare = asked_of(results)
    for path in (
        "/",
        "/weights",
        "/area/A01",
        "/compare?area=A01&area=A02",
        "/about",
        "/find?q=place",
    ):
        answer = bare.get(path)
        assert answer.status_code == 200, path
    assert bare.get("/api/tiles/4/8/5.mvt").status_code == 204
    assert bare.get("/api/documents/changes.json").status_code == 404
    assert "no earlier one to compare with" in bare.get("/documents/changes").text
    assert bare.get("/api/map.svg").status_code == bare.get("/api/map.png").status_code == 404
    assert "map.svg" not in bare.get("/").text
    assert bare.get("/api/map").json()["layer"] == "rank.deprivation"
    assert not np.isnan(results.scores["deprivation"].score).any()


def test_few_people_are_not_counted(small: Small, asked_of: Asked) -> None:
    small.replace(small.areas, "A01,Place 1,100,", "A01,Place 1,40,")
    bare = asked_of(small.run(geometry=False, draws=0))
    areas = {a["code"]: a for a in bare.get("/api/areas").json()["areas"]}
    assert areas["A01"]["population"] is None
    assert areas["A02"]["population"] == 200


def test_history_tells_who_entered_and_left(small: Small, asked_of: Asked) -> None:
    earlier = small.write(designate__priority__all__0__worst=3)
    earlier.rename(earlier.with_name("earlier.yaml"))
    results = small.run(small.write(since="earlier.yaml"), geometry=False, draws=0)
    told = asked_of(results)
    files = {name: f"/api/documents/changes/{name}.csv" for name in ("stays", "enters", "leaves")}
    changes = {
        name: [r["Code"] for r in rows_of(told.get(f).text)]
        for name, f in files.items()
        if name != "leaves"
    }
    assert changes == {"stays": ["A18", "A20"], "enters": ["A17"]}
    assert told.get(files["leaves"]).status_code == 404
    said = "2 stay on the list, 0 leave it, 1 enter it."
    assert said in told.get("/documents/changes").text
    assert "It has entered the list" in told.get("/area/A17").text


def test_the_works_that_claims_rest_on(client: Client) -> None:
    library = load_evidence()
    page = client.get("/evidence").text
    assert all(f'id="evidence-{theme}"' in page for theme in library.themes)
    assert {item["id"] for item in client.get("/api/evidence.json").json()} == {*library.works}
    assert client.get("/api/evidence.bib").text.count("\n@") >= len(library.works) - 1


def test_own_setting_comes_before_what_was_published(client: Client) -> None:
    page = client.get("/area/F01000018?w.community_needs.places=80").text
    own = page.index("With your setting</h2>")
    assert own < page.index("Everything below uses the published") < page.index('class="answer"')
    assert "Everything below" not in client.get("/area/F01000018").text


def test_the_whole_report_is_a_document_like_any_other(client: Client) -> None:
    assert 'href="/documents/study"' in client.get("/about").text
    page = client.get("/documents/study").text
    assert page.count("it was generated to try the method out") == 1
    assert "<h2>Checked against what is published</h2>" in page
    assert "Published, not in ours" in page
    told = client.get("/api/documents/study.json").json()
    assert told["agreement"][0]["missed"]
    assert client.get("/api/documents/study.pdf").content.startswith(b"%PDF")
    rows = client.get("/api/documents/study/checks.csv").text.splitlines()
    assert len(rows) == 1 + len(told["agreement"])


def test_a_place_never_in_the_worst_tenth_is_told_in_good_grammar(client: Client) -> None:
    listed = client.get("/api/areas?per=1&sort=rank.deprivation&order=down").json()["areas"]
    page = client.get(f"/area/{listed[0]['code']}").text
    assert "No recalculation puts it in the worst 10%." in page


def test_social_capital_is_the_same_on_page_and_in_files(client: Client, county: Results) -> None:
    found = describe(county, 17).capital
    assert found is not None
    here = next(h for h in found.headlines if h.id == "volunteered")
    page = client.get("/documents/social-capital?area=F01000018").text.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert f"<td>{here.text}</td><td>{here.interval}</td>" in page
    assert found.summary in page
    assert "This list of 25 headline indicators is not verified." in page
    assert "/documents/social-capital?area=F01000018" in client.get("/area/F01000018").text
    tables = client.get("/api/documents/social-capital.json?area=F01000018").json()["tables"]
    rows = [row for name in tables for row in tables[name]]
    row = next(r for r in rows if r["id"] == "volunteered")
    assert (row["value"], row["low"], row["high"]) == (here.value, here.low, here.high)
    assert len(rows) == 25
    csv = client.get("/api/documents/social-capital/here.csv?area=F01000018").text
    assert len(csv.splitlines()) == 1 + len(found.here)
    whole = client.get("/api/areas/F01000018").json()["capital"]["headlines"]
    assert [h["low"] for h in whole] == [h.low for h in found.headlines]


def test_a_study_without_social_capital_says_so(small: Small, asked_of: Asked) -> None:
    other = asked_of(small.run())
    for path in (
        "/documents/social-capital?area=A01",
        "/api/documents/social-capital.json?area=A01",
    ):
        answer = other.get(path)
        assert answer.status_code == 404
        assert "has no social capital" in answer.text
    assert "Social capital" not in other.get("/area/A01").text


def test_a_place_is_found_by_every_name_it_goes_by(
    county: Results, asked_of: Callable[[Results], Client]
) -> None:
    """Two neighbourhoods share the name that people use, a third has one of its own."""
    table = county.areas.table
    local = ["Birchwood West", "Birchwood West", "Ermine", *[None] * (len(table) - 3)]
    table = table.with_columns(
        pl.Series("local_name", local, dtype=pl.String), official_name=pl.col("name")
    ).with_columns(
        name=pl.when(pl.col("local_name").is_null())
        .then("name")
        .otherwise(pl.format("{} ({})", "local_name", "name"))
    )
    told = asked_of(replace(county, areas=replace(county.areas, table=table)))

    def found(q: str) -> Any:
        return told.get("/api/search", params={"q": q}).json()

    codes = county.areas.codes
    assert found("ermine")["area"] == codes[2]
    assert found(county.areas.table["name"][1].upper())["area"] == codes[1]
    both = found("birchwood west")
    assert (both["area"], both["found"]) == (None, 2)
    assert {one["code"] for one in both["areas"]} == set(codes[:2])
    assert all(one["name"].startswith("Birchwood West (") for one in both["areas"])
