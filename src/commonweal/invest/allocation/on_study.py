"""Allocate on a study: run it, apply the rule, say how sure it is, and compare it with another rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from commonweal.areas.areas import load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.allocate import allocate, allocation_certainty
from commonweal.invest.allocation.comparison import (
    compare,
    compare_with_published,
    in_need_on,
    selected_shares,
)
from commonweal.invest.allocation.eligibility import (
    excluded,
    read_codes,
    read_exclusions,
    with_groups,
)
from commonweal.invest.allocation.regions import build_up
from commonweal.sources.catalogue import load_catalogue
from commonweal.spec.study import load_study
from commonweal.study.fingerprint import open_or_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from commonweal.index import Scores
    from commonweal.invest.allocation import Programme
    from commonweal.invest.allocation.allocate import Allocation, AllocationCertainty
    from commonweal.invest.allocation.comparison import AllocationDifference, PublishedComparison
    from commonweal.invest.allocation.regions import Built
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.study.results import Results

    Exclusions = Mapping[str, Sequence[str] | None]
    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class AllocationResult:
    """A programme worked out on its study."""

    results: Results  # the run of the study
    scores: Mapping[str, Scores]  # its indices on the areas that were chosen from
    allocation: Allocation
    certainty: AllocationCertainty | None  # how sure that is; None without draws
    built: Built | None  # how the areas were built up; None where they are the study's
    # ``code`` and ``geometry`` (WKB, WGS 84) of the areas chosen from; null where unknown
    shapes: pl.DataFrame
    # the list beside a published one; None where none was given
    published: PublishedComparison | None = None

    @property
    def closed(self) -> list[str]:
        """Titles of the sources that are not open, so that what rests on them is marked."""
        known = load_catalogue()
        ids = {m.source for i in self.results.indicators.values() for m in i.meta}
        return sorted(known[i].title for i in ids if i in known and known[i].use != "open")


@dataclass(frozen=True, slots=True)
class AllocationComparison:
    """Another programme, and how the first differs from it."""

    other: AllocationResult  # the other programme, worked out
    difference: AllocationDifference  # the first beside the other


def exclusions_of(programme: Programme, tables: Sequence[str] = ()) -> Exclusions:
    """Read the codes that a programme excludes, and refuse a programme that lacks some."""
    codes = read_exclusions(programme, tables)
    excluded(programme, codes)
    return codes


def run_programme(
    name: str,
    store: Store,
    exclude: Sequence[str] = (),
    *,
    draws: int | None = None,
    shapes: bool = False,
    published: Path | None = None,
    progress: Progress | None = None,
) -> AllocationResult:
    """Open or run a programme's study, as `commonweal.study.fingerprint.open_or_run` does, and apply the rule.

    Areas that are built up need outlines whether `shapes` asks for them or not; `published` is a table of codes to
    compare the outcome with.
    """
    programme = load_programme(name)
    exclusions = exclusions_of(programme, exclude)  # before the work, not after it
    listed = None if published is None else read_codes(published, "code")
    wanted = shapes or programme.build is not None
    study = load_study(programme.study)
    results = open_or_run(
        study, store, draws=0, sensitivity=False, geometry=wanted, progress=progress
    )
    wanted_draws = draws_of(study) if draws is None else draws
    worked = apply_programme(
        programme, results, store, exclusions, draws=wanted_draws, progress=progress
    )
    if published is None or listed is None:
        return worked
    return replace(
        worked, published=compare_with_published(worked.allocation, listed, published.name)
    )


def draws_of(study: Study) -> int:
    """Say how many draws a study asks for; a run that was told otherwise keeps what it was told."""
    return study.certainty.draws if study.certainty else 0


def apply_programme(
    programme: Programme,
    results: Results,
    store: Store,
    exclusions: Exclusions | None = None,
    *,
    draws: int | None = None,
    progress: Progress | None = None,
) -> AllocationResult:
    """Apply a programme's rule to a run of its study."""
    spec = results.study.certainty
    if spec is not None and draws is not None:
        spec = spec.model_copy(update={"draws": draws})
    areas, scores, built = with_groups(results.areas, programme.groups, store), results.scores, None
    outlines = results.boundaries.select("code", "geometry")
    if programme.build is not None:
        built = build_up(programme, scores, areas, outlines)
        areas, scores, outlines = built.areas, built.scores, built.shapes
    allocation = allocate(programme, scores, areas, exclusions)
    sure = None
    if spec is not None and spec.draws:
        sure = allocation_certainty(allocation, scores, results.indicators, spec, progress)
    return AllocationResult(results, scores, allocation, sure, built, outlines)


def compare_programmes(
    worked: AllocationResult,
    name: str,
    store: Store,
    exclude: Sequence[str] = (),
    ground: str = "",
) -> AllocationComparison:
    """Work another programme out and compare, on `ground` or where people of the first set out from."""
    own = load_programme(name).exclude
    named = [
        e for e in exclude if ("=" in e and e.partition("=")[0] in own) or ("=" not in e and own)
    ]
    other = run_programme(name, store, named, draws=0)
    first, second = worked.allocation, other.allocation
    if first.areas.codes == second.areas.codes:
        areas, in_need = first.areas, first.in_need
    else:
        ground = ground or load_systems().origins_for(worked.results.areas.system)
        areas = load_areas(store, ground, within=worked.results.study.where)
        in_need = in_need_on(store, first.programme, worked.scores, areas)
    grounds = [selected_shares(store, w.allocation, w.scores, areas) for w in (worked, other)]
    return AllocationComparison(other, compare(grounds[0], grounds[1], in_need))
