"""Write the hashes anew: ``python -m tests.golden [--keep FOLDER]``, with the texts in FOLDER to set beside others."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from tests.golden.jobs import EXAMPLES, HASHES, MADE, OF_ENGLAND, SEEN, made

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--keep", type=Path, help="a folder for the texts")
keep = parser.parse_args().keep
seen: dict[str, str] = {}
with tempfile.TemporaryDirectory() as folder:
    work = Path(shutil.copytree(EXAMPLES, Path(folder) / "work"))
    hashes = made(MADE | OF_ENGLAND, work, seen, keep)
for file, content in ((HASHES, hashes), (SEEN, seen)):
    file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")
