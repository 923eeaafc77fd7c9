"""paramiko channels as hactl wants them: one command's answer, a stream of frames, a two-way byte channel.

Reading blocks, so each open channel has one reading thread, which hands what it reads to the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable

import paramiko

from hactl.model.command import Completed
from hactl.model.errors import ChannelError, TransportError
from hactl.model.observed import Unknown
from hactl.model.text import one_line, safe_text
from hactl.transport import errors
from hactl.transport.framing import FrameOverflowError, FrameSplitter
from hactl.transport.inbox import Inbox
from hactl.transport.protocol import FrameSink

_OUTPUT_LIMIT = 4 * 1024 * 1024
_CHUNK = 65536
_TICK = 0.2  # seconds between two looks at what is not being waited for


def run_blocking(chan: paramiko.Channel, stdin: bytes, seconds: float) -> Completed:
    """In a thread: give stdin, read all there is, learn the exit. Raises EOFError when the connection died."""
    started = time.monotonic()
    out, err = _Kept(), _Kept()
    data: bytes | None = None
    while data != b"" and time.monotonic() - started < seconds:
        stdin = _given(chan, stdin)
        chan.settimeout(0.01 if stdin else _TICK)
        data = _received(chan)
        out.add(data or b"")
        while chan.recv_stderr_ready():
            err.add(chan.recv_stderr(_CHUNK))
    while not chan.status_event.wait(_TICK):  # the exit comes after the end of output
        if chan.closed or not chan.get_transport().is_active() or time.monotonic() - started > seconds:
            break
    status = chan.exit_status if chan.status_event.is_set() else -1
    if status < 0 and not chan.get_transport().is_active():
        raise EOFError
    # paramiko keeps -1 both for "no exit told" and for "killed by a signal", of which it does not tell the number.
    exit_ = Unknown("the node did not say how the command ended", time.monotonic()) if status < 0 else status
    seconds = time.monotonic() - started
    return Completed(exit_, safe_text(bytes(out.data)), safe_text(bytes(err.data)), seconds, out.more or err.more)


def send_signal(chan: paramiko.Channel, name: str) -> None:
    """In a thread: ask the node to send a signal to the channel's command, if the channel is open. paramiko itself has
    no call for it.

    sshd ends the whole connection when it is asked about a channel that both sides have closed. The channel's lock
    keeps the closing from this side back until the request is on its way; not while keys are exchanged, which needs it.
    """
    request = paramiko.Message()
    request.add_byte(b"\x62")  # SSH_MSG_CHANNEL_REQUEST
    request.add_int(chan.remote_chanid)
    request.add_string("signal")
    request.add_boolean(False)  # noqa: FBT003 - wants no reply
    request.add_string(name)
    transport = chan.get_transport()
    with chan.lock:
        if not chan.closed and transport.clear_to_send.is_set():
            transport._send_user_message(request)  # type: ignore[attr-defined] # noqa: SLF001 - the way of every request that Channel itself makes


def _given(chan: paramiko.Channel, stdin: bytes) -> bytes:
    """Send what fits now; what is left. Ends stdin after the last byte."""
    try:
        while stdin and chan.send_ready():
            stdin = stdin[chan.send(stdin[:_CHUNK]) :]
        if not stdin and not chan.eof_sent:
            chan.shutdown_write()
    except OSError:  # the command does not read it
        return b""
    return stdin


def _received(chan: paramiko.Channel) -> bytes | None:
    """In a thread: what has arrived; None when nothing has for a tick, b"" at the end of the channel."""
    try:
        return chan.recv(_CHUNK)
    except TimeoutError:
        return None
    except (EOFError, OSError, paramiko.SSHException):  # recv also sends, on a connection that may be dying
        return b""


class _Kept:
    """Bytes up to the limit; the rest is read and dropped, so that the command can end."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.more = False

    def add(self, data: bytes) -> None:
        room = _OUTPUT_LIMIT - len(self.data)
        self.more = self.more or len(data) > room
        self.data += data[:room]


class _Writer:
    """Sends in order, in a thread of its own while there is something to send; never blocks the event loop."""

    def __init__(self, chan: paramiko.Channel) -> None:
        self._chan = chan
        self._last: asyncio.Task[None] | None = None

    def put(self, data: bytes) -> asyncio.Task[None]:
        self._last = asyncio.ensure_future(self._send(self._last, data))
        return self._last

    async def _send(self, before: asyncio.Task[None] | None, data: bytes) -> None:
        if before is not None:
            await asyncio.wait([before])
        with contextlib.suppress(OSError):  # closed: the reading side tells
            await asyncio.to_thread(self._chan.sendall, data)


class ChannelStream:
    """protocol.Stream."""

    def __init__(
        self,
        node: str,
        chan: paramiko.Channel,
        sink: FrameSink,
        *,
        leave: Callable[[], None],
        lost: Callable[[], TransportError],
        abandon: Callable[[paramiko.Channel], None],
    ) -> None:
        """`leave` gives back the place under MaxSessions; `abandon` ends the command and then does so, too."""
        self._node, self._chan, self._sink = node, chan, sink
        self._leave, self._lost, self._abandon = leave, lost, abandon
        self._splitter, self._stderr, self._over = FrameSplitter(), b"", False
        self._writer = _Writer(chan)
        chan.settimeout(_TICK)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name=f"hactl-stream-{node}", daemon=True).start()

    def write(self, data: bytes) -> None:
        if self._over:
            raise errors.lost(self._node, "the stream has ended")
        self._writer.put(data)

    def close(self) -> None:
        if not self._over:
            self._over = True
            self._abandon(self._chan)
            self._sink.ended(None)

    def _read(self) -> None:
        """In a thread."""
        chan = self._chan
        while True:
            data = _received(chan)
            if data:
                self._tell(self._arrived, data)
            while chan.recv_stderr_ready():
                self._stderr = (self._stderr + chan.recv_stderr(_CHUNK))[-4096:]
            if data == b"":
                break
        chan.status_event.wait(1.0)
        self._tell(self._finished)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(call, *arguments)

    def _arrived(self, data: bytes) -> None:
        if self._over:
            return
        try:
            for frame in self._splitter.feed(data):
                self._sink.frame(frame)
        except FrameOverflowError:
            self._over = True
            self._abandon(self._chan)
            self._sink.ended(ChannelError(self._node, "the stream said more in one frame than hactl takes."))

    def _finished(self) -> None:
        status = self._chan.exit_status
        self._chan.close()
        if status < 0:
            self._end(self._lost())
        elif status == 0:
            self._end(None)
        else:
            said = one_line(safe_text(self._stderr)) or "nothing on stderr"
            self._end(ChannelError(self._node, f"the stream's command ended with exit {status}: {said}"))

    def _end(self, error: TransportError | None) -> None:
        if not self._over:
            self._over = True
            self._leave()
            self._sink.ended(error)


class ChannelDuplex:
    """protocol.Duplex."""

    def __init__(self, chan: paramiko.Channel, leave: Callable[[], None], lost: Callable[[], TransportError]) -> None:
        self._chan, self._leave, self._lost = chan, leave, lost
        self._room = threading.Event()
        self._room.set()
        self._inbox = Inbox(self._room.clear, self._room.set)
        self._writer = _Writer(chan)
        self._closed = False
        chan.settimeout(_TICK)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump, name="hactl-duplex", daemon=True).start()

    async def read(self, limit: int = 65536) -> bytes:
        return await self._inbox.read(limit)

    async def write(self, data: bytes) -> None:
        if self._inbox.over:
            raise self._inbox.error or self._lost()
        await asyncio.shield(self._writer.put(data))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._room.set()
            self._chan.close()
            self._leave()
            self._inbox.finish()

    def _pump(self) -> None:
        """In a thread."""
        data: bytes | None = None
        while data != b"" and not self._closed:
            self._room.wait()
            data = _received(self._chan)
            if data:
                self._tell(self._inbox.push, data)
        dead = not self._closed and not self._chan.get_transport().is_active()
        self._tell(self._inbox.finish, self._lost() if dead else None)
        if not self._closed:
            self._tell(self.close)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(call, *arguments)
