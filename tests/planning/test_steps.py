"""Guards before each step: on a fresh picture, knowing what this very run has done."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from hactl.model.facts import ServerState
from hactl.model.plan import Plan
from hactl.model.playbook import Playbook
from hactl.model.run import RunState, StepPhase, begun
from hactl.planning.guards import before_step
from hactl.planning.world import World
from tests.model.builders import DOWN, DRAINED, Cluster, disk, lab
from tests.planning.playing import WALL, planned, playbook, reboot, run_command, step, upgrade
from tests.planning.test_guards import Change, out, same, sick

PHASES = {"d": StepPhase.DONE, "s": StepPhase.SKIPPED, "r": StepPhase.RUNNING, "f": StepPhase.FAILED}
PHASES |= {"u": StepPhase.UNKNOWN, "b": StepPhase.UNDONE, ".": StepPhase.PENDING}


def state(plan: Plan, story: str) -> RunState:
    """A letter a step; the rest is pending."""
    start = begun("r1", plan)
    phases = [PHASES[letter] for letter in story.replace(" ", "").ljust(len(plan.steps), ".")]
    return replace(start, steps=tuple(replace(one, phase=at) for one, at in zip(start.steps, phases, strict=True)))


def swap(cluster: Cluster) -> Cluster:
    """db2 was promoted, and the balancers follow."""
    first, second = cluster.get("db1", "postgresql:database"), cluster.get("db2", "postgresql:database")
    cluster.say("db1", "postgresql:database", second).say("db2", "postgresql:database", first)
    cluster.server("*", "be_pg_primary", "db1", **DOWN)
    up = {"status": "UP", "state": ServerState.UP, "check_status": "L7OK"}
    return cluster.server("*", "be_pg_primary", "db2", **up)


ROLLING = upgrade()


@dataclass(frozen=True)
class Case:
    """`story`: how far the run is; `at`: the step about to be done. A rolling upgrade has four steps a node."""

    name: str
    story: str
    at: int
    change: Change = same
    refuses: frozenset[str] | set[str] = frozenset()
    told: str = ""
    book: Playbook = ROLLING
    plan_on: Change = same
    overrides: frozenset[str] = frozenset()


CASES = [
    Case("the first step", "", 0),
    Case("the second step of a node that is out", "d", 1, out("shop-a")),
    Case("the next node, all well", "dddd", 4),
    Case("a look needs no leave", "dd", 2, lambda cluster: cluster.down("lb1", "lb2", "app1")),
    Case("nor does bringing back", "ddd", 3, lambda cluster: out("shop-a", "shop-b")(cluster).down("lb2")),
    Case(
        "a second member fails: not one more is taken out",
        "dddd",
        4,
        sick("app3", "shop-c"),
        {"minimum-available", "critical-finding"},
        "shop would have 1 of 3 available without app2, minimum 2 (now 2)",
    ),
    Case(
        "a second member fails while a node is out: that one is brought to its end",
        "d",
        1,
        lambda cluster: sick("app3", "shop-c")(out("shop-a")(cluster)),
    ),
    Case(
        "the node that was upgraded falls ill afterwards",
        "dddd",
        4,
        sick("app1", "shop-a"),
        {"minimum-available", "critical-finding"},
    ),
    Case(
        "the pool is too small already",
        "dddd",
        4,
        out("shop-a", "shop-c", how=DOWN),
        {"minimum-available", "critical-finding"},
        "shop would have 0 of 3 available without app2",
    ),
    Case(
        "somebody drains another one",
        "",
        0,
        out("shop-b"),
        {"minimum-available", "other-drain"},
        "app2 is drained in shop on lb1 and lb2",
    ),
    Case("what the run itself has drained is no other's", "d...", 0, out("shop-a")),
    Case("what it left drained when it failed is its own", "dfbb", 4, out("shop-a"), {"minimum-available"}),
    Case("a balancer vanishes before the drain", "", 0, lambda cluster: cluster.down("lb2"), {"balancer-unreachable"}),
    Case(
        "a balancer vanishes after it",
        "d",
        1,
        lambda cluster: out("shop-a")(cluster).down("lb2"),
        {"balancer-unreachable"},
    ),
    Case(
        "it was set aside",
        "",
        0,
        lambda cluster: cluster.down("lb2"),
        overrides=frozenset({"balancer-unreachable"}),
    ),
    Case(
        "FAULTS 13: a reload has forgotten the drain",
        "d",
        1,
        out("shop-a", lb="lb1"),
        {"minimum-available"},
        "app1 is in shop again on lb2, though this run took it out",
    ),
    Case(
        "a drain that was not needed is forgotten as well",
        "s",
        1,
        refuses={"minimum-available"},
        told="app1 is in shop again on lb1 and lb2",
    ),
    Case(
        "the disk has filled up",
        "d",
        1,
        lambda cluster: out("shop-a")(cluster).say("app1", "disk", disk(used=99)),
        {"disk-space"},
    ),
    Case(
        "side by side: the other lane may be out any moment",
        "",
        4,
        out("shop-c"),
        {"minimum-available", "other-drain"},
        "without app1 and app2",
        book=upgrade(batch="2"),
    ),
    Case("side by side: a lane that has failed takes nobody out", "f", 4, book=upgrade(batch="2")),
    Case("the target becomes unreachable", "", 0, lambda cluster: cluster.down("app1"), {"unknown-data"}),
    Case(
        "sick when it was confirmed, to be repaired",
        "",
        0,
        sick("app3", "shop-c"),
        book=run_command("role:app"),
        plan_on=sick("app3", "shop-c"),
    ),
    Case(
        "the primary has moved to the node",
        "",
        0,
        swap,
        {"replication", "minimum-available"},
        book=reboot("db2"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_before_a_step(case: Case) -> None:
    plan = planned(case.book, case.plan_on(Cluster()), overrides=case.overrides)
    picture = case.change(Cluster()).picture()
    found = before_step(plan, plan.steps[case.at], state(plan, case.story), World(lab(), picture, WALL))
    assert {verdict.guard for verdict in found if verdict.blocks} == set(case.refuses), found
    if case.told:
        assert any(case.told in verdict.sentence for verdict in found), found


def test_a_window_that_ends_ends_no_work_that_is_begun() -> None:
    from tests.planning.test_guards import NIGHT, with_windows

    inventory = with_windows(NIGHT)
    plan = planned(upgrade(), Cluster(inventory), inventory=inventory)
    picture = out("shop-a")(Cluster(inventory)).picture()
    late = World(inventory, picture, WALL)
    assert not [one for one in before_step(plan, plan.steps[1], state(plan, "d"), late) if one.blocks]
    fresh = replace(late, picture=Cluster(inventory).picture())
    found = before_step(plan, plan.steps[4], state(plan, "dddd"), fresh)
    assert {one.guard for one in found if one.blocks} == {"maintenance-window"}


def test_guards_that_the_playbook_switched_off_stay_off() -> None:
    book = replace(upgrade(), guards={"balancer-unreachable": False})
    plan = planned(book)
    found = before_step(plan, plan.steps[0], begun("r1", plan), World(lab(), Cluster().down("lb2").picture(), WALL))
    assert not [one for one in found if one.blocks]


def test_a_node_stays_down_while_it_is_interrupted_without_a_drain() -> None:
    book = playbook(step("service.restart", arguments={"unit": "shop.service"}))
    plan = planned(book)
    found = before_step(plan, plan.steps[1], state(plan, "d"), World(lab(), Cluster().picture(), WALL))
    assert [(one.guard, one.ruling.value) for one in found] == [("minimum-available", "warn")]
    drained = out("shop-a", how=DRAINED)(Cluster()).picture()
    found = before_step(plan, plan.steps[1], state(plan, "d"), World(lab(), drained, WALL))
    assert {one.guard for one in found if one.blocks} == {"minimum-available", "other-drain"}
