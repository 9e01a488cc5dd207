"""`commonweal invest appraise`, as a user meets it, and the report that it writes."""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from importlib import resources
from typing import TYPE_CHECKING, Any

import openpyxl
import pypdf
import pytest

from commonweal.document.data import document_json
from commonweal.document.html import document_html
from commonweal.document.text import document_lines
from commonweal.invest.appraisal import appraise, load_project
from commonweal.invest.appraisal.project import shipped_projects
from commonweal.invest.parameters import read_number
from commonweal.report.appraisal import appraisal_answer, appraisal_document, break_even
from commonweal.report.appraisal_charts import chance_chart

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.invest.appraisal import Project

PROJECTS = resources.files("commonweal.invest.appraisal") / "projects"


def test_the_answer_comes_first_and_assumptions_are_told(tell: Any) -> None:
    code, said, complaint = tell("invest", "appraise", "community-hub", "--draws", "2000")
    assert (code, complaint) == (0, "")
    lines = said.splitlines()
    assert lines[0].startswith("A community hub for Saltmarsh End")
    assert "fictional" in lines[2]
    assert lines[4].startswith(
        "Break-even: worth it if those who gain (“Life satisfaction of regular users”) rate life 0.0539 points higher "
        "(0 to 10); 0.1 is stated."
    )
    assert (
        "All its benefits together have to reach 54% of what is stated; none of it is verified."
        in lines[4]
    )
    assert lines[5].startswith("Each pound of public money is expected to bring £1.91 of benefits")
    assert "of 2,000 recalculations" in lines[5]
    for told in (
        "With welfare weights the benefit-cost ratio is",
        "Life satisfaction of regular users” may bring no benefit",
        "Compared with no project",
        "The biggest source of uncertainty is “Life satisfaction of regular users: quantity”",
        "Range of a WELLBY, £10,000 to £16,000: not verified",
        "The review does not pool effects, so it gives no size",
        "What this does not show",
        "Benefit-cost ratio: benefits to people plus public savings, minus the costs of others",
    ):
        assert told in said


def test_where_a_project_breaks_even_is_where_its_net_value_is_nought() -> None:
    """The number of the headline goes back into the project, and its benefits and costs come out even."""
    project = load_project("community-hub")
    said = break_even(appraise(project, draws=10))
    needed = float(re.search(r"rate life ([\d.]+) points", said)[1])  # type: ignore[index]
    users = project.benefits["users"]
    at = users.model_copy(update={"quantity": read_number(needed)})
    even = appraise(
        project.model_copy(update={"benefits": {**project.benefits, "users": at}}), draws=10
    )
    cost = even.measures["public_cost"].expected
    assert even.measures["npsv"].expected == pytest.approx(0, abs=2e-3 * cost)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "by-hand",
            "worth it if “Hired hall no longer needed: value” (£ each) is £32,600; £40,000 is stated",
        ),
        (
            "frontier-per-million",
            "it is worth its cost at any plausible size of “Savings and income",
        ),
        ("big-local-anxiety", "have to reach 126% of what is stated"),
        ("parkrun", "All its benefits together have to reach 2% of what is stated."),
    ],
)
def test_every_project_begins_with_its_break_even(name: str, said: str) -> None:
    answer = appraisal_answer(appraise(load_project(name), draws=200))
    assert answer[0].startswith("Break-even: ")
    assert said in answer[0]


def test_without_a_benefit_nothing_breaks_even() -> None:
    project = load_project("by-hand")
    none = {
        name: b.model_copy(update={"quantity": read_number(0)})
        for name, b in project.benefits.items()
    }
    said = break_even(appraise(project.model_copy(update={"benefits": none}), draws=10))
    assert said == "Break-even: no benefit is stated, so nothing would make it worth its cost."


def test_no_range_is_not_certainty(tell: Any) -> None:
    code, said, _ = tell("invest", "appraise", "frontier-per-million")
    assert code == 0
    assert "No input has a range, so we cannot say how certain this is" in said
    assert "Commissioned by a funder that argues for such investment" in said
    assert "100%" not in said


def test_json_is_the_same_answer(tell: Any) -> None:
    code, said, _ = tell("invest", "appraise", "by-hand", "--json", "--draws", "5")
    assert code == 0
    told = json.loads(said)
    tables = told["tables"]
    npsv = next(row for row in tables["by-hand-amounts"] if row["name"] == "npsv")
    assert npsv["expected"] == pytest.approx(13_987.77, abs=0.01)
    assert {line["side"] for line in tables["by-hand-lines"]} == {"public", "social", "fiscal"}
    first = tables["by-hand-inputs"][0]
    assert (first["name"], first["input"]) == ("works.amount", "Works")
    assert (first["expected"], first["beyond"]) == (50_000, 0)
    assert first["even_at"] == pytest.approx(50_000 + 13_987.766 / 1.24)


def test_a_mistake_is_told_in_a_line_and_nothing_is_written(tell: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (PROJECTS / "by-hand.yaml").read_text("utf-8")
    file.write_text(text.replace("amount: 20000", "amount: -20000"), "utf-8")
    code, said, complaint = tell("invest", "appraise", file, "--out", tmp_path / "out")
    assert (code, said) == (2, "")
    assert "costs.staff.amount: found -20000; expected 0 or more" in complaint
    assert not (tmp_path / "out").exists()


def test_parameters_of_ones_own(tell: Any, tmp_path: Path) -> None:
    ours = resources.files("commonweal.invest") / "parameters/published/green-book-2022.yaml"
    text = ours.read_text("utf-8").replace("rate: 0.035", "rate: 0")
    text = text.replace("verified: true", "verified: false")
    (tmp_path / "own.yaml").write_text(text, "utf-8")
    code, said, _ = tell("invest", "appraise", "by-hand", "--parameters", "own.yaml", "--json")
    assert code == 0
    told = json.loads(said)
    assert told["parameters"]["name"] == "own"
    amounts = {row["name"]: row for row in told["tables"]["by-hand-amounts"]}
    assert amounts["public_cost"]["expected"] == pytest.approx(102_000)
    assert told["assumptions"][0].startswith("Discount rates: not verified.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from commonweal.document.write import write_document

    appraisal = appraise(load_project("community-hub"), draws=2000)
    return write_document(appraisal_document(appraisal), tmp_path_factory.mktemp("told") / "hub")


def test_the_report_has_its_charts_with_their_numbers(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    for id_ in ("waterfall", "chance", "tornado"):
        assert f'aria-labelledby="community-hub-{id_}-t community-hub-{id_}-d"' in page
        assert (folder / "tables" / f"community-hub-{id_}.csv").is_file()
    assert "We did not verify these" in page
    assert "are made up" in page
    assert page.count("Review refresh: Places, spaces, and social connections") >= 1


def test_the_waterfall_adds_up(folder: Path) -> None:
    text = (folder / "tables" / "community-hub-waterfall.csv").read_text("utf-8")
    rows = [(r[0], int(r[1].lstrip("'"))) for r in list(csv.reader(text.splitlines()))[1:]]
    assert rows[-1][0] == "Net present social value"
    assert sum(v for _, v in rows[:-1]) == pytest.approx(rows[-1][1], abs=len(rows))


def test_the_years_add_up(folder: Path) -> None:
    rows, told = (
        list(
            csv.DictReader(
                (folder / "tables" / f"community-hub-{name}.csv").read_text("utf-8").splitlines()
            )
        )
        for name in ("years", "amounts")
    )
    total = sum(int(r["Net, present value (£)"].lstrip("'")) for r in rows)
    assert len(rows) == 15
    assert rows[0]["Year"] == "0 (2026)"
    assert total == pytest.approx(int(told[0]["Expected"]), abs=len(rows))


def test_the_workbook_has_numbers_and_the_pdf_the_answer(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "report.xlsx")
    sheet = next(book[name] for name in book.sheetnames if "lines" in name)
    cells = [[c.value for c in row] for row in sheet.iter_rows(min_row=1)]
    assert cells[0][:3] == ["Line", "Kind", "Undiscounted (£)"]
    assert all(isinstance(v, int) for v in cells[1][2:6])
    paper = pypdf.PdfReader(folder / "report.pdf")
    text = " ".join(" ".join(p.extract_text() for p in paper.pages).split())
    assert "Benefits exceed costs in" in text


@pytest.mark.parametrize("name", shipped_projects())
def test_every_project_that_ships_is_told(name: str) -> None:
    appraisal = appraise(load_project(name), draws=200)
    page = unescape(document_html(appraisal_document(appraisal)))
    assert f"<h1>{appraisal.project.title}</h1>" in page
    assert all(said in page.replace("\N{NO-BREAK SPACE}", " ") for said in appraisal.drivers)
    document_json(appraisal_document(appraisal))
    assert len(list(document_lines(appraisal_document(appraisal)))) > 20


def test_nought_near_the_end_of_the_axis_does_not_stand_on_another_amount(
    made: Callable[..., Project],
) -> None:
    """The least net value is just below nought: £0 is written elsewhere than the amounts at the ends."""
    found = appraise(made(benefits__reading__value={"uniform": [18, 300]}), draws=2000)
    chart = chance_chart(found)
    assert chart is not None
    at = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</text>', chart.svg)
    x, y = {said: float(x) for x, _, said in at}, {said: float(y) for _, y, said in at}
    nought, (least, _) = "£0", sorted(x.keys() - {"£0"}, key=lambda said: x[said])
    assert abs(x[nought] - x[least]) < 30  # as near as that the two would run into one another
    assert y[least] - y[nought] > 100
