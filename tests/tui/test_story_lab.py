"""One night with the dashboard, in a real terminal on the real lab: a bad node is spotted, opened, drained and brought
back; an upgrade is begun; the terminal is closed in its middle; opened again, it shows how that ended.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from hactl.tui.places import PLACES
from tests.lab.acting import APPS, GOOD, Operator, all_up, drained, set_back, until, versions
from tests.tui.tmux import Tmux

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here"),
]

KEYS = {place.name: place.key for place in PLACES}


@pytest.fixture
def shop(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """The lab with the old version in every place, before and afterwards, whatever came of the story."""
    set_back(lab)
    yield lab
    Operator(lab, tmp_path).kill_runner()
    lab.faults.undo()
    set_back(lab)


def dashboard(terminal: Tmux, lab: Lab, home: Path) -> None:
    env = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    terminal.open([sys.executable, "-m", "hactl", "-i", str(lab.paths.inventory)], env)


def test_a_night_with_the_dashboard(shop: Lab, tmp_path: Path) -> None:
    with Tmux(tmp_path) as terminal:
        dashboard(terminal, shop, tmp_path)
        terminal.shows("10/10 up", "shop")
        spot_and_open(terminal, shop)
        drain_and_bring_back(terminal, shop)
        begin_an_upgrade(terminal)
        terminal.close()
        assert versions(shop) != dict.fromkeys(APPS, GOOD), "it was closed in the middle"
        dashboard(terminal, shop, tmp_path)
        watch_it_end(terminal, shop)


def spot_and_open(terminal: Tmux, lab: Lab) -> None:
    """A disk of app2 fills up: the first screen says so, enter on the finding leads to the node."""
    lab.faults.inject("disk-full", "app2")
    terminal.shows("CRIT", "app2: ", "% full")
    terminal.type("Home", "Enter")  # a busy machine has slow nodes, too: the worst stands first
    terminal.shows("node app2", "% full")


def drain_and_bring_back(terminal: Tmux, lab: Lab) -> None:
    terminal.type("D")
    terminal.shows("drain app2: balancer.drain", "y carries it out", "weakest moment", "┃")
    terminal.type("y")
    terminal.shows("● done", "requests,")
    assert drained(lab, "app2")
    lab.faults.undo()  # somebody makes room
    terminal.type("Escape")
    terminal.shows("node app2")
    terminal.type("U")
    terminal.shows("undrain app2: balancer.undrain", "y carries it out")
    terminal.type("y")
    terminal.shows("undrain app2", "● done")
    until(lambda: all_up(lab), "every server up on both balancers")


def begin_an_upgrade(terminal: Tmux) -> None:
    """From the playbooks, with the version filled in; closed while the second node is not yet done."""
    terminal.type(KEYS["playbooks"])
    terminal.shows("rolling-upgrade")
    terminal.type("/")
    terminal.type("-l", "rolling-upgrade")
    terminal.type("Enter")
    terminal.shows("/rolling-upgrade: 1 of", "/ filter")  # nothing is being typed any more
    terminal.type("Enter")
    terminal.shows("playbook: rolling-upgrade", "version", "(not given)")
    terminal.type("s")  # the service: shop
    terminal.type("Down")
    terminal.type("-l", GOOD)
    terminal.shows(GOOD)
    terminal.type("C-g")
    terminal.shows("3 batches", "y carries it out")
    terminal.type("y")
    terminal.shows("going on", "nodes and steps")
    terminal.shows("package app1")


def watch_it_end(terminal: Tmux, lab: Lab) -> None:
    terminal.shows("▶ rolling-upgrade")
    terminal.type(KEYS["runs"])
    terminal.shows("rolling-upgrade", "going on")
    terminal.type("Enter")
    terminal.shows("● done", ", 0 failed", "shop: never fewer than 2 of 3", seconds=180)
    assert versions(lab) == dict.fromkeys(APPS, GOOD)
    until(lambda: all_up(lab), "every server up on both balancers")
    terminal.type("t")
    terminal.shows("report of")


@pytest.mark.story
def test_a_drill_with_the_dashboard(lab: Lab, tmp_path: Path) -> None:
    """Planned, watched phase by phase, and in the history as soon as it is over."""
    with Tmux(tmp_path, size=(160, 45)) as terminal:
        dashboard(terminal, lab, tmp_path)
        terminal.shows("10/10 up")
        terminal.type(KEYS["backups"])
        terminal.shows("repositories", "drills of backup, on")
        terminal.type("d")
        terminal.shows("restore-drill", "drill.restore", "y carries it out")
        terminal.type("y")
        for phase in ("prepare", "restore", "start", "check", "teardown"):
            terminal.shows(f"{phase} backup1 begins")
        (run,) = re.findall(r"run (\d{8}-\d{6}-\w+)\n", terminal.shows("● done", "verdict backup1 done", "pass, RTO"))
        terminal.type("Escape")
        terminal.shows("last good drill: ", run, "from drill to drill", seconds=20)
        terminal.type("Tab", "Tab", "Home", "Enter")
        terminal.shows(f"drill {run} of backup", "checks", "every row can be read")
