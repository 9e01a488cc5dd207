"""How sure the list is: how often each area would be selected when the choices behind the indices vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.designation.runs import in_blocks, vary
from commonweal.errors import StudyError
from commonweal.index.runs import draw_numbers
from commonweal.invest.allocation.choosing import choose
from commonweal.invest.allocation.kernels import CHOSEN
from commonweal.invest.allocation.standing import composite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonweal.designation import CertaintySpec
    from commonweal.index import Scores
    from commonweal.indicators import Indicators
    from commonweal.invest.allocation.allocate import Allocation

__all__ = ["Chance", "chance"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chance:
    """What draws did to an allocation.

    Attributes
    ----------
    selected
        (n_areas,) share of draws in which the area is selected.
    kept
        (n_draws,) how many of the areas selected as stated are selected in each draw.
    seed
        The seed that everything random follows from.
    varied
        What varies, in words.
    """

    selected: Floats
    kept: NDArray[np.int64]
    seed: int
    varied: tuple[str, ...]

    @property
    def n_draws(self) -> int:
        """How many draws."""
        return len(self.kept)


def chance(
    allocation: Allocation,
    scores: Mapping[str, Scores],
    indicators: Mapping[str, Indicators],
    spec: CertaintySpec,
    progress: Callable[[str, int, int], None] | None = None,
) -> Chance:
    """Allocate again in every draw of the study, and count.

    Parameters
    ----------
    allocation
        As stated. Exclusions, caps, minimums, the window of people and areas that were built up stay as
        they are; scores, ranks and thresholds follow the draws.
    scores, indicators
        Of the study, as it was allocated on.
    spec
        What varies, how often and from which seed.
    progress
        Called as ``progress("drawing", done, n_draws)``.

    Returns
    -------
    Chance
        The same for the same seed on any number of threads; only counts are kept.

    Raises
    ------
    StudyError
        If no draws are asked for, or nothing that is drawn touches what ranks or the thresholds.
    """
    if spec.draws == 0:
        raise StudyError("draws: found 0; expected at least 1")
    paths = list(allocation.parts)
    designation = allocation.designation
    varied = vary(designation, spec.vary, scores, indicators, spec.draws, spec.seed, exact=paths)
    if not varied.streams and (varied.still or not allocation.programme.eligible):
        raise StudyError(
            "certainty.vary: nothing that it varies touches this programme's indices or thresholds; expected something "
            "that does, or no draws (--draws 0)"
        )
    u = draw_numbers(varied.found, spec.draws, spec.seed, spec.draws)
    money = allocation.programme.money
    awards = None if money is None else money.most
    total = np.zeros(len(allocation.areas), dtype=np.int64)
    kept = []
    for drawn, _, passes in in_blocks(varied, u, progress):
        n = len(passes)
        need = {
            path: drawn[path].need if path in drawn else np.broadcast_to(stated, (n, len(stated)))
            for path, stated in allocation.parts.items()
        }
        mixed = composite(allocation.programme.rank, need)
        state = choose(
            mixed, passes & allocation.open_to, allocation.limits, awards, allocation.among_equals
        )
        chosen = state == CHOSEN
        total += chosen.sum(axis=0)
        kept.append((chosen & allocation.selected).sum(axis=1))
    return Chance(
        total / spec.draws,
        np.concatenate(kept),
        spec.seed,
        tuple(str(one.called) for one in varied.assumptions),
    )
