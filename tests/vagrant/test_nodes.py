"""The nodes as the scripts leave them, in the real lab: what runs, what is refused, what survives."""

import csv
import json
import uuid

import pytest

from hactl.lab import keys
from hactl.lab.rise import environment
from tests.vagrant.places import run

pytestmark = pytest.mark.lab

APPS = {"app1": "shop-a", "app2": "shop-b", "app3": "shop-c"}
BALANCERS = ("lb1", "lb2")
DATABASES = ("db1", "db2", "db3")


@pytest.fixture
def on(lab):
    """on(NODE, SCRIPT): what the script, run there as root, wrote; it must exit 0."""

    def ask(node, script):
        done = lab.exec(node, ["sh", "-c", script])
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ask


@pytest.fixture
def sql(on):
    return lambda node, text: on(node, f'cd / && runuser -u postgres -- psql -XAtq -c "{text}"').strip()


@pytest.fixture
def ssh(lab):
    """ssh(NODE, COMMAND): as an operator does it; whatever the outcome."""
    return lambda node, command: run("ssh", "-F", lab.paths.ssh_config, node, command)


@pytest.fixture
def shop(lab):
    """shop(PATH, *CURL-OPTIONS): status and body, asked at the shared address."""

    def ask(path, *options):
        words = ("-sS", "--max-time", "20", "--unix-socket", lab.paths.vip_socket, "-w", "\n%{http_code}")
        done = run("curl", *words, *options, f"http://shop{path}")
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    return ask


def servers(on, balancer):
    """HAProxy's view: {(backend, server): status}"""
    text = on(balancer, "echo 'show stat' | socat - UNIX-CONNECT:/run/haproxy/admin.sock")
    rows = csv.DictReader(text.removeprefix("# ").strip().splitlines())
    return {
        (row["pxname"], row["svname"]): row["status"] for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")
    }


def test_systemd_is_content_on_every_node(lab, on):
    states = {node.name: on(node.name, "systemctl is-system-running || true").strip() for node in lab.spec.nodes}
    assert set(states.values()) == {"running"}, states


def test_the_shared_address_has_one_holder(lab, on):
    held = [on(balancer, f"ip -br -4 addr | grep -cw {lab.spec.vip} || true").strip() for balancer in BALANCERS]
    assert sorted(held) == ["0", "1"]


@pytest.mark.parametrize("balancer", BALANCERS)
def test_a_balancer_routes_to_every_shop_and_to_the_primary_alone(balancer, on, sql):
    seen = servers(on, balancer)
    assert {name: seen["be_shop", name] for name in APPS.values()} == dict.fromkeys(APPS.values(), "UP")
    primaries = [name for name in DATABASES if sql(name, "SELECT pg_is_in_recovery()") == "f"]
    assert [name for name in DATABASES if seen["be_pg_primary", name] == "UP"] == primaries
    assert len(primaries) == 1


def test_both_standbys_stream_through_their_slots_and_the_archive_works(sql):
    primary = next(name for name in DATABASES if sql(name, "SELECT pg_is_in_recovery()") == "f")
    standbys = sorted(set(DATABASES) - {primary})
    assert sql(
        primary, "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1"
    ).split() == (standbys)
    assert sql(primary, "SELECT slot_name FROM pg_replication_slots WHERE active ORDER BY 1").split() == standbys
    assert (
        sql(
            primary,
            "SELECT archived_count > 0 AND COALESCE(last_archived_time > last_failed_time, true) FROM pg_stat_archiver",
        )
        == "t"
    )
    assert sql(primary, "SHOW data_checksums") == "on"


def test_the_repository_holds_a_full_backup_and_hactl_may_read_just_that(ssh):
    done = ssh("backup1", "sudo -n -u pgbackrest pgbackrest --stanza=main --output=json info")
    (stanza,) = json.loads(done.stdout)
    assert stanza["status"]["code"] == 0
    assert [backup["type"] for backup in stanza["backup"]][:1] == ["full"]
    for refused in (
        "sudo -n true",
        "sudo -n -u pgbackrest pgbackrest --stanza=main expire",
        "sudo -n -u pgbackrest pgbackrest --stanza=main --output=json info --set=x",
        "sudo -n -u postgres psql -c 'SELECT 1'",
        "cat /etc/pgbackrest.conf",
        "ls /var/lib/pgbackrest",
    ):
        assert ssh("backup1", refused).returncode != 0, refused


def test_drills_can_read_the_repository_and_not_write_it(on):
    as_drill = "cd / && setpriv --reuid=pgdrill --regid=pgdrill --init-groups"
    info = on("backup1", f"{as_drill} pgbackrest --stanza=main --log-level-file=off --lock-path=/var/lib/pgdrill info")
    assert "status: ok" in info
    assert on("backup1", f"{as_drill} touch /var/lib/pgbackrest/x 2>&1 || echo refused").endswith("refused\n")


def test_the_operator_reads_the_databases_statistics_and_may_do_what_a_takeover_needs(ssh):
    def asked(text):
        return ssh("db1", f'psql -XAtq -d postgres -c "{text}"')

    assert asked("SELECT current_user, pg_has_role('pg_monitor', 'member')").stdout == "hactl|t\n"
    assert asked("SELECT count(*) > 0 FROM pg_ls_waldir()").stdout == "t\n"
    for function in ("pg_promote(boolean,integer)", "pg_reload_conf()", "pg_switch_wal()"):
        assert asked(f"SELECT has_function_privilege('{function}', 'EXECUTE')").stdout == "t\n", function
    for refused in ("SELECT pg_wal_replay_pause()", "CREATE TABLE t ()", "SELECT * FROM pg_authid"):
        assert "permission denied" in asked(refused).stderr, refused
    for refused in ("sudo -n true", "cat /opt/hactl-lab/keys/shop.password", "cat /var/lib/postgresql/.pgpass"):
        assert ssh("db1", refused).returncode != 0, refused


def test_the_balancers_check_is_trusted_from_balancers_only(on, lab):
    """By address, and for nothing but logging in."""
    login = "psql -XAtq -w -d 'host=db1 user={} dbname={} connect_timeout=5' -c '{}' 2>&1 || true"
    assert on("lb1", login.format("hacheck", "postgres", "SELECT 1")) == "1\n"
    assert "permission denied" in on("lb1", login.format("hacheck", "postgres", "CREATE TABLE t ()"))
    assert "no pg_hba.conf entry" in on("lb1", login.format("hacheck", "shop", "SELECT 1"))
    assert "no pg_hba.conf entry" in on("app1", login.format("hacheck", "postgres", "SELECT 1"))
    assert "no password supplied" in on("lb1", login.format("shop", "shop", "SELECT 1"))
    assert "no pg_hba.conf entry" in on("lb1", login.format("postgres", "postgres", "SELECT 1"))


def test_sshd_takes_keys_only(ssh, lab):
    for refused in (["-o", "PubkeyAuthentication=no"], ["-l", "root"]):
        done = run("ssh", "-F", lab.paths.ssh_config, *refused, "-o", "BatchMode=yes", "app1", "true")
        assert done.returncode == 255
        assert "Permission denied (publickey)" in done.stderr


def test_an_order_is_stored_once_however_often_it_is_sent(shop):
    key = f"Idempotency-Key: {uuid.uuid4()}"
    order = ("-H", key, "-d", '{"item": "<tea>", "quantity": 2}')
    first, again = shop("/api/orders", *order), shop("/api/orders", *order)
    assert (first[0], again[0]) == (201, 200)
    assert json.loads(first[1]) == json.loads(again[1])
    assert shop(f"/api/orders/{json.loads(first[1])['id']}") == (200, first[1])
    assert json.loads(shop("/api/orders?limit=1")[1]) == [json.loads(first[1])]
    assert shop("/api/orders", "-H", key, "-d", '{"item": "coffee", "quantity": 2}')[0] == 422
    assert shop("/api/orders/9" + "0" * 17)[0] == 404
    assert shop("/api/orders?limit=0")[0] == 400
    page = shop("/")[1]
    assert "&lt;tea&gt;" in page
    assert "<tea>" not in page


def test_the_page_takes_orders_too(shop):
    sent = ("--data-urlencode", f"key={uuid.uuid4()}", "--data-urlencode", "item=biscuits & jam", "-d", "quantity=3")
    assert shop("/orders", *sent)[0] == 303
    newest = json.loads(shop("/api/orders?limit=1")[1])[0]
    assert (newest["item"], newest["quantity"]) == ("biscuits & jam", 3)


def test_a_drain_survives_reload_and_restart_and_its_end_survives_too(on):
    def state():
        return servers(on, "lb1")["be_shop", "shop-b"]

    def order(word):
        on("lb1", f"echo 'set server be_shop/shop-b state {word}' | socat - UNIX-CONNECT:/run/haproxy/admin.sock")

    order("drain")
    try:
        on("lb1", "systemctl reload haproxy")
        assert state() == "DRAIN"
        on("lb1", "systemctl restart haproxy")
        assert state() == "DRAIN"
    finally:
        order("ready")
    # A power cut saves nothing: what was read once must not come back.
    on("lb1", "systemctl kill --kill-whom=all --signal=KILL haproxy; sleep 1; systemctl is-active haproxy")
    assert state().startswith("UP")


def test_a_broken_configuration_does_not_reach_haproxy(on, lab):
    on("lb1", "cp -p /etc/haproxy/haproxy.cfg /root/kept.cfg; echo nonsense >>/etc/haproxy/haproxy.cfg")
    try:
        assert lab.exec("lb1", ["systemctl", "reload", "haproxy"]).returncode != 0
        assert servers(on, "lb1")["be_shop", "shop-a"] == "UP"
    finally:
        on("lb1", "mv /root/kept.cfg /etc/haproxy/haproxy.cfg; systemctl reload haproxy")


def test_provisioning_again_restarts_nothing(lab, on):
    """The scripts run again and again on live nodes; only what differs may be touched."""
    units = "haproxy keepalived shop postgresql@15-main ssh"
    pids = f"systemctl show --property=MainPID,ExecMainStartTimestampMonotonic {units}"
    for machine in lab.machines:
        before = on(machine.node.name, pids)
        done = machine.attempt(
            ["sh", "/opt/hactl-lab/provision/node.sh"],
            env=environment(lab.spec, machine.node, keys.operator_key(lab.spec)),
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), machine.node.name
        assert on(machine.node.name, pids) == before, machine.node.name
