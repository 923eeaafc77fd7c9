"""One of several values on one line: left and right go through them, a letter goes to the next that begins with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from hactl.tui.widgets.lines import Lines, Span


class Choice(Lines, can_focus=True, inherit_bindings=False):
    """`values` may begin with "", which stands for "not given". `default` is where it begins."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next value", show=False),
        Binding("left,backspace", "turn(-1)", "Previous value", show=False),
        Binding("enter", "submit", "Next field", show=False),
    ]

    class Changed(Message):
        """Another value is chosen."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> Choice:
            return self.choice

    class Submitted(Changed):
        """The operator goes on."""

    def __init__(self, values: Sequence[str], default: str = "", *, name: str, id: str) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._field = name
        self._values = tuple(values)
        self._at = self._values.index(default) if default in self._values else 0

    @property
    def field(self) -> str:
        return self._field

    @property
    def value(self) -> str:
        return self._values[self._at] if self._values else ""

    def on_mount(self) -> None:
        self._draw()

    def watch_has_focus(self, _has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Not when the focus goes: by then it is here still."""
        super().watch_has_focus(_has_focus)
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """A letter goes to the next value that begins with it."""
        letter = (event.character or "").casefold()
        if not letter.isalnum():
            return
        count = len(self._values)
        later = (place % count for place in range(self._at + 1, self._at + 1 + count))
        found = next((at for at in later if self._values[at].casefold().startswith(letter)), None)
        if found is not None:
            event.stop()
            self._take(found)

    def on_click(self, event: events.Click) -> None:
        self.action_turn(-1 if event.x == 0 else 1)

    def action_turn(self, step: int) -> None:
        if self._values:
            self._take((self._at + step) % len(self._values))

    def action_submit(self) -> None:
        self.post_message(self.Submitted(self))

    def _take(self, at: int) -> None:
        self._at = at
        self._draw()
        self.post_message(self.Changed(self))

    def _draw(self) -> None:
        if not self._values:
            self.set_lines([(Span("there is none in the inventory", "dim"),)])
            return
        place = f"  {self._at + 1} of {len(self._values)}"
        side = "title" if self.has_focus else "dim"
        shown = Span(self.value or "(not given)", "cursor" if self.has_focus else "")
        self.set_lines([(Span("◂ ", side), shown, Span(" ▸", side), Span(place, "dim"))])
