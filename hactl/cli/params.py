"""Options that commands share, and types of their values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def shown_as(*choices: str, help: str = "How to show it.") -> Callable[[_F], _F]:  # noqa: A002 - as click calls it
    """`-o`, which is `fmt` to the command. The first choice is for people, and meant where nothing is said."""
    return click.option(
        "-o", "--output", "fmt", type=click.Choice(choices), default=choices[0], show_default=True, help=help
    )


document = shown_as("table", "json", "yaml")
"""Of commands that show a table to people and the same as one document to programs."""
documents = shown_as("table", "json", "yaml", "jsonl", help="How to show it; jsonl is one document a line.")
"""Of those that show many things of one sort."""
story = shown_as("text", "json")
"""Of commands that tell people something in sentences."""
events = shown_as("text", "json", "jsonl", help="json is one document at the end, jsonl every event as it happens.")
"""Of commands that follow a run."""


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
