"""Bringing a lab up: boot what is off, provision what is new, join what is not joined; nothing done is done twice.

Whether a node is provisioned and joined is written on its own disk, so it is lost exactly when the disk is. A killed
`up` leaves nothing that the next one has to know about.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hactl.lab import cgroups, shell
from hactl.lab.image import provision_path, tree_hash
from hactl.lab.machine import Machine
from hactl.lab.node import in_parallel
from hactl.lab.progress import Reporter, Stage
from hactl.lab.spec import PREFIX, LabNode, LabSpec
from hactl.model.errors import LabError

ON_NODE = "/opt/hactl-lab/provision"
PROVISIONED = "opt/hactl-lab/provisioned"
PROVISION = "provision"
"""The control group, in a node's, of the scripts that make it."""

JOINED = "opt/hactl-lab/joined"
NODE_TIMEOUT = 300.0
STEP_TIMEOUT = 300.0
READY = "ready"
"""Bootstrap steps of this name only wait; they run after every boot, the others once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of bootstrap.steps: `name` on every node that `selector` (several with commas) names, side by side."""

    selector: str
    name: str

    def nodes(self, spec: LabSpec) -> frozenset[str]:
        """Their names. Raises LabError."""
        return frozenset(node.name for one in self.selector.split(",") for node in spec.select(one))


def parse_steps(text: str) -> tuple[Step, ...]:
    """Lines of `SELECTOR STEP  # comment`. Raises LabError for anything else."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2:
            raise LabError(f"bootstrap.steps:{number}: expected SELECTOR STEP, found {line.strip()!r}.")
        steps.append(Step(*words))
    return tuple(steps)


def environment(spec: LabSpec, node: LabNode, operator_key: str) -> dict[str, str]:
    """What the provisioning scripts are told, the same here and in Vagrant."""
    nodes = " ".join(f"{n.name}:{n.address}:{n.site}:{n.role}" for n in spec.nodes)
    return {
        "LAB_NAME": spec.name,
        "LAB_NODE": node.name,
        "LAB_ADDRESS": node.address,
        "LAB_PREFIX": str(PREFIX),
        "LAB_SITE": node.site,
        "LAB_ROLE": node.role,
        "LAB_NODES": nodes,
        "LAB_VIP": spec.vip,
        "LAB_OPERATOR_KEY": operator_key,
    }


class Rise:
    """One run of `up` over `machines`; `began` is when it began, by the monotonic clock."""

    def __init__(
        self, spec: LabSpec, machines: Sequence[Machine], operator_key: str, report: Reporter, began: float
    ) -> None:
        self.spec = spec
        self.machines = machines
        self.operator_key = operator_key
        self.report = report
        self.began = began
        self.scripts = provision_path()
        self.stamp = tree_hash(self.scripts)[:16]

    def boot(self, get_image: Callable[[], Path]) -> None:
        """Every machine runs, is booted and is provisioned when this returns. `get_image` makes it if need be."""
        todo = [machine for machine in self.machines if not self._settled(machine)]
        if not todo:
            return
        image = None if all(machine.mounted() for machine in todo) else get_image()
        stage = Stage(self.report, "nodes up", len(todo), self.began)
        stage.tell()

        def one(machine: Machine) -> None:
            if image is not None:
                machine.prepare(image)
            machine.start()
            machine.wait_booted()
            self._provision(machine)
            stage.advance(machine.node.name)

        in_parallel(one, todo)

    def _settled(self, machine: Machine) -> bool:
        return machine.booted() and self._stamped(machine, PROVISIONED)

    def _stamped(self, machine: Machine, file: str) -> bool:
        path = machine.root / file
        return path.exists() and path.read_text(encoding="ascii") == self.stamp

    def _provision(self, machine: Machine) -> None:
        if self._stamped(machine, PROVISIONED):
            return
        self._await_earlier(machine)
        machine.copy_in(self.scripts, ON_NODE)
        self._on_node(machine, "node.sh", [], NODE_TIMEOUT)
        (machine.root / PROVISIONED).write_text(self.stamp, encoding="ascii")

    def _await_earlier(self, machine: Machine) -> None:
        """Lets what a killed `up` began come to its end: cut off, it may leave a package half installed."""
        deadline = time.monotonic() + NODE_TIMEOUT
        while cgroups.processes(*machine.group, PROVISION):
            if time.monotonic() > deadline:
                cgroups.kill(*machine.group, PROVISION)
            time.sleep(0.05)

    def _on_node(self, machine: Machine, script: str, arguments: Sequence[str], timeout: float) -> None:
        argv = ["sh", f"{ON_NODE}/{script}", *arguments]
        env: Mapping[str, str] = environment(self.spec, machine.node, self.operator_key)
        said = machine.disk / "provision.log"
        # Into a file, not a pipe: it goes on undisturbed when this process is killed.
        status = shell.logged(machine.command(argv, env=env, leaf=PROVISION), said, timeout=timeout)
        if status != 0:
            done = subprocess.CompletedProcess(argv, status, said.read_text(encoding="utf-8", errors="replace"), "")
            raise shell.failed(argv, done, what=f"{machine.node.name}: {' '.join([script, *arguments])}")

    def _step(self, name: str, machine: Machine) -> None:
        self._on_node(machine, "bootstrap.sh", [name], STEP_TIMEOUT)

    def join(self, *, booted: bool) -> None:
        """Runs the bootstrap steps when some node is not joined yet; only the waiting ones when `booted`."""
        steps = parse_steps((self.scripts / "bootstrap.steps").read_text(encoding="utf-8"))
        fresh = any(not self._stamped(machine, JOINED) for machine in self.machines)
        if not fresh and not booted:
            return
        todo = [step for step in steps if fresh or step.name == READY]
        stage = Stage(self.report, "joining, step", len(todo), self.began)
        for step in todo:
            stage.tell(f"{step.name} on {step.selector}")
            names = step.nodes(self.spec)
            chosen = [machine for machine in self.machines if machine.node.name in names]
            in_parallel(partial(self._step, step.name), chosen)
            stage.advance(f"{step.name} on {step.selector}")
        for machine in self.machines:
            (machine.root / JOINED).write_text(self.stamp, encoding="ascii")
