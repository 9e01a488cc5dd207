"""Parameters are data: marked, checked, and a reader's own may take their place."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from commonweal.errors import DataError, UnknownNameError
from commonweal.evidence import load_evidence
from commonweal.invest.appraisal import appraise
from commonweal.invest.parameters import load_parameters, shipped_parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.invest.appraisal import Project

SHIPPED = resources.files("commonweal.invest") / "parameters/published/green-book-2022.yaml"
TEXT = SHIPPED.read_text("utf-8")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., str]:
    """Write the shipped file with one thing changed."""

    def write(old: str, new: str) -> str:
        assert old in TEXT
        (tmp_path / "own.yaml").write_text(TEXT.replace(old, new, 1), "utf-8")
        return str(tmp_path / "own.yaml")

    return write


def test_what_ships_says_what_was_verified() -> None:
    assert shipped_parameters() == ["green-book-2022"]
    p = load_parameters()
    assert p.discount.verified
    assert p.optimism_bias.verified
    assert p.wellby.verified
    assert not p.wellby.range.verified
    assert not p.wellby.uprating.verified
    assert (p.wellby.range.low, p.wellby.range.high) == (10_000, 16_000)
    assert p.welfare_weights.elasticity == 1.3
    for stated in (p.discount, p.optimism_bias, p.wellby, p.welfare_weights):
        assert load_evidence().work(stated.evidence).checked


def test_a_newer_set_changes_the_answer(
    changed: Callable[..., str], made: Callable[..., Project]
) -> None:
    own = load_parameters(changed("rate: 0.035", "rate: 0.0"))
    assert own.name == "own"
    project = made()
    assert appraise(project, own, draws=1).measures["public_cost"].expected == 10_000
    assert appraise(project, draws=1).measures["public_cost"].expected < 9_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rate: 0.035", "rate: 3.5", r"discount.steps.0.rate: found 3.5; expected less than 1"),
        ("rate: 0.035", "rate: high", r"discount.steps.0.rate: found 'high'; expected a valid number"),
        ("{to: 30,", "{to: 80,", r"'steps' end in the years \[80, 75, None\]; expected rising years"),
        ("wellby:", "welby:", r"welby: unknown key; did you mean 'wellby'"),
        ("value: 13000", "value: 9000", r"'range' is 10000 to 16000; expected it around the value 9000"),
        ("value: 13000", "value: .nan", r"wellby.value: found nan; expected a finite number"),
        ("upper: 0.24, lower: 0.02", "upper: 0.02, lower: 0.24", r"found lower 0.24 above upper 0.02"),
        ("verified: true", "verified: perhaps", r"discount.verified: found 'perhaps'"),
        ("title:", "- title:", r"not valid YAML"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_file_and_field(
    changed: Callable[..., str], old: str, new: str, said: str
) -> None:
    with pytest.raises(DataError, match=rf"own.yaml[:,] .*{said}"):
        load_parameters(changed(old, new))


def test_what_is_not_there_is_told_with_the_nearest(changed: Callable[..., str]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'green-book-2022'"):
        load_parameters("green-book-2023")
    with pytest.raises(DataError, match=r"none.yaml: no such file"):
        load_parameters("none.yaml")
    with pytest.raises(UnknownNameError, match="work 'green-book-2002' not found"):
        load_parameters(changed("evidence: green-book-2022", "evidence: green-book-2002"))
