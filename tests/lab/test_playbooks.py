"""The shipped playbooks other than the plain rolling upgrade, on the real lab, under a client's load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hactl.lab import Lab
from tests.lab import packages
from tests.lab.acting import APPS, BALANCERS, Operator, all_up, set_back, state, until
from tests.lab.load.client import KEPT
from tests.lab.load.watching import load

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

OK, FAILED, GUARDED, UNDONE = 0, 3, 7, 8
RATE = 100.0
UNDER_WAY = 3  # requests at most that are neither sent nor answered in the moment in which the VIP moves
HOLD = "/var/lib/keepalived/hold"


@pytest.fixture
def anna(lab: Lab, tmp_path: Path) -> Iterator[Operator]:
    """An operator of a healthy lab, in which nothing that a test offers stays."""
    until(lambda: holder(lab) != "", "a holder of the VIP")
    one = Operator(lab, tmp_path)
    yield one
    one.kill_runner()
    lab.faults.undo()
    for node in (*APPS, *BALANCERS):
        packages.withdraw(lab, node)
    set_back(lab)


def holder(lab: Lab) -> str:
    """The balancer that has the VIP, if exactly one has."""
    found = [name for name in BALANCERS if f" {lab.spec.vip}/" in lab.exec(name, ["ip", "-o", "addr"]).stdout]
    return found[0] if len(found) == 1 else ""


def other(lab: Lab) -> str:
    return next(name for name in BALANCERS if name != holder(lab))


def boot(lab: Lab, node: str) -> str:
    return lab.exec(node, ["systemctl", "show", "-p", "UserspaceTimestampMonotonic", "--value"]).stdout.strip()


def life(lab: Lab, node: str, unit: str) -> str:
    return lab.exec(node, ["systemctl", "show", unit, "-p", "InvocationID", "--value"]).stdout.strip()


def on_new_connections(failures: object) -> list[str]:
    """Those that nobody can blame on a connection that the VIP's move has cut: the client keeps every second one."""
    assert isinstance(failures, list)
    return [one for one in failures if int(re.findall(r"request (\d+),", one)[0]) % 2]


# --- balancers ------------------------------------------------------------------------------------------------


def test_haproxy_is_upgraded_where_the_vip_is_not(lab: Lab, anna: Operator) -> None:
    had, old = holder(lab), packages.installed(lab, "lb1", "haproxy")
    for name in BALANCERS:
        packages.offer(lab, name, "haproxy", [old, f"{old}+1"])
    with load(lab, RATE) as sent:
        done = anna("upgrade", "--service", "balancer", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert f"install haproxy={old}+1" in done.stdout  # the plan says what it installs
    assert [packages.installed(lab, name, "haproxy") for name in BALANCERS] == [f"{old}+1"] * 2
    assert holder(lab) not in {"", had}
    assert lab.exec(had, ["cat", HOLD]).stdout.strip() == "0"
    assert len(on_new_connections(sent["failures"])) <= UNDER_WAY
    assert int(str(sent["failed"])) <= KEPT + UNDER_WAY
    assert float(str(sent["gap"])) < 5.0


def test_a_haproxy_that_does_not_start_is_undone_unnoticed(lab: Lab, anna: Operator) -> None:
    had, first, old = holder(lab), other(lab), packages.installed(lab, "lb1", "haproxy")
    for name in BALANCERS:
        packages.offer(lab, name, "haproxy", [old])
        packages.offer(lab, name, "haproxy", [f"{old}+2"], broken="/usr/sbin/haproxy")
    before = life(lab, had, "haproxy")
    with load(lab, RATE) as sent:
        done = anna("upgrade", "--service", "balancer", "--yes")
    assert done.returncode == UNDONE, done.stdout + done.stderr
    assert [packages.installed(lab, name, "haproxy") for name in BALANCERS] == [old] * 2
    assert lab.exec(first, ["systemctl", "is-active", "haproxy"]).stdout.strip() == "active"
    assert (holder(lab), life(lab, had, "haproxy")) == (had, before)
    assert (sent["failed"], sent["failures"]) == (0, [])


def test_nobody_gives_the_vip_up_when_nobody_would_take_it(lab: Lab, anna: Operator) -> None:
    had, free = holder(lab), other(lab)
    lab.exec(free, ["sh", "-c", f"echo 1 >{HOLD}"])
    try:
        done = anna("run", "restart", "-p", "service=vrrp", "-l", had, "--yes")
    finally:
        lab.exec(free, ["sh", "-c", f"echo 0 >{HOLD}"])
    assert done.returncode == GUARDED
    assert f"nobody would take public: {free} takes no address" in done.stderr
    assert holder(lab) == had


# --- nodes ----------------------------------------------------------------------------------------------------


def test_a_node_is_rebooted_where_it_asks_for_it(lab: Lab, anna: Operator) -> None:
    lab.exec("app1", ["touch", "/run/reboot-required"])
    before = {name: boot(lab, name) for name in APPS}
    with load(lab, RATE) as sent:
        done = anna("upgrade", "--os", "--limit", "app1", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert [name for name in APPS if boot(lab, name) != before[name]] == ["app1"]
    assert lab.exec("app1", ["test", "-e", "/run/reboot-required"]).returncode != 0
    assert all_up(lab)
    assert (sent["failed"], sent["failures"]) == (0, [])


def test_databases_and_backups_want_to_be_named(lab: Lab, anna: Operator) -> None:
    done = anna("upgrade", "--os", "--limit", "role:db,role:backup", "--yes")
    assert done.returncode == GUARDED
    assert "name it to act on it" in done.stderr
    named = anna("upgrade", "--os", "--limit", "db1", "--yes")
    assert named.returncode == GUARDED
    assert "db1 is the primary" in named.stderr


def test_old_code_serves_again_though_its_package_restarts_nothing(lab: Lab, anna: Operator) -> None:
    packages.offer(lab, "app3", "shop", ["0.9.1", "0.9.2"], quiet=True)
    lab.exec("app3", ["apt-get", "install", "-qy", "--allow-downgrades", "shop=0.9.1"], timeout=120)
    playbook = anna.home / "spoilt.toml"
    playbook.write_text(
        'schema = 1\n[playbook]\nname = "spoilt"\ntitle = "Upgrade, and find fault with it"\n'
        '[targets]\nlimit = "app3"\n'
        '[[steps]]\nname = "drain"\nverb = "balancer.drain"\non_failure = "undo"\n'
        '[[steps]]\nname = "package"\nverb = "package.upgrade"\non_failure = "undo"\n'
        'with = { package = "shop", version = "0.9.2", service = "shop" }\n'
        '[[steps]]\nname = "restart"\nverb = "service.restart"\non_failure = "undo"\nwith = { service = "shop" }\n'
        '[[steps]]\nname = "judge"\nverb = "command"\non_failure = "undo"\nwith = { argv = ["false"] }\n'
    )
    done = anna("run", str(playbook), "--yes")
    assert done.returncode == UNDONE, done.stdout + done.stderr
    assert "shop 0.9.1 is back; restarted: shop.service is active (running)" in done.stdout
    assert packages.installed(lab, "app3", "shop") == "0.9.1"
    assert state(lab, "app3") == ("UP", "UP")


def test_few_sessions_are_enough(lab: Lab, anna: Operator) -> None:
    """FAULTS row 9: the lock and the watch hold one session each for as long as the run lasts."""
    for name in ("app2", *BALANCERS):
        lab.faults.inject("ssh-limits", name)
    with load(lab, RATE) as sent:
        done = anna("run", "restart", "-p", "service=shop", "-l", "app2", "--yes")
    assert done.returncode == OK, done.stdout + done.stderr
    assert all_up(lab)
    assert sent["failed"] == 0


# --- commands -------------------------------------------------------------------------------------------------


def test_a_command_that_fails_stops_the_batches_after_it(lab: Lab, anna: Operator) -> None:
    words = 'sh -c "echo $(hostname) >>/tmp/was-here; test $(hostname) != app2"'
    done = anna("run", "run-command", "-l", "role:app", "-p", f"argv={words}", "--yes")
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert [lab.exec(name, ["cat", "/tmp/was-here"]).stdout for name in APPS] == ["app1\n", "app2\n", ""]
    assert anna("run", "run-command", "-p", "argv=true", "--yes").returncode == 2  # it says on which nodes
