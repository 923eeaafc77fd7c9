"""Plays one Ansible playbook for one node: a program of its own, so that Ansible is loaded nowhere else.

    python -m hactl.control.ansible_play < REQUEST

REQUEST is JSON: {"inventory": FILE, "playbook": FILE, "node": NAME, "variables": {NAME: TEXT}}. Ansible's own output
goes to standard output, and in the end its counts on one line. The exit is that of ansible-playbook, or 69 where
ansible-runner is not installed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hactl.config import export
from hactl.config.load import load_inventory
from hactl.lab import connect
from hactl.model.errors import HactlError

_NOT_INSTALLED = 69
_COUNTS = ("ok", "changed", "failures", "dark", "skipped")


@dataclass(frozen=True, slots=True)
class Request:
    inventory: Path
    playbook: Path
    node: str
    variables: Mapping[str, str]


def read(text: str) -> Request:
    told = json.loads(text)
    return Request(Path(told["inventory"]), Path(told["playbook"]), told["node"], told["variables"])


def play(request: Request) -> int:
    """Ansible's exit status. Raises HactlError for an inventory that cannot be read."""
    try:
        runner = importlib.import_module("ansible_runner")
    except ModuleNotFoundError:
        return _NOT_INSTALLED
    pipe = (sys.executable, "-IS", connect.__file__)
    # ansible-playbook stands beside this Python where both were installed together.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with tempfile.TemporaryDirectory(prefix="hactl-ansible-") as folder:
        done = runner.run(
            private_data_dir=folder,
            project_dir=str(request.playbook.parent),
            playbook=str(request.playbook),
            inventory=export.ansible(load_inventory(request.inventory), pipe),
            limit=request.node,
            extravars=dict(request.variables),
            envvars={"PATH": path, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_NOCOWS": "1"},
        )
        counts = done.stats or {}
        print(" ".join(f"{name}={(counts.get(name) or {}).get(request.node, 0)}" for name in _COUNTS))  # noqa: T201
        return int(done.rc)


if __name__ == "__main__":
    try:
        sys.exit(play(read(sys.stdin.read())))
    except HactlError as error:
        sys.exit(str(error))
