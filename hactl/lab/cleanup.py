"""Finding and removing everything a lab ever left on this machine, from what is there: no state file is believed.

`leftovers` and `sweep` know the same kinds of things.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from pathlib import Path

from hactl.lab import cgroups, network, shell
from hactl.lab.spec import NETNS_DIRECTORY, RUN_ROOT, LabSpec

_NSPAWN = Path("/run/systemd/nspawn")


def leftovers(spec: LabSpec) -> list[str]:
    """A line for each thing of the lab that exists outside its disks; empty after a good `down`."""
    found = [f"process {pid}: {_title(pid)}" for pid in sorted(_processes(spec))]
    found += [f"mount {target}" for target in mounts_below(spec.paths.state, spec.paths.run)]
    found += [f"loop device {device}" for device in loops_below(spec.paths.state, spec.paths.run)]
    found += [f"cgroup {group}" for group in cgroups.existing(spec.name)]
    found += [f"nspawn remains {path}" for path in _nspawn_remains(spec)]
    if network.exists(spec):
        found.append(f"network namespace {spec.netns}")
    found += [f"file {path}" for path in (spec.paths.run, spec.paths.lock) if path.exists()]
    return found


def sweep(spec: LabSpec) -> None:
    """Ends and removes all of it at once; the disks stay. Nothing in it asks a node to stop in order."""
    cgroups.kill(spec.name)
    for _ in range(50):
        if not (alive := _processes(spec)):
            break
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    for target in mounts_below(spec.paths.state, spec.paths.run):
        shell.run(["umount", target])
    for device in loops_below(spec.paths.state, spec.paths.run):
        shell.run(["losetup", "--detach", device])
    network.down(spec)
    cgroups.remove(spec.name)
    cgroups.remove_top()
    for path in _nspawn_remains(spec):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if spec.paths.run.exists():
        shutil.rmtree(spec.paths.run)


def _processes(spec: LabSpec) -> set[int]:
    """In the lab's cgroups, in its namespace, or an nspawn on one of its disks."""
    return cgroups.processes(spec.name) | network.processes(spec) | nspawns(spec)


def nspawns(spec: LabSpec) -> set[int]:
    """The processes that hold the lab's nodes, whatever group they are in."""
    ours = f"--directory={spec.paths.state}/".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"systemd-nspawn") and any(word.startswith(ours) for word in words):
                    found.add(int(entry.name))
    return found


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:80]
    except OSError:
        return "(gone)"


def parse_mountinfo(text: str, *folders: Path) -> list[Path]:
    """Mount points at or below `folders` in the text of /proc/self/mountinfo, the newest (innermost) first."""
    found = []
    for line in text.splitlines():
        target = Path(line.split()[4].encode().decode("unicode_escape"))
        if any(target == folder or folder in target.parents for folder in folders):
            found.append(target)
    return found[::-1]


def mounts_below(*folders: Path) -> list[Path]:
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8"), *folders)


def loops_below(*folders: Path) -> list[str]:
    """Loop devices whose backing file is below `folders`."""
    listing = shell.run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"])
    devices = json.loads(listing)["loopdevices"] if listing.strip() else []
    return [
        device["name"]
        for device in devices
        if any(folder in Path((device["back-file"] or "").removesuffix(" (deleted)")).parents for folder in folders)
    ]


def _nspawn_remains(spec: LabSpec) -> list[Path]:
    """What killed nspawns left: the machines' propagation folders, and lock files that nobody holds any more."""
    machines = {spec.machine(node.name) for node in spec.nodes}
    folders = [path for path in (_NSPAWN / "propagate").glob("*") if path.name in machines]
    locks = [path for path in (_NSPAWN / "locks").glob("*") if path.name.startswith("inode-")]
    return folders + [lock for lock in locks if not _held(lock)]


def _held(path: Path) -> bool:
    """Nspawn takes open-file-description locks, which POSIX locks (`lockf`) meet and flock does not."""
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    except FileNotFoundError:
        return False
    return False


def other_labs() -> list[str]:
    """Names of labs that have a runtime folder."""
    return sorted(path.name for path in RUN_ROOT.glob("*") if path.is_dir())


__all__ = ["NETNS_DIRECTORY", "leftovers", "loops_below", "mounts_below", "other_labs", "parse_mountinfo", "sweep"]
