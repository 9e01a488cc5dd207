"""Ctrl-C in the middle of `commonweal invest`, as a terminal sends it: to the whole group of processes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Ctrl-C can't be sent to one group of processes alone"
)

CASE = ("case", "demo", "--area", "Vesselhoe", "--places", "2", "--budget", "1m", "--draws", "0",
        "--kind", "library")  # fmt: skip
SITE = ("site", "demo", "--area", "Vesselhoe", "--kind", "library", "--sites", "15", "--model", "p_median",
        "--candidates", "grid:150")  # fmt: skip

SLOW = """\
import sys, time
sys.path.insert(0, {here!r})
import {module} as module
real = module.{name}
def slow(*args, **kwargs):
    {meanwhile}
    return real(*args, **kwargs)
module.{name} = slow
from commonweal.cli.app import main
main()
"""
READY = 'print("READY", flush=True); '
SLEEPS = f"{READY}time.sleep(3600)"
SOLVES = f"from test_highs import hard; from commonweal.invest.solver import TimeLimit; {READY}hard(TimeLimit(3600))"
DEAF = "from test_interrupt import deaf; deaf()"
SEEKS = f"from test_interrupt import sought; {READY}return sought(real, *args, **kwargs)"


def sought(real, *args, **kwargs):  # type: ignore[no-untyped-def]
    """Seek for as long as a solver may, and give what was found, as one that took note of Ctrl-C does."""
    from dataclasses import replace

    from commonweal.invest.solver import time_limit

    with time_limit(3600) as clock:
        while not clock.up():
            time.sleep(0.02)
    found = real(*args, **kwargs)
    return replace(found, interrupted=clock.interrupted)


def deaf() -> None:
    """Cover at random: the first linear programme takes long, and HiGHS asks nobody meanwhile."""
    import threading

    import numpy as np
    from scipy.sparse import csr_array

    from commonweal.invest import solver
    from commonweal.invest.solver import MipProblem, TimeLimit, load_highs, run_mip

    load_highs()
    solver.PATIENCE = 0.5  # it will not hear, however long one waits
    generator = np.random.default_rng(0)
    n, m = 1_500, 9_000
    matrix = csr_array((generator.random((n, m)) < 0.02).astype(float))
    cost, one, whole = generator.uniform(1, 2, m), np.ones(m), np.ones(m, np.bool_)
    threading.Timer(2, print, ("READY",), {"flush": True}).start()  # once it has presolved
    posed = MipProblem(cost, matrix, np.ones(n), np.full(n, np.inf), one, whole)
    run_mip(posed, clock=TimeLimit(3600))


def interrupted(
    words: tuple[str, ...], where: str, meanwhile: str, environment: dict[str, str], folder: Path
) -> tuple[int, str, str]:
    """Run until a function is called, let it work a moment, interrupt; give what a shell says, answer and complaint."""
    from tests.waits import started  # not above: the process has functions from here

    module, _, name = where.rpartition(".")
    code = SLOW.format(
        here=str(Path(__file__).parent), module=module, name=name, meanwhile=meanwhile
    )
    command = [sys.executable, "-c", code, "invest", *words, "--out", str(folder)]
    with started(command, cwd=folder.parent, env=environment, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        if meanwhile != SLEEPS:
            time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        said, complaint = process.communicate()
    ended = process.returncode
    return 128 - ended if ended < 0 else ended, said, complaint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that an earlier run wrote."""
    made = tmp_path / "work" / "annex"
    made.mkdir(parents=True)
    (made / "report.html").write_text("the last good one", "utf-8")
    (made / "provenance.json").write_text(
        '{"commonweal": "0.1.0", "report": "annex", "files": ["report.html"]}', "utf-8"
    )
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "where", "meanwhile"),
    [
        (CASE, "commonweal.study.run.run", SLEEPS),
        (CASE, "commonweal.invest.case.options.optimise_mix", SOLVES),
        (CASE, "commonweal.invest.siting.on_study.solve", SEEKS),
        (CASE, "commonweal.document.write.document_pdf", SLEEPS),
        (SITE, "commonweal.invest.siting.on_study.siting_effect", SLEEPS),
    ],
    ids=["study", "solver", "sites", "writing", "effect"],
)
def test_it_ends_in_one_line_and_the_last_good_folder_stays(
    words: tuple[str, ...], where: str, meanwhile: str, environment: dict[str, str], folder: Path
) -> None:
    code, said, complaint = interrupted(words, where, meanwhile, environment, folder)
    assert (code, said, complaint) == (130, "", "commonweal: stopped; nothing was half-written\n")
    assert {p.name for p in folder.iterdir()} == {"report.html", "provenance.json"}
    assert (folder / "report.html").read_text("utf-8") == "the last good one"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.slow
def test_a_solver_that_does_not_hear_is_not_waited_for(
    environment: dict[str, str], folder: Path
) -> None:
    code, said, complaint = interrupted(
        CASE, "commonweal.invest.case.options.optimise_mix", DEAF, environment, folder
    )
    assert (code, said) == (130, "")
    assert complaint == "commonweal: stopped; nothing was half-written\n"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.slow
def test_siting_gives_the_best_so_far(environment: dict[str, str], folder: Path) -> None:
    words = (*SITE, "--seconds", "600")
    code, said, complaint = interrupted(
        words, "commonweal.invest.siting.on_study.solve", READY, environment, folder
    )
    assert (code, complaint) == (0, "")
    assert "15 new venues" in said
    assert "The search was interrupted" in said
    written = json.loads((folder / "report.json").read_text("utf-8"))
    assert (written["ended"], written["proven"]) == ("interrupted", False)
    figures = written["figures"]
    assert figures["mean_m"]["value"] < figures["mean_m_before"]["value"]
    assert len(written["tables"]["sites"]) == 15
