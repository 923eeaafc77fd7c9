"""Texts that the lab writes and reads, as data: known_hosts, ssh_config, inventory, mounts, rules, steps, arguments."""

import subprocess
from pathlib import Path

import pytest
import tomli

from hactl.config.share import share_path
from hactl.lab import cgroups, cleanup, keys, network
from hactl.lab.faults import FAULTS, REVERSES, Active
from hactl.lab.rise import Step, environment, parse_steps
from hactl.lab.spec import load_spec
from hactl.model.errors import LabError

SPEC = load_spec("try")


def test_known_hosts_names_each_node_by_name_and_address():
    publics = {node.name: f"ssh-ed25519 AAAA{node.name} root@{node.name}\n" for node in SPEC.nodes}
    lines = keys.known_hosts(SPEC, publics).splitlines()
    assert lines[0] == "lb1,192.168.56.11 ssh-ed25519 AAAAlb1"
    assert len(lines) == len(SPEC.nodes)


def test_ssh_reads_its_configuration_as_meant(tmp_path):
    config = tmp_path / "config"
    config.write_text(keys.ssh_config(SPEC))
    said = subprocess.run(["ssh", "-G", "-F", config, "db1"], capture_output=True, text=True, check=True).stdout
    options = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    assert options["user"] == "hactl"
    assert options["hostname"] == "192.168.56.31"
    assert options["stricthostkeychecking"] in ("true", "yes")
    assert options["proxycommand"].endswith("/run/hactl-lab/try/ssh/db1.sock")


def test_the_inventory_of_another_lab_differs_in_its_name_only():
    source = share_path("inventory", "lab.toml").read_text()
    document, original = tomli.loads(keys.inventory(source, "try")), tomli.loads(source)
    assert document["cluster"].pop("name") == "try"
    original["cluster"].pop("name")
    assert document == original


def test_mounts_come_innermost_first():
    text = (
        "36 35 0:30 / /var/lib/hactl-lab/x/nodes/a/root rw - overlay o rw\n"
        "37 36 0:31 / /var/lib/hactl-lab/x/nodes/a/root/with\\040space rw - tmpfs t rw\n"
        "38 35 0:32 / /var/lib/hactl-lab/xy rw - tmpfs t rw\n"
    )
    found = cleanup.parse_mountinfo(text, Path("/var/lib/hactl-lab/x"))
    assert [str(path) for path in found] == [
        "/var/lib/hactl-lab/x/nodes/a/root/with space",
        "/var/lib/hactl-lab/x/nodes/a/root",
    ]


def test_hierarchies_of_a_hybrid_and_of_a_pure_machine():
    hybrid = (
        "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
        "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )
    found = cgroups.parse_mounts(hybrid)
    assert found.unified == Path("/sys/fs/cgroup/unified")
    assert [tree.name for tree in found.others] == ["memory", "systemd"]
    pure = cgroups.parse_mounts("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")
    assert pure.all == (Path("/sys/fs/cgroup"),)
    assert cgroups.parse_mounts("proc /proc proc rw 0 0\n") is None


def test_steps():
    text = "# all\nrole:db  pg-primary  # first\n\ndb1 ready\n"
    assert parse_steps(text) == (Step("role:db", "pg-primary"), Step("db1", "ready"))


@pytest.mark.parametrize("text", ["db1\n", "db1 a b\n"])
def test_steps_that_make_no_sense(text):
    with pytest.raises(LabError):
        parse_steps(text)


def test_shipped_steps_name_only_what_exists():
    for step in parse_steps(share_path("vagrant", "provision", "bootstrap.steps").read_text()):
        assert step.nodes(SPEC), step


def test_the_environment_of_the_scripts():
    env = environment(SPEC, SPEC.node("db3"), "ssh-ed25519 K hactl@try")
    assert env["LAB_NODES"].split()[7] == "db3:192.168.57.33:west:db"
    assert (env["LAB_NODE"], env["LAB_SITE"], env["LAB_ROLE"], env["LAB_VIP"]) == ("db3", "west", "db", "192.168.56.10")


@pytest.mark.parametrize("percent", [0, 101, -1])
def test_a_loss_that_is_none(percent):
    with pytest.raises(LabError):
        network.loss_rules("t", "vb-x", percent)


@pytest.mark.parametrize(
    ("name", "arguments", "options", "expected"),
    [
        ("freeze", ["db2"], {}, {"node": "db2"}),
        ("slow", ["app1"], {}, {"node": "app1", "rate": "256", "delay": "400"}),
        ("slow", ["app1", "512"], {"delay": "50"}, {"node": "app1", "rate": "512", "delay": "50"}),
        ("stop-archiving", [], {}, {"node": "primary"}),
        ("clock-skew", ["db1", "-90"], {}, {"node": "db1", "seconds": "-90"}),
    ],
)
def test_fault_arguments(name, arguments, options, expected):
    assert FAULTS[name].values(arguments, options) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("freeze", [], {}),
        ("freeze", ["a", "b"], {}),
        ("slow", ["app1", "fast"], {}),
        ("lossy", ["app1", "0"], {}),
        ("lossy", ["app1"], {"speed": "1"}),
    ],
)
def test_fault_arguments_that_are_wrong(name, arguments, options):
    with pytest.raises(LabError):
        FAULTS[name].values(arguments, options)


def test_the_table_explains_every_fault():
    for name, fault in FAULTS.items():
        assert name == fault.name
        assert fault.does.endswith(".")
        assert fault.shows.endswith(".")
    assert not set(REVERSES) & set(FAULTS)


def test_the_same_fault_in_the_same_place_is_one():
    weak = Active("slow", {"node": "app1", "rate": "256", "delay": "0"}, 0.0)
    strong = Active("slow", {"node": "app1", "rate": "8", "delay": "900"}, 1.0)
    elsewhere = Active("slow", {"node": "app2", "rate": "256", "delay": "0"}, 0.0)
    assert weak.key == strong.key != elsewhere.key
    assert "/" not in Active("disk-full", {"node": "db1", "path": "/var/log", "percent": "97"}, 0.0).key
