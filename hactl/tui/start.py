"""The dashboard over a real cluster: what it is made of, loaded in the order in which it is needed.

The first paint waits for none of it: it shows the inventory, of which nobody has been asked anything yet.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hactl.model.dashboard import Settings
from hactl.model.inventory import Inventory
from hactl.model.picture import Picture
from hactl.model.state import initial
from hactl.model.unasked import unasked
from hactl.tui.acting import RunSource
from hactl.tui.app import HactlApp, PictureSource
from hactl.tui.themes import Memory

if TYPE_CHECKING:
    from hactl.control import Control
    from hactl.control.going import GoingRuns
    from hactl.model.journal import RunSummary
    from hactl.model.lock import LockPicture
    from hactl.tui.beside import Doors


def run(inventory: Inventory, *, interval: float = 2.0, settings: Settings | None = None) -> int:
    """Open the dashboard on a cluster until the operator leaves it. Returns the process's exit code."""
    opened: list[Control] = []

    def control() -> AbstractAsyncContextManager[PictureSource]:
        from hactl.control import Control  # noqa: PLC0415 - the engine is loaded when the inventory is on the screen
        from hactl.control.roles import remembered  # noqa: PLC0415 - as above

        opened.append(Control(inventory, interval=interval, sightings=remembered(inventory)))
        return opened[-1]

    def beside() -> Doors:
        from hactl.control.acks import Acks  # noqa: PLC0415 - as above
        from hactl.control.unfinished import newest  # noqa: PLC0415 - as above
        from hactl.tui.beside import Doors  # noqa: PLC0415 - as above

        async def look_at_lock(connected: Collection[str]) -> LockPicture:
            from hactl.control.locks import look  # noqa: PLC0415 - as above

            return await look(opened[-1], inventory, connected)

        return Doors(Acks(inventory.name), look_at_lock, partial(newest, inventory.name))

    def runs() -> RunSource:
        from hactl.control.runs import Runs  # noqa: PLC0415 - most dashboards only look

        return Runs(inventory)

    if settings is not None and (settings.keys or settings.columns):
        _check_names(Path(settings.file))
    going: GoingRuns | None = None

    def look_for_runs() -> Sequence[RunSummary]:
        from hactl.control.going import GoingRuns  # noqa: PLC0415 - as above

        nonlocal going
        going = going or GoingRuns(inventory.name)
        return going.look()

    app = HactlApp(
        nothing_known(inventory),
        control,
        runs,
        look_for_runs,
        settings=settings,
        memory=Memory(),
        open_beside=beside,
    )
    app.run()
    return app.return_code or 0


def _check_names(file: Path) -> None:
    """Raises SettingsError with every name that means nothing here."""
    from hactl.config.dashboard import load_settings  # noqa: PLC0415 - only where there is something to check
    from hactl.tui.names import known  # noqa: PLC0415 - likewise; it loads all screens

    load_settings(file, known())


def nothing_known(inventory: Inventory) -> Picture:
    """The inventory before anybody is asked."""
    now = time.monotonic()
    state = initial(inventory, now=now, epoch=time.time() - now)
    return Picture(state, unasked(inventory, now), now)
