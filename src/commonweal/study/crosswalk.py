"""The areas that an index is built on, and the way from them to those of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonweal.areas import build_move, load_areas, move_from_pairs
from commonweal.study.files import with_replaced

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from commonweal.areas import Areas, Move
    from commonweal.sources import Store
    from commonweal.spec import IndexSpec, Study

__all__ = ["areas_of_index", "way_to_study"]


def areas_of_index(study: Study, index: str, areas: Areas, store: Store) -> Areas:
    """Give the areas that an index is built on: the study's, if it names no others."""
    system, people = study.built_on(index)
    if not system:
        return areas
    return load_areas(with_replaced(study, store), system, within=study.where, population_at=people)


def way_to_study(
    spec: IndexSpec, here: Areas, there: Areas, store: Store, account: MutableMapping[str, Any]
) -> Move:
    """Give the way from the areas of an index to those of the study, and put its report into `account`."""
    if spec.move.by == "link":
        move = build_move(store, here, there)
        account["report"] = move.report
        return move
    from commonweal.areas.parts import split_parts

    pairs, report = split_parts(store, here, there)
    move = move_from_pairs(here, there, pairs)
    account["report"] = {**move.report, **report}
    return move
