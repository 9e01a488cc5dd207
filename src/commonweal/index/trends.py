"""Years side by side: growth, an index on a fixed base, how it moved and what moved it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.errors import DataError
from commonweal.index.decomposition import Change, drivers, split_years
from commonweal.index.methods import Whole, strict
from commonweal.index.normalise import normalise
from commonweal.index.panel import score_panel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from commonweal.areas import Crosswalk
    from commonweal.index.framework import Node
    from commonweal.index.normalise import Normaliser
    from commonweal.index.panel import BaseYear, PanelScores
    from commonweal.index.tables import Floats
    from commonweal.indicators import Panel


__all__ = [
    "Line",
    "Span",
    "Trend",
    "annual_growth",
    "line",
    "movers",
    "on_fixed_base",
    "percentage_change",
    "span",
    "trend",
]


@dataclass(frozen=True, slots=True)
class Span:
    """What there is of a series: first and latest year with a value, share of years with one.

    Attributes
    ----------
    first, latest
        (n_units,) years; NaN where there is no value.
    available
        (n_units,) 0..1.
    """

    first: Floats
    latest: Floats
    available: Floats


def span(values: ArrayLike, years: ArrayLike) -> Span:
    """Say which years a series covers.

    Parameters
    ----------
    values
        (n_years, n_units), NaN = missing.
    years
        (n_years,) in ascending order.

    Examples
    --------
    >>> span([[np.nan], [2.0], [4.0]], [2018, 2019, 2020]).first
    array([2019.])
    """
    x, t = _panel(values, years)
    here = ~np.isnan(x)
    when = np.where(here, t[:, None], np.nan)
    return Span(
        np.fmin.reduce(when, axis=0), np.fmax.reduce(when, axis=0), here.mean(axis=0, dtype=float)
    )


def annual_growth(values: ArrayLike, years: ArrayLike) -> Floats:
    """Compound annual growth rate: ``(latest / first)^(1 / years between) - 1``.

    Parameters
    ----------
    values, years
        As in `span`.

    Returns
    -------
    ndarray
        (n_units,) growth a year as a fraction; NaN with fewer than two values, or where the first
        or latest is not above 0: growth by a factor has no meaning then.

    Examples
    --------
    >>> annual_growth([[100.0], [np.nan], [121.0]], [2018, 2019, 2020]).round(4)
    array([0.1])
    """
    x, t = _panel(values, years)
    n_units = x.shape[1]
    here = ~np.isnan(x)
    first, latest = here.argmax(axis=0), len(t) - 1 - here[::-1].argmax(axis=0)
    start, end = x[first, np.arange(n_units)], x[latest, np.arange(n_units)]
    usable = (here.sum(axis=0) >= 2) & (start > 0) & (end > 0)
    growth = np.full(n_units, np.nan)
    ratio = end[usable] / start[usable]
    growth[usable] = ratio ** (1 / (t[latest] - t[first])[usable]) - 1
    return growth


def percentage_change(values: ArrayLike, years: ArrayLike) -> Floats:
    """Percentage change a year of a straight line through all values, of its own first value.

    Parameters
    ----------
    values, years
        As in `span`.

    Returns
    -------
    ndarray
        (n_units,) per cent a year; NaN with fewer than two values, or where the line starts at 0.
        As in COINr's ``prc_change``; where the line starts below 0 its size is divided by, so that
        a rise is above 0 (COINr's is below).

    Examples
    --------
    >>> percentage_change([[100.0], [110.0], [120.0]], [2018, 2019, 2020])
    array([10.])
    """
    found = line(values, years)
    start = np.abs(found.first)
    return 100 * found.slope / np.where(start > 0, start, np.nan)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through a series, by least squares.

    Attributes
    ----------
    slope
        (n_units,) change a year; NaN with fewer than two values.
    first
        (n_units,) where the line is in the first year with a value.
    spread
        (n_units,) standard deviation of the values around it, ``sqrt(sum e^2 / (n - 2))``: how
        volatile the series is once its trend is taken out. NaN with fewer than three values, which
        leave nothing to tell it by.
    """

    slope: Floats
    first: Floats
    spread: Floats


def line(values: ArrayLike, years: ArrayLike) -> Line:
    """Draw a straight line through the values that there are.

    Parameters
    ----------
    values, years
        As in `span`.

    Examples
    --------
    >>> found = line([[1.0], [4.0], [5.0]], [2018, 2019, 2020])
    >>> found.slope, found.spread.round(4)
    (array([2.]), array([0.8165]))
    """
    x, t = _panel(values, years)
    here = ~np.isnan(x)
    n = here.sum(axis=0)
    some = n >= 2
    slope, first, spread = (np.full(x.shape[1], np.nan) for _ in range(3))
    value = np.where(here, x, 0.0)[:, some]
    mean_t = np.where(here, t[:, None], 0.0)[:, some].sum(axis=0) / n[some]
    mean_x = value.sum(axis=0) / n[some]
    apart = np.where(here[:, some], t[:, None] - mean_t, 0.0)
    slope[some] = (apart * value).sum(axis=0) / (apart**2).sum(axis=0)
    first[some] = mean_x + slope[some] * (span(x, t).first[some] - mean_t)
    left = np.where(here[:, some], value - mean_x - slope[some] * apart, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        around = np.sqrt((left**2).sum(axis=0) / (n[some] - 2))
    spread[some] = np.where(n[some] > 2, around, np.nan)
    return Line(slope, first, spread)


def _panel(values: ArrayLike, years: ArrayLike) -> tuple[Floats, Floats]:
    x, t = np.asarray(values, dtype=np.float64), np.asarray(years, dtype=np.float64)
    if x.ndim != 2 or len(x) == 0 or t.shape != (len(x),):
        raise DataError(
            f"values of shape {x.shape} and years of shape {t.shape}; "
            "expected (n_years, n_units) and (n_years,)"
        )
    if not (np.diff(t) > 0).all():
        raise DataError(f"years {t.tolist()}; expected each once, in ascending order")
    return x, t


STATES = ("both", "enters", "leaves", "neither")
"""Whether an area has a score in the two years compared, in the later or the earlier one alone."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How an index has moved over years: what `trend` gives.

    Attributes
    ----------
    scores
        Every year on one base.
    compared
        The earlier and the later year between which change is told.
    drivers
        By path of every node but the root, (n_areas,) points of the change that it brought about.
    own
        By path of every node with children, its change where each year is its own base, split into
        data, method and base: `commonweal.index.decomposition.split_years`. Empty if that cannot
        be worked out.
    unsplit
        Why it cannot, such as a mean that takes no value below the base's least; nothing if it can.
    """

    scores: PanelScores
    compared: tuple[int, int]
    drivers: Mapping[str, Floats]
    own: Mapping[str, Change]
    unsplit: str = ""

    @property
    def change(self) -> Floats:
        """(n_areas,) later less earlier score on the fixed base; above 0: need has grown."""
        earlier, later = self._two(self.scores.need())
        return later - earlier

    @property
    def rank_shift(self) -> Floats:
        """(n_areas,) earlier rank less the later one; above 0: up, towards the most need."""
        earlier, later = self._two(self.scores.rank())
        return earlier - later

    @property
    def line(self) -> Line:
        """The straight line through the scores of all years: slope a year, and spread around it."""
        return line(self.scores.need(), self.scores.years)

    @property
    def state(self) -> list[str]:
        """For each area one of `STATES`."""
        earlier, later = (~np.isnan(need) for need in self._two(self.scores.need()))
        at = np.select([earlier & later, later, earlier], [0, 1, 2], 3)
        return [STATES[k] for k in at]

    def _two(self, years: Floats) -> tuple[Floats, Floats]:
        first, last = (self.scores.years.index(year) for year in self.compared)
        return years[first], years[last]

    def moved(self, move: Crosswalk) -> Trend:
        """Carry the trend to other areas: population-weighted means.

        An area has no parts of its change if some of what it is made of has a score in one of the
        two years only: they would not add up.
        """
        earlier, later = (np.isnan(need) for need in self._two(self.scores.need()))
        gap = earlier != later

        def carry(parts: Mapping[str, Floats]) -> dict[str, Floats]:
            lost = gap | (np.isnan(sum(parts.values())) & ~earlier & ~later)
            gone = np.nan_to_num(move.mean(lost.astype(np.float64))) > 0
            return {k: np.where(gone, np.nan, move.mean(part)) for k, part in parts.items()}

        own = {}
        for path, change in self.own.items():
            carried = carry({"": change.total, **change.parts})
            alone = carry(change.alone)
            own[path] = Change(carried.pop(""), carried, alone)
        drivers = carry(self.drivers)
        return Trend(self.scores.moved(move), self.compared, drivers, own, self.unsplit)

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame, a row an area.

        Columns are named ``<index>.state``, ``.score_<year>``, ``.rank_<year>``, ``.change``,
        ``.rank_shift``, ``.slope`` and ``.volatility`` (with three years or more),
        ``<path>.change`` for what a node brought about, and ``<path>.own_change`` with its parts
        ``_data``, ``_method`` and ``_base``; with dots for the path's slashes. Missing is null.
        """
        import polars as pl

        index, years = self.scores.index, self.scores.years
        columns: dict[str, Floats] = {}
        for year, need in zip(years, self.scores.need(), strict=True):
            columns[f"{index}.score_{year}"] = need
        for year, ranks in zip(years, self.scores.rank(), strict=True):
            columns[f"{index}.rank_{year}"] = ranks
        columns |= {f"{index}.change": self.change, f"{index}.rank_shift": self.rank_shift}
        if len(years) > 2:
            through = self.line
            columns |= {f"{index}.slope": through.slope, f"{index}.volatility": through.spread}
        for path, points in self.drivers.items():
            columns[f"{path.replace('/', '.')}.change"] = points
        for path, change in self.own.items():
            name = f"{path.replace('/', '.')}.own_change"
            columns[name] = change.total
            columns |= {f"{name}_{factor}": part for factor, part in change.parts.items()}
        codes = list(self.scores.of[years[-1]].codes)
        frame = pl.DataFrame({"code": codes, f"{index}.state": self.state, **columns})
        whole = [c for c in columns if c.startswith((f"{index}.rank_",))]
        return frame.fill_nan(None).with_columns(pl.col(whole).cast(pl.Int32))


def trend(
    index: str,
    tree: Node,
    panel: Panel,
    base: BaseYear = "pooled",
    compared: tuple[int, int] | None = None,
    before: Node | None = None,
) -> Trend:
    """Score every year on a fixed base, and say what changed between two of them.

    Parameters
    ----------
    index, tree, panel, base
        As in `commonweal.index.panel.score_panel`.
    compared
        The earlier and the later year; the first and the last if not given.
    before
        The tree by which the earlier year was built, if the method has changed since.

    Raises
    ------
    UnknownNameError, DataError
        As in `commonweal.index.panel.score_panel`. That a change cannot be split into data, method
        and base is no error; `Trend.unsplit` says why.

    Examples
    --------
    >>> from commonweal.index import Node
    >>> from commonweal.indicators import Indicator, Panel
    >>> about = (Indicator("km", "Way to a hall", "km", "more", "made up"),)
    >>> panel = Panel("toy", ["a", "b"], (2019, 2024), np.array([[[0.0], [10.0]], [[5.0], [20.0]]]), about)
    >>> tree = Node(transform="min_max", children={"km": Node(indicator="km")})
    >>> found = trend("needs", tree, panel, 2019)
    >>> found.change, found.own["needs"].parts["base"]
    (array([ 50., 100.]), array([-41.66666667, -83.33333333]))
    """
    years = compared or (panel.years[0], panel.years[-1])
    scored = score_panel(index, tree, panel, base)
    own, unsplit = {}, ""
    try:
        own = split_years(index, panel, years, (before or tree, tree))
    except DataError as error:  # a year on the other's base may be out of the form's reach
        unsplit = str(error)
    parents = {path for path, node in tree.walk(index) if node.children}
    own = {path: change for path, change in own.items() if path in parents}
    return Trend(scored, years, drivers(scored, years), own, unsplit)


@strict
def movers(change: ArrayLike, most: Whole = 10) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the units that have risen and fallen most.

    Parameters
    ----------
    change
        (n_units,) change of a score or shift of a rank, NaN = missing.
    most
        Length of each list.

    Returns
    -------
    tuple of ndarray
        Positions of those above 0, the greatest first, and of those below 0, the least first; equal
        ones in the order given.

    Examples
    --------
    >>> movers([0.5, -2.0, np.nan, 3.0, 0.0])
    (array([3, 0]), array([1]))
    """
    x = np.nan_to_num(np.asarray(change, dtype=np.float64))
    up, down = np.argsort(-x, kind="stable"), np.argsort(x, kind="stable")
    return up[x[up] > 0][:most], down[x[down] < 0][:most]


@strict
def on_fixed_base(
    panel: ArrayLike,
    how: str | Normaliser = "min_max",
    *,
    base: int | None = None,
    directions: ArrayLike = 1,
    names: Sequence[str] | None = None,
    **settings: Any,
) -> Floats:
    """Normalise every year of a panel against the same reference.

    Parameters
    ----------
    panel
        (n_years, n_units, n_indicators) values in their own units, NaN = missing.
    how
        A normaliser: what it takes from the data, it takes from the base.
    base
        Position of the base year; all years together if not given.
    directions, names, **settings
        As in `commonweal.index.normalise.normalise`.

    Returns
    -------
    ndarray
        (n_years, n_units, n_indicators) normalised values; with a base year they may leave the
        range that it spans.

    Raises
    ------
    DataError
        If there is no such base year, or a function of one's own takes no `reference`.

    Examples
    --------
    >>> on_fixed_base([[[0.0], [10.0]], [[5.0], [20.0]]], base=0)[1, :, 0]
    array([ 50., 200.])
    """
    x = np.asarray(panel, dtype=np.float64)
    if x.ndim != 3:
        raise DataError(f"panel of shape {x.shape}; expected (n_years, n_units, n_indicators)")
    if base is not None and not -len(x) <= base < len(x):
        raise DataError(f"base year {base} found; expected a position from 0 to {len(x) - 1}")
    settings["reference"] = x if base is None else x[base]
    return np.stack(
        [normalise(year, how, directions=directions, names=names, **settings) for year in x]
    )
