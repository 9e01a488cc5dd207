"""The compiled heart of `flat`: areas in chunks that stay in the cache while every draw passes."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

__all__ = ["score_rows"]

_CHUNK = 256


@njit(cache=True, parallel=True)
def score_rows(x, logs, picks, starts, children, weights, forms, out, exact):  # type: ignore[no-untyped-def]
    """Fill (n_draws, n_areas) out with the scores of each draw.

    x and logs are (n_options, n_leaves, n_areas). A geometric root gives its logarithm unless
    `exact`: its ranks are the same. A node hands on its logarithm where its parent multiplies.
    """
    n_leaves, n_areas = x.shape[1], x.shape[2]
    n_nodes = len(starts) - 1
    for chunk in prange((n_areas + _CHUNK - 1) // _CHUNK):
        begin = chunk * _CHUNK
        n = min(_CHUNK, n_areas - begin)
        values = np.empty((n_nodes, _CHUNK))
        as_log = np.zeros(n_nodes, np.bool_)
        for d in range(len(picks)):
            for node in range(n_nodes):
                for e in range(starts[node], starts[node + 1]):
                    if children[e] >= n_leaves:
                        as_log[children[e] - n_leaves] = forms[d, node] == 2
            as_log[n_nodes - 1] = forms[d, n_nodes - 1] == 2 and not exact
            for node in range(n_nodes):
                total = 0.0
                for e in range(starts[node], starts[node + 1]):
                    total += weights[d, e]
                scale = 1.0 if forms[d, node] == 0 else 1.0 / total
                mine = values[node]
                mine[:n] = 0.0
                for e in range(starts[node], starts[node + 1]):
                    w = weights[d, e] * scale
                    child = children[e]
                    if child >= n_leaves:
                        row = values[child - n_leaves]
                        for i in range(n):
                            mine[i] += w * row[i]
                    elif forms[d, node] == 2:
                        row = logs[picks[d, child], child, begin : begin + n]
                        for i in range(n):
                            mine[i] += w * row[i]
                    else:
                        row = x[picks[d, child], child, begin : begin + n]
                        for i in range(n):
                            mine[i] += w * row[i]
                if forms[d, node] == 2 and not as_log[node]:
                    for i in range(n):
                        mine[i] = np.exp(mine[i])
                elif forms[d, node] != 2 and as_log[node]:
                    for i in range(n):
                        mine[i] = np.log(mine[i])
            out[d, begin : begin + n] = values[n_nodes - 1, :n]
