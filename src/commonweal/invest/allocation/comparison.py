"""Compare two allocations, or one with the published list: who gains and who loses, with people and need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.designation import designate
from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from commonweal.areas import Areas, Crosswalk
    from commonweal.index import Scores
    from commonweal.invest.allocation.allocate import Allocation
    from commonweal.invest.allocation.programme import Programme
    from commonweal.sources import Store


Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PublishedComparison:
    """An allocation beside a published list of the same areas."""

    file: str  # name of the table of codes
    # matched, missed, extra: areas in both, only in the published list, and only in the allocation (row numbers)
    matched: NDArray[np.intp]
    missed: NDArray[np.intp]
    extra: NDArray[np.intp]
    elsewhere: tuple[str, ...]  # codes of the list that are of no area


def compare_with_published(
    allocation: Allocation, codes: Sequence[str], file: str
) -> PublishedComparison:
    """Set an allocation beside a published list."""
    areas = allocation.areas
    elsewhere = tuple(code for code in codes if code not in areas.position)
    if len(elsewhere) == len(codes):
        raise DataError(
            f"{file}: none of its {len(codes):,} codes is one of the {len(areas):,} {areas.plural}; found such as "
            f"{', '.join(codes[:2])}, expected such as {', '.join(areas.codes[:2])}"
        )
    listed = np.isin(areas.codes, codes)
    ours = allocation.selected
    return PublishedComparison(
        file,
        matched=np.flatnonzero(ours & listed),
        missed=np.flatnonzero(listed & ~ours),
        extra=np.flatnonzero(ours & ~listed),
        elsewhere=elsewhere,
    )


@dataclass(frozen=True, slots=True)
class SelectedShares:
    """An allocation on the areas that two are compared on."""

    areas: Areas
    share: Floats  # (n_areas,) share of each one's people whose place is selected, 0..1


@dataclass(frozen=True, slots=True)
class AllocationDifference:
    """How one allocation differs from another."""

    areas: Areas  # what they are compared on
    # first, second: (n_areas,) share of people whose place is selected, in each
    first: Floats
    second: Floats
    # both, only_first, only_second: (n_areas,) share of people whose place is selected in both, or in one alone. Where
    # an area is selected in part by both, the parts are taken to overlap as far as they can.
    both: Floats
    only_first: Floats
    only_second: Floats
    in_need: Bools  # (n_areas,) who is in need, by one yardstick for both

    def people(self, share: Floats, *, in_need: bool = False) -> float:
        """Count residents of a share of each area; unknown populations are left out."""
        residents = self.areas.population * share
        return float(np.nansum(residents[self.in_need] if in_need else residents))

    def to_frame(self) -> pl.DataFrame:
        """Give one row an area that either selects at least in part, those of one alone first."""
        import polars as pl

        table = self.areas.table
        named = [f"{parent}_name" for parent in load_systems().shown(self.areas.parents).values()]
        most = np.argmax([self.only_first, self.only_second, self.both], axis=0)
        where = np.array(["first only", "second only", "both"])[most]
        return (
            table.select("code", "name", "population", *named)
            .with_columns(
                selected_by=pl.Series(where.tolist()),
                first=pl.Series(self.first),
                second=pl.Series(self.second),
                in_need=pl.Series(self.in_need),
            )
            .filter((pl.col("first") > 0) | (pl.col("second") > 0))
            .sort("selected_by", "code", descending=[True, False])
        )


def compare(first: SelectedShares, second: SelectedShares, in_need: Bools) -> AllocationDifference:
    """Compare two allocations on the same areas."""
    if first.areas.codes != second.areas.codes:
        raise DataError(
            f"the allocations are on {len(first.areas):,} {first.areas.called} and {len(second.areas):,} "
            f"{second.areas.called}; expected the same"
        )
    both = np.minimum(first.share, second.share)
    return AllocationDifference(
        first.areas,
        first.share,
        second.share,
        both,
        first.share - both,
        second.share - both,
        in_need,
    )


def selected_shares(
    store: Store, allocation: Allocation, scores: Mapping[str, Scores], ground: Areas
) -> SelectedShares:
    """Give the share of the people of each smaller area of `ground` whose area an allocation selects."""
    selected = allocation.selected.astype(np.float64)
    if allocation.areas.codes == ground.codes:
        return SelectedShares(ground, selected)
    moves = [s.move for s in scores.values() if s.move is not None]
    down = sorted(moves, key=lambda m: m.origin.system != ground.system)
    if not down:
        return SelectedShares(
            ground, np.nan_to_num(build_crosswalk(store, allocation.areas, ground).mean(selected))
        )
    share = _back(down[0], selected)
    if down[0].origin.codes != ground.codes:
        share = np.nan_to_num(build_crosswalk(store, down[0].origin, ground).mean(share))
    return SelectedShares(ground, share)


def _back(move: Crosswalk, selected: Floats) -> Floats:
    """(n_origin,) share of each origin's people that lives in a selected destination."""
    people = np.asarray(move.weights.sum(axis=0)).ravel()
    inside = move.weights.T @ selected
    share: Floats = np.divide(inside, people, out=np.zeros_like(inside), where=people > 0)
    return np.clip(share, 0.0, 1.0)


def in_need_on(
    store: Store, programme: Programme, scores: Mapping[str, Scores], ground: Areas
) -> Bools:
    """Say which smaller areas are in need by a programme's yardstick; each index is carried from where it was built."""
    on_ground: dict[str, Scores] = {}
    for condition in programme.in_need:
        name = condition.path.split("/", 1)[0]
        if name not in scores:
            raise UnknownNameError("index", name, scores, " under 'in_need'")
        built = scores[name].built or scores[name]
        if list(built.codes) != ground.codes:
            move = scores[name].move
            origin = move.origin if move is not None else None
            if origin is None:
                raise DataError(
                    f"index {name} is built on {built.system} and cannot be told on {ground.system}; name the "
                    "programme on smaller areas first, and this one as the other"
                )
            built = built.moved(build_crosswalk(store, origin, ground))
        on_ground[name] = built
    return designate("in need", programme.yardstick, on_ground, ground, changes=False).selected
