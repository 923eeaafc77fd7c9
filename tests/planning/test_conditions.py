"""What a step's `when` asks, answered from pictures; what nobody knows does not hold, negated or not."""

from __future__ import annotations

import pytest

from hactl.model.conditions import CONDITIONS
from hactl.model.playbook import Condition, Targets
from hactl.model.verb import Scene
from hactl.planning.conditions import answer, holds
from tests.model.builders import Cluster, lab, packages
from tests.planning.playing import drafted, planned, playbook, step

PENDING = packages(pending=1, offered={"shop": "1.1.0"}, reboot_required=True)

CASES = [
    ("reboot_required", None, "app1", True, "app1 wants a reboot"),
    ("reboot_required", None, "app2", False, "app2 needs no reboot"),
    ("reboot_required", None, "app3", None, "is not known: not connected"),
    ("holds_vip", None, "lb1", True, "lb1 has public"),
    ("holds_vip", "public", "lb2", False, "lb2 does not have public"),
    ("holds_vip", None, "app1", False, "app1 does not have any VIP"),
    ("may_hold_vip", None, "lb2", True, "lb2 may hold public"),
    ("may_hold_vip", "public", "lb2", True, "lb2 may hold public"),
    ("may_hold_vip", None, "app1", False, "app1 may not hold any VIP"),
    ("in_pool", None, "app1", True, "app1 is in shop"),
    ("in_pool", "database-primary", "app1", False, "app1 is not in database-primary"),
    ("in_pool", None, "backup1", False, "backup1 is not in any pool"),
    ("service_here", "database", "db3", True, "db3 provides database"),
    ("service_here", "database", "app1", False, "app1 does not provide database"),
    ("has_role", "db", "db1", True, "db1 has the role db"),
    ("has_role", "db", "lb1", False, "lb1 does not have the role db"),
    ("package_pending", "shop", "app1", True, "shop 1.1.0 is on offer"),
    ("package_pending", "other", "app1", False, "nothing newer than app1's other"),
    ("package_pending", None, "app1", True, "newer versions on offer for app1: 1"),
    ("package_pending", None, "db2", None, "it has no package lists"),
]


def cluster() -> Cluster:
    return (
        Cluster()
        .say("app1", "packages", PENDING)
        .say("db2", "packages", packages(pending=None))
        .down("app3", reason="not connected")
    )


def scene(node: str, source: Cluster) -> Scene:
    return Scene(lab(), lab().nodes[node], source.picture())


@pytest.mark.parametrize(("fact", "argument", "node", "so", "sentence"), CASES)
def test_each_fact(fact: str, argument: str | None, node: str, so: bool | None, sentence: str) -> None:  # noqa: FBT001
    there = scene(node, cluster())
    assert holds(Condition(fact, argument), there)[0] is (so is True)
    assert holds(Condition(fact, argument, negated=True), there)[0] is (so is False)
    found, told = answer(Condition(fact, argument), there)
    assert found is so
    assert sentence in told


def test_a_holder_that_cannot_be_asked_is_not_known() -> None:
    there = scene("lb1", Cluster().down("lb1"))
    assert answer(Condition("holds_vip"), there) == (None, "whether lb1 has public is not known")


def test_every_fact_of_the_closed_set_is_answered() -> None:
    assert {fact for fact, *_ in CASES} == set(CONDITIONS)


def test_a_plan_says_what_is_probably_skipped_and_leaves_the_unknown_to_the_run() -> None:
    book = playbook(
        step("balancer.drain", when=Condition("in_pool")),
        step("node.reboot", when=Condition("reboot_required")),
        targets=Targets(limit="app1,app2,app3,backup1", needed=("reboot",)),
    )
    plan = drafted(book, cluster())
    skips = {one.label: one.skip for one in plan.steps}
    assert skips == {
        "drain app1": "",
        "reboot app1": "",
        "drain app2": "",
        "reboot app2": "app2 needs no reboot",
        "drain app3": "",
        "reboot app3": "",  # not known
        "reboot backup1": "backup1 needs no reboot",  # and the drain can never be
    }
    assert not plan.verdicts
    finished = planned(book, cluster())
    assert finished.untouched == {"app2": "app2 needs no reboot", "backup1": "backup1 needs no reboot"}
    assert finished.targets == ("app1", "app3")
