from __future__ import annotations

import asyncio

import pytest

from hactl.engine.bus import Bus
from hactl.engine.clock import settle


async def test_a_slow_listener_gets_the_newest_and_queues_nothing():
    bus = Bus[int]()
    bus.publish(0)
    seen = []

    async def listen():
        async for value in bus.subscribe():
            seen.append(value)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(listen())
    for value in range(1, 1001):
        bus.publish(value)
        if value % 100 == 0:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    bus.close()
    await asyncio.wait_for(task, 1)
    assert seen[-1] == 1000
    assert len(seen) <= 4


async def test_the_producer_learns_when_somebody_listens():
    counts = []
    bus = Bus[int](counts.append)
    bus.publish(1)
    async for _ in bus.subscribe():
        break
    await settle()
    assert counts == [1, 0]


async def test_an_error_reaches_every_listener():
    bus = Bus[int]()
    listeners = [asyncio.ensure_future(anext(bus.subscribe())) for _ in range(3)]
    await asyncio.sleep(0)
    bus.close(ValueError("broken"))
    for listener in listeners:
        with pytest.raises(ValueError, match="broken"):
            await listener
