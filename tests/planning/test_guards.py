"""Guards on whole plans: what each refuses, of what it only warns, and what it lets pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import pytest

from hactl.model.errors import InputError
from hactl.model.facts import DiskFacts, Filesystem, Replica
from hactl.model.guard import GUARDS, GuardVerdict, Ruling
from hactl.model.inventory import Inventory, MaintenanceWindow
from hactl.model.plan import History, Looked, Plan, RunRef
from hactl.model.playbook import Playbook, Targets
from hactl.model.state import LinkPhase
from hactl.planning.guards import RULES
from tests.model.builders import DOWN, DRAINED, GIB, MAINT, NOW, ROOT, Cluster, disk, lab, note, pgbackrest, primary
from tests.planning.playing import (
    WALL,
    drain,
    look,
    planned,
    playbook,
    reboot,
    refused,
    restart,
    run_command,
    said,
    step,
    undrain,
    upgrade,
    warned,
)

HA, DB, BACKUP = "haproxy:balancer", "postgresql:database", "pgbackrest:backup"
ALL_GUARDS = frozenset(GUARDS)

Change: TypeAlias = Callable[[Cluster], Cluster]


def same(cluster: Cluster) -> Cluster:
    return cluster


def out(*servers: str, how: dict[str, object] = DRAINED, lb: str = "*") -> Change:
    def change(cluster: Cluster) -> Cluster:
        for server in servers:
            cluster.server(lb, "be_shop", server, **how)
        return cluster

    return change


def sick(node: str, server: str) -> Change:
    """The service itself fails on the node, and balancers have noticed."""

    def change(cluster: Cluster) -> Cluster:
        cluster.change(node, "http:shop", status=500, healthy=False, error="")
        return out(server, how=DOWN)(cluster)

    return change


def synchronous(names: str, *states: str) -> Change:
    replicas = tuple(
        Replica(name, address, "streaming", state, 0, 0, 0)
        for (name, address), state in zip(
            (("db2", "192.168.56.32"), ("walreceiver", "192.168.57.33")), states, strict=False
        )
    )
    return lambda cluster: cluster.say("db1", DB, primary(synchronous_standby_names=names, replicas=replicas))


@dataclass(frozen=True)
class Case:
    """A plan on a changed cluster: exactly these guards refuse and warn; `told` stands in a sentence of `guard`."""

    name: str
    book: Playbook
    change: Change = same
    refuses: frozenset[str] | set[str] = frozenset()
    warns: frozenset[str] | set[str] = frozenset()
    guard: str = ""
    told: str = ""


IN_TWO = upgrade(batch="2")
CASES = [
    # --- enough left ---
    Case("a rolling upgrade of a healthy cluster", upgrade()),
    Case(
        "FAULTS 19: a drain that would leave too few",
        drain("app1,app2"),
        refuses={"minimum-available"},
        guard="minimum-available",
        told="shop would have 1 of 3 available without app1 and app2, minimum 2 (now 3)",
    ),
    Case(
        "two side by side",
        IN_TWO,
        refuses={"minimum-available", "maximum-unavailable"},
        guard="maximum-unavailable",
        told="app1 and app2 at once are more than the 1 of 3 that shop can spare",
    ),
    Case(
        "another member is down on one balancer only: not available",
        drain("app1"),
        out("shop-b", how=DOWN, lb="lb1"),
        refuses={"minimum-available"},
        guard="minimum-available",
        told="shop would have 1 of 3 available without app1, minimum 2 (now 2)",
    ),
    Case(
        "a member without weight is not available",
        drain("app1"),
        out("shop-b", how={"weight": 0}),
        refuses={"minimum-available", "critical-finding"},
    ),
    Case(
        "what is out already is not taken away",
        restart("app1", "shop.service"),
        sick("app1", "shop-a"),
        warns={"critical-finding"},
        guard="critical-finding",
        told="(this run works on it)",
    ),
    Case(
        "below the minimum already, and the run repairs",
        restart("app1", "shop.service"),
        lambda cluster: sick("app2", "shop-b")(sick("app1", "shop-a")(cluster)),
        refuses={"critical-finding"},  # the pool itself is critical, and another member of it
        warns={"minimum-available", "critical-finding"},
        guard="minimum-available",
        told="shop has 1 of 3 available, minimum 2; none of them is taken away",
    ),
    Case(
        "a restart of a member that stays in its pool",
        restart("app1", "shop.service"),
        warns={"minimum-available"},
        guard="minimum-available",
        told="app1 stays in shop while it is interrupted (restart)",
    ),
    Case("a unit that carries no service", restart("app1", "cron.service")),
    Case(
        "the only routed primary",
        drain("db1"),
        refuses={"minimum-available", "replication"},
        guard="minimum-available",
        told="database-primary would have 0 of 1 available without db1, minimum 1",
    ),
    Case("a standby leaves the pool of the primary", drain("db2")),
    Case(
        "the last balancer",
        reboot("lb2"),
        lambda cluster: cluster.unit("lb1", "haproxy.service", active="failed", sub="failed"),
        refuses={"minimum-available", "critical-finding"},
        guard="minimum-available",
        told="balancer would have 0 of 2 available without lb2, minimum 1 (now 1)",
    ),
    Case(
        "the holder of the address is rebooted",
        reboot("lb1"),
        warns={"minimum-available"},
        guard="minimum-available",
        told="lb1 has 192.168.56.10 and is interrupted (reboot)",
    ),
    Case(
        "the address is moved before",
        playbook(step("vip.move"), step("node.reboot"), targets=Targets(limit="lb1")),
    ),
    # --- enough known ---
    Case(
        "a target that cannot be asked",
        drain("app1"),
        lambda cluster: cluster.down("app1"),
        refuses={"unknown-data"},
        warns={"critical-finding"},
        guard="unknown-data",
        told="nothing is known of app1: no route to 192.168.56.11",
    ),
    Case(
        "a target that went silent",
        run_command("app1"),
        lambda cluster: cluster.say("app1", "host", cluster.get("app1", "host"), at=NOW - 60),
        refuses={"unknown-data"},
        guard="unknown-data",
        told="nothing is known of app1: no answer for 60 s",
    ),
    Case(
        "FAULTS 16: a balancer that cannot be asked",
        drain("app1"),
        lambda cluster: cluster.down("lb2"),
        refuses={"balancer-unreachable"},
        warns={"critical-finding"},
        guard="balancer-unreachable",
        told="lb2, a balancer of shop, cannot be asked: no route to",
    ),
    Case(
        "an admin socket that is denied",
        upgrade(),
        lambda cluster: cluster.fail("lb2", HA, "socket", "lb2: /run/haproxy/admin.sock is denied"),
        refuses={"balancer-unreachable"},
        guard="balancer-unreachable",
        told="lb2, a balancer of shop, cannot be asked: /run/haproxy/admin.sock is denied",
    ),
    Case(
        "no balancer at all: nobody can be counted",
        drain("app1"),
        lambda cluster: cluster.down("lb1", "lb2"),
        refuses={"balancer-unreachable", "unknown-data", "minimum-available"},
        warns={"critical-finding"},
        guard="unknown-data",
        told="whether app1, app2 and app3 can serve shop is not known",
    ),
    Case(
        "another database node that cannot be asked",
        reboot("db2"),
        lambda cluster: cluster.down("db1"),
        refuses={"unknown-data", "site-loss"},
        warns={"critical-finding"},
        guard="unknown-data",
        told="what db1 is to database is not known",
    ),
    Case(
        "a node that has nothing to do with it",
        upgrade(),
        lambda cluster: cluster.down("backup1"),
        warns={"critical-finding"},
    ),
    # --- nobody else ---
    Case(
        "a member that somebody has taken out",
        upgrade(limit="app1"),
        out("shop-b"),
        refuses={"minimum-available", "other-drain"},
        guard="other-drain",
        told="app2 is drained in shop on lb1 and lb2, for 1 h 23 m, by whom is not known",
    ),
    Case(
        "a member that somebody has taken out and left a note on",
        upgrade(limit="app1"),
        lambda cluster: out("shop-b")(cluster).say("app2", "note", note("app2")),
        refuses={"minimum-available", "other-drain"},
        guard="other-drain",
        told="app2 is drained in shop on lb1 and lb2, for 1 h 23 m, by anna@laptop (new disk)",
    ),
    Case(
        "a target that somebody has taken out: the run would bring it back",
        upgrade(limit="app1"),
        out("shop-a", how=MAINT, lb="lb1"),
        refuses={"other-drain"},
        guard="other-drain",
        told="app1 is in maintenance in shop on lb1, for 1 h 23 m, by whom is not known; this run would bring it back",
    ),
    Case("drained twice is a no-op", drain("app1"), out("shop-a")),
    Case(
        "one more drain beside another's",
        drain("app1"),
        out("shop-b"),
        refuses={"minimum-available"},
        warns={"other-drain"},
    ),
    # --- sites ---
    Case(
        "the only member of a site",
        reboot("db3"),
        warns={"site-loss"},
        guard="site-loss",
        told="database would have nobody left in west: db3 would be away (1 of 1 there are available now)",
    ),
    # --- databases ---
    Case(
        "the primary is rebooted",
        reboot("db1"),
        refuses={"minimum-available", "replication"},
        warns={"minimum-available"},
        guard="replication",
        told="db1 is the primary of database: nobody could write; switch over first",
    ),
    Case("a unit on the primary that is not the database", restart("db1", "cron.service")),
    Case(
        "commits would wait",
        reboot("db2"),
        synchronous("FIRST 1 (db2)", "sync"),
        refuses={"replication"},
        guard="replication",
        told="database would have 0 synchronous standbys without db2, and its commits wait for 1",
    ),
    Case("another one can confirm", reboot("db2"), synchronous("ANY 1 (db2, db3)", "quorum", "quorum")),
    Case(
        "both have to confirm, one by its address",
        reboot("db3"),
        synchronous("2 (db2, walreceiver)", "sync", "sync"),
        refuses={"replication"},
        warns={"site-loss"},
        guard="replication",
        told="would have 1 synchronous standbys without db3, and its commits wait for 2",
    ),
    Case(
        "nobody left to take over",
        reboot("db2"),
        synchronous("", "async"),
        warns={"replication"},
        guard="replication",
        told="database would have no standby that could take over without db2",
    ),
    Case(
        "a backup is being made",
        reboot("backup1"),
        lambda cluster: cluster.say("backup1", BACKUP, pgbackrest(running=True)),
        refuses={"backup-running", "minimum-available"},
        guard="backup-running",
        told="a backup of stanza main is being made, and backup1 may be part of it",
    ),
    Case(
        "a backup, and a standby is rebooted",
        reboot("db2"),
        lambda cluster: cluster.say("backup1", BACKUP, pgbackrest(running=True)),
        refuses={"backup-running"},
    ),
    Case(
        "a backup, and nothing of it is touched",
        upgrade(),
        lambda cluster: cluster.say("backup1", BACKUP, pgbackrest(running=True)),
    ),
    # --- room ---
    Case(
        "FAULTS 10: a full disk where something is installed",
        upgrade(),
        lambda cluster: cluster.say("app2", "disk", disk("/var", used=96)),
        refuses={"disk-space"},
        warns={"critical-finding"},
        guard="disk-space",
        told="/var of app2 is 96 % full, 819 MiB left",
    ),
    Case(
        "no inodes",
        upgrade(),
        lambda cluster: cluster.say(
            "app2", "disk", DiskFacts((Filesystem("/", "/dev/vda1", 20 * GIB, 10 * GIB, 50.0, 97.0),))
        ),
        refuses={"disk-space"},
        warns={"critical-finding"},
        guard="disk-space",
        told="/ of app2 has 97 % of its inodes in use",
    ),
    Case(
        "a full disk where nothing is installed",
        drain("app2"),
        lambda cluster: cluster.say("app2", "disk", disk("/var", used=96)),
        warns={"critical-finding"},
    ),
    # --- critical findings ---
    Case(
        "nobody has the address",
        drain("app1"),
        lambda cluster: cluster.addresses("lb1", "192.168.56.11"),
        refuses={"critical-finding"},
        guard="critical-finding",
        told="nobody has 192.168.56.10",
    ),
    Case(
        "another member of the pool is sick",
        upgrade(limit="app1"),
        sick("app3", "shop-c"),
        refuses={"critical-finding", "minimum-available"},
    ),
    Case(
        "a full disk elsewhere",
        drain("app1"),
        lambda cluster: cluster.say("backup1", "disk", disk("/var", used=99)),
        warns={"critical-finding"},
        guard="critical-finding",
        told="backup1: disk /var 99 % full",
    ),
    # --- bringing back, looking, running something ---
    Case("undrain", undrain("app1"), out("shop-a")),
    Case("undrain, two drained", undrain("app1"), out("shop-a", "shop-b"), warns={"critical-finding"}),
    Case(
        "undrain, a balancer cannot be asked",
        undrain("app1"),
        lambda cluster: out("shop-a")(cluster).down("lb2"),
        refuses={"balancer-unreachable"},
        warns={"critical-finding"},
    ),
    Case("undrain, sick", undrain("app1"), sick("app1", "shop-a"), warns={"critical-finding"}),
    Case("undrain of a primary", undrain("db1")),
    Case("a look at what cannot be asked", look("app1"), lambda cluster: cluster.down("app1", "lb1")),
    Case("a command, much is wrong", run_command("app1"), out("shop-b", "shop-c"), warns={"critical-finding"}),
    Case("a command on the primary", run_command("db1")),
    Case(
        "a command, a balancer cannot be asked",
        run_command("app1"),
        lambda cluster: cluster.down("lb2"),
        warns={"balancer-unreachable", "critical-finding"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_guards_say(case: Case) -> None:
    plan = planned(case.book, case.change(Cluster()))
    assert (refused(plan), warned(plan)) == (set(case.refuses), set(case.warns))
    if case.told:
        assert any(case.told in sentence for sentence in said(plan, case.guard)), said(plan, case.guard)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_refusal_can_be_set_aside_by_its_name(case: Case) -> None:
    """And by no other: with all of the names but one, that one still refuses."""
    cluster = case.change(Cluster())
    assert refused(planned(case.book, cluster, overrides=frozenset(case.refuses))) == set()
    for name in case.refuses:
        assert refused(planned(case.book, cluster, overrides=frozenset(case.refuses) - {name})) == {name}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_playbook_may_switch_guards_off(case: Case) -> None:
    book = replace(case.book, guards=dict.fromkeys(case.refuses, False))
    plan = planned(book, case.change(Cluster()))
    assert refused(plan) == set()
    for name in case.refuses:
        assert said(plan, name) == [f"{book.name} does not ask for it"]


def test_all_refusals_come_at_once() -> None:
    cluster = out("shop-b")(Cluster()).down("lb2").say("app1", "disk", disk(used=99))
    history = History(unfinished=(RunRef("r1", "drain", "anna@laptop", WALL - 60, alive=True),))
    plan = planned(upgrade(batch="3"), cluster, history=history)
    assert refused(plan) >= {
        "minimum-available",
        "maximum-unavailable",
        "balancer-unreachable",
        "other-run",
        "other-drain",
        "disk-space",
    }


# --- other runs -------------------------------------------------------------------------------------------------


def unfinished(*, alive: bool) -> History:
    return History(unfinished=(RunRef("20251009-0800-abc", "rolling-upgrade", "anna@laptop", WALL - 60, alive=alive),))


@pytest.mark.parametrize(
    ("book", "alive", "ruling"),
    [
        (upgrade(), True, Ruling.REFUSE),
        (upgrade(), False, Ruling.REFUSE),
        (run_command(), False, Ruling.REFUSE),
        (undrain("app1"), False, Ruling.WARN),  # a stranded drain may be what is repaired
        (look(), True, None),
    ],
)
def test_other_runs(book: Playbook, alive: bool, ruling: Ruling | None) -> None:  # noqa: FBT001
    plan = planned(book, history=unfinished(alive=alive))
    found = [verdict for verdict in plan.verdicts if verdict.guard == "other-run"]
    assert [verdict.ruling for verdict in found] == ([] if ruling is None else [ruling])
    if ruling is not None:
        expected = "has been under way since" if alive else "hactl runs resume 20251009-0800-abc"
        assert expected in found[0].sentence
        assert "anna@laptop" in found[0].sentence


# --- windows ----------------------------------------------------------------------------------------------------

NIGHT = MaintenanceWindow((4, 5), 22 * 60, 4 * 60)  # Friday and Saturday nights
THURSDAY_0926 = WALL  # 2025-10-09 09:10 UTC and a thousand seconds
HOUR = 3600.0


def with_windows(*windows: MaintenanceWindow) -> Inventory:
    return replace(lab(), maintenance=windows)


@pytest.mark.parametrize(
    ("hours", "open_"),
    [
        (0, False),
        (24, False),  # Friday morning
        (24 + 13, True),  # Friday 22:10
        (24 + 18.5, True),  # Saturday 03:40
        (24 + 19, False),  # Saturday 04:10
        (3 * 24 - 6, True),  # Sunday 03:10 belongs to Saturday's night
        (3 * 24 + 18, False),  # Monday 03:10 would be Sunday's
    ],
)
def test_maintenance_windows(hours: float, open_: bool) -> None:  # noqa: FBT001
    inventory = with_windows(NIGHT)
    plan = planned(upgrade(), Cluster(inventory), inventory=inventory, wall=THURSDAY_0926 + hours * HOUR)
    assert refused(plan) == (set() if open_ else {"maintenance-window"})


def test_outside_of_the_windows_bringing_back_and_looking_go_on() -> None:
    inventory = with_windows(NIGHT, MaintenanceWindow(tuple(range(7)), 60, 120))
    cluster = out("shop-a")(Cluster(inventory))
    plan = planned(undrain("app1"), cluster, inventory=inventory)
    assert (refused(plan), warned(plan)) == (set(), {"maintenance-window"})
    assert said(plan, "maintenance-window") == [
        "Thu 09:10 UTC is outside of the maintenance windows: Fri, Sat 22:00-04:00 and daily 01:00-02:00 UTC"
    ]
    assert refused(planned(run_command(), cluster, inventory=inventory)) == {"maintenance-window"}
    assert not planned(look(), cluster, inventory=inventory).verdicts


# --- sites ------------------------------------------------------------------------------------------------------


def two_sites() -> Inventory:
    """app2 and app3 stand in the west; the shop gets by with one."""
    inventory = lab()
    west = {name: replace(inventory.nodes[name], site="west") for name in ("app2", "app3")}
    shop = replace(inventory.pools["shop"], minimum=1)
    return replace(
        inventory,
        nodes={**inventory.nodes, **west},
        pools={**inventory.pools, "shop": shop},
        services={**inventory.services, "shop": replace(inventory.services["shop"], minimum=1)},
    )


@pytest.mark.parametrize(
    ("book", "change", "refuses"),
    [
        (upgrade(), same, set()),  # one after another, each site keeps one; app1 cannot be helped
        (drain("app2,app3"), same, {"site-loss"}),
        (upgrade(limit="app2"), out("shop-c", how=DOWN), {"site-loss"}),
    ],
)
def test_a_site_is_not_emptied(book: Playbook, change: Change, refuses: set[str]) -> None:
    inventory = two_sites()
    plan = planned(book, change(Cluster(inventory)), inventory=inventory)
    assert {name for name in refused(plan) if name == "site-loss"} == refuses


def test_a_service_may_want_more_than_its_pool() -> None:
    inventory = lab()
    shop = replace(inventory.services["shop"], minimum=3)
    inventory = replace(inventory, services={**inventory.services, "shop": shop})
    assert refused(planned(drain("app1"), Cluster(inventory), inventory=inventory)) == {"minimum-available"}


# --- what nodes say ---------------------------------------------------------------------------------------------


def test_preflight_verdicts_join_and_are_set_aside_alike() -> None:
    told = (
        GuardVerdict("sudo", Ruling.REFUSE, "sudo does not allow it", "app1"),
        GuardVerdict("package-available", Ruling.REFUSE, "shop 9 is not on offer", "app1"),
    )
    looked = (Looked(1, done=False, sentence="", verdicts=told),)
    assert refused(planned(upgrade(), looked=looked)) == {"sudo", "package-available"}
    plan = planned(upgrade(), looked=looked, overrides=frozenset({"sudo"}))
    assert refused(plan) == {"package-available"}
    assert [verdict.guard for verdict in plan.verdicts if verdict.overridden] == ["sudo"]


def test_refusals_come_first_and_every_guard_speaks() -> None:
    plan = planned(drain("app1,app2"))
    rulings = [verdict.ruling for verdict in plan.verdicts]
    assert rulings == sorted(rulings, key=[Ruling.REFUSE, Ruling.WARN, Ruling.OK].index)
    spoken = {verdict.guard for verdict in plan.verdicts}
    assert spoken == {guard.name for guard in RULES}
    assert spoken | {"targets", "package-available", "sudo", "lock"} <= ALL_GUARDS


def test_an_override_of_nothing_is_an_error_when_finished_too() -> None:
    with pytest.raises(InputError):
        planned(upgrade(), overrides=frozenset({"everything"}))


def test_the_weakest_moment_is_told() -> None:
    def weakest(plan: Plan) -> list[tuple[str, str]]:
        return [(one.sentence, one.during) for one in plan.weakest]

    assert weakest(planned(upgrade())) == [("shop: 2 of 3 available, minimum 2", "batch 1 (app1)")]
    assert weakest(planned(drain("role:app"))) == [("shop: 0 of 3 available, minimum 2", "batch 3 (app3)")]
    assert weakest(planned(undrain("app1"), out("shop-a")(Cluster()))) == [("shop: 2 of 3 available, minimum 2", "now")]
    lbs = weakest(planned(reboot("role:lb")))
    assert lbs[0] == ("balancer: 1 of 2 available, minimum 1", "batch 1 (lb1)")


def test_a_link_that_is_not_up_is_not_counted_as_working() -> None:
    plan = planned(reboot("lb1"), Cluster().link("lb2", LinkPhase.CONNECTING))
    assert {"minimum-available", "unknown-data"} <= refused(plan)


def test_the_page_about_guards_has_a_row_for_each() -> None:
    page = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
    for name in GUARDS:
        assert f"| `{name}` |" in page
        assert f"- **{name}**. " in page
