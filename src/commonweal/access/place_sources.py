"""All places of a study: registers, maps and the analyst's own, each place once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonweal.access.places import join_places
from commonweal.access.places_pbf import read_places_pbf
from commonweal.access.registers import load_registers, read_registers
from commonweal.access.same_place import Merged, merge_same_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from commonweal.access.places import Places
    from commonweal.access.postcodes import Postcodes
    from commonweal.access.taxonomy import Taxonomy
    from commonweal.sources import Store
    from commonweal.sources.store import Progress

__all__ = ["gather_places"]


def gather_places(
    store: Store,
    registers: Iterable[str] | None = None,
    maps: Mapping[str, Path] | None = None,
    own: Sequence[Places] = (),
    taxonomy: Taxonomy | None = None,
    postcodes: Postcodes | None = None,
    progress: Progress | None = None,
) -> Merged:
    """Put places together and keep each once.

    Where two sources have the same place, the analyst's own is kept before a register's, that before a
    map's, and that before a register made from a map. Nothing is cut at a border: a place just over it
    counts. What a register does not cover is said in `Register.covers`.

    Parameters
    ----------
    store
        Where registers come from.
    registers
        Which of them; all if not given.
    maps
        OpenStreetMap files, by what their places are said to be from.
    own
        From `read_own_places`.
    taxonomy
        Which kinds there are; that which ships if not given.
    postcodes
        The directory that registers without coordinates are placed by; the packaged one if not given.
    progress
        Told what is being done.
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
    return merge_same_places(join_places([*own, listed, *drawn]), order, taxonomy)
