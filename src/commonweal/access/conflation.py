"""Places of registers, maps and an analyst's own file, each place once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.distance import EARTH_RADIUS_M, Points, great_circle_m
from commonweal.access.osm_places import read_places_pbf
from commonweal.access.places import Places, Taxonomy, join_places, load_taxonomy
from commonweal.access.registers import load_registers, read_registers
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.access.places import Taxonomy
    from commonweal.access.postcodes import Postcodes
    from commonweal.sources import Store
    from commonweal.sources.store import Progress


WITHIN_M = 50.0
"""Two positions of one building, one by its postcode or door and one by its outline, lie so near."""

ALIKE = 0.8
"""Least likeness of two names of one place; docs/methods/places.md shows pairs on either side."""

# Words that say what a place is, or how it is written, rather than which one it is.
_GENERIC = re.compile(
    r"\b(the|and|of|at|in|on|ye|olde|old|ph|inn|pub|public|house|tavern|hotel|bar|cafe|coffee|shop"
    r"|restaurant|library|branch|community|centre|center|hub|hall|village|church|parish|chapel|saint|st"
    r"|school|academy|college|ltd|limited|station|railway|museum)\b"
)
_ABBREVIATED = {
    "coe": re.compile(r"\b(c of e|cofe|c e|ce|church of england)\b"),
    "rc": re.compile(r"\b(r c|catholic|roman catholic)\b"),
    "primary": re.compile(r"\b(c p|cp|county primary)\b"),
}


@dataclass(frozen=True, slots=True)
class MergedPlaces:
    """Places of which each is there once."""

    places: Places  # what is kept; the others are among what it left out, as ``same place``
    # one row for each place that was merged into another: ``kept``, ``merged`` (ids), ``kept_name``, ``merged_name``,
    # ``distance_m``, ``likeness``
    pairs: pl.DataFrame

    def summary(self) -> pl.DataFrame:
        """How many were merged, by the two sources: ``kept``, ``merged``, ``rows``."""
        source = {i: i.rpartition(":")[0] for i in [*self.pairs["kept"], *self.pairs["merged"]]}
        return (
            self.pairs.select(
                pl.col("kept", "merged").replace_strict(source, return_dtype=pl.String)
            )
            .group_by("kept", "merged")
            .agg(rows=pl.len())
            .sort("kept", "merged")
        )


def merge_duplicates(
    places: Places,
    order: Sequence[str],
    taxonomy: Taxonomy | None = None,
    within_m: float = WITHIN_M,
    alike: float = ALIKE,
) -> MergedPlaces:
    """Keep each place once, that of the source that stands first in `order`.

    Two places of the same group are the same if they are no farther apart than `within_m` and their names are alike;
    or if they are no farther apart than the taxonomy says for their group (``same_within_m``: a school's site is
    larger than a pub) and their names, tidied, are equal. Within one source, which knows its own, they are only if of
    the same kind, within `within_m` and of equal names: the map has some pubs both as a point and as the building
    around it.

    Places are gone through by the order of their sources, then by id. Each that is still there takes in those after it
    that are the same as itself; what it takes in takes in nothing. So no chain of neighbours is merged into one, and
    the order of the rows doesn't matter. A place without a name is like no other.
    """
    if not within_m >= 0:
        raise DataError(f"within {within_m:g} m; expected 0 or more")
    if not 0 <= alike <= 1:
        raise DataError(f"alike {alike:g}; expected 0 to 1")
    rank = {source: i for i, source in enumerate(order)}
    for source in places.table["source"].unique().sort():
        if source not in rank:
            raise UnknownNameError("source", source, rank, " in the order of sources")
    ranked = places.table.with_columns(
        rank=pl.col("source").replace_strict(rank, return_dtype=pl.Int64)
    )
    table = places.table[
        ranked.with_row_index("row").sort("rank", "id")["row"].cast(pl.Int64).to_numpy()
    ]
    first, second, score = _same(table, taxonomy or load_taxonomy(), within_m, alike)
    into = np.full(len(table), -1, dtype=np.int64)
    with_score = np.zeros(len(table))
    for a, b, s in zip(first.tolist(), second.tolist(), score.tolist(), strict=True):
        if into[a] < 0 and into[b] < 0:  # pairs come sorted, so that a's own fate is known
            into[b], with_score[b] = a, s
    gone = np.flatnonzero(into >= 0)
    pairs = _pairs(table, into[gone], gone, with_score[gone])
    stays = ~places.table["id"].is_in(pairs["merged"].to_list())
    out = table[gone].select(
        "source",
        "id",
        "name",
        reason=pl.lit("same place"),
        detail=pl.lit("as ") + pairs["kept"],
    )
    kept = Places(places.table.filter(stays), pl.concat([places.left_out, out]), places.read)
    return MergedPlaces(kept, pairs)


def _same(
    table: pl.DataFrame, taxonomy: Taxonomy, within_m: float, alike: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of rows that are the same place, sorted, and how alike their names are."""
    a, b = _near(table, taxonomy, within_m)
    x, y = table["longitude"].to_numpy(), table["latitude"].to_numpy()
    close = great_circle_m(x[a], y[a], x[b], y[b]) <= within_m
    source, kind = table["source"].to_numpy(), table["kind"].to_numpy()
    own = source[a] == source[b]
    possible = ~own | (close & (kind[a] == kind[b]))
    a, b, strict = a[possible], b[possible], (own | ~close)[possible]
    names = table["name"].to_list()
    tidy = {i: _words(names[i]) for i in np.union1d(a, b).tolist()}
    score = np.array(
        [
            float(tidy[i] == tidy[j]) if equal else _likeness(tidy[i], tidy[j])
            for i, j, equal in zip(a.tolist(), b.tolist(), strict.tolist(), strict=True)
        ],
        dtype=np.float64,
    )
    keep = np.flatnonzero((score >= alike) & (score > 0))
    keep = keep[np.lexsort((b[keep], a[keep]))]
    return a[keep], b[keep], score[keep]


def _near(
    table: pl.DataFrame, taxonomy: Taxonomy, within_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows with names, of one group and near enough for it; the smaller row first."""
    from scipy.spatial import cKDTree

    on_sphere = Points(table["longitude"].to_numpy(), table["latitude"].to_numpy()).on_sphere()
    named = table["name"].fill_null("").str.contains(r"\w").to_numpy()
    group = table["group"].to_numpy()
    parts = [np.empty((0, 2), dtype=np.int64)]
    for name in table["group"].unique().sort():
        if name not in taxonomy.groups:
            raise UnknownNameError("group of places", name, taxonomy.groups)
        rows = np.flatnonzero(named & (group == name))
        reach_m = max(within_m, taxonomy.groups[name].same_within_m)
        chord_m = 2 * EARTH_RADIUS_M * np.sin(reach_m / (2 * EARTH_RADIUS_M))
        near = cKDTree(on_sphere[rows]).query_pairs(chord_m * (1 + 1e-9), output_type="ndarray")
        parts.append(np.sort(rows[near], axis=1))
    pairs = np.concatenate(parts)
    return pairs[:, 0], pairs[:, 1]


def likeness(name: str, other: str) -> float:
    """Say how alike two names are, from 0 to 1; 0 if either is empty.

    The larger of two: the part of the words of the shorter name that the longer one has; and the likeness of their
    letters in order (J. W. Ratcliff and D. E. Metzener (1988), Pattern matching: the gestalt approach, Dr. Dobb's
    Journal 13(7), 46). Both after case, accents, punctuation and words that only say what the place is (inn, library,
    hall) are gone, unless nothing else is left.
    """
    return _likeness(_words(name), _words(other))


def _words(name: str) -> str:
    """Tidy a name: the words that tell it from its neighbours, with a space between."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    plain = plain.replace("&", " and ").replace("'", "")
    plain = " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())
    for short, long in _ABBREVIATED.items():
        plain = long.sub(short, plain)
    return " ".join(_GENERIC.sub(" ", plain).split()) or plain


def _likeness(name: str, other: str) -> float:
    """Likeness of two tidied names."""
    if not name or not other:
        return 0.0
    if name == other:
        return 1.0
    words, others = set(name.split()), set(other.split())
    shared = len(words & others) / min(len(words), len(others))
    if shared == 1:
        return 1.0
    low, high = sorted((name, other))  # the matcher's answer depends on their order
    letters = SequenceMatcher(None, low, high, autojunk=False)
    if letters.real_quick_ratio() <= shared or letters.quick_ratio() <= shared:
        return shared
    return max(shared, letters.ratio())


def _pairs(
    table: pl.DataFrame,
    kept: NDArray[np.int64],
    merged: NDArray[np.int64],
    score: NDArray[np.float64],
) -> pl.DataFrame:
    a, b = table[kept], table[merged]
    return pl.DataFrame(
        {
            "kept": a["id"],
            "merged": b["id"],
            "kept_name": a["name"],
            "merged_name": b["name"],
            "distance_m": great_circle_m(
                a["longitude"], a["latitude"], b["longitude"], b["latitude"]
            ),
            "likeness": score,
        }
    )


def load_places(
    store: Store,
    registers: Iterable[str] | None = None,
    maps: Mapping[str, Path] | None = None,
    own: Sequence[Places] = (),
    taxonomy: Taxonomy | None = None,
    postcodes: Postcodes | None = None,
    progress: Progress | None = None,
) -> MergedPlaces:
    """Put places together and keep each once.

    Where two sources have the same place, the analyst's own is kept before a register's, that before a map's, and that
    before a register made from a map. Nothing is cut at a border: a place just over it counts. What a register does
    not cover is said in `Register.covers`.
    """
    known = load_registers()
    asked = list(known if registers is None else registers)
    drawn = [read_places_pbf(path, taxonomy, name, progress) for name, path in (maps or {}).items()]
    listed = read_registers(store, asked, taxonomy, postcodes, progress)
    order = [
        *(source for part in own for source in part.read),
        *(id_ for id_ in asked if not known[id_].after_maps),
        *(maps or {}),
        *(id_ for id_ in asked if known[id_].after_maps),
    ]
    return merge_duplicates(join_places([*own, listed, *drawn]), order, taxonomy)
