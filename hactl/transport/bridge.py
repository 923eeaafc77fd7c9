"""Leading bytes between a transport's channels and ordinary sockets, for libraries that only know those."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from hactl.model.errors import ChannelError, CommandTimeoutError, TransportError
from hactl.model.text import safe_text
from hactl.transport.protocol import Duplex, Transport

_CHUNK = 65536


@asynccontextmanager
async def bridge_unix(transport: Transport, remote_path: str, name: str) -> AsyncIterator[Path]:
    """A private local Unix socket called `name` that leads to `remote_path` on the node; gone when the block ends.

    Yields its path, in a folder that only this user may enter. Each connection to it opens a channel of its own; when
    that fails the local connection is closed and the reason kept. Raises at once what opening a first channel raises.
    """
    (await transport.open_unix(remote_path)).close()
    with tempfile.TemporaryDirectory(prefix="hactl-", dir=_private_folder()) as folder:
        path = Path(folder, name)
        tasks: set[asyncio.Task[None]] = set()

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - asyncio runs this in a task
            tasks.add(task)
            try:
                # The client sees its connection end; whoever holds the node knows why. And asyncio takes a connection's
                # task that was cancelled for a defect.
                with suppress(TransportError, asyncio.CancelledError):
                    await _join(await transport.open_unix(remote_path), reader, writer)
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_unix_server(accepted, path)
        try:
            yield path
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()


def _private_folder() -> str | None:
    """Where short-lived sockets belong. None: the system's folder for temporary files."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    return folder if folder and os.access(folder, os.W_OK) else None


async def _join(duplex: Duplex, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Lead bytes both ways until either side ends, then close the channel."""

    async def outward() -> None:
        while data := await reader.read(_CHUNK):
            await duplex.write(data)

    async def inward() -> None:
        while data := await duplex.read(_CHUNK):
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.ensure_future(outward()), asyncio.ensure_future(inward())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        duplex.close()
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result


async def socket_over(duplex: Duplex) -> socket.socket:
    """A socket whose far end is `duplex`, for SSH libraries that connect through a jump host of another kind."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)

    async def lead() -> None:
        try:
            with suppress(TransportError):  # the connection on top of it ends, and says so
                await _join(duplex, reader, writer)
        finally:
            writer.close()

    task = asyncio.ensure_future(lead())
    _LEADING.add(task)
    task.add_done_callback(_LEADING.discard)
    return theirs


_LEADING: set[asyncio.Task[None]] = set()  # asyncio itself keeps tasks only weakly


async def ask_socket(duplex: Duplex, request: bytes, terminator: bytes, limit: int, timeout: float) -> str:  # noqa: ASYNC109 - part of the promise
    r"""Send `request` and return what comes back before `terminator`, as safe text.

    For command lines that stay open (HAProxy's in prompt mode: terminator b"\\n> "). At most `limit` bytes within
    `timeout` seconds. Raises ChannelError when the answer is too long or the far side closes first,
    CommandTimeoutError, ConnectionLostError. After an error the channel is closed: what is left in it answers nobody.
    """
    answer = bytearray()
    try:
        async with asyncio.timeout(timeout):
            await duplex.write(request)
            while terminator not in answer[-_CHUNK - len(terminator) :]:
                data = await duplex.read(_CHUNK)
                answer += data
                if not data or len(answer) > limit:
                    why = "closed before its answer was complete" if not data else f"answered more than {limit} bytes"
                    raise ChannelError("socket", f"the far side {why}.")  # noqa: TRY301 - closing below is meant for it too
    except TimeoutError:
        duplex.close()
        raise CommandTimeoutError("socket", f"no complete answer within {timeout:g} s.") from None
    except BaseException:
        duplex.close()
        raise
    return safe_text(bytes(answer[: answer.index(terminator)]))
