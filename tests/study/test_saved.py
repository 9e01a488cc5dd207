"""Results saved and opened again are the same, to the bit; what is not whole is refused."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.same import assert_same

from commonweal.errors import CommonwealError
from commonweal.report.study.folder import write_results
from commonweal.sources import Store
from commonweal.study.results import Results
from commonweal.study.run import run
from commonweal.study.saved import FORMAT, open_results

if TYPE_CHECKING:
    from tests.conftest import Small

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
STEPS: list[dict[str, Any]] = [
    {"denominate": {"by": "population", "of": ["halls"], "per": 1000}},
    {"impute": {"how": "group_median", "group": "district", "of": ["income"]}},
    {"shrink": {"to": "district", "of": ["income"], "sizes": "population"}},
]
VARY: list[dict[str, Any]] = [
    {"cut": [0.7, 1.3]},
    {"weights": "all", "dirichlet": 10},
    {"standard_errors": "all"},
    {"transform": "all", "of": ["exponential", {"min_max": {"low": 1, "high": 100}}]},
]
ERROR = {"indicators__income__standard_error": "income_se"}
WHOLE = {
    "index__community_needs__children": {
        "halls": {"indicator": "halls", "weight": 2},
        "income": {"indicator": "income"},
    }
}


def assert_opens_the_same(results: Results, folder: Path) -> Results:
    """Save and open; every attribute is what it was."""
    opened = open_results(write_results(results, folder))
    for field in fields(Results):
        assert_same(getattr(results, field.name), getattr(opened, field.name), field.name)
    return opened


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"certainty": None},
        {**ERROR, **WHOLE, "certainty": {"draws": 30, "seed": 4, "vary": VARY}},
        {
            "certainty": {"draws": 30, "seed": 4, "vary": [{"cut": [0.7, 1.3]}]},
            "sensitivity": {"sample": 8, "pairs": True, "intervals": 5, "vary": VARY[:2]},
            **WHOLE,
        },
        {**ERROR, "prepare": STEPS},
        {"focus": {"district": "N"}, "show": ["income"]},
        {"since": "earlier.yaml"},
    ],
    ids=["plain", "no draws", "draws", "sensitivity", "prepared", "focus and show", "since"],
)
def test_opened_is_what_was_saved(small: Small, changes: dict[str, Any]) -> None:
    (small.path / "earlier.yaml").write_bytes(
        small.write(designate__priority__all__0__worst="30%").read_bytes()
    )
    results = small.run(small.write(**changes))
    assert_opens_the_same(results, small.path / "results")


@pytest.mark.parametrize(
    "name", ["demo", "maregria.yaml", "maregria-index.yaml", "maregria-years.yaml"]
)
def test_studies_that_ship_open_the_same(name: str, cache: Path, tmp_path: Path) -> None:
    study = name if name == "demo" else EXAMPLES / name
    results = run(study, Store(cache, offline=True), draws=20 if name == "demo" else None)
    assert_opens_the_same(results, tmp_path / "results")


def test_what_is_shared_stays_shared(small: Small) -> None:
    results = small.run(small.write(prepare=STEPS, **ERROR))
    opened = assert_opens_the_same(results, small.path / "results")
    assert len(results.preparations) == len(opened.preparations) == 1
    assert opened.designations["priority"].areas is opened.areas


def test_opened_results_can_be_saved_again(small: Small) -> None:
    """From a folder elsewhere: its study names the tables by where they lie from there."""
    first = write_results(small.run(), small.path / "one")
    second = write_results(open_results(first), small.path / "deeper" / "two")
    for file in sorted(p for p in first.rglob("*") if p.is_file()):
        if file.name in ("study.yaml", "datapackage.json"):
            continue
        other = second / file.relative_to(first)
        if file.suffix == ".arrow":
            assert_same(pl.read_ipc(file), pl.read_ipc(other), file.name)
        else:
            assert file.read_bytes() == other.read_bytes(), file.name
    again = small.run(second / "study.yaml")
    assert_same(open_results(first).scores, again.scores)


def test_the_same_run_gives_the_same_description(small: Small) -> None:
    one, two = (write_results(small.run(), small.path / name) for name in ("one", "two"))
    names = {p.relative_to(one) for p in one.rglob("*") if p.is_file()} - {Path("provenance.json")}
    assert Path("datapackage.json") in names
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def read_all(folder: Path) -> None:
    opened = open_results(folder)
    for field in fields(Results):
        getattr(opened, field.name)


@pytest.mark.parametrize("how", ["changed", "cut off", "gone"])
@pytest.mark.parametrize(
    "name", ["data/results.json", "data/scores.npz", "data/boundaries.arrow", "study.yaml"]
)
def test_a_damaged_file_is_refused(small: Small, name: str, how: str) -> None:
    folder = write_results(small.run(draws=0), small.path / "results")
    file = folder / name
    content = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-9] if how == "cut off" else content[:-9] + b"x" + content[-8:])
    what = "is missing" if how == "gone" else "is damaged"
    with pytest.raises(
        CommonwealError, match=rf"(?s){name} {what}.*Run the study again: commonweal run"
    ):
        read_all(folder)


def test_what_is_not_damaged_can_be_read(small: Small) -> None:
    folder = write_results(small.run(draws=0), small.path / "results")
    (folder / "data" / "scores.npz").write_bytes(b"")
    assert len(open_results(folder).boundaries) == 20


def test_another_set_of_attributes_is_another_format() -> None:
    """Else a folder of an earlier write of this number would not open, and not say why: raise FORMAT with these."""
    now = (
        "study areas indicators scores designations certainty validations since summaries boundaries "
        "outline provenance prepared trends sensitivity capital national extra"
    )
    assert (FORMAT, [field.name for field in fields(Results)]) == (2, now.split())


def test_another_format_is_refused(small: Small) -> None:
    folder = write_results(small.run(draws=0), small.path / "results")
    file = folder / "datapackage.json"
    about = json.loads(file.read_text("utf-8"))
    about["commonweal"] |= {"format": 99, "version": "9.9"}
    file.write_text(json.dumps(about), "utf-8")
    with pytest.raises(
        CommonwealError, match=r"format 99 \(Commonweal 9\.9\); this version opens"
    ) as said:
        open_results(folder)
    # The file that it was run from may be gone.
    assert f"commonweal run {folder / 'study.yaml'} --out {folder}" in str(said.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"commonweal": {}}', '{"commonweal": 3}'])
def test_a_description_that_is_none_is_refused(small: Small, text: str) -> None:
    folder = write_results(small.run(draws=0), small.path / "results")
    (folder / "datapackage.json").write_text(text, "utf-8")
    with pytest.raises(CommonwealError, match=r"datapackage\.json is damaged"):
        open_results(folder)


def test_a_folder_of_an_earlier_version_says_what_to_type(small: Small) -> None:
    folder = write_results(small.run(draws=0), small.path / "results")
    (folder / "datapackage.json").unlink()
    with pytest.raises(
        CommonwealError, match=r"(?s)cannot be opened again\..*commonweal run \S*study\.yaml --out"
    ):
        open_results(folder)


def test_no_results_folder(tmp_path: Path) -> None:
    with pytest.raises(CommonwealError, match="there is no such folder"):
        open_results(tmp_path / "nowhere")
    with pytest.raises(CommonwealError, match="is no results folder"):
        open_results(tmp_path)
    (tmp_path / "table.csv").touch()
    with pytest.raises(CommonwealError, match=r"table\.csv is no results folder"):
        open_results(tmp_path / "table.csv")


def test_results_do_not_have_what_they_do_not_have(small: Small) -> None:
    opened = open_results(write_results(small.run(draws=0), small.path / "results"))
    with pytest.raises(AttributeError, match="no attribute 'scroes'"):
        opened.scroes  # noqa: B018
    with pytest.raises(TypeError, match="results have no scroes"):
        opened.with_(scroes={})
    assert opened.with_(certainty={}).scores is opened.scores
