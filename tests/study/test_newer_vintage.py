"""A newer vintage in place of a source that ships: for one study, or for all of a user's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.access.registers import load_registers
from commonweal.errors import StudyError
from commonweal.report.study.folder import write_results
from commonweal.report.study.provenance import study_sources
from commonweal.sources import Store
from commonweal.spec.study import load_study
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path

OLD = "indicators-2019"
CATALOGUE = f"""\
publisher: The island
licences:
  open: {{licence: Open, attribution: The island}}
sources:
  {OLD}: {{title: Incomes, terms: open, vintage: "2019", path: PATH, reader: csv}}
"""


@pytest.fixture
def own(small: Any, tmp_path: Path) -> Any:
    """The study of twenty places on a source; its table is in a catalogue of the user's own."""
    (tmp_path / "tables").mkdir()
    old = tmp_path / "tables" / "old.csv"
    old.write_text(small.indicators.read_text("utf-8"), "utf-8")
    (tmp_path / "island.yaml").write_text(CATALOGUE.replace("PATH", "tables/old.csv"), "utf-8")
    source = {"source": OLD, "higher_is": "more", "vintage": "2019"}
    small.write(
        indicators__income={"column": "income", **source},
        indicators__halls={"column": "halls", **source, "higher_is": "less"},
    )
    return small


def newer(own: Any) -> str:
    """Write the table anew, with the incomes the other way round; give its SHA-256."""
    lines = own.indicators.read_text("utf-8").splitlines()
    cells = [line.split(",") for line in lines[1:]]
    lines[1:] = [f"{c},{21 - int(i)},{h},{e}" for c, i, h, e in cells]
    file = own.path / "newer.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_added_to_one_s_own_catalogue_is_a_source(own: Any, tell: Any) -> None:
    folder = {"COMMONWEAL_CATALOGUE": str(own.path / "mine")}
    assert "source 'indicators-2019' not found" in tell("run", own.study, **folder)[2]
    code, said, complaint = tell("sources", "add", "island.yaml", **folder)
    assert (code, complaint) == (0, "")
    assert said.startswith("indicators-2019: Incomes (2019).\nWritten to ")
    assert "indicators-2019" in tell("sources", "list", **folder)[1]
    assert "good" in tell("sources", "verify", OLD, **folder)[1]
    assert tell("run", own.study, "--draws", "0", **folder)[0] == 0
    # Its path was made absolute, so that it is found from the catalogue.
    kept = yaml.safe_load((own.path / "mine" / "island.yaml").read_text("utf-8"))
    assert kept["sources"][OLD]["path"] == str(own.path / "tables" / "old.csv")


def test_a_source_of_one_s_own_stands_over_one_that_ships(
    own: Any, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer(own)
    (own.path / "arts.yaml").write_text(
        "publisher: Own\nsources:\n  libraries-england: {vintage: 2026, path: newer.csv}\n",
        "utf-8",
    )
    mine = {"COMMONWEAL_CATALOGUE": str(own.path / "mine")}
    # What is read of a register has to be in what stands in its place.
    code, _, complaint = tell("sources", "add", "arts.yaml", **mine)
    assert (code, "'postcode'" in complaint, "not found in newer.csv" in complaint) == (
        2,
        True,
        True,
    )
    columns = load_registers()["libraries-england"].columns()
    table = "\n".join([",".join(columns), *[",".join("x" for _ in columns)] * 20])
    (own.path / "newer.csv").write_text(table + "\n", "utf-8")
    digest = hashlib.sha256((own.path / "newer.csv").read_bytes()).hexdigest()
    code, said, _ = tell("sources", "add", "arts.yaml", **mine)
    assert code == 0
    assert "(2026), instead of the built-in one (" in said
    assert "2026" in tell("sources", "show", "libraries-england", **mine)[1]
    assert "instead of the built-in one" in tell("sources", "list", **mine)[1]
    monkeypatch.setenv("COMMONWEAL_CATALOGUE", mine["COMMONWEAL_CATALOGUE"])
    store = Store.from_environment()
    assert store.table("libraries-england").height == 20
    (entry,) = store.used
    assert (entry["sha256"], entry["vintage"]) == (digest, "2026")
    assert entry["replaces"]["sha256"] == Store().source("libraries-england").sha256
    # It needs its own date: that of the source that ships would be false.
    (own.path / "arts.yaml").write_text(
        "publisher: Own\nsources:\n  libraries-england: {path: newer.csv}\n", "utf-8"
    )
    assert "'vintage' is missing" in tell("sources", "add", "arts.yaml", **mine)[2]
    (own.path / "arts.yaml").write_text(
        "publisher: Own\nsources:\n  libraries-englnd: {vintage: 2026, path: newer.csv}\n", "utf-8"
    )
    assert "did you mean 'libraries-england'?" in tell("sources", "add", "arts.yaml", **mine)[2]


def test_a_name_that_would_not_be_found_there_again_is_refused(tmp_path: Path, tell: Any) -> None:
    (tmp_path / "island.YAML").write_text(CATALOGUE, "utf-8")
    code, _, complaint = tell("sources", "add", tmp_path / "island.YAML")
    assert (code, "expected a name that ends in .yaml" in complaint) == (2, True)


def test_what_cannot_be_added_leaves_the_catalogue_as_it_was(own: Any, tell: Any) -> None:
    mine = {"COMMONWEAL_CATALOGUE": str(own.path / "mine")}
    assert tell("sources", "add", "island.yaml", **mine)[0] == 0
    (own.path / "again.yaml").write_text((own.path / "island.yaml").read_text("utf-8"), "utf-8")
    code, _, complaint = tell("sources", "add", "again.yaml", **mine)
    assert code == 2
    assert "source 'indicators-2019' is already in" in complaint
    (own.path / "gone.yaml").write_text(CATALOGUE.replace("PATH", "none.csv"), "utf-8")
    assert "none.csv is not there" in tell("sources", "add", "gone.yaml", **mine)[2]
    assert [f.name for f in (own.path / "mine").iterdir()] == ["island.yaml"]


def test_a_study_replaces_a_source_and_says_so(
    own: Any, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = newer(own)
    mine = own.path / "mine"
    tell("sources", "add", "island.yaml", COMMONWEAL_CATALOGUE=str(mine))
    monkeypatch.setenv("COMMONWEAL_CATALOGUE", str(mine))
    before = run(own.study, draws=0)
    recipe = yaml.safe_load(own.study.read_text("utf-8"))
    recipe["replace"] = {OLD: {"file": "newer.csv", "vintage": 2026}}
    own.study.write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")
    after = run(own.study, draws=0)
    old, new = (r.indicators["deprivation"].values[:, 0].tolist() for r in (before, after))
    assert new == old[::-1]
    assert after.indicators["deprivation"].meta[0].vintage == "2026"
    (entry,) = [s for s in after.provenance["sources"] if s["id"] == OLD]
    assert (entry["path"], entry["sha256"], entry["vintage"]) == ("newer.csv", digest, "2026")
    assert entry["replaces"]["vintage"] == "2019"
    entry["path"] = "/somebody/at/home/newer.csv"
    told = study_sources(replace(after, provenance={"sources": [entry]}))
    assert told == ("Incomes: newer.csv (2026), in place of 2019.",)
    # The results run again from their own folder, and the report names what was replaced.
    folder = write_results(after, own.path / "results" / "study")
    again = run(folder / "study.yaml", draws=0)
    assert again.indicators["deprivation"].values[:, 0].tolist() == new
    assert "2026 (in place of 2019)" in (folder / "report.html").read_text("utf-8")
    said = json.loads((folder / "provenance.json").read_text("utf-8"))["sources"]
    assert [s["replaces"]["vintage"] for s in said if "replaces" in s] == ["2019"]


def test_a_source_of_ones_own_catalogue_is_told_with_its_terms(small: Any) -> None:
    """Not as a file that the study names; the fictional county neither."""
    results = small.run(draws=0)
    entry = {
        "id": "clubs-2026", "title": "Clubs", "publisher": "Island Council", "vintage": "2026", "path": "a.csv",
        "licence": "OGL 3.0", "attribution": "By the council.", "url": None,
    }  # fmt: skip
    told = study_sources(replace(results, provenance={"sources": [entry]}))
    assert told == ("Clubs (Island Council, 2026). Licence: OGL 3.0. By the council.",)
    mine = {**entry, "title": "a.csv", "publisher": "your own file"}
    told = study_sources(replace(results, provenance={"sources": [mine]}))
    assert told == ("a.csv: a file of the study's own.",)
    twice = [{**mine, "sha256": "0"}, {**mine, "sha256": "1"}]
    new = [{**entry, "id": OLD, "replaces": {"vintage": "2019"}}] * 2
    told = study_sources(replace(results, provenance={"sources": [*twice, *new]}))
    assert told == ("Clubs: a.csv (2026), in place of 2019.", "a.csv: a file of the study's own.")


def test_only_a_source_that_is_there_can_be_replaced(own: Any, tell: Any) -> None:
    newer(own)
    study = own.write(replace={"libaries-england": {"file": "newer.csv"}})
    with pytest.raises(StudyError, match=r"replace\.libaries-england: .* did you mean 'libraries-"):
        load_study(study)
    assert tell("check", own.study)[0] == 2


def test_check_looks_into_what_stands_in_place_of_a_source(own: Any, tell: Any) -> None:
    mine = {"COMMONWEAL_CATALOGUE": str(own.path / "mine")}
    tell("sources", "add", "island.yaml", **mine)
    newer(own)
    text = (own.path / "newer.csv").read_text("utf-8")
    (own.path / "newer.csv").write_text(text.replace("halls", "rooms"), "utf-8")
    recipe = yaml.safe_load(own.study.read_text("utf-8"))
    recipe["replace"] = {OLD: {"file": "newer.csv", "vintage": 2026}}
    own.study.write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")
    code, _, complaint = tell("check", own.study, **mine)
    assert code == 2
    assert "column 'halls' not found in newer.csv; expected one of: code, income" in complaint
    # A register needs the columns that its rules look at.
    own.write(replace={"libraries-england": {"file": "newer.csv"}})
    code, _, complaint = tell("check", own.study, **mine)
    assert code == 2
    assert "'name'" in complaint
    assert "not found in newer.csv" in complaint
    # A run refuses what check refuses, also where nothing asks for places; and what nothing can read.
    assert tell("run", own.study, **mine)[::2] == (2, complaint)
    own.write(replace={"imd2025-lsoa21": {"file": "newer.csv"}})
    for command in ("check", "run"):
        code, _, complaint = tell(command, own.study, **mine)
        assert (code, "replace.imd2025-lsoa21: nothing in the study reads" in complaint) == (
            2,
            True,
        )


def test_check_looks_into_sources_of_one_s_own_catalogue(own: Any, tell: Any) -> None:
    mine = {"COMMONWEAL_CATALOGUE": str(own.path / "mine")}
    tell("sources", "add", "island.yaml", **mine)
    good = own.study.read_text("utf-8")
    said = tell("check", own.study, **mine)[1]
    assert "2 columns have a value for every area." in said
    own.study.write_text(good.replace("column: halls", "column: hals"), "utf-8")
    code, _, complaint = tell("check", own.study, **mine)
    assert (code, "column 'hals' not found in old.csv; did you mean" in complaint) == (2, True)
    assert tell("run", own.study, **mine)[::2] == (2, complaint)
    own.study.write_text(good, "utf-8")
    (own.path / "tables" / "old.csv").unlink()
    code, _, complaint = tell("check", own.study, **mine)
    assert (code, "old.csv is not there" in complaint) == (2, True)


def test_a_source_that_only_a_comparison_reads_may_be_replaced(
    own: Any, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the study is run for its scores alone, as an earlier one or on larger areas."""
    monkeypatch.setenv("COMMONWEAL_CATALOGUE", str(own.path / "mine"))
    tell("sources", "add", "island.yaml")
    newer(own)
    table = {"file": "indicators.csv", "higher_is": "more"}
    study = own.write(
        indicators__income={**table, "column": "income"},
        indicators__halls={**table, "column": "halls"},
        agreement=[
            {"index": "deprivation", "source": OLD, "column": "income", "compare": "spearman"}
        ],
        replace={OLD: {"file": "newer.csv"}},
    )
    found = run(study, draws=0)
    assert found.validations[0].largest == pytest.approx(-1)
    assert run(found.study.bare(), draws=0).validations == ()
