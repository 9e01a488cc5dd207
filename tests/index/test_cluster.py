"""Draws on a cluster: the same results to the bit as on one machine, however many workers."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.waits import LIMIT_S, until

import commonweal as cw
from commonweal.errors import DataError
from commonweal.index.assumptions import Aggregation, Normalisation, SamplingError, Weights
from commonweal.index.framework import Node
from commonweal.index.uncertainty import Spread, build_ensemble, spread_of_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commonweal.index.monte_carlo import Ensemble

if os.environ.get("CI"):
    import distributed
else:
    distributed = pytest.importorskip("distributed")

ON_1_TO_100 = {"min_max": {"low": 1, "high": 100}}
N = 400
N_RUNS = 128 * 7 + 5  # blocks for every worker, the last one short


def ensemble(*assumptions: Any, way: Any = ON_1_TO_100, error: float = 0.2) -> Ensemble:
    rng = np.random.default_rng(3)
    need = {n: rng.normal(size=N).round(1) for n in "abcd"}  # rounded, so that there are ties
    domain = {"aggregate": "arithmetic", "transform": way}
    children = {
        "one": {**domain, "children": {n: {"indicator": n} for n in "ab"}},
        "two": {**domain, "children": {n: {"indicator": n} for n in "cd"}},
    }
    tree = {"aggregate": "arithmetic", "transform": "none", "children": children}
    return build_ensemble(
        "x",
        Node.model_validate(tree),
        need,
        [Normalisation(name="normalisation", of=(way, "rank")), *assumptions],
        standard_errors={"a": np.r_[error, np.full(N - 1, 0.2)]},
    )


WEIGHTS = Weights(name="weights", interval=0.25)
FORM = Aggregation(name="aggregation", of=("arithmetic", "geometric"))
ERRORS = SamplingError(name="errors")


def same(a: Spread, b: Spread) -> None:
    assert a.n_runs == b.n_runs
    for x, y in (
        (a.mean, b.mean),
        (a.quantiles, b.quantiles),
        (a.worst, b.worst),
        (a.tenths, b.tenths),
    ):
        assert x.tobytes() == y.tobytes()


def let_go(client: Any) -> None:
    until(lambda: not client.futures, "a cluster that keeps nothing")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two processes of one thread each on this machine, free ports, no dashboard."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,  # an error in a task comes here as one, below
            host="127.0.0.1",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=LIMIT_S)
        addresses = [cluster.scheduler_address, *client.nthreads()]
        yield client
    for address in addresses:  # nothing listens any more
        host, port = address.removeprefix("tcp://").split(":")
        with socket.socket() as s:
            assert s.connect_ex((host, int(port))) != 0, address


@pytest.mark.parametrize("assumptions", [(WEIGHTS, FORM), (WEIGHTS, ERRORS)])
def test_two_processes_give_the_same_to_the_bit_as_none(client: Any, assumptions: Any) -> None:
    made, seen = ensemble(*assumptions), []
    spread = spread_of_ranks(
        made, N_RUNS, worst=40, client=client, progress=lambda _, n, of: seen.append((n, of))
    )
    same(spread, spread_of_ranks(made, N_RUNS, worst=40))
    assert seen == [(min(128 * (i + 1), N_RUNS), N_RUNS) for i in range(8)]
    let_go(client)  # the cluster keeps nothing


def test_a_run_and_a_change_of_weights_are_the_same_to_the_bit(client: Any) -> None:
    n_draws = 128 + 5
    plain = cw.run("demo", draws=n_draws, sensitivity=False, geometry=False)
    shared = cw.run("demo", draws=n_draws, sensitivity=False, geometry=False, client=client)
    weights = {"community_needs.places": 3}
    drawn = [
        plain.certainty["left_behind"],
        shared.certainty["left_behind"],
        plain.rescore(weights, draws=n_draws).certainty["left_behind"],
        plain.rescore(weights, draws=n_draws, client=client).certainty["left_behind"],
        cw.run(
            cw.Study("demo").with_weights("community_needs", places=3),
            draws=n_draws, sensitivity=False, geometry=False,
        ).certainty["left_behind"],
    ]  # fmt: skip
    frames = [(one.to_frame(), one.draws_frame()) for one in drawn]
    assert frames[0][0].equals(frames[1][0])
    assert frames[0][1].equals(frames[1][1])
    for other in (3, 4):
        assert frames[2][0].equals(frames[other][0])
        assert frames[2][1].equals(frames[other][1])
    assert not frames[0][0].equals(frames[2][0])
    let_go(client)


def test_an_error_on_a_worker_is_the_error_that_is_raised_here(client: Any) -> None:
    # All is well above 0 until the first unit is drawn a long way out.
    made = ensemble(FORM, ERRORS, way={"z_score": {"mean": 5}}, error=1000.0)
    with pytest.raises(DataError, match="a geometric mean needs values above 0"):
        spread_of_ranks(made, N_RUNS, worst=40, client=client)
    let_go(client)


def test_an_interrupted_run_leaves_the_cluster_nothing_to_do(client: Any) -> None:
    def stop(what: str, done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spread_of_ranks(ensemble(WEIGHTS), N_RUNS, worst=40, client=client, progress=stop)
    let_go(client)


class Counting:
    """A client that works when it is asked for a result, and counts what it has not yet handed over."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers, self.held, self.most = n_workers, 0, 0

    def nthreads(self) -> dict[str, int]:
        return {f"tcp://10.0.0.{i}:1": 1 for i in range(self.n_workers)}

    def scatter(self, data: Any, *, broadcast: bool) -> Any:
        assert broadcast
        self.held += 1
        return Later(self, lambda: data, ())

    def submit(self, function: Any, shared: Any, *arguments: Any, pure: bool) -> Any:
        assert not pure  # each block is worked out for itself; nothing is looked up by its contents
        self.held += 1
        self.most = max(self.most, self.held)
        return Later(self, function, (shared.result(), *arguments))


class Later:
    def __init__(self, client: Counting, function: Any, arguments: Any) -> None:
        self.client, self.function, self.arguments = client, function, arguments

    def result(self) -> Any:
        return self.function(*self.arguments)

    def release(self) -> None:
        self.client.held -= 1


@pytest.mark.parametrize("n_workers", [0, 1, 3, 50])
def test_neither_results_nor_memory_depend_on_how_many_workers_there_are(n_workers: int) -> None:
    counting, made = Counting(n_workers), ensemble(WEIGHTS, FORM)
    same(
        spread_of_ranks(made, N_RUNS, worst=40, client=counting),
        spread_of_ranks(made, N_RUNS, worst=40),
    )
    assert counting.held == 0
    assert counting.most == 1 + min(2 * max(n_workers, 1), 8)  # and the ensemble itself


@pytest.mark.slow
def test_a_worker_may_have_several_threads() -> None:
    """One of numba's threading layers ends the process that uses it from two threads at once."""
    code = """if True:
        from concurrent.futures import ThreadPoolExecutor
        import numpy as np
        from commonweal.index import Node
        from commonweal.index.assumptions import Weights
        from commonweal.index.uncertainty import build_ensemble
        from commonweal.index.uncertainty import _alone, _ranks
        leaves = {n: {"indicator": n} for n in "ab"}
        tree = Node.model_validate({"transform": "min_max", "children": leaves})
        need = {n: np.random.default_rng(i).normal(size=20_000) for i, n in enumerate("ab")}
        made = build_ensemble("x", tree, need, [Weights(name="w", interval=0.25)])
        u = np.random.default_rng(1).random((64, 1))
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: _alone(made, _ranks, u), range(12)))
        assert all((f == found[0]).all() for f in found)
    """
    environment = os.environ | {"NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
