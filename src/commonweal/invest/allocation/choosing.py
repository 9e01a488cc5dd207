"""Who is chosen: down the list by need, under caps and minimums, as far as the money goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonweal.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonweal.areas import Areas
    from commonweal.invest.allocation.programme import Cap, Least

__all__ = ["Limits", "choose", "first_come", "limits_of"]

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps and minimums over groups of areas.

    Attributes
    ----------
    capped
        (n_caps, n_areas) which group an area is in, -1 for none; groups of all caps are numbered on.
    most
        (n_groups,) how many each group may have.
    owed, least
        (n_minimums, n_areas) and (n_owed,) likewise: how many each is to have.
    owed_names
        (n_owed,) codes of the groups that are owed some.
    """

    capped: Ints
    most: Ints
    owed: Ints
    least: Ints
    owed_names: tuple[str, ...]

    def without_caps(self) -> Limits:
        """Give the minimums alone."""
        n = self.capped.shape[1]
        nothing = np.empty((0, n), dtype=np.int64)
        return Limits(nothing, np.empty(0, np.int64), self.owed, self.least, self.owed_names)


def limits_of(areas: Areas, caps: Sequence[Cap], least: Sequence[Least], wanted: Bools) -> Limits:
    """Give numbers to the groups that caps and minimums are about.

    Parameters
    ----------
    areas
        The places, with their parents.
    caps, least
        The limits.
    wanted
        (n_areas,) which areas can be chosen: each of them needs a parent of each cap.

    Raises
    ------
    UnknownNameError
        If the areas have no such parent, or a minimum is for a larger area that there is not.
    DataError
        If an area that can be chosen has no parent of a cap.
    """
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
        raise UnknownNameError(f"parent of {areas.system}", parent, areas.parents)
    return areas.table[parent].to_list()


def first_come(need: Floats, breakers: Sequence[Floats], codes: Sequence[str]) -> NDArray[np.intp]:
    """Order areas for ties: by each breaker, most first, then by code.

    Parameters
    ----------
    need
        (n_areas,) any array of the areas' length.
    breakers
        (n_areas,) each, the first decides first; a missing value goes last.
    codes
        Area codes.

    Returns
    -------
    ndarray
        (n_areas,) areas in the order in which equals are taken.
    """
    last = np.argsort(np.argsort(np.array(codes), kind="stable"), kind="stable")
    keys = [-np.nan_to_num(b, nan=-np.inf) for b in reversed(list(breakers))]
    return np.lexsort((last[: len(need)], *keys))


def choose(
    need: Floats,
    eligible: Bools,
    limits: Limits,
    awards: int | None,
    among_equals: NDArray[np.intp],
) -> NDArray[np.int16]:
    """Choose areas in many draws at once.

    Parameters
    ----------
    need
        (n_draws, n_areas) what ranks, higher = more need.
    eligible
        (n_draws, n_areas) who can be chosen; an area without a value cannot.
    limits
        Caps and minimums.
    awards
        How many are chosen; all that can be if None.
    among_equals
        (n_areas,) the order in which equals are taken (`first_come`).

    Returns
    -------
    ndarray
        (n_draws, n_areas) `kernels.CHOSEN`, ``CAPPED`` plus the cap's number, ``NO_MONEY`` or ``OUT``.
        Minimums are served first and the rest goes by need. A minimum that cannot be met takes what
        there is.
    """
    from commonweal.invest.allocation.kernels import go_down

    can = eligible & ~np.isnan(need)
    keys = np.where(can, -need, np.inf)[:, among_equals]
    order = among_equals[np.argsort(keys, axis=1, kind="stable")]
    state = np.zeros(need.shape, dtype=np.int16)
    most = need.shape[1] if awards is None else awards
    go_down(
        order, can.sum(axis=1), limits.capped, limits.most, limits.owed, limits.least, most, state
    )
    return state
