"""The Vagrantfile: what Vagrant makes of it without a provider, and with a stub of VirtualBox."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import tomli

from tests.vagrant.places import LAB_INVENTORY, VAGRANT, program, run

HOST_ONLY = ipaddress.ip_network("192.168.56.0/21")
"""The addresses that VirtualBox gives host-only networks without having been told to."""

VBOXMANAGE = """#!/bin/sh
[ "$1" = --version ] && echo 7.0.20r163906
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what it reads, because it makes its keys beside itself."""
    shutil.copytree(VAGRANT, tmp_path / "vagrant", ignore=shutil.ignore_patterns(".vagrant"))
    (tmp_path / "inventory").mkdir()
    shutil.copy(LAB_INVENTORY, tmp_path / "inventory")
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "VBoxManage"
    stub.write_text(VBOXMANAGE)
    stub.chmod(0o755)
    return tmp_path


def validated(checkout: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`vagrant validate`, with VirtualBox as far as the stub goes."""
    own = {
        **os.environ,
        "VAGRANT_HOME": str(checkout / "home"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_DEFAULT_PROVIDER": "virtualbox",
        "PATH": f"{checkout / 'bin'}:{os.environ['PATH']}",
    }
    return run(program("vagrant"), "validate", *words, cwd=checkout / "vagrant", env={**own, **env})


def test_vagrant_takes_it_and_makes_what_the_lab_has_of_its_own(checkout: Path) -> None:
    done = validated(checkout, "--ignore-provider")
    assert done.returncode == 0, done.stdout + done.stderr
    own = checkout / "vagrant" / ".vagrant" / "hactl-lab"
    nodes = [entry.split(":") for entry in (own / "nodes").read_text().split()]
    lab = tomli.loads(LAB_INVENTORY.read_text())
    assert nodes == [[n["name"], n["address"], n["site"], n["roles"][0]] for n in lab["nodes"]]
    for secret in [own / "id_ed25519", *(own / "secrets").glob("*[!b]")]:
        assert oct(secret.stat().st_mode)[-3:] == "600", secret


def test_virtualbox_takes_what_it_is_told(checkout: Path) -> None:
    done = validated(checkout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_slip_of_the_pen_about_virtualbox_would_be_seen(checkout: Path) -> None:
    """Else the test above would prove nothing."""
    file = checkout / "vagrant" / "Vagrantfile"
    file.write_text(file.read_text().replace("virtualbox.linked_clone", "virtualbox.linked_clown"))
    done = validated(checkout)
    assert done.returncode != 0
    assert "linked_clown" in done.stdout + done.stderr


def test_some_of_the_nodes(checkout: Path) -> None:
    own = checkout / "own"
    done = validated(checkout, "--ignore-provider", HACTL_LAB_NODES="db1,lb1", HACTL_LAB_OWN=str(own))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [entry.partition(":")[0] for entry in (own / "nodes").read_text().split()] == ["lb1", "db1"]
    assert not (checkout / "vagrant" / ".vagrant" / "hactl-lab").exists()


def test_a_node_that_is_none_is_named(checkout: Path) -> None:
    done = validated(checkout, "--ignore-provider", HACTL_LAB_NODES="db1,db9")
    assert done.returncode != 0
    assert "no node is called db9" in done.stdout + done.stderr


def test_addresses_are_ones_that_virtualbox_lets_be() -> None:
    """Neither Vagrant nor its providers look before the first machine starts."""
    lab = tomli.loads(LAB_INVENTORY.read_text())
    found = [ipaddress.ip_address(one["address"]) for one in (*lab["nodes"], *lab["vips"])]
    assert len(set(found)) == len(found)
    for address in found:
        assert address in HOST_ONLY
        assert int(address) & 0xFF not in (0, 1, 255), "an end of a range, or this computer's own"
    text = (VAGRANT / "Vagrantfile").read_text()
    assert f"PREFIX = {HOST_ONLY.prefixlen}" in text
