"""Control against real OpenSSH servers: what an operator sees while servers freeze, die, crawl and come back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Self

import pytest

from hactl.control import Control, Picture
from hactl.model.command import command
from hactl.model.facts import ClockFacts, DiskFacts, HostFacts, PackageFacts
from hactl.model.observed import Observed, Unknown
from hactl.model.state import LinkPhase
from tests.contract.conftest import inventory, node, settings
from tests.contract.sshd import Sshd

pytestmark = [pytest.mark.sshd, pytest.mark.timeout(90)]

QUICK = {"keepalive": 0.5, "connect_timeout": 2.0}
BUSY = 20.0  # seconds: machines that run tests are busy


def cluster(**servers: Sshd):
    return inventory(*(node(settings(server, **QUICK), name) for name, server in servers.items()))


def host(picture: Picture, name: str = "n1"):
    return picture.state.nodes[name].read("host", HostFacts, picture.now)


def link(picture: Picture, name: str = "n1"):
    return picture.state.nodes[name].link


async def until(control: Control, wanted: Callable[[Picture], bool], seconds: float = BUSY) -> Picture:
    async with asyncio.timeout(seconds):
        async with contextlib.aclosing(control.watch()) as pictures:
            async for picture in pictures:
                if wanted(picture):
                    return picture
    raise AssertionError("the pictures ended")


def fresh(picture: Picture, name: str = "n1") -> bool:
    return isinstance(host(picture, name), Observed)


def gone(server: Sshd, seconds: float = 5.0) -> bool:
    """Whether nothing of any session is left on the node, after a moment."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not server.sessions():
            return True
        time.sleep(0.05)
    return False


async def test_a_snapshot_has_everything_that_the_machine_tells(server):
    async with Control(cluster(n1=server, n2=server)) as control:
        seen = []
        picture = await control.snapshot(lambda done, of: seen.append((done, of)))
        assert seen == [(1, 2), (2, 2)]
        for name in ("n1", "n2"):
            for key, kind in (("host", HostFacts), ("disk", DiskFacts), ("clock", ClockFacts)):
                assert isinstance(picture.state.nodes[name].read(key, kind, picture.now), Observed), key
            assert "units" in picture.state.nodes[name].readings
            assert "packages" not in picture.state.nodes[name].readings
            assert link(picture, name).phase is LinkPhase.UP
        assert abs(picture.state.nodes["n1"].read("clock", ClockFacts, picture.now).value.skew) < 5
    assert gone(server)


async def test_one_node_can_be_talked_to(server):
    async with Control(cluster(n1=server)) as control:
        assert (await control.run_on("n1", command("echo", "a b"))).stdout == "a b\n"
        assert (await control.peer("n1")).host_key_fingerprint == server.fingerprint


async def test_a_frozen_session_is_unknown_soon_lost_then_and_back_after_all(another):
    frozen, well = another(), another()
    async with Control(cluster(n1=frozen, n2=well), interval=0.5) as control:
        await until(control, lambda p: fresh(p, "n1") and fresh(p, "n2"))
        everything = [frozen.process.pid, *frozen.sessions()]  # were only the sessions frozen, it might be back at once
        frozen.freeze(everything)
        started = time.monotonic()
        picture = await until(control, lambda p: not fresh(p, "n1"))
        assert time.monotonic() - started < 2 * 0.5 + 3
        assert isinstance(host(picture), Unknown)
        assert picture.state.nodes["n1"].last_known("host", HostFacts) is not None
        picture = await until(control, lambda p: link(p, "n1").phase is LinkPhase.DOWN)
        assert link(picture).code in {"connection-lost", "connect-timeout"}
        assert fresh(picture, "n2")
        frozen.thaw(everything)
        await until(control, lambda p: fresh(p, "n1"))


async def test_a_server_that_dies_is_unreachable_since_then_and_back_when_it_is(another):
    server = another()
    async with Control(cluster(n1=server), interval=0.5) as control:
        await until(control, fresh)
        died = control.now()
        server.stop()
        picture = await until(control, lambda p: link(p).phase is LinkPhase.DOWN and link(p).code == "unreachable")
        assert link(picture).since == pytest.approx(died, abs=3)
        assert isinstance(host(picture), Unknown)
        server.start()
        control.refresh("n1")
        await until(control, fresh)


async def test_a_server_that_accepts_and_says_nothing_ends_at_the_connect_timeout(another):
    frozen, well = another(), another()
    frozen.freeze()
    try:
        async with Control(cluster(n1=frozen, n2=well)) as control:
            started = time.monotonic()
            picture = await control.snapshot()
            assert time.monotonic() - started < QUICK["connect_timeout"] + 3
            assert link(picture, "n1").code == "connect-timeout"
            assert fresh(picture, "n2")
    finally:
        frozen.thaw()


async def test_two_sessions_a_connection_are_enough(another):
    server = another("MaxSessions 2\nMaxStartups 2:100:2")
    nodes = {f"n{number}": server for number in range(4)}
    async with Control(cluster(**nodes), interval=0.5) as control:

        def answered(picture: Picture) -> bool:
            return all(
                fresh(picture, name)
                and {"disk", "clock", "packages"} <= set(picture.state.nodes[name].readings)
                and picture.state.nodes[name].readings["packages"].failure is None
                for name in nodes
            )

        await until(control, answered, 60)


async def test_one_session_a_connection_watches_the_machine(another):
    server = another("MaxSessions 1")
    async with Control(cluster(n1=server), interval=0.5) as control:
        picture = await until(control, fresh)
        assert isinstance(picture.state.nodes["n1"].read("disk", DiskFacts, picture.now), Observed)


async def test_stopping_is_quick_though_a_node_is_frozen_and_nothing_is_left_behind(another):
    frozen, well = another(), another()
    control = Control(cluster(n1=frozen, n2=well), interval=0.5)
    await until(control, lambda p: fresh(p, "n1") and fresh(p, "n2"))
    sessions = frozen.sessions()
    frozen.freeze(sessions)
    started = time.monotonic()
    await control.close()
    assert time.monotonic() - started < 2
    assert gone(well)
    frozen.thaw(sessions)
    assert gone(frozen)


_WATCH = """
import asyncio, json, sys
from tests.control.test_live import cluster, fresh, until
from hactl.control import Control
from hactl.model.inventory import SshSettings
from tests.contract.conftest import inventory, node

async def main():
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(sys.argv[1]).items()}
    control = Control(inventory(node(SshSettings(**given))), interval=0.2)
    async for picture in control.watch():
        if fresh(picture):
            print("watching", flush=True)

asyncio.run(main())
"""


def test_kill_9_leaves_nothing_on_the_node(another):
    server = another()
    given = {
        "user": server.who.name,
        "port": server.port,
        "identity": [str(server.identity)],
        "known_hosts": [str(server.known_hosts)],
        "config": [],
    }
    with subprocess.Popen([sys.executable, "-c", _WATCH, json.dumps(given)], stdout=subprocess.PIPE) as watching:
        try:
            assert watching.stdout.readline() == b"watching\n"
            assert server.sessions()
        finally:
            watching.send_signal(signal.SIGKILL)
    assert gone(server)


class SlowLink:
    """A TCP proxy that holds everything back for `delay` seconds each way."""

    def __init__(self, port: int) -> None:
        self.port, self.target, self.delay = 0, port, 0.0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader, writer) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._lead(reader, far_writer), self._lead(far_reader, writer))

    async def _lead(self, reader, writer) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            loop.call_later(self.delay, writer.write, data)
        loop.call_later(self.delay, writer.close)


async def test_a_link_that_gets_slow_makes_answers_stale_and_never_stops_the_pictures(server):
    async with SlowLink(server.port) as slow:
        known = server.known_hosts.read_text().replace(f":{server.port} ", f":{slow.port} ")
        server.known_hosts.with_name("slow").write_text(known)
        ssh = settings(server, port=slow.port, known_hosts=(str(server.known_hosts.with_name("slow")),), keepalive=5.0)
        async with Control(inventory(node(ssh)), interval=0.5) as control:
            await until(control, fresh)
            slow.delay = 1.5
            stale = await until(control, lambda p: not fresh(p))
            assert "no answer for" in host(stale).reason
            gaps, last = [], time.monotonic()
            async with asyncio.timeout(BUSY):
                async for latest in control.watch():
                    picture = latest
                    gaps.append(time.monotonic() - last)
                    last = time.monotonic()
                    if len(gaps) > 8:
                        break
            assert max(gaps) < 2
            assert link(picture).phase is LinkPhase.UP
            assert picture.state.nodes["n1"].last_known("host", HostFacts) is not None
            slow.delay = 0.0
            await until(control, fresh)


async def test_a_limit_asks_only_those_inside(server):
    async with Control(cluster(n1=server, n2=server), limit=("n2",)) as control:
        picture = await control.snapshot()
        assert set(picture.state.nodes) == {"n2"}
        assert picture.outside == ("node/n1",)


async def test_what_is_rare_is_asked_when_wanted(server):
    async with Control(cluster(n1=server)) as control:
        picture = await control.snapshot(rare=control.inventory.nodes)
        assert isinstance(picture.state.nodes["n1"].read("packages", PackageFacts, picture.now), Observed)
