"""Hartlepool on England's scale, as the how-to does it: the same numbers in every output."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pytest
from tests.terminal import run_lines

from commonweal.document.format import list_name, ordinal
from commonweal.report.place import describe
from commonweal.report.place.pack import write_pack
from commonweal.report.place.profile import profile
from commonweal.report.study.folder import write_results
from commonweal.spec.study import load_study
from commonweal.study.names import find_scope, focus_scope
from commonweal.study.run import run
from commonweal.web import Explorer
from commonweal.web.search import ListRequest, record
from commonweal.web.search import list_page as listed_in

if TYPE_CHECKING:
    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "open-index.md"
CODE = "E01011980"


@pytest.fixture(scope="module")
def hartlepool(real_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The recipe of the page, with its table."""
    folder = tmp_path_factory.mktemp("hartlepool")
    section = PAGE.read_text("utf-8").partition("## Your authority on England's scale")[2]
    for language, name in (("yaml", "hartlepool.yaml"), ("text", "volunteers.csv")):
        block = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
        assert block is not None
        (folder / name).write_text(block[1], "utf-8")
    return run(folder / "hartlepool.yaml", real_store, draws=20, sensitivity=False)


def test_the_list_is_england_s_inside_hartlepool(
    hartlepool: Results, open_england: Results
) -> None:
    assert len(hartlepool.areas) == 33_755
    inside = (open_england.areas.table["lad24"] == "E06000001").to_numpy()
    chosen = open_england.designations["left_behind"].selected & inside
    assert hartlepool.areas.table["code"].filter(chosen).to_list() == [CODE]
    np.testing.assert_array_equal(hartlepool.designation_in_focus("left_behind").selected, chosen)
    for index, scores in open_england.scores.items():
        np.testing.assert_array_equal(scores.rank, hartlepool.scores[index].rank)
    told = "\n".join(run_lines(hartlepool))
    label = hartlepool.study.briefing.label
    assert (
        f"1 of 57 neighbourhoods in Hartlepool is on {list_name(label, 'neighbourhoods')}" in told
    )
    assert "Ranks and cut-offs are set among all 33,755 neighbourhoods of England" in told
    assert (
        "Volunteers (not part of an index): values for 3 of 57 neighbourhoods. Greatest need: E01011980"
        in told
    )


def test_where_says_that_all_is_set_among_its_own_areas(real_store: Store, tmp_path: Path) -> None:
    """And compares with the same areas of the earlier list, not with a conversion of all."""
    file = tmp_path / "alone.yaml"
    file.write_text("extends: left-behind-2025\ntitle: Alone\nwhere: {lad24: E06000001}\n", "utf-8")
    told = "\n".join(run_lines(run(file, real_store, draws=0, sensitivity=False)))
    assert "Ranks and cut-offs are set among these 57 neighbourhoods alone. " in told
    assert "2023 (11 neighbourhoods) to Alone (" in told
    assert "Converted from" not in told


def test_every_output_has_the_same(hartlepool: Results, tmp_path: Path) -> None:
    made = write_results(hartlepool, tmp_path / "results")
    book = openpyxl.load_workbook(made / "results.xlsx", read_only=True)
    rows = list(book["Areas"].iter_rows(values_only=True))
    start = next(k for k, row in enumerate(rows) if "Code" in row)
    listed = {
        row[rows[start].index("Code")]: dict(zip(rows[start], row, strict=True))
        for row in rows[start + 1 :]
    }
    assert len(listed) == 57
    assert listed[CODE]["Volunteers (per 1,000 residents)"] == 12.5
    assert listed[CODE]["Volunteers: rank"] == 1
    row = hartlepool.areas.position[CODE]
    label = hartlepool.label("deprivation")
    rank = int(hartlepool.scores["deprivation"].rank[row])
    assert listed[CODE][f"{label}: rank"] == rank
    place = describe(hartlepool, row)
    assert next(s.rank for s in place.standings if s.path == "deprivation") == rank
    assert [a.label for a in place.standings[0].averages][-3:] == [
        "Hartlepool",
        "North East",
        "England",
    ]
    worse = next(s.worse_than for s in place.standings if s.path == "deprivation")
    assert worse is not None
    assert worse > 0.95
    said = str(profile(hartlepool, CODE))
    assert re.search(rf"{ordinal(rank)} of 33,755\b[^.]* on the {label}[ .]", said)
    assert "Volunteers: 12.5 per 1,000 residents, 1st of the 3 with a value" in said
    explorer = Explorer(hartlepool)
    page = listed_in(explorer, explorer.published, ListRequest(per=200))
    assert len(page.found) == 57
    assert record(explorer.published, row)["rank.deprivation"] == rank
    assert record(explorer.published, row)["shown.volunteers"] == 12.5
    scope = focus_scope(hartlepool.areas, hartlepool.study)
    assert scope is not None
    pack = write_pack(hartlepool, scope, tmp_path / "pack", charts="none")
    assert [p.stem for p in (pack / "profiles").glob("*.html")] == [CODE]
    page = (pack / "overview.html").read_text("utf-8")
    assert "1 of 57 neighbourhoods in Hartlepool is on the list of" in page
    assert "It is home to " in page


def test_a_study_of_hartlepool_alone_has_no_column_of_england(real_store: Store) -> None:
    """Before, its 57 neighbourhoods stood there as Hartlepool, as the North East and as England."""
    study = load_study("deprivation-2025").model_copy(update={"where": {"lad24": "E06000001"}})
    results = run(study, real_store, draws=0, geometry=False)
    assert len(results.areas) == 57
    for averages in (s.averages for s in describe(results, results.areas.position[CODE]).standings):
        assert {a.group: a.label for a in averages} == {
            "peers": "Similar neighbourhoods",
            "all": "Hartlepool",
        }
    assert find_scope(results.areas, []).title == "Hartlepool"
    assert find_scope(results.areas, ["North East"]).title == "North East (part)"
    assert {parent for parent, _ in results.summaries} <= {"lad24", "lad19"}
