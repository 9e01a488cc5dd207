"""How soon the explorer of `open-england` answers what new places would do in an authority.

Claim on two idle cores: 95% of pages within 1 s. Asked of 40 authorities, from the smallest to the largest, one after
the other: the best three sites for a library among state schools, who is reached, what that changes in the index and
the list of all 33,755 neighbourhoods, what it costs and is worth. Needs the data (COMMONWEAL_MIRROR or the network).
"""

from __future__ import annotations

import asyncio
import time

import httpx

from commonweal.sources import Store
from commonweal.study.run import run
from commonweal.web import Explorer, create_app
from commonweal.web.explorer import plan

CLAIM_S, AUTHORITIES = 1.0, 40


async def ask(explorer: Explorer, codes: list[str]) -> tuple[list[float], list[float]]:
    transport = httpx.ASGITransport(create_app(explorer))
    taken, worked = [], []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for code in [codes[0], *codes]:  # the first is asked twice: it compiles what is compiled
            began, cpu = time.perf_counter(), time.process_time()
            answer = await client.get(f"/area/{code}/options?kind=library", timeout=60)
            taken.append(time.perf_counter() - began)
            worked.append(time.process_time() - cpu)
            assert answer.status_code in (200, 422), answer.text  # 422: no school in it
    return sorted(taken[1:]), sorted(worked[1:])


def main() -> None:
    store = Store.from_environment(None)
    results = run("open-england", store, draws=0, sensitivity=False)
    explorer = Explorer(results, planning=plan(results, store))
    sizes = results.areas.table["lad24"].value_counts(sort=True)
    every = sizes["lad24"].drop_nulls().to_list()
    step = max(len(every) // AUTHORITIES, 1)
    taken, worked = asyncio.run(ask(explorer, every[::step][:AUTHORITIES]))
    p50, p95 = (taken[int(len(taken) * q)] for q in (0.5, 0.95))
    print(
        f"options of {len(taken)} authorities: half within {p50 * 1000:.0f} ms, 95% within {p95 * 1000:.0f} ms, "
        f"{p95 / CLAIM_S:.2f} of the {CLAIM_S * 1000:.0f} ms claimed; half take "
        f"{worked[len(worked) // 2] * 1000:.0f} ms of a processor, however busy the machine is"
    )


if __name__ == "__main__":
    main()
