"""Holding a database's writes at balancers that are data, and letting them go on to one server and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.verb import VerbError
from tests.drivers.verbs.databases import BALANCERS, Database, args, carried, looked
from tests.model.builders import lab


def test_held_on_every_balancer_with_nobody_left_inside() -> None:
    world = Database()
    scene = world.scene()
    assert not looked(world, "balancer.hold", scene).done
    carried(world, "balancer.hold", scene)
    assert [(gate.open, gate.sessions) for gate in world.gates.values()] == [(False, 0)] * 2
    assert looked(world, "balancer.hold", scene).done
    # Nobody comes in before those who are in are sent away.
    assert [one.split(": ")[1].split()[0] for one in world.changed][:2] == ["disable", "shutdown"]


def test_a_balancer_that_cannot_be_told_stops_it_unless_it_is_left_out() -> None:
    world = Database(down={"lb2"})
    with pytest.raises(VerbError, match="lb2 cannot be asked"):
        carried(world, "balancer.hold", world.scene())
    scene = world.scene(overrides=frozenset({"balancer-unreachable"}))
    _, said = carried(world, "balancer.hold", scene)
    assert said == "writes wait at fe_pg_gate on lb1"


def test_its_undo_lets_in_to_whoever_takes_writes() -> None:
    world = Database()
    scene = world.scene()
    memory, _ = carried(world, "balancer.hold", scene)
    world.play(VERBS["balancer.hold"].undo(scene, args("balancer.hold"), memory))
    assert all(gate.open and gate.up == {"db1"} for gate in world.gates.values())


def test_its_undo_lets_nobody_in_while_nobody_takes_writes_or_two_do() -> None:
    for standby, says in ((True, "nobody takes writes"), (False, "db1 and db2 take writes")):
        world = Database()
        scene = world.scene()
        memory, _ = carried(world, "balancer.hold", scene)
        world.servers["db1"].standby, world.servers["db2"].standby = standby, standby
        with pytest.raises(VerbError, match=says):
            world.play(VERBS["balancer.hold"].undo(scene, args("balancer.hold"), memory))
        assert not any(gate.open for gate in world.gates.values())


def test_what_was_held_before_stays_so() -> None:
    world = Database()
    world.gates["lb2"].open = False
    scene = world.scene()
    memory, _ = carried(world, "balancer.hold", scene)
    world.play(VERBS["balancer.hold"].undo(scene, args("balancer.hold"), memory))
    assert [world.gates[name].open for name in BALANCERS] == [True, False]


def test_released_to_one_server_and_the_time_is_told() -> None:
    world = Database()
    scene = world.scene()
    memory, _ = carried(world, "balancer.hold", scene)
    world.servers["db1"].standby, world.servers["db2"].standby = True, False
    world.now += 1.5
    scene = world.scene(remembered={"hold": memory})
    _, said = carried(world, "balancer.release", scene, to="db2")
    found = looked(world, "balancer.release", scene, to="db2")
    assert found.done
    assert found.facts == {"write_downtime": "1.50"}
    assert said == "writes flow to db2, after 1.50 s"
    assert all(gate.open and gate.up == {"db2"} for gate in world.gates.values())


def test_no_writes_are_let_through_to_a_standby() -> None:
    world = Database()
    carried(world, "balancer.hold", world.scene())
    with pytest.raises(VerbError, match="db2 takes no writes"):
        carried(world, "balancer.release", world.scene(), to="db2")
    assert not any(gate.open for gate in world.gates.values())


def test_a_standby_that_was_cut_off_is_checked_again_and_gets_nobody_meanwhile() -> None:
    world = Database()
    for gate in world.gates.values():
        gate.maint.add("db3")
    assert not looked(world, "balancer.readmit", world.scene(), node="db3").done
    carried(world, "balancer.readmit", world.scene(), node="db3")
    assert looked(world, "balancer.readmit", world.scene(), node="db3").done
    assert world.changed[:2] == [
        "lb1: set server be_pg_primary/db3 state ready",
        "lb1: set server be_pg_primary/db3 health down",
    ]


def test_without_a_frontend_in_the_inventory_nothing_is_held() -> None:
    pools = {**lab().pools, "database-primary": replace(lab().pools["database-primary"], frontend=None)}
    scene = replace(Database().scene(), inventory=replace(lab(), pools=pools))
    assert "refused" in looked(Database(), "balancer.hold", scene).sentence
    assert looked(Database(), "balancer.release", scene, to="db1").done
