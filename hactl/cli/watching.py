"""`hactl status --watch`: picture after picture; a terminal is repainted in place, everything else is appended to."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

import click

from hactl.cli.render import render
from hactl.control import Control
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase

# Seconds that the first appended picture may wait for nodes that are still being connected to.
_SETTLE_WITHIN = 15.0


async def watch(
    control: Control, fmt: str, seconds: float, *, colour: bool, marked: Callable[[Picture], Picture]
) -> None:
    """Show the newest picture every `seconds`, as `marked` gives it, until the reader goes away or the operator stops
    it.
    """
    repaints = fmt == "table" and sys.stdout.isatty()
    show = _repainter(seconds, colour=colour) if repaints else _appender(fmt)
    begun, due = time.monotonic(), 0.0
    async for picture in control.watch():
        now = time.monotonic()
        hurried = repaints or now - begun > _SETTLE_WITHIN
        if now < due or not (hurried or _settled(picture)):
            continue
        show(marked(picture))
        due = max(due + seconds, now) if due else now + seconds


def _settled(picture: Picture) -> bool:
    """Every node has answered everything, or is known not to answer: what is unknown now is worth telling."""
    undecided = {LinkPhase.IDLE, LinkPhase.CONNECTING}
    waiting = any(finding.key.startswith("waiting:") for finding in picture.assessment.findings)
    return not waiting and all(node.link.phase not in undecided for node in picture.state.nodes.values())


def _appender(fmt: str) -> Callable[[Picture], None]:
    def show(picture: Picture) -> None:
        heads = {"table": f"== {_moment(picture)}", "yaml": "---"}
        if fmt in heads:
            click.echo(heads[fmt])
        click.echo(render(picture, fmt, ages=True) + ("\n" if fmt == "table" else ""))

    return show


def _repainter(seconds: float, *, colour: bool) -> Callable[[Picture], None]:
    """Each line is written over the old one and the rest erased, so that nothing flickers."""
    click.echo("\x1b[2J", nl=False, color=True)

    def show(picture: Picture) -> None:
        foot = f"{_moment(picture)}, every {seconds:g} s; Ctrl-C ends"
        lines = _cut(render(picture, "table", ages=True).splitlines(), shutil.get_terminal_size((80, 24)).lines - 1)
        shown = [*lines, click.style(foot, dim=True)]
        text = "\x1b[K\n".join(line if colour else click.unstyle(line) for line in shown)
        click.echo(f"\x1b[H{text}\x1b[K\x1b[J", nl=False, color=True)

    return show


def _cut(lines: list[str], height: int) -> list[str]:
    """What a screen of `height` lines has room for, and how much it has not."""
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], f"... {len(lines) - height + 1} more lines; a larger window or --limit shows them"]


def _moment(picture: Picture) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(picture.state.wall(picture.now)))
