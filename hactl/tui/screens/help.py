"""All keys of the screen on top, made from its bindings: what each does, and the name by which it can be changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from hactl.tui.keys import NamedKeys
from hactl.tui.widgets.lines import SCROLLING, Line, Lines, Span
from hactl.tui.widgets.paint import subtitled, titled

_TWO_COLUMNS = 130  # cells of room from which groups stand beside each other
_GAP = 3


@dataclass(frozen=True, slots=True)
class HelpKey:
    """`keys` as they are written on the screen; `name` is that of the key map; not `enabled`: not now."""

    keys: str
    does: str
    about: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class HelpGroup:
    title: str
    keys: tuple[HelpKey, ...]


def help_groups(screen: Screen[object]) -> tuple[HelpGroup, ...]:
    """The keys that work on this screen now, where they belong: to what has the focus, to the screen, to everything."""
    groups: dict[str, dict[str, HelpKey]] = {}
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if binding.system or not binding.description:
            continue
        title = "everywhere" if isinstance(node, App) else "this screen" if isinstance(node, Screen) else _called(node)
        group, display = groups.setdefault(title, {}), screen.app.get_key_display(binding)
        if (held := group.get(binding.action)) is not None:
            if display not in held.keys.split():
                group[binding.action] = replace(held, keys=f"{held.keys} {display}")
        else:
            group[binding.action] = HelpKey(display, _sentence(binding), tooltip, binding.id or "", enabled)
    order = sorted(groups, key=lambda title: (title == "everywhere", title != "this screen"))
    return tuple(HelpGroup(title, tuple(groups[title].values())) for title in order)


def _sentence(binding: Binding) -> str:
    return binding.description[:1].upper() + binding.description[1:]  # Textual's own begin with small letters


def _called(node: object) -> str:
    return (getattr(node, "KEYS_OF", None) or type(node).__name__).lower()


def help_lines(groups: Iterable[HelpGroup], *, read_only: bool) -> list[list[Line]]:
    """Each group as lines: its title, then a key a line."""
    shown = list(groups)
    keys = max((cell_len(key.keys) for group in shown for key in group.keys), default=0)
    does = max((cell_len(key.does) for group in shown for key in group.keys), default=0)
    why = "refused: read-only" if read_only else "not now"
    return [
        [(Span(group.title, "title"),), *(_key_line(key, keys, does, why) for key in group.keys), ()] for group in shown
    ]


def _key_line(key: HelpKey, keys: int, does: int, why: str) -> Line:
    about = key.about if key.enabled else why
    return (
        Span(f"  {key.keys:<{keys}}  ", "title" if key.enabled else "dim"),
        Span(f"{key.does:<{does}}", "" if key.enabled else "dim"),
        Span(f"  {about}" if about else "", "dim"),
    )


class Page(NamedKeys, Lines, can_focus=True, inherit_bindings=False):
    """The groups; beside each other where there is room."""

    KEYS_OF: ClassVar[str | None] = "text"
    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(self, groups: Sequence[HelpGroup], *, read_only: bool) -> None:
        super().__init__(id="keys")
        self._groups = help_lines(groups, read_only=read_only)

    def draw(self) -> None:
        self.set_lines(self._arranged(self.size.width))

    def _arranged(self, width: int) -> list[Line]:
        *first, last = self._groups or [[]]
        left = [line for group in first for line in group]
        if width < _TWO_COLUMNS or not left:
            return [*left, *last]
        wide = max(_width(line) for line in left)
        return [
            (*(one or ()), Span(" " * (wide - _width(one or ()) + _GAP)), *(other or ()))
            for one, other in zip_longest(left, last)
        ]


def _width(line: Line) -> int:
    return sum(cell_len(span.text) for span in line)


class HelpScreen(NamedKeys, ModalScreen[None]):
    """Over the screen that it explains."""

    AUTO_FOCUS = "#keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "app.pop_screen", "Close", key_display="esc"),
    ]

    def __init__(self, groups: Sequence[HelpGroup], *, about: str, read_only: bool) -> None:
        super().__init__()
        self._groups, self._about, self._read_only = tuple(groups), about, read_only

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Page(self._groups, read_only=self._read_only)

    def on_mount(self) -> None:
        box: Widget = self.query_one("#help")
        titled(box, f"keys: {self._about}")
        subtitled(box, "escape closes")
