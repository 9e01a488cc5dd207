"""Sums of squares of a model with one factor of very many levels: solved through that factor's diagonal.

The matrix is ``[C'WC + P, B; B', D]`` with few columns in C, and D diagonal since a row is in one area only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.sparse import csr_array

from commonweal.errors import DataError

if TYPE_CHECKING:
    from commonweal.small_areas.checks import Array, Codes

BLOCK = 20_000  # rows whose variance is worked out at a time


@dataclass(frozen=True, slots=True, eq=False)
class Arrow:
    """A factored matrix: `root` is the upper Cholesky factor of what is left of C once D is eliminated."""

    root: Array
    cross: Any  # B, sparse: columns of C x levels
    diagonal: Array  # D

    def log_determinant(self) -> float:
        """Give the log of the determinant."""
        return float(2 * np.log(np.diag(self.root)).sum() + np.log(self.diagonal).sum())

    def solve(self, c: Array, u: Array) -> tuple[Array, Array]:
        """Solve for a right-hand side in its two parts."""
        top = cho_solve((self.root, False), c - self.cross @ (u / self.diagonal))
        return top, (u - self.cross.T @ top) / self.diagonal

    def inverse_diagonals(self) -> tuple[Array, Array]:
        """Give the diagonal of the inverse, in its two parts."""
        half = solve_triangular(self.root, np.eye(len(self.root)), trans="T")
        reduced = csr_array(self.cross.T).multiply(1 / self.diagonal[:, None])
        return (half**2).sum(axis=0), 1 / self.diagonal + self._quadratic(csr_array(reduced))

    def row_variances(self, columns: Any, codes: Codes, scale: float) -> Array:
        """Give m'H^-1 m for rows m = (their columns of C, `scale` at their level)."""
        reduced = csr_array(self.cross.T).multiply((scale / self.diagonal)[:, None])
        rows = csr_array(columns - csr_array(reduced)[codes])
        return scale**2 / self.diagonal[codes] + self._quadratic(rows)

    def draws(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw from the normal distribution whose precision this is: columns x n and levels x n."""
        k = len(self.root)
        top = solve_triangular(self.root, rng.standard_normal((k, n)))
        noise = rng.standard_normal((len(self.diagonal), n))
        bottom = noise / np.sqrt(self.diagonal)[:, None]
        return top, bottom - (self.cross.T @ top) / self.diagonal[:, None]

    def _quadratic(self, rows: Any) -> Array:
        """Give r'S^-1 r of each sparse row r, a block of rows at a time."""
        half = solve_triangular(self.root, np.eye(len(self.root)))  # S^-1 = half half'
        out = np.empty(rows.shape[0])
        for start in range(0, len(out), BLOCK):
            out[start : start + BLOCK] = ((rows[start : start + BLOCK] @ half) ** 2).sum(axis=1)
        return out


def factor(
    weights: Array, columns: Any, penalty: Array, codes: Codes, levels: int, scale: float
) -> Arrow:
    """Factor the weighted sums of squares of rows (columns of C, `scale` at their level)."""
    weighted = columns.multiply(weights[:, None]).tocsr()
    diagonal = 1 + scale**2 * np.bincount(codes, weights, levels).astype(np.float64)
    member = csr_array(
        (np.full(len(codes), scale), (np.arange(len(codes)), codes)), shape=(len(codes), levels)
    )
    cross = csr_array(weighted.T @ member)
    full = (columns.T @ weighted).toarray() + np.diag(penalty)
    left = full - (cross.multiply(1 / diagonal) @ cross.T).toarray()
    try:
        root = cholesky(left, lower=False) if len(left) else np.empty((0, 0))
    except np.linalg.LinAlgError as error:
        raise DataError(
            "the coefficients cannot be told apart (no outcome varies with them, or covariates and factors "
            "repeat each other); expected covariates that each add something"
        ) from error
    return Arrow(root, cross, diagonal)
