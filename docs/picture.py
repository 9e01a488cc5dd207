"""Make the picture of the README: the head of a report, as headless Chromium shows it.

python docs/picture.py results/left-behind-2025/report.html
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "report.png"


def main(report: str) -> None:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--window-size=1280,1900", f"--screenshot={PICTURE}"]
    subprocess.run([*command, Path(report).resolve().as_uri()], check=True, capture_output=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
