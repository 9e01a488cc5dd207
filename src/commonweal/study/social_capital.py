"""What a study knows of social capital: its indicators on its areas, and figures for the country."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.indicators import Indicators
from commonweal.social_capital import load_framework
from commonweal.social_capital.framework import figures_of
from commonweal.study.areas import areas_of_index, crosswalk_to_study
from commonweal.study.indicators import make_indicators
from commonweal.study.years import read_panel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonweal.areas import Areas
    from commonweal.social_capital import NationalFigure
    from commonweal.sources import Store
    from commonweal.spec import Study

    Progress = Callable[[str, int, int], None]


def social_capital_indicators(
    study: Study, areas: Areas, store: Store, progress: Progress | None = None
) -> Indicators | None:
    """Give the indicators that a study's ``social_capital`` names, as they were measured; None if it names none.

    What the study's preparation does to them for an index (treatment, imputation) is not done here. Of a panel the
    latest year is given.
    """
    by_index = study.capital_on()
    return extra_indicators(study, by_index, areas, store, progress) if by_index else None


def extra_indicators(
    study: Study,
    by_index: Mapping[str, list[str]],
    areas: Areas,
    store: Store,
    progress: Progress | None = None,
) -> Indicators:
    """Give indicators as they were measured, on the study's areas: those named by the index that they are taken from.

    What an index takes from other areas is carried to the study's; those under ``''`` are on the study's own.
    """
    parts = []
    for index, some in by_index.items():
        here = areas_of_index(study, index, areas, store) if index else areas
        if study.panel is not None:
            found = read_panel(study, study.panel, some, here, store)[0].latest
        else:
            found = make_indicators(study, some, here, store, progress)[0]
        if here is not areas:
            found = found.moved(crosswalk_to_study(study, index, here, areas, store, {}))
        parts.append(found)
    return _beside(parts)


def _beside(parts: list[Indicators]) -> Indicators:
    """Join indicators of the same areas."""
    first = parts[0]
    if len(parts) == 1:
        return first
    unstated = [np.full(p.values.shape, np.nan) for p in parts]
    errors = np.hstack(
        [
            u if p.standard_errors is None else p.standard_errors
            for p, u in zip(parts, unstated, strict=True)
        ]
    )
    return Indicators(
        first.system,
        first.codes,
        np.hstack([p.values for p in parts]),
        tuple(m for p in parts for m in p.meta),
        None if np.isnan(errors).all() else errors,
        {name: counts for p in parts for name, counts in p.counts.items()},
    )


def study_national_figures(study: Study, store: Store) -> Mapping[str, tuple[NationalFigure, ...]]:
    """Give the national figures of each headline, where a study shows them; else none."""
    return figures_of(load_framework(), store) if study.briefing.national else {}
