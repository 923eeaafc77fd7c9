"""The backups: every repository above, what the one under the cursor holds below, and the keys that take one."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from hactl.model.backups import Repository, backup_services, repositories
from hactl.model.parameters import Value
from hactl.model.picture import Picture
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, OpenNode
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.backups import backup_rows, repository_lines, repository_rows
from hactl.view.findings import about_lines
from hactl.view.lines import Line

_NOTHING = "The inventory has no backups."


class BackupsScreen(TableScreen):
    """Repositories, the backups in one of them, and what is to be said of it."""

    AUTO_FOCUS = "#repositories"
    DEFAULT_CSS = """
    BackupsScreen #repositories, BackupsScreen #copies, BackupsScreen #repository {
        border-top: solid $primary-muted; border-title-color: $text-muted; padding: 0 1;
    }
    BackupsScreen #repositories { height: auto; min-height: 3; max-height: 30%; }
    BackupsScreen #copies { height: 1fr; }
    BackupsScreen #repository { height: auto; max-height: 50%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "backup('incr')", "Backup", tooltip="Of what has changed, into the repository under the cursor."),
        Binding("f", "backup('full')", "Full backup", tooltip="Of everything, into the repository under the cursor."),
        Binding("v", "plan", "Verify", tooltip="Read all of the repository and see that it is whole."),
    ]

    def body(self) -> ComposeResult:
        yield LineTable(id="repositories", empty="no repository matches")
        yield LineTable(id="copies", empty="no backup")
        yield Prose(id="repository")

    def on_mount(self) -> None:
        titled(self.table, "repositories")
        self.query_one("#repository").can_focus = False

    @property
    def table(self) -> LineTable:
        return self.query_one("#repositories", LineTable)

    def draw(self, picture: Picture) -> None:
        self.table.show(repository_rows(picture))
        self._draw_below()

    @property
    def chosen(self) -> Repository | None:
        """The repository under the cursor, as the newest picture has it."""
        picture, key = self.picture, self.table.cursor_key
        if picture is None or key is None:
            return None
        name, _, number = key.partition("/")
        services = (one for one in backup_services(picture.state.inventory) if one.name == name)
        found = (repository for one in services for repository in repositories(one, picture))
        return next((one for one in found if str(one.number) == number), None)

    def _draw_below(self) -> None:
        picture, one = self.picture, self.chosen
        copies, about = self.query_one("#copies", LineTable), self.query_one("#repository", Prose)
        if picture is None or one is None:
            return
        titled(copies, f"backups in repository {one.number} of {one.service.name}")
        copies.show(backup_rows((one,)))
        head, *rest = repository_lines(picture, one)
        titled(about, head.text)
        wrong = about_lines(picture, {one.service.name})
        about.show([*rest, *((Line(), *wrong) if wrong else ())])

    @on(LineTable.Moved, "#repositories")
    def follow_cursor(self) -> None:
        self._draw_below()

    @on(LineTable.Chosen)
    def open_node(self) -> None:
        if (one := self.chosen) is not None:
            self.post_message(OpenNode(one.service.repository_host))

    # --- acting ---

    def action_backup(self, kind: str) -> None:
        self._wanted("backup", {"kind": kind})

    def action_plan(self) -> None:
        self._wanted("backup-verify", {})

    def _wanted(self, playbook: str, parameters: dict[str, Value]) -> None:
        one = self.chosen
        if one is None:
            self.notify(_NOTHING, severity="warning", markup=False)
            return
        where: dict[str, Value] = {"service": one.service.name, "repository": one.number}
        self.post_message(ActWanted(request(playbook, {**where, **parameters})))
