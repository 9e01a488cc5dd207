"""What there is to choose from: neighbourhoods, what can be done there, what it costs and what need it meets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from commonweal.errors import CommonwealError, DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """What a mix must keep to.

    Attributes
    ----------
    budget
        GBP over all years.
    years
        How many years money is spent in and effects are counted in.
    a_year
        GBP in any one year at most; no such limit if None.
    least_shares
        By authority, the share of what is spent that goes to it at least.
    starts_a_year
        By intervention, in how many neighbourhoods it can be begun in one year.
    most_each
        Interventions that one neighbourhood gets at most; no such limit if None.
    repeat
        What the second of two interventions on one outcome counts in one neighbourhood, beside the
        stronger one; the third counts that much of the second, and so on. 1 = all count whole.
    last_start
        The last year in which one can be begun, 0 = the first; any if None. Without it, money that is left
        over goes into things that are begun just before the end.

    Raises
    ------
    CommonwealError
        If a number is out of range; it is named.
    """

    budget: float
    years: int = 10
    a_year: float | None = None
    least_shares: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    starts_a_year: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    most_each: int | None = None
    repeat: float = 0.5
    last_start: int | None = None

    def __post_init__(self) -> None:
        for what, value in (("budget", self.budget), ("a year", self.a_year)):
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise CommonwealError(f"{what}: found {value:,.10g}; expected pounds above 0")
        if not 1 <= self.years <= 50:
            raise CommonwealError(f"years: found {self.years}; expected 1 to 50")
        if not 0 <= self.repeat <= 1:
            raise CommonwealError(f"repeat: found {self.repeat:g}; expected 0 to 1")
        if self.most_each is not None and self.most_each < 1:
            raise CommonwealError(f"most each: found {self.most_each}; expected 1 or more")
        if self.last_start is not None and self.last_start < 0:
            raise CommonwealError(f"last start: found {self.last_start}; expected 0 or more")
        for name, starts in self.starts_a_year.items():
            if starts < 0:
                raise CommonwealError(
                    f"starts a year of {name}: found {starts}; expected 0 or more"
                )
        for name, share in self.least_shares.items():
            if not 0 <= share <= 1:
                raise CommonwealError(f"least share of {name}: found {share:g}; expected 0 to 1")
        if (total := sum(self.least_shares.values())) > 1 + 1e-9:
            raise CommonwealError(
                f"least shares: they add up to {total:g}; expected 1 at most, so no mix can keep to them"
            )

    def scaled(self, share: float) -> Rules:
        """Give the same rules for a share of the money, in all and in any one year."""
        from dataclasses import replace

        a_year = None if self.a_year is None else self.a_year * share
        return replace(self, budget=self.budget * share, a_year=a_year)


@dataclass(frozen=True)
class PortfolioProblem:
    """Neighbourhoods by interventions by outcomes, in numbers.

    Attributes
    ----------
    codes, names, authorities
        (n_areas,) of the neighbourhoods; '' where the authority is unknown.
    people
        (n_areas,) residents.
    need
        (n_areas,) what need counts as: 1 = the average area.
    interventions, outcomes
        Their names.
    groups
        (n_interventions,) what each shares with those that exclude it; '' where none.
    capital, yearly
        (n_areas, n_interventions) GBP at the start, and for each year that it works.
    lead, lasts
        (n_interventions,) years from its start until it works, and years that it works.
    gains
        (n_areas, n_interventions, n_outcomes) standard deviations by which a resident is better off on
        average in each year that it works, if nothing else is done.
    measured
        (n_outcomes,) whether gains are falls of the area's shortfall on the index, and not the stated size
        of an outcome.
    shortfall
        (n_areas,) how much the measured gains of an area can come to at most; infinite for no limit.

    Raises
    ------
    DataError
        If shapes do not fit, there is no area or intervention, a cost is negative, or a number is missing.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    authorities: tuple[str, ...]
    people: Floats
    need: Floats
    interventions: tuple[str, ...]
    outcomes: tuple[str, ...]
    groups: tuple[str, ...]
    capital: Floats
    yearly: Floats
    lead: Floats
    lasts: Floats
    gains: Floats
    measured: NDArray[np.bool_]
    shortfall: Floats

    def __post_init__(self) -> None:
        a, i, o = len(self.codes), len(self.interventions), len(self.outcomes)
        if not a:
            raise DataError("no neighbourhoods; expected at least one")
        if not i:
            raise DataError("no interventions; expected at least one")
        shapes = {
            "people": (a,), "need": (a,), "capital": (a, i), "yearly": (a, i), "lead": (i,),
            "lasts": (i,), "gains": (a, i, o), "measured": (o,), "shortfall": (a,),
        }  # fmt: skip
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.shape != shape:
                raise DataError(f"{name}: shape {values.shape}; expected {shape}")
            if np.isnan(values).any():
                raise DataError(f"{name}: {int(np.isnan(values).sum()):,} missing; expected none")
            if name not in ("gains", "measured") and (values < 0).any():
                raise DataError(f"{name}: found {values.min():,.10g}; expected 0 or more")
        for name, values in (("names", self.names), ("authorities", self.authorities)):
            if len(values) != a:
                raise DataError(f"{name}: {len(values)}; expected {a}, one a neighbourhood")

    def working(self, years: int) -> Floats:
        """(years, n_interventions, years) whether, by start and intervention, it works in each year.

        Years are whole or, where an intervention ends within one, a part of it.
        """
        start, year = np.arange(years)[:, None, None], np.arange(years)[None, None, :]
        begins = start + self.lead[None, :, None]
        ends = begins + self.lasts[None, :, None]
        return np.clip(np.minimum(ends, year + 1) - np.maximum(begins, year), 0.0, 1.0)

    def spent(self, start: NDArray[np.intp], years: int) -> Floats:
        """(n_areas, n_interventions, years) GBP in each year, where `start` gives the year of each; -1 = not done."""
        at = np.maximum(start, 0)
        works = self.working(years)[at, np.arange(len(self.interventions))]
        spent = self.yearly[:, :, None] * works + self.capital[:, :, None] * np.eye(years)[at]
        return np.where((start >= 0)[:, :, None], spent, 0.0)

    @property
    def weight(self) -> Floats:
        """(n_areas,) residents times need."""
        return self.people * self.need

    def refuse(self, rules: Rules) -> None:
        """Refuse rules that name what is not there.

        Raises
        ------
        UnknownNameError
            If they name an authority or an intervention that there is not; the message names the nearest.
        """
        for name in rules.least_shares:
            if name not in self.authorities:
                raise UnknownNameError("authority", name, self.authorities, " among the areas")
        for name in rules.starts_a_year:
            if name not in self.interventions:
                raise UnknownNameError("intervention", name, self.interventions)
