"""`hactl record`: write down what a cluster says and what is done to it, to be looked at later."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.context import Cli, pass_cli
from hactl.cli.output import say
from hactl.cli.params import Duration, Seconds
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control.recording import Taped

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command(
    epilog=examples(
        "hactl record friday.jsonl.gz                until Ctrl-C",
        "hactl record friday.jsonl.gz --for 2h --note 'upgrade of the shop'",
        "hactl replay friday.jsonl.gz                the dashboard over it",
    )
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--for", "seconds", type=Duration(), metavar="DURATION", help='End after "90s", "15m", "2h". [default: Ctrl-C]'
)
@click.option(
    "--interval",
    type=Seconds(0.5, 60),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two fast samples of a node.",
)
@click.option("--note", default="", metavar="TEXT", help="What it is about; shown wherever it is replayed.")
@pass_cli
def record(cli: Cli, /, *, file: Path, seconds: float | None, interval: float, note: str) -> None:
    """Record the cluster's live picture, and runs that are made meanwhile, into the new FILE.

    The file holds what the dashboard would have shown: facts, findings, runs with their output; no keys, no passwords,
    nothing of how nodes are reached. It grows as things happen, is whole after Ctrl-C, and readable also after a power
    cut. An hour of ten nodes takes a few MB. Only you can read it.
    """
    from hactl.cli.asking import Terminal
    from hactl.control import recording
    from hactl.model.recording_time import clock
    from hactl.model.text import one_line
    from hactl.view import units

    inventory = cli.load()
    terminal = Terminal()
    line = _Line()
    last: list[Taped] = []

    def told(taped: Taped) -> None:
        last[:] = [taped]
        level, size = taped.picture.assessment.cluster.level.word, units.size(taped.size)
        line.show(f"recording {inventory.name} {clock(taped.seconds)}, {size}, {level}; Ctrl-C ends it")

    async def run() -> None:
        enough = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, enough.set)
        try:
            await recording.record(
                inventory,
                file,
                interval=interval,
                enough=enough,
                seconds=seconds,
                note=one_line(note),
                told=told,
                ask=terminal.ask if terminal.present() else None,
            )
        finally:
            terminal.abandon()
            for number in _ENDING:
                loop.remove_signal_handler(number)
            line.clear()

    asyncio.run(run())
    taken = last[0].seconds if last else 0.0
    say(f"{clock(taken)} of {inventory.name} recorded, {units.size(file.stat().st_size)}; hactl replay {file}")


class _Line:
    """One line on stderr that is written over and over; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self._wanted:
            click.echo(f"\r\x1b[K{text}", err=True, nl=False, color=True)

    def clear(self) -> None:
        if self._wanted:
            click.echo("\r\x1b[K", err=True, nl=False, color=True)
