"""What a followed run looks like: lines that stay and, on a terminal, a few below them that are painted anew.

Nothing here asks anybody anything or decides how a run goes on.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Protocol

import click

from hactl.cli import draw
from hactl.model.events import Availability, Recorded, RunEnded, StepProgress, StepStarted, UndoStarted
from hactl.model.findings import Level
from hactl.model.run import RunState
from hactl.model.text import one_line
from hactl.view import units
from hactl.view.events import event_sentence, step_words
from hactl.view.run import pools_line, prober_line, progress_words

_PROGRESS_EVERY = 5.0  # seconds between two lines about what a step waits for, where every line stays
_HANG = " " * 10


class Screen(Protocol):
    """Where a run is shown."""

    def event(self, recorded: Recorded, state: RunState) -> None:
        """One more event; `state` is the one after it."""

    def tick(self, state: RunState) -> None:
        """Some time has passed."""

    def say(self, sentence: str) -> None:
        """Something that this program has to say, and not the run."""

    def close(self) -> None:
        """Take away what does not stay."""


def screen(*, err: bool, verbose: bool, colour: bool) -> Screen:
    """The best screen for stdout, or for stderr."""
    stream = sys.stderr if err else sys.stdout
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return Live(err=err, verbose=verbose, colour=colour)
    return Plain(err=err, verbose=verbose)


class Silent:
    """For whoever reads nothing but the document at the end."""

    def event(self, recorded: Recorded, state: RunState) -> None:
        pass

    def tick(self, state: RunState) -> None:
        pass

    def say(self, sentence: str) -> None:
        click.echo(sentence, err=True)

    def close(self) -> None:
        pass


class Lines(Silent):
    """Every event as a line of JSON."""

    def event(self, recorded: Recorded, state: RunState) -> None:  # noqa: ARG002 - a line says what happened, no more
        from hactl.cli.output import emit
        from hactl.view.run_document import event_document

        emit([event_document(recorded)], "jsonl")
        sys.stdout.flush()


class Plain:
    """Lines that stay, for pipes and logs. What a step waits for is told only now and then."""

    def __init__(self, *, err: bool, verbose: bool) -> None:
        self._err, self._verbose = err, verbose
        self._told: dict[int, float] = {}

    def event(self, recorded: Recorded, state: RunState) -> None:
        if isinstance(recorded.event, StepProgress) and not self._due(recorded.event.step, recorded.at):
            return
        for line in event_lines(recorded, state, draw.width(), verbose=self._verbose):
            click.echo(line, err=self._err)
        (sys.stderr if self._err else sys.stdout).flush()

    def tick(self, state: RunState) -> None:
        pass

    def say(self, sentence: str) -> None:
        click.echo(sentence, err=True)

    def close(self) -> None:
        pass

    def _due(self, step: int, at: float) -> bool:
        due = at - self._told.get(step, 0.0) >= _PROGRESS_EVERY
        if due:
            self._told[step] = at
        return due


class Live:
    """A terminal: what has happened scrolls up, what happens now stands below it and is painted over."""

    def __init__(self, *, err: bool, verbose: bool, colour: bool) -> None:
        self._err, self._verbose, self._colour = err, verbose, colour
        self._below: list[str] = []

    def event(self, recorded: Recorded, state: RunState) -> None:
        shown_below = isinstance(recorded.event, StepStarted | StepProgress | Availability | UndoStarted)
        lines = [] if shown_below else event_lines(recorded, state, self._columns(), verbose=self._verbose)
        self._paint(lines, self._now(state))

    def tick(self, state: RunState) -> None:
        self._paint([], self._now(state))

    def say(self, sentence: str) -> None:
        self._paint(draw.wrapped(sentence, self._columns(), first="", rest=_HANG), self._below)

    def close(self) -> None:
        self._paint([], [])

    def _now(self, state: RunState) -> list[str]:
        return below(state, self._columns(), shutil.get_terminal_size((80, 24)).lines, time.time())

    @staticmethod
    def _columns() -> int:
        return shutil.get_terminal_size((80, 24)).columns - 1  # a full line would wrap, and be in the way of repainting

    def _paint(self, lines: list[str], below: list[str]) -> None:
        """`lines` to stay, above `below`; both over what was below before, in one write so that nothing flickers."""
        if not lines and below == self._below:
            return
        up = f"\r\x1b[{len(self._below)}A" if self._below else "\r"
        text = "".join(f"{line}\x1b[K\n" for line in (*lines, *below))
        self._below = below
        click.echo(f"{up}{text if self._colour else _plain(text)}\x1b[J", err=self._err, nl=False, color=True)


def event_lines(recorded: Recorded, state: RunState, columns: int, *, verbose: bool) -> list[str]:
    """An event with its time, wrapped; nothing when it is not worth a line. The end is told by the proof below it."""
    found = event_sentence(recorded, state.plan, verbose=verbose)
    if found is None or isinstance(recorded.event, RunEnded):
        return []
    level, sentence = found
    clock = time.strftime("%H:%M:%S", time.gmtime(recorded.at))
    wrapped = draw.wrapped(sentence, columns, first=f"{clock}  ", rest=_HANG)
    return wrapped if level is Level.OK else [draw.paint(line, level) for line in wrapped]


def below(state: RunState, columns: int, rows: int, now: float) -> list[str]:
    """What goes on: each step that runs, how far the run is, and what clients notice. One terminal line each.

    At most `rows` less two: what has scrolled away could not be painted over.
    """
    if state.outcome is not None:
        return []
    room = max(1, rows - 5)
    lines = [_current(state, index, now) for index in state.current[:room]]
    if len(state.current) > room:
        lines.append(f"... and {len(state.current) - room} more")
    pools = pools_line(state)
    since = "" if state.began_at is None else f", {units.duration(round(max(0.0, now - state.began_at)))}"
    paused = ", paused" if state.paused else ""
    lines.append(f"{progress_words(state)}{since}{paused}{f', available: {pools}' if pools else ''}")
    if probes := prober_line(state):
        lines.append(probes)
    return [click.style(_cut(line, columns), dim=True) for line in lines]


def _current(state: RunState, index: int, now: float) -> str:
    step = state.steps[index]
    age = units.duration(round(max(0.0, now - step.began_at))) if step.began_at is not None else ""
    doing = f"undoing {step_words(state.plan, index)}" if step.phase == "undoing" else step_words(state.plan, index)
    return f"> {doing}  {age}  {one_line(step.sentence)}".rstrip()


def _cut(line: str, columns: int) -> str:
    from hactl.view.tables import text_width

    if text_width(line) <= columns:
        return line
    while text_width(line) > columns - 1:
        line = line[:-1]
    return line + "…"


def _plain(text: str) -> str:
    """Without colours; cursor movements stay."""
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
