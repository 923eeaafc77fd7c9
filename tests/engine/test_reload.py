"""A held admin channel and a real HAProxy that is reloaded under it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from hactl.drivers import haproxy
from hactl.engine.clock import RealClock
from hactl.engine.session import Session
from hactl.model.facts import HaproxyFacts
from hactl.model.inventory import HaproxyService, Node, SshSettings
from hactl.transport.local import LocalTransport
from tests.drivers.real_haproxy import real_haproxy


async def test_no_sample_comes_from_a_replaced_process_and_none_is_lost(tmp_path: Path) -> None:
    with real_haproxy(tmp_path) as (path, process):
        node = Node("lb1", "127.0.0.1", "here", ("lb",), SshSettings())
        probe = haproxy.picture(HaproxyService("balancer", ("lb1",), (), 1, admin_socket=str(path)))
        answers: asyncio.Queue[object] = asyncio.Queue()
        transport = LocalTransport(node)
        await transport.connect()
        session = Session(node, transport, [probe], RealClock(), lambda _key, _at, result: answers.put_nowait(result))
        pids = []
        for _ in range(10):
            session.ask([probe.key])
            facts = await asyncio.wait_for(answers.get(), 10)
            assert isinstance(facts, HaproxyFacts), facts
            pids.append(facts.pid)
            process.send_signal(signal.SIGUSR2)
            await asyncio.sleep(0.5)
        session.close()
        await transport.close()
    assert len(set(pids)) > 2, "no reload was noticed"
    assert sorted(pids, key=pids.index) == pids, "a process that was left behind spoke again"
