"""One node's page: every fact that is known of it, with units and ages, and its findings."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.picture import Picture
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted
from hactl.tui.screens.base import PictureScreen
from hactl.tui.widgets.facts import Facts


class NodeScreen(PictureScreen):
    """Shows one node; the arrow keys go to the next and the previous one."""

    AUTO_FOCUS = "#facts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "app.pop_screen", "Back"),
        Binding("left", "turn(-1)", "Previous node"),
        Binding("right", "turn(1)", "Next node"),
        Binding("D", "act('drain')", "Drain"),
        Binding("U", "act('undrain')", "Undrain"),
    ]

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node

    def crumb(self) -> str:
        return self.node

    def body(self) -> ComposeResult:
        yield Facts(id="facts")

    def draw(self, picture: Picture) -> None:
        page = self.query_one(Facts)
        page.border_title = f"node {self.node}"
        page.show(picture, self.node)

    def action_act(self, playbook: str) -> None:
        """Plan a playbook for this node."""
        self.post_message(ActWanted(request(playbook, {}, limit=self.node)))

    def action_turn(self, step: int) -> None:
        """To another node in the inventory's order, round the end."""
        if self.picture is None:
            return
        names = list(self.picture.state.nodes)
        self.node = names[(names.index(self.node) + step) % len(names)]
        self.query_one(Facts).scroll_home(animate=False)
        self.draw(self.picture)
        self.show_way()
