"""For how many areas an indicator has values, and how few an index may be made from."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from commonweal.indicators.indicators import Indicators

__all__ = ["COVERAGE", "check_coverage", "sparse"]

COVERAGE = 0.65
"""Share of areas that an indicator of an index is expected to have values for: Becker et al. (2019), COIN Tool
User Guide, EUR 29899 EN, doi:10.2760/523877."""


def sparse(indicators: Indicators, names: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Give those of some indicators that have values for too few areas: name, for how many, of how many."""
    at = {about.name: j for j, about in enumerate(indicators.meta)}
    n = len(indicators.codes)
    for name in names:
        if name in at:
            known = int((~np.isnan(indicators.values[:, at[name]])).sum())
            if known < COVERAGE * n:
                yield name, known, n


def check_coverage(
    indicators: Indicators, names: Iterable[str], accepted: Mapping[str, float | None]
) -> None:
    """Refuse to make an index from an indicator with values for too few areas.

    Parameters
    ----------
    indicators
        As read.
    names
        Those that the index is made from.
    accepted
        By name, the share of areas that is accepted in place of `COVERAGE`; None where none is stated.

    Raises
    ------
    DataError
        If one has values for fewer; the message says what to write to accept them.
    """
    for name, known, n in sparse(indicators, names):
        least = accepted.get(name)
        if least is None or known < least * n:
            wanted = COVERAGE if least is None else least
            if not known:
                raise DataError(
                    f"{name}: it has values for none of {n:,} areas; expected {wanted * 100:g}% of them at least"
                )
            some = (
                floor(known / n * 1000) / 10 if known / n >= 0.001 else floor(known / n * 1e6) / 1e4
            )
            raise DataError(
                f"{name}: it has values for {known:,} of {n:,} areas; expected {wanted * 100:g}% of them at least. "
                f"If an index is to be made from so few, write 'coverage: {some:g}%' for it under 'indicators'"
            )
