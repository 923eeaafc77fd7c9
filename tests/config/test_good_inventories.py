"""What a valid inventory means once it is read: the lab's, the examples, and the corners of the format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hactl.config import load_inventory, parse_inventory
from hactl.config.share import share_path
from hactl.model.inventory import (
    BecomeMethod,
    Endpoint,
    HaproxyService,
    HttpService,
    Inventory,
    KeepalivedService,
    MaintenanceWindow,
    Newest,
    Node,
    PgbackrestService,
    PostgresqlManager,
    PostgresqlService,
    ResticService,
    Routing,
    SqlCheck,
    SshSettings,
    Standing,
    Threshold,
    TransportKind,
)
from hactl.model.metrics import METRICS, threshold

GOOD = Path(__file__).parents[1] / "cases" / "inventory" / "good"
EXAMPLES = share_path("inventory", "examples")
ALL = [share_path("inventory", "lab.toml"), *sorted(EXAMPLES.glob("*.toml")), *sorted(GOOD.glob("*.toml"))]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def the_lab() -> Inventory:
    return load_inventory(share_path("inventory", "lab.toml"))


def two_sites() -> Inventory:
    return load_inventory(EXAMPLES / "two-sites-patroni.toml")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_it_is_valid_and_keeps_the_promises_of_the_model(path: Path) -> None:
    found = load_inventory(path)
    assert found.path == str(path)
    for node in found.nodes.values():
        assert node.site in found.sites
    for service in found.services.values():
        assert service.nodes
        assert set(service.nodes) <= set(found.nodes)
        active = [name for name in service.nodes if found.nodes[name].standing is Standing.ACTIVE]
        assert service.minimum <= len(active)
    for pool in found.pools.values():
        assert set(pool.servers) <= set(found.services[pool.service].nodes)
        assert pool.balancer in found.services
    assert all(vip.service in found.services for vip in found.vips.values())
    assert found.drill_node is None or found.drill_node in found.nodes


def test_there_are_three_examples_from_small_to_large() -> None:
    sizes = {path.stem: len(load_inventory(path).nodes) for path in EXAMPLES.glob("*.toml")}
    assert sizes["three-nodes"] == 3
    assert sizes["large"] >= 25
    assert len(sizes) >= 3


def test_the_lab_node_by_node() -> None:
    found = the_lab()
    assert list(found.nodes) == ["lb1", "lb2", "app1", "app2", "app3", "db1", "db2", "db3", "backup1", "backup2"]
    assert found.nodes["db3"] == Node(
        name="db3",
        address="192.168.57.33",
        site="west",
        roles=("db",),
        ssh=SshSettings(
            user="hactl",
            socket="/run/hactl-lab/lab/ssh/db3.sock",
            identity=("/run/hactl-lab/lab/id_ed25519",),
            known_hosts=("/run/hactl-lab/lab/known_hosts",),
            config=(),
        ),
    )
    assert found.roles == ("lb", "app", "db", "backup")
    assert found.drill_node == "backup1"


def test_services_of_the_lab() -> None:
    found = the_lab()
    assert found.services["shop"] == HttpService(
        "shop", ("app1", "app2", "app3"), ("shop.service",), 2,
        port=8080, health="/healthz", package="shop", version_path="/version",
        public=(Endpoint("shop", "http://192.168.56.10/api/orders?limit=1", socket="/run/hactl-lab/lab/vip.sock"),),
    )  # fmt: skip
    assert found.services["database"].units == ("postgresql@15-main.service",)
    assert found.services["backup"].units == ()
    assert [service.name for service in found.services_on("lb1")] == ["balancer", "vrrp"]


def test_what_the_lab_remembers_and_how_it_gives_its_address_up() -> None:
    services = the_lab().services
    assert services["balancer"] == HaproxyService(
        "balancer", ("lb1", "lb2"), ("haproxy.service",), 1, state_file="/var/lib/haproxy/server-state"
    )
    assert services["vrrp"] == KeepalivedService(
        "vrrp", ("lb1", "lb2"), ("keepalived.service",), 1, track_file="/var/lib/keepalived/hold"
    )


def test_endpoints_and_maintenance_windows(home: Path) -> None:
    found = load_inventory(GOOD / "endpoints.toml")
    shop, admin = found.services["shop"], found.services["admin"]
    assert isinstance(shop, HttpService)
    assert isinstance(admin, HttpService)
    assert shop.public == (
        Endpoint("shop", "http://192.0.2.10/", socket=str(home / "sockets/corner.sock")),
        Endpoint("shop", "http://[2001:db8::1]:8080/ping?deep=1", via="n1", rate=0.5, timeout=2.0, expect_status=204),
        Endpoint("shop", "http://shop.example.net", socket=str(GOOD / "beside.sock"), rate=20.0, timeout=0.5),
    )
    assert admin.public == ()
    assert found.maintenance == (
        MaintenanceWindow((5, 6), 120, 300),
        MaintenanceWindow(tuple(range(7)), 22 * 60 + 30, 60),
        MaintenanceWindow((0,), 0, 1440),
    )


def test_pools_name_every_member() -> None:
    pools = the_lab().pools
    assert dict(pools["shop"].servers) == {"app1": "shop-a", "app2": "shop-b", "app3": "shop-c"}
    assert dict(pools["database-primary"].servers) == {"db1": "db1", "db2": "db2", "db3": "db3"}
    assert pools["database-primary"].routing is Routing.ONE


def test_own_ssh_keys_win_over_the_defaults_key_by_key(home: Path) -> None:
    nodes = two_sites().nodes
    assert nodes["pg-a"].ssh.proxy_jump == "bastion-a"
    assert nodes["pg-c"].ssh == replace(nodes["pg-a"].ssh, proxy_jump="bastion-b")
    backup = nodes["backup1"].ssh
    assert (backup.user, backup.transport, backup.become) == ("root", TransportKind.PARAMIKO, BecomeMethod.NONE)
    assert backup.connect_timeout == 8.0
    assert backup.algorithms.ciphers == ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com")
    assert backup.identity == (str(home / ".ssh/id_ed25519"), str(home / ".ssh/orders_ed25519"))


def test_a_jump_host_is_reached_directly() -> None:
    nodes = two_sites().nodes
    assert nodes["bastion-a"].ssh.proxy_jump is None  # [ssh] names it: it cannot go through itself
    assert nodes["bastion-b"].ssh.proxy_jump is None  # "none" takes the default back


def test_paths_are_made_absolute_by_the_file_they_stand_in(home: Path) -> None:
    nodes = load_inventory(GOOD / "local.toml").nodes
    assert nodes["peer"].ssh.identity == (f"{GOOD}/keys/local/peer",)
    assert nodes["peer"].ssh.socket == f"{GOOD}/run/peer.sock"
    assert nodes["me"].ssh.socket is None
    assert nodes["me"].ssh.config == (f"{GOOD}/ssh_config",)
    assert nodes["me"].ssh.known_hosts == (f"{home}/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


def test_nodes_of_a_service_stand_in_file_order() -> None:
    assert load_inventory(GOOD / "local.toml").services["cron"].nodes == ("me", "peer")


def test_defaults_by_kind() -> None:
    services = two_sites().services
    database = services["orders-db"]
    assert isinstance(database, PostgresqlService)
    assert database.data_directory == "/var/lib/postgresql/16/orders"
    assert database.manager is PostgresqlManager.PATRONI
    assert database.units == ("patroni.service",)
    backup = services["backups"]
    assert isinstance(backup, PgbackrestService)
    assert backup.repository_host == "backup1"  # its only node
    assert (backup.max_age_full, backup.max_age_any) == (8 * 86400, 26 * 3600)
    assert backup.drill_node == "backup1"  # the cluster's
    assert (backup.drill_user, backup.drill_directory, backup.drill_port) == ("pgdrill", "/srv/drills", 5499)
    assert (backup.max_age_drill, backup.target_rto, backup.target_rpo) == (35 * 86400, 1800, 300)
    assert backup.newest == Newest("orders", "SELECT extract(epoch FROM max(placed_at)) FROM orders")
    assert backup.checks == (SqlCheck("orders", "orders", "SELECT count(*) FROM orders", "> 0"),)
    files = services["invoices"]
    assert isinstance(files, ResticService)
    assert (files.paths, files.os_user, files.units) == (("/var/lib/orders/invoices",), "orders", ())
    assert (files.max_age, files.scratch) == (2 * 86400, "/var/lib/hactl-drill")
    assert files.repository_of("orders-1") == "sftp:restic@backup1:/srv/restic/orders-1"
    assert services["edge"].units == ("haproxy.service",)
    assert services["addresses"].units == ("keepalived.service",)
    orders = services["orders"]
    assert isinstance(orders, HttpService)
    assert orders.version_command == ("/usr/bin/orders", "--version")


def test_minimum_comes_from_the_service_then_its_strictest_pool_then_one() -> None:
    large = load_inventory(EXAMPLES / "large.toml").services
    assert large["web"].minimum == 2  # its pools
    assert large["api"].minimum == 3  # its own
    assert large["queue"].minimum == 1  # neither


def test_a_spare_belongs_to_its_service_but_never_counts() -> None:
    found = two_sites()
    assert "orders-3" in found.services["orders"].nodes
    assert found.pools["orders"].servers["orders-3"] == "web09"
    text = (EXAMPLES / "two-sites-patroni.toml").read_text("utf-8")
    for spare, valid in (("", True), ('\nstanding = "spare"', False)):
        changed = text.replace('address = "10.20.0.22"', f'address = "10.20.0.22"{spare}').replace(
            "minimum = 1\nservers", "minimum = 2\nservers"
        )
        assert (_problems(changed) == ()) is valid


def _problems(text: str) -> tuple[str, ...]:
    from hactl.model.errors import InventoryError

    try:
        parse_inventory(text.encode(), Path("/x.toml"))
    except InventoryError as error:
        return error.problems
    return ()


def test_members_narrow_a_pool() -> None:
    assert list(two_sites().pools["reads"].servers) == ["pg-a", "pg-b"]


def test_thresholds_complete_themselves_and_the_most_specific_wins() -> None:
    found = two_sites()
    limits, nodes = found.thresholds, found.nodes
    assert threshold(limits, "disk_percent", nodes["pg-a"]) == Threshold(80, 92)
    assert threshold(limits, "disk_percent", nodes["backup1"]) == Threshold(90, 97)
    assert threshold(limits, "connections_percent", nodes["pg-b"]) == Threshold(70, 90)
    assert threshold(limits, "connections_percent", nodes["edge-a"]) == METRICS["connections_percent"].default
    lag = METRICS["replication_lag_bytes"].default
    assert threshold(limits, "replication_lag_bytes", nodes["pg-b"]) == Threshold(2 * lag.warn, lag.crit)
    assert threshold(limits, "pending_upgrades", nodes["pg-b"]) == Threshold(None, None)


def test_crlf_and_lf_mean_the_same() -> None:
    data = (EXAMPLES / "three-nodes.toml").read_bytes()
    unix = parse_inventory(data, Path("/x.toml"))
    assert parse_inventory(data.replace(b"\n", b"\r\n"), Path("/x.toml")) == unix


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_default_levels_are_in_order(metric) -> None:
    warn, crit = metric.default.warn, metric.default.crit
    assert warn is not None
    assert metric.meaning
    if crit is not None:
        assert (crit < warn) if metric.default.below else (warn < crit)
    assert metric.limit is None or warn <= metric.limit
