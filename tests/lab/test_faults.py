"""Every fault of the table, done for real to the whole lab: it shows, and after its undo it does not.

`SEEN` holds, for each fault, its arguments and a question about the lab that is true exactly while it is active.
"""

import csv
import subprocess
import time

import pytest

from hactl.lab import Lab
from hactl.lab.faults import FAULTS
from hactl.model.errors import LabError
from tests.lab.acting import GOOD, OLD
from tests.lab.packages import installed

pytestmark = pytest.mark.lab
PATIENCE = 40.0  # seconds: machines that run tests are busy


def ssh(lab, node, command="true", timeout=8):
    """What `command` printed on `node`, through the door that hactl uses; None when the node cannot be reached."""
    argv = ["ssh", "-F", lab.paths.ssh_config, "-o", "ConnectTimeout=7", node, command]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def root(lab, node, command):
    return lab.exec(node, ["sh", "-c", command]).stdout.strip()


def sql(lab, node, query):
    return lab.exec(node, ["runuser", "-u", "postgres", "--", "psql", "-XAtqc", query]).stdout.strip()


def pings(lab, node, other):
    return lab.exec(node, ["ping", "-c", "1", "-W", "1", lab.spec.node(other).address]).returncode == 0


def servers(lab, balancer):
    """HAProxy's statistics by server name."""
    text = root(lab, balancer, "echo show stat | socat -t 5 - /run/haproxy/admin.sock").removeprefix("# ")
    return {row["svname"]: row for row in csv.DictReader(text.splitlines())}


def seconds(act):
    began = time.monotonic()
    assert act() is not None
    return time.monotonic() - began


def clock_off(lab, node):
    return abs(int(ssh(lab, node, "date +%s") or 0) - time.time())


def lost(lab, node):
    return "0 received" in root(lab, node, "ping -c 3 -i 0.05 -W 1 192.168.56.1 || true")


def main_pid(lab, node, unit):
    return root(lab, node, f"systemctl show -p MainPID --value {unit}")


SEEN = {
    "power-off": (["db2"], lambda lab: ssh(lab, "db2") is None and lab.machine("db2").leader() is None),
    "freeze": (["app1"], lambda lab: ssh(lab, "app1") is None and lab.machine("app1").leader() is not None),
    "partition": (
        ["site:west"],
        lambda lab: ssh(lab, "db3") is None and not pings(lab, "db1", "db3") and pings(lab, "db3", "backup1"),
    ),
    "slow": (["app1", "10000", "300"], lambda lab: seconds(lambda: ssh(lab, "app1", timeout=30)) > 2.0),
    "lossy": (["app2", "100"], lambda lab: lost(lab, "app2")),
    "disk-full": (
        ["backup1"],
        lambda lab: int(root(lab, "backup1", "df --output=pcent /var/lib/pgdrill | tail -n 1").rstrip("%")) in (97, 98),
    ),
    "service-stop": (["app3"], lambda lab: root(lab, "app3", "systemctl is-active shop") == "inactive"),
    "service-freeze": (
        ["lb2", "keepalived.service"],
        lambda lab: root(lab, "lb2", "ps -o state= -p $(systemctl show -p MainPID --value keepalived)") == "T",
    ),
    "clock-skew": (["app1", "-300"], lambda lab: 290 < clock_off(lab, "app1") < 400),
    "bad-package": ([], lambda lab: "Candidate: 1.2.0" in root(lab, "app2", "apt-cache policy shop")),
    "hold-session": (["3"], lambda lab: max(shop_sessions(lab, lb) for lb in ("lb1", "lb2")) >= 3),
    "stop-archiving": ([], lambda lab: sql(lab, "db1", "SHOW archive_command") == "false"),
    "damage-backup": (
        [],
        lambda lab: (
            "checksum invalid: 1"
            in root(lab, "backup1", "sudo -u pgbackrest pgbackrest --stanza=main --output=text --verbose verify")
        ),
    ),
    "drop-table": (
        [],
        lambda lab: (
            root(lab, "db1", "runuser -u postgres -- psql -XAtqc \"SELECT to_regclass('orders')\" -d shop") == ""
        ),
    ),
    "pause-replay": ([], lambda lab: sql(lab, "db2", "SELECT pg_is_wal_replay_paused()") == "t"),
    "abandoned-slot": (
        ["primary", "32"],
        lambda lab: (
            int(
                sql(
                    lab,
                    "db1",
                    "SELECT coalesce(max(pg_current_wal_lsn() - restart_lsn), 0)::bigint FROM pg_replication_slots "
                    "WHERE slot_name = 'abandoned'",
                )
            )
            > 32 * 1024 * 1024
        ),
    ),
    "drain-one": (
        ["lb1", "be_shop/shop-b"],
        lambda lab: (
            servers(lab, "lb1")["shop-b"]["status"].startswith("DRAIN")
            and servers(lab, "lb2")["shop-b"]["status"] == "UP"
        ),
    ),
    "socket-deny": (["lb1"], lambda lab: ssh(lab, "lb1", "test -w /run/haproxy/admin.sock || echo no") == "no\n"),
    "socket-remove": (["lb2"], lambda lab: root(lab, "lb2", "test -S /run/haproxy/admin.sock || echo no") == "no"),
    "host-key": (["db3"], lambda lab: ssh(lab, "db3") is None and pings(lab, "db1", "db3")),
    "ssh-limits": (["db3"], lambda lab: "maxsessions 2" in root(lab, "db3", "sshd -T")),
    "sudo-trim": ([], lambda lab: ssh(lab, "backup1", "sudo -n -l") is None),
}


def shop_sessions(lab, balancer):
    text = root(lab, balancer, "echo show stat | socat -t 5 - /run/haproxy/admin.sock").removeprefix("# ")
    rows = csv.DictReader(text.splitlines())
    return sum(int(row["scur"]) for row in rows if row["pxname"] == "be_shop" and row["svname"] != "BACKEND")


def becomes(question, *, wanted):
    """Waits until `question()` is answered as wanted."""
    deadline = time.monotonic() + PATIENCE
    while question() is not wanted:
        assert time.monotonic() < deadline, f"not {wanted} within {PATIENCE} s"
        time.sleep(0.2)


def test_the_table_and_these_tests_know_the_same_faults():
    assert set(SEEN) | {"service-kill", "old-release"} == set(FAULTS)


@pytest.mark.parametrize("name", SEEN)
def test_a_fault_shows_and_its_undo_takes_it_back(lab, name):
    arguments, seen = SEEN[name]
    becomes(lambda: seen(lab), wanted=False)
    active = lab.faults.inject(name, *arguments)
    assert [str(each) for each in lab.faults.active()] == [str(active)]
    becomes(lambda: seen(lab), wanted=True)
    lab.faults.inject(name, *arguments)  # again: replaced, not doubled
    assert len(lab.faults.active()) == 1
    assert [str(each) for each in Lab(lab.spec.name).faults.undo(name)] == [str(active)]
    becomes(lambda: seen(lab), wanted=False)
    assert lab.faults.active() == []


def test_a_killed_service_has_another_process(lab):
    before = main_pid(lab, "app3", "shop")
    lab.faults.inject("service-kill", "app3")
    lab.faults.undo()
    becomes(lambda: main_pid(lab, "app3", "shop") not in (before, "0"), wanted=True)


def test_an_old_release_takes_the_place_of_a_newer_one(lab):
    upgraded = lab.exec("app3", ["apt-get", "install", "-y", "-qq", f"shop={GOOD}"], timeout=60)
    assert upgraded.returncode == 0, upgraded.stderr
    lab.faults.inject("old-release", "app3")
    assert installed(lab, "app3", "shop") == OLD
    lab.faults.undo()
    assert installed(lab, "app3", "shop") == OLD, "there is nothing to undo"


def test_a_partition_between_two_is_seen_by_the_operator(lab):
    lab.faults.inject("partition", "db1", "db2")
    assert not pings(lab, "db1", "db2")
    becomes(lambda: pings(lab, "db1", "db3") and ssh(lab, "db1") is not None, wanted=True)
    assert not pings(lab, "db1", "db2")
    lab.faults.reverse("heal", "db1", "db2")
    becomes(lambda: pings(lab, "db1", "db2"), wanted=True)


def test_undo_takes_back_everything_at_once_whatever_the_order(lab):
    lab.faults.inject("clock-skew", "db2", "500")
    lab.faults.inject("slow", "db2")
    lab.faults.inject("freeze", "db2")
    lab.faults.inject("partition", "db2")
    undone = [each.fault for each in lab.faults.undo()]
    assert sorted(undone) == ["clock-skew", "freeze", "partition", "slow"]
    becomes(lambda: clock_off(lab, "db2") < 8, wanted=True)


def test_undo_works_without_its_book(lab):
    lab.faults.inject("freeze", "app2")
    lab.faults.inject("partition", "site:west")
    lab.faults.inject("slow", "app1", "10000", "500")
    lab.faults.forget_all()
    assert [str(each) for each in lab.faults.active()] == ["freeze app2"]
    lab.faults.undo()
    for node in ("app2", "db3", "app1"):
        becomes(lambda node=node: ssh(lab, node) is not None, wanted=True)
    lab.faults.undo("slow", "app1", "10000", "500")


def test_up_on_a_healthy_lab_only_looks_and_leaves_faults_alone(lab):
    lab.faults.inject("freeze", "app2")
    began = time.monotonic()
    lab.up()
    assert time.monotonic() - began < 3.0
    assert lab.machine("app2").frozen()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("frezee", ["db1"], 'did you mean "freeze"'),
        ("freeze", ["db9"], "no node"),
        ("freeze", ["role:none"], "selects no node"),
        ("slow", ["db1", "-3"], "not a number from"),
    ],
)
def test_what_cannot_be_injected_is_explained(lab, name, arguments, said):
    with pytest.raises(LabError, match=said):
        lab.faults.inject(name, *arguments)
    lab.faults.forget_all()
