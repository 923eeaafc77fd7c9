"""The dashboard in a real terminal: starts, draws, and leaves the terminal as it was however it ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import IO, cast

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from hactl.tui.terminal import Lasting
from tests.tui.terminal import NOWHERE, Terminal

ENTER_ALTERNATE, LEAVE_ALTERNATE = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "nowhere.toml"
    path.write_text(NOWHERE)
    return path


def restored(output: bytes) -> bool:
    """The alternate screen is left, the cursor is shown and mouse reporting is off at the end."""
    return (
        output.rfind(LEAVE_ALTERNATE) > output.rfind(ENTER_ALTERNATE)
        and output.rfind(b"\x1b[?25h") > output.rfind(b"\x1b[?25l")
        and output.rfind(b"\x1b[?1000l") > output.rfind(b"\x1b[?1000h")
    )


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("q", 0),
        ("\x03", 0),
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGHUP, 128 + signal.SIGHUP),
        (signal.SIGINT, 128 + signal.SIGINT),
    ],
    ids=["q", "ctrl-c", "sigterm", "sighup", "sigint"],
)
def test_every_way_to_leave(inventory: Path, end: str | signal.Signals, code: int) -> None:
    with Terminal.hactl("-i", str(inventory)) as terminal:
        terminal.wait_for("gone2", "unreachable")
        if isinstance(end, str):
            terminal.type(end)
        else:
            os.kill(terminal.pid, end)
        assert terminal.wait() == code
        assert restored(terminal.output)
        assert b"Traceback" not in terminal.output


def test_a_terminal_that_is_closed_ends_it(inventory: Path) -> None:
    with Terminal.hactl("-i", str(inventory)) as terminal:
        terminal.wait_for("gone1")
        terminal.hang_up()
        deadline = time.monotonic() + 10
        while not terminal.ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert terminal.ended()


def test_going_on_that_nobody_stopped_changes_nothing(inventory: Path) -> None:
    """A closing terminal sends SIGCONT, too: what draws and reads must not be there twice."""
    with Terminal.hactl("-i", str(inventory)) as terminal:
        terminal.wait_for("gone2", "unreachable")
        for begun in range(2, 8):
            os.kill(terminal.pid, signal.SIGCONT)
            while terminal.output.count(ENTER_ALTERNATE) < begun:
                assert terminal.read(10)
        terminal.type("q")
        assert terminal.wait() == 0
        assert restored(terminal.output)


def test_stopped_and_gone_on_with(inventory: Path) -> None:
    """As a shell does with ctrl+z and fg: meanwhile the terminal is as it was before."""
    with Terminal.hactl("-i", str(inventory)) as terminal:
        terminal.wait_for("gone2", "unreachable")
        os.kill(terminal.pid, signal.SIGTSTP)
        while not restored(terminal.output):
            assert terminal.read(10)
        os.waitpid(terminal.pid, os.WUNTRACED)
        os.kill(terminal.pid, signal.SIGCONT)
        while restored(terminal.output):
            assert terminal.read(10)
        terminal.wait_for("gone2", "unreachable")
        terminal.type("q")
        assert terminal.wait() == 0


def test_a_terminal_that_is_gone_takes_everything() -> None:
    """Whoever writes to it never waits, and it is told once that it has gone."""
    master, slave = os.openpty()
    told: list[None] = []
    with contextlib.suppress(OSError), os.fdopen(slave, "w") as file:  # its own end cannot be written, either
        writer = WriterThread(cast("IO[str]", Lasting(file, lambda: told.append(None))))
        writer.start()
        os.close(master)
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("something")
        writer.stop()
    assert told == [None]


def test_resizing_keeps_everything_in_view(inventory: Path) -> None:
    with Terminal.hactl("-i", str(inventory), size=(80, 24)) as terminal:
        terminal.wait_for("gone1", "findings")
        terminal.resize(120, 40)
        terminal.wait_for("gone1", "findings")
        terminal.type("q")
        assert terminal.wait() == 0


def test_no_colour_when_asked(inventory: Path) -> None:
    with Terminal.hactl("-i", str(inventory), env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("gone1", "findings")
        terminal.type("q")
        terminal.wait()
        colours = {
            code
            for sequence in re.findall(rb"\x1b\[([\d;]*)m", terminal.output)
            for code in re.findall(rb"(?:^|;)[34]8;2;(\d+;\d+;\d+)", sequence)
        }
        assert all(len(set(colour.split(b";"))) == 1 for colour in colours)  # greys only
