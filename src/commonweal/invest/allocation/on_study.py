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
    """A programme worked out on its study.

    Attributes
    ----------
    results
        The run of the study.
    scores
        Its indices on the areas that were chosen from.
    allocation
        Who gets an award.
    chance
        How sure that is; None without draws.
    built
        How the areas were built up; None where they are the study's.
    shapes
        ``code`` and ``geometry`` (WKB, WGS 84) of the areas chosen from; null where unknown.
    published
        The list beside a published one; None where none was given.
    """

    results: Results
    scores: Mapping[str, Scores]
    allocation: Allocation
    chance: AllocationCertainty | None
    built: Built | None
    shapes: pl.DataFrame
    published: PublishedComparison | None = None

    @property
    def closed(self) -> list[str]:
        """Titles of the sources that are not open, so that what rests on them is marked."""
        known = load_catalogue()
        ids = {m.source for i in self.results.indicators.values() for m in i.meta}
        return sorted(known[i].title for i in ids if i in known and known[i].use != "open")


@dataclass(frozen=True, slots=True)
class AllocationComparison:
    """Another programme, and how the first differs from it.

    Attributes
    ----------
    other
        The other programme, worked out.
    difference
        The first beside the other.
    """

    other: AllocationResult
    difference: AllocationDifference


def exclusions_of(programme: Programme, tables: Sequence[str] = ()) -> Exclusions:
    """Read the codes that a programme excludes, and refuse a programme that lacks some.

    Parameters
    ----------
    programme
        The rule.
    tables
        Tables of codes: `commonweal.invest.allocation.eligibility.read_exclusions`.

    Returns
    -------
    mapping
        Codes by the exclusion's name; None where one is left out.

    Raises
    ------
    StudyError
        If an exclusion has no codes.
    """
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

    Parameters
    ----------
    name
        A programme that ships, or the path of a YAML file.
    store
        Where source files come from.
    exclude
        Tables of codes, as `exclusions_of`.
    draws
        In place of the study's; 0 for none.
    shapes
        Whether outlines are wanted for maps; areas that are built up need them anyway.
    published
        A table of the codes of the programme's own list, to set the outcome beside.
    progress
        Called as ``progress(what, done, total)``.
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
    """Apply a programme's rule to a run of its study.

    Parameters
    ----------
    programme
        The rule.
    results
        A run of the study that it names; with boundaries where the programme builds areas up.
    store
        Where lookups are read.
    exclusions
        From `exclusions_of`.
    draws
        In place of those of the run's study; 0 for none.
    progress
        Called as ``progress(what, done, total)``.
    """
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
    """Work another programme out and compare.

    Parameters
    ----------
    worked
        The first.
    name
        The other: one that ships, or the path of a YAML file.
    store
        Where source files come from.
    exclude
        Tables of codes, as for the first; the other takes those that it has an exclusion for.
    ground
        The area system that both are put on where they choose from different areas; by default, the one that
        people of the first set out from.
    """
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
