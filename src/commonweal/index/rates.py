"""Rates: counts divided by populations, and drawn towards the larger area's where they are small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from commonweal.errors import DataError
from commonweal.index import tables
from commonweal.index.methods import Declared, Within
from commonweal.index.tables import column, groups_of, keys, said_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

    from commonweal.index.tables import Floats, Matrix


__all__ = [
    "Shrunk",
    "denominate",
    "match_units",
    "shrink_counts",
    "shrink_means",
]


_PER = Declared(number=Within(0, above=True))


def denominate(
    x: Matrix,
    names: Sequence[str] | None,
    denominators: Matrix,
    denominator_names: Sequence[str] | None,
    by: Mapping[str, str],
    per: float | Mapping[str, float] = 1.0,
    units: Sequence[str] | None = None,
) -> Floats:
    """Divide indicators by denominators: ``x / (denominator / per)``.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.
    names
        (n_indicators,) names.
    denominators
        (n_units, n_denominators) of the same units in the same order (`match_units` makes them so).
    denominator_names
        (n_denominators,) names.
    by
        By indicator, its denominator; the indicators that it leaves out stay as they are.
    per
        The rate is per so many: one number, or by indicator of `by` (1 for those left out). 1,000
        makes people into per thousand people.
    units
        (n_units,) codes, for messages.

    Returns
    -------
    ndarray
        (n_units, n_indicators); NaN where the value or its denominator is missing.

    Raises
    ------
    UnknownNameError
        If an indicator or denominator is not there.
    DataError
        If a denominator of a value is 0 or less, `per` is not above 0, or the tables do not fit.

    Notes
    -----
    COINr's ``Denominate`` lets a denominator of 0 through as an infinite rate; here it is an error.

    Examples
    --------
    >>> denominate([[12.0]], ["pubs"], [[6000.0]], ["people"], {"pubs": "people"}, per=1000)
    array([[2.]])
    """
    taken = tables.table(x, names, units)
    other = tables.table(denominators, denominator_names, what="denominator")
    values, called, divisors, of = taken.values, taken.names, other.values, other.names
    if len(divisors) != len(values) or (
        None not in (taken.units, other.units) and taken.units != other.units
    ):
        raise DataError(
            f"denominators of {len(divisors):,} units for indicators of {len(values):,}; "
            "expected the same units (match_units puts them in order)"
        )
    keys(by, called, where=" (to denominate)")
    if isinstance(per, Mapping):
        keys(per, by, where=" (per; of those that are divided)")
    rates = values.copy()
    for name, denominator in by.items():
        keys([denominator], of, "denominator", f" (of '{name}')")
        scale = per.get(name, 1.0) if isinstance(per, Mapping) else per
        _PER.refuse(f"per of '{name}'", scale)
        j, divisor = called.index(name), divisors[:, of.index(denominator)]
        here = ~np.isnan(values[:, j])
        nothing = (divisor <= 0) & here
        if nothing.any():
            i = int(nothing.argmax())
            raise DataError(
                f"denominator '{denominator}' of '{name}' is {divisor[i]:g} for {taken.unit(i)}; "
                "expected a number above 0"
            )
        rates[here, j] = values[here, j] / (divisor[here] / scale)
    return rates


def match_units(
    table: Matrix,
    table_units: Sequence[str] | None,
    units: Sequence[str],
    what: str = "denominators",
) -> Floats:
    """Put the rows of a table into the order of the units.

    Parameters
    ----------
    table
        (n_rows, n_columns) values of more or other units.
    table_units
        (n_rows,) their codes; those of the table, if None.
    units
        (n_units,) the codes wanted.
    what
        What the table holds, for messages.

    Returns
    -------
    ndarray
        (n_units, n_columns).

    Raises
    ------
    UnknownNameError
        If a unit is not in the table.
    DataError
        If a unit is there twice, or the codes do not fit the table.

    Examples
    --------
    >>> match_units([[1.0], [2.0]], ["A", "B"], ["B"])
    array([[2.]])
    """
    taken = tables.table(table, units=table_units)
    at = {unit: i for i, unit in enumerate(taken.named_units)}
    keys(units, at, "unit", f" among the {what}")
    return taken.values[[at[unit] for unit in units]]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Shrunk rates or means; every field is (n_areas,) float64, NaN where the area has no data.

    Attributes
    ----------
    value
        The shrunk rate (0..1) or mean (in its unit).
    standard_error
        Of `value`, in the same unit: the root of ``w s2 + (1 - w)^2 S2``, with S2 the sampling
        variance of the authority's number; for rates carried over from log-odds by the delta
        method. The spread between areas (t2) is taken as known, so it is somewhat too small.
    weight
        w, the share of the area's own number in `value`, 0..1.
    own
        The number before shrinkage.
    authority
        The authority's number, which the area is drawn towards.
    """

    value: Floats
    standard_error: Floats
    weight: Floats
    own: Floats
    authority: Floats


def shrink_counts(
    events: ArrayLike,
    at_risk: ArrayLike,
    authorities: Sequence[str],
    areas: Sequence[str] | None = None,
) -> Shrunk:
    """Shrink the rate of a count within each authority, on the scale of log-odds.

    With r_j of n_j in area j, R of N in its authority and k areas there:
    ``z_j = ln((r_j + 1/2) / (n_j - r_j + 1/2))``,
    ``s2_j = (n_j + 1)(n_j + 2) / (n_j (r_j + 1)(n_j - r_j + 1))``, Z the same as z for the authority,
    ``t2 = sum (z_j - Z)^2 / (k - 1)``, ``w_j = (1/s2_j) / (1/s2_j + 1/t2)``, and the rate is
    ``1 / (1 + exp(-(w_j z_j + (1 - w_j) Z)))``.

    Parameters
    ----------
    events, at_risk
        (n_areas,) counts r and n, 0 <= r <= n; NaN = missing.
    authorities
        (n_areas,) the authority of each area.
    areas
        (n_areas,) codes or names, for messages.

    Returns
    -------
    Shrunk
        Rates. The only area of an authority keeps its own (w = 1: there is no spread to tell how
        much to borrow, and nothing to borrow from). An area with n = 0 has w = 0, so it gets the
        authority's rate, and does not count in the spread. Where the whole authority has n = 0, the
        rate is missing.

    Raises
    ------
    DataError
        If an area has r > n, a negative or infinite count, or no authority.

    Notes
    -----
    Source: McLennan et al. (2019), The English Indices of Deprivation 2019: Technical Report, MHCLG,
    appendix on shrinkage estimation.

    Examples
    --------
    >>> done = shrink_counts([3, 30, 10], [20, 100, 100], ["Ashby", "Ashby", "Ashby"])
    >>> done.value.round(3), done.weight.round(2)
    (array([0.179, 0.291, 0.117]), array([0.59, 0.91, 0.82]))
    """
    r = column(events, "events", per="area")
    n = column(at_risk, "at risk", len(r), per="area")
    called = None if areas is None else groups_of(areas, len(r), "areas")
    of, n_authorities = _authorities(authorities, len(r))
    for wrong, what in ((r < 0, "negative events"), (n < 0, "negative at risk"), (r > n, "r > n")):
        if wrong.any():
            i = int(wrong.argmax())
            raise DataError(
                f"{said_of(called, i, 'area')}: {r[i]:g} events of {n[i]:g} at risk ({what}); "
                "expected 0 <= events <= at risk"
            )
    known = ~(np.isnan(r) | np.isnan(n))
    total_r, total_n = (_sum_by(of[known], v[known], n_authorities) for v in (r, n))
    z, s2 = _log_odds(r, n)
    centre, centre_s2 = _log_odds(total_r, total_n)
    pulled, variance, w = _pull(z, s2, centre, centre_s2, of, known & (n > 0))
    # An area with nobody at risk has an infinite sampling variance: it takes what the rest have.
    nobody = known & (n == 0) & (total_n[of] > 0)
    pulled[nobody], variance[nobody], w[nobody] = centre[of][nobody], centre_s2[of][nobody], 0.0
    rate = 1 / (1 + np.exp(-pulled))
    with np.errstate(invalid="ignore", divide="ignore"):
        own, authority = r / n, (total_r / total_n)[of]
    return Shrunk(rate, rate * (1 - rate) * np.sqrt(variance), w, own, authority)


def _log_odds(r: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Log-odds of r of n, kept finite at 0 and n, and their sampling variance."""
    z = np.log((r + 0.5) / (n - r + 0.5))
    with np.errstate(divide="ignore"):
        s2 = (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))
    return z, s2


def shrink_means(
    values: ArrayLike,
    standard_errors: ArrayLike,
    authorities: Sequence[str],
    sizes: ArrayLike | None = None,
    areas: Sequence[str] | None = None,
) -> Shrunk:
    """Shrink means or ratios within each authority, by their own sampling variance.

    As `shrink_counts` with z_j the area's number itself, s2_j its squared standard error and Z the
    mean of the authority.

    Parameters
    ----------
    values
        (n_areas,) means or ratios, NaN = missing.
    standard_errors
        (n_areas,) above 0, in the same unit. Missing: the area says nothing by itself (w = 0).
    authorities
        (n_areas,) the authority of each area.
    sizes
        (n_areas,) above 0: what the areas count in their authority's mean, such as the denominator
        of a ratio. Without it they count alike.
    areas
        (n_areas,) codes or names, for messages.

    Returns
    -------
    Shrunk
        The only area of an authority keeps its own number (w = 1). An area with no value has none.

    Raises
    ------
    DataError
        If a standard error or size is not above 0, or an area has no authority.

    Examples
    --------
    >>> done = shrink_means([10.0, 20.0, 12.0], [1.0, 5.0, 1.0], ["Ashby"] * 3)
    >>> done.value.round(2), done.weight.round(2)
    (array([10.14, 17.17, 12.07]), array([0.97, 0.53, 0.97]))
    """
    z = column(values, "values", per="area")
    se = column(standard_errors, "standard errors", len(z), per="area")
    size = np.ones(len(z)) if sizes is None else column(sizes, "sizes", len(z), per="area")
    called = None if areas is None else groups_of(areas, len(z), "areas")
    of, n_authorities = _authorities(authorities, len(z))
    present = ~np.isnan(z)
    for number, what in ((se, "standard error"), (size, "size")):
        wrong = present & ((number <= 0) | (np.isnan(size) if what == "size" else False))
        if wrong.any():
            i = int(wrong.argmax())
            raise DataError(
                f"{said_of(called, i, 'area')}: {what} {number[i]:g}; expected a number above 0"
            )
    total = _sum_by(of[present], size[present], n_authorities)
    share = np.where(present, size, np.nan) / np.where(total > 0, total, np.nan)[of]
    known = present & ~np.isnan(se)
    centre = _sum_by(of[present], (share * z)[present], n_authorities)
    centre_s2 = _sum_by(of[known], (share * se)[known] ** 2, n_authorities)
    pulled, variance, w = _pull(z, se * se, centre, centre_s2, of, known)
    silent = present & ~known
    pulled[silent], variance[silent], w[silent] = centre[of][silent], np.nan, 0.0
    authority = np.where(total > 0, centre, np.nan)[of]
    return Shrunk(pulled, np.sqrt(variance), w, z.copy(), authority)


def _pull(
    z: Floats,
    s2: Floats,
    centre: Floats,
    centre_s2: Floats,
    of: NDArray[np.intp],
    known: NDArray[np.bool_],
) -> tuple[Floats, Floats, Floats]:
    """Draw each known number towards its centre; give it, its variance and its own weight."""
    mine, z, s2 = of[known], z[known], s2[known]
    k = np.bincount(mine, minlength=len(centre))
    square = _sum_by(mine, (z - centre[mine]) ** 2, len(centre))
    t2 = (square / np.maximum(k - 1, 1))[mine]
    # The same as (1/s2) / (1/s2 + 1/t2), and also right where areas do not differ at all.
    w = np.where(k[mine] == 1, 1.0, t2 / (t2 + s2))
    found = np.full((3, len(of)), np.nan)
    found[0, known] = w * z + (1 - w) * centre[mine]
    found[1, known] = w * s2 + (1 - w) ** 2 * centre_s2[mine]
    found[2, known] = w
    return found[0], found[1], found[2]


def _sum_by(of: NDArray[np.intp], values: Floats, n: int) -> Floats:
    total = np.zeros(n)
    np.add.at(total, of, values)
    return total


def _authorities(names: Iterable[Any], n_areas: int) -> tuple[NDArray[np.intp], int]:
    """Give each area the number of its authority, and how many authorities there are."""
    at: dict[Hashable, int] = {}
    of = groups_of(names, n_areas, "authorities")
    for i, name in enumerate(of):
        if name is None or name == "":
            raise DataError(f"area {i + 1} has no authority to borrow strength from")
        at.setdefault(name, len(at))
    return np.array([at[name] for name in of], dtype=np.intp), len(at)


def rate(
    events: NDArray[np.float64],
    base: NDArray[np.float64],
    out_of: float,
    larger: Sequence[str | None] | None,
    codes: Sequence[str],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Divide counts by what they are of; shrink the rate if larger areas are given."""
    bad = base < 0
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"area {codes[row]} has base {base[row]:g}; expected 0 or more")
    if larger is None:
        with np.errstate(invalid="ignore", divide="ignore"):
            found = out_of * events / base
        return np.where(base > 0, found, np.nan), None
    known = np.array([of is not None for of in larger]) & ~np.isnan(events) & (base > 0)
    values, errors = np.full(len(events), np.nan), np.full(len(events), np.nan)
    inside = [str(of) for of, there in zip(larger, known, strict=True) if there]
    called = [code for code, there in zip(codes, known, strict=True) if there]
    shrunk = shrink_counts(events[known], base[known], inside, called)
    values[known], errors[known] = out_of * shrunk.value, out_of * shrunk.standard_error
    return values, errors


@dataclass(frozen=True, slots=True)
class Short:
    """Where counts fall short of a published total."""

    # (n_areas,) whether an area lies in a larger one whose total is not reached
    inside: NDArray[np.bool_]
    # by code of each such larger area, the share of its total that is there
    shares: dict[str, float]


def fall_short(
    counts: NDArray[np.float64],
    larger: pl.Series,
    codes: Sequence[str],
    totals: NDArray[np.float64],
    at_least: float,
) -> Short:
    """Find larger areas whose small ones do not add up to what is published of them."""
    summed = (
        pl.DataFrame({"code": larger, "count": counts})
        .drop_nulls("code")
        .group_by("code")
        .agg(pl.col("count").fill_nan(0).sum())
    )
    published = pl.DataFrame({"code": pl.Series(codes, dtype=larger.dtype), "total": totals})
    held = summed.join(published, on="code")
    held = held.filter(pl.col("total") > 0).with_columns(share=pl.col("count") / pl.col("total"))
    short = held.filter(pl.col("share") < at_least).sort("share", "code")
    inside = larger.is_in(short["code"].to_list()).fill_null(False).to_numpy()
    return Short(inside, dict(zip(short["code"], short["share"], strict=True)))
