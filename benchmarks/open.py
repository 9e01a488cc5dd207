"""What a finished run of `left-behind-2025` costs to open: `show` of one neighbourhood, and the explorer.

Claims, in processor time: `show "Lincoln 007C"` at most 1.5 s, the explorer ready to answer at most 3 s, `import
commonweal` at most 50 ms. The run itself stands beside them. Needs the data (COMMONWEAL_MIRROR or the network).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

STUDY, AREA = "left-behind-2025", "Lincoln 007C"
RUN = [sys.executable, "-m", "commonweal", "run", STUDY]
SHOW = [sys.executable, "-m", "commonweal", "show", AREA, "--study", STUDY]
EXPLORE = f"""
from commonweal.sources import Store
from commonweal.study.fingerprint import load_asked, open_or_run
from commonweal.web.explorer import open_explorer
store = Store.from_environment()
results = open_or_run(load_asked("{STUDY}"), store, sensitivity=False)
open_explorer(results, store.cache, store=store)
"""
TRIES = {
    "import commonweal": ([sys.executable, "-c", "import commonweal"], 0.05),
    f"show {AREA!r}": (SHOW, 1.5),
    "the explorer is ready": ([sys.executable, "-c", EXPLORE], 3.0),
}


def processor_seconds(command: list[str], folder: Path) -> float:
    """Run a command in a folder, and give the processor time that it took."""
    before = os.times()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = processor_seconds(RUN, folder)
        print(f"the run: {whole:.1f} s of processor time")
        empty = processor_seconds([sys.executable, "-c", ""], folder)
        for what, (command, claim) in TRIES.items():
            processor_seconds(command, folder)  # compiled code and map tiles are made once
            taken = min(processor_seconds(command, folder) for _ in range(3))
            if what.startswith("import"):
                taken -= empty
            print(
                f"{what}: {taken:.3f} s, {taken / whole:.3f} of the run, {taken / claim:.2f} of the claim"
            )


if __name__ == "__main__":
    main()
