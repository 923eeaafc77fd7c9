"""Asking the operator for a secret on the terminal, from whatever thread needs it, without getting stuck there.

`getpass` blocks in read: after Ctrl-C the thread would hold the process until somebody pressed Enter. This reads with a
timeout and gives up as soon as the command has been abandoned.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import threading

from hactl.cli.secrets import remember

_LOOK_EVERY = 0.2  # seconds between two looks at whether anybody still wants the answer


class Terminal:
    """The operator's terminal, for questions. What is typed is masked in logs and reports from then on."""

    def __init__(self) -> None:
        self._abandoned = threading.Event()

    @staticmethod
    def present() -> bool:
        """Whether somebody sits there: a question that goes to a pipe would never be answered."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def abandon(self) -> None:
        """Nobody waits for an answer any more: a question that is being asked ends."""
        self._abandoned.set()

    def ask(self, question: str) -> str:
        """Show `question`; what was typed, without echo. Raises EOFError when nothing will come. Blocks."""
        handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            before = termios.tcgetattr(handle)
            silent = [*before]
            silent[3] &= ~termios.ECHO
            termios.tcsetattr(handle, termios.TCSAFLUSH, silent)
            try:
                os.write(handle, f"{question.rstrip()} ".encode())
                return remember(self._line(handle))
            finally:
                termios.tcsetattr(handle, termios.TCSAFLUSH, before)
                os.write(handle, b"\n")
        finally:
            os.close(handle)

    def _line(self, handle: int) -> str:
        typed = b""
        while not self._abandoned.is_set():
            if select.select([handle], [], [], _LOOK_EVERY)[0]:
                data = os.read(handle, 4096)  # the terminal gives whole lines
                typed += data
                if not data:
                    break
                if typed.endswith(b"\n"):
                    return typed[:-1].decode("utf-8", "surrogateescape")
        raise EOFError
