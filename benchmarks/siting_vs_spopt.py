"""Siting side by side with spopt, and on all of England.

    python benchmarks/siting_vs_spopt.py [--peer] [--england] [--dense]

With the mirror, demand points are the neighbourhoods (LSOA 2021) of England and candidates a sample of its state
schools; without it both are made up. `--peer` gives spopt (PuLP, CBC) and us the same matrix of 10,000 x 1,000 and
compares building plus solving to the proof. `--england` solves 33,755 x 2,000 with 50 sites, and says after how long
the choice was within 1% of the bound that was proven in the end, and after how long it was proven. `--dense` adds the
p-median in which every neighbourhood may go to every site (67.5 million pairs). All three without options but --dense.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

import numpy as np

from commonweal.access import Points, straight_reach
from commonweal.access.distance import great_circle_m
from commonweal.errors import CommonwealError
from commonweal.invest.siting import Goal, problem_from_matrix, solve
from commonweal.invest.siting.problem import problem_from_reach

DEMAND, SITES, NEW, SECONDS = 33_755, 2_000, 50, 120.0


def england() -> tuple[str, Points, np.ndarray, Points]:
    """Give what it is, where people live, how many, and where schools are."""
    try:
        from commonweal.access.registers import read_registers
        from commonweal.areas.areas import load_areas
        from commonweal.sources import Store

        store = Store.from_environment()
        areas = load_areas(store, "lsoa21", within={"country": "E92000001"})
        schools = read_registers(store, ["schools"]).of(["primary-school", "secondary-school"])
        lon, lat = (areas.table[c].to_numpy() for c in ("longitude", "latitude"))
        return "England, schools", Points(lon, lat), areas.population, schools.points
    except CommonwealError as error:
        print(f"no mirror ({str(error).splitlines()[0]}): points made up")
    rng = np.random.default_rng(1)
    towns = rng.uniform([-3.5, 50.5], [1.0, 55.0], (300, 2))
    lon, lat = (towns[rng.integers(300, size=DEMAND)] + rng.normal(0, 0.06, (DEMAND, 2))).T
    at = rng.choice(DEMAND, 20_000, replace=False)
    schools = Points(lon[at] + rng.normal(0, 0.003, 20_000), lat[at])
    return "made up", Points(lon, lat), rng.integers(1_000, 3_000, DEMAND).astype(float), schools


def some(points: Points, n: int, seed: int) -> tuple[Points, np.ndarray]:
    at = np.sort(np.random.default_rng(seed).choice(len(points), n, replace=False))
    return Points(points.longitude[at], points.latitude[at]), at


def matrix(people: Points, sites: Points) -> np.ndarray:
    return great_circle_m(
        people.longitude[:, None], people.latitude[:, None], sites.longitude, sites.latitude
    )


def report(what: str, problem: Any, goal: Goal) -> None:
    log: list[tuple[float, float]] = []
    found = solve(
        problem, goal, seconds=SECONDS, progress=lambda o, _, seconds: log.append((seconds, o))
    )
    near = next((t for t, o in log if abs(o - found.bound) <= 0.01 * abs(found.bound)), np.nan)
    end = (
        f"proven after {found.seconds:.1f} s"
        if found.proven
        else f"gap {found.gap:.2%} at {found.seconds:.0f} s"
    )
    print(
        f"{what:46s} {len(problem.site):>11,} pairs  within 1% after {near:5.1f} s  {end}",
        flush=True,
    )


def all_of_england(dense: bool) -> None:
    title, people, counts, schools = england()
    sites, _ = some(schools, SITES, 2021)
    print(
        f"\n{title}: {len(people):,} demand points x {SITES:,} sites, {NEW} to build; {SECONDS:.0f} s at most"
    )
    for what, limit, model in (
        ("maximal covering, 20 minutes' walk", 1_600.0, "maximal_covering"),
        ("p-median, an hour's walk at most", 4_800.0, "p_median"),
        ("maximal covering, 5 km", 5_000.0, "maximal_covering"),
        ("maximal covering, 10 km", 10_000.0, "maximal_covering"),
    ):
        problem = problem_from_reach(straight_reach(people, sites, limit), counts)
        report(what, problem, Goal(model, NEW))  # type: ignore[arg-type]
    if dense:
        problem = problem_from_matrix(matrix(people, sites), counts)
        report("p-median, everyone to any site", problem, Goal("p_median", NEW))


def beside_spopt(n: int, m: int, p: int, within: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pulp
        from spopt.locate import MCLP

    title, people, counts, schools = england()
    (people, at), (sites, _) = some(people, n, 1), some(schools, m, 2)
    metres, counts = matrix(people, sites), counts[at]
    goal = Goal("maximal_covering", p, within=within)
    solve(
        problem_from_matrix(metres[:50, :50], counts[:50]), Goal("maximal_covering", 2)
    )  # compiled
    print(
        f"\n{title}: maximal covering of {n:,} x {m:,}, {p} sites, {within:g} m; building plus solving"
    )
    began = time.perf_counter()
    ours = solve(problem_from_matrix(metres, counts, limit=within), goal)
    our_s = time.perf_counter() - began
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        model = MCLP.from_cost_matrix(metres, counts, within, p)
        built_s = time.perf_counter() - began
        model = model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=900), results=False)
        their_s = time.perf_counter() - began
    same = np.isclose(ours.objective, model.problem.objective.value(), rtol=1e-6)
    print(
        f"ours {our_s:.2f} s (proven: {ours.proven}), spopt {their_s:.1f} s (of which building {built_s:.1f}); "
        f"{their_s / our_s:.0f} times as fast; same optimum: {same}",
        flush=True,
    )


if __name__ == "__main__":
    asked = set(sys.argv[1:])
    if not asked - {"--dense"} or "--peer" in asked:
        beside_spopt(10_000, 1_000, 50, 1_600.0)
        beside_spopt(10_000, 1_000, 50, 5_000.0)
    if not asked - {"--dense"} or "--england" in asked:
        all_of_england("--dense" in asked)
