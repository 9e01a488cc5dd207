"""The inner loops of siting, compiled: pairs of demand points and sites, row by row or column by column.

Rows are demand points, their pairs ascending by distance. `base` is what a point costs if nothing is built; a pair
that is no better than it is never there. None of these touches anything shared: calls may run in several threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commonweal.files.extras import in_parts, njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.integer]


@njit(cache=True, nogil=True)
def nearest_open(starts, site, distance, is_open):  # type: ignore[no-untyped-def]
    """Give (n,) the first open site of each row and its distance; -1 and NaN where there is none."""
    n = len(starts) - 1
    found = np.full(n, -1, np.int32)
    metres = np.full(n, np.nan)
    for i in range(n):
        for k in range(starts[i], starts[i + 1]):
            if is_open[site[k]]:
                found[i] = site[k]
                metres[i] = distance[k]
                break
    return found, metres


@njit(cache=True, nogil=True)
def useful(starts, site, distance, base, column, rows, within):  # type: ignore[no-untyped-def]
    """Keep the pairs of some rows with sites that have a column and cost less than the base.

    `within` of 0 or more makes a covering of it: what is no farther costs 0, and nothing else helps.
    """
    n = len(rows)
    fresh = np.zeros(n + 1, np.int64)
    for a in range(n):
        i = rows[a]
        k = 0
        for e in range(starts[i], starts[i + 1]):
            far = distance[e] > within if within >= 0 else distance[e] >= base[i]
            if far:
                break
            k += column[site[e]] >= 0
        fresh[a + 1] = fresh[a] + k
    to = np.empty(fresh[n], np.int32)
    cost = np.zeros(fresh[n])
    for a in range(n):
        e = starts[rows[a]]
        k = fresh[a]
        while k < fresh[a + 1]:
            j = column[site[e]]
            if j >= 0:
                to[k] = j
                if within < 0:
                    cost[k] = distance[e]
                k += 1
            e += 1
    return fresh, to, cost


@njit(cache=True, nogil=True)
def by_site(starts, site, distance, m):  # type: ignore[no-untyped-def]
    """Turn rows into columns: (m + 1,) starts, and the row and distance of each pair."""
    columns = np.zeros(m + 1, np.int64)
    for e in range(len(site)):
        columns[site[e] + 1] += 1
    for j in range(m):
        columns[j + 1] += columns[j]
    at = columns[:-1].copy()
    row = np.empty(len(site), np.int32)
    metres = np.empty(len(site))
    for i in range(len(starts) - 1):
        for e in range(starts[i], starts[i + 1]):
            j = site[e]
            row[at[j]] = i
            metres[at[j]] = distance[e]
            at[j] += 1
    return columns, row, metres


def dominated(
    starts: Whole, site: Whole, distance: Floats, columns: Whole, row: Whole, metres: Floats, cost: Floats
) -> NDArray[np.bool_]:  # fmt: skip
    """Give (m,) which sites another serves every row of as near or nearer, for no more; of equals the first stays."""
    gone = np.zeros(len(columns) - 1, np.bool_)
    known = (starts, site, distance, columns, row, metres, cost, gone)
    in_parts(len(gone), lambda first, last: _dominated(first, last, *known))
    return gone


@njit(cache=True, nogil=True)
def _dominated(first, last, starts, site, distance, columns, row, metres, cost, gone):  # type: ignore[no-untyped-def]
    """Mark those of some sites."""
    for j in range(first, last):
        if columns[j] == columns[j + 1]:
            gone[j] = True
            continue
        # whoever is as good as j is among the nearest of the row that j is nearest to
        best = columns[j]
        for e in range(columns[j], columns[j + 1]):
            i, h = row[e], row[best]
            fewer = starts[i + 1] - starts[i] < starts[h + 1] - starts[h]
            if metres[e] < metres[best] or (metres[e] == metres[best] and fewer):
                best = e
        for a in range(starts[row[best]], starts[row[best] + 1]):
            if distance[a] > metres[best]:
                break
            k = site[a]
            if k == j or cost[k] > cost[j]:
                continue
            if columns[k + 1] - columns[k] < columns[j + 1] - columns[j]:
                continue
            better = cost[k] < cost[j] or columns[k + 1] - columns[k] > columns[j + 1] - columns[j]
            b = columns[k]
            fits = True
            for e in range(columns[j], columns[j + 1]):
                while b < columns[k + 1] and row[b] < row[e]:
                    b += 1
                if b == columns[k + 1] or row[b] != row[e] or metres[b] > metres[e]:
                    fits = False
                    break
                better = better or metres[b] < metres[e]
            if fits and (better or k < j):
                gone[j] = True
                break


@njit(cache=True, nogil=True)
def gains(columns, row, metres, weight, near, some):  # type: ignore[no-untyped-def]
    """Give what each of some sites saves, where rows cost `near` now."""
    saved = np.zeros(len(some))
    for a in range(len(some)):
        j = some[a]
        for e in range(columns[j], columns[j + 1]):
            i = row[e]
            if metres[e] < near[i]:
                saved[a] += weight[i] * (near[i] - metres[e])
    return saved


@njit(cache=True, nogil=True)
def two_nearest(starts, site, distance, base, is_open, rows, first, first_m, second_m):  # type: ignore[no-untyped-def]
    """Write the nearest open site of some rows (-1 for none), its distance and the second nearest's."""
    for a in range(len(rows)):
        i = rows[a]
        first[i] = -1
        first_m[i] = base[i]
        second_m[i] = base[i]
        for e in range(starts[i], starts[i + 1]):
            if is_open[site[e]]:
                if first[i] < 0:
                    first[i] = site[e]
                    first_m[i] = distance[e]
                else:
                    second_m[i] = distance[e]
                    break


@njit(cache=True, nogil=True)
def swap_pass(  # type: ignore[no-untyped-def]
    starts, site, distance, columns, row, metres, weight, base, cost,
    most, budget, is_open, first, first_m, second_m, order, least,
):  # fmt: skip
    """Try every closed site once: alone if there is room, or in place of an open one; take what saves.

    The gain of a swap is found for all open sites at once (fast interchange: Whitaker 1983, Hansen and Mladenovic
    1997). Gives how many were taken; the arrays of the state are changed.
    """
    m, n = len(cost), len(weight)
    loss = np.zeros(m)
    extra = np.zeros(m)
    for i in range(n):
        if first[i] >= 0:
            loss[first[i]] += weight[i] * (second_m[i] - first_m[i])
    spent = 0.0
    n_open = 0
    for j in range(m):
        if is_open[j]:
            n_open += 1
            spent += cost[j]
    taken = 0
    touched = np.empty(n, np.int32)
    for j in order:
        if is_open[j] or columns[j] == columns[j + 1]:
            continue
        alone = 0.0
        for e in range(columns[j], columns[j + 1]):
            i = row[e]
            d = metres[e]
            if d < first_m[i]:
                alone += weight[i] * (first_m[i] - d)
                if first[i] >= 0:
                    extra[first[i]] += weight[i] * (second_m[i] - first_m[i])
            elif d < second_m[i] and first[i] >= 0:
                extra[first[i]] += weight[i] * (second_m[i] - d)
        best, out = least, -2
        if n_open < most and spent + cost[j] <= budget and alone > best:
            best, out = alone, -1
        for r in range(m):
            if is_open[r]:
                if spent - cost[r] + cost[j] <= budget:
                    saved = alone - loss[r] + extra[r]
                    if saved > best and out != -1:
                        best, out = saved, r
                extra[r] = 0.0
        if out == -2:
            continue
        taken += 1
        is_open[j] = True
        spent += cost[j]
        n_open += 1
        if out >= 0:
            is_open[out] = False
            spent -= cost[out]
            n_open -= 1
        k = 0
        for e in range(columns[j], columns[j + 1]):
            if metres[e] < second_m[row[e]]:
                touched[k] = row[e]
                k += 1
        two_nearest(starts, site, distance, base, is_open, touched[:k], first, first_m, second_m)
        if out >= 0:
            k = 0
            for e in range(columns[out], columns[out + 1]):
                if metres[e] <= second_m[row[e]]:
                    touched[k] = row[e]
                    k += 1
            two_nearest(
                starts, site, distance, base, is_open, touched[:k], first, first_m, second_m
            )
        loss[:] = 0.0
        for i in range(n):
            if first[i] >= 0:
                loss[first[i]] += weight[i] * (second_m[i] - first_m[i])
    return taken


def cut_rows(
    starts: Whole, site: Whole, distance: Floats, weight: Floats, base: Floats,
    group_starts: Whole, member: Whole, y: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Give, for each group of rows, the tightest line below its cost at the shares y in which sites are open.

    The cost of row i is at least D - sum of (D - d_ij) y_j over sites nearer than D, for every D; the D at which the
    shares of the nearer sites reach 1 makes it largest. Gives (groups,) constants and (groups, sites) slopes.
    """
    n_groups = len(group_starts) - 1
    constant = np.zeros(n_groups)
    slope = np.zeros((n_groups, len(y)))
    known = (starts, site, distance, weight, base, group_starts, member, y, constant, slope)
    in_parts(n_groups, lambda first, last: _cut_rows(first, last, *known))
    return constant, slope


@njit(cache=True, nogil=True)
def _cut_rows(  # type: ignore[no-untyped-def]
    first, last, starts, site, distance, weight, base, group_starts, member, y, constant, slope
):
    """Fill the lines of some groups."""
    for g in range(first, last):
        for a in range(group_starts[g], group_starts[g + 1]):
            i = member[a]
            share = 0.0
            end = starts[i + 1]
            reach = base[i]
            for e in range(starts[i], starts[i + 1]):
                share += y[site[e]]
                if share >= 1.0 - 1e-9:
                    reach = distance[e]
                    end = e
                    break
            constant[g] += weight[i] * reach
            for e in range(starts[i], end):
                slope[g, site[e]] += weight[i] * (reach - distance[e])


@njit(cache=True, nogil=True)
def relaxed_costs(starts, site, distance, weight, price, m):  # type: ignore[no-untyped-def]
    """Give (m,) what opening each site is worth (below 0) if every row pays `price` to be served by all it likes."""
    worth = np.zeros(m)
    for i in range(len(weight)):
        w, u = weight[i], price[i]
        for e in range(starts[i], starts[i + 1]):
            saved = u - w * distance[e]
            if saved <= 0:
                break
            worth[site[e]] -= saved
    return worth


@njit(cache=True, nogil=True)
def served_times(starts, site, distance, weight, price, share):  # type: ignore[no-untyped-def]
    """Give (n,) by how many open sites each row is served that it would pay to be served by."""
    times = np.zeros(len(weight))
    for i in range(len(weight)):
        w, u = weight[i], price[i]
        for e in range(starts[i], starts[i + 1]):
            if w * distance[e] >= u:
                break
            times[i] += share[site[e]]
    return times
