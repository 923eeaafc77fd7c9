"""Hands the terminal to another program and takes it back. What the dashboard watches goes on meanwhile, undrawn."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from textual.app import App

Launch: TypeAlias = Callable[[Sequence[str]], Awaitable[int]]
"""Runs a program in the terminal to its end and gives its exit status."""

_SSH_FAILED = 255

# A program that fails at once would take its reason away with the screen that comes back.
_SHOWN = r"""
"$@"
status=$?
if [ "$status" -eq "$0" ]; then
  printf '\n%s\n' "It ended with status $status. Press enter to go back to hactl."
  read -r line
fi
exit "$status"
"""


async def launched(argv: Sequence[str]) -> int:
    """As `Launch`. Cancelled, it ends the program."""
    process = await asyncio.create_subprocess_exec("sh", "-c", _SHOWN, str(_SSH_FAILED), *argv)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()


def no_terminal(argv: Sequence[str]) -> str:
    """For who has none to hand over: what to do elsewhere."""
    return f"There is no terminal here to hand over, as in a browser. In one: {shlex.join(argv)}"


async def leave(app: App[None], argv: Sequence[str], launch: Launch) -> int:
    """Raises SuspendNotSupported where there is no terminal to hand over: in a browser, in a test."""
    with app.suspend(), app.batch_update():
        return await launch(argv)
