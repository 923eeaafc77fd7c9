"""A run's steps as a matrix: every step in its place, and none that "runs" when nobody is at it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.events import Event, Outcome, Recorded, RunEnded, StepDone, StepFailed, StepStarted, UndoStarted
from hactl.model.findings import Level
from hactl.model.plan import Plan
from hactl.model.run import RunState, folded
from hactl.view.matrix import matrix_rows, step_rows
from hactl.view.tables import Table
from tests.view import stories

T0 = 1_760_001_000.0
NOW = T0 + 600


def state(name: str) -> RunState:
    plan, story = stories.story(name)
    return folded(stories.RUN, plan, story)


def after(plan: Plan, *events: Event) -> RunState:
    """Events one second apart, from T0 on."""
    return folded(stories.RUN, plan, [Recorded(stories.RUN, n, T0 + n, event) for n, event in enumerate(events, 1)])


def cells(table: Table, row: str) -> list[str]:
    return next([cell.text for cell in one.cells[1:]] for one in table.rows if one.key == row)


def test_the_matrix_has_a_row_a_node_and_a_column_a_step() -> None:
    table = matrix_rows(state("undone"), NOW)
    assert [column.key for column in table.columns] == ["node", *stories.NAMES]
    assert [row.key for row in table.rows] == ["app1", "app2", "app3"]
    assert [cell.text for cell in table.rows[0].cells] == ["app1", "undone 6 s", "undone 6 s", "failed 8 s", "-"]
    assert table.rows[0].level is Level.CRIT
    turned = step_rows(state("undone"), NOW)
    assert [[row.cells[i].text for row in turned.rows] for i in (1, 2, 3)] == [
        [cell.text for cell in row.cells[1:]] for row in table.rows
    ]


def test_a_step_that_runs_shows_for_how_long() -> None:
    running = after(stories.plan(), StepStarted(0))
    assert cells(matrix_rows(running, T0 + 13), "app1")[0] == "runs 12 s"
    assert cells(matrix_rows(running), "app1")[0] == "runs"


@pytest.mark.parametrize(
    ("events", "alive", "word", "level"),
    [
        ((StepStarted(0), RunEnded(Outcome.STOPPED, "stopped by anna", 9.0)), False, "left after 1 s", Level.WARN),
        ((StepStarted(0), RunEnded(Outcome.CANCELLED, "", 9.0)), True, "left after 1 s", Level.WARN),
        ((StepStarted(0),), False, "cut off after 0 s", Level.UNKNOWN),
        ((StepDone(0, "out", 1.0), UndoStarted(0, "asked")), False, "cut off after 0 s", Level.UNKNOWN),
    ],
)
def test_nothing_runs_when_nobody_is_at_it(events: tuple[Event, ...], alive: bool, word: str, level: Level) -> None:  # noqa: FBT001
    table = matrix_rows(after(stories.plan(), *events), NOW, alive=alive)
    assert (table.rows[0].cells[1].text, table.rows[0].cells[1].level) == (word, level)


def test_steps_of_the_cluster_have_a_row_of_their_own() -> None:
    plan = stories.plan(nodes=("app1",))
    whole = replace(plan, steps=(replace(plan.steps[0], node=None, batch=0), *plan.steps[1:]))
    table = matrix_rows(folded(stories.RUN, whole, []))
    assert [row.key for row in table.rows] == ["app1", "cluster"]
    assert table.rows[0].cells[1].text == ""


def test_what_is_done_once_a_batch_has_a_row_a_batch() -> None:
    plan = stories.plan(nodes=("app1", "app2"))
    whole = replace(plan, steps=tuple(replace(s, node=None) if s.name == "drain" else s for s in plan.steps))
    table = matrix_rows(after(whole, StepStarted(0), StepDone(0, "", 4.0)))
    assert [row.key for row in table.rows] == ["app1", "app2", "batch 1", "batch 2"]
    assert (cells(table, "batch 1")[0], cells(table, "batch 2")[0]) == ("4 s", "-")


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ((), "-"),
        ((StepStarted(0), StepDone(0, "", 4.0)), "1/3 4 s"),
        ((StepStarted(0), StepDone(0, "", 4.0), StepStarted(4)), "2/3 runs 7 s"),
        ((StepStarted(0), StepFailed(0, "", 4.0), StepStarted(4), StepDone(4, "", 2.0)), "1/3 failed 4 s"),
    ],
)
def test_a_step_that_every_batch_does_in_the_same_place_shows_which(events: tuple[Event, ...], text: str) -> None:
    plan = stories.plan()
    whole = replace(plan, steps=tuple(replace(s, node="lb1") if s.name == "drain" else s for s in plan.steps))
    assert cells(matrix_rows(after(whole, *events), T0 + 10), "lb1")[0] == text
