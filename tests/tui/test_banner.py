"""Who holds the lock in a word, and what the banner leaves out where there is no room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.ack import Ack
from hactl.model.acks import acknowledged
from hactl.model.findings import Level
from hactl.model.lock import Holder, LockPicture, NodeLock
from hactl.tui.widgets.banner import banner_lines
from hactl.view.cluster import Fact, banner
from hactl.view.lock import lock_fact
from tests.model.builders import EPOCH, NOW, Cluster, disk

HOLDER = Holder("5f3a", "bert@desk", "desk", 9, "", "drain", 1_700_000_000.0, 1)


def seen(held: int, silent: int = 0, nodes: int = 5) -> LockPicture:
    """`held` nodes are held by bert, `silent` ones could not be asked."""
    locks = [NodeLock(f"n{at}", held=True, holder=HOLDER) for at in range(held)]
    locks += [NodeLock(f"s{at}", problem="off") for at in range(silent)]
    locks += [NodeLock(f"f{at}") for at in range(nodes - held - silent)]
    return LockPicture("lab", tuple(locks))


@pytest.mark.parametrize(
    ("picture", "age", "fact"),
    [
        (None, 0, Fact("lock", "?", Level.UNKNOWN)),
        (seen(0), 5, Fact("lock", "free")),
        (seen(0), 300, Fact("lock", "free 5m ago")),
        (seen(0, silent=2), 5, Fact("lock", "free")),
        (seen(0, silent=3), 5, Fact("lock", "?", Level.UNKNOWN)),
        (seen(3), 5, Fact("lock", "bert@desk drain", Level.WARN)),
        (seen(5), 300, Fact("lock", "bert@desk drain 5m ago", Level.WARN)),
        (seen(2), 5, Fact("lock", "only on n0, n1", Level.WARN)),
    ],
)
def test_the_lock_in_a_word(picture: LockPicture | None, age: float, fact: Fact) -> None:
    assert lock_fact(picture, age) == fact


def second(width: int, *around: Fact, known: bool = False) -> str:
    picture = Cluster().say("db1", "disk", disk(used=93)).say("db2", "disk", disk(used=85)).picture()
    if known:
        warn = next(one for one in picture.assessment.findings if one.level is Level.WARN)
        picture = acknowledged(picture, [Ack(replace(warn, since=0.0), "known", "anna", EPOCH, EPOCH + NOW + 60)])
    lines = banner_lines(banner(picture), around, width)
    return "".join(span.text for span in lines[1])


FREE, HELD = Fact("lock", "free"), Fact("lock", "bert@desk drain", Level.WARN)


@pytest.mark.parametrize(
    ("width", "there", "gone"),
    [
        (200, ["since", "vip public", "nodes 10/10 up", "lock free", "1 crit", "1 acknowledged"], []),
        (87, ["since", "vip public", "nodes 10/10 up", "1 crit", "1 acknowledged"], ["lock"]),
        (82, ["since", "vip public", "nodes 10/10 up", "1 crit"], ["lock", "acknowledged"]),
        (52, ["vip public", "nodes 10/10 up", "1 crit"], ["since"]),
        (20, ["1 crit"], ["nodes", "vip"]),
    ],
)
def test_what_matters_least_goes_first(width: int, there: list[str], gone: list[str]) -> None:
    line = second(width, FREE, known=True)
    assert len(line) <= max(width, 12)
    assert all(word in line for word in there)
    assert all(word not in line for word in gone)


def test_a_lock_that_is_held_stays_longer_than_since_when() -> None:
    line = second(80, HELD)
    assert "lock bert@desk drain" in line
    assert "since" not in line


def test_what_is_acknowledged_is_not_counted() -> None:
    assert "▲ 1 warn" in second(200)
    assert "warn" not in second(200, known=True)


def test_runs_stand_before_the_sentence() -> None:
    picture = Cluster().picture()
    first = banner_lines(banner(picture), (Fact("run", "▶ drain 1/4"), HELD))[0]
    assert [span.text.strip() for span in first[:2]] == ["● lab OK", "▶ drain 1/4"]
