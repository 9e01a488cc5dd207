"""Every file that a user gives stands, by name and SHA-256, in what comes of it."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.access.places import load_taxonomy
from commonweal.access.postcodes import load_postcodes
from commonweal.files.inputs import input_files, record_input, record_inputs
from commonweal.invest.appraisal.project import load_project
from commonweal.invest.case.valuation import load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.parameters import load_parameters
from commonweal.invest.siting.demand import read_candidates
from commonweal.invest.tracker.on_study import read_baseline, take_baseline, write_baseline
from commonweal.papers.wealth.coefficients import read_weight
from commonweal.report.session.spec import load_session
from commonweal.study.names import area_of_postcode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def listed(entries: Any) -> dict[str, str]:
    return {e["name"]: e["sha256"] for e in entries}


def sums(*files: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def provenance(folder: Path) -> Any:
    return json.loads((folder / "provenance.json").read_text("utf-8"))


def test_a_study_and_its_tables(small: Any, tell: Any, tmp_path: Path) -> None:
    published = small.path / "published.csv"
    published.write_text("code,flag\nA20,1\nA18,0\n", "utf-8")
    flag = {"designation": "priority", "file": "published.csv", "column": "flag", "compare": "flag"}
    small.write(certainty=None, agreement=[flag])
    code, out, err = tell("run", small.study, "--out", tmp_path / "out", "--json")
    assert (code, err) == (0, "")
    wanted = sums(small.study, small.areas, small.indicators, published)
    assert listed(json.loads(out)["given_files"]) == wanted
    assert listed(provenance(tmp_path / "out")["given_files"]) == wanted
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert all(name in page and sha in page for name, sha in wanted.items())
    assert str(small.path) not in page


def test_the_demo_was_given_nothing(tell: Any, tmp_path: Path) -> None:
    code, out, _ = tell("demo", "--draws", "0", "--out", tmp_path / "out", "--json")
    assert code == 0
    assert "given_files" not in json.loads(out)
    assert "given_files" not in provenance(tmp_path / "out")


def test_an_exclusion_and_a_rule(small: Any, tell: Any, tmp_path: Path) -> None:
    rule = small.path / "rule.yaml"
    data = {
        "title": "A trial", "official": "The worst on income.", "study": "study.yaml",
        "rank": {"of": {"deprivation": 1}, "official": True},
        "money": {"budget": 60, "award": 20, "official": True},
        "in_need": [{"index": "deprivation", "worst": "25%", "official": False}],
        "exclude": {"earlier": {"what": "earlier districts", "parent": "district", "official": True}},
    }  # fmt: skip
    rule.write_text(yaml.safe_dump(data), "utf-8")
    out_of = tmp_path / "phase1.csv"
    told = {}
    for codes in ("N", "S"):
        out_of.write_text(f"code\n{codes}\n", "utf-8")
        folder = tmp_path / codes
        code, out, err = tell(
            "invest",
            "allocate",
            rule,
            "--exclude",
            out_of,
            "--draws",
            "0",
            "--out",
            folder,
            "--json",
        )
        assert (code, err) == (0, "")
        wanted = sums(rule, out_of, small.study, small.areas, small.indicators)
        assert listed(json.loads(out)["given_files"]) == wanted
        assert listed(provenance(folder)["given_files"]) == wanted
        line = f"phase1.csv: a file of your own, SHA-256 {wanted['phase1.csv']}."
        assert line in (folder / "report.html").read_text("utf-8")
        told[codes] = wanted["phase1.csv"]
    assert told["N"] != told["S"]


@pytest.mark.slow
def test_a_survey_and_its_way_to_neighbourhoods(tell: Any, tmp_path: Path) -> None:
    tell("small-areas", "--example", "here")
    here = tmp_path / "here"
    survey, way = here / "residents.yaml", here / "neighbourhoods.yaml"
    code, out, err = tell("survey", survey, "--out", tmp_path / "s", "--json")
    assert (code, err) == (0, "")
    microdata = here / yaml.safe_load(survey.read_text("utf-8"))["file"]
    wanted = sums(survey, microdata)
    assert listed(json.loads(out)["given_files"]) == wanted
    assert listed(provenance(tmp_path / "s")["given_files"]) == wanted
    code, _, err = tell("small-areas", way, "--out", tmp_path / "w")
    assert (code, err) == (0, "")
    assert listed(provenance(tmp_path / "w")["given_files"]) == wanted | sums(way)


def test_codes_of_a_pack(small: Any, tell: Any, tmp_path: Path) -> None:
    codes = tmp_path / "some.txt"
    codes.write_text("A20\nA19\n", "utf-8")
    code, _, err = tell(
        "brief", small.study, "--codes", codes, "--profiles", "none", "--out", tmp_path / "pack"
    )
    assert (code, err) == (0, "")
    assert (
        sums(codes, small.study).items()
        <= listed(provenance(tmp_path / "pack")["given_files"]).items()
    )


def shipped(*path: str) -> str:
    file = resources.files("commonweal").joinpath(*path)
    return file.read_text("utf-8")


def first(*folder: str) -> str:
    names = sorted(f.name for f in resources.files("commonweal").joinpath(*folder).iterdir())
    return shipped(*folder, next(n for n in names if n.endswith(".yaml")))


POSTCODES = "pcds,lsoa21cd,oseast1m,osnrth1m\nAB1 2CD,E01000001,400000,300000\n"
READERS: dict[str, tuple[str, Callable[[], str], Callable[[Path], object]]] = {
    "candidates": (
        "sites.csv",
        lambda: "name,longitude,latitude\nHall,-1.0,52.0\n",
        read_candidates,
    ),
    "postcodes": ("onspd.csv", lambda: POSTCODES, load_postcodes),
    "postcodes of show": (
        "nspl.csv",
        lambda: POSTCODES,
        lambda f: area_of_postcode("AB1 2CD", str(f), "lsoa21"),
    ),
    "taxonomy": ("kinds.yaml", lambda: shipped("access", "taxonomy.yaml"), load_taxonomy),
    "coefficients": (
        "own.yaml",
        lambda: "b: 1\ng: 1\nvar_b: 0.1\nvar_g: 0.1\ncov_bg: 0\n",
        read_weight,
    ),
    "interventions": (
        "can.yaml",
        lambda: first("invest", "interventions", "published"),
        lambda f: load_interventions(str(f)),
    ),
    "parameters": (
        "ours.yaml",
        lambda: shipped("invest", "parameters", "published", "green-book-2022.yaml"),
        lambda f: load_parameters(str(f)),
    ),
    "project": (
        "hub.yaml",
        lambda: shipped("invest", "appraisal", "projects", "community-hub.yaml"),
        lambda f: load_project(str(f)),
    ),
    "values": (
        "worth.yaml",
        lambda: first("invest", "case", "published"),
        lambda f: load_values(str(f)),
    ),
    "session": (
        "talk.yaml",
        lambda: first("report", "session", "sessions"),
        lambda f: load_session(str(f)),
    ),
}


@pytest.mark.parametrize("kind", READERS)
def test_whatever_reads_a_file_notes_it(kind: str, tmp_path: Path) -> None:
    name, text, read = READERS[kind]
    file = tmp_path / name
    file.write_text(text(), "utf-8")
    with record_inputs():
        read(file)
        assert listed(input_files()).items() >= sums(file).items()


def test_a_baseline(small: Any, tmp_path: Path) -> None:
    folder = write_baseline(take_baseline(small.run(draws=0), ["A20"]), tmp_path / "first")
    with record_inputs():
        read_baseline(folder)
        assert listed(input_files()) == sums(folder / "provenance.json", folder / "areas.parquet")


def test_an_account_ends_with_its_block(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x", "utf-8")
    record_input(file)
    assert input_files() == []
    with record_inputs():
        record_input(file)
        record_input(file)
        record_input(tmp_path / "gone.csv")
        record_input(tmp_path / ("long" * 100))
        record_input(resources.files("commonweal") / "errors.py")
        assert listed(input_files()) == sums(file)
    assert input_files() == []


def test_an_account_within_another_ends_alone(tmp_path: Path) -> None:
    """Also where neither has noted a file so far, and both are equal."""
    with record_inputs():
        with record_inputs():
            assert input_files() == []
        (tmp_path / "a.csv").write_text("a\n1\n", "utf-8")
        record_input(tmp_path / "a.csv")
        assert [entry["name"] for entry in input_files()] == ["a.csv"]
    assert input_files() == []
