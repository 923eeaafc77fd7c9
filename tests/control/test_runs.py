"""`Runs` with real processes and a real journal; the one node it has is this machine, which nobody can log in to."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.config import load_inventory
from hactl.control.runs import Runs
from hactl.engine.journal import Journal, default_journal
from hactl.model.errors import GuardError, InputError, InternalError, JournalError, LockHeldError, RunNotFoundError
from hactl.model.events import Outcome, RunEnded, RunStarted, WishKind
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.plan import Plan, PlannedStep, Request

INVENTORY = """
schema = 1
[cluster]
name = "tiny"
[ssh]
user = "nobody"
config = []
known_hosts = "{folder}/known_hosts"
connect_timeout = 2
[[sites]]
name = "here"
[[nodes]]
name = "n1"
site = "here"
address = "127.0.0.1"
roles = ["app"]
ssh = {{ port = {port} }}
[[services]]
name = "shop"
kind = "unit"
role = "app"
unit = "shop.service"
"""

PLAN = Plan(
    cluster="tiny",
    playbook="restart",
    title="Restart",
    request=Request("restart", {"service": "shop"}, who="anna@laptop"),
    parameters={},
    targets=("n1",),
    untouched={},
    batches=(("n1",),),
    steps=(
        PlannedStep(
            index=0,
            name="restart",
            verb="service.restart",
            node="n1",
            segment=0,
            lane="n1",
            batch=1,
            arguments={"service": "shop"},
            deadline=10.0,
        ),
    ),
    verdicts=(),
    weakest=(),
    basis={},
)


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


@pytest.fixture
def runs(tmp_path: Path, port: int) -> Runs:
    path = tmp_path / "inventory.toml"
    path.write_text(INVENTORY.format(folder=tmp_path, port=port))
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return Runs(load_inventory(path), env=env)


def journal(runs: Runs) -> Journal:
    return Journal(default_journal(runs._env))


def events(runs: Runs, run: str) -> list[object]:
    async def all_of_them() -> list[object]:
        return [recorded.event async for recorded in runs.follow(run)]

    return asyncio.run(asyncio.wait_for(all_of_them(), 60))


def test_a_run_in_a_process_of_its_own(runs: Runs) -> None:
    """Nobody can be reached, so it ends before anything is touched, and says why."""
    run = runs.start(PLAN)
    started, *_, ended = events(runs, run)
    assert isinstance(started, RunStarted)
    assert started.pid != os.getpid()
    assert os.getsid(0) != started.pid
    assert isinstance(ended, RunEnded)
    assert (ended.outcome, ended.error) == (Outcome.STOPPED, "lock")
    assert "127.0.0.1" in ended.sentence
    state = runs.state(run)
    assert (state.outcome, state.who, state.attempt) == (Outcome.STOPPED, "anna@laptop", 1)
    assert [summary.run for summary in runs.runs()] == [run]
    assert runs.resolve("last") == runs.resolve(run[-3:]) == run
    assert runs.audit() == []
    assert len(runs.story(run)) == state.last


def test_only_its_owner_can_read_what_is_left(runs: Runs) -> None:
    run = runs.start(PLAN)
    events(runs, run)
    assert stat.S_IMODE(runs.log(run).stat().st_mode) == 0o600
    assert stat.S_IMODE(runs.log(run).parent.stat().st_mode) == 0o700


def test_what_guards_refuse_is_not_started(runs: Runs) -> None:
    verdicts = (
        GuardVerdict("minimum-available", Ruling.REFUSE, "shop would have 0 of 1"),
        GuardVerdict("disk-space", Ruling.REFUSE, "n1 is full", overridden=True),
        GuardVerdict("sudo", Ruling.REFUSE, "sudo says no"),
    )
    with pytest.raises(GuardError) as caught:
        runs.start(replace(PLAN, verdicts=verdicts))
    assert caught.value.reasons == ("shop would have 0 of 1", "sudo says no")
    assert runs.runs() == []


def test_a_lock_that_somebody_holds_is_told_as_that(runs: Runs) -> None:
    verdicts = (
        GuardVerdict("lock", Ruling.REFUSE, "the lock is held: ben for drain", can_override=False),
        GuardVerdict("minimum-available", Ruling.REFUSE, "shop would have 0 of 1"),
    )
    with pytest.raises(LockHeldError, match="ben for drain; shop would have"):
        runs.start(replace(PLAN, verdicts=verdicts))


def test_nothing_to_do_is_not_started(runs: Runs) -> None:
    with pytest.raises(InputError, match="nothing to do"):
        runs.start(replace(PLAN, steps=()))


def test_without_room_for_the_journal_nothing_is_started(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Journal, needed: int = 0) -> None:
        raise JournalError("The disk is full.")

    monkeypatch.setattr(Journal, "check_room", full)
    with pytest.raises(JournalError):
        runs.start(PLAN)
    assert runs.runs() == []


def test_a_runner_that_cannot_begin_says_why(runs: Runs) -> None:
    Path(runs._inventory.path).write_text("schema = 2")
    with pytest.raises(InternalError, match=r"ended with status 2.*inventory\.toml"):
        runs.start(PLAN)


def test_a_stopped_run_is_resumed_and_undone(runs: Runs) -> None:
    run = runs.start(PLAN)
    events(runs, run)
    runs.resume(run)
    events(runs, run)
    runs.undo(run)
    told = events(runs, run)
    assert [event.purpose for event in told if isinstance(event, RunStarted)] == ["run", "resume", "undo"]
    assert [event.attempt for event in told if isinstance(event, RunStarted)] == [1, 2, 3]


def test_a_run_that_is_done_is_not_resumed(runs: Runs) -> None:
    kept = journal(runs)
    kept.create("20261121-120000-abc", PLAN, "anna@laptop")
    kept.append("20261121-120000-abc", RunStarted("", "anna", "laptop", 1))
    kept.append("20261121-120000-abc", RunEnded(Outcome.DONE, "done", 1.0))
    with pytest.raises(RunNotFoundError, match="is done"):
        runs.resume("20261121-120000-abc")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cluster": "other"}, "for the cluster other"),
        ({"steps": (replace(PLAN.steps[0], node="n9", lane="n9"),)}, "n9 of its plan is not in the inventory"),
    ],
)
def test_a_run_is_not_resumed_with_an_inventory_that_is_not_its_own(
    runs: Runs, changes: dict[str, object], says: str
) -> None:
    story = journal(runs)
    story.create("20261121-120000-xyz", replace(PLAN, **changes), "anna")
    for act in (runs.resume, runs.undo):
        with pytest.raises(InputError, match=says):
            act("20261121-120000-xyz")


def test_a_wish_needs_somebody_to_hear_it(runs: Runs) -> None:
    run = runs.start(PLAN)
    events(runs, run)
    with pytest.raises(RunNotFoundError, match="Nobody works on"):
        runs.wish(run, WishKind.STOP)


def test_who_works_on_a_run_is_alone(runs: Runs) -> None:
    kept = journal(runs)
    kept.create("20261121-120000-abc", PLAN, "anna@laptop")
    with kept.live("20261121-120000-abc"), pytest.raises(RunNotFoundError, match="being worked on"):
        runs.resume("20261121-120000-abc")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """One that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_following_ends_when_the_runner_is_killed_and_leaving_does_not_end_it(
    runs: Runs, tmp_path: Path, silent_port: int
) -> None:
    """A node that says nothing keeps the runner at its first step: taking the lock."""
    text = INVENTORY.format(folder=tmp_path, port=silent_port)
    Path(runs._inventory.path).write_text(text.replace("connect_timeout = 2", "connect_timeout = 60"))
    run = runs.start(PLAN)

    async def look_in() -> int:
        async for recorded in runs.follow(run):
            return recorded.number
        return 0

    assert asyncio.run(look_in()) == 1
    assert runs.alive(run)
    (started,) = [one.event for one in runs.story(run)]
    assert isinstance(started, RunStarted)
    os.kill(started.pid, signal.SIGHUP)
    time.sleep(0.3)
    assert runs.alive(run)
    os.kill(started.pid, signal.SIGKILL)
    assert events(runs, run) == [started]
    assert not runs.alive(run)
    assert runs.state(run).outcome is None
