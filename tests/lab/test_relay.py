"""The relay as a real process, in front of real servers on loopback: no lab is needed for that."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hactl.lab

RELAY = Path(hactl.lab.__file__).with_name("relay.py")


class Door:
    def __init__(self, folder, process):
        self.folder = folder
        self.process = process

    async def connect(self, name="ssh/db1.sock"):
        return await asyncio.open_unix_connection(self.folder / name)

    async def ask(self, line):
        reader, writer = await self.connect("relay.sock")
        writer.write(line.encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def relay(folder, port):
    (folder / "ssh").mkdir()
    argv = [sys.executable, "-IS", RELAY, folder, f"ssh/db1.sock=127.0.0.1:{port}", "vip.sock=127.0.0.1:1"]
    process = subprocess.Popen(argv)
    door = Door(folder, process)
    try:
        async with asyncio.timeout(10):
            while not (folder / "relay.sock").exists():
                await asyncio.sleep(0.01)
        yield door
    finally:
        process.terminate()
        process.wait(10)


@contextlib.asynccontextmanager
async def served(handler):
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def echo_until_eof(reader, writer):
    """Answers only when the client has said all: it works only through a relay that half-closes."""
    said = await reader.read(-1)
    writer.write(b"you said " + said)
    writer.close()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_half_close_reaches_the_server_and_the_answer_comes_back(tmp_path):
    async with served(echo_until_eof) as port, relay(tmp_path, port) as door:
        reader, writer = await door.connect()
        writer.write(b"hello")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(-1), 5) == b"you said hello"


async def test_a_server_that_ends_ends_the_client(tmp_path):
    async def goodbye(_reader, writer):
        writer.write(b"bye")
        writer.close()

    async with served(goodbye) as port, relay(tmp_path, port) as door:
        reader, _ = await door.connect()
        assert await asyncio.wait_for(reader.read(-1), 5) == b"bye"


async def test_nobody_there_ends_the_client(tmp_path):
    async with served(echo) as port, relay(tmp_path, port) as door:
        reader, _ = await door.connect("vip.sock")
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(-1), 5) == b""


async def test_megabytes_arrive_whole_whoever_is_slower(tmp_path):
    blob = os.urandom(8 * 1024 * 1024)
    async with served(echo) as port, relay(tmp_path, port) as door:
        reader, writer = await door.connect()
        writer.write(blob)
        await asyncio.sleep(0.2)  # nobody reads: the relay must hold back, not drop and not grow
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(-1), 20) == blob
        rss = int(Path(f"/proc/{door.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        assert rss < 60 * 1024 * 1024


async def test_a_delay_holds_each_way_keeps_the_order_and_ends(tmp_path):
    async with served(echo) as port, relay(tmp_path, port) as door:
        reader, writer = await door.connect()
        assert await door.ask("delay ssh/db1.sock 0.2") == "ok"
        assert await door.ask("delays") == {"ssh/db1.sock": 0.2}
        began = time.monotonic()
        writer.write(b"1")
        assert await asyncio.wait_for(reader.readexactly(1), 5) == b"1"
        assert 0.39 < time.monotonic() - began < 2.0
        for number in range(50):
            writer.write(b"%03d" % number)
            await writer.drain()
            await asyncio.sleep(0.001)
        assert await door.ask("delay ssh/db1.sock 0") == "ok"
        writer.write(b"end")  # must not overtake what still waits
        writer.write_eof()
        expected = b"".join(b"%03d" % number for number in range(50)) + b"end"
        assert await asyncio.wait_for(reader.read(-1), 5) == expected
        assert await door.ask("delays") == {}


@pytest.mark.parametrize("line", ["delay nowhere 1", "delay ssh/db1.sock", "nonsense", ""])
async def test_control_lines_that_mean_nothing_are_answered(tmp_path, line):
    async with served(echo) as port, relay(tmp_path, port) as door:
        assert "error" in await door.ask(line)
        assert await door.ask("delays") == {}


async def test_hundreds_of_idle_connections_cost_next_to_nothing(tmp_path):
    async with served(echo) as port, relay(tmp_path, port) as door:
        held = [await door.connect() for _ in range(300)]
        before = _cpu(door.process.pid)
        await asyncio.sleep(1.0)
        assert _cpu(door.process.pid) - before < 0.05
        for reader, writer in held:
            writer.write(b"x")
            assert await asyncio.wait_for(reader.readexactly(1), 5) == b"x"
            writer.close()


async def test_sigterm_ends_it(tmp_path):
    async with served(echo) as port, relay(tmp_path, port) as door:
        reader, _ = await door.connect()
        door.process.terminate()
        assert await asyncio.to_thread(door.process.wait, 5) == 0
        assert await asyncio.wait_for(reader.read(-1), 5) == b""


def test_it_imports_nothing_heavy():
    code = (
        "import runpy, sys; before = set(sys.modules);"
        f"runpy.run_path({str(RELAY)!r}, run_name='looked-at');"
        "print([m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names and m not in before])"
    )
    assert (
        subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )


def _cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
