"""HAProxy's admin socket, kept open: one channel in `prompt` mode, requests one after another.

A request's answer is everything up to the next prompt. Requests that are asked in this way only read, so one that met
a channel which HAProxy had closed meanwhile (it does so after `timeout stats`) is asked again on a new one.
"""

from __future__ import annotations

from hactl.model.errors import ConnectionLostError, SocketUnavailableError
from hactl.model.text import safe_text
from hactl.transport.protocol import Duplex, Transport

_PROMPT = b"\n> "
LIMIT = 8 * 1024 * 1024  # bytes of one answer


class Console:
    """Asks one admin socket. Not to be used by two askers at once."""

    def __init__(self, transport: Transport, path: str) -> None:
        self._transport = transport
        self._path = path
        self._channel: Duplex | None = None

    async def ask(self, requests: tuple[str, ...]) -> tuple[str, ...]:
        """One safe answer a request, without its final blank line.

        Raises SocketUnavailableError (absent, denied, refused, or it speaks no prompt) or ConnectionLostError. When
        cancelled, the channel is closed, because an answer may still be on its way.
        """
        kept_open = self._channel is not None
        try:
            return await self._ask(requests)
        except ConnectionLostError:
            if not kept_open:
                raise
        return await self._ask(requests)

    async def _ask(self, requests: tuple[str, ...]) -> tuple[str, ...]:
        try:
            channel = self._channel or await self._open()
            return tuple([await self._say(channel, request) for request in requests])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    async def _open(self) -> Duplex:
        self._channel = await self._transport.open_unix(self._path)
        await self._say(self._channel, "prompt")
        return self._channel

    async def _say(self, channel: Duplex, request: str) -> str:
        await channel.write(request.encode() + b"\n")
        heard = bytearray()
        while not heard.endswith(_PROMPT):
            data = await channel.read()
            if not data:
                raise ConnectionLostError(self._transport.node, f"{self._path} closed the channel")
            heard += data
            if len(heard) > LIMIT:
                raise SocketUnavailableError(
                    self._transport.node, f"{self._path} answered with more than {LIMIT} bytes"
                )
        return safe_text(bytes(heard[: -len(_PROMPT)])).rstrip("\n")
