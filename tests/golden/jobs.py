"""What people make with the command line, each once: the commands, and where their files are found."""

from __future__ import annotations

import json
import shlex
from contextlib import chdir
from hashlib import sha256
from pathlib import Path
from platform import python_version

from typer.testing import CliRunner

from commonweal.cli.app import app
from tests.golden.content import digest, file_lines, plain

HASHES = Path(__file__).with_name("hashes.json")
SEEN = Path(__file__).with_name("seen.json")
LARGE = 20_000
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


def made(
    jobs: dict[str, str], folder: Path, seen: dict[str, str], keep: Path | None = None
) -> dict[str, str]:
    """Run commands in a folder, one after another, and give the SHA-256 of what each printed and of each file.

    Parameters
    ----------
    jobs
        Commands by name; what one writes is found in the folder of that name.
    folder
        Where they run: its path is left out of what is hashed.
    seen
        The hash of the content of large files by that of their bytes: a file with the same bytes is not
        read again. Those that are read are put in.
    keep
        A folder for the texts of what is read.
    """
    found: dict[str, str] = {}
    scrub = {str(folder): "FOLDER", python_version(): "PYTHON"}

    def hashed(name: str, lines: list[str]) -> str:
        if keep is not None:
            file = keep / f"{name}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(lines) + "\n", "utf-8")
        return digest(lines)

    for name, command in jobs.items():
        with chdir(folder):
            result = CliRunner().invoke(app, shlex.split(command.format(out=name)))
        assert result.exit_code == 0, (name, result.output, result.exception)
        found[name] = hashed(name, plain(result.output, scrub))
        for file in sorted(
            p for p in (folder / name).rglob("*") if p.is_file() and p.name[0] != "."
        ):
            of = file.relative_to(folder).as_posix()
            data = sha256(file.read_bytes()).hexdigest()
            found[of] = seen.get(data) or hashed(of, file_lines(file, scrub))
            if file.stat().st_size > LARGE:
                seen[data] = found[of]
    return found


def changed(now: dict[str, str], jobs: dict[str, str]) -> list[str]:
    """Name what is new, gone or other than what was kept of some commands."""
    known: dict[str, str] = json.loads(HASHES.read_text("utf-8"))
    before = {name: value for name, value in known.items() if name.split("/")[0] in jobs}
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
