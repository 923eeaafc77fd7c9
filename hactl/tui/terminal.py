"""The terminal that the dashboard draws on, also when it is taken away while something is being drawn.

Textual's driver expects it to stay. When a window is closed the kernel sends SIGHUP and SIGCONT: on the second the
driver starts anew beside itself; on the first write that fails the thread that writes ends, and what is drawn after
that waits for it for ever. Here a terminal that is gone takes everything and shows nothing, and the dashboard ends.
"""

from __future__ import annotations

import signal
import termios
from collections.abc import Callable
from typing import TextIO

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from hactl.tui.listening import SignToEnd

_HUNG_UP = 128 + signal.SIGHUP


class Lasting:
    """A terminal's file that can be written to for ever. `gone` is called once, by whoever writes when it has gone."""

    def __init__(self, file: TextIO, gone: Callable[[], None]) -> None:
        self._file = file
        self._gone = gone
        self._there = True

    def write(self, text: str) -> int:
        self._try(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def _try(self, act: Callable[[], object]) -> None:
        if not self._there:
            return
        try:
            act()
        except OSError:  # EIO: nobody is at its other end any more
            self._there = False
            self._gone()


class TerminalDriver(LinuxDriver):
    """Textual's, for a terminal that may go away, and in which nothing is typed most of the time."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = Lasting(self._file, self._end)  # type: ignore[assignment] # all that is asked of a file here
        self._drawing = False  # between the start and the stop of application mode
        self.exit_event = self._end_reading = SignToEnd()

    def run_input_thread(self) -> None:
        with self._end_reading.heeded(self.fileno):
            super().run_input_thread()

    def start_application_mode(self) -> None:
        self._drawing = True
        super().start_application_mode()  # type: ignore[no-untyped-call] # as Textual declares it

    def stop_application_mode(self) -> None:
        self._drawing = False
        super().stop_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        """Not in the middle of whatever the signal came into: that may be a beginning."""
        if not self._loop.is_closed():  # as it is while Python ends
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        """Go on where it stopped. Whoever was stopped without being asked (SIGSTOP) begins anew, after an end."""
        if not self._auto_restart or not self._is_there():
            return
        if self._drawing:
            self.suspend_application_mode()
            self.resume_application_mode()
        elif self._must_signal_resume:
            self.resume_application_mode()

    def _is_there(self) -> bool:
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            return False
        return True

    def _end(self) -> None:
        """Called in the thread that writes."""
        self._loop.call_soon_threadsafe(self._hung_up)

    def _hung_up(self) -> None:
        self._app.exit(return_code=_HUNG_UP)
