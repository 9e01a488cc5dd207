"""YAML files that say what things are: coefficients, kinds of place, registers, sources, works; a baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

from commonweal.access.places import load_taxonomy, read_model
from commonweal.access.registers import _Registers, places_of
from commonweal.document.text import document_lines
from commonweal.evidence import load_evidence
from commonweal.files.inputs import read_text
from commonweal.invest.tracker.on_study import read_baseline, take_baseline, write_baseline
from commonweal.invest.tracker.track import track
from commonweal.papers.wealth import Assumptions, worth_of_change
from commonweal.papers.wealth.coefficients import read_weight
from commonweal.report.tracker import tracker_document
from commonweal.social_capital import load_framework
from commonweal.sources.catalogue import load_catalogue
from tests.access.test_registers import DIRECTORY, POINTS, rows
from tests.fuzz.ground import CHECK_ONLY, check_numbers, county, shipped, some, write_yaml
from tests.fuzz.harness import Fuzzer
from tests.fuzz.mutations import change_bytes, change_tree

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from commonweal.invest.tracker.on_study import Snapshot

TAGS = (
    {"amenity": "pub", "name": "Red Lion"},
    {"leisure": "park"},
    {"amenity": "library", "access": "private"},
)


def write_weight(rng: Random, folder: Path, changes: int) -> None:
    """A set with a range, or coefficients with their errors."""
    tree: dict[str, Any] = {
        "title": "Ours",
        "b": 0.5,
        "g": 0.6,
        "var_b": 0.01,
        "var_g": 0.02,
        "cov_bg": 0.001,
    }
    if rng.random() < 0.5:
        tree = shipped("papers.wealth", "coefficients.yaml")["calibration"]
    write_yaml(rng, folder / "weight.yaml", tree, changes)


def run_weight(folder: Path) -> bool:
    weight = read_weight(folder / "weight.yaml")
    worth = worth_of_change(weight, 1000.0, 20_000.0, assumptions=Assumptions(draws=100))
    for column in worth.select(pl.selectors.float()).columns:
        if column.startswith("simulated"):
            continue  # infinite, said as "no bound", where income may be worth nothing
        check_numbers(worth[column].fill_null(float("nan")), column)
    return True


def write_framework(rng: Random, folder: Path, changes: int) -> None:
    tree = shipped("social_capital", f"frameworks/{rng.choice(('ons', 'onward'))}.yaml")
    domains = {
        k: d | {"items": some(rng, d["items"], 2)} for k, d in some(rng, tree["domains"], 2).items()
    }
    write_yaml(rng, folder / "ours.yaml", tree | {"domains": domains}, changes)


def run_framework(folder: Path) -> bool:
    return bool(load_framework(folder / "ours.yaml").headlines)


def write_taxonomy(rng: Random, folder: Path, changes: int) -> None:
    tree = shipped("access", "taxonomy.yaml")
    groups = {
        k: g | {"kinds": some(rng, g["kinds"], 3)} for k, g in some(rng, tree["groups"], 2).items()
    }
    write_yaml(rng, folder / "kinds.yaml", tree | {"groups": groups}, changes)


def run_taxonomy(folder: Path) -> bool:
    kinds = load_taxonomy(folder / "kinds.yaml")
    for tags in TAGS:
        kinds.kind_of_tags(tags)
    return True


def write_registers(rng: Random, folder: Path, changes: int) -> None:
    """A register of two pubs, and one that ships."""
    drop = [
        {
            "reason": "closed",
            "why": "shut",
            "where": {"state": ["closed"]},
            "matches": {"name": "^a"},
        }
    ]
    tree = {
        "registers": {
            "pubs": POINTS | {"drop": drop},
            **some(rng, shipped("access", "registers.yaml")["registers"], 1),
        }
    }
    write_yaml(rng, folder / "registers.yaml", tree, changes)


def run_registers(folder: Path) -> bool:
    file = folder / "registers.yaml"
    found = read_model(file.name, read_text(file), _Registers).registers
    if "pubs" in found:
        table = pl.DataFrame(rows(2, state=["open", "closed"]))
        if set(found["pubs"].columns()) <= set(table.columns):
            places_of(table, "pubs", found["pubs"], load_taxonomy(), DIRECTORY)
    return "pubs" in found


def write_catalogue(rng: Random, folder: Path, changes: int) -> None:
    tree = shipped("sources", f"catalogue/{rng.choice(('dfe', 'ocsi', 'dft', 'bbc'))}.yaml")
    write_yaml(
        rng, folder / "ours.yaml", tree | {"sources": some(rng, tree["sources"], 2)}, changes
    )


def run_catalogue(folder: Path) -> bool:
    return bool(load_catalogue(folder))


def write_works(rng: Random, folder: Path, changes: int) -> None:
    tree = shipped("evidence", "library/places.yaml")
    ours = {k: w | {"also": []} for k, w in some(rng, tree["works"], 2).items()}
    write_yaml(rng, folder / "places.yaml", tree | {"works": ours}, changes)


def run_works(folder: Path) -> bool:
    return bool(load_evidence(folder).works)


@cache
def taken() -> Snapshot:
    """Three neighbourhoods of the county among all of them."""
    return take_baseline(county(), county().areas.codes[:3])


def write_kept(rng: Random, folder: Path, changes: int) -> None:
    """A baseline of the county, whose account or whose table is changed."""
    write_baseline(taken(), kept := folder / "baseline")
    if rng.random() < 0.6:
        (folder / CHECK_ONLY).touch()
    mark = kept / "provenance.json"
    if rng.random() < 0.5:
        mark.write_text(
            json.dumps(
                change_tree(rng, json.loads(mark.read_text("utf-8")), changes),
                default=str,
                skipkeys=True,
            ),
            "utf-8",
        )
    elif rng.random() < 0.5:
        file = kept / rng.choice(("provenance.json", "areas.parquet"))
        file.write_bytes(change_bytes(rng, file.read_bytes(), changes))
    elif changes:
        frame = pl.read_parquet(kept / "areas.parquet")
        column = rng.choice(frame.columns)
        odd = rng.choice(
            (
                pl.lit(None),
                pl.lit("x"),
                pl.lit(float("inf")),
                pl.col(column).cast(pl.String),
                pl.lit([1]),
                pl.lit(True),
            )
        )
        changed = rng.choice(
            (
                frame.drop(column),
                frame.with_columns(odd.alias(column)),
                frame.rename({column: "z"}),
                frame.head(2),
                pl.concat([frame, frame]),
            )
        )
        changed.write_parquet(kept / "areas.parquet")


def run_kept(folder: Path) -> bool:
    first = read_baseline(folder / "baseline")
    if (folder / CHECK_ONLY).exists():
        return False
    now = taken()
    later = replace(
        now,
        when="2031",
        values=now.values * 1.1 + 0.01,
        measures=tuple(replace(m, vintage="2031") for m in now.measures),
    )
    assert list(document_lines(tracker_document(track(first, later))))
    return True


FUZZERS = [
    Fuzzer("coefficients", write_weight, run_weight),
    Fuzzer("framework", write_framework, run_framework),
    Fuzzer("taxonomy", write_taxonomy, run_taxonomy),
    Fuzzer("registers", write_registers, run_registers),
    Fuzzer("catalogue", write_catalogue, run_catalogue),
    Fuzzer("works", write_works, run_works),
    Fuzzer("baseline", write_kept, run_kept),
]
