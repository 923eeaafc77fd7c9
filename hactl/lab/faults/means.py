"""How faults are done to the lab in namespaces: each as its entry in the table says."""

from __future__ import annotations

from dataclasses import dataclass

from hactl.lab import door, network
from hactl.lab.faults.links import TABLE
from hactl.lab.faults.model import Fault, Ground, Values
from hactl.lab.machine import Machine


@dataclass(frozen=True, slots=True)
class InNamespaces:
    ground: Ground[Machine]

    def require(self, fault: Fault, values: Values) -> None:
        """Nothing: the table is what can be done here."""

    def inject(self, fault: Fault, values: Values) -> None:
        fault.act.inject(self.ground, values)

    def undo(self, fault: Fault, values: Values) -> None:
        fault.act.undo(self.ground, values)

    def frozen(self) -> frozenset[str]:
        return frozenset(machine.node.name for machine in self.ground.machines if machine.frozen())

    def sweep(self) -> None:
        network.delete_tables(self.ground.spec, TABLE)
        for node in door.delays(self.ground.spec):
            door.delay(self.ground.spec, node, 0.0)
