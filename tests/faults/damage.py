"""A file, and ways in which one on a disk is damaged, drawn from a seed."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING

from commonweal.sources.catalogue import local_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from commonweal.sources import Source

__all__ = ["damaged", "flipped", "halls", "put_back"]


def flipped(good: bytes, seed: int) -> bytes:
    """Turn one bit round."""
    bad = bytearray(good)
    bit = random.Random(seed).randrange(8 * len(bad))
    bad[bit // 8] ^= 1 << bit % 8
    return bytes(bad)


def damaged(good: bytes, seed: int, flips: int) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Give what may happen to a file, in words and as something to do to it."""
    chance = random.Random(seed)
    for turn in range(flips):
        bad = flipped(good, seed + turn)
        yield f"bit {turn}", lambda path, bad=bad: path.write_bytes(bad)
    at = chance.randrange(1, len(good))
    hole = good[: at // 2] + bytes(at - at // 2) + good[at:]
    for words, bad in {
        "empty": b"",
        "cut": good[:at],
        "longer": good + b"\0",
        "zeros": bytes(len(good)),
        "a hole": hole if hole != good else bytes(at) + good[at:],
        "garbage": chance.randbytes(len(good)),
        "another file": b"PAR1" + chance.randbytes(40) + b"PAR1",
    }.items():
        yield words, lambda path, bad=bad: path.write_bytes(bad)
    yield "deleted", lambda path: path.unlink()


def halls(folder: Path, rows: int = 60) -> Source:
    """Write a file of one's own that is slow to read, and so is converted into the cache."""
    path = folder / "halls.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"A{i:03d}", "halls": i % 7, "share": i / 8},
            "geometry": {"type": "Point", "coordinates": [i / 10, i / 20]},
        }
        for i in range(1, rows + 1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return local_source(path)


def put_back(path: Path, good: bytes) -> None:
    """Put a file back as it was."""
    if path.is_dir():
        shutil.rmtree(path)
    path.write_bytes(good)
