"""The cluster's lock on the real lab: /run/lock as Debian makes it, least sudo, a node that is cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio

from hactl.config import load_inventory
from hactl.engine.lock import ClusterLock
from hactl.engine.lock_look import break_lock, holders
from hactl.lab import Lab
from hactl.model.command import FENCED_OUT, Command
from hactl.model.errors import LockHeldError
from hactl.model.lock import Holder
from hactl.transport.factory import TransportFactory
from hactl.transport.protocol import Transport

pytestmark = pytest.mark.lab

SETTLED = 40.0  # seconds: three keepalives, a new connection, a busy machine
Transports = Mapping[str, Transport]


@pytest_asyncio.fixture
async def operator(lab: Lab) -> AsyncIterator[Callable[[], Transports]]:
    """Each has connections of their own."""
    made: list[Transports] = []

    def new() -> Transports:
        inventory = load_inventory(lab.paths.inventory)
        factory = TransportFactory(inventory)
        made.append({name: factory.make(node) for name, node in inventory.nodes.items()})
        return made[-1]

    yield new
    await asyncio.gather(*(transport.close() for each in made for transport in each.values()))


def lock_of(name: str, transports: Transports) -> ClusterLock:
    return ClusterLock(transports, "lab", Holder(f"{name}-1", name, "laptop", 1, "run-1", "drain", time.time()))


async def until(condition: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < SETTLED
        await asyncio.sleep(0.1)


async def test_held_fenced_broken(operator: Callable[[], Transports]) -> None:
    hers, his = operator(), operator()
    anna, bert = lock_of("anna", hers), lock_of("bert", his)
    taken = await anna.take()
    assert taken.missing == ()
    # One exact sudo rule allows this: the fence stands outside of sudo.
    restart = Command(("/usr/bin/systemctl", "reset-failed", "shop.service"), as_user="root", mutates=True)
    fenced = anna.fenced(restart)
    assert (await hers["app1"].run(fenced)).exit == 0
    with pytest.raises(LockHeldError, match="anna for drain"):
        await bert.take()
    broken = await break_lock(his, "lab", "anna-1")
    assert set(broken.nodes) == set(hers)
    assert (await hers["app1"].run(fenced)).exit == FENCED_OUT
    await asyncio.wait_for(anna.lost.wait(), 5)
    assert (await bert.take()).epoch > broken.epoch
    await bert.release()
    assert (await holders(his, "lab")).holders == ()


async def test_a_node_that_was_cut_off_is_taken_again(lab: Lab, operator: Callable[[], Transports]) -> None:
    """The node itself never hears that the connection is gone: its session still holds the lock when it is back."""
    transports = operator()
    anna = lock_of("anna", transports)
    taken = await anna.take()
    lab.faults.inject("partition", "lb1")
    await until(lambda: "lb1" not in anna.nodes)
    assert not anna.lost.is_set()
    lab.faults.undo()
    await until(lambda: anna.nodes == tuple(transports))
    picture = await holders(transports, "lab")
    assert {node.epoch for node in picture.nodes} == {taken.epoch}
    await anna.release()


async def test_a_node_without_power_has_forgotten_the_epoch(lab: Lab, operator: Callable[[], Transports]) -> None:
    """/run is gone with the power: nothing fenced may run there until the lock is taken there again."""
    transports = operator()
    anna = lock_of("anna", transports)
    await anna.take()
    lab.faults.inject("power-off", "app3")
    await until(lambda: "app3" not in anna.nodes)
    lab.faults.undo()
    await until(lambda: "app3" in anna.nodes)
    assert (await transports["app3"].run(anna.fenced(Command(("true",), mutates=True)))).exit == 0
    await anna.release()
