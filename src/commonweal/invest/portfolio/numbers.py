"""The uncertain numbers of interventions: expected, or drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from commonweal.invest.appraisal.uncertain import Uncertain
    from commonweal.invest.interventions import Interventions

    Floats = NDArray[np.float64]

__all__ = ["Key", "drawn", "expected", "uncertain_numbers"]

Key: TypeAlias = tuple[str, str, str]
"""An intervention, what of it (``cost`` or an outcome), and the number's name."""


def uncertain_numbers(interventions: Interventions) -> dict[Key, Uncertain]:
    """List every number of a file of interventions."""
    return dict(_numbers(interventions))


def _numbers(interventions: Interventions) -> Iterator[tuple[Key, Uncertain]]:
    for name, one in interventions.interventions.items():
        yield (name, "cost", "capital"), one.cost.capital
        yield (name, "cost", "yearly"), one.cost.yearly
        yield (name, "cost", "lasts"), one.lasts
        for effect in one.effects:
            if effect.size is not None and effect.reaches is not None:
                yield (name, effect.outcome, "size"), effect.size
                yield (name, effect.outcome, "reaches"), effect.reaches
            for through in effect.through:
                yield (name, effect.outcome, f"through {through.indicator}"), through.by


def expected(numbers: Mapping[Key, Uncertain]) -> dict[Key, Floats]:
    """Give each number's expected value, as a case of one."""
    return {key: np.array([number.mean]) for key, number in numbers.items()}


def drawn(numbers: Mapping[Key, Uncertain], draws: int, seed: int) -> dict[Key, Floats]:
    """Draw each number by itself.

    Parameters
    ----------
    numbers
        The numbers.
    draws
        How often.
    seed
        The same seed gives the same numbers.

    Returns
    -------
    dict
        By key, (draws,) values.
    """
    generator = np.random.default_rng(seed)
    return {key: number.quantile(generator.random(draws)) for key, number in numbers.items()}
