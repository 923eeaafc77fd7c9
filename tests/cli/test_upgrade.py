"""`hactl upgrade`: which playbook it is, with which parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.playing import play


@pytest.mark.parametrize(
    ("args", "playbook", "parameters", "limit"),
    [
        ((), "rolling-upgrade", {"service": "shop"}, None),
        (("--service", "shop", "--to", "1.1.0"), "rolling-upgrade", {"service": "shop", "version": "1.1.0"}, None),
        (
            ("--batch", "50%", "--canary", "1", "--pause", "30s", "-l", "app1,app2"),
            "rolling-upgrade",
            {"service": "shop", "batch": "50%", "canary": 1, "pause": "30s"},
            "app1,app2",
        ),
        (("--refresh",), "rolling-upgrade", {"service": "shop", "refresh": True}, None),
        (("--service", "balancer"), "balancer-upgrade", {"service": "balancer"}, None),
        (("--os", "--limit", "role:app", "--batch", "2"), "os-upgrade", {"batch": "2"}, "role:app"),
    ],
)
def test_arguments_become_a_request(home: Path, args, playbook, parameters, limit) -> None:
    done = play("done", "upgrade", *args, "--plan", home=home)
    assert done.code == 0, done.err
    asked = done.only("plan")
    assert (asked["playbook"], asked["parameters"], asked["limit"]) == (playbook, parameters, limit)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--service", "shp"), 'did you mean "shop"?'),
        (("--service", "database"), "has no `package`"),
        (("--os", "--to", "1"), "mean nothing with it"),
        (("--service", "balancer", "--canary", "1"), "one by one"),
        (("--limit", "nothing"), "nothing"),
        (("--canary", "-1"), "-1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(home: Path, args, said: str) -> None:
    done = play("done", "upgrade", *args, "--plan", home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err


def test_a_sick_node_that_was_put_back_has_an_exit_code_of_its_own(home: Path) -> None:
    done = play("undone", "upgrade", "--to", "1.2.0", "--yes", home=home)
    assert done.code == 8
    assert "undone in 35 s: app1 was sick and is as before" in done.out
    assert "runs resume" not in done.out
