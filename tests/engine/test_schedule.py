"""When questions are due: on the grid, all of them on a new connection, and those that nobody called for never."""

from __future__ import annotations

import math

import pytest

from hactl.engine.schedule import Schedule

EVERY = {"fast": 2.0, "slow": 60.0, "rare": 3600.0}


def made(*uncalled: str) -> Schedule:
    return Schedule(EVERY, fast=2.0, uncalled=uncalled)


def test_nothing_is_due_before_there_is_a_connection():
    assert made().next_at == math.inf


@pytest.mark.parametrize(
    ("uncalled", "after", "due"),
    [
        ((), 0.0, ["fast", "slow", "rare"]),
        (("rare",), 0.0, ["fast", "slow"]),
        (("rare", "slow"), 0.0, ["fast"]),
        (("rare",), 7200.0, ["fast", "slow"]),
    ],
)
def test_all_is_due_on_a_new_connection_but_what_is_uncalled(uncalled, after, due):
    schedule = made(*uncalled)
    schedule.start(0.0)
    assert schedule.take(after) == due


@pytest.mark.parametrize(
    ("keys", "due"), [(None, ["fast", "slow"]), (("rare",), ["rare"]), (("rare", "fast"), ["fast", "rare"])]
)
def test_what_is_uncalled_is_due_once_when_it_is_named(keys, due):
    schedule = made("rare")
    schedule.start(0.0)
    schedule.take(0.0)
    schedule.hurry(0.5, keys)
    assert schedule.take(0.5) == due
    assert "rare" not in schedule.take(36000.0)


def test_a_rare_question_that_failed_is_asked_again_soon_unless_nobody_called_for_it():
    for uncalled, again in (((), ["rare"]), (("rare",), [])):
        schedule = made(*uncalled)
        schedule.hurry(0.0, ["rare"])
        assert schedule.take(0.0) == ["rare"]
        schedule.failed("rare", 0.0)
        assert schedule.take(31.0) == again


def test_what_was_answered_lately_is_not_asked_again_for_a_short_break():
    schedule = made()
    schedule.start(0.0)
    schedule.take(0.0)
    schedule.answered("rare", 1.0)
    schedule.start(10.0)
    assert schedule.take(10.0) == ["fast", "slow"]
