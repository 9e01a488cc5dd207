"""The docs are true: what they show is run, and what the program has is in them."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyogrio
import pytest
import yaml

from commonweal.report.session.content import content
from commonweal.report.session.spec import load_session
from commonweal.report.study.folder import write_results
from commonweal.spec.study import load_study
from commonweal.study.run import run
from commonweal.survey.spec import load_spec
from commonweal.toolbox.audit import FUNCTIONS

if TYPE_CHECKING:
    from commonweal.spec import Study
    from commonweal.study.results import Results

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import generate  # noqa: E402
import outputs  # noqa: E402

PAGES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
EXAMPLE = DOCS / "examples" / "maregria.yaml"


def page_text(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def blocks(page: str) -> list[tuple[bool, str, str]]:
    """Give each block of a page: whether it needs the data, its language and its text."""
    text = page_text(page)
    return [(bool(b[1]), b[2], b[3]) for b in outputs.BLOCK.finditer(text)]


def of_kind(*languages: str) -> list[tuple[str, str]]:
    return [(p, text) for p in PAGES for _, language, text in blocks(p) if language in languages]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with the worked example."""
    return Path(shutil.copytree(DOCS / "examples", tmp_path / "example"))


def test_generated_pages_and_the_keys_of_a_study_are_up_to_date(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_each_function_that_is_offered_stands_with_its_parameters() -> None:
    """A reader of the repository sees them before the site is built."""
    text = page_text("reference/engine.md") + page_text("reference/python.md")
    seen = 0
    for full in {*generate.public_names(), *generate.engine_names()}:
        module, _, name = full.rpartition(".")
        thing = getattr(importlib.import_module(module), name)
        if not inspect.isroutine(thing):
            continue
        seen += 1
        part = text.partition(f"`{module}`\n")[2].partition("\n## ")[0]
        found = re.search(rf"^\* `{name}\((.*)\)`: .", part, re.MULTILINE)
        assert found, full
        shown = re.findall(r"(?:^|, )\**([a-z]\w*)", re.sub(r"=(\([^)]*\)|'[^']*')", "", found[1]))
        stated = list(inspect.signature(thing).parameters)
        assert shown == stated[: generate.MOST_PARAMETERS], full
    assert seen > 200


def test_a_page_out_of_date_fails_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(page: str, old: str, new: str) -> None:
        text = (tmp_path / page).read_text("utf-8")
        assert old in text
        (tmp_path / page).write_text(text.replace(old, new), "utf-8")

    for part in ("reference", "methods", "indicators"):
        shutil.copytree(DOCS / part, tmp_path / part)
    change("reference/sources.md", "Sources", "Sauces")
    change("reference/study.md", "| `excluding` |", "| `except` |")
    change("methods/normalise.md", "| `z_score` |", "| `zscore` |")
    change("methods/look.md", "| `correlate.correlate` |", "| `correlate.correlates` |")
    change("methods/social-capital.md", "load_framework", "load_framework_of")
    change("methods/results.md", "| `rank`, `decile` |", "| `rank`, `decile`, `treat.treat` |")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    for fault in (
        "docs/reference/sources.md",
        "Rule.excluding",
        "Rule.except",
        "normalise.md: 'z_score' stands 0 times",
        "normalise.md: 'zscore' stands 1 times",
        "'correlate.correlate' (commonweal.index.correlate.correlate) stands in no page",
        "there is no 'correlate.correlates'",
        "commonweal.social_capital.load_framework: no page uses it",
        "a page imports load_framework_of from commonweal.social_capital",
        "'treat.treat' (commonweal.index.treat.treat) stands in ['prepare.md', 'results.md']",
    ):
        assert fault in told
    assert "cli.md" not in told


def check_page(page: str, needs_data: bool, folder: Path, cache: Path | None) -> None:
    """Run what a page shows, and compare what that prints and draws with the page."""
    text = page_text(page)
    assert outputs.renewed(text, folder, cache, needs_data=needs_data) == text
    for name, drawn in outputs.pictures(folder).items():
        assert (outputs.PICTURES / name).read_text("utf-8") == drawn, name


@pytest.mark.parametrize("page", [p for p in PAGES if any(not b[0] for b in blocks(p))])
def test_what_a_page_shows_is_so(
    page: str, example: Path, cache: Path, example_results: Results
) -> None:
    if page == "reference/results.md":  # it reads what the tutorial wrote
        write_results(example_results, example / "results" / "maregria")
    check_page(page, False, example, cache)


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
    """Give the worked example with some of its keys replaced; a piece that extends stands alone."""
    given = yaml.safe_load(text)
    if "extends" in given:
        return dict(given)
    return {**yaml.safe_load(EXAMPLE.read_text("utf-8")), **yaml.safe_load(text)}


NO_STUDY = ("\nframing:", "\noutcomes:")
FRAGMENTS = [(p, text) for p, text in of_kind("yaml") if not any(key in text for key in NO_STUDY)]


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


def test_each_survey_shown_is_valid(tmp_path: Path) -> None:
    shown = [text for _, text in of_kind("yaml") if "\noutcomes:" in text]
    assert shown
    for text in shown:
        (tmp_path / "survey.yaml").write_text(text, "utf-8")
        assert load_spec(tmp_path / "survey.yaml").outcomes


def test_each_session_shown_can_be_held(example: Path, cache: Path) -> None:
    shown = [text for _, text in of_kind("yaml") if "\nframing:" in text]
    assert shown
    for text in shown:
        file = example / "meeting.yaml"
        file.write_text(text, "utf-8")
        session = load_session(file)
        with outputs.surroundings(example, cache):
            runs = {name: run(session.study(name), draws=20) for name in session.studies}
        told = content(session, runs)
        assert told.figures
        assert told.charts


@pytest.mark.parametrize("page", ["tutorial-list.md", "tutorial-index.md"])
def test_a_tutorial_shows_the_whole_example(page: str) -> None:
    shown = [text for p, text in FRAGMENTS if p == page]
    files = (DOCS / "examples").glob("*.yaml")
    assert [f.stem for f in files if f.read_text("utf-8") in shown] == [
        {"tutorial-list.md": "maregria", "tutorial-index.md": "maregria-index"}[page]
    ]


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
    table = pl.read_csv(DOCS / "examples" / "comuni.csv", infer_schema=False)
    return data | {"show": ["low_income"], "focus": {"district": table["distretto"][0]}}


def tables(folder: Path) -> dict[str, list[str]]:
    """Give the columns of each table of a results folder."""
    found = {f.name: list(pl.read_parquet_schema(f)) for f in folder.glob("*.parquet")}
    found |= {f.name: pl.read_csv(f).columns for f in folder.glob("*.csv")}
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
        "<year>": r"\d{4}",
        "<assumption>": "|".join(
            re.escape(a.called)
            for spec in (study.certainty, study.sensitivity)
            for a in (spec.vary if spec else ())
        ),
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
        # Every file is on the page, and every one on the page is there if there is cause for it.
        without = set() if results.study.prepare else {"prepared.parquet"}
        without |= set() if results.trends else {"trends.parquet"}
        without |= set() if results.extra is not None else {"shown.parquet"}
        shares = {"sensitivity.csv", "sensitivity_areas.parquet"}
        without |= set() if results.sensitivity else shares
        assert {f.name for f in folder.iterdir() if f.is_file()} | without == {
            f for f in files if "<" not in f
        }
        for table, found in tables(folder).items():
            name = table.split(":")[0]
            if name == "list.csv":  # "as in the sheet `On_the_list`", whose heads are words
                selected = pl.read_excel(folder / "results.xlsx", sheet_name="On_the_list")
                assert found == selected.columns
                continue
            patterns = {
                c: pattern_of(c, results.study, results.areas.parents) for c in columns[name]
            }
            for column in found:
                fits = [c for c, p in patterns.items() if p.fullmatch(column)]
                assert fits, f"{table}: column {column} is not in docs/reference/results.md"
                met |= {(name, c) for c in fits}
    never = {(f, c) for f, cs in columns.items() for c in cs if f != "results.xlsx"} - met
    deeper = [f"<index>.<domain>.own_change{part}" for part in ("", "_data", "_method", "_base")]
    within = [f"<index>.{key}_within_rural_urban" for key in ("rank", "decile")]
    of_england = ("rural_urban", "local_name", "official_name")
    of_others = {
        *(("areas.parquet", c) for c in of_england),
        *(("scores.parquet", c) for c in within),
    }
    of_others |= {*(("trends.parquet", c) for c in deeper), ("certainty.parquet", "next_release")}
    assert never == of_others  # English areas, and trees that have domains


def test_all_that_a_log_may_call_is_documented() -> None:
    said = page_text("methods/audit.md").split("What a log may call, and nothing else:")[1]
    assert set(re.findall(r"`(\w+)`", said.split("\n\n")[0])) == set(FUNCTIONS)


def test_every_picture_is_drawn_by_a_page() -> None:
    shown = {name for p in PAGES for name in re.findall(r"images/index/([\w.]+)", page_text(p))}
    assert shown == {f.name for f in outputs.PICTURES.iterdir()}


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
