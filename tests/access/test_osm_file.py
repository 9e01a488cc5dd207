"""An OpenStreetMap file whose texts osmium would read beyond."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import osmium
import pytest
from osmium.osm.mutable import Node, Way

from commonweal.access.osm_places import read_places_pbf
from commonweal.access.osm_streets import read_streets
from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def a_map(folder: Path, compression: str) -> Path:
    """A pub and a street."""
    file = folder / f"{compression}.osm.pbf"
    how = osmium.io.File(str(file), f"pbf,pbf_compression={compression}")
    with osmium.SimpleWriter(how) as writer:
        for number in range(1, 4):
            tags = {"amenity": "pub", "name": "Red Lion"} if number == 3 else {}
            writer.add_node(Node(id=number, location=(number / 1000, 52), tags=tags))
        writer.add_way(
            Way(id=1, nodes=[1, 2], tags={"highway": "residential", "name": "Mill Lane"})
        )
    return file


def varint(number: int) -> bytes:
    head, rest = number & 127, number >> 7
    return bytes([head | 128]) + varint(rest) if rest else bytes([head])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def packed(block: bytes) -> bytes:
    """A block of data as it stands in a file, packed by zlib."""
    blob = varint(2 << 3) + varint(len(block)) + field(3, zlib.compress(block))
    head = field(1, b"OSMData") + varint(3 << 3) + varint(len(blob))
    return len(head).to_bytes(4, "big") + head + blob


@pytest.mark.parametrize("read", [read_places_pbf, read_streets])
@pytest.mark.parametrize(
    ("text", "block"), [(b"Red Lion", 1), (b"amenity", 1), (b"Mill Lane", 2), (b"highway", 2)]
)
def test_a_text_with_nul_in_it_is_refused(
    tmp_path: Path, read: Callable[[Path], object], text: bytes, block: int
) -> None:
    file = a_map(tmp_path, "none")
    broken = text[:3] + b"\0" + text[4:]
    file.write_bytes(file.read_bytes().replace(text, broken))
    with pytest.raises(DataError, match="expected text without NUL characters") as caught:
        read(file)
    assert f"none.osm.pbf: block {block} of its data has the text " in str(caught.value)
    assert repr(broken.decode()) in str(caught.value)


def test_one_in_a_packed_block_is_refused(tmp_path: Path) -> None:
    file = a_map(tmp_path, "none")
    block = field(1, field(1, b"") + field(1, b"a\0b"))
    file.write_bytes(file.read_bytes() + packed(block))
    with pytest.raises(DataError, match=r"block 3 of its data has the text 'a\\x00b'"):
        read_places_pbf(file)


@pytest.mark.parametrize("compression", ["none", "zlib", "lz4"])
def test_a_sound_map_is_read_however_it_is_packed(tmp_path: Path, compression: str) -> None:
    file = a_map(tmp_path, compression)
    assert read_places_pbf(file).table["name"].to_list() == ["Red Lion"]
    assert read_streets(file, 1).report["highways walked"] == 1
