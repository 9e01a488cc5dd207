"""The results of a run, and how they compare with a published result."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from html import escape
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from commonweal.errors import CommonwealError, DataError, UnknownNameError
from commonweal.files.frames import as_pandas, first_lines, not_there
from commonweal.index import rank
from commonweal.indicators.read import read_column, read_flags
from commonweal.study.files import own_source, stated_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.designation import Certainty, Comparison, Designation
    from commonweal.designation.uncertainty import Sensitivity
    from commonweal.index import Scores
    from commonweal.index.prepare import Prepared
    from commonweal.index.trends import Trend
    from commonweal.indicators import Indicators
    from commonweal.social_capital import NationalFigure
    from commonweal.sources import Store
    from commonweal.spec import Study
    from commonweal.spec.data import ValidationSpec


__all__ = ["Results", "Validation"]


@dataclass(frozen=True, slots=True)
class Validation:
    """How a result compares with a published one.

    Attributes
    ----------
    spec
        What was compared with what.
    compared
        Areas that both have.
    exact
        Of those, how many agree to the last digit (ranks, flags) or within the tolerance (scores).
    largest
        The largest difference; for flags the number of areas that differ; for ``spearman`` the
        correlation.
    holds
        Whether every difference is within the stated tolerance; for flags, whether there is none,
        nor an area of ours that the published table lacks.
    matched, missed, extra, unlisted
        For flags: areas in both, only in the published one, only in ours, and in ours where the
        published table has no such area or nothing about it (row numbers).
    """

    spec: ValidationSpec
    compared: int
    exact: int
    largest: float
    holds: bool
    matched: NDArray[np.intp]
    missed: NDArray[np.intp]
    extra: NDArray[np.intp]
    unlisted: NDArray[np.intp]


_KINDS = {
    **dict.fromkeys(("indicators", "scores", "prepared", "trends"), "index"),
    **dict.fromkeys(("designations", "certainty", "sensitivity"), "designation"),
}
"""What the attributes of results that are by name are by."""


class _ByName(dict[str, Any]):
    """What `named` gives of an attribute that is by name."""

    def __init__(self, attribute: str, value: Mapping[str, Any]) -> None:
        super().__init__(value)
        self.attribute = attribute

    def __missing__(self, name: str) -> None:
        where = f" in results.{self.attribute}"
        raise UnknownNameError(_KINDS[self.attribute], str(name), self, where)


def named(attribute: str, value: Any) -> Any:
    """Give an attribute of results so that a wrong name in it is told with those that there are."""
    return _ByName(attribute, value) if attribute in _KINDS else value


@dataclass(frozen=True, kw_only=True, repr=False)
class Results:
    """Everything that a run of a study gives, and a results folder holds.

    What `commonweal.study.saved.open_results` gives reads each attribute from the folder when it is first asked for.

    Attributes
    ----------
    study
        The recipe.
    areas
        The places.
    indicators
        By index, what it was computed from, on the areas that it was built on.
    scores
        By index, on the study's areas.
    designations, certainty
        By designation.
    validations
        With published results.
    since
        How the designation differs from that of the study named under ``since``, with that
        study's title; None where none is named.
    summaries
        By parent system and index, the five summaries of each larger area.
    boundaries
        ``code`` and ``geometry`` (WKB, WGS 84) of the study's areas, geometry null where unknown.
    outline
        Shapes to draw behind a map (WKB, WGS 84); empty where there are none.
    provenance
        Sources, versions, seed, timings, and rows in and out of each step.
    prepared
        By index, what was done to the indicators before it read them; indices on the same areas
        share one. Empty where the study prepares nothing.
    trends
        By index, how it moved over the years of the study's panel, on the study's areas; empty
        without one.
    sensitivity
        By designation, which choice matters; empty where that was not asked.
    capital
        The indicators that the study's ``social_capital`` names, as measured, on the study's areas;
        None where it names none.
    national
        By headline, figures for the country; empty where the study shows none.
    extra
        The indicators that the study's ``show`` names, as measured, on the study's areas; None where it
        names none.
    """

    study: Study
    areas: Areas
    indicators: Mapping[str, Indicators]
    scores: Mapping[str, Scores]
    designations: Mapping[str, Designation]
    certainty: Mapping[str, Certainty]
    validations: tuple[Validation, ...]
    since: tuple[str, Comparison] | None
    summaries: Mapping[tuple[str, str], pl.DataFrame]
    boundaries: pl.DataFrame
    outline: pl.DataFrame
    provenance: Mapping[str, Any]
    prepared: Mapping[str, Prepared]
    trends: Mapping[str, Trend]
    sensitivity: Mapping[str, Sensitivity]
    capital: Indicators | None
    national: Mapping[str, tuple[NationalFigure, ...]]
    extra: Indicators | None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read an attribute of opened results when it is first asked for."""
            read = self.__dict__.get("_read")
            if read is None or name not in {f.name for f in fields(self)}:
                raise AttributeError(f"'Results' object has no attribute '{name}'")
            value = self.__dict__[name] = read(name)
            return value

    def __post_init__(self) -> None:
        for name in _KINDS:
            self.__dict__[name] = named(name, getattr(self, name))

    @classmethod
    def lazily(cls, read: Callable[[str], Any]) -> Self:
        """Make results whose attributes are read by name when they are first asked for."""
        made = object.__new__(cls)
        made.__dict__["_read"] = read
        return made

    def with_(self, **changes: Any) -> Self:
        """Give the same results with some attributes changed; what was not read yet stays unread."""
        if unknown := changes.keys() - {f.name for f in fields(self)}:
            raise TypeError(f"results have no {sorted(unknown)[0]}")
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__ | {k: named(k, v) for k, v in changes.items()})
        return made

    def with_scores(
        self,
        scores: Mapping[str, Scores],
        designations: Mapping[str, Designation],
        **changes: Any,
    ) -> Self:
        """Give the same indicators under other scores; what rests on the former ones is left out unless given."""
        gone: dict[str, Any] = {
            "certainty": {}, "sensitivity": {}, "validations": (), "since": None, "summaries": {}, "trends": {},
        }  # fmt: skip
        return self.with_(scores=scores, designations=designations, **(gone | changes))

    def __repr__(self) -> str:
        lines = [
            f"Results of {self.study.name}: {self.study.title}",
            f"{len(self.areas):,} {self.areas.plural}",
        ]
        lines += first_lines(
            f"index {name}: {int((~np.isnan(s.score)).sum()):,} with a score; "
            + (f"domains {', '.join(s.tree.children)}" if s.tree.children else "one indicator")
            for name, s in self.scores.items()
        )
        lines += first_lines(
            f"designation {name}: {int(self.designation_in_focus(name).selected.sum()):,} on the list; {d.rule}"
            + (f"; {self.certainty[name].n_draws:,} draws" if name in self.certainty else "")
            for name, d in self.designations.items()
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head, *lines = (escape(line) for line in repr(self).splitlines())
        ranks = [f"{name}.rank" for name in self.scores]
        frame = self.to_polars()
        first = [c for c in ("code", "name", "population", *ranks) if c in frame.columns]
        more = [c for c in frame.columns if c.split(".")[-1] in ("selected", "share_of_draws")]
        worst = frame.select(first + more).sort(ranks[0], nulls_last=True).head(10)
        return f"<p><strong>{head}</strong><br>{'<br>'.join(lines)}</p>{worst._repr_html_()}"

    @property
    def designation(self) -> Designation:
        """The one designation of the study.

        Raises
        ------
        StudyError
            If it has none or several, which `designations` has by name.
        """
        return self.designations[self.study.only_designation()]

    def to_polars(self) -> pl.DataFrame:
        """Give one Polars frame, one row an area: what areas, indices, designations and certainty say of it.

        Columns are those of `Areas.table`, `Scores.to_frame`, `Designation.to_frame` and
        `Certainty.to_frame`; with several designations theirs begin with the name of each. Missing is null.
        """
        frame = self.areas.table
        for s in self.scores.values():
            frame = frame.hstack(s.to_frame().drop("code"))
        for name, d in self.designations.items():
            more = d.to_frame().drop("code")
            if name in self.certainty:
                more = more.hstack(self.certainty[name].to_frame().drop("code"))
            if len(self.designations) > 1 or set(more.columns) & set(frame.columns):
                more = more.rename({column: f"{name}.{column}" for column in more.columns})
            frame = frame.hstack(more)
        return frame

    def to_pandas(self) -> Any:
        """Give the frame of `to_polars` as one of pandas.

        Raises
        ------
        CommonwealError
            If pandas is not installed.
        """
        return as_pandas(self.to_polars())

    def to_geopandas(self) -> Any:
        """Give the frame of `to_polars` with the areas' outlines, in WGS 84, as a GeoDataFrame.

        Raises
        ------
        CommonwealError
            If GeoPandas is not installed, or the results hold no outlines.
        """
        try:
            import geopandas
        except ImportError:
            raise not_there("geopandas") from None
        shapes = self.boundaries
        if not len(shapes) or shapes["geometry"].null_count() == len(shapes):
            raise CommonwealError(
                "these results hold no outlines of areas; run the study with geometry=True, and give areas of your "
                "own 'boundaries'"
            )
        by_code = dict(shapes.select("code", "geometry").iter_rows())
        outlines = geopandas.GeoSeries.from_wkb(
            [by_code.get(code) for code in self.areas.codes], crs="EPSG:4326"
        )
        return geopandas.GeoDataFrame(as_pandas(self.to_polars()), geometry=outlines)

    @property
    def focus(self) -> NDArray[np.bool_]:
        """(n_areas,) the areas to list and count: those that the study's ``focus`` names, else all."""
        return self.study.in_focus(self.areas.table)

    @property
    def areas_in_focus(self) -> Areas:
        """The areas to list and count."""
        if not self.study.focus:
            return self.areas
        return replace(self.areas, table=self.areas.table.filter(pl.Series(self.focus)))

    def designation_in_focus(self, name: str) -> Designation:
        """Give a designation to list and count: nothing outside the study's ``focus`` is selected in it.

        Ranks, margins and cut-offs stay those among all areas.
        """
        d = self.designations[name]
        return d.inside(self.focus) if self.study.focus else d

    @property
    def since_in_focus(self) -> tuple[str, Comparison] | None:
        """As `since`, without what lies outside the study's ``focus``."""
        if self.since is None or not self.study.focus:
            return self.since
        title, c = self.since
        return title, c.inside(self.focus)

    @property
    def preparations(self) -> list[Prepared]:
        """What was done to the indicators, once for each set of areas that indices are built on."""
        return list({id(p): p for p in self.prepared.values()}.values())

    def label(self, path: str) -> str:
        """Name for readers of an index or a node below it, by its dotted or slashed path."""
        parts = path.replace(".", "/").split("/")
        tree = self.scores[parts[0]].tree
        for name in parts[1:]:
            tree = tree.children[name]
        known = self.study.indicators
        of_leaf = known[tree.indicator].label if tree.indicator in known else ""
        return tree.label or of_leaf or parts[-1].replace("_", " ")

    def left_out(self, index: str) -> Mapping[str, str]:
        """Areas of the study that were left out of an index for want of data, by code, and why."""
        found = self.prepared.get(index)
        on_own = list(self.indicators[index].codes) == self.areas.codes
        return found.areas_out if found is not None and on_own else {}


def validate_results(
    spec: ValidationSpec,
    study: Study,
    areas: Areas,
    scores: Mapping[str, Scores],
    designations: Mapping[str, Designation],
    store: Store,
) -> Validation:
    """Compare one result with what is published."""
    source = own_source(study, spec, store)
    code = stated_code(study, spec)
    none = np.array([], dtype=np.intp)
    if spec.compare == "flag":
        published = read_flags(store, source, spec.column, code, areas, spec.designation)
        ours, theirs = designations[spec.designation].selected, published == 1
        known = ~np.isnan(published)
        rows = (ours & theirs, theirs & ~ours, ours & ~theirs & known, ours & ~known)
        matched, missed, extra, unlisted = (np.flatnonzero(x) for x in rows)
        compared, differ = int(known.sum()), len(missed) + len(extra)
        # A table that lacks an area of ours may mean that it is not on the list: no agreement.
        holds = differ == 0 and len(unlisted) == 0
        return Validation(
            spec, compared, compared - differ, differ, holds, matched, missed, extra, unlisted
        )
    published, _, _ = read_column(store, source, spec.column, code, areas, spec.index)
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
        holds = rho >= spec.at_least
        return Validation(spec, int(both.sum()), 0, rho, holds, none, none, none, none)
    distance = np.abs(values - published)[both]
    exact = int((distance <= (spec.within if spec.compare == "score" else 0)).sum())
    largest = float(distance.max())
    holds = largest <= spec.within
    return Validation(spec, int(both.sum()), exact, largest, holds, none, none, none, none)
