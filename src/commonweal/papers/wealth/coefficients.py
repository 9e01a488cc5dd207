"""Coefficients of trust against income, and published findings, as data."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from commonweal.errors import UnknownNameError
from commonweal.files.inputs import is_there, read_keys, read_strict, read_text
from commonweal.files.schema import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


HIGH = 1.5
"""``r`` above which results carry a warning: averages of countries give such values, and they mix trust
with all else that goes with it (institutions, health, history). The limit is a convention of ours."""

Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
MOST = 100.0
"""In size: coefficients on a scale of 0 to 10 are below 10, and powers of e beyond this are no amounts."""
LEAST_B = 1e-3
"""Of income: with less, trust would be worth more than a hundred times all income."""


class Weight(BaseModel):
    """How much trust weighs against the logarithm of income.

    Attributes
    ----------
    title
        What it is, in a line.
    r
        Weight of trust, ``g / b``; worked out where the coefficients are given.
    b, g
        Coefficients of ln income and of trust (a share of 0 to 1) on life satisfaction.
    var_b, var_g, cov_bg
        Variances and covariance of the two; all three or none.
    low, high
        A range of r that is assumed; where there are variances an interval is worked out instead.
    source, vintage
        Where the numbers are from, and their date.
    verified
        Whether they were checked in what was published, or worked out here from published data.
    caution
        A caution.
    works
        Ids of the evidence library.
    estimated
        Where r is assumed, a weight that was estimated instead: readers are told of it where the range leaves it out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Text = "Own coefficients"
    r: Number | None = None
    b: Number | None = None
    g: Number | None = None
    var_b: Number | None = None
    var_g: Number | None = None
    cov_bg: Number | None = None
    low: Number | None = None
    high: Number | None = None
    source: Text = "own coefficients"
    vintage: Text = "as given"
    verified: bool = False
    caution: str = ""
    works: tuple[Text, ...] = ()
    estimated: Weight | None = None

    @model_validator(mode="after")
    def _whole(self) -> Weight:
        if (self.b is None) != (self.g is None):
            missing, there = ("b", "g") if self.b is None else ("g", "b")
            raise ValueError(f"'{missing}' is missing; '{there}' needs it")
        if self.b is None and self.r is None:
            raise ValueError("found neither 'r' nor 'b' and 'g'; expected one or the other")
        if self.b is not None and self.b <= 0:
            raise ValueError(f"'b': found {self.b:g}; expected above 0, or income has no worth")
        if self.b is not None and self.b < LEAST_B:
            raise ValueError(f"'b': found {self.b:g}; expected at least {LEAST_B:g}")
        for name in ("r", "b", "g", "var_b", "var_g", "low", "high", "ratio"):
            value = getattr(self, name)
            if value is not None and abs(value) > MOST:
                called = "g / b" if name == "ratio" else f"'{name}'"
                raise ValueError(f"{called}: found {value:g}; expected at most {MOST:g} in size")
        given = {"var_b": self.var_b, "var_g": self.var_g, "cov_bg": self.cov_bg}
        missing_ones = [name for name, value in given.items() if value is None]
        if 0 < len(missing_ones) < 3:
            raise ValueError(
                f"'{missing_ones[0]}' is missing; a variance needs the other and the covariance"
            )
        if not missing_ones:
            if self.b is None:
                raise ValueError("'b' is missing; variances need both coefficients")
            _check_covariance(self.var_b, self.var_g, self.cov_bg)
        if (self.low is None) != (self.high is None):
            raise ValueError("a range needs both 'low' and 'high'")
        if self.low is not None and self.high is not None:
            if not missing_ones:
                raise ValueError("found a range beside variances; expected one or the other")
            if not self.low <= self.ratio <= self.high:
                raise ValueError(
                    f"'low' to 'high': found {self.low:g} to {self.high:g}; expected them around r = "
                    f"{self.ratio:g}"
                )
        if (
            self.b is not None
            and self.r is not None
            and not math.isclose(self.r, self.ratio, rel_tol=1e-6)
        ):
            raise ValueError(
                f"'r': found {self.r:g}; g / b is {self.ratio:g}; leave one of them out"
            )
        return self

    @property
    def ratio(self) -> float:
        """``r``: as given, or ``g / b``."""
        if self.b is None or self.g is None:
            assert self.r is not None
            return self.r
        return self.g / self.b

    @property
    def has_covariance(self) -> bool:
        """Whether an interval can be worked out."""
        return self.var_b is not None

    @property
    def left_out(self) -> Weight | None:
        """The weight that was estimated, where the range does not hold it."""
        other = self.estimated
        if other is None or self.low is None or self.high is None:
            return None
        return None if self.low <= other.ratio <= self.high else other

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(2, 2) covariance of b and g, in this order; only where there is one."""
        import numpy as np

        return np.array([[self.var_b, self.cov_bg], [self.cov_bg, self.var_g]], dtype=np.float64)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What stands beside every answer, since the weight itself is doubtful."""
        found = []
        if self.ratio > HIGH:
            found.append(
                f"r = {self.ratio:.2f} is above {HIGH:g}. Averages of countries mix trust with institutions, health "
                "and history, so the results are probably too high."
            )
        if self.ratio < 0:
            found.append(
                "r is below 0: with these coefficients, more trust goes with less life satisfaction."
            )
        return tuple(found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Cautions for readers of any result with these numbers, beside the alarms."""
        found = []
        if not self.verified:
            found.append("The weight of trust is unverified: we did not check it in a publication.")
        return (*found, self.caution) if self.caution else tuple(found)


def _check_covariance(var_b: float | None, var_g: float | None, cov: float | None) -> None:
    """Refuse what is no covariance matrix."""
    assert var_b is not None
    assert var_g is not None
    assert cov is not None
    for name, value in (("var_b", var_b), ("var_g", var_g)):
        if value < 0:
            raise ValueError(f"'{name}': found {value:g}; expected a variance, 0 or above")
    if cov * cov > var_b * var_g * (1 + 1e-9):
        raise ValueError(
            f"'cov_bg': found {cov:g}; expected at most {math.sqrt(var_b * var_g):.4g} in size, or the covariance "
            "matrix is not positive semidefinite"
        )


@cache
def load_weights() -> Mapping[str, Weight]:
    """Give the sets that ship, by name.

    Examples
    --------
    >>> load_weights()["calibration"].ratio
    1.041
    """
    text = (resources.files(__package__) / "coefficients.yaml").read_text("utf-8")
    return {
        name: weight_of(f"set '{name}'", **fields) for name, fields in read_strict(text).items()
    }


def weight_of(where: str = "coefficients", **fields: Any) -> Weight:
    """Make a weight, or say plainly what is wrong with its numbers.

    Raises
    ------
    DataError
        If a coefficient is missing, ``b`` is not above 0, or the covariance matrix is none.

    Examples
    --------
    >>> weight_of(b=0.5, g=0.4).ratio
    0.8
    >>> weight_of(b=0.5)
    Traceback (most recent call last):
    commonweal.errors.DataError: coefficients: 'g' is missing; 'b' needs it
    """
    return checked(Weight, fields, where)


def read_weight(name: str | Path, also: Iterable[str] = ()) -> Weight:
    """Give a set that ships, or read one from a YAML file."""
    from pathlib import Path

    sets, path = load_weights(), Path(name)
    if str(name) in sets:
        return sets[str(name)]
    if path.suffix.lower() not in {".yaml", ".yml"} and not is_there(path):
        raise UnknownNameError("set of coefficients", str(name), [*sets, *also])
    content = read_keys(read_text(path), str(path), "b, g, var_b, var_g, cov_bg")
    return checked(Weight, content, str(path))


class PublishedFinding(BaseModel):
    """A published finding."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    says: str  # what it says, in our words
    work: str  # id of the work in the evidence library
    verified: bool  # whether the figure was checked in the publication or its abstract
    unread: str  # what could not be read


@cache
def load_published() -> Mapping[str, PublishedFinding]:
    """Give the findings by name."""
    text = (resources.files(__package__) / "published.yaml").read_text("utf-8")
    return {name: PublishedFinding.model_validate(row) for name, row in read_strict(text).items()}
