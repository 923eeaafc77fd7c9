"""Types of option values that commands share."""

from __future__ import annotations

import math

import click

document = click.option(
    "-o",
    "--output",
    "fmt",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="How to show it.",
)
"""Of commands that show a table to people and the same as a document to programs."""


class Seconds(click.FloatRange):
    """A time span. `nan` and `inf` are floats, but no time to wait."""

    name = "seconds"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


class Duration(click.ParamType[float]):
    """A time span with a unit, "90s", "15m", "2h", or seconds alone; seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from hactl.model.values import duration

        word = str(value).strip()
        try:
            seconds = float(word) if word.replace(".", "", 1).isdecimal() else duration(word)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        if not 0 < seconds < 10 * 366 * 86400:
            self.fail(f"{word} is no time to wait.", param, ctx)
        return seconds
