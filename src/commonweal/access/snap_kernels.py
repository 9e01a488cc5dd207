"""The nearest street, compiled: segments are straight in degrees and lie in a grid of cells."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["cells_of_segments", "nearest_segment"]


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
