"""The docs are true: what they show is run, and what the program has is in them."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyogrio
import pytest
import yaml

import commonweal
from commonweal.briefing import write_results
from commonweal.recipe import Study, load_study, parse_study
from commonweal.study import run

if TYPE_CHECKING:
    from commonweal.results import Results

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import generate  # noqa: E402
import outputs  # noqa: E402

PAGES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
EXAMPLE = DOCS / "examples" / "maregria.yaml"
NOT_PUBLIC = {"__main__", "cli", "faults", "progress", "strict_yaml", "studies"}


def blocks(page: str) -> list[tuple[bool, str, str, str | None]]:
    """Give each block: whether it needs the data, its language, its text, and the output below it."""
    text = (DOCS / page).read_text("utf-8")
    found = list(outputs.BLOCK.finditer(text))
    out = []
    for here, after in zip(found, [*found[1:], None][: len(found)], strict=True):
        below = after[3] if after and after[2] == "text" else None
        if after is not None and text[here.end() : after.start()].strip():
            below = None
        out.append((bool(here[1]), here[2], here[3], below))
    return out


def of_kind(*languages: str) -> list[tuple[str, str]]:
    return [(p, text) for p in PAGES for _, language, text, _ in blocks(p) if language in languages]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with the worked example."""
    return Path(shutil.copytree(DOCS / "examples", tmp_path / "example"))


@pytest.fixture(scope="session")
def mirror() -> None:
    said = os.environ.get("COMMONWEAL_MIRROR", "")
    if not (said and Path(said).is_dir()):
        message = "COMMONWEAL_MIRROR names no folder with the real files"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def test_generated_pages_and_the_keys_of_a_study_are_up_to_date(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_out_of_date_fails_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(DOCS / "reference", tmp_path / "reference")
    page = copy / "sources.md"
    page.write_text(page.read_text("utf-8").replace("Sources", "Sauces"), "utf-8")
    study = copy / "study.md"
    study.write_text(study.read_text("utf-8").replace("| `excluding` |", "| `except` |"), "utf-8")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "docs/reference/sources.md" in told
    assert "Rule.excluding" in told
    assert "Rule.except" in told
    assert "cli.md" not in told


def run_blocks(page: str, needs_data: bool, folder: Path, cache: Path | None) -> int:
    """Run the commands and the Python of a page in order; give how many blocks there were."""
    names: dict[str, Any] = {}
    count = 0
    for data, language, text, below in blocks(page):
        if data != needs_data or language not in ("console", "python"):
            continue
        count += 1
        if language == "console":
            for command, said in outputs.commands(text):
                found = outputs.output_of(command, folder, cache)
                assert outputs.matches(said, found), f"$ {command}\n{found}"
            continue
        with outputs.surroundings(folder, cache) as out:
            exec(compile(text, page, "exec"), names)
        if below is not None:
            assert out.getvalue() == below
    return count


@pytest.mark.parametrize("page", [p for p in PAGES if any(not b[0] for b in blocks(p))])
def test_what_a_page_shows_is_so(
    page: str, example: Path, cache: Path, example_results: Results
) -> None:
    if page == "reference/results.md":  # it reads what the tutorial wrote
        write_results(example_results, example / "results" / "maregria")
    run_blocks(page, False, example, cache)


@pytest.mark.real
@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("page", [p for p in PAGES if any(b[0] for b in blocks(p))])
def test_what_a_page_shows_of_england_is_so(page: str, example: Path) -> None:
    assert run_blocks(page, True, example, None) > 0
    if page == "tutorial.md":  # it names the parts of the report
        told = (DOCS / page).read_text("utf-8").split("## The list, and the report")[1]
        report = (example / "results" / "left-behind-2019" / "report.html").read_text("utf-8")
        headings = {re.sub("<.*?>", "", h) for h in re.findall(r"<h2.*?>(.*?)</h2>", report)}
        named = set(re.findall(r"\*\*(.+?)\*\*", told.split("\n## ")[0]))
        assert named | {"Contents"} == headings


@pytest.mark.parametrize(
    "command",
    [
        line
        for _, text in of_kind("bash")
        for line in text.splitlines()
        if line.startswith("commonweal ")
    ],
)
def test_each_command_is_one(command: str, tmp_path: Path, cache: Path) -> None:
    # An unknown command or option is told before the help is.
    told = outputs.output_of(f"{command} --help", tmp_path, cache)
    assert told.startswith("Usage: commonweal"), told


def with_fragment(text: str) -> dict[str, Any]:
    """Give the worked example with some of its keys replaced."""
    return {**yaml.safe_load(EXAMPLE.read_text("utf-8")), **yaml.safe_load(text)}


FRAGMENTS = of_kind("yaml")


@pytest.mark.parametrize(
    ("page", "text"), FRAGMENTS, ids=[f"{p}-{i}" for i, (p, _) in enumerate(FRAGMENTS)]
)
def test_each_piece_of_a_study_is_valid_and_runs(
    page: str, text: str, example: Path, cache: Path
) -> None:
    data = with_fragment(text)
    file = example / "piece.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
    study = load_study(file)
    if isinstance(study.areas, str) or study.since:  # needs the published files
        return
    with outputs.surroundings(example, cache):
        results = run(study)
    for designation in results.designations.values():
        assert designation.selected.sum() > 0


def test_the_tutorial_shows_the_whole_example() -> None:
    assert EXAMPLE.read_text("utf-8") in [text for p, text in FRAGMENTS if p == "tutorial.md"]
    parse_study(EXAMPLE.read_text("utf-8"), "maregria.yaml", "maregria", EXAMPLE.parent)


@pytest.fixture(scope="session")
def example_results(cache: Path) -> Results:
    with outputs.surroundings(EXAMPLE.parent, cache):
        return run(EXAMPLE)


def test_the_example_can_be_checked_by_hand(example_results: Results) -> None:
    """Percentiles of 21 places go in steps of 5; these were worked out with pencil and paper."""
    r = example_results
    row = r.areas.position["MG11"]
    # Low income 2nd of 21, out of work 4th; library 3rd, halls 5th lowest, turnout 11th lowest.
    assert r.scores["deprivation"].score[row] == pytest.approx((95 + 85) / 2)
    assert r.scores["community_needs"].score[row] == pytest.approx((90 + 80 + 50) / 3)
    # A fifth of 21 is 4.2, so 4.
    d = r.designations["priority"]
    assert [c for c, s in zip(r.areas.codes, d.selected, strict=True) if s] == [
        "MG03",
        "MG10",
        "MG11",
    ]
    assert d.population == 1780 + 2070 + 1640
    assert {t.cut[0] for t in d.tested} == {4}


def everything() -> dict[str, Any]:
    """The worked example with a rule and draws that fill every kind of column."""
    study = (DOCS / "reference" / "study.md").read_text("utf-8")
    pieces = re.findall(r"^```yaml\n(.*?)^```$", study, re.MULTILINE | re.DOTALL)
    data = with_fragment("\n".join(pieces))
    data["designate"]["priority"]["all"].append({"index": "deprivation", "worst": "30%"})
    return data


def tables(folder: Path) -> dict[str, list[str]]:
    """Give the columns of each table of a results folder."""
    found = {f.name: list(pl.read_parquet_schema(f)) for f in folder.glob("*.parquet")}
    map_file = folder / "commonweal.gpkg"
    for layer, _ in pyogrio.list_layers(map_file):
        found[f"{map_file.name}:{layer}"] = list(pyogrio.read_info(map_file, layer=layer)["fields"])
    return found


def pattern_of(column: str, study: Study, parents: tuple[str, ...]) -> re.Pattern[str]:
    """Turn a column as the page writes it into a pattern."""
    kinds = {
        "<index>": "|".join(study.index),
        "<domain>": r"\w+(?:\.\w+)*",
        "<condition>": r"\w+(?:\.\w+)*",
        "<parent>": "|".join(parents),
        "<indicator>": "|".join(study.indicators),
        "<name>": "|".join(study.designate),
    }
    text = re.escape(column)
    for kind, names in kinds.items():
        text = text.replace(re.escape(kind), f"(?:{names})")
    return re.compile(text)


def documented_columns() -> dict[str, list[str]]:
    page = (DOCS / "reference" / "results.md").read_text("utf-8")
    parts = re.split(r"^## `(.+)`$", page, flags=re.MULTILINE)[1:]
    return {
        file: re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)
        for file, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_results_folder_is_documented(
    example_results: Results, example: Path, cache: Path, tmp_path: Path
) -> None:
    file = example / "everything.yaml"
    file.write_text(yaml.safe_dump(everything(), allow_unicode=True), "utf-8")
    with outputs.surroundings(example, cache):
        full = run(file)
    said = (DOCS / "reference" / "results.md").read_text("utf-8")
    files = re.findall(r"^\| `([\w<>.-]+\.\w+)` \|", said.split("## Open it")[0], re.MULTILINE)
    columns = documented_columns()
    met: set[tuple[str, str]] = set()
    for results in (example_results, full):
        folder = write_results(results, tmp_path / results.study.name)
        # Every file is on the page, and every one on the page is there.
        assert {f.name for f in folder.iterdir()} == {f for f in files if "<" not in f}
        for table, found in tables(folder).items():
            name = table.split(":")[0]
            patterns = {
                c: pattern_of(c, results.study, results.areas.parents) for c in columns[name]
            }
            for column in found:
                fits = [c for c, p in patterns.items() if p.fullmatch(column)]
                assert fits, f"{table}: column {column} is not in docs/reference/results.md"
                met |= {(name, c) for c in fits}
    never = {(f, c) for f, cs in columns.items() for c in cs if f != "results.xlsx"} - met
    assert never == {("areas.parquet", "rural_urban")}  # of English areas


def test_every_public_name_is_documented() -> None:
    page = (DOCS / "reference" / "python.md").read_text("utf-8").splitlines()
    rooms = {m.name for m in pkgutil.iter_modules(commonweal.__path__)} - NOT_PUBLIC
    assert rooms <= {module.split(".")[1] for module in generate.ROOMS}
    for module in generate.ROOMS:
        for name in importlib.import_module(module).__all__:
            assert f"::: {module}.{name}" in page


def test_architecture_names_modules_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = set(re.findall(r"`(commonweal(?:\.\w+)+)`", text))
    rows = re.findall(r"^\| `(commonweal\.\w+)` \| (.+?) \|", text, re.MULTILINE)
    assert len(rows) >= 6
    named |= {f"{room}.{name}" for room, cell in rows for name in re.findall(r"`(\w+)`", cell)}
    for name in sorted(named):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            module, _, attribute = name.rpartition(".")
            assert hasattr(importlib.import_module(module), attribute), name
