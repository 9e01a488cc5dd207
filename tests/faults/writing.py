"""A run that writes its results, stopped or hindered at a chosen event, and what must hold after it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.same import contents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

AT_EVENT = """\
import os, signal, sys
at, number, where, *args = sys.argv[1:]
seen = 0
def hook(event, args):
    global seen
    if event.partition(".")[0] in ("open", "os", "shutil", "sqlite3") and any(
        isinstance(a, (str, bytes, os.PathLike)) and where in os.fsdecode(a) for a in args
    ):
        seen += 1
        if seen == int(at):
            os.kill(os.getpid(), int(number))
sys.argv = ["commonweal", *args]
sys.addaudithook(hook)
from commonweal.cli.app import main
try:
    main()
finally:
    if at == "0":
        print(seen, file=sys.stderr)
"""
"""Sends a signal to itself at an event that Python's audit hooks see on a path."""


def prints(folder: Path) -> dict[str, str]:
    """Checksums of all files; of the account only what does not say when and how fast it ran."""
    found = {name: hashlib.sha256(data).hexdigest() for name, data in contents(folder).items()}
    account = json.loads((folder / "provenance.json").read_text("utf-8"))
    found["provenance.json"] = str((account["study"], account["files"]))
    return found


@dataclass(frozen=True)
class Writing:
    """Two studies that write to one folder in turn, and what each of them writes.

    Attributes
    ----------
    home
        The folder that the commands run in.
    environment
        What they see.
    good
        By the study's file, the checksums of what it writes.
    """

    home: Path
    environment: Mapping[str, str]
    good: Mapping[str, Mapping[str, str]]

    @property
    def target(self) -> Path:
        return self.home / "kept" / "results"

    def command(self, study: str) -> list[str]:
        return ["run", study, "--draws", "0", "--out", "kept/results"]

    def run(self, *start: str, study: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a study behind another command."""
        return subprocess.run(
            [*start, *self.command(study)], cwd=self.home, env=self.environment, capture_output=True,
            encoding="utf-8", check=False, **how,
        )  # fmt: skip

    def at_event(self, number: int, at: int, study: str) -> subprocess.CompletedProcess[str]:
        """Run a study that gets a signal at an event; at 0 it gets none, and says how many there are."""
        script = [sys.executable, "-c", AT_EVENT, str(at), str(int(number)), "kept"]
        return self.run(*script, study=study)

    def left(self) -> list[str]:
        """Name what lies beside the results."""
        return sorted(p.name for p in self.target.parent.iterdir() if p != self.target)

    def holds(self, *studies: str) -> bool:
        """Whether the folder is whole, and that of one of these studies."""
        return prints(self.target) in [self.good[study] for study in studies]


def writing_of(
    small: Any, environment: Mapping[str, str], tell: Callable[..., Any], kept: Path
) -> Writing:
    """Write two studies and the results of each; they are run once, and kept for the tests that follow."""
    plain = {**environment, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    good: dict[str, Mapping[str, str]] = {}
    made = Writing(small.path, plain, good)
    if first := not kept.exists():
        for name in ("one", "two"):
            path = small.write(title=f"The title of study {name}", certainty=None)
            path.rename(small.path / f"{name}.yaml")
            out = small.path / "good" / name
            assert tell("run", f"{name}.yaml", "--draws", "0", "--out", out)[0] == 0
        (small.path / "kept").mkdir()
        assert tell(*made.command("one.yaml"))[0] == 0
    shutil.copytree(*((small.path, kept) if first else (kept, small.path)), dirs_exist_ok=True)
    good |= {f"{name}.yaml": prints(small.path / "good" / name) for name in ("one", "two")}
    assert made.holds("one.yaml")
    return made
