"""`hactl run`: any playbook with its parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.playing import play


def test_parameters_are_whole_values(home: Path) -> None:
    value = "'; touch /tmp/x #\n$(id) a=b"
    done = play("done", "run", "mine", "-p", f"word={value}", "-p", "empty=", "-l", "role:app", "--plan", home=home)
    asked = done.only("plan")
    assert asked["playbook"] == "mine"
    assert asked["parameters"] == {"word": value, "empty": ""}
    assert asked["limit"] == "role:app"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Missing argument"),
        (("mine", "-p", "word"), "NAME=VALUE"),
        (("mine", "-p", "=x"), "NAME=VALUE"),
        (("mine", "-p", "a=1", "-p", "a=2"), "given twice"),
        (("mine", "-l", "nothing"), "nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(home: Path, args, said: str) -> None:
    done = play("done", "run", *args, "--plan", home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err
