"""The server as a process: what it prints and logs, its limits, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import time
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.web.serving import Visit, entered, read_away, read_until, served, visiting
from tests.web.test_door import certified


def gone(*processes: psutil.Process, within: float = 15.0) -> bool:
    """Whether all of them have ended."""
    _, alive = psutil.wait_procs(processes, within)
    return not alive


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_it_ends_with_every_process(tmp_path: Path, number: signal.Signals) -> None:
    async with visiting(tmp_path) as visit, visit.open() as one, visit.open() as two:
        await read_until(one, "gone2")
        await read_until(two, "gone2")
        dashboards = visit.server.dashboards
        assert len(dashboards) == 2
        ends = [asyncio.create_task(read_away(socket)) for socket in (one, two)]
        code, said = await asyncio.to_thread(visit.server.end, number)
        assert code == 0
        assert f"Stopped by {number.name}." in said
        assert gone(*dashboards, within=0.0)
        assert await asyncio.gather(*ends) == [aiohttp.WSCloseCode.GOING_AWAY] * 2


async def test_killed_itself_it_leaves_nothing_either(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit, visit.open() as socket:
        await read_until(socket, "gone2")
        dashboards = visit.server.dashboards
        assert len(dashboards) == 1
        visit.server.process.kill()
        assert gone(*dashboards)


async def test_however_a_session_ends_its_process_does(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        await closed_by_the_visitor(visit)
        await left_by_key(visit)
        await killed_when_stuck(visit)
        assert "gets SIGKILL" in visit.server.log.read_text()
        assert visit.server.end()[0] == 0
        assert "Traceback" not in visit.server.log.read_text()


async def closed_by_the_visitor(visit: Visit) -> None:
    socket = await visit.open()
    await read_until(socket, "gone2")
    dashboards = visit.server.dashboards
    assert len(dashboards) == 1
    await socket.close()
    assert gone(*dashboards)


async def left_by_key(visit: Visit) -> None:
    async with visit.open() as socket:
        await read_until(socket, "gone2")
        dashboards = visit.server.dashboards
        await socket.send_json(["stdin", "q"])
        assert await read_away(socket) == aiohttp.WSCloseCode.OK
        assert gone(*dashboards)


async def killed_when_stuck(visit: Visit) -> None:
    socket = await visit.open()
    await read_until(socket, "gone2")
    (dashboard,) = visit.server.dashboards
    dashboard.suspend()
    await socket.close()
    assert gone(dashboard)


async def test_so_many_sessions_and_no_more(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--sessions", "1") as visit:
        async with visit.open() as first:
            await read_until(first, "gone2")
            async with visit.open() as second:
                message = await second.receive(20)
                assert message.type is aiohttp.WSMsgType.CLOSE
                assert message.data == aiohttp.WSCloseCode.TRY_AGAIN_LATER
                assert message.extra == "All 1 sessions are in use; try again when one has ended."
            dashboards = visit.server.dashboards
            assert len(dashboards) == 1
        assert gone(*dashboards)
        async with visit.open() as third:
            await read_until(third, "gone2")


async def test_an_idle_session_ends(tmp_path: Path) -> None:
    async with visiting(tmp_path, "--idle", "8") as visit, visit.open() as socket:
        await read_until(socket, "gone2")
        (dashboard,) = visit.server.dashboards
        touched = time.monotonic()
        await socket.send_json(["stdin", "r"])  # a key: the time begins anew
        await asyncio.sleep(4)
        await socket.send_json(["ping", "1"])  # the page's script alone: it does not
        assert await read_away(socket) == aiohttp.WSCloseCode.OK
        assert 7.5 < time.monotonic() - touched < 11.5
        assert gone(dashboard)


async def test_what_no_page_says_ends_the_session(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        for said in (
            '{"a": 1}',
            "[]",
            '["stdin"]',
            '["stdin", 5]',
            '["resize", {"width": "x"}]',
            '["quit"]',
            "not json",
            "[" * 50000,
        ):
            async with visit.open() as socket:
                await socket.send_str(said)
                assert await read_away(socket) == aiohttp.WSCloseCode.UNSUPPORTED_DATA, said[:20]
        async with visit.open() as socket:
            await socket.send_str("x" * 100_000)
            assert await read_away(socket) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        assert visit.server.end()[0] == 0
        assert "Traceback" not in visit.server.log.read_text()


async def test_the_size_has_bounds(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        for query in ("width=100000&height=100000", "width=-5&height=0", "width=a"):
            async with visit.open(query) as socket:
                await socket.send_json(["resize", {"width": 10**9, "height": 10**9}])
                assert len(await read_until(socket, "gone2")) < 2_000_000
                (dashboard,) = visit.server.dashboards
                assert dashboard.memory_info().rss < 200 << 20
            assert gone(dashboard)


async def test_over_tls_with_a_token_of_ones_own(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path)
    token = tmp_path / "token"
    token.write_text("a-token-of-my-own-making\n")
    token.chmod(0o600)
    options = ("--token-file", str(token), "--cert", certificate, "--key", key, "--name", "localhost")
    with served(tmp_path, "--host", "0.0.0.0", *options) as server:
        assert server.address.startswith("https://localhost:")
        assert "a-token" not in server.address
        trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=certificate), family=2)
        async with aiohttp.ClientSession(connector=trusting) as client:
            assert (await client.get(server.base)).status == 401
            server.address = f"{server.base}?token=a-token-of-my-own-making"
            visit = Visit(server, client, await entered(client, server))
            async with visit.open() as socket:
                await read_until(socket, "gone2")
        assert server.end()[0] == 0


async def test_the_token_is_told_once(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit, visit.open() as socket:
        server = visit.server
        await visit.client.get(server.base + "?token=wrong")
        await read_until(socket, "gone2")
        for process in (psutil.Process(server.process.pid), *server.dashboards):
            assert server.token not in " ".join(process.cmdline())
            assert server.token not in str(process.environ())
        _, said = await asyncio.to_thread(server.end)
        log = server.log.read_text()
        assert "a wrong token from 127.0.0.1" in log
        for secret in (server.token, visit.page.split("/")[3]):
            assert secret not in said
            assert secret not in log


@pytest.mark.parametrize(("options", "read_only"), [((), True), (("--allow-acting",), False)], ids=["look", "act"])
async def test_only_with_leave_visitors_act(tmp_path: Path, options: tuple[str, ...], *, read_only: bool) -> None:
    async with visiting(tmp_path, *options) as visit, visit.open() as socket:
        await read_until(socket, "gone2")
        (dashboard,) = visit.server.dashboards
        assert ("--read-only" in dashboard.cmdline()) is read_only
        assert os.getpgid(dashboard.pid) == dashboard.pid  # the terminal's Ctrl-C is not for it


async def test_a_shell_is_not_for_browsers(tmp_path: Path) -> None:
    """There is no terminal to hand over: it says so, with what to type in one; and goes on."""
    async with visiting(tmp_path, "--allow-acting") as visit, visit.open() as socket:
        await read_until(socket, "gone2")
        await socket.send_json(["stdin", "2"])
        await read_until(socket, "Shell")
        await socket.send_json(["stdin", "S"])
        await read_until(socket, "no terminal here")
        await socket.send_json(["stdin", "\x1a"])  # nor can it be put into the background
        await socket.send_json(["stdin", "3"])
        await read_until(socket, "balancers")
        assert len(visit.server.dashboards) == 1
    assert "Traceback" not in visit.server.log.read_text()


def test_two_cannot_have_one_port(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        port = server.base.rstrip("/").rpartition(":")[2]
        with (
            pytest.raises(AssertionError, match=rf"Port {port} of 127\.0\.0\.1 is in use"),
            served(tmp_path, "--port", port),
        ):
            pass
