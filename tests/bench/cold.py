"""A cold question to every node, from the start of the program to the last printed line: hactl and its peers.

    python -m tests.bench.cold [--nodes 8,128,512] [--runs 5] [--peers floor,hactl,...] [--no-peers]

`hactl status` connects, asks each node for host, disks, clock and units, judges and prints a table. The floor is a bare
asyncssh script with the same tuned algorithms that runs one command (tests/bench/floor.py). Peers run one command, or
gather their facts where they have such a thing, in an environment of their own, made on demand. They run in turn,
again and again, against the same servers, each when the servers have cleared away what the last one left; what is
printed is the median.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bytecode import bytecode
from tests.bench.farm import Farm, children, enter, farm
from tests.bench.peers import PEERS, environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
Words = list[str]

# Seconds for the servers to end the sessions of the last program; a peer that keeps connections open has them longer.
_SETTLE = 3.0


@dataclass(frozen=True)
class Run:
    wall: float
    cpu: float  # user and system, of the program and its children
    memory: int  # bytes, the largest process


def hactl(served: Farm, count: int, _work: Path) -> Words:
    return [sys.executable, "-m", "hactl", "--inventory", str(served.inventory(count)), "status"]


def floor(served: Farm, count: int, _work: Path) -> Words:
    served.trust(count)
    addresses = served.addresses(count)
    return [sys.executable, str(HERE / "floor.py"), str(served.folder), str(served.port), *addresses]


def measure(words: Words, folder: Path) -> Run:
    """Run a program to its end. It must succeed: a peer that failed has not been measured."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        started = time.monotonic()
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    # hactl's own exit tells how the cluster is: a busy machine may be warned about (1) or critical (2).
    allowed = (0, 1, 2) if "hactl" in words else (0,)
    if process.returncode not in allowed:
        sys.exit(f"{' '.join(words[:6])} ... ended with {process.returncode}:\n{(folder / 'err').read_text()[-2000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def settle(served: Farm) -> None:
    """Wait until the servers have ended the sessions of the last program: they are not the next one's cost."""
    deadline = time.monotonic() + _SETTLE
    while children(served.pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def table(count: int, found: dict[str, list[Run]]) -> str:
    least = statistics.median(run.wall for run in found["floor"])
    lines = [f"{count} nodes{'wall s':>18}{'x floor':>9}{'cpu s':>9}{'MiB':>7}"]
    for name, runs in found.items():
        wall = statistics.median(run.wall for run in runs)
        cpu = statistics.median(run.cpu for run in runs)
        memory = max(run.memory for run in runs)
        lines.append(f"  {name:18}{wall:8.2f}{wall / least:9.2f}{cpu:9.2f}{memory / 2**20:7.0f}")
    return "\n".join(lines)


def programs(chosen: str, folder: Path) -> dict[str, Callable[[Farm, int, Path], Words]]:
    own: dict[str, Callable[[Farm, int, Path], Words]] = {"floor": floor, "hactl": hactl}
    wanted = [name for name in chosen.split(",") if name]
    if unknown := set(wanted) - {*own, *PEERS}:
        sys.exit(f"No such peer: {', '.join(sorted(unknown))}. There are: {', '.join([*own, *PEERS])}.")
    peers = {name: PEERS[name] for name in wanted if name in PEERS}
    python = environment(folder) if peers else Path(sys.executable)
    return own | {name: (lambda f, n, w, make=make: make(python, f, n, w)) for name, make in peers.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="8,128,512")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default=",".join(PEERS), help="peers to run beside floor and hactl; '' for none")
    parser.add_argument("--venv", type=Path, default=Path.home() / ".cache/hactl-bench", help="where the peers live")
    options = parser.parse_args()
    chosen = programs(options.peers, options.venv)  # before the network is gone: it may have to be filled
    enter()
    with farm() as served, bytecode():
        for count in map(int, options.nodes.split(",")):
            work = served.folder / f"work-{count}"
            work.mkdir()
            commands = {name: make(served, count, work) for name, make in chosen.items()}
            found: dict[str, list[Run]] = {name: [] for name in commands}
            for turn in range(options.runs + 1):
                for name, words in commands.items():
                    settle(served)
                    run = measure(words, work)
                    if turn:  # the first run fills what is cached: bytecode, the validated inventory
                        found[name].append(run)
            print(table(count, found), flush=True)
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
