"""What ranks: an index, or several mixed on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonweal.index import Scores
    from commonweal.invest.allocation.programme import Ranking

__all__ = ["composite", "on_scale", "paths_of", "stated_need"]

Floats: TypeAlias = NDArray[np.float64]


def on_scale(need: Floats, scale: str) -> Floats:
    """Put scores on a scale; higher stays more need.

    Parameters
    ----------
    need
        (..., n_areas) scores, NaN where missing.
    scale
        ``score`` as they are; ``z`` standard scores (mean 0, population standard deviation 1 over the areas
        with a score; all 0 if they are alike); ``rank`` ``N + 1 - rank``, equal scores at the middle of their
        ranks; ``share`` that over N.

    Returns
    -------
    ndarray
        (..., n_areas).

    Examples
    --------
    >>> on_scale(np.array([4.0, 1.0, 1.0, np.nan]), "rank")
    array([3. , 1.5, 1.5, nan])
    >>> on_scale(np.array([1.0, 3.0]), "z")
    array([-1.,  1.])
    """
    if scale == "score":
        return need
    if scale == "z":
        middle = np.nanmean(need, axis=-1, keepdims=True)
        spread = np.nanstd(need, axis=-1, keepdims=True)
        scaled: Floats = (need - middle) / np.where(spread > 0, spread, 1.0)
        return scaled
    from scipy.stats import rankdata

    ranks: Floats = rankdata(need, axis=-1, nan_policy="omit")
    if scale == "rank":
        return ranks
    shares: Floats = ranks / (~np.isnan(need)).sum(axis=-1, keepdims=True)
    return shares


def composite(ranking: Ranking, need: Mapping[str, Floats]) -> Floats:
    """Mix indices as a programme ranks by them.

    Parameters
    ----------
    ranking
        Weights and scale.
    need
        By path with slashes, (..., n_areas) scores.

    Returns
    -------
    ndarray
        (..., n_areas), higher = more need; NaN where an index is missing.
    """
    parts = [
        weight * on_scale(need[path.replace(".", "/")], ranking.scale)
        for path, weight in ranking.of.items()
    ]
    return np.sum(parts, axis=0)


def paths_of(ranking: Ranking, ties: tuple[str, ...] = ()) -> list[str]:
    """Give the paths that a ranking reads, with slashes."""
    return [path.replace(".", "/") for path in dict.fromkeys([*ranking.of, *ties])]


def stated_need(scores: Mapping[str, Scores], path: str) -> Floats:
    """Give the scores of an index or domain.

    Parameters
    ----------
    scores
        Indices by name.
    path
        With slashes.

    Returns
    -------
    ndarray
        (n_areas,) scores, higher = more need.

    Raises
    ------
    UnknownNameError
        If there is no such index or domain.
    DataError
        If no area has a score.
    """
    index = path.split("/", 1)[0]
    if index not in scores:
        raise UnknownNameError("index", index, scores, " in what the programme ranks by")
    if path not in scores[index].need:
        named = [p.replace("/", ".") for p in scores[index].need]
        raise UnknownNameError("index or domain", path.replace("/", "."), named)
    need = scores[index].need[path]
    if np.isnan(need).all():
        raise DataError(f"{path.replace('/', '.')}: no area has a score; expected at least one")
    if np.isinf(need).any():
        at = int(np.isinf(need).argmax())
        raise DataError(
            f"{path.replace('/', '.')}: area {scores[index].codes[at]} has a score of {need[at]}; "
            "expected a finite number"
        )
    return need
