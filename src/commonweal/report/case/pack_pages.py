"""Pages for a briefing pack: what new places would do here, and who a programme selects."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from commonweal.document import report_html, report_pdf
from commonweal.errors import CommonwealError
from commonweal.invest.allocation import load_programme
from commonweal.invest.allocation.comparing import Ground, compare
from commonweal.invest.allocation.on_study import applied, draws_of, exclusions_of, set_against
from commonweal.invest.case.sites import sites_worth, untold
from commonweal.invest.case.values import load_values
from commonweal.invest.interventions import load_interventions
from commonweal.invest.siting.inside import SCHOOLS
from commonweal.invest.siting.on_study import MOST_AREAS, Ask, first_candidates, ground_of, site
from commonweal.report.allocation import allocation_report, beside_section
from commonweal.report.appraisal import appraisal_report
from commonweal.report.case.picking import live_of
from commonweal.report.place.make import Extra
from commonweal.report.siting import siting_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from commonweal.areas import Areas
    from commonweal.document.html import Live
    from commonweal.document.model import Report, Section
    from commonweal.invest.allocation import Programme
    from commonweal.invest.allocation.on_study import Exclusions
    from commonweal.invest.allocation.worked import Worked
    from commonweal.sources import Store
    from commonweal.study.results import Results
    from commonweal.study.scope import Scope

    Progress = Callable[[str, int, int], None]

__all__ = ["SITES", "check_pages", "options_page", "programme_page", "refuse_many"]

SITES = 3
"""New places that a pack's page on options thinks of at most."""

_WHERE = (SCHOOLS, "grid:500", "grid:100")
"""Where they could go: the first of which there is one in or near the area."""


def check_pages(study: str, kind: str = "", programme: str = "", against: str = "") -> None:
    """Refuse, before a long run, pages that cannot be made after it.

    Parameters
    ----------
    study
        Name of the study that is run.
    kind, programme, against
        As in `options_page` and `programme_page`; nothing is asked where empty.

    Raises
    ------
    CommonwealError
        If the kind is unknown, or a programme cannot be read, is on another study, or lacks codes that it excludes.
    """
    if kind:
        Ask(study, kind, sites=SITES)
    if programme:
        _programme(programme, study)
    if against:
        exclusions_of(load_programme(against))


def refuse_many(scope: Scope, areas: Areas) -> None:
    """Refuse a page on options about more areas than one page can tell of.

    Raises
    ------
    CommonwealError
        If the scope has too many.
    """
    if len(scope.rows) > MOST_AREAS:
        raise CommonwealError(
            f"a page on options is about {MOST_AREAS:,} {areas.plural} at most; found {len(scope.rows):,}: "
            "name a place or an authority"
        )


def _programme(name: str, study: str, exclude: Sequence[str] = ()) -> tuple[Programme, Exclusions]:
    """Read a programme on a study, and the codes that it excludes."""
    programme = load_programme(name)
    if programme.study != study:
        raise CommonwealError(
            f"{programme.name} is a programme on the study {programme.study}; expected one on {study}"
        )
    return programme, exclusions_of(programme, exclude)


def options_page(
    results: Results, scope: Scope, kind: str, store: Store, progress: Progress | None = None
) -> Extra:
    """Make the page on what new places of a kind would do for the places that a pack is about.

    Parameters
    ----------
    results
        A run of the study.
    scope
        The places.
    kind
        Of place, as the taxonomy has it: ``library``.
    store
        Where source files come from.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Extra
        Where at most `SITES` of them would reach most, in proportion to need; what that changes; what it costs
        and is worth, where that can be told, and how sure that is. Where scripts run, a reader can pick other
        sites on it (`commonweal.report.case.picking`).

    Raises
    ------
    CommonwealError
        If the pack is about too many areas, the kind is unknown, or there is nowhere to build.
    """
    refuse_many(scope, results.areas)
    ground = ground_of(results, store, progress)
    candidates = first_candidates(results, ground, scope, _WHERE, store) or _WHERE[0]
    ask = Ask(scope.title, kind, sites=SITES, candidates=candidates, method="search", at_most=True)
    sited = site(results, ask, store, ground=ground, scope=scope, progress=progress)
    if sited.solution.interrupted:  # siting gives its best; a pack is whole or not made
        raise KeyboardInterrupt
    report = siting_report(sited)
    interventions, values = load_interventions(), load_values()
    worth = sites_worth(sited, interventions, values)
    if worth is not None:
        appraised = appraisal_report(worth)
        report = replace(
            report,
            answer=(*report.answer, worth.project.about, *appraised.answer),
            sections=(*report.sections, *appraised.sections),
            assumptions=(*report.assumptions, *appraised.assumptions),
            limits=(*report.limits, *appraised.limits),
            works=tuple(dict.fromkeys((*report.works, *appraised.works))),
        )
    elif sited.unread:
        report = replace(report, answer=(*report.answer, untold(sited)))
    title = f"Options: {sited.label.lower()}"
    about = "where new ones would reach most people, what that changes, what it costs and is worth"
    return _extra("options", title, about, report, kind, live_of(sited, interventions, values))


def programme_page(
    results: Results,
    name: str,
    store: Store,
    exclude: Sequence[str] = (),
    progress: Progress | None = None,
    against: str = "",
) -> Extra:
    """Make the page on who a funding programme selects, and who gains and loses beside the study's own lists.

    Parameters
    ----------
    results
        A run of the study that the programme runs on.
    name
        A programme that ships, or the path of a YAML file.
    store
        Where lookups are read.
    exclude
        Tables of codes that it excludes, as `commonweal.invest.allocation.on_study.exclusions_of`.
    progress
        Called as ``progress(what, done, total)``.
    against
        Another programme to set beside it too.

    Raises
    ------
    CommonwealError
        If it is a programme on another study, or cannot be applied.
    """
    programme, exclusions = _programme(name, results.study.name, exclude)
    worked = applied(
        programme, results, store, exclusions,
        draws=draws_of(results.study), progress=progress,
    )  # fmt: skip
    other = set_against(worked, against, store, exclude) if against else None
    report = allocation_report(worked, other)
    report = replace(report, sections=(*report.sections, *_beside_lists(worked)))
    about = "the rule, who gets an award, how sure that is, who is passed over, who gains and loses beside other lists"
    return _extra("programme", programme.title, about, report, f"{name} {against}")


def _beside_lists(worked: Worked) -> Iterator[Section]:
    """Set a programme beside the lists of its study, where it chooses from the study's own areas."""
    a, results = worked.allocation, worked.results
    if a.areas.codes != results.areas.codes:
        return
    mine = Ground(a.areas, a.selected.astype(np.float64))
    for name, d in results.designations.items():
        listed = Ground(a.areas, d.selected.astype(np.float64))
        title = f"this study's list “{name.replace('_', ' ')}”"
        yield beside_section(worked, title, compare(mine, listed, a.in_need), f"-{name}")


def _extra(
    name: str, title: str, about: str, report: Report, asked: str, live: Live | None = None
) -> Extra:
    follows = f"{asked}: {' '.join(report.answer)} {'' if live is None else live.data}"
    page = partial(report_html, report, live=live)
    return Extra(name, title, about, page, partial(report_pdf, report, files=False), follows)
