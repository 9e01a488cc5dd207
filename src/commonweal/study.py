"""Run a study: the road from sources to results. The one module that knows every step."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal import __version__
from commonweal.areas import (
    Areas,
    boundaries,
    build_move,
    load_areas,
    load_systems,
    move_from_pairs,
    summarise,
)
from commonweal.designation import certainty, compare, designate
from commonweal.errors import CommonwealError, DataError, StudyError, UnreachableError
from commonweal.index import rank, score
from commonweal.indicators import Indicator, Indicators, Wanted, read_column, read_indicators
from commonweal.recipe import FileOrSource, IndexSpec, OwnAreas, Study, load_study
from commonweal.results import Agreement, Results
from commonweal.sources import Source, Store, local_source

if TYPE_CHECKING:
    from pathlib import Path

    from commonweal.designation import CertaintySpec, Comparison, Designation
    from commonweal.index import Scores
    from commonweal.recipe import AgreementSpec

__all__ = ["find_study", "only_designation", "run"]

Progress = Callable[[str, int, int], None]

POINT = ("longitude", "latitude")
MOST_DRAWS = 10_000_000
SUMMARY_PARENTS = ("lad24", "lad19", "region")


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


def run(
    study: Study | str | Path,
    store: Store | None = None,
    *,
    draws: int | None = None,
    geometry: bool = True,
    progress: Progress | None = None,
) -> Results:
    """Run a study.

    Parameters
    ----------
    study
        A study, the name of one that ships, or the path of a YAML file.
    store
        Where source files come from; as the environment says if not given.
    draws
        Number of draws in place of the study's; 0 leaves certainty out.
    geometry
        Whether to load boundaries, which only maps need.
    progress
        Called as ``progress(what, done, total)`` while something takes long.

    Returns
    -------
    Results

    Raises
    ------
    CommonwealError
        With what was found and what was expected: see `commonweal.errors`.
    """
    study = study if isinstance(study, Study) else load_study(study)
    spec_c = _certainty_spec(study, draws)
    store = store or Store.from_environment(progress)
    log = _Log()
    with log.step("areas") as entry:
        areas = _areas(study, store)
        entry["areas"] = len(areas)
    indicators: dict[str, Indicators] = {}
    scores: dict[str, Scores] = {}
    for name, spec in study.index.items():
        indicators[name], scores[name] = _index(study, name, spec, areas, store, log)
    designations: dict[str, Designation] = {}
    for name, rule in study.designate.items():
        with log.step(f"designation {name}") as entry:
            designations[name] = designate(name, rule, scores, areas)
            entry |= {"areas": len(areas), "selected": int(designations[name].selected.sum())}
    sure = {}
    if spec_c is not None and spec_c.draws:
        for name, designation in designations.items():
            with log.step(f"certainty {name}") as entry:
                sure[name] = certainty(designation, spec_c, scores, indicators, progress)
                entry |= {"draws": spec_c.draws, "areas": len(areas)}
    with log.step("agreement") as entry:
        agreements = tuple(
            _agreement(a, study, areas, scores, designations, store) for a in study.agreement
        )
        entry["compared"] = len(agreements)
    since = None
    if study.since:
        with log.step(f"since {study.since}") as entry:
            since = _since(study, designations, store)
            entry |= {"stay": int(since[1].stay.sum()), "enter": int(since[1].enter.sum())}
            entry["leave"] = int(since[1].leave.sum())
    with log.step("summaries") as entry:
        summaries = dict(_summaries(areas, scores))
        entry["larger areas"] = sum(len(t) for t in summaries.values())
    with log.step("boundaries") as entry:
        shapes, outline = _shapes(study, areas, store, geometry)
        entry["with a boundary"] = len(shapes) - shapes["geometry"].null_count()
    provenance = _provenance(study, store, log, None if spec_c is None else spec_c.model_dump())
    return Results(
        study,
        areas,
        indicators,
        scores,
        designations,
        sure,
        agreements,
        since,
        summaries,
        shapes,
        outline,
        provenance,
    )


def _certainty_spec(study: Study, draws: int | None) -> CertaintySpec | None:
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


def _own_source(study: Study, spec: FileOrSource, store: Store) -> Source:
    """Give a source of the catalogue, or a file beside the study."""
    if spec.source:
        return store.source(spec.source)
    source = local_source(study.folder / spec.file)
    # Tables are told apart by id, so north/values.csv and south/values.csv may not share one.
    alike = {f for f in study.files() if local_source(f).id == source.id}
    if len(alike) > 1:
        name = "-".join(re.findall(r"[a-z0-9]+", spec.file.lower()))
        return local_source(
            study.folder / spec.file, name=f"{name}-{sorted(alike).index(spec.file)}"
        )
    return source


def _areas(study: Study, store: Store) -> Areas:
    if isinstance(study.areas, str):
        try:
            return load_areas(
                store, study.areas, within=study.where, population_at=study.population
            )
        except DataError as error:
            raise StudyError(
                f"{study.name}: areas {study.areas}, where {study.where}: {error}"
            ) from None
    own = study.areas
    source = _own_source(study, own, store)
    given = {
        "code": own.code,
        "name": own.name or own.code,
        "population": own.population,
        "longitude": own.longitude,
        "latitude": own.latitude,
    }
    for parent, column in own.parents.items():
        code, name = (column, column) if isinstance(column, str) else column
        given |= {parent: code, f"{parent}_name": name}
    table = store.table(source, list(dict.fromkeys(c for c in given.values() if c)))
    columns: dict[str, pl.Expr] = {}
    for name, column in given.items():
        numeric = name in ("population", "longitude", "latitude")
        kind: Any = pl.Float64 if numeric else pl.String
        columns[name] = pl.col(column).cast(kind, strict=False) if column else pl.lit(None, kind)
        if column and numeric:
            _refuse_text(table, column, source)
    tidy = (
        table.select(**columns)
        .with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
        .with_columns(
            name=pl.coalesce("name", "code"), **{c: pl.col(c).fill_nan(None) for c in POINT}
        )
    )
    # Checked in the file's order, so that a message gives the row where it is.
    areas = Areas(
        own.system, own.title, own.singular, own.plural, tidy, tuple(own.parents), source.title
    )
    return replace(areas, table=tidy.sort("code"))


def _refuse_text(table: pl.DataFrame, column: str, source: Source) -> None:
    lost = table.filter(
        pl.col(column).cast(pl.Float64, strict=False).is_null() & pl.col(column).is_not_null()
    )
    if len(lost):
        raise DataError(
            f"column '{column}' of {source.title} has '{lost[column][0]}'; expected numbers"
        )


def _index(
    study: Study, name: str, spec: IndexSpec, areas: Areas, store: Store, log: _Log
) -> tuple[Indicators, Scores]:
    """Read what an index needs, build it, and carry it to the study's areas."""
    here = areas
    if spec.areas and spec.areas != areas.system:
        here = load_areas(store, spec.areas, within=study.where, population_at=spec.move.population)
    with log.step(f"indicators {name}") as entry:
        leaves = dict.fromkeys(n.indicator for _, n in spec.walk(name) if n.indicator is not None)
        wanted = [_wanted(study, leaf, store) for leaf in leaves]
        indicators, entry["read"] = read_indicators(store, wanted, here)
    with log.step(f"index {name}") as entry:
        scored = score(name, spec, indicators)
        entry |= {"areas in": len(here), "areas scored": int((~np.isnan(scored.score)).sum())}
    if here is not areas:
        with log.step(f"move {name}") as entry:
            scored = scored.moved(_move(spec, here, areas, store, entry))
            entry["areas scored"] = int((~np.isnan(scored.score)).sum())
    return indicators, scored


def _wanted(study: Study, name: str, store: Store) -> Wanted:
    spec = study.indicators[name]
    source = _own_source(study, spec, store)
    about = Indicator(
        name,
        spec.label or name,
        spec.unit,
        spec.higher_is,
        source.id,
        spec.vintage or source.vintage,
    )
    code = spec.code
    if not code and spec.file and isinstance(study.areas, OwnAreas):
        code = study.areas.code
    return Wanted(about, source, spec.column, code, spec.standard_error)


def _move(spec: IndexSpec, here: Areas, there: Areas, store: Store, entry: dict[str, Any]) -> Any:
    if spec.move.by == "link":
        move = build_move(store, here, there)
        entry["report"] = move.report
        return move
    from commonweal.areas.parts import split_parts

    pairs, report = split_parts(store, here, there)
    move = move_from_pairs(here, there, pairs)
    entry["report"] = {**move.report, **report}
    return move


def _agreement(
    spec: AgreementSpec,
    study: Study,
    areas: Areas,
    scores: Mapping[str, Scores],
    designations: Mapping[str, Designation],
    store: Store,
) -> Agreement:
    """Compare one result with what is published."""
    source = _own_source(study, spec, store)
    published, _, _ = read_column(
        store, source, spec.column, spec.code, areas, spec.designation or spec.index
    )
    none = np.array([], dtype=np.intp)
    if spec.compare == "flag":
        ours, theirs = designations[spec.designation].selected, np.nan_to_num(published) != 0
        compared = int((~np.isnan(published)).sum())
        matched, missed, extra = (
            np.flatnonzero(x) for x in (ours & theirs, theirs & ~ours, ours & ~theirs)
        )
        differ = len(missed) + len(extra)
        return Agreement(
            spec, compared, compared - differ, differ, differ == 0, matched, missed, extra
        )
    path = spec.index.replace(".", "/")
    found = scores[path.split("/", 1)[0]]
    values = found.rank_of(path) if spec.compare == "rank" else found.need[path]
    both = ~np.isnan(values) & ~np.isnan(published)
    if not both.any():
        raise DataError(f"agreement on {spec.index}: no area has both a value and a published one")
    if spec.compare == "spearman":
        for what, x in (("the index", values[both]), (f"'{spec.column}'", published[both])):
            if (x == x[0]).all():
                raise DataError(
                    f"agreement on {spec.index}: {what} is {x[0]:g} in each of {len(x):,} areas; "
                    "a rank correlation needs values that differ"
                )
        rho = float(
            np.corrcoef(rank(values[both], "average"), rank(published[both], "average"))[0, 1]
        )
        return Agreement(spec, int(both.sum()), 0, rho, rho >= spec.at_least, none, none, none)
    distance = np.abs(values - published)[both]
    exact = int((distance <= (spec.within if spec.compare == "score" else 0)).sum())
    largest = float(distance.max())
    return Agreement(
        spec, int(both.sum()), exact, largest, largest <= spec.within, none, none, none
    )


def _since(
    study: Study, designations: Mapping[str, Designation], store: Store
) -> tuple[str, Comparison]:
    """Compare with the designation of an earlier study."""
    is_file = study.since.lower().endswith((".yaml", ".yml"))
    try:
        recipe = load_study(study.folder / study.since if is_file else study.since)
    except CommonwealError as error:
        raise StudyError(f"since: {error}") from None
    # Only its designation is wanted; its own 'since' could lead back to this study.
    bare = recipe.model_copy(update={"since": "", "agreement": (), "certainty": None})
    earlier = run(bare, store, geometry=False)
    return earlier.study.title, compare(
        only_designation(earlier), next(iter(designations.values())), store
    )


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
    parents = [p for p in SUMMARY_PARENTS if p in areas.parents] or list(areas.parents)
    known = ~np.isnan(areas.population)
    for parent in parents:
        groups = [
            g if k else None for g, k in zip(areas.table[parent].to_list(), known, strict=True)
        ]
        if not any(groups):
            continue
        names = (
            areas.table.select(code=parent, name=f"{parent}_name")
            .drop_nulls("code")
            .unique("code", keep="first")
        )
        for index, found in scores.items():
            table = summarise(groups, areas.population, found.score, found.rank)
            yield (parent, index), table.join(names, on="code", how="left", maintain_order="left")


def _shapes(
    study: Study, areas: Areas, store: Store, geometry: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load the study's boundaries, and the outline that a map draws behind them."""
    nothing = pl.DataFrame(schema={"code": pl.String, "geometry": pl.Binary})
    without = pl.DataFrame({"code": areas.codes}).with_columns(geometry=pl.lit(None, pl.Binary))
    if not geometry:
        return without, nothing
    if isinstance(study.areas, OwnAreas):
        if not study.areas.boundaries:
            return without, nothing
        own = study.areas
        source = _own_source(study, study.areas.boundaries, store)
        table = store.table(source, [own.code, "geometry"])
        shapes = table.select(
            code=pl.col(own.code).cast(pl.String).str.strip_chars(), geometry="geometry"
        ).filter(pl.col("code").is_in(areas.codes))
        twice = shapes.filter(pl.col("code").is_duplicated())["code"].unique().sort()
        if len(twice):
            raise DataError(
                f"{source.title}: area {', '.join(twice.head(3))} has more than one boundary; "
                "expected one each"
            )
        return without.select("code").join(
            shapes, on="code", how="left", maintain_order="left"
        ), nothing
    shapes = boundaries(store, areas.system, areas.codes)
    districts = load_systems().system("lad24").boundaries[0]
    outline = store.table(districts.source, [districts.code, "geometry"]).select(
        code=districts.code, geometry="geometry"
    )
    countries = {c[0] for c in areas.codes}
    return shapes, outline.filter(pl.col("code").str.slice(0, 1).is_in(countries))


def _provenance(study: Study, store: Store, log: _Log, sure: Any) -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    packages = ("numpy", "polars", "scipy", "numba", "shapely", "pydantic")
    return {
        "study": study.name,
        "title": study.title,
        "commonweal": __version__,
        "python": platform.python_version(),
        "packages": {p: version(p) for p in packages},
        "certainty": sure,
        "sources": store.used,
        "steps": log.steps,
    }


def find_study(
    asked: str, store: Store, study: str | None = None, postcodes: Path | None = None
) -> tuple[Study, str]:
    """Find the study that an area belongs to, and the area's code.

    Parameters
    ----------
    asked
        A code, a name, ``name, authority`` or a postcode.
    store
        Where source files come from.
    study
        The study; if not given, the newest that ships, designates and has the area.
    postcodes
        A postcode directory of the user's own.

    Raises
    ------
    CommonwealError
        If no study has it, if several areas fit, or if a postcode is given without a directory.
    """
    from commonweal.briefing.profile import POSTCODE, area_of_postcode, find_area

    names = [study] if study else ["left-behind-2025", "left-behind-2019", "demo"]
    is_postcode = POSTCODE.match(asked.strip().upper()) is not None
    if is_postcode and postcodes is None:
        raise CommonwealError(
            f"'{asked}' looks like a postcode, and no postcode directory is set. Give one with --postcodes "
            "(the ONS Postcode Directory or the National Statistics Postcode Lookup as CSV), or a code or name."
        )
    away: UnreachableError | None = None
    for name in names:
        found = load_study(name)
        try:
            areas = _areas(found, store)
        except UnreachableError as error:  # another study may have the area, and its data be here
            away = away or error
            continue
        wanted = area_of_postcode(asked, str(postcodes), areas.system) if is_postcode else asked
        row = find_area(areas, wanted)
        if row is not None:
            return found, areas.codes[row]
    if away is not None:
        raise away
    where = f"'{asked}' (in {wanted})" if is_postcode else f"'{asked}'"
    raise CommonwealError(
        f"no area {where} in {' or '.join(names)}; expected a code such as {areas.codes[0]}, a name such as "
        f"'{areas.table['name'][0]}', or 'name, authority'"
    )
