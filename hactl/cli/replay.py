"""`hactl replay`: look at a recording, in the dashboard or as the status of its moments."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hactl.cli.output import rendered, say
from hactl.cli.text import examples

if TYPE_CHECKING:
    from hactl.control.replay import Replay
    from hactl.model.dashboard import Settings
    from hactl.model.picture import Picture
    from hactl.view.document import Json

_SHIPPED = ("recordings", "lab.jsonl.gz")


@click.command(
    epilog=examples(
        "hactl replay friday.jsonl.gz             the dashboard, paused at its begin",
        "hactl replay friday.jsonl.gz --at 14:32 --speed 10",
        "hactl replay friday.jsonl.gz -o text --at 14:32:10 --at end",
        "hactl replay friday.jsonl.gz -o json --at +90s | jq .cluster",
        "hactl replay --demo                      a real cluster, recorded",
    )
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--demo", is_flag=True, help="The recording of the lab that ships with hactl.")
@click.option(
    "--at",
    "moments",
    multiple=True,
    metavar="TIME",
    help='Begin there: "+90s" or "+3:20" from its begin, "-30s" from its end, "14:30:05" (UTC), a date and time, or'
    ' "end". With -o as often as wanted. [default: its begin; with -o its end]',
)
@click.option(
    "--speed", type=click.FloatRange(0.1, 60), metavar="FACTOR", help="Play at once, so many times as fast as it was."
)
@click.option(
    "-o",
    "--output",
    "fmt",
    type=click.Choice(["text", "json", "jsonl"]),
    help="Print the status of that moment instead, as `hactl status` would have; jsonl is one document a line.",
)
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    *,
    file: Path | None,
    demo: bool,
    moments: tuple[str, ...],
    speed: float | None,
    fmt: str | None,
) -> int | None:
    """Look at a recording of `hactl record` with the whole dashboard, and a hand on the time.

    space plays and pauses, + and - change the speed, . and , step, ] and [ go 10 seconds, } and { a minute, ) and ( to
    the next or previous change; @ asks for a time. Everything that is told of ages is told as of then. Nothing is
    asked of any node, and nothing can be done.
    """
    if (file is None) is not demo:
        raise click.UsageError("Name one recording, or --demo for the one that ships with hactl.")
    if fmt is None:
        _require_terminal(moments)
    from hactl.control.replay import Replay

    shown = Replay(_shipped() if file is None else file)
    try:
        if shown.cut:
            say(f"hactl: {shown.cut}")
        if fmt is not None:
            _print(shown, moments or ("end",), fmt)
            return None
        if moments:
            shown.go_to(_second(shown, moments[0]))
        if speed is not None:
            shown.play(speed)
        return _dashboard(ctx, shown)
    finally:
        shown.close()


def _dashboard(ctx: click.Context, shown: Replay) -> int:
    from hactl.cli.root import REPLAYER
    from hactl.config.dashboard import load_settings, settings_file

    if ctx.color is False:
        os.environ["NO_COLOR"] = "1"  # which the dashboard honours
    dashboard: Callable[[Replay, Settings], int] = ctx.meta[REPLAYER]
    return dashboard(shown, load_settings(settings_file()))


def _require_terminal(moments: tuple[str, ...]) -> None:
    if len(moments) > 1:
        raise click.UsageError("The dashboard begins at one moment; several --at are for -o.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The dashboard needs a terminal; -o text prints the status of a moment.")


def _shipped() -> Path:
    from hactl.config.share import share_path

    return share_path(*_SHIPPED)


def _second(shown: Replay, word: str) -> float:
    from hactl.model.recording_time import second_of

    try:
        return second_of(word, shown.header.began, shown.length)
    except ValueError as error:
        raise click.UsageError(f"--at: {error}.") from error


def _print(shown: Replay, moments: tuple[str, ...], fmt: str) -> None:
    """Every moment, each labelled as one of a recording."""
    for number, at in enumerate([_second(shown, word) for word in moments]):
        picture = shown.picture(at)
        if fmt == "text":
            click.echo(("\n" if number else "") + _text(shown, picture))
        else:
            click.echo(rendered(_document(shown, picture), fmt))


def _text(shown: Replay, picture: Picture) -> str:
    from hactl.cli.render import render
    from hactl.view.recording import label

    return f"{label(shown.header, picture.now, shown.length)}\n\n{render(picture, 'table', ages=True)}"


def _document(shown: Replay, picture: Picture) -> dict[str, Json]:
    from hactl.view.document import document
    from hactl.view.document_parts import iso

    recording: dict[str, Json] = {
        "began": iso(shown.header.began),
        "second": round(picture.now, 3),
        "seconds": round(shown.length, 3),
        "note": shown.header.note,
        "hactl": shown.header.hactl,
    }
    return {"recording": recording, **document(picture)}
