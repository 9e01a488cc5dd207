"""Make the pictures of the explorer in the README: its list and map, and the page of one place.

python docs/screenshots.py [STUDY]      open-england by default, all of whose sources are open
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"


def take(page: Page, name: str) -> None:
    """Take what is in sight, once the map is drawn."""
    page.wait_for_selector("[data-map][data-ready]", state="attached")
    file = IMAGES / name
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(file, optimize=True)
    print(f"{file.name}: {file.stat().st_size:,} bytes")


def main(study: str = "open-england") -> None:
    command = [sys.executable, "-m", "commonweal", "explore", study, "--port", "0", "--no-browser"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        sync_playwright() as library,
    ):
        assert server.stdout is not None
        address = next(line.strip() for line in server.stdout if line.startswith("http"))
        browser = library.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{address}?state=in")
        take(page, "explorer-list.png")
        page.locator("#list tbody th a").first.click()
        page.wait_for_url(re.compile("/area/"))
        take(page, "explorer-area.png")
        browser.close()
        server.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:])
