"""The inner loops of access, compiled: walks along streets, snapping, departures."""

from __future__ import annotations

import numpy as np

from commonweal.files.extras import njit


@njit(cache=True, nogil=True)
def fill_arcs(tail, head, length_m, two_way, at, target, arc_m):  # type: ignore[no-untyped-def]
    """Fill (n_arcs,) target and arc_m; `at` (n_nodes,) is where the arcs of each node begin."""
    for e in range(len(tail)):
        a, b = tail[e], head[e]
        target[at[a]] = b
        arc_m[at[a]] = length_m[e]
        at[a] += 1
        if two_way[e]:
            target[at[b]] = a
            arc_m[at[b]] = length_m[e]
            at[b] += 1


# Searches. A heap of four-fold nodes: (metres, node), and for labels the place as well.


@njit(cache=True, nogil=True, inline="always")
def _push(key, node, size, d, v):  # type: ignore[no-untyped-def]
    at = size
    while at > 0:
        up = (at - 1) >> 2
        if key[up] <= d:
            break
        key[at] = key[up]
        node[at] = node[up]
        at = up
    key[at] = d
    node[at] = v


@njit(cache=True, nogil=True, inline="always")
def _sift(key, node, size):  # type: ignore[no-untyped-def]
    """Put the last of size + 1 entries in the place of the first, which has been read."""
    d, v = key[size], node[size]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if key[other] < key[least]:
                least = other
        if key[least] >= d:
            break
        key[at] = key[least]
        node[at] = node[least]
        at = least
    key[at] = d
    node[at] = v


@njit(cache=True, nogil=True)
def _longer(array, n):  # type: ignore[no-untyped-def]
    out = np.empty(max(2 * len(array), n), array.dtype)
    for at in range(len(array)):  # to copy at once takes seconds longer to compile
        out[at] = array[at]
    return out


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    i, seeds, arcs, leaves, limit_m, distance, touched, key, node, leaf_m, leaf_touched
):
    """Search from seed i; fill leaf_m and leaf_touched, and give how many leaves are within limit.

    `distance` and `leaf_m` come and go filled with infinity.
    """
    seed_node, seed_m, seed_street, seed_at, seed_off, sign = seeds
    starts, target, arc_m, two_way = arcs
    hang_starts, hang, hang_m, order, streets, leaf_at, leaf_off = leaves
    n_touched, size, n_leaves = 0, 0, 0
    for end in range(2):
        v, d = seed_node[i, end], seed_m[i, end]
        if v >= 0 and d <= limit_m and d < distance[v]:
            if distance[v] == np.inf:
                touched[n_touched] = v
                n_touched += 1
            distance[v] = d
            _push(key, node, size, d, v)
            size += 1
    while size > 0:
        d, v = key[0], node[0]
        size -= 1
        _sift(key, node, size)
        if d > distance[v]:
            continue
        if len(hang_starts) == 0:  # every node is a leaf
            leaf_m[v] = d
            leaf_touched[n_leaves] = v
            n_leaves += 1
        else:
            for at in range(hang_starts[v], hang_starts[v + 1]):
                leaf, far = hang[at], d + hang_m[at]
                if far <= limit_m and far < leaf_m[leaf]:
                    if leaf_m[leaf] == np.inf:
                        leaf_touched[n_leaves] = leaf
                        n_leaves += 1
                    leaf_m[leaf] = far
        for at in range(starts[v], starts[v + 1]):
            far, w = d + arc_m[at], target[at]
            if far <= limit_m and far < distance[w]:
                if distance[w] == np.inf:
                    touched[n_touched] = w
                    n_touched += 1
                distance[w] = far
                if size == len(key):
                    key, node = _longer(key, len(key)), _longer(node, len(key))
                _push(key, node, size, far, w)
                size += 1
    for at in range(n_touched):
        distance[touched[at]] = np.inf
    # Leaves on the seed's own street, straight along it.
    street = seed_street[i]
    if street >= 0:
        at = np.searchsorted(streets, street)
        while at < len(streets) and streets[at] == street:
            leaf = order[at]
            on = (leaf_at[leaf] - seed_at[i]) * sign  # above 0: along the street
            far = seed_off[i] + abs(on) + leaf_off[leaf]
            if (two_way[street] or on >= 0) and far <= limit_m and far < leaf_m[leaf]:
                if leaf_m[leaf] == np.inf:
                    leaf_touched[n_leaves] = leaf
                    n_leaves += 1
                leaf_m[leaf] = far
            at += 1
    return n_leaves, key, node


@njit(cache=True, nogil=True)
def reach_from(first, last, seeds, arcs, leaves, n_leaves, limit_m):  # type: ignore[no-untyped-def]
    """Search from seeds first..last: how many leaves each reaches, and which, and how far.

    Leaves of a seed ascend by distance, then by number.
    """
    n_nodes = len(arcs[0]) - 1
    distance, touched = np.full(n_nodes, np.inf), np.empty(n_nodes, np.int32)
    leaf_m, leaf_touched = np.full(n_leaves, np.inf), np.empty(n_leaves, np.int32)
    key, node = np.empty(1024), np.empty(1024, np.int32)
    counts = np.zeros(last - first, np.int64)
    found, found_m = np.empty(4096, np.int32), np.empty(4096)
    total = 0
    for i in range(first, last):
        n, key, node = _search(
            i, seeds, arcs, leaves, limit_m, distance, touched, key, node, leaf_m, leaf_touched
        )
        counts[i - first] = n
        if total + n > len(found):
            found, found_m = _longer(found, total + n), _longer(found_m, total + n)
        mine = leaf_touched[:n]
        mine.sort()
        far = leaf_m[mine]
        by = np.argsort(far, kind="mergesort")
        for at in range(n):
            found[total + at] = mine[by[at]]
            found_m[total + at] = far[by[at]]
            leaf_m[mine[by[at]]] = np.inf
        total += n
    return counts, found[:total].copy(), found_m[:total].copy()


@njit(cache=True, nogil=True)
def count_from(first, last, seeds, arcs, leaves, n_leaves, limit_m, of_leaves):  # type: ignore[no-untyped-def]
    """As `reach_from`, counts only: of each leaf if of_leaves, and else of each seed."""
    n_nodes = len(arcs[0]) - 1
    distance, touched = np.full(n_nodes, np.inf), np.empty(n_nodes, np.int32)
    leaf_m, leaf_touched = np.full(n_leaves, np.inf), np.empty(n_leaves, np.int32)
    key, node = np.empty(1024), np.empty(1024, np.int32)
    counts = np.zeros(n_leaves if of_leaves else last - first, np.int32)
    for i in range(first, last):
        n, key, node = _search(
            i, seeds, arcs, leaves, limit_m, distance, touched, key, node, leaf_m, leaf_touched
        )
        for at in range(n):
            leaf_m[leaf_touched[at]] = np.inf
            if of_leaves:
                counts[leaf_touched[at]] += 1
        if not of_leaves:
            counts[i - first] = n
    return counts


@njit(cache=True, nogil=True)
def by_origin(counts, found, found_m, n_origins):  # type: ignore[no-untyped-def]
    """Turn pairs by place into pairs by origin, ascending by distance, then by place.

    (n_places,) counts of (n_pairs,) origins found and their metres.
    """
    starts = np.zeros(n_origins + 1, np.int64)
    for at in range(len(found)):
        starts[found[at] + 1] += 1
    for o in range(n_origins):
        starts[o + 1] += starts[o]
    place, metres = np.empty(len(found), np.int32), np.empty(len(found))
    go_on = starts[:-1].copy()
    at = 0
    for p in range(len(counts)):
        for _ in range(counts[p]):
            o = found[at]
            place[go_on[o]] = p
            metres[go_on[o]] = found_m[at]
            go_on[o] += 1
            at += 1
    for o in range(n_origins):
        a, b = starts[o], starts[o + 1]
        by = np.argsort(metres[a:b], kind="mergesort")
        sorted_place, sorted_metres = place[a:b][by], metres[a:b][by]
        for at in range(b - a):
            place[a + at] = sorted_place[at]
            metres[a + at] = sorted_metres[at]
    return starts, place, metres


# The k nearest places of every node: k labels a node, settled in the order of distance.


@njit(cache=True, nogil=True, inline="always")
def _insert(place, metres, p, d):  # type: ignore[no-untyped-def]
    """Enter place p at d into one row of labels, which ascends; say whether it is new or nearer."""
    k = len(place)
    at = k - 1
    if metres[at] < d or (metres[at] == d and place[at] <= p and place[at] >= 0):
        return False  # the commonest: no nearer than the last
    for j in range(k):
        if place[j] == p:
            if metres[j] <= d:
                return False
            at = j
            break
        if place[j] < 0:
            at = j
            break
    while at > 0 and (metres[at - 1] > d or (metres[at - 1] == d and place[at - 1] > p)):
        place[at] = place[at - 1]
        metres[at] = metres[at - 1]
        at -= 1
    place[at] = p
    metres[at] = d
    return True


@njit(cache=True, nogil=True)
def seed_labels(node, node_m, limit_m, place, metres, key, entry):  # type: ignore[no-untyped-def]
    """Enter (n_places, 2) attachments as the first labels; give the heap and its size."""
    size = 0
    for p in range(len(node)):
        for end in range(2):
            v, d = node[p, end], node_m[p, end]
            if v >= 0 and d <= limit_m and _insert(place[v], metres[v], p, d):
                if size == len(key):
                    key, entry = _longer(key, len(key)), _longer(entry, len(key))
                _push(key, entry, size, d, (np.int64(v) << 32) | np.int64(p))
                size += 1
    return key, entry, size


@njit(cache=True, nogil=True)
def settle_labels(arcs, limit_m, place, metres, key, entry, size, most):  # type: ignore[no-untyped-def]
    """Settle up to `most` labels and give the heap as it stands, so that a long search can pause.

    place, metres
        (n_nodes, k) labels, -1 and infinity where there is none yet.
    key, entry
        The heap: metres, and node * 2**32 + place, of which the first `size` count.
    """
    starts, target, arc_m, _ = arcs
    n_settled = 0
    k = place.shape[1]
    while size > 0 and n_settled < most:
        d, e = key[0], entry[0]
        size -= 1
        _sift(key, entry, size)
        v, p = e >> 32, e & 0xFFFFFFFF
        j = 0
        while j < k and place[v, j] != p:
            j += 1
        if j == k or metres[v, j] != d:
            continue  # a nearer label has taken its place
        n_settled += 1
        for at in range(starts[v], starts[v + 1]):
            far, w = d + arc_m[at], target[at]
            if far <= limit_m and _insert(place[w], metres[w], p, far):
                if size == len(key):
                    key, entry = _longer(key, len(key)), _longer(entry, len(key))
                _push(key, entry, size, far, (np.int64(w) << 32) | np.int64(p))
                size += 1
    return key, entry, size, n_settled


@njit(cache=True, nogil=True)
def labels_at(  # type: ignore[no-untyped-def]
    first, last, seeds, two_way, leaves, limit_m, node_place, node_metres, place, metres
):
    """Fill (n_origins, k) place and metres of origins first..last from the labels of nodes."""
    seed_node, seed_m, seed_street, seed_at, seed_off, _ = seeds
    _, _, _, order, streets, leaf_at, leaf_off = leaves
    k = place.shape[1]
    for i in range(first, last):
        for end in range(2):
            v = seed_node[i, end]
            if v < 0:
                continue
            for j in range(k):
                if node_place[v, j] < 0:
                    break
                far = seed_m[i, end] + node_metres[v, j]
                if far <= limit_m:
                    _insert(place[i], metres[i], node_place[v, j], far)
        street = seed_street[i]
        if street < 0:
            continue
        at = np.searchsorted(streets, street)
        while at < len(streets) and streets[at] == street:
            leaf = order[at]
            on = leaf_at[leaf] - seed_at[i]
            far = seed_off[i] + abs(on) + leaf_off[leaf]
            if (two_way[street] or on >= 0) and far <= limit_m:
                _insert(place[i], metres[i], leaf, far)
            at += 1


@njit(cache=True, nogil=True)
def cells_of_segments(x, y, last, x0, y0, wide, high, n_x, n_y, starts, segment):  # type: ignore[no-untyped-def]
    """Enter each segment in the cells that it crosses: count into starts, or fill segment.

    Segment s runs from vertex s to s + 1; `last` (n_vertices,) marks vertices that end a street.
    With an empty `segment`, ``starts[c + 1]`` counts those of cell c; otherwise `starts` is where
    each cell goes on, and moves.
    """
    counting = len(segment) == 0
    for s in range(len(x) - 1):
        if last[s]:
            continue
        ax, ay = (x[s] - x0) / wide, (y[s] - y0) / high
        bx, by = (x[s + 1] - x0) / wide, (y[s + 1] - y0) / high
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        for row in range(max(int(ay - 1e-6), 0), min(int(by + 1e-6), n_y - 1) + 1):
            west, east = min(ax, bx), max(ax, bx)
            if by - ay > 1e-9:  # the part of the segment in this row
                low, high_ = max((row - ay) / (by - ay), 0.0), min((row + 1 - ay) / (by - ay), 1.0)
                at_low, at_high = ax + low * (bx - ax), ax + high_ * (bx - ax)
                west, east = min(at_low, at_high), max(at_low, at_high)
            for column in range(max(int(west - 1e-6), 0), min(int(east + 1e-6), n_x - 1) + 1):
                cell = row * n_x + column
                if counting:
                    starts[cell + 1] += 1
                else:
                    segment[starts[cell]] = s
                    starts[cell] += 1


@njit(cache=True, nogil=True)
def nearest_segment(  # type: ignore[no-untyped-def]
    px, py, x, y, x0, y0, wide, high, n_x, n_y, starts, segment, metres, within_m, found, along
):
    """Find the segment nearest to each point, in the plane that touches the sphere there.

    Fill (n_points,) found with the segment, -1 if none is within within_m, and along with how far
    along it the nearest point is, 0 to 1. Of equally near ones the first is taken. `metres` is the
    length of a degree of latitude. Over the sphere within_m is a little more or less than in the
    plane: what is up to a hundredth farther is found too, and left to the caller.
    """
    for i in range(len(px)):
        squeeze = np.cos(np.radians(py[i]))
        step = metres * min(wide * squeeze, high)  # each ring of cells is at least so far out
        row, column = int(np.floor((py[i] - y0) / high)), int(np.floor((px[i] - x0) / wide))
        best, best_at, best_s = (1.01 * within_m + 1e-3) ** 2, 0.0, -1
        first = max(-row, row - n_y + 1, -column, column - n_x + 1, 0)
        for ring in range(first, first + n_x + n_y + 1):
            inner = max(ring - 1, 0) * step
            if inner * inner > best:
                break
            for r in range(max(row - ring, 0), min(row + ring, n_y - 1) + 1):
                edge = r == row - ring or r == row + ring
                stride = 1 if edge else max(2 * ring, 1)
                for c in range(column - ring, column + ring + 1, stride):
                    if c < 0 or c >= n_x:
                        continue
                    for at in range(starts[r * n_x + c], starts[r * n_x + c + 1]):
                        s = segment[at]
                        ax = (x[s] - px[i]) * squeeze * metres
                        ay = (y[s] - py[i]) * metres
                        dx = (x[s + 1] - x[s]) * squeeze * metres
                        dy = (y[s + 1] - y[s]) * metres
                        long = dx * dx + dy * dy
                        t = 0.0
                        if long > 0:
                            t = min(max(-(ax * dx + ay * dy) / long, 0.0), 1.0)
                        away = (ax + t * dx) ** 2 + (ay + t * dy) ** 2
                        if away < best or (away == best and s < best_s):
                            best, best_at, best_s = away, t, s
        found[i] = best_s
        along[i] = best_at


@njit(cache=True)
def count_runs(  # type: ignore[no-untyped-def]
    starts, place, first, run, in_band, n_runs, once, counts
):
    """Add up departures within reach of each origin, by band.

    Pairs starts[o] to starts[o + 1] are the places within reach of origin o, the nearest first;
    departures first[p] to first[p + 1] are those of place p, the earliest first. Departure d is
    of run[d], below n_runs, and in band b if in_band[d, b]. Where once, a run counts at the first of
    the places that it leaves from. Adds to counts, (n_origins, n_bands).
    """
    seen = np.full(n_runs, -1, np.int64)
    for o in range(len(starts) - 1):
        for pair in range(starts[o], starts[o + 1]):
            p = place[pair]
            for d in range(first[p], first[p + 1]):
                if once:
                    if seen[run[d]] == o:
                        continue
                    seen[run[d]] = o
                for b in range(in_band.shape[1]):
                    counts[o, b] += in_band[d, b]
