"""`./dev test-vagrant`: the lab in virtual machines, for real: a box made from Debian packages, machines under plain
emulation, hactl against them. Takes a quarter of an hour on two cores that do nothing else; leaves nothing but the
packages that ./dev says it installs.

    --box FILE     use this box, or keep the one that is made there
    --nodes A,B    these of the inventory's nodes, "all" for every one; they are worked with where they make a cluster
                   (`story.whole`). Default: the smallest cluster, because each emulated node wants a third of a core
    --hold         when all is done (or has failed), wait for the end of standard input before taking it away
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hactl.lab.cleanup import mounts_below
from tests.vagrant.real import box, story, world


def main() -> int:
    options = _options()
    if os.geteuid() != 0:
        sys.exit("test-vagrant: it makes namespaces, and has to be root")
    folder = Path(tempfile.mkdtemp(prefix="hactl-vagrant-", dir="/var/tmp"))
    try:
        made, seconds = _box(options.box, folder)
        told = [sys.executable, "-m", "tests.vagrant.real.story", str(folder), str(made), f"{seconds:.0f}"]
        chosen = [] if options.nodes == "all" else ["--nodes", options.nodes]
        hold = ["--hold"] if options.hold else []
        return subprocess.call(world.enter(folder, [*told, *chosen, *hold]))
    finally:
        shutil.rmtree(folder)
        if left := [*_processes(folder), *map(str, mounts_below(folder))]:
            sys.exit("test-vagrant: this is left behind:\n" + "\n".join(left))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev test-vagrant", description=__doc__)
    parser.add_argument("--box", type=Path)
    parser.add_argument("--nodes", default=story.SMALLEST)
    parser.add_argument("--hold", action="store_true")
    return parser.parse_args()


def _box(wanted: Path | None, folder: Path) -> tuple[Path, float]:
    """The box, and the seconds that it took to make it; 0 when it was there."""
    path = (wanted or folder / "lab.box").absolute()
    if path.exists():
        return path, 0.0
    print("making a box (a minute or two)", flush=True)
    began = time.monotonic()
    box.build(path, folder)
    return path, time.monotonic() - began


def _processes(folder: Path) -> list[str]:
    """Those that have anything to do with the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and entry.parent.name != str(os.getpid()):
            found.append(f"process {entry.parent.name}: {line[:80]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
