"""The catalogue: its entries are whole, and a mistake in one names the file and the entry."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from commonweal.errors import CommonwealError, DataError
from commonweal.sources.catalogue import Reader, load_catalogue, local_source

from .conftest import published

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.sources import Source

CATALOGUE = load_catalogue()
ENTRY: dict[str, Any] = {
    "title": "Scores",
    "terms": "open",
    "vintage": "2019",
    "url": "https://example.org/scores.csv",
    "size": 10,
    "sha256": "0" * 64,
    "reader": "csv",
}
LICENCES = {"open": {"licence": "OGL", "attribution": "Contains scores."}}


def write(folder: Path, sources: object, name: str = "somebody.yaml", **more: object) -> None:
    content = {"publisher": "Somebody", "licences": LICENCES, "sources": sources} | more
    (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")


def test_importing_sources_imports_nothing_heavy() -> None:
    program = (
        "import sys, commonweal.sources as s; s.Store.from_environment().catalogue; "
        "print([m for m in ('polars', 'numpy', 'rdata', 'shapely', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("source", CATALOGUE.values(), ids=CATALOGUE)
def test_each_entry_can_be_fetched_checked_and_credited(source: Source) -> None:
    assert source.url is not None
    assert source.url.startswith("https://")
    assert re.search(r"/[0-9a-f]{40}/", source.url), "an address without a commit may change"
    assert source.pinned
    assert source.size is not None
    assert source.licence
    assert source.attribution
    assert source.title
    assert source.vintage


def test_each_id_url_and_checksum_occurs_once() -> None:
    for values in (
        [s.url for s in CATALOGUE.values()],
        [s.sha256 for s in CATALOGUE.values()],
        [(s.title, s.vintage, s.area_system) for s in CATALOGUE.values()],
    ):
        assert len(set(values)) == len(values)


def test_what_is_not_openly_licensed_is_for_comparison_only() -> None:
    closed = {s.id for s in CATALOGUE.values() if s.use == "benchmark-only"}
    assert closed == {
        *("cni2019-wd17", "cni2023-lsoa21"),
        *("cni2022-iz11", "cni2022-msoa11", "cni2022-soa01"),
    }
    assert all(CATALOGUE[name].licence == "not openly licensed" for name in closed)


def test_no_licence_asked_for_is_missing_its_year() -> None:
    assert [s.id for s in CATALOGUE.values() if "{" in s.attribution] == []


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"scores": ENTRY})
    (tmp_path / "README.md").write_text("not a catalogue")
    (source,) = load_catalogue(tmp_path).values()
    assert (source.id, source.publisher, source.licence) == ("scores", "Somebody", "OGL")
    assert source.reader == Reader(format="csv")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha265": "0"}, "unknown key 'sha265'; did you mean 'sha256'?"),
        ({"reader": {"format": "csv", "seperator": ";"}}, "did you mean 'separator'?"),
        ({"reader": "cvs"}, "'reader.format'"),
        ({"sha256": "0" * 63}, "64 lower-case hexadecimal digits"),
        ({"sha256": "F" * 64}, "64 lower-case hexadecimal digits"),
        ({"sha256": None}, "a url needs a sha256"),
        ({"size": None}, "needs a size"),
        ({"size": 0}, "'size'"),
        ({"size": "10"}, "'size'"),
        ({"url": "ftp://example.org/a.csv"}, "https://"),
        ({"url": None}, "either url or path"),
        ({"use": "anything"}, "'use'"),
        ({"terms": ["open"]}, "source 'scores': terms '['open']' are not among the licences"),
        ({"terms": "opne"}, "terms 'opne' are not among the licences of the file; did you mean"),
        ({"title": None}, "'title'"),
    ],
)
def test_a_malformed_entry_names_file_entry_and_fault(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    write(tmp_path, {"scores": ENTRY | change})
    with pytest.raises(DataError) as caught:
        load_catalogue(tmp_path)
    assert str(caught.value).startswith("somebody.yaml: source 'scores': ")
    assert words in str(caught.value)


@pytest.mark.parametrize("field", ["title", "vintage", "reader"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    write(tmp_path, {"scores": {k: v for k, v in ENTRY.items() if k != field}})
    with pytest.raises(DataError, match=f"source 'scores': '{field}' is missing"):
        load_catalogue(tmp_path)


@pytest.mark.parametrize("name", ["Scores", "two words", "double--hyphen", "-a", "a_b"])
def test_an_id_is_kebab_case(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: ENTRY})
    with pytest.raises(DataError, match="lower-case letters"):
        load_catalogue(tmp_path)


def test_an_id_in_two_files_names_both(tmp_path: Path) -> None:
    write(tmp_path, {"scores": ENTRY}, "a.yaml")
    write(tmp_path, {"scores": ENTRY}, "b.yaml")
    with pytest.raises(DataError, match=r"b.yaml: source 'scores' is already in a.yaml"):
        load_catalogue(tmp_path)


def test_an_id_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    text = "publisher: A\nsources:\n  scores: {}\n  scores: {}\n"
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(
        DataError, match=r"a.yaml, line 4: not valid YAML: key 'scores' is there twice"
    ):
        load_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("publisher: [", "line 1: not valid YAML"),
        ("- a\n- b\n", "found a list; expected keys such as publisher"),
        ("publisher: A\nsauces: {}\n", "expected the keys"),
        ("sources: {}\n", "expected 'publisher' to be a name"),
        ("publisher: A\nsources: [a]\n", "to be mappings by id"),
        ("publisher: A\nsources: {a: 3}\n", "source 'a': expected a mapping, found 3"),
        ("publisher: A\nlicences: {b: 3}\nsources: {a: {terms: b}}\n", "terms 'b'"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DataError) as caught:
        load_catalogue(tmp_path)
    assert str(caught.value).startswith(("a.yaml: ", "a.yaml, line "))
    assert words in str(caught.value)


def test_a_source_cannot_be_changed() -> None:
    source = published("https://example.org/scores.csv")
    with pytest.raises(ValueError, match="frozen"):
        source.size = 3  # type: ignore[misc]


def test_a_local_file_says_its_format_by_its_suffix() -> None:
    formats = {
        name: local_source(name).reader.format for name in ("a.CSV", "b.tsv", "c.xlsx", "d.Rds")
    }
    assert formats == {"a.CSV": "csv", "b.tsv": "tsv", "c.xlsx": "excel", "d.Rds": "rdata"}
    source = local_source("My Data (2).parquet", licence="CC0", vintage="2024")
    assert (source.id, source.licence, source.vintage) == ("my-data-2", "CC0", "2024")
    assert not source.pinned


def test_a_local_file_that_cannot_be_described_says_why() -> None:
    with pytest.raises(DataError, match=r"'\.docx' says no format"):
        local_source("report.docx")
    with pytest.raises(CommonwealError, match="unknown key 'licens'; did you mean 'licence'"):
        local_source("a.csv", licens="CC0")
