"""An index as a measure of need: what areas lack now, and what they would lack if their indicators moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError, nearest
from commonweal.index import score
from commonweal.index.score import fit_base
from commonweal.indicators import Indicators

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from commonweal.index import Node, Scores
    from commonweal.index.score import Base
    from commonweal.invest.interventions import Effect, Interventions

    Floats = NDArray[np.float64]

__all__ = ["Measure", "measure_of", "measured_effects"]


@dataclass(frozen=True)
class Measure:
    """An index, fixed as it stands today, for some of its areas.

    Every transform, weight and rank is taken from all areas as they are now. What an area scores then
    changes only where the area itself does: others are held still.

    Attributes
    ----------
    index
        Its name.
    tree, base
        How it is built, and what it is measured against.
    indicators
        Of the areas asked about, (n_areas, n_indicators).
    spread
        The standard deviation of its scores over all areas: one unit of shortfall.
    target
        The score up to which an area lacks nothing: the median of all areas.
    now
        (n_areas,) scores today.
    rank
        (n_areas,) ranks today among all areas, 1 = most need.
    of
        How many areas are ranked.
    """

    index: str
    tree: Node
    base: Base
    indicators: Indicators
    spread: float
    target: float
    now: Floats
    rank: Floats
    of: int

    @property
    def shortfall(self) -> Floats:
        """(n_areas,) how far each lies beyond the median today, in standard deviations; at least 0."""
        return self.short(self.now)

    def short(self, scores: Floats) -> Floats:
        """Turn scores of any shape into shortfalls."""
        return np.maximum(scores - self.target, 0.0) / self.spread

    def scores_with(self, values: Floats) -> Floats:
        """Score the areas with other values.

        Parameters
        ----------
        values
            (n_cases, n_areas, n_indicators) what their indicators would be.

        Returns
        -------
        ndarray
            (n_cases, n_areas) scores, measured against all areas as they are now.
        """
        cases, areas, width = values.shape
        codes = [str(k) for k in range(cases * areas)]  # one area may be asked about many times
        own = self.indicators
        many = Indicators(own.system, codes, values.reshape(cases * areas, width), own.meta)
        return score(self.index, self.tree, many, self.base).score.reshape(cases, areas)


def measure_of(
    scores: Scores, tree: Node, indicators: Indicators, rows: NDArray[np.intp]
) -> Measure:
    """Fix an index as it stands, for some areas.

    Parameters
    ----------
    scores
        The index, computed.
    tree
        How it is built.
    indicators
        What it was computed from, on the same areas.
    rows
        The areas asked about.

    Raises
    ------
    DataError
        If the index was built on other areas and carried over, all areas score the same, or one that is
        asked about has no score.
    """
    name = scores.index
    if list(indicators.codes) != list(scores.codes):
        raise DataError(
            f"index {name} is built on {indicators.system} and carried to {scores.system}; expected one that is "
            "built on the areas of the study, whose indicators an intervention can move"
        )
    spread = float(np.nanstd(scores.score))
    if not spread > 0:
        raise DataError(f"index {name}: all areas score the same; expected scores that differ")
    now = scores.score[rows]
    gone = np.flatnonzero(np.isnan(now))
    if len(gone):
        raise DataError(
            f"index {name}: {len(gone):,} of the {len(rows):,} areas have no score, such as "
            f"{scores.codes[rows[gone[0]]]}; expected areas that have one"
        )
    kept = Indicators(
        indicators.system,
        [indicators.codes[row] for row in rows],
        indicators.values[rows],
        indicators.meta,
    )
    return Measure(
        name,
        scores.tree,
        fit_base(name, tree, [indicators]),
        kept,
        spread,
        float(np.nanmedian(scores.score)),
        now,
        scores.rank[rows],
        int((~np.isnan(scores.rank)).sum()),
    )


def measured_effects(
    interventions: Interventions, there: Sequence[str]
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Say which effects show in indicators that a study has.

    Parameters
    ----------
    interventions
        The interventions.
    there
        Names of the indicators of the index.

    Returns
    -------
    dict
        By intervention and outcome, which of the effect's ``through`` are there; an effect that has none
        counts by its size.

    Raises
    ------
    DataError
        If an effect has no size and none of its indicators is there; or none is there and one of them is
        a slip of the pen away from one that is. The message names the nearest.
    """
    found = {}
    for name, one in interventions.interventions.items():
        for effect in one.effects:
            at = tuple(k for k, t in enumerate(effect.through) if t.indicator in there)
            if not at:
                _refuse_slips(f"interventions.{name}", effect, there)
            found[name, effect.outcome] = at
    return found


def _refuse_slips(where: str, effect: Effect, there: Sequence[str]) -> None:
    for through in effect.through:
        hint = nearest(through.indicator, there)
        if effect.size is None or hint.startswith("did you mean"):
            more = "" if effect.size is not None else "; without 'size' it would do nothing"
            raise DataError(
                f"{where}: indicator '{through.indicator}' not found in the index; {hint}{more}"
            )
