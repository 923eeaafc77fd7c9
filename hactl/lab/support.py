"""Can this machine host a lab? Found out by doing each thing once, not by names: a container may, a root may not."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hactl.config.share import share_path
from hactl.lab import cgroups, image, shell
from hactl.lab.spec import CACHE_ROOT, STATE_ROOT
from hactl.model.errors import LabError, LabUnsupportedError

SPACE_NEEDED = 3 * 1024**3
_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
}
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_PER_NODE = 16  # measured: a database node uses 12
_INOTIFY_ROOMY = 1024
VAGRANT = "or use Vagrant instead: see docs/lab.md"


def host_packages() -> tuple[str, ...]:
    """The Debian packages that the lab needs on this machine."""
    return image.packages(share_path("vagrant", "host-packages.txt").read_text(encoding="utf-8"))


def missing_programs(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """The Debian packages of the programs that are not installed."""
    return sorted({package for program, package in _PROGRAMS.items() if which(program) is None})


def missing() -> tuple[str, ...]:
    """Every capability that this machine lacks, each with what to do about it; empty when it can host a lab."""
    if platform.system() != "Linux":
        return (f"Linux: this is {platform.system()}; {VAGRANT}",)
    if os.geteuid() != 0:
        return (f"root: run it with sudo, {VAGRANT}",)
    if packages := missing_programs():
        return (f"programs: apt-get install {' '.join(packages)}",)
    problems = []
    for what, probe, remedy in (
        ("control groups", _probe_cgroups, "mount a writable cgroup v2 hierarchy"),
        ("overlay mounts", _probe_overlay, "load the overlay module, or leave the container that forbids mounting"),
        ("network namespaces, bridges and veth pairs", _probe_network, "load the modules bridge and veth"),
        ("a Debian mirror", _probe_mirror, "set HACTL_LAB_MIRROR and HACTL_LAB_SUITE=bookworm"),
        (
            "disk space",
            _probe_space,
            f"free {SPACE_NEEDED // 1024**3} GB below {STATE_ROOT.parent} and {CACHE_ROOT.parent}",
        ),
    ):
        try:
            probe()
        except (LabError, OSError) as error:
            problems.append(f"{what}: {error}; {remedy}, {VAGRANT}")
    return tuple(problems)


def require() -> None:
    """Raises LabUnsupportedError that names everything missing."""
    if lacking := missing():
        raise LabUnsupportedError("This machine cannot host the lab.", lacking, remedy="`hactl lab check` looks again.")


def require_quickly() -> None:
    """The part of `require` that costs nothing: the platform, root, the programs."""
    if platform.system() != "Linux" or os.geteuid() != 0 or missing_programs():
        require()


def make_room(nodes: int) -> None:
    """Raises the kernel's limit of inotify instances, of which each node needs some; never lowers it.

    Too few do not stop a node from starting: it hangs half-way through its boot. Raises LabError where it may not.
    """
    wanted = nodes * _INOTIFY_PER_NODE
    if int(_INOTIFY.read_text(encoding="ascii")) >= wanted:
        return
    try:
        _INOTIFY.write_text(str(max(wanted, _INOTIFY_ROOMY)), encoding="ascii")
    except OSError as error:
        remedy = f"Run: sysctl fs.inotify.max_user_instances={_INOTIFY_ROOMY}"
        raise LabError(f"The kernel allows too few inotify instances for {nodes} nodes.", remedy=remedy) from error


def _probe_cgroups() -> None:
    name = f"probe-{os.getpid()}"
    try:
        cgroups.create(name)
        cgroups.freeze(name, on=True)
        cgroups.freeze(name, on=False)
        cgroups.kill(name)
    finally:
        cgroups.remove(name)
        cgroups.remove_top()


def _probe_overlay() -> None:
    STATE_ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STATE_ROOT, prefix=".probe-") as folder:
        parts = {name: Path(folder, name) for name in ("lower", "upper", "work", "root")}
        for part in parts.values():
            part.mkdir()
        options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
        shell.run(["mount", "-t", "overlay", "hactl-lab-probe", "-o", options, parts["root"]])
        shell.run(["umount", parts["root"]])


def _probe_network() -> None:
    name = f"hactl-probe-{os.getpid()}"
    shell.run(["ip", "netns", "add", name])
    try:
        batch = "link add br0 type bridge\nlink add v0 type veth peer name v1\nlink set v0 master br0\n"
        shell.run(["ip", "-n", name, "-batch", "-"], stdin=batch)
        rules = "table bridge probe { chain c { type filter hook forward priority 0; }; }"
        shell.run(["nsenter", f"--net=/run/netns/{name}", "--", "nft", "-f", "-"], stdin=rules)
    finally:
        shell.run(["ip", "netns", "delete", name])


def _probe_mirror() -> None:
    if not image.ImageStore().built():
        image.host_sources()


def _probe_space() -> None:
    for folder in (STATE_ROOT, CACHE_ROOT):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < SPACE_NEEDED:
            raise LabError(f"{folder} has {free / 1024**3:.1f} GB free.")
