"""One change to a healthy lab at a time, and every finding that must come of it: (key, level, part of the sentence)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hactl.model.drills import Check, CheckOutcome, DrillRecord, Leftover, Verdict
from hactl.model.facts import ClockFacts, HttpFacts, PostgresqlRole, Replica, RepositoryStatus
from hactl.model.state import LinkPhase
from tests.model.builders import (
    DOWN,
    DRAINED,
    GIB,
    IDENTIFIER,
    MAINT,
    MIB,
    NOW,
    WAL,
    Cluster,
    archiver,
    backend,
    disk,
    drill,
    drills,
    haproxy,
    made,
    note,
    primary,
    server,
    slot,
    standby,
)

DB, LB, BACKUP, DRILL = "postgresql:database", "haproxy:balancer", "pgbackrest:backup", "drill:backup"
UNIT = "postgresql@15-main.service"
VIP = "192.168.56.10"
Expected = tuple[str, str, str]


@dataclass(frozen=True)
class Case:
    name: str
    change: Callable[[Cluster], object]
    findings: tuple[Expected, ...]

    def cluster(self) -> Cluster:
        cluster = Cluster()
        self.change(cluster)
        return cluster


UNCHECKED = Check("amcheck", CheckOutcome.SKIPPED, "no such program")


def failed_drill(days_ago: float, **changes: object) -> DrillRecord:
    """One that found rows that must not be."""
    checks = Check("orders-table", CheckOutcome.OK, "t"), Check("orders-sound", CheckOutcome.FAIL, "3 is not = 0")
    return replace(drill(days_ago, verdict=Verdict.FAIL, checks=checks), **changes)


def _database_off(c: Cluster) -> None:
    """db1 is gone: its balancers and standbys know."""
    c.down("db1").server("*", "be_pg_primary", "db1", **DOWN)
    c.change("db2", DB, receiver_status="").change("db3", DB, receiver_status="")


def _fenced(c: Cluster) -> None:
    """db2 was kept from starting."""
    c.unit("db2", UNIT, load="masked", active="inactive", sub="dead", enabled="masked")
    c.fail("db2", DB, "database-down", "no PostgreSQL there")


def _held(c: Cluster) -> None:
    """The gate is shut on lb1."""
    facts = c.get("lb1", LB)
    gate = replace(facts.frontends["fe_shop"], name="fe_pg_gate", status="PAUSED")
    c.change("lb1", LB, frontends={**facts.frontends, "fe_pg_gate": gate})


def _promoted(c: Cluster) -> None:
    """db2 is the primary on timeline 2, and db1 was not told."""
    c.say("db2", DB, primary(timeline=2))


def _unit_off(c: Cluster) -> None:
    c.unit("app2", "shop.service", active="inactive", sub="dead")
    c.say("app2", "http:shop", HttpFacts(0, 0.0, "", "cannot connect to 127.0.0.1 port 8080 from there"))
    c.server("*", "be_shop", "shop-b", **DOWN)


def _archive_gone(c: Cluster) -> None:
    c.change("backup1", BACKUP, archive_max={1: f"0000000100000000{0x40 - 20:08X}"})


REACH = (
    Case("nothing is wrong", lambda c: None, ()),
    Case(
        "app node off: one root cause, and what it means for the pool",
        lambda c: c.down("app1").server("*", "be_shop", "shop-a", **DOWN),
        (
            ("link:app1", "crit", "unreachable since 09:09:30 UTC: no route"),
            ("pool:shop", "warn", "2 of 3 available, minimum 2"),
        ),
    ),
    Case(
        "app node off for SSH only: the balancers still use it",
        lambda c: c.down("app1"),
        (("link:app1", "crit", "unreachable since"),),
    ),
    Case(
        "two of three app nodes off",
        lambda c: (
            c.down("app1", "app2").server("*", "be_shop", "shop-a", **DOWN).server("*", "be_shop", "shop-b", **DOWN)
        ),
        (
            ("link:app1", "crit", "unreachable"),
            ("link:app2", "crit", "unreachable"),
            ("pool:shop", "crit", "1 of 3 available, minimum 2"),
        ),
    ),
    Case(
        "host key changed",
        lambda c: c.down("app3", code="host-key-changed", reason="the host key of app3 has CHANGED. Nothing was sent."),
        (("link:app3", "crit", "the host key of app3 has CHANGED"),),
    ),
    Case(
        "host key unknown",
        lambda c: c.down("app3", code="host-key-unknown", reason=""),
        (("link:app3", "unknown", "its host key is not known"),),
    ),
    Case(
        "login refused",
        lambda c: c.down("app3", code="authentication", reason="app3 does not let hactl in."),
        (("link:app3", "unknown", "does not let hactl in"),),
    ),
    Case(
        "still connecting is not known, and never fine",
        lambda c: c.link("app3", LinkPhase.CONNECTING),
        (("link:app3", "unknown", "connecting"),),
    ),
    Case(
        "backup host off",
        lambda c: c.down("backup1"),
        (("link:backup1", "crit", "unreachable"),),
    ),
)

HOST = (
    Case(
        "disk over its limit",
        lambda c: c.say("app1", "disk", disk("/var", 93.2)),
        (("disk:app1:/var", "crit", "disk /var 93 % full, 1.4 GiB left (warn 80, crit 90)"),),
    ),
    Case(
        "a role's own limit",
        lambda c: c.say("backup1", "disk", disk("/", 84.0)).say("db3", "disk", disk("/", 84.0)),
        (("disk:db3:/", "warn", "84 % full"),),
    ),
    Case(
        "inodes",
        lambda c: c.say("app1", "disk", disk("/srv", 10, inodes=99.0)),
        (("inodes:app1:/srv", "crit", "disk /srv inodes 99 % used"),),
    ),
    Case(
        "memory",
        lambda c: c.change("app1", "host", memory_available=200 * MIB),
        (("memory:app1", "warn", "memory 95 % used, 200 MiB of 4 GiB available"),),
    ),
    Case("swap", lambda c: c.change("app1", "host", swap_free=GIB // 4), (("swap:app1", "warn", "swap 75 % used"),)),
    Case("no swap at all is fine", lambda c: c.change("app1", "host", swap_total=0, swap_free=0), ()),
    Case("load", lambda c: c.change("app1", "host", load5=9.0), (("load:app1", "warn", "load 4.5 per core, 9 on 2"),)),
    Case(
        "a burst of processor time is no finding",
        lambda c: c.say(
            "app1",
            "host",
            replace(c.get("app1", "host"), cpu_busy=2400),
            before=replace(c.get("app1", "host"), cpu_total=19600),
        ),
        (),
    ),
    Case(
        "busy, and tasks wait",
        lambda c: c.say(
            "app1",
            "host",
            replace(c.get("app1", "host"), cpu_busy=2400, load1=2.5),
            before=replace(c.get("app1", "host"), cpu_total=19600),
        ),
        (("cpu:app1", "crit", "cpu 100 %, load 2.5 (warn 90, crit 98)"),),
    ),
    Case(
        "just booted",
        lambda c: c.change("app1", "host", uptime=90.0),
        (("uptime:app1", "warn", "restarted 1 m 30 s ago"),),
    ),
    Case(
        "clock ahead",
        lambda c: c.say("app1", "clock", ClockFacts(40.0, 0.01, synchronized=None)),
        (("clock:app1", "crit", "clock ahead by at least 40 s (warn 0.5 s, crit 5 s)"),),
    ),
    Case(
        "clock behind",
        lambda c: c.say("app1", "clock", ClockFacts(-1.0, 0.01, synchronized=None)),
        (("clock:app1", "warn", "clock behind by at least 1.0 s"),),
    ),
    Case(
        "a slow answer is no skew: it lies within its own error",
        lambda c: c.say("app1", "clock", ClockFacts(0.4, 0.37, synchronized=None)),
        (),
    ),
    Case(
        "a slow link",
        lambda c: c.say("app1", "clock", ClockFacts(2.0, 1.9, synchronized=None)),
        (("round-trip:app1", "crit", "slow to answer: 3800 ms (warn 750, crit 3000)"),),
    ),
    Case(
        "failed unit",
        lambda c: c.change("app1", "units", failed=("man-db.service", "a.service", "b.service", "c.service")),
        (("failed-units:app1", "warn", "failed units: 4, man-db.service, a.service, b.service and 1 more"),),
    ),
    Case(
        "reboot needed",
        lambda c: c.change("app1", "packages", reboot_required=True, pending_security=2),
        (
            ("reboot:app1", "warn", "needs a reboot"),
            ("pending-security-upgrades:app1", "warn", "pending security upgrades: 2 (warn 1)"),
        ),
    ),
)

ANSWERS = (
    Case(
        "connected, nothing told yet",
        lambda c: [c.forget("app1", key) for key in list(c.readings["app1"])],
        (
            ("waiting:app1", "unknown", "no answer yet about host, disk and units"),
            ("waiting:app1:shop", "unknown", "no answer yet"),
            ("waiting:app1:uploads", "unknown", "no answer yet"),
        ),
    ),
    Case(
        "clock and packages come when they come",
        lambda c: [c.forget("app1", key) for key in ("clock", "packages", "version:shop")],
        (),
    ),
    Case(
        "one probe too old",
        lambda c: c.say("app1", "disk", disk(), at=NOW - 60),
        (("stale:app1", "unknown", "no fresh answer about disk"),),
    ),
    Case(
        "everything of a node too old: a slow link",
        lambda c: [
            c.say("app1", key, c.get("app1", key), at=NOW - 30) for key in ("host", "disk", "units", "http:shop")
        ],
        (
            ("stale:app1", "unknown", "no fresh answer about host, disk and units"),
            ("stale:app1:shop", "unknown", "no fresh answer"),
        ),
    ),
    Case(
        "a failed question about the machine",
        lambda c: c.fail("app1", "disk", "parse", "df listed no file system that holds data."),
        (("probe:app1:disk", "unknown", "could not find out about disk: df listed no file system that holds data"),),
    ),
)

SERVICES = (
    Case(
        "unit stopped: the cause, not its echoes",
        _unit_off,
        (
            ("unit:app2:shop.service", "crit", "shop.service is not running"),
            ("pool:shop", "warn", "2 of 3 available, minimum 2"),
        ),
    ),
    Case(
        "unit failed",
        lambda c: c.unit("lb1", "keepalived.service", active="failed", sub="failed"),
        (
            ("unit:lb1:keepalived.service", "crit", "keepalived.service has failed"),
            ("redundancy:vrrp", "warn", "redundancy: only lb2 left of 2, minimum 1"),
        ),
    ),
    Case(
        "unit in a crash loop",
        lambda c: c.unit("app1", "shop.service", active="activating", sub="auto-restart", restarts=17),
        (("unit:app1:shop.service", "crit", "fails again and again, restarts: 17"),),
    ),
    Case(
        "unit restarted by systemd",
        lambda c: c.unit("app1", "shop.service", restarts=1, since=20.0),
        (("unit:app1:shop.service", "warn", "was restarted by systemd just now"),),
    ),
    Case(
        "unit would not start at boot",
        lambda c: c.unit("app1", "shop.service", enabled="disabled"),
        (("unit:app1:shop.service", "warn", "would not after a boot: it is disabled"),),
    ),
    Case(
        "unit that is not there",
        lambda c: c.unit("app1", "shop.service", load="not-found", active="inactive", sub="dead"),
        (("unit:app1:shop.service", "crit", "shop.service does not exist there"),),
    ),
    Case(
        "sick, and the balancers see it",
        lambda c: c.say("app2", "http:shop", HttpFacts(500, 3.0, "no database")).server(
            "*", "be_shop", "shop-b", **DOWN
        ),
        (
            ("http:app2:shop", "crit", "health check answers 500 instead of 200: no database"),
            ("pool:shop", "warn", "2 of 3 available, minimum 2"),
        ),
    ),
    Case(
        "health request refused",
        lambda c: c.say("app2", "http:shop", HttpFacts(0, 0.0, "", "connection refused")),
        (("http:app2:shop", "crit", "health check failed: connection refused"),),
    ),
    Case(
        "health request unanswered on a node that answers",
        lambda c: c.fail("app2", "http:shop", "timeout", "no answer within 3 s"),
        (("http:app2:shop", "crit", "no answer within 3 s"),),
    ),
    Case(
        "health request unanswered on a node that does not answer either",
        lambda c: c.fail("app2", "http:shop", "timeout", "no answer within 3 s").say(
            "app2", "host", c.get("app2", "host"), at=NOW - 20
        ),
        (
            ("http:app2:shop", "unknown", "could not be asked: no answer within 3 s"),
            ("stale:app2", "unknown", "no fresh answer about host"),
        ),
    ),
    Case(
        "slow health check",
        lambda c: c.say("app2", "http:shop", HttpFacts(200, 812.0, "ok", healthy=True)),
        (("latency:app2:shop", "warn", "health check took 812 ms (warn 500, crit 2000)"),),
    ),
)

POOLS = (
    Case(
        "down for both balancers though it is fine on its node",
        lambda c: c.server("*", "be_shop", "shop-c", **DOWN),
        (
            ("member:shop:app3", "crit", "shop-c is down on lb1 and lb2, last check L4CON"),
            ("pool:shop", "warn", "2 of 3 available, minimum 2"),
        ),
    ),
    Case(
        "stranded drain",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED),
        (
            ("drained:shop:app1", "warn", "shop-a is drained on lb1 and lb2, 8 sessions left"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "drained, with a note of who did it and why",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note()),
        (
            (
                "drained:shop:app1",
                "warn",
                "shop-a is drained on lb1 and lb2, by anna@laptop 12 m ago: new disk, 8 sessions left",
            ),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "drained, with a note that gives no reason",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note(why="", minutes_ago=0.5)),
        (
            ("drained:shop:app1", "warn", "lb1 and lb2, by anna@laptop 30 s ago, 8 sessions left"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "drained, with a note from a clock that is ahead",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note(minutes_ago=-5)),
        (
            ("drained:shop:app1", "warn", "by anna@laptop 0 s ago: new disk, 8 sessions left"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "drained, with a note about another pool",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note(pool="others")),
        (
            ("drained:shop:app1", "warn", "shop-a is drained on lb1 and lb2, 8 sessions left"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "drained, with another node's note",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note("app2")),
        (
            ("drained:shop:app1", "warn", "shop-a is drained on lb1 and lb2, 8 sessions left"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "drained, with a note that is too old an answer to count",
        lambda c: c.server("*", "be_shop", "shop-a", **DRAINED).say("app1", "note", note(), at=NOW - 60),
        (
            ("drained:shop:app1", "warn", "shop-a is drained on lb1 and lb2, 8 sessions left"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case("a note without a drain is stale", lambda c: c.say("app1", "note", note()), ()),
    Case("a note that cannot be read", lambda c: c.fail("app1", "note", "timeout", "no answer within 6 s"), ()),
    Case(
        "drained, and its check fails: HAProxy says DOWN",
        lambda c: c.server("*", "be_shop", "shop-a", **{**DRAINED, **DOWN}),
        (("drained:shop:app1", "warn", "shop-a is drained"), ("pool:shop", "warn", "2 of 3")),
    ),
    Case(
        "in maintenance",
        lambda c: c.server("*", "be_shop", "shop-a", **MAINT),
        (("drained:shop:app1", "warn", "shop-a is in maintenance"), ("pool:shop", "warn", "2 of 3")),
    ),
    Case(
        "balancers disagree: drained by hand on one",
        lambda c: c.server("lb1", "be_shop", "shop-a", **DRAINED),
        (
            ("disagree:shop:app1", "warn", "balancers disagree about shop-a: drained on lb1, up on lb2"),
            ("pool:shop", "warn", "2 of 3"),
        ),
    ),
    Case(
        "balancers disagree: drained on one, with a note",
        lambda c: c.server("lb1", "be_shop", "shop-a", **DRAINED).say("app1", "note", note()),
        (
            (
                "disagree:shop:app1",
                "warn",
                "shop-a: drained on lb1, up on lb2; taken out by anna@laptop 12 m ago: new disk",
            ),
            ("pool:shop", "warn", "2 of 3"),
        ),
    ),
    Case(
        "balancers disagree for longer than their checks take",
        lambda c: c.server("lb2", "be_shop", "shop-b", **DOWN),
        (("disagree:shop:app2", "warn", "up on lb1, down on lb2"), ("pool:shop", "warn", "2 of 3")),
    ),
    Case(
        "one balancer has only just noticed",
        lambda c: c.server("lb2", "be_shop", "shop-b", **DOWN, last_change=1),
        (("pool:shop", "warn", "2 of 3 available"),),
    ),
    Case(
        "weight 0 takes no traffic",
        lambda c: c.server("*", "be_shop", "shop-b", weight=0),
        (
            ("member:shop:app2", "crit", "shop-b is up with weight 0 on lb1 and lb2"),
            ("pool:shop", "warn", "2 of 3"),
        ),
    ),
    Case(
        "a check is about to fail: still in use",
        lambda c: c.server("*", "be_shop", "shop-b", status="UP 1/3", state="going-down"),
        (),
    ),
    Case(
        "admin socket denied",
        lambda c: c.fail("lb1", LB, "socket", "lb1: permission denied: /run/haproxy/admin.sock.", remedy="usermod -aG"),
        (("haproxy:lb1:balancer", "unknown", "could not be asked: permission denied"),),
    ),
    Case(
        "admin socket absent while the unit runs: not known, not down",
        lambda c: c.fail("lb1", LB, "socket-absent", "there is no socket /run/haproxy/admin.sock."),
        (("haproxy:lb1:balancer", "unknown", "could not be asked: there is no socket"),),
    ),
    Case(
        "haproxy stopped: its unit says so, its socket need not",
        lambda c: c.unit("lb1", "haproxy.service", active="inactive", sub="dead").fail(
            "lb1", LB, "socket-absent", "no"
        ),
        (
            ("unit:lb1:haproxy.service", "crit", "haproxy.service is not running"),
            ("redundancy:balancer", "warn", "redundancy: only lb2 left of 2, minimum 1"),
        ),
    ),
    Case(
        "haproxy frozen",
        lambda c: c.fail("lb1", LB, "timeout", "no answer within 4 s"),
        (
            ("haproxy:lb1:balancer", "crit", "no answer within 4 s"),
            ("redundancy:balancer", "warn", "only lb2 left of 2"),
        ),
    ),
    Case(
        "no balancer can be asked",
        lambda c: c.fail("lb1", LB, "socket", "denied").fail("lb2", LB, "socket", "denied"),
        (
            ("haproxy:lb1:balancer", "unknown", "denied"),
            ("haproxy:lb2:balancer", "unknown", "denied"),
            ("pool:database-primary", "unknown", "no balancer could be asked"),
            ("pool:shop", "unknown", "0 of 3 available, 3 unknown, minimum 2"),
        ),
    ),
    Case(
        "a balancer without the backend",
        lambda c: c.change("lb2", LB, backends={"be_pg_primary": haproxy().backends["be_pg_primary"]}),
        (
            ("backend:shop:lb2", "crit", "lb2 has no backend be_shop"),
            ("pool:shop", "crit", "0 of 3 available, minimum 2"),
        ),
    ),
    Case(
        "a balancer without one of the servers",
        lambda c: c.change(
            "lb2",
            LB,
            backends={**haproxy().backends, "be_shop": backend("be_shop", server("shop-a"), server("shop-b"))},
        ),
        (
            ("server:shop:app3:lb2", "warn", "lb2 has no server shop-c in be_shop"),
            ("pool:shop", "warn", "2 of 3 available"),
        ),
    ),
    Case(
        "queue",
        lambda c: c.change(
            "lb1", LB, backends={**haproxy().backends, "be_shop": replace(haproxy().backends["be_shop"], queue=70)}
        ),
        (("queue:shop:lb1", "crit", "requests that wait for a free server on lb1: 70 (warn 1, crit 50)"),),
    ),
    Case(
        "session limit",
        lambda c: c.server("lb1", "be_shop", "shop-a", sessions=190),
        (
            (
                "sessions:lb1:balancer:be_shop/shop-a",
                "crit",
                "be_shop/shop-a at 95 % of its session limit, 190 of 200 (warn 80, crit 95)",
            ),
        ),
    ),
)

VIPS = (
    Case(
        "nobody has the address",
        lambda c: c.addresses("lb1", "192.168.56.11"),
        (("vip:public", "crit", f"nobody has {VIP}"),),
    ),
    Case(
        "two have it",
        lambda c: c.addresses("lb2", "192.168.56.12", VIP),
        (("vip:public", "crit", f"{VIP} is on lb1 and lb2 at once"),),
    ),
    Case(
        "the other balancer is off",
        lambda c: c.down("lb2"),
        (
            ("link:lb2", "crit", "unreachable"),
            ("vip:public", "unknown", f"{VIP} is on lb1; lb2 could not be asked"),
            ("redundancy:balancer", "warn", "redundancy: only lb1 left of 2, minimum 1"),
            ("redundancy:vrrp", "warn", "redundancy: only lb1 left of 2, minimum 1"),
        ),
    ),
    Case(
        "the holder is off and the address has not moved, as far as anybody can tell",
        lambda c: c.down("lb1"),
        (
            ("link:lb1", "crit", "unreachable"),
            ("vip:public", "unknown", f"{VIP} is not on lb2; lb1 could not be asked"),
            ("redundancy:balancer", "warn", "only lb2 left"),
            ("redundancy:vrrp", "warn", "only lb2 left"),
        ),
    ),
)

DATABASES = (
    Case(
        "primary off",
        _database_off,
        (
            ("link:db1", "crit", "unreachable"),
            ("pool:database-primary", "crit", "no member is up on lb1 and lb2"),
            ("primary:database", "unknown", "db1 was last seen as primary at 09:09:59 UTC"),
        ),
    ),
    Case(
        "primary off for SSH only: its standbys still stream, its balancers still route to it",
        lambda c: c.down("db1"),
        (
            ("link:db1", "crit", "unreachable"),
            ("pool:database-primary", "unknown", "routes to db1, whose role is not known"),
            ("primary:database", "unknown", "db1 could not be asked, though db2 and db3 still stream"),
            ("routing:database-primary:lb1", "unknown", "lb1 routes to db1, whose role could not be asked"),
            ("routing:database-primary:lb2", "unknown", "lb2 routes to db1"),
        ),
    ),
    Case(
        "PostgreSQL refuses on a live node",
        lambda c: c.fail("db1", DB, "socket-absent", "there is no socket /var/run/postgresql/.s.PGSQL.5432."),
        (
            ("postgresql:db1:database", "crit", "there is no socket /var/run/postgresql/.s.PGSQL.5432"),
            ("primary:database", "crit", "no primary: db1 was last seen as primary"),
            ("pool:database-primary", "unknown", "routes to db1, whose role is not known"),
            ("routing:database-primary:lb1", "unknown", "lb1"),
            ("routing:database-primary:lb2", "unknown", "lb2"),
        ),
    ),
    Case(
        "PostgreSQL stopped by its unit",
        lambda c: (
            c.unit("db2", UNIT, active="inactive", sub="dead"),
            c.fail("db2", DB, "socket-absent", "there is no socket"),
        ),
        ((f"unit:db2:{UNIT}", "crit", f"{UNIT} is not running"),),
    ),
    Case(
        "the standby of the other site is gone",
        lambda c: c.down("db3"),
        (
            ("link:db3", "crit", "unreachable"),
            ("redundancy:database", "warn", "redundancy: no standby in another site than east"),
        ),
    ),
    Case(
        "no standby is left",
        lambda c: c.down("db2", "db3"),
        (
            ("link:db2", "crit", "unreachable"),
            ("link:db3", "crit", "unreachable"),
            ("redundancy:database", "warn", "redundancy: only db1 left of 3, minimum 1"),
        ),
    ),
    Case(
        "login role unknown to the database: not known, not down",
        lambda c: c.fail("db2", DB, "query", 'role "hactl" does not exist.', remedy="CREATE ROLE"),
        (("postgresql:db2:database", "unknown", 'could not be asked: role "hactl" does not exist'),),
    ),
    Case(
        "database starting up",
        lambda c: c.fail("db2", DB, "database-down", "the database system is starting up."),
        (("postgresql:db2:database", "crit", "the database system is starting up"),),
    ),
    Case(
        "a server that was fenced waits to be brought back",
        _fenced,
        (
            (f"unit:db2:{UNIT}", "crit", f"{UNIT} is masked"),
            ("fenced:db2:database", "warn", "is fenced: postgresql@15-main.service is masked and cannot start"),
        ),
    ),
    Case(
        "writes are held on a balancer",
        _held,
        (("held:database-primary", "crit", "fe_pg_gate takes no connections on lb1"),),
    ),
    Case(
        "two writable primaries",
        _promoted,
        (("primary:database", "crit", "2 writable primaries: db1 and db2"),),
    ),
    Case(
        "two writable primaries, and a balancer routes to both",
        lambda c: (_promoted(c), c.server("lb1", "be_pg_primary", "db2", status="UP", state="up")),
        (
            ("primary:database", "crit", "2 writable primaries"),
            ("disagree:database-primary:db2", "warn", "up on lb1, down on lb2"),
            ("routing:database-primary:lb1", "crit", "lb1 routes to db1 and db2 at once"),
            ("pool:database-primary", "crit", "routes to db1 and db2"),
        ),
    ),
    Case(
        "a balancer routes to a standby",
        lambda c: c.server("lb2", "be_pg_primary", "db1", **DOWN).server(
            "lb2", "be_pg_primary", "db2", status="UP", state="up"
        ),
        (
            ("disagree:database-primary:db1", "warn", "up on lb1, down on lb2"),
            ("disagree:database-primary:db2", "warn", "down on lb1, up on lb2"),
            ("routing:database-primary:lb2", "crit", "lb2 routes to db2, which is a standby"),
            ("pool:database-primary", "crit", "routes to db1 and db2"),
        ),
    ),
    Case(
        "another database's copy",
        lambda c: c.change("db2", DB, system_identifier="7499999999999999999", timeline=9),
        (("identifier:db2:database", "crit", "is a copy of another database than db1"),),
    ),
    Case(
        "another timeline",
        lambda c: c.change("db2", DB, timeline=2),
        (("timeline:db2:database", "crit", "is on timeline 2, the primary db1 on 1"),),
    ),
    Case(
        "standby not streaming",
        lambda c: c.change("db3", DB, receiver_status=""),
        (
            ("streaming:db3:database", "crit", "does not stream from the primary db1"),
            ("redundancy:database", "warn", "redundancy: no standby in another site than east"),
        ),
    ),
    Case(
        "receive lag, by the primary's own row",
        lambda c: c.change("db1", DB, replicas=(Replica("x", "192.168.56.32", "streaming", "async", 0, 40 * MIB, 0),)),
        (("lag:db2:database", "warn", "behind the primary db1 by 40 MiB (warn 16 MiB, crit 256 MiB)"),),
    ),
    Case(
        "receive lag, by positions where the primary has no row",
        lambda c: c.change("db1", DB, replicas=()).change("db2", DB, lsn=WAL - 300 * MIB, replayed=WAL - 300 * MIB),
        (("lag:db2:database", "crit", "behind the primary db1 by 300 MiB"),),
    ),
    Case(
        "replay lag",
        lambda c: c.change("db2", DB, replayed=WAL - 100 * MIB),
        (("replay:db2:database", "warn", "replay lag 100 MiB (warn 64 MiB, crit 1 GiB)"),),
    ),
    Case(
        "replay paused",
        lambda c: c.change("db2", DB, replay_paused=True, replayed=WAL - MIB),
        (("replay-paused:db2:database", "warn", "replay is paused, 1 MiB wait to be replayed"),),
    ),
    Case(
        "idle for a day is no lag",
        lambda c: c.change("db2", DB, seconds_since_replay=86400.0),
        (),
    ),
    Case(
        "abandoned slot",
        lambda c: c.change("db1", DB, slots=(slot("db2"), slot("db3"), slot("old", active=False, retained=5 * GIB))),
        (("slot:db1:database:old", "crit", "slot old holds 5 GiB of WAL, and nobody reads it"),),
    ),
    Case(
        "slot without a reader",
        lambda c: c.change("db1", DB, slots=(slot("db2", active=False, retained=MIB), slot("db3"))),
        (("slot:db1:database:db2", "warn", "slot db2 holds 1 MiB of WAL, and nobody reads it"),),
    ),
    Case(
        "slot that was never used holds nothing",
        lambda c: c.change("db1", DB, slots=(slot("new", active=False, retained=None),)),
        (),
    ),
    Case(
        "slot that lost its WAL",
        lambda c: c.change("db1", DB, slots=(slot("db2", active=False, wal_status="lost", retained=None),)),
        (("slot:db1:database:db2", "crit", "slot db2 has lost WAL"),),
    ),
    Case(
        "archiving fails",
        lambda c: c.change("db1", DB, archiver=archiver(failed=7, seconds_since_failed=3.0, ready=4)),
        (("archiving:db1:database", "warn", "archiving fails: 7 failures, last success 2 m ago, 4 segments wait"),),
    ),
    Case(
        "archiving has failed for long",
        lambda c: c.change(
            "db1", DB, archiver=archiver(failed=70, seconds_since_failed=3.0, seconds_since_archived=4000.0, ready=40)
        ),
        (
            ("archiving:db1:database", "crit", "archiving fails: 70 failures, last success 1 h 6 m ago"),
            ("archive-backlog:db1:database", "warn", "WAL segments that wait to be archived: 40 (warn 10, crit 100)"),
        ),
    ),
    Case(
        "archiving failed once and works again",
        lambda c: c.change("db1", DB, archiver=archiver(failed=7, seconds_since_failed=600.0)),
        (),
    ),
    Case(
        "connections",
        lambda c: c.change("db1", DB, connections=88),
        (("connections:db1:database", "warn", "connections 91 % used, 88 of 97 (warn 80, crit 95)"),),
    ),
    Case(
        "long transactions",
        lambda c: c.change("db1", DB, longest_transaction=400.0, longest_prepared=7200.0),
        (
            ("transaction_seconds:db1:database", "warn", "oldest transaction is open for 6 m 40 s"),
            ("prepared_transaction_seconds:db1:database", "crit", "oldest prepared transaction is open for 2 h"),
        ),
    ),
    Case(
        "no pg_monitor",
        lambda c: c.change("db3", DB, complete=False),
        (("grant:db3:database", "warn", "its role lacks pg_monitor"),),
    ),
    Case(
        "everybody is a standby",
        lambda c: c.say("db1", DB, standby()),
        (
            ("primary:database", "crit", "no primary"),
            ("routing:database-primary:lb1", "crit", "lb1 routes to db1, which is a standby"),
            ("routing:database-primary:lb2", "crit", "lb2 routes to db1, which is a standby"),
            ("pool:database-primary", "crit", "routes to db1"),
        ),
    ),
    Case(
        "a primary that only reads beside the real one is still one too many",
        lambda c: c.change("db2", DB, role=PostgresqlRole.PRIMARY, read_only=True, replayed=None),
        (("primary:database", "crit", "2 primaries: db1 and db2"),),
    ),
)

BACKUPS = (
    Case(
        "no full backup",
        lambda c: c.change("backup1", BACKUP, backups=()),
        (("backup-age:backup1:backup:full", "crit", "there is no good full backup"),),
    ),
    Case(
        "old backups",
        lambda c: c.change("backup1", BACKUP, backups=(made("full", 200), made("diff", 30))),
        (
            ("backup-age:backup1:backup:full", "warn", "last full backup 8 d 8 h ago (warn 8 d, crit 16 d)"),
            ("backup-age:backup1:backup:any", "warn", "last backup 1 d 6 h ago (warn 1 d 2 h, crit 2 d 4 h)"),
        ),
    ),
    Case(
        "newest backup has errors",
        lambda c: c.change("backup1", BACKUP, backups=(made("full", 20), made("diff", 1, error=True))),
        (("pgbackrest:backup1:backup:errors", "crit", "the newest backup 2025-diff has errors"),),
    ),
    Case(
        "a backup builds on one that is gone",
        lambda c: c.change("backup1", BACKUP, backups=(made("full", 20), made("diff", 1, prior="2025-gone"))),
        (
            (
                "pgbackrest:backup1:backup:broken:2025-diff",
                "crit",
                "backup 2025-diff cannot be restored: it needs 2025-gone, which is not there or has errors",
            ),
        ),
    ),
    Case(
        "a backup needs WAL from before the archive begins",
        lambda c: c.change(
            "backup2",
            "pgbackrest:offsite",
            backups=(
                made("full", 20, repository=2, wal_start=f"{1:08X}{0:08X}{9:08X}", wal_stop=f"{1:08X}{0:08X}{10:08X}"),
                made("diff", 2, repository=2, wal_start=f"{1:08X}{0:08X}{2:08X}", wal_stop=f"{1:08X}{0:08X}{12:08X}"),
            ),
            archive_min={2: f"{1:08X}{0:08X}{9:08X}"},
        ),
        (
            (
                "pgbackrest:backup2:offsite:lacking:2025-diff",
                "crit",
                "backup 2025-diff cannot be restored: WAL segment 000000010000000000000002 is not in the archive",
            ),
        ),
    ),
    Case(
        "the copy in the other site is behind",
        lambda c: c.change(
            "backup2",
            "pgbackrest:offsite",
            backups=(made("full", 30, repository=2),),
            archive_max={2: f"{1:08X}{0:08X}{0x40 - 20:08X}"},
        ),
        (
            ("backup-age:backup2:offsite:any", "warn", "last backup 1 d 6 h ago"),
            ("wal-gap:offsite:2", "warn", "WAL segments of db1 that repository 2 lacks: 19"),
        ),
    ),
    Case(
        "stanza not well",
        lambda c: c.change("backup1", BACKUP, code=2, message="no valid backups", backups=()),
        (("pgbackrest:backup1:backup", "crit", "stanza main: no valid backups (code 2)"),),
    ),
    Case(
        "one repository not well",
        lambda c: c.change("backup1", BACKUP, repositories=(RepositoryStatus(1, 99, "other"),)),
        (("pgbackrest:backup1:backup:1", "crit", "repository 1: other (code 99)"),),
    ),
    Case(
        "WAL that the repository lacks",
        _archive_gone,
        (("wal-gap:backup:1", "warn", "WAL segments of db1 that repository 1 lacks: 19 (warn 10, crit 100)"),),
    ),
    Case(
        "stanza of another database",
        lambda c: c.change("backup1", BACKUP, system_identifier=f"{int(IDENTIFIER) + 1}"),
        (("backup-identifier:backup", "crit", "stanza main is of another database than db1"),),
    ),
    Case(
        "repository cannot be asked",
        lambda c: c.fail("backup1", BACKUP, "sudo-denied", "sudo does not allow `pgbackrest info`.", remedy="visudo"),
        (("pgbackrest:backup1:backup", "unknown", "could not be asked: sudo does not allow"),),
    ),
)

DRILLS = (
    Case(
        "a drill longer ago than the policy",
        lambda c: c.say("backup1", DRILL, drills(drill(7.5))),
        (("drill-age:backup", "warn", "last good drill 7 d 12 h ago (policy: one every 7 d)"),),
    ),
    Case(
        "a drill twice as long ago",
        lambda c: c.say("backup1", DRILL, drills(drill(15))),
        (("drill-age:backup", "crit", "last good drill 15 d ago"),),
    ),
    Case(
        "never drilled",
        lambda c: c.change("backup1", DRILL, records=()),
        (("drill-age:backup", "warn", "nobody has seen that these backups can be restored: there was no drill yet"),),
    ),
    Case(
        "a check of the last drill failed",
        lambda c: c.say("backup1", DRILL, drills(drill(6), failed_drill(1))),
        (("drill-last:backup", "crit", "the last drill, 1 d ago, failed: orders-sound: 3 is not = 0"),),
    ),
    Case(
        "no drill was good",
        lambda c: c.say("backup1", DRILL, drills(failed_drill(2), failed_drill(1, rto=None, checks=()))),
        (
            ("drill-last:backup", "crit", "the last drill, 1 d ago, failed: the copy never answered"),
            ("drill-age:backup", "warn", "can be restored: none of 2 drills was good"),
        ),
    ),
    Case(
        "a drill that failed, and a good one after it",
        lambda c: c.say("backup1", DRILL, drills(failed_drill(2), drill(1))),
        (),
    ),
    Case(
        "a drill that took too long",
        lambda c: c.say("backup1", DRILL, drills(drill(verdict=Verdict.PARTIAL, target_rto=60.0))),
        (("drill-last:backup", "warn", "restore and start took 1 m 6 s, the target is 1 m"),),
    ),
    Case(
        "a drill that lost too much",
        lambda c: c.say("backup1", DRILL, drills(drill(verdict=Verdict.PARTIAL, target_rpo=1.0))),
        (("drill-last:backup", "warn", "what would have been lost is 2.5 s, the target is 1 s"),),
    ),
    Case(
        "a drill that could not measure what is lost",
        lambda c: c.say("backup1", DRILL, drills(drill(verdict=Verdict.PARTIAL, rpo=None))),
        (("drill-last:backup", "warn", "left something open: what would have been lost could not be measured"),),
    ),
    Case(
        "a check that was skipped",
        lambda c: c.say("backup1", DRILL, drills(drill(verdict=Verdict.PARTIAL, checks=(UNCHECKED,)))),
        (("drill-last:backup", "warn", "left something open: amcheck was not checked: no such program"),),
    ),
    Case(
        "what two runs have left behind, and one that still goes on",
        lambda c: c.change(
            "backup1",
            DRILL,
            leftovers=(
                Leftover("20251009-085740-k3f", 3 * GIB, NOW, alive=False),
                Leftover("20251009-095740-k3g", None, NOW, alive=None),
                Leftover("20251009-105740-k3h", None, NOW, alive=True),
            ),
        ),
        (
            (
                "drill-leftovers:backup",
                "warn",
                "k3f, 3 GiB; run 20251009-095740-k3g, of unknown size, perhaps still at work",
            ),
        ),
    ),
    Case(
        "a drill at work",
        lambda c: c.change("backup1", DRILL, leftovers=(Leftover("20251009-105740-k3h", None, NOW, alive=True),)),
        (),
    ),
    Case(
        "a history that somebody wrote into",
        lambda c: c.change("backup1", DRILL, unreadable=1),
        (("drill-history:backup", "warn", "1 line in the history of drills cannot be read"),),
    ),
    Case(
        "drills cannot be asked for",
        lambda c: c.fail("backup1", DRILL, "sudo-denied", "sudo does not allow `cat`.", remedy="visudo"),
        (("drill:backup", "unknown", "could not find out about drills of backup: sudo does not allow"),),
    ),
)

CASES = (*REACH, *HOST, *ANSWERS, *SERVICES, *POOLS, *VIPS, *DATABASES, *BACKUPS, *DRILLS)
