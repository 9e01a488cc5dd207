"""Areas from several tables: only some rows, people and points from elsewhere, outlines of any map file."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from commonweal.errors import CommonwealError, DataError, SourceError
from commonweal.files.inputs import input_files, record_inputs
from commonweal.report.study.method import method
from commonweal.sources import Store, readers
from commonweal.sources.catalogue import local_source
from commonweal.spec.study import load_study
from commonweal.study.areas import study_areas
from commonweal.study.check import check_files
from commonweal.study.names import find_scope
from commonweal.study.run import run

if TYPE_CHECKING:
    from pathlib import Path


def squares() -> list[Any]:
    """Twenty squares of a tenth of a degree, along the 50th parallel."""
    return [shapely.box(i / 10, 50, i / 10 + 0.1, 50.1) for i in range(20)]


def draw(path: Path, crs: str | None, layer: str = "areas") -> None:
    """Save them with their codes under another name, in a coordinate system."""
    shapes = np.array(squares(), dtype=object)
    if crs not in (None, "EPSG:4326"):
        change = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        shapes = shapely.transform(shapes, lambda xy: np.column_stack(change.transform(*xy.T)))
    codes = np.array([f"A{i:02d}" for i in range(1, 21)], dtype=object)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [codes],
        fields=["AREA_ID"],
        geometry_type="Polygon",
        crs=crs,
        layer=layer,
        append=path.exists(),
    )


def second_table(small: Any) -> None:
    people = "\n".join(f"{i},A{i:02d},{7 * i},{i / 10},50" for i in range(20, 0, -1))
    (small.path / "census.csv").write_text(f"n,area_id,residents,lon,lat\n{people}\n", "utf-8")


def refused(small: Any, **changes: Any) -> str:
    small.write(**changes)
    with pytest.raises(CommonwealError) as error:
        small.run(draws=0)
    return str(error.value)


def test_people_and_points_come_from_a_second_table(small: Any) -> None:
    second_table(small)
    small.write(
        areas__join=[{"file": "census.csv", "code": "area_id"}],
        areas__population="residents",
        areas__longitude="lon",
        areas__latitude="lat",
    )
    results = small.run(draws=0)
    assert results.areas.population.tolist() == [7 * i for i in range(1, 21)]
    assert results.areas.table["longitude"].to_list() == [i / 10 for i in range(1, 21)]
    assert {s["path"] for s in results.provenance["sources"]} >= {"areas.csv", "census.csv"}


def test_what_a_joined_table_lacks_is_said(small: Any) -> None:
    second_table(small)
    one = {"file": "census.csv", "code": "area_id"}
    said = refused(small, areas__join=[one], areas__population="residnts")
    assert "column 'residnts' not found in areas.csv, census.csv; did you mean 'residents'?" in said
    (small.path / "more.csv").write_text((small.path / "census.csv").read_text("utf-8"), "utf-8")
    two = [one, {**one, "file": "more.csv"}]
    said = refused(small, areas__join=two, areas__population="residents")
    assert "is in census.csv and in more.csv; expected it in one of them" in said
    said = refused(small, areas__join=[{**one, "code": "n"}], areas__population="residents")
    assert "no code in column 'n' of census.csv is one of the areas" in said
    text = (small.path / "census.csv").read_text("utf-8")
    (small.path / "census.csv").write_text(f"{text}21,A05,1,0,50\n", "utf-8")
    said = refused(small, areas__join=[one], areas__population="residents")
    assert "area A05 is in census.csv more than once; expected" in said


def test_only_some_rows_are_areas_of_the_study(small: Any) -> None:
    """Elsewhere a population may be anything; rows of the other tables are left aside."""
    small.replace(small.areas, "A03,Place 3,300,", "A03,Place 3,many,")
    assert "'many' (row 3)" in refused(small)
    small.write(areas__only={"district": "S"})
    results = small.run(draws=0)
    assert results.areas.codes == [f"A{i}" for i in range(11, 21)]
    small.write(areas__only={"district": ["N", "S"], "code": ["A19", "A20"]})
    assert study_areas(load_study(small.study), small.store).codes == ["A19", "A20"]
    said = refused(small, areas__only={"district_name": "Southsde"})
    assert (
        "areas.only.district_name: no row of areas.csv has 'Southsde'; did you mean 'South" in said
    )


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:27700", "EPSG:3857"])
@pytest.mark.parametrize("name", ["map.shp", "map.gpkg"])
def test_outlines_of_a_shapefile_or_geopackage_in_any_system(
    small: Any, name: str, crs: str
) -> None:
    draw(small.path / name, crs)
    small.write(areas__boundaries={"file": name, "code": "AREA_ID"})
    results = small.run(draws=0)
    found = shapely.from_wkb(results.boundaries["geometry"].to_list())
    for shape, square in zip(found, squares(), strict=True):
        assert shape.symmetric_difference(square).area < 1e-6 * square.area + 1e-9
    notes = next(s for s in results.provenance["sources"] if s["path"] == name)["notes"]
    if name.endswith(".shp"):
        digest = hashlib.sha256((small.path / "map.dbf").read_bytes()).hexdigest()
        assert f"map.dbf sha256 {digest}" in notes


def saved_by_another(path: Path) -> sqlite3.Connection:
    """Let another program swap two codes of a GeoPackage, save, and keep it open."""
    other = sqlite3.connect(path)
    for (name,) in other.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        other.execute(f"DROP TRIGGER {name}")
    other.execute(
        "UPDATE areas SET AREA_ID = CASE AREA_ID WHEN 'A01' THEN 'A02' ELSE 'A01' END "
        "WHERE AREA_ID IN ('A01', 'A02')"
    )
    other.commit()
    return other


def test_what_another_program_has_saved_in_an_open_geopackage_is_read(small: Any) -> None:
    """It stands in a file beside, and the GeoPackage has the same bytes as before."""
    path = small.path / "map.gpkg"
    draw(path, "EPSG:4326")
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
    small.write(areas__boundaries={"file": "map.gpkg", "code": "AREA_ID"})
    before = small.run(draws=0)
    bytes_then = path.read_bytes()
    with closing(saved_by_another(path)), record_inputs():
        after = small.run(draws=0)
        assert path.read_bytes() == bytes_then  # neither saved by the other program, nor by reading
        digest = hashlib.sha256((small.path / "map.gpkg-wal").read_bytes()).hexdigest()
        assert ("map.gpkg-wal", digest) in {(f["name"], f["sha256"]) for f in input_files()}
    was, now = ([*results.boundaries["geometry"]] for results in (before, after))
    assert now == [was[1], was[0], *was[2:]]
    notes = next(s for s in after.provenance["sources"] if s["path"] == "map.gpkg")["notes"]
    assert f"map.gpkg-wal sha256 {digest}" in notes


def test_the_parts_of_a_shapefile_are_files_that_were_given(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(small.path / "map.shp", "EPSG:4326")
    source = local_source(small.path / "map.shp")
    parts = ("map.shp", "map.dbf", "map.prj", "map.shx", "map.cpg")
    with record_inputs():
        assert small.store.has_column(source, "AREA_ID")
        small.store.table(source)
        found = {file["name"]: file["sha256"] for file in input_files()}
    assert found == {
        name: hashlib.sha256((small.path / name).read_bytes()).hexdigest() for name in parts
    }
    table = small.path / "map.dbf"
    table.write_bytes(table.read_bytes().replace(b"AREA_ID", b"PLACEID"))
    assert not small.store.has_column(source, "AREA_ID")
    table.write_bytes(table.read_bytes().replace(b"A01", b"A21"))
    read = readers.read_table

    def read_meanwhile(*given: Any) -> Any:
        found = read(*given)
        table.write_bytes(table.read_bytes().replace(b"A02", b"A22"))
        return found

    monkeypatch.setattr(readers, "read_table", read_meanwhile)
    with pytest.raises(SourceError, match=r"map\.shp was changed while it was read; run again"):
        small.store.table(source)


def test_areas_without_a_title_are_called_by_their_noun(small: Any) -> None:
    """In headings such as that of a pack of all of them, and once."""
    areas = study_areas(load_study(small.write(areas__title="")), small.store)
    assert (areas.title, areas.plural) == ("Places", "places")
    results = small.run(draws=0)
    assert find_scope(results.areas, []).title == "Places"
    assert dict(method(results))["Areas"] == "20 places."


def test_what_is_wrong_with_a_map_is_said(small: Any) -> None:
    draw(small.path / "map.gpkg", "EPSG:4326")
    assert "column 'code' not found in map.gpkg" in refused(
        small, areas__boundaries={"file": "map.gpkg"}
    )
    draw(small.path / "map.gpkg", "EPSG:4326", layer="again")
    drawn = {"file": "map.gpkg", "code": "AREA_ID"}
    assert "has 2 layers with shapes (areas, again); name one with 'layer'" in refused(
        small, areas__boundaries=drawn
    )
    small.write(areas__boundaries={**drawn, "layer": "again"})
    small.run(draws=0)
    draw(small.path / "bare.shp", "EPSG:4326")
    (small.path / "bare.prj").unlink()
    drawn = {"file": "bare.shp", "code": "AREA_ID"}
    assert "states no coordinate system (its .prj is not beside it)" in refused(
        small, areas__boundaries=drawn
    )
    (small.path / "bare.dbf").unlink()
    assert "its .dbf, which has the codes, is not beside it" in refused(
        small, areas__boundaries=drawn
    )
    (small.path / "cut.gpkg").write_bytes((small.path / "map.gpkg").read_bytes()[:5000])
    said = refused(small, areas__boundaries={**drawn, "file": "cut.gpkg"})
    assert "cut.gpkg: " in said
    draw(small.path / "other.gpkg", "EPSG:4326")
    small.areas.write_text(small.areas.read_text("utf-8").replace("\nA", "\nB"), "utf-8")
    small.indicators.write_text(small.indicators.read_text("utf-8").replace("\nA", "\nB"), "utf-8")
    said = refused(small, areas__boundaries={"file": "other.gpkg", "code": "AREA_ID"})
    assert "no code in column 'AREA_ID' is one of the places; expected such as B01" in said


def test_places_of_one_s_own_in_another_country(small: Any) -> None:
    """Halls in Porto Alegre, with no register of England; with coordinates swapped the study is refused."""
    at = "\n".join(f"A{i:02d},{-51.2 + i / 100},-30.0" for i in range(1, 21))
    (small.path / "at.csv").write_text(f"code,lon,lat\n{at}\n", "utf-8")
    (small.path / "halls.csv").write_text("kind,lon,lat\ncommunity-centre,-51.2,-30.0\n", "utf-8")
    changes = {
        "areas__join": [{"file": "at.csv"}],
        "areas__longitude": "lon",
        "areas__latitude": "lat",
        "access": {"points": [{"file": "halls.csv"}]},
        "indicators__halls": {
            "reach": {"to": "community-centre", "measure": "nearest"},
            "higher_is": "more",
        },
    }
    small.write(**changes)
    metres = small.run(draws=0).indicators["community_needs"].values[:, 0]
    # A hundredth of a degree at 30 degrees south is 963 m; a walk is 1.3 times the straight line.
    np.testing.assert_allclose(metres, [1.3 * 963.0 * i for i in range(1, 21)], rtol=2e-3)
    text = "Halls, 2026\nkind;lon;lat\ncommunity-centre;-51.2;-30.0\n"
    (small.path / "halls.csv").write_text(text, "utf-8")
    written = {"separator": ";", "skip_rows": 1}
    small.write(**changes, files={"halls.csv": written})
    again = small.run(draws=0).indicators["community_needs"].values[:, 0]
    np.testing.assert_array_equal(again, metres)
    said = refused(small, **changes, files={"halls.csv": {**written, "rows": 1}})
    assert "halls.csv: a table of places is read without 'rows'" in said
    (small.path / "halls.csv").write_text("kind,lon,lat\ncommunity-centre,-30.0,-51.2\n", "utf-8")
    said = refused(small, **changes)
    assert "halls.csv: 1 of 1 places lie far from every area, such as halls:1" in said
    assert said.endswith("swapped? If not, leave these out: no area reaches them")
    # One row of many is found too, and 'check' says so before a run.
    (small.path / "halls.csv").write_text(
        "name,kind,lon,lat\nNorte,community-centre,-51.2,-30.0\nSul,community-centre,-30.1,-51.1\n",
        "utf-8",
    )
    said = refused(small, **changes)
    assert "halls.csv: 1 of 2 places lie far from every area, such as Sul (longitude -30.1" in said
    study = small.write(**changes)
    with pytest.raises(DataError, match=r"such as Sul .* are latitude and longitude swapped"):
        check_files(load_study(study), Store(cache=small.path, offline=True))


def test_points_of_areas_with_swapped_axes_are_refused_where_that_can_be_seen(small: Any) -> None:
    """By the names of the columns, by the outlines, or by codes that are of the United Kingdom."""
    second_table(small)
    joined = {"areas__join": [{"file": "census.csv", "code": "area_id"}]}
    turned = {**joined, "areas__longitude": "lat", "areas__latitude": "lon"}
    assert "found column 'lat', and 'lon' for 'latitude'; are latitude" in refused(small, **turned)
    census = small.path / "census.csv"
    census.write_text(census.read_text("utf-8").replace(",lon,lat", ",y,x"), "utf-8")
    turned |= {"areas__longitude": "x", "areas__latitude": "y"}
    small.write(**turned)
    small.run(draws=0)  # it may be so, for all that is known
    draw(small.path / "map.gpkg", "EPSG:4326")
    drawn = {"areas__boundaries": {"file": "map.gpkg", "code": "AREA_ID"}}
    said = refused(small, **turned, **drawn)
    assert (
        "map.gpkg: the outlines lie at longitude 0 to 2, latitude 50 to 50.1, and A01 has" in said
    )
    assert "(20 such places); are latitude and longitude swapped?" in said
    for file in (small.areas, small.indicators, census):
        text = re.sub(r"\bA(\d\d)", r"E010000\1", file.read_text("utf-8"))
        file.write_text(text, "utf-8")
    said = refused(small, **turned)
    assert (
        "the codes are of the United Kingdom, and E01000001 has longitude 50, latitude 0.1" in said
    )
    right = {**joined, "areas__longitude": "y", "areas__latitude": "x"}
    small.write(**right)
    small.run(draws=0)


def test_a_table_of_many_indicators_is_not_read_again_for_each(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To see whether it has the column of codes; of a map each reading is a process of its own."""
    read, whole = [], readers.read_table
    monkeypatch.setattr(
        readers, "read_table", lambda *given: (read.append(given[0].name), whole(*given))[1]
    )
    more = {
        f"income_{n}": {"file": "indicators.csv", "column": "income", "higher_is": "more"}
        for n in range(9)
    }
    children = {name: {"indicator": name} for name in more}
    study = small.write(
        **{f"indicators__{name}": spec for name, spec in more.items()},
        index__deprivation__children=children,
    )
    run(study, small.store, draws=0, sensitivity=False)
    assert 0 < read.count("indicators.csv") < 9


def test_areas_without_an_outline_are_counted_and_a_file_without_outlines_is_refused(
    small: Any, tell: Any
) -> None:
    def write(shape: dict[str, Any] | None, n: int) -> None:
        features = [
            {"type": "Feature", "properties": {"code": f"A{i:02d}"}, "geometry": shape}
            for i in range(1, n + 1)
        ]
        content = {"type": "FeatureCollection", "features": features}
        (small.path / "shapes.geojson").write_text(json.dumps(content), "utf-8")

    ring = [[[0, 50], [1, 50], [1, 51], [0, 50]]]
    small.write(areas__boundaries={"file": "shapes.geojson"})
    write({"type": "Polygon", "coordinates": ring}, 5)
    assert "15 of 20 places have no outline" in tell("check", small.study)[1].replace(
        "areas", "places"
    )
    said = "have no outline in shapes.geojson: they are on no map."
    assert said in tell("run", small.study, "--draws", "0")[1]
    assert said in (small.path / "results/study/report.html").read_text("utf-8")
    line = {"type": "LineString", "coordinates": ring[0]}
    part = {"type": "Polygon", "coordinates": ring}
    write({"type": "GeometryCollection", "geometries": [line, part]}, 5)
    assert "15 of 20 places have no outline" in tell("check", small.study)[1]
    for shape, kind in (
        (line, "LineString"),
        ({"type": "Polygon", "coordinates": []}, "no geometry"),
        (None, "no geometry"),
    ):
        write(shape, 20)
        for command in ("check", "run"):
            code, _, complaint = tell(command, small.study)
            assert code == 2
            assert "shapes.geojson: none of the 20 " in complaint
            assert f"has an outline in it; found {kind}, expected polygons" in complaint
