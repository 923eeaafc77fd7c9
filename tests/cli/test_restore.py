"""`hactl restore`: what its arguments ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.playing import play

WHOLE = {"to": "db1", "backups": "backup", "time": "", "backup": ""}


@pytest.mark.parametrize(
    ("args", "parameters"),
    [
        ((), WHOLE),
        (("--service", "offsite"), {**WHOLE, "backups": "offsite"}),
        (("--repository", "2"), {**WHOLE, "backups": "offsite", "repository": 2}),
        (("--time", "2026-11-21 14:30:05"), {**WHOLE, "time": "2026-11-21 14:30:05"}),
        (("--backup", "20261121-020000F"), {**WHOLE, "backup": "20261121-020000F"}),
    ],
)
def test_arguments_become_a_request(home: Path, args, parameters) -> None:
    done = play("done", "restore", "--to", "db1", *args, "--plan", home=home)
    asked = done.only("plan")
    given = {name: value for name, value in asked["parameters"].items() if name != "service"}
    assert (asked["playbook"], given) == ("restore", parameters)
    assert (done.code, done.whats) == (0, ["plan"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Missing option '--to'"),
        (("--to", "app1"), "app1 is no server of database."),
        (("--to", "db1", "--service", "bakcup"), 'did you mean "backup"?'),
        (("--to", "db1", "--repository", "3"), "There is no repository 3 of backup or offsite."),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(home: Path, args, said: str) -> None:
    done = play("done", "restore", *args, home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err
