"""The machine that hactl runs on, as a node: processes and sockets directly, its facts from psutil."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import signal
import time
from pathlib import Path

from hactl.model.command import Command, Completed
from hactl.model.errors import ChannelError, TransportError
from hactl.model.facts import HostFacts, NetCounters
from hactl.model.inventory import Node
from hactl.model.text import one_line, safe_text
from hactl.transport import become, errors, sockets
from hactl.transport.framing import FrameOverflowError, FrameSplitter
from hactl.transport.prompter import Prompter
from hactl.transport.protocol import Duplex, FrameSink, Peer, Stream
from hactl.transport.sudo import Sudo

_OUTPUT_LIMIT = 4 * 1024 * 1024  # bytes of stdout, and of stderr, that one command may say
_STDERR_KEPT = 4096
_CHUNK = 65536
_TERM_TO_KILL = 0.5


class LocalTransport:
    """protocol.Transport and protocol.HostFactsSource without any network."""

    def __init__(self, node: Node, prompter: Prompter | None = None) -> None:
        self._node = node
        self._login = getpass.getuser()
        self._sudo = Sudo(node.name, self._login, node.ssh.become, prompter or Prompter(), self._execute)
        self._ended: asyncio.Future[TransportError | None] | None = None
        self._streams: set[_LocalStream] = set()

    @property
    def node(self) -> str:
        return self._node.name

    async def connect(self) -> Peer:
        return Peer("this machine", "", "", "")

    async def run(self, command: Command) -> Completed:
        return await self._sudo.run(command)

    async def stream(self, command: Command, sink: FrameSink) -> Stream:
        argv = become.words(command, self._login, self._node.ssh.become)
        try:
            async with asyncio.timeout(command.timeout):
                process = await self._spawn(argv)
        except TimeoutError:
            raise errors.timed_out(self.node, command.shown(), command.timeout) from None
        except OSError as error:
            raise ChannelError(self.node, f"`{command.shown()}` cannot be started: {error.strerror}.") from error
        stream = _LocalStream(self.node, process, sink, self._streams)
        if command.stdin:
            stream.write(command.stdin)
        return stream

    async def open_unix(self, path: str) -> Duplex:
        try:
            async with asyncio.timeout(self._node.ssh.connect_timeout):
                return _LocalDuplex(self.node, *await asyncio.open_unix_connection(path))
        except (OSError, TimeoutError) as error:
            raise await sockets.why_not(self.run, self.node, self._login, path) from error

    async def open_tcp(self, host: str, port: int) -> Duplex:
        try:
            async with asyncio.timeout(self._node.ssh.connect_timeout):
                return _LocalDuplex(self.node, *await asyncio.open_connection(host, port))
        except (OSError, TimeoutError) as error:
            number = getattr(error, "errno", None)
            reason = os.strerror(number) if number and number > 0 else str(error) or "no answer"
            refused = isinstance(error, ConnectionRefusedError)
            raise sockets.port_unavailable(self.node, host, port, reason, refused=refused) from error

    async def closed(self) -> TransportError | None:
        if self._ended is None:
            self._ended = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        streams = list(self._streams)
        for stream in streams:
            stream.close()
        await asyncio.gather(*(stream.gone() for stream in streams))
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        self._ended = None

    async def host_facts(self) -> HostFacts:
        return await asyncio.to_thread(host_facts)

    async def _spawn(self, argv: tuple[str, ...]) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        # A session of its own, so that everything the command starts can be ended with it.
        return await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    async def _execute(self, command: Command, argv: tuple[str, ...], stdin: bytes) -> Completed:
        started = time.monotonic()
        process: asyncio.subprocess.Process | None = None
        try:
            become.line(argv)  # for its check only
            async with asyncio.timeout(command.timeout):
                process = await self._spawn(argv)
                out, err, _ = await asyncio.gather(
                    _capped(process.stdout), _capped(process.stderr), _feed(process.stdin, stdin)
                )
                status = await process.wait()
        except TimeoutError:
            raise errors.timed_out(self.node, command.shown(), command.timeout, mutates=command.mutates) from None
        except ValueError as error:
            raise errors.impossible_argument(self.node, error) from None
        except OSError as error:  # as a shell would tell it
            status = 127 if isinstance(error, FileNotFoundError) else 126
            return Completed(status, "", f"{argv[0]}: {error.strerror}\n", time.monotonic() - started)
        finally:
            if process is not None and process.returncode is None:
                await _end(process)
        exit_ = status if status >= 0 else 128 - status
        seconds = time.monotonic() - started
        return Completed(exit_, safe_text(out[0]), safe_text(err[0]), seconds, out[1] or err[1])


async def _capped(reader: asyncio.StreamReader | None) -> tuple[bytes, bool]:
    """What arrives up to the limit, and whether there was more: that is read and dropped, so that the command ends."""
    assert reader is not None  # noqa: S101 - spawned with pipes
    kept, truncated = bytearray(), False
    while data := await reader.read(_CHUNK):
        room = _OUTPUT_LIMIT - len(kept)
        truncated = truncated or len(data) > room
        kept += data[:room]
    return bytes(kept), truncated


async def _feed(writer: asyncio.StreamWriter | None, data: bytes) -> None:
    assert writer is not None  # noqa: S101 - spawned with pipes
    with contextlib.suppress(ConnectionError):  # the command does not read it
        writer.write(data)
        await writer.drain()
    writer.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """TERM, then KILL, to the command and everything it started."""
    for number, patience in ((signal.SIGTERM, _TERM_TO_KILL), (signal.SIGKILL, 1.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or sudo's: that one ends with its pipes
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await process.wait()
                # Unread output would keep the pipes open, and the event loop's record of them.
                await asyncio.gather(_capped(process.stdout), _capped(process.stderr))
                return


class _LocalStream:
    """protocol.Stream over a process."""

    def __init__(
        self, node: str, process: asyncio.subprocess.Process, sink: FrameSink, siblings: set[_LocalStream]
    ) -> None:
        self._node, self._process, self._sink, self._siblings = node, process, sink, siblings
        self._over = False
        siblings.add(self)
        self._task = asyncio.ensure_future(self._lead())

    def write(self, data: bytes) -> None:
        if self._over or self._process.stdin is None or self._process.stdin.is_closing():
            raise errors.lost(self._node, "the stream has ended")
        self._process.stdin.write(data)

    def close(self) -> None:
        if not self._over:
            self._tell(None)
            self._task.cancel()

    async def gone(self) -> None:
        """Wait until the process has ended after `close`. Bounded."""
        await asyncio.wait([self._task])

    async def _lead(self) -> None:
        process, splitter = self._process, FrameSplitter()
        assert process.stdout is not None  # noqa: S101 - spawned with pipes
        said = asyncio.ensure_future(_capped(process.stderr))
        try:
            while data := await process.stdout.read(_CHUNK):
                for frame in splitter.feed(data):
                    self._sink.frame(frame)
            status = await process.wait()
            text = one_line(safe_text((await said)[0][-_STDERR_KEPT:])) or "nothing on stderr"
            self._tell(
                ChannelError(self._node, f"the stream's command ended with exit {status}: {text}") if status else None
            )
        except FrameOverflowError:
            self._tell(ChannelError(self._node, "the stream said more in one frame than hactl takes."))
        finally:
            said.cancel()
            await asyncio.gather(said, return_exceptions=True)
            if process.stdin is not None:
                process.stdin.close()
            if process.returncode is None:
                await asyncio.shield(_end(process))
            self._siblings.discard(self)

    def _tell(self, error: TransportError | None) -> None:
        if not self._over:
            self._over = True
            self._sink.ended(error)


class _LocalDuplex:
    """protocol.Duplex over a local connection."""

    def __init__(self, node: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._node, self._reader, self._writer = node, reader, writer

    async def read(self, limit: int = 65536) -> bytes:
        try:
            return await self._reader.read(limit)
        except OSError as error:
            raise errors.lost(self._node, error.strerror or str(error)) from error

    async def write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise errors.lost(self._node, error.strerror or str(error)) from error

    def close(self) -> None:
        self._writer.close()


def host_facts() -> HostFacts:
    """This machine's facts. Units as in model.facts: clock ticks, bytes, seconds."""
    import psutil  # noqa: PLC0415 - costs 20 ms, wanted only where a node is local

    ticks = os.sysconf("SC_CLK_TCK")
    cpu = psutil.cpu_times()
    # guest time is counted within user and nice already
    total = sum(
        getattr(cpu, name, 0.0) for name in ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    )
    idle = cpu.idle + getattr(cpu, "iowait", 0.0)
    memory, swap, load = psutil.virtual_memory(), psutil.swap_memory(), os.getloadavg()
    counters = psutil.net_io_counters(pernic=True)
    addresses = [
        address.address.partition("%")[0]
        for each in psutil.net_if_addrs().values()
        for address in each
        if address.family.name in ("AF_INET", "AF_INET6")
    ]
    return HostFacts(
        cpu_busy=round((total - idle) * ticks),
        cpu_total=round(total * ticks),
        cores=psutil.cpu_count() or 1,
        load1=load[0],
        load5=load[1],
        load15=load[2],
        memory_total=memory.total,
        memory_available=memory.available,
        swap_total=swap.total,
        swap_free=swap.free,
        uptime=time.time() - psutil.boot_time(),
        network={
            name: NetCounters(seen.bytes_recv, seen.bytes_sent, seen.errin + seen.errout)
            for name, seen in counters.items()
            if name != "lo"
        },
        addresses=tuple(addresses),
        boot_id=_boot_id(),
    )


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""  # not Linux: a reboot shows in the uptime only
