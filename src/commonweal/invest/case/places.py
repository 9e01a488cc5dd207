"""Which places a case is for: those that a programme selects, or the neediest of a part of a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.files.yaml import read_keys, read_text
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.on_study import applied, draws_of, exclusions_of
from commonweal.invest.allocation.programme import Programme, shipped_programmes
from commonweal.spec import load_study, shipped_studies
from commonweal.study.run import run
from commonweal.study.scope import find_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from commonweal.invest.allocation.worked import Worked
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.study.results import Results
    from commonweal.study.scope import Scope

    Progress = Callable[[str, int, int], None]

__all__ = ["NEEDIEST", "neediest", "neediest_of", "worked_places"]

ELSEWHERE = "elsewhere"
NEEDIEST = "neediest"
"""Name of the rule that takes the neediest areas of a part of a study."""


def worked_places(
    subject: str,
    areas: Sequence[str],
    places: int,
    store: Store,
    *,
    exclude: Sequence[str] = (),
    draws: int | None = None,
    results: Results | None = None,
    progress: Progress | None = None,
) -> tuple[Worked, NDArray[np.intp], str]:
    """Run a study and find the places that a case is for.

    Parameters
    ----------
    subject
        A programme or a study: one that ships, or the path of a YAML file.
    areas
        Authorities or other parts of the study, taken together; needed with a study, and all of it with a programme
        if there is none.
    places
        With a study: how many of the neediest areas there.
    store
        Where source files come from.
    exclude
        With a programme: tables of codes that it excludes.
    draws
        In place of the study's.
    results
        A run of the study, with boundaries; run if not given.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    tuple
        The allocation; (n,) rows of the places, neediest first; what they are together.

    Raises
    ------
    UnknownNameError
        If there is neither a programme nor a study of that name, or no such area.
    CommonwealError
        If a study comes without an area, the programme builds its own areas, or selects none there.
    """
    programme = _programme(subject)
    exclusions = exclusions_of(programme, exclude) if programme else None
    if programme and programme.build:
        raise CommonwealError(
            f"{programme.name} builds its areas up, and interventions are stated for those of a study; expected a "
            "programme without 'build'"
        )
    if programme is None and not areas:
        raise CommonwealError(
            f"{subject} is a study, so which part of it? Give --area, or a programme"
        )
    if programme is None and exclude:
        raise CommonwealError(
            f"exclude: found {', '.join(exclude)} with {subject}, which is a study; expected a programme"
        )
    if programme is None and places < 1:
        raise CommonwealError(f"places: found {places}; expected 1 or more")
    study = load_study(programme.study if programme else subject)
    draws = draws_of(study) if draws is None else draws
    if results is None:
        results = run(study, store, draws=0, sensitivity=False, progress=progress)
    scope = find_scope(results.areas, areas) if areas else None
    if programme is None:
        assert scope is not None  # an area was asked for
        worked = neediest_of(results, scope, places, store, draws, progress)
    else:
        worked = applied(programme, results, store, exclusions, draws=draws, progress=progress)
    a = worked.allocation
    kept = (
        a.selected if scope is None else a.selected & np.isin(np.arange(len(a.areas)), scope.rows)
    )
    rows = np.flatnonzero(kept)
    if not len(rows):
        raise CommonwealError(
            f"{a.programme.title} selects no {a.areas.singular} in {scope.title if scope else 'the study'}, so "
            "there is no case to make; expected at least one"
        )
    number = f"{len(rows):,} {a.areas.plural if len(rows) > 1 else a.areas.singular}"
    title = f"{number} of {scope.title}" if scope else number
    return worked, rows[np.argsort(a.order[rows], kind="stable")], title


def neediest_of(
    results: Results,
    scope: Scope,
    places: int,
    store: Store,
    draws: int | None = None,
    progress: Progress | None = None,
) -> Worked:
    """Select the neediest areas of a part of a study, as a programme of our own would."""
    inside = np.isin(np.arange(len(results.areas)), scope.rows)
    outside = [results.areas.codes[row] for row in np.flatnonzero(~inside)]
    rule = neediest(results, scope, places, elsewhere=bool(outside))
    exclusions = {ELSEWHERE: outside} if outside else {}
    return applied(rule, results, store, exclusions, draws=draws, progress=progress)


def neediest(results: Results, scope: Scope, places: int, *, elsewhere: bool = True) -> Programme:
    """Make the rule that takes the neediest areas of a part of a study, as many as are asked for."""
    index = next(iter(results.scores))
    conditions = _conditions(results.study, index)
    plural = results.areas.plural
    return Programme.model_validate(
        {
            "name": NEEDIEST,
            "title": f"The neediest {plural} of {scope.title}",
            "about": f"The {places:,} {plural} of {scope.title} that rank first on {results.label(index)}.",
            "official": "No programme has this rule: every part of it is ours.",
            "study": results.study.name,
            "rank": {"of": {index: 1.0}, "scale": "rank", "official": False},
            "exclude": {ELSEWHERE: {"what": f"{plural} outside {scope.title}", "official": False, "codes": ()}}
            if elsewhere
            else {},
            "money": {"awards": places, "official": False},
            "in_need": [{**c, "official": False} for c in conditions],
        }
    )  # fmt: skip


def _conditions(study: Study, index: str) -> list[dict[str, object]]:
    """Give the conditions of the study's first list, or the worst tenth on an index where it has none."""
    for rule in study.designate.values():
        return [c.model_dump(mode="json", exclude_none=True) for c in rule.conditions()]
    return [{"index": index, "worst": "10%"}]


def _programme(subject: str) -> Programme | None:
    """Read a programme; None where the subject is a study."""
    if subject in shipped_programmes():
        return load_programme(subject)
    if subject in shipped_studies():
        return None
    if subject.endswith((".yaml", ".yml")):
        return load_programme(subject) if _is_programme(subject) else None
    raise UnknownNameError(
        "programme or study", subject, [*shipped_programmes(), *shipped_studies()]
    )


def _is_programme(path: str) -> bool:
    """Whether a file is a programme, which names a study; what is wrong with a file its reader says."""
    try:
        return "study" in read_keys(read_text(Path(path)), path, "study")
    except DataError:
        return False
