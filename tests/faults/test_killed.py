"""Runs ended by a signal at seeded moments of their writing: the last good folder or the new one, whole."""

from __future__ import annotations

import random
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.same import contents

from .writing import Writing, writing_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOMENTS = {signal.SIGKILL: 4, signal.SIGTERM: 2, signal.SIGINT: 2}
"""Nothing tidies up behind the first; the other two take one way out, at any moment."""

SAID = "commonweal: stopped; nothing was half-written\n"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("writing") / "kept"


@pytest.fixture
def writing(
    small: Any, environment: dict[str, str], tell: Callable[..., Any], kept: Path
) -> Writing:
    return writing_of(small, environment, tell, kept)


@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
    ids=["SIGKILL", "SIGTERM", "SIGINT"],
)
def test_a_run_that_is_ended_while_it_writes(
    writing: Writing, sent: signal.Signals, code: int
) -> None:
    counted = writing.at_event(0, 0, "two.yaml")
    assert counted.returncode == 0
    assert writing.holds("two.yaml")
    moments = random.Random(int(sent)).sample(range(1, int(counted.stderr) + 1), MOMENTS[sent])
    for turn, moment in enumerate(sorted(moments)):
        study = ("one.yaml", "two.yaml")[turn % 2]
        before = contents(writing.target)
        done = writing.at_event(sent, moment, study)
        assert done.returncode == code, (moment, done.stderr)
        now = contents(writing.target)
        assert now == before or writing.holds(study), moment
        if sent != signal.SIGKILL:
            assert done.stderr == SAID, moment
            assert writing.left() == [], moment
        # What this one has left is tidied up by the next: never more than one run's.
        assert len({name.split(".")[2] for name in writing.left()}) <= 2, moment
    done = writing.run(sys.executable, "-m", "commonweal", study="one.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert writing.holds("one.yaml")
    assert writing.left() == []
