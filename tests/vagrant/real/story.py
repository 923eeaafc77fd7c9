"""What is done with the machines, each part with its time; run inside of the world that `world` makes.

python -m tests.vagrant.real.story FOLDER BOX SECONDS [--nodes A,B] [--hold]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.vagrant.real import box

SMALLEST = "lb1,app1,app2,db1,db2,backup1"
HACTL = (sys.executable, "-m", "hactl")
LAB = (*HACTL, "lab", "--backend", "vagrant")
_WHY = ("--yes", "--reason", "test-vagrant")
_UNTOUCHED = (1, 4, 7)  # not all is well, a node could not be asked, a guard refuses
_TRIES = 5
_PATIENT = "connect_timeout = 60 # emulated nodes take long over a key exchange\n"


class PartError(Exception):
    """A part did not end as it should."""


@dataclass(slots=True)
class Story:
    """The parts that were done: name, seconds."""

    parts: list[tuple[str, float]] = field(default_factory=list)

    def part(self, name: str, argv: Sequence[str], *, code: int = 0, tries: int = 1) -> str:
        """Runs `argv`, which must exit with `code`; what it wrote to standard output, which is shown too.

        `tries`: so often at most, while nothing was touched because nodes were too busy to answer.
        """
        for left in reversed(range(tries)):
            print(f"\n--- {name}", flush=True)
            began = time.monotonic()
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
            self.parts.append((name, time.monotonic() - began))
            print(done.stdout, end="", flush=True)
            if done.returncode == code:
                return done.stdout
            if done.returncode not in _UNTOUCHED or not left:
                break
        raise PartError(f"{name} ended with status {done.returncode}, not {code}")

    def told(self) -> str:
        wide = max(len(name) for name, _ in self.parts)
        return "\n".join(f"  {name:<{wide}}  {seconds:7.1f} s" for name, seconds in self.parts)


def whole(nodes: str) -> bool:
    """Whether these make a cluster that can be worked with: two servers of the shop, two databases, and the rest."""
    return not nodes or set(SMALLEST.split(",")) <= set(nodes.split(","))


def up(story: Story, made: Path, nodes: str) -> str:
    """The machines are up; the path of their inventory."""
    story.part("box added", ["vagrant", "box", "add", "--name", box.NAME, str(made)])
    story.part("lab up", [*LAB, "up", *(["--nodes", nodes] if nodes else [])])
    story.part("lab up again", [*LAB, "up", *(["--nodes", nodes] if nodes else [])])
    inventory = Path(story.part("lab inventory", [*LAB, "inventory"]).strip())
    text = inventory.read_text(encoding="utf-8")
    inventory.write_text(text.replace("[ssh]\n", f"[ssh]\n{_PATIENT}", 1), encoding="utf-8")
    return str(inventory)


def operate(story: Story, inventory: str) -> None:
    """What an operator does with a cluster that is well."""
    story.part("status", [*HACTL, "-i", inventory, "status"], tries=_TRIES)
    story.part("drain app1", [*HACTL, "-i", inventory, "drain", "app1", *_WHY], tries=_TRIES)
    story.part("undrain app1", [*HACTL, "-i", inventory, "undrain", "app1", *_WHY], tries=_TRIES)
    plan = story.part("switchover, dry", [*HACTL, "-i", inventory, "switchover", "--plan"], tries=_TRIES)
    if "db2" not in plan:
        raise PartError("the plan of a switchover does not name the standby")


def break_things(story: Story) -> None:
    """Faults that the backend can do, each taken back; and one that it cannot."""
    for fault in (
        ("service-stop", "app1"),
        ("disk-full", "app1"),
        ("partition", "app1"),
        ("power-off", "app1"),
    ):
        story.part(" ".join(("fault", *fault)), [*LAB, "fault", *fault])
        if fault[0] == "power-off" and story.part("power app1", [*LAB, "power", "app1"]) != "off\n":
            raise PartError("app1 is not off")
        story.part(f"fault undo {fault[0]}", [*LAB, "fault", "undo"])
    story.part("fault freeze (refused)", [*LAB, "fault", "freeze", "app1"], code=2)
    story.part("lab exec", [*LAB, "exec", "app1", "--", "hostname"])
    story.part("lab status", [*LAB, "status"])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("box", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--nodes", default="")
    parser.add_argument("--hold", action="store_true")
    options = parser.parse_args()
    os.environ |= {"HACTL_LAB_BOX": box.NAME, "VAGRANT_DEFAULT_PROVIDER": "libvirt"}
    story, code = Story([("box made", options.seconds)]), 0
    try:
        inventory = up(story, options.box, options.nodes)
        if whole(options.nodes):
            operate(story, inventory)
        break_things(story)
    except (PartError, ValueError, OSError) as error:
        print(f"test-vagrant: {error}", file=sys.stderr)
        code = 1
    if options.hold:
        print("holding; the end of standard input (ctrl-d) goes on", flush=True)
        sys.stdin.read()
    try:
        story.part("lab down", [*LAB, "down", "--now", "--disks"])
    except PartError as error:
        print(f"test-vagrant: {error}", file=sys.stderr)
        code = 1
    print(f"\n{'done' if code == 0 else 'FAILED'}\n{story.told()}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
