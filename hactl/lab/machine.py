"""One node of the lab: its disk, its boot, commands inside it, its end. The truth is read from the kernel each time."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hactl.lab import cgroups, keys, network, shell
from hactl.lab.image import BOOTED_MARK
from hactl.lab.spec import PREFIX, LabNode, LabSpec
from hactl.model.errors import LabError

BOOT_TIMEOUT = 90.0
STOP_TIMEOUT = 40.0
_LAUNCH_TIMEOUT = 2.0
_LOOK_INTO_BOOT = "See what it said: hactl lab exec NODE -- journalctl -b"

_NSPAWN = (
    *("systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--settings=no", "--link-journal=no"),
    *("--resolv-conf=off", "--timezone=off", "--boot", "--console=pipe"),
)
KEEPER = "@keeper"
# nspawn ends with 133 when the node reboots itself, and leaves starting it again to its caller: a shell that stays.
_KEEP = """{keeper}
while :; do
    ( {node}; exec {nspawn} )
    [ $? = 133 ] || break
done"""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


class Machine:
    """`node` of the lab `spec`."""

    def __init__(self, spec: LabSpec, node: LabNode) -> None:
        self.spec = spec
        self.node = node
        self.group = (spec.name, node.name)
        self.disk = spec.paths.disk(node.name)
        self.root = spec.paths.root(node.name)

    # What it is now

    def leader(self) -> int | None:
        """The process that is the node's PID 1; None when the node is off."""
        for pid in cgroups.processes(*self.group):
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            inside = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
            if len(inside) > 1 and inside[-1] == "1" and "State:\tZ" not in status:
                return pid
        return None

    def on(self) -> bool:
        return self.leader() is not None

    def answers(self) -> bool:
        return self.on() and not self.frozen()

    def booted(self) -> bool:
        """Its systemd has brought up the network, D-Bus and sshd."""
        pid = self.leader()
        return pid is not None and Path(f"/proc/{pid}/root/{BOOTED_MARK}").exists()

    def mounted(self) -> bool:
        return os.path.ismount(self.root)

    # Its disk

    def prepare(self, image: Path) -> None:
        """Mounts its root: its own layer over `image`. A layer that stood on another image is thrown away."""
        stands_on = self.disk / "image"
        if self.mounted():
            return
        if not stands_on.exists() or stands_on.read_text(encoding="ascii") != image.name:
            self.wipe()
        upper, work = self.disk / "upper", self.disk / "work"
        for folder in (upper, work, self.root):
            folder.mkdir(parents=True, exist_ok=True)
        upper.chmod(0o755)
        stands_on.write_text(image.name, encoding="ascii")
        options = f"lowerdir={image},upperdir={upper},workdir={work}"
        shell.run(["mount", "-t", "overlay", f"hactl-lab-{self.spec.name}", "-o", options, self.root])

    def wipe(self) -> None:
        """Throws its disk away; it must be off."""
        if self.mounted():
            shell.run(["umount", self.root])
        if self.disk.exists():
            shutil.rmtree(self.disk)

    def _personalise(self) -> None:
        """What distinguishes it from the image before it first boots: names, address and, last, its host key."""
        if (self.root / "etc/ssh" / f"{keys.KEY_FILE}.pub").exists():
            return
        others = "".join(f"{node.address} {node.name}\n" for node in self.spec.nodes)
        network_file = (
            f"[Match]\nName=host0\n\n[Network]\nAddress={self.node.address}/{PREFIX}\n"
            "LinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\n"
        )
        # A node's own name stands for its real address too: services bind to it.
        for name, text in {
            "etc/hostname": f"{self.node.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n{others}",
            "etc/resolv.conf": "",
            "etc/systemd/network/10-lab.network": network_file,
        }.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="ascii")
        keys.install_host_key(self.spec, self.node, self.root)

    def copy_in(self, folder: Path, target: str) -> None:
        """Replaces the folder `target` on the node (running or not, but mounted) by a copy of `folder`."""
        there = self.root / target.lstrip("/")
        if there.exists():
            shutil.rmtree(there)
        shutil.copytree(folder, there, ignore=shutil.ignore_patterns("__pycache__"))

    # Its life

    def start(self) -> None:
        """Boots it unless it runs; returns at once, see `wait_booted`. The node outlives this process."""
        if self.leader() is not None:
            return
        self._clear_remains()
        self._personalise()
        cgroups.create(*self.group)
        nspawn = [
            *_NSPAWN,
            f"--directory={self.root}",
            f"--machine={self.spec.machine(self.node.name)}",
            f"--hostname={self.node.name}",
            f"--network-bridge={network.BRIDGE}",
        ]
        cgroups.create(*self.group, KEEPER)
        command = _KEEP.format(
            keeper=cgroups.join_script(*self.group, KEEPER),
            node=cgroups.join_script(*self.group),
            nspawn=shlex.join(network.inside(self.spec, nspawn)),
        )
        with (self.disk / "console.log").open("wb") as console:
            subprocess.run(
                ["setsid", "--fork", "sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                check=True,
            )

    def _clear_remains(self) -> None:
        """Ends what a killed launcher or a half-dead nspawn left in the node's groups."""
        if cgroups.existing(*self.group):
            cgroups.freeze(*self.group, on=False)
            cgroups.kill(*self.group)
            cgroups.remove(*self.group)

    def wait_booted(self, timeout: float = BOOT_TIMEOUT) -> None:
        began = time.monotonic()
        while not self.booted():
            waited = time.monotonic() - began
            died = waited > _LAUNCH_TIMEOUT and not cgroups.processes(*self.group)
            if died or waited > timeout:
                what = "ended while booting" if died else f"did not boot within {timeout:.0f} s"
                raise LabError(f"{self.node.name} {what}.\n{self.console_tail()}", remedy=_LOOK_INTO_BOOT)
            time.sleep(0.1)

    def console_tail(self) -> str:
        """The last lines that it wrote to its console."""
        log = self.disk / "console.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-12:])

    def request_stop(self) -> None:
        """Asks it to power off in order; returns at once."""
        with contextlib.suppress(ProcessLookupError):
            if pid := self.leader():
                os.kill(pid, signal.SIGRTMIN + 4)  # to a container's systemd: power off in order

    def wait_stopped(self, timeout: float = STOP_TIMEOUT) -> bool:
        deadline = time.monotonic() + timeout
        while self.leader() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def cut_power(self) -> None:
        """Ends everything in it at once, as pulling the plug does."""
        cgroups.kill(*self.group)

    def freeze(self, *, on: bool) -> None:
        if self.leader() is None:
            raise LabError(f"{self.node.name} is off: it cannot be {'frozen' if on else 'thawed'}.")
        cgroups.freeze(*self.group, on=on)

    def frozen(self) -> bool:
        return cgroups.frozen(*self.group)

    # Commands inside it

    def command(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, leaf: str = "exec") -> list[str]:
        """The argv that runs `argv` as root in the node, in its group `leaf`. Raises LabError when it is off."""
        pid = self.leader()
        if pid is None:
            raise LabError(f"{self.node.name} is off.", remedy=f"Start it: hactl lab up --name {self.spec.name}")
        if self.frozen():
            raise LabError(f"{self.node.name} is frozen.", remedy=f"Thaw it: hactl lab fault thaw {self.node.name}")
        cgroups.create(*self.group, leaf)
        settings = {**_ENVIRONMENT, **(env or {})}
        enter = ["nsenter", f"--target={pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        clean = ["env", "--ignore-environment", "--chdir=/", *(f"{key}={value}" for key, value in settings.items())]
        script = f'{cgroups.join_script(*self.group, leaf)}; exec "$@"'
        return ["sh", "-c", script, "sh", *enter, "--", *clean, *argv]

    def in_network(self, argv: Sequence[str]) -> list[str]:
        """The argv that runs this machine's program `argv` in the node's network; empty when the node is off."""
        pid = self.leader()
        return [] if pid is None else ["nsenter", f"--target={pid}", "--net", "--", *argv]

    def attempt(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        leaf: str = "exec",
    ) -> subprocess.CompletedProcess[str]:
        """Runs `argv` as root in the node; a non-zero exit is data."""
        return shell.attempt(self.command(argv, env=env, leaf=leaf), stdin=stdin, timeout=timeout)

    def run(self, argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60.0) -> str:
        """Runs `argv` as root in the node; what it wrote. Raises LabError unless it exits 0."""
        done = self.attempt(argv, stdin=stdin, timeout=timeout)
        if done.returncode != 0:
            raise shell.failed(argv, done, what=f"{self.node.name}: {shlex.join(argv)}")
        return done.stdout

    def script(self, text: str, *arguments: str, timeout: float = 60.0) -> str:
        """Runs a POSIX shell script as root in the node."""
        return self.run(["sh", "-eu", "-s", "--", *arguments], stdin=text, timeout=timeout)
