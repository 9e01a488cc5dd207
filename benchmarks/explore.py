"""The explorer of `open-england` (33,755 neighbourhoods) under 20 users at once, and how soon its map is there.

Claims on two cores, on loopback: 95% of profiles within 50 ms and of rescorings within 200 ms, where each of
20 users asks again half a second after an answer; the first areas drawn within 2 s of opening the page.
Users without any pause are told too, with no claim: then it is one core's work that counts.
Needs the data (COMMONWEAL_MIRROR or the network), and chromium for the map.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STUDY, USERS, SECONDS, PAUSE_S = "open-england", 20, 20.0, 0.5
CLAIMS = {"profile": 0.050, "rescore": 0.200, "first map": 2.0}


@contextmanager
def explorer() -> Iterator[str]:
    """Serve the study in a process of its own, and give its address."""
    command = [
        sys.executable,
        "-m",
        "commonweal",
        "explore",
        STUDY,
        "--draws",
        "200",
        "--port",
        "0",
        "--no-browser",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield next(line.strip() for line in server.stdout if line.startswith("http"))
        finally:
            server.terminate()


async def ask(
    host: str, port: int, questions: Callable[[], str], pause: float, until: float
) -> list[float]:
    """Ask over one connection that stays open; give the seconds of each answer."""
    reader, writer = await asyncio.open_connection(host, port)
    await asyncio.sleep(random.random() * pause)
    taken = []
    while time.perf_counter() < until:
        start = time.perf_counter()
        writer.write(f"GET {questions()} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        assert head.startswith("http/1.1 200"), head
        await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
        taken.append(time.perf_counter() - start)
        await asyncio.sleep(pause)
    writer.close()
    return taken


async def many(address: str, questions: Callable[[], str], pause: float) -> list[float]:
    """Let all users ask at once."""
    at = urlsplit(address)
    assert at.hostname
    assert at.port
    until = time.perf_counter() + SECONDS
    users = [ask(at.hostname, at.port, questions, pause, until) for _ in range(USERS)]
    return sorted(t for taken in await asyncio.gather(*users) for t in taken)


def first_map(address: str) -> list[float]:
    """Give the seconds from opening the page until the first tile of areas is drawn, three times."""
    from playwright.sync_api import sync_playwright

    taken = []
    with sync_playwright() as library:
        browser = library.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address, wait_until="commit")
            page.wait_for_selector("[data-map][data-drawn]", state="attached")
            taken.append(float(page.get_attribute("[data-map]", "data-drawn") or "nan") / 1000)
            page.close()
        browser.close()
    return sorted(taken)


def main() -> None:
    import json
    from urllib.request import urlopen

    chance = random.Random(1)
    with explorer() as address:
        page = json.load(urlopen(f"{address}api/areas?per=200&sort=name"))
        codes = [a["code"] for a in page["areas"]]
        weights = [w["key"] for w in json.load(urlopen(f"{address}api/study"))["weights"]]
        questions = {
            "profile": lambda: f"/api/areas/{chance.choice(codes)}",
            "rescore": lambda: f"/api/rescore?{chance.choice(weights)}={chance.uniform(1, 99):.1f}",
        }
        for name, question in questions.items():
            for pause in (PAUSE_S, 0.0):
                taken = asyncio.run(many(address, question, pause))
                p50, p95 = (taken[int(len(taken) * q)] for q in (0.5, 0.95))
                claim = (
                    f", {p95 / CLAIMS[name]:4.2f} of the {CLAIMS[name] * 1000:.0f} ms claimed"
                    if pause
                    else ""
                )
                print(
                    f"{name}, {USERS} users, pause {pause:g} s: {len(taken) / SECONDS:5.0f} a second; "
                    f"half within {p50 * 1000:4.0f} ms, 95% within {p95 * 1000:4.0f} ms{claim}"
                )
        if shutil.which("chromium"):
            middle = first_map(address)[1]
            print(
                f"first map: {middle:.2f} s, {middle / CLAIMS['first map']:4.2f} of the 2 s claimed"
            )


if __name__ == "__main__":
    main()
