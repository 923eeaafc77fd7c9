"""Ends the dashboard in order when the system asks for it.

Textual leaves SIGTERM and SIGHUP to their default action, which kills the process with the terminal still in the
alternate screen and raw mode. Here they end the app like `q` does, with the exit code that a shell expects.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
INTERRUPTED = 128 + signal.SIGINT


@contextmanager
def ended_by_signals(end: Callable[[int], None]) -> Iterator[None]:
    """While inside, a signal calls `end(128 + signal number)` on the event loop that runs now."""
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, end, 128 + number)
    try:
        yield
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
