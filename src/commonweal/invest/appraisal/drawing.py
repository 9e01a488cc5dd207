"""Values of the uncertain inputs, drawn from their laws."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.invest.appraisal.model import Model
    from commonweal.invest.appraisal.project import Correlation

__all__ = ["draw_inputs"]


def draw_inputs(
    model: Model, n: int, seed: int, correlations: Sequence[Correlation] = ()
) -> dict[str, NDArray[np.float64]]:
    """Draw every uncertain input.

    Each has a stream of random numbers of its own, by its name: adding one leaves the others' draws
    as they were. Correlated ones go through a normal (Gaussian) copula: the stated correlation is
    that of their normal scores.

    Parameters
    ----------
    model
        Whose inputs.
    n
        How many draws.
    seed
        The same gives the same.
    correlations
        Between pairs of uncertain inputs.

    Returns
    -------
    dict
        (n,) for each uncertain input, a single number for each certain one.

    Raises
    ------
    UnknownNameError
        If a correlation names no input.
    DataError
        If it names one that is certain, or one twice, or no such set of correlations can be; or if
        there is not at least one draw.
    """
    from scipy.special import ndtr, ndtri

    if n < 1:
        raise DataError(f"found {n} draws; expected 1 or more")
    unsure = [i for i in model.inputs.values() if not i.number.certain]
    chance = {
        i.name: np.random.default_rng([seed, crc32(i.name.encode())]).random(n) for i in unsure
    }
    if correlations:
        names, matrix = _correlation_matrix(model, correlations)
        scores = np.column_stack([ndtri(np.maximum(chance[name], 2.0**-54)) for name in names])
        try:
            lower = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise DataError(
                f"the correlations of {', '.join(names)} contradict each other: no such numbers can be"
            ) from None
        for name, column in zip(names, (scores @ lower.T).T, strict=True):
            chance[name] = ndtr(column)
    certain = {i.name: np.asarray(i.number.mean) for i in model.inputs.values() if i.number.certain}
    return certain | {i.name: i.number.quantile(chance[i.name]) for i in unsure}


def _correlation_matrix(
    model: Model, correlations: Sequence[Correlation]
) -> tuple[list[str], NDArray[np.float64]]:
    names: list[str] = []
    pairs = set()
    for stated in correlations:
        for name in stated.between:
            if name not in model.inputs:
                raise UnknownNameError("input", name, model.inputs, " ('correlations')")
            if model.inputs[name].number.certain:
                raise DataError(f"'correlations': '{name}' is certain; expected an uncertain input")
            if name not in names:
                names.append(name)
        pair = frozenset(stated.between)
        if len(pair) < 2 or pair in pairs:
            raise DataError(
                f"'correlations': found {' and '.join(stated.between)} again; expected a pair once"
            )
        pairs.add(pair)
    matrix = np.eye(len(names))
    for stated in correlations:
        a, b = (names.index(name) for name in stated.between)
        matrix[a, b] = matrix[b, a] = stated.of
    return names, matrix
