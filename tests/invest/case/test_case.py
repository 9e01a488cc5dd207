"""A whole case: its parts hang together, nothing is counted twice, and every file tells the same numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import polars as pl
import pyogrio
import pypdf
import pytest
import shapely

from commonweal.chart.map import HEIGHT, WIDTH
from commonweal.document.text import document_lines
from commonweal.document.write import write_document
from commonweal.errors import CommonwealError, DataError
from commonweal.invest.appraisal.appraise import figure, money
from commonweal.invest.appraisal.project import project_from
from commonweal.invest.case.case import make_case
from commonweal.invest.case.model import CaseOptions, without_people, worked_places
from commonweal.report.allocation import allocation_sections
from commonweal.report.case.report import case_document
from commonweal.report.case.sites import write_places
from commonweal.report.case.tables import by_intervention, by_place, by_year, options, pounds
from commonweal.report.case.text import case_answer, case_assumptions
from commonweal.report.invest_maps import allocation_map
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.invest.case.model import Case
    from commonweal.sources import Store
    from commonweal.study.results import Results

BUDGET = 8e6


@pytest.mark.slow
def test_it_is_for_the_neediest_of_the_district(case: Case, county: Results) -> None:
    inside = np.array(county.areas.table["district_name"].to_list()) == "Vesselhoe"
    rank = next(iter(county.scores.values())).rank
    rows = np.flatnonzero(inside)
    wanted = rows[np.argsort(rank[rows], kind="stable")][:6]
    assert case.rows.tolist() == wanted.tolist()
    assert case.problem.codes == tuple(county.areas.codes[r] for r in wanted)
    assert case.people == county.areas.population[wanted].sum()


def test_no_place_is_given_more_than_its_part_and_all_not_more_than_there_is(case: Case) -> None:
    each = case.problem.spent(case.option.mix.start, 10).sum(axis=(1, 2))
    assert case.option.sharing == "each"
    assert (each <= BUDGET / 6 + 1e-6).all()
    assert each.sum() > 0.5 * BUDGET  # a part buys something everywhere
    assert case.other.mix.spent.sum() <= BUDGET + 1e-6


def test_money_that_may_go_anywhere_meets_no_less_need(case: Case) -> None:
    assert case.other.sharing == "pooled"
    assert case.other.mix.bound >= case.option.mix.met - 1e-9
    met = [point.mix.met for point in case.frontier]
    assert met == sorted(met)
    assert met[0] < met[-1]


def test_the_appraisal_spends_what_the_mix_does(case: Case) -> None:
    """Its lines come from the mix: amounts times years, before optimism bias and discounting."""
    for option in (case.option, case.other):
        lines = option.appraisal.project.costs.values()
        stated = sum(line.amount.mean * sum(share for _, share in line.years) for line in lines)
        assert stated == pytest.approx(option.mix.spent.sum(), rel=1e-9)
    total = by_year(case)["In all (£)"].sum()
    assert total == pytest.approx(case.mix.spent.sum(), abs=10)
    assert by_place(case)["Cost (£)"].sum() == pytest.approx(case.mix.spent.sum(), abs=10)
    assert by_intervention(case)["Cost (£)"].sum() == pytest.approx(case.mix.spent.sum(), abs=10)


def test_each_outcome_is_claimed_once(case: Case) -> None:
    """The one benefit takes in all that moves how people rate their lives: a second is refused."""
    project = case.appraisal.project
    assert [b.claims for b in project.benefits.values()] == ["life_satisfaction"]
    data = project.model_dump(exclude_defaults=True)
    twice: dict[str, Any] = {
        "label": "Less anxiety", "claims": "anxiety", "value": 10.0, "people": 10.0, "years": 1,
        "additionality": 1,
    }  # fmt: skip
    data["benefits"] = {**project.benefits, "anxiety": twice}
    data["costs"] = project.costs
    with pytest.raises(DataError, match="anxiety"):
        project_from({k: v for k, v in data.items() if k != "name"})


def test_the_benefit_is_the_gain_of_the_mix(case: Case) -> None:
    benefit = case.appraisal.project.benefits["wellbeing"]
    total = sum(g.total for g in case.gains)
    claimed = benefit.quantity.mean * benefit.people.mean * sum(s for _, s in benefit.years)
    assert claimed == pytest.approx(total, rel=1e-3)
    shares = by_intervention(case)["Share of the gain"]
    assert shares.sum() == pytest.approx(1)


def test_studied_effects_stand_on_their_own_cost_and_are_worth_no_more_than_all(case: Case) -> None:
    assert case.option.studied
    for option in case.options:
        whole = option.appraisal.measures
        for s in option.studied:
            own = s.appraisal
            assert {
                name.removesuffix("_capital").removesuffix("_running") for name in own.project.costs
            } == {s.intervention}
            lines = {n: option.appraisal.project.costs[n] for n in own.project.costs}
            assert own.project.costs == lines, "what it costs is what it costs in the whole mix"
            assert own.measures["public_cost"].expected <= whole["public_cost"].expected + 1e-6
        worth = sum(s.appraisal.measures["benefits"].expected for s in option.studied)
        assert worth <= whole["benefits"].expected * (1 + 1e-3)


def bcr_to_one(case: Case) -> float:
    """Give by what the benefit has to be multiplied for the mix to be worth its cost, by hand."""
    m = case.appraisal.measures
    return m["public_cost"].expected / m["benefits"].expected


def test_the_answer_says_what_it_rests_on_before_what_it_is_worth(case: Case) -> None:
    said = case_answer(case)
    for begins, text in zip(
        (
            "Break-even:",
            "Studied effects, each on its own cost:",
            "Assumed total:",
            "Who:",
            "What:",
            "How stable the mix is:",
            "Cost:",
            "Worth, on those assumptions:",
            "Biggest source of uncertainty:",
        ),
        said,
        strict=True,
    ):
        assert text.startswith(begins)
    bcr = case.appraisal.measures["bcr"]
    worth = next(text for text in said if text.startswith("Worth"))
    assert money(case.appraisal.measures["npsv"].expected) in worth
    even, studied, total = said[:3]
    assert f"{pounds(bcr.expected)} for each pound" in total
    assert f"{pounds(bcr.low)} to {pounds(bcr.high)}" in total
    assert "assumed, not verified" in total
    assert "not a finding" in total
    for s in case.option.studied:
        assert f"{pounds(s.appraisal.measures['bcr'].expected)} for each pound" in studied
    assert "is assumed" in studied
    points = case.appraisal.model.inputs["wellbeing.points"]
    needed = points.number.mean * bcr_to_one(case)
    assert f"rate life {figure(needed, points)} points higher" in even
    assert "that is not verified" in even
    lines = list(document_lines(case_document(case)))
    assert any("fictional" in line for line in lines)
    assumed = case_assumptions(case)
    assert len(assumed) == len(set(assumed))
    for name, done in zip(case.problem.interventions, case.mix.chosen.T, strict=True):
        label = case.interventions.interventions[name].label
        assert any(text.startswith(f"{label}, effect on") for text in assumed) == bool(done.any())


def test_every_file_tells_the_same(case: Case, tmp_path: Path) -> None:
    more = {"places.gpkg": ("Places.", lambda path: write_places(case, path))}
    folder = write_document(case_document(case), tmp_path / "annex", more)
    html = (folder / "report.html").read_text("utf-8").partition("</style>")[2]
    page = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)).replace("\xa0", " "))
    pdf = pypdf.PdfReader(folder / "report.pdf")
    paper = re.sub(r"\s+", " ", " ".join(p.extract_text() for p in pdf.pages))
    book = openpyxl.load_workbook(folder / "report.xlsx")
    for text in case_answer(case):
        assert text in page
        assert re.sub(r"\W", "", text) in re.sub(r"\W", "", paper)
    cells = {
        str(cell.value)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }
    assert set(case_answer(case)) <= cells
    for row in by_place(case).iter_rows(named=True):
        assert row["Code"] in page
        assert f"{row['Cost (£)']:,.0f}" in page
        assert row["Code"] in cells
        assert str(round(row["Cost (£)"])) in cells
    for text in options(case).row(6):
        assert text in page
        assert re.sub(r"\s", "", text) in re.sub(r"\s", "", paper)
    assert "sites" not in pyogrio.list_layers(folder / "places.gpkg")[:, 0]
    data = json.loads((folder / "report.json").read_text("utf-8"))
    assert [r["cost_gbp"] for r in data["tables"]["by-place"]] == by_place(case)[
        "Cost (£)"
    ].to_list()


def test_the_parts_stand_in_the_order_of_the_five_cases(case: Case) -> None:
    report = case_document(case)
    titles = [section.title for section in report.sections]
    firsts = [
        next(k for k, t in enumerate(titles) if t.startswith(f"{one} case"))
        for one in ("Strategic", "Economic", "Commercial", "Financial", "Management")
    ]
    assert firsts == sorted(firsts)
    names = [table.name for table in report.tables()]
    assert len(names) == len(set(names))
    assert "fictional" in report.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"areas": ("Nowhere",)}, "Nowhere"),
        ({"areas": ()}, "--area"),
        ({"subject": "dmeo"}, "did you mean 'demo'"),
        ({"places": 0}, "places: found 0"),
        ({"budget": 1000.0}, "buys nothing"),
        ({"candidates": "cinema", "kind": "library"}, "cinema"),
        ({"kind": "palace"}, "palace"),
        ({"interventions": "fist-set"}, "did you mean 'first-set'"),
        ({"values": "none.yaml"}, "none.yaml"),
    ],
)
def test_what_cannot_be_is_refused(
    changed: dict[str, Any], said: str, county: Results, store: Store
) -> None:
    asked = CaseOptions(
        **{"subject": "demo", "areas": ("Vesselhoe",), "places": 3, "draws": 0, **changed}
    )
    with pytest.raises(CommonwealError, match=re.escape(said)):
        make_case(asked, store, results=county)


def test_prices_of_a_year_without_a_deflator_are_told_with_file_and_key(
    county: Results, store: Store, tmp_path: Path
) -> None:
    from importlib import resources

    folder = resources.files("commonweal.invest") / "interventions/published"
    text = (folder / "first-set.yaml").read_text("utf-8")
    assert "price_year: 2024" in text
    own = tmp_path / "own.yaml"
    own.write_text(text.replace("price_year: 2024", "price_year: 2026"), "utf-8")
    asked = CaseOptions("demo", ("Vesselhoe",), interventions=str(own))
    with pytest.raises(
        DataError, match=r"own\.yaml: price_year: found 2026; expected \d+ to 202\d, "
    ):
        make_case(asked, store, results=county)


def test_several_areas_are_taken_together(county: Results, store: Store) -> None:
    names = county.areas.table["district_name"].unique(maintain_order=True).to_list()[:2]
    _, rows, title = worked_places(CaseOptions("demo", tuple(names), 40, draws=0), store, county)
    found = county.areas.table["district_name"].gather(rows.tolist())
    assert set(found) == set(names)
    assert title.endswith(f"of {names[0]} and {names[1]}")


def without(county: Results, rows: list[int], people: float | None) -> Results:
    """Give the county with no people, or none that are known, in some areas."""
    at = pl.int_range(pl.len()).is_in(rows)
    table = county.areas.table.with_columns(
        population=pl.when(at).then(pl.lit(people, pl.Float64)).otherwise("population")
    )
    return replace(county, areas=replace(county.areas, table=table))


@pytest.mark.parametrize("people", [None, 0.0])
def test_areas_without_people_are_left_out(
    county: Results, store: Store, tmp_path: Path, people: float | None
) -> None:
    """One of them stopped the whole case; of a programme that selects one it is told."""
    asked = CaseOptions("demo", ("Vesselhoe",), 6, draws=0)
    _, rows, _ = worked_places(asked, store, county)
    worked, fewer, title = worked_places(asked, store, without(county, rows[:2].tolist(), people))
    assert set(fewer) & set(rows) == set(rows[2:])
    assert title == "6 neighbourhoods of Vesselhoe"
    assert without_people(asked, worked) == []
    rule = tmp_path / "three.yaml"
    rule.write_text(
        "title: Three\nstudy: demo\nofficial: made up\nrank: {of: {deprivation: 1}, official: true}\n"
        "money: {awards: 3, official: true}\nin_need: [{index: deprivation, worst: 10%, official: true}]\n",
        "utf-8",
    )
    asked = CaseOptions(str(rule), draws=0)
    _, rows, _ = worked_places(asked, store, county)
    worked, fewer, _ = worked_places(asked, store, without(county, [rows[1]], people))
    assert fewer.tolist() == [rows[0], rows[2]]
    assert without_people(asked, worked) == [county.areas.table["name"][int(rows[1])]]


@pytest.mark.parametrize("budget", [0.0, -5.0, float("inf"), float("nan")])
def test_no_money_is_refused_at_once(budget: float) -> None:
    with pytest.raises(CommonwealError, match="budget: found"):
        CaseOptions("demo", ("Vesselhoe",), budget=budget)


def test_places_near_together_are_drawn_close_up(case: Case) -> None:
    """On the land of a whole country they would lie on one another; discs stay inside the drawing."""
    a = case.worked.allocation
    lon, lat = (a.areas.table[c].to_numpy()[a.selected] for c in ("longitude", "latitude"))
    country = shapely.box(lon.min() - 5, lat.min() - 5, lon.max() + 5, lat.max() + 5)
    outline = pl.DataFrame({"geometry": [shapely.to_wkb(country)]})
    chart = allocation_map("m", a, outline)
    assert chart is not None
    drawn = chart.svg.split("</g>")[0]  # without the legend
    discs = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3.4"', drawn)
    at = np.array(discs, dtype=float)
    assert len(at) == a.selected.sum()
    assert np.ptp(at, axis=0).max() > 200
    assert (at > 0).all()
    assert (at < [WIDTH, HEIGHT]).all()


def test_what_varied_and_why_not_are_told_by_name(case: Case) -> None:
    sections = allocation_sections(case.worked)
    text = " ".join(t for s in sections for t in s.text)
    assert case.worked.certainty is not None
    for name in case.worked.certainty.varied:
        assert name not in text
    assert "the weights within" in text
    heads = [set(t.shown.frame.columns) for s in sections for t in s.tables if "selected" in t.name]
    assert heads
    assert all("Margin in group" not in h for h in heads)  # there is no cap


@pytest.mark.parametrize("year", [-200, 26, 20260])
def test_a_mistyped_year_is_refused(year: int) -> None:
    with pytest.raises(CommonwealError, match=f"first year: found {year}"):
        CaseOptions("demo", ("Vesselhoe",), first_year=year)


@pytest.mark.slow
def test_a_programme_of_ones_own_is_asked_as_its_file(
    county: Results, store: Store, tmp_path: Path
) -> None:
    """It selects within one district; in another there is no case to make."""
    (tmp_path / "own.yaml").write_text(
        """
title: Three awards
official: made up
study: demo
rank: {of: {community_needs: 1.0}, official: false}
money: {awards: 3, award: 2000000, official: false}
in_need: [{index: community_needs, worst: 10%, official: false}]
""",
        "utf-8",
    )
    name = str(tmp_path / "own.yaml")
    made = make_case(CaseOptions(name, draws=0), store, results=county)
    assert len(made.rows) == 3
    assert made.rules.budget == 6_000_000
    assert "award" in made.budget_from
    empty = next(
        district
        for district in county.areas.table["district_name"].unique()
        if district not in county.areas.table["district_name"].gather(made.rows.tolist())
    )
    with pytest.raises(CommonwealError, match="selects no"):
        make_case(CaseOptions(name, (empty,), draws=0), store, results=county)


def test_stopped_it_leaves_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(path: Path) -> None:
        path.write_text("half", "utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_document(case_document(case), tmp_path / "annex", {"places.gpkg": ("Places.", stop)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_draws_of_ones_own_the_studys_are_taken(county: Results, store: Store) -> None:
    """The run that was handed over was made without draws; how sure the list is is told all the same."""
    made = make_case(
        CaseOptions("demo", ("Vesselhoe",), places=2, budget=2e6), store, results=county
    )
    assert made.worked.certainty is not None
    assert made.worked.certainty.n_draws == load_study("demo").certainty.draws  # type: ignore[union-attr]
    assert made.appraisal.draws == 10_000
