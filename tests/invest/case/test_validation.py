"""Interventions, values and what was asked for: what does not meet is refused or told."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from commonweal.document.data import document_data
from commonweal.document.text import document_lines
from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.invest.case.case import make_case
from commonweal.invest.case.cautions import case_cautions
from commonweal.invest.case.model import CaseOptions
from commonweal.invest.case.valuation import load_values
from commonweal.report.case.report import case_document
from commonweal.report.case.text import case_answer, case_assumptions

if TYPE_CHECKING:
    from commonweal.invest.case.model import Case
    from commonweal.sources import Store
    from commonweal.study.results import Results

PAGE = Path(__file__).parents[3] / "docs" / "methods" / "portfolio.md"
SHIPPED = resources.files("commonweal.invest.case") / "published" / "first-values.yaml"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of interventions that the page on portfolios prints, whose key is 'hub'."""
    text = PAGE.read_text("utf-8").split("```yml\n")[1].split("```")[0]
    file = tmp_path_factory.mktemp("own") / "mine.yaml"
    file.write_text(text, "utf-8")
    return str(file)


def values_file(folder: Path, *changes: tuple[str, str]) -> str:
    text = SHIPPED.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "ours.yaml").write_text(text, "utf-8")
    return str(folder / "ours.yaml")


def own(hub: str, **more: object) -> CaseOptions:
    asked = CaseOptions("demo", ("Vesselhoe",), places=2, budget=20e6, draws=0, interventions=hub)
    return replace(asked, **more)  # type: ignore[arg-type]


def test_what_the_values_that_ship_leave_out_of_own_interventions_is_told(
    hub: str, county: Results, store: Store
) -> None:
    made = make_case(own(hub, candidates="grid:500"), store, results=county)
    said = case_cautions(made)
    assert [text.split(":")[0] for text in said] == [
        "No optimism bias is added to the capital cost of hub",
        "No sites are found for hub, of the group 'building'",
        "Candidates (grid",
    ]
    assert all("first-values" in text for text in said)
    cost = next(text for text in case_answer(made) if text.startswith("Cost:"))
    assert "without optimism bias, in present value" in cost
    assert "with optimism bias" not in cost
    assert any(
        "no optimism bias is added" in text and "'hub'" in text for text in case_assumptions(made)
    )
    assert {f"Please note: {text}" for text in said} <= set(document_lines(case_document(made)))
    assert set(said) <= set(case_document(made).notes)
    assert document_data(case_document(made))["notes"][1 : 1 + len(said)] == list(said)


def test_own_values_by_the_same_key_add_bias_and_find_sites(
    hub: str, county: Results, store: Store, tmp_path: Path
) -> None:
    bias = SHIPPED.read_text("utf-8").split("optimism_bias:\n")[1].split("managed:")[0]
    built = SHIPPED.read_text("utf-8").split("built:\n")[1]
    file = values_file(tmp_path, (bias, "  hub: standard_buildings\n"), (built, "  library: hub\n"))
    made = make_case(own(hub, values=file, candidates="grid:1000"), store, results=county)
    assert case_cautions(made) == ()
    assert made.built == ("hub",)
    assert made.sited is not None
    assert any("with optimism bias, in present value" in text for text in case_answer(made))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("library: community_hub", "library: comunity_hub", "built"),
        ("  park: standard", "  prak: standard", "optimism_bias"),
    ],
)
def test_own_values_that_name_no_intervention_are_refused(
    old: str, new: str, key: str, county: Results, store: Store, tmp_path: Path
) -> None:
    file = values_file(tmp_path, (old, new))
    asked = CaseOptions("demo", ("Vesselhoe",), places=2, draws=0, values=file)
    with pytest.raises(UnknownNameError, match=f"not found in first-set.*'{key}'; did you mean"):
        make_case(asked, store, results=county)


def test_nothing_is_told_of_the_set_that_ships(case: Case) -> None:
    assert case_cautions(case) == ()


@pytest.mark.parametrize("points", ["20", "{triangular: [0, 0.2, 10.5]}"])
def test_nobody_is_better_off_by_more_points_than_the_scale_has(
    points: str, tmp_path: Path
) -> None:
    def stated(text: str) -> str:
        return values_file(tmp_path, ("points: {triangular: [0, 0.2, 0.5]}", f"points: {text}"))

    with pytest.raises(DataError, match=r"wellbeing\.points: found .*expected between 0 and 10"):
        load_values(stated(points))
    assert load_values(stated("10")).wellbeing.points.mean == 10


@pytest.mark.parametrize("series", ["prices", "incomes"])
def test_a_series_of_no_year_is_refused(series: str, tmp_path: Path) -> None:
    shipped = yaml.safe_load(SHIPPED.read_text("utf-8"))
    shipped[series]["index"] = {}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(shipped), "utf-8")
    with pytest.raises(DataError, match=rf"own\.yaml: {series}\.index: found {{}}; .*at least 1"):
        load_values(str(tmp_path / "own.yaml"))


@pytest.mark.slow
def test_a_budget_that_buys_nothing_is_told_with_what_would(county: Results, store: Store) -> None:
    asked = CaseOptions("demo", ("Vesselhoe",), places=500, budget=1e6, draws=0)
    with pytest.raises(CommonwealError) as raised:
        make_case(asked, store, results=county)
    said = str(raised.value)
    assert "9,434 for each of 106 places" in said
    assert "the cheapest is broadband, £210,000 in one place" in said
    assert "--pooled" in said
    assert "You asked for 500 areas, and Vesselhoe has 106" in said
    pooled = make_case(replace(asked, sharing="pooled"), store, results=county)
    assert pooled.other is None
    assert pooled.mix.chosen.any()
    assert any("You asked for 500 areas" in text for text in case_cautions(pooled))
    assert any("would buy nothing" in text for text in case_document(pooled).sections[0].text)
    with pytest.raises(CommonwealError, match="places together, while the cheapest is") as raised:
        make_case(replace(asked, sharing="pooled", places=3, budget=1e4), store, results=county)
    assert "--pooled" not in str(raised.value)
