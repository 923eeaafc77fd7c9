"""What the dashboard has everywhere, whatever it shows: the palette, going to things by name, help, the way back,
screenshots, and the refusal to act where it only looks. Knows nothing of where pictures come from.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from textual import actions, events, on
from textual.actions import ActionParseResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.screen import ModalScreen
from textual.widget import Widget

from hactl.model.dashboard import Settings
from hactl.model.errors import HactlError
from hactl.model.picture import Picture
from hactl.tui.acting import RunSource
from hactl.tui.keys import named
from hactl.tui.looks import Looks
from hactl.tui.messages import OpenNode
from hactl.tui.only_text import OnlyText
from hactl.tui.places import PLACES, TRAINING, places_of
from hactl.tui.screens.base import BaseScreen
from hactl.tui.themes import Memory
from hactl.tui.typeahead import Handled, TypeAhead
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.status_line import Question, StatusLine

if TYPE_CHECKING:  # loaded when it is wanted
    from textual.command import Provider

    from hactl.model.playbook import Playbook
    from hactl.tui.goto import Directory

_OF_LABS = "/inventory.toml"  # every lab's own inventory has this name
_GO = "go"
_GO_HINT = "a screen, a node, a service, a playbook; tab completes"

# Together they take little room in the footer.
_SCREENS = Binding.Group("screens", compact=True)


def _commands() -> type[Provider]:
    from hactl.tui.palette import Commands  # noqa: PLC0415 - loaded when the palette is opened

    return Commands


class Shell(Looks, inherit_bindings=False):
    """`settings` are the user's; `memory` keeps the theme that was chosen."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = named(
        "",
        [
            *(Binding(one.key, f"switch_mode('{one.name}')", one.title, group=_SCREENS) for one in (*PLACES, TRAINING)),
            # These two before whatever has the focus: what is typed right after them belongs to the line they open.
            Binding("slash", "filter", "Filter", show=False, priority=True, tooltip="Of the table; !text inverts it."),
            Binding("colon", "go_to", "Go to", show=False, priority=True, tooltip="Screens, nodes, playbooks by name."),
            Binding("r", "refresh_now", "Sample now", show=False, tooltip="Ask every node at once."),
            Binding("T", "next_theme", "Theme", show=False, tooltip="Dark, light, high contrast; it is remembered."),
            Binding("ctrl+s", "save_screen", "Screenshot", show=False, tooltip="Writes an SVG and says where."),
            Binding("question_mark", "toggle_help", "Help", key_display="?"),
            Binding("f1", "toggle_help", "Help", id="help-while-typing"),
            Binding("q,ctrl+c", "quit", "Quit", tooltip="Runs go on."),
            Binding("ctrl+q", "quit", "Quit", show=False, priority=True, tooltip="Runs go on."),
        ],
    )

    def __init__(self, settings: Settings | None = None, memory: Memory | None = None) -> None:
        super().__init__(settings, memory)
        self.read_only = self.settings.read_only
        self._only_text = OnlyText()
        self._ahead = TypeAhead(self)
        self._books: tuple[Playbook, ...] | None = None
        self._directory: Directory | None = None
        if self.settings.keys:
            self.set_keymap(self.settings.keys)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (*super().get_line_filters(), self._only_text)

    @property
    def picture(self) -> Picture:
        """The newest picture."""
        raise NotImplementedError

    @property
    def runs(self) -> RunSource:
        """The door to plans and runs. Raises HactlError where there is none."""
        raise NotImplementedError

    @property
    def lab(self) -> str:
        path = self.picture.state.inventory.path
        if not path.endswith(_OF_LABS):  # most of the time: nothing is loaded to find that out
            return ""
        from hactl.lab.spec import lab_of  # noqa: PLC0415 - see above

        return lab_of(path)

    def now(self) -> float:
        return time.time()

    def above_keys(self) -> Sequence[Widget]:
        return ()

    # --- keys, one after the other ---

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif not self._ahead.holds(event):
            await super().on_event(event)
            self._ahead.went()

    @on(Handled)
    async def next_key(self, message: Handled) -> None:
        if (event := self._ahead.arrived(message)) is not None:
            await self.on_event(event)

    # --- where one is ---

    def way(self) -> Sequence[str]:
        place = next((one.title.lower() for one in places_of(self.lab) if one.name == self.current_mode), "")
        opened = [screen.crumb() for screen in self.screen_stack[1:] if isinstance(screen, BaseScreen)]
        return [self.picture.state.inventory.name, place, *opened]

    def go_back(self, depth: int) -> None:
        while len(self.screen_stack) > max(1, depth):
            self.pop_screen()

    async def action_switch_mode(self, mode: str) -> None:
        """The key of the screen that one is on leads back to it from whatever was opened there."""
        if mode == self.current_mode:
            self.go_back(1)
        else:
            await super().action_switch_mode(mode)

    # --- what only looks does not act ---

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual's; an action that would act is refused, and says so, where the dashboard only looks."""
        if self.read_only and isinstance(default_namespace, BaseScreen):
            _, name, _ = actions.parse(action) if isinstance(action, str) else action
            if name in default_namespace.ACTS:
                self.refuse()
                return True
        return await super().run_action(action, default_namespace, namespaces)

    def refuse(self) -> None:
        from hactl.tui.read_only import REFUSED  # noqa: PLC0415 - most dashboards may act

        self.notify(REFUSED, severity="warning", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Exercises only in a lab; filter and names where there is a line to type them in, and something to filter."""
        if action == "switch_mode":
            return parameters[0] != TRAINING.name or bool(self.lab)
        if action not in {"filter", "go_to"}:
            return True
        screen = self.screen
        if not isinstance(screen, BaseScreen) or screen.status is None:
            return False
        return action == "go_to" or screen.filterable is not None

    # --- typed names ---

    def action_filter(self) -> None:
        if isinstance(self.screen, BaseScreen):
            self.screen.start_filter()

    def action_go_to(self) -> None:
        if isinstance(self.screen, BaseScreen):
            self.screen.ask(Question(_GO, ":", _GO_HINT, offers=self._offers))
            self.run_worker(self.books(), group="books")

    def _offers(self, text: str) -> Sequence[str]:
        return self._names().offers(text)

    def _names(self) -> Directory:
        if self._directory is None:
            from hactl.tui.goto import Directory, destinations  # noqa: PLC0415 - loaded when it is first asked for

            self._directory = Directory(destinations(self, self.picture.state.inventory, self._books or ()))
        return self._directory

    async def books(self) -> tuple[Playbook, ...]:
        """The playbooks that there are: read once, not on the event loop. None where they cannot be read."""
        if self._books is None:
            try:
                self._books = await asyncio.to_thread(self._read_books)
            except HactlError:  # the screen of playbooks says why
                return ()
            self._directory = None
        return self._books

    def _read_books(self) -> tuple[Playbook, ...]:
        return self.runs.playbooks()

    @on(StatusLine.Given)
    async def go(self, event: StatusLine.Given) -> None:
        if event.purpose != _GO or not isinstance(self.screen, BaseScreen):
            return
        await self.books()
        found = self._names().find(event.text) if event.text.strip() else None
        if isinstance(found, str):
            event.line.complain(found)
            return
        self.screen.answered()
        if found is not None:
            found.go()

    def go_place(self, name: str) -> None:
        self.call_later(self.action_switch_mode, name)

    def go_node(self, name: str) -> None:
        self.post_message(OpenNode(name))

    def go_service(self, place: str, name: str) -> None:
        async def show() -> None:
            await self.action_switch_mode(place)
            self.go_back(1)
            for table in self.screen.query(LineTable):
                if table.select(name):
                    table.focus()

        self.call_later(show)

    def go_playbook(self, book: Playbook, given: Mapping[str, str] = MappingProxyType({})) -> None:
        from hactl.tui.screens.form import FormScreen  # noqa: PLC0415 - loaded when it is opened

        self.push_screen(FormScreen(book, given))

    def do(self, action: str) -> None:
        self.call_later(self.run_action, action)

    # --- pictures of it, and help ---

    def action_save_screen(self) -> None:
        from hactl.tui import screenshot  # noqa: PLC0415 - loaded when it is wanted

        name = self.picture.state.inventory.name
        svg = self.export_screenshot(title=f"hactl {name}")
        if self.is_web:
            screenshot.hand_over(self, svg, name)
            return
        try:
            path = screenshot.write(svg, name)
        except OSError as error:
            self.notify(f"no screenshot: {error}", severity="error", markup=False)
            return
        self.notify(f"written to {path}", title="screenshot", timeout=10, markup=False)

    def action_toggle_help(self) -> None:
        from hactl.tui.screens.help import HelpScreen, help_groups  # noqa: PLC0415 - loaded when it is opened

        if not isinstance(self.screen, ModalScreen):
            groups = help_groups(self.screen)
            self.push_screen(HelpScreen(groups, about=self.way()[-1], read_only=self.read_only))
