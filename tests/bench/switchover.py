"""A switchover of the database by hactl beside others' in the same lab: how long a client's writes had to wait.

    python -m tests.bench.switchover [--times 5] [--lab NAME] [--keep] [--ways 'hactl,by hand,repmgr']

A client writes a hundred rows a second meanwhile and keeps what was confirmed. The ways take turns. By hand is
`by_hand.sh`, a shell script over ssh with connections that are open already; what it leaves to be done when writes flow
again (the standbys) is done by hactl, unmeasured. repmgr is installed for it and taken away (`repmgr.py`). Needs root,
a machine that hosts the lab, and for repmgr one that has package sources.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hactl.lab import Lab
from tests.bench.repmgr import Repmgr
from tests.cli.driving import script
from tests.lab.acting import Operator, until
from tests.lab.database import SWITCHED, healthy, mend, others, primaries, switched, writing

BY_HAND = Path(__file__).with_name("by_hand.sh")


@dataclass(frozen=True)
class Bench:
    lab: Lab
    anna: Operator
    repmgr: Repmgr


Way = Callable[[Bench, str, str, str], int]
"""From the old primary to the new one; the third server follows. The exit status."""


def by_hactl(bench: Bench, old: str, new: str, other: str) -> int:
    return bench.anna("switchover", "--to", new, "--yes").returncode


def by_hand(bench: Bench, old: str, new: str, other: str) -> int:
    words = ["sh", str(BY_HAND), str(bench.lab.paths.ssh_config), old, new, other]
    return subprocess.run(words, check=False, stdin=subprocess.DEVNULL, timeout=120).returncode


def by_repmgr(bench: Bench, old: str, new: str, other: str) -> int:
    return bench.repmgr.switchover(new)


WAYS: dict[str, Way] = {"hactl": by_hactl, "by hand": by_hand, "repmgr": by_repmgr}


def once(bench: Bench, name: str) -> tuple[float, float, str]:
    """The longest time without a confirmed row; seconds altogether; what went wrong."""
    lab = bench.lab
    until(lambda: healthy(lab), "one primary that both others stream from", SWITCHED)
    (old,) = primaries(lab)
    new, other = others(old)
    if name == "repmgr":
        bench.repmgr.know()
    with writing(lab) as client:
        begun = time.monotonic()
        code = WAYS[name](bench, old, new, other)
        took = time.monotonic() - begun
        client.goes_on()
        gap = client.gap()
        client.end()
        lost = client.lost(new)
    wrong = [f"exit {code}"] * (code != 0) + [f"{len(lost)} rows lost"] * bool(lost)
    if not healthy(lab):
        mend(lab, bench.anna)
    return gap, took, "; ".join(wrong)


def measured(bench: Bench, ways: list[str], times: int) -> tuple[dict[str, list[float]], int]:
    """The seconds of each way, and how many went wrong."""
    gaps: dict[str, list[float]] = {name: [] for name in ways}
    bad = 0
    for _ in range(times):
        for name in ways:
            gap, took, wrong = once(bench, name)
            gaps[name].append(gap)
            bad += bool(wrong)
            print(f"{name:8}  writes waited {gap:5.2f} s, {took:5.1f} s in all  {wrong or 'ok'}", flush=True)
    return gaps, bad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--lab", default="switchover")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    parser.add_argument("--ways", default=",".join(WAYS), help="which, in turns")
    chosen = parser.parse_args()
    ways, lab = chosen.ways.split(","), Lab(chosen.lab)
    lab.up()
    with tempfile.TemporaryDirectory() as folder:
        script(Path(folder))
        bench = Bench(lab, Operator(lab, Path(folder)), Repmgr(lab, Path(folder) / "repmgr"))
        if "repmgr" in ways:
            bench.repmgr.set_up()
        gaps, bad = measured(bench, ways, chosen.times)
        if "repmgr" in ways and chosen.keep:
            bench.repmgr.take_away()
            switched(lab, bench.anna, others(primaries(lab)[0])[0])  # whose slots and standbys are hactl's again
    if not chosen.keep:
        lab.down(now=True, disks=True)
    for name, seconds in gaps.items():
        print(f"{name:8}  median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
