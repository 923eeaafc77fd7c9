"""`hactl ack`: what is acknowledged shows everywhere, hides nothing, and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Small
from tests.cli.driving import hactl

KEY = "link:dead"
REASON = "is being moved"


@pytest.mark.sshd
def test_a_finding_that_somebody_knows_of(home: Path, small: Small) -> None:
    inventory = ("-i", str(small.with_dead))
    added = hactl(*inventory, "ack", "add", "dead", "--reason", REASON, "--until", "2h", home=home)
    assert (added.returncode, added.stdout) == (0, "")
    assert added.stderr.startswith("acknowledged until ")

    shown = hactl(*inventory, "status", home=home).stdout
    assert "✖ small: crit" in shown  # the truth
    assert "1 acknowledged" in shown
    assert "1 crit" not in shown
    assert "(crit)   dead: unreachable since" in shown
    assert REASON in shown.partition("> acknowledged until")[2]

    told = json.loads(hactl(*inventory, "status", "-o", "json", home=home).stdout)
    (finding,) = (one for one in told["findings"] if one["key"] == KEY)
    assert (finding["level"], finding["acknowledged"]["reason"]) == ("crit", REASON)
    assert told["cluster"]["status"]["level"] == "crit"

    listed = json.loads(hactl(*inventory, "ack", "list", "-o", "json", home=home).stdout)
    assert [(one["key"], one["reason"]) for one in listed["acknowledgements"]] == [(KEY, REASON)]
    assert finding["acknowledged"]["until"] == listed["acknowledgements"][0]["until"]
    assert REASON in hactl(*inventory, "ack", "list", home=home).stdout

    assert hactl(*inventory, "ack", "remove", KEY, home=home).returncode == 0
    assert hactl(*inventory, "ack", "list", home=home).stdout == "Nothing is acknowledged.\n"
    assert hactl(*inventory, "ack", "remove", KEY, home=home).returncode == 2
    history = hactl(*inventory, "ack", "history", home=home).stdout.splitlines()
    assert [line.split("  ")[1] for line in history[1:]] == ["over", "acknowledged"]
    assert REASON in history[2]
    assert hactl(*inventory, "audit", "verify", home=home).returncode == 0


@pytest.mark.sshd
def test_a_check_tells_the_truth_unless_it_is_asked_for_news(home: Path, small: Small) -> None:
    inventory = ("-i", str(small.with_dead))
    hactl(*inventory, "ack", "add", KEY, "--reason", REASON, home=home)
    truth = hactl(*inventory, "check", "--node", "dead", home=home)
    assert truth.returncode == 2
    assert f": {REASON})" in truth.stdout
    news = hactl(*inventory, "check", "--node", "dead", "--without-acknowledged", home=home)
    assert (news.returncode, news.stdout.partition(" | ")[0].strip()) == (
        0,
        "HACTL OK - node dead: nothing else (1 acknowledged)",
    )
    other = hactl("-i", str(small.inventory), "check", "--without-acknowledged", home=home)
    assert "acknowledged" not in other.stdout  # nothing of it is known


@pytest.mark.sshd
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dead", "--reason", " "), "needs a reason"),
        (("dead", "--reason", "x", "--until", "soon"), "neither a time span nor a moment"),
        (("dead", "--reason", "x", "--until", "31d"), "30 days at most"),
        (("link:deed", "--reason", "x"), "link:dead"),  # did you mean
        (("nobody", "--reason", "x"), "There is no finding"),
        (("dead",), "--reason"),
    ],
)
def test_what_cannot_be_acknowledged(home: Path, small: Small, arguments: tuple[str, ...], said: str) -> None:
    done = hactl("-i", str(small.with_dead), "ack", "add", *arguments, home=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (home / ".local" / "state" / "hactl" / "acks.json").exists()


@pytest.mark.sshd
def test_a_file_that_cannot_be_read_hides_no_health(home: Path, small: Small) -> None:
    state = home / ".local" / "state" / "hactl"
    state.mkdir(parents=True)
    (state / "acks.json").write_text("{")
    done = hactl("-i", str(small.inventory), "status", home=home)
    assert done.returncode == 0
    assert done.stderr.count("acks.json") == 1
    assert hactl("-i", str(small.inventory), "ack", "list", home=home).returncode == 3
