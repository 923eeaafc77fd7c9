"""A three-node rolling upgrade whose runner is killed after its N-th event, then resumed: for every N, in one lab.

    python -m tests.bench.killed [--every 1] [--first 1] [--lab NAME] [--rate 200]

Each time the end state has to be the same, no request of a client that is not hactl may have failed, and HAProxy itself
must never have had fewer than two servers that serve. Needs root and a machine that hosts the lab; a run of every
boundary takes an hour or two.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from hactl.lab import Lab
from tests.cli.driving import ROOT
from tests.lab.acting import APPS, GOOD, Operator, all_up, set_back, versions
from tests.lab.load.watching import load, observer

MINIMUM = 2
DYING = f"{ROOT / 'tests' / 'lab' / 'dying'}:{ROOT}"
UPGRADE = ("upgrade", "--to", GOOD, "--yes", "--pause", "0")


def boundaries(anna: Operator) -> int:
    """How many events the last run has, the prober's ticks not counted."""
    done = anna("runs", "attach", "last", "-o", "jsonl")
    return sum(json.loads(line)["event"] != "ProbeTick" for line in done.stdout.splitlines())


def once(lab: Lab, home: Path, number: int, rate: float) -> str:
    """What went wrong, in a sentence; "" when nothing did."""
    set_back(lab)
    home.mkdir()
    anna = Operator(lab, home)
    with observer(lab) as seen, load(lab, rate, warm=1.0) as sent:
        first = anna(*UPGRADE, PYTHONPATH=DYING, HACTL_DIE_AT=str(number))
        again = anna("runs", "resume", "last", "--yes") if first.returncode else first
    fewest = min(one["fewest"] for one in seen.values())
    wrong = [
        f"exit {again.returncode}: {again.stderr[-500:]}" if again.returncode else "",
        f"versions {versions(lab)}" if versions(lab) != dict.fromkeys(APPS, GOOD) else "",
        "" if all_up(lab) else "not every server is up",
        f"{sent['failed']} requests failed: {sent['failures']}" if sent["failed"] else "",
        f"only {fewest} servers served" if fewest < MINIMUM else "",
        "" if anna("audit", "verify").returncode == 0 else "the journal's chain does not hold",
    ]
    return "; ".join(filter(None, wrong))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=0, help="default: as many as an undisturbed run has")
    parser.add_argument("--lab", default="killed")
    parser.add_argument("--rate", type=float, default=200.0)
    chosen = parser.parse_args()
    lab = Lab(chosen.lab)
    lab.up()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        last = chosen.last
        if not last:
            set_back(lab)
            (Path(folder) / "whole").mkdir()
            anna = Operator(lab, Path(folder) / "whole")
            anna(*UPGRADE)
            last = boundaries(anna)
        for number in range(chosen.first, last + 1, chosen.every):
            began = time.monotonic()
            wrong = once(lab, Path(folder) / str(number), number, chosen.rate)
            failed += bool(wrong)
            print(f"{number:4} of {last}  {time.monotonic() - began:5.0f} s  {wrong or 'ok'}", flush=True)
    lab.down(now=True, disks=True)
    print(f"{failed} boundaries went wrong")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
