"""What could have been done otherwise: typed assumptions, each driven by one number in [0, 1).

An assumption turns a number u into a setting: which way of normalising, which form of mean, which
set of weights. Drawing the numbers at random gives uncertainty, a Sobol design gives sensitivity,
and what each run used can be read back. Everything is checked before the first run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from commonweal.errors import DataError, UnknownNameError
from commonweal.index.flat import FORMS, Flat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from commonweal.index.rank import Floats

__all__ = [
    "Aggregation",
    "Assumption",
    "Inclusion",
    "Normalisation",
    "SamplingError",
    "Weights",
    "choice",
]


class _Assumption(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    name: str = Field(min_length=1)


class Normalisation(_Assumption):
    """Which way the indicators are made comparable.

    Attributes
    ----------
    of
        Two or more ways: a name of `commonweal.index.normalise.NORMALISERS`, or a name with its
        settings, such as ``{"min_max": {"low": 1, "high": 100}}``.
    indicators
        The leaves that it applies to; all if not given.
    """

    kind: Literal["normalisation"] = "normalisation"
    of: tuple[str | dict[str, dict[str, Any]], ...] = Field(min_length=2)
    indicators: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_name_each(self) -> Normalisation:
        for way in self.of:
            if isinstance(way, dict) and len(way) != 1:
                raise ValueError(f"found {len(way)} names in {way}; expected one with its settings")
        return self


class Aggregation(_Assumption):
    """Which form of mean combines the children.

    Attributes
    ----------
    of
        Two or more of ``sum``, ``arithmetic``, ``geometric``.
    nodes
        Paths of the nodes that it applies to; all if not given.
    """

    kind: Literal["aggregation"] = "aggregation"
    of: tuple[Literal["sum", "arithmetic", "geometric"], ...] = Field(min_length=2)
    nodes: tuple[str, ...] | None = None


class Weights(_Assumption):
    """Which set of weights, from sets drawn once around the stated ones.

    Attributes
    ----------
    interval
        Each weight times a uniform number in 1 - i .. 1 + i.
    dirichlet
        Or: shares of each node from Dirichlet(c k s), as in `commonweal.index.uncertainty`.
    given
        Or: by node path, the sets themselves, (n_sets, n_children).
    nodes
        Paths of the nodes whose children are weighted; all if not given.
    n_sets, seed
        How many sets are drawn, from which seed.
    """

    kind: Literal["weights"] = "weights"
    interval: float | None = Field(default=None, gt=0, lt=1)
    dirichlet: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    given: dict[str, list[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]]] | None = None
    nodes: tuple[str, ...] | None = None
    n_sets: int = Field(default=1024, ge=2)
    seed: int = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _one(self) -> Weights:
        if sum(x is not None for x in (self.interval, self.dirichlet, self.given)) != 1:
            raise ValueError("expected exactly one of 'interval', 'dirichlet' and 'given'")
        if self.given is not None and len({len(sets) for sets in self.given.values()}) != 1:
            raise ValueError("expected as many sets of weights for each node")
        return self

    def sets(self, flat: Flat) -> dict[str, Floats]:
        """Give (n_sets, n_children) weights by node path, with the stated totals unless given."""
        if self.given is not None:
            found = {checked(p, flat.nodes, "node"): np.array(s) for p, s in self.given.items()}
            for path, sets in found.items():
                edges = flat.edges(path)
                if sets.shape[1:] != (edges.stop - edges.start,):
                    raise DataError(
                        f"weights of {path}: found {sets.shape[1]} a set; "
                        f"expected {edges.stop - edges.start}, one a child"
                    )
            return found
        drawn = {}
        for at, path in enumerate(flat.nodes):
            if self.nodes is not None and path not in {
                checked(p, flat.nodes, "node") for p in self.nodes
            }:
                continue
            stated = flat.weights[flat.edges(path)]
            total, k = stated.sum(), len(stated)
            rng = np.random.default_rng([self.seed, at])
            if self.dirichlet is not None:
                drawn[path] = (
                    rng.dirichlet(self.dirichlet * k * stated / total, self.n_sets) * total
                )
            elif self.interval is not None:
                w = stated * rng.uniform(1 - self.interval, 1 + self.interval, (self.n_sets, k))
                drawn[path] = w * (total / w.sum(axis=1, keepdims=True))
        return drawn


class Inclusion(_Assumption):
    """Whether an indicator is in the index at all.

    Attributes
    ----------
    indicator
        Path of the leaf.
    chance
        Share of runs in which it is left out.
    """

    kind: Literal["inclusion"] = "inclusion"
    indicator: str
    chance: float = Field(default=0.5, gt=0, lt=1)


class SamplingError(_Assumption):
    """The indicators' own sampling error: normal around the published values.

    Attributes
    ----------
    indicators
        Leaves that get it; every leaf with a standard error if not given.
    range_m
        Distance in metres at which errors of neighbours have lost most of their correlation;
        0 for independent errors. The correlation is Gaussian: exp(-(d / range)^2 / 2).
    n_sets, seed
        How many sets of errors there are to choose from, from which seed.
    """

    kind: Literal["sampling_error"] = "sampling_error"
    indicators: tuple[str, ...] | None = None
    range_m: float = Field(default=0, ge=0, allow_inf_nan=False)
    n_sets: int = Field(default=1024, ge=2)
    seed: int = Field(default=1, ge=0)


Assumption: TypeAlias = Annotated[
    Normalisation | Aggregation | Weights | Inclusion | SamplingError, Field(discriminator="kind")
]


def choice(u: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Turn numbers in [0, 1) into choices 0..n-1 of equal chance.

    Examples
    --------
    >>> choice(np.array([0.0, 0.33, 0.34, 0.999]), 3)
    array([0, 0, 1, 2])
    """
    return np.minimum((u * n).astype(np.intp), n - 1)


def checked(name: str, valid: tuple[str, ...], kind: str) -> str:
    """Give the path that a name means: the whole path, with dots or slashes, or its last part.

    Raises
    ------
    UnknownNameError
        If it means none, or several.
    """
    wanted = name.replace(".", "/")
    if wanted in valid:
        return wanted
    fits = [path for path in valid if path.rsplit("/", 1)[-1] == wanted]
    if len(fits) != 1:
        raise UnknownNameError(kind, name, valid, f" ({len(fits)} of that name)" if fits else "")
    return fits[0]


def forms_of(assumption: Aggregation) -> NDArray[np.int8]:
    """Give the forms as the numbers of `FORMS`."""
    return np.array([FORMS[f] for f in assumption.of], dtype=np.int8)
