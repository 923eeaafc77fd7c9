"""The runs that the dashboard's first line tells of."""

from __future__ import annotations

from pathlib import Path

import pytest

from hactl.control.going import GoingRuns
from hactl.engine.journal import Journal, default_journal
from hactl.model.events import RunStarted
from tests.view import stories


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def kept(env: dict[str, str], name: str) -> Journal:
    plan, story = stories.story(name)
    journal = Journal(default_journal(env))
    journal.create(stories.RUN, plan, "anna@laptop")
    for recorded in story:
        journal.append(stories.RUN, recorded.event)
    return journal


@pytest.mark.parametrize(("name", "left"), [("done", 0), ("undone", 0), ("killed", 1), ("failing", 1)])
def test_what_waits_for_somebody_is_told(env: dict[str, str], name: str, left: int) -> None:
    kept(env, name).close()
    runs = GoingRuns("lab", env)
    assert [run.run for run in runs.look()] == [stories.RUN] * left
    assert [run.run for run in runs.look()] == [stories.RUN] * left  # nothing was written: the same again
    assert GoingRuns("another", env).look() == ()


def test_a_cluster_without_a_journal_gets_none(env: dict[str, str], tmp_path: Path) -> None:
    assert GoingRuns("lab", env).look() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_told_of_while_its_runner_lives_and_when_it_is_gone(env: dict[str, str]) -> None:
    journal = kept(env, "killed")
    runs = GoingRuns("lab", env)
    assert [run.alive for run in runs.look()] == [False]
    with journal.live(stories.RUN):
        journal.append(stories.RUN, RunStarted("3f2a9c", "anna@laptop", "laptop", 42, attempt=2, purpose="resume"))
        assert [run.alive for run in runs.look()] == [True]
    assert [run.alive for run in runs.look()] == [False]  # seen though nothing was written
    journal.close()
