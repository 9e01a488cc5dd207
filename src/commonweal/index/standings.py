"""Who stands where: tables of ranks, one unit's strengths and weaknesses, versions side by side.

Rank 1 is the highest score: in a study, the most need. Tables are Polars frames with one row a
unit, or one row a node where they are about one unit; what is missing is null in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.rank import Floats, TieRule, rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike

__all__ = [
    "compare",
    "compare_many",
    "group_ranks",
    "results_table",
    "strengths",
    "unit_summary",
    "weaknesses",
]


def group_ranks(scores: ArrayLike, groups: Sequence[object], ties: TieRule = "min") -> Floats:
    """Rank units within their groups.

    Parameters
    ----------
    scores
        (n_units,) scores, higher = more, NaN = missing.
    groups
        (n_units,) group of each unit; a unit without one (None) has no rank.
    ties
        Rank that equal scores share.

    Examples
    --------
    >>> group_ranks([9.0, 5.0, 7.0, 8.0], ["a", "a", "b", "b"])
    array([1., 2., 2., 1.])
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(groups) != len(values):
        raise DataError(f"{len(groups)} groups found; expected {len(values)}, one a unit")
    ranks = np.full(values.shape, np.nan)
    members: dict[object, list[int]] = {}
    for at, group in enumerate(groups):
        if group is not None:
            members.setdefault(group, []).append(at)
    for at_group in members.values():
        ranks[at_group] = rank(values[at_group], ties)
    return ranks


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
    values = {node: np.asarray(s, dtype=np.float64) for node, s in scores.items()}
    first = rank(next(iter(values.values())), ties)
    columns: dict[str, object] = {"unit": list(units)}
    if groups is not None:
        columns["group"] = list(groups)
    if show == "scores":
        columns |= {"rank": first, **values}
    elif show == "ranks":
        columns |= {node: rank(v, ties) for node, v in values.items()}
    else:
        if groups is None:
            raise DataError("ranks within groups need `groups`, one a unit")
        columns |= {node: group_ranks(v, groups, ties) for node, v in values.items()}
    order = np.argsort(first, kind="stable")
    return pl.DataFrame(columns)[order].fill_nan(None)


def strengths(
    values: ArrayLike,
    unit: int,
    names: Sequence[str],
    *,
    directions: ArrayLike = 1,
    most: int = 5,
    ties: TieRule = "min",
) -> pl.DataFrame:
    """List the indicators on which a unit ranks highest, the highest first.

    Parameters
    ----------
    values
        (n_units, n_indicators) values in their own units, NaN = missing.
    unit
        Position of the unit.
    names
        (n_indicators,) names.
    directions
        +1 or -1 for each indicator: whether a higher value is a higher rank.
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
    table = _standing(values, unit, names, directions, ties)
    return _named_columns([row for row in table if not row[5]][:most])


def weaknesses(
    values: ArrayLike,
    unit: int,
    names: Sequence[str],
    *,
    directions: ArrayLike = 1,
    most: int = 5,
    ties: TieRule = "min",
    leave_out_least: bool = False,
) -> pl.DataFrame:
    """List the indicators on which a unit ranks lowest, the lowest last.

    Parameters
    ----------
    values, unit, names, directions, most, ties
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
    table = _standing(values, unit, names, directions, ties)
    kept = [row for row in table if not row[4] and not (leave_out_least and row[5])]
    return _named_columns(kept[-most:] if most else [])


def unit_summary(
    scores: Mapping[str, ArrayLike], unit: int, *, ties: TieRule = "min"
) -> pl.DataFrame:
    """Give one unit's score and rank on every node.

    Parameters
    ----------
    scores
        By node, (n_units,) scores.
    unit
        Position of the unit.
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
    for node, s in scores.items():
        values = np.asarray(s, dtype=np.float64)
        at = rank(values, ties)[_position(unit, len(values))]
        n = int(np.count_nonzero(~np.isnan(values)))
        rows.append((node, float(values[unit]), None if np.isnan(at) else float(at), n))
    table = pl.DataFrame(rows, schema=["node", "score", "rank", "of"], orient="row")
    return _whole_ranks(table.with_columns(pl.col("score").fill_nan(None)))


def compare(
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
    >>> compare([3.0, 2.0, 1.0], [1.0, 2.0, 3.0], ["a", "b", "c"]).rows()
    [('a', 1.0, 3.0, -2.0, 2.0), ('c', 3.0, 1.0, 2.0, 2.0), ('b', 2.0, 2.0, 0.0, 0.0)]
    """
    import polars as pl

    before, after = rank(nominal, ties), rank(other, ties)
    shift = before - after
    table = pl.DataFrame(
        {
            "unit": list(units),
            "nominal": before,
            "other": after,
            "shift": shift,
            "absolute": np.abs(shift),
        }
    )
    order = np.argsort(-np.abs(shift), kind="stable")  # those without a shift come last
    return table[order].fill_nan(None)


def compare_many(
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
    >>> compare_many({"a": [1.0, 2.0], "b": [2.0, 1.0]}, ["x", "y"], show="shifts").rows()
    [('y', 0.0, -1.0), ('x', 0.0, 1.0)]
    """
    import polars as pl

    if not versions:
        raise DataError("no version given; expected the scores of at least one")
    ranks = {name: rank(scores, ties) for name, scores in versions.items()}
    first = next(iter(ranks.values()))
    shown = {
        "ranks": ranks,
        "scores": {name: np.asarray(s, dtype=np.float64) for name, s in versions.items()},
        "shifts": {name: first - r for name, r in ranks.items()},
    }[show]
    table = pl.DataFrame({"unit": list(units), **shown})
    return table[np.argsort(first, kind="stable")].fill_nan(None)


_Row = tuple[str, float, int, float, bool, bool]


def _standing(
    values: ArrayLike, unit: int, names: Sequence[str], directions: ArrayLike, ties: TieRule
) -> list[_Row]:
    """Name, rank, units ranked, value, is greatest, is least: for indicators that the unit has."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != len(names):
        raise DataError(f"values of shape {x.shape}; expected (n_units, {len(names)}), one a name")
    at = _position(unit, len(x))
    signs = np.broadcast_to(np.asarray(directions, dtype=np.float64), len(names))
    rows: list[_Row] = []
    for name, column, sign in zip(names, x.T, signs, strict=True):
        if not np.isnan(column[at]):
            turned = column * sign
            greatest, least = np.nanmax(turned), np.nanmin(turned)
            n = int(np.count_nonzero(~np.isnan(column)))
            own = float(rank(turned, ties)[at])
            ends = bool(turned[at] == greatest), bool(turned[at] == least)
            rows.append((name, own, n, float(column[at]), *ends))
    return sorted(rows, key=lambda row: row[1])


def _named_columns(rows: list[_Row]) -> pl.DataFrame:
    import polars as pl

    schema = {"name": pl.String, "rank": pl.Float64, "of": pl.Int64, "value": pl.Float64}
    return _whole_ranks(pl.DataFrame([row[:4] for row in rows], schema=schema, orient="row"))


def _whole_ranks(table: pl.DataFrame) -> pl.DataFrame:
    """Show ranks as whole numbers, unless a rule for ties has made halves."""
    import polars as pl

    ranks = table["rank"].cast(pl.Float64)
    whole = ranks.drop_nulls() == ranks.drop_nulls().floor()
    return table.with_columns(ranks.cast(pl.Int64) if whole.all() else ranks)


def _position(unit: int, n_units: int) -> int:
    if not -n_units <= unit < n_units:
        raise UnknownNameError("unit", str(unit), [str(i) for i in range(n_units)])
    return unit
