"""Byte channels to a public endpoint: by TCP, by a local Unix socket, or from a node; with TLS for https."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from hactl.model.errors import InputError
from hactl.model.inventory import Endpoint
from hactl.transport.protocol import Duplex, Transport

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, and what to ask there. `host` is for the Host header, `name` for TLS and the resolver."""

    name: str
    port: int
    host: str
    path: str
    tls: bool
    socket: str | None
    via: str | None


def address_of(endpoint: Endpoint) -> Address:
    parts = urlsplit(endpoint.url)
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or (443 if tls else 80)
    return Address(parts.hostname or "", port, parts.netloc, path, tls, endpoint.socket, endpoint.via)


async def opened(address: Address, transports: Mapping[str, Transport]) -> Duplex:
    """A new channel. Raises OSError, what `open_tcp` raises, or InputError for TLS from a node, which is not there."""
    tls = _context() if address.tls else None
    if address.via is not None:
        if tls is not None:
            raise InputError(
                f"https through a node ({address.via}) is not possible.",
                remedy="Give the endpoint a `socket`, or an http URL.",
            )
        return await transports[address.via].open_tcp(address.name, address.port)
    name = address.name if tls is not None else None
    if address.socket is not None:
        return _Streams(*await asyncio.open_unix_connection(address.socket, ssl=tls, server_hostname=name))
    return _Streams(*await asyncio.open_connection(address.name, address.port, ssl=tls, server_hostname=name))


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Streams:
    """asyncio's two streams as a Duplex. Raises OSError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, limit: int = _CHUNK) -> bytes:
        return await self._reader.read(limit)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()
