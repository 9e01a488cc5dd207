"""How the cost of walks grows with the street network, from 10^5 to 10^6 nodes, or 10^7 with --to 7.

The network is the map of Newport laid side by side, as in `access_vs_pandana`, with a place on each
hundredth node: the five nearest within 10 km and the count within 1.6 km of every node. Each size
runs in a process of its own, whose peak memory is given. Claims: ten times the nodes cost at most
20 times the processor time and at most 11 times the memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import pairwise

STEPS = ("build", "nearest", "count")


def run_here(n_nodes: int) -> dict[str, float]:
    import numpy as np

    from access_vs_pandana import A_PLACE, FAR_M, WALK_M, K, large, lattice, ours
    from commonweal.access import Points
    from commonweal.access.streets import Streets
    from commonweal.access.walks import street_counts, street_nearest

    warm = lattice(400)
    ours(warm, warm.length_m, warm.points)  # compiles
    laid = large(n_nodes)
    edges = laid.points, laid.tail, laid.head, laid.length_m, laid.two_way
    rows = np.sort(np.random.default_rng(1).choice(laid.n_nodes, n_nodes // A_PLACE, replace=False))
    places = Points(laid.points.longitude[rows], laid.points.latitude[rows])
    found: dict[str, float] = {"nodes": laid.n_nodes, "streets": laid.n_streets}
    del laid

    def timed(step: str, start: tuple[float, float]) -> tuple[float, float]:
        now = time.perf_counter(), time.process_time()
        found[step], found[f"{step} cpu"] = now[0] - start[0], now[1] - start[1]
        return now

    start = time.perf_counter(), time.process_time()
    streets = Streets.from_edges(*edges)
    start = timed("build", start)
    near = street_nearest(streets, None, places, K, limit_m=FAR_M, snap_m=0)
    start = timed("nearest", start)
    counts = street_counts(streets, None, places, WALK_M, snap_m=0)
    timed("count", start)
    assert len(near.place) == len(counts) == streets.n_nodes
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return found | {"gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def measured(n_nodes: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--nodes", str(n_nodes)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    *said, last = done.stdout.splitlines()
    print(*said, sep="\n", end="\n" * bool(said))
    return json.loads(last)


def main(to: int) -> None:
    found = [measured(10**power) for power in range(5, to + 1)]
    print(
        "| nodes | streets | build | five nearest | count in 1.6 km | processor time | peak memory |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for one in found:
        cpu = sum(one[f"{step} cpu"] for step in STEPS)
        seconds = " | ".join(f"{one[step]:.2f} s" for step in STEPS)
        print(
            f"| {one['nodes']:,} | {one['streets']:,} | {seconds} | {cpu:.2f} s | "
            f"{one['gigabytes']:.2f} GB |",
            flush=True,
        )
    as_claimed = True
    for few, many in pairwise(found):
        cpu = [sum(one[f"{step} cpu"] for step in STEPS) for one in (few, many)]
        longer, larger = cpu[1] / cpu[0], many["gigabytes"] / few["gigabytes"]
        more = many["nodes"] / few["nodes"]
        print(
            f"{more:.1f} x the nodes: {longer:.1f} x the processor time, {larger:.1f} x the memory"
        )
        as_claimed &= longer <= 2 * more and larger <= 1.1 * more
    if not as_claimed:
        raise SystemExit("cost grows faster than claimed; is the machine busy with something else?")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--to", type=int, default=6, choices=(5, 6, 7), help="power of ten")
    arguments.add_argument("--nodes", type=int, help="one size only, as JSON")
    given = arguments.parse_args()
    if given.nodes:
        print(json.dumps(run_here(given.nodes)))
    else:
        main(given.to)
