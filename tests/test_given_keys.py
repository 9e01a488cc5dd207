"""Every key of a YAML file that names a file of the user's own: the provenance has its name and SHA-256.

The keys are found in the models themselves. One that is added has to be used here, and to be recorded.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, get_args

import osmium
import yaml
from pydantic import BaseModel

from commonweal.capital.surveys import SurveySpec
from commonweal.estimates.spec import EstimatesSpec
from commonweal.investment.allocation.programme import Programme
from commonweal.recipe import Study, load_study
from commonweal.session.spec import Session
from tests.access.test_places_pbf import Map
from tests.fuzz.mutations import zip_bytes
from tests.gather.test_gather import AREAS, FEED, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALSO = {
    Study: {"since"},
    EstimatesSpec: {"survey", "study"},
    SurveySpec: set(),
    Programme: {"study"},
    Session: {"studies"},
}
"""Keys that may name a file, and are not called so."""


def keys(model: type[BaseModel], at: str = "", within: tuple[Any, ...] = ()) -> Iterator[str]:
    """The keys of a model that name files: `areas.join.file`, without the names and places between."""
    for name, field in model.model_fields.items():
        inner = [m for m in models(field.annotation) if m not in within]
        if "file" in name and not inner:
            yield at + name
        for each in inner:
            yield from keys(each, f"{at}{name}.", (*within, each))


def models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in get_args(annotation) for m in models(inner)]


def used(value: Any, folder: Path, at: str = "") -> Iterator[tuple[str, Path]]:
    """The keys of what was read that name a file which is there, and the file."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from used(getattr(value, name), folder, f"{at}.{name}" if at else name)
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from used(inner, folder, at)
    elif isinstance(value, str) and value and (folder / value).is_file():
        yield at, folder / value


def test_models_say_which_keys_name_files() -> None:
    assert {"areas.file", "indicators.timetable.file", "access.maps.file"} <= set(keys(Study))
    assert {"people.file", "areas.boundaries.file"} <= set(keys(EstimatesSpec))
    assert set(keys(Session)) == set()


def square(x: float) -> dict[str, Any]:
    ring = [[x, 52], [x + 0.005, 52], [x + 0.005, 52.005], [x, 52]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_map(file: Path) -> None:
    m = Map()
    m.node(1, 2, amenity="library", name="Mill")
    m.way([(0, 0), (1, 0), (2, 0), (2, 1)], closed=False, highway="residential")
    with osmium.SimpleWriter(str(file)) as writer:
        for node in m.nodes:
            writer.add_node(node)
        for way in m.ways:
            writer.add_way(way)


TABLES = {
    "areas.csv": AREAS.replace("people", "had"),
    "folk.csv": "code,people\nA,100\nB,300\nC,400\nD,0\n",
    "values.csv": "code,n\nA,1\nB,2\nC,3\nD,4\n",
    "newer.csv": "code,n\nA,2\nB,2\nC,4\nD,4\n",
    "totals.csv": "code,n\nA,1\nB,2\nC,3\nD,4\n",
    "published.csv": "code,rank\nA,4\nB,3\nC,2\nD,1\n",
    "places.csv": PLACES,
}
OURS: dict[str, Any] = {
    "title": "Four places",
    "areas": {
        "file": "areas.csv", "code": "code", "name": "name", "population": "people", "longitude": "lon",
        "latitude": "lat", "parents": {"region": "code"}, "system": "region", "join": [{"file": "folk.csv"}],
        "boundaries": {"file": "outlines.geojson"},
    },
    "files": {"ours": {"file": "values.csv", "code": "code"}},
    "replace": {"wellbeing-lad-names": {"file": "newer.csv"}},
    "access": {"registers": [], "points": [{"file": "places.csv"}], "maps": [{"file": "map.osm.pbf"}]},
    "indicators": {
        "n": {"file": "ours", "column": "n", "higher_is": "more",
        "complete": {"file": "totals.csv", "column": "n", "code": "code", "areas": "region", "at_least": 0.5}},
        "newer": {"source": "wellbeing-lad-names", "code": "code", "column": "n", "higher_is": "more"},
        "near": {"reach": {"to": "library", "measure": "nearest"}, "higher_is": "more"},
        "buses": {"timetable": {"file": "feed.zip", "date": "2024-03-05", "measure": "stops"}, "higher_is": "less"},
        "plain": {"file": "areas.csv", "column": "had", "higher_is": "more"},
    },
    "index": {"need": {"children": {n: {"indicator": n} for n in ("n", "newer", "near", "buses", "plain")}}},
    "designate": {"worst": {"index": "need", "worst": 1}},
    "agreement": [{"index": "need", "file": "published.csv", "column": "rank", "compare": "rank", "code": "code"}],
    "since": "earlier.yaml",
}  # fmt: skip
"""Four places with every key of a study that names a file."""


def write_ours(folder: Path) -> Path:
    """Write the study, what it extends and what it reads; give its path."""
    for name, text in TABLES.items():
        (folder / name).write_text(text, "utf-8")
    codes = zip("ABCD", (0, 0.01, 0.02, 0.03), strict=True)
    features = [
        {"type": "Feature", "properties": {"code": c}, "geometry": square(x)} for c, x in codes
    ]
    tree = {"type": "FeatureCollection", "features": features}
    (folder / "outlines.geojson").write_text(json.dumps(tree), "utf-8")
    (folder / "feed.zip").write_bytes(
        zip_bytes({f"{name}.txt": text for name, text in FEED.items()})
    )
    write_map(folder / "map.osm.pbf")
    (folder / "had.csv").write_text(AREAS, "utf-8")
    earlier = {
        **OURS, "areas": {"file": "had.csv", "code": "code", "population": "people"}, "since": "",
        "agreement": [], "files": {}, "replace": {}, "access": {},
        "indicators": {"n": {"file": "had.csv", "column": "people", "higher_is": "more"}},
        "index": {"need": {"children": {"n": {"indicator": "n"}}}},
    }  # fmt: skip
    (folder / "earlier.yaml").write_text(yaml.safe_dump(earlier), "utf-8")
    (folder / "base.yaml").write_text(yaml.safe_dump(OURS), "utf-8")
    (folder / "ours.yaml").write_text("extends: base.yaml\ntitle: Ours\n", "utf-8")
    return folder / "ours.yaml"


def sums(files: Iterator[Path] | list[Path]) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def recorded(folder: Path) -> dict[str, str]:
    account = json.loads((folder / "provenance.json").read_text("utf-8"))
    return {entry["name"]: entry["sha256"] for entry in account["given_files"]}


def test_every_key_of_a_study(tell: Any, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    study = write_ours(here)
    code, _, err = tell("run", study, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    named = dict(used(load_study(study), here))
    assert set(named) >= set(keys(Study)) | ALSO[Study]
    more = [study, here / "base.yaml", here / "earlier.yaml", here / "had.csv"]
    assert recorded(tmp_path / "out") == sums([*named.values(), *more])
