"""Runs in words, tables and documents, from their stories."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from hactl.model.counting import PoolCount
from hactl.model.events import (
    Availability,
    CommandDone,
    CommandStarted,
    Event,
    GuardsChecked,
    LockLost,
    LockTaken,
    Outcome,
    ProbeTick,
    Recorded,
    RunEnded,
    RunStarted,
    Said,
    StepDone,
    StepStarted,
    StepUnknown,
    UndoFailed,
    Waiting,
    Wished,
    WishKind,
)
from hactl.model.findings import Level
from hactl.model.guard import GuardVerdict, Ruling
from hactl.model.journal import RunSummary
from hactl.model.lock import Holder, LockBroken, LockPicture, NodeLock
from hactl.model.observed import Unknown
from hactl.model.plan import RunRef
from hactl.model.run import RunState, folded
from hactl.view.lock import broken_lines, lock_lines, lock_rows
from hactl.view.run import doubt_lines, event_sentence, head_lines, prober_line, proof_lines
from hactl.view.run_document import SCHEMA, RunDocument, event_document, lock_document, run_document, summary_document
from hactl.view.runs import run_rows, unfinished_lines
from hactl.view.status_schema import document_schema
from tests.view import stories

VALIDATOR = jsonschema.Draft202012Validator(document_schema(RunDocument, SCHEMA, "a run"))
STORIES = list(stories.all_stories())
NAMES = [name for name, *_ in STORIES]
NOW = stories.WALL + 300


def state(name: str) -> RunState:
    plan, story = stories.story(name)
    return folded(stories.RUN, plan, story)


def sentence(event: Event, *, verbose: bool = False) -> tuple[Level, str] | None:
    return event_sentence(Recorded(stories.RUN, 1, NOW, event), stories.plan(), verbose=verbose)


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (LockTaken(3, ("a", "b"), ("db3",)), Level.WARN, "the cluster is locked on 2 nodes, not on db3"),
        (LockLost("lb1 is gone"), Level.CRIT, "the cluster's lock is lost: lb1 is gone"),
        (StepStarted(1, attempt=2), Level.OK, "2/12 upgrade app1 begins, attempt 2"),
        (
            StepUnknown(1, "no word", 3),
            Level.UNKNOWN,
            "2/12 upgrade app1: it is not known whether it happened: no word",
        ),
        (UndoFailed(0, "no", 1, "Look."), Level.CRIT, "1/12 drain app1 could not be undone: no Look."),
        (Waiting("to settle", 2.0), Level.OK, "waiting 2 s: to settle"),
        (Wished(WishKind.STOP, "bert@desk"), Level.WARN, "bert@desk asks to stop at the next safe point"),
        (Said("lb1 was reloaded", "warn"), Level.WARN, "lb1 was reloaded"),
        (ProbeTick("url", 1, 10, 2, 0.1, 1.0, "refused"), Level.CRIT, "2 of 10 requests to url failed: refused"),
        (
            GuardsChecked((GuardVerdict("site-loss", Ruling.REFUSE, "east would be gone"),), 3),
            Level.CRIT,
            "refused: site-loss: east would be gone",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_is_a_sentence(event: Event, level: Level, text: str) -> None:
    assert sentence(event) == (level, text)


@pytest.mark.parametrize(
    "event",
    [
        ProbeTick("url", 1, 10, 0, 0.1, 0.1),
        GuardsChecked((GuardVerdict("site-loss", Ruling.OK, "fine"),)),
        CommandStarted(0, "app1", "true"),
        CommandDone(0, "app1", 0, "", "", 0.1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_as_expected_is_not_worth_a_line(event: Event) -> None:
    assert sentence(event) is None


def test_whoever_wants_more_is_told_of_commands() -> None:
    assert sentence(CommandStarted(0, "app1", "true"), verbose=True) == (Level.OK, "app1> true")
    assert sentence(CommandDone(0, "app1", 3, "", "", 0.5), verbose=True) == (Level.OK, "app1: exit 3 after 0.5 s")
    unknown = sentence(CommandDone(0, "app1", None, "", "lost", 0.5), verbose=True)
    assert unknown == (Level.UNKNOWN, "app1: it was not learned how the command ended: lost")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_told_can_move_a_cursor(name: str) -> None:
    plan, story = stories.story(name)
    told = [found[1] for one in story if (found := event_sentence(one, plan, verbose=True))]
    told += [line.text for line in (*proof_lines(state(name)), *head_lines(state(name), NOW))]
    assert all(text.isprintable() for text in told)


@pytest.mark.parametrize(
    ("name", "first", "level"),
    [
        ("done", "done in 1 m 10 s: 3 nodes are at 1.1.0", Level.OK),
        ("undone", "undone in 35 s: app1 was sick and is as before", Level.WARN),
        ("killed", "unfinished: nobody works on it any more", Level.UNKNOWN),
        ("changed", "stopped in 0 s: the cluster has changed: plan again", Level.WARN),
    ],
)
def test_the_proof_begins_with_the_outcome(name: str, first: str, level: Level) -> None:
    line = next(proof_lines(state(name)))
    assert (line.text, line.level) == (first, level)


def test_the_proof_has_requests_and_lowest_availability() -> None:
    told = {line.text: line.level for line in proof_lines(state("done"))}
    assert told[f"{stories.URL}: 2400 requests, 0 failed, slowest 38 ms, longest gap 0.1 s"] is Level.OK
    assert told["shop: never fewer than 2 of 3 available, minimum 2"] is Level.OK
    bad = {line.text: line.level for line in proof_lines(state("failing"))}
    assert bad[f"{stories.URL}: 400 requests, 12 failed, slowest 5 s, longest gap 1.5 s"] is Level.CRIT
    assert bad["shop: never fewer than 1 of 3 available, minimum 2"] is Level.CRIT


@pytest.mark.parametrize(
    ("counts", "level", "text"),
    [
        (
            ((2, 0), (2, 1)),
            Level.OK,
            "shop: never fewer than 2 of 3 available, minimum 2; for 4 s 1 could not be judged",
        ),
        (
            ((3, 0), (1, 1)),
            Level.UNKNOWN,
            "shop: between 1 and 2 of 3 available at the worst moment, minimum 2; for 4 s 1 could not be judged",
        ),
        (
            ((2, 0), (0, 3), (3, 0)),
            Level.UNKNOWN,
            "shop: between 0 and 2 of 3 available at the worst moment, minimum 2; for 4 s 3 could not be judged",
        ),
        (
            ((3, 0), (0, 1)),
            Level.CRIT,
            "shop: between 0 and 1 of 3 available at the worst moment, minimum 2; for 4 s 1 could not be judged",
        ),
    ],
)
def test_what_could_not_be_judged_is_not_counted_as_lost(
    counts: tuple[tuple[int, int], ...], level: Level, text: str
) -> None:
    """Each count holds for four seconds."""
    tell = stories.Teller(stories.plan())
    tell(RunStarted("digest", "anna@laptop", "laptop", 4711))
    for available, unknown in counts:
        tell(Availability((PoolCount("shop", available, 3, 2, unknown),)))
        tell(after=4.0)
    tell(RunEnded(Outcome.DONE, "", 9.0))
    told = {line.text: line.level for line in proof_lines(folded(stories.RUN, tell.plan, tell.story))}
    assert told[text] is level


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        ((StepDone(1, "shop is at 1.1.0", 9.0),), ["09:10:04  2/12 upgrade app1 done in 9 s: shop is at 1.1.0"]),
        ((StepStarted(1, attempt=2),), ["09:10:04  2/12 upgrade app1 begins, attempt 2"]),
        (
            (
                StepUnknown(1, "the connection was lost; seen since: shop is at 1.0.0", 9.0),
                RunEnded(Outcome.UNKNOWN, "", 9),
            ),
            [
                (
                    "09:10:04  2/12 upgrade app1: it is not known whether it happened: "
                    "the connection was lost; seen since: shop is at 1.0.0"
                )
            ],
        ),
        ((StepDone(2, "another step", 1.0),), ["nothing has been seen of it since"]),
    ],
)
def test_an_outcome_that_was_not_known_is_told_with_what_was_seen_then(
    after: tuple[Event, ...], shown: list[str]
) -> None:
    tell = stories.Teller(stories.plan())
    tell(RunStarted("digest", "anna@laptop", "laptop", 4711), StepStarted(1), after=1.0)
    tell(StepUnknown(1, "the connection was lost", 3.0), after=2.0)
    tell(*after, after=1.0)
    told = [line.text for line in doubt_lines(tell.plan, tell.story)]
    assert told == [
        "09:10:03  2/12 upgrade app1: it is not known whether it happened: the connection was lost",
        *shown,
    ]
    assert not list(doubt_lines(*stories.story("done")))


def test_a_count_tells_what_nobody_could_judge() -> None:
    count = PoolCount("shop", 1, 3, 2, 1)
    assert sentence(Availability((count,))) == (
        Level.UNKNOWN,
        "shop at least 1 of 3 available, 1 unknown, minimum 2",
    )
    assert sentence(Availability((PoolCount("shop", 2, 3, 2, 1),))) == (
        Level.OK,
        "shop at least 2 of 3 available, 1 unknown, minimum 2",
    )


def test_the_time_between_attempts_is_no_proof() -> None:
    """It was killed with a node half upgraded, and resumed eleven hours later."""
    told = [line for line in proof_lines(state("resumed")) if "nobody watched" in line.text]
    assert [(line.text, line.level) for line in told] == [
        ("between its 2 attempts nobody watched: of 11 h 6 m nothing is known", Level.UNKNOWN)
    ]
    assert not [line for line in proof_lines(state("done")) if "nobody watched" in line.text]


@pytest.mark.parametrize(
    ("name", "alive", "offered"),
    [
        ("done", False, set()),
        ("killed", False, {"resume", "undo"}),
        ("killed", True, {"attach"}),
        ("changed", False, set()),
    ],
)
def test_what_can_be_done_next_is_said(name: str, alive: object, offered: set[str]) -> None:
    told = "\n".join(line.text for line in proof_lines(state(name), alive=bool(alive)))
    assert {word for word in ("resume", "undo", "attach") if f"hactl runs {word}" in told} == offered
    assert "hactl runs report" in told


def test_the_prober_in_a_line() -> None:
    assert prober_line(state("done")) == "2400 requests, 0 failed, slowest 38 ms, longest gap 0.1 s"
    assert prober_line(state("changed")) == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_a_document_of_the_schema(name: str) -> None:
    plan, story = stories.story(name)
    found = run_document(stories.RUN, plan, story)
    VALIDATOR.validate(found)
    assert json.loads(json.dumps(found)) == found
    assert found["events"] == len(story)
    assert found["hash"] == story[-1].hash
    assert len(found["steps"]) == len(plan.steps)


def test_the_document_tells_requests_pools_and_commands() -> None:
    plan, story = stories.story("done")
    found = run_document(stories.RUN, plan, story)
    assert found["requests"] == [
        {
            "endpoint": stories.URL,
            "sent": 2400,
            "failed": 0,
            "slowest_seconds": 0.038,
            "longest_gap_seconds": 0.1,
        }
    ]
    assert found["pools"] == [
        {
            "pool": "shop",
            "lowest_available": 2,
            "lowest_possible": 2,
            "total": 3,
            "minimum": 2,
            "unknown": 0,
            "unknown_seconds": 0.0,
        }
    ]
    assert found["unwatched_seconds"] == 0.0
    assert [command["exit"] for command in found["commands"]] == [0] * 12
    assert found["outcome"] == "done"
    killed = run_document(stories.RUN, *stories.story("killed"))
    assert killed["outcome"] is None
    assert killed["commands"][-1]["exit"] is None, "it was never learned how it ended"


def test_an_event_is_a_flat_document() -> None:
    found = event_document(Recorded(stories.RUN, 4, stories.WALL, Wished(WishKind.STOP, "anna@laptop")))
    assert found == {
        "run": stories.RUN,
        "number": 4,
        "at": "2025-10-09T09:10:00.000Z",
        "event": "Wished",
        "wish": "stop",
        "who": "anna@laptop",
    }


SUMMARY = RunSummary(
    run="r1",
    cluster="lab",
    playbook="drain",
    title="Drain",
    who="anna@laptop",
    reason="",
    targets=("app1",),
    planned_at=NOW - 100,
    began_at=NOW - 90,
    ended_at=NOW - 30,
    outcome=Outcome.DONE,
    sentence="app1 is drained",
    attempts=1,
    steps=1,
    done=1,
    alive=False,
)


@pytest.mark.parametrize(
    ("changes", "took", "outcome"),
    [
        ({}, "1 m", "done"),
        ({"outcome": None, "ended_at": None, "alive": True}, "1 m 30 s", "going on"),
        ({"outcome": None, "ended_at": None}, "?", "unfinished"),
        ({"outcome": None, "ended_at": None, "alive": Unknown("another machine's", 0)}, "?", "not ended"),
    ],
)
def test_a_run_in_a_list(changes: dict, took: str, outcome: str) -> None:
    table = run_rows([replace(SUMMARY, **changes)], NOW)
    cells = {column.key: cell.text for column, cell in zip(table.columns, table.rows[0].cells, strict=True)}
    assert (cells["run"], cells["took"], cells["outcome"]) == ("r1", took, outcome)
    assert summary_document(replace(SUMMARY, **changes))["alive"] is (
        None if outcome == "not ended" else outcome == "going on"
    )


def test_runs_that_are_not_over_are_told_with_what_to_do() -> None:
    refs = [
        RunRef("r1", "drain", "anna@laptop", NOW - 60, alive=True),
        RunRef("r2", "upgrade", "bert@desk", NOW - 90, alive=False),
    ]
    going, left = unfinished_lines(refs, NOW)
    assert "hactl runs attach r1" in going.text
    assert going.level is None
    assert "hactl runs resume r2" in left.text
    assert left.level is Level.WARN


HOLDER = Holder("5f3a9c", "bert@desk", "desk", 99, "r1", "drain", NOW - 60, 7)


@pytest.mark.parametrize(
    ("nodes", "level", "text"),
    [
        ([NodeLock("a"), NodeLock("b"), NodeLock("c")], Level.OK, "free"),
        (
            [NodeLock("a", held=True, holder=HOLDER), NodeLock("b", held=True, holder=HOLDER), NodeLock("c")],
            Level.WARN,
            "held by bert@desk for drain since 09:14:00 UTC, from desk (process 99)",
        ),
        (
            [NodeLock("a", held=True, holder=HOLDER), NodeLock("b"), NodeLock("c")],
            Level.WARN,
            "held only on a; 2 of 3 decide, so nobody has it",
        ),
        (
            [NodeLock("a"), NodeLock("b", problem="off"), NodeLock("c", problem="off")],
            Level.UNKNOWN,
            "nobody can say: too few nodes could be asked",
        ),
    ],
)
def test_the_lock_in_a_sentence(nodes: list[NodeLock], level: Level, text: str) -> None:
    picture = LockPicture("lab", tuple(nodes))
    first = next(lock_lines(picture, NOW))
    assert (first.level, first.text) == (level, text)
    assert [row.key for row in lock_rows(picture, NOW).rows] == ["a", "b", "c"]
    document = lock_document(picture)
    assert json.loads(json.dumps(document)) == document
    assert [node["held"] for node in document["nodes"]] == [None if n.problem else n.held for n in nodes]


def test_breaking_a_lock_says_where_it_did_not_work() -> None:
    done, missing = broken_lines(LockBroken(8, ("a", "b"), ("c",)))
    assert done.text == "broken on a, b; epoch 8 shuts out whoever held it"
    assert (missing.level, missing.text) == (Level.WARN, "could not be asked: c")
