"""A real lab of two nodes: up, again up, killed in between, beside another one, down without a trace."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hactl.lab import Lab, cgroups, cleanup, door, network
from hactl.lab.spec import RUN_ROOT
from hactl.model.errors import LabError

pytestmark = pytest.mark.lab

NODES = ("lb1", "app1")
CLI = [sys.executable, "-m", "hactl", "lab"]


@pytest.fixture
def small(lab_name):
    """A lab of two nodes, not up yet; nothing of it is left behind."""
    this = Lab(f"{lab_name}-small", NODES)
    this.down(now=True, disks=True)
    yield this
    this.down(now=True, disks=True)
    assert this.leftovers() == []
    assert not this.paths.state.exists()


def run_up(lab):
    return subprocess.Popen(
        [*CLI, "up", "-n", lab.spec.name, "--nodes", ",".join(NODES)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def leaders(lab):
    return [machine.leader() for machine in lab.machines]


def assert_works(lab):
    for node in NODES:
        done = subprocess.run(
            ["ssh", "-F", lab.paths.ssh_config, node, "hostname; id -un"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.stdout.split() == [node, "hactl"], done.stderr
    assert lab.status().running


def test_up_boots_and_again_only_looks(small):
    small.up()
    assert_works(small)
    before, began = leaders(small), time.monotonic()
    small.up()
    assert time.monotonic() - began < 3.0
    assert leaders(small) == before


def test_nodes_and_relay_outlive_the_process_that_started_them(small):
    assert run_up(small).wait(120) == 0
    assert_works(small)


def test_down_leaves_nothing_and_keeps_the_disks(small):
    small.up()
    small.exec("app1", ["sh", "-c", "echo kept >/root/file"])
    small.down()
    assert small.leftovers() == []
    small.up()
    assert small.exec("app1", ["cat", "/root/file"]).stdout == "kept\n"
    small.reset()
    assert small.exec("app1", ["cat", "/root/file"]).returncode != 0


def test_down_of_what_is_not_there_is_fine(small):
    small.down()
    assert small.leftovers() == []


def moments(once: float, *others: float) -> pytest.MarkDecorator:
    """Seconds after which an `up` is killed; a story tries all of them."""
    return pytest.mark.parametrize("after", [once, *(pytest.param(one, marks=pytest.mark.story) for one in others)])


@moments(0.5, 0.15, 0.3, 0.8, 1.2, 1.8, 2.5)
def test_an_up_killed_at_any_moment_can_be_repeated(small, after):
    process = run_up(small)
    time.sleep(after)
    process.kill()
    process.wait()
    small.up()
    assert_works(small)
    assert small.exec("app1", ["systemctl", "is-system-running"]).stdout.strip() == "running"


@moments(0.7, 0.3, 1.5)
def test_an_up_killed_at_any_moment_can_be_taken_down(small, after):
    process = run_up(small)
    time.sleep(after)
    process.kill()
    process.wait()
    small.down()
    assert small.leftovers() == []


def test_every_process_of_the_launcher_killed_leaves_nothing_after_down(small):
    small.up()
    holders = cleanup.nspawns(small.spec)
    assert holders
    for pid in holders:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    small.down()
    assert small.leftovers() == []


def test_concurrent_ups_take_turns(small):
    processes = [run_up(small) for _ in range(3)]
    outputs = [process.communicate(timeout=180)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert any("waiting for process" in output for output in outputs)
    assert_works(small)


def test_what_failed_is_started_again(small):
    small.up()
    small.machine("app1").cut_power()
    cgroups.kill(small.spec.name, cgroups.RELAY)
    assert small.status().nodes[1].power == "off"
    assert not door.answers(small.spec)
    lb1 = small.machine("lb1").leader()
    small.up()
    assert_works(small)
    assert small.machine("lb1").leader() == lb1


def test_a_node_that_a_fault_keeps_off_stays_off(small):
    small.up()
    small.faults.inject("power-off", "app1")
    small.up()
    assert small.machine("app1").leader() is None
    small.faults.undo()
    assert_works(small)


def test_a_node_can_reboot_itself(small):
    small.up()
    small.exec("app1", ["systemctl", "reboot"])
    machine, before = small.machine("app1"), small.machine("app1").leader()
    deadline = time.monotonic() + 30
    while machine.leader() in (before, None) or not machine.booted():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert_works(small)


def test_volatile_faults_end_with_the_lab_and_lasting_ones_do_not(small):
    small.up()
    small.faults.inject("freeze", "app1")
    small.faults.inject("clock-skew", "lb1", "500")
    small.down()
    small.up()
    assert [active.fault for active in small.faults.active()] == ["clock-skew"]
    small.faults.undo()
    assert small.faults.active() == []


def test_two_labs_side_by_side(lab, small):
    small.up()
    assert_works(small)
    assert lab.status().running
    assert lab.exec("app1", ["hostname"]).stdout == small.exec("app1", ["hostname"]).stdout
    assert lab.machine("app1").leader() != small.machine("app1").leader()
    small.down(now=True, disks=True)
    assert small.leftovers() == []
    assert lab.status().running
    assert small.spec.name not in cleanup.other_labs()


def test_no_way_out(small):
    small.up()
    for node in NODES:
        assert "default" not in small.exec(node, ["ip", "route"]).stdout
        assert small.exec(node, ["ping", "-c", "1", "-W", "1", "192.0.2.1"]).returncode != 0
    links = subprocess.run(
        network.inside(small.spec, ["ip", "-o", "link"]), capture_output=True, text=True, check=True
    ).stdout
    names = {line.split(": ")[1].partition("@")[0] for line in links.splitlines()}
    assert names == {"lo", network.BRIDGE, *(small.spec.link(node) for node in NODES)}
    routes = subprocess.run(
        network.inside(small.spec, ["ip", "route"]), capture_output=True, text=True, check=True
    ).stdout
    assert "default" not in routes


def test_the_runtime_folder_is_private(small):
    small.up()
    assert small.paths.run.stat().st_mode & 0o777 == 0o700
    assert small.paths.identity.stat().st_mode & 0o777 == 0o600
    assert RUN_ROOT in small.paths.run.parents


def test_commands_of_the_cli_on_a_real_node(small):
    small.up()

    def cli(*words, stdin=""):
        return subprocess.run(
            [*CLI, words[0], "-n", small.spec.name, *words[1:]],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    piped = cli("exec", "app1", "--", "sh", "-c", "cat; exit 7", stdin="through\n")
    assert (piped.stdout, piped.returncode) == ("through\n", 7)
    assert cli("ssh", "app1", "hostname").stdout == "app1\n"
    status = json.loads(cli("status", "-o", "json").stdout)
    up = {node["name"] for node in status["nodes"] if node["power"] == "on"}
    assert up == set(NODES)
    assert cli("inventory").stdout.strip() == str(small.paths.inventory)
    assert cli("ssh-config").stdout == small.paths.ssh_config.read_text()
    missing = cli("exec", "app9", "--", "true")
    assert missing.returncode == 3
    assert "app9" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_exec_in_a_node_that_is_off_says_so(small):
    with pytest.raises(LabError, match="app1 is off"):
        small.exec("app1", ["true"])
