"""Drives the real command line against played runs: through pipes, and on a terminal with somebody typing."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyte

from tests.cli.driving import LAB, environment


@dataclass(frozen=True)
class Played:
    """A finished command: what it printed, how it ended, and what it asked of the runs."""

    code: int
    out: str
    err: str
    asked: list[dict]

    def only(self, what: str) -> dict:
        (found,) = (one for one in self.asked if one["what"] == what)
        return found

    @property
    def whats(self) -> list[str]:
        return [one["what"] for one in self.asked]


def play(scene: str, *args: str, home: Path, stdin: str = "", **env: str) -> Played:
    """One run through pipes."""
    log = home / "asked"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.fake_runs", scene, "-i", str(LAB), *args],
        cwd=home,
        env=environment(home, FAKE_RUNS_LOG=str(log), **env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Played(done.returncode, done.stdout, done.stderr, _asked(log))


class Desk:
    """A terminal of 80 by 24 with a command on it."""

    def __init__(self, pid: int, handle: int, log: Path) -> None:
        self.pid, self._handle, self._log = pid, handle, log
        self.raw = b""
        self._screen = pyte.HistoryScreen(80, 24, history=1000)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def until(self, mark: str, seconds: float = 30) -> str:
        deadline = time.monotonic() + seconds
        while mark not in self.text:
            assert time.monotonic() < deadline, f"never saw {mark!r}:\n{self.text}"
            assert self._read(), f"ended without {mark!r}:\n{self.text}"
        return self.text

    def type(self, keys: str) -> None:
        os.write(self._handle, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C, as the terminal does it."""
        self.type("\x03")

    def end(self) -> int:
        """Everything until the command has gone; its exit status."""
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def asked(self) -> list[dict]:
        return _asked(self._log)

    def _read(self) -> bool:
        try:
            data = os.read(self._handle, 65536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def desk(scene: str, *args: str, home: Path, **env: str) -> Iterator[Desk]:
    log = home / "asked"
    log.unlink(missing_ok=True)
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(home)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        command = [sys.executable, "-m", "tests.cli.fake_runs", scene, "-i", str(LAB), *args]
        os.execve(sys.executable, command, environment(home, TERM="xterm", FAKE_RUNS_LOG=str(log)) | env)
    try:
        yield Desk(pid, handle, log)
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(handle)


def _asked(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
