"""When the lock is looked at, and what is done about acknowledgements, without a screen."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from hactl.model.acks import SETTLES, Ending
from hactl.model.errors import StateError
from hactl.model.lock import LockPicture, NodeLock
from hactl.model.picture import Picture
from hactl.tui.beside import Beside, Doors
from hactl.tui.known import Known
from hactl.tui.lock_watch import LockWatch
from hactl.view.cluster import Fact
from tests.model.builders import Cluster, disk
from tests.model.test_acks import ack_of, after, full
from tests.tui.test_overview import Book

FREE = LockPicture("lab", (NodeLock("lb1"),))


class Watch:
    """A watch whose clock and looks are ours."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks: list[float] = []
        self.watch = LockWatch(self._look, lambda: self.now)

    async def _look(self, _connected: Collection[str]) -> LockPicture:
        self.looks.append(self.now)
        return FREE

    async def until(self, end: float, picture: Picture) -> None:
        while self.now < end:
            await self.watch.turn(picture)
            self.now += 1


async def test_the_lock_is_looked_at_seldom_and_soon_after_a_run_has_begun() -> None:
    watch = Watch()
    await watch.until(60, Cluster().picture())
    assert watch.looks == [0, 30]  # ten nodes
    await watch.until(65, Cluster().picture())
    watch.watch.soon()
    await watch.until(80, Cluster().picture())
    assert watch.looks == [0, 30, 60, 68]


async def test_nobody_is_asked_while_most_are_not_connected() -> None:
    watch = Watch()
    await watch.until(10, Cluster().down("lb1", "lb2", "app1", "app2", "app3").picture())
    assert watch.looks == []
    assert watch.watch.fact.value == "?"
    await watch.until(20, Cluster().picture())
    assert watch.looks == [10]
    assert watch.watch.fact == Fact("lock", "free")


def test_what_is_over_is_taken_out_once_it_has_been_so_for_a_while() -> None:
    book = Book([ack_of(full().picture())])
    known = Known(book)
    assert known.look()
    assert known.marked(full().picture()).acks
    known.marked(after(Cluster(), 0))
    known.look()
    assert book.settled == []
    known.marked(after(Cluster(), SETTLES))
    assert known.look()
    assert [one.why for one in book.settled] == [Ending.GONE]
    assert known.marked(full().picture()).acks == {}  # one that comes again is news


def test_who_only_looks_takes_nothing_out() -> None:
    book = Book([ack_of(full().picture())])
    known = Known(book)
    known.look(settle=False)
    for seconds in (0, SETTLES):
        known.marked(after(Cluster(), seconds))
        known.look(settle=False)
    assert book.held


def test_acknowledgements_that_cannot_be_read_mark_nothing() -> None:
    book = Book([ack_of(full().picture())])
    known = Known(book)
    known.look()
    book.broken = StateError("acks.json cannot be read.")
    assert known.look()
    assert known.problem == "acks.json cannot be read."
    assert known.marked(full().picture()).acks == {}
    book.broken = None
    assert known.look()
    assert known.problem == ""


@pytest.mark.parametrize("going", [(), (Fact("run", "▶ drain 1/4"),)])
async def test_runs_are_read_again_only_when_another_goes_on(going: tuple[Fact, ...]) -> None:
    read: list[int] = []
    beside = Beside(Doors(newest_runs=lambda: read.append(1) or ()))
    picture = beside.take(Cluster().say("db1", "disk", disk(used=85)).picture())
    for _ in range(3):
        await beside.turn(picture, going)
    assert len(read) == 1
    await beside.turn(picture, (*going, Fact("run", "▶ upgrade 2/9")))
    assert len(read) == 2
    assert beside.around(going) == going  # nothing is said of a lock that nobody can look at
