"""Cells that every table shares: levels, ages, and what nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from hactl.model.findings import Level
from hactl.model.observed import Maybe, Observed
from hactl.view import units
from hactl.view.severity import severity
from hactl.view.tables import Cell

T = TypeVar("T")

UNKNOWN = Cell("?", None, None, unknown=True)
NOTHING = Cell("-", None, None, unknown=True)  # there is no such thing here: not the same as not to know it


@cache
def level_cell(level: Level) -> Cell:
    """The word; sorts worst first."""
    return Cell(severity(level).word, level, float(-level))


def age_cell(seconds: float, level: Level | None = None) -> Cell:
    return Cell(units.age(seconds), level, seconds)


def percent_cell(value: float | None, level: Level | None = None) -> Cell:
    return UNKNOWN if value is None else Cell(units.percent(value), level, value)


def size_cell(value: float | None, level: Level | None = None) -> Cell:
    return UNKNOWN if value is None else Cell(units.size(value), level, float(value))


def from_answer(answer: Maybe[T], shown: Callable[[T], Cell]) -> Cell:
    """What is known as `shown` shows it; else "?"."""
    return shown(answer.value) if isinstance(answer, Observed) else UNKNOWN
