"""How the dashboard draws where `hactl serve` started it: into a pipe, for as long as somebody reads it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from textual.drivers.web_driver import WebDriver


class BrowserDriver(WebDriver):
    """Textual's driver for the web; ends the dashboard when the server is gone, however it went."""

    def start_application_mode(self) -> None:
        write = self._write

        def write_if_read(data: bytes) -> int:
            with suppress(BrokenPipeError):  # the server is gone: the end is on its way by the other pipe
                return write(data)
            return len(data)

        self._write = write_if_read  # type: ignore[assignment] # Textual has a partial of os.write there
        super().start_application_mode()

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
