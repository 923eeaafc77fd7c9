"""Faults of virtual machines: scripts inside of a node are the same as in any lab; power, links and disks have ways of
their own; what a machine of Vagrant's cannot suffer is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from hactl.lab.faults import Fault, Ground
from hactl.lab.faults.model import NODE, Act, Values
from hactl.lab.faults.scripts import END_SESSIONS, MAIN_UNIT, Scripts
from hactl.lab.faults.things import FILL, MOST, ROLE_PATH, SPARE
from hactl.lab.node import in_parallel
from hactl.lab.vagrant.machine import VagrantMachine
from hactl.model.errors import InputError, LabError

CANNOT = {
    "freeze": "its provider would write it to a disk and take minutes",
    "slow": "a link's delay would need a relay between you and the node",
    "hold-session": "its client stands in the network of a lab in namespaces",
}
"""Why some faults are not done here."""

_ELSEWHERE = "A lab in namespaces can (`hactl lab up`, on Linux); `power-off` and `partition` work here."

_LINK = """
link=$(ip -o -4 addr show | awk -v address="$2" '{ split($4, part, "/") } part[1] == address { print $2; exit }')
[ -n "$link" ] || { echo "no link has $2" >&2; exit 1; }
nft delete table inet "$1" 2>/dev/null || true
"""
_CUT = (
    _LINK
    + """
which="!= { $3 }"
[ -z "$4" ] || which="{ $4 }"
nft -f - <<END
table inet $1 {
    chain in { type filter hook input priority 0; iifname "$link" ip saddr $which drop; }
    chain out { type filter hook output priority 0; oifname "$link" ip daddr $which drop; }
}
END
"""
)
_LOSE = (
    _LINK
    + """
nft -f - <<END
table inet $1 {
    chain in { type filter hook input priority 0; iifname "$link" numgen random mod 100 < $3 drop; }
    chain out { type filter hook output priority 0; oifname "$link" numgen random mod 100 < $3 drop; }
}
END
"""
)
_MEND = 'nft delete table inet "$1" 2>/dev/null || true'

_FULL = (
    """
image=$3 size=$4
rm -f "$image"
truncate -s "${size}k" "$image"
mkfs.ext4 -q -F -m 0 "$image"
set -- "$1" "$2" 0 0 "$(losetup --find --show "$image")"
"""
    + FILL
)
_FREE = """
path=$1 image=$2
if mountpoint -q /run/hactl-lab-before; then umount -l /run/hactl-lab-before; fi
for loop in $(losetup --noheadings --output NAME --associated "$image"); do
    while [ "$(findmnt -n -o SOURCE --mountpoint "$path" | tail -n 1)" = "$loop" ]; do umount -l "$path"; done
    losetup --detach "$loop"
done
rm -f "$image"
"""

_RESTART = f"systemctl restart ssh.service\n{END_SESSIONS}"
_HOST_KEY = Scripts(
    f"""
    cd /etc/ssh
    [ -d /root/host-key ] || {{ mkdir /root/host-key; cp -p ssh_host_ed25519_key* /root/host-key/; }}
    rm -f ssh_host_ed25519_key*
    ssh-keygen -q -t ed25519 -N '' -C another -f ssh_host_ed25519_key
    {_RESTART}""",
    f"""
    [ -d /root/host-key ] || exit 0
    mv /root/host-key/* /etc/ssh/
    rmdir /root/host-key
    {_RESTART}""",
)


class PowerOff:
    def inject(self, ground: Ground[VagrantMachine], values: Values) -> None:
        chosen = ground.chosen(values[NODE])
        chosen[0].tool.run(["halt", "--force", *(machine.node.name for machine in chosen)])

    def undo(self, ground: Ground[VagrantMachine], values: Values) -> None:
        chosen = ground.chosen(values[NODE])
        chosen[0].tool.run(["up", "--no-provision", *(machine.node.name for machine in chosen)])
        for machine in chosen:
            machine.tool.refresh(machine.node.name)


class _Rules:
    """A table of nftables in each of the nodes, on their link to the lab."""

    script: str
    kind: str

    def inject(self, ground: Ground[VagrantMachine], values: Values) -> None:
        table, words = self._table(values), self._words(ground, values)
        in_parallel(
            lambda machine: _ignored(machine.script(self.script, table, machine.node.address, *words)),
            ground.chosen(values[NODE]),
        )

    def undo(self, ground: Ground[VagrantMachine], values: Values) -> None:
        in_parallel(lambda machine: _unless_off(machine, _MEND, self._table(values)), ground.chosen(values[NODE]))

    def _table(self, values: Values) -> str:
        place = "_".join(values[name] for name in (NODE, "other") if values.get(name))
        return "fault_" + "".join(c if c.isalnum() else "_" for c in f"{self.kind}_{place}")

    def _words(self, ground: Ground[VagrantMachine], values: Values) -> tuple[str, ...]:
        raise NotImplementedError


class Partition(_Rules):
    script, kind = _CUT, "cut"

    def _words(self, ground: Ground[VagrantMachine], values: Values) -> tuple[str, ...]:
        others = ground.chosen(values["other"]) if values["other"] else ()
        return _addresses(ground.chosen(values[NODE])), _addresses(others)


class Lossy(_Rules):
    script, kind = _LOSE, "loss"

    def _words(self, ground: Ground[VagrantMachine], values: Values) -> tuple[str, ...]:
        del ground
        return (str(int(float(values["percent"]))),)


class DiskFull:
    def inject(self, ground: Ground[VagrantMachine], values: Values) -> None:
        self.undo(ground, values)

        def fill(machine: VagrantMachine) -> None:
            path = self._path(machine, values)
            held = int(machine.script('mkdir -p "$1"; du -sk "$1"', path).split()[0])
            if held > MOST:
                raise LabError(f"{machine.node.name}:{path} holds {held // 1024} MB, too much to copy.")
            machine.script(_FULL, path, values["percent"], self._image(path), str(held * 5 // 4 + SPARE))

        in_parallel(fill, ground.chosen(values[NODE]))

    def undo(self, ground: Ground[VagrantMachine], values: Values) -> None:
        def free(machine: VagrantMachine) -> None:
            path = self._path(machine, values)
            _unless_off(machine, _FREE, path, self._image(path))

        in_parallel(free, ground.chosen(values[NODE]))

    def _path(self, machine: VagrantMachine, values: Values) -> str:
        return values["path"] or ROLE_PATH[machine.node.role]

    def _image(self, path: str) -> str:
        return str(PurePosixPath("/opt/hactl-lab", f"full{path.replace('/', '-')}"))


_OWN: dict[str, Act[VagrantMachine]] = {
    "power-off": PowerOff(),
    "partition": Partition(),
    "lossy": Lossy(),
    "disk-full": DiskFull(),
    "host-key": _HOST_KEY,
}


def act_of(fault: Fault) -> Act[VagrantMachine] | None:
    """How it is done to virtual machines; None where it cannot be."""
    if fault.name in _OWN:
        return _OWN[fault.name]
    return fault.act if isinstance(fault.act, Scripts) else None


@dataclass(frozen=True, slots=True)
class InMachines:
    ground: Ground[VagrantMachine]

    def require(self, fault: Fault, values: Values) -> None:
        if act_of(fault) is None:
            why = CANNOT.get(fault.name, "nobody has made it so yet")
            raise InputError(f"Vagrant's machines cannot be given the fault {fault.name}: {why}.", remedy=_ELSEWHERE)
        if fault.name in ("service-stop", "service-freeze"):
            units = {values["unit"] or MAIN_UNIT[machine.node.role] for machine in self.ground.chosen(values[NODE])}
            if units & {"ssh", "ssh.service"}:
                raise InputError(
                    "sshd of Vagrant's machines is the lab's own way in: nothing could start it again.",
                    remedy="Cut the node off instead: hactl lab --backend vagrant fault partition NODE",
                )

    def inject(self, fault: Fault, values: Values) -> None:
        self._act(fault).inject(self.ground, values)

    def undo(self, fault: Fault, values: Values) -> None:
        self._act(fault).undo(self.ground, values)

    def frozen(self) -> frozenset[str]:
        return frozenset()

    def sweep(self) -> None:
        """Nothing: what is in no book ends with the node's power."""

    def _act(self, fault: Fault) -> Act[VagrantMachine]:
        act = act_of(fault)
        if act is None:
            raise LabError(f"{fault.name} cannot have been done here.")
        return act


def _addresses(machines: tuple[VagrantMachine, ...]) -> str:
    return ", ".join(machine.node.address for machine in machines)


def _ignored(_: str) -> None:
    """For what a script says that went well."""


def _unless_off(machine: VagrantMachine, script: str, *words: str) -> None:
    """Runs it; a node without power has nothing to undo."""
    try:
        machine.script(script, *words)
    except LabError:
        if machine.on():
            raise


__all__ = ["CANNOT", "InMachines", "act_of"]
