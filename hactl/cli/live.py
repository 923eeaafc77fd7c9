"""What status and check share: one picture or a stream of them, with progress on stderr and questions on a terminal."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import click

from hactl.cli.asking import Terminal
from hactl.control import Control
from hactl.control.roles import remembered
from hactl.model.inventory import Inventory
from hactl.model.limit import parse_limit
from hactl.model.picture import Picture

T = TypeVar("T")

_SILENT_FOR = 1.0  # seconds; what is done by then needs no progress


def snapshot(
    inventory: Inventory,
    *,
    limit: str | None,
    timeout: float | None,
    may_ask: bool = True,
    interval: float = 2.0,
    show: Callable[[Picture], None] = lambda _: None,
) -> Picture:
    """Ask every node of `limit` once. `timeout` seconds at most, where given. Raises LimitError.

    `show` gets the picture before hundreds of connections are closed: whoever waits for it need not wait for them.
    """

    async def once(control: Control) -> Picture:
        progress = Progress()
        try:
            picture = await control.snapshot(progress.count, within=timeout)
        finally:
            progress.clear()
        show(picture)
        return picture

    with _no_collection():
        return with_control(inventory, once, limit=limit, may_ask=may_ask, interval=interval)


def with_control(
    inventory: Inventory,
    work: Callable[[Control], Awaitable[T]],
    *,
    limit: str | None,
    may_ask: bool = True,
    interval: float = 2.0,
) -> T:
    """Run `work` with a Control of the nodes of `limit` (None: all), closed in the end. Raises LimitError."""
    nodes = None if limit is None else parse_limit(limit, inventory)
    results: list[T] = []

    async def run() -> None:
        async with (
            _asking(may_ask) as ask,
            Control(inventory, interval=interval, limit=nodes, ask=ask, sightings=remembered(inventory)) as control,
        ):
            results.append(await work(control))

    # Not the task's own result: asyncio.run, when it puts the handler of SIGINT back, spells out the task and with it
    # everything that it returned.
    asyncio.run(run())
    return results[0]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without garbage collection: what asks once and ends makes many objects that stay, and little garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@asynccontextmanager
async def _asking(may_ask: bool) -> AsyncIterator[Callable[[str], str] | None]:
    terminal = Terminal()
    try:
        yield terminal.ask if may_ask and terminal.present() else None
    finally:
        terminal.abandon()


class Progress:
    """One line on stderr, only on a terminal and only for what takes long; `clear` takes it away again."""

    def __init__(self, what: str = "nodes have answered") -> None:
        self._what = what
        self._begun = time.monotonic()
        self._shown = False
        self._wanted = sys.stderr.isatty()

    def count(self, done: int, total: int) -> None:
        seconds = time.monotonic() - self._begun
        if self._wanted and seconds >= _SILENT_FOR and done < total:
            self._shown = True
            click.echo(f"\r\x1b[K{done} of {total} {self._what}, {seconds:.0f} s", err=True, nl=False, color=True)

    def clear(self) -> None:
        if self._shown:
            self._shown = False
            click.echo("\r\x1b[K", err=True, nl=False, color=True)
