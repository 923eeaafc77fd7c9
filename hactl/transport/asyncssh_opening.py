"""Opening asyncssh channels so that nothing is left behind, and giving them what they wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from hactl.transport import errors
from hactl.transport.asyncssh_lib import asyncssh
from hactl.transport.asyncssh_sessions import ExecSession, FrameSession, RunSession, abandon
from hactl.transport.gate import Place

S = TypeVar("S", bound=ExecSession)
T = TypeVar("T")


async def opened(connection: asyncssh.SSHClientConnection, make: Callable[[Place], S], text: str, place: Place) -> S:
    """The session of a new exec channel. Raises ChannelOpenError with the place still held, to learn from."""
    made: list[S] = []

    def factory() -> S:
        made.append(make(place))
        return made[0]

    try:
        await kept(connection.create_session(factory, text, encoding=None, request_pty=False), place.leave)
    except (asyncio.CancelledError, asyncssh.ChannelOpenError):
        raise
    except BaseException:
        place.leave()
        raise
    return made[0]


async def kept(opening: Coroutine[Any, Any, T], failed: Callable[[], None]) -> T:
    """Await the opening of a channel; when cancelled, see it through in the background and close what comes of it.

    A cancelled open would leave a channel that the server counts and nobody knows. `failed` is called when, after
    being cancelled, the channel is not opened.
    """
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(partial(_close_orphan, failed))
        raise


def _close_orphan(failed: Callable[[], None], task: asyncio.Future[Any]) -> None:
    if task.cancelled() or task.exception() is not None:
        failed()
        return
    channel, session = task.result()
    if isinstance(session, ExecSession):
        abandon(channel)
    else:
        channel.abort()


def nothing() -> None:
    """Byte channels hold no place."""


def give(session: RunSession, stdin: bytes) -> None:
    """All of stdin and its end. A command that does not read it may be gone already."""
    if session.chan is not None:
        with contextlib.suppress(OSError):
            if stdin:
                session.chan.write(stdin)
            session.chan.write_eof()


class AsyncsshStream:
    """protocol.Stream."""

    def __init__(self, session: FrameSession, node: str) -> None:
        self._session, self._node = session, node

    def write(self, data: bytes) -> None:
        if self._session.ended or self._session.chan is None:
            raise errors.lost(self._node, "the stream has ended")
        try:
            self._session.chan.write(data)
        except OSError:
            raise errors.lost(self._node, "the stream has ended") from None

    def close(self) -> None:
        if self._session.ended or self._session.chan is None:
            return
        chan = self._session.chan
        with contextlib.suppress(OSError):
            chan.write_eof()
        self._session.end(None)
        abandon(chan)
