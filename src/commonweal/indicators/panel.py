"""Indicators over years: areas that come and go, values that are missing in some years."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from commonweal.areas.areas import code_texts
from commonweal.errors import DataError, UnknownNameError
from commonweal.indicators.indicators import Indicator, Indicators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Panel:
    """Years of areas by indicators, checked once here.

    Attributes
    ----------
    system
        Id of the area system.
    codes
        Area codes, of every area that there is in any year.
    years
        The years, ascending.
    values
        (n_years, n_areas, n_indicators) float64 as published; NaN = missing.
    meta
        One `Indicator` a column, as it is in the latest year.
    standard_errors
        The same shape as `values`, or None where none is stated at all.

    Raises
    ------
    DataError
        If the years do not ascend, the shapes do not fit, or a year is not as `Indicators` has to be.
    """

    system: str
    codes: Sequence[str]
    years: tuple[int, ...]
    values: NDArray[np.float64]
    meta: tuple[Indicator, ...]
    standard_errors: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.years or any(a >= b for a, b in zip(self.years, self.years[1:], strict=False)):
            told = ", ".join(map(str, self.years)) or "none"
            raise DataError(f"years {told}; expected each once, in ascending order")
        shape = (len(self.years), len(self.codes), len(self.meta))
        for what, found in (("values", self.values), ("standard errors", self.standard_errors)):
            if found is not None and found.shape != shape:
                raise DataError(f"{what} have shape {found.shape}; expected {shape}")
        for year in self.years:
            try:
                self.year(year)
            except DataError as error:
                raise DataError(f"{year}: {error}") from None

    @property
    def latest(self) -> Indicators:
        """The indicators of the latest year."""
        return self.year(self.years[-1])

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n_years, n_areas) whether an area has any value in a year."""
        found: NDArray[np.bool_] = np.any(~np.isnan(self.values), axis=2)
        return found

    def position(self, year: int) -> int:
        """Position of a year; raises `UnknownNameError` if the panel does not have it."""
        if year not in self.years:
            raise UnknownNameError("year", str(year), map(str, self.years))
        return self.years.index(year)

    def year(self, year: int) -> Indicators:
        """Give the indicators of one year, over every area of the panel."""
        at = self.position(year)
        errors = None if self.standard_errors is None else self.standard_errors[at]
        return Indicators(self.system, self.codes, self.values[at], self.meta, errors)

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame: ``code``, ``year`` and one column an indicator, missing as null."""
        import polars as pl

        return pl.concat(
            self.year(year)
            .to_frame()
            .select("code", pl.lit(year).alias("year"), pl.exclude("code"))
            for year in self.years
        )


def stack_years(years: Mapping[int, Indicators]) -> Panel:
    """Put the indicators of several years together.

    Parameters
    ----------
    years
        By year, indicators of the same names, directions and units. Areas may differ: one that a
        year does not have is missing in it.

    Raises
    ------
    DataError
        If no year is given, or indicators or area systems differ.

    Examples
    --------
    >>> about = (Indicator("halls", "Halls", "", "less", "made up"),)
    >>> old = Indicators("toy", ["a", "b"], np.array([[1.0], [2.0]]), about)
    >>> new = Indicators("toy", ["b", "c"], np.array([[3.0], [4.0]]), about)
    >>> panel = stack_years({2019: old, 2024: new})
    >>> panel.codes, panel.values[:, :, 0]
    (['b', 'c', 'a'], array([[ 2., nan,  1.],
           [ 3.,  4., nan]]))
    """
    if not years:
        raise DataError("no year given; expected at least one")
    order = sorted(years)
    latest = years[order[-1]]
    codes = list(latest.codes)
    for year in reversed(order):
        _same(latest, years[year], order[-1], year)
        known = set(codes)
        codes += [code for code in years[year].codes if code not in known]
    at = {code: row for row, code in enumerate(codes)}
    values = np.full((len(order), len(codes), len(latest.meta)), np.nan)
    errors = np.full_like(values, np.nan)
    for k, year in enumerate(order):
        given = years[year]
        rows = [at[code] for code in given.codes]
        values[k, rows] = given.values
        if given.standard_errors is not None:
            errors[k, rows] = given.standard_errors
    stated = any(of.standard_errors is not None for of in years.values())
    meta, system = latest.meta, latest.system
    return Panel(system, codes, tuple(order), values, meta, errors if stated else None)


def _same(a: Indicators, b: Indicators, year: int, other: int) -> None:
    """Refuse to put years together that do not measure the same."""

    def told(of: Indicators) -> list[str]:
        return [f"{m.name} (higher is {m.higher_is}, unit '{m.unit}')" for m in of.meta]

    if a.system != b.system:
        raise DataError(f"{other} is on {b.system}, {year} on {a.system}; expected the same areas")
    if told(a) != told(b):
        raise DataError(
            f"{other} has {'; '.join(told(b))} and {year} has {'; '.join(told(a))}; "
            "expected the same indicators in the same order"
        )


def panel_from_long(
    table: Any,
    meta: Sequence[Indicator],
    *,
    code: str = "code",
    year: str = "year",
    years: Sequence[int] | None = None,
    columns: Mapping[str, str] | None = None,
    system: str = "own",
) -> Panel:
    """Make a panel of a table with a row an area and year.

    Parameters
    ----------
    table
        Polars, pandas, or anything that narwhals reads.
    meta
        The indicators.
    code, year
        Columns of the area's code and of the year.
    years
        The years wanted; every year there is if not given.
    columns
        By indicator, its column, where it is not the indicator's name.
    system
        Id of the area system.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    DataError
        If a year is no whole number or not there, a value is no number, or an area has a year
        twice.

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"code": ["a", "a", "b"], "year": [2019, 2024, 2024], "halls": [1, 2, 3]})
    >>> about = [Indicator("halls", "Halls", "", "less", "made up")]
    >>> panel_from_long(table, about).values[:, :, 0]
    array([[ 1., nan],
           [ 2.,  3.]])
    """
    import polars as pl

    frame = _polars(table)
    named = {m.name: (columns or {}).get(m.name, m.name) for m in meta}
    _columns_exist(frame, [code, year, *named.values()])
    keyed = frame.select(
        __code=code_texts(frame[code]),
        __year=whole_years(frame[year], f"column '{year}'"),
        **{name: _numbers(frame[column], name) for name, column in named.items()},
    )
    dateless = keyed.filter(pl.col("__year").is_null())
    if len(dateless):
        raise DataError(f"area {dateless['__code'][0]} has a row without a year in column '{year}'")
    there = sorted(keyed["__year"].unique())
    for wanted in years or ():
        if wanted not in there:
            raise UnknownNameError("year", str(wanted), map(str, there), f" in column '{year}'")
    twice = keyed.filter(pl.struct("__code", "__year").is_duplicated())
    if len(twice):
        area, when = twice.select("__code", "__year").row(0)
        raise DataError(f"area {area} has {when} more than once; expected one row a year")
    found = {
        when: Indicators(
            system,
            own["__code"].to_list(),
            own.select(list(named)).to_numpy().astype(np.float64),
            tuple(meta),
        )
        for when in sorted(set(years or there))
        if len(own := keyed.filter(pl.col("__year") == when))
    }
    return _in_order(stack_years(found), keyed["__code"].unique(maintain_order=True).to_list())


def panel_from_wide(
    table: Any,
    meta: Sequence[Indicator],
    columns: Mapping[str, Mapping[int, str]],
    *,
    code: str = "code",
    system: str = "own",
) -> Panel:
    """Make a panel of a table with a row an area, and a column an indicator and year.

    Parameters
    ----------
    table, meta, code, system
        As in `panel_from_long`.
    columns
        By indicator, and by year, its column. A year that only some indicators have is missing in
        the others.

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"code": ["a", "b"], "h19": [1.0, 2.0], "h24": [3.0, None]})
    >>> about = [Indicator("halls", "Halls", "", "less", "made up")]
    >>> panel_from_wide(table, about, {"halls": {2019: "h19", 2024: "h24"}}).values[:, :, 0]
    array([[ 1.,  2.],
           [ 3., nan]])
    """
    frame = _polars(table)
    for m in meta:
        if m.name not in columns:
            raise UnknownNameError("columns of indicator", m.name, columns)
    named = [column for m in meta for column in columns[m.name].values()]
    _columns_exist(frame, [code, *named])
    years = sorted({year for m in meta for year in columns[m.name]})
    codes = code_texts(frame[code]).to_list()
    values = np.full((len(years), len(codes), len(meta)), np.nan)
    for j, m in enumerate(meta):
        for year, column in columns[m.name].items():
            values[years.index(year), :, j] = _numbers(frame[column], m.name).to_numpy()
    return Panel(system, codes, tuple(years), values, tuple(meta))


def whole_years(column: pl.Series, where: str) -> pl.Series:
    """Give a column of years as whole numbers; a date is its year, a spreadsheet's 2019.0 is 2019."""
    import polars as pl

    if column.dtype.is_temporal():
        return column.dt.year().cast(pl.Int64)
    number = column.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    wrong = column.is_not_null() & (number.is_null() | (number % 1 != 0)).fill_null(True)
    if wrong.any():
        found = column.filter(wrong)[0]
        raise DataError(f"{where} has '{found}'; expected whole years such as 2019")
    return number.cast(pl.Int64)


def _in_order(panel: Panel, codes: list[str]) -> Panel:
    """Put areas in the order of the table that they come from."""
    at = {code: row for row, code in enumerate(panel.codes)}
    rows = [at[code] for code in codes if code in at]
    return replace(panel, codes=[panel.codes[r] for r in rows], values=panel.values[:, rows])


def _polars(table: Any) -> pl.DataFrame:
    import narwhals as nw

    try:
        return nw.from_native(table, eager_only=True).to_polars()
    except TypeError:
        raise DataError(f"{type(table).__name__} found; expected a table") from None


def _columns_exist(frame: pl.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise UnknownNameError("column", name, frame.columns)


def _numbers(column: pl.Series, name: str) -> pl.Series:
    import polars as pl

    number = column.cast(pl.Float64, strict=False)
    lost = column.filter(number.is_null() & column.is_not_null())
    if len(lost):
        raise DataError(f"{name}: column '{column.name}' has '{lost[0]}'; expected numbers")
    return number.fill_null(np.nan)
