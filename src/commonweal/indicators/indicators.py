"""One number per area: the matrix that indices are built from, its counts, its coverage, and formulas over it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from commonweal.errors import DataError, StudyError, UnknownNameError, areas_are
from commonweal.files.frames import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.areas import Crosswalk


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts that a rate was made from: it is `per` times `events` over `base`.

    Attributes
    ----------
    events
        (n_units,) how often it happened, NaN = unknown (its published rate is then kept).
    base
        (n_units,) of how many, or in how much time or space.
    per
        What the rate is out of, such as 1000.
    law
        ``binomial``: each of the base has it or not, as people with a degree. ``poisson``: it can
        happen to one again, as crimes.

    Raises
    ------
    DataError
        If a count is negative, a base is 0 or less, or a binomial count is above its base.
    """

    events: NDArray[np.float64]
    base: NDArray[np.float64]
    per: float = 1.0
    law: Literal["binomial", "poisson"] = "poisson"

    def __post_init__(self) -> None:
        if self.events.shape != self.base.shape:
            raise DataError(f"{len(self.events)} counts and {len(self.base)} bases; expected pairs")
        known = self.known
        for what, bad in (
            ("a negative count", self.events < 0),
            ("a base of 0 or less", self.base <= 0),
            ("more events than its base", (self.events > self.base) & (self.law == "binomial")),
        ):
            if (n := int((bad & known).sum())) > 0:
                raise DataError(f"{n:,} units have {what}")

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n_units,) whether both numbers are there."""
        return np.isfinite(self.events) & np.isfinite(self.base)


Direction = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Indicator:
    """What one column of numbers means.

    Attributes
    ----------
    name
        Its key in the study.
    label
        Its name for readers.
    unit
        Such as ``% of residents``, ``km`` or ``rank``.
    higher_is
        ``more`` if a higher value means more need, ``less`` if it means less.
    source
        Id of the source it was read from.
    vintage
        The date or period that it describes.
    about, why, note
        For readers: what it is, why it counts, what to beware of.
    how
        How it was measured, where the study does not say: ``straight line x 1.3``.
    measured_on
        The area system that it was measured on, where it was carried from another one.
    synthetic
        Whether it is estimated by a model from the kind of area, and not counted or measured there.
    """

    name: str
    label: str
    unit: str
    higher_is: Direction
    source: str
    vintage: str = ""
    about: str = ""
    why: str = ""
    note: str = ""
    how: str = ""
    measured_on: str = ""
    synthetic: bool = False


MOST_VALUE = 1e60
"""Fourth powers of what is larger, and sums of them, are infinite; twice as much as 1e308 would lose areas."""


@dataclass(frozen=True, slots=True, repr=False)
class Indicators(Tabular):
    """A matrix of areas by indicators, checked once here.

    Attributes
    ----------
    system
        Id of the area system, such as ``lsoa21``.
    codes
        Area codes, one a row, no duplicates.
    values
        (n_areas, n_indicators) float64 as published; NaN = missing; infinities and what is beyond 1e60 are refused.
    meta
        One `Indicator` a column.
    standard_errors
        The same shape as `values`, NaN where none is stated; or None where none is stated at all.
    counts
        By indicator, the counts that it was made from, where they are stated.

    Raises
    ------
    DataError
        On duplicate codes or names, infinite values, negative standard errors, or shapes that do not fit.

    Examples
    --------
    >>> import commonweal as cw
    >>> cw.run("demo", draws=0, geometry=False).indicators["deprivation"].to_frame().columns[:2]
    ['code', 'income_deprived_rate']
    """

    system: str
    codes: Sequence[str]
    values: NDArray[np.float64]
    meta: tuple[Indicator, ...]
    standard_errors: NDArray[np.float64] | None = field(default=None)
    counts: Mapping[str, Counts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.codes), len(self.meta))
        if self.values.shape != shape:
            raise DataError(f"values have shape {self.values.shape}; expected {shape}")
        if len(set(self.codes)) < len(self.codes):
            twice = sorted(c for c, count in Counter(self.codes).items() if count > 1)
            raise DataError(f"{areas_are(twice)} there more than once; expected one row each")
        again = [n for n, count in Counter(m.name for m in self.meta).items() if count > 1]
        if again:
            raise DataError(f"indicator '{again[0]}' is there more than once; expected it once")
        self._refuse(np.isinf(self.values), "an infinite value; expected a number or nothing")
        self._refuse(
            np.abs(self.values) > MOST_VALUE, f"a value beyond {MOST_VALUE:g}; expected less"
        )
        if self.standard_errors is not None:
            if self.standard_errors.shape != shape:
                raise DataError(
                    f"standard errors have shape {self.standard_errors.shape}; expected {shape}"
                )
            bad = (self.standard_errors > MOST_VALUE) | (self.standard_errors < 0)
            self._refuse(bad, "a negative or infinite standard error; expected 0 or more")
        for name, counts in self.counts.items():
            self.column(name)
            if len(counts.events) != len(self.codes):
                raise DataError(
                    f"{name}: {len(counts.events):,} counts; expected {len(self.codes):,}, one an area"
                )

    def _refuse(self, bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise DataError(f"{self.meta[column].name}: area {self.codes[row]} has {what}")

    def column(self, name: str) -> int:
        """Position of an indicator; raises `UnknownNameError` with the nearest names."""
        names = [m.name for m in self.meta]
        if name not in names:
            raise UnknownNameError("indicator", name, names)
        return names.index(name)

    def need(self, name: str) -> NDArray[np.float64]:
        """(n_areas,) values of one indicator, turned so that higher = more need."""
        at = self.column(name)
        return self.values[:, at] if self.meta[at].higher_is == "more" else -self.values[:, at]

    def only(self, names: Sequence[str]) -> Indicators:
        """Give some of the indicators, in that order."""
        at = [self.column(name) for name in names]
        errors = None if self.standard_errors is None else self.standard_errors[:, at]
        if errors is not None and np.isnan(errors).all():
            errors = None
        meta = tuple(self.meta[j] for j in at)
        counts = {name: self.counts[name] for name in names if name in self.counts}
        return Indicators(self.system, self.codes, self.values[:, at], meta, errors, counts)

    def moved(self, move: Crosswalk) -> Indicators:
        """Carry rates, scores or ranks to other areas: means weighted by people.

        Standard errors are carried as those of means of areas whose errors are independent; where
        a value states none, neither does the mean. Counts are not carried: a mean of rates has none.

        Raises
        ------
        DataError
            If the move starts from other areas.
        """
        if list(move.origin.codes) != list(self.codes):
            raise DataError(
                f"indicators of {len(self.codes):,} areas of {self.system}; the move starts from "
                f"{len(move.origin):,} of {move.origin.system}"
            )
        errors = self.standard_errors
        if errors is not None:
            shares, _ = move.shares()
            present = ~np.isnan(self.values)
            squares: NDArray[np.float64] = shares.power(2) @ np.where(present, errors, 0.0) ** 2
            with np.errstate(invalid="ignore"):
                errors = np.sqrt(squares) / (shares @ present.astype(np.float64))
        there = move.destination
        return Indicators(there.system, there.codes, move.mean(self.values), self.meta, errors)

    @property
    def errors_of(self) -> dict[str, NDArray[np.float64]]:
        """By name, (n_areas,) standard errors of the indicators that state some; NaN = none."""
        if self.standard_errors is None:
            return {}
        columns = zip(self.meta, self.standard_errors.T, strict=True)
        return {m.name: errors for m, errors in columns if not np.isnan(errors).all()}

    @property
    def missing(self) -> dict[str, int]:
        """How many areas lack a value, by indicator."""
        counts = np.isnan(self.values).sum(axis=0)
        return {m.name: int(c) for m, c in zip(self.meta, counts, strict=True)}

    def _about(self) -> str:
        return f"{len(self.meta)} indicators of {len(self.codes):,} areas ({self.system})"

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame: ``code`` and one column an indicator, missing as null."""
        import polars as pl

        columns = {m.name: self.values[:, i] for i, m in enumerate(self.meta)}
        return pl.DataFrame({"code": list(self.codes), **columns}).fill_nan(None)


COVERAGE = 0.65
"""Share of areas that an indicator of an index is expected to have values for: Becker et al. (2019), COIN Tool
User Guide, EUR 29899 EN, doi:10.2760/523877."""


def sparse(indicators: Indicators, names: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Give those of some indicators that have values for too few areas: name, for how many, of how many."""
    at = {about.name: j for j, about in enumerate(indicators.meta)}
    n = len(indicators.codes)
    for name in names:
        if name in at:
            known = int((~np.isnan(indicators.values[:, at[name]])).sum())
            if known < COVERAGE * n:
                yield name, known, n


def constants(indicators: Indicators, names: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Give those of some indicators that have the same value wherever they have one: name and value."""
    at = {about.name: j for j, about in enumerate(indicators.meta)}
    for name in names:
        if name in at:
            known = indicators.values[:, at[name]]
            known = known[~np.isnan(known)]
            if len(known) > 1 and (known == known[0]).all():
                yield name, float(known[0])


def check_coverage(
    indicators: Indicators, names: Iterable[str], accepted: Mapping[str, float | None]
) -> None:
    """Refuse to make an index from an indicator with values for too few areas: fewer than `accepted`, or `COVERAGE`."""
    refuse_sparse(too_sparse(indicators, names, accepted))


def too_sparse(
    indicators: Indicators, names: Iterable[str], accepted: Mapping[str, float | None]
) -> list[tuple[str, int, int, float]]:
    """Give what `check_coverage` refuses: name, for how many areas it has values, of how many, and the least share."""
    return [
        (name, known, n, COVERAGE if (least := accepted.get(name)) is None else least)
        for name, known, n in sparse(indicators, names)
        if accepted.get(name) is None or known < float(accepted[name] or 0) * n
    ]


def refuse_sparse(found: Sequence[tuple[str, int, int, float]]) -> None:
    """Refuse all that `too_sparse` found at once."""
    if not found:
        return
    said, write = [], []
    for name, known, n, least in found:
        has = f"{known:,}" if known else "none"
        said.append(
            f"{name}: it has values for {has} of {n:,} areas; expected {least * 100:g}% of them at least"
        )
        if part := known / n:
            some = floor(part * 1000) / 10 if part >= 0.001 else floor(part * 1e6) / 1e4
            write.append(f"'coverage: {some:g}%' for {name if found[1:] else 'it'}")
    if write:
        said[-1] += (
            f". If an index is to be made from so few, write {', '.join(write)} under 'indicators'"
        )
    raise DataError("\n".join(said))


def names_in(formula: str, of: str) -> list[str]:
    """Give the names that a formula (an SQL expression) uses, each once, in the order of the alphabet."""
    names = sorted(set(_expression(formula, of).meta.root_names()))
    if not names:
        raise StudyError(f"{of}: formula '{formula}' names no column; expected at least one")
    return names


def evaluate_formula(formula: str, table: pl.DataFrame, of: str, where: str) -> pl.Series:
    """Work a formula (an SQL expression) out, row by row; null where a value is missing, or after a division by 0."""
    check_columns(names_in(formula, of), table.columns, of, where)
    try:
        found = table.select(_expression(formula, of).alias("value"))["value"]
        if found.dtype != pl.String:
            found = found.cast(pl.Float64)
    except pl.exceptions.PolarsError as error:
        raise StudyError(
            f"{of}: formula '{formula}' cannot be worked out: {_first(error)}"
        ) from None
    if found.dtype == pl.String:  # 1.204 may be a thousand in the file
        raise StudyError(
            f"{of}: formula '{formula}' gives text from {where}; expected numbers: of a column alone, say "
            "'column'; of text that is made in the formula, CAST(... AS DOUBLE)"
        )
    if len(found) != len(table):
        raise StudyError(
            f"{of}: formula '{formula}' gives {len(found):,} numbers for {len(table):,} rows; expected "
            "one a row (no sums or means over rows: 'add: true' adds the rows of an area)"
        )
    # 0 / 0 is NaN and x / 0 infinite; neither is a number an area can have.
    return found.replace([float("inf"), float("-inf")], None).fill_nan(None)


def check_columns(names: Iterable[str], there: Iterable[str], of: str, where: str) -> None:
    """Refuse a name that is not there."""
    there = list(there)
    for name in names:
        if name not in there:
            raise UnknownNameError(f"{of}: column", name, there, f" in {where}")


def _expression(formula: str, of: str) -> pl.Expr:
    try:
        return pl.sql_expr(formula)
    except pl.exceptions.PolarsError as error:
        raise StudyError(
            f"{of}: formula '{formula}' is not an expression: {_first(error)} "
            '(names with spaces stand in double quotes: "Amount Awarded")'
        ) from None


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
