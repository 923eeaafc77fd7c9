"""Faults that need something on this machine as well: a disk, a key, a client."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from hactl.lab import cgroups, keys, network, shell
from hactl.lab.cleanup import loops_below
from hactl.lab.faults.model import NODE, Ground, Values
from hactl.lab.faults.scripts import END_SESSIONS
from hactl.lab.machine import Machine
from hactl.model.errors import LabError

ROLE_PATH = {
    "lb": "/var/lib/haproxy",
    "app": "/var/cache/apt",
    "db": "/var/log/postgresql",
    "backup": "/var/lib/pgdrill",
}
"""What a role writes to and can be filled without harm to its data."""

SPARE = 64 * 1024  # kB of the small disk beside what the path holds already
MOST = 512 * 1024  # kB that a path may hold to be copied
_DEVICE = "/dev/hactl-lab-full"

FILL = """
path=$1 percent=$2 major=$3 minor=$4
[ -b "$5" ] || mknod "$5" b "$major" "$minor"
before=/run/hactl-lab-before
mkdir -p "$before"
mount --bind "$path" "$before"
mount --make-private "$before" # else what is mounted over the path appears over the copy's source too
mount "$5" "$path"
cp -a "$before/." "$path/"
umount "$before"
rmdir "$before"
set -- $(df -k --output=used,avail "$path" | tail -n 1)
fallocate -l "$(( ($1 + $2) * percent / 100 - $1 ))k" "$path/ballast"
"""
_EMPTY = """
path=$1
if mountpoint -q /run/hactl-lab-before; then umount -l /run/hactl-lab-before; fi
while [ "$(findmnt -n -o SOURCE --mountpoint "$path" | tail -n 1)" = "$2" ]; do umount -l "$path"; done
rm -f "$2"
"""


class DiskFull:
    """Mounts a small file system, filled, over a path, with what the path held before."""

    def inject(self, ground: Ground[Machine], values: Values) -> None:
        self.undo(ground, values)
        for machine in ground.chosen(values[NODE]):
            path = values["path"] or ROLE_PATH[machine.node.role]
            held = int(machine.script('mkdir -p "$1"; du -sk "$1"', path).split()[0])
            if held > MOST:
                raise LabError(f"{machine.node.name}:{path} holds {held // 1024} MB, too much to copy.")
            image = self._image(machine, path)
            image.unlink(missing_ok=True)
            shell.run(["truncate", "-s", f"{held * 5 // 4 + SPARE}k", image])
            shell.run(["mkfs.ext4", "-q", "-F", "-m", "0", image])
            loop = shell.run(["losetup", "--find", "--show", image]).strip()
            number = Path(loop).stat().st_rdev
            device = self._device(path)
            machine.script(FILL, path, values["percent"], str(number >> 8), str(number & 0xFF), device)

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            path = values["path"] or ROLE_PATH[machine.node.role]
            if machine.leader() is not None:
                machine.script(_EMPTY, path, self._device(path))
            folder = self._image(machine, path).parent
            for loop in loops_below(folder):
                shell.run(["losetup", "--detach", loop])
            if folder.exists():
                shutil.rmtree(folder)

    def _image(self, machine: Machine, path: str) -> Path:
        folder = machine.disk / f"full{path.replace('/', '-')}"
        folder.mkdir(exist_ok=True)
        return folder / "image"

    def _device(self, path: str) -> str:
        return f"{_DEVICE}{path.replace('/', '-')}"


class HostKey:
    """Gives a node another host key, as a reinstalled or an impersonated machine has."""

    def inject(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            machine.script(
                f"cd /etc/ssh; rm -f {keys.KEY_FILE}*; ssh-keygen -q -t ed25519 -N '' -C another -f {keys.KEY_FILE}"
            )
            self._restart(machine)

    def undo(self, ground: Ground[Machine], values: Values) -> None:
        for machine in ground.chosen(values[NODE]):
            keys.install_host_key(ground.spec, machine.node, machine.root)
            self._restart(machine)

    def _restart(self, machine: Machine) -> None:
        machine.script(f"systemctl restart ssh.service\n{END_SESSIONS}")


class HoldSession:
    """A client that keeps sessions open through the VIP: its own processes, in a control group of their own."""

    GROUP = "@hold"

    def inject(self, ground: Ground[Machine], values: Values) -> None:
        self.undo(ground, values)
        cgroups.create(ground.spec.name, self.GROUP)
        script = Path(__file__).with_name("hold.py")
        client = network.inside(ground.spec, [sys.executable, "-IS", script, ground.spec.vip, values["count"]])
        command = f"{cgroups.join_script(ground.spec.name, self.GROUP)}; exec {shlex.join(client)}"
        subprocess.run(
            ["setsid", "--fork", "sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def undo(self, ground: Ground[Machine], values: Values) -> None:  # noqa: ARG002 - there is one such client a lab
        if cgroups.existing(ground.spec.name, self.GROUP):
            cgroups.kill(ground.spec.name, self.GROUP)
            cgroups.remove(ground.spec.name, self.GROUP)
