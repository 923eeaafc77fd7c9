"""What `tests.bench.tui` measures, each a program of its own: the dashboard, and a bare app with one DataTable.

    python -m tests.bench.tui_apps hactl|bare NODES changing|still|nothing FILE

Both show the same rows. "changing": once a second every node answers something else; "still": what it has answered
before; "nothing": the table alone, for the memory of it. FILE gets the nanoseconds of CPU that went into making
pictures, as eight bytes: that is the benchmark's own work in the bare app, and the engine's in the dashboard.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.argv[1:2] == ["hactl"]:
    import hactl.tui  # noqa: F401 - before Textual is loaded, as always: it says how often Textual draws
from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer

from hactl.config import load_inventory
from hactl.model.assess.assessor import Assessor
from hactl.model.facts import HostFacts
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import Link, LinkChanged, LinkPhase, Sample, StateEvent, apply_all, initial
from hactl.view.nodes import node_rows
from hactl.view.tables import fit

WIDTH = 120  # columns of the terminal that they are measured in
_EVERY = 1.0  # seconds
_AHEAD = 5.0  # of the first picture before anything is measured: rates need two answers


def inventory(count: int, folder: Path) -> Inventory:
    nodes = (
        f'[[nodes]]\nname = "n{number:03}"\nsite = "{"east" if number % 2 else "west"}"\n'
        f'address = "10.0.{number // 250}.{number % 250 + 1}"\nroles = ["app"]\n'
        for number in range(count)
    )
    path = folder / f"bench-{count}.toml"
    head = 'schema = 1\n[cluster]\nname = "bench"\n[[sites]]\nname = "east"\n[[sites]]\nname = "west"\n'
    path.write_text(head + "".join(nodes))
    return load_inventory(path)


class Source:
    """Pictures once a second, judged by the real judgement."""

    def __init__(self, of: Inventory, mode: str, spent: mmap.mmap | None) -> None:
        self._inventory, self._mode, self._spent = of, mode, spent
        now = time.monotonic()
        self._state = initial(of, now=now, epoch=time.time() - now)
        self._assessor = Assessor(of)
        self._turn = 0
        self._ns = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def refresh(self, node: str | None = None) -> None:
        pass

    def picture(self) -> Picture:
        began = time.thread_time_ns()
        now = time.monotonic()
        events: list[StateEvent] = []
        if not self._turn:
            events += [LinkChanged(node, Link(LinkPhase.UP, now)) for node in self._inventory.nodes]
        events += [Sample(node, "host", now, _EVERY, self._facts(at)) for at, node in enumerate(self._inventory.nodes)]
        self._turn += 1
        self._state = apply_all(self._state, events)
        made = Picture(self._state, self._assessor.assess(self._state, now), now)
        self._ns += time.thread_time_ns() - began
        if self._spent is not None:
            self._spent[:8] = struct.pack("q", self._ns)
        return made

    async def watch(self) -> AsyncIterator[Picture]:
        yield self.picture()
        while True:
            await asyncio.sleep(_EVERY)
            yield self.picture()

    def _facts(self, number: int) -> HostFacts:
        """The same share of the CPU each second, or another one."""
        change = (number * 7 + self._turn * 13) % 40 if self._mode == "changing" else number % 40
        return HostFacts(
            cpu_busy=self._turn * 40 + change,
            cpu_total=self._turn * 200,
            cores=2,
            load1=change / 50,
            load5=0.2,
            load15=0.1,
            memory_total=4 << 30,
            memory_available=(2 << 30) + change * (8 << 20),
            swap_total=0,
            swap_free=0,
            uptime=86400.0 + (self._turn if self._mode == "changing" else 0),
        )


class Bare(App[None]):
    """What one writes first: a DataTable, and the cells that changed put into it."""

    def __init__(self, source: Source, *, update: bool) -> None:
        super().__init__()
        self._source, self._update = source, update

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        rows = node_rows(self._source.picture())
        self._columns = [place.index for place in fit(rows, WIDTH)]
        for index in self._columns:
            table.add_column(rows.columns[index].title, key=str(index))
        for row in rows.rows:
            table.add_row(*(row.cells[index].text for index in self._columns), key=row.key)
        self._before = {row.key: [cell.text for cell in row.cells] for row in rows.rows}
        table.focus()
        if self._update:
            self.run_worker(self._watch())

    async def _watch(self) -> None:
        table = self.query_one(DataTable)
        async for picture in self._source.watch():
            for row in node_rows(picture).rows:
                old, new = self._before[row.key], [cell.text for cell in row.cells]
                self._before[row.key] = new
                for index in self._columns:
                    if old[index] != new[index]:
                        table.update_cell(row.key, str(index), new[index])


def main() -> None:
    kind, count, mode, file = sys.argv[1:5]
    path = Path(file)
    with path.open("r+b") as opened, mmap.mmap(opened.fileno(), 8) as spent:
        source = Source(inventory(int(count), path.parent), mode, spent)
        if kind == "bare":
            Bare(source, update=mode != "nothing").run()
        else:
            from hactl.tui.app import HactlApp

            HactlApp(source.picture(), lambda: source).run()


if __name__ == "__main__":
    main()
