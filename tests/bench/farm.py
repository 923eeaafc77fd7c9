"""Many "nodes" on one machine: every address of 127.0.0.0/8 is served by one real OpenSSH server.

The server runs in a network namespace of its own, where loopback is all there is, so that it may listen everywhere and
nothing outside can reach it: `enter` moves the whole benchmark there. The login shell is the user's own.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PORT = 2222
_INSIDE = "HACTL_BENCH_INSIDE"

# A lab on this machine mounts dozens of file systems, which a node of a cluster does not have.
_INSIDE_FIRST = """
ip link set lo up
awk '$2 ~ /hactl-lab/ { print $2 }' /proc/self/mounts | sort -r | xargs -r umount -l
exec "$@"
"""

# SHLVL keeps bash from reading ~/.bashrc, which is of this machine's making.
_CONFIG = """
Port {port}
ListenAddress 0.0.0.0
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 2000
MaxSessions 10
LogLevel QUIET
SetEnv SHLVL=2 PATH={folder}/bin:/usr/local/bin:/usr/bin:/bin
PrintMotd no
PrintLastLog no
"""


@dataclass(frozen=True)
class Farm:
    """A running server and what is needed to log in to it."""

    folder: Path
    pid: int

    @property
    def port(self) -> int:
        return PORT

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def addresses(self, count: int) -> list[str]:
        return [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(count)]

    def trust(self, count: int) -> None:
        """Write a known_hosts line for each address, as a cluster's file would have."""
        host_key = " ".join((self.folder / "host_key.pub").read_text().split()[:2])
        lines = [f"[{address}]:{PORT} {host_key}\n" for address in self.addresses(count)]
        self.known_hosts.write_text("".join(lines))

    def inventory(self, count: int) -> Path:
        """An inventory of so many nodes without services."""
        self.trust(count)
        head = (
            f'schema = 1\n[cluster]\nname = "farm"\n[ssh]\nuser = "{getpass.getuser()}"\nport = {PORT}\n'
            f'identity = "{self.key}"\nknown_hosts = "{self.known_hosts}"\nconfig = []\n'
            '[[sites]]\nname = "here"\n'
        )
        nodes = [
            f'[[nodes]]\nname = "n{number:03}"\nsite = "here"\naddress = "{address}"\nroles = ["node"]\n'
            for number, address in enumerate(self.addresses(count))
        ]
        path = self.folder / f"farm-{count}.toml"
        path.write_text(head + "".join(nodes))
        return path


def enter() -> None:
    """Move this program into namespaces where there is nothing but loopback and no lab. Needs root."""
    if os.environ.get(_INSIDE):
        return
    if os.geteuid() != 0:
        sys.exit("The benchmark needs root: it runs an OpenSSH server in a network namespace of its own.")
    words = ["unshare", "--net", "--mount", "sh", "-c", _INSIDE_FIRST, "sh", *sys.orig_argv]
    os.execvpe(words[0], words, {**os.environ, _INSIDE: "1"})


@contextmanager
def farm() -> Iterator[Farm]:
    """A server for the time of the block. Call `enter` before."""
    with tempfile.TemporaryDirectory(prefix="hactl-farm-") as name:
        folder = Path(name)
        for key in ("host_key", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        _without_apt(folder / "bin")
        (folder / "sshd_config").write_text(_CONFIG.format(port=PORT, folder=folder))
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        # However the benchmark ends, the server goes with it.
        words = ["setpriv", "--pdeathsig", "TERM", sshd, "-D", "-e", "-f", folder / "sshd_config"]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for_port()
            yield Farm(folder, server.pid)
        finally:
            _end(server)


def _without_apt(folder: Path) -> None:
    """Nodes have no package lists here: hundreds of dry runs of an upgrade at once are for hundreds of machines."""
    folder.mkdir()
    stub = folder / "apt-get"
    stub.write_text("#!/bin/sh\nexit 1\n")
    stub.chmod(0o755)


def _wait_for_port() -> None:
    for _ in range(100):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("sshd does not listen")


def _end(server: subprocess.Popen[bytes]) -> None:
    """The listener and every session it has forked."""
    for pid in children(server.pid):
        with suppress(ProcessLookupError):  # it ends by itself at this very moment
            os.kill(pid, signal.SIGTERM)
    server.terminate()
    server.wait(10)


def children(pid: int) -> list[int]:
    """Every process below `pid`."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        try:
            named = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except FileNotFoundError:
            continue
        found += map(int, named)
        waiting += map(int, named)
    return found


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that these processes, and their reaped children, have used so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(map(int, fields[11:15])) / ticks
    return total
