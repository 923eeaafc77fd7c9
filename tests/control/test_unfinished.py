"""Runs that are not over, as a look at the cluster finds them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hactl.control.unfinished import newest, unfinished
from hactl.engine.journal import Journal, default_journal
from hactl.model.errors import JournalError
from tests.view import stories


def kept(env: dict[str, str], name: str) -> None:
    plan, story = stories.story(name)
    journal = Journal(default_journal(env))
    journal.create(stories.RUN, plan, "anna@laptop")
    for recorded in story:
        journal.append(stories.RUN, recorded.event)
    journal.close()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


@pytest.mark.parametrize(("name", "left"), [("done", 0), ("undone", 0), ("killed", 1), ("failing", 1)])
def test_what_was_left_behind_is_found(env: dict[str, str], name: str, left: int) -> None:
    kept(env, name)
    found = unfinished("lab", env)
    assert [(ref.run, ref.alive) for ref in found] == [(stories.RUN, False)] * left
    assert unfinished("another", env) == ()
    assert [one.run for one in newest("lab", env)] == [stories.RUN]


def test_without_a_journal_nothing_is_loaded_or_made(env: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import sys\nfrom hactl.control.unfinished import newest, unfinished\n"
        "assert unfinished('lab') == newest('lab') == ()\nprint('sqlite3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_read_is_said(env: dict[str, str]) -> None:
    path = default_journal(env)
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"this is no database, whatever its name says" * 40)
    path.chmod(0o600)
    with pytest.raises(JournalError):
        unfinished("lab", env)
