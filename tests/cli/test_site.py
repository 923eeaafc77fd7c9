"""`hactl site`: what is asked for, and what is refused before anybody is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.playing import play


@pytest.mark.parametrize(
    ("args", "playbook", "parameters"),
    [
        (("evacuate", "west"), "site-evacuate", {"site": "west"}),
        (("evacuate", "west", "--to", "db2"), "site-evacuate", {"site": "west", "to": "db2"}),
        (("evacuate", "west", "--service", "database"), "site-evacuate", {"site": "west", "service": "database"}),
        (("return", "east"), "site-return", {"site": "east"}),
    ],
)
def test_arguments_become_a_request(home: Path, args, playbook, parameters) -> None:
    done = play("done", "site", *args, "--plan", home=home)
    asked = done.only("plan")
    assert (asked["playbook"], asked["parameters"], asked["limit"]) == (playbook, parameters, None)
    assert (done.code, done.whats) == (0, ["plan"])


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("evacuate", "wets"), 'There is no site "wets"; did you mean "west"?'),
        (("return", "north"), 'There is no site "north".'),
        (("evacuate", "west", "--to", "app1"), "app1 is no server of database."),
        (("evacuate", "west", "--to", "db9"), 'There is no node "db9"'),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_looked_at(home: Path, args, told: str) -> None:
    done = play("done", "site", *args, "--plan", home=home)
    assert (done.code, done.asked) == (2, [])
    assert told in done.err
