"""The journal: what append returned is on disk, in order, chained, and readable again."""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hactl.engine.journal import Journal, new_run_id
from hactl.engine.journal_text import OUTPUT_KEPT, cut
from hactl.model.errors import JournalError, RunNotFoundError
from hactl.model.events import (
    Availability,
    CommandDone,
    CommandStarted,
    Event,
    GuardsChecked,
    LockTaken,
    Outcome,
    ProbeTick,
    RunEnded,
    RunStarted,
    Said,
    StepDone,
    StepFailed,
    StepStarted,
    StepUnknown,
    UndoDone,
    WishKind,
)
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.observed import Unknown
from hactl.model.plan import Plan, PlannedStep, Request
from hactl.model.run import PoolCount

RUN = "20261121-143005-k3f"


def plan(*nodes: str, playbook: str = "rolling-upgrade", cluster: str = "lab") -> Plan:
    steps = tuple(
        PlannedStep(index, "upgrade", "package.upgrade", node, 0, node, 1, {"packages": ("shop", "x")}, 60.0)
        for index, node in enumerate(nodes or ("app1", "app2"))
    )
    verdicts = (GuardVerdict("minimum-available", Ruling.OK, "2 of 3"),)
    request = Request(playbook, {"to": "1.1.0", "rate": 2.5, "yes": True, "n": 3}, overrides=frozenset({"x"}))
    targets = tuple(step.node for step in steps if step.node)
    return Plan(
        cluster,
        playbook,
        "Upgrade",
        request,
        request.parameters,
        targets,
        {},
        (targets,),
        steps,
        verdicts,
        (),
        {"a": "b"},
    )


EVENTS: tuple[Event, ...] = (
    RunStarted("d" * 64, "anna", "laptop", 4711),
    LockTaken(1_800_000_000, ("lb1", "app1"), ("db1",)),
    GuardsChecked((GuardVerdict("lock", Ruling.REFUSE, "no\u202e", can_override=False),), step=None),
    StepStarted(0, {"version": "1.0.0"}, {"unit": "active"}),
    CommandStarted(0, "app1", "sudo apt-get install shop=1.1.0"),
    CommandDone(0, "app1", None, "", "the connection was lost", 1.5),
    StepDone(0, "shop 1.1.0 is installed", 12.5, {"version": "1.1.0"}, waited=2.0),
    Availability((PoolCount("shop", 2, 3, 2),)),
    ProbeTick("http://shop/", 1.0, 50, 0, 0.012, 0.05),
    RunEnded(Outcome.DONE, "all done", 99.0),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "hactl" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    yield journal
    journal.close()


@pytest.fixture
def told(journal: Journal) -> Journal:
    """One run with every kind of event."""
    journal.create(RUN, plan(), "anna")
    for event in EVENTS:
        journal.append(RUN, event)
    return journal


# --- writing and reading ---


def test_what_is_written_is_read_again(told: Journal, path: Path) -> None:
    with_others = Journal(path)
    assert [recorded.event for recorded in with_others.events(RUN)] == list(EVENTS)
    assert [recorded.number for recorded in with_others.events(RUN, after=4)] == [5, 6, 7, 8, 9, 10]
    assert with_others.plan_of(RUN) == plan()
    with_others.close()


def test_append_says_what_was_written(journal: Journal) -> None:
    journal.create(RUN, plan(), "anna")
    recorded = journal.append(RUN, Said("hello"))
    assert journal.events(RUN) == [recorded]
    assert recorded.number == 1
    assert abs(recorded.at - time.time()) < 60


def test_a_run_that_is_not_there(journal: Journal) -> None:
    for call in (
        lambda: journal.append("nope", Said("x")),
        lambda: journal.events("nope"),
        lambda: journal.plan_of("nope"),
        lambda: journal.wish("nope", WishKind.STOP, "anna"),
        lambda: journal.live("nope"),
    ):
        with pytest.raises(RunNotFoundError):
            call()


def test_a_run_cannot_begin_twice(journal: Journal) -> None:
    journal.create(RUN, plan(), "anna")
    with pytest.raises(JournalError, match="already"):
        journal.create(RUN, plan(), "anna")


def test_secrets_are_masked_and_outputs_cut(journal: Journal, path: Path) -> None:
    journal.create(RUN, plan(), "anna")
    secrets = {"hunter2"}
    journal.append(RUN, CommandStarted(0, "app1", "psql password=hunter2"), secrets)
    journal.append(RUN, StepStarted(0, {"was": "hunter2"}), secrets)
    done = journal.append(RUN, CommandDone(0, "app1", 0, "é" * 100_000 + "hunter2", "short", 1.0), secrets).event
    assert isinstance(done, CommandDone)
    assert len(done.stdout.encode()) < OUTPUT_KEPT + 100
    assert "183620 bytes cut" in done.stdout
    assert done.stdout.endswith("é****")
    assert done.stderr == "short"
    assert journal.events(RUN)[-1].event == done
    journal.close()
    assert b"hunter2" not in path.read_bytes()


@pytest.mark.parametrize("put_in_its_place", [False, True])
def test_nothing_is_written_into_a_journal_that_is_gone(told: Journal, path: Path, *, put_in_its_place: bool) -> None:
    """SQLite would go on in a file that has no name any more: nobody could read it, or resume the run."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    if put_in_its_place:
        Journal(path).close()
    with pytest.raises(JournalError, match="was moved or removed"):
        told.append(RUN, Said("unheard"))
    with pytest.raises(JournalError, match="was moved or removed"):
        told.check_room()


def test_cut_leaves_what_fits() -> None:
    assert cut("x" * OUTPUT_KEPT) == "x" * OUTPUT_KEPT
    assert cut("") == ""


def test_an_event_of_a_newer_hactl_is_words(told: Journal, path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute(
            f"INSERT INTO events VALUES (99, '{RUN}', 11, 1.0, 'Teleported', '{{\"where\":\"home\"}}', 'p', 'h')"
        )
        db.execute(f"INSERT INTO events VALUES (100, '{RUN}', 12, 1.0, 'StepDone', '{{\"other\":1}}', 'p', 'h')")
    first, second = (recorded.event for recorded in told.events(RUN, after=10))
    assert isinstance(first, Said)
    assert 'Teleported: {"where":"home"}' in first.sentence
    assert isinstance(second, Said)


def test_wishes(told: Journal, path: Path) -> None:
    runner = Journal(path)
    seen = runner.version()
    assert runner.wishes(RUN) == []
    assert runner.version() == seen
    first = told.wish(RUN, WishKind.PAUSE, "bert")
    assert runner.version() != seen
    second = told.wish(RUN, WishKind.STOP, "anna")
    assert runner.wishes(RUN) == [first, second]
    assert runner.wishes(RUN, after=first.number) == [second]
    assert (second.kind, second.who) == (WishKind.STOP, "anna")
    runner.close()


def test_append_takes_milliseconds(journal: Journal) -> None:
    journal.create(RUN, plan(), "anna")
    seconds = []
    for number in range(50):
        begun = time.perf_counter()
        journal.append(RUN, Said(f"{number}"))
        seconds.append(time.perf_counter() - begun)
    assert statistics.median(seconds) < 0.05  # a busy disk is slow; a chain that is read whole would be slower


# --- several at once, and killed ---

_WRITER = """
    import sys
    from pathlib import Path
    from hactl.engine.journal import Journal
    from hactl.model.events import (Said)
    journal = Journal(Path(sys.argv[1]))
    life = journal.live(sys.argv[2]) if sys.argv[3] == "live" else None
    number = 0
    while number < int(sys.argv[4]):
        number += 1
        print(journal.append(sys.argv[2], Said(f"{sys.argv[3]} {number}")).number, flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_WRITER), path, RUN, name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_killed_while_writing_loses_nothing_that_append_returned(journal: Journal, path: Path) -> None:
    journal.create(RUN, plan(), "anna")
    process = writer(path, "live", 1_000_000)
    assert process.stdout is not None
    for _ in range(40):
        process.stdout.readline()
    assert journal.alive(RUN) is True
    process.send_signal(signal.SIGKILL)
    process.wait()
    said = 40 + len([line for line in process.stdout.read().splitlines() if line])
    process.stdout.close()
    events = journal.events(RUN)
    assert [recorded.number for recorded in events] == list(range(1, len(events) + 1))
    assert len(events) - said in (0, 1)  # it may have been killed before it could print the last one
    assert journal.verify() == []
    assert journal.alive(RUN) is False


def test_several_processes_write_one_chain(journal: Journal, path: Path) -> None:
    journal.create(RUN, plan(), "anna")
    writers = [writer(path, name, 25) for name in ("one", "two", "three")]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    assert [recorded.number for recorded in journal.events(RUN)] == list(range(1, 76))
    assert journal.verify() == []


def test_threads_may_share_it(journal: Journal) -> None:
    journal.create(RUN, plan(), "anna")
    threads = [
        threading.Thread(target=lambda: [journal.append(RUN, Said("x")) for _ in range(10)]) for _ in range(4)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.events(RUN)) == 40
    assert journal.verify() == []


# --- who works on it ---


def test_alive(told: Journal, path: Path) -> None:
    assert told.alive(RUN) is False
    with told.live(RUN):
        assert Journal(path).alive(RUN) is True
        with pytest.raises(RunNotFoundError, match=f"process {os.getpid()}"):
            told.live(RUN)
    assert told.alive(RUN) is False


def test_another_machines_runner_is_unknown(told: Journal, path: Path) -> None:
    told.live(RUN).close()
    (path.parent / "runs" / f"{RUN}.alive").write_text('{"host": "elsewhere", "pid": 1}')
    answer = told.alive(RUN)
    assert isinstance(answer, Unknown)
    assert "elsewhere" in answer.reason


# --- what it teaches ---


def test_runs_are_told_in_numbers(told: Journal) -> None:
    told.create("20261122-000000-abc", plan("app3", playbook="drain", cluster="other"), "bert")
    newest, first = told.runs()
    assert (newest.run, newest.outcome, newest.began_at, newest.done) == ("20261122-000000-abc", None, None, 0)
    assert (first.outcome, first.sentence, first.done, first.steps) == (Outcome.DONE, "all done", 1, 2)
    assert first.targets == ("app1", "app2")
    assert [run.run for run in told.runs(cluster="other")] == ["20261122-000000-abc"]
    assert [run.run for run in told.runs(playbook="rolling-upgrade")] == [RUN]
    assert len(told.runs(limit=1)) == 1


def run_of(journal: Journal, name: str, made: Plan, *events: Event) -> None:
    journal.create(name, made, "anna")
    for event in (RunStarted("d", "anna", "laptop", 1), *events):
        journal.append(name, event)


STEP = (StepStarted(0), StepDone(0, "ok", 10.0))
BROKEN = (StepStarted(0), StepFailed(0, "bad", 10.0))
FAILED = RunEnded(Outcome.FAILED, "bad", 1.0)
DONE = RunEnded(Outcome.DONE, "good", 1.0)


@pytest.mark.parametrize(
    ("events", "unfinished"),
    [
        ((*STEP, DONE), False),
        ((*STEP, FAILED), False),  # that node is at its end
        ((*STEP, UndoDone(0, "back", 1.0), FAILED), False),
        ((FAILED,), False),
        ((StepStarted(0), StepFailed(0, "bad", 1.0), FAILED), True),
        ((StepFailed(0, "guards refuse", 0.1), FAILED), False),  # before it was begun
        ((StepStarted(0),), True),  # killed
        ((), False),  # killed before it did anything
        ((*STEP, RunEnded(Outcome.STOPPED, "stop", 1.0)), False),
        ((*STEP, RunEnded(Outcome.UNDONE, "back", 1.0)), False),
        ((StepStarted(0), StepDone(0, "was so", 0.1, skipped=True), FAILED), False),
    ],
)
def test_unfinished_is_what_resume_or_undo_would_put_right(
    journal: Journal, events: tuple[Event, ...], *, unfinished: bool
) -> None:
    run_of(journal, RUN, plan(), *events)
    found = journal.history("lab", "rolling-upgrade").unfinished
    assert [ref.run for ref in found] == ([RUN] if unfinished else [])
    assert not any(ref.alive for ref in found)
    assert journal.history("other", "rolling-upgrade").unfinished == ()


def test_what_failed_and_could_not_be_taken_back_anyway_keeps_nobody_waiting(journal: Journal) -> None:
    command = plan("app1", "app2")
    command = replace(command, steps=tuple(replace(step, verb="command", undo=False) for step in command.steps))
    run_of(journal, "1-aaa", command, StepStarted(0), StepFailed(0, "exit 3", 1.0), FAILED)
    run_of(journal, "2-bbb", command, StepStarted(0), StepUnknown(0, "cut off", 1.0), FAILED)
    assert [ref.run for ref in journal.history("lab", "x").unfinished] == ["2-bbb"]


def test_a_node_that_was_brought_to_its_end_waits_for_nothing(journal: Journal) -> None:
    ended = RunEnded(Outcome.STOPPED, "stop", 1.0)
    run_of(journal, RUN, plan("app1", "app2"), *STEP, StepStarted(1), StepFailed(1, "bad", 1.0), ended)
    assert [ref.nodes for ref in journal.history("lab", "x").unfinished] == [("app2",)]


def test_a_later_run_that_left_the_node_well_settles_it(journal: Journal) -> None:
    run_of(journal, "1-aaa", plan("app1"), *BROKEN, FAILED)
    run_of(journal, "2-bbb", plan("app2"), *STEP, DONE)
    assert [(ref.run, ref.nodes) for ref in journal.history("lab", "x").unfinished] == [("1-aaa", ("app1",))]
    run_of(journal, "3-ccc", plan("app1"), *STEP, DONE)
    assert journal.history("lab", "x").unfinished == ()


def test_a_look_and_a_run_that_was_put_back_settle_nothing(journal: Journal) -> None:
    look = plan("app1")
    look = replace(look, steps=tuple(replace(step, mutates=False) for step in look.steps))
    run_of(journal, "1-aaa", plan("app1"), *BROKEN, FAILED)
    run_of(journal, "2-bbb", look, *STEP, DONE)
    run_of(journal, "3-ccc", plan("app1"), *STEP, UndoDone(0, "back", 1.0), RunEnded(Outcome.UNDONE, "back", 1.0))
    run_of(journal, "4-ddd", look, StepStarted(0), StepFailed(0, "sick", 1.0), FAILED)
    assert [ref.run for ref in journal.history("lab", "x").unfinished] == ["1-aaa"]


def test_a_run_that_is_worked_on_is_unfinished(journal: Journal) -> None:
    journal.create(RUN, plan(), "anna")
    assert journal.history("lab", "x").unfinished == ()
    with journal.live(RUN):
        (ref,) = journal.history("lab", "x").unfinished
        assert ref.alive


def test_durations_are_medians(journal: Journal) -> None:
    for name, seconds in (("1-a", 10.0), ("2-b", 30.0), ("3-c", 500.0)):
        run_of(journal, name, plan("app1", "app2"), StepStarted(0), StepDone(0, "ok", seconds), DONE)
    history = journal.history("lab", "rolling-upgrade")
    assert history.durations == {"package.upgrade": 30.0, "package.upgrade app1": 30.0}
    assert history.runs == 3
    assert journal.history("lab", "drain").runs == 0


# --- names ---


def test_run_ids_sort_by_time() -> None:
    assert new_run_id(1_700_000_000.0)[:-3] == "20231114-221320-"
    assert new_run_id(1_700_000_000.0) < new_run_id(1_700_000_001.0)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("last", "20261122-101010-zzz"),
        (RUN, RUN),
        ("20261121-143", RUN),
        ("k3f", RUN),
        ("20261122-0", "20261122-090909-abc"),
    ],
)
def test_a_few_letters_name_a_run(journal: Journal, name: str, meant: str) -> None:
    for run in (RUN, "20261122-090909-abc", "20261122-101010-zzz"):
        journal.create(run, plan(), "anna")
    assert journal.resolve(name) == meant


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("202611", "may be 2 runs"),
        ("20261121-143005-k3g", f'did you mean "{RUN}"'),
        ("k3g", 'did you mean "k3f"'),
        ("", "No run"),
        ("\x1b[2J", "No run"),
    ],
)
def test_a_name_that_means_none(journal: Journal, name: str, says: str) -> None:
    with pytest.raises(RunNotFoundError, match="no runs yet"):
        journal.resolve("last")
    for run in (RUN, "20261122-090909-abc"):
        journal.create(run, plan(), "anna")
    with pytest.raises(RunNotFoundError) as error:
        journal.resolve(name)
    assert says in str(error.value)
    assert "\x1b" not in str(error.value)


def test_what_is_in_nobodys_way_keeps_nobody_waiting(journal: Journal) -> None:
    drill = plan("app1", "app2")
    drill = replace(drill, steps=tuple(replace(step, leaves=False) for step in drill.steps))
    run_of(journal, "1-aaa", drill, *BROKEN, FAILED)
    run_of(journal, "2-bbb", drill, StepStarted(0))
    assert journal.history("lab", "x").unfinished == ()
