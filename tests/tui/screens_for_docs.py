"""The pictures of the dashboard in the docs, made by the dashboard itself on a lab that is up.

    python -m tests.tui.screens_for_docs $(hactl lab inventory)

First a standby loses its power and a server is drained by hand on one balancer, so that there is something to see; both
are taken back. Then the shop is upgraded. Clients use it all the while. The last picture is of the recording that ships
with hactl. The lab is left as it was. Takes about three minutes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from hactl.config import load_inventory
from hactl.config.share import share_path
from hactl.control import Control
from hactl.control.replay import Replay
from hactl.control.runs import Runs
from hactl.lab import Lab
from hactl.model.inventory import Inventory
from hactl.tui.app import HactlApp
from hactl.tui.replay import ReplayApp
from hactl.tui.start import nothing_known
from tests.lab.acting import GOOD, set_back
from tests.lab.load.watching import load
from tests.tui.snapshots import text_of

DOCS = Path(__file__).parents[2] / "docs"
SIZE = (120, 36)
RATE = 20.0  # requests a second
UPGRADE = "rolling-upgrade"
_TRIES = 1200
_STEP = 0.1  # seconds
_DRAWN = 0.5  # seconds until what belongs to it is drawn, too
_CALM = 30.0  # seconds in which everything is well


async def seen(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all of them are on the screen."""
    shown = ""
    for _ in range(_TRIES):
        await pilot.pause(_STEP)
        shown = "\n".join(text_of(pilot.app.screen._compositor.render_strips()))
        if all(text in shown for text in texts):
            return
    raise SystemExit(f"{texts} never came\n{shown}")


async def shot(pilot: Pilot[None], name: str, *texts: str) -> None:
    """Wait for the texts, then keep what is on the screen as docs/NAME.svg."""
    await seen(pilot, *texts)
    await pilot.pause(_DRAWN)
    path = DOCS / f"{name}.svg"
    path.write_text(pilot.app.export_screenshot(title="hactl"), encoding="utf-8")
    print(path, flush=True)


async def in_trouble(pilot: Pilot[None], lab: Lab) -> None:
    await seen(pilot, "10/10 up")
    await pilot.pause(_CALM)
    await asyncio.to_thread(lab.faults.inject, "drain-one")
    await asyncio.to_thread(lab.faults.inject, "power-off", "db3")
    await shot(pilot, "overview", "unreachable since", "events", "drained on lb1")
    await pilot.press("3")
    await shot(pilot, "balancers", "shop-a", "drained")
    await asyncio.to_thread(lab.faults.undo)
    await seen(pilot, "10 nodes are fine")


async def upgraded(pilot: Pilot[None]) -> None:
    """From the playbook's form to the end of the run."""
    await pilot.press("colon", *UPGRADE, "enter")
    await seen(pilot, "(not given)")
    await pilot.press("s", "down", *GOOD)
    await shot(pilot, "form", GOOD)
    await pilot.press("ctrl+g")
    await shot(pilot, "plan", "y carries it out")
    await pilot.press("y")
    await shot(pilot, "run", "healthy app3 begins")
    await seen(pilot, "● done")
    await pilot.press("4")
    await shot(pilot, "database", "db3")
    await tried(pilot)
    await pilot.press("2", "down", "down", "enter")
    await shot(pilot, "node", "node app1", UPGRADE)


async def tried(pilot: Pilot[None]) -> None:
    """A drill of the newest backup, and what the backups' screen says of it."""
    await pilot.press("5")
    await seen(pilot, "repository 1", "full")
    await pilot.press("d")
    await seen(pilot, "y carries it out")
    await pilot.press("y")
    await seen(pilot, "● done")
    await pilot.press("5")
    await shot(pilot, "backups", "last good drill", "pass")


async def a_day(pilot: Pilot[None], lab: Lab) -> None:
    await in_trouble(pilot, lab)
    await upgraded(pilot)


async def played(pilot: Pilot[None]) -> None:
    await pilot.press("right_parenthesis", "right_parenthesis")
    await shot(pilot, "replay", "RECORDING of")


def take(app: HactlApp, shots: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    async def work() -> None:
        app.animation_level = "none"
        async with app.run_test(size=SIZE) as pilot:
            await shots(pilot)

    asyncio.run(work())


def live(inventory: Inventory) -> HactlApp:
    return HactlApp(nothing_known(inventory), lambda: Control(inventory), lambda: Runs(inventory))


def main() -> None:
    inventory = load_inventory(Path(sys.argv[1]))
    lab = Lab(Path(inventory.path).parent.name)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(HOME=home, XDG_STATE_HOME=f"{home}/state", XDG_CONFIG_HOME=f"{home}/config")
        set_back(lab)
        try:
            with load(lab, RATE):
                take(live(inventory), lambda pilot: a_day(pilot, lab))
        finally:
            lab.faults.undo()
            set_back(lab)
        replay = Replay(share_path("recordings", "lab.jsonl.gz"))
        replay.go_to(replay.length / 2)
        take(ReplayApp(replay), played)
        replay.close()


if __name__ == "__main__":
    main()
