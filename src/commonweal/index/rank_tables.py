"""Rank tables: who is where, one unit's strengths and weaknesses, versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import Whole, strict
from commonweal.index.rank import TieRule, rank
from commonweal.index.tables import (
    Matrix,
    column,
    columns,
    directions_of,
    groups_of,
    row_of,
    table,
    units_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike

    from commonweal.index.tables import Floats, NamedMatrix


__all__ = [
    "compare_ranks",
    "compare_versions",
    "group_ranks",
    "results_table",
    "strengths",
    "unit_summary",
    "weaknesses",
]


@strict
def group_ranks(scores: ArrayLike, groups: Sequence[object], ties: TieRule = "min") -> Floats:
    """Rank units within their groups.

    Parameters
    ----------
    scores
        (n_units,) scores, higher = more, NaN = missing.
    groups
        (n_units,) group of each unit; a unit without one (None, NaN) has no rank.
    ties
        Rank that equal scores share.

    Examples
    --------
    >>> group_ranks([9.0, 5.0, 7.0, 8.0], ["a", "a", "b", "b"])
    array([1., 2., 2., 1.])
    """
    values = column(scores, "scores")
    ranks = np.full(values.shape, np.nan)
    members: dict[object, list[int]] = {}
    for at, group in enumerate(groups_of(groups, len(values))):
        if group is not None:
            members.setdefault(group, []).append(at)
    for at_group in members.values():
        ranks[at_group] = rank(values[at_group], ties)
    return ranks


@strict
def results_table(
    scores: Mapping[str, ArrayLike],
    units: Sequence[str],
    *,
    show: Literal["scores", "ranks", "group_ranks"] = "scores",
    groups: Sequence[object] | None = None,
    ties: TieRule = "min",
) -> pl.DataFrame:
    """Lay out the nodes of an index beside each other, the highest unit first.

    Parameters
    ----------
    scores
        By node, (n_units,) scores; the first node, usually the index, sets the order of the rows.
    units
        (n_units,) codes.
    show
        Scores with the rank on the first node beside them, ranks, or ranks within `groups`.
    groups
        (n_units,) group of each unit; it gets a column.
    ties
        Rank that equal scores share.

    Examples
    --------
    >>> results_table({"index": [1.0, 2.0]}, ["a", "b"]).rows()
    [('b', 1.0, 2.0), ('a', 2.0, 1.0)]
    """
    import polars as pl

    if not scores:
        raise DataError("no node given; expected the scores of at least one")
    values = columns(scores, "scores")
    first = rank(next(iter(values.values())), ties)
    shown: dict[str, object] = {"unit": units_of(units, len(first))}
    if groups is not None:
        groups = groups_of(groups, len(first))
        shown["group"] = groups
    if show == "scores":
        shown |= {"rank": first, **values}
    elif show == "ranks":
        shown |= {node: rank(v, ties) for node, v in values.items()}
    else:
        if groups is None:
            raise DataError("ranks within groups need `groups`, one a unit")
        shown |= {node: group_ranks(v, groups, ties) for node, v in values.items()}
    order = np.argsort(first, kind="stable")
    return pl.DataFrame(shown)[order].fill_nan(None)


@strict
def strengths(
    values: Matrix,
    unit: int | str,
    names: Sequence[str] | None = None,
    *,
    units: Sequence[str] | None = None,
    directions: ArrayLike | Mapping[str, int] = 1,
    most: Whole = 5,
    ties: TieRule = "min",
) -> pl.DataFrame:
    """List the indicators on which a unit ranks highest, the highest first.

    Parameters
    ----------
    values
        (n_units, n_indicators) values in their own units, NaN = missing.
    unit
        The unit: its position, or its code.
    names
        (n_indicators,) names; those of a frame, if not given.
    units
        (n_units,) codes; those of a frame, if not given.
    directions
        +1 or -1 for each indicator, in order or by name: whether a higher value is a higher rank.
    most
        Length of the list.
    ties
        Rank that equal values share.

    Returns
    -------
    polars.DataFrame
        Columns name, rank, of (units with a value) and value. An indicator on which the unit has
        the least value of all is never a strength, however few values there are.

    Examples
    --------
    >>> strengths([[5.0, 1.0], [4.0, 2.0], [1.0, 3.0]], 0, ["halls", "shops"], most=1).rows()
    [('halls', 1, 3, 5.0)]
    """
    rows = _standing(table(values, names, units), unit, directions, ties)
    return _named_columns([row for row in rows if not row[5]][:most])


# Wide: as strengths, with one choice more that COINr makes.
@strict
def weaknesses(
    values: Matrix,
    unit: int | str,
    names: Sequence[str] | None = None,
    *,
    units: Sequence[str] | None = None,
    directions: ArrayLike | Mapping[str, int] = 1,
    most: Whole = 5,
    ties: TieRule = "min",
    leave_out_least: bool = False,
) -> pl.DataFrame:
    """List the indicators on which a unit ranks lowest, the lowest last.

    Parameters
    ----------
    values, unit, names, units, directions, most, ties
        As in `strengths`.
    leave_out_least
        Whether to pass over indicators on which nobody has less than the unit. COINr does; it
        keeps zeros that many share off the list, and the worst of all as well.

    Returns
    -------
    polars.DataFrame
        As in `strengths`. An indicator on which the unit has the greatest value is never a
        weakness.
    """
    rows = _standing(table(values, names, units), unit, directions, ties)
    kept = [row for row in rows if not row[4] and not (leave_out_least and row[5])]
    return _named_columns(kept[-most:] if most else [])


@strict
def unit_summary(
    scores: Mapping[str, ArrayLike],
    unit: int | str,
    *,
    units: Sequence[str] | None = None,
    ties: TieRule = "min",
) -> pl.DataFrame:
    """Give one unit's score and rank on every node.

    Parameters
    ----------
    scores
        By node, (n_units,) scores.
    unit
        The unit: its position, or its code.
    units
        (n_units,) codes.
    ties
        Rank that equal scores share.

    Returns
    -------
    polars.DataFrame
        Columns node, score, rank and of (units with a score).

    Examples
    --------
    >>> unit_summary({"index": [1.0, 2.0, 3.0]}, 1).rows()
    [('index', 2.0, 2, 3)]
    """
    import polars as pl

    rows = []
    for node, values in columns(scores, "scores").items():
        codes = None if units is None else units_of(units, len(values))
        row = row_of(unit, codes, len(values))
        at = rank(values, ties)[row]
        n = int(np.count_nonzero(~np.isnan(values)))
        rows.append((node, float(values[row]), None if np.isnan(at) else float(at), n))
    found = pl.DataFrame(rows, schema=["node", "score", "rank", "of"], orient="row")
    return _whole_ranks(found.with_columns(pl.col("score").fill_nan(None)))


@strict
def compare_ranks(
    nominal: ArrayLike, other: ArrayLike, units: Sequence[str], *, ties: TieRule = "min"
) -> pl.DataFrame:
    """Set the ranks of two versions of a score side by side, the largest shift first.

    Parameters
    ----------
    nominal, other
        (n_units,) scores.
    units
        (n_units,) codes.
    ties
        Rank that equal scores share.

    Returns
    -------
    polars.DataFrame
        Columns unit, nominal, other, shift (nominal less other: above 0 = up the table) and
        absolute.

    Examples
    --------
    >>> compare_ranks([3.0, 2.0, 1.0], [1.0, 2.0, 3.0], ["a", "b", "c"]).rows()
    [('a', 1.0, 3.0, -2.0, 2.0), ('c', 3.0, 1.0, 2.0, 2.0), ('b', 2.0, 2.0, 0.0, 0.0)]
    """
    import polars as pl

    values = columns({"nominal": nominal, "other": other}, "scores")
    before, after = (rank(v, ties) for v in values.values())
    shift = before - after
    found = pl.DataFrame(
        {
            "unit": units_of(units, len(before)),
            "nominal": before,
            "other": after,
            "shift": shift,
            "absolute": np.abs(shift),
        }
    )
    order = np.argsort(-np.abs(shift), kind="stable")  # those without a shift come last
    return found[order].fill_nan(None)


@strict
def compare_versions(
    versions: Mapping[str, ArrayLike],
    units: Sequence[str],
    *,
    show: Literal["ranks", "scores", "shifts"] = "ranks",
    ties: TieRule = "min",
) -> pl.DataFrame:
    """Set any number of versions of a score side by side, the first version's highest unit first.

    Parameters
    ----------
    versions
        By name, (n_units,) scores; the first is the nominal one.
    units
        (n_units,) codes.
    show
        Ranks, scores, or shifts (the first version's rank less each version's).
    ties
        Rank that equal scores share.

    Examples
    --------
    >>> compare_versions({"a": [1.0, 2.0], "b": [2.0, 1.0]}, ["x", "y"], show="shifts").rows()
    [('y', 0.0, -1.0), ('x', 0.0, 1.0)]
    """
    import polars as pl

    if not versions:
        raise DataError("no version given; expected the scores of at least one")
    values = columns(versions, "scores")
    ranks = {name: rank(scores, ties) for name, scores in values.items()}
    first = next(iter(ranks.values()))
    shown = {
        "ranks": ranks,
        "scores": values,
        "shifts": {name: first - r for name, r in ranks.items()},
    }[show]
    found = pl.DataFrame({"unit": units_of(units, len(first)), **shown})
    return found[np.argsort(first, kind="stable")].fill_nan(None)


_Row = tuple[str, float, int, float, bool, bool]


def _standing(
    taken: NamedMatrix, unit: int | str, directions: ArrayLike | Mapping[str, int], ties: TieRule
) -> list[_Row]:
    """Name, rank, units ranked, value, is greatest, is least: for indicators that the unit has."""
    at = row_of(unit, taken.units, len(taken.values))
    signs = directions_of(directions, taken.names)
    rows: list[_Row] = []
    for name, its, sign in zip(taken.names, taken.values.T, signs, strict=True):
        if not np.isnan(its[at]):
            turned = its * sign
            greatest, least = np.nanmax(turned), np.nanmin(turned)
            n = int(np.count_nonzero(~np.isnan(its)))
            own = float(rank(turned, ties)[at])
            ends = bool(turned[at] == greatest), bool(turned[at] == least)
            rows.append((name, own, n, float(its[at]), *ends))
    return sorted(rows, key=lambda row: row[1])


def _named_columns(rows: list[_Row]) -> pl.DataFrame:
    import polars as pl

    schema = {"name": pl.String, "rank": pl.Float64, "of": pl.Int64, "value": pl.Float64}
    return _whole_ranks(pl.DataFrame([row[:4] for row in rows], schema=schema, orient="row"))


def _whole_ranks(found: pl.DataFrame) -> pl.DataFrame:
    """Show ranks as whole numbers, unless a rule for ties has made halves."""
    import polars as pl

    ranks = found["rank"].cast(pl.Float64)
    whole = ranks.drop_nulls() == ranks.drop_nulls().floor()
    return found.with_columns(ranks.cast(pl.Int64) if whole.all() else ranks)
