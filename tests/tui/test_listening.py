"""The thread that reads the terminal: it sleeps while nothing is typed, and misses nothing of what is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.tui import listening
from hactl.tui.listening import SignToEnd
from tests.tui.terminal import NOWHERE, Terminal

QUICK = 2.0  # seconds in which a busy machine answers
STAYS = 0.3  # seconds after which what still waits does wait


class Reader(threading.Thread):
    """Asks once whether it is to end, as the thread for input does before each round."""

    def __init__(self, sign: SignToEnd, terminal: int) -> None:
        super().__init__(daemon=True)
        self._sign, self._terminal = sign, terminal
        self.told: bool | None = None

    def run(self) -> None:
        with self._sign.heeded(self._terminal):
            self.told = self._sign.is_set()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture(autouse=True)
def _sleepy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_AWAKE", 0.0)
    monkeypatch.setattr(listening, "_NAP", 60.0)


def test_it_sleeps_until_there_is_something_to_read(pipe: tuple[int, int]) -> None:
    reader = Reader(SignToEnd(), pipe[0])
    reader.start()
    reader.join(STAYS)
    assert reader.is_alive()
    os.write(pipe[1], b"q")
    reader.join(QUICK)
    assert reader.told is False


def test_it_sleeps_until_it_is_to_end(pipe: tuple[int, int]) -> None:
    sign = SignToEnd()
    reader = Reader(sign, pipe[0])
    reader.start()
    reader.join(STAYS)
    assert reader.is_alive()
    sign.set()
    reader.join(QUICK)
    assert reader.told is True


def test_an_end_that_came_first_counts(pipe: tuple[int, int]) -> None:
    sign = SignToEnd()
    sign.set()
    reader = Reader(sign, pipe[0])
    reader.start()
    reader.join(QUICK)
    assert reader.told is True
    sign.clear()
    assert not sign.is_set()


def test_others_are_answered_at_once(pipe: tuple[int, int]) -> None:
    sign = SignToEnd()
    reader = Reader(sign, pipe[0])
    reader.start()
    began = time.monotonic()
    assert not sign.is_set()
    assert time.monotonic() - began < STAYS
    sign.set()
    assert sign.is_set()
    reader.join(QUICK)
    assert reader.told is True


def test_after_input_it_stays_awake(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read may be the beginning of a key: when that is over is not known here."""
    monkeypatch.setattr(listening, "_AWAKE", 60.0)
    sign = SignToEnd()
    with sign.heeded(pipe[0]):
        os.write(pipe[1], b"\x1b")
        assert not sign.is_set()
        os.read(pipe[0], 1)
        began = time.monotonic()
        assert not sign.is_set()
        assert time.monotonic() - began < STAYS


def test_escape_alone_is_a_key(tmp_path: Path) -> None:
    """In a real terminal, when nothing has been typed for a while, and right after another key."""
    inventory = tmp_path / "nowhere.toml"
    inventory.write_text(NOWHERE)
    with Terminal.hactl("-i", str(inventory), env={"ESCDELAY": "50"}) as terminal:
        terminal.wait_for("gone2", "unreachable")
        for pause in (1.0, 0.05):
            terminal.type("?")
            terminal.wait_for("escape closes")
            drawn(terminal)
            terminal.type("j")
            time.sleep(pause)
            terminal.type("\x1b")
            terminal.wait_until_gone("escape closes", seconds=10)
            drawn(terminal)
        terminal.type("q")
        assert terminal.wait() == 0


def drawn(terminal: Terminal) -> None:
    """Until no more is written for a moment: a screen may be drawn more than once."""
    said = -1
    while said != len(terminal.output):
        said = len(terminal.output)
        terminal.read(0.3)
