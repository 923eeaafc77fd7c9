"""The line of keys at the bottom: as many whole hints as there is room for, and which ones.

It is one widget that draws itself. A widget for every key, made anew whenever the focus moves, costs as much as
everything else on a screen together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.binding import ActiveBinding, Binding
from textual.screen import Screen

from hactl.tui.widgets.lines import Lines, Span

_GAP = "  "
_HELP = "toggle_help"  # by it all other keys are found


class Rank(IntEnum):
    """What is left out where there is no room: the last of these first, and of two the one further to the right."""

    HELP = 0
    HERE = 1  # of the screen, and of what has the focus
    PLACES = 2
    EVERYWHERE = 3
    REFUSED = 4  # it would do nothing


@dataclass(frozen=True, slots=True)
class Key:
    name: str  # as Textual's
    shown: str
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """What one key does, or several that belong together; `short` is what several are shown as in little room."""

    keys: tuple[Key, ...]
    does: str
    rank: Rank
    short: str = ""

    @property
    def forms(self) -> tuple[tuple[Key, ...], ...]:
        """The keys that may be shown, the best first."""
        return (self.keys, (Key("", self.short),)) if self.short else (self.keys,)

    def width(self, keys: Sequence[Key]) -> int:
        return sum(cell_len(key.shown) + 1 for key in keys) + cell_len(self.does)


Shown = tuple[Hint, tuple[Key, ...]]


def fitting(hints: Sequence[Hint], width: int) -> list[Shown]:
    """Those that there is room for in their own order, and with which keys each of them."""
    room, taken = width - 1, dict[int, tuple[Key, ...]]()
    for index in sorted(range(len(hints)), key=lambda one: (hints[one].rank, one)):
        hint = hints[index]
        for keys in hint.forms:
            needed = hint.width(keys) + (len(_GAP) if taken else 0)
            if needed <= room:
                taken[index] = keys
                room -= needed
                break
    return [(hints[index], taken[index]) for index in sorted(taken)]


def hints_of(app: App[object], active: Iterable[ActiveBinding]) -> list[Hint]:
    """One for every action that is to be shown, or for a group of them."""
    shown: dict[str, ActiveBinding] = {}
    for one in active:
        if one.binding.show:
            shown.setdefault(one.binding.action, one)
    grouped = groupby(shown.values(), key=lambda one: one.binding.group or one.binding)
    return [_hint(app, list(several)) for _, several in grouped]


def _hint(app: App[object], several: Sequence[ActiveBinding]) -> Hint:
    first, group = several[0].binding, several[0].binding.group
    if group is None or len(several) == 1:
        return Hint((_key(app, first, several[0].tooltip),), first.description, _rank(app, several[0]))
    keys = tuple(_key(app, one.binding, one.tooltip or one.binding.description) for one in several)
    names = [key.shown for key in keys]
    numbered = len(names) > 2 and all(name.isdigit() for name in names)
    short = f"{names[0]}-{names[-1]}" if numbered else ""
    return Hint(keys, group.description, _rank(app, several[0]), short)


def _key(app: App[object], binding: Binding, tooltip: str) -> Key:
    return Key(binding.key, app.get_key_display(binding), tooltip)


def _rank(app: App[object], one: ActiveBinding) -> Rank:
    if one.binding.action == _HELP:
        return Rank.HELP
    if not one.enabled:
        return Rank.REFUSED
    if one.node is not app or one.binding.priority:
        return Rank.HERE
    return Rank.PLACES if one.binding.group is not None else Rank.EVERYWHERE


class KeyLine(Lines, can_focus=False):
    """Shows the keys of the screen that it stands on. A click on one presses it."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Sequence[Shown] = ()

    @property
    def hints(self) -> Sequence[Hint]:
        """Those that are shown."""
        return [hint for hint, _ in self._shown]

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._other_bindings)
        self.draw()

    def _other_bindings(self, _screen: Screen[object]) -> None:
        self.draw()

    def draw(self) -> None:
        if self.is_attached and self.size.width:
            hints = hints_of(self.app, self.screen.active_bindings.values())
            self._shown = fitting(hints, self.size.width)
            self.set_lines([tuple(self._spans())])

    def _spans(self) -> Iterator[Span]:
        for index, (hint, keys) in enumerate(self._shown):
            refused = hint.rank is Rank.REFUSED
            yield Span(_GAP if index else " ")
            for key in keys:
                yield Span(key.shown, "dim" if refused else "title")
                yield Span(" ")
            yield Span(hint.does, "dim" if refused else "")

    # --- the mouse ---

    def at(self, x: int) -> tuple[Hint, Key | None] | None:
        """The hint in this column, and which of its keys: of several none where their words are."""
        left = 1
        for hint, keys in self._shown:
            right = left + hint.width(keys)
            if left <= x < right:
                return hint, _key_at(hint, keys, x - left)
            left = right + len(_GAP)
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        _, key = self.at(event.x) or (None, None)
        tooltip = key.tooltip if key is not None else ""
        if (self.tooltip or "") != tooltip:
            self.tooltip = tooltip or None

    def on_click(self, event: events.Click) -> None:
        hint, key = self.at(event.x) or (None, None)
        if hint is None or key is None or not key.name:
            return
        if hint.rank is Rank.REFUSED:
            self.app.bell()
        else:
            self.app.simulate_key(key.name)


def _key_at(hint: Hint, keys: Sequence[Key], x: int) -> Key | None:
    if len(hint.keys) == 1:
        return hint.keys[0]
    for key in keys:
        x -= cell_len(key.shown) + 1
        if x < 0:
            return key
    return None
