"""A run whose runner is killed after its N-th event, then resumed (or undone): for every N, in one lab.

    python -m tests.bench.killed [upgrade|switchover] [--every 1] [--first 1] [--last N] [--lab NAME] [--keep]

`upgrade`, a three-node rolling upgrade: each time the end state has to be the same, no request of a client that is not
hactl may have failed, and HAProxy itself must never have had fewer than two servers that serve.

`switchover` of the database, killed while a client writes, then resumed, every second time undone: never two writable
primaries, in the end one that both others follow; nothing that was confirmed is lost, and writes flow.

Needs root and a machine that hosts the lab; a run of every boundary takes an hour or two.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hactl.lab import Lab
from tests.cli.driving import ROOT, script
from tests.lab.acting import APPS, GOOD, Done, Operator, all_up, set_back, until, versions
from tests.lab.database import SWITCHED, Client, healthy, observed, others, primaries, writing
from tests.lab.load.watching import load, observer

DYING = f"{ROOT / 'tests' / 'lab' / 'dying'}:{ROOT}"


class Act(ABC):
    """What is killed."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @abstractmethod
    def ready(self) -> tuple[str, ...]:
        """The lab as it has to be; the command that is killed."""

    @abstractmethod
    def watched(self) -> Iterator[list[str]]:
        """While it goes on and is mended; in the end the list has what others saw that may not be."""

    def mended(self, anna: Operator, number: int) -> Done:
        return anna("runs", "resume", "last", "--yes")

    @abstractmethod
    def wrong(self) -> Iterator[str]:
        """What is not as it has to be in the end."""


class Upgrade(Act):
    minimum, rate = 2, 200.0

    def ready(self) -> tuple[str, ...]:
        set_back(self.lab)
        return ("upgrade", "--to", GOOD, "--yes", "--pause", "0")

    def watched(self) -> Iterator[list[str]]:
        found: list[str] = []
        with observer(self.lab) as seen, load(self.lab, self.rate, warm=1.0) as sent:
            yield found
        fewest = min(one["fewest"] for one in seen.values())
        if sent["failed"]:
            found.append(f"{sent['failed']} requests failed: {sent['failures']}")
        if fewest < self.minimum:
            found.append(f"only {fewest} servers served")

    def wrong(self) -> Iterator[str]:
        if versions(self.lab) != dict.fromkeys(APPS, GOOD):
            yield f"versions {versions(self.lab)}"
        if not all_up(self.lab):
            yield "not every server is up"


class Switchover(Act):
    def ready(self) -> tuple[str, ...]:
        until(lambda: healthy(self.lab), "one primary that both others stream from", SWITCHED)
        (self.old,) = primaries(self.lab)
        self.to = others(self.old)[0]
        return ("switchover", "--to", self.to, "--yes")

    def watched(self) -> Iterator[list[str]]:
        found: list[str] = []
        with observed(self.lab) as seen, writing(self.lab) as client:
            yield found
            found += self._seen(client)
        found += [f"two primaries: {', '.join(names)}" for names in seen.two[:1]]

    def _seen(self, client: Client) -> Iterator[str]:
        try:
            client.goes_on()
            until(lambda: healthy(self.lab), "one primary that both others stream from")
        except AssertionError as error:
            yield str(error)
        client.end()
        for primary in primaries(self.lab):
            if lost := client.lost(primary):
                yield f"{len(lost)} confirmed rows are not on {primary}"

    def mended(self, anna: Operator, number: int) -> Done:
        """What cannot be undone any more is resumed."""
        if number % 2 == 0 and (undone := anna("runs", "undo", "last", "--yes")).returncode == 0:
            return undone
        return super().mended(anna, number)

    def wrong(self) -> Iterator[str]:
        if len(found := primaries(self.lab)) != 1:
            yield f"primaries: {', '.join(found) or 'none'}"


ACTS = {"upgrade": Upgrade, "switchover": Switchover}


def boundaries(anna: Operator) -> int:
    """How many events the last run has, the prober's ticks not counted."""
    done = anna("runs", "attach", "last", "-o", "jsonl")
    return sum(json.loads(line)["event"] != "ProbeTick" for line in done.stdout.splitlines())


def whole(act: Act, home: Path) -> int:
    """An undisturbed run, and how many events it has."""
    command, anna = act.ready(), somebody(act.lab, home)
    anna(*command)
    return boundaries(anna)


def somebody(lab: Lab, home: Path) -> Operator:
    home.mkdir()
    script(home)
    return Operator(lab, home)


def once(act: Act, home: Path, number: int) -> str:
    """What went wrong, in a sentence; "" when nothing did."""
    command, anna = act.ready(), somebody(act.lab, home)
    with contextmanager(act.watched)() as seen:
        first = anna(*command, PYTHONPATH=DYING, HACTL_DIE_AT=str(number))
        again = act.mended(anna, number) if first.returncode else first
    wrong = [*seen, *act.wrong()]
    if again.returncode:
        wrong.append(f"exit {again.returncode}: {again.stdout[-300:]} {again.stderr[-300:]}")
    if anna("audit", "verify").returncode:
        wrong.append("the journal's chain does not hold")
    return "; ".join(wrong)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", nargs="?", choices=ACTS, default="upgrade")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=0, help="default: as many as an undisturbed run has")
    parser.add_argument("--lab", default="killed")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    chosen = parser.parse_args()
    lab = Lab(chosen.lab)
    lab.up()
    act, failed = ACTS[chosen.act](lab), 0
    with tempfile.TemporaryDirectory() as folder:
        last = chosen.last or whole(act, Path(folder) / "whole")
        for number in range(chosen.first, last + 1, chosen.every):
            began = time.monotonic()
            wrong = once(act, Path(folder) / str(number), number)
            failed += bool(wrong)
            print(f"{number:4} of {last}  {time.monotonic() - began:5.0f} s  {wrong or 'ok'}", flush=True)
    if not chosen.keep:
        lab.down(now=True, disks=True)
    print(f"{failed} boundaries went wrong")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
