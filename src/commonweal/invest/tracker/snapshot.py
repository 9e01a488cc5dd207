"""Places as they were on one day: every measure of every area, with its date and source."""

from __future__ import annotations

import re
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from commonweal.errors import DataError, UnknownNameError
from commonweal.index import rank
from commonweal.sources.sandbox import reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


PERCENTILE_UNIT = "% of areas with more need"
"""The unit of a standing: higher is better."""

_PEOPLE, _SELECTED, _GROUP, _VALUE = "people", "selected", "group: ", "value: "


@dataclass(frozen=True, slots=True)
class TrackedMeasure:
    """What one column of numbers means."""

    name: str  # of the indicator, or the dotted path of an index or part
    label: str
    unit: str
    better: str  # whether ``more`` or ``less`` is better for a place
    # source, vintage: where the number is from, and what date or period it describes
    source: str
    vintage: str
    covariate: bool = False  # whether like places are sought by it

    @property
    def year(self) -> int | None:
        """The latest year that its date names; None where it names none."""
        named = re.findall(r"\b(?:19|20)\d\d\b", self.vintage)
        return max(map(int, named), default=None)


@dataclass(frozen=True)
class Snapshot:
    """All areas of a study on one day."""

    study: str
    title: str
    when: str  # what date or year it describes, in words
    # system, singular, plural: id of the areas, and what one and several are called
    system: str
    singular: str
    plural: str
    # codes, names: (n_areas,) of the areas
    codes: tuple[str, ...]
    names: tuple[str, ...]
    people: Floats  # (n_areas,) residents; NaN where unknown
    selected: NDArray[np.bool_]  # (n_areas,) whether it is one of the places that are followed
    # by name (``authority``, ``region``, a class), (n_areas,) the group of each; None where unknown
    groups: Mapping[str, tuple[str | None, ...]]
    measures: tuple[TrackedMeasure, ...]  # what the columns of `values` mean
    values: Floats  # (n_areas, n_measures); NaN = missing

    def __post_init__(self) -> None:
        shape = (len(self.codes), len(self.measures))
        if self.values.shape != shape:
            raise DataError(f"values have shape {self.values.shape}; expected {shape}")
        if len(set(self.codes)) < len(self.codes):
            raise DataError("an area is there more than once; expected one row each")
        names = [m.name for m in self.measures]
        for name in names:
            if names.count(name) > 1:
                raise DataError(f"measure '{name}' is there more than once; expected it once")
        if self.selected.all() or not self.selected.any():
            found = "all" if self.selected.all() else "none"
            raise DataError(
                f"{found} of the {len(self.codes):,} {self.plural} are followed; expected some, and others to compare"
            )

    def column(self, name: str) -> Floats:
        """(n_areas,) values of a measure."""
        names = [m.name for m in self.measures]
        if name not in names:
            raise UnknownNameError("measure", name, names, f" of {self.title}")
        return self.values[:, names.index(name)]

    def to_frame(self) -> pl.DataFrame:
        """Give a row an area: code, name, people, whether it is followed, its groups and every value."""
        groups = {
            f"{_GROUP}{name}": pl.Series(list(of), dtype=pl.String)
            for name, of in self.groups.items()
        }
        values = {f"{_VALUE}{m.name}": self.values[:, k] for k, m in enumerate(self.measures)}
        frame = pl.DataFrame(
            {
                "code": list(self.codes),
                "name": list(self.names),
                _PEOPLE: self.people,
                _SELECTED: self.selected,
                **groups,
                **values,
            }
        )
        return frame.fill_nan(None)

    def about(self) -> dict[str, Any]:
        """Give what `to_frame` does not hold, as plain data."""
        told = ("study", "title", "when", "system", "singular", "plural")
        return {
            **{name: getattr(self, name) for name in told},
            "measures": [asdict(measure) for measure in self.measures],
        }

    @classmethod
    def of(cls, about: Mapping[str, Any], frame: pl.DataFrame) -> Snapshot:
        """Read what `about` and `to_frame` gave."""
        try:
            measures = tuple(TrackedMeasure(**measure) for measure in about["measures"])
            if not all(isinstance(text, str) for m in measures for text in astuple(m)[:-1]):
                raise TypeError("measures, which are not all in words")
            groups = {
                c.removeprefix(_GROUP): tuple(frame[c].to_list())
                for c in frame.columns
                if c.startswith(_GROUP)
            }
            values = frame.select(
                pl.col(f"{_VALUE}{m.name}").cast(pl.Float64).fill_null(np.nan) for m in measures
            )
            return cls(
                str(about["study"]),
                str(about["title"]),
                str(about["when"]),
                str(about["system"]),
                str(about["singular"]),
                str(about["plural"]),
                tuple(frame["code"].to_list()),
                tuple(frame["name"].to_list()),
                frame[_PEOPLE].cast(pl.Float64).fill_null(np.nan).to_numpy(),
                frame[_SELECTED].to_numpy(),
                groups,
                measures,
                values.to_numpy().reshape(len(frame), len(measures)),
            )
        except (KeyError, TypeError, pl.exceptions.PolarsError) as error:
            found = f"has no {error}" if isinstance(error, KeyError) else reason_of(error)
            raise DataError(
                f"not a baseline ({found}); expected the files that 'commonweal invest baseline' wrote"
            ) from None


def need_percentile(need: Floats) -> Floats:
    """Turn need into standings: the share of areas that have more need, in percent, counting half of ties.

    Unlike a rank it does not depend on how many areas there are, so two years whose areas were redrawn can
    be set beside each other.

    Parameters
    ----------
    need
        (n_areas,) higher = more need; NaN = missing.

    Returns
    -------
    ndarray
        (n_areas,) 0 to 100, higher = better; NaN where need is missing.

    Examples
    --------
    >>> need_percentile(np.array([9.0, 5.0, 5.0, 1.0])).tolist()
    [12.5, 50.0, 50.0, 87.5]
    """
    n = max(int((~np.isnan(need)).sum()), 1)
    return 100.0 * (rank(need, "average") - 0.5) / n
