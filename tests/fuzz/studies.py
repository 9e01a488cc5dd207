"""Studies, and the tables of one's own that they read."""

from __future__ import annotations

import copy
import json
import zipfile
from typing import TYPE_CHECKING, Any

from commonweal.spec.study import load_study
from commonweal.study.check import check_files
from commonweal.study.run import run
from tests.conftest import areas_csv, indicators_csv, recipe
from tests.fuzz.ground import CHECK_ONLY, check_results, shipped, store, write_yaml
from tests.fuzz.harness import Fuzzer
from tests.fuzz.mutations import change_bytes, csv_bytes, zip_bytes
from tests.study.test_indicators import AREAS, FEED, PLACES
from tests.study.test_years import long_csv, panel, wide_csv

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

AREA_ROWS = [line.split(",") for line in areas_csv().splitlines()]
VALUE_ROWS = [line.split(",") for line in indicators_csv().splitlines()]
CHECK_TOO = "check too"
"""A file that says that a case is checked before it is run, as a user would: it takes as long again."""


def varied() -> dict[str, Any]:
    """Twenty places with steps before the index, and all that can vary."""
    tree = recipe()
    both = {name: {"indicator": name} for name in ("income", "halls")}
    tree["index"]["deprivation"] = {
        "aggregate": "sum",
        "transform": "percentile_rank",
        "children": both,
    }
    tree["indicators"]["income"] |= {"standard_error": "income_se", "cites": ["bolet-2021"]}
    tree["prepare"] = [
        {"denominate": {"by": "population", "of": ["halls"], "per": 1000}},
        {"screen": {"indicators": 0.5, "areas": 0.4}},
        {"impute": {"how": "group_median", "group": "district"}},
        {
            "treat": {
                "skew": 2,
                "kurtosis": 3.5,
                "each": {"income": {"reshape": "box_cox", "power": 0.5}},
            }
        },
    ]
    vary = [
        {"weights": "deprivation", "dirichlet": 10},
        {
            "form": ["deprivation"],
            "of": ["sum", "arithmetic", {"generalised": {"p": 2}}],
            "name": "the sum",
        },
        {"transform": ["deprivation"], "of": ["exponential", {"min_max": {"low": 1, "high": 100}}]},
        {"standard_errors": "all"},
        {"cut": [0.7, 1.3]},
    ]
    tree["certainty"] = {"draws": 8, "seed": 1, "vary": vary}
    tree["sensitivity"] = {"sample": 8, "seed": 1, "vary": vary[:2]}
    tree["designate"]["priority"] = {
        "any": [
            {"index": "deprivation", "worst": 3},
            {"not": {"index": "community_needs", "score_above": 20.5}},
        ],
        "excluding": ["A02"],
    }
    own = {"file": "indicators.csv", "column": "income"}
    tree["agreement"] = [{"index": "deprivation", "compare": "spearman", "at_least": 0.1, **own}]
    return tree


def of_ones_own() -> dict[str, Any]:
    """Twenty places with a file in place of a source, a function of one's own, settings of a file, a focus."""
    tree = recipe()
    tree["files"] = {"values": {"file": "indicators.csv", "code": "code", "separator": ","}}
    own = {"file": "values", "column": "income", "higher_is": "more", "coverage": "10%"}
    tree["replace"] = {"wellbeing-lad-names": {"file": "indicators.csv", "vintage": "2026"}}
    newer = {"source": "wellbeing-lad-names", "code": "code", "column": "halls"}
    tree["indicators"] = {"income": own, "shown": own, "halls": newer | {"higher_is": "less"}}
    tree["show"] = ["shown"]
    tree["areas"] |= {
        "only": {"district": ["N", "S"]},
        "join": [{"file": "values"}],
        "population": "income",
    }
    tree["focus"] = {"district": "S"}
    tree["index"]["community_needs"]["transform"] = {"python": "tests.fuzz.ground.halved"}
    tree["certainty"]["draws"] = 4
    return tree


def over_years() -> dict[str, Any]:
    """Twenty places in three years."""
    tree = recipe()
    for path, value in panel().items():
        *parents, last = path.split("__")
        at = tree
        for key in parents:
            at = at[key]
        at[last] = value
    tree["certainty"]["draws"] = 4
    return tree


def reached() -> dict[str, Any]:
    """Four places with what is made for them: formulas, rates, places within reach, departures."""
    own = {"file": "areas.csv", "code": "code"}
    near = {
        "to": "library",
        "measure": "catchment",
        "minutes": 10,
        "decay": {"law": "gaussian", "half_at_m": 400},
    }
    indicators = {
        "near": {"reach": near},
        "far": {"reach": {"to": ["libraries"], "measure": "nearest", "k": 1}},
        "buses": {"timetable": {"file": "feed.zip", "date": "2024-03-05", "measure": "departures", "band": "evening"}},
        "rate": {**own, "formula": "people / 4", "per": "people", "out_of": 100, "shrink": "district"},
        "people": {**own, "column": "people", "complete": {"of": "folk", "areas": "district", "at_least": 0.5}},
        "folk": {**own, "formula": "people + 1"},
        "both": {"formula": "near + far / 2"},
    }  # fmt: skip
    return {
        "title": "Four places",
        "areas": {**own, "name": "name", "population": "people", "parents": {"district": "district"},
        "longitude": "lon", "latitude": "lat"},
        "access": {"registers": [], "points": [{"file": "places.csv"}], "detour": 1.2},
        "indicators": {n: {"higher_is": "more", **spec} for n, spec in indicators.items()},
        "index": {"need": {"children": {n: {"indicator": n} for n in indicators}, "available": 0.2}},
        "designate": {"worst": {"index": "need", "worst": 1}},
    }  # fmt: skip


def write_study(rng: Random, folder: Path, changes: int) -> None:
    """One of the studies above, the county, or one that ships: that is read, not run."""
    kind = rng.choice(("plain", "varied", "varied", "own", "years", "reach", "county", "ships"))
    (folder / "areas.csv").write_text(AREAS if kind == "reach" else areas_csv(), "utf-8")
    (folder / "indicators.csv").write_text(indicators_csv(), "utf-8")
    trees = {"varied": varied, "own": of_ones_own, "years": over_years, "reach": reached}
    tree = trees.get(kind, recipe)()
    if kind == "years":
        (folder / "income.csv").write_text(long_csv(), "utf-8")
        (folder / "halls.csv").write_text(wide_csv(), "utf-8")
    elif kind == "reach":
        write_reach(folder)
    elif kind == "county":
        tree = copy.deepcopy(shipped("studies", "demo.yaml"))
        tree["certainty"]["draws"] = tree["sensitivity"]["sample"] = 4
        if rng.random() < 0.8:
            (folder / CHECK_ONLY).touch()
    elif kind == "ships":
        tree = {
            "extends": rng.choice(("left-behind-2019", "deprivation-2025", "open-england")),
            "title": "Ours",
        }
        tree |= rng.choice(
            (
                {},
                {"where": {"lad24": "E06000001"}},
                {"focus": {"region": "E12000001"}},
                {
                    "show": ["halls"],
                    "indicators": {
                        "halls": {"file": "indicators.csv", "column": "halls", "higher_is": "less"}
                    },
                },
                {"index": {"deprivation": {"transform": "none"}}},
            )
        )
        (folder / CHECK_ONLY).touch()
    (folder / CHECK_TOO).touch()
    write_yaml(rng, folder / "study.yaml", tree, changes)


def write_reach(folder: Path) -> None:
    (folder / "places.csv").write_text(PLACES, "utf-8")
    (folder / "feed.zip").write_bytes(
        zip_bytes({f"{name}.txt": text for name, text in FEED.items()})
    )


def run_study(folder: Path) -> bool:
    study = load_study(folder / "study.yaml")
    if (folder / CHECK_ONLY).exists():
        study.resolved()
        return False
    if (folder / CHECK_TOO).exists():
        check_files(study, store())
    small = {"draws": min(study.certainty.draws, 8)} if study.certainty else {}
    results = run(
        study,
        store(),
        sensitivity=bool(study.sensitivity and study.sensitivity.sample <= 8),
        **small,
    )
    check_results(results)
    return True


def write_tables(rng: Random, folder: Path, changes: int, suffix: str = ".csv") -> None:
    """Twenty places whose two tables are changed, as text."""
    separator = "\t" if suffix == ".tsv" else ","
    tree = recipe() | {"certainty": {"draws": 4, "seed": 1, "vary": [{"cut": [0.7, 1.3]}]}}
    which = rng.random() if changes else 1.0
    for name, rows, less in (
        ("areas", AREA_ROWS, which < 0.4),
        ("indicators", VALUE_ROWS, 0.3 < which < 1),
    ):
        (folder / f"{name}{suffix}").write_bytes(
            csv_bytes(rng, rows, changes if less else 0, separator)
        )
    write_plain(rng, folder, tree, suffix)


def write_plain(rng: Random, folder: Path, tree: dict[str, Any], suffix: str) -> None:
    """A study of twenty places that reads tables with that suffix; JSON is YAML, and faster to write."""
    text = json.dumps(tree).replace(".csv", suffix)
    if rng.random() < 0.3:
        (folder / CHECK_TOO).touch()
    (folder / "study.yaml").write_text(text, "utf-8")


def write_zip(rng: Random, folder: Path, changes: int) -> None:
    """The table of indicators in a zip: its text, its member's name or its bytes are changed."""
    which = rng.randrange(3) if changes else 3
    content = csv_bytes(rng, VALUE_ROWS, changes if which == 0 else 0)
    member = (
        rng.choice(("a/b.csv", "../x.csv", "b.parquet", "b", "b.zip", "é.csv"))
        if which == 1
        else "b.csv"
    )
    how = rng.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    )
    more = {"c.csv": content} if which == 1 and rng.random() < 0.3 else {}
    raw = zip_bytes({member: content, **more}, how)
    (folder / "indicators.zip").write_bytes(change_bytes(rng, raw, changes if which == 2 else 0))
    (folder / "areas.csv").write_text(areas_csv(), "utf-8")
    (folder / "study.yaml").write_text(
        json.dumps(recipe()).replace("indicators.csv", "indicators.zip"), "utf-8"
    )


FUZZERS = [
    Fuzzer("study", write_study, run_study),
    Fuzzer("csv", write_tables, run_study),
    Fuzzer(
        "tsv", lambda rng, folder, changes: write_tables(rng, folder, changes, ".tsv"), run_study
    ),
    Fuzzer("zip", write_zip, run_study),
]
