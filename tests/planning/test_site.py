"""The playbooks that take everything away from a site and bring it back, as plans: what is left out, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hactl.config.playbooks import load_playbook
from hactl.drivers.verbs.catalogue import VERBS
from hactl.model.errors import InputError
from hactl.model.inventory import Inventory
from hactl.model.parameters import Value
from hactl.model.plan import Plan, Request
from hactl.planning.draft import draft
from hactl.planning.finish import finished
from tests.model.builders import Cluster, lab
from tests.planning.playing import refused, said, world
from tests.planning.test_steps import swap

DB = "postgresql:database"
SWITCHOVER = ("ready", "hold", "stop", "promote", "release", "follow", "follow", "follow", "archived")


def moved(**sites: str) -> Inventory:
    """The lab with nodes elsewhere; its shop gets by with one."""
    inventory = lab()
    shop = replace(inventory.pools["shop"], minimum=1)
    nodes = {name: replace(inventory.nodes[name], site=site) for name, site in sites.items()}
    return replace(inventory, nodes={**inventory.nodes, **nodes}, pools={**inventory.pools, "shop": shop})


def planned(cluster: Cluster, site: str = "west", name: str = "site-evacuate", **parameters: Value) -> Plan:
    book = load_playbook(name, VERBS, env={"HOME": "/nowhere"})
    around = world(cluster.picture(), cluster.inventory)
    request = Request(book.name, {"site": site, **parameters})
    return finished(draft(book, request, around, VERBS), (), around)


def acts(plan: Plan) -> list[str]:
    return [step.label for step in plan.steps]


def test_a_site_without_the_primary_and_without_balancers_is_only_drained() -> None:
    plan = planned(Cluster(moved(app3="west")))
    assert acts(plan) == ["drain app3", "drain db3"]
    assert not plan.refusals
    assert plan.untouched == {"backup1": "backup1 may not hold any VIP; backup1 is not in any pool"}
    why = "Left out are ready, hold, stop, promote, release, follow and archived: "
    assert f"{why}the primary of database is db1, which is not in west." in plan.notes


def test_the_primary_moves_first_then_the_vip_holder_last() -> None:
    west = ("lb1", "app3", "db1")
    plan = planned(Cluster(moved(**dict.fromkeys(west, "west"))))
    assert tuple(step.name for step in plan.steps[:9]) == SWITCHOVER
    assert acts(plan)[9:] == ["drain app3", "drain db1", "drain db3", "vip lb1"]
    assert plan.parameters["primary"] == "db1"
    assert plan.parameters["to"] == "db2"
    assert not plan.refusals
    assert {one.name: one.available for one in plan.weakest}["database-primary"] == 1


def test_a_database_is_not_needed() -> None:
    plan = planned(Cluster(moved(app3="west")), service="")
    assert acts(plan) == ["drain app3", "drain db3"]
    assert any(note.endswith("and archived: primary is empty.") for note in plan.notes)


def test_all_that_speaks_against_it_is_said_at_once() -> None:
    plan = planned(Cluster(), "east")
    assert refused(plan) == {"minimum-available"}
    assert said(plan, "minimum-available") == [
        "shop would have 0 of 3 available without app1, app2 and app3, minimum 2 (now 3)",
        "public (192.168.56.10) has nowhere to go from lb1 and lb2: nobody else may hold it",
    ]


def test_a_vip_that_only_a_dead_balancer_could_take_has_nowhere_to_go() -> None:
    plan = planned(Cluster(moved(lb1="west")).down("lb2"))
    assert "public (192.168.56.10) has nowhere to go from lb1: lb2 does not work" in said(plan, "minimum-available")
    assert not said(planned(Cluster(moved(lb2="west"))), "minimum-available")[0].startswith("public")


def test_what_is_said_has_to_stand_where_what_is_taken_would() -> None:
    with pytest.raises(InputError, match="to: db3 is in west"):
        planned(switched(), to="db3")
    with pytest.raises(InputError, match="primary: db1 is not in west"):
        planned(Cluster(), primary="db1")


def switched() -> Cluster:
    """db2 is the primary, and stands in the west with db3."""
    cluster = swap(Cluster(moved(db2="west")))
    for node in ("db1", "db3"):
        cluster.change(node, DB, primary_host="192.168.56.32")
    return cluster


def test_a_primary_that_is_relieved_first_is_drained_like_any_other() -> None:
    plan = planned(switched())
    assert (plan.parameters["primary"], plan.parameters["to"]) == ("db2", "db1")
    assert [step.node for step in plan.steps if step.name == "drain"] == ["db2", "db3"]
    assert all(step.first for step in plan.steps if step.name == "drain")
    assert not plan.refusals


def test_nobody_elsewhere_can_take_over() -> None:
    cluster = Cluster(moved(db1="west", db2="west"))
    with pytest.raises(InputError) as caught:
        planned(cluster)
    assert "to: nobody can take over database: db2: it is in west; db3: it is in west." in caught.value.message


def test_a_primary_that_nobody_knows_is_not_taken_for_none() -> None:
    with pytest.raises(InputError, match="primary: database has no primary in sight, and db1 could not be asked"):
        planned(Cluster().down("db1"))


def test_of_several_databases_one_has_to_be_named() -> None:
    inventory = moved()
    second = replace(inventory.services["database"], name="other")
    inventory = replace(inventory, services={**inventory.services, "other": second})
    with pytest.raises(InputError, match="service: say which postgresql service: database, other"):
        planned(Cluster(inventory))


def test_a_site_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r'site: there is no site "wets"; did you mean "west"\?'):
        planned(Cluster(), "wets")


def test_coming_back() -> None:
    plan = planned(Cluster(), "east", "site-return")
    assert acts(plan)[:2] == ["vip lb1", "vip lb2"]
    assert acts(plan)[2:] == [f"undrain {node}" for node in ("app1", "app2", "app3", "db1", "db2")]
    assert not plan.refusals


def test_the_drain_of_a_primary_that_nobody_relieves_is_refused() -> None:
    cluster = Cluster(moved(db1="west"))
    assert "db1" in {one.node for one in planned(cluster, service="").refusals}
