"""Who drained a node is told to whoever looks, from another machine too; and whatever lies in its place is harmless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.lab.acting import Operator, set_back, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    yield from _operator(lab, tmp_path / "anna")


@pytest.fixture
def ben(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    yield from _operator(lab, tmp_path / "ben")


def _operator(lab: Lab, home: Path) -> Iterator[Operator]:
    home.mkdir()
    one = Operator(lab, home)
    yield one
    one.kill_runner()
    set_back(lab)


def told(operator: Operator) -> tuple[str, str, object]:
    """The sentence and the hint of the finding about app1's drain, and who the document says took it out."""
    document = operator.json("status")
    found = [one for one in document["findings"] if one["key"] in {"drained:shop:app1", "disagree:shop:app1"}]
    member = next(one for pool in document["pools"] for one in pool["members"] if one["node"] == "app1")
    return (found[0]["sentence"], found[0]["hint"], member["taken_out"]) if found else ("", "", member["taken_out"])


def test_whoever_looks_is_told_who_drained_it_and_why(anna: Operator, ben: Operator) -> None:
    done = anna("drain", "app1", "--yes", "--reason", "new disk")
    assert done.returncode == 0, done.stdout + done.stderr
    sentence, hint, taken_out = told(ben)
    assert "shop-a is drained on lb1 and lb2, by " in sentence
    assert "ago: new disk, 0 sessions left" in sentence
    assert hint == "When its work is done: hactl undrain app1."
    assert isinstance(taken_out, dict)
    assert (taken_out["why"], taken_out["run"]) == ("new disk", told(anna)[2]["run"])
    (warned,) = (one for one in ben.json("drain", "app2", "--plan")["guards"] if one["guard"] == "other-drain")
    assert warned["sentence"].endswith("(new disk)"), warned
    assert anna("undrain", "app1", "--yes").returncode == 0
    assert told(ben) == ("", "", None)


@pytest.mark.parametrize(
    "lay",
    [
        "mkfifo $1/drained.json",
        "mkdir -p $1/drained.json",
        "ln -s /etc/shadow $1/drained.json",
        "head -c 9000000 /dev/zero >$1/drained.json",
        """printf '{"who": "\\\\u001b]0;owned", "node": "app1", "pools": ["shop"]' >$1/drained.json""",
    ],
    ids=["pipe", "folder", "link", "flood", "cut off"],
)
def test_what_lies_in_the_notes_place_does_no_harm(lab: Lab, anna: Operator, lay: str) -> None:
    """Drained by nobody that hactl knows of."""
    folder = f"/run/lock/hactl-{lab.spec.name}"
    lab.exec("app1", ["sh", "-c", f"mkdir -p $1; rm -rf $1/drained.json; {lay}", "sh", folder])
    lab.faults.inject("drain-one", "lb1", "be_shop/shop-a")
    try:
        until(lambda: told(anna)[0], "the drain is told")
        sentence, hint, taken_out = told(anna)
        assert sentence == "balancers disagree about shop-a: drained on lb1, up on lb2"
        assert taken_out is None
        assert "hactl undrain app1" in hint
        document = anna.json("status")
        node = next(one for one in document["nodes"] if one["name"] == "app1")
        assert {one["question"]: one["known"] for one in node["answers"]}["note"] is True
        assert "\x1b" not in json.dumps(document, ensure_ascii=False)
    finally:
        lab.faults.undo()
        lab.exec("app1", ["rm", "-rf", f"{folder}/drained.json"])


VISIT = """
schema = 1

[playbook]
name = "visit"
title = "Take a node out, look at it, bring it back"

[targets]
limit = "app1"
needed = ["drain"]

[[steps]]
name = "drain"
verb = "balancer.drain"

[[steps]]
name = "look"
verb = "pause"
scope = "batch"
with = { seconds = "10m", why = "to look at it" }

[[steps]]
name = "undrain"
verb = "balancer.undrain"
"""


def test_a_stranded_drain_names_the_run_to_whoever_has_it(anna: Operator, ben: Operator) -> None:
    """Its runner is killed: who began it may resume or undo it, whoever did not is told of the node."""
    path = anna.home / "visit.toml"
    path.write_text(VISIT)
    begun = anna("run", str(path), "--yes", "--reason", "a noise", "--detach")
    assert begun.returncode == 0, begun.stdout + begun.stderr
    run = begun.stdout.split()[-1]
    until(lambda: told(ben)[0], "the drain is told")
    assert told(anna)[1].endswith(f"is at it: hactl runs attach {run}")
    anna.kill_runner()
    sentence, hint, _ = told(anna)
    assert "ago: a noise" in sentence
    assert f"hactl runs resume {run} goes on, hactl runs undo {run} takes it back" in hint
    assert told(ben)[1] == "When its work is done: hactl undrain app1."
    undone = anna("runs", "undo", run, "--yes")
    assert "between its 2 attempts nobody watched" in undone.stdout + undone.stderr
    assert told(ben) == ("", "", None)
