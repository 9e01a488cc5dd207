"""Read indicators from sources onto the areas of an index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from commonweal.areas.areas import code_texts
from commonweal.errors import DataError, UnknownNameError, areas_are
from commonweal.indicators.indicators import Counts, Indicator, Indicators
from commonweal.indicators.panel import whole_years
from commonweal.sources.columns import MISSING_IN_NUMBERS, by_name, unpunctuated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Areas
    from commonweal.sources import Source, Store
    from commonweal.sources.catalogue import Reading


MOST_VALUES = 6
"""How many different values are named that are no numbers."""
MOST_ROWS = 3
"""How many rows of each."""
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_OTHER_DECIMAL = re.compile(
    r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+|[0-9]{1,3}(\.[0-9]{3}){2,}"
)
_IN_OTHER_WORDS = re.compile(r"[-+−]?[£$€]?\s*[0-9][0-9.,'’\s]*[%£$€]?")
"""Numbers that no setting reads: with a sign of percent or money, other marks between thousands, another minus."""


def to_numbers(table: pl.DataFrame, column: str, source: Source) -> pl.Series:
    """Give a column of a source's table as numbers: of numbers, truths (1 and 0), or text that is numbers.

    Text is read by the marks that the source says, as a column of nothing else would be. Values that are something else
    are an error that gives them all with their rows, and what to say of the file so that they are read.
    """
    value = table[column]
    if value.dtype.is_numeric() or value.dtype == pl.Boolean:
        return value.cast(pl.Float64)
    text = value.cast(pl.String)
    as_number = pl.select(unpunctuated(pl.lit(text), source.reader)).to_series()
    found = as_number.cast(pl.Float64, strict=False).fill_nan(None)
    wrong = found.is_null() & ~as_number.is_in(["", *MISSING_IN_NUMBERS]).fill_null(value=True)
    if not wrong.any():
        return found
    rows: dict[str, list[int]] = {}
    for row in wrong.arg_true().to_list():
        rows.setdefault(str(text[row]), []).append(row + 1)
    said = [f"'{value}' ({_rows(at)})" for value, at in list(rows.items())[:MOST_VALUES]]
    if len(rows) > MOST_VALUES:
        said.append(f"{len(rows) - MOST_VALUES:,} more values")
    raise DataError(
        f"column '{column}' of {source.called} has {_and(said)}; expected numbers, or nothing where "
        f"there is none ({int(wrong.sum()):,} of {len(table):,} rows below the header are not)"
        + (
            _what_to_say(list(rows), source.reader)
            if source.path and source.reader.format != "parquet"
            else ""
        )
    )


def _rows(at: Sequence[int]) -> str:
    if len(at) == 1:
        return f"row {at[0]:,}"
    some = [f"{row:,}" for row in at[:MOST_ROWS]]
    return "rows " + _and([*some, *([f"{len(at) - MOST_ROWS:,} more"] if at[MOST_ROWS:] else [])])


def _and(parts: Sequence[str]) -> str:
    return " and ".join([p for p in (", ".join(parts[:-1]), parts[-1]) if p])


def _what_to_say(values: Sequence[str], reader: Reading) -> str:
    """Say which settings of a file would make numbers, or gaps, of such values."""
    exchange = str.maketrans(",.", ".,") if reader.decimal == "," else {}
    texts = {value: value.strip().translate(exchange) for value in values}
    grouped = [v for v in values if _THOUSANDS.fullmatch(texts[v])]
    decimals = [v for v in values if v not in grouped and _OTHER_DECIMAL.fullmatch(texts[v])]
    left = [v for v in values if v not in (*grouped, *decimals)]
    numbers = [v for v in left if _IN_OTHER_WORDS.fullmatch(v.strip())]
    gaps = [v for v in left if v not in numbers]
    told, say = [], []
    if reader.thousands and any("," in texts[v] for v in (*decimals, *numbers)):
        mark = "comma" if reader.decimal == "." else "point"
        told.append(f"'thousands: true' takes a {mark} only before three digits")
    elif decimals and reader.decimal == ",":
        told.append("'decimal: \",\"' takes no point before decimals")
    if decimals and reader.decimal == ".":
        instead = " in its place (if commas stand before decimals)" if reader.thousands else ""
        say.append("'decimal: \",\"'" + instead)
    by_group = any("." in texts[v] for v in decimals) if decimals else grouped
    if by_group and not reader.thousands:
        say.append("'thousands: true'")
    if gaps:
        listed = _some([f'"{value}"' for value in gaps])
        say.append(f"'null_values: [{listed}]' (if that means that there is no number)")
    if say:
        told.append(f"say {_and(say)} beside its name")
    if numbers:
        listed = _some([f"'{value}'" for value in numbers])
        told.append(f"write {listed} in the file as plain numbers")
    return "".join(f"; {part}" for part in told)


def _some(values: Sequence[str]) -> str:
    return ", ".join([*values[:MOST_VALUES], *(["..."] if values[MOST_VALUES:] else [])])


_FLAGS = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}
"""What a column of flags may hold, in any case."""


@dataclass(frozen=True, slots=True)
class CountColumns:
    """The columns of the counts that a rate was made from, as `Counts` has them."""

    events: str
    base: str
    per: float = 1.0
    law: Literal["binomial", "poisson"] = "poisson"


@dataclass(frozen=True, slots=True)
class IndicatorSource:
    """An indicator and where to read it: its source, value, code and standard-error columns.

    Of a table with a row an area and year, the column of the year, and the year. Of a rate made
    from counts, their columns.
    """

    indicator: Indicator
    source: Source
    column: str
    code: str = ""
    standard_error: str = ""
    year_column: str = ""
    year: int = 0
    counts: CountColumns | None = None

    def values(self) -> list[str]:
        """Its columns of numbers."""
        of = self.counts
        given = (self.column, self.standard_error, *((of.events, of.base) if of else ()))
        return [column for column in given if column]


MOST_COLUMNS = 3
"""How many columns with values that are no numbers are told at once."""


def read_indicators(
    store: Store, wanted: Sequence[IndicatorSource], areas: Areas
) -> tuple[Indicators, list[dict[str, object]]]:
    """Read indicators onto areas, and count for each the rows, matches, rows left aside and areas without a value."""
    values = np.full((len(areas), len(wanted)), np.nan)
    errors = np.full((len(areas), len(wanted)), np.nan)
    counts: dict[str, Counts] = {}
    account: list[dict[str, object]] = []
    tables = _read_once(store, wanted, areas)
    _refuse_no_numbers(wanted, tables)
    for at, want in enumerate(wanted):
        name = want.indicator.name
        table, code = tables[_place(want)]
        if want.year_column:
            years = _years(table, want.source, want.year_column, name)
            table = table.filter(years == want.year)
        values[:, at], rows, matched = _align(table, want.source, want.column, code, areas, name)
        if want.standard_error:
            errors[:, at], _, _ = _align(table, want.source, want.standard_error, code, areas, name)
        if (of := want.counts) is not None:
            events, _, _ = _align(table, want.source, of.events, code, areas, name)
            base, _, _ = _align(table, want.source, of.base, code, areas, name)
            counts[name] = _counts(events, base, of, values[:, at], name)
        account.append(
            {
                "indicator": name,
                "source": want.source.id,
                "rows": rows,
                "areas matched": matched,
                "rows left aside": rows - matched,
                "areas without a value": int(np.isnan(values[:, at]).sum()),
            }
        )
    stated = any(w.standard_error for w in wanted)
    meta = tuple(w.indicator for w in wanted)
    return (
        Indicators(areas.system, areas.codes, values, meta, errors if stated else None, counts),
        account,
    )


def _refuse_no_numbers(
    wanted: Sequence[IndicatorSource], tables: dict[tuple[str, str, str], tuple[pl.DataFrame, str]]
) -> None:
    """Look into all columns before any is used, so that all that is wrong is told at once."""
    faults: list[str] = []
    for want in wanted:
        (table, _), columns = tables[_place(want)], list(dict.fromkeys(want.values()))
        if want.year_column:  # rows of other years are not read; those that are keep their place
            years = _years(table, want.source, want.year_column, want.indicator.name)
            table = table.select(pl.when(years == want.year).then(by_name(columns)))
        for column in columns:
            try:
                to_numbers(table, column, want.source)
            except DataError as error:
                faults.append(f"{want.indicator.name}: {error}")
    if faults:
        more = f"\n(and {len(faults) - MOST_COLUMNS} more columns)" if faults[MOST_COLUMNS:] else ""
        raise DataError("\n".join(faults[:MOST_COLUMNS]) + more)


def _counts(
    events: NDArray[np.float64],
    base: NDArray[np.float64],
    of: CountColumns,
    rates: NDArray[np.float64],
    name: str,
) -> Counts:
    """Pair counts with their bases, and check that the rates are made of them."""
    try:
        counts = Counts(events, base, of.per, of.law)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    both = counts.known & (events > 0) & (rates != 0) & ~np.isnan(rates)
    if both.any():
        # A wrong 'per' or column moves every rate; rounding as published moves few by much.
        ratio = float(np.median(rates[both] / (of.per * events[both] / base[both])))
        if not 0.95 < ratio < 1.05:
            raise DataError(
                f"{name}: its values are {ratio:.3g} times {of.per:g} x {of.events} / {of.base}; "
                "expected the same but for rounding (is 'per' right?)"
            )
    return counts


def read_column(
    store: Store, source: Source, column: str, code: str, areas: Areas, name: str
) -> tuple[NDArray[np.float64], int, int]:
    """Read one column of numbers onto areas: (n_areas,) values, NaN = missing; the rows; and how many matched."""
    code = code or code_column(store.table(source), source, areas)
    table = store.table(source, list(dict.fromkeys([code, column])))
    try:
        to_numbers(table, column, source)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    return _align(table, source, column, code, areas, name)


def read_flags(
    store: Store, source: Source, column: str, code: str, areas: Areas, name: str
) -> NDArray[np.float64]:
    """Read one column of true and false, yes and no, or 1 and 0 onto areas: (n_areas,) 1, 0, NaN = missing."""
    code = code or code_column(store.table(source), source, areas)
    table = store.table(source, list(dict.fromkeys([code, column])))
    value = table[column]
    if value.dtype.is_numeric():
        value = value.cast(pl.Float64).map_elements(
            lambda x: f"{x:.0f}" if x.is_integer() else repr(x), pl.String
        )
    text = value.cast(pl.String).str.strip_chars().replace("", None)
    flags = text.str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Float64)
    bad = text.filter(flags.is_null() & text.is_not_null())
    if len(bad):
        found = bad.unique(maintain_order=True)
        told = ", ".join(f"'{v}'" for v in found.head(5)) + (", ..." if len(found) > 5 else "")
        raise DataError(
            f"{name}: column '{column}' of {source.called} has {told} in {len(bad):,} of {len(table):,} rows; "
            "expected a flag: true or false, yes or no, 1 or 0, or nothing where it is not known"
        )
    flagged = table.with_columns(flags.alias(column))
    return _align(flagged, source, column, code, areas, name)[0]


def read_years(store: Store, source: Source, column: str, name: str) -> list[int]:
    """Give the years of a table with a row an area and year, ascending."""
    years = _years(store.table(source, [column]), source, column, name)
    return [int(year) for year in years.drop_nulls().unique().sort()]


def _years(table: pl.DataFrame, source: Source, column: str, name: str) -> pl.Series:
    return whole_years(table[column], f"{name}: column '{column}' of {source.title}")


def _place(want: IndicatorSource) -> tuple[str, str, str]:
    """Tell tables apart: by source, by how it is read, and by the column of codes."""
    return want.source.id, repr(want.source.reader), want.code


def _read_once(
    store: Store, wanted: Sequence[IndicatorSource], areas: Areas
) -> dict[tuple[str, str, str], tuple[pl.DataFrame, str]]:
    """Read each source once, with the columns that are wanted of it and its code column."""
    groups: dict[tuple[str, str, str], list[IndicatorSource]] = {}
    for want in wanted:
        groups.setdefault(_place(want), []).append(want)
    tables = {}
    for place, group in groups.items():
        source = group[0].source
        names = [c for w in group for c in (*w.values(), w.year_column) if c]
        code = group[0].code
        if not code:
            if source.path:  # what lacks the columns, too, likely has its header elsewhere
                store.table(source, list(dict.fromkeys(names)))
            code = code_column(store.table(source), source, areas)
        try:
            tables[place] = store.table(source, list(dict.fromkeys([code, *names]))), code
        except UnknownNameError as error:
            if f"'{code}'" in str(error) and code not in names:
                raise error.and_say(
                    f"\n'code' names the column of codes: give {source.called}'s own"
                ) from None
            raise
    return tables


def _align(
    table: pl.DataFrame, source: Source, column: str, code: str, areas: Areas, name: str
) -> tuple[NDArray[np.float64], int, int]:
    """Put one column of a table into the order of the areas."""
    value = to_numbers(table, column, source)
    keyed = pl.DataFrame({"code": code_texts(table[code], source.called), "value": value})
    inside = keyed.filter(pl.col("code").is_in(areas.codes))
    if inside.is_empty():
        found = keyed["code"].drop_nulls()
        raise DataError(
            f"{name}: no code in column '{code}' of {source.called} is one of the {len(areas):,} "
            f"{areas.called}; found such as {', '.join(found.head(2)) or 'nothing'}, "
            f"expected such as {', '.join(areas.codes[:2])}"
        )
    twice = inside.filter(pl.col("code").is_duplicated())["code"].unique().sort()
    if len(twice):
        raise DataError(
            f"{name}: {areas_are(twice)} in {source.called} more than once; expected one row each"
        )
    # An area whose code is there has been read; one whose value is missing stays missing.
    order = pl.DataFrame({"code": areas.codes})
    joined = order.join(inside, on="code", how="left", maintain_order="left")
    values = joined["value"].fill_null(float("nan")).to_numpy()
    return values, len(table), len(inside)


def code_column(table: pl.DataFrame, source: Source, areas: Areas) -> str:
    """Find the column of a source's table whose texts are codes of the areas."""
    texts = [c for c, dtype in table.schema.items() if dtype == pl.String]
    hits = {c: int(table[c].is_in(areas.codes).sum()) for c in texts}
    best = max(hits, key=lambda c: hits[c], default=None)
    if best is None or hits[best] == 0:
        numbers = "" if texts else f", or one of numbers: {', '.join(table.columns)}"
        raise DataError(
            f"{source.called}: no column holds codes of the {areas.called}, such as {areas.codes[0]}; "
            f"its columns of text are: {', '.join(texts) or 'none'} (name one with 'code'"
            f"{numbers})"
        )
    return best
