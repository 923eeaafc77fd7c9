"""A loopback port that leads to the lab's VIP, for a browser on this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from hactl.model.errors import LabError

_CHUNK = 64 * 1024


def forward_vip(target: Path, port: int, ready: Callable[[int], None]) -> None:
    """Serves 127.0.0.1:`port` until interrupted; `ready` is told the port once it listens (0 takes a free one)."""
    if not target.exists():
        raise LabError(f"{target} is not there.", remedy="Bring the lab up: hactl lab up")
    asyncio.run(_serve(target, port, ready))


async def _serve(target: Path, port: int, ready: Callable[[int], None]) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_unix_connection(target)
            with contextlib.closing(far_writer):
                await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    try:
        server = await asyncio.start_server(accept, "127.0.0.1", port)
    except OSError as error:
        raise LabError(f"Port {port} cannot be used: {error.strerror}.", remedy="Say another one.") from error
    ready(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
