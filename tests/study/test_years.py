"""A study over years: read long and wide, scored on one scale, told in every output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import polars as pl
import pytest

from commonweal.errors import CommonwealError, StudyError
from commonweal.report.place import describe
from commonweal.report.study.folder import write_results
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.study.results import Results

YEARS = (2015, 2019, 2024)
I = np.arange(1, 21)  # noqa: E741
HALLS = np.array([2 if i == 10 else 11 if i == 19 else 21 - i for i in I])
INCOME = {2015: I + 10.0, 2019: I + 4.0, 2024: I + 0.0}
"""Everyone's income need falls by 6 and then by 4, so no rank ever changes."""


def long_csv(skip: dict[int, set[int]] | None = None) -> str:
    lines = ["code,year,income,income_se"]
    for year in YEARS:
        gone = (skip or {}).get(year, set())
        lines += [f"A{i:02d},{year},{INCOME[year][i - 1]:g},0.5" for i in I if i not in gone]
    return "\n".join(lines) + "\n"


def wide_csv() -> str:
    """One hall more for all in 2024, but three fewer in A05."""
    lines = ["code,halls15,halls19,halls24"]
    for i, now in zip(I, HALLS, strict=True):
        before = now + 3 if i == 5 else now - 1
        lines.append(f"A{i:02d},{before},{before},{now}")
    return "\n".join(lines) + "\n"


def panel(**more: Any) -> dict[str, Any]:
    """What `small.write` needs for a study over years."""
    return {
        "panel": {"years": list(YEARS), "base": 2015},
        "indicators__income": {
            "label": "Low income",
            "file": "income.csv",
            "column": "income",
            "year": "year",
            "standard_error": "income_se",
            "higher_is": "more",
        },
        "indicators__halls": {
            "file": "halls.csv",
            "column": {2015: "halls15", 2019: "halls19", 2024: "halls24"},
            "higher_is": "less",
        },
        "index__deprivation__transform": "min_max",
        "index__community_needs__transform": "min_max",
        **more,
    }


@pytest.fixture
def over_years(small: Any) -> Any:
    (small.path / "income.csv").write_text(long_csv(), "utf-8")
    (small.path / "halls.csv").write_text(wide_csv(), "utf-8")
    small.write(**panel())
    return small


def test_the_results_are_those_of_the_latest_year(over_years: Any) -> None:
    with_panel = over_years.run()
    over_years.write(
        index__deprivation__transform="min_max", index__community_needs__transform="min_max"
    )
    without = over_years.run()
    assert not without.trends
    for name in without.scores:
        np.testing.assert_array_equal(with_panel.scores[name].score, without.scores[name].score)
    mine, theirs = with_panel.designations["priority"], without.designations["priority"]
    np.testing.assert_array_equal(mine.selected, theirs.selected)
    np.testing.assert_array_equal(
        with_panel.certainty["priority"].selected, without.certainty["priority"].selected
    )


def test_scores_by_year_by_hand(over_years: Any) -> None:
    """Incomes 11 to 30 in 2015: a point of income is 100/19 points of score."""
    found = over_years.run().trends["deprivation"]
    for need, year in zip(found.scores.need(), YEARS, strict=True):
        np.testing.assert_allclose(need, (INCOME[year] - 11) / 19 * 100)
    np.testing.assert_allclose(found.change, -10 / 19 * 100)
    np.testing.assert_array_equal(found.rank_shift, 0)
    own = found.own["deprivation"]
    np.testing.assert_allclose(own.total, 0, atol=1e-9)
    np.testing.assert_allclose(own.parts["data"], -1000 / 19)
    np.testing.assert_allclose(own.parts["base"], 1000 / 19)
    slope = np.polyfit(YEARS, [0, -6 / 19 * 100, -10 / 19 * 100], 1)[0]
    np.testing.assert_allclose(found.line.slope, slope)
    halls = over_years.run().trends["community_needs"]
    # Halls from 0 to 19 in 2015, with A05's 19 (16 and 3): fewer is more need.
    assert HALLS[4] == 16
    expected = np.where(I == 5, 3, -1) / 19 * 100
    np.testing.assert_allclose(halls.change, expected, rtol=1e-9)
    assert halls.scores.need().shape == (3, 20)


def test_a_base_that_is_the_latest_year_or_all_years(over_years: Any) -> None:
    over_years.write(**panel(panel__base="latest"))
    results = over_years.run()
    latest = results.trends["deprivation"].scores.need()[-1]
    np.testing.assert_array_equal(latest, results.scores["deprivation"].score)
    assert results.trends["deprivation"].scores.base == 2024
    over_years.write(**panel(panel__base="pooled"))
    pooled = over_years.run().trends["deprivation"].scores
    np.testing.assert_allclose(pooled.need()[0], (INCOME[2015] - 1) / 29 * 100)


def test_areas_that_come_and_go(over_years: Any) -> None:
    text = long_csv({2015: {3}, 2024: {4}, 2019: {7}})
    (over_years.path / "income.csv").write_text(text, "utf-8")
    results = over_years.run()
    found = results.trends["deprivation"]
    assert [found.state[i] for i in (0, 2, 3, 6)] == ["both", "enters", "leaves", "both"]
    frame = found.to_frame()
    assert frame["deprivation.change"].null_count() == 2
    assert frame["deprivation.rank_2015"].max() == 19
    assert frame["deprivation.score_2019"][6] is None
    assert frame["deprivation.slope"][6] is not None
    assert frame["deprivation.volatility"][6] is None
    trend = next(s for s in results.provenance["steps"] if s["step"] == "trend deprivation")
    assert (trend["both"], trend["enters"], trend["leaves"]) == (18, 1, 1)
    over_years.write(**panel(panel__fill="linear"))
    filled = over_years.run().trends["deprivation"]
    assert filled.scores.need()[1, 6] == pytest.approx(
        (INCOME[2015][6] + 4 / 9 * (INCOME[2024][6] - INCOME[2015][6]) - 11) / 19 * 100
    )
    assert np.isnan(filled.scores.need()[0, 2])  # nothing before, and 'linear' needs both sides
    over_years.write(**panel(panel__fill="constant", panel__max_gap=3))
    near = over_years.run().trends["deprivation"]
    assert np.isnan(near.scores.need()[0, 2])  # the nearest value is four years away
    over_years.write(**panel(panel__fill="constant", panel__max_gap=4))
    assert over_years.run().trends["deprivation"].state.count("both") == 19


def test_the_method_of_the_earlier_year(over_years: Any) -> None:
    was = {"transform": {"min_max": {"high": 50}}, "children": {"income": {"indicator": "income"}}}
    over_years.write(**panel(panel__before={"deprivation": was}))
    own = over_years.run().trends["deprivation"].own["deprivation"]
    now = (I - 1) / 19 * 100
    np.testing.assert_allclose(own.total, now - now / 2, atol=1e-9)
    np.testing.assert_allclose(sum(own.parts.values()), own.total, atol=1e-9)
    assert (np.abs(own.parts["method"]) > 0).any()


def test_a_file_for_each_year(over_years: Any) -> None:
    for year in YEARS:
        lines = [f"A{i:02d},{v:g}" for i, v in zip(I, INCOME[year], strict=True)]
        (over_years.path / f"y{year}.csv").write_text("\n".join(["code,income", *lines]), "utf-8")
    change = panel()["indicators__income"] | {"file": {y: f"y{y}.csv" for y in YEARS}}
    del change["year"], change["standard_error"]
    over_years.write(**panel(indicators__income=change))
    found = over_years.run().trends["deprivation"]
    np.testing.assert_allclose(found.change, -10 / 19 * 100)
    assert load_study(over_years.study).named_files() >= {f"y{y}.csv" for y in YEARS}


@pytest.fixture
def written(over_years: Any, tmp_path: Path) -> tuple[Results, Path]:
    results = over_years.run()
    return results, write_results(results, tmp_path / "out")


def test_every_output_tells_it(written: tuple[Results, Path]) -> None:
    results, folder = written
    frame = pl.read_parquet(folder / "trends.parquet")
    assert frame["code"].to_list() == results.areas.codes
    assert {"deprivation.score_2015", "community_needs.halls.change"} <= set(frame.columns)
    book = openpyxl.load_workbook(folder / "results.xlsx", read_only=True)
    assert {"Trends_deprivation", "Trends_community_needs"} <= set(book.sheetnames)
    rows = list(book["Trends_community_needs"].values)
    head = next(row for row in rows if row[0] == "Code")
    assert head[:4] == ("Code", "Name", "Change", "Mostly because of")
    first = rows[rows.index(head) + 1]
    assert first[0] == "A05"
    assert first[2] == pytest.approx(300 / 19)
    assert first[3] == "halls (+15.8)"
    report = (folder / "report.html").read_text("utf-8")
    assert "Change over time: " in report
    assert "need rose in 1 place and fell in 19 places" in report
    assert "2024 is on its own scale" in report
    assert report.count('role="img" aria-labelledby="trend-') == 2
    assert "Scores of 2015, 2019, 2024 are compared on the scale of 2015" in report
    assert "trends.parquet" in (folder / "README.txt").read_text("utf-8")


def test_a_place_says_how_it_moved(over_years: Any, tell: Any) -> None:
    code, out, _ = tell("show", "A05", "--study", over_years.study)
    assert code == 0
    assert (
        "Community needs, 2015 to 2024: need up 15.8 points on the scale of 2015 (0.0 to 15.8), 19th to 16th, "
        "mostly because of halls (+15.8)." in out.replace("\n    ", " ")
    )
    assert "deprivation, 2015 to 2024: need down 52.6 points on the scale of 2015" in out
    _, out, _ = tell("show", "A05", "--study", over_years.study, "--json")
    (told,) = (s["trend"] for s in json.loads(out)["standings"] if s["path"] == "community_needs")
    assert told["base"] == 2015
    assert told["years"]["2015"] == {"score": 0.0, "rank": 19.0}
    assert told["by"] == {"halls": pytest.approx(300 / 19)}
    (over_years.path / "income.csv").write_text(long_csv({2015: {5}}), "utf-8")
    _, out, _ = tell("show", "A05", "--study", over_years.study)
    assert "deprivation, 2015 to 2024: a score only in 2024" in out


def test_the_recipe_that_was_run_can_be_run_again(
    written: tuple[Results, Path], small: Any
) -> None:
    results, folder = written
    found = small.run(folder / "study.yaml")
    for name, trend in found.trends.items():
        np.testing.assert_array_equal(trend.scores.need(), results.trends[name].scores.need())


FAULTS = [
    ({"panel__years": [2015]}, r"panel\.years: found 1 in a list; expected at least 2"),
    ({"panel__years": [2019, 2015]}, r"panel\.years: found 2019, 2015; expected each once, in asc"),
    ({"panel__years": [2015, 2019, 2024.5]}, r"panel\.years\.2: .*whole number"),
    ({"panel__base": 2018}, r"panel\.base: 2018 is not one of the years; did you mean '201[59]'"),
    ({"panel__base": "last"}, r"panel\.base: found 'last'; expected a year, 'latest' or 'pooled'"),
    ({"panel__base": True}, r"panel\.base: found True; expected a year, 'latest' or 'pooled'"),
    ({"panel__compare": [2024, 2015]}, r"panel\.compare: expected the earlier year, then the later"),
    ({"panel__compare": [2015, 2020]}, r"panel\.compare\.1: 2020 is not one of the years"),
    ({"panel__max_gap": 2}, r"panel\.max_gap: goes with 'fill', which says how gaps are filled"),
    ({"panel__fill": "lineal"}, r"panel\.fill: found 'lineal'; .*did you mean 'linear'"),
    ({"panel__areas": {2016: "lsoa11"}}, r"panel\.areas\.2016: 2016 is not one of the years"),
    ({"panel__areas": {2015: "lsoa12"}}, r"panel\.areas\.2015: area system 'lsoa12' not found; did"),
    ({"panel__yeers": 1}, r"panel\.yeers: unknown key; did you mean 'years'"),
    ({"panel__before": {"deprived": {"indicator": "income"}}}, r"panel\.before\.deprived: no such ind"),
    (
        {"panel__before": {"deprivation": {"children": {"a": {"indicator": "incom"}}}}},
        r"panel\.before\.deprivation\.children\.a\.indicator: indicator 'incom' not found; did you",
    ),
    (
        {"panel__before": {"deprivation": {"areas": "lsoa11", "indicator": "income"}}},
        r"panel\.before\.deprivation\.areas: is that of the index itself; expected none",
    ),
    (
        {"panel__before": {"deprivation": {"children": {"a": {"indicator": "income", "base": ["halls"]}},
                                           "transform": "min_max"}}},
        r"panel\.before\.deprivation\.children\.a\.base: goes without 'panel', whose base holds",
    ),
    (
        {"index__deprivation__children__income__base": ["income"]},
        r"index\.deprivation\.children\.income\.base: goes without 'panel', whose base holds for all",
    ),
    ({"indicators__income__year": None}, r"indicators\.income: does not say where its years are; exp"),
    ({"indicators__halls__year": "year"}, r"indicators\.halls: says both where its years are; expect"),
    ({"indicators__halls__column": {2015: "a", 2024: "b"}}, r"halls\.column: 2019 is missing; expect"),
    ({"indicators__halls__column": {2014: "a"}}, r"halls\.column: 2014 is not one of the panel's years"),
    ({"indicators__halls__column": ["a"]}, r"halls\.column: found something else; expected text, or "),
    ({"indicators__halls__column": 2015}, r"halls\.column: found 2015; expected text, or one for each"),
    ({"indicators__halls__file": {"now": "a.csv"}}, r"halls\.file: found something else; expected te"),
    ({"panel": None}, r"indicators\.income\.year: goes with 'panel', which says the years"),
    (
        {"panel": None, "indicators__income__year": None},
        r"indicators\.halls\.column: goes with 'panel', which says the years",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), FAULTS)
def test_a_panel_that_will_not_do(over_years: Any, change: dict[str, Any], said: str) -> None:
    given = {
        key: value for key, value in panel(**change).items() if (key, value) != ("panel", None)
    }
    over_years.write(**given)
    with pytest.raises(StudyError, match=said):
        load_study(over_years.study)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "A01,2019,",
            "A01,2019/20,",
            r"income: column 'year' of income.csv has '2019/20'; expected wh",
        ),
        ("A01,2019,", "A02,2019,", r"income: area A02 is in income\.csv more than once"),
        ("code,year,", "code,jahr,", r"column 'year' not found"),
        (
            "A01,2019,5",
            "A01,2019,five",
            r"income: column 'income' of income.csv has 'five' .row 21.; expected n",
        ),
    ],
)
def test_a_long_table_that_will_not_do(
    over_years: Any, tell: Any, old: str, new: str, said: str
) -> None:
    over_years.replace(over_years.path / "income.csv", old, new)
    with pytest.raises(CommonwealError, match=said):
        over_years.run()
    code, _, err = tell("check", over_years.study)  # which opens the files too
    assert code == 2
    assert "income" in err


def test_a_year_that_a_long_table_does_not_have(over_years: Any) -> None:
    over_years.write(**panel(panel__years=[2015, 2020, 2024], indicators__halls__column={
        2015: "halls15", 2020: "halls19", 2024: "halls24"}))  # fmt: skip
    said = r"income: column 'year' of income.csv has no 2020; its years are: 2015, 2019, 2024 \(or say 'fill'"
    with pytest.raises(StudyError, match=said):
        over_years.run()
    over_years.write(**panel(panel__years=[2015, 2020, 2024], panel__fill="linear",
        indicators__halls__column={2015: "halls15", 2024: "halls24"}))  # fmt: skip
    need = over_years.run().trends["deprivation"].scores.need()
    np.testing.assert_allclose(need[1], need[0] + 5 / 9 * (need[2] - need[0]))
    over_years.write(**panel(panel__years=[1990, 1991], panel__base=1990, panel__fill="linear",
        indicators__halls__column={1990: "halls15", 1991: "halls24"}))  # fmt: skip
    with pytest.raises(StudyError, match=r"income: income.csv has none of the panel's years"):
        over_years.run()


def test_each_year_is_prepared_by_itself(over_years: Any) -> None:
    """Halls per resident: the divisor is the population that the areas state, in every year."""
    steps = [{"denominate": {"by": "population", "per": 1000, "of": ["halls"]}}]
    over_years.write(**panel(prepare=steps))
    results = over_years.run()
    found = results.trends["community_needs"]
    rate = {
        2015: 1000 * np.where(I == 5, 19, HALLS - 1) / (100 * I),
        2024: 1000 * HALLS / (100 * I),
    }
    low, high = rate[2015].min(), rate[2015].max()
    for at, year in ((0, 2015), (2, 2024)):
        np.testing.assert_allclose(
            found.scores.need()[at], (high - rate[year]) / (high - low) * 100, rtol=1e-9
        )
    kinds = [s["step"] for s in results.provenance["steps"] if s["step"].startswith("prepare")]
    assert kinds == ["prepare own 2015", "prepare own 2019", "prepare own 2024"]
    assert (results.prepared["community_needs"].done[0].cells["code"].n_unique()) == 20


def test_an_indicator_left_out_in_one_year_only_is_an_error(over_years: Any) -> None:
    (over_years.path / "income.csv").write_text(long_csv({2019: set(range(1, 15))}), "utf-8")
    steps = [{"screen": {"indicators": 0.5}}]
    over_years.write(**panel(prepare=steps, designate=None, certainty=None))
    said = r"prepare: indicator income is left out in 2019 \(.*\) and not in every year; expected the same"
    with pytest.raises(StudyError, match=said):
        over_years.run()


def test_what_cannot_be_told_is_said(over_years: Any, tmp_path: Path) -> None:
    """Areas that come and go, a mean that the other year's base has no values for, no change at all."""
    (over_years.path / "income.csv").write_text(long_csv({2015: {3}, 2024: {4, 6}}), "utf-8")
    how = {"transform": {"min_max": {"low": 1}}, "aggregate": "geometric"}
    still = dict.fromkeys(YEARS, "halls24")
    over_years.write(
        **panel(
            panel__base="pooled",
            index__deprivation={**how, "children": {"income": {"indicator": "income"}}},
            indicators__halls__column=still,
        )
    )
    results = over_years.run()
    report = (write_results(results, tmp_path / "told") / "report.html").read_text("utf-8")
    assert "1 have a score only in 2024. 2 have a score only in 2015." in report
    assert "on the scale of all years together" in report
    said = "cannot be calculated: 2024 on the base 2015: deprivation: geometric mean of "
    assert said in report
    trend = next(s for s in results.provenance["steps"] if s["step"] == "trend deprivation")
    assert trend["not split"].startswith("2024 on the base 2015")
    frame = pl.read_parquet(tmp_path / "told" / "trends.parquet")
    assert "deprivation.own_change" not in frame.columns
    assert frame["community_needs.change"].to_list() == [0] * 20
    assert report.count('role="img" aria-labelledby="trend-') == 1
    assert "need rose in 0 places and fell in 0 places" in report


def test_where_areas_are_compared_in_pairs_nothing_drives(over_years: Any) -> None:
    both = {name: {"indicator": name} for name in ("income", "halls")}
    pairs = {"transform": "none", "aggregate": "copeland", "children": both}
    over_years.write(**panel(index__deprivation=pairs, certainty=None))
    line = describe(over_years.run(), 4).standings[0].trend_text
    assert line.startswith("deprivation, 2015 to 2024: need ")
    assert "mostly because of" not in line
