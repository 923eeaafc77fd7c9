"""What the run screen remembers of a run's events: the state, the newest lines, command, guards and beats."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from hactl.model.errors import HactlError
from hactl.model.events import CommandDone, CommandStarted, GuardsChecked, ProbeTick, Recorded, StepProgress
from hactl.model.findings import Level
from hactl.model.run import RunState, after
from hactl.tui.acting import told
from hactl.tui.widgets.chart import Beat
from hactl.view import units
from hactl.view.events import event_sentence, guards_line
from hactl.view.lines import Line

_LINES = 2000  # of the story
_BEATS = 600  # intervals of the prober
_OUTPUT = 6  # last lines of what a command said


class Story:
    """Begins with a state that was folded from the journal; then takes every event from the first one on."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.lines: deque[Line] = deque(maxlen=_LINES)
        self.beats: deque[Beat] = deque(maxlen=_BEATS)
        self.command: tuple[Line, ...] = ()
        self.guards: Line | None = None  # what they said when they were last asked
        self._said = ""  # the newest line, without its time

    def take(self, recorded: Recorded) -> None:
        event = recorded.event
        # The state came from the whole journal; events up to its last one only make lines and beats.
        if recorded.number > self.state.last:
            self.state = after(self.state, recorded)
        if isinstance(event, ProbeTick):
            self._beat(event, int(recorded.at))
        elif isinstance(event, GuardsChecked):
            self.guards = guards_line(event, self.state.plan)
        elif isinstance(event, CommandStarted | CommandDone):
            self.command = tuple(_command(event, self.command))
        if (sentence := event_sentence(recorded, self.state.plan)) is not None:
            level, text = sentence
            if isinstance(event, StepProgress) and text == self._said:
                return  # a wait says the same again and again
            self._said = text
            when = time.strftime("%H:%M:%S", time.localtime(recorded.at))
            self.lines.append(Line(f"{when}  {text}", level if level is not Level.OK else None, hang=10))

    def complain(self, error: HactlError) -> None:
        """The journal cannot be read: that is part of what happened, too."""
        self.lines.append(Line(told(error), Level.CRIT))

    def _beat(self, tick: ProbeTick, second: int) -> None:
        """Endpoints that are probed in the same second share a bar: the slowest and every failure counts."""
        beat = Beat(tick.slowest, tick.failed, second)
        if self.beats and self.beats[-1].second == second:
            last = self.beats.pop()
            beat = Beat(max(last.slowest, beat.slowest), last.failed + beat.failed, second)
        self.beats.append(beat)


def _command(event: CommandStarted | CommandDone, before: tuple[Line, ...]) -> Iterator[Line]:
    """The newest command with the end of what it said."""
    if isinstance(event, CommandStarted):
        yield Line(f"{event.node}> {event.text}", hang=4)
        return
    yield from before[:1]
    ended = "it was not learned how it ended" if event.exit is None else f"exit {event.exit}"
    level = None if event.exit == 0 else Level.UNKNOWN if event.exit is None else Level.WARN
    yield Line(f"{ended} after {units.duration(event.seconds)}", level, indent=2)
    said = [line for line in (event.stdout + "\n" + event.stderr).splitlines() if line.strip()]
    yield from (Line(line, indent=2, faint=True) for line in said[-_OUTPUT:])
