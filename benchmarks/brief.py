"""How long a briefing pack takes: the 225 wards in HTML and PDF, and one place said.

Claims on two cores: the whole pack of left-behind-2019 (overview, every profile, workbook, charts of
the overview, zip) in 60 s; one place of open-england in 5 ms. Needs the data (COMMONWEAL_MIRROR or the
network). The study is run before the clock starts.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from commonweal.report.place import describer
from commonweal.report.place.pack import write_pack
from commonweal.study.names import find_scope
from commonweal.study.run import run

PACK_S, PLACE_S, PLACES = 60.0, 0.005, 500


def pack() -> None:
    results = run("left-behind-2019", draws=200)
    scope = find_scope(results.areas, [])
    with tempfile.TemporaryDirectory() as folder:
        for name in ("warm", "again"):  # the first pays for imports
            start, work = time.perf_counter(), time.process_time()
            made = write_pack(results, scope, Path(folder) / name)
            seconds, busy = time.perf_counter() - start, time.process_time() - work
        profiles = len(list((made / "profiles").glob("*.pdf")))
    print(
        f"pack of {profiles} profiles: {seconds:.1f} s, {seconds / PACK_S:.2f} of the {PACK_S:g} s claimed "
        f"({busy:.1f} s of processor time)"
    )


def place() -> None:
    results = run("open-england", draws=100, sensitivity=False, geometry=False)
    start = time.perf_counter()
    say = describer(results)
    ready = time.perf_counter() - start
    step = len(results.areas) // PLACES
    start, work = time.perf_counter(), time.process_time()
    for row in range(0, step * PLACES, step):
        say(row).to_dict()
    each, busy = (
        (now - then) / PLACES
        for now, then in ((time.perf_counter(), start), (time.process_time(), work))
    )
    print(
        f"one place of {len(results.areas):,}: {each * 1000:.1f} ms, {each / PLACE_S:.2f} of the "
        f"{PLACE_S * 1000:g} ms claimed ({busy * 1000:.1f} ms of processor time); {ready:.1f} s to get ready"
    )


if __name__ == "__main__":
    pack()
    place()
