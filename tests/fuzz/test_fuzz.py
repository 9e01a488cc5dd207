"""Hundreds of broken inputs of every format: a result or a plain error, never a fault, a hang or a crash."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.formats import FUZZERS
from tests.fuzz.harness import ACCEPTED, CLEAN, RUN, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES, SEED = 300 if os.environ.get("CI") == "true" else 100, 1
"""More in the gate than beside one's work; `make fuzz` tries as many as one likes."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One process for all fuzzers: starting one takes longer than a hundred cases."""
    worker = Worker(tmp_path_factory.mktemp("fuzz"))
    yield worker
    worker.close()


@pytest.mark.parametrize("name", FUZZERS)
def test_broken_input_ends_in_a_result_or_a_plain_error(name: str, worker: Worker) -> None:
    account = worker.fuzz(name, CASES, SEED)
    assert not account.faults, "\n".join(account.lines())
    assert account.cases == CASES
    # It is a test of something only if some inputs are taken and some refused.
    assert account.ends[ACCEPTED] + account.ends[RUN] > CASES / 50
    assert account.ends[CLEAN] > CASES / 50
