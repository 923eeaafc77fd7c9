"""The default transport: one asyncssh connection a node, held and shared by everything that asks that node."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from hactl.model.command import Command, Completed
from hactl.model.errors import SocketUnavailableError, TransportError
from hactl.model.inventory import Node
from hactl.transport import become, errors, sockets
from hactl.transport.asyncssh_connect import Link, Login, SshContext, read_config
from hactl.transport.asyncssh_lib import asyncssh
from hactl.transport.asyncssh_opening import AsyncsshStream, give, kept, nothing, opened
from hactl.transport.asyncssh_sessions import (
    ByteSession,
    ExecSession,
    FrameSession,
    Hurry,
    RunSession,
    abandon,
)
from hactl.transport.attempts import Attempts
from hactl.transport.backoff import Backoff
from hactl.transport.bridge import socket_over
from hactl.transport.endpoint import Endpoint, resolve
from hactl.transport.gate import Place, SessionGate
from hactl.transport.jump import Jumps, behind
from hactl.transport.known_hosts import HostKey
from hactl.transport.protocol import Duplex, FrameSink, Peer, Stream, Transport
from hactl.transport.sudo import Sudo

S = TypeVar("S", bound=ExecSession)
T = TypeVar("T")

_CLOSE_WITHIN = 2.0  # seconds for an orderly goodbye


class _Session:
    """What lives and dies with one connection."""

    def __init__(self, link: Link, limit: int, ended: asyncio.Future[TransportError | None]) -> None:
        self.connection, self.peer = link.connection, link.peer
        self.gate = SessionGate(limit)
        self.hurry = Hurry(link.connection)
        self.hurry.soon()
        self.ended = ended


class AsyncsshTransport:
    """protocol.Transport over asyncssh. After a lost connection, `connect` (or any call) makes a new one."""

    def __init__(self, node: Node, context: SshContext, jumps: Jumps) -> None:
        self._node, self._context, self._jumps = node, context, jumps
        self._endpoint: Endpoint | None = None
        self._live: _Session | None = None
        self._connecting = Attempts()
        self._closing = False
        self._last: TransportError | None = None  # why the last connection ended
        self._sudo: Sudo | None = None

    @property
    def node(self) -> str:
        return self._node.name

    async def connect(self) -> Peer:
        return (await self._connected()).peer

    async def run(self, command: Command) -> Completed:
        await self._connected()
        assert self._sudo is not None  # noqa: S101 - made with the endpoint, before the first connection
        return await self._sudo.run(command)

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        live = await self._connected()
        argv = become.words(command, self._where().user, self._node.ssh.become)

        def make(place: Place) -> FrameSession:
            return FrameSession(place, live.hurry, self.node, sink, lambda exc: self._lost(live, exc))

        try:
            async with asyncio.timeout(command.timeout):
                session = await self._open_session(live, make, self._line(argv))
        except TimeoutError:
            raise errors.no_session(self.node, live.gate, command.timeout) from None
        stream = AsyncsshStream(session, self.node)
        if command.stdin:
            stream.write(command.stdin)
        return stream

    async def open_unix(self, path: str) -> Duplex:
        live = await self._connected()

        async def why(_: asyncssh.ChannelOpenError) -> SocketUnavailableError:
            return await sockets.why_not(self.run, self.node, self._where().user, path)

        def opening(make: Callable[[], ByteSession]) -> Coroutine[Any, Any, Any]:
            # One class serves both kinds of channel: asyncssh calls the same methods on either.
            return live.connection.create_unix_connection(
                cast("Callable[[], asyncssh.SSHUNIXSession[bytes]]", make), path
            )

        return await self._open_bytes(live, opening, why, f"connect to {path}")

    async def open_tcp(self, host: str, port: int) -> Duplex:
        live = await self._connected()

        async def why(error: asyncssh.ChannelOpenError) -> SocketUnavailableError:
            forbidden = error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            refused = "refused" in error.reason.lower()
            return sockets.port_unavailable(self.node, host, port, error.reason, forbidden=forbidden, refused=refused)

        def opening(make: Callable[[], ByteSession]) -> Coroutine[Any, Any, Any]:
            return live.connection.create_connection(make, host, port)

        return await self._open_bytes(live, opening, why, f"connect to {host} port {port}")

    async def closed(self) -> TransportError | None:
        live = self._live
        return await asyncio.shield(live.ended) if live is not None else self._last

    async def close(self) -> None:
        async with self._connecting.lock:
            live = self._live
            if live is None:
                self._last = None
                return
            self._closing = True
            live.connection.abort()  # everything on it ends; a goodbye would change nothing for the node
            try:
                async with asyncio.timeout(_CLOSE_WITHIN):
                    await live.connection.wait_closed()
            except TimeoutError:
                live.connection.abort()
            finally:
                self._over(live.ended, None)
                self._closing = False

    async def host_keys(self, kinds: Sequence[tuple[str, ...]]) -> tuple[Endpoint, tuple[HostKey, ...]]:
        """The node's host keys, one connection for each of `kinds` (algorithms), without logging in or trusting any.

        Raises what `connect` raises for a node that is not reached.
        """
        endpoint = self._where()
        found: list[HostKey] = []
        for kind in kinds:
            looking = replace(endpoint, known_hosts=(), algorithms=replace(endpoint.algorithms, host_keys=kind))
            hop = self._take_jump(endpoint)
            try:
                via, sock = await self._way(endpoint, hop)
                key = await Login(looking, self._context, via, lambda _: None).look(sock)
            finally:
                if hop is not None:
                    self._jumps.give_back(hop)
            if key is not None:
                found.append(key)
        return endpoint, tuple(found)

    async def raw(self) -> asyncssh.SSHClientConnection:
        """The connection itself, for other transports that jump through this node."""
        return (await self._connected()).connection

    # --- the connection ---------------------------------------------------------------------------------------

    async def _connected(self) -> _Session:
        if self._live is not None and not self._live.connection.is_closed():
            return self._live
        async with self._connecting.turn():
            if self._live is not None and not self._live.connection.is_closed():
                return self._live
            return await self._log_in()

    async def _log_in(self) -> _Session:
        self._endpoint = None  # ssh_config may have changed since
        endpoint = self._where()
        ended: asyncio.Future[TransportError | None] = asyncio.get_running_loop().create_future()
        hop = self._take_jump(endpoint)
        try:
            via, sock = await self._way(endpoint, hop)
            link = await Login(endpoint, self._context, via, lambda exc: self._on_lost(ended, exc)).run(sock)
        except BaseException:
            if hop is not None:
                self._jumps.give_back(hop)
            raise
        live = self._live = _Session(link, self._node.ssh.max_sessions, ended)
        if hop is not None:
            ended.add_done_callback(lambda _: self._jumps.give_back(hop))
        if ended.done():  # it died in the moment it was made
            self._live = None
            raise ended.result() or errors.lost(self.node, "closed")
        self._sudo = Sudo(
            self.node,
            endpoint.user,
            self._node.ssh.become,
            self._context.prompter,
            self._execute,
            bounded=endpoint.user == "root",  # sshd passes no signals on to sessions of root
        )
        return live

    def _take_jump(self, endpoint: Endpoint) -> Transport | None:
        try:
            return self._jumps.take(endpoint.jump, self._node) if endpoint.jump else None
        except ValueError as error:
            raise errors.bad_config(self.node, error) from error

    async def _way(
        self, endpoint: Endpoint, hop: Transport | None
    ) -> tuple[asyncssh.SSHClientConnection | None, socket.socket | None]:
        """What to log in through: another asyncssh connection, or a socket through a transport of another kind."""
        try:
            if isinstance(hop, AsyncsshTransport):
                return await hop.raw(), None
            if hop is not None:
                return None, await socket_over(await hop.open_tcp(endpoint.host, endpoint.port))
        except TransportError as error:
            raise behind(self.node, error) from error
        return None, None

    def _where(self) -> Endpoint:
        if self._endpoint is None:
            try:
                self._endpoint = resolve(self._node, read_config)
            except (OSError, ValueError) as error:
                raise errors.bad_config(self.node, error) from error
        return self._endpoint

    def _on_lost(self, ended: asyncio.Future[TransportError | None], exc: Exception | None) -> None:
        self._over(ended, None if self._closing else self._reason(exc))

    def _over(self, ended: asyncio.Future[TransportError | None], error: TransportError | None) -> None:
        if not ended.done():
            ended.set_result(error)
            self._last = error
        if self._live is not None and self._live.ended is ended:
            self._live = None

    def _reason(self, exc: Exception | None) -> TransportError:
        """Asyncssh's errors on an established connection in hactl's words: the one place for them."""
        if isinstance(exc, asyncssh.ConnectionLost) and "keepalive" in str(exc):
            return errors.unanswered(self.node, self._node.ssh.keepalive)
        return errors.lost(self.node, str(exc) if exc else "")

    def _lost(self, live: _Session, exc: Exception | None) -> TransportError:
        """Why something on `live` ended, given what asyncssh told it."""
        if live.ended.done():
            known = live.ended.result()
            return known or errors.lost(self.node, "it was closed from this side")
        return self._reason(exc)

    # --- sessions ---------------------------------------------------------------------------------------------

    async def _execute(self, command: Command, argv: tuple[str, ...], stdin: bytes) -> Completed:
        """Run `argv` to its end within `command.timeout`, queueing for a session included."""
        live = await self._connected()
        text = self._line(argv)
        started = time.monotonic()
        session: RunSession | None = None
        try:
            async with asyncio.timeout(command.timeout):
                session = await self._open_session(live, lambda place: RunSession(place, live.hurry), text)
                give(session, stdin)
                await session.done
        except TimeoutError:
            if session is None:
                raise errors.no_session(self.node, live.gate, command.timeout) from None
            raise errors.timed_out(self.node, command.shown(), command.timeout, mutates=command.mutates) from None
        except (asyncssh.Error, OSError) as error:
            raise self._lost(live, error) from error
        finally:
            if (
                session is not None
                and session.chan is not None
                and (not session.done.done() or session.done.cancelled())
            ):
                abandon(session.chan)
        if session.exit is None and live.connection.is_closed():
            raise self._lost(live, None)
        return session.completed(time.monotonic() - started)

    def _line(self, argv: tuple[str, ...]) -> str:
        try:
            return become.line(argv)
        except ValueError as error:
            raise errors.impossible_argument(self.node, error) from None

    async def _open_session(self, live: _Session, make: Callable[[Place], S], text: str) -> S:
        """An exec channel, when its turn has come. Waits on while the server says that it has enough of them."""
        waits = Backoff(first=0.1, cap=1.0, floor=0.02)
        while True:
            place = await live.gate.enter()
            try:
                return await opened(live.connection, make, text, place)
            except asyncssh.ChannelOpenError as error:
                if live.connection.is_closed():
                    place.leave()
                    raise self._lost(live, error) from error
                if not place.refused():  # no other is open: the server may still be clearing one away
                    live.gate.refusal = error.reason
                    await asyncio.sleep(next(waits))

    async def _open_bytes(
        self,
        live: _Session,
        opening: Callable[[Callable[[], ByteSession]], Coroutine[Any, Any, Any]],
        why: Callable[[asyncssh.ChannelOpenError], Awaitable[SocketUnavailableError]],
        what: str,
    ) -> ByteSession:
        seconds = self._node.ssh.connect_timeout
        try:
            async with asyncio.timeout(seconds):
                _, session = await kept(opening(lambda: ByteSession(lambda exc: self._lost(live, exc))), nothing)
        except TimeoutError:
            raise errors.timed_out(self.node, what, seconds) from None
        except asyncssh.ChannelOpenError as error:
            if live.connection.is_closed():
                raise self._lost(live, error) from error
            raise await why(error) from error
        assert isinstance(session, ByteSession)  # noqa: S101 - what `opening` was given to make
        return session
