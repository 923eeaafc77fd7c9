"""The lab in Vagrant's machines, against a stub of Vagrant and of ssh; bootstrap.sh is the real one.

`./dev test-vagrant` does it with real machines.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli

from hactl.config import load_inventory
from hactl.config.scenarios import scenarios
from hactl.config.share import share_path
from hactl.control.training import fault_arguments
from hactl.lab import Progress
from hactl.lab.faults import FAULTS
from hactl.lab.spec import load_spec
from hactl.lab.vagrant import tool
from hactl.lab.vagrant.faults import CANNOT, act_of
from hactl.lab.vagrant.lab import VagrantLab
from hactl.model.errors import InputError, LabError, LabUnsupportedError
from hactl.model.scenario import ActKind
from tests.cli.driving import hactl

STUB = Path(__file__).with_name("stub")
SPEC = load_spec("lab")
NODES = [node.name for node in SPEC.nodes]
ENTRIES = " ".join(f"{node.name}:{node.address}:{node.site}:{node.role}" for node in SPEC.nodes)


@dataclass(frozen=True, slots=True)
class Stub:
    """What the stub of Vagrant was asked, and what its machines were told."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [call for call in found if call != "--version"]

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.folder / "environment").read_text().splitlines())

    def told(self, node: str) -> str:
        path = self.folder / f"told-{node}"
        return path.read_text() if path.exists() else ""

    def machine(self, node: str, state: str) -> None:
        (self.folder / "machines" / node).write_text(f"{state}\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(STUB, tmp_path / "home" / "bin")
    return tmp_path / "home"


@pytest.fixture
def stub(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    (tmp_path / "stub").mkdir()
    monkeypatch.setenv("PATH", f"{home}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("STUB", str(tmp_path / "stub"))
    monkeypatch.setenv("STUB_NODES", ENTRIES)
    return Stub(tmp_path / "stub")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def up(stub: Stub, state: Path) -> VagrantLab:
    """The lab after its first `up`."""
    this = VagrantLab(state=state)
    this.up()
    assert stub.calls
    return this


# --- up and down ---


def test_up_makes_joins_and_writes_how_the_nodes_are_reached(stub: Stub, state: Path):
    told: list[Progress] = []
    this = VagrantLab(state=state)
    this.up(told.append)
    assert stub.calls == ["status --machine-readable", f"up --provision {' '.join(NODES)}", "ssh-config"]
    env = stub.environment
    assert env["VAGRANT_CWD"] == str(share_path("vagrant"))
    assert env["VAGRANT_DOTFILE_PATH"] == str(this.paths.dotfile)
    assert (env["HACTL_LAB_OWN"], env["HACTL_LAB_NODES"]) == (str(this.paths.own), "")
    assert max(one.done for one in told) == len(NODES)
    assert (this.paths.logs / "bootstrap.log").read_text().splitlines()[-1] == f"inventory: {this.paths.inventory}"
    assert "bootstrap.sh pg-primary" in stub.told("db1")
    assert "bootstrap.sh pg-primary" not in stub.told("app1")
    assert this.paths.root.stat().st_mode & 0o777 == 0o700


def test_the_inventory_differs_in_how_nodes_are_reached_only(up: VagrantLab):
    written = tomli.loads(up.paths.inventory.read_text())
    shipped = tomli.loads(share_path("inventory", "lab.toml").read_text())
    assert written.pop("ssh") == {
        "user": "hactl",
        "identity": f"{up.paths.own}/id_ed25519",
        "known_hosts": f"{up.paths.own}/known_hosts",
        "config": [],
    }
    assert written.pop("fencing") == {
        "status": ["hactl", "lab", "--backend", "vagrant", "power", "{node}"],
        "off": ["hactl", "lab", "--backend", "vagrant", "power", "{node}", "--off"],
    }
    for key in ("ssh", "fencing"):
        shipped.pop(key)
    for service in shipped["services"]:
        for public in service.get("public", ()):
            public.pop("socket")
    assert written == shipped
    assert list(load_inventory(up.paths.inventory).nodes) == NODES


def test_nobody_is_asked_for_power_who_does_not_know_the_machines(stub: Stub, tmp_path: Path):
    """bootstrap.sh by hand: `hactl lab` knows nothing of those machines, and must not be asked whether they are off."""
    folder = tmp_path / "checkout"
    shutil.copytree(share_path("vagrant"), folder / "vagrant", ignore=shutil.ignore_patterns(".vagrant"))
    (folder / "inventory").mkdir()
    shutil.copy(share_path("inventory", "lab.toml"), folder / "inventory")
    own = folder / "vagrant" / ".vagrant" / "hactl-lab"
    env = {**os.environ, "STUB": str(stub.folder)}
    env.pop("HACTL_LAB_OWN", None)
    subprocess.run(["vagrant", "up"], env={**env, "HACTL_LAB_OWN": str(own)}, check=True)
    subprocess.run(["sh", folder / "vagrant" / "bootstrap.sh", "access"], env=env, check=True)
    assert "fencing" not in tomli.loads((own / "inventory.toml").read_text())


def test_ssh_reads_its_configuration_as_meant(up: VagrantLab):
    program = shutil.which("ssh", path="/usr/bin:/bin")
    if program is None:
        pytest.skip("ssh is not installed: apt-get install openssh-client")
    said = subprocess.run([program, "-G", "-F", up.paths.ssh_config, "db1"], capture_output=True, text=True, check=True)
    options = dict(line.split(" ", 1) for line in said.stdout.splitlines() if " " in line)
    assert (options["user"], options["hostkeyalias"]) == ("hactl", "db1")
    assert options["identityfile"] == f"{up.paths.own}/id_ed25519"
    assert options["stricthostkeychecking"] in ("true", "yes")
    assert (up.paths.own / "known_hosts").read_text().splitlines()[0] == "lb1,192.168.56.11 ssh-ed25519 AAAAlb1"


def test_up_on_a_running_lab_only_looks(up: VagrantLab, stub: Stub):
    up.up()
    assert stub.calls == ["status --machine-readable"]


def test_what_is_off_is_started_and_waited_for(up: VagrantLab, stub: Stub):
    stub.machine("app2", "poweroff")
    before = len(stub.told("db1"))
    up.up()
    assert stub.calls == ["status --machine-readable", f"up {' '.join(NODES)}", "ssh-config"]
    again = stub.told("db1")[before:]
    assert "bootstrap.sh ready" in again
    assert "bootstrap.sh pg-primary" not in again


def test_changed_scripts_are_run_again(up: VagrantLab, stub: Stub):
    up.paths.provisioned.write_text("older")
    up.paths.joined.write_text("older")
    up.up()
    assert f"up --provision {' '.join(NODES)}" in stub.calls


def test_a_part_that_is_a_cluster_is_joined_and_has_an_inventory_of_its_own(stub: Stub, state: Path):
    names = ["lb1", "app1", "app2", "db1", "db2", "backup1"]
    this = VagrantLab(nodes=names, state=state)
    this.up()
    assert "bootstrap.sh pg-primary" in stub.told("db2")
    found = load_inventory(this.paths.inventory)
    assert list(found.nodes) == names
    assert found.pools["shop"].minimum == 1
    assert "offsite" not in found.services  # it is another node's
    stub.machine("db2", "poweroff")
    this.up()
    assert list(load_inventory(this.paths.inventory).nodes) == names


def test_a_part_is_made_and_not_joined_and_stays_a_part(stub: Stub, state: Path):
    VagrantLab(nodes=("app1", "lb1"), state=state).up()
    assert stub.environment["HACTL_LAB_NODES"] == "lb1,app1"
    assert stub.calls == ["status --machine-readable", "up --provision lb1 app1", "ssh-config"]
    assert "bootstrap.sh" not in stub.told("app1")
    again = VagrantLab(state=state)
    assert [node.node.name for node in again.status().nodes] == ["lb1", "app1"]
    whole = VagrantLab(nodes=NODES, state=state)
    whole.up()
    assert [node.node.name for node in VagrantLab(state=state).status().nodes] == NODES


def test_what_vagrant_said_is_told_when_it_fails(stub: Stub, state: Path):
    this = VagrantLab(state=state)
    (stub.folder / "fails").touch()
    with pytest.raises(LabError, match="the stub fails"):
        this.up()
    (stub.folder / "fails").unlink()
    this.up()
    assert this.status().running


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, [f"halt {' '.join(n for n in NODES if 'backup' not in n)}", "halt backup1 backup2"]),
        ({"now": True}, ["halt --force"]),
        ({"now": True, "disks": True}, ["destroy --force"]),
    ],
)
def test_down(up: VagrantLab, stub: Stub, options: dict[str, bool], said: list[str]):
    up.down(**options)
    assert stub.calls == said
    assert not up.paths.life.exists()
    assert not up.paths.lock.exists()
    assert up.paths.root.exists() is not options.get("disks", False)


def test_down_of_no_lab_asks_nobody(stub: Stub, state: Path):
    VagrantLab(state=state).down(disks=True)
    assert stub.calls == []


def test_reset_throws_the_machines_away_and_the_faults_with_them(up: VagrantLab, stub: Stub):
    up.faults.inject("clock-skew", "db1")
    assert stub.calls == []
    up.reset()
    assert stub.calls[:3] == ["destroy --force", "status --machine-readable", f"up --provision {' '.join(NODES)}"]
    assert up.faults.active() == []


# --- looking ---


@pytest.mark.parametrize(
    ("word", "power"),
    [("running", "on"), ("poweroff", "off"), ("shutoff", "off"), ("aborted", "off"), ("saved", "booting")],
)
def test_status_in_the_providers_words(up: VagrantLab, stub: Stub, word: str, power: str):
    stub.machine("db1", word)
    found = {node.node.name: node.power for node in up.status().nodes}
    assert found == {**dict.fromkeys(NODES, "on"), "db1": power}
    assert up.machine("db1").on() is (power != "off")


def test_nothing_is_said_of_the_power_of_machines_that_are_not_this_labs(stub: Stub, state: Path):
    with pytest.raises(LabError, match="no lab"):
        VagrantLab(state=state).machine("db1").on()


def test_states_are_read_from_between_other_lines():
    text = "1,db1,metadata,provider,virtualbox\n2,db1,state,running\n3,,ui,info,Current\n4,db1,state-human-short,on\n"
    assert tool.parse_states(text) == {"db1": "running"}


def test_a_node_that_has_started_is_reached_by_its_new_address():
    text = "Host db1\n  HostName 127.0.0.1\n  Port 2201\n\nHost db2\n  Port 2202\n"
    assert tool.parse_hosts(text) == {
        "db1": "Host db1\n  HostName 127.0.0.1\n  Port 2201\n",
        "db2": "Host db2\n  Port 2202\n",
    }


# --- faults ---


def test_every_fault_is_done_or_it_is_said_why_not():
    done = {name for name, fault in FAULTS.items() if act_of(fault) is not None}
    assert done.isdisjoint(CANNOT)
    assert done | set(CANNOT) == set(FAULTS)


def test_every_exercise_can_be_played():
    for one in scenarios(fault_arguments()):
        acts = [act for act in (*one.prepare, *one.acts) if act.kind is ActKind.FAULT]
        assert [act.words[0] for act in acts if act.words[0] in CANNOT] == [], one.name


def test_power(up: VagrantLab, stub: Stub):
    up.faults.inject("power-off", "role:app")
    assert stub.calls == ["halt --force app1 app2 app3"]
    assert not up.machine("app1").on()
    up.up()
    assert f"up {' '.join(n for n in NODES if 'app' not in n)}" not in stub.calls  # all others run
    up.faults.undo()
    assert "up --no-provision app1 app2 app3" in stub.calls
    assert up.machine("app1").on()


def test_a_partition_is_made_in_the_nodes_and_taken_back(up: VagrantLab, stub: Stub):
    up.faults.inject("partition", "site:west")
    told = stub.told("db3")
    assert "fault_cut_site_west 192.168.57.33 '192.168.57.33, 192.168.57.41' ''" in told.replace('"', "'")
    assert "table inet $1" in told
    assert stub.told("backup1").count("table inet $1") == 1
    assert "table inet" not in stub.told("db1")
    assert [str(one) for one in up.faults.active()] == ["partition site:west"]
    up.faults.undo()
    assert stub.told("db3").rstrip().endswith('nft delete table inet "$1" 2>/dev/null || true')
    assert up.faults.active() == []


def test_a_service_is_stopped_by_the_same_script_as_in_namespaces(up: VagrantLab, stub: Stub):
    up.faults.inject("service-stop", "app1")
    assert "shop.service" in stub.told("app1")
    assert 'systemctl stop "$1"' in stub.told("app1")


def test_a_full_disk_is_as_large_as_what_is_there(up: VagrantLab, stub: Stub):
    up.faults.inject("disk-full", "app1")
    assert f"/var/cache/apt 97 /opt/hactl-lab/full-var-cache-apt {8 * 5 // 4 + 64 * 1024}" in stub.told("app1")


def test_undoing_on_a_node_without_power_is_nothing_and_on_one_that_is_lost_fails(up: VagrantLab, stub: Stub):
    up.faults.inject("partition", "app1")
    stub.machine("app1", "saved")
    with pytest.raises(LabError, match="app1 cannot be logged in to"):
        up.faults.undo()
    stub.machine("app1", "poweroff")
    up.faults.undo()
    assert up.faults.active() == []


@pytest.mark.parametrize(
    "words", [("freeze", "db1"), ("slow", "db1"), ("service-stop", "backup1"), ("service-freeze", "db1", "ssh")]
)
def test_what_cannot_be_done_is_refused_and_not_booked(up: VagrantLab, words: tuple[str, ...]):
    with pytest.raises(InputError) as refused:
        up.faults.inject(*words)
    assert refused.value.remedy
    assert up.faults.active() == []


# --- helpers ---


def test_a_helper_outlives_nothing_it_should_not(up: VagrantLab, tmp_path: Path):
    log = tmp_path / "log"
    program = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
    up.helpers.begin("@users", program, log)
    assert up.helpers.there("@users")
    up.helpers.begin("@users", program, log)
    up.down()
    assert not up.helpers.there("@users")
    assert list(up.paths.helpers.glob("*")) == []


def test_a_number_that_another_process_has_now_is_left_alone(up: VagrantLab):
    up.paths.helpers.mkdir()
    (up.paths.helpers / "@users").write_text(f"{os.getpid()}\nsomething else that ran\n")
    assert not up.helpers.there("@users")
    up.helpers.end("@users")


# --- the commands ---


def test_commands_by_flag_and_by_variable(stub: Stub, home: Path):
    env = {"STUB": str(stub.folder), "STUB_NODES": ENTRIES}
    done = hactl("lab", "--backend", "vagrant", "up", home=home, **env)
    assert done.returncode == 0, done.stderr
    assert "10 nodes are up" in done.stderr + done.stdout
    by_variable = {**env, "HACTL_LAB_BACKEND": "vagrant"}
    document = json.loads(hactl("lab", "status", "-o", "json", home=home, **by_variable).stdout)
    assert document["running"] is True
    assert document["inventory"] == hactl("lab", "inventory", home=home, **by_variable).stdout.strip()
    assert hactl("lab", "power", "db1", home=home, **by_variable).stdout == "on\n"
    assert hactl("lab", "power", "db1", "--off", home=home, **by_variable).stdout == "off\n"
    for words in (("fault", "freeze", "db2"), ("forward",), ("status", "--name", "other")):
        refused = hactl("lab", *words, home=home, **by_variable)
        assert refused.returncode == 2, refused.stderr
        assert len(refused.stderr.splitlines()) == 2  # what is wrong, and what to do
    assert hactl("lab", "exec", "app1", "--", "true", home=home, **by_variable).returncode == 0
    down = hactl("lab", "down", "--disks", "--now", home=home, **by_variable)
    assert down.returncode == 0, down.stderr


def test_without_vagrant_it_is_said_what_to_install(home: Path, tmp_path: Path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("ssh", "ssh-keygen"):
        (bare / name).symlink_to("/bin/true")
    done = hactl("lab", "--backend", "vagrant", "up", home=home, PATH=str(bare))
    assert done.returncode == 6
    assert "install Vagrant 2.3 or later" in done.stderr


def test_a_vagrant_that_is_too_old_is_refused(stub: Stub, state: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STUB_VERSION", "2.2.19")
    with pytest.raises(LabUnsupportedError) as refused:
        VagrantLab(state=state).up()
    assert refused.value.missing[0].startswith("Vagrant 2.2.19 is too old: install ")
