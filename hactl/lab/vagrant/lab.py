"""The lab in virtual machines, by the same words as the lab in namespaces (`hactl.lab.Lab`)."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from hactl.config.folders import state_folder
from hactl.lab.faults import Faults, Ground
from hactl.lab.image import provision_path, tree_hash
from hactl.lab.keys import part
from hactl.lab.lab import LAST_ROLE, LabStatus, NodeStatus
from hactl.lab.lock import exclusive
from hactl.lab.progress import Progress, Reporter, silent
from hactl.lab.spec import load_spec
from hactl.lab.vagrant import tool as vagrant
from hactl.lab.vagrant.faults import InMachines
from hactl.lab.vagrant.helpers import Beside
from hactl.lab.vagrant.machine import VagrantMachine
from hactl.lab.vagrant.places import VagrantPaths
from hactl.model.errors import InputError, LabError

NAME = "lab"
"""There is one such lab on a computer: its machines have real addresses there."""

_UP = "Bring it up: hactl lab --backend vagrant up"
_NEEDED = frozenset({"lb", "app", "db", "backup"})
_ACCESS = "access"
_READY = "ready"


class VagrantLab:
    """`nodes` limits it to some of the inventory's; without, it has those that it was last brought up with."""

    backend = "vagrant"
    command = "hactl lab --backend vagrant"

    def __init__(self, name: str = NAME, nodes: Sequence[str] = (), state: Path | None = None) -> None:
        if name != NAME:
            raise InputError(
                f"There is one lab in Vagrant's machines on a computer, {NAME!r}: its addresses are real ones.",
                remedy="Leave --name (and HACTL_LAB) away; labs in namespaces may have any name.",
            )
        self.paths = VagrantPaths((state or state_folder()) / "vagrant", name)
        self.spec = load_spec(name, nodes or _words(self.paths.chosen))
        part = () if self.spec.whole else tuple(node.name for node in self.spec.nodes)
        self.tool = vagrant.Tool(self.paths, part)
        self.machines = tuple(VagrantMachine(self.tool, node) for node in self.spec.nodes)
        self.ground = Ground(self.spec, self.machines)
        self.helpers = Beside(self.paths.helpers)
        self.faults = Faults(self.spec, InMachines(self.ground), self.paths.faults, self.paths.life)

    def machine(self, name: str) -> VagrantMachine:
        node = self.spec.node(name)
        return next(machine for machine in self.machines if machine.node == node)

    def require(self) -> None:
        vagrant.require()

    def require_quickly(self) -> None:
        vagrant.require_quickly()

    # Up and down

    def up(self, report: Reporter = silent) -> None:
        """Every node runs, is provisioned and healthy when this returns. Active faults stay as they are."""
        began = time.monotonic()
        with exclusive(self.paths.lock, _waiting(report, began)):
            vagrant.require()
            self.paths.root.mkdir(parents=True, exist_ok=True)
            self.paths.root.chmod(0o700)
            self.paths.chosen.write_text(" ".join(self.tool.nodes), encoding="ascii")
            off = self.faults.off_on_purpose()
            if not self.paths.life.exists():
                self.paths.life.write_text(uuid.uuid4().hex, encoding="ascii")
            started = self._boot([node.name for node in self.spec.nodes if node.name not in off], report, began)
            if off:
                for name in started:
                    self.tool.refresh(name)
            else:
                self._join(report, began, started=bool(started))

    def _boot(self, wanted: Sequence[str], report: Reporter, began: float) -> list[str]:
        """Those that were started now."""
        states = self.tool.states()
        started = [name for name in wanted if states.get(name) != vagrant.RUNNING]
        provision = _text(self.paths.provisioned) != self._stamp()
        if started or provision:
            counted = _Provisioned(report, began, len(wanted))
            self.tool.up(wanted, counted, provision=provision)
            self.paths.provisioned.write_text(self._stamp(), encoding="ascii")
        return started

    @property
    def _joinable(self) -> bool:
        """A part of the nodes makes a cluster when it has some of each role."""
        return {role for node in self.spec.nodes for role in node.roles} >= _NEEDED

    def _join(self, report: Reporter, began: float, *, started: bool) -> None:
        """Joins what is not joined and can be, and writes how the nodes are reached."""
        joined = not self._joinable or _text(self.paths.joined) == self._stamp()
        if joined and not started and self.paths.inventory.exists():
            return
        step = _ACCESS if not self._joinable else _READY if joined else ""

        def heard(line: str) -> None:
            report(Progress(f"joining: {line}", 0, 0, time.monotonic() - began))

        self.tool.bootstrap(step, heard)
        if not self.spec.whole:
            every = self.paths.inventory.read_text(encoding="utf-8")
            self.paths.inventory.write_text(part(every, set(self.tool.nodes)), encoding="utf-8")
        if self._joinable:
            self.paths.joined.write_text(self._stamp(), encoding="ascii")

    def _stamp(self) -> str:
        return tree_hash(provision_path())[:16]

    def down(self, report: Reporter = silent, *, now: bool = False, disks: bool = False) -> None:
        """No machine of the lab runs afterwards. `now`: cut the power; `disks`: the machines are thrown away too."""
        began = time.monotonic()
        with exclusive(self.paths.lock, _waiting(report, began)):
            self.helpers.end_all()
            if self.paths.root.exists():
                vagrant.require()
                self._stop(report, began, now=now, disks=disks)
            self.paths.life.unlink(missing_ok=True)
            self.paths.lock.unlink(missing_ok=True)

    def _stop(self, report: Reporter, began: float, *, now: bool, disks: bool) -> None:
        last = [node.name for node in self.spec.nodes if LAST_ROLE in node.roles]
        first = [node.name for node in self.spec.nodes if node.name not in last]
        if not now:
            for names in filter(None, (first, last)):
                report(Progress(f"stopping {', '.join(names)}", 0, 0, time.monotonic() - began))
                self.tool.run(["halt", *names])
        if disks:
            report(Progress("throwing the machines away", 0, 0, time.monotonic() - began))
            self.tool.run(["destroy", "--force"])
            shutil.rmtree(self.paths.root)
        elif now:
            self.tool.run(["halt", "--force"])

    def reset(self, report: Reporter = silent) -> None:
        """Down and up again with new machines and no faults."""
        self.down(report, now=True, disks=True)
        self.up(report)

    # Looking and reaching

    def status(self) -> LabStatus:
        states = self.tool.states() if self.paths.root.exists() else {}
        return LabStatus(
            name=self.spec.name,
            nodes=tuple(self._node_status(machine, states) for machine in self.machines),
            relay=True,  # the nodes have addresses: none is needed
            vip=self.spec.vip,
            inventory=str(self.paths.inventory),
        )

    def _node_status(self, machine: VagrantMachine, states: dict[str, str]) -> NodeStatus:
        """How many processes a machine runs and what memory they take is its own business."""
        state = states.get(machine.node.name, "not_created")
        power = "on" if state == vagrant.RUNNING else "off" if state in vagrant.OFF else "booting"
        return NodeStatus(machine.node, power, frozen=False, linked=power == "on", processes=0, memory=None)

    def ssh_config(self) -> str:
        """Raises LabError where nobody knows the way yet."""
        if not self.paths.ssh_config.exists():
            raise LabError("The lab in Vagrant's machines has never been up.", remedy=_UP)
        return self.paths.ssh_config.read_text(encoding="utf-8")

    def public(self) -> Path:
        raise InputError(
            "The shop of Vagrant's machines needs no forwarding: this computer reaches it.",
            remedy=f"Open http://{self.spec.vip}/",
        )


class _Provisioned:
    """Hears what `vagrant up` says; counts the machines that are so far as to be provisioned."""

    def __init__(self, report: Reporter, began: float, total: int) -> None:
        self._report, self._began, self._total = report, began, total
        self._begun: set[str] = set()

    def __call__(self, line: str) -> None:
        name, _, rest = line.strip().removeprefix("==> ").partition(": ")
        if rest.startswith("Running provisioner: node"):
            self._begun.add(name)
        passed = time.monotonic() - self._began
        self._report(Progress("machines so far as to be provisioned", len(self._begun), self._total, passed, line))


def _waiting(report: Reporter, began: float) -> Callable[[str], None]:
    return lambda note: report(Progress("lab", 0, 0, time.monotonic() - began, note))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def _words(path: Path) -> tuple[str, ...]:
    return tuple(_text(path).split())
