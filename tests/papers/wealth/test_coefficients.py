"""Coefficients: those that ship carry their marks, a user's own are checked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.papers.wealth import load_weights, weight_of
from commonweal.papers.wealth.coefficients import load_published, read_weight

if TYPE_CHECKING:
    from pathlib import Path

OWN = {"b": 0.5, "g": 0.4, "var_b": 0.01, "var_g": 0.02, "cov_bg": 0.001}


def test_what_ships_is_marked_as_unverified_and_says_so() -> None:
    for weight in load_weights().values():
        assert not weight.verified
        assert any("unverified" in warning for warning in weight.warnings)
        assert weight.caution in weight.warnings


def test_the_calibration_is_called_one() -> None:
    weight = load_weights()["calibration"]
    assert weight.ratio == 1.041
    assert "not estimated" in weight.caution
    assert "not a confidence interval" in weight.caution


def test_the_lower_bound_is_a_doubling() -> None:
    assert load_weights()["doubling"].ratio == pytest.approx(math.log(2))


def test_published_findings_keep_their_marks_and_are_in_the_library() -> None:
    library, found = load_evidence(), load_published()
    assert {name for name, row in found.items() if row.verified} == {"shares"}
    for row in found.values():
        library.work(row.work)
        assert row.unread
    assert "12%" in found["shares"].says
    assert "28%" in found["shares"].says
    assert "132 countries" in found["shares"].says
    assert "0.5 to 0.67" in found["growth"].says
    for weight in load_weights().values():
        for work in weight.works:
            library.work(work)


@pytest.mark.parametrize(("g", "warns"), [(0.75, False), (0.76, True)])
def test_above_one_and_a_half_it_warns(g: float, warns: bool) -> None:
    told = weight_of(b=0.5, g=g, verified=True).alarms
    assert any("above 1.5" in warning for warning in told) is warns


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"b": 0.5}, "'g' is missing"),
        ({"g": 0.5}, "'b' is missing"),
        ({}, "neither 'r' nor 'b' and 'g'"),
        ({"b": 0, "g": 1}, "'b': found 0; expected above 0"),
        ({"b": -0.2, "g": 1}, "'b': found -0.2"),
        ({**OWN, "cov_bg": None}, "'cov_bg' is missing"),
        ({**OWN, "var_b": -0.1}, "'var_b': found -0.1; expected a variance"),
        ({**OWN, "cov_bg": 0.02}, "expected at most 0.01414 in size, .* not positive semidefinite"),
        ({"r": 1, "var_b": 0.1, "var_g": 0.1, "cov_bg": 0}, "variances need both coefficients"),
        ({"r": 1, "low": 0.5}, "a range needs both"),
        ({"r": 1, "low": 1.2, "high": 1.5}, "expected them around r = 1"),
        ({**OWN, "low": 0.1, "high": 2}, "a range beside variances"),
        ({"b": 0.5, "g": 0.4, "r": 2}, "g / b is 0.8"),
        ({"b": math.nan, "g": 0.4}, "'b'"),
        ({"b": "much", "g": 0.4}, r"'b': .*number.*found 'much'"),
        ({**OWN, "covbg": 0.1}, "unknown key 'covbg'; did you mean 'cov_bg'"),
    ],
)
def test_what_is_wrong_with_coefficients_is_named(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        weight_of("mine.yaml", **fields)


def test_a_covariance_at_its_limit_is_one() -> None:
    weight = weight_of(b=0.5, g=0.4, var_b=0.01, var_g=0.04, cov_bg=-0.02)
    assert weight.covariance.tolist() == [[0.01, -0.02], [-0.02, 0.04]]


def test_own_coefficients_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("b: 0.5\ng: 0.4\nvar_b: 0.01\nvar_g: 0.02\ncov_bg: 0.001\nsource: Our survey\n")
    weight = read_weight(file)
    assert weight.ratio == pytest.approx(0.8)
    assert weight.covariance.tolist() == [[0.01, 0.001], [0.001, 0.02]]
    assert weight.source == "Our survey"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "found a list; expected keys such as b, g"),
        ("b: [\n", "line 2: not valid YAML"),
        ("b: 1\nb: 2\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(DataError, match=said):
        read_weight(file)


def test_a_file_or_a_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_weight(tmp_path / "none.yaml")
    with pytest.raises(UnknownNameError, match="set of coefficients 'nn"):
        read_weight("n" * 300)
    with pytest.raises(UnknownNameError, match="did you mean 'calibration'"):
        read_weight("calibratoin")
