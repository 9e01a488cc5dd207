"""The counts that a rate was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from commonweal.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Counts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts that a rate was made from: it is `per` times `events` over `base`.

    Attributes
    ----------
    events
        (n_units,) how often it happened, NaN = unknown (its published rate is then kept).
    base
        (n_units,) of how many, or in how much time or space.
    per
        What the rate is out of, such as 1000.
    law
        ``binomial``: each of the base has it or not, as people with a degree. ``poisson``: it can
        happen to one again, as crimes.

    Raises
    ------
    DataError
        If a count is negative, a base is 0 or less, or a binomial count is above its base.
    """

    events: NDArray[np.float64]
    base: NDArray[np.float64]
    per: float = 1.0
    law: Literal["binomial", "poisson"] = "poisson"

    def __post_init__(self) -> None:
        if self.events.shape != self.base.shape:
            raise DataError(f"{len(self.events)} counts and {len(self.base)} bases; expected pairs")
        known = self.known
        for what, bad in (
            ("a negative count", self.events < 0),
            ("a base of 0 or less", self.base <= 0),
            ("more events than its base", (self.events > self.base) & (self.law == "binomial")),
        ):
            if (n := int((bad & known).sum())) > 0:
                raise DataError(f"{n:,} units have {what}")

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n_units,) whether both numbers are there."""
        return np.isfinite(self.events) & np.isfinite(self.base)
