"""HAProxy's admin socket in prompt mode: a scripted one for the edges; the real one is asked in tests/lab."""

from __future__ import annotations

import asyncio

import pytest

from hactl.engine.console import LIMIT, Console
from hactl.model.errors import ConnectionLostError, SocketUnavailableError
from tests.engine.scripted import ScriptedChannel, ScriptedTransport

PATH = "/run/haproxy/admin.sock"
ANSWERS = {b"prompt\n": b"\n> ", b"show info\n": b"Name: HAProxy\nPid: 1\n\n> ", b"clear\n": b"\n> "}


def console(respond=ANSWERS.get) -> tuple[Console, ScriptedTransport]:
    transport = ScriptedTransport("lb1")
    transport.channels[PATH] = lambda: ScriptedChannel(respond)
    return Console(transport, PATH), transport


async def test_one_channel_serves_many_questions():
    asked, transport = console()
    assert await asked.ask(("show info", "clear")) == ("Name: HAProxy\nPid: 1", "")
    assert await asked.ask(("show info",)) == ("Name: HAProxy\nPid: 1",)
    assert transport.opened[PATH] == 1


async def test_an_answer_that_comes_in_pieces_is_one_answer():
    class Slow(ScriptedChannel):
        async def write(self, data):
            for byte in ANSWERS[data]:
                self._out.put_nowait(bytes([byte]))

    asked, transport = console()
    transport.channels[PATH] = lambda: Slow(None)
    assert await asked.ask(("show info",)) == ("Name: HAProxy\nPid: 1",)


async def test_control_characters_from_the_socket_are_made_visible():
    asked, _ = console({**ANSWERS, b"show info\n": b"Name: \x1b]0;owned\x07\n\n> "}.get)
    assert await asked.ask(("show info",)) == ("Name: ␛]0;owned␇",)


async def test_a_channel_that_haproxy_closed_meanwhile_is_opened_again():
    """`timeout stats` closes an idle channel; the question is only read, so it is asked once more."""
    said = iter([b"\n> ", b"one\n\n> ", b"", b"\n> ", b"two\n\n> "])
    asked, transport = console(lambda data: next(said))
    assert await asked.ask(("show info",)) == ("one",)
    assert await asked.ask(("show info",)) == ("two",)
    assert transport.opened[PATH] == 2


async def test_a_channel_that_closes_at_once_is_an_error_and_not_tried_for_ever():
    asked, transport = console(lambda data: b"")
    with pytest.raises(ConnectionLostError):
        await asked.ask(("show info",))
    assert transport.opened[PATH] == 1


async def test_an_endless_answer_is_cut():
    asked, transport = console()

    class Endless(ScriptedChannel):
        async def read(self, limit=65536):
            return b"x" * (LIMIT // 4)

    transport.channels[PATH] = lambda: Endless(lambda data: None)
    with pytest.raises(SocketUnavailableError):
        await asked.ask(("show info",))


async def test_a_cancelled_question_closes_the_channel_so_that_its_answer_reaches_nobody():
    channel = ScriptedChannel({b"prompt\n": b"\n> "}.get)
    asked, transport = console()
    transport.channels[PATH] = lambda: channel
    task = asyncio.create_task(asked.ask(("show info",)))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert channel.closed
