"""A switchover of the database by hactl beside the same steps by hand: how long a client's writes had to wait.

    python -m tests.bench.switchover [--times 5] [--lab NAME] [--keep]

A client writes a hundred rows a second meanwhile and keeps what was confirmed. The two take turns. By hand is
`by_hand.sh`, a shell script over ssh with connections that are open already; what it leaves to be done when writes flow
again (the standbys) is done by hactl, unmeasured. Needs root and a machine that hosts the lab.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hactl.lab import Lab
from tests.cli.driving import script
from tests.lab.acting import Operator, until
from tests.lab.database import SWITCHED, healthy, mend, others, primaries, writing

BY_HAND = Path(__file__).with_name("by_hand.sh")
Way = Callable[[Lab, Operator, str, str, str], int]


def by_hactl(lab: Lab, anna: Operator, old: str, new: str, other: str) -> int:
    return anna("switchover", "--to", new, "--yes").returncode


def by_hand(lab: Lab, anna: Operator, old: str, new: str, other: str) -> int:
    words = ["sh", str(BY_HAND), str(lab.paths.ssh_config), old, new, other]
    return subprocess.run(words, check=False, stdin=subprocess.DEVNULL, timeout=120).returncode


WAYS: dict[str, Way] = {"hactl": by_hactl, "by hand": by_hand}


def once(lab: Lab, anna: Operator, way: Way) -> tuple[float, float, str]:
    """The longest time without a confirmed row; seconds altogether; what went wrong."""
    until(lambda: healthy(lab), "one primary that both others stream from", SWITCHED)
    (old,) = primaries(lab)
    new, other = others(old)
    with writing(lab) as client:
        begun = time.monotonic()
        code = way(lab, anna, old, new, other)
        took = time.monotonic() - begun
        client.goes_on()
        gap = client.gap()
        client.end()
        lost = client.lost(new)
    wrong = [f"exit {code}"] * (code != 0) + [f"{len(lost)} rows lost"] * bool(lost)
    if not healthy(lab):
        mend(lab, anna)
    return gap, took, "; ".join(wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--lab", default="switchover")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    chosen = parser.parse_args()
    lab, bad = Lab(chosen.lab), 0
    lab.up()
    gaps: dict[str, list[float]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        script(Path(folder))
        anna = Operator(lab, Path(folder))
        for _ in range(chosen.times):
            for name, way in WAYS.items():
                gap, took, wrong = once(lab, anna, way)
                gaps[name].append(gap)
                bad += bool(wrong)
                print(f"{name:8}  writes waited {gap:5.2f} s, {took:5.1f} s in all  {wrong or 'ok'}", flush=True)
    if not chosen.keep:
        lab.down(now=True, disks=True)
    for name, seconds in gaps.items():
        print(f"{name:8}  median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
