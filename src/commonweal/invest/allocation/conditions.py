"""The conditions of a programme's rule, one by one: who passes, and what is said of who does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import StudyError, UnknownNameError
from commonweal.invest.allocation.groups import Codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.designation import Designation
    from commonweal.invest.allocation.programme import Programme

__all__ = ["Step", "excluded", "go_through", "steps_of"]

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Step:
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
) -> tuple[list[Step], tuple[str, ...]]:
    """Give every condition in order, and the names of exclusions that were left out."""
    steps = [Step(~np.isnan(need), "no score", "has a score on all that ranks")]
    for condition, tested in zip(programme.eligible, designation.tested, strict=False):
        steps.append(Step(tested.passes, f"not in the {condition}", str(condition), True))
    left_out = []
    for name, codes in excluded(programme, exclusions):
        if codes is None:
            left_out.append(name)
            continue
        stated = programme.exclude.get(name)
        said = f"excluded: {stated.what if stated else name}"
        stand = codes.file if isinstance(codes, Codes) else name
        hit = _are(areas, codes, stated.parent if stated else "", stand)
        steps.append(Step(~hit, said, said))
    if programme.people is not None:
        people, window = areas.population, programme.people
        most = np.inf if window.max is None else window.max
        words = f"at least {window.min:,.0f}"
        words = words if window.max is None else f"{window.min:,.0f} to {window.max:,.0f}"
        known = ~np.isnan(people)
        steps += [
            Step(known, "population unknown", "has a known population"),
            Step(
                known & (people >= window.min) & (people <= most),
                f"not {words} people",
                f"{words} people",
            ),
        ]
    return steps, tuple(left_out)


def go_through(name: str, steps: Sequence[Step]) -> tuple[Bools, NDArray[np.object_]]:
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
    """Give the codes of each exclusion, those stated in the rule first.

    Parameters
    ----------
    programme
        The rule.
    given
        Codes by name of an exclusion; None leaves one out.

    Raises
    ------
    StudyError
        If the rule excludes areas and neither it nor `given` says which.
    """
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
            raise UnknownNameError(f"parent of {areas.system}", column, areas.parents)
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
