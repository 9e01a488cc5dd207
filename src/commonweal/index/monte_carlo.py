"""Monte Carlo: thousands of versions of one index, every setting that could have been another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError
from commonweal.index.aggregate import AGGREGATORS, aggregate
from commonweal.index.assumptions import Inclusion, Parameter
from commonweal.index.distributions import choice
from commonweal.index.methods import function_of, name_of, settings_of, takes, with_setting
from commonweal.index.rank_transforms import EXPONENTIAL_SCALE, normal_quantile
from commonweal.index.runs import POWERS, Entry, Part, Settings, Way, is_plain
from commonweal.index.score import transformed_need
from commonweal.index.tables import table
from commonweal.index.targets import AssumptionTarget
from commonweal.index.treat import TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from commonweal.index.assumptions import Assumption
    from commonweal.index.distributions import Noise
    from commonweal.index.methods import MethodSpec
    from commonweal.index.rank import TieRule
    from commonweal.index.tables import Floats


__all__ = [
    "Ensemble",
    "entered",
    "ranks_of",
]


Ints = NDArray[np.int32]
NO_RANK = np.iinfo(np.int32).max
"""The rank of a unit that has no score: beyond every cut-off."""

_BLOCK_BYTES = 96_000_000
"""Values of their own that runs have at once."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What each of (n_runs,) runs does at one part; as `kernels.combine_rows` takes it."""

    ways: NDArray[np.intp]
    weights: Floats
    forms: NDArray[np.intp]
    powers: Floats
    needed: Floats
    as_log: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """An index with everything that could have been done otherwise.

    Attributes
    ----------
    index
        Its name, or the path of a node that is looked at by itself.
    found
        What varies and where, one input each, in order. Those that act elsewhere change nothing.
    parts
        The tree, children before parents.
    need
        By path, (n_units,) need of every node as stated, higher = more; NaN = missing.
    rows
        (n_rows, n_units) what enters a part, for each way, where nothing below varies.
    logs
        Their logarithms; None where no mean can be geometric.
    bases, codes
        By child that states one, the need that its transform is fitted to in place of its own, as
        in `commonweal.index.score.transformed_need`; (n_units,) codes, for a distance to a unit.
    noise
        By leaf, the assumption that draws its sampling error, and that error.
    sets
        By assumption and node, (n_sets, n_children) weights.
    n_sets
        How many sets of drawn weights and of errors there are.
    """

    index: str
    found: tuple[AssumptionTarget, ...]
    parts: tuple[Part, ...]
    need: Mapping[str, Floats]
    rows: Floats
    logs: Floats | None
    bases: Mapping[str, Floats]
    codes: Sequence[str] | None
    noise: Mapping[str, tuple[int, Noise]]
    sets: Mapping[tuple[int, str], Floats]
    n_sets: int

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What varies."""
        return tuple(one.assumption for one in self.found)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the assumptions."""
        return tuple(a.called for a in self.assumptions)

    @property
    def varies(self) -> bool:
        """Whether any assumption acts on this index."""
        return self.parts[-1].varies if self.parts else self.index in self.noise

    @property
    def stated(self) -> Floats:
        """(n_units,) scores with every setting as stated; NaN = missing."""
        return self.need[self.index]

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n_units,) which units have a score; no other gets one in any run."""
        return ~np.isnan(self.stated)

    def ranks(self, u: Floats) -> Ints:
        """Rank every unit in every run.

        Parameters
        ----------
        u
            (n_runs, n_assumptions) in [0, 1).

        Returns
        -------
        ndarray
            (n_runs, n_units) int32, 1 = most need, ties share the lowest; `NO_RANK` without a
            score. A unit that has too little data in a run alone comes last in it.
        """
        return ranks_of(self.scores(u, exact=False), self.present)

    def scores(self, u: Floats, *, exact: bool = True) -> Floats:
        """Score every unit in every run.

        Parameters
        ----------
        u
            (n_runs, n_assumptions) in [0, 1).
        exact
            False if only ranks are wanted: a geometric mean then gives its logarithm.

        Returns
        -------
        ndarray
            (n_runs, n_units); NaN where there is no score as stated, or where a run leaves out or
            asks for what a unit has too little of.

        Raises
        ------
        DataError
            If the values of a run cannot be combined as it says.
        """
        out = np.empty((len(u), len(self.stated)))
        moving = sum(e.moves and not e.joined for p in self.parts for e in p.entries)
        step = int(_BLOCK_BYTES / (8 * out.shape[1] * max(moving, 1)))
        step = max(step, 4) if moving else max(len(u), 1)
        for start in range(0, len(u), step):
            runs = slice(start, start + step)
            if self.parts:
                plans = self._plans(u[runs], exact)
                self._fill(len(self.parts) - 1, plans, u[runs], out[runs])
            else:
                self._noisy(self.index, u[runs], out[runs])
        out[:, ~self.present] = np.nan
        return out

    def _refusal(self, part: Part, u: Floats) -> DataError:
        """Tell the settings of a run (1, n_assumptions) whose values a mean does not take."""
        settings = self.settings(u).drop("run").row(0, named=True)
        told = ", ".join(f"{k} {v}" for k, v in settings.items() if not k.endswith(".weight"))
        return DataError(
            f"{part.path.replace('/', '.')}: a geometric mean needs values above 0, as does a power "
            f"mean of a power below 0, and none takes less than 0; with {told} there are others "
            "(normalise to a positive range)"
        )

    def _plans(self, u: Floats, exact: bool) -> list[_Plan]:
        """Say for each part what each run does there."""
        plans: list[_Plan] = []
        for part in self.parts:
            forms = part.forms.picked(u)
            powers, sums = self._powers(part, forms, u)
            ways = np.column_stack([entry.ways.picked(u) for entry in part.entries])
            needed = np.full(len(u), part.available)
            if part.available_by >= 0:
                needed = self._values(part.available_by, u)
            as_log = np.zeros(len(u), dtype=np.bool_)
            plans.append(_Plan(ways, self._weights(part, sums, u), forms, powers, needed, as_log))
            for entry in part.entries:
                if entry.joined:
                    plans[entry.part].as_log[:] = powers == 0
        if not exact:
            plans[-1].as_log[:] = plans[-1].powers == 0
        return plans

    def _fill(self, at: int, plans: list[_Plan], u: Floats, out: Floats) -> None:
        """Score one part in each run, together with the parts that are joined to it."""
        from commonweal.index.kernels import combine_rows

        group = self._joined(at)
        edges = [(k, c, e) for k in group for c, e in enumerate(self.parts[k].entries)]
        free = [(k, c, e) for k, c, e in edges if e.moves and not e.joined]
        moving = np.empty((len(free), *out.shape))
        for (k, c, entry), own in zip(free, moving, strict=True):
            if entry.part < 0:
                self._noisy(entry.path, u, own)
            else:
                self._fill(entry.part, plans, u, own)
            self._enter(own, entry, plans[k].ways[:, c], self.parts[k].ties)
        picks = np.empty((len(u), len(edges)), dtype=np.intp)
        n_free = 0
        for pick, (k, c, entry) in zip(picks.T, edges, strict=True):
            if entry.joined:
                pick[:] = len(self.rows) + len(free) + group.index(entry.part)
            elif entry.moves:
                pick[:] = len(self.rows) + n_free
                n_free += 1
            else:
                pick[:] = entry.first + plans[k].ways[:, c]
        own_plans = [plans[k] for k in group]
        refused = combine_rows(
            self.rows,
            self.rows if self.logs is None else self.logs,
            moving,
            np.cumsum([0, *(len(self.parts[k].entries) for k in group)]),
            picks,
            np.hstack([plan.weights for plan in own_plans]),
            np.concatenate([self.parts[k].weights for k in group]),
            np.column_stack([plan.powers for plan in own_plans]),
            np.column_stack([plan.needed for plan in own_plans]),
            np.column_stack([plan.as_log for plan in own_plans]),
            out,
        )
        if refused < len(u):
            raise self._refusal(self.parts[at], u[refused : refused + 1])
        plan = plans[at]
        for run in np.flatnonzero(np.isnan(plan.powers)):
            both = [
                self.rows[k] if k < len(self.rows) else moving[k - len(self.rows), run]
                for k in picks[run]
            ]
            out[run] = self._slowly(self.parts[at], plan, int(run), u[run : run + 1], both)

    def _joined(self, at: int) -> list[int]:
        """Numbers of the parts that are worked out with one, children before parents."""
        below = [k for e in self.parts[at].entries if e.joined for k in self._joined(e.part)]
        return [*below, at]

    def _slowly(self, part: Part, plan: _Plan, run: int, u: Floats, values: list[Floats]) -> Floats:
        """Score one part in one run by the plain functions: any form that is no power mean."""
        kept = np.flatnonzero(plan.weights[run] > 0)
        names = [part.entries[c].path.rsplit("/", 1)[1] for c in kept]
        children = table(np.column_stack([values[c] for c in kept]), names, what="child")
        how = self._form(part, int(plan.forms[run]), u)
        try:
            return aggregate(
                replace(children, units=self.codes),
                plan.weights[run, kept], how, plan.needed[run], part.weights[kept],
            )  # fmt: skip
        except DataError as error:
            raise DataError(f"{part.path.replace('/', '.')}: {error}") from None

    def _powers(
        self, part: Part, forms: NDArray[np.intp], u: Floats
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """(n_runs,) power of each run's mean, NaN for other forms; and whether it is a sum."""
        powers, sums = np.full(len(u), np.nan), np.zeros(len(u), dtype=np.bool_)
        for k, how in enumerate(part.forms.of):
            runs = forms == k
            if callable(how):
                continue
            name = name_of(how)
            sums |= runs & (name == "sum")
            if name == "generalised":
                p = np.full(len(u), float(settings_of(how).get("p", 1.0)))
                for by, key in part.settings:
                    p = self._values(by, u) if key == "p" else p
                powers[runs] = np.where([is_plain(v) for v in p], p, np.nan)[runs]
            else:
                powers[runs] = POWERS.get(name, np.nan)
        return powers, sums

    def _form(self, part: Part, form: int, u: Floats) -> MethodSpec:
        """Give one run's way of aggregating, with the settings that it draws."""
        how: MethodSpec = part.forms.of[form]
        for by, key in part.settings:
            if takes(how, key, AGGREGATORS):
                how = with_setting(how, key, float(self._values(by, u)[0]))
        return how

    def _weights(self, part: Part, sums: NDArray[np.bool_], u: Floats) -> Floats:
        """(n_runs, n_children) weights that add up to 1, or to the total of a sum."""
        if part.weighed_by >= 0:
            sets = self.sets[part.weighed_by, part.path]
            weights = sets[choice(u[:, part.weighed_by], len(sets))]
        else:
            weights = np.tile(part.weights, (len(u), 1))
        total = weights.sum(axis=1)
        for child, by in part.left_out:
            weights[self._is_out(by, u), child] = 0.0
        scale = np.where(sums, total, 1.0) / weights.sum(axis=1)
        # Not even by a hair: where nothing is left out, the weights of a sum stay as they stand.
        scale[sums & (weights > 0).all(axis=1)] = 1.0
        return weights * scale[:, None]

    def _is_out(self, by: int, u: Floats) -> NDArray[np.bool_]:
        assumption = self.found[by].assumption
        assert isinstance(assumption, Inclusion)
        return u[:, by] < assumption.chance

    def _values(self, by: int, u: Floats) -> Floats:
        assumption = self.found[by].assumption
        assert isinstance(assumption, Parameter)
        return assumption.values(u[:, by])

    def _noisy(self, leaf: str, u: Floats, out: Floats) -> None:
        """Fill in the need of an indicator with the sampling error of each run."""
        if leaf not in self.noise:
            out[:] = self.need[leaf]
            return
        by, noise = self.noise[leaf]
        for row, which in zip(out, choice(u[:, by], self.n_sets), strict=True):
            row[:] = noise.of(self.need[leaf], int(which))

    def _enter(self, need: Floats, entry: Entry, ways: NDArray[np.intp], ties: TieRule) -> None:
        """Treat and transform (n_runs, n_units) need of a child, in place, as each run says."""
        from commonweal.index.kernels import exponential_rows, upward_rows

        for k in np.unique(ways):
            way: Way = entry.ways.of[k]
            runs = np.flatnonzero(ways == k)
            if way.treatment != "none":
                for run in runs:
                    need[run] = entered(need[run], Way(way.treatment, "none"), entry, ties)
            how = way.transform
            among_own = entry.path not in self.bases and ties in ("average", "min")
            name = "" if callable(how) or not among_own else name_of(how)
            if name == "exponential" or (name == "normal_score" and ties == "average"):
                block = need if len(runs) == len(need) else need[runs]
                if name == "exponential":
                    scale = float(settings_of(how).get("scale", EXPONENTIAL_SCALE))
                    exponential_rows(block, scale, ties == "average")
                else:
                    n_ranked = upward_rows(block, True)
                    block[:] = normal_quantile(block, n_ranked[:, None], **settings_of(how))
                if block is not need:
                    need[runs] = block
            elif how != "none":
                for run in runs:
                    need[run] = entered(
                        need[run],
                        Way("none", how),
                        entry,
                        ties,
                        self.bases.get(entry.path),
                        self.codes,
                    )

    def settings(self, u: Floats) -> pl.DataFrame:
        """Say what each run uses."""
        children = {p.path: [e.path.rsplit("/", 1)[1] for e in p.entries] for p in self.parts}
        here = tuple(
            AssumptionTarget(one.assumption, tuple(p for p in one.paths if p in children), one.laws)
            if one.laws
            else one
            for one in self.found
        )
        return Settings(tuple(here), self.sets, children, self.n_sets).to_frame(u)


def ranks_of(scores: Floats, present: NDArray[np.bool_]) -> Ints:
    """Rank (n_runs, n_units) scores of the units that have one; see `Ensemble.ranks`."""
    from commonweal.index.kernels import rank_rows

    here = scores if present.all() else np.ascontiguousarray(scores[:, present])
    if np.isnan(here).any():
        here = np.nan_to_num(here, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    ranks = np.empty(here.shape, np.int32)
    rank_rows(here, ranks)
    if here.shape == scores.shape:
        return ranks
    out = np.full(scores.shape, NO_RANK, np.int32)
    out[:, present] = ranks
    return out


def entered(
    need: Floats,
    way: Way,
    entry: Entry,
    ties: TieRule,
    base: Floats | None = None,
    codes: Sequence[str] | None = None,
) -> Floats:
    """(n_units,) need of a child as it enters its parent; the rest as in `transformed_need`."""
    try:
        if way.treatment != "none":
            need = entry.sign * function_of(way.treatment, TREATMENTS)(entry.sign * need)
        return transformed_need(need, way.transform, ties, base, codes)
    except DataError as error:
        raise DataError(f"{entry.path.replace('/', '.')}: {error}") from None
