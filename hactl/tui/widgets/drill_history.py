"""The drills of one service: a table of them, and below it how RTO, RPO and size went from drill to drill."""

from __future__ import annotations

import math

from textual.app import ComposeResult
from textual.containers import Vertical

from hactl.model.drilled import Drilled
from hactl.tui.widgets.graph import Graphs, columns_for
from hactl.tui.widgets.line_table import LineTable
from hactl.tui.widgets.paint import titled
from hactl.view.drills import drill_rows, heading, traces


class Plots(Graphs):
    """Graphs that are as high as there is room for all of them."""

    def draw(self) -> None:
        room, count = self.scrollable_content_region, len(self._traces)
        lines = math.ceil(count / columns_for(count, max(1, room.width))) if count else 1
        self._height = max(1, room.height // lines - 1)
        super().draw()


class DrillHistory(Vertical):
    """How high the plots are, if they are to be seen at all, is for the screen to say."""

    DEFAULT_CSS = """
    DrillHistory #drills, DrillHistory #plots {
        border-top: solid $primary-muted; border-title-color: $text-muted; padding: 0 1;
    }
    DrillHistory #drills { height: 1fr; min-height: 4; }
    DrillHistory #plots { height: 6; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[str, object] | None = None  # the service and node, and what that said

    def compose(self) -> ComposeResult:
        yield LineTable(id="drills", empty="no drill yet")
        yield Plots(id="plots")

    @property
    def table(self) -> LineTable:
        return self.query_one("#drills", LineTable)

    def show(self, service: str, found: Drilled | None) -> None:
        """The drills of `service`; None: none can be made of it. What the node has not said anew is not drawn anew."""
        whose = service if found is None else f"{service}/{found.node}"
        before, self._shown = self._shown, (whose, None if found is None else found.facts)
        if before is not None and before[0] == whose and before[1] is self._shown[1]:
            return
        self.table.show(drill_rows(() if found is None else (found,)))
        titled(self.table, heading(service, found))
        records = found.records if found is not None else ()
        plots = self.query_one(Plots)
        plots.set_class(not records, "hidden")
        titled(plots, "from drill to drill")
        plots.show(traces(records), height=1)
