"""`datapackage.json` of a results folder: by the rules of Data Package v2, with every column described."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from commonweal.report.study import columns
from commonweal.report.study.folder import write_results

if TYPE_CHECKING:
    from tests.conftest import Small

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "results.md"
TYPES = {"string", "number", "integer", "boolean", "any"}  # of those of Table Schema v2


@pytest.fixture
def folder(small: Small) -> Path:
    small.write(
        indicators__income__unit="% of people",
        indicators__income__about="People on a low income.",
        indicators__income__standard_error="income_se",
        show=["halls"],
        sensitivity={"sample": 8, "intervals": 0},
        certainty__vary=[{"weights": "all", "dirichlet": 10}, {"standard_errors": "all"}],
        index__deprivation__children={k: {"indicator": k} for k in ("income", "halls")},
    )
    return write_results(small.run(), small.path / "results")


def described(folder: Path) -> dict[str, Any]:
    about = json.loads((folder / "datapackage.json").read_text("utf-8"))
    return {r["path"]: r for r in about["resources"]}


def test_it_keeps_the_rules_of_data_package_2(folder: Path) -> None:
    """Those of the profile: what is required, of which type, and paths that lead nowhere else."""
    about = json.loads((folder / "datapackage.json").read_text("utf-8"))
    assert about["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert re.fullmatch(r"[-a-z0-9._/]+", about["name"])
    assert all(s["title"] and isinstance(s["title"], str) for s in about["sources"])
    for licence in about.get("licenses", ()):
        assert re.fullmatch(r"[-a-zA-Z0-9._]+", licence["name"])
    assert about["resources"]
    names = [r["name"] for r in about["resources"]]
    assert len(set(names)) == len(names)
    for resource in about["resources"]:
        path = PurePosixPath(resource["path"])
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert re.fullmatch(r"[-a-z0-9._/]+", resource["name"])
        content = (folder / path).read_bytes()
        if path.name != "provenance.json":  # how long a run took is another each time
            assert resource["bytes"] == len(content)
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert ("schema" in resource) == (resource.get("type") == "table")
        for field in resource.get("schema", {}).get("fields", ()):
            assert field["type"] in TYPES
            assert all(isinstance(value, str) and value for value in field.values())


def test_every_column_of_every_table_has_a_title_and_a_meaning(folder: Path) -> None:
    resources = described(folder)
    tables = [p for p in folder.rglob("*") if p.suffix in (".csv", ".parquet", ".arrow")]
    assert {p.name for p in tables} >= {
        "list.csv",
        "sensitivity.csv",
        "shown.parquet",
        "areas.table.arrow",
    }
    read = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".arrow": pl.read_ipc}
    for file in tables:
        name = file.relative_to(folder).as_posix()
        fields = resources[name]["schema"]["fields"]
        assert [f["name"] for f in fields] == read[file.suffix](file).columns, name
        without = [f["name"] for f in fields if not f.get("title") or not f.get("description")]
        assert set(without) <= {"District", "halls"}, name  # heads of the list that say it all


def test_a_column_says_what_it_is_in_the_words_of_the_study(folder: Path) -> None:
    fields = {
        (path, f["name"]): f
        for path, r in described(folder).items()
        for f in r.get("schema", {}).get("fields", ())
    }
    assert fields["indicators.parquet", "income"] == {
        "name": "income", "type": "number", "title": "Low income", "description": "People on a low income.",
        "unit": "% of people",
    }  # fmt: skip
    error = fields["indicators.parquet", "income.standard_error"]
    assert (error["title"], error["unit"]) == ("Low income: standard error", "% of people")
    assert fields["areas.parquet", "population"]["unit"] == "people"
    rank = fields["scores.parquet", "community_needs.rank"]
    assert (rank["title"], rank["type"]) == ("Community needs: rank", "integer")
    assert "1 = greatest need" in rank["description"]


def test_what_columns_mean_is_what_the_page_says() -> None:
    parts = re.split(r"^## `(.+)`$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    said = {
        file: {
            column: re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", meaning)
            for column, meaning in re.findall(r"^\| `(.+?)` \| (.*) \|$", text, re.MULTILINE)
        }
        for file, text in zip(parts[::2], parts[1::2], strict=True)
        if file.endswith((".parquet", ".csv"))
    }
    kept = yaml.safe_load(Path(columns.__file__).with_suffix(".yaml").read_text("utf-8"))
    assert {file: kept[file] for file in said} == said
