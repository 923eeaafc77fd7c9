"""Parameters that the live picture fills in: the real names stand in the plan, and what cannot be told is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hactl.model.errors import InputError
from hactl.model.inventory import PgbackrestService
from hactl.model.parameters import Parameter, ParameterKind, Place, Side, Taken, Value
from hactl.model.playbook import Ref, Scope
from hactl.planning.parameters import Told, filled, told
from tests.model.builders import MIB, WAL, Cluster, lab, primary, standby, with_uploads
from tests.planning.playing import drafted, playbook, step

DB = "postgresql:database"
NODE = ParameterKind.NODE
SITE = Parameter("site", ParameterKind.SITE, "")
GIVEN = (
    Parameter("service", ParameterKind.SERVICE, "", taken=Taken("the only postgresql")),
    Parameter("vip", ParameterKind.VIP, "", taken=Taken("the only vip")),
)


def take(source: str, cluster: Cluster | None = None, default: Value | None = None) -> Value:
    """What the source gives."""
    of = "vip" if source == "holder" else "service"
    cluster = cluster or Cluster()
    book = playbook(
        step("pause"),
        targets=None,
        parameters=(*GIVEN, Parameter("it", NODE, "", default, taken=Taken(source, of))),
    )
    return filled(book, {}, cluster.inventory, cluster.picture())["it"]


def off() -> Cluster:
    cluster = Cluster().down("db1")
    for node in ("db2", "db3"):
        cluster.change(node, DB, receiver_status="", primary_host="")
    return cluster


TOLD: list[tuple[str, Callable[[], Cluster], str]] = [
    ("primary", Cluster, "db1"),
    ("last primary", Cluster, "db1"),
    ("candidate", Cluster, "db2"),
    ("survivor", Cluster, "db2"),
    ("holder", Cluster, "lb1"),
    ("candidate", lambda: Cluster().change("db2", DB, replay_paused=True), "db3"),
    ("survivor", lambda: Cluster().change("db3", DB, lsn=WAL + MIB), "db3"),
    ("last primary", off, "db1"),
    ("candidate", off, "db2"),
    ("survivor", lambda: off().change("db3", DB, lsn=WAL + MIB), "db3"),
]


@pytest.mark.parametrize(("source", "cluster", "node"), TOLD)
def test_what_is_taken(source: str, cluster: Callable[[], Cluster], node: str) -> None:
    assert take(source, cluster()) == node


@pytest.mark.parametrize("source", ["repository", "drill node"])
def test_what_the_inventory_says_of_backups(source: str) -> None:
    backups = Parameter("service", ParameterKind.SERVICE, "", taken=Taken("the first pgbackrest"))
    book = playbook(
        step("pause"), targets=None, parameters=(backups, Parameter("it", NODE, "", taken=Taken(source, "service")))
    )
    inventory = Cluster().inventory
    assert filled(book, {}, inventory, None)["it"] == "backup1"
    service = inventory.services["backup"]
    assert isinstance(service, PgbackrestService)
    nowhere = replace(inventory, services={**inventory.services, "backup": replace(service, drill_node=None)})
    if source == "drill node":
        with pytest.raises(InputError, match="it: the inventory names no drill_node for backup"):
            filled(book, {}, nowhere, None)


NOT_TOLD: list[tuple[str, Callable[[], Cluster], str]] = [
    ("primary", off, "it: database has no primary in sight, and db1 could not be asked."),
    ("primary", lambda: Cluster().say("db2", DB, primary()), "it: database has 2 primaries: db1 and db2."),
    ("last primary", lambda: Cluster().say("db2", DB, primary()), "it: database has 2 primaries: db1 and db2."),
    (
        "last primary",
        lambda: off().forget("db1", DB),
        "and nobody knows which one it was; say so yourself.",
    ),
    (
        "candidate",
        lambda: Cluster().change("db2", DB, timeline=2).down("db3", reason="no route."),
        "it: nobody can take over database: db2: it is on timeline 2, the primary db1 on 1; db3: it cannot be",
    ),
    (
        "holder",
        lambda: Cluster().addresses("lb2", "192.168.56.12", "192.168.56.10"),
        "it: nobody can be called the holder of public: 192.168.56.10 is on lb1 and lb2 at once.",
    ),
]


@pytest.mark.parametrize(("source", "cluster", "sentence"), NOT_TOLD)
def test_what_cannot_be_told_is_said(source: str, cluster: Callable[[], Cluster], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        take(source, cluster())
    assert sentence in caught.value.message


def test_a_default_holds_where_there_is_none_and_why_is_told() -> None:
    inventory = Cluster().inventory
    services = {name: one for name, one in inventory.services.items() if name != "database"}
    database = replace(GIVEN[0], default="")
    primary_of_it = Parameter("it", NODE, "", "", taken=Taken("primary", "service"))
    book = playbook(step("pause"), targets=None, parameters=(database, primary_of_it))
    found = told(book, {}, replace(inventory, services=services))
    assert found.values == {"service": "", "it": ""}
    assert found.empty == dict.fromkeys(("service", "it"), "the inventory has no postgresql service")


def test_what_nobody_can_tell_is_not_taken_for_none() -> None:
    assert take("primary", default="") == "db1"
    with pytest.raises(InputError, match="database has no primary in sight"):
        take("primary", off(), default="")


def test_a_place_narrows_whom_it_may_be() -> None:
    def placed(source: str, of: str, side: Side, site: str, default: str | None = None) -> Told:
        what = Parameter("it", NODE, "", default, taken=Taken(source, of, Place(side, "site")))
        server = Parameter("server", NODE, "")
        book = playbook(step("pause"), targets=None, parameters=(SITE, *GIVEN, server, what))
        cluster = Cluster()
        return told(book, {"site": site, "server": "db1"}, cluster.inventory, cluster.picture())

    assert placed("primary", "service", Side.IN, "east").values["it"] == "db1"
    assert placed("holder", "vip", Side.OUTSIDE, "west").values["it"] == "lb1"
    assert placed("candidate", "service", Side.OUTSIDE, "east").values["it"] == "db3"
    assert placed("candidate", "service", Side.IN, "east").values["it"] == "db2"
    assert placed("replacement", "server", Side.OUTSIDE, "east").values["it"] == "db3"
    elsewhere = placed("primary", "service", Side.IN, "west", default="")
    assert elsewhere.values["it"] == ""
    assert elsewhere.empty == {"it": "the primary of database is db1, which is not in west"}
    with pytest.raises(InputError, match="it: the primary of database is db1, which is in east"):
        placed("primary", "service", Side.OUTSIDE, "east")


def test_only_a_primary_is_replaced() -> None:
    server = Parameter("server", NODE, "")
    what = Parameter("it", NODE, "", taken=Taken("replacement", "server"))
    book, cluster = playbook(step("pause"), targets=None, parameters=(server, what)), Cluster()
    with pytest.raises(InputError, match="it: db2 is not the primary of database: that is db1"):
        filled(book, {"server": "db2"}, cluster.inventory, cluster.picture())


def test_the_servers_of_a_service_are_a_limit() -> None:
    servers = Parameter("servers", ParameterKind.LIMIT, "", taken=Taken("servers", "service"))
    book = playbook(step("pause"), targets=None, parameters=(GIVEN[0], servers))
    assert filled(book, {}, Cluster().inventory)["servers"] == "service:database"


def test_what_the_operator_says_wins() -> None:
    book = playbook(step("pause"), targets=None, parameters=(*GIVEN, replace(GIVEN[0], name="it")))
    cluster = Cluster()
    assert filled(book, {"it": "shop", "vip": "public"}, cluster.inventory, cluster.picture())["it"] == "shop"


def test_a_service_that_is_no_database() -> None:
    book = playbook(
        step("pause"), targets=None, parameters=(*GIVEN, Parameter("it", NODE, "", taken=Taken("primary", "service")))
    )
    cluster = Cluster()
    with pytest.raises(InputError, match="shop is no PostgreSQL database"):
        filled(book, {"service": "shop"}, cluster.inventory, cluster.picture())


def test_of_several_vips_one_has_to_be_named() -> None:
    cluster = Cluster()
    second = replace(cluster.inventory.vips["public"], name="inner", address="192.168.56.9")
    inventory = replace(cluster.inventory, vips={**cluster.inventory.vips, "inner": second})
    with pytest.raises(InputError, match="vip: say which vip: public, inner"):
        filled(playbook(step("pause"), targets=None, parameters=GIVEN), {}, inventory)


def test_before_anybody_has_looked_nothing_is_taken() -> None:
    book = playbook(
        step("pause"), targets=None, parameters=(*GIVEN, Parameter("it", NODE, "", taken=Taken("primary", "service")))
    )
    assert filled(book, {}, Cluster().inventory) == {"service": "database", "vip": "public", "it": ""}


def test_the_plan_has_the_names_and_whoever_makes_it_again_means_the_same() -> None:
    book = playbook(
        step("service.restart", on=Ref("to"), scope=Scope.RUN),
        targets=None,
        parameters=(*GIVEN, Parameter("to", NODE, "", taken=Taken("candidate", "service"))),
    )
    plan = drafted(book, Cluster())
    assert [one.node for one in plan.steps] == ["db2"]
    assert plan.parameters == {"service": "database", "vip": "public", "to": "db2"}
    assert plan.request.parameters == plan.parameters
    later = Cluster().say("db3", DB, standby()).change("db2", DB, replay_paused=True)
    assert [one.node for one in drafted(book, later, parameters=plan.request.parameters).steps] == ["db2"]


@pytest.mark.parametrize(("source", "name"), [("the first pgbackrest", "backup"), ("the first restic", "uploads")])
def test_of_several_services_that_keep_copies_the_first_is_meant(source: str, name: str) -> None:
    book = playbook(
        step("pause"), targets=None, parameters=(Parameter("it", ParameterKind.SERVICE, "", taken=Taken(source)),)
    )
    assert filled(book, {}, with_uploads())["it"] == name
    without = replace(lab(), services={})
    with pytest.raises(InputError, match=f"the inventory has no {source.removeprefix('the first ')} service"):
        filled(book, {}, without)
