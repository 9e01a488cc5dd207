"""How indicators move together: correlations and their p-values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import numpy as np

from commonweal.errors import DataError
from commonweal.index.methods import strict
from commonweal.index.tables import Matrix, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from commonweal.index.tables import Floats

Number = TypeVar("Number", np.float64, np.int64, np.bool_)

__all__ = ["Coefficient", "Correlations", "correlate", "pairwise_covariance"]

Coefficient: TypeAlias = Literal["pearson", "spearman", "kendall"]
"""Of what: values, average ranks, or which of two units has more (tau-b)."""

# Up to how many units without ties R counts every order of the ranks (Spearman), and uses a series.
_N_COUNTED = 9
_N_EDGEWORTH = 1290


@dataclass(frozen=True, slots=True)
class Correlations:
    """Correlations of the columns of one table with those of another, or with each other.

    Attributes
    ----------
    r
        (n_x, n_y) coefficients, -1..1; NaN where a column is constant or no two units have both.
    p
        (n_x, n_y) two-sided p-values of the hypothesis of no correlation; NaN where undefined.
    n
        (n_x, n_y) units that have both values.
    names, others
        (n_x,) and (n_y,) names of the columns; `others` is None where the columns of one table are
        correlated with each other.
    """

    r: Floats
    p: Floats
    n: NDArray[np.int64]
    names: tuple[str, ...] = ()
    others: tuple[str, ...] | None = None

    def to_frame(self) -> pl.DataFrame:
        """Give a Polars frame with a row a pair: first, second, r, p and n, missing as null.

        Of one table with itself, each pair is there once, and no column with itself.
        """
        import polars as pl

        seconds = self.names if self.others is None else self.others
        if self.others is None:
            i, j = np.triu_indices(len(self.names), 1)
        else:
            i, j = np.indices(self.r.shape).reshape(2, -1)
        return pl.DataFrame(
            {
                "first": [self.names[k] for k in i],
                "second": [seconds[k] for k in j],
                "r": self.r[i, j],
                "p": self.p[i, j],
                "n": self.n[i, j],
            },
            schema_overrides={"first": pl.String, "second": pl.String},
        ).fill_nan(None)


@strict
def correlate(
    x: Matrix,
    y: Matrix | None = None,
    method: Coefficient = "pearson",
    *,
    names: Sequence[str] | None = None,
    others: Sequence[str] | None = None,
) -> Correlations:
    """Correlate indicators with each other, or with the columns of another table.

    Parameters
    ----------
    x
        (n_units, n_x) values, NaN = missing.
    y
        (n_units, n_y) values of the same units: another level of the index, or denominators.
        Without it, `x` again.
    method
        ``pearson``, ``spearman`` (average ranks) or ``kendall`` (tau-b). Each pair of columns uses
        the units that have both, and ranks them anew.
    names, others
        (n_x,) and (n_y,) names of the columns.

    Returns
    -------
    Correlations
        p-values are those of R's ``cor.test``: Student's t for Pearson. Spearman: exact up to
        9 units, an Edgeworth series up to 1,290, Student's t beyond or with ties. Kendall: exact
        below 50 units, normal from there on or with ties. A column with itself has p = 0.

    Raises
    ------
    DataError
        If a table is none of numbers or has no column, or the two do not have the same units.
    UnknownNameError
        If there is no such method.

    Notes
    -----
    With nothing missing, ranks are taken once a column and all pairs are one matrix product.
    Kendall's tau takes one sort a column and a count of inversions a pair: see
    `commonweal.index.table_kernels`. Source: Best and Roberts (1975), Algorithm AS 89.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [2.0, 4.0], [3.0, 9.0], [4.0, 16.0]])
    >>> correlate(x, method="spearman").r
    array([[1., 1.],
           [1., 1.]])
    >>> correlate(x[:, :1], x[:, 1:]).r.round(4)
    array([[0.9844]])
    """
    first = table(x, names)
    second = first if y is None else table(y, others)
    a, b = first.values, second.values
    if len(a) != len(b):
        raise DataError(f"tables of {len(a):,} and {len(b):,} units; expected the same units")
    if None not in (first.units, second.units) and first.units != second.units:
        raise DataError("the codes of the two tables differ; expected the same units in one order")
    if not a.shape[1] or not b.shape[1]:
        raise DataError(
            f"tables of {a.shape[1]} and {b.shape[1]} columns; expected at least 1 each"
        )
    found = _METHODS[method](a, b)
    if b is a:
        itself = np.diag_indices(a.shape[1])
        defined = ~np.isnan(found.r[itself])
        found.r[itself] = np.where(defined, 1.0, np.nan)
        found.p[itself] = np.where(defined, 0.0, np.nan)
    return replace(
        found, names=tuple(first.names), others=None if y is None else tuple(second.names)
    )


def pairwise_covariance(x: Matrix) -> Floats:
    """Covariances (divisor n - 1) of each pair of columns over the units that have both.

    Parameters
    ----------
    x
        (n_units, n_indicators) values, NaN = missing.

    Returns
    -------
    ndarray
        (n_indicators, n_indicators) float64; NaN where fewer than 2 units have both.

    Examples
    --------
    >>> pairwise_covariance([[1.0, 2.0], [2.0, 4.0], [3.0, np.nan]])
    array([[1., 1.],
           [1., 2.]])
    """
    values = table(x).values
    n, cross, _, _ = _sums(values, values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 1, cross / (n - 1), np.nan)


def _sums(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Count pairs of values, and sum their products and squares about the means of each pair."""
    zx, have_x = _centred(x)
    zy, have_y = (zx, have_x) if y is x else _centred(y)
    if have_x is None and have_y is None:
        n = np.full((x.shape[1], y.shape[1]), float(len(x)))
        shape = np.ones_like(n)
        square_x, square_y = (zx * zx).sum(axis=0)[:, None] * shape, (zy * zy).sum(axis=0) * shape
        return n, zx.T @ zy, square_x, square_y
    in_x = np.ones_like(x) if have_x is None else have_x
    in_y = np.ones_like(y) if have_y is None else have_y
    n = in_x.T @ in_y
    with np.errstate(invalid="ignore", divide="ignore"):
        sum_x, sum_y = zx.T @ in_y, in_x.T @ zy
        cross = zx.T @ zy - sum_x * sum_y / n
        raw_x, raw_y = (zx * zx).T @ in_y, in_x.T @ (zy * zy)
        square_x, square_y = raw_x - sum_x**2 / n, raw_y - sum_y**2 / n
    # A column that is constant where both have values: rounding leaves a little of its variance.
    square_x[square_x <= 1e-13 * raw_x] = 0.0
    square_y[square_y <= 1e-13 * raw_y] = 0.0
    return n, cross, square_x, square_y


def _centred(x: Floats) -> tuple[Floats, Floats | None]:
    """Subtract each column's mean, with 0 for what is missing; and say where there are values."""
    missing = np.isnan(x)
    if len(x) and not missing.any():
        constant = (x == x[:1]).all(axis=0)
        return np.where(constant, 0.0, x - x.mean(axis=0)), None
    have = ~missing
    mean = np.where(have, x, 0.0).sum(axis=0) / np.maximum(have.sum(axis=0), 1)
    return np.where(have, x - mean, 0.0), have.astype(np.float64)


def _pearson(x: Floats, y: Floats) -> Correlations:
    n, cross, square_x, square_y = _sums(x, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.clip(cross / (np.sqrt(square_x) * np.sqrt(square_y)), -1.0, 1.0)
    r[(square_x == 0) | (square_y == 0) | (n < 2)] = np.nan
    return Correlations(r, _student(r, n), n.astype(np.int64))


def _student(r: Floats, n: Floats) -> Floats:
    """Two-sided p-value of a correlation by Student's t with n - 2 degrees of freedom."""
    from scipy.special import stdtr

    with np.errstate(invalid="ignore", divide="ignore"):
        t = r * np.sqrt((n - 2) / (1 - r * r))
        p: Floats = 2.0 * stdtr(n - 2, -np.abs(t))
    return np.where(n > 2, p, np.nan)


def _spearman(x: Floats, y: Floats) -> Correlations:
    columns_x = [_ordered(column) for column in x.T]
    columns_y = columns_x if y is x else [_ordered(column) for column in y.T]
    if all(len(order) == len(x) for order, _ in (*columns_x, *columns_y)):
        ranks_x, ties_x = _ranks(columns_x)
        ranks_y, ties_y = (ranks_x, ties_x) if y is x else _ranks(columns_y)
        found = _pearson(ranks_x, ranks_x if y is x else ranks_y)
        return _with_rho_p(found, ties_x[:, None] | ties_y)
    have_x, have_y = np.asfortranarray(~np.isnan(x)), np.asfortranarray(~np.isnan(y))
    r, ties = (
        np.full((x.shape[1], y.shape[1]), np.nan),
        np.zeros((x.shape[1], y.shape[1]), np.bool_),
    )
    n = np.zeros(r.shape, dtype=np.int64)
    for i, j in _pairs(x, y):
        # The order of a column is that of the units that it shares with another, once the rest
        # are struck out: one sort a column instead of two a pair.
        ranks_i, ties_i, n[i, j] = _shared_ranks(columns_x[i], have_y[:, j])
        ranks_j, ties_j, _ = _shared_ranks(columns_y[j], have_x[:, i])
        ties[i, j] = ties_i or ties_j
        scale = np.sqrt(_dot(ranks_i, ranks_i)) * np.sqrt(_dot(ranks_j, ranks_j))
        r[i, j] = np.clip(_dot(ranks_i, ranks_j) / scale, -1.0, 1.0) if scale > 0 else np.nan
    if y is x:
        r, ties, n = _mirrored(r), _mirrored(ties), _mirrored(n)
    return _with_rho_p(Correlations(r, _student(r, n.astype(np.float64)), n), ties)


def _ordered(column: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Give the units that have a value in the order of their values, and these."""
    column = np.ascontiguousarray(column)
    order = np.argsort(column)[: np.count_nonzero(~np.isnan(column))]  # NaN sorts last
    return order, column[order]


def _average_ranks(ordered: Floats) -> tuple[Floats, bool]:
    """Rank sorted values from 1 up, with the mean of their ranks for equal ones, if there are."""
    changes = ordered[1:] != ordered[:-1]
    if changes.all():
        return np.arange(1.0, len(ordered) + 1), False
    starts = np.r_[0, np.flatnonzero(changes) + 1]
    lengths = np.diff(np.r_[starts, len(ordered)])
    return np.repeat(starts + (lengths + 1) / 2, lengths), True


def _ranks(columns: list[tuple[NDArray[np.intp], Floats]]) -> tuple[Floats, NDArray[np.bool_]]:
    """Ranks of complete columns, (n_units, n_columns), and which have ties."""
    ranks = np.empty((len(columns[0][0]), len(columns)), order="F")
    ties = np.zeros(len(columns), dtype=np.bool_)
    for j, (order, ordered) in enumerate(columns):
        ranks[order, j], ties[j] = _average_ranks(ordered)
    return ranks, ties


def _shared_ranks(
    column: tuple[NDArray[np.intp], Floats], other_has: NDArray[np.bool_]
) -> tuple[Floats, bool, int]:
    """Centred ranks among the units that another column has too, 0 for the rest."""
    order, ordered = column
    shared = other_has[order]
    ranks, ties = _average_ranks(ordered[shared])
    centred = np.zeros(len(other_has))
    centred[order[shared]] = ranks - (len(ranks) + 1) / 2
    return centred, ties, len(ranks)


def _dot(a: Floats, b: Floats) -> float:
    # einsum, not @: handing one pair of columns to the threads of BLAS takes longer than the sum.
    return float(np.einsum("i,i->", a, b))


def _pairs(x: Floats, y: Floats) -> Iterator[tuple[int, int]]:
    """Give every pair of columns, and of a table with itself each once."""
    for i in range(x.shape[1]):
        for j in range(i if y is x else 0, y.shape[1]):
            yield i, j


def _mirrored(upper: NDArray[Number]) -> NDArray[Number]:
    """Copy the upper triangle of a matrix into the lower."""
    below = np.tril_indices_from(upper, -1)
    upper[below] = upper.T[below]
    return upper


def _with_rho_p(found: Correlations, ties: NDArray[np.bool_]) -> Correlations:
    """Replace Student's p of a Spearman correlation where there is a better one."""
    n, p = found.n, found.p.copy()
    distributions: dict[int, Floats] = {}
    for i, j in np.argwhere((n > 1) & (n <= _N_EDGEWORTH) & ~ties):
        k = int(n[i, j])
        squares = round((k**3 - k) * (1 - float(found.r[i, j])) / 6)
        if k <= _N_COUNTED and k not in distributions:
            distributions[k] = _distribution_of_squares(k)
        p[i, j] = _rho_p(squares, k, distributions.get(k))
    return Correlations(found.r, p, n)


def _rho_p(squares: int, n: int, distribution: Floats | None) -> float:
    """Two-sided p of a sum of squared differences of ranks without ties."""
    # The sum is even, so P(S <= s) = 1 - P(S >= s + 2); a small sum means a positive correlation.
    positive = squares <= (n**3 - n) / 6
    s = squares + 2 if positive else squares
    above = float(distribution[s:].sum()) if distribution is not None else _edgeworth(s, n)
    return min(2 * (1 - above if positive else above), 1.0)


def _distribution_of_squares(n: int) -> Floats:
    """Chance of each sum of squared differences between n ranks and a random order of them."""
    chance = np.zeros((1 << n, (n**3 - n) // 3 + 1))
    chance[0, 0] = 1.0
    for used in range(1 << n):  # the ranks that the first units have taken, as bits
        i = used.bit_count()
        for rank in range(n):
            if not used >> rank & 1:
                step = (i - rank) ** 2
                taken = used | 1 << rank
                chance[taken, step:] += chance[used, : chance.shape[1] - step] / (n - i)
    return chance[-1]


def _edgeworth(squares: int, n: int) -> float:
    """P(S >= squares) by the series of AS 89."""
    from scipy.special import ndtr

    if squares > (n**3 - n) / 3:
        return 0.0
    b = 1 / n
    z = (6 * (squares - 1) * b / (n * n - 1.0) - 1) * np.sqrt(n - 1.0)
    y = z * z
    high = 0.0072 - 0.0831 * b + y * b * (0.0131 - 4.6e-4 * y)
    middle = -0.0758 + b * (0.1033 + 0.3932 * b) - y * b * (0.0879 + 0.0151 * b - y * high)
    series = z * b * (0.2274 + b * (0.2531 + 0.1745 * b) + y * middle)
    return float(np.clip(series / np.exp(y / 2) + ndtr(-z), 0.0, 1.0))


def _kendall(x: Floats, y: Floats) -> Correlations:
    # numba takes a second to import: only those who count pairs of units wait for it.
    from commonweal.index.table_kernels import N, kendall_counts, tau_and_p

    columns_x = [_ordered(column) for column in x.T]
    columns_y = columns_x if y is x else [_ordered(column) for column in y.T]
    pairs = list(_pairs(x, y))
    counts = kendall_counts(columns_x, columns_y, len(x), pairs)
    r = np.full((x.shape[1], y.shape[1]), np.nan)
    p, n = r.copy(), np.zeros(r.shape, dtype=np.int64)
    tau, chance = tau_and_p(counts)
    for (i, j), *found in zip(pairs, tau, chance, counts[:, N], strict=True):
        r[i, j], p[i, j], n[i, j] = found
    if y is x:
        r, p, n = _mirrored(r), _mirrored(p), _mirrored(n)
    return Correlations(r, p, n)


_METHODS: MappingProxyType[str, Callable[[Floats, Floats], Correlations]] = MappingProxyType(
    {"pearson": _pearson, "spearman": _spearman, "kendall": _kendall}
)
