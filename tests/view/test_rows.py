"""Rows: what each table says of a healthy cluster, of trouble, and of what nobody knows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hactl.model.events import Outcome
from hactl.model.facts import AdminState, NoteFacts, ServerState
from hactl.model.findings import Level
from hactl.model.journal import RunSummary
from hactl.model.picture import Picture
from hactl.model.state import LinkPhase
from hactl.view.backups import repository_rows
from hactl.view.balancers import balancer_matrix, place_lines, run_of
from hactl.view.cluster import banner, site_map
from hactl.view.databases import database_rows
from hactl.view.findings import finding_rows, line
from hactl.view.node_page import node_facts
from hactl.view.node_tables import pool_rows_of, runs_of, unit_rows
from hactl.view.nodes import node_rows
from hactl.view.services import pool_rows, service_rows, vip_rows
from hactl.view.severity import SEVERITIES
from hactl.view.tables import Cell, Table, fit, sorted_rows, text_width
from tests.model.assess.cases import CASES
from tests.model.builders import DRAINED, GIB, MIB, NOW, Cluster, disk, lab, note, primary, standby

DB = "postgresql:database"
TABLES: list[Callable[[Picture], Table]] = [
    node_rows,
    service_rows,
    pool_rows,
    vip_rows,
    finding_rows,
    lambda picture: finding_rows(picture, hints=True),
    balancer_matrix,
    database_rows,
    repository_rows,
]


def cells(table: Table, key: str) -> dict[str, Cell]:
    row = next(row for row in table.rows if row.key == key)
    return dict(zip((column.key for column in table.columns), row.cells, strict=True))


def texts(table: Table, key: str) -> dict[str, str]:
    return {name: cell.text for name, cell in cells(table, key).items()}


def nobody() -> Cluster:
    cluster = Cluster()
    for name in lab().nodes:
        cluster.link(name, LinkPhase.IDLE)
        cluster.readings[name].clear()
    return cluster


@pytest.mark.parametrize("case", [*CASES, None], ids=[*(case.name for case in CASES), "nobody was asked"])
def test_every_table_of_every_picture_is_whole(case: object) -> None:
    """Keys are unique, rows have all their cells on one line each, and 80 columns have room for what must be seen."""
    picture = (case.cluster() if case else nobody()).picture()
    for make in TABLES:
        table = make(picture)
        assert len({row.key for row in table.rows}) == len(table.rows)
        for row in table.rows:
            assert len(row.cells) == len(table.columns)
            assert not any("\n" in cell.text for cell in row.cells)
        placed = fit(table, 80)
        assert sum(one.width for one in placed) + 2 * (len(placed) - 1) <= 80
        for index in range(len(table.columns)):
            assert len(sorted_rows(table.rows, index)) == len(table.rows)
    for name in lab().nodes:
        for section in node_facts(picture, name):
            assert section.facts
            assert not any("\n" in fact.value for fact in section.facts)


def test_node_row() -> None:
    row = texts(node_rows(Cluster().picture()), "lb1")
    assert row == {
        "node": "lb1",
        "level": "ok",
        "site": "east",
        "roles": "lb",
        "link": "up",
        "age": "1s",
        "cpu": "10 %",
        "memory": "25 %",
        "load": "0.20",
        "disk": "40 %",
        "uptime": "1d",
        "services": "balancer vrrp",
        "pools": "-",
        "received": "1 MiB/s",
        "sent": "0 B/s",
        "latency": "4.0 ms",
        "failed": "0",
        "upgrades": "3",
        "reboot": "no",
        "swap": "0 %",
        "skew": "+0.001 s",
        "address": "192.168.56.11",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "6.1.0-30-amd64",
    }
    assert (
        "shop (out)"
        in texts(node_rows(Cluster().server("*", "be_shop", "shop-a", **DRAINED).picture()), "app1")["pools"]
    )


@pytest.mark.parametrize(("width", "last"), [(40, "disk"), (80, "services"), (120, "sent"), (200, "address")])
def test_columns_appear_by_width(width: int, last: str) -> None:
    assert fit(node_rows(Cluster().picture()), width)[-1].column.key == last


def test_a_measured_cell_carries_the_level_of_its_finding() -> None:
    row = cells(node_rows(Cluster().say("app1", "disk", disk("/", 95.0)).picture()), "app1")
    assert (row["disk"].level, row["memory"].level, row["level"].level) == (Level.CRIT, None, Level.CRIT)


def test_old_numbers_are_never_shown_as_present_ones() -> None:
    for picture in (Cluster().down("app1").picture(), Cluster().picture(NOW + 600)):
        row = cells(node_rows(picture), "app1")
        assert [row[key].text for key in ("cpu", "memory", "load", "disk", "uptime")] == ["?"] * 5
        assert all(row[key].unknown for key in ("cpu", "memory", "load", "disk", "uptime"))
        assert row["age"].level is Level.UNKNOWN


def test_services_pools_and_addresses() -> None:
    picture = Cluster().server("*", "be_shop", "shop-a", **DRAINED).down("db3").picture()
    shop = texts(service_rows(picture), "shop")
    assert (shop["level"], shop["available"], shop["minimum"], shop["says"]) == (
        "warn",
        "2/3",
        "2",
        "2 of 3 available, minimum 2",
    )
    assert texts(service_rows(picture), "database")["available"] == "2/3 1?"
    assert texts(pool_rows(picture), "shop")["drained"] == "app1"
    assert texts(vip_rows(picture), "public")["holder"] == "lb1"
    assert texts(vip_rows(nobody().picture()), "public")["holder"] == "?"
    nowhere = Cluster().addresses("lb1", "192.168.56.11").picture()
    assert texts(vip_rows(nowhere), "public")["holder"] == "none"


def test_findings_are_rows_and_lines() -> None:
    picture = Cluster().down("db3").picture()
    table = finding_rows(picture, hints=True)
    row = texts(table, "link:db3")
    assert (row["level"], row["about"], row["age"]) == ("crit", "db3", "30s")
    assert row["hint"].endswith("hactl doctor --limit db3")
    assert [column.key for column in finding_rows(picture).columns][-1] == "age"
    assert line(picture.assessment.findings[0]).startswith("crit  db3: unreachable since 09:09:30 UTC")


def test_balancers_side_by_side() -> None:
    cluster = Cluster().server("lb1", "be_shop", "shop-a", **DRAINED, sessions=3, last_change=90)
    row = cells(balancer_matrix(cluster.picture()), "shop/app1")
    assert (row["on:lb1"].text, row["on:lb1"].level) == ("drained", Level.WARN)
    assert (row["on:lb2"].text, row["on:lb2"].level) == ("up", None)
    assert (row["same"].text, row["level"].text, row["admin"].text) == ("no", "warn", "drain/ready")
    assert (row["sessions"].text, row["sessions"].sort) == ("3+4", 7)
    assert (row["since"].text, row["check"].text) == ("1m", "L7OK 200 2 ms")
    down = cells(balancer_matrix(cluster.picture()), "database-primary/db2")
    assert (down["on:lb1"].text, down["on:lb1"].level) == ("down L4CON", None)  # a standby: as it should be
    silent = cells(balancer_matrix(cluster.down("lb2").picture()), "shop/app1")
    assert (silent["on:lb2"].text, silent["same"].text, silent["sessions"].text) == ("?", "?", "3+?")
    nobody = cells(balancer_matrix(cluster.down("lb1").picture()), "shop/app1")
    assert nobody["sessions"].unknown
    assert nobody["level"].level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "on", "admin"),
    [
        ({}, "up", "ready"),
        (DRAINED, "drained", "drain"),
        ({**DRAINED, "state": ServerState.DOWN, "status": "DOWN"}, "down, drained", "drain"),
        ({"admin": AdminState.FORCED_MAINT, "state": ServerState.MAINT, "status": "MAINT"}, "in maintenance", "maint"),
        ({"state": ServerState.DOWN, "status": "DOWN", "check_status": "L7STS"}, "down L7STS", "ready"),
        ({"state": ServerState.GOING_DOWN, "status": "UP 1/3"}, "up 1/3", "ready"),
        ({"weight": 0}, "up with weight 0", "ready"),
    ],
)
def test_what_a_server_does_and_what_was_ordered_of_it(changes: dict[str, object], on: str, admin: str) -> None:
    row = texts(balancer_matrix(Cluster().server("*", "be_shop", "shop-b", **changes).picture()), "shop/app2")
    assert (row["on:lb1"], row["admin"]) == (on, admin)


def test_new_errors_and_queues_stand_out() -> None:
    cluster = Cluster().server("*", "be_shop", "shop-a", queue=2, errors_connection=5, http_5xx=2)
    row = cells(balancer_matrix(cluster.picture()), "shop/app1")
    assert (row["queue"].text, row["queue"].level) == ("2+2", Level.WARN)
    assert (row["errors"].text, row["errors"].level) == ("7+7", None)  # since they began, and no more now
    facts = cluster.get("lb1", "haproxy:balancer")
    calm = Cluster().get("lb1", "haproxy:balancer")
    growing = cells(balancer_matrix(cluster.say("lb1", "haproxy:balancer", facts, before=calm).picture()), "shop/app1")
    assert growing["errors"].level is Level.WARN


def test_who_took_a_server_out_stands_beside_it() -> None:
    cluster = Cluster().server("*", "be_shop", "shop-a", **DRAINED)
    assert texts(balancer_matrix(cluster.picture()), "shop/app1")["note"] == "nobody says"
    assert texts(balancer_matrix(cluster.picture()), "shop/app2")["note"] == "-"
    assert run_of(cluster.picture(), "shop/app1") == ""
    picture = cluster.say("app1", "note", note()).picture()
    assert texts(balancer_matrix(picture), "shop/app1")["note"] == "by anna@laptop 12 m ago: new disk"
    assert run_of(picture, "shop/app1") == "20251009-085740-k3f"
    said = [one.text for one in place_lines(picture, "shop/app1")]
    assert said[-1] == "Taken out by anna@laptop at 08:57:30 UTC: new disk (run 20251009-085740-k3f)."
    assert "When its work is done: hactl undrain app1." in said
    assert [one.text for one in place_lines(Cluster().picture(), "shop/app2")] == ["shop-b: up on lb1, up on lb2."]
    assert place_lines(picture, "shop/nobody") == ()


def test_a_nodes_places_and_units() -> None:
    cluster = Cluster().server("*", "be_shop", "shop-a", **DRAINED)
    table = pool_rows_of(cluster.picture(), "app1")
    assert [row.key for row in table.rows] == ["shop/app1"]
    assert "node" not in [column.key for column in table.columns]
    assert texts(table, "shop/app1")["on:lb2"] == "drained"
    assert pool_rows_of(cluster.picture(), "backup1").rows == ()
    unit = texts(unit_rows(cluster.picture(), "app1"), "shop.service")
    assert (unit["state"], unit["enabled"], unit["service"]) == ("active (running)", "enabled", "shop")
    cluster.unit("app1", "shop.service", active="failed", sub="failed").change("app1", "units", failed=("x.service",))
    table = unit_rows(cluster.picture(), "app1")
    assert cells(table, "shop.service")["state"].level is Level.CRIT
    assert (cells(table, "x.service")["state"].text, cells(table, "x.service")["since"].text) == ("failed", "?")
    silent = unit_rows(cluster.fail("app1", "units", "timeout", "no answer").picture(), "app1")
    assert texts(silent, "shop.service")["state"] == "?"


def test_runs_of_a_node_are_those_that_had_it_as_a_target() -> None:
    def summary(run: str, *targets: str) -> RunSummary:
        return RunSummary(
            run, "lab", "drain", "Drain", "anna", "", targets, 1.0, 1.0, 2.0, Outcome.DONE, "", 1, 1, 1, alive=False
        )

    table = runs_of([summary("3", "app1", "app2"), summary("2", "app2"), summary("1", "app1")], "app1", 10.0)
    assert [row.key for row in table.rows] == ["3", "1"]


def test_databases_tell_received_and_replayed_apart() -> None:
    facts = standby()
    cluster = Cluster().change("db1", DB, replicas=())
    cluster.change("db2", DB, lsn=facts.lsn - 3 * MIB, replayed=facts.lsn - 5 * MIB, replay_paused=True)
    table = database_rows(cluster.picture())
    db1, db2 = texts(table, "database/db1"), texts(table, "database/db2")
    assert (db1["role"], db1["streaming"], db1["received"], db1["replayed"]) == ("primary", "to 0", "-", "-")
    assert (db2["role"], db2["streaming"], db2["received"], db2["replayed"]) == (
        "standby",
        "streaming",
        "3 MiB",
        "2 MiB paused",
    )


def test_a_lag_without_a_primary_is_not_a_number() -> None:
    gone = database_rows(Cluster().down("db1").picture())
    assert texts(gone, "database/db1")["role"] == "? was primary 1s ago"
    assert texts(gone, "database/db2")["received"] == "?"
    both = database_rows(Cluster().say("db2", DB, primary()).picture())
    assert texts(both, "database/db3")["received"] == "?"


def test_backups() -> None:
    row = texts(repository_rows(Cluster().picture()), "backup/1")
    assert (row["full"], row["any"], row["count"], row["gap"], row["status"]) == ("20h", "2h", "2", "0 seg", "ok")
    none = cells(repository_rows(Cluster().change("backup1", "pgbackrest:backup", backups=()).picture()), "backup/1")
    assert (none["full"].text, none["full"].level) == ("none", Level.CRIT)
    silent = cells(repository_rows(Cluster().down("backup1").picture()), "backup/1")
    assert silent["full"].unknown
    assert silent["status"].text.startswith("? no route")


def test_banner_and_map() -> None:
    picture = Cluster().down("db3").say("app1", "disk", disk("/", 85.0)).picture()
    top = banner(picture)
    assert (top.name, top.level, top.since, top.age) == ("lab", Level.CRIT, "09:09:30 UTC", "30s")
    assert top.counts == ((Level.CRIT, 1), (Level.WARN, 2))
    assert [(fact.label, fact.value) for fact in top.facts] == [("vip public", "lb1"), ("nodes", "9/10 up")]
    found = site_map(picture)
    assert found.roles == ("lb", "app", "db", "backup")
    west = found.sites[1]
    assert (west.name, west.level) == ("west", Level.CRIT)
    assert [[spot.name for spot in spots] for spots in west.spots] == [[], [], ["db3"], ["backup1"]]


def test_a_nodes_page_says_what_is_known_and_since_when_the_rest_is_not() -> None:
    cluster = (
        Cluster().change("db1", "host", memory_available=GIB // 10).fail("db1", DB, "timeout", "no answer within 4 s")
    )
    page = {
        section.title: {fact.label: fact for fact in section.facts} for section in node_facts(cluster.picture(), "db1")
    }
    assert page["machine"]["memory"].level is Level.CRIT
    assert page["machine"]["network"].value == "in 1 MiB/s, out 0 B/s"
    assert page["disks"]["/"].value == "40 % used, 12 GiB of 20 GiB left, inodes 5 %"
    assert page["database (postgresql)"]["answer"].value == "? no answer within 4 s, last answer 1s ago"
    assert page["findings"]["database"].level is Level.CRIT


def test_a_nodes_page_says_who_took_it_out() -> None:
    cluster = Cluster().server("*", "be_shop", "shop-a", **DRAINED)

    def balancing() -> dict[str, str]:
        sections = {section.title: section.facts for section in node_facts(cluster.picture(), "app1")}
        return {fact.label: fact.value for fact in sections.get("balancing", ())}

    assert balancing() == {"shop": "taken out, by whom is not known"}
    cluster.say("app1", "note", NoteFacts(ignored="The note names nobody."))
    assert balancing() == {"shop": "taken out, by whom is not known", "note": "? The note names nobody."}
    cluster.say("app1", "note", note())
    assert balancing() == {"shop": "taken out by anna@laptop 12 m ago: new disk (run 20251009-085740-k3f)"}
    cluster.server("*", "be_shop", "shop-a", status="UP", state=ServerState.UP, admin=AdminState.READY)
    assert balancing() == {}


def test_a_symbol_takes_one_cell() -> None:
    assert set(SEVERITIES) == set(Level)
    assert all(
        text_width(one.symbol) == 1 and one.ascii.isascii() and len(one.ascii) == 1 for one in SEVERITIES.values()
    )
