"""The inner loops of straight-line search, compiled: a tree of boxes, walked once an origin.

Each origin is searched by one thread in a fixed order, so results are the same bytes on any number
of threads. The square of a chord is worked out in the same order for a point and for the near and
far corner of the box around it, so that rounding never puts a point outside its own box.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from commonweal.access.points import EARTH_RADIUS_M

__all__ = ["LEAF", "arcs", "build", "count_near", "fill_near", "nearest_k"]

LEAF = 12
"""No more places than this in a box that is not divided further."""

_ACROSS = 2 * EARTH_RADIUS_M
_HAIR = 1 + 1e-14  # chords closer than this may round to one distance, and then the row decides
_DEEP = 128  # a stack: never more than the depth of the tree, plus one


@njit(cache=True)
def _arc(square, detour):  # type: ignore[no-untyped-def]
    return _ACROSS * math.asin(min(math.sqrt(square) / _ACROSS, 1.0)) * detour


@njit(cache=True)
def arcs(squares, detour):  # type: ignore[no-untyped-def]
    """Give the way over the sphere, times the detour, of (n,) squared chords, in metres."""
    out = np.empty(len(squares))
    for i in range(len(squares)):
        out[i] = _arc(squares[i], detour)
    return out


@njit(cache=True)
def _select(points, order, low, high, middle, axis):  # type: ignore[no-untyped-def]
    """Rearrange order[low:high] so that none before `middle` is beyond it on the axis."""
    high -= 1
    while low < high:
        pivot = points[order[(low + high) // 2], axis]
        i, j = low, high
        while i <= j:
            while points[order[i], axis] < pivot:
                i += 1
            while points[order[j], axis] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@njit(cache=True)
def build(points, boxes, ranges, order):  # type: ignore[no-untyped-def]
    """Divide points into halves until a box has at most `LEAF`.

    points are (n, 3); the children of box b are 2 b + 1 and 2 b + 2, and it has the points
    order[ranges[b, 0]:ranges[b, 1]] between the corners boxes[b, :3] and boxes[b, 3:].
    """
    n_boxes = len(boxes)
    ranges[0, 0], ranges[0, 1] = 0, len(points)
    for b in range(n_boxes):
        low, high = ranges[b]
        for a in range(3):
            boxes[b, a] = np.inf
            boxes[b, 3 + a] = -np.inf
        for i in range(low, high):
            for a in range(3):
                v = points[order[i], a]
                boxes[b, a] = min(boxes[b, a], v)
                boxes[b, 3 + a] = max(boxes[b, 3 + a], v)
        if 2 * b + 2 < n_boxes:
            axis = 0
            for a in range(1, 3):
                if boxes[b, 3 + a] - boxes[b, a] > boxes[b, 3 + axis] - boxes[b, axis]:
                    axis = a
            middle = (low + high) // 2
            _select(points, order, low, high, middle, axis)
            ranges[2 * b + 1, 0], ranges[2 * b + 1, 1] = low, middle
            ranges[2 * b + 2, 0], ranges[2 * b + 2, 1] = middle, high


@njit(cache=True, inline="always")
def _square(x, y, z, points, i):  # type: ignore[no-untyped-def]
    dx, dy, dz = points[i, 0] - x, points[i, 1] - y, points[i, 2] - z
    return dx * dx + dy * dy + dz * dz


@njit(cache=True, inline="always")
def _near(x, y, z, boxes, b):  # type: ignore[no-untyped-def]
    """Squared chord to the nearest corner, edge or face of a box."""
    dx = max(max(boxes[b, 0] - x, x - boxes[b, 3]), 0.0)
    dy = max(max(boxes[b, 1] - y, y - boxes[b, 4]), 0.0)
    dz = max(max(boxes[b, 2] - z, z - boxes[b, 5]), 0.0)
    return dx * dx + dy * dy + dz * dz


@njit(cache=True, inline="always")
def _far(x, y, z, boxes, b):  # type: ignore[no-untyped-def]
    """Squared chord to the farthest corner of a box."""
    dx = max(x - boxes[b, 0], boxes[b, 3] - x)
    dy = max(y - boxes[b, 1], boxes[b, 4] - y)
    dz = max(z - boxes[b, 2], boxes[b, 5] - z)
    return dx * dx + dy * dy + dz * dz


@njit(cache=True, parallel=True)
def nearest_k(origins, points, rows, boxes, ranges, most, detour, place, distance):  # type: ignore[no-untyped-def]
    """Fill (n_origins, k) place and distance with the nearest, by distance and then by row.

    points are in the order of the tree and rows are theirs; nothing is taken beyond the squared
    chord `most`. What is not found is left as it was.
    """
    k = place.shape[1]
    n_boxes = len(boxes)
    for o in prange(len(origins)):
        x, y, z = origins[o, 0], origins[o, 1], origins[o, 2]
        stack = np.empty(_DEEP, np.int64)
        floor = np.empty(_DEEP)
        found, bound, depth = 0, most, 1
        best, who = np.empty(k), np.empty(k, np.int32)
        stack[0], floor[0] = 0, _near(x, y, z, boxes, 0)
        while depth > 0:
            depth -= 1
            if floor[depth] > bound:
                continue
            b = stack[depth]
            left = 2 * b + 1
            if left + 1 < n_boxes:
                near, far = left, left + 1
                at, beyond = _near(x, y, z, boxes, near), _near(x, y, z, boxes, far)
                if beyond < at:
                    near, far = far, near
                    at, beyond = beyond, at
                stack[depth], floor[depth] = far, beyond
                stack[depth + 1], floor[depth + 1] = near, at
                depth += 2
                continue
            for i in range(ranges[b, 0], ranges[b, 1]):
                square = _square(x, y, z, points, i)
                if square > bound:
                    continue
                d, row = _arc(square, detour), rows[i]
                if found == k and (d > best[k - 1] or (d == best[k - 1] and row > who[k - 1])):
                    continue
                if found < k:
                    found += 1
                j = found - 1
                while j > 0 and (best[j - 1] > d or (best[j - 1] == d and who[j - 1] > row)):
                    best[j], who[j] = best[j - 1], who[j - 1]
                    j -= 1
                best[j], who[j] = d, row
                if found == k:
                    half = math.sin(min(best[k - 1] / detour / _ACROSS, math.pi / 2)) * _ACROSS
                    bound = min(most, half * half * _HAIR)
        for j in range(found):
            place[o, j], distance[o, j] = who[j], best[j]


@njit(cache=True, parallel=True)
def count_near(origins, points, boxes, ranges, most, counts):  # type: ignore[no-untyped-def]
    """Fill (n_origins, n_limits) counts of the points within each of the squared chords `most`."""
    n_boxes = len(boxes)
    for o in prange(len(origins)):
        x, y, z = origins[o, 0], origins[o, 1], origins[o, 2]
        stack = np.empty(_DEEP, np.int64)
        for q in range(len(most)):
            limit, total, depth = most[q], 0, 1
            stack[0] = 0
            while depth > 0:
                depth -= 1
                b = stack[depth]
                if _near(x, y, z, boxes, b) > limit:
                    continue
                low, high = ranges[b, 0], ranges[b, 1]
                if _far(x, y, z, boxes, b) <= limit:
                    total += high - low
                elif 2 * b + 2 < n_boxes:
                    stack[depth], stack[depth + 1] = 2 * b + 1, 2 * b + 2
                    depth += 2
                else:
                    for i in range(low, high):
                        total += _square(x, y, z, points, i) <= limit
            counts[o, q] = total


@njit(cache=True, parallel=True)
def fill_near(  # type: ignore[no-untyped-def]
    origins, points, rows, boxes, ranges, most, detour, starts, place, distance
):
    """Fill the places and distances of each origin, starts[o]:starts[o + 1], by distance, then row."""
    n_boxes = len(boxes)
    for o in prange(len(origins)):
        x, y, z = origins[o, 0], origins[o, 1], origins[o, 2]
        stack = np.empty(_DEEP, np.int64)
        stack[0], depth, at = 0, 1, starts[o]
        while depth > 0:
            depth -= 1
            b = stack[depth]
            if _near(x, y, z, boxes, b) > most:
                continue
            if 2 * b + 2 < n_boxes:
                stack[depth], stack[depth + 1] = 2 * b + 1, 2 * b + 2
                depth += 2
                continue
            for i in range(ranges[b, 0], ranges[b, 1]):
                square = _square(x, y, z, points, i)
                if square <= most:
                    place[at], distance[at] = rows[i], _arc(square, detour)
                    at += 1
        whose = place[starts[o] : starts[o + 1]]
        far = distance[starts[o] : starts[o + 1]]
        by_row = np.argsort(whose)
        whose[:], far[:] = whose[by_row], far[by_row]
        by_far = np.argsort(far, kind="mergesort")  # stable
        whose[:], far[:] = whose[by_far], far[by_far]
