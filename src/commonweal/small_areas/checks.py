"""Refuse what cannot be estimated from: each message names the thing, what was found and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

COLLINEAR = 1e-9  # of a column of length 1: what is left of it once those before it are taken out


def numbers(name: str, values: ArrayLike, length: int | None = None) -> Array:
    """Give a vector of finite numbers of the stated length, or say which one is not."""
    vector = _as_floats(name, values)
    if vector.ndim != 1:
        raise DataError(f"{name} has {vector.ndim} dimensions; expected 1, a number for each row")
    if length is None and not len(vector):
        raise DataError(f"{name} is empty; expected a number for each row")
    if length is not None and len(vector) != length:
        raise DataError(f"{name} has {len(vector):,} values; expected {length:,}, one for each row")
    if len(wrong := np.flatnonzero(~np.isfinite(vector))):
        raise DataError(
            f"{name} is {vector[wrong[0]]} in row {wrong[0]} ({len(wrong):,} such); "
            "expected finite numbers: leave out what has no value, or predict it"
        )
    return vector


def positive(name: str, values: ArrayLike, length: int | None = None) -> Array:
    """Give a vector of numbers above 0, or say which one is not."""
    vector = numbers(name, values, length)
    if len(wrong := np.flatnonzero(vector <= 0)):
        raise DataError(
            f"{name} is {vector[wrong[0]]:g} in row {wrong[0]} ({len(wrong):,} such); expected numbers above 0"
        )
    return vector


def between(
    name: str, values: ArrayLike, low: float, high: float, length: int | None = None
) -> Array:
    """Give a vector of numbers within bounds, or say which one is not."""
    vector = numbers(name, values, length)
    if len(wrong := np.flatnonzero((vector < low) | (vector > high))):
        raise DataError(
            f"{name} is {vector[wrong[0]]:g} in row {wrong[0]} ({len(wrong):,} such); "
            f"expected numbers from {low:g} to {high:g}"
        )
    return vector


def covariates(x: ArrayLike | None, length: int, intercept: bool = True) -> Array:
    """Give the design matrix, with a column of ones first if wanted; a vector is one covariate."""
    matrix = np.empty((length, 0)) if x is None else _as_floats("x", x)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or len(matrix) != length:
        raise DataError(
            f"x has shape {matrix.shape}; expected {length:,} rows, a column for each covariate"
        )
    if len(wrong := np.argwhere(~np.isfinite(matrix))):
        row, column = wrong[0]
        raise DataError(
            f"x is {matrix[row, column]} in row {row}, column {column} ({len(wrong):,} such); expected finite numbers"
        )
    return np.column_stack([np.ones(length), matrix]) if intercept else matrix


def independent(x: Array, names: Sequence[str]) -> None:
    """Refuse a design with more columns than rows leave room for, or one that repeats another."""
    n, p = x.shape
    if n <= p:
        raise DataError(f"{n:,} rows for {p} coefficients; expected more rows than coefficients")
    length = np.sqrt((x**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(x / np.where(length > 0, length, 1), mode="r")))
    if len(wrong := np.flatnonzero(left < COLLINEAR)):
        raise DataError(
            f"covariate '{names[wrong[0]]}' is a combination of those before it (or constant); "
            "expected covariates that each add something: drop it"
        )


def column_names(names: Sequence[str] | None, p: int, intercept: bool) -> tuple[str, ...]:
    """Give a name to each column of the design."""
    wanted = p - intercept
    given = tuple(f"x{i + 1}" for i in range(wanted)) if names is None else tuple(names)
    if len(given) != wanted:
        raise DataError(
            f"{len(given)} names of covariates; expected {wanted}, one for each column of x"
        )
    return ("intercept", *given) if intercept else given


def distinct(areas: Sequence[Any] | Array | None, length: int) -> tuple[Any, ...]:
    """Give the areas, each there once; they are numbered where there are none."""
    if areas is None:
        return tuple(range(length))
    listed = tuple(areas)
    if len(listed) != length:
        raise DataError(f"areas has {len(listed):,} values; expected {length:,}, one for each row")
    found, counts = np.unique(np.asarray(listed), return_counts=True)
    if (counts > 1).any():
        raise DataError(
            f"area '{found[counts > 1][0]}' is there {counts[counts > 1][0]} times "
            f"({(counts > 1).sum():,} areas repeated); expected each once"
        )
    return listed


def probability(name: str, value: float) -> float:
    """Give a number strictly between 0 and 1."""
    if not 0 < value < 1:
        raise DataError(f"{name} is {value:g}; expected a number between 0 and 1, such as 0.95")
    return value


def quantile(level: float) -> float:
    """Give how many standard errors a central interval of that level reaches to each side."""
    return float(norm.ppf(0.5 + probability("level", level) / 2))


def _as_floats(name: str, values: ArrayLike) -> Array:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is not numeric ({error}); expected numbers") from error
