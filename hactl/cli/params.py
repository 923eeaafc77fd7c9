"""Types of option values that commands share."""

from __future__ import annotations

import math

import click


class Seconds(click.FloatRange):
    """A time span. `nan` and `inf` are floats, but no time to wait."""

    name = "seconds"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds
