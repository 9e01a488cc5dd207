"""What people make with the command line, each once: the commands, and where their files are found."""

from __future__ import annotations

import json
import shlex
from contextlib import chdir
from pathlib import Path
from platform import python_version

from typer.testing import CliRunner

from commonweal.cli.app import app
from tests.golden.content import digest, file_lines, plain

HASHES = Path(__file__).with_name("hashes.json")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

MADE = {
    "maregria": "run maregria.yaml --out {out}",
    "maregria-index": "run maregria-index.yaml --out {out}",
    "maregria-years": "run maregria-years.yaml --out {out}",
    "demo": "run demo --draws 50 --out {out}",
    "show": "show 'Vesselhoe Mason Hill' --study demo --draws 50",
    "show-json": "show 'Vesselhoe Mason Hill' --study demo --draws 50 --json",
    "pack": "brief demo Vesselhoe --draws 50 --charts all --options library --out {out}",
    "session": "session demo --draws 10 --out {out}",
    "compare": "compare maregria.yaml maregria-index.yaml --out {out}",
    "social-capital": "social-capital demo --out {out}",
    "survey-example": "small-areas --example {out}",
    "survey": "survey survey-example/residents.yaml --by tenure --out {out}",
    "small-areas": "small-areas survey-example/neighbourhoods.yaml --out {out}",
    "evidence": "evidence --json",
    "appraise": "invest appraise community-hub --draws 200 --out {out}",
    "site": "invest site demo --area Vesselhoe --kind library --sites 2 --out {out}",
    "portfolio": "invest portfolio demo --area Vesselhoe --budget 2m --draws 3 --out {out}",
    "case": "invest case demo --area Vesselhoe --budget 8m --draws 20 --out {out}",
    "baseline": "invest baseline maregria-years.yaml --year 2018 --out {out}",
    "track": "invest track baseline --study maregria-years.yaml --out {out}",
}
"""On fictional places: by name, what to type."""

OF_ENGLAND = {
    "left-behind-2025": "run left-behind-2025 --draws 20 --out {out}",
    "open-england": "run open-england --draws 20 --no-sensitivity --out {out}",
    "studies": "compare left-behind-2023 left-behind-2025 --out {out}",
    "england-pack": "brief left-behind-2019 Hartlepool --draws 20 --no-sensitivity --out {out}",
    "allocate": "invest allocate appg-225 --draws 20 --out {out}",
    "discontent": "discontent --out {out}",
    "wealth": "wealth --country GBR --out {out}",
}
"""On the real files."""


def made(jobs: dict[str, str], folder: Path) -> dict[str, list[str]]:
    """Run commands in a folder, one after another, and give what they printed and wrote, as lines.

    Parameters
    ----------
    jobs
        Commands by name; what one writes is found in the folder of that name.
    folder
        Where they run: its path is left out of the lines.
    """
    found: dict[str, list[str]] = {}
    scrub = {str(folder): "FOLDER", python_version(): "PYTHON"}
    for name, command in jobs.items():
        with chdir(folder):
            result = CliRunner().invoke(app, shlex.split(command.format(out=name)))
        assert result.exit_code == 0, (name, result.output, result.exception)
        found[name] = plain(result.output, scrub)
        for file in sorted(
            p for p in (folder / name).rglob("*") if p.is_file() and p.name[0] != "."
        ):
            found[file.relative_to(folder).as_posix()] = file_lines(file, scrub)
    return found


def hashes_of(texts: dict[str, list[str]]) -> dict[str, str]:
    """Give a hash of each text."""
    return {name: digest(lines) for name, lines in texts.items()}


def changed(texts: dict[str, list[str]], jobs: dict[str, str]) -> list[str]:
    """Name what is new, gone or other than what was kept of some commands."""
    known: dict[str, str] = json.loads(HASHES.read_text("utf-8"))
    before = {name: value for name, value in known.items() if name.split("/")[0] in jobs}
    now = hashes_of(texts)
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
