"""All watchers together: none of them can hold up, hide or end the others."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise, repeat

import pytest

from hactl.drivers.probe import Cadence
from hactl.engine.clock import FakeClock, settle
from hactl.engine.collector import Collector
from hactl.model.errors import ConnectTimeoutError, InternalError, UnreachableError
from hactl.model.facts import VersionFacts
from hactl.model.findings import Level
from hactl.model.observed import Observed, Unknown
from hactl.model.state import LinkPhase
from tests.engine.scripted import ScriptedTransport, inventory, tick


def collector(transports, *probes, clock=None, interval=2.0) -> Collector:
    names = {transport.node: transport for transport in transports}
    probes = probes or (tick("host"),)
    return Collector(
        inventory(*names, connect_timeout=0.5),
        names,
        dict.fromkeys(names, probes),
        interval=interval,
        clock=clock,
        waits=lambda: repeat(3.0),
    )


def version(picture, node):
    return picture.state.nodes[node].read("host", VersionFacts, picture.now)


async def test_pictures_come_while_a_node_hangs_and_the_others_go_on():
    clock = FakeClock()
    nodes = [ScriptedTransport("n1", connects=["hang"]), ScriptedTransport("n2")]
    watched = collector(nodes, clock=clock)
    watched.start()
    pictures = watched.pictures()
    first = await anext(pictures)
    assert version(first, "n2") == Unknown("not asked yet", 1000.0) or isinstance(version(first, "n2"), Observed)
    await clock.advance(4.0)
    picture = await anext(pictures)
    assert version(picture, "n2").at >= 1003
    assert picture.state.nodes["n1"].link.phase is LinkPhase.CONNECTING
    await watched.stop()


async def test_nodes_answer_at_different_moments_of_the_interval():
    clock = FakeClock()
    nodes = [ScriptedTransport(f"n{number}") for number in range(8)]
    watched = collector(nodes, clock=clock)
    watched.start()
    await clock.advance(20)
    moments = {version(watched.picture(), node.node).at % 2 for node in nodes}
    assert moments == {0.25 * place for place in range(8)}
    await watched.stop()


async def test_judging_rests_while_nobody_listens(monkeypatch):
    clock = FakeClock()
    watched = collector([ScriptedTransport("n1")], clock=clock)
    judged = []
    picture = watched._publisher.picture
    monkeypatch.setattr(watched._publisher, "picture", lambda: judged.append(clock.monotonic()) or picture())
    watched.start()
    await clock.advance(10)
    assert judged == []
    pictures = watched.pictures()
    listener = asyncio.ensure_future(anext(pictures))
    await clock.advance(10)
    assert listener.done()
    gaps = [after - before for before, after in pairwise(judged)]
    assert max(gaps) <= 1.0 + 1e-6  # ages grow without events
    assert min(gaps) >= 0.25 - 1e-6
    await pictures.aclose()
    await settle()
    judged.clear()
    await clock.advance(10)
    assert judged == []
    await watched.stop()


async def test_a_defect_in_judging_reaches_the_listener(monkeypatch):
    clock = FakeClock()
    watched = collector([ScriptedTransport("n1")], clock=clock)

    def broken() -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(watched._publisher, "picture", broken)
    listener = asyncio.ensure_future(anext(watched.pictures()))
    await clock.advance(0.1)
    with pytest.raises(InternalError, match="a defect"):
        await listener
    await watched.stop()


async def test_gather_shows_who_answered_and_why_not():
    class Slow(ScriptedTransport):
        async def connect(self):
            await asyncio.sleep(0.2)
            raise ConnectTimeoutError(self.node, "no answer within 0.5 s")

    nodes = [ScriptedTransport("n1"), Slow("n2"), ScriptedTransport("n3", connects=[UnreachableError("n3", "refused")])]
    seen = []
    probes = (tick("host"), tick("disk", Cadence.MEDIUM), tick("packages", Cadence.RARE))
    picture = await collector(nodes, *probes).gather(lambda done, of: seen.append((done, of)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert version(picture, "n1").value == VersionFacts("answer 0")
    assert version(picture, "n2").reason == "no answer within 0.5 s"
    assert version(picture, "n3").reason == "refused"
    assert set(picture.state.nodes["n1"].readings) == {"host", "disk"}
    assert picture.assessment.nodes["n3"].level >= Level.UNKNOWN


async def test_gather_can_ask_what_is_rare_too():
    probes = (tick("host"), tick("packages", Cadence.RARE))
    picture = await collector([ScriptedTransport("n1")], *probes).gather(rare=["n1"])
    assert set(picture.state.nodes["n1"].readings) == {"host", "packages"}


async def test_gather_gives_up_on_a_transport_that_breaks_its_promises(monkeypatch):
    monkeypatch.setattr("hactl.engine.collector._GRACE", 0.1)
    watched = collector(
        [ScriptedTransport("n1"), ScriptedTransport("n2", connects=["hang"])], tick("host", deadline=0.1)
    )
    started = time.monotonic()
    picture = await watched.gather()
    assert time.monotonic() - started < 2
    assert isinstance(version(picture, "n1"), Observed)
    assert picture.state.nodes["n2"].link.code == "timeout"


async def test_gather_of_no_nodes_is_an_empty_picture():
    assert (await collector([]).gather()).state.nodes == {}


async def test_512_watchers_stop_at_once_though_some_hang():
    nodes = [ScriptedTransport(f"n{n}", connects=["hang"] if n % 5 == 0 else [None]) for n in range(512)]
    watched = collector(nodes)
    watched.start()
    async for picture in watched.pictures():
        if sum(isinstance(version(picture, node.node), Observed) for node in nodes) == 512 - 103:
            break
    started = time.monotonic()
    await watched.stop()
    assert time.monotonic() - started < 2
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("watch")]
    assert not any(stream.open for node in nodes for stream in node.streams)
