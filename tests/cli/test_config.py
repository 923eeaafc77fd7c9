"""`hactl config`, and what the dashboard's start makes of its settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.driving import LAB, hactl
from tests.tui.terminal import Terminal


def write(home: Path, text: str) -> Path:
    path = home / ".config" / "hactl" / "dashboard.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_path_is_told_whether_it_exists_or_not(home: Path) -> None:
    assert hactl("config", "path", home=home).stdout == f"{home}/.config/hactl/dashboard.toml\n"


def test_keys_and_columns_are_listed_and_may_be_named(home: Path) -> None:
    keys = {one["name"]: one for one in json.loads(hactl("config", "keys", "-o", "json", home=home).stdout)}
    assert keys["nodes.drain"]["keys"] == ["D"]
    assert keys["plan.carry-it-out"]["does"] == "Carry it out"
    columns = json.loads(hactl("config", "columns", "-o", "json", home=home).stdout)
    write(
        home,
        "[keys]\nnodes.drain = 'f5'\n"
        + "".join(f"[columns.{table}]\nshow = {json.dumps(names)}\n" for table, names in columns.items()),
    )
    done = hactl("config", "check", home=home)
    assert done.returncode == 0, done.stderr
    shown = json.loads(hactl("config", "show", "-o", "json", home=home).stdout)
    assert shown["keys"] == {"nodes.drain": "f5"}
    assert shown["columns"]["nodes"]["show"] == columns["nodes"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[keys]\nnodes.drain = 'q'\n", ':2:15: "q" is "quit" already (quit)'),
        ("[keys]\nnodes.drain = 'j'\n", '.down" already (down)'),
        ("[keys]\nnodes.drian = 'f5'\n", 'did you mean "nodes.drain"?'),
        ("[columns.nodes]\nhide = ['sites']\n", 'did you mean "site"?'),
    ],
)
def test_names_that_will_not_do_are_told_with_their_place(home: Path, text: str, says: str) -> None:
    path = write(home, text)
    done = hactl("config", "check", home=home)
    assert done.returncode == 2
    assert f"{path}:2:" in done.stderr
    assert says in done.stderr


def test_two_keys_can_change_places(home: Path) -> None:
    write(home, "[keys]\nnodes.drain = 'U'\nnodes.undrain = 'D'\n")
    done = hactl("config", "check", home=home)
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_not_there(home: Path) -> None:
    assert hactl("config", "check", "none.toml", home=home).returncode == 2
    assert "absent" in hactl("config", "check", home=home).stdout


def test_the_dashboard_does_not_start_on_wrong_settings(home: Path) -> None:
    write(home, "[keys]\nnodes.darin = 'x'\n")
    with Terminal.hactl("-i", str(LAB), env={"HOME": str(home), "XDG_CONFIG_HOME": ""}) as terminal:
        assert terminal.wait(60) == 2
        said = "".join(terminal.text.split())  # the terminal folds the path wherever it ends, within a word too
        assert 'dashboard.toml:2:7:nokeyiscalled"nodes.darin"' in said


def test_read_only_is_for_the_dashboard(home: Path) -> None:
    done = hactl("--read-only", "status", home=home)
    assert done.returncode == 2
    assert "--read-only is for the dashboard" in done.stderr


@pytest.mark.parametrize("by", ["option", "file"])
def test_a_dashboard_that_only_looks_says_so(home: Path, by: str) -> None:
    if by == "file":
        write(home, "read_only = true\n")
    words = ["--read-only"] if by == "option" else []
    env = {"HOME": str(home), "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""}
    with Terminal.hactl(*words, "-i", str(LAB), env=env) as terminal:
        terminal.wait_for("READ-ONLY", seconds=60)
        terminal.type("2")
        terminal.wait_for("lab > nodes", seconds=60)
        terminal.type("D")
        terminal.wait_for("read-only: nothing is done", seconds=60)
        terminal.type("q")
        assert terminal.wait(60) == 0
