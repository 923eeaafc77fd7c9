"""What every transport promises, held against a real OpenSSH server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hactl.model.command import Command, command
from hactl.model.errors import (
    CommandTimeoutError,
    ConnectionLostError,
    SocketAbsentError,
    SocketUnavailableError,
    TransportError,
    UnsupportedError,
)
from hactl.model.inventory import TransportKind
from hactl.model.observed import Unknown
from hactl.transport.bridge import ask_socket, bridge_unix
from hactl.transport.protocol import Transport
from tests.contract.conftest import node, settings
from tests.contract.sshd import Sshd

pytestmark = [pytest.mark.sshd, pytest.mark.timeout(30)]

ALL = [TransportKind.ASYNCSSH, TransportKind.PARAMIKO, TransportKind.LOCAL]
REMOTE = ALL[:2]
Make = Callable[..., Transport]


class Sink:
    """Keeps what a stream says."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.errors: list[TransportError | None] = []
        self.over = asyncio.Event()
        self._news = asyncio.Event()

    def frame(self, text: str) -> None:
        self.frames.append(text)
        self._news.set()

    def ended(self, error: TransportError | None) -> None:
        self.errors.append(error)
        self.over.set()

    async def wait(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(self.frames) < count:
                self._news.clear()
                await self._news.wait()
        return self.frames


@pytest.fixture(params=ALL)
def anyone(request: pytest.FixtureRequest, server: Sshd, made: Make) -> Transport:
    return made(settings(server, request.param))


@pytest.fixture(params=REMOTE)
def kind(request: pytest.FixtureRequest) -> TransportKind:
    return request.param


@pytest.fixture
def remote(kind: TransportKind, server: Sshd, made: Make) -> Transport:
    return made(settings(server, kind))


def sh(script: str, *words: str, **options: object) -> Command:
    return Command(("sh", "-c", script, "sh", *words), **options)  # type: ignore[arg-type]


# --- run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 3, 75, 255])
async def test_a_nonzero_exit_is_data(anyone: Transport, status: int) -> None:
    done = await anyone.run(sh(f"echo out; echo err >&2; exit {status}"))
    assert (done.exit, done.stdout, done.stderr, done.truncated) == (status, "out\n", "err\n", False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
async def test_death_by_signal_is_128_and_its_number(anyone: Transport, number: int) -> None:
    assert (await anyone.run(sh(f"ulimit -c 0; kill -{int(number)} $$"))).exit == 128 + number


async def test_a_program_that_is_not_there(anyone: Transport) -> None:
    done = await anyone.run(command("no-such-program"))
    assert done.exit == 127
    assert "no-such-program" in done.stderr


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "a b",
        "it's",
        '"',
        "$HOME",
        "$(touch /tmp/hactl-pwned)",
        "`id`",
        "; touch /tmp/hactl-pwned #",
        "a\nb",
        "\\",
        "*",
        "~",
        "!x",
        "-n",
        "ä€𝄞",
        "\t",
        "&&",
        "| cat",
        ">/tmp/hactl-pwned",
    ],
)
async def test_an_argument_is_a_literal_word(anyone: Transport, word: str) -> None:
    done = await anyone.run(command("printf", "%s|%s", word, "next"))
    assert done.stdout == f"{word}|next"
    assert not Path("/tmp/hactl-pwned").exists()


async def test_a_nul_cannot_be_sent(anyone: Transport) -> None:
    with pytest.raises(UnsupportedError, match="NUL"):
        await anyone.run(command("printf", "a\0b"))


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
async def test_stdin_arrives_whole_and_ends(anyone: Transport, size: int) -> None:
    done = await anyone.run(Command(("cksum",), stdin=b"x" * size))
    assert done.stdout.split()[1] == str(size)


async def test_stdin_that_nobody_reads(anyone: Transport) -> None:
    assert (await anyone.run(Command(("true",), stdin=b"x" * 1_000_000))).exit == 0


async def test_bytes_that_are_no_utf8_are_shown_and_harm_nothing(anyone: Transport) -> None:
    done = await anyone.run(command("printf", "a\\377b\\300"))
    assert done.stdout == "a\\xffb\\xc0"
    assert (await anyone.run(command("echo", "still here"))).stdout == "still here\n"


async def test_escape_sequences_become_visible(anyone: Transport) -> None:
    script = "printf '\\033]0;title\\007\\033[2J\\342\\200\\256\\302\\233x'; printf '\\033[31m' >&2"
    done = await anyone.run(sh(script))
    assert done.stdout == "␛]0;title␇␛[2J<U+202E><U+009B>x"
    assert done.stderr == "␛[31m"


async def test_output_is_capped_and_the_command_still_ends(anyone: Transport) -> None:
    done = await anyone.run(sh("head -c 9000000 /dev/zero | tr '\\0' x; exit 7", timeout=20))
    assert (done.exit, len(done.stdout), done.truncated) == (7, 4 * 1024 * 1024, True)


async def test_a_mutating_command_is_bounded_on_the_node(anyone: Transport, tmp_path: Path) -> None:
    done = await anyone.run(sh("cat /proc/$PPID/cmdline | tr '\\0' ' '", mutates=True, timeout=7))
    assert "timeout -k 5 9 sh -c" in done.stdout


async def test_timeouts_leave_nothing_behind(remote: Transport) -> None:
    """More of them than the server has sessions."""
    marker = str(60 + os.getpid() / 1e7)  # a number of seconds that no other process sleeps for
    for _ in range(3):
        failures = await asyncio.gather(
            *(remote.run(Command(("sleep", marker), timeout=0.5)) for _ in range(7)), return_exceptions=True
        )
        assert all(isinstance(failure, CommandTimeoutError) for failure in failures), failures
    assert (await remote.run(command("echo", "well", timeout=8))).stdout == "well\n"
    async with asyncio.timeout(8):
        while (await remote.run(sh("pgrep -cf '^sleep $1'", marker))).stdout.strip() != "0":
            await asyncio.sleep(0.2)


async def test_cancelling_leaves_nothing_behind(anyone: Transport) -> None:
    await anyone.connect()
    for delay in (0.0, 0.001, 0.003, 0.01, 0.05) * 4:
        task = asyncio.ensure_future(anyone.run(Command(("sleep", "61"), timeout=20)))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await anyone.run(command("echo", "well", timeout=15))).stdout == "well\n"


async def test_many_at_once_wait_for_their_turn(anyone: Transport) -> None:
    answers = await asyncio.gather(*(anyone.run(sh('sleep 0.05; echo "$1"', str(each))) for each in range(40)))
    assert [done.stdout.strip() for done in answers] == [str(each) for each in range(40)]


# --- streams --------------------------------------------------------------------------------------------------

ECHO = "while read -r line; do printf 'got %s\\036' \"$line\"; done"


async def test_frames_arrive_as_they_are_written(anyone: Transport) -> None:
    sink = Sink()
    stream = await anyone.stream(sh(ECHO, stdin=b"first\n"), sink)
    assert await sink.wait(1) == ["got first"]
    stream.write(b"second\nthi")
    stream.write(b"rd\n")
    assert await sink.wait(3) == ["got first", "got second", "got third"]
    stream.close()
    stream.close()
    await asyncio.wait_for(sink.over.wait(), 5)
    assert sink.errors == [None]
    with pytest.raises(ConnectionLostError):
        stream.write(b"late\n")


async def test_frames_are_safe_and_may_be_large(anyone: Transport) -> None:
    sink = Sink()
    await anyone.stream(sh("head -c 300000 /dev/zero | tr '\\0' x; printf '\\033[2J\\377\\036tail'"), sink)
    await asyncio.wait_for(sink.over.wait(), 10)
    assert sink.frames == ["x" * 300_000 + "␛[2J\\xff"]
    assert sink.errors == [None]


async def test_a_frame_without_end_is_refused(anyone: Transport) -> None:
    sink = Sink()
    await anyone.stream(sh("exec cat /dev/zero"), sink)
    await asyncio.wait_for(sink.over.wait(), 15)
    assert "more in one frame" in str(sink.errors[0])
    assert sink.frames == []


async def test_a_stream_whose_command_fails_says_why(anyone: Transport) -> None:
    sink = Sink()
    await anyone.stream(sh("printf 'one\\036'; echo 'no such thing' >&2; exit 4"), sink)
    await asyncio.wait_for(sink.over.wait(), 5)
    assert sink.frames == ["one"]
    assert "exit 4: no such thing" in str(sink.errors[0])


async def test_closing_the_connection_ends_streams_and_their_processes(remote: Transport, server: Sshd) -> None:
    sink = Sink()
    loop = 'echo $$; printf "\\036"; while read -r tick; do :; done'
    await remote.stream(sh(loop), sink)
    pid = int((await sink.wait(1))[0])
    assert Path(f"/proc/{pid}").exists()
    await remote.close()
    await asyncio.wait_for(sink.over.wait(), 5)
    await until(lambda: not Path(f"/proc/{pid}").exists())


async def test_a_stream_that_is_closed_while_it_ends_by_itself_harms_nothing_else(remote: Transport) -> None:
    """sshd ends the whole connection when it is asked about a session that is no more."""
    first = await remote.connect()
    alive = asyncio.ensure_future(remote.closed())
    for turn in range(20):
        sink = Sink()
        stream = await remote.stream(sh('echo $$; printf "\\036"; read -r nothing; exec sleep 60'), sink)
        os.kill(int((await sink.wait(1))[0]), signal.SIGKILL)
        await asyncio.sleep(turn * 0.0005)
        stream.close()
    assert (await remote.run(sh("echo well"))).stdout == "well\n"
    assert not alive.done()
    assert await remote.connect() == first
    alive.cancel()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


# --- sockets --------------------------------------------------------------------------------------------------


@pytest.fixture
def listener(server: Sshd):
    """A Unix socket that answers every line with its upper case, in a folder that the login may enter."""
    folder = Path(f"/tmp/hactl-sockets-{os.getpid()}")
    folder.mkdir(mode=0o755, exist_ok=True)
    path = folder / "a socket, with:odd'characters"
    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper() + b"\n> ")
        writer.close()

    listening = loop.run_until_complete(asyncio.start_unix_server(answer, path, limit=1_000_000))
    path.chmod(0o777)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield path
    loop.call_soon_threadsafe(listening.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    path.unlink()
    folder.rmdir()


async def test_a_unix_socket_is_a_two_way_channel(anyone: Transport, listener: Path) -> None:
    channel = await anyone.open_unix(str(listener))
    for word in (b"one", b"two" * 50_000):
        assert await ask_socket(channel, word + b"\n", b"\n> ", 1_000_000, 10) == word.decode().upper() + "\n"
    channel.close()
    channel.close()


async def test_an_ordinary_client_through_the_bridge(anyone: Transport, listener: Path) -> None:
    async with bridge_unix(anyone, str(listener), ".s.PGSQL.5432") as path:
        assert path.name == ".s.PGSQL.5432"
        assert path.parent.stat().st_mode & 0o777 == 0o700
        for _ in range(3):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"hello\n")
            assert await asyncio.wait_for(reader.readline(), 5) == b"HELLO\n"
            writer.close()
    assert not path.parent.exists()


async def test_a_socket_that_is_not_there(anyone: Transport) -> None:
    with pytest.raises(SocketAbsentError, match=r"there is no socket /run/nothing\.sock"):
        await anyone.open_unix("/run/nothing.sock")


async def test_a_socket_that_was_left_behind(anyone: Transport, tmp_path: Path) -> None:
    import socket

    folder = Path(f"/tmp/hactl-left-{os.getpid()}")
    folder.mkdir(mode=0o755)
    path = folder / "left.sock"
    try:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        path.chmod(0o777)
        with pytest.raises(SocketAbsentError, match="nobody listens"):
            await anyone.open_unix(str(path))
    finally:
        path.unlink()
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to own a socket that the login may not open")
async def test_a_socket_that_is_denied(remote: Transport, listener: Path, server: Sshd) -> None:
    listener.chmod(0o600)
    with pytest.raises(SocketUnavailableError, match=r"permission denied.*belongs to root:root mode 600"):
        await remote.open_unix(str(listener))
    listener.chmod(0o777)
    listener.parent.chmod(0o700)
    with pytest.raises(SocketUnavailableError, match="no way through"):
        await remote.open_unix(str(listener))
    listener.parent.chmod(0o755)


async def test_a_socket_that_sshd_keeps_for_itself(another: Callable[..., Sshd], made: Make, listener: Path) -> None:
    transport = made(settings(another("AllowStreamLocalForwarding no\nAllowTcpForwarding no")))
    with pytest.raises(SocketUnavailableError, match="forbids forwarding") as caught:
        await transport.open_unix(str(listener))
    assert "AllowStreamLocalForwarding" in caught.value.remedy
    with pytest.raises(SocketUnavailableError, match="forbids forwarding"):
        await transport.open_tcp("127.0.0.1", 1)


async def test_a_tcp_port_as_seen_from_the_node(anyone: Transport, server: Sshd) -> None:
    channel = await anyone.open_tcp("127.0.0.1", server.port)
    assert (await asyncio.wait_for(channel.read(), 5)).startswith(b"SSH-2.0-OpenSSH")
    channel.close()
    with pytest.raises(SocketAbsentError, match=r"127\.0\.0\.1 port 1 "):
        await anyone.open_tcp("127.0.0.1", 1)


async def test_a_channel_tells_its_end_once_read_out(remote: Transport, server: Sshd) -> None:
    channel = await remote.open_tcp("127.0.0.1", server.port)
    await channel.write(b"GET / HTTP/1.0\r\n\r\n")  # no SSH: sshd says so and hangs up
    said = b""
    async with asyncio.timeout(5):
        while data := await channel.read(7):
            assert len(data) <= 7
            said += data
    assert b"Invalid SSH" in said
    channel.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# --- the connection ------------------------------------------------------------------------------------------


async def test_who_answered(remote: Transport, server: Sshd) -> None:
    peer = await remote.connect()
    assert peer.host_key_fingerprint == server.fingerprint
    assert peer.host_key_type == "ssh-ed25519"
    assert peer.software.startswith("OpenSSH_")
    assert await remote.connect() == peer


async def test_closed_tells_who_ended_it(anyone: Transport) -> None:
    await anyone.connect()
    waiting = asyncio.ensure_future(anyone.closed())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await anyone.close()
    await anyone.close()
    assert await asyncio.wait_for(waiting, 5) is None


def name_of(pid: int) -> str:
    """A process's name; "" for one that has just ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def test_a_killed_session_is_a_lost_connection(
    kind: TransportKind, another: Callable[..., Sshd], made: Make
) -> None:
    server = another()
    transport, sink = made(settings(server, kind)), Sink()
    await transport.connect()
    waiting = asyncio.ensure_future(transport.closed())
    await transport.stream(sh(ECHO), sink)
    running = asyncio.ensure_future(transport.run(Command(("sleep", "20"), timeout=20)))
    await asyncio.sleep(0.3)
    daemons = [pid for pid in server.sessions() if name_of(pid).startswith("sshd")]
    for pid in daemons:
        with contextlib.suppress(ProcessLookupError):  # one goes with another
            os.kill(pid, signal.SIGKILL)
    with pytest.raises(ConnectionLostError, match="connection was lost"):
        await asyncio.wait_for(running, 5)
    assert isinstance(await asyncio.wait_for(waiting, 5), ConnectionLostError)
    await asyncio.wait_for(sink.over.wait(), 5)
    assert isinstance(sink.errors[0], ConnectionLostError)
    assert (await transport.run(command("echo", "again"))).stdout == "again\n"  # a new connection


async def test_a_frozen_session_is_found_out(kind: TransportKind, another: Callable[..., Sshd], made: Make) -> None:
    server = another()
    transport = made(settings(server, kind, keepalive=0.25))
    await transport.connect()
    running = asyncio.ensure_future(transport.run(Command(("sleep", "20"), timeout=20)))
    await asyncio.sleep(0.3)
    frozen = server.sessions()
    server.freeze(frozen)
    started = time.monotonic()
    with pytest.raises(ConnectionLostError, match="keepalive"):
        await running
    assert time.monotonic() - started < 4
    server.thaw(frozen)


async def test_an_exit_that_nobody_told_is_unknown(kind: TransportKind, made: Make, server: Sshd) -> None:
    """OpenSSH always tells; a server that closes the session without a word does not."""
    asyncssh = pytest.importorskip("asyncssh")
    silent = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(server.host_key)],
        authorized_client_keys=f"{server.identity}.pub",
        process_factory=lambda process: process.channel.close(),
    )
    port = silent.get_port()
    known = server.folder / f"known_{port}"
    known.write_text(f"[127.0.0.1]:{port} {server.public}\n")
    transport = made(settings(server, kind, port=port, known_hosts=(str(known),)))
    done = await transport.run(command("true"))
    assert isinstance(done.exit, Unknown)
    assert "did not say" in done.exit.reason
    assert not done.ok
    await transport.close()
    silent.close()


async def test_opening_and_closing_leaks_no_descriptor(remote: Transport, server: Sshd, kind: TransportKind) -> None:
    async def once() -> None:
        await remote.run(command("true"))
        channel = await remote.open_tcp("127.0.0.1", server.port)
        channel.close()
        await remote.close()

    for _ in range(3):
        await once()
    before = open_descriptors()
    for _ in range(25 if kind is TransportKind.PARAMIKO else 100):
        await once()
    await until(lambda: open_descriptors() <= before)


async def test_secrets_are_in_no_process_list(anyone: Transport) -> None:
    """What travels in stdin is visible to nobody, on either side."""
    canary = f"canary-{os.getpid()}-{time.monotonic_ns()}"
    running = asyncio.ensure_future(
        anyone.run(sh("read -r secret; sleep 0.5; echo ${#secret}", stdin=f"{canary}\n".encode()))
    )
    await asyncio.sleep(0.25)
    shown = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            shown += [(entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()]
        except OSError:
            continue
    assert not any(canary.encode() in text for text in shown)
    assert (await running).stdout.strip() == str(len(canary))


async def test_local_facts_are_this_machine(made: Make, server: Sshd) -> None:
    from hactl.transport.protocol import HostFactsSource

    transport = made(node(settings(server, TransportKind.LOCAL)))
    assert isinstance(transport, HostFactsSource)
    facts = await transport.host_facts()
    assert facts.cores == os.cpu_count()
    assert 0 < facts.memory_available <= facts.memory_total
    assert 0 < facts.cpu_busy < facts.cpu_total
    assert facts.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
