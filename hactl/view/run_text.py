"""A whole run as lines to be read after it: what it was, how it ended, each step, guards, doubts, every command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hactl.model.events import Recorded
from hactl.model.run import RunState, StepPhase
from hactl.model.text import one_line
from hactl.view.lines import Line
from hactl.view.matrix import moment, phase_cell
from hactl.view.plan import decision_lines
from hactl.view.run import command_lines, doubt_lines, head_lines, proof_lines


def report_lines(state: RunState, story: Sequence[Recorded], now: float, *, alive: bool) -> Iterator[Line]:
    """The text beside the page of `view.report`. `now` is epoch seconds."""
    yield from head_lines(state, now)
    yield Line()
    yield from proof_lines(state, alive=alive)
    for title, lines in (
        ("steps", _steps(state, alive=alive)),
        ("what was not known, and what was seen then", doubt_lines(state.plan, story)),
        ("as it was planned", decision_lines(state.plan)),
        ("commands", command_lines(story)),
    ):
        yield from _part(title, list(lines))


def _part(title: str, lines: Sequence[Line]) -> Iterator[Line]:
    if lines:
        yield Line()
        yield Line(title, strong=True)
        yield from lines


def _steps(state: RunState, *, alive: bool) -> Iterator[Line]:
    at = moment(state, alive=alive)
    for planned, step in zip(state.plan.steps, state.steps, strict=True):
        cell = phase_cell(step, at)
        took = f"done in {cell.text}" if step.phase is StepPhase.DONE else cell.text
        said = f": {one_line(step.sentence, 1000)}" if step.sentence else ""
        yield Line(f"{planned.index + 1:>3}  {planned.label}: {took}{said}", cell.level, indent=1, hang=5)
