"""The first screen: the cluster at a glance. Map and services above, findings, then trends and what has changed."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from hactl.model.findings import Finding
from hactl.model.picture import Picture
from hactl.tui.messages import AckGiven, AckTaken, GoTo
from hactl.tui.screens.base import ACTS, PictureScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.tui.widgets.site_map import SiteMap
from hactl.tui.widgets.spark import Sparks
from hactl.view.findings import FindingRows
from hactl.view.services import service_rows
from hactl.view.traffic import traffic_traces
from hactl.view.whereto import Where, of_finding, of_service

_HINTS_FROM = 140  # columns
_HIGHEST = 4  # lines of one trend
_DAY = 86400.0  # seconds
_TITLES = {
    "map": "sites",
    "services": "services",
    "findings": "findings",
    "trends": "requests, last 15 minutes",
    "recent": "recent events",
}


class OverviewScreen(PictureScreen):
    """Where the operator starts. Enter leads to the place that a row is about.

    Where all panels have no room at once, the lowest one shows the findings; `e` and `t` put recent events or trends
    in their place, and the same key puts the findings back.
    """

    AUTO_FOCUS = "#findings"
    ACTS = ACTS | {"unacknowledge"}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it without ClassVar
    VERTICAL_BREAKPOINTS = [(0, "-short"), (21, "-low"), (30, "-high")]  # noqa: RUF012 - likewise
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", "Acknowledge", tooltip="Say that the finding is known, why, and until when."),
        Binding("A", "unacknowledge", "Take back", show=False, tooltip="The finding is no longer acknowledged."),
        Binding("e", "panel('recent')", "Events", tooltip="Recent events; again: back to the findings."),
        Binding("t", "panel('trends')", "Trends", tooltip="Requests, errors and latency; again: back."),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._findings = FindingRows()
        self._wheres: dict[str, Where | None] = {}  # of recent events, by row
        self._told: tuple[int, float] = (-1, 0.0)  # which recent events are shown, and as of which day

    def body(self) -> ComposeResult:
        with Container(id="glance"):
            yield SiteMap(id="map")
            yield LineTable(id="services", empty="the inventory names no services")
        yield LineTable(id="findings", empty="no findings: everything that is known is well")
        with Container(id="lately"):
            yield Sparks(id="trends")
            yield LineTable(id="recent", empty="nothing has changed while this was open")

    def on_mount(self) -> None:
        for panel, title in _TITLES.items():
            titled(self.query_one(f"#{panel}"), title)
        self.watch(self.query_one("#findings"), "others", self.draw_again, init=False)

    # --- drawing ---

    def draw(self, picture: Picture) -> None:
        self.query_one(SiteMap).show(picture)
        services = service_rows(picture)
        table = self.query_one("#services", LineTable)
        table.styles.max_height = len(services.rows) + 3
        table.show(services)
        findings, hints = self.query_one("#findings", LineTable), self.size.width >= _HINTS_FROM
        findings.show(self._findings.table(picture, findings.looked_at, hints=hints))
        self._draw_trends(picture)
        self._draw_recent(picture)

    def _draw_trends(self, picture: Picture) -> None:
        panel = self.query_one(Sparks)
        if panel.size.width and self.house.beside is not None:  # before the first answers there are none
            panel.show(traffic_traces(picture.state.inventory, self.house.trends), picture.now, highest=_HIGHEST)

    def _draw_recent(self, picture: Picture) -> None:
        beside, wall = self.house.beside, picture.state.wall(picture.now)
        if beside is None or (beside.recent.version, wall // _DAY) == self._told:
            return
        from hactl.view.recent import recent_rows  # noqa: PLC0415 - the first paint does not wait for it

        self._told = beside.recent.version, wall // _DAY
        happenings = beside.recent.happenings
        self._wheres = {one.key: one.where for one in happenings}
        self.query_one("#recent", LineTable).show(recent_rows(happenings, wall))

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.call_after_refresh(self.refresh_bindings)

    def _draw_trends_soon(self) -> None:
        """Once their panel has its new size."""
        if self.picture is not None:
            self.call_after_refresh(self._draw_trends, self.picture)

    # --- panels ---

    def action_panel(self, name: str) -> None:
        """Bring a panel to where it can be seen, and to the focus; a second time, the findings."""
        panel = self.query_one(f"#{name}")
        back = self.has_class(f"-{name}") if self._crowded else self.focused is panel
        for one in ("recent", "trends"):
            self.set_class(one == name and not back, f"-{one}")
        shown = self.query_one("#findings") if back else panel
        if shown.can_focus:
            self.set_focus(shown)
        self._draw_trends_soon()

    @property
    def _crowded(self) -> bool:
        """Whether there is room for one of the lower panels only."""
        return self.has_class("-short") or (self.has_class("-narrow") and not self.has_class("-high"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Trends that are in view already need no key."""
        if action == "panel" and parameters == ("trends",) and not self._crowded:
            return False
        return super().check_action(action, parameters)

    # --- where enter leads ---

    @on(LineTable.Chosen, "#findings")
    def open_finding(self, event: LineTable.Chosen) -> None:
        finding = self._finding(event.key)
        if finding is not None and self.picture is not None:
            self.post_message(GoTo(of_finding(finding, self.picture.state.inventory)))

    @on(LineTable.Chosen, "#services")
    def open_service(self, event: LineTable.Chosen) -> None:
        picture = self.picture
        if picture is None or event.key not in picture.assessment.services:
            return
        members = picture.assessment.services[event.key].members
        worst = max(members, key=lambda name: members[name].level, default="")
        self.post_message(GoTo(of_service(picture.state.inventory, event.key, worst)))

    @on(LineTable.Chosen, "#recent")
    def open_happening(self, event: LineTable.Chosen) -> None:
        if (where := self._wheres.get(event.key)) is not None:
            self.post_message(GoTo(where))

    # --- acknowledging ---

    def action_acknowledge(self) -> None:
        finding = self._under_cursor()
        if finding is None or self.picture is None:
            self.app.bell()
            return
        from hactl.tui.screens.ack import AckScreen, Given  # noqa: PLC0415 - loaded when it is opened

        def given(answer: Given | None) -> None:
            if answer is not None:
                self.post_message(AckGiven(finding, answer.reason, answer.until))

        self.app.push_screen(AckScreen(finding, self.picture.acks.get(finding.key)), given)

    def action_unacknowledge(self) -> None:
        finding = self._under_cursor()
        if finding is None or self.picture is None or finding.key not in self.picture.acks:
            self.app.bell()
        else:
            self.post_message(AckTaken(finding.key))

    def _under_cursor(self) -> Finding | None:
        table = self.query_one("#findings", LineTable)
        return self._finding(table.cursor_key) if table.cursor_key is not None else None

    def _finding(self, key: str) -> Finding | None:
        findings = self.picture.assessment.findings if self.picture is not None else ()
        return next((one for one in findings if one.key == key), None)
