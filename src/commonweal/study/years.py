"""The years of a study: its indicators year by year, and how its indices moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.areas.areas import load_areas
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.errors import StudyError
from commonweal.index import without_indicators
from commonweal.index.panel import fill_years
from commonweal.index.trends import trend
from commonweal.indicators import Indicators, Panel, stack_years
from commonweal.indicators.read import read_indicators
from commonweal.study.areas import indicator_source, years_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from commonweal.areas import Areas
    from commonweal.index import Node
    from commonweal.index.prepare import Prepared
    from commonweal.index.trends import Trend
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.spec.indices import PanelSpec


def read_panel(
    study: Study, spec: PanelSpec, names: Sequence[str], here: Areas, store: Store
) -> tuple[Panel, list[dict[str, Any]]]:
    """Read indicators onto areas, year by year: the panel, its gaps filled as it says, and what was read.

    A year whose tables are on other areas is carried over along the published lookup: values are means weighted by
    people.
    """
    account: list[dict[str, Any]] = []
    years_there = {name: years_of(study, name, store) for name in names}
    about = {
        name: indicator_source(study, name, store, years[-1]).indicator
        for name, years in years_there.items()
    }
    of: dict[int, Indicators] = {}
    for year in spec.years:
        there = [name for name in names if year in years_there[name]]
        on = here
        if spec.areas.get(year, here.system) != here.system:
            on = load_areas(store, spec.areas[year], within=study.where)
        wanted = [indicator_source(study, name, store, year) for name in there]
        found, read = read_indicators(store, wanted, on)
        account += [{"year": year, **entry} for entry in read]
        if on is not here:
            move = build_crosswalk(store, on, here)
            account.append({"year": year, "from": on.system, **move.report})
            found = found.moved(move)
        of[year] = _with_gaps(found, [about[name] for name in names])
    panel = stack_years(of)
    if spec.fill != "none":
        gap = np.inf if spec.max_gap is None else spec.max_gap
        panel, filled = fill_years(panel, spec.fill, gap)
        account.append({"filled": len(filled.value), "by": spec.fill, "left": filled.n_left})
    return panel, account


def _with_gaps(found: Indicators, about: list[Any]) -> Indicators:
    """Give every indicator, missing where this year does not have it."""
    shape = (len(found.codes), len(about))
    values, errors = np.full(shape, np.nan), np.full(shape, np.nan)
    for at, indicator in enumerate(about):
        for k, own in enumerate(found.meta):
            if own.name == indicator.name:
                values[:, at] = found.values[:, k]
                if found.standard_errors is not None:
                    errors[:, at] = found.standard_errors[:, k]
    stated = found.standard_errors is not None
    return Indicators(found.system, found.codes, values, tuple(about), errors if stated else None)


def prepare_years(
    panel: Panel, step: Callable[[Indicators, int], Prepared]
) -> tuple[Prepared, Panel]:
    """Prepare each year of a panel by itself; give what was done in the latest year, and the panel prepared.

    An indicator that is left out in some years only is an error: what they measure would not be the same.
    """
    done = {year: step(panel.year(year), year) for year in panel.years}
    last = done[panel.years[-1]]
    for year, of_year in done.items():
        some = sorted(of_year.indicators_out.keys() ^ last.indicators_out.keys())
        if some:
            why = {**of_year.indicators_out, **last.indicators_out}[some[0]]
            where = year if some[0] in of_year.indicators_out else panel.years[-1]
            raise StudyError(
                f"prepare: indicator {some[0]} is left out in {where} ({why}) and not in every year; "
                "expected the same in each year of the panel"
            )
    return last, stack_years({year: of_year.indicators for year, of_year in done.items()})


def study_trend(
    spec: PanelSpec, index: str, tree: Node, panel: Panel, gone: Collection[str] = ()
) -> Trend:
    """Say how an index of a study has moved over the years of its panel."""
    before = spec.before.get(index)
    now = without_indicators(tree, gone, index)
    then = None if before is None else without_indicators(before, gone, index)
    return trend(index, now, panel, spec.base_year, spec.compared, then)
