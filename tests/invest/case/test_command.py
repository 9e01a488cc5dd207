"""The command as a user runs it, and as the page on investing says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commonweal.cli.console import pounds
from commonweal.errors import CommonwealError

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[..., tuple[int, str, str]]

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "invest.md"


@pytest.mark.slow
def test_the_page_on_investing_runs_as_it_is_printed(tell: Tell, tmp_path: Path) -> None:
    lines = [line.strip() for line in PAGE.read_text("utf-8").splitlines()]
    line = next(text for text in lines if text.startswith("commonweal invest case demo"))
    words = shlex.split(line)[1:]
    out = tmp_path / words[words.index("--out") + 1]
    words[words.index("--out") + 1] = str(out)
    code, said, _ = tell(*words, "--draws", "20")
    assert code == 0
    assert said.startswith("The case for 10 neighbourhoods of Vesselhoe")
    assert "fictional" in said
    files = {path.name for path in out.iterdir()}
    assert {
        "report.html",
        "report.pdf",
        "report.xlsx",
        "places.gpkg",
        "report.json",
        "tables",
    } <= files
    data = json.loads((out / "report.json").read_text("utf-8"))
    assert data["budget_gbp"] == 8_000_000
    for text in data["answer"]:
        assert text in said


def test_a_case_is_made_from_a_results_folder(tell: Tell, tmp_path: Path) -> None:
    words = ("--area", "Vesselhoe", "--places", "2", "--draws", "0")
    first = tell("invest", "case", "demo", *words)
    assert (first[0], first[2]) == (0, "")
    tell("run", "demo", "--draws", "0")
    for subject in ("demo", "results/demo"):
        code, said, complained = tell("invest", "case", subject, *words)
        assert (code, said) == first[:2]
        assert complained.startswith("Opened results/demo (written 20")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["demo"], "--area"),
        (["demo", "--area", "Nowhere"], "Nowhere"),
        (["demo", "--area", "Vesselhoe", "--budget", "0"], "budget: found 0"),
        (["demo", "--area", "Vesselhoe", "--budget", "much"], "budget: found 'much'"),
        (["demo", "--area", "Vesselhoe", "--minutes", "0"], "minutes: found 0"),
        (["demos", "--area", "Vesselhoe"], "did you mean 'demo'"),
        (["nothing.yaml"], "nothing.yaml"),
        (["demo", "--area", "Vesselhoe", "--exclude", "none"], "exclude: found none with demo"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_leaves_nothing(
    words: list[str], told: str, tell: Tell, tmp_path: Path
) -> None:
    out = tmp_path / "annex"
    code, said, complained = tell("invest", "case", *words, "--out", str(out))
    assert code == 2
    assert said == ""
    assert told in complained
    assert not out.exists()


@pytest.mark.parametrize("text", ["", "m", "20 million", "1e6", "2,0,x"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(CommonwealError, match="expected pounds"):
        pounds("budget", text)
