"""Social capital of a place: values, intervals and standing by hand, and the same wherever it is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import openpyxl
import pypdf
import pytest

from commonweal.document.data import document_data
from commonweal.document.html import document_html
from commonweal.document.text import document_lines
from commonweal.errors import StudyError
from commonweal.report.place import describe
from commonweal.report.study.document import study_document
from commonweal.report.study.folder import write_results
from commonweal.report.study.social_capital import SocialCapital, capital_finder
from commonweal.report.study.social_capital_tables import (
    here_table,
    social_capital_document,
)
from commonweal.spec.study import load_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Small

    from commonweal.report.study.social_capital import HeadlineHere
    from commonweal.study.results import Results

SE = 2.0
MISSING, UNSURE = 3, 15  # A03 has no value, A15 no standard error


def with_trust(small: Small, **changes: Any) -> Path:
    """Write a table of estimates of one's own: trust is 40 + i, in no index, with standard errors."""
    lines = [
        f"A{i:02d},{'' if i == MISSING else 40 + i},{'' if i in (MISSING, UNSURE) else SE}"
        for i in range(1, 21)
    ]
    (small.path / "trust.csv").write_text(
        "\n".join(["code,trust,trust_se", *lines]) + "\n", "utf-8"
    )
    indicator = {
        "label": "Trust", "file": "trust.csv", "column": "trust", "standard_error": "trust_se",
        "unit": "% of adults", "higher_is": "less", "vintage": "2024",
    }  # fmt: skip
    section = {
        "most_people_trusted": {"indicator": "trust", "how": "modelled", "caution": "Modelled."}
    }
    given = {"indicators__trust": indicator, "social_capital": section, "briefing__national": False}
    return small.write(**{**given, **changes})


def of(results: Results, row: int) -> SocialCapital:
    found = capital_finder(results.study, results.areas, results.capital, results.national)(row)
    assert found is not None
    return found


def trust(results: Results, number: int) -> HeadlineHere:
    headlines = {h.id: h for h in of(results, number - 1).headlines}
    return headlines["most_people_trusted"]


@pytest.fixture
def results(small: Small) -> Results:
    return small.run(with_trust(small))


def test_value_interval_and_standing_by_hand(results: Results) -> None:
    here = trust(results, 10)
    assert (here.state, here.value, here.text) == ("modelled", 50.0, "50% of adults")
    assert here.low == pytest.approx(50 - 1.959964 * SE)
    assert here.high == pytest.approx(50 + 1.959964 * SE)
    assert here.interval == "95% interval 46.1 to 53.9"
    # Of the 18 others with a value, A01, A02 and A04 to A09 are lower.
    assert (here.of, here.higher_than) == (19, pytest.approx(8 / 18))
    # Two standard errors of 2 make differences up to 1.96 sqrt(8) = 5.5: A05 to A15, but A15 has none.
    assert here.alike == pytest.approx(9 / 17)
    assert here.place == (
        "higher than in 44% of the other 18 places; no clear difference from 53% of them"
    )
    assert (here.vintage, here.caution, here.more_is) == ("2024", "Modelled.", "more")


def test_an_indicator_of_no_index_changes_nothing_else(small: Small) -> None:
    before = small.run()
    after = small.run(with_trust(small))
    for index, scores in before.scores.items():
        assert scores.rank.tolist() == after.scores[index].rank.tolist()
    assert before.capital is None
    assert describe(before, 0).capital is None
    assert before.national == {}


def test_without_a_standard_error_it_says_so(results: Results) -> None:
    here = trust(results, UNSURE)
    assert (here.low, here.high, here.alike) == (None, None, None)
    assert here.interval == "no margin of error given"
    assert "no clear difference" not in here.place


def test_without_a_value_nothing_is_known_here(results: Results) -> None:
    here = trust(results, MISSING)
    assert (here.state, here.value, here.indicator, here.text) == ("unknown", None, "", "")
    assert of(results, MISSING - 1).here == ()
    assert (
        of(results, MISSING - 1).summary
        == "We have none of 25 headline indicators of social capital here. 25 have no data."
    )


def test_values_of_few_people_are_withheld(small: Small) -> None:
    study = with_trust(small)
    small.replace(small.areas, "A10,Place 10,1000,", "A10,Place 10,90,")
    here = trust(small.run(study), 10)
    assert here.withheld
    assert (here.value, here.low, here.higher_than, here.place) == (None, None, None, "")
    assert here.text == "too few people to show"


@pytest.mark.parametrize(
    ("unit", "scale", "ends"), [("% of adults", 1, (0, 100)), ("share of adults", 0.01, (0, 1))]
)
def test_an_interval_ends_where_a_share_does(
    small: Small, unit: str, scale: float, ends: tuple[float, float]
) -> None:
    study = with_trust(small, indicators__trust__unit=unit)
    lines = [f"A{i:02d},{(0.5 if i < 11 else 99.5) * scale},{scale}" for i in range(1, 21)]
    text = "\n".join(["code,trust,trust_se", *lines]) + "\n"
    (small.path / "trust.csv").write_text(text, "utf-8")
    results = small.run(study)
    assert trust(results, 1).low == ends[0]
    assert trust(results, 20).high == ends[1]
    assert trust(results, 1).interval == "95% interval 0 to 2.46"


def test_among_the_lowest_it_says_than_how_many_it_is_lower(small: Small) -> None:
    lines = [f"A{i:02d},{i},1" for i in range(1, 21)]
    study = with_trust(small)
    (small.path / "trust.csv").write_text(
        "\n".join(["code,trust,trust_se", *lines]) + "\n", "utf-8"
    )
    found = small.run(study)
    assert trust(found, 2).place.startswith("lower than in 95% of the other 19 places;")
    assert trust(found, 3).place.startswith("higher than in 11% of the other 19 places;")


def test_areas_on_a_level_count_half_and_cannot_be_told_apart(small: Small) -> None:
    study = with_trust(small)
    lines = [f"A{i:02d},50,1" for i in range(1, 21)]
    text = "\n".join(["code,trust,trust_se", *lines]) + "\n"
    (small.path / "trust.csv").write_text(text, "utf-8")
    here = trust(small.run(study), 1)
    assert (here.higher_than, here.alike) == (0.5, 1.0)


def test_every_place_tells_the_same_value(
    results: Results, small: Small, tmp_path: Path, tell: Callable[..., tuple[int, str, str]]
) -> None:
    told = "50% of adults; 95% interval 46.1 to 53.9; higher than in 44% of the other 18 places"
    found = of(results, 9)
    document = social_capital_document(found, "Place 10", "Twenty places")
    assert any(told in line for line in document_lines(document))
    assert describe(results, 9).capital == found
    assert here_table(found).cells()[0][2:5] == (
        "50% of adults",
        "95% interval 46.1 to 53.9",
        "44%",
    )
    rows = document_data(document)["tables"]["here"]
    assert [h for h in rows if h["value"] == 50.0]
    code, said, _ = tell("show", "A10", "--study", small.study, "--draws", "0")
    assert code == 0
    for row in (
        r"Trusts most people  a modelled estimate  50% of adults  95% interval 46\.1 to +44% +53%\n +53\.9\n",
        r"Trusts most people  Trust +2024  In general, can most people be  more social capital +18\n +trusted\?\n",
    ):
        assert re.search(row, said)
    assert "  - Trusts most people. Modelled.\n" in said
    code, said, _ = tell("social-capital", small.study, "--area", "A10")
    assert (code, told in said) == (0, True)
    code, said, _ = tell("social-capital", small.study, "--area", "A10", "--json")
    ours = next(h for h in json.loads(said)["tables"]["here"] if h["id"] == "most_people_trusted")
    assert ours["low"] == pytest.approx(50 - 1.959964 * SE)
    out = small.path / "area"
    assert tell("social-capital", small.study, "--area", "A10", "--out", out)[0] == 0
    assert told in (out / "report.html").read_text("utf-8")


def test_report_and_workbook_have_every_headline(results: Results, tmp_path: Path) -> None:
    page = document_html(study_document(results))
    assert page.count("no data</td>") == 24
    assert "standard errors for 18" in page
    assert "This list of 25 headline indicators is not verified." in page
    folder = write_results(results, tmp_path / "out")
    sheet = openpyxl.load_workbook(folder / "results.xlsx")["Social_capital"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert len(rows) == 25
    assert [r[3:7] for r in rows if r[2] == "a modelled estimate"] == [
        ("Trust", 19, "51% of adults", "standard errors for 18")
    ]


def test_a_study_without_social_capital_has_no_such_part(small: Small) -> None:
    assert 'id="social-capital"' not in document_html(study_document(small.run()))


def test_figures_for_the_country_come_with_year_and_mark(demo_england: SocialCapital) -> None:
    said = {h.id: h.national for h in demo_england.headlines}
    assert (
        said["belongs"]
        == "65% of adults, England 2020/21 (Community Life Survey, DCMS 2021; verified)"
    )
    assert said["trusts_government"].startswith("11 points down from autumn 2018 to autumn 2019")
    assert said["meets_socially"] == ""
    assert said["neighbours_trusted"].startswith(
        "78% of adults in rural areas, 61% in urban areas,"
    )


@pytest.fixture
def demo_england(small: Small) -> SocialCapital:
    """The same study with the figures for the country that the framework states itself."""
    from commonweal.social_capital import load_framework

    results = small.run(with_trust(small))
    national = {h.id: h.published for h in load_framework().headlines.values()}
    found = capital_finder(results.study, results.areas, results.capital, national)(0)
    assert found is not None
    return found


def test_what_is_known_of_the_country_only_is_counted_apart(demo_england: SocialCapital) -> None:
    states = [h.state for h in demo_england.headlines]
    assert (states.count("modelled"), states.count("national"), states.count("unknown")) == (
        1,
        15,
        9,
    )
    assert (
        "none measured, 1 modelled estimate. 15 more are known for the country only. 9 have no data."
        in demo_england.summary
    )


CAPITAL = "social_capital__most_people_trusted"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"social_capital": {"most_people_trust": {"indicator": "trust", "how": "modelled"}}},
         "social_capital.most_people_trust: headline 'most_people_trust' not found; did you mean"),
        ({f"{CAPITAL}__indicator": "trsut"}, "indicator 'trsut' not found; did you mean 'trust'?"),
        ({f"{CAPITAL}__indicator": "income"},
         "indicator: higher means more social capital, and of 'income' more need; expected an indicator with "
         "'higher_is: less'"),
        ({f"{CAPITAL}__how": "asked"}, "how: found 'asked'; expected 'measured', 'modelled' or 'proxy'"),
        ({f"{CAPITAL}__how": "measured", "indicators__trust__synthetic": True},
         "how: 'trust' is synthetic; expected 'modelled' or 'proxy'"),
        ({f"{CAPITAL}__how": "proxy", f"{CAPITAL}__caution": ""},
         "caution: a proxy asks something else; expected a sentence that says what"),
        ({f"{CAPITAL}__cuation": "x"}, "unknown key; did you mean 'caution'?"),
    ],
)  # fmt: skip
def test_a_fault_names_the_field_and_the_nearest(
    small: Small, changes: dict[str, Any], said: str
) -> None:
    with_trust(small)
    given = with_trust(small, **changes)
    with pytest.raises(StudyError) as error:
        load_study(given)
    assert said in str(error.value)


def test_check_looks_into_the_table_of_an_indicator_of_no_index(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    study = with_trust(small, indicators__trust__standard_error="trust_sd")
    code, _, complaint = tell("check", study)
    assert code == 2
    assert "'trust_sd'" in complaint
    assert "did you mean 'trust_se'" in complaint


def test_the_command_lists_what_a_study_has(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    study = with_trust(small)
    code, said, _ = tell("social-capital", study)
    assert code == 0
    assert "This study has 1 of 25 headline indicators of social capital: 1 modelled." in said
    assert "Trust: 19 of 20 places; median 51% of adults; lowest 41% of adults" in said
    assert "Trusts most people" in said
    assert "modelled: Trust" in said
    code, said, complaint = tell("social-capital", "--area", "A10")
    assert (code, said) == (2, "")
    assert "--area: found no study" in complaint
    code, _, complaint = tell("social-capital", "demo", "--area", "A10")
    assert code == 2
    assert "no area 'A10'" in complaint


def test_the_command_without_a_study_lists_25_and_five_offline(
    tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, said, complaint = tell("social-capital", "--out", "told")
    assert code == 0
    assert said.count("\n  ") == 25 + 5 + 2  # and the heads of both tables
    assert max(map(len, (line for line in said.splitlines() if line.startswith("  ")))) <= 100
    assert "25 headline indicators in 4 domains" in said
    assert said.count("is not verified") == 2
    assert "Some figures for the country are not available here" in complaint
    assert "97% 2014/15" in said
    report = (tmp_path / "told" / "report.html").read_text("utf-8")
    assert report.count(">not verified.") == 30
    assert sum(1 for _ in pypdf.PdfReader(tmp_path / "told" / "report.pdf").pages) > 1


def test_json_is_strict_and_has_every_figure(tell: Callable[..., tuple[int, str, str]]) -> None:
    code, said, _ = tell("social-capital", "demo", "--json")
    data = json.loads(said, parse_constant=lambda name: pytest.fail(name))
    assert code == 0
    ons = data["frameworks"][0]
    known = {h["id"]: h["known"] for d in ons["domains"] for h in d["headlines"] if h["known"]}
    assert {k: v["indicator"] for k, v in known.items()} == {
        "turnout": "turnout_rate", "volunteered": "volunteering_rate", "organisations": "membership_rate",
    }  # fmt: skip


def with_survey(small: Small, headline: str = "most_people_trusted") -> Path:
    """Write a survey of 40 people, 30 of whom trust; the weights of all are alike."""
    lines = [
        "trust,club",
        *(f"{'yes' if i < 30 else 'no'},{'in' if i % 2 else 'out'}" for i in range(40)),
    ]
    (small.path / "people.csv").write_text("\n".join(lines) + "\n", "utf-8")
    file = small.path / "people.yaml"
    file.write_text(
        "title: Our survey\nfile: people.csv\noutcomes:\n"
        f"  trusts: {{column: trust, yes: ['yes'], label: Trusts people, headline: {headline}}}\n"
        "  member: {column: club, yes: [in]}\n",
        "utf-8",
    )
    return file


def test_a_survey_says_which_headlines_it_asks(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    file = with_survey(small)
    code, said, _ = tell("social-capital", with_trust(small), "--survey", file, "--out", "told")
    assert code == 0
    assert "Our survey asks 1 of 25 headline indicators of social capital." in said
    assert "Trusts people: 75% (95% interval " in said
    assert "modelled: Trust" in said  # what is known place by place comes first
    report = (small.path / "told" / "report.html").read_text("utf-8")
    assert "Trusts people: 75% (95% interval " in report
    code, said, _ = tell("social-capital", "--survey", file, "--json")
    ons = json.loads(said)["frameworks"][0]
    asked = {h["id"]: h["asked"] for d in ons["domains"] for h in d["headlines"] if h["asked"]}
    assert list(asked) == ["most_people_trusted"]
    found = asked["most_people_trusted"]
    assert (found["value"], found["respondents"]) == (0.75, 40)
    assert found["low"] < 0.75 < found["high"]
    code, said, _ = tell("social-capital", "--survey", file)
    assert "survey: Trusts people" in said


def test_a_survey_names_headlines_that_there_are(
    small: Small, tell: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, complaint = tell(
        "social-capital", "--survey", with_survey(small, "most-people-trusted")
    )
    assert code == 2
    assert (
        "people: outcomes.trusts.headline: headline 'most-people-trusted' not found; did you mean "
        "'most_people_trusted'?" in complaint
    )
    code, _, complaint = tell("social-capital", "--survey", with_survey(small, "''"))
    assert code == 2
    assert "people: no outcome names a headline" in complaint
