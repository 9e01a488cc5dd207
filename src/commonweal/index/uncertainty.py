"""Draws: what the choices inside an index do to its ranks.

A study states what varies (weights, the form of aggregation, sampling error of the indicators);
every draw's settings are drawn first, kept and readable, and the index is then recomputed for one
block of draws after another. Memory does not grow with the number of draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zlib import crc32

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from commonweal.errors import StudyError, UnknownNameError
from commonweal.index.score import score_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from commonweal.index.framework import Node
    from commonweal.index.rank import Floats
    from commonweal.index.scores import Scores
    from commonweal.indicators import Indicators

__all__ = [
    "BLOCK",
    "RankCounter",
    "Settings",
    "VaryErrors",
    "VaryForm",
    "VaryWeights",
    "draw_scores",
    "draw_settings",
]

_COMPILED = ("sum", "arithmetic", "geometric")
"""Forms that `combine_rows` computes; any other goes through the whole tree."""

BLOCK = 128
"""Draws computed at once: 128 draws of 33,755 areas are 35 MB of scores."""


class _Vary(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VaryWeights(_Vary):
    """Draw the weights of a node's children around the stated ones.

    Attributes
    ----------
    weights
        Path of the node, such as ``deprivation`` or ``deprivation.education``.
    dirichlet
        Concentration per child: k children of stated shares s are drawn from Dirichlet(k c s), so
        three equal weights with 10 are Dirichlet(10, 10, 10). Higher = closer to the stated ones.
    interval
        Or: each weight is multiplied by a uniform number in 1 - i .. 1 + i, then all are rescaled
        to the stated total.
    """

    weights: str
    dirichlet: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    interval: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one(self) -> VaryWeights:
        if (self.dirichlet is None) == (self.interval is None):
            raise ValueError("expected exactly one of 'dirichlet' and 'interval'")
        return self

    @property
    def node(self) -> str:
        """Path of the node, with slashes."""
        return self.weights.replace(".", "/")


class VaryForm(_Vary):
    """Draw how a node combines its children, each way with equal chance."""

    form: str
    of: tuple[Literal["sum", "arithmetic", "geometric"], ...] = Field(min_length=2)

    @property
    def node(self) -> str:
        """Path of the node, with slashes."""
        return self.form.replace(".", "/")


class VaryErrors(_Vary):
    """Draw indicators from a normal distribution around the published values.

    Attributes
    ----------
    standard_errors
        Names of indicators that state a standard error, or ``all`` that do.
    """

    standard_errors: Literal["all"] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What each draw uses.

    Attributes
    ----------
    n_draws
        Number of draws.
    seed
        The seed that they all follow from.
    weights
        By node path, (n_draws, n_children) weights that keep the stated total.
    forms
        By node path, (n_draws,) names of aggregates.
    noisy
        Names of the indicators that get sampling error.
    """

    n_draws: int
    seed: int
    weights: Mapping[str, Floats]
    forms: Mapping[str, NDArray[np.str_]]
    noisy: tuple[str, ...]

    def touches(self, path: str) -> list[str]:
        """Paths of the nodes in or below an index or domain whose weights or form vary."""
        paths = {*self.weights, *self.forms}
        return sorted(p for p in paths if p == path or p.startswith(f"{path}/"))


def draw_settings(
    vary: Sequence[VaryWeights | VaryForm | VaryErrors],
    trees: Mapping[str, Node],
    with_errors: Sequence[str],
    n_draws: int,
    seed: int,
) -> Settings:
    """Draw the settings of every draw.

    Parameters
    ----------
    vary
        What varies; each entry has its own stream of random numbers, so adding one leaves the
        others as they were.
    trees
        Frameworks by index name.
    with_errors
        Names of the indicators that state a standard error.
    n_draws, seed
        How many, and from which seed.

    Raises
    ------
    UnknownNameError
        If a node or an indicator is not there.
    StudyError
        If an indicator has no standard error, or something is named twice.
    """
    nodes = {p: n for index, t in trees.items() for p, n in t.walk(index) if n.children}
    weights: dict[str, Floats] = {}
    forms: dict[str, NDArray[np.str_]] = {}
    noisy: tuple[str, ...] = ()
    for entry, item in enumerate(vary):
        rng = np.random.default_rng([seed, entry])
        if isinstance(item, VaryErrors):
            if noisy:
                raise StudyError(
                    f"certainty.vary[{entry}]: standard errors vary in an earlier entry too"
                )
            noisy = tuple(with_errors) if item.standard_errors == "all" else item.standard_errors
            for name in noisy:
                if name not in with_errors:
                    raise StudyError(
                        f"certainty.vary[{entry}]: indicator '{name}' states no standard error; "
                        f"those that do: {', '.join(with_errors) or 'none'}"
                    )
            continue
        if item.node not in nodes:
            raise UnknownNameError(
                "node", item.node.replace("/", "."), [n.replace("/", ".") for n in nodes]
            )
        where: Mapping[str, object] = weights if isinstance(item, VaryWeights) else forms
        if item.node in where:
            raise StudyError(
                f"certainty.vary[{entry}]: '{item.node}' varies in an earlier entry too"
            )
        if isinstance(item, VaryWeights):
            weights[item.node] = _draw_weights(item, nodes[item.node], n_draws, rng)
        else:
            forms[item.node] = np.array(item.of)[rng.integers(len(item.of), size=n_draws)]
    return Settings(n_draws, seed, weights, forms, noisy)


def _draw_weights(item: VaryWeights, node: Node, n_draws: int, rng: np.random.Generator) -> Floats:
    stated = np.array(list(node.weights.values()))
    total = stated.sum()
    if item.dirichlet is not None:
        shares = rng.dirichlet(item.dirichlet * len(stated) * stated / total, n_draws)
        # A weight that underflows to 0 could not be carried by it where the other children miss.
        return np.maximum(shares, 1e-300) * total
    assert item.interval is not None
    drawn = stated * rng.uniform(1 - item.interval, 1 + item.interval, (n_draws, len(stated)))
    drawn *= total / drawn.sum(axis=1, keepdims=True)
    return drawn


def draw_scores(
    scores: Scores, indicators: Indicators, settings: Settings
) -> Iterator[tuple[slice, Floats]]:
    """Recompute an index, one block of draws after another.

    Parameters
    ----------
    scores
        The index at its stated settings; areas without a score there have none in any draw.
    indicators
        What it was computed from.
    settings
        From `draw_settings`.

    Yields
    ------
    tuple
        The slice of draws, and their (n_draws_in_block, n_areas) scores. The array is reused for
        the next block: take from it what is needed before going on.
    """
    varied = settings.touches(scores.index)
    noisy = {n for n in settings.noisy if n in _leaves(scores)}
    if varied == [] and not noisy:
        raise StudyError(f"index {scores.index}: nothing varies in it")
    if varied == [scores.index] and not noisy and scores.tree.aggregate in _COMPILED:
        yield from _draw_root(scores, settings)
    else:
        yield from _draw_whole(scores, indicators, settings, noisy)


def _leaves(scores: Scores) -> set[str]:
    return {n.indicator for _, n in scores.tree.walk(scores.index) if n.indicator is not None}


def _blocks(n_draws: int) -> Iterator[slice]:
    for start in range(0, n_draws, BLOCK):
        yield slice(start, min(start + BLOCK, n_draws))


def _draw_root(scores: Scores, settings: Settings) -> Iterator[tuple[slice, Floats]]:
    """Only the root's weights or form vary, so its transformed children are computed once."""
    from commonweal.index.kernels import combine_rows

    root = scores.index
    x = np.ascontiguousarray([scores.transformed[p] for p in scores.domains])
    stated = np.array(list(scores.tree.weights.values()))
    unscored = np.isnan(scores.score)
    out = np.empty((min(BLOCK, settings.n_draws), x.shape[1]))
    for block in _blocks(settings.n_draws):
        n = block.stop - block.start
        weights = (
            settings.weights[root][block] if root in settings.weights else np.tile(stated, (n, 1))
        )
        forms = (
            settings.forms[root][block]
            if root in settings.forms
            else np.full(n, scores.tree.aggregate)
        )
        # A mean is a sum whose weights add up to 1: ranks and cut-offs follow from the score alone.
        scale = np.where(forms == "sum", 1.0, 1.0 / weights.sum(axis=1))
        geometric = forms == "geometric"
        if geometric.any() and np.nanmin(x) <= 0:
            raise StudyError(f"index {root}: a geometric form needs children above 0")
        combine_rows(x, weights * scale[:, None], geometric, out[:n])
        out[:n, unscored] = np.nan
        yield block, out[:n]


def _draw_whole(
    scores: Scores, indicators: Indicators, settings: Settings, noisy: set[str]
) -> Iterator[tuple[slice, Floats]]:
    """Recompute the whole tree for each draw."""
    root = scores.index
    unscored = np.isnan(scores.score)
    out = np.empty((min(BLOCK, settings.n_draws), len(unscored)))
    paths = settings.touches(root)
    for block in _blocks(settings.n_draws):
        for row, draw in enumerate(range(block.start, block.stop)):
            leaf = _noisy_leaf(indicators, noisy, settings.seed, draw)
            weights = {p: settings.weights[p][draw] for p in paths if p in settings.weights}
            forms = {p: str(settings.forms[p][draw]) for p in paths if p in settings.forms}
            need, _ = score_tree(root, scores.tree, leaf, weights, forms, scores.codes)
            out[row] = need[root]
        out[: row + 1, unscored] = np.nan
        yield block, out[: row + 1]


def _noisy_leaf(
    indicators: Indicators, noisy: set[str], seed: int, draw: int
) -> Callable[[str], Floats]:
    """Give the need of indicators in one draw, with sampling error where it is asked for."""

    def leaf(name: str) -> Floats:
        need = indicators.need(name)
        if name not in noisy or indicators.standard_errors is None:
            return need
        at = indicators.column(name)
        # One stream per draw and indicator, by its name: it has the same error in every index that
        # uses it, and no other indicator has that one.
        rng = np.random.default_rng([seed, 0x5E, draw, crc32(name.encode())])
        error = np.nan_to_num(indicators.standard_errors[:, at])
        return need + rng.standard_normal(len(need)) * error

    return leaf


class RankCounter:
    """Counts the ranks that each area takes, so that quantiles need no copy of every draw.

    Parameters
    ----------
    n_areas
        Number of areas that are ranked.
    n_draws
        Number of draws to come; decides how wide the counts are.
    """

    def __init__(self, n_areas: int, n_draws: int) -> None:
        from commonweal.index.kernels import rank_bins

        self._bins = rank_bins(n_areas)
        width = np.uint16 if n_draws < 2**16 else np.uint32
        self._counts = np.zeros((n_areas, int(self._bins[-1]) + 1), width)

    def add(self, ranks: NDArray[np.int32]) -> None:
        """Count (n_draws, n_areas) ranks."""
        from commonweal.index.kernels import count_ranks

        count_ranks(ranks, self._bins, self._counts)

    def quantiles(self, at: Sequence[float]) -> Floats:
        """Give rank quantiles.

        Parameters
        ----------
        at
            Probabilities between 0 and 1.

        Returns
        -------
        ndarray
            (n_areas, len(at)) ranks: the smallest rank that at least that share of the draws does
            not exceed. Exact below rank 512; above it within 0.2 % of the rank.
        """
        from commonweal.index.kernels import bin_middle, bins_reached

        n_draws = self._counts[:1].sum()
        wanted = np.maximum(np.ceil(np.asarray(at) * n_draws - 1e-9), 1).astype(np.int64)
        reached = np.empty((len(self._counts), len(wanted)), np.int64)
        bins_reached(self._counts, wanted, reached)
        # The last bin may reach beyond the last place.
        return np.minimum(bin_middle(reached), len(self._counts))
