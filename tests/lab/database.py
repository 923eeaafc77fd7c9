"""The lab's database as somebody sees it who is not hactl: asked on its nodes, written to through the balancer."""

from __future__ import annotations

import itertools
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hactl.lab import Lab
from hactl.model.errors import LabError
from tests.lab.acting import Done, Operator, until

DATABASES = ("db1", "db2", "db3")
HOME = "db1"  # where the primary is in a fresh lab
SWITCHED, TWICE_A_SECOND = 90.0, 0.5  # seconds
_CLIENT, _KEPT = "app1", "/run/confirmed"
_WRITER = (Path(__file__).parent / "load" / "writer.py").read_text(encoding="utf-8")
_AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")


def psql(lab: Lab, node: str, text: str, *, database: str = "postgres", timeout: float = 10) -> str:
    """As postgres, on the node itself; "" where nobody answers."""
    argv = [*_AS_POSTGRES, "psql", "-XAtq", "-d", database, "-c", text]
    try:
        return lab.exec(node, argv, timeout=timeout).stdout.strip()
    except (LabError, subprocess.TimeoutExpired):
        return ""


def primaries(lab: Lab, *, timeout: float = 10) -> list[str]:
    """Who takes writes, whether or not anybody is sent there. All are asked at one time."""
    with ThreadPoolExecutor(len(DATABASES)) as pool:
        said = pool.map(lambda node: psql(lab, node, "SELECT pg_is_in_recovery()", timeout=timeout), DATABASES)
    return [node for node, word in zip(DATABASES, said, strict=True) if word == "f"]


def standbys(lab: Lab, primary: str) -> set[str]:
    """Who streams from it, over a slot."""
    text = "SELECT application_name FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid"
    return set(psql(lab, primary, f"{text} WHERE state = 'streaming'").split())


def others(primary: str) -> list[str]:
    return [node for node in DATABASES if node != primary]


def healthy(lab: Lab) -> bool:
    found = primaries(lab)
    return len(found) == 1 and standbys(lab, found[0]) == set(others(found[0]))


def numbers(lab: Lab, node: str) -> set[int]:
    """The rows that are there."""
    return {int(word) for word in psql(lab, node, "SELECT n FROM numbered", database="shop").split()}


def switched(lab: Lab, anna: Operator, to: str) -> Done:
    """A switchover to this node, begun when all is well."""
    until(lambda: healthy(lab), "one primary that both others stream from", SWITCHED)
    return anna("switchover", "--to", to, "--yes")


@dataclass
class Observer:
    """Asks every server twice a second. `two`: each moment at which more than one took writes."""

    lab: Lab
    seen: list[list[str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.over.wait(TWICE_A_SECOND):
            self.seen.append(primaries(self.lab, timeout=2))

    @property
    def two(self) -> list[list[str]]:
        return [found for found in self.seen if len(found) > 1]


@contextmanager
def observed(lab: Lab) -> Iterator[Observer]:
    one = Observer(lab)
    thread = threading.Thread(target=one.watch)
    thread.start()
    try:
        yield one
    finally:
        one.over.set()
        thread.join()


@dataclass(frozen=True)
class Client:
    """Writes a hundred numbered rows a second through the VIP until told to end, and keeps what was confirmed."""

    lab: Lab

    def begin(self, seconds: float = 600.0) -> None:
        self.end()
        self.lab.exec(_CLIENT, ["sh", "-c", "cat >/run/writer.py"], stdin=_WRITER)
        self.lab.exec(_CLIENT, ["rm", "-f", _KEPT])
        program = ["python3", "/run/writer.py", self.lab.spec.vip, f"{seconds}", _KEPT]
        self.lab.exec(_CLIENT, ["systemd-run", "--unit=writer", "--collect", *program])
        until(lambda: len(self.confirmed()) > 50, "the client writes")

    def confirmed(self) -> list[tuple[int, float]]:
        """Each row's number and second."""
        text = self.lab.exec(_CLIENT, ["sh", "-c", f"cat {_KEPT} 2>/dev/null || :"]).stdout
        lines = [line.split() for line in text.splitlines()]
        return [(int(line[0]), float(line[1])) for line in lines if len(line) == 2]

    def goes_on(self) -> None:
        """From now on rows are confirmed again."""
        before = len(self.confirmed())
        until(lambda: len(self.confirmed()) > before, "writes flow")

    def end(self) -> None:
        self.lab.exec(_CLIENT, ["sh", "-c", "systemctl stop writer 2>/dev/null; :"])

    def gap(self) -> float:
        """The longest time without a confirmed row, seconds."""
        moments = [at for _, at in self.confirmed()]
        return max(after - before for before, after in itertools.pairwise(moments))

    def lost(self, primary: str) -> set[int]:
        """Rows that were confirmed and are not there."""
        return {number for number, _ in self.confirmed()} - numbers(self.lab, primary)


@contextmanager
def writing(lab: Lab) -> Iterator[Client]:
    client = Client(lab)
    client.begin()
    try:
        yield client
    finally:
        client.end()


def mend(lab: Lab, anna: Operator) -> None:
    """Whatever a test left: the newest primary, and both others follow it."""
    lab.faults.undo()
    lab.up()
    primary = max(primaries(lab), key=lambda node: psql(lab, node, "SELECT pg_walfile_name(pg_current_wal_lsn())"))
    for node in others(primary):
        if node not in standbys(lab, primary):
            anna("rejoin", node, "--yes", "--override", "other-run", "--reason", "mending")
    until(lambda: healthy(lab), "one primary that both others stream from", SWITCHED)
