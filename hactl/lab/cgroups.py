"""Control groups of a lab: one for each node, so that a node can be frozen, cut off, counted and swept up.

Works on the unified hierarchy alone (v2) and on the hybrid layout, where systemd's own and the counting controllers
are separate v1 trees. Freezing and killing always use v2, which both have. Nothing here needs a state file: the
kernel's tree is the truth.

    hactl-lab/NAME/NODE           what nspawn makes of it: supervisor, payload
    hactl-lab/NAME/NODE/exec      commands run inside the node from outside (`enter`)
    hactl-lab/NAME/@relay         the relay
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hactl.model.errors import LabError

TOP = "hactl-lab"
RELAY = "@relay"
_V1_WANTED = ("name=systemd", "memory", "pids")
_CONTROLLERS = ("memory", "pids")


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where cgroups are mounted: `unified` is v2; `others` are the v1 trees that matter (empty on pure v2)."""

    unified: Path
    others: tuple[Path, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        return (self.unified, *self.others)

    def of(self, controller: str) -> Path:
        """The tree that counts `controller`."""
        return next((tree for tree in self.others if tree.name == controller), self.unified)


def parse_mounts(text: str) -> Hierarchies | None:
    """From the text of /proc/self/mounts; None when there is no v2 hierarchy."""
    unified: Path | None = None
    others: list[Path] = []
    for line in text.splitlines():
        _, target, kind, options, *_ = line.split()
        if kind == "cgroup2" and unified is None:
            unified = Path(target)
        elif kind == "cgroup" and not set(options.split(",")).isdisjoint(_V1_WANTED):
            others.append(Path(target))
    return None if unified is None else Hierarchies(unified, tuple(others))


@functools.cache
def hierarchies() -> Hierarchies:
    found = parse_mounts(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    if found is None:
        raise LabError(
            "No cgroup v2 hierarchy is mounted.", remedy="Mount one: mount -t cgroup2 none /sys/fs/cgroup/unified"
        )
    return found


def create(*path: str) -> None:
    """Makes hactl-lab/PATH in every tree; existing ones are fine. On pure v2 the counting controllers are turned on."""
    trees = hierarchies()
    for tree in trees.all:
        for depth in range(len(path) + 1):
            here = tree.joinpath(TOP, *path[:depth])
            here.mkdir(exist_ok=True)
            if tree == trees.unified and depth < len(path):
                _enable_controllers(here)


def _enable_controllers(group: Path) -> None:
    offered = (group / "cgroup.controllers").read_text(encoding="ascii").split()
    for controller in set(offered).intersection(_CONTROLLERS):
        # A group that holds processes refuses (EBUSY); counting is then simply not available below it.
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")


def join_script(*path: str) -> str:
    """A shell fragment that moves the shell into hactl-lab/PATH of every tree; what it then execs is born there."""
    files = " ".join(str(tree.joinpath(TOP, *path, "cgroup.procs")) for tree in hierarchies().all)
    return f"for f in {files}; do echo $$ > $f || exit 125; done"


def processes(*path: str) -> set[int]:
    """Every process in hactl-lab/PATH and below it, in any tree."""
    return {pid for group in _groups(*path) for pid in _members(group)}


def _groups(*path: str) -> Iterator[Path]:
    """Existing groups, deepest first."""
    for tree in hierarchies().all:
        top = tree.joinpath(TOP, *path)
        if top.is_dir():
            # os.walk takes groups that vanish meanwhile as they are: not there.
            yield from (Path(folder) for folder, _, _ in os.walk(top, topdown=False))


def _members(group: Path) -> list[int]:
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text(encoding="ascii").split()]
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):  # gone meanwhile, or a threaded group
            return []
        raise


def freeze(*path: str, on: bool) -> None:
    (hierarchies().unified.joinpath(TOP, *path) / "cgroup.freeze").write_text("1" if on else "0", encoding="ascii")


def frozen(*path: str) -> bool:
    try:
        return (hierarchies().unified.joinpath(TOP, *path) / "cgroup.freeze").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def kill(*path: str, timeout: float = 10.0) -> None:
    """Kills everything in hactl-lab/PATH at once and waits until it is gone; the groups stay."""
    with contextlib.suppress(FileNotFoundError):
        (hierarchies().unified.joinpath(TOP, *path) / "cgroup.kill").write_text("1", encoding="ascii")
    deadline = time.monotonic() + timeout
    while alive := processes(*path):
        if time.monotonic() > deadline:
            raise LabError(f"Processes of {'/'.join(path)} do not die: {sorted(alive)}.")
        time.sleep(0.01)


def remove(*path: str) -> None:
    """Removes hactl-lab/PATH and everything below it from every tree; it must be empty of processes."""
    for group in list(_groups(*path)):
        deadline = time.monotonic() + 5.0
        while True:
            try:
                group.rmdir()
            except FileNotFoundError:
                break
            except OSError as error:  # EBUSY for a moment while the kernel finishes with dead processes
                if time.monotonic() > deadline:
                    raise LabError(f"The cgroup {group} cannot be removed: {error.strerror}.") from error
                time.sleep(0.02)
            else:
                break


def remove_top() -> None:
    """Removes hactl-lab itself unless a lab still stands in it."""
    for tree in hierarchies().all:
        with contextlib.suppress(OSError):
            (tree / TOP).rmdir()


def existing(*path: str) -> list[Path]:
    """The groups hactl-lab/PATH that exist, one for each tree."""
    return [group for tree in hierarchies().all if (group := tree.joinpath(TOP, *path)).is_dir()]


def memory(*path: str) -> int | None:
    """Bytes of anonymous memory in hactl-lab/PATH; None where nothing counts it."""
    stat = hierarchies().of("memory").joinpath(TOP, *path, "memory.stat")
    if not stat.is_file():
        return None
    fields = dict(line.split() for line in stat.read_text(encoding="ascii").splitlines())
    # v1 counts its own group only under "rss", with everything below under "total_rss"; v2 is always recursive.
    value = fields.get("total_rss", fields.get("anon"))
    return None if value is None else int(value)
