"""The first screen: the cluster at a glance. Map and services above, findings below."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from hactl.model.picture import Picture
from hactl.tui.messages import OpenNode
from hactl.tui.screens.base import PictureScreen
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.site_map import SiteMap
from hactl.view.findings import finding_rows
from hactl.view.services import service_rows


class OverviewScreen(PictureScreen):
    """Where the operator starts. Enter on a finding opens the node that it is about."""

    AUTO_FOCUS = "#findings"
    # Two columns from here on; below, one under the other.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it without ClassVar

    def body(self) -> ComposeResult:
        with Container(id="glance"):
            yield SiteMap(id="map")
            yield LineTable(id="services", empty="the inventory names no services")
        yield LineTable(id="findings", empty="no findings: everything that is known is well")

    def on_mount(self) -> None:
        for panel, title in (("map", "sites"), ("services", "services"), ("findings", "findings")):
            self.query_one(f"#{panel}").border_title = title

    def draw(self, picture: Picture) -> None:
        self.query_one(SiteMap).show(picture)
        services = service_rows(picture)
        table = self.query_one("#services", LineTable)
        table.styles.max_height = len(services.rows) + 3
        table.show(services)
        self.query_one("#findings", LineTable).show(finding_rows(picture, hints=self.size.width >= 140))

    @on(LineTable.Chosen, "#findings")
    def open_finding(self, event: LineTable.Chosen) -> None:
        picture = self.picture
        if picture is None:
            return
        node = next((one.node for one in picture.assessment.findings if one.key == event.key), None)
        if node is None:
            self.app.bell()  # it is about more than one node
        else:
            self.post_message(OpenNode(node))
