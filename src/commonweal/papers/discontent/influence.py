"""Which rows a coefficient rests on, and how much predictors overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError
from commonweal.survey.regression import CONSTANT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.survey.regression import Fit

__all__ = [
    "Influence",
    "influence",
    "partial_regression",
    "variance_inflation",
]


@dataclass(frozen=True)
class Influence:
    """What each row does to a model.

    Attributes
    ----------
    leverage
        (n,) from 0 to 1: how far a row's predictors are from the others'; they add up to the number of
        coefficients.
    studentised
        (n,) residuals over their standard errors, which a large leverage makes small.
    cook
        (n,) Cook's distance: how far all fitted values move when the row is left out.
    change
        (n, k) what leaving the row out adds to each coefficient.
    """

    leverage: NDArray[np.float64]
    studentised: NDArray[np.float64]
    cook: NDArray[np.float64]
    change: NDArray[np.float64]

    def most(self, many: int = 10) -> NDArray[np.intp]:
        """Give the rows of the largest Cook's distance, the largest first."""
        return np.argsort(-self.cook, kind="stable")[:many]


def influence(model: Fit) -> Influence:
    """Compute leverage, studentised residuals, Cook's distance and changes of coefficients.

    Raises
    ------
    DataError
        If the model compares rows within groups: leaving a row out then changes its group's mean.

    Notes
    -----
    Cook (1977), with rows times the square root of their weight: ``h = x'(X'X)^-1 x``, ``D = e^2 h / (k s^2
    (1 - h)^2)``; without a row the coefficients change by ``-(X'X)^-1 x e / (1 - h)``, exactly.
    """
    if model.within:
        raise DataError(f"a model within each {model.within}; expected one with a constant")
    root = np.sqrt(model.weights)
    x, e = model.design * root[:, None], model.residuals * root
    n, k = x.shape
    inverse = np.linalg.inv(x.T @ x)
    leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
    variance = float(e @ e) / (n - k)
    studentised = e / np.sqrt(variance * (1 - leverage))
    cook = studentised**2 * leverage / (1 - leverage) / k
    change = -(x @ inverse) * (e / (1 - leverage))[:, None]
    return Influence(leverage, studentised, cook, change)


def variance_inflation(model: Fit) -> dict[str, float]:
    """Say how many times overlap with the other columns multiplies a coefficient's variance.

    Returns
    -------
    dict of str to float
        By column, 1 (no overlap) or more; ``1 / (1 - R2)`` of the column on the others, weighted.
    """
    names = [t.name for t in model.terms if t.name != CONSTANT]
    x = model.design[:, -len(names) :]
    centred = (x - np.average(x, axis=0, weights=model.weights)) * np.sqrt(model.weights)[:, None]
    scaled = centred / np.linalg.norm(centred, axis=0)
    return dict(zip(names, np.diag(np.linalg.inv(scaled.T @ scaled)).tolist(), strict=True))


def partial_regression(model: Fit, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give a column and the outcome with what the other columns say of them taken out.

    Returns
    -------
    column, outcome : ndarray
        (n,) each. The weighted line through them has the model's coefficient for its slope (Frisch,
        Waugh and Lovell).

    Raises
    ------
    UnknownNameError
        If the model has no such column.
    """
    at = model.position(name)
    root = np.sqrt(model.weights)[:, None]
    others = np.delete(model.design, at, axis=1)
    both = np.column_stack([model.design[:, at], model.observed])
    known = np.linalg.lstsq(others * root, both * root, rcond=None)[0]
    left = both - others @ known
    return left[:, 0], left[:, 1]
