"""The second transport, for hosts and policies that asyncssh does not serve: paramiko, a thread where it blocks.

It has no forwarding to Unix sockets: those are reached through socat, nc or python3 on the node, one session each. And
it notices nothing by itself: a liveness task asks the node for a sign of life.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from functools import partial

import paramiko

from hactl.model.command import Command, Completed
from hactl.model.errors import ConnectionLostError, TransportError
from hactl.model.inventory import Node
from hactl.transport import become, errors, sockets
from hactl.transport.attempts import Attempts
from hactl.transport.backoff import Backoff
from hactl.transport.bridge import socket_over
from hactl.transport.endpoint import Endpoint, resolve
from hactl.transport.gate import Place, SessionGate
from hactl.transport.jump import Jumps, behind
from hactl.transport.paramiko_channels import ChannelDuplex, ChannelStream, run_blocking, send_signal
from hactl.transport.paramiko_connect import Login, ParamikoContext, read_config
from hactl.transport.protocol import Duplex, FrameSink, Peer, Stream, Transport
from hactl.transport.sudo import Sudo

_TERM_TO_KILL = 0.5  # seconds

# Leads stdin and stdout to the socket $1. socat reads some characters of an address as its own.
_RELAY = """
case $1 in *[,:\\!\\"\\'\\\\]*) ;; *) command -v socat >/dev/null 2>&1 && exec socat - "UNIX-CONNECT:$1" ;; esac
nc -h 2>&1 | grep -q -- -U && exec nc -U -- "$1"
exec python3 -c '
import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
def up():
    while True:
        d = os.read(0, 65536)
        if not d: break
        s.sendall(d)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while True:
    d = s.recv(65536)
    if not d: break
    os.write(1, d)
' "$1"
"""


class _Session:
    """What lives and dies with one connection."""

    def __init__(self, client: paramiko.Transport, peer: Peer, limit: int) -> None:
        self.client, self.peer = client, peer
        self.gate = SessionGate(limit)
        self.ended: asyncio.Future[TransportError | None] = asyncio.get_running_loop().create_future()
        self.reason: TransportError | None = None  # set by whoever ends the connection on purpose
        self.closing = False
        self.liveness: asyncio.Task[None] | None = None


class ParamikoTransport:
    """protocol.Transport over paramiko. After a lost connection, `connect` (or any call) makes a new one."""

    def __init__(self, node: Node, context: ParamikoContext, jumps: Jumps) -> None:
        self._node, self._context, self._jumps = node, context, jumps
        self._live: _Session | None = None
        self._endpoint: Endpoint | None = None
        self._connecting = Attempts()
        self._last: TransportError | None = None
        self._sudo: Sudo | None = None

    @property
    def node(self) -> str:
        return self._node.name

    async def connect(self) -> Peer:
        return (await self._connected()).peer

    async def run(self, command: Command) -> Completed:
        await self._connected()
        assert self._sudo is not None  # noqa: S101 - made with the first connection
        return await self._sudo.run(command)

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        live = await self._connected()
        argv = become.words(command, self._where().user, self._node.ssh.become)
        chan, place = await self._started(live, argv, command)
        stream = ChannelStream(
            self.node,
            chan,
            sink,
            leave=place.leave,
            lost=partial(self._lost, live),
            abandon=lambda chan: self._abandon(chan, place),
        )
        if command.stdin:
            stream.write(command.stdin)
        return stream

    async def open_unix(self, path: str) -> Duplex:
        looked = await self.run(sockets.look(path))
        if looked.stdout.strip() != sockets.LISTENING:
            raise sockets.explained(self.node, self._where().user, path, looked)
        live = await self._connected()
        relay = Command(("sh", "-c", _RELAY, "sh", path), timeout=self._node.ssh.connect_timeout)
        chan, place = await self._started(live, relay.argv, relay)
        return ChannelDuplex(chan, place.leave, partial(self._lost, live))

    async def open_tcp(self, host: str, port: int) -> Duplex:
        live, seconds = await self._connected(), self._node.ssh.connect_timeout
        opening = partial(live.client.open_channel, "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=seconds)
        try:
            async with asyncio.timeout(seconds + 0.5):
                chan = await self._context.threaded(opening)
        except TimeoutError:
            raise errors.timed_out(self.node, f"connect to {host} port {port}", seconds) from None
        except paramiko.ChannelException as error:
            forbidden = error.code == 1  # RFC 4254: administratively prohibited
            # paramiko keeps only the code; "connect failed" mostly means that nobody listens.
            refused = error.code == 2
            raise sockets.port_unavailable(
                self.node, host, port, error.text, forbidden=forbidden, refused=refused
            ) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(live, error) from error
        return ChannelDuplex(chan, _nothing, partial(self._lost, live))

    async def closed(self) -> TransportError | None:
        live = self._live
        return await asyncio.shield(live.ended) if live is not None else self._last

    async def close(self) -> None:
        async with self._connecting.lock:
            live = self._live
            if live is None:
                self._last = None
                return
            live.closing = True
            await self._context.threaded(live.client.close)
            self._over(live)

    # --- the connection ---------------------------------------------------------------------------------------

    async def _connected(self) -> _Session:
        if self._live is not None and self._live.client.is_active():
            return self._live
        async with self._connecting.turn():
            if self._live is not None and self._live.client.is_active():
                return self._live
            return await self._log_in()

    async def _log_in(self) -> _Session:
        self._endpoint = None  # ssh_config may have changed since
        endpoint = self._where()
        hop = self._take_jump(endpoint)
        try:
            sock = await self._way(endpoint, hop)
            client, peer = await Login(endpoint, self._context, (lambda: sock) if sock is not None else None).run()
        except BaseException:
            if hop is not None:
                self._jumps.give_back(hop)
            raise
        live = self._live = _Session(client, peer, self._node.ssh.max_sessions)
        if hop is not None:
            live.ended.add_done_callback(lambda _: self._jumps.give_back(hop))
        live.liveness = asyncio.ensure_future(self._stay_sure(live, endpoint.keepalive))
        loop = asyncio.get_running_loop()

        def watch() -> None:
            client.join()
            with contextlib.suppress(RuntimeError):  # the loop is gone: so is everybody who would care
                loop.call_soon_threadsafe(self._over, live)

        threading.Thread(target=watch, name=f"hactl-watch-{self.node}", daemon=True).start()
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

    async def _way(self, endpoint: Endpoint, hop: Transport | None) -> socket.socket | None:
        """A socket that leads to the node through its jump host, whatever transport that has."""
        if hop is None:
            return None
        try:
            return await socket_over(await hop.open_tcp(endpoint.host, endpoint.port))
        except TransportError as error:
            raise behind(self.node, error) from error

    async def _stay_sure(self, live: _Session, every: float) -> None:
        """Ask for a sign of life; end the connection when three intervals pass without one."""
        while live.client.is_active():
            await asyncio.sleep(every)
            # OpenSSH answers this to say that it does not know it, which is all we want.
            asking = self._context.threaded(partial(live.client.global_request, "keepalive@openssh.com", wait=True))
            try:
                async with asyncio.timeout(3 * every):
                    await asking
            except TimeoutError:
                live.reason = errors.unanswered(self.node, every)
                live.client.close()
            except (OSError, EOFError, paramiko.SSHException):
                return  # it ended: `watch` tells

    def _where(self) -> Endpoint:
        if self._endpoint is None:
            try:
                self._endpoint = resolve(self._node, read_config)
            except (OSError, ValueError) as error:
                raise errors.bad_config(self.node, error) from error
        return self._endpoint

    def _over(self, live: _Session) -> None:
        if live.liveness is not None:
            live.liveness.cancel()
        if not live.ended.done():
            live.ended.set_result(None if live.closing else self._lost(live))
            self._last = live.ended.result()
        if self._live is live:
            self._live = None

    def _lost(self, live: _Session, error: Exception | None = None) -> ConnectionLostError | TransportError:
        """Paramiko's errors on an established connection in hactl's words: the one place for them."""
        found = error or live.client.get_exception()
        return live.reason or errors.lost(self.node, str(found or ""))

    # --- sessions ---------------------------------------------------------------------------------------------

    async def _execute(self, command: Command, argv: tuple[str, ...], stdin: bytes) -> Completed:
        live, begun = await self._connected(), time.monotonic()
        chan, place = await self._started(live, argv, command)
        left = command.timeout - (time.monotonic() - begun)
        try:
            async with asyncio.timeout(left):
                return await self._context.threaded(partial(run_blocking, chan, stdin, left + 1.0))
        except TimeoutError:
            raise errors.timed_out(self.node, command.shown(), command.timeout, mutates=command.mutates) from None
        except (EOFError, OSError, paramiko.SSHException) as error:
            raise self._lost(live, error) from error
        finally:
            if chan.closed or chan.exit_status_ready():
                chan.close()
                place.leave()
            else:
                self._abandon(chan, place)

    def _abandon(self, chan: paramiko.Channel, place: Place) -> None:
        """Get rid of a session whose command still runs: ask it to end, then make it, then close. Does not wait."""

        def end() -> None:
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # the connection is gone, or it ended
                send_signal(chan, "TERM")
                if not chan.status_event.wait(_TERM_TO_KILL):
                    send_signal(chan, "KILL")
                    chan.status_event.wait(_TERM_TO_KILL)
            chan.close()  # ends the thread that reads from it, too
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it everybody who waits
                loop.call_soon_threadsafe(place.leave)

        loop = asyncio.get_running_loop()
        self._context.threads.submit(end)

    async def _started(self, live: _Session, argv: tuple[str, ...], command: Command) -> tuple[paramiko.Channel, Place]:
        """A channel on which `argv` has been started, and its place under MaxSessions."""
        try:
            # The shell waits and tells 128 + N where a signal ended the command; paramiko itself loses that.
            text = f"{become.line(argv)}; exit $?"
        except ValueError as error:
            raise errors.impossible_argument(self.node, error) from None
        waits = Backoff(first=0.1, cap=1.0, floor=0.02)
        try:
            async with asyncio.timeout(command.timeout):
                while True:
                    place = await live.gate.enter()
                    try:
                        return await self._exec(live, text, command.timeout, place), place
                    except (EOFError, OSError, paramiko.SSHException) as error:
                        if not _is_refusal(error) or not live.client.is_active():
                            place.leave()
                            raise
                        if not place.refused():
                            live.gate.refusal = str(error)
                            await asyncio.sleep(next(waits))
        except TimeoutError:
            raise errors.no_session(self.node, live.gate, command.timeout) from None
        except (EOFError, OSError, paramiko.SSHException) as error:
            raise self._lost(live, error) from error

    async def _exec(self, live: _Session, text: str, seconds: float, place: Place) -> paramiko.Channel:
        """Open a session and start `text` in it. Cancelled halfway, the channel is closed when it turns up."""

        def start() -> paramiko.Channel:
            chan = live.client.open_session(timeout=seconds)
            try:
                chan.settimeout(seconds)
                chan.exec_command(text)
            except BaseException:
                chan.close()
                raise
            return chan

        task = asyncio.ensure_future(self._context.threaded(start))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(partial(self._close_orphan, place))
            raise

    def _close_orphan(self, place: Place, task: asyncio.Future[paramiko.Channel]) -> None:
        if task.cancelled() or task.exception() is not None:
            place.leave()
        else:
            self._abandon(task.result(), place)


def _is_refusal(error: Exception) -> bool:
    """Whether the node refused a channel. Of several at the same time paramiko tells the reason to one only."""
    return isinstance(error, paramiko.ChannelException) or "Unable to open channel" in str(error)


def _nothing() -> None:
    """Forwarding channels hold no place."""
