"""A real `hactl serve`, and a visitor that speaks HTTP and WebSockets to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from tests.tui.terminal import NOWHERE


def written(folder: Path) -> Path:
    """An inventory of two nodes that refuse connections."""
    path = folder / "nowhere.toml"
    path.write_text(NOWHERE)
    return path


@dataclass
class Served:
    """A running server. `address` is what it printed, token included."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    @property
    def base(self) -> str:
        return self.address.partition("?")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    @property
    def dashboards(self) -> list[psutil.Process]:
        """The sessions' processes."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGTERM, within: float = 20.0) -> tuple[int, str]:
        """Tell it to end; its exit code and what else it printed."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=within)
        return self.process.returncode, said


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """`hactl serve` on a free port, with a log and a home of its own."""
    log = folder / "log"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hactl",
            "-v",
            "--log-file",
            str(log),
            "-i",
            str(written(folder)),
            "serve",
            "--port",
            "0",
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http"), address + process.stdout.read()
        yield Served(process, address, log)
    except BaseException:
        print(log.read_text() if log.exists() else "no log")
        raise
    finally:
        left = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
        process.kill()
        process.wait()
        for one in left:
            if one.is_running():
                one.kill()


@dataclass(frozen=True)
class Visit:
    """A visitor who has shown the token: `page` is where the dashboard is."""

    server: Served
    client: aiohttp.ClientSession
    page: str

    def open(self, query: str = "width=100&height=30"):
        """A WebSocket as the page opens it."""
        origin = "/".join(self.page.split("/")[:3])
        return self.client.ws_connect(f"{self.page}ws?{query}", origin=origin, max_msg_size=0)


@asynccontextmanager
async def visiting(folder: Path, *options: str) -> AsyncIterator[Visit]:
    """A server, and a visitor inside."""
    with served(folder, *options) as server:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            yield Visit(server, client, await entered(client, server))


async def entered(client: aiohttp.ClientSession, served: Served) -> str:
    """Show the token; where the dashboard's page is. The client keeps the cookie."""
    async with client.get(served.address) as answer:
        assert answer.status == 200
        found = re.search(r"url=(/[^\"]+/)", await answer.text())
    assert found is not None
    return served.base.rstrip("/") + found[1]


async def read_until(socket: aiohttp.ClientWebSocketResponse, text: str) -> str:
    """What the terminal is sent, up to a text. Fails when the session ends before."""
    sent = ""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            sent += message.data.decode("utf-8", "replace")
            if text in sent:
                return sent
    raise AssertionError(f"{text!r} was not sent; closed with {socket.close_code}: {sent[-500:]}")


async def read_away(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Until the session ends; the code that it is closed with."""
    async for _ in socket:
        pass
    return socket.close_code
