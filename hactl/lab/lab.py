"""The facade: a lab by name, and what can be done with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hactl.lab import cgroups, cleanup, door, keys, network, support
from hactl.lab.faults import Faults, Ground
from hactl.lab.faults.means import InNamespaces
from hactl.lab.helpers import InNetwork
from hactl.lab.image import ImageStore
from hactl.lab.lock import exclusive
from hactl.lab.machine import Machine
from hactl.lab.node import in_parallel
from hactl.lab.progress import Progress, Reporter, Stage, silent
from hactl.lab.rise import Rise
from hactl.lab.spec import RUN_ROOT, STATE_ROOT, LabNode, load_spec

LAST_ROLE = "backup"
"""Nodes of this role stop last: a primary waits for its archive before it stops."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What is true of one node now. `memory`: bytes of anonymous memory, None when off or uncounted."""

    node: LabNode
    power: str  # "on", "booting" or "off"
    frozen: bool
    linked: bool
    processes: int
    memory: int | None


@dataclass(frozen=True, slots=True)
class LabStatus:
    name: str
    nodes: tuple[NodeStatus, ...]
    relay: bool
    vip: str
    inventory: str

    @property
    def running(self) -> bool:
        return self.relay and all(node.power == "on" for node in self.nodes)


class Lab:
    """The lab called `name`; `nodes` limits it to some of the inventory's (such a part is provisioned, not joined)."""

    backend = "namespaces"
    command = "hactl lab"

    def __init__(self, name: str = "lab", nodes: Sequence[str] = ()) -> None:
        self.spec = load_spec(name, nodes)
        self.paths = self.spec.paths
        self.machines = tuple(Machine(self.spec, node) for node in self.spec.nodes)
        self.ground = Ground(self.spec, self.machines)
        self.helpers = InNetwork(self.spec)
        self.faults = Faults(self.spec, InNamespaces(self.ground), self.paths.faults, self.paths.life)

    def machine(self, name: str) -> Machine:
        node = self.spec.node(name)
        return next(machine for machine in self.machines if machine.node == node)

    def require(self) -> None:
        """Raises LabUnsupportedError that names everything that this machine lacks."""
        support.require()

    def require_quickly(self) -> None:
        """The part of that which costs nothing to ask."""
        support.require_quickly()

    # Up and down

    def up(self, report: Reporter = silent) -> None:
        """Every node runs, is provisioned and healthy when this returns. Quick when that is so already.

        Active faults stay as they are: a node that one keeps off is left off.

        Safe to call again after any failure, and while another process does the same: they take turns.
        """
        began = time.monotonic()
        with exclusive(self.paths.lock, lambda note: report(Progress("lab", 0, 0, time.monotonic() - began, note))):
            labs = {*cleanup.other_labs(), self.spec.name}
            support.make_room(len(labs) * len(self.spec.nodes))
            self._make_run_folder()
            keys.make_keys(self.spec)
            keys.write_access(self.spec)
            network.up(self.spec)
            door.open_door(self.spec)
            off = self.faults.off_on_purpose()
            wanted = [machine for machine in self.machines if machine.node.name not in off]
            booted = any(not machine.booted() for machine in wanted)
            rise = Rise(self.spec, wanted, keys.operator_key(self.spec), report, began)
            rise.boot(lambda: self._image(report, began))
            if self.spec.whole and not off:
                rise.join(booted=booted)

    def _image(self, report: Reporter, began: float) -> Path:
        store = ImageStore()
        digest = store.current()
        if not store.path(digest).is_dir():
            report(Progress("image", 0, 1, time.monotonic() - began, "building it; only the first time"))
        return store.ensure(digest)

    def _make_run_folder(self) -> None:
        for folder in (RUN_ROOT, STATE_ROOT, self.paths.state):
            folder.mkdir(parents=True, exist_ok=True)
        self.paths.run.mkdir(exist_ok=True)
        self.paths.run.chmod(0o700)
        if not self.paths.life.exists():
            self.paths.life.write_text(uuid.uuid4().hex, encoding="ascii")
        # Under sudo the lab belongs to whoever called it: hactl itself then needs no root to look into it.
        owner = int(os.environ.get("SUDO_UID", "0"))
        os.chown(self.paths.run, owner, -1)

    def down(self, report: Reporter = silent, *, now: bool = False, disks: bool = False) -> None:
        """Nothing of the lab runs or is mounted afterwards. `now`: cut the power; `disks`: throw them away too."""
        began = time.monotonic()
        with exclusive(self.paths.lock, lambda note: report(Progress("lab", 0, 0, time.monotonic() - began, note))):
            if not now:
                self._stop_in_order(report, began)
            cleanup.sweep(self.spec)
            if disks:
                self.remove_disks()
            self.paths.lock.unlink(missing_ok=True)

    def _stop_in_order(self, report: Reporter, began: float) -> None:
        for machine in self.machines:
            if machine.frozen() and machine.leader() is not None:
                machine.freeze(on=False)
        # One that is still booting would not hear the request, and has nothing to lose.
        running = [machine for machine in self.machines if machine.booted()]
        stage = Stage(report, "nodes stopped", len(running), began)

        def stop(machine: Machine) -> None:
            machine.request_stop()
            machine.wait_stopped()
            stage.advance(machine.node.name)

        in_parallel(stop, [m for m in running if LAST_ROLE not in m.node.roles])
        in_parallel(stop, [m for m in running if LAST_ROLE in m.node.roles])

    def reset(self, report: Reporter = silent) -> None:
        """Down and up again with fresh disks and no faults."""
        self.down(report, now=True, disks=True)
        self.up(report)

    def remove_disks(self) -> None:
        """Throws away the nodes' disks, keys and lasting faults; the lab must be down."""
        if self.paths.state.exists():
            shutil.rmtree(self.paths.state)

    def leftovers(self) -> list[str]:
        """What of the lab exists on this machine outside its disks, a line each; empty after a good `down`."""
        return cleanup.leftovers(self.spec)

    # Looking and reaching

    def status(self) -> LabStatus:
        ports = network.ports(self.spec)
        return LabStatus(
            name=self.spec.name,
            nodes=tuple(self._node_status(machine, ports) for machine in self.machines),
            relay=door.answers(self.spec),
            vip=self.spec.vip,
            inventory=str(self.paths.inventory),
        )

    def _node_status(self, machine: Machine, ports: dict[str, bool]) -> NodeStatus:
        on = machine.leader() is not None
        return NodeStatus(
            node=machine.node,
            power=("on" if machine.booted() else "booting") if on else "off",
            frozen=machine.frozen(),
            linked=ports.get(self.spec.link(machine.node.name), False),
            processes=len(cgroups.processes(*machine.group)),
            memory=cgroups.memory(*machine.group) if on else None,
        )

    def ssh_config(self) -> str:
        """For `ssh -F`; it reaches the nodes when the lab is up."""
        written = self.paths.ssh_config
        return written.read_text(encoding="utf-8") if written.exists() else keys.ssh_config(self.spec)

    def public(self) -> Path:
        """The socket that leads to the shop, when the lab is up."""
        return self.paths.vip_socket

    def exec(
        self, node: str, argv: Sequence[str], stdin: str | None = None, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Runs `argv` as root in the node, not through SSH; a non-zero exit is data."""
        return self.machine(node).attempt(argv, stdin=stdin, timeout=timeout)
