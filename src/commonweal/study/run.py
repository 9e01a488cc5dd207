"""Run a study: the road from sources to results. The one module that knows every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.areas.catalogue import load_systems
from commonweal.areas.summaries import summarise
from commonweal.designation import compare_designations, designate
from commonweal.designation.uncertainty import certainty
from commonweal.designation.uncertainty import sensitivity as what_matters
from commonweal.errors import StudyError
from commonweal.files.folder import plain_data
from commonweal.index import score, without_indicators
from commonweal.index.prepare import Prepared, prepare
from commonweal.indicators.indicators import check_coverage
from commonweal.sources import Store
from commonweal.spec import Study
from commonweal.spec.names import paths_named
from commonweal.spec.study import earlier_study, load_study
from commonweal.study.areas import areas_of_index, crosswalk_to_study, study_areas, study_shapes
from commonweal.study.files import check_replaced, check_there, with_replaced
from commonweal.study.indicators import make_indicators
from commonweal.study.names import authority_of
from commonweal.study.results import Results, Validation, validate_results
from commonweal.study.social_capital import (
    extra_indicators,
    social_capital_indicators,
    study_national_figures,
)
from commonweal.study.years import prepare_years, read_panel, study_trend
from commonweal.version import __version__

if TYPE_CHECKING:
    import polars as pl

    from commonweal.areas import Areas
    from commonweal.designation import Certainty, Comparison, Designation
    from commonweal.designation.uncertainty import CertaintySpec, Sensitivity, SensitivitySpec
    from commonweal.index import Node, Scores
    from commonweal.index.trends import Trend
    from commonweal.indicators import Indicators, Panel
    from commonweal.social_capital import NationalFigure

__all__ = ["only_designation", "run"]

Progress = Callable[[str, int, int], None]

MOST_DRAWS = 10_000_000


@dataclass
class _Log:
    """The account of a run: seconds and row counts of each step, in order."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a step; what is put into the dict is recorded with it."""
        entry: dict[str, Any] = {"step": name}
        start = time.perf_counter()
        yield entry
        entry["seconds"] = round(time.perf_counter() - start, 3)
        self.steps.append(entry)


@dataclass(frozen=True)
class _Run:
    """What a step of a run takes, and what has come of each index so far."""

    study: Study
    areas: Areas
    store: Store
    log: _Log
    progress: Progress | None = None
    client: Any = None
    indicators: dict[str, Indicators] = field(default_factory=dict)
    prepared: dict[str, Prepared] = field(default_factory=dict)
    panels: dict[str, Panel] = field(default_factory=dict)
    scores: dict[str, Scores] = field(default_factory=dict)
    trends: dict[str, Trend] = field(default_factory=dict)


def run(
    study: Study | str | Path,
    store: Store | None = None,
    *,
    draws: int | None = None,
    sensitivity: bool = True,
    geometry: bool = True,
    progress: Progress | None = None,
    client: Any = None,
) -> Results:
    """Run a study: `commonweal.run`, which says what each parameter is, but for what that adds to the results."""
    study = study if isinstance(study, Study) else load_study(study)
    spec_c = certainty_spec(study, draws)
    spec_s = _sensitivity_spec(study) if sensitivity and draws != 0 else None
    # What is written is what was run.
    study = study.model_copy(update={"certainty": spec_c, "sensitivity": spec_s})
    check_there(study)
    store = Store.given_or_found(store, progress).afresh()
    check_replaced(study, store)
    store = with_replaced(study, store)
    log = _Log()
    with log.step("areas") as entry:
        areas = study_areas(study, store)
        entry["areas"] = len(areas)
        if study.focus:
            entry["in focus"] = int(study.in_focus(areas.table).sum())
    on = _Run(study, areas, store, log, progress, client)
    designations = _scored_and_listed(on, list(study.index))
    sure, matters = dict(_certainties(on, designations)), dict(_sensitivities(on, designations))
    validations = _validations(on, designations)
    since = _since(on, designations) if study.since else None
    capital, national = _social_capital(on) if study.social_capital else (None, {})
    extra = _extra(on) if study.show else None
    with log.step("summaries") as entry:
        summaries = dict(_summaries(areas, on.scores))
        entry["larger areas"] = sum(len(t) for t in summaries.values())
    with log.step("boundaries") as entry:
        shapes, outline = study_shapes(study, areas, store, geometry)
        if not geometry:
            entry["left out"] = True
        entry["with a boundary"] = len(shapes) - shapes["geometry"].null_count()
    return Results(
        study=study,
        areas=areas,
        indicators=on.indicators,
        scores=on.scores,
        designations=designations,
        certainty=sure,
        validations=validations,
        since=since,
        summaries=summaries,
        boundaries=shapes,
        outline=outline,
        provenance=_provenance(study, store, log),
        prepared=on.prepared,
        trends=on.trends,
        sensitivity=matters,
        capital=capital,
        national=national,
        extra=extra,
    )


def refuse_scores(study: Study, indices: Sequence[str], areas: Areas, store: Store) -> None:
    """Score some indices of a study, for what a run of it would refuse."""
    _scored_and_listed(_Run(study, areas, store, _Log()), indices)


def _scored_and_listed(on: _Run, indices: Sequence[str]) -> dict[str, Designation]:
    """Score indices; if these are all, give the areas that the study's rules select."""
    for name in indices:
        here = areas_of_index(on.study, name, on.areas, on.store)
        _score(on, name, here, _read(on, name, here))
    if len(indices) < len(on.study.index):
        return {}
    _refuse_left_out(on.study, on.scores, on.prepared)
    return dict(_designations(on))


def _sensitivity_spec(study: Study) -> SensitivitySpec | None:
    """Give what the study says of sensitivity; it varies what certainty does if it says nothing."""
    spec = study.sensitivity
    if spec is None or spec.vary or study.certainty is None:
        return spec
    return spec.model_copy(update={"vary": study.certainty.vary})


def certainty_spec(study: Study, draws: int | None) -> CertaintySpec | None:
    """Give what the study says of certainty, with another number of draws if one is asked for."""
    spec = study.certainty
    if draws is None:
        return spec
    if not 0 <= draws <= MOST_DRAWS:
        raise StudyError(f"draws: found {draws:,}; expected 0 to {MOST_DRAWS:,}")
    if spec is None:
        if draws:
            raise StudyError(
                f"draws: study {study.name} has no 'certainty', which says what varies; leave them out"
            )
        return None
    return spec.model_copy(update={"draws": draws})


def _read(on: _Run, index: str, here: Areas) -> Indicators:
    """Read what an index needs, and prepare it once for all the indices on the same areas."""
    study, prepared, panels = on.study, on.prepared, on.panels
    beside = study.beside(index)
    first = next((other for other in beside if other in prepared), None)
    if first is not None:
        done = prepared[first]
        panels |= {index: panels[first]} if first in panels else {}
    else:
        with on.log.step(f"indicators {index}") as entry:
            names = study.read_with(index)
            if study.panel is not None:
                panels[index], entry["read"] = read_panel(study, study.panel, names, here, on.store)
                indicators = panels[index].latest
            else:
                indicators, entry["read"] = make_indicators(
                    study, names, here, on.store, on.progress
                )
        accepted = {name: study.indicators[name].coverage for name in names}
        if not study.prepare:
            check_coverage(indicators, names, accepted)
            return indicators
        used = list(dict.fromkeys(name for other in beside for name in study.leaves(other)))
        domains = _domains([(other, study.index[other]) for other in beside])

        def step(of_year: Indicators, told: str = "") -> Prepared:
            with on.log.step(f"prepare {here.system}{told}") as entry:
                done = prepare(of_year, used, study.prepare, here, domains)
                entry |= {"indices": beside, **_account(done)}
            return done

        if index in panels:
            done, panels[index] = prepare_years(
                panels[index], lambda of_year, year: step(of_year, f" {year}")
            )
        else:
            done = step(indicators)
        left = [name for name in used if name not in done.indicators_out]
        check_coverage(indicators, left, accepted)
    prepared[index] = done
    return done.indicators.only([n for n in study.leaves(index) if n not in done.indicators_out])


def _account(done: Prepared) -> dict[str, Any]:
    return {
        "areas left out": len(done.areas_out),
        "indicators left out": list(done.indicators_out),
        "steps": [
            {"step": d.number, "kind": d.step.kind, "changes": len(d.cells), "told": dict(d.told)}
            for d in done.done
        ],
    }


def _domains(trees: Iterable[tuple[str, Node]]) -> dict[str, list[str]]:
    """Give the indicators right below each node that has several, by its dotted path."""
    found: dict[str, list[str]] = {}
    for index, tree in trees:
        for path, node in tree.walk(index):
            below = [c.indicator for c in node.children.values() if c.indicator is not None]
            if len(below) > 1 and below not in found.values():
                found[path.replace("/", ".")] = below
    return found


def _score(on: _Run, index: str, here: Areas, indicators: Indicators) -> None:
    """Build an index, say how it moved, and carry it to the study's areas."""
    spec, panel, moved = on.study.index[index], on.panels.get(index), None
    gone = set(on.study.leaves(index)) - {m.name for m in indicators.meta}
    with on.log.step(f"index {index}") as entry:
        scored = score(index, without_indicators(spec, gone, index), indicators)
        entry |= {"areas in": len(here), "areas scored": int((~np.isnan(scored.score)).sum())}
    if on.study.panel is not None and panel is not None:
        with on.log.step(f"trend {index}") as entry:
            moved = study_trend(on.study.panel, index, spec, panel, gone)
            entry |= {state: moved.state.count(state) for state in dict.fromkeys(moved.state)}
            entry |= {"not split": moved.unsplit} if moved.unsplit else {}
    if here is not on.areas:
        with on.log.step(f"move {index}") as entry:
            move = crosswalk_to_study(on.study, index, here, on.areas, on.store, entry)
            scored, moved = scored.moved(move), moved and moved.moved(move)
            entry["areas scored"] = int((~np.isnan(scored.score)).sum())
    on.indicators[index], on.scores[index] = indicators, scored
    if moved is not None:
        on.trends[index] = moved


def _refuse_left_out(
    study: Study, scores: Mapping[str, Scores], prepared: Mapping[str, Prepared]
) -> None:
    """Refuse to designate by, or compare, what screening has left nothing of."""
    paths = {path.replace("/", ".") for found in scores.values() for path in found.need}
    for named, at in paths_named(study):
        if named not in paths:
            gone = prepared[named.split(".")[0]].indicators_out
            raise StudyError(
                f"{'.'.join(map(str, at))}: nothing is left of '{named}'; a step under 'prepare' "
                "left out " + "; ".join(f"{name} ({why})" for name, why in gone.items())
            )


def _designations(on: _Run) -> Iterator[tuple[str, Designation]]:
    """Select areas by each of the study's rules."""
    for name, rule in on.study.designate.items():
        with on.log.step(f"designation {name}") as entry:
            designation = designate(name, rule, on.scores, on.areas)
            entry |= {"areas": len(on.areas), "selected": int(designation.selected.sum())}
        yield name, designation


def _validations(on: _Run, designations: Mapping[str, Designation]) -> tuple[Validation, ...]:
    """Set the results beside published ones."""
    with on.log.step("agreement") as entry:
        validations = tuple(
            validate_results(a, on.study, on.areas, on.scores, designations, on.store)
            for a in on.study.agreement
        )
        entry["compared"] = len(validations)
    return validations


def _certainties(
    on: _Run, designations: Mapping[str, Designation]
) -> Iterator[tuple[str, Certainty]]:
    """Say how often each designation holds, where the study asks for it."""
    spec = on.study.certainty
    if spec is None or not spec.draws:
        return
    for name, designation in designations.items():
        with on.log.step(f"certainty {name}") as entry:
            sure = certainty(designation, spec, on.scores, on.indicators, on.progress, on.client)
            entry |= {"draws": spec.draws, "areas": len(on.areas)}
        yield name, sure


def _sensitivities(
    on: _Run, designations: Mapping[str, Designation]
) -> Iterator[tuple[str, Sensitivity]]:
    """Say which choice matters to each designation, where the study asks for it."""
    spec = on.study.sensitivity
    if spec is None:
        return
    for name, designation in designations.items():
        with on.log.step(f"sensitivity {name}") as entry:
            matters = what_matters(designation, spec, on.scores, on.indicators, on.progress)
            entry |= {"runs": matters.selected.n_runs, "areas": len(on.areas)}
        yield name, matters


def _since(on: _Run, designations: Mapping[str, Designation]) -> tuple[str, Comparison]:
    """Compare with the designation of an earlier study."""
    with on.log.step(f"since {on.study.since}") as entry:
        recipe = earlier_study(on.study)
        # Only its designation is wanted; its own 'since' could lead back to this study.
        earlier = run(recipe.bare(), on.store, geometry=False)
        found = compare_designations(
            only_designation(earlier), next(iter(designations.values())), on.store
        )
        entry |= {"stay": int(found.stay.sum()), "enter": int(found.enter.sum())}
        entry["leave"] = int(found.leave.sum())
    return earlier.study.title, found


def _social_capital(
    on: _Run,
) -> tuple[Indicators | None, Mapping[str, tuple[NationalFigure, ...]]]:
    """Give what is known of social capital, area by area and for the country."""
    with on.log.step("social capital") as entry:
        capital = social_capital_indicators(on.study, on.areas, on.store, on.progress)
        national = study_national_figures(on.study, on.store)
        entry["headlines"] = len(on.study.social_capital)
    return capital, national


def _extra(on: _Run) -> Indicators:
    """Give the indicators that are shown beside the indices."""
    study = on.study
    with on.log.step("extra indicators") as entry:
        extra = extra_indicators(study, study.on_areas(study.show), on.areas, on.store, on.progress)
        known = (~np.isnan(extra.values)).sum(axis=0).tolist()
        entry["known"] = {m.name: n for m, n in zip(extra.meta, known, strict=True)}
    return extra


def only_designation(results: Results) -> Designation:
    """Give the one designation of a run.

    Raises
    ------
    StudyError
        If it has none or several.
    """
    return results.designations[results.study.only_designation()]


def _summaries(
    areas: Areas, scores: Mapping[str, Scores]
) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    """Sum up each index for the larger areas that readers know."""
    # Systems that ship have many parents, some only links in a chain; an own table's are all meant.
    known_systems = load_systems()
    shipped = set(areas.parents) <= set(known_systems.systems)
    wanted = {authority_of(areas), *known_systems.at_level("region")}
    parents = [p for p in areas.parents if p in wanted or not shipped]
    if np.isnan(areas.population).all():
        return
    for parent in parents:
        part = (areas.partial or {}).get(parent, ())  # a summary of these would not be one of them
        groups = [None if g in part else g for g in areas.table[parent].to_list()]
        if not any(groups):
            continue
        names = (
            areas.table.select(code=parent, name=f"{parent}_name")
            .drop_nulls("code")
            .unique("code", keep="first")
        )
        for index, found in scores.items():
            table = summarise(groups, areas.population, found.score, found.rank)
            if table.is_empty():  # none of the areas with a score is in a larger one
                continue
            yield (parent, index), table.join(names, on="code", how="left", maintain_order="left")


@cache
def _versions() -> dict[str, str]:
    """Look up the versions of the packages that numbers come from, once: each is a walk through all packages."""
    from importlib.metadata import version

    return {p: version(p) for p in ("numpy", "polars", "scipy", "numba", "shapely", "pydantic")}


def _provenance(study: Study, store: Store, log: _Log) -> dict[str, Any]:
    import platform

    return {
        "commonweal": __version__,
        "study": study.name,
        "title": study.title,
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "certainty": plain_data(study.certainty.model_dump()) if study.certainty else None,
        "sensitivity": plain_data(study.sensitivity.model_dump()) if study.sensitivity else None,
        # The file's name alone: where it lies on this machine is nobody else's business.
        "sources": [
            {**entry, "path": entry["path"] and Path(entry["path"]).name} for entry in store.used
        ],
        "steps": log.steps,
    }
