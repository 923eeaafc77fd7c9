"""Verbs of a switchover, a failover and a rejoin, on a database that is data: what they refuse, prove and put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.drivers.verbs.postgresql_conninfo import following, parsed, source, written
from hactl.drivers.verbs.postgresql_server import position, read_control
from hactl.model.guard import Ruling
from hactl.model.inventory import PostgresqlManager
from hactl.model.parameters import Value
from hactl.model.verb import Memory, RunCommand, Scene, VerbError
from tests.drivers.verbs.databases import CHECKPOINT, CONNINFO, Database, args, carried, control, database, looked
from tests.model.builders import lab


def undone(world: Database, name: str, scene: Scene, memory: Memory, **values: Value) -> str:
    return world.play(VERBS[name].undo(scene, args(name, **values), memory))


def against(world: Database, name: str, scene: Scene, **values: Value) -> dict[str, Ruling]:
    return {one.guard: one.ruling for one in world.play(VERBS[name].preflight(scene, args(name, **values)))}


# --- what speaks against a switchover -----------------------------------------------------------------------------


def change(**facts: object) -> Callable[[Database], None]:
    return lambda world: world.servers["db1"].facts.update(facts)


def archiver(**values: object) -> Callable[[Database], None]:
    def done(world: Database) -> None:
        known = {"mode": "on", "archived": 3, "failed": 0, "seconds_since_archived": 1.0}
        world.servers["db1"].facts["archiver"] = known | values

    return done


def standby(**values: object) -> Callable[[Database], None]:
    def done(world: Database) -> None:
        for key, value in values.items():
            setattr(world.servers["db2"], key, value)

    return done


LOGICAL = {"name": "etl", "active": True, "retained": 0, "wal_status": "reserved", "slot_type": "logical"}
REFUSALS = [
    ("nothing", lambda world: None, set()),
    ("lag in receiving", standby(received=CHECKPOINT - 20 * 2**20), {"lag"}),
    ("lag in replaying", standby(replayed=CHECKPOINT - 20 * 2**20), {"lag"}),
    ("paused", standby(paused=True), {"replay-paused"}),
    ("not streaming", standby(streams=False), {"not-streaming"}),
    ("streams from another one", standby(upstream="db3"), {"not-streaming"}),
    ("timeline", standby(timeline=2), {"timeline"}),
    ("another database", standby(facts={"system_identifier": "8"}), {"timeline"}),
    ("two primaries", lambda world: setattr(world.servers["db3"], "standby", False), {"timeline"}),
    ("already the primary", standby(standby=False), {"timeline"}),
    ("another standby is gone", lambda world: world.down.add("db3"), {"standby-unreachable"}),
    ("the candidate is gone", lambda world: world.down.add("db2"), {"standby-unreachable"}),
    ("the archiver fails", archiver(since_failed=1.0, since_archived=9.0, failed=4), {"archiver"}),
    ("the archive is behind", archiver(ready=9), {"archiver"}),
    ("a long transaction", change(longest_transaction=31.0), {"long-transaction"}),
    ("a prepared transaction", change(longest_prepared=3600.0), {"long-transaction"}),
    ("a logical slot", change(slots=[LOGICAL]), {"logical-slots"}),
    ("no free slot", standby(room="1|10|on|on"), {"slots"}),
    ("too few senders", standby(room="7|2|on|on"), {"slots"}),
    ("no rewind", lambda world: setattr(world.servers["db1"], "room", "7|10|off|off"), {"rewind"}),
]


@pytest.mark.parametrize(("spoil", "expected"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS])
def test_each_reason_against_a_switchover_has_its_guard(spoil: Callable[[Database], None], expected: set[str]) -> None:
    world = Database()
    spoil(world)
    found = against(world, "postgresql.ready", world.scene("db1"), to="db2")
    assert {guard for guard, ruling in found.items() if ruling is Ruling.REFUSE} == expected
    assert world.changed == []


def test_all_reasons_are_said_at_once_and_nothing_is_done_against_them() -> None:
    world = Database()
    standby(paused=True, received=0)(world)
    change(longest_transaction=99.0)(world)
    assert set(against(world, "postgresql.ready", world.scene("db1"), to="db2")) == {
        *("replay-paused", "lag", "long-transaction"),
    }
    with pytest.raises(VerbError, match="replay is paused"):
        carried(world, "postgresql.ready", world.scene("db1"), to="db2")
    assert world.changed == []


def test_what_can_be_set_aside_is_and_what_cannot_is_not() -> None:
    world = Database()
    change(longest_transaction=99.0)(world)
    scene = world.scene("db1", overrides=frozenset({"long-transaction", "replay-paused"}))
    assert looked(world, "postgresql.ready", scene, to="db2").done
    standby(paused=True)(world)
    assert not looked(world, "postgresql.ready", scene, to="db2").done


def test_ready_makes_what_followers_need_and_its_undo_takes_just_that_away() -> None:
    world = Database()
    world.servers["db2"].slots.add("db3")
    scene = world.scene("db1")
    memory, said = carried(world, "postgresql.ready", scene, to="db2")
    assert world.servers["db2"].slots == {"db1", "db3"}
    assert "slots on db2 for db1" in said
    assert any(isinstance(ask, RunCommand) and ask.command.stdin == b"CHECKPOINT\n" for ask in world.asked)
    undone(world, "postgresql.ready", scene, memory, to="db2")
    assert world.servers["db2"].slots == {"db3"}


# --- stopping -----------------------------------------------------------------------------------------------------


def test_stopped_is_shut_down_and_fenced() -> None:
    world = Database()
    scene = world.scene("db1")
    assert not looked(world, "postgresql.stop", scene).done
    _, said = carried(world, "postgresql.stop", scene)
    assert "shut down at 0/03000060, and fenced" in said
    assert looked(world, "postgresql.stop", scene).done
    assert world.servers["db1"].fenced


def test_a_primary_that_does_not_come_down_is_a_failure() -> None:
    world = Database()
    world.each = lambda each: setattr(world.servers["db1"], "state", "shutting down")
    with pytest.raises(VerbError, match="still shutting down"):
        carried(world, "postgresql.stop", world.scene("db1"))


def test_its_undo_starts_the_primary_again() -> None:
    world = Database()
    scene = world.scene("db1")
    memory, _ = carried(world, "postgresql.stop", scene)
    assert undone(world, "postgresql.stop", scene, memory) == "db1 takes writes again, on timeline 1"
    assert (world.servers["db1"].active, world.servers["db1"].fenced) == ("active", False)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda world: setattr(world.servers["db2"], "standby", False), "db2 takes writes by now"),
        (lambda world: world.down.add("db2"), "db2 cannot be asked"),
    ],
)
def test_its_undo_never_makes_a_second_primary(spoil: Callable[[Database], None], says: str) -> None:
    world = Database()
    scene = world.scene("db1")
    memory, _ = carried(world, "postgresql.stop", scene)
    spoil(world)
    with pytest.raises(VerbError, match=says):
        undone(world, "postgresql.stop", scene, memory)
    assert world.servers["db1"].fenced
    assert world.servers["db1"].active == "inactive"


def test_an_undo_of_a_stop_that_never_happened_does_nothing() -> None:
    world = Database()
    assert undone(world, "postgresql.stop", world.scene("db1"), {"active": "active", "fenced": "False"})
    assert world.changed == []


# --- promoting ----------------------------------------------------------------------------------------------------


def stopped() -> Database:
    world = Database()
    carried(world, "postgresql.stop", world.scene("db1"))
    world.asked.clear()
    return world


def test_promoted_with_everything_received() -> None:
    world = stopped()
    scene = world.scene("db2")
    carried(world, "postgresql.promote", scene, replaces="db1")
    found = looked(world, "postgresql.promote", scene, replaces="db1")
    assert found.done
    assert found.facts == {"timeline": "2", "lost_bytes": "0"}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (standby(received=CHECKPOINT), "db2 lacks"),
        (standby(timeline=2), "db2 is on 2"),
        (lambda world: setattr(world.servers["db1"], "fenced", False), "not fenced"),
        (lambda world: setattr(world.servers["db1"], "state", "in production"), "in production"),
        (lambda world: setattr(world.servers["db1"], "active", "active"), "db1 is active"),
    ],
)
def test_nobody_is_promoted_without_proof(spoil: Callable[[Database], None], says: str) -> None:
    world = stopped()
    spoil(world)
    with pytest.raises(VerbError, match=says):
        carried(world, "postgresql.promote", world.scene("db2"), replaces="db1")
    assert world.servers["db2"].standby
    assert not [one for one in world.changed if "psql" in one]


def test_the_last_bytes_are_waited_for() -> None:
    world = stopped()
    world.servers["db2"].received = CHECKPOINT

    def arrives(_: object) -> None:
        if world.now > 1.0:
            world.servers["db2"].received = CHECKPOINT + 112

    world.each = arrives
    carried(world, "postgresql.promote", world.scene("db2"), replaces="db1")
    assert world.waited > 1.0


def test_a_promotion_is_not_taken_back_and_one_that_never_was_is_made_sure_of() -> None:
    world = stopped()
    scene = world.scene("db2")
    memory, _ = carried(world, "postgresql.promote", scene, replaces="db1")
    with pytest.raises(VerbError, match="not taken back"):
        undone(world, "postgresql.promote", scene, memory, replaces="db1")
    world = stopped()
    world.sticky = True
    memory, _ = carried(world, "postgresql.promote", scene, replaces="db1")
    assert undone(world, "postgresql.promote", scene, memory, replaces="db1") == "db2 was not promoted"
    assert world.waited >= 5.0


def test_a_survivor_that_has_more_goes_first() -> None:
    world = Database(down={"db1"})
    world.servers["db3"].received += 4096
    with pytest.raises(VerbError, match=r"db3 has 4\.0 KiB more|db3 has 4"):
        carried(world, "postgresql.promote", world.scene("db2"), replaces="db1", lossy=True)
    carried(world, "postgresql.promote", world.scene("db3"), replaces="db1", lossy=True)
    assert not world.servers["db3"].standby


# --- following ----------------------------------------------------------------------------------------------------


def switched() -> Database:
    world = stopped()
    carried(world, "postgresql.promote", world.scene("db2"), replaces="db1")
    return world


def test_the_old_primary_comes_back_as_a_standby() -> None:
    world = switched()
    scene = world.scene("db1")
    _, said = carried(world, "postgresql.follow", scene, primary="db2")
    assert looked(world, "postgresql.follow", scene, primary="db2").done
    one = world.servers["db1"]
    assert (one.standby, one.signal, one.fenced, one.timeline) == (True, True, False, 2)
    assert "db1" in world.servers["db2"].slots
    assert not one.slots
    assert "dropped: db2 and db3" in said
    assert "s3cret" not in repr(world.changed) + said
    assert "password=s3cret" in one.conninfo


def test_what_is_left_of_the_old_timeline_is_not_archived_from_there_one_day() -> None:
    world, segment = switched(), "000000010000000000000003"
    world.servers["db1"].unsettled = {segment}
    _, said = carried(world, "postgresql.follow", world.scene("db1"), primary="db2")
    assert f"not archived from there any more: {segment}" in said
    assert world.servers["db1"].unsettled == set()


def test_a_standby_that_runs_is_told_whom_to_follow_and_goes_on_running() -> None:
    world = switched()
    carried(world, "postgresql.follow", world.scene("db3"), primary="db2")
    assert not [one for one in world.changed if one.startswith("db3") and "systemctl" in one]
    assert world.servers["db3"].upstream == "db2"


def test_nobody_follows_a_standby_and_no_primary_is_made_to_follow() -> None:
    world = Database()
    with pytest.raises(VerbError, match="db2 is no primary"):
        carried(world, "postgresql.follow", world.scene("db3"), primary="db2")
    world.servers["db2"].standby = False
    with pytest.raises(VerbError, match="db1 is a primary: stop and fence it first"):
        carried(world, "postgresql.follow", world.scene("db1"), primary="db2")


def test_whom_the_others_follow_and_who_is_lost_are_left_alone() -> None:
    world = Database(down={"db1"})
    assert looked(world, "postgresql.follow", world.scene("db2"), primary="db2").done
    assert looked(world, "postgresql.follow", world.scene("db1"), primary="db2", without="db1").done


@pytest.mark.parametrize(
    "text",
    ["", "host=db1 user=x", "host = 'a b' user=x", r"user='o\'x' a=b\\c"],
)
def test_connection_strings_are_read_and_written_alike(text: str) -> None:
    assert parsed(written(parsed(text))) == parsed(text)


@pytest.mark.parametrize("text", ["host", "=x", "host='open", "a=b c"])
def test_what_is_no_connection_string(text: str) -> None:
    with pytest.raises(ValueError, match="no connection string"):
        parsed(text)


def test_one_server_is_put_in_the_place_of_another() -> None:
    words = parsed(CONNINFO)
    told = parsed(following(words, database(), lab().nodes["db2"], "db1"))
    assert (told["host"], told["application_name"], told["password"]) == ("192.168.56.32", "db1", "s3cret")
    assert "s3cret" not in str(source(words, database(), lab().nodes["db2"]))


# --- fencing ------------------------------------------------------------------------------------------------------


def test_a_server_that_can_be_reached_is_stopped_masked_and_cut_off() -> None:
    world = Database()
    scene = world.scene()
    carried(world, "postgresql.fence", scene, node="db1")
    found = looked(world, "postgresql.fence", scene, node="db1")
    assert found.done
    assert found.facts == {"fence": "it is stopped and masked"}
    assert all("db1" in gate.maint for gate in world.gates.values())


def test_one_that_cannot_is_powered_off() -> None:
    world = Database(down={"db1"})
    scene = world.scene()
    assert against(world, "postgresql.fence", scene, node="db1") == {"split-brain": Ruling.OK}
    assert not looked(world, "postgresql.fence", scene, node="db1").done
    carried(world, "postgresql.fence", scene, node="db1")
    assert world.power == "off"
    assert looked(world, "postgresql.fence", scene, node="db1").facts == {"fence": "its power is off"}


def test_without_proof_it_is_refused_unless_the_operator_accepts_it() -> None:
    world = Database(down={"db1"}, power="unknown")
    scene = world.scene()
    assert against(world, "postgresql.fence", scene, node="db1") == {"split-brain": Ruling.REFUSE}
    risky = world.scene(overrides=frozenset({"split-brain"}))
    carried(world, "postgresql.fence", risky, node="db1")
    assert all("db1" in gate.maint for gate in world.gates.values())


def test_a_standby_that_streams_is_left_alone() -> None:
    world = Database()
    assert looked(world, "postgresql.fence", world.scene(), node="db2", follows="db1").done
    assert not looked(world, "postgresql.fence", world.scene(), node="db2", follows="db3").done


def test_an_old_primary_that_is_back_is_told_whom_it_follows_as_long_as_it_can_be() -> None:
    world = switched()
    back = world.servers["db1"]
    back.active, back.fenced, back.standby, back.state = "active", False, False, "in production"
    carried(world, "postgresql.fence", world.scene(), node="db1", follows="db2")
    assert (back.upstream, back.active, back.fenced) == ("db2", "inactive", True)
    carried(world, "postgresql.fence", world.scene(), node="db1", follows="db2")  # nobody is there to be told


# --- rewinding ----------------------------------------------------------------------------------------------------


def test_a_rewind_is_tried_first_and_ends_with_the_signal_of_a_standby() -> None:
    world = switched()
    carried(world, "postgresql.rewind", world.scene("db1"), primary="db2")
    programs = [
        one.split()[1].rsplit("/", 1)[-1] for one in world.changed if one.startswith("target: ") or "db1: " in one
    ]
    assert programs == ["pg_rewind", "tar", "pg_rewind", "touch", "tar"]
    tried = [one for one in world.changed if "pg_rewind" in one]
    assert ["--dry-run" in one for one in tried] == [True, False]
    assert "s3cret" not in repr(world.changed)


def test_the_exit_status_of_a_rewind_stops_everything() -> None:
    world = switched()
    world.rewind = (1, "pg_rewind: fatal: could not find previous WAL record")
    with pytest.raises(VerbError, match="could not find previous WAL record") as told:
        carried(world, "postgresql.rewind", world.scene("db1"), primary="db2")
    assert "--clone" in told.value.remedy
    assert len([one for one in world.changed if "pg_rewind" in one]) == 1
    assert not world.servers["db1"].signal


def test_where_they_never_parted_nothing_is_written() -> None:
    world = switched()
    world.rewind = (0, "pg_rewind: no rewind required")
    _, said = carried(world, "postgresql.rewind", world.scene("db1"), primary="db2")
    assert "no rewind is required" in said
    assert not [one for one in world.changed if "tar" in one.split()]


@pytest.mark.parametrize("name", ["postgresql.rewind", "postgresql.clone"])
def test_a_server_that_runs_is_neither_rewound_nor_replaced(name: str) -> None:
    world = switched()
    world.servers["db1"].active = "active"
    with pytest.raises(VerbError, match="stop and fence it first"):
        carried(world, name, world.scene("db1"), primary="db2", clone=name == "postgresql.clone")


def test_a_clone_keeps_what_was_there() -> None:
    world = switched()
    _, said = carried(world, "postgresql.clone", world.scene("db1"), primary="db2", clone=True)
    assert "/var/lib/postgresql/15/main.hactl-aside-1700000000" in said
    moved = [one for one in world.changed if " mv " in f" {one} ".replace(": mv", ": mv")]
    assert len(moved) == 2
    assert not [one for one in world.changed if "rm " in one and not one.endswith("main.hactl-new")]


@pytest.mark.parametrize(("clone", "name"), [(True, "postgresql.rewind"), (False, "postgresql.clone")])
def test_only_the_one_that_is_wanted_is_done(*, clone: bool, name: str) -> None:
    world = switched()
    assert looked(world, name, world.scene("db1"), primary="db2", clone=clone).done


# --- small things -------------------------------------------------------------------------------------------------


def test_the_control_file_is_read_or_refused() -> None:
    world = Database()
    assert read_control(control(world.servers["db1"]), "db1").checkpoint == CHECKPOINT
    with pytest.raises(VerbError, match="did not tell"):
        read_control("Database cluster state: shut down\n", "db1")


@pytest.mark.parametrize(("text", "bytes_"), [("0/3000060", CHECKPOINT), ("1/0", 1 << 32), ("A/FF", (10 << 32) + 255)])
def test_positions(text: str, bytes_: int) -> None:
    assert position(text) == bytes_


@pytest.mark.parametrize("text", ["", "3000060", "0/x", "0/123456789", "-1/0"])
def test_what_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        position(text)


@pytest.mark.parametrize("name", [name for name in VERBS if name.startswith("postgresql.")])
def test_a_database_that_patroni_manages_is_left_to_it(name: str) -> None:
    services = {**lab().services, "database": replace(lab().services["database"], manager=PostgresqlManager.PATRONI)}
    wanted = {one.name for one in VERBS[name].arguments.__dataclass_fields__.values()}
    nodes = {key: "db2" for key in ("to", "replaces", "primary", "node", "backups") if key in wanted}
    scene = replace(Database().scene("db1"), inventory=replace(lab(), services=services))
    assert "patroni manages database" in VERBS[name].problem(scene, args(name, **nodes))
