"""What questions about investment need of a run, read once when the server starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from commonweal.errors import CommonwealError
from commonweal.invest.allocation import load_programme, shipped_programmes
from commonweal.invest.allocation.on_study import applied
from commonweal.invest.case import load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.parameters import load_parameters
from commonweal.invest.siting.on_study import ground_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from commonweal.invest.allocation import Programme
    from commonweal.invest.allocation.worked import Worked
    from commonweal.invest.case import Values
    from commonweal.invest.interventions import Interventions
    from commonweal.invest.parameters import Parameters
    from commonweal.invest.siting.on_study import Ground
    from commonweal.sources import Store
    from commonweal.study.results import Results

    Progress = Callable[[str, int, int], None]

__all__ = ["Planning", "plan", "programmes_of"]


@dataclass(frozen=True)
class Planning:
    """What is there, and what places cost and are worth.

    Attributes
    ----------
    store
        Where source files come from.
    ground
        Places of every kind, and where people set out from.
    interventions, values, parameters
        What can be done, what that is worth, and by which rates.
    in_turn
        Held while sites are sought: the kernels use all cores, and not every threading layer of numba survives
        being called from two requests at once.
    """

    store: Store
    ground: Ground
    interventions: Interventions
    values: Values
    parameters: Parameters
    in_turn: Lock = field(default_factory=Lock, repr=False, compare=False)


def plan(results: Results, store: Store, progress: Progress | None = None) -> Planning | str:
    """Read what is there; where a study has none of it, say why in words."""
    try:
        ground = ground_of(results, store, progress)
    except CommonwealError as error:
        return str(error)
    return Planning(store, ground, load_interventions(), load_values(), load_parameters())


def programmes_of(
    results: Results,
    store: Store,
    more: Sequence[str] = (),
    progress: Progress | None = None,
) -> Mapping[str, Worked]:
    """Apply every programme that ships for a study, and others that are asked for.

    Parameters
    ----------
    results
        A run of the study.
    store
        Where lookups are read.
    more
        Programmes by name or path; one of another study is refused.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    mapping
        By name. Those that need tables of exclusions leave them out, which is told as a caution.

    Raises
    ------
    CommonwealError
        If one that was asked for is of another study, or cannot be applied.
    """
    found = {}
    named = {name: load_programme(name) for name in shipped_programmes()}
    for name, programme in named.items():
        if programme.study == results.study.name and programme.build is None:
            found[name] = _applied(programme, results, store, progress)
    for text in more:
        programme = load_programme(text)
        if programme.study != results.study.name:
            raise CommonwealError(
                f"{programme.name} is a programme on the study {programme.study}; expected one on {results.study.name}"
            )
        found[programme.name] = _applied(programme, results, store, progress)
    return found


def _applied(
    programme: Programme, results: Results, store: Store, progress: Progress | None
) -> Worked:
    lacking = {n: None for n, e in programme.exclude.items() if not (e.codes or e.file)}
    return applied(programme, results, store, lacking, draws=0, progress=progress)
