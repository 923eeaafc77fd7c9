"""A VIP moved again and again under a client's load: how long the client had no answer, each time.

    python -m tests.bench.vip [--times 20] [--lab NAME] [--rate 100]

Needs root and a machine that hosts the lab. A move takes about half a minute, most of which is the run's own proof.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from hactl.lab import Lab
from tests.lab.acting import Operator, until
from tests.lab.load.watching import load
from tests.lab.test_playbooks import holder, other


def once(lab: Lab, anna: Operator, rate: float) -> tuple[float, int, str]:
    """The client's longest time without an answer, its failed requests, and what went wrong with the move."""
    free = other(lab)
    with load(lab, rate) as sent:
        done = anna("vip", "move", "--to", free, "--yes")
    wrong = "" if done.returncode == 0 and holder(lab) == free else done.stderr.strip() or f"exit {done.returncode}"
    return float(str(sent["gap"])), int(str(sent["failed"])), wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--lab", default="vip")
    parser.add_argument("--rate", type=float, default=100.0)
    chosen = parser.parse_args()
    lab = Lab(chosen.lab)
    lab.up()
    until(lambda: holder(lab) != "", "a holder of the VIP")
    gaps, bad = [], 0
    with tempfile.TemporaryDirectory() as folder:
        anna = Operator(lab, Path(folder))
        for number in range(1, chosen.times + 1):
            gap, failed, wrong = once(lab, anna, chosen.rate)
            gaps.append(gap)
            bad += bool(wrong)
            print(f"{number:3}  gap {gap:5.2f} s  {failed} failed  {wrong or 'ok'}", flush=True)
    lab.down(now=True, disks=True)
    print(f"gap: median {statistics.median(gaps):.2f} s, longest {max(gaps):.2f} s; {bad} of {len(gaps)} went wrong")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
