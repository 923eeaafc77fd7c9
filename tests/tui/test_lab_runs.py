"""The dashboard acts on the real lab: a node is taken out and brought back by keys; HAProxy says whether it is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.lab.acting import all_up, drained, set_back, until
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.lab

NODES = "2"
DOWN, ENTER, ESCAPE = "j", "\r", "\x1b"


def dashboard(lab: Lab, home: Path) -> Terminal:
    env = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    return Terminal.hactl("-i", str(lab.paths.inventory), size=(110, 36), env=env)


def test_a_node_is_drained_and_brought_back_by_keys(lab: Lab, tmp_path: Path) -> None:
    set_back(lab)
    with dashboard(lab, tmp_path) as terminal:
        terminal.wait_for("10/10 up")
        terminal.type(NODES)
        terminal.wait_for("U Undrain", "app1")
        terminal.type(DOWN + DOWN + "D")  # lb1, lb2, app1
        terminal.wait_for("drain app1: balancer.drain", "y carries it out")
        assert all_up(lab)  # a plan touches nothing
        terminal.type("y")
        terminal.wait_for("● done", "requests, 0 failed", "shop: never fewer than 2 of 3", seconds=40)
        assert drained(lab, "app1")
        terminal.type(ESCAPE)
        terminal.wait_for("U Undrain", "shop (out)")
        terminal.type("U")
        terminal.wait_for("undrain app1: balancer.undrain", "y carries it out")
        terminal.type("y")
        terminal.wait_for("undrain app1", "● done", seconds=60)
        until(lambda: all_up(lab), "every server up on both balancers")
        terminal.type("6")
        terminal.type("q")
        assert terminal.wait() == 0
        assert b"Traceback" not in terminal.output


def test_a_run_outlives_its_window(lab: Lab, tmp_path: Path) -> None:
    set_back(lab)
    with dashboard(lab, tmp_path) as terminal:
        terminal.wait_for("10/10 up")
        terminal.type(NODES)
        terminal.wait_for("U Undrain", "app1")
        terminal.type(DOWN + DOWN + "D")
        terminal.wait_for("y carries it out")
        terminal.type("y")
        terminal.wait_for("what happened")
        terminal.hang_up()  # the window is closed
        until(terminal.ended, "the dashboard is gone")
    until(lambda: drained(lab, "app1"), "the run went on")
    with dashboard(lab, tmp_path) as terminal:
        terminal.type("6")
        terminal.wait_for("drain", "done")
        terminal.type(ENTER)
        terminal.wait_for("● done", "app1: drained on lb1 and lb2", "u Undo")
        terminal.type("u")
        terminal.wait_for("the last step first", "1  drain app1")
        terminal.type("y")
        terminal.wait_for("everything that can be was put back", seconds=60)
        until(lambda: all_up(lab), "every server up on both balancers")
