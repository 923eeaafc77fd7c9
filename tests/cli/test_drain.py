"""`hactl drain` and `undrain`: what is asked of the planning, what is shown and asked, how the run is followed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import jsonschema
import pytest

from hactl.view.plan_document import SCHEMA as PLAN
from hactl.view.plan_document import PlanDocument
from hactl.view.run_document import SCHEMA as RUN
from hactl.view.run_document import RunDocument
from hactl.view.status_schema import document_schema
from tests.cli.playing import desk, play
from tests.view import stories


@pytest.mark.parametrize(
    ("args", "playbook", "parameters", "limit"),
    [
        (("drain", "app1"), "drain", {}, "app1"),
        (("drain", "app2", "app1", "app2"), "drain", {}, "app2,app1"),
        (
            ("drain", "app1", "--timeout", "10m", "--on-timeout", "shut", "--maint", "--pool", "shop"),
            "drain",
            {"timeout": "10m", "on_timeout": "shut", "maint": True, "pool": "shop"},
            "app1",
        ),
        (("undrain", "app1"), "undrain", {}, "app1"),
        (("undrain", "app1", "--pool", "shop"), "undrain", {"pool": "shop"}, "app1"),
    ],
)
def test_arguments_become_a_request(home: Path, args, playbook, parameters, limit) -> None:
    done = play("done", *args, "--plan", "--reason", "new disks", home=home)
    asked = done.only("plan")
    assert (asked["playbook"], asked["parameters"], asked["limit"]) == (playbook, parameters, limit)
    assert asked["reason"] == "new disks"
    assert "@" in asked["who"]
    assert asked["origin"].startswith("cli: hactl -i")
    assert (done.code, done.whats) == (0, ["plan"]), "--plan touches nothing"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("drain",), "Missing argument"),
        (("drain", "ap1", "--plan"), 'did you mean "app1"?'),
        (("drain", "!app1", "--plan"), "There is no node"),
        (("drain", "app1"), "--yes carries the plan out without asking"),
        (("drain", "app1", "--yes", "--override", "site-loss"), "--reason"),
        (("drain", "app1", "--yes", "--override", "site-loss", "--reason", "  "), "--reason"),
        (("drain", "app1", "--on-timeout", "pray"), "abort"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(home: Path, args, said: str) -> None:
    done = play("done", *args, home=home)
    assert (done.code, done.asked) == (2, [])
    assert said in done.err


def test_overrides_travel_with_their_reason(home: Path) -> None:
    done = play(
        "done", "drain", "app1", "--yes", "--override", "site-loss", "--override", "lock", "--reason", "fire", home=home
    )
    assert done.only("plan")["overrides"] == ["lock", "site-loss"]
    assert done.only("plan")["reason"] == "fire"


def test_guards_that_refuse_end_it_with_every_reason_and_way_out(home: Path) -> None:
    for mode in ("--yes", "--plan"):
        done = play("refused", "drain", "app1", mode, home=home)
        assert (done.code, done.whats) == (7, ["plan"])
        for text in (done.out, done.err):
            assert "minimum-available: shop would keep 1 of 3, minimum 2" in text
            assert "--override minimum-available" in text
            assert "targets: db9 is in no pool" in text


def test_somebody_else_who_is_at_it_has_an_exit_code_of_their_own(home: Path) -> None:
    for mode in ("--yes", "--plan"):
        done = play("busy", "drain", "app1", mode, home=home)
        assert (done.code, done.whats) == (75, ["plan"])
        assert "lock: held by bert for drain (cannot be overridden)" in done.err


def test_a_plan_as_a_document(home: Path) -> None:
    for scene, code in (("done", 0), ("refused", 7)):
        done = play(scene, "drain", "app1", "--plan", "-o", "json", home=home)
        assert done.code == code
        told = json.loads(done.out)
        jsonschema.validate(told, document_schema(PlanDocument, PLAN, ""))
        assert told["allowed"] is (code == 0)


def test_nothing_to_do_is_not_a_run(home: Path) -> None:
    done = play("nothing", "drain", "app1", "--yes", home=home)
    assert (done.code, done.whats) == (0, ["plan"])
    assert "nothing has to be done" in done.out


@pytest.mark.parametrize(
    ("scene", "code"),
    [("done", 0), ("failing", 9), ("undone", 8), ("killed", 10), ("changed", 11), ("locked", 75), ("resumed", 0)],
)
def test_the_exit_code_is_the_outcome(home: Path, scene: str, code: int) -> None:
    assert play(scene, "drain", "app1", "--yes", home=home).code == code


def test_through_a_pipe_every_step_is_a_line_and_the_proof_comes_last(home: Path) -> None:
    done = play("done", "drain", "app1", "--yes", home=home)
    assert "\x1b" not in done.out + done.err
    assert "09:10:04  1/12 drain app1 done in 4.2 s: as it should be\n" in done.out
    assert done.err == f"run {stories.RUN}\n"
    proof = done.out[done.out.index("done in 1 m 10 s") :]
    assert "2400 requests, 0 failed, slowest 38 ms, longest gap 0.1 s" in proof
    assert "shop: never fewer than 2 of 3 available, minimum 2" in proof
    assert f"hactl runs report {stories.RUN}" in proof


def test_as_json_stdout_is_the_run_and_nothing_else(home: Path) -> None:
    done = play("undone", "drain", "app1", "--yes", "-o", "json", home=home)
    told = json.loads(done.out)
    jsonschema.validate(told, document_schema(RunDocument, RUN, ""))
    assert (done.code, told["outcome"]) == (8, "undone")
    assert "weakest moment" in done.err, "the plan was shown"


def test_as_jsonl_every_event_is_a_line(home: Path) -> None:
    done = play("done", "drain", "app1", "--yes", "-o", "jsonl", home=home)
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [one["number"] for one in told] == list(range(1, len(told) + 1))
    assert (told[0]["event"], told[-1]["event"], told[-1]["outcome"]) == ("RunStarted", "RunEnded", "done")


@pytest.mark.parametrize(("fmt", "out"), [("text", stories.RUN), ("json", json.dumps({"run": stories.RUN}))])
def test_detached_only_the_id_is_told(home: Path, fmt: str, out: str) -> None:
    done = play("held", "drain", "app1", "--yes", "--detach", "-o", fmt, home=home)
    assert (done.code, done.whats) == (0, ["plan", "start"])
    assert done.out.splitlines()[-1] == out


# --- on a terminal ---


@pytest.mark.parametrize(
    ("answer", "code", "whats"), [("y", 0, ["plan", "start"]), ("n", 1, ["plan"]), ("", 1, ["plan"])]
)
def test_the_question_is_about_this_plan(home: Path, answer: str, code: int, whats: list[str]) -> None:
    with desk("done", "drain", "app1", home=home) as at:
        seen = at.until("Carry out plan 3f2a9c? [y/N]")
        assert "weakest moment: shop: 2 of 3 available, minimum 2" in seen, "what decides stands above the question"
        at.type(f"{answer}\n")
        assert at.end() == code
        assert [one["what"] for one in at.asked()] == whats


def test_what_cannot_be_taken_back_has_to_be_typed(home: Path) -> None:
    for typed, code in (("y", 1), ("lab", 0)):
        with desk("irreversible", "drain", "app1", "--yes", home=home) as at:
            at.until('Type "lab" to carry out plan')
            at.type(f"{typed}\n")
            assert at.end() == code
    assert play("irreversible", "drain", "app1", "--yes", home=home).code == 2
    assert play("irreversible", "drain", "app1", "--yes", "--confirm", "prod", home=home).code == 2
    assert play("irreversible", "drain", "app1", "--yes", "--confirm", "lab", home=home).code == 0


def test_a_terminal_shows_what_goes_on_below_what_is_done(home: Path) -> None:
    with desk("held", "drain", "app1", "--yes", home=home) as at:
        seen = at.until("3 sessions left")
        assert "> 1/12 drain app1" in seen
        assert "0 of 12 steps" in seen
        assert "available: shop 3/3" in seen
        at.until("4 s, available")  # the clock goes on though nothing happens
        assert at.text.count("sessions left") == 1, "painted over, not appended"


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours_there_are_none(home: Path, variables: dict[str, str]) -> None:
    with desk("undone", "drain", "app1", "--yes", home=home, **variables) as at:
        assert at.end() == 8
        assert b"m" not in {bit[-1:] for bit in _sequences(at.raw)}
    with desk("undone", "drain", "app1", "--yes", home=home) as at:
        assert at.end() == 8
        assert b"m" in {bit[-1:] for bit in _sequences(at.raw)}


def test_nothing_from_a_node_reaches_the_terminal_as_a_command(home: Path) -> None:
    with desk("undone", "drain", "app1", "--yes", home=home) as at:
        at.end()
        assert {bit[-1:] for bit in _sequences(at.raw)} <= {b"m", b"K", b"J", b"A"}
        assert b"\x07" not in at.raw
        assert b"\x1b]" not in at.raw


def test_ctrl_c_stops_and_once_more_aborts(home: Path) -> None:
    with desk("held", "drain", "app1", "--yes", home=home) as at:
        at.until("3 sessions left")
        at.interrupt()
        at.until("Stopping after the current step; Ctrl-C once more aborts it.")
        at.until("anna@laptop asks to stop at the next safe point")
        at.interrupt()
        assert at.end() == 9
        assert "Aborting" in at.text
        assert [one["kind"] for one in at.asked() if one["what"] == "wish"] == ["stop", "abort"]


def test_a_terminal_that_goes_away_wishes_nothing(home: Path) -> None:
    with desk("held", "drain", "app1", "--yes", home=home) as at:
        at.until("3 sessions left")
        os.kill(at.pid, signal.SIGHUP)
        assert at.end() == -signal.SIGHUP
        assert [one["what"] for one in at.asked()] == ["plan", "start"]


def _sequences(raw: bytes) -> list[bytes]:
    import re

    return re.findall(rb"\x1b\[[0-9;?]*[A-Za-z]", raw)
