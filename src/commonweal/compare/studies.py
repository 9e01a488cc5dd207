"""Compare two indices of the same areas, and two studies: their lists and their indices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.areas.crosswalk import build_crosswalk
from commonweal.compare.similarity import drivers, match_indices, parts_apart, spearman, worst_tenth
from commonweal.designation import Comparison, compare_designations
from commonweal.errors import CommonwealError, DataError, StudyError
from commonweal.files.frames import first_lines
from commonweal.index import rank
from commonweal.index.methods import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.compare.similarity import Pair
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


NO_PARTS = {
    "part": pl.String,
    "share": pl.Float64,
    "drives_first": pl.Int64,
    "drives_second": pl.Int64,
}


@dataclass(frozen=True, slots=True, repr=False)
class IndexComparison:
    """One index compared with another, on the areas of the second.

    Each pair of nodes is ranked among the areas that have both.

    Attributes
    ----------
    pairs
        What is compared with what; the two indices come first.
    areas
        The areas of the second.
    report
        How the first was carried to them; empty where both are on the same areas.
    nodes
        One row a pair: ``first``, ``second`` (dotted paths), their labels, ``areas`` that have
        both, ``spearman``, how many are in the worst tenth of each (``worst_first``,
        ``worst_second``) and of both (``worst_both``), and the people of these and of those in one
        alone (``people_both``, ``people_first_alone``, ``people_second_alone``), NaN if some of
        these are unknown.
    groups
        The same for each pair in each region (or other larger area) and class such as rural-urban:
        ``kind`` and ``group``, ``spearman`` inside the group; worst tenths are those of the whole.
    places
        One row an area: code, name, larger areas and classes, population; ranks on both indices
        (``rank_first``, ``rank_second``) and on each pair below; ``worst_tenth`` (``both``, ``first``,
        ``second`` or nothing); and, where both indices add up what their parts put in, for each
        part how far it sets the two apart (``apart.<name>``, in standard deviations, positive where
        the first says more need; ``apart.second.<name>`` for one that only the second has), the
        part that does most for the difference (``driver``), and what stands out in that part
        (``driver_inside``).
    parts
        One row a part: ``part`` (label), ``share`` of what makes the two differ (shares add up to
        1; below 0 where a part brings them together), and in how many areas that are in the worst
        tenth of the first or the second alone it does most (``drives_first``, ``drives_second``).
        No rows where an index does not add up.
    ranked
        How many areas have both, and are ranked. With a focus, tables and counts are of the areas in it
        alone; ranks and worst tenths are still among all of these.

    Notes
    -----
    Scores and what each part puts into them are divided by the standard deviation of the score, so
    that the difference of two scores is the sum of the parts' differences d_k. The share of a part
    is cov(d_k, d) / var(d).
    """

    pairs: tuple[Pair, ...]
    areas: Areas
    report: dict[str, int]
    nodes: pl.DataFrame
    groups: pl.DataFrame
    places: pl.DataFrame
    parts: pl.DataFrame
    ranked: int

    def __repr__(self) -> str:
        first, second, rho = self.nodes.select("first", "second", "spearman").row(0)
        return f"index {first} and {second}: rank correlation {rho:.2f}; .nodes, .groups, .places and .parts say more"


def compare_indices(
    first: Results,
    second: Results,
    pairs: tuple[Pair, ...],
    store: Store,
    focus: Flags | None = None,
) -> IndexComparison:
    """Compare two indices, across vintages of geography where need be.

    Where their areas differ, the first is carried to those of the second, as means weighted by people. `focus` says
    which areas are counted and named, with ranks and worst tenths among all.
    """
    ours, theirs = (
        r.scores[p.split("/")[0]] for r, p in ((first, pairs[0].first), (second, pairs[0].second))
    )
    report: dict[str, int] = {}
    if list(ours.codes) != list(theirs.codes):
        move = build_crosswalk(store, first.areas, second.areas)
        ours, report = ours.moved(move), move.report
    needs = [_both(ours.need[p.first], theirs.need[p.second]) for p in pairs]
    areas = second.areas
    here = np.ones(len(areas), dtype=bool) if focus is None else focus
    known = ~np.isnan(needs[0][0])
    if not (known & here).any():
        where = "" if focus is None else " in the study's focus"
        raise DataError(
            f"{pairs[0].first} and {pairs[0].second}: no area{where} has a score on both"
        )
    nodes = pl.DataFrame([_row(p, *x, areas, here) for p, x in zip(pairs, needs, strict=True)])
    groups = pl.DataFrame(
        [
            {"kind": kind, "group": name, **_row(p, *x, areas, inside)}
            for kind, name, inside in _groups(areas, here)
            for p, x in zip(pairs, needs, strict=True)
        ],
        infer_schema_length=None,
    )
    places, table = _places(areas, pairs, needs), pl.DataFrame(schema=NO_PARTS)
    parts = parts_apart((first, ours), (second, theirs), pairs, known)
    if parts:
        inside = [replace(part, apart=np.where(here, part.apart, np.nan)) for part in parts]
        more, table = drivers(inside, places["worst_tenth"])
        places = places.hstack(more)
    return IndexComparison(
        pairs, areas, report, nodes, groups, places.filter(pl.Series(here)), table, int(known.sum())
    )


def _both(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Leave only areas that have both."""
    known = ~np.isnan(x) & ~np.isnan(y)
    return np.where(known, x, np.nan), np.where(known, y, np.nan)


def _row(pair: Pair, x: Floats, y: Floats, areas: Areas, here: Flags) -> dict[str, object]:
    """Say how alike two nodes are, over the areas here."""
    a, b = worst_tenth(x) & here, worst_tenth(y) & here
    people = areas.population
    return {
        "first": pair.first.replace("/", "."),
        "second": pair.second.replace("/", "."),
        "first_label": pair.first_label,
        "second_label": pair.second_label,
        "areas": int((~np.isnan(x) & here).sum()),
        "spearman": spearman(x[here], y[here]),
        "worst_first": int(a.sum()),
        "worst_second": int(b.sum()),
        "worst_both": int((a & b).sum()),
        "people_both": float(people[a & b].sum()),
        "people_first_alone": float(people[a & ~b].sum()),
        "people_second_alone": float(people[b & ~a].sum()),
    }


def _groups(areas: Areas, here: Flags) -> Iterator[tuple[str, str, Flags]]:
    """Yield each region, or larger area of the last kind, and each class, with who of those here lies in it."""
    tier = "region" if "region" in areas.parents else next(iter(areas.parents[-1:]), "")
    for kind, column in ((tier, f"{tier}_name"), *((c, c) for c in areas.classes)):
        if kind:
            values = areas.table[column]
            for name in values.filter(pl.Series(here)).drop_nulls().unique().sort():
                yield kind, name, (values == name).fill_null(value=False).to_numpy() & here


def _places(
    areas: Areas, pairs: tuple[Pair, ...], needs: list[tuple[Floats, Floats]]
) -> pl.DataFrame:
    x, y = needs[0]
    a, b = worst_tenth(x), worst_tenth(y)
    columns: dict[str, object] = {"rank_first": rank(x), "rank_second": rank(y)}
    for pair, (u, v) in zip(pairs[1:], needs[1:], strict=True):
        name = pair.first.split("/", 1)[1].replace("/", ".")
        columns |= {f"{name}.rank_first": rank(u), f"{name}.rank_second": rank(v)}
    worst = np.select([a & b, a, b], ["both", "first", "second"], "")
    frame = pl.DataFrame(columns).fill_nan(None).cast(pl.Int64)
    return areas.table.drop("longitude", "latitude").hstack(
        frame.with_columns(worst_tenth=pl.Series(worst.tolist(), dtype=pl.String))
    )


@dataclass(frozen=True, slots=True, repr=False)
class StudyComparison:
    """Two studies compared, on the areas of the second.

    Attributes
    ----------
    first, second
        The runs.
    lists
        How the designation of the second differs from that of the first; None unless each has
        exactly one.
    indices
        Those that both have, by name, label or what is stated.
    focus
        (n_areas of `second`,) what is counted and named: the focus of the second study, or of the first if the
        second has none; None where neither has one.
    """

    first: Results
    second: Results
    lists: Comparison | None
    indices: tuple[IndexComparison, ...]
    focus: NDArray[np.bool_] | None = None

    def __repr__(self) -> str:
        lines = [f"Comparison of {self.first.study.name} and {self.second.study.name}"]
        if self.lists is not None:
            lines.append(f"{self.lists._about()}; .lists.to_frame() names them")
        lines += first_lines(map(repr, self.indices))
        return "\n".join([*lines, *([".indices has each of these"] if self.indices else [])])


def compare_results(
    first: Results | Study | str | Path,
    second: Results | Study | str | Path | None = None,
    *,
    match: Mapping[str, str] | None = None,
    store: Store | None = None,
) -> StudyComparison:
    """Compare the results of two studies: who enters, leaves and stays, and how alike the indices are.

    Parameters
    ----------
    first, second
        The results; where their areas differ, the first are carried to those of the second. A study, its name or
        file, or a results folder stands for its results: they are opened where they are, else the study is run.
    match
        By an index or domain of the first, what the second calls it.
    store
        For the links between area systems; as the environment says if not given.

    Examples
    --------
    >>> import commonweal as cw
    >>> before = cw.run("demo", draws=0, geometry=False)
    >>> after = before.rescore(cut={"left_behind": "15%"})
    >>> found = cw.compare(before, after)
    >>> int(found.lists.enter.sum()), int(found.lists.leave.sum())
    (12, 0)
    """
    from commonweal.sources import Store

    store = Store.given_or_found(store)
    if second is None:
        raise CommonwealError(
            f"compare: found one alone, {shown(first)}; expected two: compare(FIRST, SECOND), "
            "each results (of run or open), a study, its name, or a path"
        )
    return compare_studies(_results(first, store), _results(second, store), store, match)


def _results(given: Results | Study | str | Path, store: Store) -> Results:
    """Give results, those of a study, or those that a name or path stands for."""
    from commonweal.spec import Study
    from commonweal.study.fingerprint import load_asked, open_or_run
    from commonweal.study.results import Results

    if isinstance(given, Results):
        return given
    if not isinstance(given, Study | str | Path):
        raise CommonwealError(
            f"compare: found {shown(given)}; expected results (of run or open), a study, its name, or a path"
        )
    study = given if isinstance(given, Study) else load_asked(str(given))
    return open_or_run(study, store, draws=0, geometry=False)


def compare_studies(
    first: Results, second: Results, store: Store, stated: Mapping[str, str] | None = None
) -> StudyComparison:
    """Compare the lists and the indices of two runs."""
    matched = match_indices(first, second, stated)
    alone = all(len(r.designations) == 1 for r in (first, second))
    if not (alone or matched):
        several = "; ".join(
            f"study {r.study.name} designates {', '.join(r.designations) or 'nothing'}"
            for r in (first, second)
        )
        raise StudyError(
            f"{several}; a comparison of lists needs exactly one designation in each, one of indices the "
            "same name or label in both, or --match"
        )
    here = _focus(first, second, store)
    lists = None
    if alone:
        before, after = (next(iter(r.designations.values())) for r in (first, second))
        lists = compare_designations(before, after, store)
        lists = lists if here is None else lists.inside(here)
    indices = tuple(compare_indices(first, second, m, store, here) for m in matched)
    return StudyComparison(first, second, lists, indices, here)


def _focus(first: Results, second: Results, store: Store) -> NDArray[np.bool_] | None:
    """(n_areas of `second`,) what is counted; None for everything.

    Carried to other areas, one is in focus where at least half of its people live in one that is.
    """
    found = []
    for results in (first, second):
        if not results.study.focus:
            continue
        here = results.focus
        if results.areas.codes != second.areas.codes:
            move = build_crosswalk(store, results.areas, second.areas)
            here = np.nan_to_num(move.mean(here.astype(np.float64))) >= 0.5 - 1e-9
        found.append(here)
    if not found:
        return None
    both, either = np.logical_and.reduce(found), np.logical_or.reduce(found)
    # The same focus, carried to areas of another vintage, differs at its edge.
    named = [sorted(r.study.focus.values()) for r in (first, second)]
    carried = named[0] == named[1] and first.areas.codes != second.areas.codes
    if not both.any() or not (carried or np.array_equal(both, either)):
        stated = " and ".join(
            f"{r.study.name} has focus: {dict(r.study.focus)}"
            for r in (first, second)
            if r.study.focus
        )
        told = f"no {second.areas.singular} is in both"
        if both.any():
            told = f"of the {either.sum():,} {second.areas.plural} in either, {both.sum():,} are in both"
        raise StudyError(
            f"{stated}, and {told}; expected the same focus in both, or in one of them"
        )
    return found[-1]
