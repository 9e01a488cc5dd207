"""Write the hashes anew: ``python -m tests.golden [--keep FOLDER]``, with the texts in FOLDER to set beside others."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from tests.golden.jobs import EXAMPLES, HASHES, MADE, OF_ENGLAND, hashes_of, made

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--keep", type=Path, help="a folder for the texts")
keep = parser.parse_args().keep
with tempfile.TemporaryDirectory() as folder:
    texts = made(MADE | OF_ENGLAND, Path(shutil.copytree(EXAMPLES, Path(folder) / "work")))
HASHES.write_text(json.dumps(hashes_of(texts), indent=1, sort_keys=True) + "\n", "utf-8")
for name, lines in texts.items() if keep else ():
    file = keep / f"{name}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", "utf-8")
