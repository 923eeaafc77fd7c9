"""Faults of whole machines: power and the freezer."""

from __future__ import annotations

from hactl.lab.faults.model import NODE, Ground, Values
from hactl.lab.machine import Machine
from hactl.lab.node import in_parallel
from hactl.model.errors import LabError


class PowerOff:
    def inject(self, ground: Ground[Machine], values: Values) -> None:
        in_parallel(Machine.cut_power, ground.chosen(values[NODE]))

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        def start(machine: Machine) -> None:
            if not machine.mounted():
                raise LabError(f"{machine.node.name} has no disk.", remedy="Bring the lab up: hactl lab up")
            machine.start()
            machine.wait_booted()

        in_parallel(start, ground.chosen(values[NODE]))


class Freeze:
    def inject(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            machine.freeze(on=True)

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            if machine.frozen():
                machine.freeze(on=False)
