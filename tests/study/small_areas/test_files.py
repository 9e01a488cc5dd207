"""The file that takes a survey to neighbourhoods: what it may say, and what is wrong told by file and field."""

from __future__ import annotations

import csv
import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyogrio
import pytest
import yaml

from commonweal.errors import CommonwealError, StudyError, UnknownNameError
from commonweal.sources import Store
from commonweal.study.run import run
from commonweal.study.small_areas import EstimatesSpec
from commonweal.study.small_areas.run import run_estimates
from commonweal.study.small_areas.spec import load_estimates, write_example

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example(tmp_path)
    return tmp_path


def changed(folder: Path, **changes: Any) -> Path:
    """Write the example's file with changes; None leaves a key out."""
    file = folder / "neighbourhoods.yaml"
    data = yaml.safe_load(file.read_text("utf-8")) | changes
    kept = {key: value for key, value in data.items() if value is not None}
    file.write_text(yaml.safe_dump(kept, allow_unicode=True, sort_keys=False), "utf-8")
    return file


class TestFile:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"covariats": []}, "covariats: unknown key"),
            ({"title": None}, "title"),
            ({"areas": "lsoa21"}, "expected exactly one of 'study' and 'areas'"),
            ({"where": {"lad24": "E07000138"}}, "'where' and 'population' go with 'areas'"),
            ({"model": "mrp", "people": None}, "people: needed with 'mrp'"),
            ({"model": "magic"}, "model: found 'magic'"),
            ({"covariates": []}, "covariates"),
            ({"covariates": ["rural", "rural"]}, "'rural' is there twice"),
            ({"level": "101%"}, "level"),
            ({"publish_below": 0}, "publish_below"),
            ({"name": "x"}, "name: unknown key"),
        ],
    )
    def test_what_is_wrong_is_named(self, folder: Path, change: dict[str, Any], said: str) -> None:
        file = changed(folder, **change)
        with pytest.raises(StudyError) as told:
            load_estimates(file)
        assert str(file) in str(told.value)
        assert said in str(told.value)

    def test_no_file_and_no_yaml(self, tmp_path: Path) -> None:
        with pytest.raises(StudyError, match="no such file"):
            load_estimates(tmp_path / "none.yaml")
        file = tmp_path / "list.yaml"
        file.write_text("- a\n", "utf-8")
        with pytest.raises(StudyError, match="expected keys such as title, survey"):
            load_estimates(file)

    def test_a_covariate_that_nobody_has(self, folder: Path, cache: Path) -> None:
        file = changed(folder, covariates=["income_deprived_rat"])
        with pytest.raises(UnknownNameError, match="did you mean 'income_deprived_rate'"):
            run_estimates(file, Store(cache=cache, offline=True))

    def test_a_covariate_made_of_one_that_nobody_has(self, folder: Path, cache: Path) -> None:
        file = folder / "neighbourhoods.yaml"
        file.write_text(file.read_text("utf-8").replace("per: adults", "per: adultz"), "utf-8")
        said = r"^neighbourhoods: indicators.social_rent.per: indicator 'adultz' not found; did you mean 'adults'"
        with pytest.raises(StudyError, match=said):
            run_estimates(file, Store(cache=cache, offline=True))

    def test_people_of_other_codes(self, folder: Path, cache: Path) -> None:
        (folder / "people.csv").write_text("code,n,age\nE1,5,65+\n", "utf-8")
        people = {"file": "people.csv", "code": "code", "count": "n", "groups": {"age": "age"}}
        file = changed(folder, people=people)
        with pytest.raises(CommonwealError, match="expected such as 'F01000001'"):
            run_estimates(file, Store(cache=cache, offline=True))

    def test_an_example_never_writes_over_a_file(self, folder: Path) -> None:
        (folder / "residents.yaml").unlink()
        with pytest.raises(CommonwealError, match=r"residents\.sav is already there"):
            write_example(folder)
        assert not (folder / "residents.yaml").exists()

    def test_an_example_is_written_whole_or_not_at_all(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("commonweal.study.small_areas.spec.write_survey", full)
        with pytest.raises(CommonwealError, match="cannot be written: No space left on device"):
            write_example(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_areas_of_ones_own_without_a_study(self, folder: Path, cache: Path) -> None:
        store = Store(cache=cache, offline=True)
        by_study = run_estimates(changed(folder, outcomes=["trust"]), store)
        own = yaml.safe_load((folder / "neighbourhoods.yaml").read_text("utf-8"))
        income = {
            "source": "county-indicators",
            "column": "income_deprived_rate",
            "higher_is": "more",
        }
        file = changed(
            folder,
            study=None,
            areas={
                "source": "county-areas", "code": "code", "name": "name", "population": "population",
                "parents": {"district": ["district_code", "district_name"]},
            },
            indicators={**own["indicators"], "income_deprived_rate": income},
            covariates=["income_deprived_rate", "social_rent", "rural"],
        )  # fmt: skip
        alone = run_estimates(file, store)
        one, other = (r.outcomes["trust"].estimate for r in (by_study, alone))
        assert np.corrcoef(one, other)[0, 1] > 0.95


class TestCommand:
    def test_an_example_runs_as_it_is(
        self, tell: Callable[..., tuple[int, str, str]], tmp_path: Path
    ) -> None:
        code, said, _ = tell("small-areas", "--example", "here")
        assert code == 0
        assert [line.split("/")[-1] for line in said.splitlines()] == [
            "residents.sav",
            "residents.yaml",
            "neighbourhoods.yaml",
            "with-trust.yaml",
        ]
        code, said, complained = tell("small-areas", "here/neighbourhoods.yaml", "--out", "there")
        assert (code, complained) == (0, "")
        assert "This county is fictional" in said
        assert "400 neighbourhoods, from the answers of" in said
        assert "This is association, not cause." in said
        names = {f.name for f in (tmp_path / "there").iterdir()}
        assert names == {
            "neighbourhoods.csv", "neighbourhoods.gpkg", "neighbourhoods.parquet", "provenance.json",
            "report.html", "report.json", "report.pdf", "report.xlsx", "tables",
        }  # fmt: skip
        table = pl.read_parquet(tmp_path / "there" / "neighbourhoods.parquet")
        plain = pl.read_csv(tmp_path / "there" / "neighbourhoods.csv")
        assert table.columns == plain.columns
        np.testing.assert_allclose(table["trust"], plain["trust"])
        layer = pyogrio.read_info(tmp_path / "there" / "neighbourhoods.gpkg", layer="areas")
        assert layer["features"] == 400
        assert set(table.columns) == set(layer["fields"])
        page = (tmp_path / "there" / "report.html").read_text("utf-8")
        assert "This county is fictional" in page
        assert "src=" not in page  # it asks nothing of any server
        account = json.loads((tmp_path / "there" / "provenance.json").read_text("utf-8"))
        assert account["model"] == "fay-herriot"
        assert any("Quillshire" in line for line in account["sources"])
        with (tmp_path / "there" / "tables" / "lowest-trust.csv").open(encoding="utf-8") as file:
            lowest = [float(row["Estimate"]) for row in csv.DictReader(file)]
        assert lowest == sorted(lowest)
        assert lowest == sorted(table.filter("trust_publish")["trust"])
        assert "The first 15 of" in page

    def test_as_data(self, tell: Callable[..., tuple[int, str, str]]) -> None:
        tell("small-areas", "--example", ".")
        code, said, _ = tell("small-areas", "neighbourhoods.yaml", "--json")
        assert code == 0
        rows = json.loads(said)["tables"]["neighbourhoods"]
        assert len(rows) == 400
        assert 0 < rows[0]["trust"] < 1

    def test_neither_a_file_nor_an_example(self, tell: Callable[..., tuple[int, str, str]]) -> None:
        code, _, complained = tell("small-areas")
        assert code == 2
        assert "expected a file, or --example" in complained


def test_the_tutorial_shows_the_whole_files() -> None:
    page = (Path(__file__).parents[3] / "docs" / "tutorial-survey.md").read_text("utf-8")
    folder = resources.files("commonweal.study.small_areas") / "examples"
    for file in folder.iterdir():
        assert f"```text\n{file.read_text('utf-8')}```" in page, file.name


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "methods" / "neighbourhoods.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+?`) \|", page.split("## Every key")[1], re.MULTILINE)
    said = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert said == set(EstimatesSpec.model_fields) - {"name", "folder"}


class TestStrand:
    def test_a_study_takes_it_as_a_strand_with_standard_errors(
        self, folder: Path, cache: Path
    ) -> None:
        store = Store(cache=cache, offline=True)
        result = run_estimates(folder / "neighbourhoods.yaml", store)
        (folder / "results" / "small-areas" / "neighbourhoods").mkdir(parents=True)
        there = folder / "results" / "small-areas" / "neighbourhoods" / "neighbourhoods.csv"
        result.table().write_csv(there)
        strand = yaml.safe_load((folder / "with-trust.yaml").read_text("utf-8"))
        chance: dict[str, np.ndarray] = {}
        for named, vary in (("some", ["trust"]), ("none", None)):
            spec = {**strand, "sensitivity": None}
            draw = (
                {"standard_errors": vary}
                if vary
                else {"weights": "community_needs", "dirichlet": 1e9}
            )
            spec["certainty"] = {"draws": 300, "seed": 1, "vary": [draw]}
            file = folder / "strand.yaml"
            file.write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
            results = run(file, store, geometry=False)
            chance[named] = results.certainty["left_behind"].selected
        at = results.indicators["community_needs"].column("trust")
        held = results.indicators["community_needs"]
        np.testing.assert_allclose(held.values[:, at], result.outcomes["trust"].estimate)
        assert held.standard_errors is not None
        np.testing.assert_allclose(
            held.standard_errors[:, at], result.outcomes["trust"].standard_error
        )
        # Only the standard errors of the strand vary, and they alone make the list unsure.
        between = (chance["some"] > 0.02) & (chance["some"] < 0.98)
        assert between.sum() >= 3
        assert set(np.round(chance["none"], 6)) <= {0.0, 1.0}
