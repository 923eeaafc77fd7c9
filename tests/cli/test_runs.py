"""`hactl runs`: listing, showing, following, asking something of a run, reporting it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from hactl.engine.journal import Journal, default_journal
from hactl.view.run_document import SCHEMA, RunDocument
from hactl.view.status_schema import document_schema
from hactl.view.tables import text_width
from tests.cli.conftest import Small
from tests.cli.driving import hactl
from tests.cli.playing import desk, play
from tests.view import stories


def test_the_list_says_how_each_run_stands(home: Path) -> None:
    done = play("done", "runs", "list", home=home)
    assert done.code == 0
    head, first, second = done.out.splitlines()
    assert head.split()[:3] == ["run", "playbook", "targets"]
    assert stories.RUN in first
    assert " done " in first
    assert "unfinished" in second
    narrow = play("done", "runs", "list", home=home, COLUMNS="80").out.splitlines()
    assert max(map(text_width, narrow)) <= 80
    assert stories.RUN in narrow[1]


def test_the_list_as_a_document(home: Path) -> None:
    told = json.loads(play("done", "runs", "list", "-n", "1", "-o", "json", home=home).out)
    assert told["schema"] == "hactl.runs/1"
    assert [(run["run"], run["outcome"]) for run in told["runs"]] == [(stories.RUN, "done")]
    assert play("done", "runs", "list", "--playbook", "drain", home=home).out == ""


@pytest.mark.parametrize("name", ["last", stories.RUN, stories.RUN[:8]])
def test_a_run_by_its_name(home: Path, name: str) -> None:
    done = play("undone", "runs", "show", name, home=home)
    assert done.code == 0
    lines = done.out.splitlines()
    assert any(line.split() == ["step", "app1", "app2", "app3"] for line in lines)
    assert any(line.split() == ["drain", "undone", "6", "s", "-", "-"] for line in lines)
    assert "undone in 35 s" in done.out
    assert "do it" not in done.out


def test_a_run_that_is_not_there(home: Path) -> None:
    done = play("done", "runs", "show", "1999", home=home)
    assert done.code == 2
    assert "There is no run 1999" in done.err


def test_commands_are_shown_when_asked_for(home: Path) -> None:
    done = play("undone", "runs", "show", "last", "-v", home=home)
    assert "step 1 app1> do it" in done.out
    assert "exit 1 after 8 s" in done.out


def test_a_matrix_wider_than_the_screen_is_told_in_parts(home: Path) -> None:
    done = play("done", "runs", "show", "last", home=home, COLUMNS="26")
    heads = [line.split() for line in done.out.splitlines() if line.startswith("step ")]
    assert heads == [["step", "app1", "app2"], ["step", "app3"]]


def test_a_run_as_a_document(home: Path) -> None:
    told = json.loads(play("killed", "runs", "show", "last", "-o", "json", home=home).out)
    jsonschema.validate(told, document_schema(RunDocument, SCHEMA, ""))
    assert told["outcome"] is None


@pytest.mark.parametrize(("scene", "code"), [("done", 0), ("undone", 8), ("killed", 10)])
def test_attaching_tells_the_story_from_its_beginning(home: Path, scene: str, code: int) -> None:
    done = play(scene, "runs", "attach", "last", home=home)
    assert done.code == code
    assert "the run begins, by anna@laptop on laptop" in done.out
    assert done.asked == []


def test_ctrl_c_only_ends_the_watching(home: Path) -> None:
    with desk("going-on", "runs", "attach", "last", home=home) as at:
        at.until("3 sessions left")
        at.interrupt()
        assert at.end() == 0
        assert "The run goes on" in at.text
        assert at.asked() == []


@pytest.mark.parametrize("what", ["resume", "undo"])
def test_going_on_and_taking_back_are_asked_for(home: Path, what: str) -> None:
    assert play("killed", "runs", what, "last", home=home).code == 2
    detached = play("killed", "runs", what, "last", "--yes", "--detach", home=home)
    assert (detached.code, detached.asked, detached.out.strip()) == (
        0,
        [{"what": what, "run": stories.RUN}],
        stories.RUN,
    )
    with desk("killed", "runs", what, "last", home=home) as at:
        seen = at.until(f"{what.capitalize()} run {stories.RUN}? [y/N]")
        assert "cut off" in seen
        at.type("n\n")
        assert at.end() == 1
        assert at.asked() == []


@pytest.mark.parametrize(
    ("args", "kind"),
    [(("cancel",), "stop"), (("cancel", "--now"), "abort"), (("pause",), "pause"), (("go-on",), "go-on")],
)
def test_wishes(home: Path, args: tuple[str, ...], kind: str) -> None:
    done = play("going-on", "runs", args[0], "last", *args[1:], home=home)
    assert (done.code, done.asked) == (0, [{"what": "wish", "run": stories.RUN, "kind": kind}])


@pytest.mark.parametrize(("scene", "said"), [("done", "has ended: done"), ("killed", "its runner is gone")])
def test_nobody_is_asked_who_is_not_there(home: Path, scene: str, said: str) -> None:
    done = play(scene, "runs", "cancel", "last", home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err


def test_a_report_goes_to_a_file_or_to_stdout(home: Path) -> None:
    piped = play("done", "runs", "report", "last", home=home)
    assert piped.out.startswith("<!doctype html>")
    named = play("done", "runs", "report", "last", "--out", "upgrade.html", home=home)
    assert (named.code, named.out) == (0, "")
    assert (home / "upgrade.html").read_text() == piped.out
    with desk("done", "runs", "report", "last", home=home) as at:
        assert at.end() == 0
        assert f"written: {stories.RUN}.html" in at.text
    assert (home / f"{stories.RUN}.html").read_text() == piped.out
    told = json.loads(play("done", "runs", "report", "last", "-o", "json", home=home).out)
    assert told["hash"] == stories.story("done")[1][-1].hash
    nowhere = play("done", "runs", "report", "last", "--out", "no/such/folder.html", home=home)
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err


@pytest.mark.sshd
def test_status_tells_of_a_run_that_was_left_unfinished(home: Path, small: Small) -> None:
    plan, story = stories.story("killed", stories.plan(cluster="small"))
    state = {"XDG_STATE_HOME": str(home / "state")}
    assert "runs resume" not in hactl("-i", str(small.inventory), "status", home=home, **state).stdout
    journal = Journal(default_journal(state))
    journal.create(stories.RUN, plan, "anna@laptop")
    for recorded in story:
        journal.append(stories.RUN, recorded.event)
    journal.close()
    done = hactl("-i", str(small.inventory), "status", home=home, **state)
    assert done.returncode == 0
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("run "))
    assert f"{stories.RUN} was not finished: rolling-upgrade by anna@laptop" in line
    assert f"hactl runs resume {stories.RUN}" in line
    document = hactl("-i", str(small.inventory), "status", "-o", "json", home=home, **state).stdout
    assert json.loads(document)["cluster"]["name"] == "small"
