"""The VIP moved, kept away and let back in the real lab, under a client's load, with keepalived preempting and not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.lab.acting import BALANCERS, Operator, until
from tests.lab.load.client import KEPT
from tests.lab.load.watching import load
from tests.lab.test_playbooks import HOLD, OK, UNDER_WAY, UNDONE, holder, other

pytestmark = [pytest.mark.lab, pytest.mark.story, pytest.mark.timeout(300)]

CONF = "/etc/keepalived/keepalived.conf"
RATE = 50.0
GAP = 5.0  # seconds; what the lab's client may have waited at most, on a busy machine


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    until(lambda: holder(lab) != "", "a holder of the VIP")
    one = Operator(lab, tmp_path)
    yield one
    one.kill_runner()
    for name in BALANCERS:
        lab.exec(name, ["sh", "-c", f"echo 0 >{HOLD}"])


@contextmanager
def preempting(lab: Lab) -> Iterator[str]:
    """The first balancer takes the address whenever it may. Its name."""
    first = BALANCERS[0]
    for name in BALANCERS:
        lab.exec(name, ["sed", "-i.kept", "s/^ *nopreempt/    # nopreempt/", CONF])
        lab.exec(name, ["systemctl", "reload", "keepalived"])
    try:
        until(lambda: holder(lab) == first, f"{first} to take the VIP")
        yield first
    finally:
        for name in BALANCERS:
            lab.exec(name, ["mv", f"{CONF}.kept", CONF])
            lab.exec(name, ["systemctl", "reload", "keepalived"])


def test_it_moves_there_and_back_and_the_gap_is_told(lab: Lab, anna: Operator) -> None:
    for _ in range(2):
        had, free = holder(lab), other(lab)
        with load(lab, RATE) as sent:
            done = anna("vip", "move", "--to", free, "--yes")
        assert done.returncode == OK, done.stdout + done.stderr
        assert "longest gap" in done.stdout
        assert holder(lab) == free
        assert lab.exec(had, ["cat", HOLD]).stdout.strip() == "0"
        assert float(str(sent["gap"])) < GAP
        assert int(str(sent["failed"])) <= KEPT + UNDER_WAY


def test_it_stays_away_until_that_is_ended(lab: Lab, anna: Operator) -> None:
    had, free = holder(lab), other(lab)
    done = anna("vip", "release", "--yes", "--reason", "new card")
    assert done.returncode == OK, done.stdout + done.stderr
    assert holder(lab) == free
    told = json.loads(anna("vip", "status", "-o", "json").stdout)["vips"][0]
    assert {one["node"]: (one["has"], one["held"]) for one in told["candidates"]} == {
        had: (False, True),
        free: (True, False),
    }
    assert f"nobody would take public: {had} takes no address" in anna("vip", "move", "--yes").stderr
    assert anna("vip", "release", had, "--end", "--yes").returncode == OK
    assert holder(lab) == free


def test_where_keepalived_preempts_a_move_is_undone_and_a_release_holds(lab: Lab, anna: Operator) -> None:
    with preempting(lab) as first:
        done = anna("vip", "move", "--yes")
        assert done.returncode == UNDONE, done.stdout + done.stderr
        assert f"{first} took public back as soon as it could" in done.stdout
        assert holder(lab) == first
        assert anna("vip", "release", "--yes").returncode == OK
        assert holder(lab) == other_than(first)
        done = anna("vip", "release", first, "--end", "--yes")
        assert done.returncode == OK, done.stdout + done.stderr
        assert holder(lab) == first


def other_than(name: str) -> str:
    return next(one for one in BALANCERS if one != name)
