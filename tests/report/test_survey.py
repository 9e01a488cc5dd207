"""The report of a survey, and the command that writes it, say what the estimates say."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import yaml

from commonweal.chart.rows import row_chart
from commonweal.chart.theme import round_axis
from commonweal.document.html import document_html
from commonweal.errors import UnknownNameError
from commonweal.report.survey import estimate_row, survey_document
from commonweal.survey import estimate, rake_survey, read_survey
from commonweal.survey.estimate import summarise

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from commonweal.document import Document
    from commonweal.survey import Survey


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of 240 people in 40 clusters and two waves: trust goes from 25% to 75%, and 6 people are of a small group."""
    n = 240
    wave = np.arange(n) // 120
    pl.DataFrame(
        {
            "wt": np.where(np.arange(n) % 2, 1.0, 2.0),
            "point": np.arange(n) // 6,
            "year": 2019 + wave * 2,
            "trust": np.where(
                np.arange(n) % 8 == 7, 9, (np.arange(n) % 4 < 1 + 2 * wave).astype(int)
            ),
            "score": np.arange(n) % 11,
            "sex": np.where(np.arange(n) % 3 == 0, "<F>", "M"),
            "few": np.where(np.arange(n) % 40 == 0, "few", "many"),
        }
    ).write_csv(tmp_path / "people.csv")
    spec: dict[str, Any] = {
        "title": "Trust & <scores>",
        "file": "people.csv",
        "weight": "wt",
        "clusters": "point",
        "wave": "year",
        "outcomes": {
            "trusts": {"column": "trust", "yes": 1, "missing": 9, "label": "Trusts people"},
            "score": {"column": "score"},
        },
        "groups": {"sex": "sex", "size": {"column": "few", "label": "Size of group"}},
        "rake": {"margins": {"sex": {"<F>": "40%", "M": "60%"}}},
    }
    path = tmp_path / "trust-survey.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    return path


@pytest.fixture
def survey(file: Path) -> Survey:
    return read_survey(file)


def report(survey: Survey, by: list[str] | None = None) -> Document:
    raked, account = rake_survey(survey)
    return survey_document(summarise(raked, by, account))


def test_the_answer_is_the_estimate_for_all(survey: Survey) -> None:
    raked, _ = rake_survey(survey)
    row = estimate(raked, "trusts").row(0, named=True)
    told = report(survey).answer
    value, low, high = (f"{row[k]:.0%}" for k in ("value", "lower", "upper"))
    assert told[0] == f"Trusts people: {value} (95% interval {low} to {high}; 210 respondents)."
    score = estimate(raked, "score").row(0, named=True)
    assert told[1].startswith(f"Score: {score['value']:.2f} (95% interval {score['lower']:.2f} to")


def test_every_group_has_a_table_with_the_numbers_of_the_estimates(survey: Survey) -> None:
    tables = {t.name: t for t in report(survey).tables()}
    assert {
        "trusts-by-wave",
        "trusts-by-sex",
        "trusts-by-size",
        "score-by-sex",
        "changes",
        "margins",
    } <= set(tables)
    raked, _ = rake_survey(survey)
    expected = estimate(raked, "trusts", "sex")
    frame = tables["trusts-by-sex"].shown.frame
    assert frame["Sex"].to_list() == ["<F>", "M"]
    assert frame["Estimate"].to_list() == expected["value"].to_list()
    assert frame["Upper end"].to_list() == expected["upper"].to_list()
    assert "Reason not published" not in frame.columns
    small = tables["trusts-by-size"].shown.frame
    assert small["Estimate"].to_list()[0] is None
    assert small["Reason not published"].to_list()[0] == "fewer than 30 respondents (6)"
    assert tables["margins"].shown.frame["After"].to_list() == pytest.approx([0.4, 0.6])


def test_a_change_is_told_in_points_with_its_interval(survey: Survey) -> None:
    section = next(s for s in report(survey).sections if s.title == "Changes between waves")
    row = section.tables[0].shown.frame.row(0, named=True)
    assert (row["Since"], row["Until"]) == ("2019", "2021")
    assert row["Change"] == pytest.approx(row["After"] - row["Before"])
    assert row["Change"] > 40
    assert section.points[0].startswith(
        f"Trusts people, 2019 to 2021: +{row['Change']:.1f} points (95% interval +"
    )
    assert section.points[1].startswith("Score, 2019 to 2021: ")
    assert section.points[1].endswith("this may be chance.")


def test_the_report_says_what_the_weights_are_worth(survey: Survey) -> None:
    told = survey_document(summarise(survey))
    method = next(s for s in told.sections if s.title == "How the estimates were made")
    # 120 weights of 2 and 120 of 1: 360 squared over 600.
    assert any("Weights go from 1 to 2" in p and "as much as 216" in p for p in method.points)


def test_the_page_says_how_it_was_done_and_what_is_left_out(survey: Survey) -> None:
    page = document_html(report(survey))
    assert "Trust &amp; &lt;scores&gt;" in page
    assert "<F>" not in page
    for said in (
        "Weighted by the column “wt”",
        "40 clusters",
        "30 answers are missing and left out",
        "Waves (2019, 2021) are independent samples",
        "We raked the weights to known population totals",
        "too few to publish",
        "of 14 estimates are not published",
    ):
        assert said in page, said


def test_groups_can_be_crossed_and_chosen(survey: Survey) -> None:
    names = {t.name for t in report(survey, ["wave+sex"]).tables()}
    assert {"trusts-by-wave-sex", "score-by-wave-sex"} <= names
    assert "trusts-by-sex" not in names
    with pytest.raises(UnknownNameError, match="group 'sez' not found"):
        summarise(survey, ["wave+sez"])


def test_the_chart_puts_dots_and_lines_where_the_numbers_are(survey: Survey) -> None:
    rows = [
        ("A", "x", 0.2, 0.1, 0.3),
        ("A", "y", None, None, None),
        ("B", "z", 0.6, 0.5, 0.8),
    ]
    numbers = next(iter(report(survey).tables())).shown
    axis = round_axis([0.1, 0.8], lambda v: f"{v:.0%}")
    drawn = [estimate_row(row, share=True) for row in rows]
    chart = row_chart("c", "C", "About", drawn, numbers, {}, axis)
    import re

    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart.svg)]
    ends = [
        (float(a), float(b)) for a, b in re.findall(r'd="M([\d.]+) [\d.]+H([\d.]+)"', chart.svg)
    ]
    assert len(dots) == len(ends) == 2
    assert (dots[1] - dots[0]) / 0.4 == pytest.approx((ends[1][1] - ends[0][0]) / 0.7, abs=1)
    assert ends[0][0] < dots[0] < ends[0][1]
    assert chart.svg.count("too few to publish") == 1
    height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', chart.svg)[1])  # type: ignore[index]
    assert max(float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)"', chart.svg)) < height


def test_the_command_prints_estimates_and_writes_the_report(
    file: Path, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = cli("survey", file)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Trust & <scores>"
    assert lines[1].startswith("240 respondents;")
    assert lines[3].startswith("Trusts people: ")
    assert any("few: not published (fewer than 30 respondents (6))." in line for line in lines)
    folder = tmp_path / "results" / "surveys" / "trust-survey"
    assert lines[-1] == f"Report: {Path('results/surveys/trust-survey/report.html')}"
    for name in ("report.html", "report.pdf", "report.xlsx", "tables/trusts-by-sex.csv"):
        assert (folder / name).stat().st_size > 0
    with (folder / "tables" / "changes.csv").open(encoding="utf-8", newline="") as text:
        assert next(csv.DictReader(text))["Until"] == "2021"


def test_many_groups_of_which_none_is_fit_to_publish_are_one_line(
    file: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    spec = yaml.safe_load(file.read_text("utf-8"))
    spec["groups"]["point"] = "point"
    file.write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    done = cli("survey", file, "--by", "point")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("none of 40 groups is fit to publish") == 2
    assert "not published (" not in done.stdout


def test_the_command_gives_json_by_the_groups_asked_for(
    file: Path, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = cli("survey", file, "--by", "sex", "--json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["respondents"] == 240
    tables = data["tables"]
    assert [row["outcome"] for row in tables["everyone"]] == ["trusts", "score"]
    assert {"trusts-by-sex", "score-by-sex"} <= tables.keys()
    assert tables["trusts-by-sex"][0]["sex"] == "<F>"
    assert tables["changes"][0]["since"] == "2019"
    for row in tables["everyone"]:
        assert data["figures"][row["outcome"]]["value"] == row["value"]
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_mistake_is_told_plainly_and_nothing_is_written(
    file: Path, tmp_path: Path, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = cli("survey", file, "--by", "sexe", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert (
        done.stderr == "commonweal: group 'sexe' not found in trust-survey; did you mean 'sex'?\n"
    )
    assert not (tmp_path / "out").exists()
