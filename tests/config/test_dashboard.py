"""The dashboard's settings: what they come to, and every problem with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.config.dashboard import Known, load_settings, settings_file
from hactl.model.dashboard import ColumnChoice, KeyHelp, Settings
from hactl.model.errors import SettingsError

KNOWN = Known(
    {"help": KeyHelp(("question_mark",), "Help"), "nodes.drain": KeyHelp(("D",), "Drain")},
    {"nodes": ("node", "site", "swap")},
    lambda keys: {"help": '"q" is "quit" already (quit)'} if keys.get("help") == "q" else {},
)


def settings(tmp_path: Path, text: str | bytes) -> Settings:
    path = tmp_path / "dashboard.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_settings(path, KNOWN)


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml", KNOWN) == Settings()


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        'theme = "light"\nread_only = true\nbell = false\n'
        '[keys]\nnodes.drain = "x"\nhelp = ["f1", "ctrl+h", ","]\n'
        '[columns.nodes]\nhide = ["site"]\nshow = ["swap"]\n',
    )
    assert found.theme == "light"
    assert found.read_only
    assert not found.bell
    assert found.keys == {"nodes.drain": "x", "help": "f1,ctrl+h,comma"}
    assert found.columns == {"nodes": ColumnChoice(("site",), ("swap",))}
    assert found.file == str(tmp_path / "dashboard.toml")


def test_names_of_keys_may_stand_in_quotes(tmp_path: Path) -> None:
    assert settings(tmp_path, '[keys]\n"nodes.drain" = "x"\n').keys == {"nodes.drain": "x"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('them = "dark"', '1:1: unknown key "them"; did you mean "theme"?'),
        ('theme = "drak"', '1:9: theme is "drak", and must be one of dark, light, high-contrast; did you mean "dark"?'),
        ("theme = 7", "1:9: theme is 7, and must be one of dark, light, high-contrast"),
        ('bell = "no"', '1:8: bell must be true or false, not "no"'),
        ("read_only = 1", "1:13: read_only must be true or false, not 1"),
        ("keys = 3", "1:8: keys must be a table, not 3"),
        ('[keys]\nhlep = "x"', '2:1: no key is called "hlep"; did you mean "help"?'),
        ('[keys]\nnodes.darin = "x"', '2:7: no key is called "nodes.darin"; did you mean "nodes.drain"?'),
        ('[keys]\nhelp = "ctlr+h"', '2:8: "ctlr+h": "ctlr" is held down with no key; did you mean "ctrl"?'),
        ('[keys]\nhelp = "entre"', '2:8: "entre" is no key; did you mean "enter"?'),
        ('[keys]\nhelp = ["a", 1]', "2:14: a key must be a string, not 1"),
        ("[keys]\nhelp = []", "2:8: help needs a key; leave it out to have its own"),
        ('[keys]\nhelp = "q"', '2:8: "q" is "quit" already (quit)'),
        ("[columns.noeds]", '1:10: no table is called "noeds"; did you mean "nodes"?'),
        ('[columns.nodes]\nhid = ["site"]', '2:1: unknown key "hid"; did you mean "hide"?'),
        ('[columns.nodes]\nhide = "site"', '2:8: hide must be an array of columns, not "site"'),
        ('[columns.nodes]\nhide = ["sit"]', '2:9: nodes has no column "sit"; did you mean "site"?'),
        ('[columns.nodes]\nhide = ["xyz"]', '2:9: nodes has no column "xyz"; there are node, site, swap'),
        ('[columns.nodes]\nhide = ["site"]\nshow = ["site"]', '3:9: "site" is hidden as well'),
        ("theme =", "1:8: not TOML: invalid value"),
        (b"theme = \xff", "1:9: the byte 0xff is not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_problem_has_its_place(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, text)
    assert caught.value.problems == (f"{tmp_path / 'dashboard.toml'}:{problem}",)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, 'theme = "x"\nbell = 1\n[keys]\nhlep = "x"\n')
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["1", "2", "4"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a directory"):
        load_settings(tmp_path)


def test_where_it_is() -> None:
    assert settings_file({"XDG_CONFIG_HOME": "/c"}) == Path("/c/hactl/dashboard.toml")
    assert settings_file({"HOME": "/home/anna"}) == Path("/home/anna/.config/hactl/dashboard.toml")
