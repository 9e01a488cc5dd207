"""Run a file that takes a survey to neighbourhoods, with the covariates that ship."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from pydantic import TypeAdapter

from commonweal.areas.areas import code_texts
from commonweal.errors import DataError, UnknownNameError
from commonweal.files.inputs import read_strict
from commonweal.indicators.read import to_numbers
from commonweal.social_capital.neighbourhoods import PopulationCounts, standardised
from commonweal.social_capital.neighbourhoods.estimate import (
    EstimateOptions,
    estimate_neighbourhoods,
)
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.spec.data import OwnAreas
from commonweal.spec.indicators import IndicatorSpec
from commonweal.spec.indices import IndexSpec
from commonweal.spec.study import load_study
from commonweal.study.areas import study_areas
from commonweal.study.files import own_source
from commonweal.study.indicators import make_indicators
from commonweal.study.small_areas.spec import EstimatesSpec, load_estimates
from commonweal.survey import rake_survey, read_survey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commonweal.areas import Areas
    from commonweal.social_capital.neighbourhoods import Covariates, Neighbourhoods
    from commonweal.survey import Survey

    Progress = Callable[[str, int, int], None]


def shipped_covariates(system: str) -> dict[str, IndicatorSpec]:
    """Give the covariates that ship for an area system, by name; none for most."""
    text = (resources.files(__package__) / "covariates.yaml").read_text("utf-8")
    found: dict[str, Any] = read_strict(text)
    return TypeAdapter(dict[str, IndicatorSpec]).validate_python(found.get(system, {}))


def run_estimates(
    spec: EstimatesSpec | str | Path,
    store: Store | None = None,
    survey: Survey | None = None,
    progress: Progress | None = None,
) -> Neighbourhoods:
    """Read a survey and covariates, and estimate every neighbourhood."""
    spec = spec if isinstance(spec, EstimatesSpec) else load_estimates(spec)
    store = Store.given_or_found(store, progress)
    if survey is None:
        survey = read_survey(spec.folder / spec.survey)
        if survey.spec.rake is not None:
            survey, _ = rake_survey(survey)
    return estimate_survey(spec, survey, read_covariates(spec, store, progress), progress)


@dataclass(frozen=True, slots=True, eq=False)
class CovariateData:
    """What is known of the neighbourhoods before anybody is asked: it is read once for many surveys."""

    areas: Areas
    covariates: Covariates
    people: PopulationCounts | None


def read_covariates(
    spec: EstimatesSpec, store: Store, progress: Progress | None = None
) -> CovariateData:
    """Read the areas, the covariates and who lives where.

    Raises
    ------
    CommonwealError
        As `run_estimates`.
    """
    study = covariate_study(spec)
    areas = study_areas(study, store)
    found, _ = make_indicators(study, spec.covariates, areas, store, progress)
    return CovariateData(areas, standardised(found), _people(spec, study, areas, store))


def estimate_survey(
    spec: EstimatesSpec, survey: Survey, ground: CovariateData, progress: Progress | None = None
) -> Neighbourhoods:
    """Estimate from a survey on ground that has been read."""
    ask = EstimateOptions(
        outcomes=spec.outcomes,
        area=spec.area,
        method=spec.model,
        benchmark=spec.benchmark,
        level=spec.level,
        limit=spec.publish_below,
        draws=spec.draws,
        seed=spec.seed,
    )
    return estimate_neighbourhoods(
        survey, ground.areas, ground.covariates, ask, people=ground.people, progress=progress
    )


def covariate_study(spec: EstimatesSpec) -> Study:
    """Give a study that has the areas and all covariates of a file."""
    if spec.study:
        beside = spec.study.lower().endswith((".yaml", ".yml"))
        base = load_study(spec.folder / spec.study if beside else spec.study)
        if base.folder != spec.folder:
            base = base.moved_to(spec.folder)
        areas, stated = base.areas, base.indicators
    else:
        assert spec.areas is not None
        areas, stated = spec.areas, {}
    ready = {} if isinstance(areas, OwnAreas) else shipped_covariates(areas)
    known = {**ready, **stated, **spec.indicators}
    for name in spec.covariates:
        if name not in known:
            raise UnknownNameError("covariate", name, known, f" for {spec.name}")
    children = {name: {"indicator": name} for name in spec.covariates}
    said: dict[str, Any] = (
        {key: getattr(base, key) for key in Study.model_fields}
        if spec.study
        else {
            "name": spec.name,
            "folder": spec.folder,
            "title": spec.title,
            "areas": areas,
            "where": spec.where,
            "population": spec.population,
            "index": {"covariates": IndexSpec.model_validate({"children": children})},
        }
    )
    # Such as an indicator that names one that is not there is a fault of the file of estimates.
    return Study.checked({**said, "indicators": known}, spec.name)


def _people(
    spec: EstimatesSpec, study: Study, areas: Areas, store: Store
) -> PopulationCounts | None:
    """Read who lives where; rows of other areas are left aside."""
    about = spec.people
    if about is None:
        return None
    source = own_source(study, about, store)
    table = store.table(
        source, list(dict.fromkeys([about.code, about.count, *about.groups.values()]))
    )
    code = code_texts(table[about.code])
    row = code.replace_strict(areas.position, default=-1, return_dtype=pl.Int64).fill_null(-1)
    inside = (row >= 0).to_numpy()
    if not inside.any():
        raise DataError(
            f"people: no code in column '{about.code}' of {source.title} is one of the {areas.plural}; "
            f"expected such as '{areas.codes[0]}'"
        )
    count = to_numbers(table, about.count, source).to_numpy()[inside]
    if not (count >= 0).all():
        raise DataError(
            f"people: column '{about.count}' of {source.title} has gaps or counts below 0"
        )
    groups = {
        group: table[column].cast(pl.String).fill_null("").to_numpy()[inside].astype(np.str_)
        for group, column in about.groups.items()
    }
    return PopulationCounts(row.to_numpy()[inside], count, groups)
