"""A program in a real pseudo-terminal, its screen kept by a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from types import TracebackType
from typing import Self

import pyte

# Two nodes that refuse connections.
NOWHERE = """
schema = 1
[cluster]
name = "nowhere"
[ssh]
user = "nobody"
config = []
connect_timeout = 1.0
[[sites]]
name = "here"
[[nodes]]
name = "gone1"
site = "here"
address = "127.0.0.1"
roles = ["app"]
ssh = { port = 1 }
[[nodes]]
name = "gone2"
site = "here"
address = "127.0.0.2"
roles = ["app"]
ssh = { port = 1 }
"""


class Terminal:
    """Runs one program in a pty of `size` (columns, rows). `output` is every byte it wrote."""

    def __init__(self, argv: list[str], *, size: tuple[int, int] = (80, 24), env: dict[str, str] | None = None) -> None:
        self.output = b""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._status: int | None = None
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        if "NO_COLOR" not in (env or {}):
            environment.pop("NO_COLOR", None)
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, environment)
        self.resize(*size)

    @classmethod
    def hactl(cls, *arguments: str, size: tuple[int, int] = (80, 24), env: dict[str, str] | None = None) -> Self:
        return cls([sys.executable, "-m", "hactl", *arguments], size=size, env=env)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.hang_up()

    @property
    def text(self) -> str:
        """The screen now."""
        return "\n".join(self._screen.display)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> bool:
        """Take what comes within `seconds`; False when the program closed the terminal."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def wait_for(self, *texts: str, seconds: float = 20.0) -> None:
        """Until all texts are on the screen; fails with the screen otherwise."""
        deadline = time.monotonic() + seconds
        while not all(text in self.text for text in texts):
            if time.monotonic() > deadline or not self.read(0.2):
                raise AssertionError(f"not on the screen: {[t for t in texts if t not in self.text]}\n{self.text}")

    def wait_until_gone(self, text: str, seconds: float = 20.0) -> None:
        """Until the text is not on the screen."""
        deadline = time.monotonic() + seconds
        while text in self.text:
            if time.monotonic() > deadline or not self.read(0.2):
                raise AssertionError(f"still on the screen: {text}\n{self.text}")

    def ended(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def wait(self, seconds: float = 15.0) -> int:
        """The exit code; 128 + N when a signal killed it. Drains the terminal meanwhile."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                raise AssertionError(f"still running\n{self.text}")
            if not self.read(0.1):
                time.sleep(0.02)
        while self._master >= 0 and select.select([self._master], [], [], 0)[0] and self.read(0):
            pass
        status = self._status or 0
        return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def hang_up(self) -> None:
        """Close the terminal, as when its window is closed."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
