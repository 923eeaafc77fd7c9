"""Where the lab's nodes are described, and how tests ask for a program that may not be here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
VAGRANT = REPOSITORY / "vagrant"
PROVISION = VAGRANT / "provision"
LAB_INVENTORY = REPOSITORY / "inventory" / "lab.toml"

LAB_ENVIRONMENT = {
    "LAB_NAME": "lab",
    "LAB_NODE": "db-1",
    "LAB_ADDRESS": "192.168.56.31",
    "LAB_PREFIX": "21",
    "LAB_SITE": "east",
    "LAB_ROLE": "db",
    "LAB_NODES": "lb1:192.168.56.11:east:lb app1:192.168.56.21:east:app db-1:192.168.56.31:east:db "
    "db-2:192.168.57.32:west:db",
    "LAB_VIP": "192.168.56.10",
    "LAB_OPERATOR_KEY": "ssh-ed25519 AAAA operator",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


def program(name: str, package: str | None = None) -> str:
    """The path of a program; the test is skipped, loudly, where it is not installed."""
    path = shutil.which(name, path=LAB_ENVIRONMENT["PATH"])
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install {package or name}")
    return path


def run(
    *argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What the command did; a non-zero exit is for the test to judge."""
    return subprocess.run(argv, env=env, cwd=cwd, check=False, capture_output=True, text=True)
