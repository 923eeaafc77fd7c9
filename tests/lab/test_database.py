"""Switchover, failover and rejoin of the real lab's database, under a client that keeps what was confirmed to it and an
observer of all servers; neither of them is hactl.
"""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hactl.lab import Lab
from hactl.model.errors import LabError
from tests.cli.driving import script
from tests.lab.acting import Operator, until

pytestmark = [pytest.mark.lab, pytest.mark.story, pytest.mark.timeout(400)]

OK, GUARDED = 0, 7
DATABASES = ("db1", "db2", "db3")
CLIENT, KEPT = "app1", "/run/confirmed"
WRITER = (Path(__file__).parent / "load" / "writer.py").read_text(encoding="utf-8")


def psql(lab: Lab, node: str, text: str) -> str:
    """As postgres, on the node itself; "" where nobody answers."""
    argv = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "-XAtq", "-c", text]
    try:
        return lab.exec(node, argv, timeout=10).stdout.strip()
    except (LabError, subprocess.TimeoutExpired):
        return ""


def primaries(lab: Lab) -> list[str]:
    return [node for node in DATABASES if psql(lab, node, "SELECT pg_is_in_recovery()") == "f"]


@dataclass
class Observer:
    """Polls every server twice a second: the most that took writes at once, and who."""

    lab: Lab
    seen: list[list[str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.over.wait(0.5):
            self.seen.append(primaries(self.lab))

    @property
    def two(self) -> list[list[str]]:
        return [found for found in self.seen if len(found) > 1]


@dataclass
class Client:
    """Writes numbered rows on a node until told to end."""

    lab: Lab
    seconds: float = 0.0

    def begin(self, seconds: float) -> None:
        self.lab.exec(CLIENT, ["sh", "-c", "cat >/run/writer.py"], stdin=WRITER)
        self.lab.exec(CLIENT, ["rm", "-f", KEPT])
        words = [
            "systemd-run",
            "--unit=writer",
            "--collect",
            "python3",
            "/run/writer.py",
            self.lab.spec.vip,
            f"{seconds}",
            KEPT,
        ]
        self.lab.exec(CLIENT, words)
        until(lambda: len(self.confirmed()) > 50, "the client writes")

    def confirmed(self) -> list[tuple[int, float]]:
        text = self.lab.exec(CLIENT, ["sh", "-c", f"cat {KEPT} 2>/dev/null || :"]).stdout
        lines = [line.split() for line in text.splitlines()]
        return [(int(line[0]), float(line[1])) for line in lines if len(line) == 2]

    def end(self) -> None:
        self.lab.exec(CLIENT, ["sh", "-c", "systemctl stop writer 2>/dev/null; :"])

    def gap(self) -> float:
        """The longest time without a confirmed row, seconds."""
        moments = [at for _, at in self.confirmed()]
        return max(after - before for before, after in itertools.pairwise(moments))

    def lost(self, primary: str) -> list[int]:
        there = {int(word) for word in rows(self.lab, primary).split()}
        return [number for number, _ in self.confirmed() if number not in there]


def rows(lab: Lab, node: str) -> str:
    argv = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    return lab.exec(node, [*argv, "psql", "-XAtq", "-d", "shop", "-c", "SELECT n FROM numbered"]).stdout


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    until(lambda: len(primaries(lab)) == 1, "one primary")
    script(tmp_path)  # a fence asks `hactl lab power`: this one's
    one = Operator(lab, tmp_path)
    yield one
    one.kill_runner()


@pytest.fixture
def client(lab: Lab) -> Iterator[Client]:
    one = Client(lab)
    one.end()
    yield one
    one.end()


@pytest.fixture
def observer(lab: Lab) -> Iterator[Observer]:
    one = Observer(lab)
    thread = threading.Thread(target=one.watch)
    thread.start()
    yield one
    one.over.set()
    thread.join()


def standbys(lab: Lab, primary: str) -> set[str]:
    text = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"
    return set(psql(lab, primary, text).split())


def test_a_switchover_loses_nothing_and_the_old_primary_follows(
    lab: Lab, anna: Operator, client: Client, observer: Observer
) -> None:
    (old,) = primaries(lab)
    client.begin(300)
    done = anna("switchover", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    before = len(client.confirmed())
    until(lambda: len(client.confirmed()) > before, "writes flow")
    client.end()
    (new,) = primaries(lab)
    assert new != old
    assert client.lost(new) == []
    assert observer.two == []
    until(lambda: standbys(lab, new) == set(DATABASES) - {new}, "both others stream from the new primary")
    print(f"the longest time without a confirmed row: {client.gap():.2f} s")


def test_a_primary_without_power_is_replaced_and_comes_back_as_a_standby(
    lab: Lab, anna: Operator, client: Client
) -> None:
    (old,) = primaries(lab)
    client.begin(400)
    lab.faults.inject("power-off", old)
    begun = time.monotonic()
    done = anna("failover", "--yes", "--confirm", lab.spec.name, "--reason", "a test")
    assert done.returncode == OK, done.stdout + done.stderr
    print(f"from the decision to the end of the failover: {time.monotonic() - begun:.1f} s")
    (new,) = primaries(lab)
    before = len(client.confirmed())
    until(lambda: len(client.confirmed()) > before, "writes flow to the new primary")

    lab.faults.undo("power-off")  # it starts as what it was: a primary
    until(lambda: psql(lab, old, "SELECT pg_is_in_recovery()") == "f", "the old primary is back")
    served = len(rows(lab, old).split())
    time.sleep(3)
    assert len(rows(lab, old).split()) == served  # and nobody was sent to it
    done = anna("rejoin", old, "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    client.end()
    assert primaries(lab) == [new]
    assert standbys(lab, new) == set(DATABASES) - {new}
    # The power went while rows were on their way: what was confirmed and had not been sent, at most a second's worth.
    assert len(client.lost(new)) <= 100


def test_what_speaks_against_a_switchover_is_said_before_anything_is_touched(lab: Lab, anna: Operator) -> None:
    (primary,) = primaries(lab)
    one, two = (node for node in DATABASES if node != primary)
    psql(lab, one, "SELECT pg_wal_replay_pause()")
    try:
        found = refused(anna, one)
        assert "replay-paused" in found
    finally:
        psql(lab, one, "SELECT pg_wal_replay_resume()")
    lab.faults.inject("partition", two)
    try:
        assert "standby-unreachable" in refused(anna, one)
    finally:
        lab.faults.undo("partition")
    assert primaries(lab) == [primary]


def refused(anna: Operator, to: str) -> set[str]:
    """The guards that refuse a switchover to this node."""
    done = anna("switchover", "--to", to, "--plan")
    assert done.returncode == GUARDED, done.stdout + done.stderr
    return {line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line.startswith("refuse")}
