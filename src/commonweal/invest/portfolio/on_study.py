"""A portfolio for neighbourhoods of a study: what to do where, within a budget, and what its lists would say then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from commonweal.designation import designate
from commonweal.errors import CommonwealError, StudyError, UnknownNameError
from commonweal.index import score, without_indicators
from commonweal.invest.interventions import load_interventions
from commonweal.invest.portfolio.builder import PortfolioAreas, need_index
from commonweal.invest.portfolio.plan import SELECTED, After, make_portfolio
from commonweal.invest.siting.on_study import is_abroad, is_fictional
from commonweal.study.names import authority_of, find_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.index import Node
    from commonweal.invest.portfolio.plan import Portfolio, PortfolioOptions
    from commonweal.study.results import Results


def propose(
    results: Results, ask: PortfolioOptions, progress: Callable[[str, int, int], None] | None = None
) -> Portfolio:
    """Choose what to do in some areas of a study."""
    study = results.study
    if study.prepare or study.panel is not None:
        raise StudyError(
            f"study {study.name} prepares its indicators or has several years, so what an intervention moves "
            "can't be told from them; expected a study without 'prepare' and 'panel'"
        )
    interventions = load_interventions(ask.interventions)
    if ask.only:
        interventions = interventions.only(list(ask.only))
    index = _index(results, ask.index)
    title, rows = _rows(results, ask)
    people = results.areas.population
    usable = ~np.isnan(results.scores[index].score[rows]) & (people[rows] > 0)
    names = _names(results)
    left_out = tuple(names[row] for row in rows[~usable])
    if not usable.any():
        raise CommonwealError(f"{title}: no area has a score on {index} and people; expected one")
    rows = rows[usable]
    tree = _tree(results, index)
    measure = need_index(results.scores[index], tree, results.indicators[index], rows)
    authorities = _authorities(results)
    need = (2.0 * (measure.of - measure.rank + 0.5) / measure.of) ** ask.equity
    places = PortfolioAreas(
        tuple(results.areas.codes[row] for row in rows),
        tuple(names[row] for row in rows),
        tuple(authorities[row] for row in rows),
        people[rows],
        need,
    )
    least = _by_name(results, ask.least_shares, sorted(set(places.authorities)))
    found = make_portfolio(
        interventions, places, measure, replace(ask, least_shares=least), progress
    )
    return replace(
        found,
        title=title,
        index_label=results.label(index),
        plural=results.areas.plural,
        after=_after(results, index, tree, rows, found) if found.recount.measured else None,
        left_out=left_out,
        fictional=is_fictional(study),
        abroad=is_abroad(results),
    )


def _index(results: Results, asked: str) -> str:
    if asked and asked not in results.scores:
        raise UnknownNameError("index", asked, results.scores)
    own = [name for name, scores in results.scores.items() if scores.built is None]
    if not asked and not own:
        raise StudyError(
            f"study {results.study.name} has no index on its own areas; expected one, on which need is measured"
        )
    return asked or own[0]


def _rows(results: Results, ask: PortfolioOptions) -> tuple[str, NDArray[np.intp]]:
    """Give the title and the rows of the areas asked about."""
    if SELECTED not in ask.areas:
        scope = find_scope(results.areas, ask.areas)
        return scope.title, scope.rows
    if len(ask.areas) > 1:
        raise CommonwealError(
            f"areas: found '{SELECTED}' and others; expected the one or the others"
        )
    if ask.designation and ask.designation not in results.designations:
        raise UnknownNameError("designation", ask.designation, results.designations)
    name = ask.designation or results.study.only_designation()
    rows = np.flatnonzero(results.designation_in_focus(name).selected)
    if not len(rows):
        raise CommonwealError(f"designation {name} selects no area; expected at least one")
    return f"{len(rows):,} {results.areas.plural} that are {name.replace('_', ' ')}", rows


def _tree(results: Results, index: str) -> Node:
    """Give the tree of an index without what the study left out."""
    study = results.study
    gone = set(study.leaves(index)) - {m.name for m in results.indicators[index].meta}
    return without_indicators(study.index[index], gone, index)


def _names(results: Results) -> list[str]:
    table = results.areas.table
    return table["name"].fill_null(table["code"]).to_list()


def _authorities(results: Results) -> list[str]:
    """Give the name of each area's authority, its code where it has none; '' where there is no such parent."""
    parent, table = authority_of(results.areas), results.areas.table
    if parent is None:
        return [""] * len(table)
    return table[f"{parent}_name"].fill_null(table[parent]).fill_null("").to_list()


def _by_name(
    results: Results, shares: Mapping[str, float], there: Sequence[str]
) -> dict[str, float]:
    """Give least shares by the names of authorities, which may be stated by code."""
    parent, table = authority_of(results.areas), results.areas.table
    codes = {} if parent is None else dict(zip(table[parent], _authorities(results), strict=True))
    named: dict[str, float] = {}
    for text, share in shares.items():
        name = codes.get(text, text)
        if name not in there:
            raise UnknownNameError("authority", text, there, " among the areas asked about")
        named[name] = named.get(name, 0.0) + share
    return named


def _after(
    results: Results, index: str, tree: Node, rows: NDArray[np.intp], found: Portfolio
) -> After:
    """Score and designate anew with the mix in place, all other areas as they are today."""
    own = results.indicators[index]
    values = own.values.copy()
    values[rows] = found.recount.values
    scores = {**results.scores, index: score(index, tree, replace(own, values=values))}
    selected = {}
    for name, d in results.designations.items():
        now = designate(name, d.rule, scores, results.areas, changes=False)
        selected[name] = int(d.selected[rows].sum()), int(now.selected[rows].sum())
    return After(scores[index].rank[rows], selected)
