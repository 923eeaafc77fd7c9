"""HTTP/1.1 as a balancer speaks it: keep-alive, Content-Length bodies, bounded sizes and times.

Knows nothing of the shop. One task a connection; a connection is either idle (waiting for a request) or busy
(answering one), and `Server.close` treats the two differently, so that stopping never cuts an answer and never
waits for a balancer's idle pool. An answer without an end (`Stream`) is cut when the patience of `close` is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

from journal import Level, log

HEAD_LIMIT = 16 * 1024  # bytes of request line and headers
BODY_LIMIT = 64 * 1024  # bytes
IDLE_SECONDS = 75.0  # a quiet keep-alive connection is closed after this
READ_SECONDS = 10.0  # a body that was announced must arrive within this


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # without the query
    query: str
    headers: Mapping[str, str]  # names in lower case; of a repeated header the last one
    body: bytes


@dataclass(frozen=True)
class Response:
    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stream:
    """A body that comes piece by piece, chunked, for as long as `pieces` go on and the client stays."""

    pieces: AsyncIterator[bytes]
    content_type: str = "text/plain; charset=utf-8"


class BadRequestError(Exception):
    """The bytes are not a request that this server takes. The connection cannot be used any further."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


Answer = Callable[[Request], Awaitable[Response | Stream]]


class Server:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener: asyncio.Server | None = None
        self._idle: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._closing = False

    async def listen(self, port: int) -> None:
        self._listener = await asyncio.start_server(self._converse, port=port, limit=HEAD_LIMIT, backlog=256)

    async def close(self, patience: float) -> int:
        """Stop listening, hang up on idle connections, wait `patience` seconds for answers under way.

        Returns how many answers had to be cut short.
        """
        self._closing = True
        if self._listener is not None:
            self._listener.close()
        for task in self._idle:
            task.cancel()
        if not self._busy:
            return 0
        _, late = await asyncio.wait(self._busy, timeout=patience)
        for task in late:
            task.cancel()
        return len(late)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from accept to hang-up."""
        task = cast("asyncio.Task[None]", asyncio.current_task())  # never None inside a task
        try:
            while not self._closing:
                self._idle.add(task)
                async with asyncio.timeout(IDLE_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                self._idle.discard(task)
                self._busy.add(task)
                keep = await self._exchange(head, reader, writer)
                self._busy.discard(task)
                if not keep:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass  # the client hung up or went quiet: its right, and nothing is owed to it
        except asyncio.LimitOverrunError:
            writer.write(encode(failure(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE), keep=False))
        except asyncio.CancelledError:
            if not self._closing:
                raise
        finally:
            self._idle.discard(task)
            self._busy.discard(task)
            writer.close()

    async def _exchange(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read the rest of one request, answer it; True if the connection may carry another."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                request = await read_request(head, reader, writer)
        except BadRequestError as bad:
            writer.write(encode(failure(bad.status), keep=False))
            await writer.drain()
            return False
        try:
            response = await self._answer(request)
        except Exception as error:  # noqa: BLE001 - the edge: one bad request must not end the connection unanswered
            log(Level.ERROR, f"{request.method} {request.path}: {error!r}")
            response = failure(HTTPStatus.INTERNAL_SERVER_ERROR)
        if isinstance(response, Stream):
            await send(response, writer, with_body=request.method != "HEAD")
            return False
        keep = not self._closing and request.headers.get("connection", "").lower() != "close"
        writer.write(encode(response, keep=keep, with_body=request.method != "HEAD"))
        await writer.drain()
        return keep


async def read_request(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    """Parse `head` (up to and with the empty line) and read the body that it announces. Raises BadRequestError."""
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:] if line)}
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise BadRequestError(HTTPStatus.BAD_REQUEST) from None
    if version == "HTTP/1.0":
        headers["connection"] = "close"
    elif version != "HTTP/1.1":
        raise BadRequestError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    if "transfer-encoding" in headers:
        raise BadRequestError(HTTPStatus.LENGTH_REQUIRED)
    if not 0 <= length <= BODY_LIMIT:
        raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if length and headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(length) if length else b""
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, body)


def encode(response: Response, *, keep: bool, with_body: bool = True) -> bytes:
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Connection": "keep-alive" if keep else "close",
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + response.body if with_body else head


async def send(stream: Stream, writer: asyncio.StreamWriter, *, with_body: bool) -> None:
    """Send the pieces as chunks. Raises ConnectionError when the client has left."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {stream.content_type}\r\nTransfer-Encoding: chunked\r\n"
    writer.write(head.encode("latin-1") + b"Cache-Control: no-store\r\nConnection: close\r\n\r\n")
    await writer.drain()
    if not with_body:
        return
    async for piece in stream.pieces:
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def failure(status: HTTPStatus) -> Response:
    return Response(status, f"{status.phrase}\n".encode())
