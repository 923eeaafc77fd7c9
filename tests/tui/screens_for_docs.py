"""The pictures of the dashboard in the docs, made by the dashboard itself on a lab that is up.

    python -m tests.tui.screens_for_docs $(hactl lab inventory)

A server is drained by hand on one balancer first, so that there is something to see, and brought back in the end; the
run that is shown drains app1 and is undone.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from hactl.config import load_inventory
from hactl.control import Control
from hactl.control.runs import Runs
from hactl.lab import Lab
from hactl.model.inventory import Inventory
from hactl.tui.app import HactlApp, _nothing_known
from tests.tui.snapshots import text_of

DOCS = Path(__file__).parents[2] / "docs"
SIZE = (120, 36)
_TRIES = 1200
_STEP = 0.1  # seconds


async def shot(pilot: Pilot[None], name: str, *texts: str) -> None:
    """Wait for the texts, then keep what is on the screen as docs/NAME.svg."""
    for _ in range(_TRIES):
        await pilot.pause(_STEP)
        seen = "\n".join(text_of(pilot.app.screen._compositor.render_strips()))
        if all(text in seen for text in texts):
            (DOCS / f"{name}.svg").write_text(pilot.app.export_screenshot(title="hactl"), encoding="utf-8")
            print(DOCS / f"{name}.svg", flush=True)
            return
    raise SystemExit(f"{name}: {texts} never came\n{seen}")


async def shots(inventory: Inventory) -> None:
    app = HactlApp(_nothing_known(inventory), lambda: Control(inventory), lambda: Runs(inventory))
    app.animation_level = "none"
    async with app.run_test(size=SIZE) as pilot:
        await shot(pilot, "overview", "9/9 up", "drained on lb1")
        await pilot.press("2")
        await shot(pilot, "nodes", "app3", "backup1")
        await pilot.press("down", "down", "enter")
        await shot(pilot, "node", "node app1")
        await pilot.press("escape", "3")
        await shot(pilot, "balancers", "shop")
        await pilot.press("2", "D")
        await shot(pilot, "plan", "y carries it out")
        await pilot.press("y")
        await shot(pilot, "run", "● done")
        await pilot.press("u", "y")
        await shot(pilot, "undone", "put back")
        (DOCS / "undone.svg").unlink()


def main() -> None:
    inventory = load_inventory(Path(sys.argv[1]))
    lab = Lab(Path(inventory.path).parent.name)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, XDG_STATE_HOME=f"{home}/state", XDG_CONFIG_HOME=f"{home}/config")
        lab.faults.inject("drain-one")
        try:
            asyncio.run(shots(inventory))
        finally:
            lab.faults.undo()


if __name__ == "__main__":
    main()
