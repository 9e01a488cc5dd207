"""One number per area for every indicator of a study, whatever it takes to make it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.access.postcodes import load_postcodes
from commonweal.areas.areas import code_texts, load_areas
from commonweal.areas.catalogue import load_systems
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.errors import DataError, StudyError, areas_are
from commonweal.index.rates import fall_short, rate
from commonweal.indicators import Indicator, Indicators
from commonweal.indicators.indicators import check_columns, evaluate_formula, names_in
from commonweal.indicators.read import code_column, read_indicators, to_numbers
from commonweal.spec.data import OwnAreas
from commonweal.study.areas import indicator_source, study_shapes, vintage_of
from commonweal.study.files import code_of, file_source, own_source, stated_code, with_replaced
from commonweal.study.reach import (
    POSTCODES,
    NearbyPlaces,
    Origins,
    area_points,
    offered,
    postcodes_inside,
    postcodes_kept,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas, Crosswalk
    from commonweal.sources import Source, Store
    from commonweal.spec import Study
    from commonweal.spec.indicators import IndicatorSpec

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Made:
    """An indicator on the areas that it is measured on: values, errors, and an account of it."""

    on: Areas
    values: NDArray[np.float64]
    errors: NDArray[np.float64] | None
    sources: tuple[Source, ...]
    told: dict[str, Any] = field(default_factory=dict)
    how: str = ""


def make_indicators(
    study: Study,
    names: Sequence[str],
    here: Areas,
    store: Store,
    progress: Progress | None = None,
    around: NearbyPlaces | None = None,
) -> tuple[Indicators, list[dict[str, Any]]]:
    """Give indicators of a study on the areas that an index is built on, and for each what was read and done.

    An indicator that is measured on other areas is carried over along the published lookup: values are means weighted
    by people, and the account says what that touched. `around` are places that were read before (`read_nearby`), or
    thought of.
    """
    store = with_replaced(study, store)
    plain = [name for name in names if not study.indicators[name].made]
    read, account = read_indicators(store, [indicator_source(study, n, store) for n in plain], here)
    kitchen = _Loader(study, here, store, progress, around)
    done = {name: kitchen.carried(name) for name in names if name not in plain}
    values = np.full((len(here), len(names)), np.nan)
    errors = np.full((len(here), len(names)), np.nan)
    meta = []
    for at, name in enumerate(names):
        if name in done:
            made = done[name]
            values[:, at] = made.values
            if made.errors is not None:
                errors[:, at] = made.errors
            meta.append(kitchen.about(name, made))
            account.append(
                {"indicator": name, **made.told, "areas without a value": _missing(made)}
            )
        else:
            k = plain.index(name)
            values[:, at] = read.values[:, k]
            if read.standard_errors is not None:
                errors[:, at] = read.standard_errors[:, k]
            meta.append(_described(read.meta[k], study.indicators[name]))
    if kitchen.around is not None:
        account.append({"places": kitchen.around.account.to_dicts()})
    some = None if np.isnan(errors).all() else errors
    return Indicators(here.system, here.codes, values, tuple(meta), some, read.counts), account


def takes_long(study: Study, name: str) -> bool:
    """Whether an indicator, or one that it is made from, takes walks, a timetable or postcodes to make."""
    spec = study.indicators[name]
    if spec.reach or spec.timetable or (spec.complete and spec.complete.lost_postcodes):
        return True
    others = names_in(spec.formula, name) if spec.formula and not spec.reads else []
    others += [spec.per] if spec.per not in ("", "population") else []
    others += [spec.complete.of] if spec.complete and spec.complete.of else []
    return any(takes_long(study, other) for other in others)


def read_nearby(
    study: Study, here: Areas, store: Store, progress: Progress | None = None
) -> NearbyPlaces:
    """Read the places around where a study's people live, and where they set out from, as it says of access."""
    store = with_replaced(study, store)
    origins = _Loader(study, here, store, progress).origins()
    return NearbyPlaces(study, origins, store, progress)


def _missing(made: _Made) -> int:
    return int(np.isnan(made.values).sum())


def _described(indicator: Indicator, spec: IndicatorSpec) -> Indicator:
    return replace(
        indicator, about=spec.about, why=spec.why, note=spec.note, synthetic=spec.synthetic
    )


class _Loader:
    """Makes indicators, and remembers areas, ways between them and what is within reach."""

    def __init__(
        self,
        study: Study,
        here: Areas,
        store: Store,
        progress: Progress | None,
        around: NearbyPlaces | None = None,
    ) -> None:
        self.study, self.here, self.store, self.progress = study, here, store, progress
        self.areas: dict[str, Areas] = {here.system: here}
        own = isinstance(study.areas, OwnAreas)
        self.by_postcode = study.access.origins == POSTCODES
        given = "" if self.by_postcode else study.access.origins
        self.setting_out = here.system if own else given or load_systems().origins_for(here.system)
        self.moves: dict[int, Crosswalk] = {}
        self.made: dict[str, _Made] = {}
        self.around = around
        self._origins = None if around is None else around.origins

    def carried(self, name: str) -> _Made:
        """Make an indicator, and carry it to the areas of the index."""
        made = self.make(name)
        if made.on is self.here:
            return made
        move = self.moves.get(id(made.on))
        if move is None:
            move = self.moves[id(made.on)] = build_crosswalk(self.store, made.on, self.here)
        of = Indicator(name, name, "", "more", "")
        errors = None if made.errors is None else made.errors[:, None]
        one = Indicators(made.on.system, made.on.codes, made.values[:, None], (of,), errors)
        moved = one.moved(move)
        told = {**made.told, "from": made.on.system, "carried": move.report}
        found = None if moved.standard_errors is None else moved.standard_errors[:, 0]
        return replace(made, values=moved.values[:, 0], errors=found, told=told)

    def make(self, name: str) -> _Made:
        """Make an indicator on the areas that it is measured on."""
        if name in self.made:
            return self.made[name]
        try:
            made = self._make(name, self.study.indicators[name])
        except DataError as error:
            known = f"{name}:" in str(error)
            raise error if known else DataError(f"{name}: {error}") from None
        self.made[name] = made
        return made

    def _make(self, name: str, spec: IndicatorSpec) -> _Made:
        if spec.reach is not None:
            made = self._reach(spec)
        elif spec.timetable is not None:
            made = self._timetable(spec)
        elif spec.reads:
            made = self._table(name, spec)
        else:
            made = self._of_others(name, spec)
        if spec.complete is not None:
            made = self._complete(name, spec, made)
        return self._rate(name, spec, made) if spec.per else made

    def on(self, system: str) -> Areas:
        """Load the areas of a system.

        All of them, since what is carried may come from over a border and what is shrunk borrows
        from its neighbours; of those that people set out from only the ones where the study is.
        """
        system = system or self.here.system
        if system not in self.areas:
            known = load_systems().parents(system) if system == self.setting_out else ()
            within = {key: code for key, code in self.study.where.items() if key in known}
            self.areas[system] = load_areas(self.store, system, within=within)
        return self.areas[system]

    def about(self, name: str, made: _Made) -> Indicator:
        """Say what a made indicator means, and where it is from."""
        spec = self.study.indicators[name]
        sources = {source.id: source for source in made.sources}
        measured = "" if made.on is self.here else made.on.system
        return Indicator(
            name,
            spec.label or name,
            spec.unit,
            spec.higher_is,
            ", ".join(sources),
            vintage_of(self.study, spec, sources.values()),
            about=spec.about,
            why=spec.why,
            note=spec.note,
            how=made.how,
            measured_on=measured,
            synthetic=spec.synthetic,
        )

    def _table(self, name: str, spec: IndicatorSpec) -> _Made:
        on = self.on(spec.areas)
        source = own_source(self.study, spec.table(), self.store)
        values, told = self._read(name, spec, source, on)
        return _Made(on, values, None, (source,), told)

    def _read(
        self, name: str, spec: IndicatorSpec, source: Source, on: Areas
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        here = on is self.here
        code = (
            code_of(self.study, spec, source, self.store) if here else stated_code(self.study, spec)
        )
        code = code or code_column(self.store.table(source), source, on)
        column = str(spec.column)
        wanted = names_in(spec.formula, name) if spec.formula else [column]
        if spec.formula:
            check_columns(wanted, self.store.table(source).columns, name, source.called)
        table = self.store.table(source, list(dict.fromkeys([code, *wanted])))
        value = (
            evaluate_formula(spec.formula, table, name, source.called)
            if spec.formula
            else to_numbers(table, column, source)
        )
        return aligned(
            name, code_texts(table[code], source.called), value, on, source, add=spec.add
        )

    def _of_others(self, name: str, spec: IndicatorSpec) -> _Made:
        used = {other: self._used(name, other, spec) for other in names_in(spec.formula, name)}
        on = self.on(spec.areas)
        frame = pl.DataFrame({n: made.values for n, made in used.items()}).fill_nan(None)
        found = evaluate_formula(spec.formula, frame, name, "the study's indicators")
        values = found.fill_null(float("nan")).to_numpy()
        sources = tuple(s for made in used.values() for s in made.sources)
        how = "; ".join(dict.fromkeys(made.how for made in used.values() if made.how))
        return _Made(on, values, None, sources, {"from indicators": list(used)}, how)

    def _used(self, name: str, other: str, spec: IndicatorSpec) -> _Made:
        """Give an indicator that a formula names, on the areas of the formula."""
        given, on = self.study.indicators[other], self.on(spec.areas)
        if given.made:
            made = self.make(other)
        else:
            read, _ = read_indicators(
                self.store, [indicator_source(self.study, other, self.store)], on
            )
            source = own_source(self.study, given.table(), self.store)
            made = _Made(on, read.values[:, 0], None, (source,))
        if made.on is not on:
            raise StudyError(
                f"indicators.{name}: '{other}' is measured on {made.on.system}, and this on "
                f"{on.system}; expected the same (say 'areas: {made.on.system}' here, too)"
            )
        return made

    def _complete(self, name: str, spec: IndicatorSpec, made: _Made) -> _Made:
        """Leave missing what lies in a larger area whose total is not reached."""
        of = spec.complete
        assert of is not None
        if of.lost_postcodes:
            kept = self._kept(of.lost_postcodes, made.on)
            gone = kept < of.at_least  # an area without postcodes is left alone
            told = {**made.told, "areas that lost postcodes": int(gone.sum())}
            return replace(made, values=np.where(gone, np.nan, made.values), told=told)
        if of.areas not in made.on.table.columns:
            raise StudyError(
                f"indicators.{name}: complete: the {made.on.called} lie in no {of.areas}; expected "
                f"one of: {', '.join(made.on.parents)}"
            )
        totals, sources = self._totals(name, spec, made.on)
        short = fall_short(
            made.values,
            made.on.table[of.areas],
            totals["code"].to_list(),
            totals["total"].to_numpy(),
            of.at_least,
        )
        called = dict(totals.select("code", "name").iter_rows())
        told = {**made.told, "holes": {called[c]: round(s, 3) for c, s in short.shares.items()}}
        values = np.where(short.inside, np.nan, made.values)
        return replace(made, values=values, sources=(*made.sources, *sources), told=told)

    def _kept(self, lost: str, on: Areas) -> NDArray[np.float64]:
        """Give the share of each area's postcodes that a count has not lost."""
        small = self.on(self.setting_out)
        shapes, _ = study_shapes(self.study, small, self.store, geometry=True)
        directory = load_postcodes(cache=self.store.cache, progress=self.progress)
        kept = postcodes_kept(small, shapes, directory, lost)
        return kept if on is small else self._moved(kept, small, on)

    def _moved(self, values: NDArray[np.float64], source: Areas, to: Areas) -> NDArray[np.float64]:
        """Carry a number to other areas."""
        of = Indicator("", "", "", "more", "")
        one = Indicators(source.system, source.codes, values[:, None], (of,))
        return one.moved(build_crosswalk(self.store, source, to)).values[:, 0]

    def _totals(
        self, name: str, spec: IndicatorSpec, on: Areas
    ) -> tuple[pl.DataFrame, tuple[Source, ...]]:
        """Give what counts are held to, ``code``, ``name``, ``total``: published, or another's sums."""
        of = spec.complete
        assert of is not None
        if of.of:
            other = self._used(name, of.of, spec)
            known = f"{of.areas}_name" in on.table.columns
            summed = (
                on.table.select(code=of.areas, name=f"{of.areas}_name" if known else of.areas)
                .with_columns(n=other.values)
                .drop_nulls("code")
                .group_by("code", maintain_order=True)
                .agg(pl.col("name").first(), total=pl.col("n").fill_nan(0).sum())
            )
            return summed, other.sources
        larger = self.on(of.areas)
        source = own_source(self.study, of, self.store)
        code = stated_code(self.study, of) or code_column(self.store.table(source), source, larger)
        table = self.store.table(source, [code, of.column])
        total, _ = aligned(
            name,
            code_texts(table[code], source.called),
            to_numbers(table, of.column, source),
            larger,
            source,
        )
        return larger.table.select("code", "name").with_columns(total=total), (source,)

    def _rate(self, name: str, spec: IndicatorSpec, made: _Made) -> _Made:
        base = (
            made.on.population
            if spec.per == "population"
            else self._used(name, spec.per, spec).values
        )
        larger = None
        if spec.shrink:
            if spec.shrink not in made.on.table.columns:
                raise StudyError(
                    f"indicators.{name}: shrink: the {made.on.called} lie in no '{spec.shrink}'; "
                    f"expected one of: {', '.join(made.on.parents)}"
                )
            larger = made.on.table[spec.shrink].to_list()
        values, errors = rate(made.values, base, spec.out_of, larger, made.on.codes)
        return replace(made, values=values, errors=errors)

    def _reach(self, spec: IndicatorSpec) -> _Made:
        assert spec.reach is not None
        if self.around is None:
            self.around = NearbyPlaces(self.study, self.origins(), self.store, self.progress)
        found, how, told = self.around.measure(spec.reach)
        origins = self.origins()
        used = self.around.sources_of(spec.reach)
        return _Made(origins.areas, origins.at_areas(found), None, used, told, how)

    def _timetable(self, spec: IndicatorSpec) -> _Made:
        assert spec.timetable is not None
        source = file_source(self.study, spec.timetable, self.store)
        origins = self.origins()
        found, told = offered(spec.timetable, origins.points, self.store.path(source))
        return _Made(origins.areas, origins.at_areas(found), None, (source,), told)

    def origins(self) -> Origins:
        """Give where people set out from: points of the smallest areas, or the postcodes in them."""
        if self._origins is None:
            areas = self.on(self.setting_out)
            if self.by_postcode:
                shapes, _ = study_shapes(self.study, areas, self.store, geometry=True)
                directory = load_postcodes(cache=self.store.cache, progress=self.progress)
                self._origins = postcodes_inside(areas, shapes, directory)
            else:
                self._origins = area_points(areas)
        return self._origins


def aligned(
    name: str, codes: pl.Series, values: pl.Series, on: Areas, source: Source, add: bool = False
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Put values into the order of areas; rows of the same area are added up, or an error."""
    keyed = pl.DataFrame({"code": codes, "value": values})
    inside = keyed.filter(pl.col("code").is_in(on.codes))
    if inside.is_empty():
        raise DataError(
            f"{name}: no code of {source.called} is one of the {len(on):,} {on.called}; found such "
            f"as {', '.join(codes.drop_nulls().head(2)) or 'nothing'}, expected such as "
            f"{', '.join(on.codes[:2])}"
        )
    matched = len(inside)
    if add:
        # An area with rows but no value in any of them stays missing: 0 is a number, too.
        some = pl.col("value").is_not_null().any()
        inside = inside.group_by("code").agg(
            pl.when(some).then(pl.col("value").sum()).otherwise(None)
        )
    twice = inside.filter(pl.col("code").is_duplicated())["code"].unique().sort()
    if len(twice):
        raise DataError(
            f"{name}: {areas_are(twice)} in {source.called} more than once; expected one row each, or "
            "'add: true' to add them up"
        )
    joined = pl.DataFrame({"code": on.codes}).join(
        inside, on="code", how="left", maintain_order="left"
    )
    told = {
        "source": source.id,
        "rows": len(keyed),
        "rows matched": matched,
        "rows left aside": len(keyed) - matched,
    }
    return joined["value"].fill_null(float("nan")).to_numpy(), told
