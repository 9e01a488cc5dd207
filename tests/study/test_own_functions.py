"""A study that calls a function of its author's: named in YAML, run again from the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from commonweal.errors import StudyError
from commonweal.report.study.folder import write_results
from commonweal.sources import Store
from commonweal.spec.study import load_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
import numpy as np
def halved(x):
    return np.asarray(x, dtype=float) / 2
NUMBER = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's that Python finds."""
    (tmp_path / "our_ways.py").write_text(MODULE)
    (tmp_path / "our_broken_ways.py").write_text("raise SystemExit('no licence\\nfound')")
    monkeypatch.syspath_prepend(tmp_path)
    return "our_ways"


def scores(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "scores.parquet")


def test_a_function_named_in_yaml_runs_again_from_the_results(
    small: Any, module: str, tmp_path: Path
) -> None:
    path = small.write(index__community_needs__transform={"python": f"{module}.halved"})
    folder = write_results(small.run(path), tmp_path / "out")
    text = (folder / "study.yaml").read_text("utf-8")
    assert f"python: {module}.halved" in text
    needed = (
        f"It runs where Python finds {module}.halved (installed, or in a folder of PYTHONPATH)."
    )
    assert f"# {needed}\n" in text
    assert needed in (folder / "README.txt").read_text("utf-8")
    again = run(load_study(folder / "study.yaml"), Store(tmp_path / "cache", offline=True))
    assert scores(write_results(again, tmp_path / "again")).equals(scores(folder))


def test_a_function_of_a_program_is_said_to_be_missing(small: Any, tmp_path: Path) -> None:
    def doubled(x: np.ndarray) -> np.ndarray:
        return np.asarray(x, dtype=float) * 2

    study = load_study(small.study)
    tree = study.index["community_needs"]
    index = {**study.index, "community_needs": tree.model_copy(update={"transform": doubled})}
    results = run(
        study.model_copy(update={"index": index}), Store(tmp_path / "cache", offline=True)
    )
    folder = write_results(results, tmp_path / "out")
    for name in ("study.yaml", "README.txt"):
        text = (folder / name).read_text("utf-8")
        assert "It cannot be run from here: " in text
        assert "doubled belongs to the program that ran it" in text
        assert "run it from here" not in text
    with pytest.raises(StudyError, match=r"doubled'; expected a function in a module"):
        load_study(folder / "study.yaml")


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("halved", "found 'halved'; expected a function in a module that Python finds"),
        ("__main__.halved", "found '__main__.halved'; expected a function in a module"),
        ("our_ways.halfed", "module 'our_ways' has no function 'halfed'"),
        ("our_ways.NUMBER", "module 'our_ways' has no function 'NUMBER'"),
        ("no_such_ways.halved", "module 'no_such_ways' cannot be imported (ModuleNotFoundError: "),
        ("our_broken_ways.f", "cannot be imported (SystemExit: no licence found); Python looks"),
        (["our_ways", "halved"], "found ['our_ways', 'halved']; expected a function"),
    ],
)
def test_what_python_does_not_find_is_said_with_its_place(
    small: Any, module: str, named: object, words: str
) -> None:
    assert module
    path = small.write(index__community_needs__transform={"python": named})
    with pytest.raises(StudyError) as error:
        load_study(path)
    assert words in str(error.value)
    assert "index.community_needs.transform.python" in str(error.value)
    assert len(str(error.value).splitlines()) <= 3
