"""`hactl doctor` against a real SSH server: each way of not getting in, named, with what to do about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Small
from tests.cli.driving import hactl
from tests.contract import sshd

pytestmark = pytest.mark.sshd


def examined(inventory: Path, home: Path, *args: str) -> tuple[int, dict[str, list[dict]]]:
    """Exit code, and the checks by node."""
    done = hactl("-i", str(inventory), "doctor", "-o", "json", *args, home=home)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    nodes: dict[str, list[dict]] = {}
    for check in told["checks"]:
        nodes.setdefault(check["node"], []).append(check)
    assert sum(told["counts"].values()) == len(told["checks"])
    return done.returncode, nodes


def outcome(checks: list[dict], about: str) -> list[str]:
    return [check["outcome"] for check in checks if check["about"] == about]


def test_a_node_that_is_well(home: Path, small: Small) -> None:
    code, nodes = examined(small.inventory, home)
    for checks in nodes.values():
        assert [outcome(checks, about) for about in ("reach", "host key", "login")] == [["ok"], ["ok"], ["ok"]]
        (key,) = (check for check in checks if check["about"] == "host key")
        assert small.server.fingerprint in key["sentence"]
        (login,) = (check for check in checks if check["about"] == "login")
        assert small.server.who.name in login["sentence"]
        assert str(small.server.identity) in login["sentence"]
    assert code == (1 if any(check["outcome"] == "fail" for checks in nodes.values() for check in checks) else 0)


def test_a_node_that_is_off(home: Path, small: Small) -> None:
    code, nodes = examined(small.with_dead, home)
    assert code == 1
    reach, rest = nodes["dead"]
    assert (reach["about"], reach["outcome"], rest["outcome"]) == ("reach", "fail", "skip")
    assert reach["remedy"]
    assert outcome(nodes["one"], "login") == ["ok"]


def test_a_host_key_that_nobody_trusts(home: Path, small: Small) -> None:
    small.server.known_hosts.write_text("")
    code, nodes = examined(small.inventory, home, "--limit", "one")
    assert code == 1
    (key,) = (check for check in nodes["one"] if check["about"] == "host key")
    assert key["outcome"] == "fail"
    assert "hactl trust one" in key["remedy"]
    assert outcome(nodes["one"], "reach") == ["ok"]
    assert "tool" not in {check["about"] for check in nodes["one"]}


def test_a_host_key_that_has_changed(home: Path, small: Small, tmp_path: Path) -> None:
    other = Path(f"{sshd.keygen(tmp_path / 'other')}.pub").read_text().split()
    small.server.known_hosts.write_text(f"[127.0.0.1]:{small.server.port} {other[0]} {other[1]}\n")
    code, nodes = examined(small.inventory, home, "--limit", "one")
    assert code == 1
    (key,) = (check for check in nodes["one"] if check["about"] == "host key")
    assert key["outcome"] == "fail"
    assert small.server.fingerprint in key["sentence"]


def test_a_key_that_the_node_does_not_take(home: Path, small: Small) -> None:
    small.server.authorized.write_text("")
    code, nodes = examined(small.inventory, home, "--limit", "one")
    assert code == 1
    assert outcome(nodes["one"], "reach") == ["ok"]
    assert outcome(nodes["one"], "login") == ["fail"]


def test_problems_are_all_that_is_shown_when_asked(home: Path, small: Small) -> None:
    _, nodes = examined(small.with_dead, home, "--limit", "dead")
    assert {check["outcome"] for check in nodes["dead"]} == {"fail", "skip"}
    done = hactl("-i", str(small.with_dead), "doctor", "--limit", "dead", "--problems", home=home, COLUMNS="80")
    assert done.returncode == 1
    assert "FAIL  reach" in done.stdout
    assert "SKIP" not in done.stdout
    assert "  > " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
