"""What became of roles: told once, by whoever knows most of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.model.events import Outcome
from hactl.model.plan import Plan, PlannedStep, Request
from hactl.model.role_history import RoleChange, Sighting, TimelineBegun, changed, of_run, sightings, told
from hactl.model.run import RunState, StepPhase, StepState
from tests.model.builders import EPOCH, NOW, WAL, Cluster, primary

DB = "postgresql:database"


def a_run(*, phase: StepPhase = StepPhase.DONE, verb: str = "postgresql.promote") -> RunState:
    request = Request("switchover", {}, reason="kernel of db1", who="anna@laptop")
    promote = PlannedStep(
        0, "promote", verb, "db2", 0, "", 0, {"service": "database", "replaces": "db1"}, deadline=60.0
    )
    release = replace(promote, index=1, name="release", verb="balancer.release", node=None, arguments={})
    plan = Plan("lab", "switchover", "Switchover", request, {}, (), {}, (), (promote, release), (), (), {})
    steps = (
        StepState(phase, began_at=1000.0, ended_at=1002.0, after={"timeline": "2", "lost_bytes": "0"}),
        StepState(StepPhase.DONE, after={"write_downtime": "1.4"}),
    )
    return RunState("20251009-085740-k3f", plan, steps, who="anna@laptop", outcome=Outcome.DONE)


BY_RUN = RoleChange(
    "database",
    "db2",
    "db1",
    2,
    1000.0,
    1002.0,
    run="20251009-085740-k3f",
    playbook="switchover",
    who="anna@laptop",
    why="kernel of db1",
    outcome="done",
    write_downtime=1.4,
    lost_bytes=0,
)


def test_what_a_run_has_changed_with_its_cost() -> None:
    assert list(of_run(a_run())) == [BY_RUN]


@pytest.mark.parametrize("phase", [StepPhase.PENDING, StepPhase.FAILED, StepPhase.UNDONE, StepPhase.SKIPPED])
def test_what_a_run_has_not_done_is_no_change(phase: StepPhase) -> None:
    assert not list(of_run(a_run(phase=phase)))


def test_an_old_primary_that_came_back() -> None:
    (change,) = of_run(a_run(verb="postgresql.rewind"))
    assert (change.returned, change.after, change.before, change.write_downtime) == (True, "db2", "", None)


def test_a_sight_is_of_the_one_primary() -> None:
    seen = sightings(Cluster().picture())
    assert {name: (one.node, one.at) for name, one in seen.items()} == {"database": ("db1", EPOCH + NOW - 1)}
    assert not sightings(Cluster().say("db2", DB, primary()).picture())
    assert not sightings(Cluster().down("db1").picture())


def test_a_primary_that_is_another_one_now_was_made_so_in_between() -> None:
    before, after = Sighting("db1", 100.0, primary()), Sighting("db2", 160.0, primary(timeline=2))
    assert changed("database", before, after) == RoleChange("database", "db2", "db1", 2, 100.0, 160.0)
    assert changed("database", before, replace(before, at=200.0, facts=primary(lsn=WAL + 1))) is None


NOTICED = RoleChange("database", "db2", "db1", 2, 990.0, 1010.0)


def test_what_a_run_did_is_not_noticed_again() -> None:
    assert told([BY_RUN], [NOTICED], [TimelineBegun("database", "db2", 2, 1001.5)]) == (BY_RUN,)


def test_what_nobody_did_from_here_is_told_as_that_and_dated_by_the_server_that_remembers() -> None:
    files = [TimelineBegun("database", "db3", 2, 1003.0), TimelineBegun("database", "db2", 2, 1001.5)]
    (one,) = told([], [NOTICED], files)
    assert one == replace(NOTICED, since=1001.5, until=1001.5)
    assert (one.run, one.who, one.write_downtime, one.lost_bytes) == ("", "", None, None)


def test_a_timeline_that_nobody_saw_begin() -> None:
    third = TimelineBegun("database", "db3", 3, 5000.0)
    assert told([BY_RUN], [], [third]) == (RoleChange("database", "", "", 3, 5000.0, 5000.0), BY_RUN)


def test_two_changes_between_the_same_servers_are_two() -> None:
    later = replace(NOTICED, timeline=4, since=9000.0, until=9010.0)
    assert told([BY_RUN], [later], []) == (later, BY_RUN)
