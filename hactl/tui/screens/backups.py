"""The backups: every repository above; below it what the one under the cursor holds, its drills, and what is to be said
of them; and the keys that take a backup, read it, and try it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from hactl.model.backups import Repository, repositories
from hactl.model.drilled import all_drilled, drilled, newest_first
from hactl.model.inventory import PgbackrestService, ResticService
from hactl.model.parameters import Value
from hactl.model.picture import Picture
from hactl.model.stores import TOOLS, Files, files
from hactl.tui.acting import request
from hactl.tui.messages import ActWanted, FormWanted, OpenNode
from hactl.tui.screens.base import TableScreen
from hactl.tui.widgets.drill_history import DrillHistory
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.prose import Prose
from hactl.view.backups import backup_rows, repository_lines
from hactl.view.files import files_lines, snapshot_rows, store_rows
from hactl.view.findings import about_lines

Kept: TypeAlias = Repository | Files

_NOTHING = "The inventory has no backups."
_ALWAYS_FULL = "Every snapshot of restic is a full one: b takes it."
_BY_HAND = "Files of {} are brought back by `restic restore` on their node, as the user of the backups."
_NO_DRILLS = "The inventory names nobody to make drills of {}: see drill_user."


class BackupsScreen(TableScreen):
    """Repositories, the backups in one of them, the drills of their service, and what is to be said of all that."""

    AUTO_FOCUS = "#repositories"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012 - Textual declares it without ClassVar
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-high")]  # noqa: RUF012 - likewise
    DEFAULT_CSS = """
    BackupsScreen #repositories, BackupsScreen #backups, BackupsScreen #repository {
        border-top: solid $primary-muted; border-title-color: $text-muted; padding: 0 1;
    }
    BackupsScreen #repositories { height: auto; min-height: 3; max-height: 30%; }
    BackupsScreen #below { height: 1fr; }
    BackupsScreen #backups, BackupsScreen DrillHistory { height: 1fr; }
    BackupsScreen.-narrow.-high DrillHistory { height: 2fr; }
    BackupsScreen.-wide #below { layout: horizontal; }
    BackupsScreen.-wide #backups, BackupsScreen.-wide DrillHistory { width: 1fr; height: 100%; }
    BackupsScreen.-low #plots { display: none; }
    BackupsScreen.-wide.-high #plots { height: 1fr; max-height: 14; }
    BackupsScreen #repository { height: auto; max-height: 50%; }
    BackupsScreen.-low #repository { max-height: 25%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "drill", "Drill", tooltip="Restore the newest backup of this repository, to see that it can be."),
        Binding("b", "backup('incr')", "Backup", tooltip="Of what has changed, into the repository under the cursor."),
        Binding("f", "backup('full')", "Full backup", tooltip="Of everything, into the repository under the cursor."),
        Binding("v", "plan", "Verify", tooltip="Read all of the repository and see that it is whole."),
        Binding("R", "restore", "Restore", tooltip="The whole database, from here: a form first, then the plan."),
    ]

    def body(self) -> ComposeResult:
        yield LineTable(id="repositories", empty="no repository matches")
        with Container(id="below"):
            yield LineTable(id="backups", empty="no backup")
            yield DrillHistory()
        yield Prose(id="repository")

    def on_mount(self) -> None:
        titled(self.table, "repositories")

    @property
    def table(self) -> LineTable:
        return self.query_one("#repositories", LineTable)

    def draw(self, picture: Picture) -> None:
        self.table.show(store_rows(picture))
        self._draw_below()

    @property
    def chosen(self) -> Kept | None:
        """The repository under the cursor, as the newest picture has it."""
        picture, key = self.picture, self.table.cursor_key
        if picture is None or key is None:
            return None
        name, _, which = key.partition("/")
        match picture.state.inventory.services.get(name):
            case PgbackrestService() as service:
                return next((one for one in repositories(service, picture) if str(one.number) == which), None)
            case ResticService() as service:
                return next((one for one in files(service, picture) if one.node == which), None)
        return None

    def _draw_below(self) -> None:
        picture, one = self.picture, self.chosen
        if picture is None or one is None:
            return
        tried = drilled(one.service, picture, "" if isinstance(one, Repository) else one.node)
        self._draw_copies(one)
        self.query_one(DrillHistory).show(one.service.name, tried)
        self._draw_said(picture, one)

    def _draw_copies(self, one: Kept) -> None:
        copies = self.query_one("#backups", LineTable)
        if isinstance(one, Repository):
            titled(copies, f"backups in repository {one.number} of {one.service.name}")
            copies.show(backup_rows((one,)))
        else:
            titled(copies, f"snapshots of {one.service.name} on {one.node}")
            copies.show(snapshot_rows((one,)))

    def _draw_said(self, picture: Picture, one: Kept) -> None:
        """What is wrong comes first: in a low terminal the rest is below the edge."""
        said = self.query_one("#repository", Prose)
        head, *rest = repository_lines(picture, one) if isinstance(one, Repository) else files_lines(picture, one)
        titled(said, head.text)
        wrong = about_lines(picture, {one.service.name})
        said.show([*wrong, *rest])

    @on(LineTable.Moved, "#repositories")
    def follow_cursor(self) -> None:
        self._draw_below()

    @on(LineTable.Chosen, "#repositories, #backups")
    def open_node(self) -> None:
        one = self.chosen
        if one is not None:
            self.post_message(OpenNode(one.service.repository_host if isinstance(one, Repository) else one.node))

    @on(LineTable.Chosen, "#drills")
    def open_drill(self, event: LineTable.Chosen) -> None:
        from hactl.tui.screens.drill import DrillScreen  # noqa: PLC0415 - loaded when one is opened

        if self.picture is None:
            return
        known = newest_first(all_drilled(self.picture))
        record = next((one for one in known if one.key == event.key), None)
        if record is not None:
            self.app.push_screen(DrillScreen(record, known))

    # --- acting ---

    def action_backup(self, kind: str) -> None:
        match self.chosen:
            case Files() if kind == "full":
                self._warn(_ALWAYS_FULL)
            case Files() as one:
                self._act(one, TOOLS[one.service.kind].take)
            case Repository() as one:
                self._act(one, TOOLS[one.service.kind].take, {"kind": kind})
            case None:
                self._warn(_NOTHING)

    def action_plan(self) -> None:
        one = self.chosen
        if one is None:
            self._warn(_NOTHING)
        else:
            self._act(one, TOOLS[one.service.kind].verify)

    def action_drill(self) -> None:
        match self.chosen:
            case Files() as one:
                self._act(one, TOOLS[one.service.kind].drill)
            case Repository(service=service) as one if (
                service.drill_user is not None and service.drill_node is not None
            ):
                self._act(one, TOOLS[service.kind].drill)
            case Repository(service=service):
                self._warn(_NO_DRILLS.format(service.name))
            case None:
                self._warn(_NOTHING)

    def action_restore(self) -> None:
        """From the repository under the cursor; the backup too, where that is what the cursor is on."""
        match self.chosen:
            case Files() as one:
                self._warn(_BY_HAND.format(one.service.name))
            case Repository() as one:
                copies = self.query_one("#backups", LineTable)
                given = {"backups": one.service.name, "repository": str(one.number)}
                if copies.has_focus and copies.cursor_key is not None:
                    given["backup"] = copies.cursor_key.split("/", 2)[2]
                self.post_message(FormWanted("restore", given))
            case None:
                self._warn(_NOTHING)

    def _act(self, one: Kept, playbook: str, parameters: Mapping[str, Value] = MappingProxyType({})) -> None:
        """Plan it for the repository `one`: of a database by its number, of files by the node that has it."""
        where: dict[str, Value] = {"service": one.service.name}
        if isinstance(one, Repository):
            self.post_message(ActWanted(request(playbook, {**where, "repository": one.number, **parameters})))
        else:
            self.post_message(ActWanted(request(playbook, {**where, **parameters}, limit=one.node)))

    def _warn(self, sentence: str) -> None:
        self.notify(sentence, severity="warning", markup=False)
