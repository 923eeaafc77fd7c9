"""Levels that do not flap at the edge of a limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.model.assess import assess
from hactl.model.assess.hysteresis import MARGIN, level_of
from hactl.model.findings import Level
from hactl.model.inventory import Threshold
from tests.model.builders import Cluster, disk

OK, WARN, CRIT, UNKNOWN = Level.OK, Level.WARN, Level.CRIT, Level.UNKNOWN
DISK = Threshold(80, 90)
UPTIME = Threshold(600, None, below=True)

levels = st.sampled_from([OK, WARN, UNKNOWN, CRIT])
limits = st.floats(0, 1e12, allow_nan=False)
values = st.floats(-1e12, 1e13, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "limit", "before", "after"),
    [
        (79.9, DISK, OK, OK),
        (80.0, DISK, OK, WARN),
        (90.0, DISK, OK, CRIT),
        (89.9, DISK, WARN, WARN),
        (89.9, DISK, CRIT, CRIT),
        (85.4, DISK, CRIT, WARN),
        (76.1, DISK, WARN, WARN),
        (75.9, DISK, WARN, OK),
        (75.9, DISK, CRIT, OK),
        (79.0, DISK, UNKNOWN, OK),
        (600.0, UPTIME, OK, WARN),
        (629.0, UPTIME, WARN, WARN),
        (631.0, UPTIME, WARN, OK),
        (629.0, UPTIME, OK, OK),
        (1.0, Threshold(1, None), OK, WARN),
        (0.0, Threshold(1, None), WARN, OK),
        (1e9, Threshold(None, None), CRIT, OK),
        (95.0, Threshold(None, 90), OK, CRIT),
    ],
)
def test_edges(value: float, limit: Threshold, before: Level, after: Level) -> None:
    assert level_of(value, limit, before) is after


@given(values, limits, limits, levels)
def test_judging_the_same_value_again_changes_nothing(value: float, warn: float, more: float, before: Level) -> None:
    limit = Threshold(warn, warn + more)
    once = level_of(value, limit, before)
    assert level_of(value, limit, once) is once


@given(values, limits, limits, levels)
def test_history_only_ever_holds_a_level_up(value: float, warn: float, more: float, before: Level) -> None:
    """Never better than without history, never worse than what it was or is."""
    limit = Threshold(warn, warn + more)
    fresh, held = level_of(value, limit), level_of(value, limit, before)
    assert fresh <= held <= max(fresh, before if before is not UNKNOWN else OK)


@given(st.floats(1, 1e9), st.lists(st.floats(-0.999, 0.999), min_size=2, max_size=40))
def test_a_value_that_trembles_around_a_limit_changes_its_level_once(limit: float, tremble: list[float]) -> None:
    """As long as it trembles by less than half the margin."""
    level, changes = OK, 0
    for step in tremble:
        value = limit * (1 + step * MARGIN / 2)
        new = level_of(value, Threshold(limit, None), level)
        changes += new is not level
        level = new
    assert changes <= 1


@given(values, values, limits, limits)
def test_a_worse_value_is_never_judged_better(one: float, other: float, warn: float, more: float) -> None:
    limit = Threshold(warn, warn + more)
    assert level_of(min(one, other), limit) <= level_of(max(one, other), limit)


def test_a_finding_is_held_from_one_assessment_to_the_next() -> None:
    full, relaxed = (Cluster().say("app1", "disk", disk("/", used)) for used in (91.0, 86.0))
    first = full.assess()
    assert [finding.level for finding in assess(relaxed.state(), first, 1000.5).findings] == [CRIT]
    assert [finding.level for finding in assess(relaxed.state(), None, 1000.5).findings] == [WARN]
