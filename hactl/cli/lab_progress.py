"""Shows a lab's progress on stderr: one line that changes on a terminal, a line each when it is not one."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Self

import click

from hactl.lab.progress import Progress


class Meter:
    """A reporter to hand to the lab, as a context: leaving it ends the line that it drew."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._drawn = False
        self._last = ("", -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._drawn:
            click.echo(err=True)

    def __call__(self, progress: Progress) -> None:
        line = told(progress)
        if not self._live:
            # One line for each part that is done, none for what is only beginning.
            if (progress.what, progress.done) != self._last:
                click.echo(line, err=True)
            self._last = (progress.what, progress.done)
            return
        # Cleared to its end rather than padded, and cut, so that it stays one line in any window.
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r{line[:width]}\x1b[K", err=True, nl=False)
        self._drawn = True


def told(progress: Progress) -> str:
    """One line: how long it runs, what it is at, how far, which part came last."""
    count = f" {progress.done}/{progress.total}" if progress.total else ""
    note = f": {progress.note}" if progress.note else ""
    return f"{progress.elapsed:5.1f} s  {progress.what}{count}{note}"
