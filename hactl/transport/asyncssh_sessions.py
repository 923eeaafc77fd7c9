"""What listens on an asyncssh channel: one command's answer, a stream of frames, a two-way byte channel.

All of them are callback sessions: half the CPU of asyncssh's stream readers, and nothing is decoded but by hactl.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator

from hactl.model.command import Completed
from hactl.model.errors import ChannelError, TransportError
from hactl.model.observed import Unknown
from hactl.model.text import one_line, safe_text
from hactl.transport.asyncssh_lib import asyncssh
from hactl.transport.framing import FrameOverflowError, FrameSplitter
from hactl.transport.gate import Place
from hactl.transport.inbox import Inbox
from hactl.transport.protocol import FrameSink

OUTPUT_LIMIT = 4 * 1024 * 1024  # bytes of stdout, and of stderr, that one command may say
_STDERR_KEPT = 4096  # of a stream, for the error when it ends
_TERM_TO_KILL = 0.5  # seconds
_AFTER_LOGIN = (0.0005, 0.0005, 0.001, 0.002, 0.004, 0.008)  # seconds, one after the other


class Hurry:
    """Acknowledges at once what a node has just sent.

    sshd keeps small packets back until the last one is acknowledged (Nagle), and Linux delays that by 40 ms: longer
    than everything else together. Asking for a quick ACK sends the pending one.
    """

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        found = connection.get_extra_info("socket")
        self._socket: socket.socket | None = found if found is not None and _is_tcp(found) else None
        self._waiting = self._socket is not None  # for what sshd says unasked

    def soon(self) -> None:
        """Do so several times in the next moments: sshd announces its host keys unasked right after a login."""
        self._again(iter(_AFTER_LOGIN))

    def started(self) -> None:
        """A session has started, so sshd has said by now what it says unasked."""
        self._waiting = False
        self.now()

    def _again(self, waits: Iterator[float]) -> None:
        if self._waiting and (wait := next(waits, None)) is not None:
            asyncio.get_running_loop().call_later(wait, self._elapsed, waits)

    def _elapsed(self, waits: Iterator[float]) -> None:
        if self._waiting:
            self.now()
            self._again(waits)

    def now(self) -> None:
        """Acknowledge what has arrived."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the socket is being closed: nothing to hurry
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _is_tcp(found: socket.socket) -> bool:
    return hasattr(socket, "TCP_QUICKACK") and found.family in (socket.AF_INET, socket.AF_INET6)


class ExecSession(asyncssh.SSHClientSession[bytes]):
    """What every exec channel has: its place under MaxSessions, its exit, quick acknowledgements at its start."""

    def __init__(self, place: Place, hurry: Hurry) -> None:
        self._place, self._hurry = place, hurry
        self.exit: int | None = None
        self.chan: asyncssh.SSHClientChannel[bytes] | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.chan = chan

    def session_started(self) -> None:
        self._hurry.started()

    def exit_status_received(self, status: int) -> None:
        self.exit = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:  # noqa: ARG002, FBT001 - asyncssh's signature
        self.exit = 128 + signal_number(signal)

    def eof_received(self) -> bool:
        return True  # our own side stays open until we say so

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's signature
        self._place.leave()


def signal_number(name: str) -> int:
    """The number of a signal that SSH named without its SIG; 0 for a name this system does not have."""
    return getattr(signal.Signals, f"SIG{name}", 0)


class RunSession(ExecSession):
    """Collects what one command says. `done` ends when the channel has closed; with asyncssh's error if it broke."""

    def __init__(self, place: Place, hurry: Hurry) -> None:
        super().__init__(place, hurry)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._kept: tuple[list[bytes], list[bytes]] = ([], [])
        self._sizes = [0, 0]
        self._truncated = False

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._hurry.now()
        which = 0 if datatype is None else 1
        room = OUTPUT_LIMIT - self._sizes[which]
        if len(data) > room:
            self._truncated = True
            data = data[:room]  # the rest is read and dropped, so that the command can end
        self._kept[which].append(data)
        self._sizes[which] += len(data)

    def exit_status_received(self, status: int) -> None:
        super().exit_status_received(status)
        self._hurry.now()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.done.done():
            if exc is not None:
                self.done.set_exception(exc)
            else:
                self.done.set_result(None)

    def completed(self, seconds: float) -> Completed:
        """The answer so far; an exit that the node did not tell is Unknown."""
        exit_ = (
            Unknown("the node did not say how the command ended", time.monotonic()) if self.exit is None else self.exit
        )
        out, err = (safe_text(b"".join(parts)) for parts in self._kept)
        return Completed(exit_, out, err, seconds, self._truncated)


class FrameSession(ExecSession):
    """Passes frames on to a sink. `explain` turns asyncssh's error, or None, into hactl's."""

    def __init__(
        self,
        place: Place,
        hurry: Hurry,
        node: str,
        sink: FrameSink,
        explain: Callable[[Exception | None], TransportError],
    ) -> None:
        super().__init__(place, hurry)
        self._node, self._sink, self._explain = node, sink, explain
        self._splitter = FrameSplitter()
        self._stderr = b""
        self.ended = False

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self.ended:
            return
        if datatype is not None:
            self._stderr = (self._stderr + data)[-_STDERR_KEPT:]
            return
        try:
            for frame in self._splitter.feed(data):
                self._sink.frame(frame)
        except FrameOverflowError:
            self.end(ChannelError(self._node, "the stream said more in one frame than hactl takes."))
            if self.chan is not None:
                abandon(self.chan)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if exc is not None or self.exit is None:
            self.end(self._explain(exc))
        elif self.exit == 0:
            self.end(None)
        else:
            said = one_line(safe_text(self._stderr)) or "nothing on stderr"
            self.end(ChannelError(self._node, f"the stream's command ended with exit {self.exit}: {said}"))

    def end(self, error: TransportError | None) -> None:
        """Tell the sink, once."""
        if not self.ended:
            self.ended = True
            self._sink.ended(error)


def abandon(chan: asyncssh.SSHClientChannel[bytes]) -> None:
    """Get rid of a session whose command still runs: ask it to end, then make it, then close. Does not wait.

    Closing alone is not enough: sshd keeps the session, and counts it, for as long as the command lives.
    """
    with contextlib.suppress(OSError):  # already closed
        chan.send_signal("TERM")
        asyncio.get_running_loop().call_later(_TERM_TO_KILL, _kill, chan)


def _kill(chan: asyncssh.SSHClientChannel[bytes]) -> None:
    with contextlib.suppress(OSError):  # it ended by itself
        chan.send_signal("KILL")
    chan.abort()


class ByteSession(asyncssh.SSHTCPSession[bytes]):
    """A two-way byte channel (protocol.Duplex) over a Unix or TCP forwarding channel."""

    def __init__(self, explain: Callable[[Exception | None], TransportError]) -> None:
        self._explain = explain
        self._chan: asyncssh.SSHTCPChannel[bytes] | None = None
        self._inbox = Inbox(self._hold, self._release)
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._chan = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:  # noqa: ARG002 - asyncssh's signature
        self._inbox.push(data)

    def eof_received(self) -> bool:
        self._inbox.finish()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._chan = None
        self._inbox.finish(self._explain(exc) if exc is not None else None)
        self._may_write.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def _hold(self) -> None:
        if self._chan is not None:
            self._chan.pause_reading()

    def _release(self) -> None:
        if self._chan is not None:
            self._chan.resume_reading()

    async def read(self, limit: int = 65536) -> bytes:
        return await self._inbox.read(limit)

    async def write(self, data: bytes) -> None:
        await self._may_write.wait()
        if self._chan is None:
            raise self._inbox.error or self._explain(None)
        try:
            self._chan.write(data)
        except OSError as error:  # it closed while we waited
            raise self._inbox.error or self._explain(error) from None
        await self._may_write.wait()

    def close(self) -> None:
        self._inbox.finish()
        if self._chan is not None:
            self._chan.close()
