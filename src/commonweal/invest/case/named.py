"""Where interventions, values and what was asked for do not meet: refused if mistyped, told if left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.document.words import joined
from commonweal.errors import UnknownNameError
from commonweal.invest.case.places import NEEDIEST
from commonweal.invest.case.values import shipped_values
from commonweal.invest.siting.inside import SCHOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.invest.allocation.worked import Worked
    from commonweal.invest.case.model import Asked, Case
    from commonweal.invest.case.values import Values
    from commonweal.invest.interventions import Interventions

__all__ = ["case_cautions", "check_names", "few_places", "unsited"]

BUILDING = "building"
"""The group of interventions that need a site."""


def check_names(asked: Asked, interventions: Interventions, values: Values) -> None:
    """Refuse values of one's own that name an intervention that there is not.

    Those that ship go with the interventions that ship: what they do not name of others `case_cautions` tells.

    Raises
    ------
    UnknownNameError
        It names the intervention, both files and the key.
    """
    if asked.values in shipped_values():
        return
    known = interventions.interventions
    for key, named in (("built", values.built.values()), ("optimism_bias", values.optimism_bias)):
        for name in named:
            if name not in known:
                where = f" in {asked.interventions}, but named in {asked.values} under '{key}'"
                raise UnknownNameError("intervention", name, known, where)


def case_cautions(case: Case) -> tuple[str, ...]:
    """Say what was asked for or left out and so is not as a reader may think, a sentence each."""
    return tuple(_cautions(case))


def _cautions(case: Case) -> Iterator[str]:
    asked, bare, homeless = case.asked, _without_bias(case), unsited(case)
    if bare:
        yield (
            f"No optimism bias is added to the capital cost of {joined(bare)}: {asked.values} names no category for "
            "that key under 'optimism_bias' ('none' would say that there is none)."
        )
    if homeless:
        yield (
            f"No sites are looked for {joined(homeless)}, of the group '{BUILDING}': {asked.values} names no kind of "
            "place for that key under 'built'."
        )
    if case.sited is None and asked.candidates != SCHOOLS:
        yield (
            f"Candidates ({asked.candidates}) are not used, since no sites are looked for: the mix has nothing that "
            f"'built' in {asked.values} names. --kind names a kind of place to find sites for all the same."
        )
    yield from few_places(asked, case.worked, len(case.rows))


def few_places(asked: Asked, worked: Worked, there: int) -> Iterator[str]:
    """Say that more places of a part of a study were asked for than there are."""
    if worked.allocation.programme.name == NEEDIEST and asked.places > there:
        have = "has" if len(asked.areas) == 1 else "have"
        yield f"{asked.places:,} places were asked for, and {joined(asked.areas)} {have} {there:,}."


def unsited(case: Case) -> list[str]:
    """Give the keys of buildings of the mix that no kind of place is named for."""
    return [
        name
        for name in _chosen(case)
        if case.interventions.interventions[name].group == BUILDING
        and case.values.kind_of(name) is None
    ]


def _without_bias(case: Case) -> list[str]:
    return [
        name
        for name in _chosen(case)
        if case.interventions.interventions[name].cost.capital.mean > 0
        and name not in case.values.optimism_bias
    ]


def _chosen(case: Case) -> list[str]:
    return [case.problem.interventions[at] for at in np.flatnonzero(case.mix.chosen.any(axis=0))]
