"""The two lines that no screen of a recording is without: that it is one, and where in it one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

from textual import events
from textual.message import Message

from hactl.model.recording import Header, Mark
from hactl.model.recording_time import clock, stamp
from hactl.tui.widgets.lines import Lines, Span
from hactl.view.recording import Sign, newest_mark, time_line
from hactl.view.severity import SEVERITIES

_EVERY = 0.2  # seconds between two looks at where it is
_HERE = "◆"
_SIGNS = {Sign.NOTHING: "─", Sign.RUN: "═", Sign.STEP: "╪", Sign.BEGAN: "[", Sign.ENDED: "]"} | {
    Sign(one.word): one.symbol for one in SEVERITIES.values()
}
_STYLES = {Sign.NOTHING: "dim", Sign.RUN: "title", Sign.STEP: "title", Sign.BEGAN: "title", Sign.ENDED: "title"} | {
    Sign(one.word): one.style for one in SEVERITIES.values()
}


class Stands(Protocol):
    """Seconds of the recording; see `control.replay.Standing`."""

    @property
    def at(self) -> float: ...

    @property
    def speed(self) -> float: ...

    @property
    def playing(self) -> bool: ...


class Reel(Protocol):
    """A recording, as far as it is drawn here; `control.replay.Replay` is the real one."""

    @property
    def header(self) -> Header: ...

    @property
    def length(self) -> float: ...

    @property
    def marks(self) -> Sequence[Mark]: ...

    @property
    def stands(self) -> Stands: ...


class Timeline(Lines, can_focus=False):
    """Shows a recording's time. A click goes there."""

    class Sought(Message):
        """The operator wants to see this second of the recording."""

        def __init__(self, at: float) -> None:
            super().__init__()
            self.at = at

    def __init__(self, reel: Reel) -> None:
        super().__init__(id="timeline")
        self._reel = reel

    def on_mount(self) -> None:
        self.set_interval(_EVERY, self.draw)
        self.draw()

    def draw(self) -> None:
        """Draw where it is now. Costs little while it stands still."""
        if self.screen.is_current and self.size.width:
            stands, reel = self._reel.stands, self._reel
            line = time_line(reel.marks, reel.length, stands.at, self.size.width)
            self.set_lines([tuple(self._head(stands)), tuple(_places(line.signs, line.here))])

    def on_click(self, event: events.Click) -> None:
        if self.size.width:
            self.post_message(self.Sought(self._reel.length * event.x / self.size.width))

    def _head(self, stands: Stands) -> Iterator[Span]:
        header, length = self._reel.header, self._reel.length
        yield Span(f" RECORDING of {header.inventory.name} ", "badge-unknown")
        yield Span(f" {stamp(header.began + stands.at)} ", "title")
        word = "▶ plays" if stands.playing else "■ end" if stands.at >= length else "‖ paused"
        yield Span(f" {word} {stands.speed:g}x  {clock(stands.at)} of {clock(length)}")
        mark = newest_mark(self._reel.marks, stands.at)
        if mark is not None:
            style = SEVERITIES[mark.level].style if mark.level is not None else "dim"
            yield Span("   ")
            yield Span(f"{clock(mark.at)} {mark.sentence}", style)
        elif header.note:
            yield Span(f"   {header.note}", "dim")


def _places(signs: Sequence[Sign], here: int) -> Iterator[Span]:
    """As few spans as there are changes of style."""
    drawn = [(_STYLES[sign], _SIGNS[sign]) for sign in signs]
    drawn[here] = ("cursor", _HERE)
    for style, group in groupby(drawn, key=lambda one: one[0]):
        yield Span("".join(char for _, char in group), style)
