"""One authority on the scale of all: its rows, with everybody's ranks and cut-offs, and an indicator of its own."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import openpyxl
import polars as pl
import pytest
from tests.terminal import run_data, run_lines

from commonweal.errors import StudyError
from commonweal.report.place import describe
from commonweal.report.place.pack import write_pack
from commonweal.report.session.content import figures
from commonweal.report.session.state import groupings
from commonweal.report.study.charts import draw_map
from commonweal.report.study.folder import write_results
from commonweal.sources import Store
from commonweal.spec.study import load_study
from commonweal.study.check import check_files
from commonweal.study.names import focus_scope
from commonweal.study.run import run
from commonweal.web import create_app, open_explorer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.study.results import Results

DISTRICT = "F02000001"
OWN = """
extends: demo
title: Vesselhoe, on the county's scale
focus: {district: F02000001}
indicators:
  volunteers:
    label: Volunteers
    file: volunteers.csv
    code: code
    column: volunteers
    unit: per 1,000 residents
    higher_is: less
    about: Counted by ourselves.
show: [volunteers]
"""


@pytest.fixture(scope="module")
def store(cache: Path) -> Store:
    return Store(cache, offline=True)


@pytest.fixture(scope="module")
def everywhere(store: Store) -> Results:
    return run("demo", store, draws=40, sensitivity=False)


@pytest.fixture(scope="module")
def folder(everywhere: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of one district, with a table of its own: no value for the last three places."""
    made = tmp_path_factory.mktemp("focus")
    (made / "vesselhoe.yaml").write_text(OWN, "utf-8")
    codes = everywhere.areas.table.filter(pl.col("district") == DISTRICT)["code"][:-3]
    lines = [f"{code},{10 + k / 4}" for k, code in enumerate(codes)]
    (made / "volunteers.csv").write_text("\n".join(["code,volunteers", *lines]), "utf-8")
    return made


@pytest.fixture(scope="module")
def focused(folder: Path, store: Store) -> Results:
    return run(folder / "vesselhoe.yaml", store, draws=40, sensitivity=False)


@pytest.fixture(scope="module")
def here(everywhere: Results) -> np.ndarray:
    found: np.ndarray = (everywhere.areas.table["district"] == DISTRICT).to_numpy()
    return found


@pytest.fixture(scope="module")
def on_list(everywhere: Results, here: np.ndarray) -> list[str]:
    """Those of the whole county's list that lie in the district."""
    chosen = everywhere.designations["left_behind"].selected & here
    return everywhere.areas.table["code"].filter(pl.Series(chosen)).to_list()


def text_of(page: str) -> str:
    bare = re.sub(r"<(svg|style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", bare))).replace("\xa0", " ")


def test_ranks_and_cut_offs_are_those_of_all(everywhere: Results, focused: Results) -> None:
    assert focused.areas.codes == everywhere.areas.codes
    for index, scores in everywhere.scores.items():
        np.testing.assert_array_equal(scores.rank, focused.scores[index].rank)
    own, all_ = (r.designations["left_behind"] for r in (focused, everywhere))
    np.testing.assert_array_equal(own.selected, all_.selected)
    np.testing.assert_array_equal(
        focused.certainty["left_behind"].selected, everywhere.certainty["left_behind"].selected
    )


def test_a_place_outside_the_focus_says_that_it_is_not_listed(
    focused: Results, everywhere: Results, here: np.ndarray
) -> None:
    """It has ranks and a result among all, and a reader would look for it in the study's list."""
    for row in np.flatnonzero(~here)[:3].tolist():
        told = [claim.text for claim in describe(focused, row).headline]
        name = focused.areas.table["name"][row]
        assert any(
            text.startswith(f"{name} lies outside Vesselhoe, the only part") for text in told
        )
        assert not any("lies outside" in c.text for c in describe(everywhere, row).headline)
    for row in np.flatnonzero(here)[:3].tolist():
        assert not any("lies outside" in c.text for c in describe(focused, row).headline)


def test_the_answer_counts_and_names_those_in_focus(
    focused: Results, everywhere: Results, here: np.ndarray, on_list: list[str]
) -> None:
    told = "\n".join(run_lines(focused))
    n, of = len(on_list), int(here.sum())
    assert 0 < n < of < 400
    assert n < everywhere.designations["left_behind"].selected.sum()
    assert (
        f"{n} of {of} neighbourhoods in Vesselhoe are on the list of “left behind” neighbourhoods."
        in told
    )
    assert "Ranks and cut-offs are set among all 400 neighbourhoods of the study" in told
    assert (
        f"Volunteers (not part of an index): values for {of - 3} of {of} neighbourhoods. Greatest need: "
        in told
    )
    data = run_data(focused)
    assert data["designations"]["left_behind"]["selected"] == on_list
    assert (data["areas"], data["ranked_among"]) == (of, 400)
    everyone = everywhere.areas.population
    home = everyone[[everywhere.areas.position[c] for c in on_list]].sum()
    assert f"{home:,.0f} people live there, in 1 district" in told
    assert data["designations"]["left_behind"]["population"] == home


def test_the_folder_lists_them_with_their_own_indicator(
    focused: Results, here: np.ndarray, on_list: list[str], tmp_path: Path
) -> None:
    made = write_results(focused, tmp_path / "out")
    of = int(here.sum())
    book = openpyxl.load_workbook(made / "results.xlsx", read_only=True)
    sheets = {name: list(book[name].iter_rows(values_only=True)) for name in book.sheetnames}
    assert column(sheets["On_the_list"], "Code") == [
        focused.areas.codes[r]
        for r in sorted(
            (focused.areas.position[c] for c in on_list),
            key=lambda r: focused.designations["left_behind"].tested[0].rank[r],
        )
    ]
    listed = column(sheets["Areas"], "Code")
    assert len(listed) == of
    ranks = column(sheets["Areas"], "Community needs: rank")
    rank = focused.scores["community_needs"].rank
    assert ranks == [rank[focused.areas.position[c]] for c in listed]
    values = column(sheets["Areas"], "Volunteers (per 1,000 residents)")
    assert values[0] == 10
    assert values[-3:] == [None] * 3
    assert column(sheets["Areas"], "Volunteers: rank")[0] == 1
    page = text_of((made / "report.html").read_text("utf-8"))
    assert (
        f"{len(on_list)} of {of} neighbourhoods in Vesselhoe are on the list of “left behind” neighbourhoods."
        in page
    )
    assert "shown, but not part of an index" in page
    assert "Numbers by region" not in page  # those count areas that the answer does not
    areas = pl.read_parquet(made / "areas.parquet")
    assert areas["in_focus"].sum() == of
    assert pl.read_parquet(made / "shown.parquet")["volunteers.rank"].count() == of - 3
    import pyogrio

    layer = pyogrio.read_dataframe(made / "commonweal.gpkg", layer="areas")
    assert len(layer) == of
    assert layer["volunteers"].notna().sum() == of - 3
    assert sorted(layer["code"][layer["selected"]]) == on_list
    drawn = draw_map(focused, "left_behind")
    assert drawn is not None
    assert drawn.numbers.frame.columns == ["Class", "Neighbourhoods"]
    assert drawn.numbers.frame["Class"][-1] == "Just outside the cut-off"
    assert drawn.numbers.frame["Neighbourhoods"][:-1].sum() == len(on_list)
    # What was written runs again from where it lies.
    again = load_study(made / "study.yaml")
    assert (again.focus, again.show) == ({"district": DISTRICT}, ("volunteers",))


def column(rows: list[tuple[Any, ...]], header: str) -> list[Any]:
    """Give the cells under a header of a sheet, wherever its table begins."""
    start = next(k for k, row in enumerate(rows) if header in row)
    at = rows[start].index(header)
    return [row[at] for row in rows[start + 1 :]]


def test_the_pack_is_of_the_focus_on_the_scale_of_all(
    focused: Results, everywhere: Results, on_list: list[str], here: np.ndarray, tmp_path: Path
) -> None:
    scope = focus_scope(focused.areas, focused.study)
    assert scope is not None
    assert scope.title == "Vesselhoe"
    made = write_pack(focused, scope, tmp_path / "pack", charts="none")
    page = text_of((made / "overview.html").read_text("utf-8"))
    n, of = len(on_list), int(here.sum())
    assert (
        f"{n} of {of} neighbourhoods in Vesselhoe are on the list of “left behind” neighbourhoods."
        in page
    )
    assert sorted(p.stem for p in (made / "profiles").glob("*.html")) == sorted(on_list)
    drawn = (made / "overview.html").read_text("utf-8")
    chart = drawn[drawn.index("How stable the list is") :]
    chart = re.sub("</text><text[^>]*>", " ", chart)  # a long name is on two lines
    for place in focused.areas.table.filter(pl.col("code").is_in(on_list))["name"]:
        assert unescape(chart).count(place) >= 1
    code = on_list[0]
    row = focused.areas.position[code]
    place, plain = describe(focused, row), describe(everywhere, row)
    assert place.standings == plain.standings
    assert [a.label for a in place.standings[0].averages] == [
        "Similar neighbourhoods", "Vesselhoe", "All neighbourhoods",
    ]  # fmt: skip
    (volunteers,) = place.shown
    assert volunteers.of == of - 3
    assert "volunteers" not in {d.indicator for d in place.drivers}
    profile = text_of((made / "profiles" / f"{code}.html").read_text("utf-8"))
    assert f"{volunteers.text}." in profile
    book = openpyxl.load_workbook(made / "workbook.xlsx", read_only=True)
    rows = list(book["Other_figures"].iter_rows(values_only=True))
    at = column(rows, "Code").index(code)
    assert column(rows, "Value")[at] == volunteers.value
    assert column(rows, "Rank")[at] == volunteers.rank


def test_the_explorer_has_the_same_numbers(
    focused: Results, on_list: list[str], here: np.ndarray, cache: Path
) -> None:
    explorer = open_explorer(focused, cache)
    app = create_app(explorer)

    def get(path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as c:
                return await c.get(path)

        return asyncio.run(ask())

    of = int(here.sum())
    listed = get("/api/areas?per=200").json()
    assert listed["found"] == of
    first = listed["areas"][0]
    row = focused.areas.position[first["code"]]
    assert first["rank.community_needs"] == focused.scores["community_needs"].rank[row]
    assert get("/api/areas?state=in").json()["found"] == len(on_list)
    page = text_of(get("/").text)
    assert (
        f"{len(on_list)} of {of} neighbourhoods in Vesselhoe are on the list of “left behind” neighbourhoods"
        in page
    )
    assert "Volunteers (per 1,000 residents)" in page
    layer = get("/api/map").json()
    counts = {c["label"]: c["areas"] for c in layer["classes"]}
    assert sum(counts.values()) == 400
    assert counts["Elsewhere, not listed here"] == 400 - of
    assert sum(counts.get(k, 0) for k in ("On the list", "Just inside the cut-off")) == len(on_list)
    place = get(f"/api/areas/{on_list[0]}").json()
    assert (
        place["shown"][0]["value"]
        == describe(focused, focused.areas.position[on_list[0]]).shown[0].value
    )
    assert place["shown"][0]["text"] in text_of(get(f"/area/{on_list[0]}").text)
    elsewhere = focused.areas.codes[int(np.flatnonzero(~here)[0])]
    assert get(f"/area/{elsewhere}").status_code == 200
    study = get("/api/study").json()
    assert (study["areas"], study["designations"][0]["selected"]) == (of, len(on_list))


def test_a_session_counts_those_in_focus(
    focused: Results, here: np.ndarray, on_list: list[str]
) -> None:
    said = {f.key: f.text for f in figures("own", focused)}
    assert said["own.areas.count"] == f"{here.sum()}"
    assert said["own.left_behind.count"] == f"{len(on_list)}"
    (everyone,) = groupings(focused)[0].groups
    assert everyone.label == "All neighbourhoods in Vesselhoe"
    assert everyone.rows.sum() == here.sum()


@pytest.mark.slow
def test_on_the_command_line(
    folder: Path, on_list: list[str], tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    study = folder / "vesselhoe.yaml"
    code, said, _ = tell("run", study, "--draws", "0", "--json", "--out", tmp_path / "out")
    assert code == 0
    assert json.loads(said)["designations"]["left_behind"]["selected"] == on_list
    code, said, _ = tell("show", on_list[0], "--study", study, "--draws", "0")
    assert code == 0
    assert "Volunteers: " in said
    assert "of the 103 with a value (1st = greatest need)" in said
    code, said, _ = tell("brief", study, "--draws", "0", "--out", tmp_path / "pack", "--json")
    assert (json.loads(said)["title"], json.loads(said)["profiles"]) == ("Vesselhoe", len(on_list))


@pytest.mark.parametrize(
    ("focus", "said"),
    [
        ({"district": "Southside"}, "focus: no area of the study has district 'Southside'; expected its code: S"),
        ({"district": "Z"}, "focus: no area of the study has district 'Z'"),
        ({"distrct": "S"}, "focus: 'distrct' is not one of the larger areas under 'parents'; did you mean 'district'"),
    ],
)  # fmt: skip
def test_where_nothing_lies_is_refused(small: Small, focus: dict[str, str], said: str) -> None:
    study = small.write(focus=focus)
    for refuse in (small.run, lambda study: check_files(load_study(study), small.store)):
        with pytest.raises(StudyError, match=re.escape(said)):
            refuse(study)


def test_what_is_shown_has_to_be_there(small: Small) -> None:
    with pytest.raises(StudyError, match="indicator 'incme' not found; did you mean 'income'"):
        small.run(small.write(show=["incme"]))


def test_one_on_the_list_is_told_as_one(small: Small) -> None:
    """A17, A18 and A20 are on the list; with a district of its own A20 is alone on it."""
    small.replace(small.areas, "A20,Place 20,2000,S,Southside", "A20,Place 20,2000,E,East")
    told = "\n".join(run_lines(small.run(small.write(focus={"district": "E"}), draws=20)))
    assert "1 of 1 place in East is on the list of “priority” places." in told
    assert "It stays on the list in at least 95% of recalculations." in told
    assert "of the 1" not in told


def test_by_hand(small: Small) -> None:
    """Of A20, A18 and A17 on the list all lie in the south; with a focus on the north it is empty there."""
    south = small.run(small.write(focus={"district": "S"}, show=["halls"]), draws=0)
    assert "3 of 10 places in Southside are on the list of “priority” places." in "\n".join(
        run_lines(south)
    )
    assert south.designation_in_focus("priority").population == 5500
    north = small.run(small.write(focus={"district": "N"}), draws=0)
    told = "\n".join(run_lines(north))
    assert "0 of 10 places in Northside are on the list of “priority” places." in told
    # Halls are not in doubt: A10 is third of twenty, and the fewest are 1 in A20.
    assert "halls: values for 10 of 10 places. Greatest need: A20 Place 20 (1)" in "\n".join(
        run_lines(south)
    )


def test_check_counts_what_is_only_shown_among_those_listed(small: Small) -> None:
    (small.path / "clubs.csv").write_text("code,clubs\nA11,4\nA12,3\nA01,9\n", "utf-8")
    clubs = {"file": "clubs.csv", "column": "clubs", "higher_is": "less"}
    study = small.write(focus={"district": "S"}, show=["clubs"], indicators__clubs=clubs)
    found = {of.name: of for of in check_files(load_study(study), small.store).coverage}
    assert (found["clubs"].known, found["clubs"].areas) == (2, 10)
    assert (found["halls"].known, found["halls"].areas) == (20, 20)
