"""Files of data: Parquet and Excel, timetables, maps, microdata, places, postcodes, codes."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import re
import shutil
import tempfile
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import osmium
import polars as pl
import xlsxwriter
from xlsxwriter.exceptions import OverlappingRange

from commonweal.access.departures import departures
from commonweal.access.osm_places import read_places_pbf
from commonweal.access.osm_streets import read_streets
from commonweal.access.own_places import read_own_places
from commonweal.access.places import load_taxonomy
from commonweal.access.postcodes import load_postcodes
from commonweal.access.timetable import read_timetable, typical_day
from commonweal.invest.allocation.eligibility import read_codes
from commonweal.invest.siting.demand import read_candidates
from commonweal.study.names import area_of_postcode, codes_in
from tests.access.test_places_pbf import HOLE, SQUARE
from tests.access.test_places_pbf import Map as PlacesMap
from tests.access.test_postcodes import CODE_POINT, ONSPD
from tests.access.test_timetable import feed
from tests.conftest import areas_csv, recipe
from tests.fuzz.ground import check_numbers
from tests.fuzz.harness import Fuzzer
from tests.fuzz.mutations import (
    TEXTS,
    change_bytes,
    change_rows,
    csv_bytes,
    zip_bytes,
)
from tests.fuzz.plans import run_survey
from tests.fuzz.studies import AREA_ROWS, VALUE_ROWS, run_study, write_plain
from tests.sources.test_rdata_reader import frame as r_frame
from tests.sources.test_rdata_reader import integer, real, text
from tests.sources.test_rdata_reader import write as write_rdata
from tests.survey.conftest import PEOPLE
from tests.survey.test_read import spec_file, write

if TYPE_CHECKING:
    from random import Random

Rows = list[list[str]]


def plain_study(rng: Random, folder: Path, suffix: str) -> None:
    """The twenty places without certainty: the study that reads a table of each kind."""
    write_plain(rng, folder, {k: v for k, v in recipe().items() if k != "certainty"}, suffix)


def typed(rows: Rows) -> dict[str, list[Any]]:
    """Columns of a table, as numbers where they are."""

    def number(value: str) -> Any:
        if not value:
            return None
        try:
            return float(value)
        except ValueError:
            return value

    return {name: [number(row[c]) for row in rows[1:]] for c, name in enumerate(rows[0])}


ODD_TYPES: tuple[pl.Expr, ...] = (
    pl.lit(1).cast(pl.Duration), pl.lit(1).cast(pl.Datetime("ns", "UTC")), pl.lit(1).cast(pl.Date),
    pl.lit(1).cast(pl.Time),
    pl.lit(True), pl.lit(None), pl.lit(b"\xff\xfe"), pl.lit("x").cast(pl.Categorical), pl.lit("a").cast(pl.Enum(["a"])),
    pl.lit(10**20).cast(pl.Int128), pl.lit(2**63).cast(pl.UInt64), pl.lit(5).cast(pl.Decimal(38, 2)),
    pl.lit(1e38).cast(pl.Float32),
    pl.concat_list(pl.lit(1), pl.lit(2)), pl.struct(pl.lit(1).alias("a")),
    pl.concat_list(pl.lit(1)).cast(pl.Array(pl.Int64, 1)),
    pl.lit(float("nan")), pl.lit(float("inf")), pl.lit(1e20), pl.lit(-1).cast(pl.Int8),
    pl.concat_list(pl.lit("a")), pl.lit("1"),
)  # fmt: skip


def parquet(rng: Random, rows: Rows, changes: int) -> bytes:
    """A table with a column of another type, or with changed bytes."""
    frame = pl.DataFrame(typed(rows), strict=False)
    how = rng.random()
    for _ in range(changes if how < 0.7 else 0):
        name, new = rng.choice(frame.columns), f"z{rng.random()}"
        odd = rng.choice(ODD_TYPES).alias(name)
        some = (
            pl.when(pl.int_range(pl.len()) == 2)
            .then(pl.lit(None))
            .otherwise(pl.col(name))
            .alias(name)
        )
        frame = rng.choice(
            (frame.with_columns(odd),) * 4
            + (
                frame.with_columns(some),
                frame.rename({name: new}),
                frame.drop(name),
                frame.clear(),
                frame.head(1),
                pl.concat([frame, frame[:1]]),
            )
        )
        if not frame.columns:
            break
    out = io.BytesIO()
    frame.write_parquet(out, compression=rng.choice(("uncompressed", "zstd", "snappy")))
    return change_bytes(rng, out.getvalue(), changes if how >= 0.7 else 0)


def excel(rng: Random, rows: Rows, changes: int) -> bytes:
    """A workbook with odd cells, with changed XML inside a sound zip, or with changed bytes."""
    how = rng.random() if changes else 1.0
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "nan_inf_to_errors": True}) as book:
        book.set_properties({"created": dt.datetime(2020, 1, 1)})
        sheet = book.add_worksheet()
        for r, row in enumerate(change_rows(rng, rows, changes if how < 0.5 else 0)):
            for c, value in enumerate(row):
                (sheet.write if how < 0.8 else sheet.write_string)(r, c, value) if value[
                    :1
                ] not in "=[{/" else sheet.write_string(r, c, value[:9])
        for _ in range(changes if 0.35 < how < 0.5 else 0):
            at = (rng.randrange(22), rng.randrange(6))
            change = rng.choice((
                lambda at: sheet.write_formula(*at, "=1/0", value="#DIV/0!"), lambda at: sheet.write_boolean(*at, True),
                lambda at: sheet.write_datetime(*at, dt.datetime(2020, 1, 1)),
                lambda at: sheet.merge_range(*at, at[0] + 1, at[1] + 1, "a"),
                lambda at: sheet.write(1000, 50, 1), lambda at: sheet.write_number(*at, 1.7e308),
                lambda at: book.add_worksheet(f"b\u0301 {rng.random()}"),
                lambda at: sheet.write_blank(*at, None, book.add_format()),
            ))  # fmt: skip
            with suppress(OverlappingRange):  # a cell is merged once
                change(at)
    raw = out.getvalue()
    if how < 0.5 or not changes:
        return raw
    if how > 0.75:
        return change_bytes(rng, raw, changes)
    return change_member(rng, raw, changes)


def change_member(rng: Random, raw: bytes, changes: int) -> bytes:
    """Change what lies in a zip, and pack it again: its checksums hold."""
    with zipfile.ZipFile(io.BytesIO(raw)) as old:
        files = {name: old.read(name) for name in old.namelist()}
    which = rng.choice(list(files) + [n for n in files if "sheet" in n] * 3)
    content = files.pop(which)
    if rng.random() < 0.9:
        files[which] = change_bytes(rng, content, changes)
    return zip_bytes(files)


def write_typed(rng: Random, folder: Path, changes: int, suffix: str, make: Any) -> None:
    """The twenty places in two tables of a kind; one of them is changed."""
    first = rng.random() < 0.4
    (folder / f"areas{suffix}").write_bytes(make(rng, AREA_ROWS, changes if first else 0))
    (folder / f"indicators{suffix}").write_bytes(make(rng, VALUE_ROWS, 0 if first else changes))
    plain_study(rng, folder, suffix)


def write_rds(rng: Random, folder: Path, changes: int) -> None:
    (folder / "areas.csv").write_text(areas_csv(), "utf-8")
    columns = typed(VALUE_ROWS)
    kinds = {"code": text, "halls": integer}
    content = r_frame(
        **{
            name: kinds.get(name, real)(*(map(int, v) if name == "halls" else v))
            for name, v in columns.items()
        }
    )
    raw = write_rdata(folder / "indicators.rds", content).read_bytes()
    raw = gzip.compress(gzip.decompress(raw), mtime=0)
    (folder / "indicators.rds").write_bytes(change_bytes(rng, raw, changes))
    tree = json.dumps({k: v for k, v in recipe().items() if k != "certainty"})
    (folder / "study.yaml").write_text(tree.replace("indicators.csv", "indicators.rds"), "utf-8")


def write_gtfs(rng: Random, folder: Path, changes: int) -> None:
    """A feed of three stops: a file changed as a table, left out, or the zip's bytes."""
    how, files = (
        rng.random() if changes else 1.0,
        {
            k: v.encode()
            for k, v in feed(
                calendar_dates="service_id,date,exception_type\nW,20240306,2\n"
            ).items()
        },
    )
    name = rng.choice(list(files))
    if how < 0.7:
        rows = [line.split(",") for line in files[name].decode().splitlines()]
        files[name] = csv_bytes(rng, rows, changes)
    elif how < 0.78:
        del files[name]
    raw = zip_bytes({f"{file}.txt": content for file, content in files.items()})
    if how >= 0.78 and changes:
        raw = (change_member if how < 0.85 else change_bytes)(rng, raw, changes)
    (folder / "feed.zip").write_bytes(raw)


def run_gtfs(folder: Path) -> bool:
    timetable = read_timetable(folder / "feed.zip")
    table = departures(timetable, typical_day(timetable, "wednesday"))
    check_numbers(table.select(pl.selectors.numeric()).to_numpy(), "departures")
    return True


WRITABLE = [t for t in TEXTS if "\x00" not in t and len(t.encode()) < 255]
"""What the writer of maps takes: it ends the process at a NUL."""

TAGS = {
    "amenity": ["pub", "library", ""],
    "highway": ["residential", "footway", "steps", "motorway"],
    "access": ["private"],
    "name": WRITABLE,
    "type": ["multipolygon", "route"],
}


def map_bytes(rng: Random, changes: int) -> bytes:
    """A map of a pub, a park, a ring with a hole and two streets, with odd tags, places and members."""
    m = PlacesMap()
    m.node(1, 2, amenity="pub", name="Red Lion")
    m.way(SQUARE, leisure="park")
    outer, inner = m.way(SQUARE), m.way(HOLE)
    m.relation([("w", outer, "outer"), ("w", inner, "inner")], type="multipolygon", leisure="park")
    m.way([(0, 0), (1, 0), (2, 0), (2, 1)], closed=False, highway="residential")
    m.way([(1, 0), (1, 1)], closed=False, highway="footway", access="private")
    for _ in range(changes):
        key = rng.choice(list(TAGS))
        tags = {key: rng.choice(TAGS[key]), rng.choice(WRITABLE[4:]): rng.choice(WRITABLE)}
        node, way, relation = rng.choice(m.nodes), rng.choice(m.ways), m.relations[0]
        how = rng.randrange(8)
        if how == 0:
            node.location = rng.choice(
                ((0, 0), (180, 90), (-180, -90), (179.9999999, 0), node.location)
            )
        elif how == 1:
            node.tags = {**node.tags, **tags}
        elif how in (2, 3):
            way.tags = rng.choice(({**way.tags, **tags}, tags))
        elif how == 4:
            refs = list(way.nodes)
            way.nodes = rng.choice(
                (
                    refs[:1],
                    refs * 3,
                    refs[::-1],
                    [],
                    refs[:1] * 5,
                    [*refs, 999],
                    [-1, *refs],
                    refs[:2] * 4,
                )
            )
        elif how == 5:
            relation.tags = {**relation.tags, **tags}
        elif how == 6:
            relation.members = rng.choice(
                (
                    [("r", 1, "outer")],
                    [("w", 999, "outer")],
                    [],
                    [("w", outer, "inner")],
                    list(relation.members) * 2,
                    [("n", 1, "")],
                )
            )
        else:
            rng.choice((m.nodes, m.ways)).pop()
    out = tempfile.mkdtemp()
    file = f"{out}/map.osm.pbf"
    packed = rng.choice(("none", "zlib"))
    with osmium.SimpleWriter(
        osmium.io.File(file, f"pbf,pbf_compression={packed}"), overwrite=True
    ) as writer:
        for node in m.nodes:
            writer.add_node(node)
        for way in m.ways:
            writer.add_way(way)
        for relation in m.relations:
            writer.add_relation(relation)
    raw = Path(file).read_bytes()
    shutil.rmtree(out)
    return raw


def write_pbf(rng: Random, folder: Path, changes: int) -> None:
    """The map, changed before it is written, or in its bytes."""
    damaged = rng.random() < 0.4
    raw = map_bytes(rng, 0 if damaged else changes)
    (folder / "map.osm.pbf").write_bytes(change_bytes(rng, raw, changes if damaged else 0))


def run_pbf(folder: Path) -> bool:
    places = read_places_pbf(folder / "map.osm.pbf", load_taxonomy())
    check_numbers(places.points.longitude, "longitude")
    streets = read_streets(folder / "map.osm.pbf", 1)
    check_numbers(streets.streets.length_m, "length")
    return True


@cache
def microdata(suffix: str) -> bytes:
    """Twelve people in a file of a kind, without the moment that it was written."""
    raw = write(Path(tempfile.mkdtemp()) / f"people{suffix}", PEOPLE).read_bytes()
    if suffix in (".sav", ".zsav"):
        return raw[:92] + b"01 Jan 2000:00:00" + raw[109:]
    return re.sub(rb"(?<=<timestamp>.)[^<]{17}", b"01 Jan 2020 00:00", raw, flags=re.DOTALL)


def write_microdata(rng: Random, folder: Path, changes: int, suffixes: tuple[str, ...]) -> None:
    suffix = rng.choice(suffixes)
    raw = microdata(suffix)
    if suffix == ".csv" and changes:
        raw = csv_bytes(rng, [line.split(",") for line in raw.decode().splitlines()], changes)
    elif suffix == ".parquet" and changes:
        rows = [line.split(",") for line in microdata(".csv").decode().splitlines()]
        raw = parquet(rng, rows, changes)
    else:
        raw = change_bytes(rng, raw, changes)
    (folder / f"people{suffix}").write_bytes(raw)
    spec_file(folder / f"people{suffix}")


PLACES = [["name", "kind", "longitude", "latitude", "cost", "capacity"],
["Hall", "community-centre", "-1.1", "51.6", "100", "20"], ["Pub", "pub", "-1.2", "51.7", "50", ""]]  # fmt: skip
LIES_IN = [["pcds", "lsoa21cd"], ["OX49 5NU", "E01028489"], ["ZE1 0AA", "S01012394"]]


def write_places(rng: Random, folder: Path, changes: int) -> None:
    """Places, candidates, codes and postcodes: tables that commands take."""
    (folder / "places.csv").write_bytes(csv_bytes(rng, PLACES, changes))
    (folder / "codes.csv").write_bytes(csv_bytes(rng, [row[:2] for row in AREA_ROWS], changes))
    directory = rng.choice((CODE_POINT, ONSPD))
    rows = [line.split(",") for line in directory.lstrip("\ufeff").replace('"', "").splitlines()]
    (folder / "postcodes.csv").write_bytes(csv_bytes(rng, rows, changes))
    (folder / "lies_in.csv").write_bytes(csv_bytes(rng, LIES_IN, changes))
    which = rng.choice(("places", "candidates", "codes", "pack", "postcodes", "show"))
    (folder / "which").write_text(which, "utf-8")


def run_places(folder: Path) -> bool:
    which = (folder / "which").read_text("utf-8")
    if which == "places":
        check_numbers(read_own_places(folder / "places.csv").points.longitude, "longitude")
    elif which == "candidates":
        check_numbers(read_candidates(folder / "places.csv").table["cost"].to_numpy(), "cost")
    elif which == "codes":
        assert len(read_codes(folder / "codes.csv", "code"))
    elif which == "pack":
        assert codes_in(folder / "codes.csv")
    elif which == "show":
        assert area_of_postcode("OX49 5NU", str(folder / "lies_in.csv"), "lsoa21")
    else:
        assert len(load_postcodes(folder / "postcodes.csv").table)
    return True


def _typed(suffix: str, make: Any) -> Any:
    return lambda rng, folder, changes: write_typed(rng, folder, changes, suffix, make)


def _microdata(*suffixes: str) -> Any:
    return lambda rng, folder, changes: write_microdata(rng, folder, changes, suffixes)


FUZZERS = [
    Fuzzer("parquet", _typed(".parquet", parquet), run_study),
    Fuzzer("xlsx", _typed(".xlsx", excel), run_study),
    Fuzzer("rdata", write_rds, run_study),
    Fuzzer("gtfs", write_gtfs, run_gtfs),
    Fuzzer("pbf", write_pbf, run_pbf),
    Fuzzer("spss", _microdata(".sav", ".zsav"), run_survey),
    Fuzzer("stata", _microdata(".dta"), run_survey),
    Fuzzer("microdata", _microdata(".csv", ".parquet"), run_survey),
    Fuzzer("places", write_places, run_places),
]
