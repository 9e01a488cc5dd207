"""The studies that ship, on the real files: what the issue of this project asks of each.

Every figure is asserted twice: in the results, and in the text that a user reads. Nothing of the
published tables is written here beyond counts, and the codes of the few areas that differ.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.terminal import run_data, run_lines

from commonweal.cli.find_study import find_study
from commonweal.designation import compare_designations
from commonweal.errors import CommonwealError
from commonweal.report.place.profile import profile
from commonweal.report.study.comparison import change_answer, change_tables
from commonweal.study.names import find_area
from commonweal.study.run import only_designation

if TYPE_CHECKING:
    from tests.real.conftest import Once

    from commonweal.sources import Store
    from commonweal.study.results import Results

pytestmark = pytest.mark.real


@pytest.fixture(scope="session")
def left_behind_2019(run_once: Once) -> Results:
    return run_once("left-behind-2019")


@pytest.fixture(scope="session")
def left_behind_2023(run_once: Once) -> Results:
    return run_once("left-behind-2023", geometry=False)


@pytest.fixture(scope="session")
def left_behind_2025(run_once: Once) -> Results:
    return run_once("left-behind-2025")


def text(results: Results) -> str:
    return "\n".join(run_lines(results))


# ---- 2019: the 225 wards ------------------------------------------------------------------------


def test_2019_wards(left_behind_2019: Results) -> None:
    flag = left_behind_2019.validations[0]
    assert len(flag.matched) + len(flag.missed) == 225
    assert (len(flag.matched), len(flag.missed), len(flag.extra)) == (223, 2, 2)
    said = "223 of the 225 on the published list are also on ours. 2 are on ours only."
    assert said in text(left_behind_2019)
    check = run_data(left_behind_2019)["tables"]["checks"][0]
    assert check["largest_difference"] == "2 only published, 2 only ours"


def test_2019_every_difference_is_listed_with_its_margins(left_behind_2019: Results) -> None:
    told = run_data(left_behind_2019)
    rows = told["tables"]["differences"]
    assert sorted(row["code"] for row in rows) == [
        "E05000777",
        "E05001223",
        "E05008730",
        "E05009107",
    ]
    for row in rows:
        assert abs(row["ranks_inside_the_cut_off"]) >= 1, row
        assert None not in row.values(), row
    agreement = told["agreement"][0]
    for row in (*agreement["missed"], *agreement["extra"]):
        assert set(row["margins"]) == {"community_needs", "deprivation"}
        assert all(m["places"] and m["score"] for m in row["margins"].values())


def test_2019_residents(left_behind_2019: Results) -> None:
    assert left_behind_2019.designations["left_behind"].population == 2_367_632
    assert re.search(r"^2\.(37|38|39|40) million people live there, in \d+ local authorities\.",
                     text(left_behind_2019), re.MULTILINE)  # fmt: skip


def test_2019_probability_for_each(left_behind_2019: Results) -> None:
    sure = left_behind_2019.certainty["left_behind"]
    assert sure.n_draws == 2000
    selected = left_behind_2019.designations["left_behind"].selected
    given = run_data(left_behind_2019)["designations"]["left_behind"]["certainty"]["share_of_draws"]
    assert len(given) == selected.sum() == 225
    assert all(0 <= p <= 1 for p in given.values())
    firm = int((sure.selected[selected] >= 0.95).sum())
    assert f"{firm} of the 225 stay on the list in at least 95% of recalculations" in text(
        left_behind_2019
    )
    alone = int((dict(sure.passes)["community_needs"][selected] >= 0.95).sum())
    assert (
        abs(alone - 107) <= 6
    )  # the method sheet's "about 107", on the weights of that index alone
    assert f"Community Needs Index 2019 alone: {alone} of the 225 meet the condition" in text(
        left_behind_2019
    )
    assert firm <= alone


def test_2019_wards_without_a_score_are_told(left_behind_2019: Results) -> None:
    """The index has 7,433 of the wards; those that it lacks are not shown as 'not on the list'."""
    assert run_data(left_behind_2019)["areas"] == 7445
    assert len(run_data(left_behind_2019)["designations"]["left_behind"]["without_score"]) == 18
    assert "18 wards have no score on an index that the rule uses" in text(left_behind_2019)
    assert "Community Needs Index 2019 12" in text(left_behind_2019)


# ---- 2023 and 2025: neighbourhoods --------------------------------------------------------------


def test_2023_is_exact(left_behind_2023: Results) -> None:
    flag = left_behind_2023.validations[0]
    assert flag.holds
    assert (len(flag.matched), len(flag.missed), len(flag.extra)) == (1305, 0, 0)
    assert left_behind_2023.designations["left_behind"].selected.sum() == 1305
    assert (
        "1,305 of 33,755 neighbourhoods are on the list of “left behind” neighbourhoods."
        in text(left_behind_2023)
    )
    assert "Every check agrees" in text(left_behind_2023)
    assert "1,305 of the 1,305 on the published list are also on ours." in text(left_behind_2023)


def test_2025(left_behind_2025: Results) -> None:
    assert left_behind_2025.designations["left_behind"].selected.sum() == 1262
    assert (
        "1,262 of 33,755 neighbourhoods are on the list of “left behind” neighbourhoods."
        in text(left_behind_2025)
    )
    assert all(a.holds for a in left_behind_2025.validations)


def test_2025_since_2023(left_behind_2025: Results) -> None:
    assert left_behind_2025.since is not None
    comparison = left_behind_2025.since[1]
    counts = [int(x.sum()) for x in (comparison.stay, comparison.leave, comparison.enter)]
    assert counts == [1156, 149, 106]
    assert comparison.report == {}  # the same areas: nothing was carried
    assert "1,156 stay on the list, 149 leave it, 106 enter it." in text(left_behind_2025)


def test_2025_each_change_is_named(left_behind_2025: Results) -> None:
    assert left_behind_2025.since is not None
    comparison = left_behind_2025.since[1]
    named = {
        t.name: t.shown.frame.select("Code", "Name", "Authority").rows()
        for t in change_tables(comparison)
    }
    assert {k: len(v) for k, v in named.items()} == {"leaves": 149, "enters": 106, "stays": 1156}
    assert len({row for rows in named.values() for row in rows}) == 149 + 106 + 1156
    for rows in named.values():
        assert all(re.fullmatch(r"E01\d{6}", code) and name and at for code, name, at in rows)
    since = run_data(left_behind_2025)["since"]
    assert {k: len(since[k]) for k in named} == {k: len(v) for k, v in named.items()}


def test_2025_how_fragile(left_behind_2025: Results) -> None:
    sure = left_behind_2025.certainty["left_behind"]
    selected = left_behind_2025.designations["left_behind"].selected
    stays = dict(sure.passes)["community_needs"][selected] >= 0.95
    assert abs(int(stays.sum()) - 659) <= 20
    assert (
        f"Community Needs Index 2023 alone: {stays.sum()} of the 1,262 meet the condition in at least 95% of "
        "recalculations." in text(left_behind_2025)
    )


def test_no_line_of_an_answer_has_a_hole(
    left_behind_2019: Results, left_behind_2023: Results, left_behind_2025: Results
) -> None:
    for results in (left_behind_2019, left_behind_2023, left_behind_2025):
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b|  +\S.*\s$", text(results))


# ---- the indices of deprivation -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "areas", "exact"),
    [("deprivation-2019", 32_844, 32_800), ("deprivation-2025", 33_755, 33_755)],
)
def test_deprivation_agrees(run_once: Once, name: str, areas: int, exact: int) -> None:
    results = run_once(name, geometry=False)
    assert len(results.areas) == areas
    assert len(results.validations) >= 4
    for agreement in results.validations:
        assert agreement.holds, agreement.spec
        assert agreement.compared == areas
        assert agreement.exact >= exact
    assert "Every check agrees, within the difference that the study allows." in text(results)


# ---- across vintages, and single places ---------------------------------------------------------


def test_wards_of_2019_beside_neighbourhoods_of_2023(
    left_behind_2019: Results, left_behind_2023: Results, real_store: Store
) -> None:
    found = compare_designations(
        only_designation(left_behind_2019), only_designation(left_behind_2023), real_store
    )
    stay, leave, enter = (int(x.sum()) for x in (found.stay, found.leave, found.enter))
    assert stay + enter == 1305
    # A ward holds some five neighbourhoods: of the 225, several hundred are selected anew.
    assert 500 < stay < 700
    people = left_behind_2023.areas.population
    before = float(np.nansum(found.carried * people))
    assert before == pytest.approx(
        left_behind_2019.designations["left_behind"].population, rel=0.08
    )
    counts, carried, *_ = change_answer(found, "2019", "2023")
    assert counts.endswith(f": {stay:,} stay on the list, {leave:,} leave it, {enter:,} enter it.")
    assert carried.startswith("Converted from Electoral wards, December 2017 to ")
    assert "at least half of its residents" in carried


def test_show_one_place(left_behind_2025: Results, real_store: Store) -> None:
    study, code = find_study("Lincoln 007C", real_store)
    assert (study.name, code) == ("left-behind-2025", "E01026129")
    found = profile(left_behind_2025, "e01026129")
    told = str(found).replace("\N{NO-BREAK SPACE}", " ")
    assert told.startswith(
        "Birchwood West (Lincoln 007C)\nLincoln, East Midlands. Neighbourhood E01026129; "
    )
    assert "It ranks 1st of 33,755 neighbourhoods on the Community Needs Index 2023" in told
    assert "is on the list of “left behind” neighbourhoods." in told
    assert "The rule: worst 10% on Community Needs Index 2023" in told
    assert "It was on the list every time." in told
    assert found.place.standings[0].rank == 1
    assert len(found.place.peers) == 5


def test_the_name_of_an_authority_is_answered_with_its_code(real_store: Store) -> None:
    with pytest.raises(
        CommonwealError, match=r"'hartlepool' is a local authority \(E06000001\) of 57 n"
    ) as told:
        find_study("hartlepool", real_store)
    assert "where: {lad24: E06000001}" in str(told.value)
    with pytest.raises(
        CommonwealError, match=r"'birchwood west' fits 5 neighbourhoods: E01026127 Birch"
    ):
        find_study("birchwood west", real_store)
    # The name of several neighbourhoods is the whole name of one ward in an older study.
    study, code = find_study("Bransholme East, Hull", real_store)
    assert (study.name, code) == ("left-behind-2019", "E05001667")


def test_a_ward_by_its_name(left_behind_2019: Results, real_store: Store) -> None:
    """Names of wards recur; the authority tells them apart, and an older study has the wards."""
    areas = left_behind_2019.areas
    row = find_area(areas, "Irwell, Rossendale")
    assert row is not None
    assert areas.codes[row] == "E05005325"
    study, code = find_study("irwell,  rossendale", real_store)
    assert (study.name, code) == ("left-behind-2019", "E05005325")
