"""A world of its own for libvirt: mount, network and process namespaces that end with the run.

    python -m tests.vagrant.real.world FOLDER COMMAND...

Started by `unshare` as the child of its first process. In it there is no way out but loopback, libvirt's files are
FOLDER's, and /dev/kvm is of no use (where emulation is all there is, libvirt would spend a minute to find that out for
each machine). COMMAND runs while libvirtd does; whatever is left when it has ended is killed with the namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from hactl.lab import shell

_SETTINGS = {
    "qemu.conf": """
user = "root"
group = "root"
security_driver = "none"
namespaces = []
remember_owner = 0
stdio_handler = "file"
cgroup_controllers = []
""",
    "libvirtd.conf": 'auth_unix_rw = "none"\nlog_outputs = "2:stderr"\n',
}
_OWN = ("lib", "cache", "log")
_SOCKET = Path("/run/libvirt/libvirt-sock")
_STARTS_WITHIN = 60.0  # seconds


def enter(folder: Path, argv: list[str]) -> list[str]:
    """The command that runs `argv` in such a world. A shell is its first process, because somebody has to reap."""
    spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inside = [sys.executable, "-m", "tests.vagrant.real.world", str(folder), *argv]
    return ["unshare", *spaces, "sh", "-c", '"$@"; exit $?', "sh", *inside]


def furnish(folder: Path) -> None:
    """The mounts and the loopback of this world."""
    (folder / "empty").touch(mode=0o000)
    for kind in _OWN:
        shutil.copytree(f"/var/{kind}/libvirt", folder / kind, symlinks=True, dirs_exist_ok=True)
        shell.run(["mount", "--bind", folder / kind, f"/var/{kind}/libvirt"])
    shutil.copytree("/etc/libvirt", folder / "etc", symlinks=True, dirs_exist_ok=True)
    for name, text in _SETTINGS.items():
        (folder / "etc" / name).write_text(text, encoding="ascii")
    shutil.rmtree(folder / "etc/qemu/networks/autostart", ignore_errors=True)  # libvirt's own network is not ours
    shell.run(["mount", "--bind", folder / "etc", "/etc/libvirt"])
    if Path("/dev/kvm").exists():
        shell.run(["mount", "--bind", folder / "empty", "/dev/kvm"])
    # Of this network namespace, and without control groups: libvirt then makes none.
    shell.run(["umount", "--recursive", "--lazy", "/sys"])
    shell.run(["mount", "-t", "sysfs", "sysfs", "/sys"])
    shell.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    Path("/run/lock").mkdir(mode=0o1777)
    shell.run(["ip", "link", "set", "lo", "up"])


def main(folder: Path, argv: list[str]) -> int:
    furnish(folder)
    with (folder / "libvirtd.log").open("wb") as log:
        libvirtd = subprocess.Popen(["/usr/sbin/libvirtd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _STARTS_WITHIN
        while not _SOCKET.exists():
            if libvirtd.poll() is not None or time.monotonic() > deadline:
                sys.exit("libvirtd did not start:\n" + (folder / "libvirtd.log").read_text(errors="replace")[-4000:])
            time.sleep(0.1)
        home = folder / "home"
        home.mkdir(exist_ok=True)
        own = {"HOME": str(home), "VAGRANT_HOME": str(folder / "vagrant.d"), "VAGRANT_CHECKPOINT_DISABLE": "1"}
        dropped = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        return subprocess.call(argv, env=kept | own)
    finally:
        libvirtd.terminate()
        libvirtd.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
