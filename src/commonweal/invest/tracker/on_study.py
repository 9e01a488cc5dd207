"""Following places of a study: a snapshot of them as they are now, kept, and set beside what newer sources say."""

from __future__ import annotations

import re
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.areas.areas import load_areas
from commonweal.areas.crosswalk import build_crosswalk
from commonweal.document.model import TableData
from commonweal.errors import CommonwealError, DataError, StudyError, UnknownNameError
from commonweal.files.folder import MARK, atomic_folder, explain_write_errors, marker, read_marker
from commonweal.files.inputs import record_input
from commonweal.index import rank
from commonweal.sources.sandbox import explain_damage, reason_of
from commonweal.study.names import authority_of, find_scope, listed_areas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from commonweal.index import Node, Scores
    from commonweal.indicators import Indicator
    from commonweal.sources import Store
    from commonweal.study.results import Results

    Floats = NDArray[np.float64]

PERCENTILE_UNIT = "% of areas with more need"
"""The unit of a standing: higher is better."""

_PEOPLE, _SELECTED, _GROUP, _VALUE = "people", "selected", "group: ", "value: "


@dataclass(frozen=True, slots=True)
class TrackedMeasure:
    """What one column of numbers means."""

    name: str  # of the indicator, or the dotted path of an index or part
    label: str
    unit: str
    better: str  # whether ``more`` or ``less`` is better for a place
    # source, vintage: where the number is from, and what date or period it describes
    source: str
    vintage: str
    covariate: bool = False  # whether like places are sought by it

    @property
    def year(self) -> int | None:
        """The latest year that its date names; None where it names none."""
        named = re.findall(r"\b(?:19|20)\d\d\b", self.vintage)
        return max(map(int, named), default=None)


@dataclass(frozen=True)
class Snapshot:
    """All areas of a study on one day."""

    study: str
    title: str
    when: str  # what date or year it describes, in words
    # system, singular, plural: id of the areas, and what one and several are called
    system: str
    singular: str
    plural: str
    # codes, names: (n_areas,) of the areas
    codes: tuple[str, ...]
    names: tuple[str, ...]
    people: Floats  # (n_areas,) residents; NaN where unknown
    selected: NDArray[np.bool_]  # (n_areas,) whether it is one of the places that are followed
    # by name (``authority``, ``region``, a class), (n_areas,) the group of each; None where unknown
    groups: Mapping[str, tuple[str | None, ...]]
    measures: tuple[TrackedMeasure, ...]  # what the columns of `values` mean
    values: Floats  # (n_areas, n_measures); NaN = missing

    def __post_init__(self) -> None:
        shape = (len(self.codes), len(self.measures))
        if self.values.shape != shape:
            raise DataError(f"values have shape {self.values.shape}; expected {shape}")
        if len(set(self.codes)) < len(self.codes):
            raise DataError("an area is there more than once; expected one row each")
        names = [m.name for m in self.measures]
        for name in names:
            if names.count(name) > 1:
                raise DataError(f"measure '{name}' is there more than once; expected it once")
        if self.selected.all() or not self.selected.any():
            found = "all" if self.selected.all() else "none"
            raise DataError(
                f"{found} of the {len(self.codes):,} {self.plural} are followed; expected some, and others to compare"
            )

    def column(self, name: str) -> Floats:
        """(n_areas,) values of a measure."""
        names = [m.name for m in self.measures]
        if name not in names:
            raise UnknownNameError("measure", name, names, f" of {self.title}")
        return self.values[:, names.index(name)]

    def to_frame(self) -> pl.DataFrame:
        """Give a row an area: code, name, people, whether it is followed, its groups and every value."""
        groups = {
            f"{_GROUP}{name}": pl.Series(list(of), dtype=pl.String)
            for name, of in self.groups.items()
        }
        values = {f"{_VALUE}{m.name}": self.values[:, k] for k, m in enumerate(self.measures)}
        frame = pl.DataFrame(
            {
                "code": list(self.codes),
                "name": list(self.names),
                _PEOPLE: self.people,
                _SELECTED: self.selected,
                **groups,
                **values,
            }
        )
        return frame.fill_nan(None)

    def about(self) -> dict[str, Any]:
        """Give what `to_frame` does not hold, as plain data."""
        told = ("study", "title", "when", "system", "singular", "plural")
        return {
            **{name: getattr(self, name) for name in told},
            "measures": [asdict(measure) for measure in self.measures],
        }

    @classmethod
    def of(cls, about: Mapping[str, Any], frame: pl.DataFrame) -> Snapshot:
        """Read what `about` and `to_frame` gave."""
        try:
            measures = tuple(TrackedMeasure(**measure) for measure in about["measures"])
            if not all(isinstance(text, str) for m in measures for text in astuple(m)[:-1]):
                raise TypeError("measures, which are not all in words")
            grouped = [c for c in frame.columns if c.startswith(_GROUP)]
            for name in ("code", "name", *grouped):
                if frame[name].dtype != pl.String:
                    raise TypeError(f"column '{name}' holds {frame[name].dtype}; expected text")
            groups = {c.removeprefix(_GROUP): tuple(frame[c].to_list()) for c in grouped}
            values = frame.select(
                pl.col(f"{_VALUE}{m.name}").cast(pl.Float64).fill_null(np.nan) for m in measures
            )
            return cls(
                str(about["study"]),
                str(about["title"]),
                str(about["when"]),
                str(about["system"]),
                str(about["singular"]),
                str(about["plural"]),
                tuple(frame["code"].to_list()),
                tuple(frame["name"].to_list()),
                frame[_PEOPLE].cast(pl.Float64).fill_null(np.nan).to_numpy(),
                frame[_SELECTED].cast(pl.Boolean).to_numpy(),
                groups,
                measures,
                values.to_numpy().reshape(len(frame), len(measures)),
            )
        except (KeyError, TypeError, pl.exceptions.PolarsError) as error:
            found = f"has no {error}" if isinstance(error, KeyError) else reason_of(error)
            raise DataError(
                f"not a baseline ({found}); expected the files that 'commonweal invest baseline' wrote"
            ) from None


def need_percentile(need: Floats) -> Floats:
    """Turn need into standings: the share of areas that have more need, in percent, counting half of ties.

    Unlike a rank it does not depend on how many areas there are, so two years whose areas were redrawn can
    be set beside each other.

    Parameters
    ----------
    need
        (n_areas,) higher = more need; NaN = missing.

    Returns
    -------
    ndarray
        (n_areas,) 0 to 100, higher = better; NaN where need is missing.

    Examples
    --------
    >>> need_percentile(np.array([9.0, 5.0, 5.0, 1.0])).tolist()
    [12.5, 50.0, 50.0, 87.5]
    """
    n = max(int((~np.isnan(need)).sum()), 1)
    return 100.0 * (rank(need, "average") - 0.5) / n


SELECTED = "selected"
"""What is said for all areas that the study's designation selects."""

_AREAS, _PLACES = "areas.parquet", "places.csv"
_RANK = "rank"


def take_baseline(
    results: Results,
    areas: Sequence[str] = (SELECTED,),
    *,
    designation: str = "",
    year: int | None = None,
) -> Snapshot:
    """Take all areas of a study as they are, with the places that are to be followed.

    `areas` is ``selected`` (by the study's designation, in its focus) or codes and names. Of every index and part its
    standing among all areas is taken; of an indicator that is no rank its value. Over years, an index is measured on
    the base of the study's panel, and so has a value that can be compared.
    """
    table = results.areas.table
    names = table["name"].fill_null(table["code"]).to_list()
    measures, values = _columns(results, _scores(results, year), year)
    return Snapshot(
        results.study.name,
        results.study.title,
        "" if year is None else str(year),
        results.areas.system,
        results.areas.singular,
        results.areas.plural,
        tuple(results.areas.codes),
        tuple(names),
        results.areas.population,
        _followed(results, areas, designation),
        _groups(results),
        measures,
        values,
    )


def later_snapshot(
    results: Results, baseline: Snapshot, store: Store, *, year: int | None = None
) -> Snapshot:
    """Take the areas of a baseline as another study has them.

    If that is of other areas, what it says is carried along the published lookup: means weighted by people.
    """
    scores = _scores(results, year)
    codes = results.areas.codes
    if results.areas.system != baseline.system:
        there = load_areas(store, baseline.system)
        move = build_crosswalk(store, results.areas, there)
        scores = {name: found.moved(move) for name, found in scores.items()}
        codes = there.codes
    row = {code: k for k, code in enumerate(codes)}
    at = np.array([row.get(code, -1) for code in baseline.codes])
    if (at < 0).all():
        raise DataError(
            f"study {results.study.name} has none of the {len(at):,} {baseline.plural} of the baseline; expected the "
            f"same areas, such as {baseline.codes[0]}"
        )
    measures, values = _columns(results, scores, year, at)
    return Snapshot(
        results.study.name,
        results.study.title,
        "" if year is None else str(year),
        baseline.system,
        baseline.singular,
        baseline.plural,
        baseline.codes,
        baseline.names,
        baseline.people,
        baseline.selected,
        baseline.groups,
        measures,
        values,
    )


def write_baseline(baseline: Snapshot, folder: Path) -> Path:
    """Write a baseline into a folder of its own: every area, and the places that are followed to read."""
    account = marker({"baseline": baseline.about()}, [MARK, _AREAS, _PLACES])
    with atomic_folder(folder) as (fresh, target), explain_write_errors(target):
        baseline.to_frame().write_parquet(fresh / _AREAS)
        (fresh / _PLACES).write_bytes(_places(baseline).csv())
        (fresh / MARK).write_text(account, "utf-8")
    return target


def read_baseline(folder: Path) -> Snapshot:
    """Read a baseline that `write_baseline` wrote."""
    none = "no baseline; expected a folder that 'commonweal invest baseline' wrote"
    about = read_marker(folder).get("baseline")
    if about is None or not (folder / _AREAS).is_file():
        raise DataError(f"{folder}: {none}")
    with explain_damage(folder, none, hush=True):
        frame = pl.read_parquet(folder / _AREAS)
    record_input(folder / MARK)
    record_input(folder / _AREAS)
    try:
        return Snapshot.of(about, frame)
    except DataError as error:
        raise DataError(f"{folder}: {error}") from None


def _scores(results: Results, year: int | None) -> dict[str, Scores]:
    """Give the indices of a year; of the latest if none is asked for."""
    if year is None:
        return dict(results.scores)
    if not results.trends:
        raise StudyError(
            f"year: found {year}, and study {results.study.name} has no 'panel'; expected none"
        )
    found = {}
    for name, trend in results.trends.items():
        if year not in trend.scores.of:
            raise UnknownNameError("year", str(year), [str(y) for y in trend.scores.years])
        found[name] = trend.scores.of[year]
    return found


def _columns(
    results: Results,
    found: Mapping[str, Scores],
    year: int | None,
    at: NDArray[np.intp] | None = None,
) -> tuple[tuple[TrackedMeasure, ...], Floats]:
    """Give every measure of some indices; of the areas at some rows, missing where a row is -1."""
    columns: dict[str, tuple[TrackedMeasure, Floats]] = {}
    for index, scores in found.items():
        about = {m.name: m for m in results.indicators[index].meta}
        for path, node in scores.tree.walk(index):
            need = scores.need[path]
            if at is not None:
                need = np.where(at >= 0, need[at], np.nan)
            measure, values = _measure(results, path, node, about, need, year)
            columns.setdefault(
                measure.name, (measure, values)
            )  # one indicator may be in several indices
    measures = tuple(measure for measure, _ in columns.values())
    return measures, np.column_stack([values for _, values in columns.values()])


def _measure(
    results: Results,
    path: str,
    node: Node,
    about: Mapping[str, Indicator],
    need: Floats,
    year: int | None,
) -> tuple[TrackedMeasure, Floats]:
    leaves = [about[n.indicator] for _, n in node.walk(path) if n.indicator is not None]
    source = ", ".join(dict.fromkeys(m.source for m in leaves))
    vintage = str(year) if year is not None else ", ".join(dict.fromkeys(m.vintage for m in leaves))
    covariate = path.count("/") == 1
    label = results.label(path)
    own = about.get(node.indicator or "")
    if own is not None and own.unit != _RANK:
        better = "less" if own.higher_is == "more" else "more"
        values = need if own.higher_is == "more" else -need
        return TrackedMeasure(own.name, label, own.unit, better, source, vintage, covariate), values
    name = path.replace("/", ".")
    if year is not None:
        unit = f"score on the base of {results.trends[path.split('/')[0]].scores.base}"
        return TrackedMeasure(name, label, unit, "less", source, vintage, covariate), need
    return TrackedMeasure(
        name, label, PERCENTILE_UNIT, "more", source, vintage, covariate
    ), need_percentile(need)


def _followed(results: Results, areas: Sequence[str], designation: str) -> NDArray[np.bool_]:
    """(n_areas,) the places to follow."""
    if SELECTED not in areas:
        followed = np.zeros(len(results.areas), dtype=bool)
        followed[find_scope(results.areas, areas).rows] = True
        return followed
    if len(areas) > 1:
        raise CommonwealError(
            f"areas: found '{SELECTED}' and others; expected the one or the others"
        )
    if designation and designation not in results.designations:
        raise UnknownNameError("designation", designation, results.designations)
    name = designation or results.study.only_designation()
    followed = results.designation_in_focus(name).selected
    if results.study.focus and not followed.any():
        raise CommonwealError(
            f"designation {name} selects none of the {listed_areas(results)}, so nothing is followed; expected "
            "some, or --area with those to follow"
        )
    return followed


def _groups(results: Results) -> dict[str, tuple[str | None, ...]]:
    """Give authority, region and classes of each area, by name where there is one."""
    table, found = results.areas.table, {}
    parents = {"authority": authority_of(results.areas), "region": "region"}
    for name, parent in parents.items():
        if parent in results.areas.parents:
            found[name] = tuple(table[f"{parent}_name"].fill_null(table[parent]).to_list())
    if found.get("authority") == found.get("region"):
        found.pop("region", None)
    return {
        **found,
        **{c: tuple(table[c].cast(pl.String).to_list()) for c in results.areas.classes},
    }


def _places(baseline: Snapshot) -> TableData:
    """Give a row a place and measure, for people to read."""
    rows: Iterator[tuple[object, ...]] = (
        (
            baseline.names[a],
            baseline.codes[a],
            m.label,
            None if np.isnan(value := float(baseline.values[a, k])) else value,
            m.unit,
            f"{m.better} is better",
            m.vintage,
            m.source,
        )
        for a in np.flatnonzero(baseline.selected)
        for k, m in enumerate(baseline.measures)
    )
    heads = ("Place", "Code", "Measure", "Value", "Unit", "Direction", "Date", "Source")
    schema = {h: pl.Float64 if h == "Value" else pl.String for h in heads}
    return TableData(pl.DataFrame(list(rows), schema=schema, orient="row"))
