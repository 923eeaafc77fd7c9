"""The door into a lab: Unix sockets on this machine, TCP to the nodes inside the lab's network namespace.

Run as a script, never imported by the rest: it must start in a moment, hold hundreds of connections for next to
nothing and outlive the command that started it. Only the standard library.

    relay.py RUN_DIRECTORY SOCKET=ADDRESS:PORT ...   (inside the namespace; sockets relative to RUN_DIRECTORY)

RUN_DIRECTORY/relay.sock takes one line a connection and answers with one line of JSON:
    delays              {"SOCKET": seconds, ...} of every socket that waits
    delay SOCKET S      from now on each byte through SOCKET waits S seconds, in each direction (0 ends it)
A fixed delay has to be done here because the kernels that a lab runs on often lack netem.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

CONNECT_TIMEOUT = 30.0
HIGH_WATER = 256 * 1024


class Half(asyncio.Protocol):
    """One side of a relayed connection: what arrives here leaves by `peer`, a while later when there is a delay."""

    def __init__(self, delay: Callable[[], float]) -> None:
        self.delay = delay
        self.peer: Half | None = None
        self.transport: asyncio.Transport | None = None
        self.waiting: deque[tuple[float, Callable[[], None]]] = deque()  # (when, what), in order of arrival
        self.finished = False  # our end of stream has been passed on

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        if self.peer is None:
            self.transport.pause_reading()  # until there is somewhere to pass it on to

    def join(self, peer: Half) -> None:
        """Both sides are connected: let it flow."""
        self.peer, peer.peer = peer, self
        for half in (self, peer):
            if half.transport is not None:
                half.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.later(partial(self.write_to_peer, data))

    def eof_received(self) -> bool:
        self.later(self.finish)
        return True  # keep our own sending side open: a half-closed connection still carries answers

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self.peer is not None:
            self.later(self.peer.close)

    def pause_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.resume_reading()

    def later(self, act: Callable[[], None]) -> None:
        """Does `act` when the delay has passed, and never before what came earlier."""
        wait = self.delay()
        if wait <= 0.0 and not self.waiting:
            act()
            return
        loop = asyncio.get_running_loop()
        self.waiting.append((loop.time() + wait, act))
        if len(self.waiting) == 1:
            loop.call_at(self.waiting[0][0], self.catch_up)

    def catch_up(self) -> None:
        loop = asyncio.get_running_loop()
        while self.waiting and self.waiting[0][0] <= loop.time():
            self.waiting.popleft()[1]()
        if self.waiting:
            loop.call_at(self.waiting[0][0], self.catch_up)

    def write_to_peer(self, data: bytes) -> None:
        if self.peer and self.peer.transport and not self.peer.transport.is_closing():
            self.peer.transport.write(data)

    def finish(self) -> None:
        """Our end of stream reaches the peer; when both have ended, so does the connection."""
        self.finished = True
        if self.peer is None or self.peer.transport is None:
            return
        if self.peer.finished:
            self.peer.close()
            self.close()
        elif not self.peer.transport.is_closing():
            self.peer.transport.write_eof()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class Relay:
    """Serves `routes` (socket name -> address and port) below `directory`."""

    def __init__(self, directory: str, routes: dict[str, tuple[str, int]]) -> None:
        self.directory = directory
        self.routes = routes
        self.delays: dict[str, float] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        servers: list[asyncio.AbstractServer] = []
        for name in self.routes:
            path = self._path(name)
            servers.append(await loop.create_unix_server(partial(self._accept, name), path, backlog=1024))
            os.chmod(path, 0o666)  # noqa: PTH101, S103 - pathlib costs start-up; the 0700 folder above is the guard
        servers.append(await asyncio.start_unix_server(self._control, self._path("relay.sock")))
        await stop.wait()
        for server in servers:
            server.close()

    def _path(self, name: str) -> str:
        return f"{self.directory}/{name}"

    def _accept(self, name: str) -> Half:
        near = Half(lambda: self.delays.get(name, 0.0))
        task = asyncio.get_running_loop().create_task(self._connect(name, near))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return near

    async def _connect(self, name: str, near: Half) -> None:
        address, port = self.routes[name]
        far = Half(near.delay)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await asyncio.get_running_loop().create_connection(lambda: far, address, port)
        except (OSError, TimeoutError):
            if near.transport is not None:
                near.transport.abort()  # the caller sees its connection end, as with a refused one
            return
        if near.transport is None or near.transport.is_closing():
            if far.transport is not None:
                far.transport.close()
            return
        near.join(far)

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode(errors="replace").split()
        match words:
            case ["delays"]:
                answer: object = self.delays
            case ["delay", name, seconds] if name in self.routes:
                self.delays[name] = float(seconds)
                self.delays = {key: value for key, value in self.delays.items() if value > 0.0}
                answer = "ok"
            case _:
                answer = {"error": f"unknown: {' '.join(words)}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


def main(arguments: list[str]) -> int:
    match arguments:
        case [directory, *routes] if routes:
            table = {}
            for route in routes:
                name, _, target = route.partition("=")
                address, _, port = target.rpartition(":")
                table[name] = (address, int(port))
            asyncio.run(Relay(directory, table).serve())
            return 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
