"""`hactl lock`: who has it, and taking it away from somebody who is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.playing import desk, play


def test_a_free_lock(home: Path) -> None:
    done = play("done", "lock", "show", home=home)
    assert done.code == 0
    assert done.out.startswith("free\n")
    assert "could not be asked: db3" in done.out


def test_a_held_lock_tells_who_what_since_when_from_where(home: Path) -> None:
    done = play("taken", "lock", "show", home=home)
    assert done.out.startswith("held by bert@desk for drain since 2025-10-09 09:10 UTC, from desk (process 99)\n")
    assert "lock id 5f3a9c" in done.out
    told = json.loads(play("taken", "lock", "show", "-o", "json", home=home).out)
    assert (told["schema"], told["holder"]["who"]) == ("hactl.lock/1", "bert@desk")
    assert [node["held"] for node in told["nodes"]] == [True, True, None]


def test_breaking_it_needs_its_id_and_somebody_who_means_it(home: Path) -> None:
    assert play("taken", "lock", "break", home=home).code == 2
    unasked = play("taken", "lock", "break", "--id", "5f3a9c", home=home)
    assert (unasked.code, unasked.asked) == (2, [])
    meant = play("taken", "lock", "break", "--id", "5f3a9c", "--yes", home=home)
    assert (meant.code, meant.asked) == (0, [{"what": "break", "id": "5f3a9c"}])
    assert "broken on lb1, lb2" in meant.out


@pytest.mark.parametrize(("answer", "code", "broken"), [("y", 0, True), ("n", 130, False)])
def test_the_question_says_whom_it_hits(home: Path, answer: str, code: int, *, broken: bool) -> None:
    with desk("taken", "lock", "break", "--id", "5f3a9c", home=home) as at:
        assert "held by bert@desk" in at.until("Break lock 5f3a9c?")
        at.type(f"{answer}\n")
        assert at.end() == code
        assert bool(at.asked()) is broken
