"""Select down a list by need, under caps and minimums, as far as the money goes, and by what margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError, UnknownNameError
from commonweal.files.extras import in_parts, njit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from commonweal.areas import Areas
    from commonweal.index import Scores
    from commonweal.invest.allocation.programme import Cap, Least, Ranking


Floats: TypeAlias = NDArray[np.float64]


def on_scale(need: Floats, scale: str) -> Floats:
    """Put scores on a scale; higher stays more need.

    >>> on_scale(np.array([4.0, 1.0, 1.0, np.nan]), "rank")
    array([3. , 1.5, 1.5, nan])
    """
    if scale == "score":
        return need
    if scale == "z":
        middle = np.nanmean(need, axis=-1, keepdims=True)
        spread = np.nanstd(need, axis=-1, keepdims=True)
        scaled: Floats = (need - middle) / np.where(spread > 0, spread, 1.0)
        return scaled
    from scipy.stats import rankdata

    ranks: Floats = rankdata(need, axis=-1, nan_policy="omit")
    if scale == "rank":
        return ranks
    shares: Floats = ranks / (~np.isnan(need)).sum(axis=-1, keepdims=True)
    return shares


def composite(ranking: Ranking, need: Mapping[str, Floats]) -> Floats:
    """Mix indices as a programme ranks by them."""
    parts = [
        weight * on_scale(need[path.replace(".", "/")], ranking.scale)
        for path, weight in ranking.of.items()
    ]
    return np.sum(parts, axis=0)


def paths_of(ranking: Ranking, ties: tuple[str, ...] = ()) -> list[str]:
    """Give the paths that a ranking reads, with slashes."""
    return [path.replace(".", "/") for path in dict.fromkeys([*ranking.of, *ties])]


def stated_need(scores: Mapping[str, Scores], path: str) -> Floats:
    """Give the scores of an index or domain.

    Gives (n_areas,) scores, higher = more need.
    """
    index = path.split("/", 1)[0]
    if index not in scores:
        raise UnknownNameError("index", index, scores, " in what the programme ranks by")
    if path not in scores[index].need:
        named = [p.replace("/", ".") for p in scores[index].need]
        raise UnknownNameError("index or domain", path.replace("/", "."), named)
    need = scores[index].need[path]
    if np.isnan(need).all():
        raise DataError(f"{path.replace('/', '.')}: no area has a score; expected at least one")
    if np.isinf(need).any():
        at = int(np.isinf(need).argmax())
        raise DataError(
            f"{path.replace('/', '.')}: area {scores[index].codes[at]} has a score of {need[at]}; "
            "expected a finite number"
        )
    return need


OUT, CHOSEN, NO_MONEY, CAPPED = 0, 1, 2, 3
"""What became of an area; a cap's number is added to the last, counted from 0."""


@njit(cache=True, nogil=True)
def _go_down(order, n_ok, capped, most, owed, least, awards, state):  # type: ignore[no-untyped-def]
    """Fill (n_draws, n_areas) state.

    order (n_draws, n_areas) areas, the first first, of which the first n_ok[d] may be chosen;
    capped (n_caps, n_areas) which group of each cap an area is in, -1 for none, and most (n_groups,)
    its cap; owed (n_least, n_areas) and least (n_owed,) likewise for minimums. First the minimums are
    served, then whatever awards are left, each time down the list.
    """
    n_areas = order.shape[1]
    for d in range(order.shape[0]):
        held = np.zeros(most.shape[0], np.int64)
        due = least.copy()
        taken = 0
        for turn in range(2):
            if turn == 0 and least.shape[0] == 0:
                continue
            for k in range(n_ok[d]):
                a = order[d, k]
                if state[d, a] == CHOSEN:
                    continue
                if turn == 0:
                    waits = False
                    for r in range(owed.shape[0]):
                        g = owed[r, a]
                        if g >= 0 and due[g] > 0:
                            waits = True
                    if not waits:
                        continue
                full = -1
                for c in range(capped.shape[0]):
                    g = capped[c, a]
                    if g >= 0 and held[g] >= most[g]:
                        full = c
                        break
                if full >= 0:
                    state[d, a] = CAPPED + full
                    continue
                if taken >= awards:
                    state[d, a] = NO_MONEY
                    continue
                state[d, a] = CHOSEN
                taken += 1
                for c in range(capped.shape[0]):
                    if capped[c, a] >= 0:
                        held[capped[c, a]] += 1
                for r in range(owed.shape[0]):
                    if owed[r, a] >= 0:
                        due[owed[r, a]] -= 1
        for k in range(n_areas):
            if k >= n_ok[d]:
                state[d, order[d, k]] = OUT


Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps and minimums over groups of areas."""

    # (n_caps, n_areas) which group an area is in, -1 for none; groups of all caps are numbered on
    capped: Ints
    most: Ints  # (n_groups,) how many each group may have
    # owed, least: (n_minimums, n_areas) and (n_owed,) likewise: how many each is to have
    owed: Ints
    least: Ints
    owed_names: tuple[str, ...]  # (n_owed,) codes of the groups that are owed some

    def without_caps(self) -> Limits:
        """Give the minimums alone."""
        n = self.capped.shape[1]
        nothing = np.empty((0, n), dtype=np.int64)
        return Limits(nothing, np.empty(0, np.int64), self.owed, self.least, self.owed_names)


def limits_of(areas: Areas, caps: Sequence[Cap], least: Sequence[Least], wanted: Bools) -> Limits:
    """Give numbers to the groups that caps and minimums are about."""
    n = len(areas)
    most: list[int] = []
    due: list[int] = []
    names: list[str] = []
    capped = np.full((len(caps), n), -1, dtype=np.int64)
    for k, cap in enumerate(caps):
        codes = _parents(areas, cap.in_each)
        lost = [i for i in np.flatnonzero(wanted) if codes[i] is None]
        if lost:
            raise DataError(
                f"area {areas.codes[lost[0]]} has no {cap.in_each} ({len(lost):,} areas that could be chosen); "
                f"expected one each, as at most {cap.most} of each is chosen"
            )
        groups = {c: i for i, c in enumerate(sorted({c for c in codes if c is not None}))}
        capped[k] = [-1 if c is None else len(most) + groups[c] for c in codes]
        most += [cap.most] * len(groups)
    owed = np.full((len(least), n), -1, dtype=np.int64)
    for k, rule in enumerate(least):
        codes = _parents(areas, rule.in_each)
        known = sorted({c for c in codes if c is not None})
        for code in rule.only:
            if code not in known:
                raise UnknownNameError(rule.in_each, code, known, " under 'least'")
        groups = {c: i for i, c in enumerate(dict.fromkeys(rule.only) or known)}
        owed[k] = [-1 if c not in groups else len(due) + groups[c] for c in codes]
        due += [rule.least] * len(groups)
        names += list(groups)
    whole = (np.array(x, dtype=np.int64) for x in (most, due))
    return Limits(capped, next(whole), owed, next(whole), tuple(names))


def _parents(areas: Areas, parent: str) -> list[str | None]:
    if parent not in areas.parents:
        raise UnknownNameError("larger area", parent, areas.parents)
    return areas.table[parent].to_list()


def first_come(need: Floats, breakers: Sequence[Floats], codes: Sequence[str]) -> NDArray[np.intp]:
    """Order areas for ties: by each breaker, most first, then by code.

    Gives (n_areas,) areas in the order in which equals are taken.
    """
    last = np.argsort(np.argsort(np.array(codes), kind="stable"), kind="stable")
    keys = [-np.nan_to_num(b, nan=-np.inf) for b in reversed(list(breakers))]
    return np.lexsort((last[: len(need)], *keys))


def select_areas(
    need: Floats,
    eligible: Bools,
    limits: Limits,
    awards: int | None,
    among_equals: NDArray[np.intp],
) -> NDArray[np.int16]:
    """Choose areas in many draws at once, from (n_draws, n_areas) needs, higher = more need.

    Gives `kernels.CHOSEN`, ``CAPPED`` plus the cap's number, ``NO_MONEY`` or ``OUT``. Minimums are served first and
    the rest goes by need. A minimum that cannot be met takes what there is.
    """
    can = eligible & ~np.isnan(need)
    keys = np.where(can, -need, np.inf)[:, among_equals]
    order = among_equals[np.argsort(keys, axis=1, kind="stable")]
    state = np.zeros(need.shape, dtype=np.int16)
    most = need.shape[1] if awards is None else awards
    n_ok = can.sum(axis=1)
    rules = (limits.capped, limits.most, limits.owed, limits.least, most)
    in_parts(
        len(order),
        lambda first, last: _go_down(
            order[first:last], n_ok[first:last], *rules, state[first:last]
        ),
    )
    return state


def margins(need: Floats, eligible: Bools, state: NDArray[np.int16], limits: Limits) -> Floats:
    """(n_areas,) distance to the other side of where awards run out; NaN where nobody is there."""
    selected, beyond = state == CHOSEN, state == NO_MONEY
    margin = np.full(len(need), np.nan)
    kept_in = np.zeros(len(need), dtype=bool)
    for row in limits.owed:
        for group in np.unique(row[selected & (row >= 0)]):
            held = selected & (row == group)
            if int(held.sum()) == limits.least[group]:
                kept_in |= held
                rivals = beyond & (row == group)
                margin[held] = need[held] - need[rivals].max() if rivals.any() else np.nan
    free = selected & ~kept_in
    if selected.any():
        last = need[free].min() if free.any() else need[selected].min()
        others = eligible & ~selected
        margin[others] = need[others] - last
    if beyond.any():
        margin[free] = need[free] - need[beyond].max()
    return margin


def cap_margins(need: Floats, eligible: Bools, selected: Bools, limits: Limits) -> Floats:
    """(n_areas,) distance to the other side within the group of the cap that is tightest on an area."""
    margin = np.full(len(need), np.nan)
    for row in limits.capped:
        for group in np.unique(row[eligible & (row >= 0)]):
            here = eligible & (row == group)
            inside, outside = here & selected, here & ~selected
            if int(inside.sum()) < limits.most[group] or not outside.any():
                continue
            gaps = np.where(selected, need - need[outside].max(), need - need[inside].min())
            closer = here & (np.isnan(margin) | (np.abs(gaps) < np.abs(margin)))
            margin[closer] = gaps[closer]
    return margin
