"""The catalogue against the real files, and what the readers make of each."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl
import pytest
import shapely

from commonweal.errors import DataError
from commonweal.sources.catalogue import load_catalogue
from commonweal.sources.fetch import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.sources import Source, Store

pytestmark = pytest.mark.real

CATALOGUE = load_catalogue()

#: Rows as published: English LSOAs 2011 and 2021, wards 2017, areas of England and Wales ...
ROWS = {
    "boundaries-lad24": 361,
    "boundaries-left-behind-wd17": 318,
    "boundaries-lsoa21": 35_672,
    "boundaries-msoa21": 7_264,
    "boundaries-wd21": 8_694,
    "cni2019-wd17": 7_433,
    "cni2023-lsoa21": 33_755,
    "codes-lad": 415,
    "codes-ward": 15_729,
    "imd2019-lsoa11": 32_844,
    "imd2019-lsoa11-indicators": 32_844,
    "imd2019-lsoa11-subdomains": 32_844,
    "imd2019-msoa11": 6_791,
    "imd2025-lsoa21": 33_755,
    "imd2025-lsoa21-indicators": 33_755,
    "imd2025-lsoa21-subdomains": 33_755,
    "lookup-lad19-region": 317,
    "lookup-lad24-region": 296,
    "lookup-lsoa11-lsoa21": 35_795,
    "lookup-lsoa11-msoa11": 41_729,
    "lookup-lsoa11-wd17": 34_753,
    "lookup-lsoa11-wd17-ons": 34_753,
    "lookup-lsoa21-wd24-lad24": 35_672,
    "lookup-msoa11-msoa21": 7_201,
    "names-msoa11": 7_201,
    "points-lsoa": 48_424,
    "points-msoa": 10_404,
    "points-ward": 11_342,
    "population-lad21": 374,
    "population-lsoa11-2017": 34_753,
    "population-lsoa11-2019": 34_753,
    "population-lsoa11-2020": 34_753,
    "population-lsoa21-2022": 35_672,
    "population-wd17-2017": 8_297,
    "ruc-lsoa11": 34_753,
    "ruc-lsoa21": 35_672,
    "schools": 27_153,
    "transport-trips-lad-2023": 792,
}
TABLES = sorted(s.id for s in CATALOGUE.values() if s.reader.format != "file")
#: Holds clustering objects, which are no table.
NOT_TABLES = {"oac2021-subgroups"}
#: The census tables of a row per area and class take 2 to 8 s each to convert the first time,
#: and are of one make: one of them stands for all.
LONG = {
    "census2021-household-type-lsoa21",
    "census2021-overcrowding-lsoa21",
    "census2021-tenure-lsoa21",
}


@pytest.fixture(scope="session")
def index(mirror_folder: Path) -> dict[str, dict[str, str]]:
    """The mirror's own list of its files, by URL."""
    return _listed(mirror_folder / "INDEX.csv")


def _listed(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        pytest.skip(f"the mirror has no {path.name}")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["url"]: row for row in csv.DictReader(file)}


def test_the_catalogue_and_the_mirrors_index_agree(
    index: dict[str, dict[str, str]], mirror_folder: Path
) -> None:
    """All of the first list is in the catalogue; of the second, what is used."""
    ours = {s.url: (s.size, s.sha256, place_of(s.url or "")) for s in CATALOGUE.values()}
    more = _listed(mirror_folder / "INDEX-more.csv")
    used = index | {url: row for url, row in more.items() if url in ours}
    assert ours == {url: (int(r["bytes"]), r["sha256"], r["path"]) for url, r in used.items()}


@pytest.mark.parametrize("source", CATALOGUE.values(), ids=CATALOGUE)
def test_each_file_has_its_pinned_bytes(real_store: Store, source: Source) -> None:
    report = real_store.verify(source)
    assert (report.status, report.message) == ("good", "")
    assert (report.sha256, report.size) == (source.sha256, source.size)


@pytest.mark.parametrize("name", [name for name in TABLES if name not in NOT_TABLES | LONG])
def test_each_table_is_read(real_store: Store, name: str) -> None:
    table = real_store.table(name)
    if name in ROWS:
        assert table.height == ROWS[name]
    assert table.width >= 2
    kinds = {pl.String, pl.Float64, pl.Int64, pl.Boolean, pl.Date, pl.Binary}
    assert {t.base_type() for t in table.dtypes} <= kinds
    for column, dtype in table.schema.items():
        assert column == column.strip("\ufeff")
        assert "\ufeff" not in column
        if dtype == pl.Float64:
            assert not table[column].is_nan().any()
        elif dtype == pl.String:
            assert not (table[column] == "").any()


@pytest.mark.parametrize("name", sorted(NOT_TABLES))
def test_what_is_no_table_says_so(real_store: Store, name: str) -> None:
    with pytest.raises(DataError, match="expected a data frame"):
        real_store.table(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("imd2019-lsoa11", "lsoa11_code"),
        ("imd2019-msoa11", "msoa11_code"),
        ("imd2025-lsoa21", "lsoa21_code"),
        ("cni2019-wd17", "ward17_code"),
        ("cni2023-lsoa21", "lsoa21_code"),
        ("lookup-lsoa11-wd17", "lsoa11_code"),
        ("lookup-lsoa11-wd17-ons", "LSOA11CD"),
        ("lookup-lsoa21-wd24-lad24", "lsoa21_code"),
        ("population-lsoa11-2019", "lsoa11_code"),
        ("population-lsoa21-2022", "lsoacd"),
        ("names-msoa11", "msoa11cd"),
    ],
)
def test_codes_are_whole_and_differ(real_store: Store, name: str, code: str) -> None:
    codes = real_store.table(name, [code])[code]
    assert codes.dtype == pl.String
    assert codes.null_count() == 0
    assert codes.n_unique() == codes.len()
    assert codes.str.contains(r"^[EWSN][0-9]{8}$|^95[A-Z0-9]+$").all()


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("boundaries-lad24", (-9, 49, 2, 61)),
        ("boundaries-left-behind-wd17", (-9, 49, 2, 61)),
        ("boundaries-lsoa21", (-7, 49, 2, 56)),
        ("boundaries-msoa21", (-7, 49, 2, 56)),
        ("boundaries-wd21", (-9, 49, 2, 61)),
    ],
)
def test_boundaries_are_valid_areas_where_they_should_be(
    real_store: Store, name: str, bounds: tuple[float, float, float, float]
) -> None:
    column = real_store.table(name, ["geometry"])["geometry"]
    assert column.null_count() == 0
    shapes = shapely.from_wkb(column.to_list())
    assert shapely.is_valid(shapes).all()
    assert set(shapely.get_type_id(shapes)) <= {
        shapely.GeometryType.POLYGON,
        shapely.GeometryType.MULTIPOLYGON,
    }
    west, south, east, north = shapely.total_bounds(shapes)
    assert bounds[0] <= west < east <= bounds[2]
    assert bounds[1] <= south < north <= bounds[3]
    assert (shapely.area(shapes) > 0).all()


def test_residents_of_lsoas_2021_are_those_of_mid_2022(real_store: Store) -> None:
    """The file states no date; England and Wales had 60.2 million residents at mid-2022.

    That was 577,514 more than a year before (ONS), and the 2021 Census counted 59.6 million.
    """
    total = real_store.table("population-lsoa21-2022", ["population"])["population"].sum()
    assert total == pytest.approx(60.2e6, abs=0.05e6)


def test_single_years_of_age_add_up_to_everyone(real_store: Store) -> None:
    table = real_store.table("population-lsoa11-2019")
    ages = table.select(
        pl.sum_horizontal(pl.exclude("lsoa11_name", "lsoa11_code", "total_population"))
    )
    assert ages.to_series().equals(table["total_population"], check_names=False)


def test_latin_1_strings_of_the_schools_are_read(real_store: Store) -> None:
    names = real_store.table("schools", ["establishment_name"])["establishment_name"]
    assert not names.str.contains("\ufffd").any()
    assert names.str.contains("é").any()
