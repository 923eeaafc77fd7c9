"""The picture while a run goes on: newer than the question, not held up by who is gone; pools counted on change."""

from __future__ import annotations

from pathlib import Path

from hactl.config import load_inventory
from hactl.drivers.probe import Cadence
from hactl.engine.clock import FakeClock
from hactl.engine.watchman import Watchman
from hactl.model.errors import UnreachableError
from hactl.model.facts import VersionFacts
from hactl.model.observed import Observed, Unknown
from hactl.model.state import LinkPhase
from tests.engine.acting import played
from tests.engine.scripted import ScriptedTransport, inventory, tick


def watchman(clock: FakeClock, transports, *, told=None, pools=()) -> Watchman:
    probes = {name: (tick("a"), tick("b", Cadence.MEDIUM), tick("rare", Cadence.RARE)) for name in transports}
    return Watchman(inventory(*transports), transports, probes, clock, pools=pools, told=told or (lambda _: None))


def seen(picture, node: str = "n1", key: str = "a"):
    return picture.state.nodes[node].read(key, VersionFacts, picture.now)


async def test_it_begins_when_everybody_was_heard_or_is_down():
    clock = FakeClock()
    transports = {
        "n1": ScriptedTransport("n1"),
        "n2": ScriptedTransport("n2", connects=[UnreachableError("n2", "no route")]),
    }
    watch = watchman(clock, transports)
    await played(clock, watch.start())
    picture = watch.picture()
    assert isinstance(seen(picture), Observed)
    assert picture.state.nodes["n2"].link.phase is LinkPhase.DOWN
    assert clock.monotonic() < 1001
    await played(clock, watch.stop())


async def test_what_is_fresh_is_newer_than_the_call_and_nobody_is_asked_rare_questions():
    clock, node = FakeClock(), ScriptedTransport("n1")
    watch = watchman(clock, {"n1": node})
    await played(clock, watch.start())
    await clock.advance(0.3)
    begun = clock.monotonic()
    picture = await played(clock, watch.fresh(["n1"]))
    assert seen(picture).at >= begun
    assert seen(picture, key="b").at >= begun
    assert clock.monotonic() - begun < 0.5
    assert {word for _, word in node.streams[0].heard} == {0, 1}, "a run that begins costs no node what is rare"
    await played(clock, watch.stop())


async def test_a_rare_question_is_asked_where_it_matters_and_has_its_own_time():
    clock, node = FakeClock(), ScriptedTransport("n1")
    watch = watchman(clock, {"n1": node})
    await played(clock, watch.start())
    await clock.advance(0.3)
    begun = clock.monotonic()
    picture = await played(clock, watch.fresh(["n1"], [("n1", "rare"), ("n1", "never heard of")]))
    assert seen(picture, key="rare").at >= begun
    assert clock.monotonic() - begun < 0.5
    await clock.advance(0.5)
    node.holding = {2}
    picture = await played(clock, watch.fresh(["n1"], [("n1", "rare")]))
    assert isinstance(seen(picture, key="rare"), Unknown), "what it said before is not what it says now"
    assert isinstance(seen(picture), Observed)
    await played(clock, watch.stop())


async def test_who_does_not_answer_is_waited_for_only_so_long():
    clock, node = FakeClock(), ScriptedTransport("n1")
    watch = watchman(clock, {"n1": node})
    await played(clock, watch.start())
    await clock.advance(0.3)
    node.holding = {0, 1, 2}
    begun = clock.monotonic()
    picture = await played(clock, watch.fresh(["n1"]))
    assert isinstance(seen(picture), Unknown)
    assert clock.monotonic() - begun <= 5.1
    await played(clock, watch.stop())


LAB = load_inventory(Path("inventory/lab.toml"))


async def test_the_pools_are_counted_when_they_change():
    """Nobody of the lab can be asked: that is told once, and not again while it stays so."""
    clock, told = FakeClock(), []
    transports = {name: ScriptedTransport(name, connects=[UnreachableError(name, "no route")]) for name in LAB.nodes}
    watch = Watchman(LAB, transports, dict.fromkeys(LAB.nodes, ()), clock, pools=("shop",), told=told.append)
    await played(clock, watch.start())
    await clock.advance(10)
    await played(clock, watch.stop())
    assert [[(count.pool, count.total, count.minimum, count.unknown) for count in one.pools] for one in told] == [
        [("shop", 3, 2, 3)]
    ]
