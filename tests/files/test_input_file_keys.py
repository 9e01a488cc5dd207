"""Every key of a YAML file that names a file of the user's own: the provenance has its name and SHA-256.

The keys are found in the models themselves. One that is added has to be used here, and to be recorded.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, get_args

import osmium
import pytest
import yaml
from pydantic import BaseModel
from tests.access.test_places_pbf import Map
from tests.fuzz.mutations import zip_bytes
from tests.study.test_indicators import AREAS, FEED, PLACES

from commonweal.invest.allocation.programme import Programme, load_programme
from commonweal.invest.appraisal.project import Project
from commonweal.invest.case.valuation import Values
from commonweal.invest.interventions import Interventions
from commonweal.invest.parameters import Parameters
from commonweal.report.session.spec import Session
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.spec.study import load_study
from commonweal.study.small_areas import EstimatesSpec
from commonweal.study.small_areas.spec import load_estimates, write_example
from commonweal.survey import SurveySpec
from commonweal.survey.spec import load_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALSO = {Study: {"since"}, EstimatesSpec: {"survey", "study"}, Programme: {"study"}}
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


def test_every_key_of_a_programme(small: Any, tell: Any, tmp_path: Path) -> None:
    small.write(certainty=None)
    (small.path / "had.csv").write_text("code\nA20\n", "utf-8")
    pairs = "".join(f"A{k:02d},P{k % 2}\n" for k in range(1, 21))
    (small.path / "parishes.csv").write_text(f"code,parish\n{pairs}", "utf-8")
    rule = small.path / "rule.yaml"
    data = {
        "title": "A trial", "official": "The worst on income.", "study": "study.yaml",
        "rank": {"of": {"deprivation": 1}, "official": True},
        "money": {"budget": 60, "award": 20, "official": True},
        "in_need": [{"index": "deprivation", "worst": "25%", "official": False}],
        "exclude": {"had": {"what": "had one", "file": "had.csv", "official": True}},
        "groups": {"parish": {"title": "Parishes", "lookup": {
        "file": "parishes.csv", "code": "code", "group": "parish"}}},
        "caps": [{"most": 2, "in_each": "parish", "official": True}],
    }  # fmt: skip
    rule.write_text(yaml.safe_dump(data), "utf-8")
    published = tmp_path / "published.csv"
    published.write_text("code\nA19\n", "utf-8")
    asked = ("--published", published, "--draws", "0", "--out", tmp_path / "out")
    code, _, err = tell("invest", "allocate", rule, *asked)
    assert (code, err) == (0, "")
    named = dict(used(load_programme(str(rule)), small.path))
    assert set(named) == set(keys(Programme)) | ALSO[Programme]
    more = [rule, published, small.areas, small.indicators]
    assert recorded(tmp_path / "out") == sums([*named.values(), *more])


@pytest.mark.slow
def test_every_key_of_a_survey_and_of_its_way_to_neighbourhoods(
    tell: Any, cache: Path, tmp_path: Path
) -> None:
    """Areas and indicators are keys of the study that the way makes: the test of a study has them."""
    here = tmp_path / "here"
    write_example(here)
    store = Store(cache=cache, offline=True)
    store.table("county-residents").write_csv(here / "residents.csv")
    (here / "county.yaml").write_text("extends: demo\ntitle: Ours\n", "utf-8")
    way = here / "neighbourhoods.yaml"
    data = yaml.safe_load(way.read_text("utf-8"))
    data["people"] |= {"file": "residents.csv"}
    del data["people"]["source"]
    way.write_text(yaml.safe_dump(data | {"study": "county.yaml", "outcomes": ["trust"]}), "utf-8")
    code, _, err = tell("small-areas", way, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    spec = load_estimates(way)
    survey = load_spec(here / spec.survey)
    named = dict(used(spec, here)) | {f"survey.{key}": f for key, f in used(survey, here)}
    own = {key for key in keys(EstimatesSpec) if key.split(".")[0] not in ("areas", "indicators")}
    assert set(named) == own | ALSO[EstimatesSpec] | {f"survey.{key}" for key in keys(SurveySpec)}
    assert recorded(tmp_path / "out") == sums([*named.values(), way])


@pytest.mark.parametrize("model", [Session, Project, Parameters, Interventions, Values])
def test_other_files_name_none(model: type[BaseModel]) -> None:
    """With a key that does, one of these needs a test as those above."""
    assert not set(keys(model))
