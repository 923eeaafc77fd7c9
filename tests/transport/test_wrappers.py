"""Recording, replaying, tracing: what was said comes back, and no secret is in what is kept."""

from __future__ import annotations

import logging

import pytest

from hactl.model.command import Command, Completed
from hactl.model.errors import BecomeDeniedError, ConnectionLostError, SocketAbsentError, TransportError
from hactl.model.facts import HostFacts
from hactl.model.inventory import Node, SshSettings, TransportKind
from hactl.model.observed import Unknown
from hactl.transport.fake import FakeTransport
from hactl.transport.local import LocalTransport
from hactl.transport.protocol import HostFactsSource, Transport
from hactl.transport.record import ReplayTransport, record
from hactl.transport.wrap import traced

CANARY = "canary-4711"
SECRET = Command(("login", f"--password={CANARY}", CANARY), stdin=CANARY.encode(), secrets=frozenset({CANARY}))


class Sink:
    def __init__(self) -> None:
        self.said: list[object] = []

    def frame(self, text: str) -> None:
        self.said.append(text)

    def ended(self, error: TransportError | None) -> None:
        self.said.append(error and str(error))


@pytest.fixture
def fake() -> FakeTransport:
    fake = FakeTransport("db1")
    fake.on(("date",), [Completed(0, "one\n", "", 0.1), Completed(3, "two\n", "bad\n", 0.2, truncated=True)])
    fake.on(("lost",), Completed(Unknown("nobody said", 0.0), "", "", 0.1))
    fake.on(("sudo-less",), BecomeDeniedError("db1", "no.", rule="a rule", remedy="Do."))
    fake.on(("login",), Completed(0, f"you said {CANARY}\n", CANARY, 0.1))
    fake.sockets["/run/x.sock"] = lambda request: b"answer to " + request
    return fake


async def conversation(transport: Transport) -> list[object]:
    """Something of everything."""
    said: list[object] = [await transport.connect()]
    said += [await transport.run(Command(("date",))) for _ in range(3)]
    lost = (await transport.run(Command(("lost",)))).exit
    said.append(isinstance(lost, Unknown) and lost.reason)
    for command in (Command(("sudo-less",)),):
        with pytest.raises(BecomeDeniedError) as caught:
            await transport.run(command)
        said.append(str(caught.value))
    with pytest.raises(SocketAbsentError) as absent:
        await transport.open_unix("/run/y.sock")
    said.append(str(absent.value))
    channel = await transport.open_unix("/run/x.sock")
    await channel.write(b"me")
    said.append(await channel.read())
    channel.close()
    return said


async def test_a_recording_says_the_same_again(fake: FakeTransport) -> None:
    lines: list[str] = []
    first = await conversation(record(fake, lines.append))
    assert await conversation(ReplayTransport("db1", lines)) == first
    with pytest.raises(TransportError, match="nothing is recorded"):
        await ReplayTransport("db2", lines).connect()


async def test_streams_are_recorded(fake: FakeTransport) -> None:
    lines: list[str] = []
    command, sink, again = Command(("loop",)), Sink(), Sink()
    await record(fake, lines.append).stream(command, sink)
    fake.streams[0].say("one")
    fake.streams[0].say("two")
    fake.lose()
    await ReplayTransport("db1", lines).stream(command, again)
    assert again.said == sink.said == ["one", "two", sink.said[2]]
    assert "connection was lost" in str(sink.said[2])


async def test_no_secret_is_kept(fake: FakeTransport, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    caplog.set_level(logging.DEBUG)
    done = await traced(record(fake, lines.append)).run(SECRET)
    assert CANARY in done.stdout  # the caller still gets it
    assert lines
    assert caplog.text
    assert CANARY not in "".join(lines)
    assert CANARY not in caplog.text


async def test_errors_are_traced(fake: FakeTransport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake.unreachable = ConnectionLostError("db1", "gone.")
    with pytest.raises(ConnectionLostError):
        await traced(fake).connect()
    assert "connect: db1: gone. [connection-lost]" in caplog.text


async def test_a_wrapped_local_machine_still_knows_its_facts() -> None:
    local = LocalTransport(Node("me", "localhost", "here", (), SshSettings(transport=TransportKind.LOCAL)))
    both = traced(record(local, print))
    assert isinstance(both, HostFactsSource)
    assert isinstance(await both.host_facts(), HostFacts)
    assert not isinstance(traced(FakeTransport("db1")), HostFactsSource)


async def test_a_script_says_everything_that_is_expected(fake: FakeTransport) -> None:
    with pytest.raises(AssertionError, match="no answer to reboot"):
        await fake.run(Command(("reboot",)))
    fake.on(("date", "-u"), Completed(0, "longer fits better", "", 0))
    assert (await fake.run(Command(("date", "-u", "+%s")))).stdout == "longer fits better"
