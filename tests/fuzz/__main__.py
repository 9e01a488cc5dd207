"""Run the fuzzers: `python -m tests.fuzz --cases 3000`, or one case again from its folder."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.fuzz.formats import FUZZERS
from tests.fuzz.harness import Account, Worker, bound_case, bound_process, table, try_case, work


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="of each fuzzer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=FUZZERS, default=list(FUZZERS))
    parser.add_argument(
        "--out", type=Path, help="where the files of what does not end well are kept"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--again", nargs=2, metavar=("FUZZER", "FOLDER"), help="run one case")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        work(asked.worker, FUZZERS)
        return 0
    if asked.again:
        name, folder = asked.again
        bound_process()
        bound_case()
        end, where, told = try_case(FUZZERS[name], Path(folder))
        print(f"{end} {where}\n{told}")
        return 0
    out = asked.out or Path(tempfile.mkdtemp(prefix="fuzz-"))

    workers: SimpleQueue[Worker] = SimpleQueue()
    for n in range(asked.processes):
        workers.put(Worker(out / str(n)))

    def fuzz(name: str) -> Account:
        worker = workers.get()
        account = worker.fuzz(name, asked.cases, asked.seed)
        workers.put(worker)
        print(f"{name}: {account.cases:,} cases, {account.seconds:.0f} s", file=sys.stderr)
        return account

    with ThreadPoolExecutor(asked.processes) as pool:
        accounts = list(pool.map(fuzz, asked.only))
    for _ in range(asked.processes):
        workers.get().close()
    print(table(accounts))
    faults = [line for account in accounts for line in account.lines()]
    print("\n".join(["", *faults]) if faults else "\nNo raw error, no hang, no crash.")
    if not faults and asked.out is None:
        shutil.rmtree(out)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
