"""How trust as wealth is told: words, drawing, and the command without any data."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from commonweal.document.data import document_json
from commonweal.document.text import document_lines
from commonweal.papers.wealth import load_weights, weight_of, worth_of_change
from commonweal.papers.wealth.report import PlaceWorth, WealthRow, wealth_chart, wealth_document
from commonweal.papers.wealth.tables import change_sentences, left_out_sentence, money

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
RICH = WealthRow("Rich & sure", (30.0, 60.0, 5.0, 5.0), 0.4, 0.3, 0.6)
OWING = WealthRow("Owing", (50.0, 50.0, 20.0, -20.0), 0.1, 0.05, float("inf"))


def bars(svg: str) -> list[tuple[float, float, str]]:
    """Left end, width and fill of every bar, without the key."""
    drawn = [r.attrib for r in ET.fromstring(svg).iter(f"{SVG}rect") if "y" in r.attrib]
    return [(float(r["x"]), float(r["width"]), r["fill"]) for r in drawn if float(r["y"]) > 40]


def test_bars_are_as_long_as_the_shares() -> None:
    chart = wealth_chart("c", [RICH, OWING])
    found = bars(chart.svg)
    assert len(found) == 10
    unit = found[0][1] / 0.3
    assert [wide / unit for _, wide, _ in found[:5]] == pytest.approx(
        [0.3, 0.6, 0.05, 0.05, 0.4], abs=0.001
    )
    # Bars follow each other without a gap.
    for (left, wide, _), (after, _, _) in pairwise(found[:5]):
        assert left + wide == pytest.approx(after, abs=0.2)


def test_debts_stand_left_of_nought_and_trust_on_top() -> None:
    found = bars(wealth_chart("c", [RICH, OWING]).svg)
    nought = found[0][0]
    owed, trust = found[8], found[9]
    assert owed[0] + owed[1] == pytest.approx(nought, abs=0.2)
    unit = found[0][1] / 0.3
    assert trust[0] == pytest.approx(nought + 1.2 * unit, abs=0.2)
    assert "url(#c-f46a25-45)" in trust[2]


def test_a_chart_says_what_it_shows_and_has_its_numbers() -> None:
    chart = wealth_chart("c", [RICH, OWING])
    root = ET.fromstring(chart.svg)
    assert chart.title == (
        "Rich & sure: trust is worth 40% of measured wealth, the most; Owing: 10%, the least"
    )
    assert root.find(f"{SVG}title").text == chart.title  # type: ignore[union-attr]
    assert "modelled" in root.find(f"{SVG}desc").text  # type: ignore[union-attr, operator]
    rows = chart.numbers.frame.to_dicts()
    assert rows[0]["Country or group"] == "Rich & sure"
    assert rows[1]["Net financial"] == pytest.approx(-0.2)
    assert rows[1]["Trust, high"] is None


def test_without_ends_nothing_is_said_of_them() -> None:
    chart = wealth_chart("c", [WealthRow("A", (1.0, 1.0, 0.0, 0.0), 0.2)])
    assert "Trust, low" not in chart.numbers.frame.columns
    assert "Line: range of the value of trust." not in chart.about
    ended = wealth_chart("c", [RICH, OWING])
    assert "Line: range of the value of trust." in ended.about


def test_amounts_in_words() -> None:
    said = [money(x) for x in (None, 12.4, 999_999.9, -3.2e9, 0.0, 9.96e5, 1.234e14)]
    assert said == [
        "-",
        "$12",
        "$1.0 million",
        "−$3.2 billion",
        "$0",
        "$1.0 million",
        "$120 trillion",
    ]


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (1, "1 point more of trust is worth about £"),
        (-5, "5 points less of trust are worth about −£"),
    ],
)
def test_a_change_in_words(points: float, said: str) -> None:
    weight = load_weights()["calibration"]
    worth = worth_of_change(weight, 1600, 25_000, points)
    first, range_, outside = change_sentences(worth, points, "Here", weight)
    assert said in first
    assert "over an assumed range of the weight of trust, r from 0.693 to 1.5" in range_.lower()
    assert "With it, the change would be worth about " in outside


def test_what_an_estimated_weight_would_give_is_worked_out_from_it() -> None:
    """By hand: r = g / b of the regression, times 40 million of income, times a hundredth."""
    weight = load_weights()["calibration"]
    other = weight.estimated
    assert other is not None
    assert weight.left_out is other
    worth = worth_of_change(weight, 1600, 25_000)
    by_hand = 1600 * 25_000 * 0.01 * 1.52160832 / 0.68073192
    assert (
        f"about {money(by_hand, '£')} a year (£430,000 to £1.4 million)"
        in list(change_sentences(worth, 1, "Here", weight))[-1]
    )
    inside = weight.model_copy(update={"high": 3.0})
    assert inside.left_out is None
    assert left_out_sentence(inside) == ""
    assert (
        len(list(change_sentences(worth_of_change(inside, 1600, 25_000), 1, "Here", inside))) == 2
    )


def test_an_end_without_bound_can_be_json() -> None:
    hopeless = weight_of(b=0.5, g=0.4, var_b=0.25, var_g=0.01, cov_bg=0.0)
    worth = worth_of_change(hopeless, 10, 10)
    document = wealth_document(hopeless, place=PlaceWorth(10, 10, worth))
    assert "no bound" in "\n".join(document_lines(document))
    data = json.loads(document_json(document))
    assert data["tables"]["place"][0]["simulated_high"] is None


def test_a_neighbourhood_needs_no_data(tell: Callable[..., tuple[int, str, str]]) -> None:
    code, said, complained = tell("wealth", "--people", "1600", "--income", "25000")
    assert (code, complained) == (0, "")
    assert said.splitlines()[-1] != ""
    told = said.splitlines()
    blank = told.index("")  # title and heading, then the answer: the place comes before any caution
    assert blank == 2
    answer = " ".join(line.strip() for line in told[blank : told.index("", blank + 1)])
    assert answer.split(". ")[0].strip() == (
        "1,600 people on £25,000 a head a year: 1 point more of trust is worth about £420,000 a year, or £260 a head "
        "(linear form)"
    )
    assert "it is £280,000 to £600,000 a year. That is not a confidence interval" in answer
    assert "The range leaves out the only weight that we could estimate" in answer
    assert "r = 2.24 (95% interval 1.08 to 3.39)" in answer
    assert "unverified" in said
    assert "416,400" in said, "the table has every digit"


def test_a_doubtful_weight_is_said_beside_the_answer(
    tell: Callable[..., tuple[int, str, str]],
) -> None:
    place = ("--people", "10", "--income", "100")
    _, said, _ = tell("wealth", *place, "--b", "0.5", "--g", "1")
    answer = said[: said.index("This place")]
    assert "r = 2.00 is above 1.5" in " ".join(answer.split())


def test_own_coefficients_on_the_command_line(tell: Callable[..., tuple[int, str, str]]) -> None:
    own = ["--b", "0.5", "--g", "0.4", "--var-b", "0.001", "--var-g", "0.01", "--cov-bg", "0"]
    code, said, _ = tell("wealth", "--people", "10", "--income", "100", *own, "--json")
    assert code == 0
    data = json.loads(said)
    assert data["weight"]["r"] == pytest.approx(0.8)
    flow = next(
        r for r in data["tables"]["place"] if (r["form"], r["measure"]) == ("linear", "flow")
    )
    assert flow["value"] == pytest.approx(8)
    assert flow["low"] < 8 < flow["simulated_high"]
    assert not data["published"]["growth"]["verified"]


def test_without_errors_there_are_no_empty_columns(
    tell: Callable[..., tuple[int, str, str]],
) -> None:
    place = ("--people", "1500", "--income", "30000")
    _, out, _ = tell("wealth", *place, "--b", "0.5", "--g", "0.6")
    assert "No interval: these coefficients have no standard errors." in out
    assert "Low" not in out


def test_rates_of_a_stock_are_not_cut_beside_both_kinds_of_ends(
    tell: Callable[..., tuple[int, str, str]],
) -> None:
    errors = ("--var-b", "0.01", "--var-g", "0.01", "--cov-bg", "0")
    place = ("--people", "150000", "--income", "30000", "--b", "0.5", "--g", "0.6")
    _, out, _ = tell("wealth", *place, *errors)
    table = out[out.index("This place: value of") : out.index("Published results")]
    assert " 1.5% " in table
    assert " 4%" in table
    assert "..." not in table
    rows = json.loads(tell("wealth", *place, *errors, "--json")[1])["tables"]["place"]
    rates = [row["rate"] for row in rows if row["measure"] == "stock"]
    assert rates.count(0.015) == rates.count(0.04) == 3


def test_own_horizon(tell: Callable[..., tuple[int, str, str]]) -> None:
    place = ("wealth", "--people", "10", "--income", "100")
    code, said, _ = tell(*place, "--rate", "0", "--years", "10", "--json")
    assert code == 0
    stocks = [r for r in json.loads(said)["tables"]["place"] if r["measure"] == "stock"]
    assert {(r["rate"], r["years"]) for r in stocks} == {(0.0, 10.0)}
    assert stocks[0]["value"] == pytest.approx(0.01041 * 1000 * 10)
    code, said, _ = tell(*place, "--years", "10", "--json")
    assert {r["rate"] for r in json.loads(said)["tables"]["place"]} == {None, 0.015, 0.04}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--people 5", "--income is missing; --people needs it"),
        ("--income 5", "--people is missing"),
        ("--people -5 --income 5", "people: found -5"),
        ("--people 5 --income -5", "income: found -5"),
        ("--people 5 --income 5 --b 0 --g 1", "'b': found 0"),
        ("--people 5 --income 5 --b 1", "'g' is missing"),
        ("--people 5 --income 5 --b 1 --g 1 --coefficients doubling", "found both; expected one"),
        ("--people 5 --income 5 --control health", "expected countries"),
        ("--people 5 --income 5 --coefficients countris", "did you mean 'countries'"),
        ("--people 5 --income 5 --form liner", "did you mean 'linear'"),
        ("--people 5 --income 5 --change 101", "found 101 points"),
        ("--country Germny", "DEU (Germany)"),
    ],
)
def test_a_mistake_is_named(
    tell: Callable[..., tuple[int, str, str]], arguments: str, said: str
) -> None:
    code, out, complained = tell("wealth", *arguments.split())
    assert code == 2
    assert out == ""
    assert said in complained


def test_a_folder_of_others_is_not_written_over(
    tell: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear")
    code, _, complained = tell("wealth", "--country", "GBR", "--out", "mine")
    assert code == 2
    assert "mine" in complained
    assert (tmp_path / "mine" / "letter.txt").read_text() == "Dear"
