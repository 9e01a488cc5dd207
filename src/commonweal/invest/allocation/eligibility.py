"""Which areas are eligible: a programme's conditions, excluded lists, and larger areas that it names."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonweal.areas.areas import code_texts, load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.errors import DataError, StudyError, UnknownNameError
from commonweal.files.inputs import record_input
from commonweal.sources.catalogue import local_source
from commonweal.sources.sandbox import reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.invest.allocation.programme import Grouping, Lookup, Names, Programme
    from commonweal.sources import Store


class Codes(list[str]):
    """Codes of a table, which know the file that they stand in."""

    file: str = ""


def with_groups(areas: Areas, groups: Mapping[str, Grouping], store: Store) -> Areas:
    """Add the parents that a programme states: each area's by where most of its people are."""
    for name, grouping in groups.items():
        if name in areas.table.columns:
            raise DataError(
                f"group '{name}': the areas have a column of that name; expected another"
            )
        pairs = _people_in_common(store, grouping.lookup, areas)
        held = largest_overlap(pairs)
        if held.is_empty():
            raise DataError(
                f"group '{name}': {_title(grouping.lookup)} has none of the {len(areas):,} {areas.called}; "
                f"expected their codes in column '{grouping.lookup.code}'"
            )
        held = _named(store, held, grouping.names).rename({"group": name, "label": f"{name}_name"})
        table = areas.table.join(held, on="code", how="left", maintain_order="left")
        areas = replace(areas, table=table, parents=(*areas.parents, name))
    return areas


def largest_overlap(pairs: pl.DataFrame) -> pl.DataFrame:
    """Give each area the group that holds most of its people; of equals the first by code."""
    summed = pairs.group_by("code", "group").agg(pl.col("people").sum())
    ordered = summed.sort("code", "people", "group", descending=[False, True, False])
    return ordered.unique("code", keep="first", maintain_order=True).select("code", "group")


def _title(lookup: Lookup) -> str:
    return lookup.source or Path(lookup.file).name


def _people_in_common(store: Store, lookup: Lookup, areas: Areas) -> pl.DataFrame:
    """Give ``code`` of an area, ``group`` and ``people`` that they have in common."""
    source = store.source(lookup.source) if lookup.source else local_source(Path(lookup.file))
    wanted = [c for c in (lookup.code, lookup.group, lookup.people) if c]
    table = store.table(source)
    for column in wanted:
        if column not in table.columns:
            raise UnknownNameError("column", column, table.columns, f" in {_title(lookup)}")
    people = pl.col(lookup.people).cast(pl.Float64) if lookup.people else pl.lit(1.0)
    pairs = table.select(
        small=code_texts(table[lookup.code]), group=code_texts(table[lookup.group]), people=people
    ).drop_nulls()
    if lookup.areas in ("", areas.system):
        return pairs.rename({"small": "code"}).filter(pl.col("code").is_in(areas.codes))
    if lookup.areas not in load_systems().systems:
        raise UnknownNameError("area system", lookup.areas, load_systems().systems)
    small = load_areas(store, lookup.areas)
    move = build_crosswalk(store, small, areas).weights.tocoo()
    lies = pl.DataFrame(
        {
            "small": [small.codes[i] for i in move.col],
            "code": [areas.codes[i] for i in move.row],
            "here": move.data,
        }
    ).with_columns(part=pl.col("here") / pl.col("here").sum().over("small"))
    joined = lies.join(pairs, on="small")
    return joined.select("code", "group", people=pl.col("people") * pl.col("part"))


def _named(store: Store, held: pl.DataFrame, names: Names | None) -> pl.DataFrame:
    """Give groups their published codes and names."""
    if names is None:
        return held.with_columns(label=pl.col("group"))
    found = json.loads(store.path(store.source(names.source)).read_text("utf-8"))
    table = pl.DataFrame(
        {
            "group": list(found),
            "published": [entry[names.code] for entry in found.values()],
            "label": [entry[names.name] for entry in found.values()],
        }
    )
    joined = held.join(table, on="group", how="left", maintain_order="left")
    return joined.select(
        "code", group=pl.coalesce("published", "group"), label=pl.coalesce("label", "group")
    )


def read_codes(file: Path, column: str) -> Codes:
    """Read a list of codes from a table."""
    record_input(file)
    try:
        table = pl.read_csv(file, infer_schema=False)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a table that can be read: {reason_of(error)}") from None
    if column not in table.columns:
        if len(table.columns) != 1:
            raise UnknownNameError("column", column, table.columns, f" in {file.name}")
        column = table.columns[0]
    codes = code_texts(table[column]).drop_nulls()
    found = Codes(codes.filter(codes != "").unique(maintain_order=True))
    found.file = str(file)
    if not found:
        raise DataError(f"{file}: no code in column '{column}'; expected at least one")
    return found


def read_exclusions(
    programme: Programme, given: Sequence[str] = ()
) -> dict[str, Sequence[str] | None]:
    """Read the codes that a programme excludes.

    `given` are tables of a user's own: ``NAME=FILE`` for an exclusion of the rule, ``FILE`` for the first that has no
    codes (or for one more if all have); ``none`` in place of a file leaves an exclusion out.
    """
    found: dict[str, Sequence[str] | None] = {
        name: read_codes(Path(e.file), e.column) for name, e in programme.exclude.items() if e.file
    }
    for said in given:
        named, _, file = said.rpartition("=")
        open_ones = [n for n, e in programme.exclude.items() if not e.codes and n not in found]
        name = named or (open_ones[0] if open_ones else Path(file).stem)
        if named and named not in programme.exclude:
            raise UnknownNameError("exclusion", named, programme.exclude, f" in {programme.name}")
        stated = programme.exclude.get(name)
        column = stated.column if stated else "code"
        found[name] = None if file == "none" else read_codes(Path(file), column)
    return found


Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EligibilityTest:
    """A condition: who passes it, what is said of who does not, and what it is called."""

    passes: Bools
    said: str
    words: str
    threshold: bool = False


def steps_of(
    programme: Programme,
    designation: Designation,
    need: Floats,
    areas: Areas,
    exclusions: Mapping[str, Sequence[str] | None],
) -> tuple[list[EligibilityTest], tuple[str, ...]]:
    """Give every condition in order, and the names of exclusions that were left out."""
    steps = [EligibilityTest(~np.isnan(need), "no score", "has a score on all that ranks")]
    for condition, tested in zip(programme.eligible, designation.tested, strict=False):
        steps.append(
            EligibilityTest(tested.passes, f"not in the {condition}", str(condition), True)
        )
    left_out = []
    for name, codes in excluded(programme, exclusions):
        if codes is None:
            left_out.append(name)
            continue
        stated = programme.exclude.get(name)
        said = f"excluded: {stated.what if stated else name}"
        stand = codes.file if isinstance(codes, Codes) else name
        hit = _are(areas, codes, stated.parent if stated else "", stand)
        steps.append(EligibilityTest(~hit, said, said))
    if programme.people is not None:
        people, window = areas.population, programme.people
        most = np.inf if window.max is None else window.max
        words = f"at least {window.min:,.0f}"
        words = words if window.max is None else f"{window.min:,.0f} to {window.max:,.0f}"
        known = ~np.isnan(people)
        steps += [
            EligibilityTest(known, "population unknown", "has a known population"),
            EligibilityTest(
                known & (people >= window.min) & (people <= most),
                f"not {words} people",
                f"{words} people",
            ),
        ]
    return steps, tuple(left_out)


def go_through(name: str, steps: Sequence[EligibilityTest]) -> tuple[Bools, NDArray[np.object_]]:
    """Go through the conditions, keeping for each area the first that it does not pass."""
    left = np.ones(len(steps[0].passes), dtype=bool)
    why = np.full(len(left), "", dtype=object)
    for step in steps:
        why[left & ~step.passes] = step.said
        now = left & step.passes
        if not now.any():
            raise StudyError(
                f"{name}: no area is left to choose from: '{step.words}' leaves none of the "
                f"{int(left.sum()):,} that there were before it"
            )
        left = now
    return left, why


def excluded(
    programme: Programme, given: Mapping[str, Sequence[str] | None]
) -> list[tuple[str, Sequence[str] | None]]:
    """Give the codes of each exclusion, those stated in the rule first."""
    found: list[tuple[str, Sequence[str] | None]] = []
    for name, stated in programme.exclude.items():
        if name in given:
            found.append((name, given[name]))
        elif stated.codes:
            found.append((name, stated.codes))
        else:
            of = f"{stated.parent} codes" if stated.parent else "area codes"
            raise StudyError(
                f"{programme.name} excludes {stated.what} ({name}), and nothing at hand says which: give a CSV file "
                f"with {of} in a column '{stated.column}' (--exclude FILE), or leave the exclusion out, which changes "
                "the list (--exclude none)"
            )
    return [
        *found,
        *((name, codes) for name, codes in given.items() if name not in programme.exclude),
    ]


def _are(areas: Areas, codes: Sequence[str], parent: str, name: str) -> Bools:
    """(n_areas,) whether an area, or its parent, has one of the codes; every code has to be known."""
    columns = [parent] if parent else ["code", *areas.parents]
    for column in columns:
        if column != "code" and column not in areas.parents:
            raise UnknownNameError("larger area", column, areas.parents)
    known = {c: set(areas.table[c].drop_nulls().to_list()) for c in columns}
    hits = np.zeros(len(areas), dtype=bool)
    by_column: dict[str, set[str]] = {}
    for code in codes:
        found = [c for c in columns if code in known[c]]
        if not found:
            every = [c for of in known.values() for c in of]
            raise UnknownNameError(
                f"{name}: {parent or 'area'}", code, every, f" among those of {areas.plural}"
            )
        by_column.setdefault(found[0], set()).add(code)
    for column, wanted in by_column.items():
        hits |= areas.table[column].is_in(list(wanted)).fill_null(value=False).to_numpy()
    return hits
