"""Faults of the network: cut, slow and lossy links."""

from __future__ import annotations

from hactl.lab import door, network, shell
from hactl.lab.faults.model import NODE, Ground, Values
from hactl.lab.machine import Machine

INSIDE = "host0"
"""What a node calls its link."""

TABLE = "fault_"
"""How the names of nftables tables that are faults begin."""


def _table(kind: str, *words: str) -> str:
    return TABLE + "_".join((kind, *("".join(c if c.isalnum() else "_" for c in word) for word in words if word)))


class Partition:
    """Cuts nodes off from all others and from the operator, or (`other`) only from some."""

    def inject(self, ground: Ground[Machine], values: Values) -> None:
        self.undo(ground, values)
        links = [ground.spec.link(machine.node.name) for machine in ground.chosen(values[NODE])]
        others = None
        if values["other"]:
            others = [ground.spec.link(machine.node.name) for machine in ground.chosen(values["other"])]
        network.load_rules(ground.spec, network.cut_rules(self._name(values), links, others))

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        network.delete_table(ground.spec, self._name(values))

    def _name(self, values: Values) -> str:
        return _table("cut", values[NODE], values["other"])


class Slow:
    """Less bandwidth by a token bucket on both ends of the link, more delay by the relay."""

    def inject(self, ground: Ground[Machine], values: Values) -> None:
        shape = ["root", "tbf", "rate", f"{float(values['rate']):g}kbit", "burst", "16kb", "latency", "500ms"]
        for machine in ground.chosen(values[NODE]):
            for argv in self._ends(ground, machine):
                shell.run([*argv, "qdisc", "replace", "dev", self._device(ground, machine, argv), *shape])
            door.delay(ground.spec, machine.node.name, float(values["delay"]) / 1000.0)

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            for argv in self._ends(ground, machine):
                device = self._device(ground, machine, argv)
                if " tbf " in shell.attempt([*argv, "qdisc", "show", "dev", device]).stdout:
                    shell.run([*argv, "qdisc", "delete", "dev", device, "root"])
            door.delay(ground.spec, machine.node.name, 0.0)

    def _ends(self, ground: Ground[Machine], machine: Machine) -> list[list[str]]:
        """How to run tc at each end of the link; a node that is off has lost its own."""
        inside = machine.in_network(["tc"])
        return [network.inside(ground.spec, ["tc"]), *([inside] if inside else [])]

    def _device(self, ground: Ground[Machine], machine: Machine, argv: list[str]) -> str:
        outer = argv == network.inside(ground.spec, ["tc"])
        return ground.spec.link(machine.node.name) if outer else INSIDE


class Lossy:
    """Drops a share of what the node sends and of what it is sent."""

    def inject(self, ground: Ground[Machine], values: Values) -> None:
        self.undo(ground, values)
        percent = int(float(values["percent"]))
        for machine in ground.chosen(values[NODE]):
            table = _table("loss", machine.node.name)
            network.load_rules(ground.spec, network.loss_rules(table, ground.spec.link(machine.node.name), percent))
            if argv := machine.in_network(["nft", "-f", "-"]):
                shell.run(argv, stdin=network.loss_rules(table, INSIDE, percent))

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            table = _table("loss", machine.node.name)
            network.delete_table(ground.spec, table)
            if (argv := machine.in_network(["nft"])) and table in shell.run([*argv, "list", "tables"]):
                shell.run([*argv, "delete", "table", "netdev", table])
