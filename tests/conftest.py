"""A study of twenty places that can be checked by hand, and the command line as a user runs it."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# One thread a process, its children included: there are as many workers as cores, and small tables are
# done before other threads wake. Numba may have two in this process, for tests of what threads change.
os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ.setdefault("NUMBA_NUM_THREADS", "2")  # one in the fuzzers' own processes

# A shell that starts a job in the background lets it ignore Ctrl-C, and every process it starts after it: those
# that tests interrupt would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numba
import pytest
import yaml
from hypothesis import HealthCheck, settings

from commonweal.sources import Store
from commonweal.study.run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from commonweal.study.results import Results

TESTS = Path(__file__).parent

# On a loaded machine the same examples take longer: neither a deadline nor a slow start is a failure.
# In the gate examples are the same each time: where CI is set, hypothesis begins with its own profile, "ci", and
# what is registered here goes on from it. Elsewhere they are drawn anew.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("fast", settings.get_profile("any machine"), max_examples=15)
settings.load_profile("any machine")
numba.set_num_threads(1)

SLOW = {
    TESTS / name
    for name in (
        *("faults", "fuzz", "golden", "invest/case", "real", "report/place", "report/session"),
        *("scenarios", "report/test_english.py", "report/test_report.py"),
        *("report/test_survey.py", "report/test_wealth.py"),
        *("report/study/test_folder.py", "report/study/test_social_capital.py"),
        *("social_capital/neighbourhoods/test_estimate.py", "small_areas/test_mrp.py"),
        *("study/small_areas/test_files.py", "invest/portfolio/test_choose.py", "invest/tracker"),
        *("index/test_benefit.py", "index/test_cluster.py", "index/test_plots.py"),
        *("test_bad_input.py", "cli/test_cli.py", "test_docs.py"),
        *("study/test_focus.py", "study/test_own_areas.py", "study/test_years.py"),
        *("web/test_api.py", "web/test_browser.py", "web/test_schema.py"),
    )
}
"""Folders and files that `make test-fast` leaves out, besides tests marked as slow."""

SLOW_FIXTURES = {"browser", "cli"}
"""They start a browser, or the command line as a process of its own."""

SHARED = {"open_england", "on_units", "run_once", "wards_2019"}  # of tests/real/conftest.py


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do without reading what is left out."""
    return (config.option.markexpr == "not slow" and collection_path in SLOW) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and let the longest start first: no worker waits for another at the end.

    While one worker compiles the engine for the runs that real data share, the next tests what needs little of it:
    so nothing is compiled twice.
    """
    names = ("access", "sources", "real", "test_docs.py", "fuzz", "faults", "cli", "web", "index")
    first = [*real_shared(), *(TESTS / name for name in names)]

    @functools.cache
    def turn(file: Path) -> int:
        return next((n for n, path in enumerate(first) if path in within(file)), len(first))

    @functools.cache
    def within(file: Path) -> set[Path]:
        return {file, *file.parents}

    items.sort(key=lambda item: turn(item.path))
    for item in items:
        starts = SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if starts or not SLOW.isdisjoint(within(item.path)):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Leave out of every later collection of garbage what stays for the whole run: the tests and what they import."""
    gc.collect()
    gc.freeze()


def real_shared() -> list[Path]:
    """Give the files on real data that share a run, in one order for all workers."""
    files = sorted((TESTS / "real").glob("test_*.py"))
    return [file for file in files if any(s in file.read_text("utf-8") for s in SHARED)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep on one worker the tests that share what takes long to make.

    These are the tests of a room with fixtures of its own, of the files on real data that share a run,
    and of any other file.
    """
    from xdist.scheduler import LoadScopeScheduling

    rooms = {file.parent for file in TESTS.glob("*/**/conftest.py")} - {TESTS / "real"}
    real = real_shared()

    class ByRoom(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = config.rootpath / nodeid.partition("::")[0]
            if file in real:
                return "real"
            return next((str(f) for f in file.parents if f in rooms), str(file))

        def remove_node(self, node: Any) -> str | None:
            """Name the test that ended its worker, and leave it out of what others go on with."""
            units = self.assigned_work[node].values()
            left = ((unit, test) for unit in units for test, done in unit.items() if not done)
            unit, ended = next(left, ({}, None))
            if ended is not None:
                unit[ended] = True
            super().remove_node(node)
            return ended

        def _reschedule(self, node: Any) -> None:
            """Give two tests at least, or say that no more come: a worker holds its last back until it knows."""
            super()._reschedule(node)
            while (
                self.workqueue
                and not node.shutting_down
                and self._pending_of(self.assigned_work[node]) < 2
            ):
                self._assign_work_unit(node)
            if not self.workqueue and not node.shutting_down:
                node.shutdown()

    return ByRoom(config, log)


def recipe() -> dict[str, Any]:
    """The worst fifth (four) on income and on halls: A20, A18 and A17, 5,500 people."""
    indicator = {"file": "indicators.csv", "higher_is": "more"}
    return {
        "title": "Twenty places",
        "areas": {
            "file": "areas.csv",
            "code": "code",
            "name": "name",
            "population": "population",
            "parents": {"district": ["district", "district_name"]},
            "singular": "place",
            "plural": "places",
        },
        "indicators": {
            "income": {"label": "Low income", "column": "income", **indicator},
            "halls": {"column": "halls", **indicator, "higher_is": "less"},
        },
        "index": {
            "deprivation": {"children": {"income": {"indicator": "income"}}},
            "community_needs": {
                "label": "Community needs",
                "children": {"halls": {"indicator": "halls"}},
            },
        },
        "designate": {
            "priority": {
                "all": [
                    {"index": "deprivation", "worst": "20%"},
                    {"index": "community_needs", "worst": "20%"},
                ]
            }
        },
        "certainty": {"draws": 200, "seed": 1, "vary": [{"cut": [0.7, 1.3]}]},
        "briefing": {"label": "a priority"},
    }


def areas_csv() -> str:
    """A01 to A20: 100 people in the first, 2,000 in the last; ten of them in each district."""
    where = ["N,Northside"] * 10 + ["S,Southside"] * 10
    lines = [f"A{i:02d},Place {i},{100 * i},{w}" for i, w in enumerate(where, start=1)]
    return "\n".join(["code,name,population,district,district_name", *lines]) + "\n"


def indicators_csv() -> str:
    """Need on income grows with the number; halls fall with it, but A10 and A19 change places.

    The worst four on income are A20, A19, A18, A17; on halls A20, A10, A18, A17 (in this order).
    """
    halls = {i: 21 - i for i in range(1, 21)} | {10: 2, 19: 11}
    lines = [f"A{i:02d},{i},{halls[i]},0.5" for i in range(1, 21)]
    return "\n".join(["code,income,halls,income_se", *lines]) + "\n"


@dataclass(frozen=True)
class Small:
    """The small study in a folder of its own, to be changed at will."""

    path: Path
    store: Store

    @property
    def study(self) -> Path:
        return self.path / "study.yaml"

    @property
    def areas(self) -> Path:
        return self.path / "areas.csv"

    @property
    def indicators(self) -> Path:
        return self.path / "indicators.csv"

    def write(self, **changes: Any) -> Path:
        """Write the recipe with changes: ``a__b__0="x"`` sets a.b[0]; None leaves a key out."""
        tree: Any = recipe()
        for path, value in changes.items():
            *parents, last = (int(k) if k.isdigit() else k for k in path.split("__"))
            at = tree
            for key in parents:
                at = at[key]
            if value is None:
                del at[last]
            else:
                at[last] = value
        self.study.write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), "utf-8")
        return self.study

    def replace(self, file: Path, old: str, new: str) -> Path:
        """Change one thing in a file; give the study."""
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file.name}"
        file.write_text(text.replace(old, new), "utf-8")
        return self.study

    def run(self, study: Path | None = None, **options: Any) -> Results:
        """Run it as a library."""
        return run(study or self.study, self.store, **options)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of the tests' own: the fictional county is generated into it once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small(tmp_path: Path, cache: Path) -> Small:
    """The study of twenty places, in a folder of its own."""
    folder = Small(tmp_path, Store(cache=cache, offline=True))
    folder.areas.write_text(areas_csv(), "utf-8")
    folder.indicators.write_text(indicators_csv(), "utf-8")
    folder.write()
    return folder


@pytest.fixture(scope="session")
def environment(cache: Path) -> dict[str, str]:
    """What a command sees: no mirror and no network, unless a test gives one."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("COMMONWEAL_")}
    own |= {"COMMONWEAL_CATALOGUE": str(cache / "catalogue")}  # not the user's
    own |= {"NUMBA_NUM_THREADS": "1"}
    return {**own, "COMMONWEAL_CACHE": str(cache), "COMMONWEAL_OFFLINE": "1", "TZ": "UTC"}


@pytest.fixture
def cli(
    environment: dict[str, str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own, in the test's folder."""

    def command(*args: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "commonweal", *map(str, args)],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return command


@pytest.fixture
def tell(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: exit code, what it printed, and what it complained."""
    from commonweal.cli.app import main

    def command(*args: str | Path, **variables: str) -> tuple[int, str, str]:
        monkeypatch.delenv("COMMONWEAL_MIRROR", raising=False)
        for key, value in {**environment, **variables}.items():
            if key.startswith("COMMONWEAL_"):
                monkeypatch.setenv(key, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["commonweal", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return command


@pytest.fixture(scope="session", autouse=True)
def read_in_copies() -> Iterator[None]:
    """Read each file in a copy of one process that is kept ready: starting one takes most of the time."""
    from tests.fuzz.apart import Kept

    if not hasattr(os, "fork"):
        yield
        return
    with Kept() as kept, pytest.MonkeyPatch.context() as change:
        change.setattr("commonweal.sources.sandbox.subprocess", kept)
        yield


@pytest.fixture(scope="session", autouse=True)
def without_waiting_for_the_disk() -> Iterator[None]:
    """Let the system write in its own time what this process has it write: to wait takes longer than to make it.

    Processes that tests start wait as they do for users; a descriptor that is none is still an error.
    """
    with pytest.MonkeyPatch.context() as change:
        change.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture
def read_as_users_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each file in a fresh process, as the program does."""
    monkeypatch.setattr("commonweal.sources.sandbox.subprocess", subprocess)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser; without one the tests are skipped, and fail in the gate."""
    library = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        assert os.environ.get("CI") != "true", "no chromium on the path"
        pytest.skip("no chromium on the path")
    with library.sync_playwright() as started:
        # Pages are drawn without a graphics processor, and so are maps: to imitate one takes far longer.
        arguments = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
        browser = started.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
