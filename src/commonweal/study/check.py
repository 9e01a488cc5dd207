"""What a run would refuse in a study's tables, and what it would leave out of the user's own, before it runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.access.conflation import load_places
from commonweal.access.places import load_taxonomy
from commonweal.access.registers import load_registers
from commonweal.areas import Areas
from commonweal.areas.areas import check_date, code_texts, load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.errors import DataError, UnreachableError, WrongBytesError
from commonweal.indicators.indicators import (
    check_columns,
    constants,
    evaluate_formula,
    names_in,
    refuse_sparse,
    too_sparse,
)
from commonweal.indicators.read import (
    code_column,
    read_column,
    read_flags,
    read_indicators,
    to_numbers,
)
from commonweal.sources.store import COUNTY
from commonweal.spec.data import OwnAreas
from commonweal.spec.study import earlier_study
from commonweal.study.areas import indicator_source, study_areas, study_shapes, years_of
from commonweal.study.files import (
    check_replaced,
    check_there,
    code_of,
    file_source,
    own_source,
    read_points,
    stated_code,
    with_replaced,
)
from commonweal.study.indicators import aligned, takes_long
from commonweal.study.reach import area_points, check_near, no_such, registers_read
from commonweal.study.run import refuse_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.access.places import Places
    from commonweal.indicators.read import IndicatorSource
    from commonweal.sources import Source, Store
    from commonweal.spec import Study
    from commonweal.spec.data import FileOrSource, WholeFile


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a table of the user's own reaches: areas with a value, and rows of no area."""

    # name, file: the indicator, and the file that it is read from
    name: str
    file: str
    known: int  # how many of the areas have a value
    # how many areas should have one: all, or those in focus for a column that is only shown; None where that could not
    # be seen without fetching anything
    areas: int | None
    # codes in the file that are of no area of the study, in the order of the file
    aside: tuple[str, ...]


@dataclass(slots=True)
class Checked:
    """What was looked at."""

    files: int
    areas: Areas | None = None  # the areas of the study; None where they are not on this machine
    coverage: list[Coverage] = field(default_factory=list)  # of each column of the user's own
    # the indicators that nothing in the study reads
    unused: list[str] = field(default_factory=list)
    # the leaves of an index that have the same value everywhere, and that value
    constant: dict[str, float] = field(default_factory=dict)
    # how many areas have none where the study names a file of outlines
    without_outline: int = 0
    # the sources that are not on this machine, so that nobody looked into them
    unseen: list[str] = field(default_factory=list)


_ABSENT = (UnreachableError, WrongBytesError)
"""What a run would fetch: it may be on this machine damaged."""


def check_files(study: Study, store: Store) -> Checked:
    """Open a study's tables, and refuse what a run would refuse, in the same words.

    Nothing is fetched: of a source that is not on this machine only the id is looked up. Where the areas are not, only
    the look of their codes is known. Where all that an index takes is here, and takes no walks, it is scored.
    """
    check_there(study)
    found = Checked(len(study.named_files()), unseen=check_replaced(study, store))
    store = with_replaced(study, store.offline_only())
    if study.since:
        earlier_study(study)
    if isinstance(study.areas, OwnAreas):
        drawn = study.areas.boundaries
        if all(_seen(of, found, store) for of in (study.areas, *study.areas.join)):
            found.areas = study_areas(study, store)
            if drawn and _seen(drawn, found, store):
                shapes, _ = study_shapes(study, found.areas, store, geometry=True)
                found.without_outline = shapes["geometry"].null_count()
    else:
        found.areas = _here(study, store)
    if found.areas is not None:
        study.in_focus(found.areas.table)
    mine = _check_access(study, found, store)
    on = found.areas or _system_of(study)
    names: dict[tuple[str, str | None], list[str]] = {
        ("", None): [*study.capital_on().get("", []), *study.on_areas(study.show).get("", [])]
    }
    for index in study.index:
        names.setdefault(study.built_on(index), []).extend(study.read_with(index))
    used = {name for read in names.values() for name in read}
    found.unused = [name for name in study.indicators if name not in used]
    _check_kinds(study, used, mine, found, store)
    low: dict[str, tuple[str, int, int, float]] = {}
    for (system, people), read in names.items():
        there = _built_on(study, system, people, store) if system else on
        low |= _check_columns(study, list(dict.fromkeys(read)), there, found, store)
    refuse_sparse(list(low.values()))
    for compared in study.agreement:
        if not _seen(compared, found, store):
            continue
        source, code = own_source(study, compared, store), stated_code(study, compared)
        known = _known(on, source, code, store)
        name = compared.designation or compared.index
        if compared.compare == "flag":
            read_flags(store, source, compared.column, code, known, name)
        else:
            read_column(store, source, compared.column, code, known, name)
    found.unseen = list(dict.fromkeys(found.unseen))
    if found.areas is not None:
        quick = [i for i in study.index if _is_quick(study, i)]
        with suppress(*_ABSENT):
            refuse_scores(study, quick, found.areas, store)
    return found


def _is_quick(study: Study, index: str) -> bool:
    by_part = study.index[index].move.by != "link" and study.built_on(index)[0]
    return not by_part and not any(takes_long(study, name) for name in study.read_with(index))


def _seen(spec: FileOrSource | WholeFile, found: Checked, store: Store) -> bool:
    """Whether a file or source can be opened; what would have to be fetched is put down as unseen."""
    if spec.source:
        try:
            store.path(spec.source)
        except _ABSENT:
            found.unseen.append(spec.source)
            return False
    return True


def _here(study: Study, store: Store) -> Areas | None:
    try:
        return study_areas(study, store)
    except _ABSENT:
        check_date(str(study.areas), study.population)
        return None


def _system_of(study: Study) -> str:
    return "" if isinstance(study.areas, OwnAreas) else study.areas


def _built_on(study: Study, system: str, people: str | None, store: Store) -> Areas | str:
    """Give the areas of an index, or the name of their system where they are not on this machine."""
    try:
        return load_areas(store, system, within=study.where, population_at=people)
    except _ABSENT:
        check_date(system, people)
        return system


def _check_columns(
    study: Study, names: Sequence[str], on: Areas | str, found: Checked, store: Store
) -> dict[str, tuple[str, int, int, float]]:
    """Read the columns of the user's own that an index takes, all of a file at once; give those with too few values."""
    low: dict[str, tuple[str, int, int, float]] = {}
    plain: dict[tuple[str, str], list[IndicatorSource]] = {}
    seen = {coverage.name for coverage in found.coverage}
    for name in names:
        spec = study.indicators[name]
        if spec.made:
            made = _check_made(study, name, on, found, store)
            found.coverage += [made] if made is not None and name not in seen else []
            continue
        if spec.year and not _seen(spec.table(), found, store):
            continue
        for year in years_of(study, name, store):
            if _seen(spec.table(year), found, store):
                wanted = indicator_source(study, name, store, year)
                # Where the areas are known, all files together: all that is wrong is told at once.
                key = ("", "") if isinstance(on, Areas) else (wanted.source.id, wanted.code)
                plain.setdefault(key, []).append(wanted)
    leaves = {name for index in study.index for name in study.leaves(index)}
    last = (0, study.panel.years[-1] if study.panel else 0)
    for group in plain.values():
        source, code = group[0].source, group[0].code
        known = _known(on, source, code, store)
        by_year: dict[int, list[IndicatorSource]] = {}
        for wanted in group:
            by_year.setdefault(wanted.year, []).append(wanted)
        for of_year in by_year.values():
            read, _ = read_indicators(store, of_year, known)
            if isinstance(on, Areas) and not study.prepare and of_year[0].year in last:
                specs = {w.indicator.name: study.indicators[w.indicator.name] for w in of_year}
                whole = {name: spec.coverage for name, spec in specs.items() if name in leaves}
                low |= {of[0]: of for of in too_sparse(read, list(whole), whole)}
            if isinstance(on, Areas) and of_year[0].year in last:
                found.constant |= constants(read, leaves)
            for at, wanted in enumerate(of_year):
                name = wanted.indicator.name + (f" {wanted.year}" if wanted.year else "")
                if name in seen or not _is_own(wanted.source):
                    continue
                has = ~np.isnan(read.values[:, at])
                if not isinstance(on, Areas):
                    found.coverage.append(
                        Coverage(name, wanted.source.called, int(has.sum()), None, ())
                    )
                    continue
                if wanted.indicator.name not in leaves:  # it is only shown, where areas are listed
                    listed = study.in_focus(on.table)
                else:
                    listed = np.ones(len(on), dtype=bool)
                n = int((has & listed).sum())
                reach = _coverage(name, wanted.source, wanted.code, n, on, store)
                found.coverage.append(replace(reach, areas=int(listed.sum())))
    return low


def _coverage(
    name: str, source: Source, code: str, known: int, areas: Areas, store: Store
) -> Coverage:
    code = code or code_column(store.table(source), source, areas)
    codes = code_texts(store.table(source, [code])[code], source.called).fill_null("")
    aside = codes.filter(~codes.is_in(areas.codes)).unique(maintain_order=True)
    return Coverage(name, source.called, known, len(areas), tuple(aside))


def _check_access(study: Study, found: Checked, store: Store) -> list[tuple[Source, Places]]:
    """Look for the kinds of places that are asked for, and into one's own places and maps; give those places."""
    kinds = load_taxonomy()
    for spec in study.indicators.values():
        kinds.kinds_of(spec.reach.to if spec.reach else ())
    mine = {}
    for table in study.access.points:
        if _seen(table, found, store):
            source = own_source(study, table, store)
            places, areas = read_points(source, store), found.areas
            mine[source.id] = source, places
            if areas is not None and areas.table["longitude"].is_not_null().any():
                check_near(area_points(areas).points, places, f"{source.called}: ")
    for file in study.access.maps:
        if _seen(file, found, store):
            store.path(file_source(study, file, store))
    return list(mine.values())


MOST_MAP_BYTES = 10_000_000
"""Larger maps are left to the run: this takes seconds."""


def _check_kinds(
    study: Study,
    used: set[str],
    mine: Sequence[tuple[Source, Places]],
    found: Checked,
    store: Store,
) -> None:
    """Refuse to measure reach to a kind of place that no register, table or small map of the study has."""
    kinds, access, known = load_taxonomy(), study.access, load_registers()
    wanted = {name: spec.to for name in sorted(used) if (spec := study.indicators[name].reach)}
    if len(mine) < len(access.points) or any(f.source in found.unseen for f in access.maps):
        return
    names, areas = list(known if access.registers is None else access.registers), found.areas
    if areas is not None and areas.table["longitude"].is_not_null().any():
        names = registers_read(access.registers, area_points(areas).points)
    there = {of.kind for name in names for of in known[name].kinds}
    there = there.union(*(places.table["kind"] for _, places in mine))

    def lacking() -> list[str]:
        return [name for name, to in wanted.items() if not there & {*kinds.kinds_of(to)}]

    if not lacking():
        return
    maps = [file_source(study, file, store) for file in access.maps]
    paths = {source.id: store.path(source) for source in maps}
    if sum(path.stat().st_size for path in paths.values()) > MOST_MAP_BYTES:
        return
    places = load_places(store, [], paths, [places for _, places in mine]).places
    there |= {*places.table["kind"]}
    for name in lacking():
        sources = (*(source for source, _ in mine), *map(store.source, names), *maps)
        among = "those" if names else f"the {len(places):,}"
        raise DataError(f"{name}: {no_such(wanted[name], among, sources)}")


def _check_made(
    study: Study, name: str, on: Areas | str, found: Checked, store: Store
) -> Coverage | None:
    """Look into the table of an indicator that is computed or carried."""
    spec = study.indicators[name]
    if spec.timetable:
        _seen(spec.timetable, found, store)
    if spec.complete and spec.complete.column and _seen(spec.complete, found, store):
        totals = own_source(study, spec.complete, store)
        to_numbers(store.table(totals, [spec.complete.column]), spec.complete.column, totals)
    if not spec.reads or not _seen(spec.table(), found, store):
        return None
    source = own_source(study, spec.table(), store)
    if spec.areas and not (isinstance(on, Areas) and on.system == spec.areas):
        try:
            on = load_areas(store, spec.areas)
        except _ABSENT:
            on = spec.areas
        code = stated_code(study, spec)
    else:
        code = code_of(study, spec, source, store)
    wanted = names_in(spec.formula, name) if spec.formula else [str(spec.column)]
    table = store.table(source)
    check_columns(wanted, table.columns, name, source.called)
    store.table(source, wanted)
    known = _known(on, source, code, store)
    code = code or code_column(table, source, known)
    check_columns([code], table.columns, name, source.called)
    try:
        value = (
            evaluate_formula(spec.formula, table, name, source.called)
            if spec.formula
            else to_numbers(table, str(spec.column), source)
        )
    except DataError as error:
        raise error if f"{name}:" in str(error) else DataError(f"{name}: {error}") from None
    codes = code_texts(table[code], source.called)
    if not isinstance(on, Areas):
        has = codes.filter(value.is_not_null() & codes.is_in(known.codes)).n_unique()
        return Coverage(name, source.called, has, None, ()) if _is_own(source) else None
    values, _ = aligned(name, codes, value, on, source, add=spec.add)
    if not _is_own(source):
        return None
    return _coverage(name, source, code, int((~np.isnan(values)).sum()), on, store)


def _is_own(source: Source) -> bool:
    """Whether a source is a file of the user's own, named in the study or in a catalogue of theirs."""
    return source.path is not None and not source.id.startswith(COUNTY)


def _known(on: Areas | str, source: Source, code: str, store: Store) -> Areas:
    """Give areas to look for in a file: those known, else its own codes that look like the system's."""
    if isinstance(on, Areas):
        return on
    system = load_systems().systems.get(on)
    pattern = system.pattern if system else ".+"
    table = store.table(source, [code] if code else None)
    texts = [code] if code else [c for c, kind in table.schema.items() if kind == pl.String]
    for column in texts:
        found = code_texts(table[column], source.called).drop_nulls()
        found = found.filter(found.str.contains(f"^(?:{pattern})$"))
        if len(found):
            # One that is there twice may be of a place that the study leaves out.
            once = found.filter(found.is_unique())
            codes = once if len(once) else found.unique()
            table = pl.DataFrame(
                {"code": codes, "population": pl.Series([None] * len(codes), dtype=pl.Float64)}
            )
            return Areas(on, on, "area", "areas", table)
    what = f"'{code}'" if code else f"of text ({', '.join(texts) or 'none'})"
    raise DataError(
        f"{source.title}: no code in column {what} is one of {on}; expected the form {pattern}"
    )
